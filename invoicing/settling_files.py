"""What a correction is kept with: the tables and rates it was made from, and its calls, in files of the store."""

from __future__ import annotations

import shutil
from functools import partial
from typing import TYPE_CHECKING

from invoicing import snapshots
from invoicing.ledger import own_paths
from invoicing.store import sha256_of_file

if TYPE_CHECKING:
    from pathlib import Path

    from invoicing.correcting import Corrected
    from invoicing.desk import Desk

# Path, SHA-256 and size of a file that the ledger is to name.
Named = tuple[str, str, int]


def keep_inputs(desk: Desk, corrected: Corrected) -> tuple[list[str], list[Named]]:
    """Copy other tables and rates into the store; gives the paths of all files of rates, and the files to be named."""
    inputs, origin = corrected.inputs, corrected.origin
    named = [] if inputs.loaded is None else snapshots.keep_snapshot(desk.store, desk.ledger, inputs.loaded)
    decks = list(origin.decks) if inputs.loaded is None else []
    if inputs.deck is not None:
        path = f"snapshots/{sha256_of_file(inputs.deck)}/rates{_suffixes(inputs.deck)}"
        decks.append(path)
        if path not in desk.ledger.stored_files():
            named.append((path, *desk.store.write(path, partial(shutil.copyfile, inputs.deck))))
    return decks, named


def _suffixes(path: Path) -> str:
    """What says how a file is read: `.csv`, `.csv.gz`."""
    last = path.suffixes[-2:] if path.suffix in (".gz", ".zst") else path.suffixes[-1:]
    return "".join(last)


def keep_calls(desk: Desk, corrected: Corrected) -> list[Named]:
    """Write the calls of a correction as those of a rating are; gives the files to be named."""
    calls = corrected.calls
    frames = [(path, frame) for path, _, frame in corrected.paths()]
    own = (calls.unrated, calls.prices, calls.traffic, calls.draws)
    paths = own_paths(corrected.restating.rating_no)
    frames += zip(paths, own, strict=True)
    return [(path, *desk.store.write_frame(path, frame)) for path, frame in frames]

"""The index of accepted calls: which call_ids a store may hold, and where, without reading all of its calls.

Beside each file of calls lies one of 64-bit hashes of their call_ids, in the order of the calls. The hash is
the one of Polars, which may be another in another version of it; so the name of an index file carries the
fingerprint of the hash, and one that is missing for the hash in use is made again from the calls. A hash only
says where to look: whether two call_ids are the same is always decided by the texts themselves.
"""

from __future__ import annotations

import hashlib
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from rating.frames import compact
from rating.mediation import CONTENT
from rating.number_keys import with_number_texts
from rating.pipeline import CALL_SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import numpy.typing as npt

    from invoicing.ledger import Ledger
    from invoicing.store import Store

    Hashes = npt.NDArray[np.uint64]

PROBES = [f"probe-{number}" for number in range(64)]
BITS_PER_CALL = 16
LEAST_BITS, MOST_BITS = 1 << 16, 1 << 33
BITS_PER_WORD = 64
# Where in a hash its marks are told from: above all that the place of the word is told from.
MARKS_FROM = (52, 58)
# So few are looked for one by one.
FEW = 8


def hashes_of(call_ids: pl.Series) -> Hashes:
    """The hash of each call_id."""
    return call_ids.hash().to_numpy()


@cache
def fingerprint() -> str:
    """What tells one hash function from another."""
    return hashlib.sha256(hashes_of(pl.Series(PROBES)).tobytes()).hexdigest()[:8]


def index_path(calls_path: str) -> str:
    """Where the index of a file of calls stands."""
    return f"{calls_path.removesuffix('.parquet')}.{fingerprint()}.ids"


def write_index(store: Store, calls_path: str, hashes: Hashes) -> tuple[str, str, int]:
    """Write the index of a file of calls; gives its path, SHA-256 and size, for the ledger to name it."""
    path = index_path(calls_path)
    return (path, *store.write(path, lambda target: target.write_bytes(hashes.tobytes())))


def stored_indexes(store: Store, ledger: Ledger, condition: str = "true") -> Iterator[tuple[str, Hashes]]:
    """Each file of calls in the store with its hashes, in the order in which they were read.

    Args:
        store: Where they are.
        ledger: What names them; an index that had to be made again is named too, where that is possible.
        condition: Which batches, as SQL over the columns of `batches`.
    """
    shas = ledger.stored_files()
    for (found,) in ledger.rows(f"select path from batches where {condition} order by batch_no"):  # noqa: S608
        calls_path = str(found)
        path = index_path(calls_path)
        if path in shas:
            yield calls_path, np.frombuffer(store.require(path, shas[path]).read_bytes(), dtype=np.uint64)
            continue
        store.require(calls_path, shas[calls_path])
        hashes = hashes_of(pl.read_parquet(store.root / calls_path, columns=["call_id"])["call_id"])
        if not ledger.read_only:
            named = write_index(store, calls_path, hashes)
            ledger.name_file(*named)
        yield calls_path, hashes


class Seen:
    """Two bits for each call_id that was seen: they may be wrong about a new one, never about one that was seen.

    A Bloom filter in blocks of one word (Putze, Sanders and Singler, 2007): the bits of a call_id lie in one word,
    so that memory is looked at once for all of them.
    """

    def __init__(self, calls: int) -> None:
        """Make room for so many calls."""
        wanted = 1 << (max(calls, 1) * BITS_PER_CALL - 1).bit_length()
        words = min(max(wanted, LEAST_BITS), MOST_BITS) // BITS_PER_WORD
        self._mask = np.uint64(words - 1)
        self._words = np.zeros(words, dtype=np.uint64)

    def _places(self, hashes: Hashes) -> tuple[Hashes, Hashes]:
        """The word of each, and its bits in it."""
        one, within = np.uint64(1), np.uint64(BITS_PER_WORD - 1)
        first, second = (one << ((hashes >> np.uint64(start)) & within) for start in MARKS_FROM)
        return hashes & self._mask, first | second

    def add(self, hashes: Hashes) -> npt.NDArray[np.bool_]:
        """Remember these; gives which of them may have been seen before, where False is certain."""
        word, marks = self._places(hashes)
        before = np.asarray((self._words[word] & marks) == marks)
        np.bitwise_or.at(self._words, word, marks)
        return before

    def may_hold(self, hashes: Hashes) -> npt.NDArray[np.bool_]:
        """Whether each may have been seen; False is certain."""
        word, marks = self._places(hashes)
        return np.asarray((self._words[word] & marks) == marks)


def rows_with(indexes: Iterable[tuple[str, Hashes]], wanted: Hashes) -> Iterator[tuple[str, npt.NDArray[np.intp]]]:
    """The files of calls that hold wanted hashes, each with the places of those calls in it."""
    sought = np.unique(wanted)
    quick = Seen(len(sought))
    quick.add(sought)
    for path, hashes in indexes:
        if len(sought) <= FEW:
            places = np.flatnonzero(np.isin(hashes, sought))
        else:
            likely = np.flatnonzero(quick.may_hold(hashes))
            places = likely[np.isin(hashes[likely], sought)]
        if len(places):
            yield path, places


def contents_of(store: Store, ledger: Ledger, found: Iterable[tuple[str, npt.NDArray[np.intp]]]) -> pl.DataFrame:
    """The calls at these places of the files of calls: `call_id` and the columns of `CONTENT`, as records have them."""
    shas = ledger.stored_files()
    rows = [pl.DataFrame(schema={name: CALL_SCHEMA[name] for name in ("call_id", *CONTENT)})]
    for path, places in found:
        # A file of this very reading is not named yet.
        stored = store.require(path, shas[path]) if path in shas else store.root / path
        calls = pl.read_parquet(stored, columns=["call_id", *CONTENT], hive_partitioning=False)
        rows.append(compact(calls[places].select(rows[0].columns)))
    return with_number_texts(pl.concat(rows))

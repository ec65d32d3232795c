"""Approval: what finance looked at is known by one SHA-256, and only that is issued."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from invoicing.events import canonical
from invoicing.rating_run import paths_to_rate
from invoicing.store import sha256_of_bytes

if TYPE_CHECKING:
    from invoicing.ledger import Ledger, Rating
    from rating.periods import Period


class Digests(NamedTuple):
    """What a month is made from, each as a SHA-256 in hexadecimal.

    Attributes:
        calls: Of the names and SHA-256 of the stored files whose calls it rates.
        tables: The platform tables (`snapshots.snapshot_id`).
        settings: The settings as they are stored with a run.
        all: Of the three with the month: what is approved.
    """

    calls: str
    tables: str
    settings: str
    all: str


def input_digests(
    ledger: Ledger, period: Period, snapshot: str, settings_text: str, *, rating: Rating | None = None
) -> Digests:
    """The digests of a month that is to be issued, or of one that was, by its rating."""
    shas = ledger.stored_files()
    paths = paths_to_rate(ledger, period) if rating is None else _paths_rated(ledger, period, rating)
    calls = sha256_of_bytes("".join(f"{path} {shas[path]}\n" for path in sorted(paths)).encode())
    settings = sha256_of_bytes(settings_text.encode())
    parts = {"calls": calls, "period": str(period), "settings": settings, "tables": snapshot}
    return Digests(calls, snapshot, settings, sha256_of_bytes(canonical(parts).encode()))


def _paths_rated(ledger: Ledger, period: Period, rating: Rating) -> list[str]:
    """The files whose calls an issued rating was made of."""
    batches = ledger.rows("select path from batches where rated_by = ?", [str(period)])
    before = [one for one in ledger.ratings(issued=True) if one.rating_no < rating.rating_no]
    return [*(str(path) for (path,) in batches), *(one.unrated_path for one in before[-1:])]

"""Approval: what finance looked at is known by one SHA-256, and only that is issued."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from invoicing import snapshots
from invoicing.beside import LINE_FIGURES, LINE_KEY, beside, by_line, differing, with_figures
from invoicing.events import canonical
from invoicing.parquet_files import read_parquet
from invoicing.rating_run import paths_to_rate
from invoicing.store import sha256_of_bytes
from rating.money import euro_text
from schemas.errors import InputRefused, StoreUnavailable

if TYPE_CHECKING:
    from pathlib import Path

    from invoicing.desk import Desk, Report
    from invoicing.ledger import Ledger, Rating
    from invoicing.pipeline import Bill
    from rating.periods import Period
    from rating.sources.platform_tables import LoadedPlatform

NAMES = ("approved", "now")
# VAT is no figure of a line, but a line at another rate is another line.
KEY = [*LINE_KEY, "vat_category", "vat_rate_micro"]
SHORTEST = 12
PARTS = {
    "calls": "the calls", "tables": "the platform tables", "settings": "the settings",
    "corrected": "what invoices were corrected",
}  # fmt: skip


class Digests(NamedTuple):
    """What a month is made from, each as a SHA-256 in hexadecimal.

    Attributes:
        calls: Of the names and SHA-256 of the stored files whose calls it rates.
        tables: The platform tables (`snapshots.snapshot_id`).
        settings: The settings as they are stored with a run.
        corrected: Of the corrections of earlier invoices, which its lines build on.
        all: Of the four with the month: what is approved.
    """

    calls: str
    tables: str
    settings: str
    corrected: str
    all: str


def input_digests(
    ledger: Ledger, period: Period, snapshot: str, settings_text: str, *, rating: Rating | None = None
) -> Digests:
    """The digests of a month that is to be issued, or of one that was, by its rating."""
    shas = ledger.stored_files()
    paths = paths_to_rate(ledger, period) if rating is None else _paths_rated(ledger, period, rating)
    calls = sha256_of_bytes("".join(f"{path} {shas[path]}\n" for path in sorted(paths)).encode())
    settings = sha256_of_bytes(settings_text.encode())
    as_of = ledger.next_rating_no() if rating is None else rating.rating_no
    made = ledger.rows("select rating_no from corrections where rating_no < ? order by rating_no", [as_of])
    corrected = sha256_of_bytes(canonical([str(number) for (number,) in made]).encode())
    parts = {"calls": calls, "corrected": corrected, "period": str(period), "settings": settings, "tables": snapshot}
    return Digests(calls, snapshot, settings, corrected, sha256_of_bytes(canonical(parts).encode()))


def _paths_rated(ledger: Ledger, period: Period, rating: Rating) -> list[str]:
    """The files whose calls an issued rating was made of."""
    batches = ledger.rows("select path from batches where rated_by = ?", [str(period)])
    before = [one for one in ledger.ratings(issued=True) if one.rating_no < rating.rating_no]
    return [*(str(path) for (path,) in batches), *(one.unrated_path for one in before[-1:])]


def require_sha256(text: str) -> None:
    """What is approved is named by a SHA-256, or by as much of its beginning as nobody mistypes.

    Raises:
        InputRefused: for any other text.
    """
    if not re.fullmatch(rf"[0-9a-f]{{{SHORTEST},64}}", text):
        raise InputRefused(
            f"--approve {text}: expected the SHA-256 that `run` and `preview` tell, or at least its first {SHORTEST} "
            "digits"
        )


def snapshot_folder(desk: Desk, period: Period) -> Path:
    """The tables that the pending rating of a period was made with.

    Raises:
        InputRefused: where there is none.
    """
    for rating in desk.ledger.ratings(issued=False):
        if rating.period == period:
            return desk.store.root / "snapshots" / rating.snapshot
    raise InputRefused(
        f"{period}: nothing is rated that could be approved; `centime run {period}` or `rate {period}` does that first"
    )


def keep_proposal(desk: Desk, period: Period, loaded: LoadedPlatform, bill: Bill) -> Digests:
    """Keep the lines that are shown to be approved, to tell later what became different; gives what to approve."""
    digests = input_digests(desk.ledger, period, snapshots.snapshot_id(loaded.files), desk.settings_text)
    parts = {name: getattr(digests, name) for name in PARTS}
    lines = _by_line(bill.lines)
    desk.store.write(_proposal_path(period, digests.all), lambda path: lines.write_parquet(path, metadata=parts))
    return digests


def differs(desk: Desk, period: Period, digests: Digests, bill: Bill) -> bool:
    """Whether lines are others than those that were shown under the same digests: the VAT of another day, say."""
    kept = _proposal(desk, period, digests.all)
    return kept is not None and not kept[0].equals(_by_line(bill.lines))


def tell_difference(desk: Desk, period: Period, approved: str, now: Digests, bill: Bill, report: Report) -> None:
    """Say what became different since a month was approved, line by line where its lines were kept."""
    kept = _proposal(desk, period, approved)
    report.attention.append(
        f"{period}: not issued: what was approved, {approved[:SHORTEST]}, is not what would be issued, "
        f"{now.all[:SHORTEST]}; `centime run {period}` shows that anew, to be approved"
    )
    if kept is None:
        report.messages.append(
            f"{period}: nothing was shown here under {approved[:SHORTEST]}, so no difference can be told"
        )
        return
    lines, parts = kept
    changed = [words for name, words in PARTS.items() if parts.get(name) != getattr(now, name)]
    both = beside(lines, _by_line(bill.lines), KEY, LINE_FIGURES, NAMES)
    found = differing(both, LINE_FIGURES, NAMES)
    report.tables["Lines that differ"] = with_figures(found)
    report.counts["lines_differing"] = found.height
    cents = int(both["difference_cents"].sum())
    report.sums["difference_cents"] = cents
    report.messages.append(
        f"changed since: {' and '.join(changed) or 'the rates of VAT'}; {found.height} lines differ, "
        f"by {euro_text(cents)} EUR without VAT"
    )


def _by_line(lines: pl.DataFrame) -> pl.DataFrame:
    return by_line(lines, KEY).select(*KEY, *LINE_FIGURES).sort(KEY, nulls_last=True)


def _proposal_path(period: Period, sha256: str) -> str:
    return f"reports/{period}-{sha256}.parquet"


def _proposal(desk: Desk, period: Period, approved: str) -> tuple[pl.DataFrame, dict[str, str]] | None:
    """The lines that were shown, and the digests of what they were made from; None where none were kept.

    Raises:
        StoreUnavailable: where they cannot be read any more.
    """
    for path in sorted(desk.store.root.glob(_proposal_path(period, f"{approved}*"))):
        try:
            return read_parquet(path), pl.read_parquet_metadata(path)
        except pl.exceptions.PolarsError as broken:
            raise StoreUnavailable(
                f"{path}: what was shown to be approved cannot be read, so it was altered; remove the file, and "
                f"`centime run {period}` shows the month anew"
            ) from broken
    return None

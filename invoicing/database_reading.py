"""Reading call records from a database: what was recorded since the last reading, as one batch like a file.

A batch is named by platform, table, database and watermark, and known by the SHA-256 of its records: it has a row in
`files`, its records are in exactly one place each (R-CONSERVATION), and the next reading goes on from its watermark.
"""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from invoicing.cdr_files import CdrFile, state_of
from invoicing.intake import empty_intake, take_in
from rating.sources.cdr_tables import UNTIL, Window, name_of_batch, spool_records, table_of
from rating.sources.database import open_session
from rating.sources.files import FoundFile

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from invoicing.desk import Desk
    from invoicing.intake import Intake
    from invoicing.ledger import Ledger
    from rating.sources.cdr_tables import Spooled
    from rating.sources.database import Address
    from rating.sources.source import Options


def read_database(desk: Desk, platform: str, address: Address, options: Options, since: date | None) -> Intake:
    """Read what a platform's database has recorded since the last reading; all of it or, on an error, nothing.

    Args:
        desk: The store, held by this process.
        platform: Whose table it is, by the name of its format.
        address: Where the database is.
        options: What the platform's source is told.
        since: A local day from which to read again, in the place of the watermark.

    Raises:
        InputRefused: where the database cannot be read, before anything is changed.
    """
    path = desk.store.working_folder / f"0000-{platform}.parquet"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with open_session(address) as session:
            table, _ = table_of(session, platform)
            begin = name_of_batch(platform, session.shown, table.name, "")
            first = None if since is None else _begin_of(since, options.zone if table.instant else "UTC")
            window = Window(_watermark(desk.ledger, begin), first, desk.now)
            spooled = spool_records(session, platform, options, window, path)
        name = name_of_batch(platform, address.shown, table.name, spooled.watermark)
        return _take_in(desk, path, name, spooled)
    finally:
        desk.store.clear_working_folder()


def _begin_of(day: date, zone: str) -> datetime:
    """When a day of a zone begins, by the clock of UTC and without a zone, as stamps are compared."""
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC).replace(tzinfo=None)


def _watermark(ledger: Ledger, begin: str) -> str | None:
    """The latest end of a call that was read of a table, from the names of its batches."""
    rows = ledger.rows("select source_file from files where starts_with(source_file, ?)", [begin])
    return max((str(name).partition(UNTIL)[2] for (name,) in rows), default="") or None


def _take_in(desk: Desk, path: Path, name: str, spooled: Spooled) -> Intake:
    """Take the records in, unless the very same were."""
    intake = empty_intake()
    intake.warnings += spooled.warnings
    known = desk.ledger.rows("select 1 from files where sha256 = ?", [spooled.sha256])
    if not spooled.records or known:
        intake.told.append(f"{name}: nothing new was recorded")
        return intake
    number = desk.ledger.number("select max(file_no) from files") + 1
    file = CdrFile(
        0, number, FoundFile(str(path), "parquet"), state_of(str(path)), spooled.sha256, spooled.source,
        is_cut=False, name=name,
    )  # fmt: skip
    return take_in(desk.store, desk.ledger, [file], intake, desk.settings, desk.now, desk.moment, desk.progress)

"""The tables of call records in the databases of platforms, read from where the last reading came to.

A record is written when its call has ended, at times a while later. So a reading begins `OVERLAP` before the latest end
that the last one saw, its *watermark*; what it sees again is a duplicate (R-RECORD). A stamp that lies ahead of the
clock is no watermark: all that came after it would be passed over.

The records are put down as they are, text by text, in the columns that the source of the platform wants, and then read
as a file is. They are known by the SHA-256 of their canonical form: CSV without header, in the order of their ends and
of all their columns.
"""

from __future__ import annotations

import hashlib
import re
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

import polars as pl
import pyarrow.parquet as pq

from rating.sources import asterisk, fusionpbx, kamailio
from rating.sources.source import Head
from rating.sources.stamps import STAMP
from schemas.errors import InputRefused

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rating.sources.database import Dialect, Session
    from rating.sources.source import Options, Source

OVERLAP = timedelta(hours=3)
LONGEST_CALL = timedelta(days=1)
_STAMP_FORM = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}")
# What tells where the end of a call stands in the name of a batch.
UNTIL = " until "


class CdrTable(NamedTuple):
    """A table of call records.

    Attributes:
        name: Its name.
        ended: The column that has the moment at which a record's call ended, or its start where `lasted` is given.
        lasted: The column that has the seconds from there to the end; empty where there is none.
        columns: SQL of each column that the source wants, where it is no column of the same name.
        needs: The columns without which it is another table.
        answered: The column of the source that is the answer, reckoned back from the end; empty where there is one.
        instant: Whether the moment has a zone; it is the local one else.
        in_pairs: Whether the start and the end of a call are records of their own.
    """

    name: str
    ended: str
    lasted: str
    columns: dict[str, str]
    needs: tuple[str, ...]
    answered: str = ""
    instant: bool = False
    in_pairs: bool = False

    def end(self, dialect: Dialect) -> str:
        """SQL of the moment at which a record's call ended."""
        ended = dialect.quoted(self.ended)
        return dialect.later.format(ended, self.lasted) if self.lasted else ended


# As `Master.csv` has them with `newcdrcolumns`.
_FURTHER = {
    "further_1": "coalesce(uniqueid, '')",
    "further_2": "''",
    "further_3": "''",
    "further_4": "coalesce(linkedid, '')",
    "further_5": "''",
}
# Asterisk's own tables have start, answer and end; those of FreePBX and of cdr_adaptive_odbc's examples calldate only.
TABLES: dict[str, tuple[CdrTable, ...]] = {
    asterisk.NAME: (
        CdrTable("cdr", "end", "", _FURTHER, ("end", "answer", "uniqueid", "linkedid")),
        CdrTable(
            "cdr", "calldate", "duration", _FURTHER, ("calldate", "duration", "billsec", "uniqueid", "linkedid"),
            answered="answer",
        ),
    ),
    fusionpbx.NAME: (CdrTable("v_xml_cdr", "end_stamp", "", {}, ("end_stamp",), instant=True),),
    kamailio.NAME: (
        CdrTable("cdrs", "call_start_time", "duration", {}, ("cdr_id", "call_start_time", "duration")),
        CdrTable("acc", "time", "", {}, ("id", "method", "time"), in_pairs=True),
    ),
}  # fmt: skip
SOURCES: dict[str, Callable[[Options, Head], Source]] = {
    asterisk.NAME: asterisk.source,
    fusionpbx.NAME: fusionpbx.source,
    kamailio.NAME: kamailio.source,
}


@dataclass(frozen=True, slots=True)
class Window:
    """From when on records are read.

    Attributes:
        watermark: The latest end that was seen, as the database writes it; None: nothing was read yet.
        since: A day that a person gave instead, in the place of the watermark.
        now: The moment to act as of.
    """

    watermark: str | None
    since: datetime | None
    now: datetime

    def begin(self) -> datetime | None:
        """The first end that is read; None: all of them."""
        if self.since is not None:
            return self.since
        return None if self.watermark is None else datetime.strptime(self.watermark, STAMP) - OVERLAP  # noqa: DTZ007


@dataclass(frozen=True, slots=True)
class Spooled:
    """Records of a table that were put down.

    Attributes:
        source: What turns them into the native form.
        sha256: The SHA-256 of their canonical form.
        records: How many.
        watermark: The latest end among them that is not ahead of the clock, else the one before.
        warnings: What a person should know.
    """

    source: Source
    sha256: str
    records: int
    watermark: str | None
    warnings: tuple[str, ...]


def table_of(session: Session, platform: str) -> tuple[CdrTable, list[str]]:
    """The table that a database has of a platform, and its columns.

    Raises:
        InputRefused: where there is none that may be read.
    """
    if platform not in TABLES:
        raise InputRefused(f"--format {platform}: a database is read as {', '.join(TABLES)}; say which with --format")
    for table in TABLES[platform]:
        there = session.columns(table.name)
        if set(table.needs) <= set(there):
            return table, there
    names = " or ".join(f"{table.name} ({', '.join(table.needs)})" for table in TABLES[platform])
    raise InputRefused(
        f"{session.shown}: there is no table of {platform} that this user may read; expected {names}, and "
        "`grant select` on it"
    )


def spool_records(session: Session, platform: str, options: Options, window: Window, path: Path) -> Spooled:
    """Put down the records whose calls ended since the watermark, as text in Parquet.

    Args:
        session: The database.
        platform: One of `TABLES`.
        options: What the platform's source is told; its zone is that of local stamps.
        window: From when on.
        path: Where they are put down.

    Raises:
        InputRefused: where the table cannot be read, lacks a column, or the connection is lost.
    """
    table, there = table_of(session, platform)
    names = frozenset(there)
    source = SOURCES[platform](options, Head(f"{session.shown}:{table.name}", (tuple(there),), names, "", empty=False))
    wanted = [name for name in source.wanted.required if name not in (*table.columns, table.answered, *there)]
    if wanted:
        raise InputRefused(f"{session.shown}: the table {table.name} has no column {', '.join(wanted)}")
    warnings = _warnings(session, table)
    local_now = window.now.astimezone(ZoneInfo("UTC" if table.instant else options.zone)).strftime(STAMP)
    digest, records, latest = hashlib.sha256(), 0, window.watermark
    writer: pq.ParquetWriter | None = None
    try:
        with closing(session.frames(_query(session.dialect, table, source, there, window, local_now))) as frames:
            for frame in frames:
                ends = frame["ended"].filter(frame["ended"] <= local_now)
                latest = max([*filter(None, [latest]), *ends.sort().tail(1)], default=None)
                rows = frame.drop("ended")
                digest.update(rows.write_csv(include_header=False).encode())
                records += rows.height
                arrow = rows.to_arrow(compat_level=pl.CompatLevel.oldest())
                writer = writer or pq.ParquetWriter(path, arrow.schema)
                writer.write_table(arrow)
    finally:
        if writer is not None:
            writer.close()
    sealed = replace(source, zone="" if table.instant else source.zone)
    return Spooled(sealed, digest.hexdigest(), records, latest, tuple(warnings))


def _warnings(session: Session, table: CdrTable) -> list[str]:
    """What a person should know of a table and of who reads it."""
    found = []
    if session.may_change(table.name):
        found.append(
            f"{session.shown}: this user may change the table {table.name}; give centime one that may only read it"
        )
    unended = session.count(f"{table.name} where {table.end(session.dialect)} is null")
    if unended:
        found.append(f"{session.shown}: {unended} records of {table.name} have no end of a call, and are not read")
    return found


def _query(dialect: Dialect, table: CdrTable, source: Source, there: list[str], window: Window, local_now: str) -> str:
    """The records to read, with `ended`, as the database writes it, cut to the second."""
    own = {name: dialect.quoted(name) for name in there} | table.columns
    if table.answered:
        rang = dialect.later.format(dialect.quoted(table.ended), "duration - billsec")
        own[table.answered] = dialect.written.format(rang)
    columns = [dialect.as_text(own.get(name, "null"), name) for name in source.wanted.columns]
    ended = f"{dialect.written.format(table.end(dialect))} as {dialect.quoted('ended')}"
    order = ", ".join(map(dialect.quoted, ("ended", *source.wanted.columns)))
    where = _since(dialect, table, window, local_now)
    records = f"select {ended}, {', '.join(columns)} from {table.name} where {where}"  # noqa: S608 - our own, and stamps
    return f"select * from ({records}) as found order by {order}"  # noqa: S608 - the same


def _since(dialect: Dialect, table: CdrTable, window: Window, local_now: str) -> str:
    """Which records are read.

    Where a call is two records, both are, and those of calls that stand are left until they have ended, but for one
    that has gone on for longer than any call: its end was lost.
    """
    begin, end = window.begin(), table.end(dialect)
    first = None if begin is None else _literal(begin.strftime(STAMP), dialect, table)
    after = f"{end} is not null" if first is None else f"{end} >= {first}"
    if not table.in_pairs:
        return after
    day_s = int(LONGEST_CALL.total_seconds())
    lost = f"{end} < {dialect.later.format(_literal(local_now, dialect, table), -day_s)}"
    earlier = "true" if first is None else f"{end} >= {dialect.later.format(first, -day_s)}"
    answered = "method = 'INVITE' and sip_code like '2%'"
    ended = "select callid from acc where method = 'BYE'"
    return (
        f"((callid in ({ended} and {after})) or (callid not in ({ended}) and "
        f"((not ({answered}) and {after}) or ({answered} and {earlier} and {lost}))))"
    )


def _literal(stamp: str, dialect: Dialect, table: CdrTable) -> str:
    """A moment in SQL."""
    if not _STAMP_FORM.fullmatch(stamp):
        raise InputRefused(f"{stamp!r}: expected a moment written YYYY-MM-DD HH:MM:SS")
    return f"cast('{stamp}+00' as timestamptz)" if table.instant else f"cast('{stamp}' as {dialect.moment})"


def name_of_batch(platform: str, shown: str, table: str, watermark: str | None) -> str:
    """What a batch of records is called where files are told: platform, table, database, and until when."""
    return f"{platform}:{table} of {shown}{UNTIL}{watermark or ''}"

"""Syncing: what a telephony platform has now becomes dated intervals of the platform tables `users` and `numbers`.

It works in the folder of the tables, without a store: a run then takes the tables as they are, keeps them as its
snapshot, and tells what concerns months already invoiced (R-RETRO). The other tables of the folder are a person's.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import polars as pl

from invoicing.events import canonical
from invoicing.store import sha256_of_bytes
from invoicing.sync_history import CHANGES, Sync, held_alone, keep_sync, last_sync, publish_tables, table_sha256
from invoicing.sync_words import tell_sync
from rating.platform_checks import TableRows, platform_problems
from rating.service_changes import CHANGE, apply_changes, date_changes, find_changes, hold_changes
from rating.sources.platform_tables import read_tables
from rating.sources.synced_tables import SYNCED
from schemas.errors import InputRefused, Problem
from schemas.platform import SCHEMAS

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date
    from pathlib import Path

    from invoicing.desk import Moment, Report
    from rating.sources.today import Today
    from schemas.settings import Settings


@dataclass(frozen=True, slots=True)
class Occasion:
    """When and how a sync takes place.

    Attributes:
        moment: When, by whom, with which command and version.
        today: The local day.
        as_of: The day from which what changed was so; None: from the day on which it is first seen.
        accepted: The customers whose changes are taken though they are many; None for nobody, empty for everybody.
        holder: Who is at work, as another process will be told.
    """

    moment: Moment
    today: date
    as_of: date | None
    accepted: tuple[str, ...] | None
    holder: str


def sync_platform(
    platform: Path, ask: Callable[[], Today], settings: Settings, occasion: Occasion, report: Report
) -> Sync:
    """Compare what a platform has with what is known, keep both, and write the tables anew.

    Args:
        platform: The folder of the tables.
        ask: Reads what the platform has.
        settings: Country code, and what the tables may hold.
        occasion: When and how.
        report: Told of what changed and of what is held.

    Raises:
        InputRefused: where tables cannot be used, what the platform has names what they do not have, or the day
            is not of the past; nothing is changed then.
        StoreUnavailable: where another sync is at work, or the history cannot be read.
    """
    if not platform.is_dir():
        raise InputRefused(f"{platform} is no folder: expected the folder of the platform tables")
    if occasion.as_of is not None and occasion.as_of > occasion.today:
        raise InputRefused(f"--as-of {occasion.as_of}: expected a day that is not after {occasion.today}, today")
    with held_alone(platform, occasion.holder):
        last = last_sync(platform)
        if last is not None:
            publish_tables(platform, last)
        found = ask()
        known = _known_tables(platform, settings, report)
        _refuse_strangers(platform, known, found, occasion.today)
        sync = _keep(platform, last, found, {table: _frame(known[table]) for table in SYNCED}, occasion)
        report.written += map(str, publish_tables(platform, sync))
    report.warnings += found.warnings
    tell_sync(sync, report)
    return sync


def _known_tables(platform: Path, settings: Settings, report: Report) -> dict[str, TableRows]:
    """Every table of the folder as it is; those that are not there are empty, and nothing is missed in them.

    Columns of `users` and `numbers` that nobody knows are told: they are not written anew.

    Raises:
        InputRefused: where `users` or `numbers` cannot be used, or have another form than CSV.
    """
    read = read_tables(platform, settings, SCHEMAS, optional=SCHEMAS)
    there = {file.stem for file in read.files}
    tables = {table: rows if table in there else replace(rows, complete=False) for table, rows in read.tables.items()}
    problems = [problem for problem in read.problems if problem.table in SYNCED]
    for file in read.files:
        if file.stem in SYNCED and file.path.name != f"{file.stem}.csv":
            words = f"expected {file.stem}.csv, which a sync writes anew: save the table as that, and remove this file"
            problems.append(Problem(file.stem, str(file.path), 0, "", "", words))
    problems += _service_problems(tables)
    own = tuple(f"{platform / table}.csv:" for table in SYNCED)
    report.warnings += [warning for warning in read.warnings if warning.startswith(own)]
    if problems:
        raise InputRefused(f"{platform}: the users and numbers known cannot be used", tuple(problems))
    return tables


def _service_problems(tables: dict[str, TableRows]) -> list[Problem]:
    """What is wrong with users and numbers, by themselves and beside the other tables."""
    return [problem for problem in platform_problems(tables, allow_increments=True) if problem.table in SYNCED]


def _refuse_strangers(platform: Path, known: dict[str, TableRows], found: Today, today: date) -> None:
    """Refuse what the platform has where it names customers, products or decks that the tables do not have.

    Raises:
        InputRefused: with all of them.
    """
    never_ending = pl.lit(None, pl.Date)
    asked = {
        table: replace(read, rows=read.rows.with_columns(active_from=pl.lit(today, pl.Date), active_to=never_ending))
        for table, read in found.tables.items()
    }
    problems = _service_problems(known | asked)
    if problems:
        words = f"{found.source}: it has what the platform tables of {platform} do not know"
        raise InputRefused(words, tuple(problems))


def _frame(read: TableRows) -> pl.DataFrame:
    return read.rows.drop("line", "sound")


def _keep(platform: Path, last: Sync | None, found: Today, known: dict[str, pl.DataFrame], occasion: Occasion) -> Sync:
    """Find what changed, and keep it with what was read and with the tables that come of it."""
    now = {table: found.frame(table) for table in SYNCED}
    seen = pl.concat(find_changes(table, known[table], now[table], occasion.today) for table in SYNCED)
    earlier = pl.DataFrame(schema=CHANGE) if last is None else last.changes()
    dated = date_changes(seen, earlier.filter("held"), occasion.as_of)
    changes, many = hold_changes(dated, known, occasion.today, occasion.accepted)
    contents: dict[str, bytes] = {}
    read = {table: sha256_of_bytes(as_csv(now[table])) for table in SYNCED}
    before = {table: table_sha256(platform / f"{table}.csv") for table in SYNCED}
    after = dict(before)
    for table in SYNCED:
        if last is None or last.record["read"][table] != read[table]:
            contents[f"today-{table}.csv"] = as_csv(now[table])
        if before[table] is not None and (last is None or last.record["after"][table] != before[table]):
            # The first time, and where a person changed the table since: what was there is kept as it was.
            contents[f"before-{table}.csv"] = (platform / f"{table}.csv").read_bytes()
        rows = apply_changes(table, known[table], now[table], changes, occasion.today)
        if before[table] is None or not rows.equals(known[table]):
            contents[f"{table}.csv"] = as_csv(rows)
            after[table] = sha256_of_bytes(contents[f"{table}.csv"])
    if not changes.is_empty():
        contents[CHANGES] = as_csv(changes)
    record = {
        "synced_at": occasion.moment.text, "operator": occasion.moment.operator, "program": occasion.moment.program,
        "source": found.source, "day": str(occasion.today),
        "as_of": None if occasion.as_of is None else str(occasion.as_of),
        "users": now["users"].height, "numbers": now["numbers"].height, "read": read,
        "sha256": sha256_of_bytes(canonical(read).encode()), "before": before, "after": after,
        "changed": int((~changes["held"]).sum()), "held": int(changes["held"].sum()), "many": many.to_dicts(),
    }  # fmt: skip
    return keep_sync(platform, record, contents)


def as_csv(rows: pl.DataFrame) -> bytes:
    """A table as its file is written."""
    written = io.BytesIO()
    rows.write_csv(written)
    return written.getvalue()

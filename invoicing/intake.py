"""Intake: CDR files become calls in the store, once each, with every record counted in one place."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from invoicing.conservation import unbalanced_files
from invoicing.rating_run import CALL_SCHEMA
from rating.mediation import CONTENT, normalise_records, record_text, settle_repeats
from rating.periods import Period
from rating.pipeline import CALL_COLUMNS, with_local_days
from rating.sources.files import FoundFile, FoundFiles, find_files, sha256_of
from rating.sources.native import read_native
from schemas.errors import InputRefused, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from invoicing.ledger import Ledger
    from invoicing.progress import Progress
    from invoicing.store import Store
    from rating.frames import Schema
    from schemas.settings import Settings

COUNTS = ("records", "accepted", "unanswered", "duplicate", "quarantined")


@dataclass(slots=True)
class Intake:
    """What a reading took in.

    Attributes:
        files: One row per file read: `source_file`, `sha256` and the `COUNTS`.
        skipped: Files whose bytes had been read before.
        warnings: What a person should know.
    """

    files: pl.DataFrame
    skipped: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def sums(self) -> dict[str, int]:
        """The counts of all files together."""
        return {name: int(self.files[name].sum()) for name in COUNTS}


@dataclass(slots=True)
class _Gathered:
    """The blocks of the files being read; `place` is a file's place in the order of their paths."""

    calls: list[pl.DataFrame] = field(default_factory=list)
    aside: list[pl.DataFrame] = field(default_factory=list)
    files: list[tuple[int, str, str, int]] = field(default_factory=list)


def read_cdrs(
    store: Store,
    ledger: Ledger,
    given: Sequence[str],
    settings: Settings,
    now: datetime,
    program_moment: str,
    progress: Progress,
) -> Intake:
    """Read CDR files into the store, in the order of their full paths; all of them or, on an error, none.

    Args:
        store: Where accepted calls and the quarantine are kept.
        ledger: What is committed, in one transaction.
        given: Files, folders and globs.
        settings: Time zone, country code, and what an unterminated last line means.
        now: The moment to act as of (R-RECORD: `future`).
        program_moment: The same moment as text, for the ledger.
        progress: Told of each file.

    Raises:
        InputRefused: naming a file that cannot be read, before anything is changed.
    """
    found = find_files(given)
    gathered, intake = _read_all(ledger, given, found, settings, now, progress)
    if not gathered.files:
        return intake
    accepted, counts, quarantine = _settle(store, ledger, gathered)
    intake.files = counts
    if not unbalanced_files(counts).is_empty():
        raise StoreUnavailable("records and their places do not add up: nothing was stored; please report this")
    _keep(store, ledger, settings, accepted, counts, quarantine, program_moment)
    return intake


def pin_settings(ledger: Ledger, settings: Settings, *, write: bool) -> None:
    """Time zone and country code belong to a store: what was read with one cannot go on with another.

    Raises:
        InputRefused: where the settings differ from those the store was begun with.
    """
    for name, content in (
        ("timezone", settings.rating.timezone), ("country_code", settings.rating.country_code),
    ):  # fmt: skip
        known = ledger.meta(name)
        if known is None and write:
            ledger.execute("insert into meta values (?, ?)", [name, content])
        elif known not in (None, content):
            raise InputRefused(
                f"centime.toml: rating.{name} is {content!r} and this store was begun with {known!r}; "
                "set it back, or begin another store"
            )


def _read_all(
    ledger: Ledger, given: Sequence[str], found: FoundFiles, settings: Settings, now: datetime, progress: Progress
) -> tuple[_Gathered, Intake]:
    """Read every new file, block by block; nothing is stored yet."""
    known = {str(sha) for (sha,) in ledger.rows("select sha256 from files")}
    gathered = _Gathered()
    intake = Intake(
        files=pl.DataFrame(schema={"source_file": pl.String, "sha256": pl.String, **dict.fromkeys(COUNTS, pl.Int64)})
    )
    if found.ignored:
        intake.warnings.append(f"{len(found.ignored)} files are no CDR files and were left: " + _some(found.ignored))
    if not found.files:
        intake.warnings.append(f"no CDR file was found in {', '.join(given)}")
    progress.start("reading files", len(found.files))
    for file in found.files:
        before = Path(file.path).stat()
        sha256 = sha256_of(file.path)
        if sha256 in known:
            intake.skipped.append(file.path)
        else:
            known.add(sha256)
            _read_one(file, sha256, gathered, intake, settings, now)
            after = Path(file.path).stat()
            if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
                raise InputRefused(f"{file.path}: it changed while it was being read; start again once it is complete")
        progress.advance()
    return gathered, intake


def _some(paths: Sequence[str]) -> str:
    shown = ", ".join(paths[:5])
    return shown if len(paths) <= len(paths[:5]) else f"{shown}, ..."


def _read_one(
    file: FoundFile, sha256: str, gathered: _Gathered, intake: Intake, settings: Settings, now: datetime
) -> None:
    place = len(gathered.files)
    records = 0
    native = read_native(file, unterminated_last_line=settings.rating.unterminated_last_line)
    for block in native.frames:
        records += block.height
        calls, aside = normalise_records(block, now=now, country_code=settings.rating.country_code)
        origin = [pl.lit(place, pl.Int32).alias("place"), pl.lit(file.path).alias("source_file")]
        gathered.calls.append(calls.with_columns(origin))
        gathered.aside.append(aside.with_columns(origin))
    if native.unknown_columns:
        intake.warnings.append(f"{file.path}: unknown columns, not used: {', '.join(native.unknown_columns)}")
    gathered.files.append((place, file.path, sha256, records))


def _settle(store: Store, ledger: Ledger, gathered: _Gathered) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Accepted calls, the counts of each file, and the quarantine (R-RECORD)."""
    files = pl.DataFrame(
        gathered.files, orient="row",
        schema={"place": pl.Int32, "source_file": pl.String, "sha256": pl.String, "records": pl.Int64},
    )  # fmt: skip
    if not gathered.calls:
        return (
            pl.DataFrame(schema=CALL_SCHEMA),
            files.with_columns(pl.lit(0, pl.Int64).alias(name) for name in COUNTS[1:]).drop("place"),
            pl.DataFrame(schema=QUARANTINE_SCHEMA),
        )
    # A record has the shape of its file, so it stays in its block; only a conflict needs its text.
    calls = pl.concat(
        block.with_columns(record=pl.lit(None, pl.String), block_no=pl.lit(number, pl.Int32)).with_row_index("row_no")
        for number, block in enumerate(gathered.calls)
    )
    accepted, duplicates, conflicts = settle_repeats(calls, known_calls(store, ledger, calls["call_id"]))
    conflicts = _with_records(conflicts, gathered.calls)
    aside = pl.concat([pl.concat(gathered.aside), conflicts.select(gathered.aside[0].columns)])
    is_answered = pl.col("duration_s") > 0
    for name, frame in (
        ("accepted", accepted.filter(is_answered)), ("unanswered", accepted.filter(~is_answered)),
        ("duplicate", duplicates), ("quarantined", aside),
    ):  # fmt: skip
        counted = frame.group_by("place").agg(pl.len().cast(pl.Int64).alias(name))
        files = files.join(counted, on="place", how="left", maintain_order="left")
    counts = files.with_columns(pl.col(COUNTS).fill_null(0)).drop("place")
    quarantine = aside.sort("place", "source_line", "reason").select(QUARANTINE_SCHEMA.keys())
    return accepted, counts, quarantine


QUARANTINE_SCHEMA: Schema = {
    "call_id": pl.String, "reason": pl.String, "source_file": pl.String, "source_line": pl.Int64,
    "detail": pl.String, "record": pl.String,
}  # fmt: skip


def _with_records(conflicts: pl.DataFrame, blocks: list[pl.DataFrame]) -> pl.DataFrame:
    """The conflicts with the text of their records, taken from the blocks they came in."""
    found = [conflicts.clear()]
    for (number,), rows in conflicts.partition_by("block_no", as_dict=True, maintain_order=True).items():
        records = blocks[int(str(number))]["record"].gather(rows["row_no"])
        found.append(rows.with_columns(record_text(records).alias("record")))
    return pl.concat(found)


def known_calls(store: Store, ledger: Ledger, call_ids: pl.Series) -> pl.DataFrame:
    """The calls accepted before that have one of these ids: `call_id` and the columns of `CONTENT`."""
    shas = ledger.stored_files()
    asked = call_ids.unique().to_frame("call_id")
    found = [pl.DataFrame(schema={name: CALL_SCHEMA[name] for name in ("call_id", *CONTENT)})]
    for (path,) in ledger.rows("select path from batches order by batch_no"):
        stored = store.require(str(path), shas[str(path)])
        batch = pl.scan_parquet(stored, hive_partitioning=False).select("call_id", *CONTENT)
        found.append(batch.join(asked.lazy(), on="call_id", how="semi").collect())
    return pl.concat(found)


def _keep(
    store: Store,
    ledger: Ledger,
    settings: Settings,
    accepted: pl.DataFrame,
    counts: pl.DataFrame,
    quarantine: pl.DataFrame,
    moment: str,
) -> None:
    """Write the calls by period and the quarantine, then commit what was read in one transaction."""
    last = ledger.last_run()
    filed = str(last.period.next) if last else None
    number = ledger.number("select max(file_no) from files") + 1
    batch_no = ledger.number("select max(batch_no) from batches")
    named, batches = [], []
    by_period = with_local_days(accepted, settings.rating.timezone).partition_by("period_number", as_dict=True)
    for key, calls in sorted(by_period.items()):
        of = Period(int(str(key[0])) // 100, int(str(key[0])) % 100)
        batch_no += 1
        path = f"calls/period={of}/{batch_no:06d}.parquet"
        named.append((path, *store.write_frame(path, calls.select(CALL_COLUMNS))))
        answered = int((calls["duration_s"] > 0).sum())
        batches.append((batch_no, path, of.number, answered, calls.height - answered))
    quarantine_path = f"quarantine/read-{number:06d}.parquet"
    if not quarantine.is_empty():
        named.append((quarantine_path, *store.write_frame(quarantine_path, quarantine)))
    with ledger.transaction():
        pin_settings(ledger, settings, write=True)
        for path, sha256, size in named:
            ledger.name_file(path, sha256, size)
        for batch in batches:
            ledger.execute("insert into batches values (?, ?, ?, ?, ?, null)", list(batch))
        if not quarantine.is_empty():
            ledger.execute("insert into quarantine_files values (?, ?, ?)", [quarantine_path, filed, quarantine.height])
        ledger.append(
            "files",
            counts.with_columns(
                file_no=pl.int_range(number, number + pl.len(), dtype=pl.Int32),
                period=pl.lit(filed, pl.String),
                read_at=pl.lit(moment),
            ),
        )

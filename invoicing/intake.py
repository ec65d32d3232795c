"""Intake: CDR files become calls in the store, once each, with every record counted in one place.

Files are read block by block, and a call whose call_id was certainly never seen is written with its block. The
few that may be repeats wait until all files are read; then those accepted first are looked up, and each is
settled by its content (R-RECORD). Memory therefore holds some blocks, those few, and some bits for each call.
"""

from __future__ import annotations

from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from invoicing.call_index import Seen, contents_of, hashes_of, rows_with, stored_indexes, write_index
from invoicing.call_places import index_path
from invoicing.cdr_files import WAIT, divide_files, only_grew, state_of
from invoicing.conservation import unbalanced_files
from invoicing.desk import pin_settings, settings_text
from invoicing.events import READ, canonical, record
from invoicing.store import sha256_of_bytes
from rating.coding import DIRECTION
from rating.frames import compact
from rating.in_order import AT_ONCE, in_order
from rating.mediation import normalise_records, settle_repeats, with_records
from rating.number_keys import number_key
from rating.periods import Period, local_days, period_number
from rating.pipeline import CALL_SCHEMA
from rating.sources.files import find_files
from rating.sources.source_rows import read_source
from schemas.errors import InputRefused, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence
    from datetime import datetime
    from typing import Self

    from invoicing.call_index import Entries, Hashes
    from invoicing.cdr_files import CdrFile
    from invoicing.desk import Moment
    from invoicing.ledger import Ledger
    from invoicing.progress import Progress
    from invoicing.store import Store
    from rating.frames import Schema
    from rating.sources.formats import Formats
    from schemas.settings import Settings

COUNTS = ("records", "accepted", "unanswered", "duplicate", "quarantined", "skipped")
SOURCE_COLUMNS = ("source_format", "bytes", "skipped_by_reason")
FILES_SCHEMA: Schema = {
    "source_file": pl.String, "sha256": pl.String, **dict.fromkeys(COUNTS, pl.Int64), "source_format": pl.String,
    "bytes": pl.Int64, "skipped_by_reason": pl.String,
}  # fmt: skip
CALLS_PER_FILE = 1_000_000
# What the smallest files hold: the room made for call_ids is reckoned with it.
LEAST_BYTES_PER_RECORD = 16
QUARANTINE_SCHEMA: Schema = {
    "call_id": pl.String, "reason": pl.String, "source_file": pl.String, "source_line": pl.Int64,
    "detail": pl.String, "record": pl.String,
}  # fmt: skip


@dataclass(slots=True)
class Intake:
    """What a reading took in.

    Attributes:
        files: One row per file read: `source_file`, `sha256`, the `COUNTS`, `source_format`, `bytes` and
            `skipped_by_reason` (a JSON object).
        skipped: Files whose bytes had been read before.
        warnings: What a person should know.
        told: What was done, file by file, where that is not plain.
    """

    files: pl.DataFrame
    skipped: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    def sums(self) -> dict[str, int]:
        """The counts of all files together."""
        return {name: int(self.files[name].sum()) for name in COUNTS}


def read_cdrs(
    store: Store,
    ledger: Ledger,
    given: Sequence[str],
    formats: Formats,
    settings: Settings,
    now: datetime,
    moment: Moment,
    progress: Progress,
) -> Intake:
    """Read CDR files into the store, in the order of their full paths; all of them or, on an error, none.

    A text that was read before and has grown since is read on from the last line end that it had then: its first
    bytes are those whose SHA-256 the ledger knows. Where they are not, it is another file.

    Args:
        store: Where accepted calls and the quarantine are kept.
        ledger: What is committed, in one transaction.
        given: Files, folders and globs.
        formats: Which format the files are in.
        settings: Time zone, country code, and what an unterminated last line means.
        now: The moment to act as of (R-RECORD: `future`).
        moment: The same for the ledger, with who reads.
        progress: Told of each file.

    Raises:
        InputRefused: naming a file that cannot be read, before anything is changed.
    """
    found = find_files(given, formats.naming)
    intake = empty_intake()
    if found.ignored:
        intake.warnings.append(f"{len(found.ignored)} files are no CDR files and were left: " + _some(found.ignored))
    if not found.files:
        intake.warnings.append(f"no CDR file was found in {', '.join(given)}")
    files, intake.skipped, cut = divide_files(ledger, found, formats)
    unterminated = settings.rating.unterminated_last_line
    if unterminated == WAIT:
        words = "its last line has no line end still, and was not read; where the file is complete, give it one"
        intake.warnings += [f"{path}: {words}" for path in cut]
    intake.told += [sentence for file in files for sentence in file.told(formats, unterminated)]
    return take_in(store, ledger, files, intake, settings, now, moment, progress)


def empty_intake() -> Intake:
    """What a reading has taken in before it begins."""
    return Intake(files=pl.DataFrame(schema=FILES_SCHEMA))


def take_in(
    store: Store,
    ledger: Ledger,
    files: list[CdrFile],
    intake: Intake,
    settings: Settings,
    now: datetime,
    moment: Moment,
    progress: Progress,
) -> Intake:
    """Take files into the store that were not read before; all of them or, on an error, none.

    Args:
        store: Where accepted calls and the quarantine are kept.
        ledger: What is committed, in one transaction.
        files: The files, in their order.
        intake: What is known of the reading so far; it is given back with what was taken in.
        settings: Time zone, country code, and what an unterminated last line means.
        now: The moment to act as of (R-RECORD: `future`).
        moment: The same for the ledger, with who reads.
        progress: Told of each file.

    Raises:
        InputRefused: naming a file that cannot be read, before anything is changed.
    """
    with _Batches(store, ledger) as batches:
        reading = _Reading(store, ledger, settings, now, batches, files)
        reading.read_all(progress, intake)
        if not files:
            return intake
        reading.settle_suspects()
        batches.flush()
        intake.files = reading.counts()
        if not unbalanced_files(intake.files).is_empty():
            raise StoreUnavailable("records and their places do not add up: nothing was stored; please report this")
        _keep(store, ledger, settings, batches, intake.files, reading.quarantine(), moment)
    return intake


def _some(paths: Sequence[str]) -> str:
    shown = ", ".join(paths[:5])
    return shown if len(paths) <= len(paths[:5]) else f"{shown}, ..."


class _Block(NamedTuple):
    """A block of records, judged one by one: those taken, the calls, their hashes, what is set aside and skipped."""

    file: CdrFile
    records: int
    taken: pl.DataFrame
    calls: pl.DataFrame
    hashes: Hashes
    aside: pl.DataFrame
    skipped: dict[str, int]


class _Reading:
    """The reading of files: what is certain goes on to the batches, what may be a repeat waits."""

    def __init__(
        self, store: Store, ledger: Ledger, settings: Settings, now: datetime, batches: _Batches, files: list[CdrFile]
    ) -> None:
        self._store, self._ledger, self._settings, self._now = store, ledger, settings, now
        self._batches, self._files = batches, files
        self._counts = {name: np.zeros(len(files), dtype=np.int64) for name in COUNTS}
        self._suspects: list[pl.DataFrame] = []
        self._aside: list[pl.DataFrame] = []
        self._unknown: dict[str, list[str]] = {}
        self._skipped: list[Counter[str]] = [Counter() for _ in files]

    def read_all(self, progress: Progress, intake: Intake) -> None:
        """Read every file; progress is told when the last block of one is done."""
        progress.start("reading files", len(self._files) + len(intake.skipped))
        progress.advance(len(intake.skipped))
        if not self._files:
            return
        seen = self._seen_before()
        done = 0
        with closing(self._blocks()) as blocks, closing(in_order(self._judge, blocks)) as judged:
            for block in judged:
                progress.advance(block.file.place - done)
                done = block.file.place
                self._sort_out(block, seen)
        progress.advance(len(self._files) - done)
        intake.warnings += [
            f"{path}: unknown columns, not used: {', '.join(names)}" for path, names in self._unknown.items() if names
        ]

    def _seen_before(self) -> Seen:
        """The call_ids of the store, with room for those of the files, of which only the sizes are known."""
        stored = self._ledger.number("select sum(answered + unanswered) from batches")
        sizes = sum(size for size, _ in (file.state for file in self._files))
        seen = Seen(stored + sizes // LEAST_BYTES_PER_RECORD)
        for _, hashes in stored_indexes(self._store, self._ledger):
            seen.add(hashes)
        return seen

    def _blocks(self) -> Generator[tuple[CdrFile, pl.DataFrame], None, None]:
        """The blocks of records of all files, in their order.

        Raises:
            InputRefused: where a file changes while it is read.
        """
        for file in self._files:
            path = file.found.path
            unterminated = self._settings.rating.unterminated_last_line
            native = read_source(file.found, file.source, unterminated_last_line=unterminated)
            with closing(native.frames) as frames:
                for block in frames:
                    yield file, block
            if state_of(path) != file.state and not (unterminated == WAIT and only_grew(file)):
                raise InputRefused(f"{path}: it changed while it was being read; start again once it is complete")
            self._unknown[file.shown] = sorted(native.unknown_columns)

    def _judge(self, item: tuple[CdrFile, pl.DataFrame]) -> _Block:
        file, records = item
        taken, skipped = without_skipped(records)
        calls, aside = normalise_records(taken, now=self._now, country_code=self._settings.rating.country_code)
        hashes = hashes_of(calls["call_id"])
        return _Block(file, records.height, taken, calls, hashes, aside, skipped)

    def _sort_out(self, block: _Block, seen: Seen) -> None:
        """Accept the calls that are certainly new; let the others wait, with the text of their records."""
        suspect = pl.Series(seen.add(block.hashes)) | ~pl.Series(block.hashes).is_first_distinct()
        place = block.file.place
        self._counts["records"][place] += block.records
        self._counts["quarantined"][place] += block.aside.height
        self._counts["skipped"][place] += sum(block.skipped.values())
        self._skipped[place].update(block.skipped)
        self._aside.append(self._of_file(block.aside, block.file))
        if not suspect.any():
            self._accept(coded_calls(block.calls, block.file.file_no), block.hashes, place)
            return
        self._accept(
            coded_calls(block.calls.filter(~suspect), block.file.file_no), block.hashes[~suspect.to_numpy()], place
        )
        self._suspects.append(self._of_file(with_records(block.calls.filter(suspect), block.taken), block.file))

    @staticmethod
    def _of_file(rows: pl.DataFrame, file: CdrFile) -> pl.DataFrame:
        return compact(rows).with_columns(place=pl.lit(file.place, pl.Int32), source_file=pl.lit(file.shown))

    def _accept(self, calls: pl.DataFrame, hashes: Hashes, place: int) -> None:
        answered = int((calls["duration_s"] > 0).sum())
        self._counts["accepted"][place] += answered
        self._counts["unanswered"][place] += calls.height - answered
        self._batches.add(calls, hashes, self._settings.rating.timezone)

    def settle_suspects(self) -> None:
        """Settle what may be repeats by their content: accepted, duplicate or conflict (R-RECORD)."""
        if not self._suspects:
            return
        suspects = pl.concat(self._suspects)
        self._suspects.clear()
        self._batches.flush()
        indexes = chain(stored_indexes(self._store, self._ledger), self._batches.indexes())
        known = contents_of(self._store, self._ledger, rows_with(indexes, hashes_of(suspects["call_id"])))
        accepted, duplicates, conflicts = settle_repeats(suspects, known)
        for (place,), calls in accepted.partition_by("place", as_dict=True, maintain_order=True).items():
            file = self._files[int(str(place))]
            # However many they are, no file of calls has more rows than an index can tell.
            for some in calls.iter_slices(CALLS_PER_FILE):
                self._accept(coded_calls(some, file.file_no), hashes_of(some["call_id"]), file.place)
        for name, rows in (("duplicate", duplicates), ("quarantined", conflicts)):
            np.add.at(self._counts[name], rows["place"].to_numpy(), 1)
        self._aside.append(conflicts.select(self._aside[0].columns))

    def counts(self) -> pl.DataFrame:
        """One row per file, as `Intake.files` has them."""
        return pl.DataFrame(
            {
                "source_file": [file.shown for file in self._files],
                "sha256": [file.sha256 for file in self._files],
                **self._counts,
                "source_format": [file.source.name for file in self._files],
                "bytes": [file.state[0] for file in self._files],
                "skipped_by_reason": [canonical(dict(skipped)) for skipped in self._skipped],
            },
            schema=FILES_SCHEMA,
        )

    def quarantine(self) -> pl.DataFrame:
        """What was set aside (`QUARANTINE_SCHEMA`), in the order of files and lines."""
        aside = pl.concat(self._aside) if self._aside else pl.DataFrame(schema={**QUARANTINE_SCHEMA, "place": pl.Int32})
        return aside.sort("place", "source_line", "reason").select(QUARANTINE_SCHEMA.keys())


def without_skipped(records: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, int]]:
    """The records that a source took, and how many it left out on purpose, by reason."""
    if "skipped" not in records.columns:
        return records, {}
    counted = records["skipped"].drop_nulls().value_counts().sort("skipped")
    taken = records.filter(pl.col("skipped").is_null()) if counted.height else records
    return taken.drop("skipped"), dict(counted.iter_rows())


def coded_calls(calls: pl.DataFrame, file_no: int) -> pl.DataFrame:
    """Calls as the store keeps them (`CALL_SCHEMA`), from those that `normalise_records` gives."""
    keyed = calls.with_columns(
        pl.col("direction").cast(DIRECTION),
        file_no=pl.lit(file_no, pl.Int32),
        caller=number_key(pl.col("caller")),
        callee=number_key(pl.col("callee")),
    )
    return keyed.select(CALL_SCHEMA.keys())


class _Batch(NamedTuple):
    """A file of calls of one period, with its index."""

    batch_no: int
    path: str
    period: Period
    answered: int
    unanswered: int


class _Batches:
    """The files of calls that a reading writes, by period; they stay only if the reading is committed."""

    def __init__(self, store: Store, ledger: Ledger) -> None:
        self._store = store
        self._batch_no = ledger.number("select max(batch_no) from batches")
        self._waiting: dict[int, list[tuple[pl.DataFrame, Hashes]]] = {}
        self._pool = ThreadPoolExecutor(1)
        self._writing: list[Future[list[tuple[str, str, int]]]] = []
        self._kept = False
        self.written: list[_Batch] = []
        self.named: list[tuple[str, str, int]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)
        if not self._kept:
            for batch in self.written:
                for path in (batch.path, index_path(batch.path)):
                    (self._store.root / path).unlink(missing_ok=True)

    def add(self, calls: pl.DataFrame, hashes: Hashes, timezone: str) -> None:
        """Put accepted calls to their periods, and write what makes a file."""
        periods = pl.select(period_number(pl.lit(local_days(calls["start"], timezone)))).to_series()
        for number in periods.unique().sort():
            here = periods == number
            part = (calls, hashes) if here.all() else (calls.filter(here), hashes[here.to_numpy()])
            if 2 * part[0].height < calls.height:
                # The few of another month wait for long, and must not keep the texts of the whole block meanwhile.
                part = (compact(part[0]), part[1])
            of_period = self._waiting.setdefault(int(number), [])
            of_period.append(part)
            if sum(part.height for part, _ in of_period) >= CALLS_PER_FILE:
                self._write(int(number))

    def _write(self, number: int) -> None:
        parts = self._waiting.pop(number)
        calls = pl.concat([part for part, _ in parts])
        hashes = np.concatenate([part for _, part in parts])
        self._batch_no += 1
        period = Period.numbered(number)
        path = f"calls/period={period}/{self._batch_no:06d}.parquet"
        answered = int((calls["duration_s"] > 0).sum())
        self.written.append(_Batch(self._batch_no, path, period, answered, calls.height - answered))
        while len(self._writing) >= AT_ONCE:
            self.named += self._writing.pop(0).result()
        self._writing.append(self._pool.submit(self._write_both, path, calls, hashes))

    def _write_both(self, path: str, calls: pl.DataFrame, hashes: Hashes) -> list[tuple[str, str, int]]:
        return [(path, *self._store.write_frame(path, calls)), write_index(self._store, path, hashes)]

    def flush(self) -> None:
        """Write what waits, and wait until it is written."""
        for number in sorted(self._waiting):
            self._write(number)
        while self._writing:
            self.named += self._writing.pop(0).result()

    def indexes(self) -> Iterator[tuple[str, Entries]]:
        """The files written so far, with their indexes."""
        for batch in self.written:
            index = self._store.root / index_path(batch.path)
            yield batch.path, np.frombuffer(index.read_bytes(), dtype=np.uint64)

    def keep(self) -> None:
        """They are committed."""
        self._kept = True


def _keep(
    store: Store,
    ledger: Ledger,
    settings: Settings,
    batches: _Batches,
    counts: pl.DataFrame,
    quarantine: pl.DataFrame,
    moment: Moment,
) -> None:
    """Write the quarantine, then commit what was read in one transaction."""
    last = ledger.last_run()
    filed = str(last.period.next) if last else None
    number = ledger.number("select max(file_no) from files") + 1
    named = list(batches.named)
    quarantine_path = f"quarantine/read-{number:06d}.parquet"
    if not quarantine.is_empty():
        named.append((quarantine_path, *store.write_frame(quarantine_path, quarantine)))
    with ledger.transaction():
        pin_settings(ledger, settings, write=True)
        for path, sha256, size in named:
            ledger.name_file(path, sha256, size)
        for batch in batches.written:
            ledger.execute(
                "insert into batches values (?, ?, ?, ?, ?, null)",
                [batch.batch_no, batch.path, batch.period.number, batch.answered, batch.unanswered],
            )
        if not quarantine.is_empty():
            ledger.execute("insert into quarantine_files values (?, ?, ?)", [quarantine_path, filed, quarantine.height])
        files = counts.with_columns(
            file_no=pl.int_range(number, number + pl.len(), dtype=pl.Int32),
            period=pl.lit(filed, pl.String),
            read_at=pl.lit(moment.text),
        )
        ledger.append("files", files.drop("skipped", *SOURCE_COLUMNS))
        ledger.append("file_sources", files.select("file_no", "skipped", *SOURCE_COLUMNS))
        used = sha256_of_bytes(settings_text(settings).encode())
        record(ledger, moment, READ, "file_no >= ?", [number], settings_sha256=used)
    batches.keep()

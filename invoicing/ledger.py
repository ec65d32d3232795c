"""The ledger: an embedded DuckDB file that says what was read, rated, issued and written.

Its connection reaches no file and no extension. Everything that belongs together changes in one transaction;
a file of the store counts from the moment the ledger names it. Money is whole numbers here too: no arithmetic
is done in SQL but sums of integers.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import duckdb
import polars as pl

from invoicing.desk import Moment
from invoicing.dispute_tables import DISPUTE_TABLES, SUPERSEDING_INVOICES
from invoicing.events import begin_chain
from invoicing.held_tables import HELD_TABLES
from invoicing.in_force_views import IN_FORCE_VIEWS
from invoicing.store import in_words, is_of_rights, is_of_the_disk, write_whole
from rating.periods import Period
from schemas.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FORMAT = "4"
INVOICES_TABLE = """
create table invoices (invoice_number varchar primary key, sequence integer not null, customer_id varchar not null,
  period varchar not null, invoice_date date not null, due_date date not null, net_cents bigint not null,
  vat_cents bigint not null, gross_cents bigint not null, status varchar not null, supersedes varchar unique,
  structured_communication varchar not null, customer varchar not null);
"""
TABLES = """
create table meta (name varchar primary key, content varchar not null);
create table files (file_no integer primary key, source_file varchar not null, sha256 varchar not null unique,
  records bigint not null, accepted bigint not null, unanswered bigint not null, duplicate bigint not null,
  quarantined bigint not null, period varchar, read_at varchar not null);
create table stored_files (path varchar primary key, sha256 varchar not null, bytes bigint not null);
create table batches (batch_no integer primary key, path varchar not null, period_number integer not null,
  answered bigint not null, unanswered bigint not null, rated_by varchar);
create table quarantine_files (path varchar primary key, period varchar, records bigint not null);
create table ratings (rating_no integer primary key, period varchar not null, issued boolean not null,
  snapshot varchar not null, settings varchar not null, program varchar not null, rated_at varchar not null,
  last_batch integer not null, calls bigint not null, amount_cents bigint not null, unrated bigint not null,
  reports varchar not null);
create table rated_files (path varchar primary key, rating_no integer not null, period_number integer not null,
  calls bigint not null, amount_cents bigint not null, first_customer varchar not null,
  last_customer varchar not null);
create table packs_used (rating_no integer not null, pool_no integer not null, customer_id varchar not null,
  user_id varchar, product_id varchar not null, period_number integer not null, allowance_s bigint,
  used_s bigint not null, calls bigint not null);
create table runs (period varchar primary key, run_no integer not null unique, rating_no integer not null,
  invoice_date date not null, issued_at varchar not null, snapshot varchar not null, settings varchar not null,
  program varchar not null, summary varchar not null);
create table lines (invoice_number varchar not null, line_no integer not null, customer_id varchar not null,
  kind varchar not null, product_id varchar, zone_id varchar, traffic_period varchar, rule varchar not null,
  description varchar not null, service_from date, service_to date, quantity_micro bigint not null,
  unit_price_micro bigint, net_cents bigint not null, vat_category varchar not null, vat_rate_micro bigint not null,
  source_id varchar, primary key (invoice_number, line_no));
create table vat_totals (invoice_number varchar not null, vat_category varchar not null,
  vat_rate_micro bigint not null, base_cents bigint not null, vat_cents bigint not null, reason varchar,
  primary key (invoice_number, vat_category, vat_rate_micro));
create table user_counts (customer_id varchar not null, period varchar not null, configured bigint not null,
  billed bigint not null, reserved bigint not null, reference bigint not null, primary key (customer_id, period));
create table users_billed (customer_id varchar not null, period varchar not null, product_id varchar not null,
  users bigint not null, primary key (customer_id, period, product_id));
create table one_offs (id varchar not null, kind varchar not null, customer_id varchar not null,
  content varchar not null, amount_cents bigint not null, invoice_number varchar not null,
  primary key (id, kind, invoice_number));
create table documents (path varchar primary key, invoice_number varchar not null);
"""
CREDIT_NOTE_TABLES = """
create table credit_notes (credit_note_number varchar primary key, sequence integer not null,
  invoice_number varchar not null, customer_id varchar not null, credit_note_date date not null,
  net_cents bigint not null, vat_cents bigint not null, gross_cents bigint not null, reason varchar not null,
  customer varchar not null, issued_at varchar not null, settings varchar not null, program varchar not null);
create table credit_note_lines (credit_note_number varchar not null, line_no integer not null,
  invoice_line_no integer, kind varchar not null, product_id varchar, zone_id varchar, traffic_period varchar,
  rule varchar not null, description varchar not null, service_from date, service_to date,
  quantity_micro bigint not null, unit_price_micro bigint, net_cents bigint not null, vat_category varchar not null,
  vat_rate_micro bigint not null, primary key (credit_note_number, line_no));
create table credit_note_vat_totals (credit_note_number varchar not null, vat_category varchar not null,
  vat_rate_micro bigint not null, base_cents bigint not null, vat_cents bigint not null, reason varchar,
  primary key (credit_note_number, vat_category, vat_rate_micro));
"""
EVENTS_TABLE = """
create table events (event_no bigint primary key, acted_at varchar not null, operator varchar not null,
  command varchar not null, kind varchar not null, subject varchar not null, details varchar not null,
  program varchar not null, previous_hash varchar not null, hash varchar not null);
"""
# Of a file read: how far, as what, and what its source left out on purpose.
FILE_SOURCES_TABLE = """
create table file_sources (file_no integer primary key, source_format varchar not null, bytes bigint not null,
  skipped bigint not null, skipped_by_reason varchar not null);
"""
# What an earlier format lacks. The column of `documents` holds the numbers of credit notes too.
SINCE_3 = FILE_SOURCES_TABLE + DISPUTE_TABLES + HELD_TABLES + IN_FORCE_VIEWS
# A ledger from its beginning.
EVERYTHING = (INVOICES_TABLE, TABLES, CREDIT_NOTE_TABLES, EVENTS_TABLE, SINCE_3)
FROM_3 = SUPERSEDING_INVOICES.format(invoices=INVOICES_TABLE) + SINCE_3
UPGRADES = {"2": CREDIT_NOTE_TABLES + EVENTS_TABLE + FROM_3, "3": FROM_3}
# The first format whose ledgers have a chain of events.
FIRST_WITH_EVENTS = "3"
NOBODY = Moment("", "")
# Each table takes some blocks, however few rows it has: a first month is 0.8 MB, and 10 MB of the 256 KiB of DuckDB.
BLOCK_BYTES = 16_384
# What DuckDB says of a block whose checksum is another one.
DAMAGED = "Corrupt database file"


@dataclass(frozen=True, slots=True)
class Run:
    """A period that was run and issued."""

    period: Period
    run_no: int
    rating_no: int
    invoice_date: date
    issued_at: str
    snapshot: str
    settings: str
    program: str
    summary: dict[str, object]


@dataclass(frozen=True, slots=True)
class Rating:
    """The calls rated for a period, issued or not yet."""

    rating_no: int
    period: Period
    issued: bool
    snapshot: str
    settings: str
    program: str
    last_batch: int
    calls: int
    amount_cents: int
    unrated: int
    reports: str

    @property
    def unrated_path(self) -> str:
        """The calls that could not be rated."""
        return self.own_paths[0]

    @property
    def prices_path(self) -> str:
        """What each `rate_no` of its calls stands for."""
        return self.own_paths[1]

    @property
    def traffic_path(self) -> str:
        """What its calls sum up to, by customer, period and zone."""
        return self.own_paths[2]

    @property
    def draws_path(self) -> str:
        """Each draw of the calls that drew from several packs."""
        return self.own_paths[3]

    @property
    def own_paths(self) -> tuple[str, str, str, str]:
        """The files that each rating has one of."""
        return own_paths(self.rating_no)


def own_paths(rating_no: int) -> tuple[str, str, str, str]:
    """The files that a rating has one of: unrated calls, prices, sums, draws from several packs."""
    number = f"{rating_no:06d}.parquet"
    return (
        f"quarantine/unrated-{number}", f"rated/prices-{number}", f"rated/traffic-{number}", f"rated/draws-{number}"
    )  # fmt: skip


def _begin(path: Path) -> None:
    """Make an empty ledger, readable by its owner only, all of it in its file and nothing in its log.

    Raises:
        duckdb.Error: where the disk is full or fails; closing alone would leave that unsaid.
    """
    log = path.with_name(f"{path.name}.wal")
    # A process of the same number may have died here, and DuckDB would go on where it was.
    for left in (path, log):
        left.unlink(missing_ok=True)
    try:
        with duckdb.connect(str(path), config={"default_block_size": str(BLOCK_BYTES)}) as connection:
            # Not in one transaction: DuckDB would write it from threads of its own, in an order no test can repeat.
            for tables in EVERYTHING:
                connection.execute(tables)
            connection.execute("insert into meta values ('format', ?)", [FORMAT])
            connection.execute("checkpoint")
    finally:
        log.unlink(missing_ok=True)
    path.chmod(0o600)


class Ledger:
    """One open ledger; `with ledger.transaction():` around everything that belongs together."""

    def __init__(self, path: Path, *, read_only: bool = False, moment: Moment = NOBODY) -> None:
        """Open the ledger, or make it where it is not there yet; one of an earlier format is brought up to date.

        Args:
            path: Its file.
            read_only: Whether it is only looked at.
            moment: When and by whom, for the event that says that it was brought up to date.

        Raises:
            StoreUnavailable: where the file is damaged, or of another format; or of an earlier one and only to be
                read; or where the disk is full or fails.
        """
        self.read_only = read_only
        self._path = path
        self._remembered: dict[tuple[str, tuple[object, ...]], list[tuple[object, ...]]] = {}
        settings: dict[str, str | bool | int | float | list[str]] = {
            "enable_external_access": "false",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
        }
        try:
            if not read_only and not path.exists():
                write_whole(path, _begin)
            self._connection = duckdb.connect(str(path), read_only=read_only, config=settings)
            # What a command prints is its own: no bar of a query that takes long on a busy machine.
            self._connection.execute("set enable_progress_bar = false; set enable_progress_bar_print = false")
            self._connection.execute("set lock_configuration = true")
            if not read_only:
                self._bring_up_to_date(moment)
        except duckdb.Error as error:
            if is_of_the_disk(error) or is_of_rights(error):
                raise in_words(error) from None
            raise StoreUnavailable(
                f"{path}: the ledger cannot be opened: {str(error).splitlines()[0]}; restore it from a backup"
            ) from None
        found = self.meta("format")
        if found in UPGRADES:
            raise StoreUnavailable(
                f"{path}: the ledger has format {found}, and a command that only reads does not change it; "
                f"`centime read`, `run`, `render` or any other that writes brings it to format {FORMAT} when it starts"
            )
        if found != FORMAT:
            raise StoreUnavailable(f"{path}: the ledger has format {found}, this program reads format {FORMAT}")

    def _bring_up_to_date(self, moment: Moment) -> None:
        """Add what an earlier format lacks, all of it or nothing; a chain of events that is lacking begins here."""
        found = self.meta("format") or ""
        lacking = UPGRADES.get(found)
        if lacking is not None:
            with self.transaction():
                self.execute(lacking)
                if found < FIRST_WITH_EVENTS:
                    begin_chain(self, moment, found)
                self.execute("update meta set content = ? where name = 'format'", [FORMAT])

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing."""
        self._connection.execute("begin transaction")
        try:
            yield
        except BaseException:
            self._connection.execute("rollback")
            raise
        else:
            self._connection.execute("commit")
        finally:
            # Whatever came of it: what was read within may not be there any more.
            self._remembered.clear()

    @contextmanager
    def _telling_damage(self) -> Iterator[None]:
        """A block that is not what was written is found when it is read: DuckDB keeps a checksum of each."""
        try:
            yield
        except duckdb.Error as error:
            if DAMAGED not in str(error):
                raise
            raise StoreUnavailable(
                f"{self._path}: the ledger is damaged: {str(error).splitlines()[0]}; restore it from a backup"
            ) from None

    def execute(self, sql: str, parameters: list[object] | None = None) -> None:
        """Run one statement."""
        self._remembered.clear()
        with self._telling_damage():
            self._connection.execute(sql, parameters)

    def rows(self, sql: str, parameters: list[object] | None = None) -> list[tuple[object, ...]]:
        """The rows of a query."""
        with self._telling_damage():
            return self._connection.execute(sql, parameters).fetchall()

    def _rows_again(self, sql: str, *parameters: object) -> list[tuple[object, ...]]:
        """The rows of a query that many steps of a command ask for; the same until something is written."""
        asked = (sql, parameters)
        if asked not in self._remembered:
            self._remembered[asked] = self.rows(sql, list(parameters))
        return self._remembered[asked]

    def frame(self, sql: str, parameters: list[object] | None = None) -> pl.DataFrame:
        """The rows of a query as a frame."""
        with self._telling_damage():
            return pl.DataFrame(self._connection.sql(sql, params=parameters).to_arrow_table())

    def read_through(self) -> None:
        """Read every row of every table; views hold nothing of their own.

        Raises:
            StoreUnavailable: where a block of them is damaged.
        """
        for (table,) in self.rows("select table_name from duckdb_tables() order by all"):
            self.rows(f"select bit_xor(hash(t)) from {table} t")  # noqa: S608

    def number(self, sql: str, parameters: list[object] | None = None) -> int:
        """The one whole number a query gives; 0 where it gives none."""
        found = self.rows(sql, parameters)
        return int(str(found[0][0])) if found and found[0][0] is not None else 0

    def append(self, table: str, frame: pl.DataFrame) -> None:
        """Add a frame's rows to a table, by the names of its columns."""
        if frame.is_empty():
            return
        self._remembered.clear()
        self._connection.register("incoming", frame.to_arrow())
        columns = ", ".join(frame.columns)
        self._connection.execute(f"insert into {table} ({columns}) select {columns} from incoming")  # noqa: S608
        self._connection.unregister("incoming")

    def meta(self, name: str) -> str | None:
        """A fact about the store."""
        found = self._rows_again("select content from meta where name = ?", name)
        return str(found[0][0]) if found else None

    def next_rating_no(self) -> int:
        """The number of the next rating; a correction of an invoice is one too."""
        return 1 + self.number(
            "select max(rating_no) from (select rating_no from ratings union all select rating_no from corrections)"
        )

    def is_empty(self) -> bool:
        """Whether nothing was read or rated yet."""
        return not self.number("select (select count(*) from files) + (select count(*) from ratings)")

    def name_file(self, path: str, sha256: str, size: int) -> None:
        """Make a stored file count."""
        self.execute("insert into stored_files values (?, ?, ?)", [path, sha256, size])

    def forget_file(self, path: str) -> None:
        """Let a stored file no longer count; the next start removes it."""
        self.execute("delete from stored_files where path = ?", [path])

    def stored_files(self) -> dict[str, str]:
        """SHA-256 by path, of every file that counts."""
        found = self._rows_again("select path, sha256 from stored_files order by path")
        return {str(path): str(sha256) for path, sha256 in found}

    def runs(self) -> list[Run]:
        """Every period that was issued, in order."""
        found = self._rows_again("select * from runs order by run_no")
        return [
            Run(
                Period.parse(str(row[0])), int(str(row[1])), int(str(row[2])), date.fromisoformat(str(row[3])),
                str(row[4]), str(row[5]), str(row[6]), str(row[7]), json.loads(str(row[8])),
            )
            for row in found
        ]  # fmt: skip

    def last_run(self) -> Run | None:
        """The last period issued."""
        runs = self.runs()
        return runs[-1] if runs else None

    def rating_of(self, run: Run) -> Rating:
        """The rating that a run issued."""
        return next(rating for rating in self.ratings(issued=True) if rating.rating_no == run.rating_no)

    def ratings(self, *, issued: bool) -> list[Rating]:
        """The ratings, issued or pending (there is at most one pending)."""
        found = self._rows_again(
            "select rating_no, period, issued, snapshot, settings, program, last_batch, calls, amount_cents, "
            "unrated, reports from ratings where issued = ? order by rating_no",
            issued,
        )
        return [
            Rating(
                int(str(row[0])), Period.parse(str(row[1])), bool(row[2]), str(row[3]), str(row[4]), str(row[5]),
                int(str(row[6])), int(str(row[7])), int(str(row[8])), int(str(row[9])), str(row[10]),
            )
            for row in found
        ]  # fmt: skip

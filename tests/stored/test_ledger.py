"""The ledger's format: an earlier one is brought up to date as a whole, whenever its process dies, or refused."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import duckdb
import polars as pl
import pytest

from invoicing.dispute_tables import SUPERSEDING_INVOICES
from invoicing.ledger import BLOCK_BYTES, FORMAT, INVOICES_TABLE, Ledger
from schemas.errors import StoreUnavailable

REPOSITORY = Path(__file__).resolve().parents[2]
ADDED_IN_3 = ["credit_note_lines", "credit_note_vat_totals", "credit_notes", "events"]
VIEWS_OF_4 = [
    "invoice_ratings", "invoices_in_force", "lines_in_force", "one_offs_in_force", "packs_in_force", "rated_lines",
    "still_held", "user_counts_in_force", "users_billed_in_force",
]  # fmt: skip
TABLES_OF_4 = [
    "call_alarms", "corrected_user_counts", "corrected_users_billed", "correction_calls", "corrections",
    "dispute_calls", "dispute_lines", "dispute_outcomes", "disputes", "file_sources", "held_invoices", "held_lines",
    "held_one_offs", "held_vat_totals", "releases",
]  # fmt: skip
ADDED = sorted([*ADDED_IN_3, *VIEWS_OF_4, *TABLES_OF_4])
INVOICES_OF_3 = INVOICES_TABLE.replace(" unique", "").replace(");", ", unique (customer_id, period));")
# The program itself, which dies after its last statement and before the commit.
DIES_BEFORE_ITS_COMMIT = """
import os, signal, sys
from pathlib import Path
from invoicing.ledger import Ledger

class Dying(Ledger):
    def execute(self, sql, parameters=None):
        super().execute(sql, parameters)
        if sql.startswith("update meta"):
            os.kill(os.getpid(), signal.SIGKILL)

Dying(Path(sys.argv[1]))
"""


def back_to_format_2(path: Path) -> None:
    """Make a ledger what a version of long ago left: without the tables of credit notes and events too."""
    back_to_format_3(path)
    with duckdb.connect(str(path)) as connection:
        for table in ADDED_IN_3:
            connection.execute(f"drop table {table}")
        connection.execute("update meta set content = '2' where name = 'format'")


def back_to_format_3(path: Path) -> None:
    """Make a ledger what the version before left: nothing disputed or held, one invoice of a customer and period."""
    with duckdb.connect(str(path)) as connection:
        for kind, names in (("view", VIEWS_OF_4), ("table", TABLES_OF_4)):
            for name in names:
                connection.execute(f"drop {kind} {name}")
        connection.execute(SUPERSEDING_INVOICES.format(invoices=INVOICES_OF_3))
        connection.execute("update meta set content = '3' where name = 'format'")


def tables_of(path: Path) -> tuple[str, list[str]]:
    """The format of a ledger, and those of the added tables that it has."""
    with duckdb.connect(str(path), read_only=True) as connection:
        content = connection.execute("select content from meta where name = 'format'").fetchall()
        names = connection.execute("select table_name from information_schema.tables order by 1").fetchall()
    return str(content[0][0]), [name for (name,) in names if name in ADDED]


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A ledger of format 2 that knows a period."""
    path = tmp_path / "ledger.duckdb"
    ledger = Ledger(path)
    ledger.execute("insert into meta values ('timezone', 'Europe/Brussels')")
    ledger.close()
    back_to_format_2(path)
    assert tables_of(path) == ("2", [])
    return path


def test_ledger__a_new_one_has_the_format_of_this_program(tmp_path: Path) -> None:
    Ledger(tmp_path / "ledger.duckdb").close()
    assert tables_of(tmp_path / "ledger.duckdb") == (FORMAT, ADDED)


def test_ledger__a_new_one_is_small_and_one_with_larger_blocks_is_used_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    size_of = "select block_size from pragma_database_size()"
    for name, block_bytes in (("new", BLOCK_BYTES), ("larger", 262_144)):
        path = tmp_path / f"{name}.duckdb"
        with monkeypatch.context() as patch:
            patch.setattr("invoicing.ledger.BLOCK_BYTES", block_bytes)
            Ledger(path).close()
        ledger = Ledger(path)
        ledger.name_file("a", "1", 1)
        ledger.close()
        again = Ledger(path, read_only=True)
        assert (again.rows(size_of), again.stored_files()) == ([(block_bytes,)], {"a": "1"})
        again.close()
    assert (tmp_path / "new.duckdb").stat().st_size < (tmp_path / "larger.duckdb").stat().st_size / 5


def test_ledger__a_query_that_takes_long_draws_no_bar_into_what_is_printed(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.duckdb")
    bars = "select current_setting('enable_progress_bar'), current_setting('enable_progress_bar_print')"
    assert ledger.rows(bars) == [(False, False)]
    ledger.close()


def test_ledger__what_was_read_is_read_again_once_something_is_written_or_taken_back(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.duckdb")
    assert ledger.stored_files() == {}
    ledger.name_file("a", "1", 1)
    assert ledger.stored_files() == {"a": "1"}
    ledger.append("stored_files", pl.DataFrame({"path": ["b"], "sha256": ["2"], "bytes": [2]}))
    assert ledger.stored_files() == {"a": "1", "b": "2"}

    def taken_back() -> None:
        with ledger.transaction():
            ledger.forget_file("a")
            assert ledger.stored_files() == {"b": "2"}
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        taken_back()
    assert ledger.stored_files() == {"a": "1", "b": "2"}
    ledger.close()


def test_ledger__one_that_was_begun_by_a_process_that_died_is_begun_anew(tmp_path: Path) -> None:
    # In a container the next process often has the number of the last.
    begun = tmp_path / f"ledger.duckdb.{os.getpid()}.writing"
    with duckdb.connect(str(begun)) as connection:
        connection.execute("pragma disable_checkpoint_on_shutdown")
        connection.execute("create table meta (mine integer)")
    assert begun.with_name(f"{begun.name}.wal").exists()
    Ledger(tmp_path / "ledger.duckdb").close()
    assert tables_of(tmp_path / "ledger.duckdb") == (FORMAT, ADDED)
    assert [path.name for path in tmp_path.iterdir()] == ["ledger.duckdb"]


def test_ledger__who_writes_brings_it_up_to_date_once(old: Path) -> None:
    for _ in range(2):
        ledger = Ledger(old)
        assert ledger.meta("timezone") == "Europe/Brussels"
        ledger.close()
        assert tables_of(old) == (FORMAT, ADDED)


def test_ledger__of_format_3_keeps_its_invoices_and_lets_others_supersede_them(tmp_path: Path) -> None:
    path = tmp_path / "ledger.duckdb"
    Ledger(path).close()
    back_to_format_3(path)
    insert = "insert into invoices values (?, 1, 'c1', '2026-10', '2026-11-02', '2026-12-02', 1, 0, 1, '', ?, '', '')"
    with duckdb.connect(str(path)) as connection:
        connection.execute(insert, ["2026-000001", None])
        with pytest.raises(duckdb.ConstraintException):
            connection.execute(insert, ["2026-000002", None])
    ledger = Ledger(path)
    ledger.execute(insert, ["2026-000002", "2026-000001"])
    assert ledger.rows("select invoice_number from invoices_in_force") == [("2026-000002",)]
    with pytest.raises(duckdb.ConstraintException):
        ledger.execute(insert, ["2026-000003", "2026-000001"])
    # Its chain of events goes on: nothing begins anew.
    assert ledger.number("select count(*) from events") == 0
    ledger.close()
    assert tables_of(path) == (FORMAT, ADDED)


def test_ledger__who_reads_changes_nothing_and_says_what_to_do(old: Path) -> None:
    before = hashlib.sha256(old.read_bytes()).hexdigest()
    with pytest.raises(StoreUnavailable, match=r"format 2, and a command that only reads .* brings it to format 4"):
        Ledger(old, read_only=True)
    assert hashlib.sha256(old.read_bytes()).hexdigest() == before


def test_ledger__one_that_dies_at_it_leaves_the_format_before(old: Path) -> None:
    command = [sys.executable, "-c", DIES_BEFORE_ITS_COMMIT, str(old)]
    done = subprocess.run(command, cwd=REPOSITORY, check=False)
    assert done.returncode == -signal.SIGKILL
    assert tables_of(old) == ("2", [])
    Ledger(old).close()
    assert tables_of(old) == (FORMAT, ADDED)


def test_ledger__what_cannot_be_brought_up_to_date_stays_as_it_was(old: Path) -> None:
    with duckdb.connect(str(old)) as connection:
        connection.execute("create table credit_note_vat_totals (mine integer)")
    with pytest.raises(StoreUnavailable, match="the ledger cannot be opened"):
        Ledger(old)
    assert tables_of(old) == ("2", ["credit_note_vat_totals"])


@pytest.mark.parametrize("found", ["1", "5", "x"])
def test_ledger__of_another_format_is_refused(found: str, old: Path) -> None:
    with duckdb.connect(str(old)) as connection:
        connection.execute("update meta set content = ?", [found])
    for read_only in (True, False):
        with pytest.raises(StoreUnavailable, match=f"the ledger has format {found}, this program reads format 4"):
            Ledger(old, read_only=read_only)

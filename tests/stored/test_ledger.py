"""The ledger's format: an earlier one is brought up to date as a whole, whenever its process dies, or refused."""

from __future__ import annotations

import hashlib
import signal
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from invoicing.ledger import FORMAT, Ledger
from schemas.errors import StoreUnavailable

REPOSITORY = Path(__file__).resolve().parents[2]
# What a ledger has more than one of format 3, and than one of format 2.
SINCE_3 = [
    "billed_invoices", "billed_lines", "billed_one_offs", "call_alarms", "held_invoices", "held_lines",
    "held_one_offs", "held_vat_totals", "releases", "still_held",
]  # fmt: skip
ADDED = sorted(["credit_note_lines", "credit_note_vat_totals", "credit_notes", "events", *SINCE_3])
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
    """Make a ledger what an early version left: without the tables of credit notes and events."""
    _back_to("2", ADDED, path)


def back_to_format_3(path: Path) -> None:
    """Make a ledger what the version before left: without what holds invoices."""
    _back_to("3", SINCE_3, path)


def _back_to(number: str, lacking: list[str], path: Path) -> None:
    with duckdb.connect(str(path)) as connection:
        views = [str(name) for (name,) in connection.execute("select view_name from duckdb_views()").fetchall()]
        for kind in ("view", "table"):
            for name in lacking:
                if (name in views) == (kind == "view"):
                    connection.execute(f"drop {kind} {name}")
        connection.execute("update meta set content = ? where name = 'format'", [number])


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


def test_ledger__who_writes_brings_it_up_to_date_once(old: Path) -> None:
    for _ in range(2):
        ledger = Ledger(old)
        assert ledger.meta("timezone") == "Europe/Brussels"
        ledger.close()
        assert tables_of(old) == (FORMAT, ADDED)


def test_ledger__one_of_format_3_is_brought_up_to_date_and_keeps_its_chain(tmp_path: Path) -> None:
    path = tmp_path / "ledger.duckdb"
    Ledger(path).close()
    back_to_format_3(path)
    assert tables_of(path) == ("3", [name for name in ADDED if name not in SINCE_3])
    ledger = Ledger(path)
    # Only a ledger without events begins its chain with one that tells of an earlier format.
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

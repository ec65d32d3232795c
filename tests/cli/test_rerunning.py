"""`centime rerun`: an issued invoice made again from what the store kept, whatever came after it."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pytest

from cli import program_version
from invoicing.ledger import Ledger
from tests.cli.conftest import copy
from tests.cli.program import bytes_of, write_tables

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.program import Place


def alter(place: Place, sql: str) -> None:
    ledger = Ledger(place.store / "ledger.duckdb")
    ledger.execute(sql)
    ledger.close()


def published_otherwise(place: Place) -> None:
    """Let the document of the first invoice be one of other bytes, as it stands and as the ledger names it."""
    (place.store / "invoices/2026/2026-000001.pdf").write_bytes(b"%PDF")
    sha256 = f"sha256 = '{hashlib.sha256(b'%PDF').hexdigest()}'"
    alter(place, f"update stored_files set {sha256} where ends_with(path, '2026-000001.pdf')")  # noqa: S608


@pytest.fixture
def two_months(filled: Place, tmp_path: Path) -> Place:
    """October and November issued, to be changed; the tables have changed since too."""
    place = copy(filled, tmp_path / "two")
    write_tables(place.tables, users="user_id,customer_id,product_id,active_from,active_to\n")
    return place


@pytest.mark.parametrize("number", ["2026-000001", "2026-000002"])
def test_rerun__every_figure_is_the_same_after_later_months_and_changed_tables(two_months: Place, number: str) -> None:
    before = bytes_of(two_months.store)
    told = two_months.start("rerun", number, "--json")
    assert told.status == 0, told.stderr
    assert told.document["counts"] == {"differences": 0, "documents_same": 0, "documents_differing": 0}
    assert bytes_of(two_months.store) == before


def test_rerun__documents_are_compared_byte_for_byte_and_written_where_asked(two_months: Place) -> None:
    assert two_months.start("render", "2026-10").status == 0
    told = two_months.start("rerun", "2026-000001", "--to", "again", "--json")
    assert told.status == 0, told.stderr
    published = {path.name: path.read_bytes() for path in (two_months.store / "invoices").rglob("2026-000001.*")}
    assert "2026-000001.pdf" in published
    assert told.document["counts"] == {
        "differences": 0, "documents_same": len(published), "documents_differing": 0
    }  # fmt: skip
    again = {path.name: path.read_bytes() for path in (two_months.folder / "again").iterdir()}
    assert again == published
    assert told.document["files_written"] == [f"again/{name}" for name in again]


ALTERED = [
    ("update lines set net_cents = net_cents + 1 where line_no = 1", "line", "net_cents"),
    ("update lines set description = 'x' where line_no = 2", "line", "description"),
    ("update invoices set due_date = '2027-01-01'", "invoice", "due_date"),
    ("update vat_totals set vat_cents = 0", "VAT", "vat_cents"),
    ("update user_counts set billed = 77", "users", "billed"),
    ("update packs_used set used_s = 1", "pack", "used_s"),
    ("delete from lines where line_no = 3", "line", "kind"),
]


def test_rerun__every_figure_that_is_not_what_it_was_issued_from_is_named(two_months: Place) -> None:
    alter(two_months, "; ".join(sql for sql, _, _ in ALTERED))
    told = two_months.start("rerun", "2026-000001", "--json")
    assert told.status == 1
    named = {(row["about"], row["figure"]) for row in told.table("Differences")}
    assert [wanted for _, *wanted in ALTERED if tuple(wanted) not in named] == []
    # And nothing else, but for the line that is gone, of which every figure is.
    assert {figure for about, figure in named if about != "line"} == {"due_date", "vat_cents", "billed", "used_s"}


def test_rerun__another_version_of_the_program_compares_the_figures(two_months: Place) -> None:
    assert two_months.start("render", "2026-10").status == 0
    alter(two_months, "update runs set program = '0.0.1'")
    published_otherwise(two_months)
    told = two_months.start("rerun", "2026-000001", "--json")
    # Documents of another version may look otherwise: that alone is nothing a person must look at.
    assert told.status == 0, told.stderr
    (version, bytes_differ) = told.document["warnings"]
    assert version.startswith("2026-000001 was issued by version 0.0.1 of the program, and this is version ")
    assert program_version() in version
    assert "not the bytes that were published: invoices/2026/2026-000001.pdf" in bytes_differ


def test_rerun__published_bytes_that_are_others_are_told(two_months: Place) -> None:
    assert two_months.start("render", "2026-10").status == 0
    published_otherwise(two_months)
    told = two_months.start("rerun", "2026-000001", "--json")
    assert told.status == 1
    assert "not the bytes that were published" in json.dumps(told.document["attention"])


def test_rerun__an_unknown_invoice_is_refused(filled: Place) -> None:
    told = filled.start("rerun", "2026-000099")
    assert told.status == 2
    assert "2026-000099: this store has no such invoice; the last one is 2026-000002" in told.stderr.replace("\n", " ")

"""`verify` and credit notes: each figure that is altered is named, and so is a sum that still adds up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import pytest

from invoicing.credit_note_checks import credit_note_differences
from tests.cli.altered import said_of
from tests.cli.conftest import copy
from tests.cli.program import Place
from tests.shared import made_once

if TYPE_CHECKING:
    from pathlib import Path

NOW = ["--now", "2026-11-05T10:00:00Z"]
# On the invoice of 0.32, 0.19 and 15.02: its lines 3 and 4, 0.51 and 0.11; 2.00 of line 5; 1.50 of the whole;
# the rest, 13.02 - 1.50 and 2.41.
NOTES = (["--line", "3", "--line", "4"], ["--amount", "2", "--line", "5"], ["--amount", "1.5"], ["--all"])
GAP = "the sequence of its year has a gap before it"
SUMS = "its totals are not the sums of its lines"
OF_LINES = "its VAT is not of its lines"
VAT = "its VAT is not what its invoice and the credit notes before it leave"
LINE = "it is not of its invoice line, or of more than was left of it"
CUSTOMER = "its customer is not that of its invoice"


@pytest.fixture(scope="module")
def credited(october_issued: Place, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """October with four credit notes, which together give back all of its invoice."""

    def make(folder: Path) -> None:
        made = copy(october_issued, folder / "place")
        for wish in NOTES:
            told = made.start("credit", "2026-000001", *wish, "--reason", "x", *NOW)
            assert told.status == 0, told.stderr
        assert made.start("verify").status == 0

    return Place(made_once(tmp_path_factory, "credited", make) / "place")


def where(statements: str) -> str:
    """Statements in which `$2` stands for where the second credit note is."""
    for number in range(1, len(NOTES) + 1):
        statements = statements.replace(f"${number}", f"where credit_note_number = 'CN2026-00000{number}'")
    return statements


def checked(place: Place, statements: str) -> list[str]:
    """What the checks of credit notes say once the ledger was altered by hand."""
    return said_of(place, where(statements), credit_note_differences)


def verified(place: Place, statements: str) -> list[str]:
    """What `verify` says once the ledger was altered by hand."""
    with duckdb.connect(str(place.store / "ledger.duckdb")) as connection:
        connection.execute(where(statements))
    told = place.start("verify")
    assert told.status == 3
    said = [line.removeprefix("look at this: ") for line in told.stderr.splitlines() if line.startswith("look at this")]
    # That its event tells another thing is tested with the events.
    return [sentence for sentence in said if not sentence.startswith("event ")]


@pytest.mark.parametrize(
    ("statements", "said"),
    [
        ("update credit_notes set sequence = 5 $4", ["CN2026-000004: " + GAP]),
        ("update credit_notes set credit_note_date = '2027-11-05' $4", ["CN2026-000004: " + GAP]),
        (
            "update credit_notes set credit_note_date = '2026-11-04' $4",
            ["CN2026-000004: dated before the number before it"],
        ),
        (
            "update credit_notes set credit_note_date = '2026-11-01' $1",
            ["CN2026-000001: dated before its invoice"],
        ),
        ("update credit_notes set customer_id = 'c2' $1", ["CN2026-000001: " + CUSTOMER]),
        ("update credit_notes set customer = '{}' $1", ["CN2026-000001: " + CUSTOMER]),
        ("update credit_notes set vat_cents = 12, gross_cents = 63 $1", ["CN2026-000001: " + SUMS]),
        ("update credit_notes set gross_cents = 63 $1", ["CN2026-000001: " + SUMS]),
        (
            "update credit_note_vat_totals set vat_cents = 12 $1",
            # The last one took what then was not left.
            ["CN2026-000001: " + SUMS, "CN2026-000001: " + VAT, "CN2026-000004: " + VAT],
        ),
        ("update credit_note_vat_totals set reason = 'x' $1", ["CN2026-000001: " + VAT]),
        (
            """
            update credit_note_vat_totals set vat_cents = 43 $2;
            update credit_notes set vat_cents = 43, gross_cents = 243 $2
            """,
            ["CN2026-000002: " + VAT, "CN2026-000004: " + VAT],
        ),
        ("update credit_note_lines set unit_price_micro = 1 $2", ["CN2026-000002 line 1: " + LINE]),
        ("update credit_note_lines set quantity_micro = 1 $3", ["CN2026-000003 line 1: " + LINE]),
        ("update credit_note_lines set kind = 'traffic' $3", ["CN2026-000003 line 1: " + LINE]),
        (
            "update credit_note_lines set vat_category = 'E' $1 and line_no = 2",
            ["CN2026-000001: " + OF_LINES, "CN2026-000001 line 2: " + LINE],
        ),
        (
            "update credit_note_lines set net_cents = 18 $1 and line_no = 2",
            ["CN2026-000001: " + OF_LINES, "CN2026-000001 line 2: " + LINE],
        ),
        ("delete from credit_note_lines $1 and line_no = 2", ["CN2026-000001: " + OF_LINES]),
        # 2.01 of line 5 instead of 2.00, in all places: the last one then took a cent that was not there.
        (
            """
            update credit_note_lines set net_cents = 201, unit_price_micro = 2010000 $2;
            update credit_note_vat_totals set base_cents = 201 $2;
            update credit_notes set net_cents = 201, gross_cents = 243 $2
            """,
            [
                "CN2026-000004 line 1: " + LINE,
                "CN2026-000004: it gives back more than what was left of its invoice",
                "CN2026-000004: " + VAT,
            ],
        ),
        (
            "delete from credit_notes $4",
            ["CN2026-000004: it has lines, and there is no such credit note"],
        ),
    ],
)  # fmt: skip
def test_verify__an_altered_figure_of_a_credit_note_is_named(statements: str, said: list[str], credited: Place) -> None:
    found = checked(credited, statements)
    assert [sentence.removeprefix("credit note ") for sentence in found if "CN2026" in sentence.split(":")[0]] == said


@pytest.mark.parametrize(
    "altered",
    [
        "invoice_line_no = 9", "invoice_line_no = null", "kind = 'one_off'", "product_id = 'seat'", "zone_id = null",
        "traffic_period = '2026-09'", "rule = 'R-ONEOFF'", "description = 'x'", "service_from = '2026-10-02'",
        "service_to = null", "quantity_micro = 1000000", "unit_price_micro = 320000",
    ],
)  # fmt: skip
def test_verify__a_line_says_what_its_invoice_line_says(altered: str, credited: Place) -> None:
    statement = f"update credit_note_lines set {altered} $1 and line_no = 1"  # noqa: S608
    assert checked(credited, statement) == ["credit note CN2026-000001 line 1: " + LINE]


def test_verify__has_these_checks_and_its_others_pass_what_they_name(credited: Place, tmp_path: Path) -> None:
    statement = "update credit_note_lines set description = 'x' $1 and line_no = 1"
    found = verified(copy(credited, tmp_path / "place"), statement)
    assert found == ["credit note CN2026-000001 line 1: " + LINE]


def test_verify__a_credit_note_of_no_invoice_is_named(credited: Place, tmp_path: Path) -> None:
    found = verified(copy(credited, tmp_path / "place"), "update credit_notes set invoice_number = '2026-000009' $3")
    assert "credit note CN2026-000003: there is no such invoice as it names" in found


def test_verify__credit_notes_that_are_gone_leave_a_gap(credited: Place, tmp_path: Path) -> None:
    everywhere = "delete from credit_notes $2; delete from credit_note_lines $2; delete from credit_note_vat_totals $2"
    found = verified(copy(credited, tmp_path / "place"), everywhere)
    assert [sentence for sentence in found if GAP in sentence] == [
        f"credit note CN2026-00000{number}: {GAP}" for number in (3, 4)
    ]


def test_verify__the_document_of_a_credit_note_is_checked_like_any(credited: Place, tmp_path: Path) -> None:
    place = copy(credited, tmp_path / "place")
    path = place.store / "invoices/2026/CN2026-000002.pdf"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    forged = path.with_name("CN2026-000009.pdf")
    forged.write_bytes(b"%PDF")
    told = place.start("verify")
    assert told.status == 3
    assert "CN2026-000002.pdf: its SHA-256 is not the one in the ledger: it was altered" in told.stderr
    assert "CN2026-000009.pdf: the ledger does not name this file" in told.stderr

"""The document of a credit note: its stored figures, its invoice and reason, as the ledger keeps them."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from invoicing.credit_note_rendering import issued_credit_notes
from invoicing.documents.model import Corrected, Customer, InvoiceDocument, VatTotal
from invoicing.documents.pdf import render_pdf
from invoicing.ledger import Ledger
from tests.cli.program import make_place

if TYPE_CHECKING:
    from tests.cli.program import Place

SETTINGS = (
    '[supplier]\nname = "Maison"\n[documents]\nreport = "none"\nembed_pdf = true\n[billing]\nquarantine_threshold = 1\n'
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """An invoice with a credit note on a line, one on the whole, and one on all that is left."""
    made = make_place(tmp_path_factory.mktemp("documents") / "place")
    assert made.run("2026-10", "--cdrs", "cdrs/october.csv").status == 0
    (made.folder / "centime.toml").write_text(SETTINGS, encoding="utf-8")
    for wish in (["--line", "3"], ["--amount", "2"], ["--all"]):
        now = ["--now", "2026-12-31T23:30:00Z"]
        told = made.start("credit", "2026-000001", *wish, "--reason", "<b>Trop</b>", *now)
        assert told.status == 0, told.stderr
    return made


@pytest.fixture(scope="module")
def documents(place: Place) -> list[InvoiceDocument]:
    ledger = Ledger(place.store / "ledger.duckdb", read_only=True)
    found = list(issued_credit_notes(ledger, ["CN2027-000001", "CN2027-000002", "CN2027-000003"]))
    ledger.close()
    return found


def test_credit_note__names_its_invoice_and_why(documents: list[InvoiceDocument]) -> None:
    first = documents[0]
    assert first.number == "CN2027-000001"
    assert first.corrects == Corrected("2026-000001", date(2026, 11, 2), "<b>Trop</b>")
    # The local day of the moment it was made at.
    assert (first.invoice_date, first.due_date) == (date(2027, 1, 1), date(2027, 1, 1))
    assert (first.period, first.next_period) == ("2026-10", "2026-11")
    assert first.structured_communication is None
    assert first.customer == Customer("c1", "One", "Street 1", "1000", "Brussels", "BE", "en", None)
    # The settings in force when it was made, not those of the invoice.
    assert (first.supplier.name, first.embeds_pdf, first.attaches_calls) == ("Maison", True, False)


def test_credit_note__has_lines_vat_and_totals_only(documents: list[InvoiceDocument]) -> None:
    for document in documents:
        assert (document.traffic, document.packs, document.months) == ((), (), ())
        assert document.calls.is_empty()
        assert [line.line_no for line in document.lines] == list(range(1, len(document.lines) + 1))
        assert sum(line.net_cents for line in document.lines) == document.net_cents
        assert document.gross_cents == document.net_cents + document.vat_cents > 0
    assert [document.vat for document in documents] == [
        (VatTotal("S", 21_000_000, 32, 7, None),),
        (VatTotal("S", 21_000_000, 200, 42, None),),
        (VatTotal("S", 21_000_000, 1321, 277, None),),
    ]
    told = [[(line.kind, line.description, line.net_cents, line.rule) for line in each.lines] for each in documents]
    assert told == [
        [("traffic", "[red]France[/red]", 32, "R-SECOND")],
        [("credit", "Credit on invoice 2026-000001", 200, "R-CREDIT-NOTE")],
        [
            ("traffic", "Info", 19, "R-SECOND"),
            ("one_off", "=1+1", 1502, "R-ONEOFF"),
            ("credit", "Already credited on invoice 2026-000001", -200, "R-CREDIT-NOTE"),
        ],
    ]
    assert [line.article for document in documents for line in document.lines] == [
        "8.3", "5.1, 8.1", "8.3", "8.1, 6.3", "5.1, 8.1",
    ]  # fmt: skip


def test_credit_note__is_made_again_with_the_same_bytes(place: Place, documents: list[InvoiceDocument]) -> None:
    published = place.store / "invoices/2027/CN2027-000001.pdf"
    assert render_pdf(documents[0]) == published.read_bytes()

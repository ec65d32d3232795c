"""The payment code: what a bank's app reads in it, and that it is on the page module by module."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import segno
from printed import reader_of
from sample_documents import SUPPLIER, credit_note, document, full_document, line

from invoicing.documents.payment_code import QUIET, payment_code, payment_text

if TYPE_CHECKING:
    from invoicing.documents.model import InvoiceDocument

SERVICE = line("recurring", "Abonnement", 1000)


def test_code__says_who_gets_how_much_with_which_communication() -> None:
    assert payment_text(full_document(0)).decode() == (
        "BCD\n002\n1\nSCT\nGKCCBEBB\nMaison Téléphonie SA\nBE68539007547034\nEUR739.90\n\n202600000192"
    )


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"gross_cents": 1}, "EUR0.01"),
        ({"gross_cents": 99_999_999_999}, "EUR999999999.99"),
        ({"structured_communication": None}, "EUR739.90\n\n\n2026-000001"),  # the number, as free text
        (
            {"supplier": replace(SUPPLIER, bic="", iban="BE68 5390 0754 7034")},
            "SCT\n\nMaison Téléphonie SA\nBE68539007547034",
        ),
        (
            {"supplier": replace(SUPPLIER, name="S\nEUR9999.00 " * 20)},
            "GKCCBEBB\nS EUR9999.00 S",
        ),  # no lines of its own
    ],
)
def test_code__holds_its_lines_in_their_order(fields: dict[str, object], expected: str) -> None:
    text = payment_text(replace(full_document(0), **fields)).decode()
    assert expected in text
    assert len(text.split("\n")[5]) <= 70


@pytest.mark.parametrize(
    "invoice",
    [
        full_document(0, number=None),
        full_document(0, supplier=replace(SUPPLIER, iban="")),
        full_document(0, supplier=replace(SUPPLIER, name="")),
        document([]),
        document([line("credit", "Interruption", -1500)]),
        credit_note(),
        replace(document([SERVICE]), gross_cents=100_000_000_000),  # more than a transfer can be
    ],
)
def test_code__there_is_none_where_nothing_can_be_paid(invoice: InvoiceDocument) -> None:
    assert payment_code(invoice, "") is None


def modules_of(invoice: InvoiceDocument) -> set[tuple[int, int]]:
    """The dark modules of the code on the first page, from the rectangles that are drawn there."""
    content = reader_of(invoice).pages[0].get_contents().get_data().decode("latin-1")
    drawn = re.search(r"/Figure <</MCID \d+>> BDC\nq\n0.100 0.100 0.100 rg\n(.*?)\nf\n", content, re.DOTALL)
    assert drawn is not None
    rectangles = [[float(part) for part in line.split()[:4]] for line in drawn[1].split("\n")]
    side = 27 * 72 / 25.4 / (len(segno.make_qr(payment_text(invoice), error="m", boost_error=False).matrix) + 2 * QUIET)
    left = min(x for x, *_ in rectangles) - QUIET * side
    top = min(y for _, y, *_ in rectangles) - QUIET * side
    return {
        (round((y - top) / side) - QUIET, round((x - left) / side) - QUIET + step)
        for x, y, width, _ in rectangles
        for step in range(round(width / side))
    }


def test_code__on_the_page_is_that_of_its_text() -> None:
    invoice = full_document(0)
    matrix = segno.make_qr(payment_text(invoice), error="m", boost_error=False).matrix
    dark = {(row, column) for row, modules in enumerate(matrix) for column, module in enumerate(modules) if module}
    assert modules_of(invoice) == dark

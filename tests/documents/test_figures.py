"""Figures that do not add up are refused, each by the first sum that differs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from electronic_documents import credit_note, electronic, untaxed
from sample_documents import MICRO, full_document, line, traffic

from invoicing.documents.figures import check_figures
from invoicing.documents.model import VatTotal, ZoneTraffic

if TYPE_CHECKING:
    from invoicing.documents.model import InvoiceDocument

TWO_RATES = electronic([line("one_off", "Câble", 1050), line("one_off", "Livre", 1050, vat_rate_micro=6 * MICRO)])
OF_CALLS = traffic(ZoneTraffic("2026-10", "be-mobile", None, "Mobile Belgique", 9, 74_741, 4_261, 356))


def with_vat(invoice: InvoiceDocument, *totals: VatTotal) -> InvoiceDocument:
    """The invoice with other VAT totals, and the sums that follow from them."""
    vat_cents = sum(total.vat_cents for total in totals)
    return replace(invoice, vat=totals, vat_cents=vat_cents, gross_cents=invoice.net_cents + vat_cents)


@pytest.mark.parametrize(
    "document",
    [
        full_document(),
        TWO_RATES,  # 2.205 and 0.63: 2.21, half up
        electronic([line("credit", "Retour", -1050)]),  # -2.205: -2.20, half up
        electronic([untaxed(category) for category in ("AE", "K", "G", "E")]),
        credit_note([OF_CALLS]),
        replace(credit_note([OF_CALLS]), traffic=()),  # a credit note has the lines of its traffic alone
    ],
)
def test_figures__that_add_up_pass(document: InvoiceDocument) -> None:
    check_figures(document)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (replace(TWO_RATES, net_cents=2101), "lines make 2100 cents, not 2101"),
        (replace(electronic([OF_CALLS]), traffic=()), "traffic make 0 cents, not 356"),
        (replace(TWO_RATES, vat=TWO_RATES.vat[:1]), "VAT bases make 1050 cents, not 2100"),
        (replace(TWO_RATES, vat_cents=283), "VAT make 284 cents, not 283"),
        (replace(TWO_RATES, gross_cents=2383), "net and VAT make 2384 cents, not 2383"),
        (
            with_vat(TWO_RATES, VatTotal("S", 21 * MICRO, 2100, 441, None)),
            "lines of VAT category S make 1050 cents, not 0",
        ),
        (
            with_vat(TWO_RATES, VatTotal("S", 6 * MICRO, 1050, 63, None), VatTotal("S", 21 * MICRO, 1050, 220, None)),
            "1050 cents at the rate of S make 221 cents, not 220",  # rounded down, a cent short
        ),
        (
            with_vat(electronic([untaxed("E")]), VatTotal("E", 0, 1000, 1, None)),
            "1000 cents at the rate of E make 0 cents, not 1",
        ),
        (
            with_vat(electronic([untaxed("E")]), VatTotal("AE", 0, 1000, 0, None)),
            "lines of VAT category AE make 0 cents, not 1000",
        ),
    ],
)
def test_figures__a_cent_away_is_refused(document: InvoiceDocument, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_figures(document)

"""Whatever the figures, as long as they add up: the document is valid, and read back it says the same figures."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from electronic_documents import credit_note, electronic, found, violations, xml_of
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from sample_documents import CUSTOMER, MICRO, line

from invoicing.documents.words import LANGUAGES, printable

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

    from invoicing.documents.model import InvoiceDocument, Line

DAYS = st.integers(0, 400).map(lambda days: date(2026, 1, 1) + timedelta(days))
WORDS = st.text(min_size=1, max_size=30)
RATES = {"S": (21 * MICRO, 6 * MICRO, 12_500_000), "AE": (0,), "K": (0,), "G": (0,), "E": (0,)}


@st.composite
def lines(draw: st.DrawFn) -> Line:
    """A line of any kind: sums of calls, quantities times prices, shares of a month, credits."""
    category = draw(st.sampled_from(list(RATES)))
    fields: dict[str, object] = {
        "vat_category": category,
        "vat_rate_micro": draw(st.sampled_from(RATES[category])),
        "rule": draw(st.sampled_from(["R-ADVANCE", "R-CAP", "R-BASIS"])),
        "article": draw(st.sampled_from(["8.1", "8.4", "8.5", "8.6"])),
        "product_id": draw(st.none() | WORDS),
    }
    kind = draw(
        st.sampled_from(["recurring", "user_cap", "number_minimum", "first_period", "traffic", "one_off", "credit"])
    )
    if kind == "traffic":
        seconds, net_cents = draw(st.integers(0, 10**8)), draw(st.integers(0, 10**9))
        fields |= {"quantity_micro": seconds * MICRO, "unit_price_micro": None, "zone_id": "z"}
        fields["traffic_period"] = f"{draw(DAYS):%Y-%m}"
        return line(kind, draw(WORDS), net_cents, **fields)
    quantity, price = draw(st.integers(1, 10**12)), draw(st.integers(0, 10**11))
    sign = -1 if kind == "credit" else 1
    numerator, share = quantity * price * sign, draw(st.sampled_from([1, 1, 2, 3, 31]))
    net_cents = (2 * numerator + share * 10**10) // (2 * share * 10**10)
    if draw(st.booleans()):
        first = draw(DAYS)
        fields |= {"service_from": first, "service_to": first + timedelta(draw(st.integers(0, 60)))}
    return line(kind, draw(WORDS), net_cents, quantity_micro=quantity, unit_price_micro=sign * price, **fields)


@st.composite
def invoices(draw: st.DrawFn) -> InvoiceDocument:
    """An invoice or credit note of some lines, to a customer of any name."""
    customer = replace(
        CUSTOMER, language=draw(st.sampled_from(LANGUAGES)), name=draw(WORDS), country="LU", vat_number="LU26375245"
    )
    make = draw(st.sampled_from([electronic, credit_note]))
    return make(draw(st.lists(lines(), min_size=1, max_size=6)), customer=customer)


def cents(root: Element, path: str) -> list[int]:
    return [int(Decimal(str(element.text)).scaleb(2)) for element in found(root, path)]


@given(invoices())
@settings(max_examples=60)
def test_any_document__is_valid_and_reads_back_to_its_figures(invoice: InvoiceDocument) -> None:
    xml = xml_of(invoice)
    assert xml == xml_of(invoice)
    assert violations(xml) == []
    root = etree.fromstring(xml)
    name = "CreditNote" if invoice.corrects else "Invoice"
    assert cents(root, f"cac:{name}Line/cbc:LineExtensionAmount") == [each.net_cents for each in invoice.lines]
    assert cents(root, "cac:LegalMonetaryTotal/cbc:TaxExclusiveAmount") == [invoice.net_cents]
    assert cents(root, "cac:LegalMonetaryTotal/cbc:PayableAmount") == [invoice.gross_cents]
    assert cents(root, "cac:TaxTotal/cbc:TaxAmount") == [invoice.vat_cents]
    assert cents(root, "cac:TaxTotal/cac:TaxSubtotal/cbc:TaxAmount") == [total.vat_cents for total in invoice.vat]
    written = [element.text for element in found(root, f"cac:{name}Line/cac:Item/cbc:Name")]
    assert written == [printable(each.description).strip() or "\ufffd" for each in invoice.lines]
    for element in found(root, f"cac:{name}Line"):
        assert net_by_price(element) == cents(element, "cbc:LineExtensionAmount")


def net_by_price(element: Element) -> list[int]:
    """Quantity times price by the base quantity, in cents, half up."""
    (quantity,) = [Decimal(str(each.text)) for each in element if "Quantity" in str(each.tag)]
    (price,) = [Decimal(str(each.text)) for each in found(element, "cac:Price/cbc:PriceAmount")]
    bases = [Decimal(str(each.text)) for each in found(element, "cac:Price/cbc:BaseQuantity")]
    numerator, denominator = (quantity * price * 100 / (bases[0] if bases else 1)).as_integer_ratio()
    return [(2 * numerator + denominator) // (2 * denominator)]

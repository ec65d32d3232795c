"""Documents broken on purpose, one thing each: the official rules catch every one and are named."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import pytest
from electronic_documents import NOVEMBER, credit_note, electronic, found, untaxed, violations, xml_of
from lxml import etree
from sample_documents import CUSTOMER, MICRO, line, traffic

from invoicing.documents.model import ZoneTraffic
from invoicing.documents.rule_sets import CEN, PEPPOL
from invoicing.documents.validation import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Callable

    from lxml.etree import _Element as Element

    Break = Callable[[Element], None]

INVOICE = xml_of(
    electronic(
        [
            line("recurring", "Standard", 3100, quantity_micro=2 * MICRO, unit_price_micro=15_500_000, **NOVEMBER),
            line("user_cap", "Standard", 1550, rule="R-CAP", article="8.5", **NOVEMBER),
            traffic(ZoneTraffic("2026-10", "be-mobile", None, "Mobile Belgique", 9, 74_741, 4_261, 356)),
            line("credit", "Interruption", -1500, unit_price_micro=-15_000_000, service_from=date(2026, 10, 3),
                 service_to=date(2026, 10, 3)),
        ]
    ),
    pdf=b"%PDF-1.7",
)  # fmt: skip
ABROAD = replace(CUSTOMER, country="LU", vat_number="LU26375245")
DOCUMENTS = {
    "invoice": INVOICE,
    "credit note": xml_of(credit_note([line("recurring", "Standard", 1550, **NOVEMBER)])),
    **{category: xml_of(electronic([untaxed(category)], customer=ABROAD)) for category in ("AE", "K", "G", "E")},
}
LINE, PARTY = "cac:InvoiceLine[1]", "cac:AccountingCustomerParty/cac:Party"
SELLER = "cac:AccountingSupplierParty/cac:Party"
SUBTOTAL, TOTAL = "cac:TaxTotal/cac:TaxSubtotal", "cac:LegalMonetaryTotal"
PAYMENT = "cac:PaymentMeans"


def gone(*paths: str) -> Break:
    """Without these elements."""

    def change(root: Element) -> None:
        elements = [element for path in paths for element in found(root, path)]
        assert len(elements) >= len(paths)
        for element in elements:
            element.getparent().remove(element)

    return change


def text(path: str, written: str) -> Break:
    """With another text."""

    def change(root: Element) -> None:
        elements = found(root, path)
        assert elements
        for element in elements:
            assert element.text != written
            element.text = written

    return change


def marked(path: str, name: str, written: str | None) -> Break:
    """With another attribute, or without it."""

    def change(root: Element) -> None:
        (element, *_) = found(root, path)
        if written is None:
            del element.attrib[name]
        else:
            assert element.get(name) != written
            element.set(name, written)

    return change


def twice(path: str) -> Break:
    """With an element once more, right behind it."""

    def change(root: Element) -> None:
        (element, *_) = found(root, path)
        element.addnext(etree.fromstring(etree.tostring(element)))

    return change


def added(parent: str, child: str, written: str | None = None, *, first: bool = False) -> Break:
    """With a basic element more."""

    def change(root: Element) -> None:
        (element, *_) = [root] if parent == "." else found(root, parent)
        name = f"{{urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2}}{child}"
        new = etree.Element(name)
        new.text = written
        element.insert(0 if first else len(element), new)

    return change


UNEXPLAINED = gone(".//cbc:TaxExemptionReason", ".//cbc:TaxExemptionReasonCode")
BROKEN: list[tuple[str, str, Break, str, str]] = [
    ("no specification", "invoice", gone("cbc:CustomizationID"), CEN, "BR-01"),
    ("no number", "invoice", gone("cbc:ID"), SCHEMA, "SCHEMAV_ELEMENT_CONTENT"),
    ("no date", "invoice", gone("cbc:IssueDate"), CEN, "BR-03"),
    ("no type", "invoice", gone("cbc:InvoiceTypeCode"), CEN, "BR-04"),
    ("an unknown type", "invoice", text("cbc:InvoiceTypeCode", "999"), CEN, "BR-CL-01"),
    ("the type of a credit note", "invoice", text("cbc:InvoiceTypeCode", "381"), PEPPOL, "PEPPOL-EN16931-P0100"),
    ("the type of an invoice", "credit note", text("cbc:CreditNoteTypeCode", "380"), PEPPOL, "PEPPOL-EN16931-P0101"),
    ("no currency", "invoice", gone("cbc:DocumentCurrencyCode"), CEN, "BR-05"),
    ("an unknown currency", "invoice", text("cbc:DocumentCurrencyCode", "EUX"), CEN, "BR-CL-04"),
    ("no process", "invoice", gone("cbc:ProfileID"), PEPPOL, "PEPPOL-EN16931-R001"),
    ("another process", "invoice", text("cbc:ProfileID", "urn:x"), PEPPOL, "PEPPOL-EN16931-R007"),
    ("another specification", "invoice", text("cbc:CustomizationID", "urn:x"), PEPPOL, "PEPPOL-EN16931-R004"),
    ("no reference of the buyer", "invoice", gone("cbc:BuyerReference"), PEPPOL, "PEPPOL-EN16931-R003"),
    ("two notes", "credit note", twice("cbc:Note"), PEPPOL, "PEPPOL-EN16931-R002"),
    ("a date in words", "invoice", text("cbc:DueDate", "tomorrow"), SCHEMA, "SCHEMAV_CVC_DATATYPE_VALID_1_2_1"),
    ("a date with a zone", "invoice", text("cbc:DueDate", "2026-11-27Z"), PEPPOL, "PEPPOL-EN16931-F001"),
    ("an empty element", "invoice", text("cbc:BuyerReference", " "), PEPPOL, "PEPPOL-EN16931-R008"),
    ("an unknown element", "invoice", added(".", "Colour", "red"), SCHEMA, "SCHEMAV_ELEMENT_CONTENT"),
    ("elements in another order", "invoice", added(LINE, "Note", "x"), SCHEMA, "SCHEMAV_ELEMENT_CONTENT"),
    ("a period that ends before it begins", "invoice",
     text("cac:InvoicePeriod/cbc:EndDate", "2026-01-01"), CEN, "BR-29"),
    ("a line's period the same", "invoice", text(f"{LINE}/cac:InvoicePeriod/cbc:EndDate", "2026-10-31"), CEN, "BR-30"),
    ("a line before the period", "invoice",
     text("cac:InvoicePeriod/cbc:StartDate", "2026-10-02"), PEPPOL, "PEPPOL-EN16931-R110"),
    ("a line after the period", "invoice",
     text("cac:InvoicePeriod/cbc:EndDate", "2026-11-29"), PEPPOL, "PEPPOL-EN16931-R111"),
    ("no supplier's name", "invoice", gone(f"{SELLER}/cac:PartyLegalEntity/cbc:RegistrationName"), CEN, "BR-06"),
    ("no customer's name", "invoice", gone(f"{PARTY}/cac:PartyLegalEntity/cbc:RegistrationName"), CEN, "BR-07"),
    ("no supplier's address", "invoice", gone(f"{SELLER}/cac:PostalAddress"), CEN, "BR-08"),
    ("no supplier's country", "invoice", gone(f"{SELLER}/cac:PostalAddress/cac:Country"), CEN, "BR-09"),
    ("no customer's address", "invoice", gone(f"{PARTY}/cac:PostalAddress"), CEN, "BR-10"),
    ("no customer's country", "invoice", gone(f"{PARTY}/cac:PostalAddress/cac:Country"), CEN, "BR-11"),
    ("an unknown country", "invoice",
     text(f"{PARTY}/cac:PostalAddress/cac:Country/cbc:IdentificationCode", "XX"), CEN, "BR-CL-14"),
    ("no sender's address", "invoice", gone(f"{SELLER}/cbc:EndpointID"), PEPPOL, "PEPPOL-EN16931-R020"),
    ("no receiver's address", "invoice", gone(f"{PARTY}/cbc:EndpointID"), PEPPOL, "PEPPOL-EN16931-R010"),
    ("an address without scheme", "invoice", marked(f"{PARTY}/cbc:EndpointID", "schemeID", None), CEN, "BR-63"),
    ("an unknown scheme", "invoice", marked(f"{PARTY}/cbc:EndpointID", "schemeID", "0000"), CEN, "BR-CL-25"),
    ("an enterprise number with a slip", "invoice",
     text(f"{PARTY}/cbc:EndpointID", "0428759498"), PEPPOL, "PEPPOL-COMMON-R043"),
    ("a GLN with a slip", "AE", marked(f"{PARTY}/cbc:EndpointID", "schemeID", "0088"), PEPPOL, "PEPPOL-COMMON-R040"),
    ("no supplier's VAT number", "invoice", gone(f"{SELLER}/cac:PartyTaxScheme"), CEN, "BR-S-02"),
    ("a VAT number without country", "invoice",
     text(f"{PARTY}/cac:PartyTaxScheme/cbc:CompanyID", "0428759497"), CEN, "BR-CO-09"),
    ("no means of payment", "invoice", gone(f"{PAYMENT}/cbc:PaymentMeansCode"), CEN, "BR-49"),
    ("an unknown means of payment", "invoice", text(f"{PAYMENT}/cbc:PaymentMeansCode", "999"), CEN, "BR-CL-16"),
    ("no account", "invoice", gone(f"{PAYMENT}/cac:PayeeFinancialAccount"), CEN, "BR-61"),
    ("no sum of lines", "invoice", gone(f"{TOTAL}/cbc:LineExtensionAmount"), CEN, "BR-12"),
    ("no total without VAT", "invoice", gone(f"{TOTAL}/cbc:TaxExclusiveAmount"), CEN, "BR-13"),
    ("no amount due", "invoice", gone(f"{TOTAL}/cbc:PayableAmount"), CEN, "BR-15"),
    ("another sum of lines", "invoice", text(f"{TOTAL}/cbc:LineExtensionAmount", "35.07"), CEN, "BR-CO-10"),
    ("another total without VAT", "invoice", text(f"{TOTAL}/cbc:TaxExclusiveAmount", "35.07"), CEN, "BR-CO-13"),
    ("another total with VAT", "invoice", text(f"{TOTAL}/cbc:TaxInclusiveAmount", "42.44"), CEN, "BR-CO-15"),
    ("another amount due", "invoice", text(f"{TOTAL}/cbc:PayableAmount", "42.44"), CEN, "BR-CO-16"),
    ("another VAT total", "invoice", text("cac:TaxTotal/cbc:TaxAmount", "7.37"), CEN, "BR-CO-14"),
    ("VAT more than a euro away", "invoice", text(f"{SUBTOTAL}/cbc:TaxAmount", "9.37"), CEN, "BR-CO-17"),
    ("another taxable amount", "invoice", text(f"{SUBTOTAL}/cbc:TaxableAmount", "45.06"), CEN, "BR-S-08"),
    ("an amount of three decimals", "invoice", text(f"{TOTAL}/cbc:PayableAmount", "42.430"), CEN, "BR-DEC-18"),
    ("another currency in one place", "invoice",
     marked(f"{TOTAL}/cbc:PayableAmount", "currencyID", "USD"), PEPPOL, "PEPPOL-EN16931-R051"),
    ("no VAT breakdown", "invoice", gone(SUBTOTAL), CEN, "BR-CO-18"),
    ("two VAT totals", "invoice", twice("cac:TaxTotal"), PEPPOL, "PEPPOL-EN16931-R053"),
    ("an unknown VAT category", "invoice", text(f"{SUBTOTAL}/cac:TaxCategory/cbc:ID", "X"), CEN, "BR-CL-17"),
    ("standard rated at 0 %", "invoice",
     text(f"{LINE}/cac:Item/cac:ClassifiedTaxCategory/cbc:Percent", "0"), CEN, "BR-S-05"),
    ("a reason where there is VAT", "invoice",
     added(f"{SUBTOTAL}/cac:TaxCategory", "TaxExemptionReason", "x"), CEN, "BR-S-10"),
    ("reverse charge without a reason", "AE", UNEXPLAINED, CEN, "BR-AE-10"),
    ("reverse charge without the customer's VAT number", "AE", gone(f"{PARTY}/cac:PartyTaxScheme"), CEN, "BR-AE-02"),
    ("reverse charge with a rate", "AE", text(".//cac:ClassifiedTaxCategory/cbc:Percent", "21"), CEN, "BR-AE-05"),
    ("the reason code of another category", "AE",
     text(".//cbc:TaxExemptionReasonCode", "VATEX-EU-IC"), PEPPOL, "PEPPOL-EN16931-P0106"),
    ("an unknown reason code", "AE", text(".//cbc:TaxExemptionReasonCode", "VATEX-XX"), CEN, "BR-CL-22"),
    ("intra-community supply without a reason", "K", UNEXPLAINED, CEN, "BR-IC-10"),
    ("intra-community supply to nowhere", "K", gone(".//cac:DeliveryLocation"), CEN, "BR-IC-12"),
    ("intra-community supply at no time", "K",
     gone("cac:InvoicePeriod", ".//cbc:ActualDeliveryDate"), CEN, "BR-IC-11"),
    ("intra-community supply without the customer's VAT number", "K",
     gone(f"{PARTY}/cac:PartyTaxScheme"), CEN, "BR-IC-02"),
    ("export without a reason", "G", UNEXPLAINED, CEN, "BR-G-10"),
    ("exempt without a reason", "E", gone(".//cbc:TaxExemptionReason"), CEN, "BR-E-10"),
    ("no line", "invoice", gone("cac:InvoiceLine"), CEN, "BR-16"),
    ("a line without quantity", "invoice", gone(f"{LINE}/cbc:InvoicedQuantity"), CEN, "BR-22"),
    ("a quantity without unit", "invoice", marked(f"{LINE}/cbc:InvoicedQuantity", "unitCode", None), CEN, "BR-23"),
    ("an unknown unit", "invoice", marked(f"{LINE}/cbc:InvoicedQuantity", "unitCode", "USER"), CEN, "BR-CL-23"),
    ("a line without name", "invoice", gone(f"{LINE}/cac:Item/cbc:Name"), CEN, "BR-25"),
    ("a line without price", "invoice", gone(f"{LINE}/cac:Price/cbc:PriceAmount"), CEN, "BR-26"),
    ("a negative price", "invoice", text("cac:InvoiceLine[4]/cac:Price/cbc:PriceAmount", "-15"), CEN, "BR-27"),
    ("a net that is not quantity times price", "invoice",
     text(f"{LINE}/cbc:InvoicedQuantity", "3"), PEPPOL, "PEPPOL-EN16931-R120"),
    ("a base quantity of 0", "invoice",
     text("cac:InvoiceLine[3]/cac:Price/cbc:BaseQuantity", "0"), PEPPOL, "PEPPOL-EN16931-R121"),
    ("a base quantity of another unit", "invoice",
     marked("cac:InvoiceLine[3]/cac:Price/cbc:BaseQuantity", "unitCode", "MIN"), PEPPOL, "PEPPOL-EN16931-R130"),
    ("a line without VAT category", "invoice", gone(f"{LINE}/cac:Item/cac:ClassifiedTaxCategory"), CEN, "BR-CO-04"),
    ("two notes of a line", "invoice", twice("cac:InvoiceLine[2]/cbc:Note"), CEN, "UBL-SR-34"),
    ("an attachment without a name", "invoice",
     marked(".//cbc:EmbeddedDocumentBinaryObject", "filename", None), CEN, "UBL-DT-07"),
    ("an attachment of another kind", "invoice",
     marked(".//cbc:EmbeddedDocumentBinaryObject", "mimeCode", "text/html"), CEN, "BR-CL-24"),
    ("a credit note for nothing", "credit note", gone("cac:BillingReference//cbc:ID"), CEN, "BR-55"),
]  # fmt: skip


@pytest.mark.parametrize("name", DOCUMENTS)
def test_broken__each_is_valid_before_it_is_broken(name: str) -> None:
    assert violations(DOCUMENTS[name]) == []


@pytest.mark.parametrize(("name", "change", "layer", "rule"), [pytest.param(*case, id=what) for what, *case in BROKEN])
def test_broken__the_rule_is_named(name: str, change: Break, layer: str, rule: str) -> None:
    root = etree.fromstring(DOCUMENTS[name])
    change(root)
    named = [(each.layer, each.rule) for each in violations(etree.tostring(root)) if each.fatal]
    assert (layer, rule) in named

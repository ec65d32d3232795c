"""Electronic invoices to judge in tests: documents of any VAT category and kind of line, and the rules that judge."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from lxml import etree
from sample_documents import MICRO, document, line

from invoicing.documents.electronic_address import parties_of
from invoicing.documents.model import Corrected, InvoiceDocument, Line, VatTotal, ZoneTraffic
from invoicing.documents.ubl import write_ubl
from invoicing.documents.validation import Violation, parse, validator

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

NAMESPACES = {
    "cac": "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2",
    "cbc": "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2",
}
CORRECTED = Corrected("2026-000001", date(2026, 10, 28), "Prix convenu non appliqué")
NOVEMBER = {"service_from": date(2026, 11, 1), "service_to": date(2026, 11, 30)}


def with_totals(invoice: InvoiceDocument, lines: list[Line]) -> InvoiceDocument:
    """The invoice with these lines, numbered, and the totals that they make."""
    numbered = tuple(replace(each, line_no=number) for number, each in enumerate(lines, 1))
    bases: Counter[tuple[str, int]] = Counter()
    for each in numbered:
        bases[each.vat_category, each.vat_rate_micro] += each.net_cents
    vat = tuple(
        VatTotal(category, rate, base, (2 * base * rate + 100 * MICRO) // (200 * MICRO), None)
        for (category, rate), base in sorted(bases.items())
    )
    net_cents, vat_cents = sum(bases.values()), sum(total.vat_cents for total in vat)
    traffic = tuple(
        ZoneTraffic(str(each.traffic_period), str(each.zone_id), None, each.description, 1, 60, 60, each.net_cents)
        for each in numbered
        if each.kind == "traffic"
    )
    return replace(
        invoice, lines=numbered, traffic=traffic, vat=vat, net_cents=net_cents, vat_cents=vat_cents,
        gross_cents=net_cents + vat_cents,
    )  # fmt: skip


def electronic(lines: list[Line], **fields: object) -> InvoiceDocument:
    """A document of these lines, each of its own VAT category and rate."""
    return replace(with_totals(document([]), lines), **fields)


def credit_note(lines: list[Line], **fields: object) -> InvoiceDocument:
    """A credit note of these lines."""
    return electronic(lines, number="CN2026-000001", corrects=CORRECTED, structured_communication=None, **fields)


def untaxed(category: str) -> Line:
    """A line of a VAT category without VAT."""
    return line("recurring", "Abonnement", 1000, vat_category=category, vat_rate_micro=0, **NOVEMBER)


def xml_of(invoice: InvoiceDocument, **attachments: bytes) -> bytes:
    """The document as UBL."""
    parties = parties_of(invoice)
    assert parties is not None
    return write_ubl(invoice, parties, **attachments)


def violations(xml: bytes) -> list[Violation]:
    """What the official rules say of a document; they are compiled once."""
    return validator().violations(parse(xml))


def found(root: Element, path: str) -> list[Element]:
    """The elements on a path such as `cac:InvoiceLine/cbc:ID`."""
    return root.findall(path, NAMESPACES)


def texts(xml: bytes, path: str) -> list[str]:
    """The texts of the elements on a path."""
    return [str(element.text) for element in found(etree.fromstring(xml), path)]

"""The figures of a document add up to the cent, before anything is made of them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from rating.money import MICRO, half_up_div

if TYPE_CHECKING:
    from invoicing.documents.model import InvoiceDocument


def check_figures(document: InvoiceDocument) -> None:
    """A document whose parts do not make its totals is not shown to anybody.

    The official rules for electronic invoices let a euro of wrong VAT pass; nothing passes here.

    Raises:
        ValueError: naming the first sum that differs.
    """
    for name, found, expected in [*_sums(document), *_vat_sums(document)]:
        if found != expected:
            raise ValueError(f"invoice {document.number}: {name} make {found} cents, not {expected}")


def _sums(document: InvoiceDocument) -> list[tuple[str, int, int]]:
    sums = [
        ("lines", sum(line.net_cents for line in document.lines), document.net_cents),
        ("VAT bases", sum(total.base_cents for total in document.vat), document.net_cents),
        ("VAT", sum(total.vat_cents for total in document.vat), document.vat_cents),
        ("net and VAT", document.net_cents + document.vat_cents, document.gross_cents),
    ]
    if document.corrects is None:
        traffic_cents = sum(line.net_cents for line in document.lines if line.kind == "traffic")
        sums.insert(1, ("traffic", sum(zone.amount_cents for zone in document.traffic), traffic_cents))
    return sums


def _vat_sums(document: InvoiceDocument) -> list[tuple[str, int, int]]:
    """Each category and rate: its lines make its base, and its VAT is that of the base, half up, once.

    The VAT of a credit note may differ: the last one takes what is left of its invoice's (R-CREDIT-NOTE).
    """
    lines: Counter[tuple[str, int]] = Counter()
    for line in document.lines:
        lines[line.vat_category, line.vat_rate_micro] += line.net_cents
    bases: Counter[tuple[str, int]] = Counter()
    sums = []
    for total in document.vat:
        bases[total.category, total.rate_micro_percent] += total.base_cents
        vat_cents = half_up_div(total.base_cents * total.rate_micro_percent, 100 * MICRO)
        if document.corrects is None:
            sums.append((f"{total.base_cents} cents at the rate of {total.category}", vat_cents, total.vat_cents))
    sums += [(f"lines of VAT category {key[0]}", lines[key], bases[key]) for key in sorted({*lines, *bases})]
    return sums

"""The lines of an electronic invoice: one for each invoice line, with a quantity and a price that make its net.

Rule PEPPOL-EN16931-R120 wants net = quantity * price / base quantity, to two cents. Where the net is not quantity
times unit price (a sum of calls, each rounded up; a share of a month), the price is the net and the base quantity
the whole quantity, so that it holds exactly. A price is never negative (BR-27): the quantity is.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from invoicing.documents.notes import SERVICE_KINDS, article_note, days_note
from invoicing.documents.ubl_elements import CURRENCY, amount, cac, cbc, number, required
from rating.money import MICRO, MICRO_PER_CENT, half_up_div

if TYPE_CHECKING:
    from invoicing.documents.model import Line
    from invoicing.documents.ubl_elements import Element
    from invoicing.documents.words import Language

# UN/ECE recommendation 20: one, and second.
ONE = "C62"
SECOND = "SEC"


@dataclass(frozen=True, slots=True)
class Pricing:
    """How a line comes to its net: `quantity_micro` of a unit, at a price for so many of it (both above 0, or 0)."""

    quantity_micro: int
    unit: str
    price_micro: int
    base_micro: int


def pricing_of(line: Line) -> Pricing:
    """The quantity and price of a line, such that they make its net and the price is not negative."""
    quantity, price = line.quantity_micro, line.unit_price_micro
    if price is not None and is_price_times_quantity(line):
        return Pricing(quantity, ONE, price, MICRO) if price >= 0 else Pricing(-quantity, ONE, -price, MICRO)
    unit = SECOND if is_of_calls(line) else ONE
    if quantity == 0:
        # An amount without a quantity, such as set-up fees alone.
        quantity, unit = MICRO, ONE
    base = abs(quantity)
    return Pricing(base if line.net_cents >= 0 else -base, unit, abs(line.net_cents) * MICRO_PER_CENT, base)


def is_of_calls(line: Line) -> bool:
    """Whether the line is the sum of calls, its quantity their charged seconds."""
    return line.kind == "traffic" and line.unit_price_micro is None


def is_price_times_quantity(line: Line) -> bool:
    """Whether the net of a line is its quantity times its unit price, half up; a share of a month is not."""
    if line.unit_price_micro is None:
        return False
    return half_up_div(line.quantity_micro * line.unit_price_micro, MICRO * MICRO_PER_CENT) == line.net_cents


def line_element(line: Line, name: str, quantity_name: str, speech: Language) -> Element:
    """One line, as the `InvoiceLine` or `CreditNoteLine` of its document."""
    pricing = pricing_of(line)
    base = None if pricing.base_micro == MICRO and pricing.unit == ONE else number(pricing.base_micro)
    return cac(
        name,
        cbc("ID", str(line.line_no)),
        cbc("Note", article_note(line, speech)),
        cbc(quantity_name, number(pricing.quantity_micro), unitCode=pricing.unit),
        amount("LineExtensionAmount", line.net_cents),
        period_element(period_of(line)),
        cac(
            "Item",
            cbc("Description", _description(line, speech)),
            required("Name", line.description),
            cac("SellersItemIdentification", cbc("ID", line.product_id or line.zone_id)),
            tax_category("ClassifiedTaxCategory", line.vat_category, line.vat_rate_micro),
        ),
        cac(
            "Price",
            cbc("PriceAmount", number(pricing.price_micro), currencyID=CURRENCY),
            cbc("BaseQuantity", base, unitCode=pricing.unit),
        ),
    )


def tax_category(name: str, category: str, rate_micro_percent: int, *reasons: Element | None) -> Element:
    """A VAT category with its rate, and why there is none."""
    return cac(
        name,
        cbc("ID", category),
        cbc("Percent", number(rate_micro_percent)),
        *reasons,
        cac("TaxScheme", cbc("ID", "VAT")),
    )


def period_of(line: Line) -> tuple[date, date] | None:
    """The first and last day that a line is about: of its service, or of the month of its calls."""
    if line.service_from is not None and line.service_to is not None:
        return line.service_from, line.service_to
    if line.traffic_period is None:
        return None
    first = date.fromisoformat(f"{line.traffic_period}-01")
    return first, first.replace(day=calendar.monthrange(first.year, first.month)[1])


def period_element(period: tuple[date, date] | None) -> Element | None:
    """A period from its first to its last day."""
    if period is None:
        return None
    first, last = period
    return cac("InvoicePeriod", cbc("StartDate", first.isoformat()), cbc("EndDate", last.isoformat()))


def _description(line: Line, speech: Language) -> str:
    """What the line is, for which days, and how a part of a month was counted."""
    parts = [_heading(line, speech), days_note(line, "", speech)]
    if line.unit_price_micro is None:
        if is_of_calls(line):
            parts.append(f"{speech.say('column.out_of_pack')} {speech.minutes(line.quantity_micro // MICRO)}")
    elif line.kind in SERVICE_KINDS and not is_price_times_quantity(line):
        quantity, price = speech.quantity(line.quantity_micro), speech.unit_price(line.unit_price_micro)
        parts.append(speech.say("electronic.pro_rata", quantity=quantity, unit_price=price))
    return "; ".join(part for part in parts if part)


def _heading(line: Line, speech: Language) -> str:
    """The section of the document in which the line stands, with the line's own month."""
    period = period_of(line)
    if period is None or line.kind not in {"traffic", *SERVICE_KINDS}:
        return speech.words.get(f"section.{line.kind}", "")
    month = speech.month(f"{period[0]:%Y-%m}")
    section = line.kind if line.kind in {"traffic", "first_period"} else "recurring"
    return speech.say(f"section.{section}", period=month)

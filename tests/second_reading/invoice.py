"""From lines to an invoice: traffic, one-offs, credits, VAT, number (R-LATE, R-ONEOFF, R-CREDIT,
R-INVOICE).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING

from tests.second_reading.amounts import euro, half_up
from tests.second_reading.books import Book, Row, day_of
from tests.second_reading.months import first_day, last_day
from tests.second_reading.recurring import Line

if TYPE_CHECKING:
    from tests.second_reading.packs import PoolKey
    from tests.second_reading.records import Call
    from tests.second_reading.zones import Owner, Tariff

KINDS = ("recurring", "first_period", "user_cap", "number_minimum", "traffic", "one_off", "credit")


@dataclass
class RatedCall:
    call: Call
    owner: Owner
    tariff: Tariff
    period: str
    billable_s: int
    pack_s: int
    amount_cents: int
    invoice_number: str | None = None
    drawn: dict[PoolKey, int] = field(default_factory=dict)
    taken_off: bool = False

    @property
    def charged_s(self) -> int:
        return self.billable_s - self.pack_s


@dataclass(frozen=True)
class Invoice:
    number: str
    customer_id: str
    period: str
    invoice_date: date
    due_date: date
    lines: tuple[Line, ...]
    vat_category: str
    vat_rate: Fraction
    supersedes: str | None = None

    @property
    def net_cents(self) -> int:
        return sum(line.net_cents for line in self.lines)

    @property
    def vat_cents(self) -> int:
        return half_up(self.net_cents * self.vat_rate / 100)


def traffic_lines(book: Book, calls: list[RatedCall], period: str) -> list[Line]:
    """R-INVOICE, R-LATE: one line per zone and month of traffic where its sum is above nothing.

    R-EMERGENCY: zones of kind emergency and free are never shown. The quantity is the seconds charged.
    """
    groups: dict[tuple[str, str], list[RatedCall]] = {}
    for rated in calls:
        if book.zone_kind.get(rated.tariff.zone_id) not in ("emergency", "free"):
            groups.setdefault((rated.period, rated.tariff.zone_id), []).append(rated)
    lines = []
    for (month, zone_id), held in groups.items():
        cents = sum(rated.amount_cents for rated in held)
        if cents > 0:
            lines.append(
                Line(
                    kind="traffic",
                    rule="R-SECOND" if month == period else "R-LATE",
                    quantity=Fraction(sum(rated.charged_s for rated in held)),
                    unit_price=None,
                    net_cents=cents,
                    zone_id=zone_id,
                    traffic_period=month,
                    service_from=first_day(month),
                    service_to=last_day(month),
                    order=(month, zone_id),
                )
            )
    return lines


def due_rows(book: Book, table: str, customer_id: str, first_period: str, period: str) -> list[Row]:
    """R-ONEOFF, R-CREDIT: the rows dated from the store's first day up to the period's last one."""
    return [
        row
        for row in book.rows(table)
        if row["customer_id"] == customer_id and first_day(first_period) <= day_of(row["date"]) <= last_day(period)
    ]


def one_off_lines(rows: list[Row]) -> list[Line]:
    """R-ONEOFF: each charge once, rounded half up on its own line."""
    lines = []
    for row in rows:
        quantity, price = euro(row["quantity"]), euro(row["unit_price"])
        lines.append(
            Line(
                kind="one_off",
                rule="R-ONEOFF",
                quantity=quantity,
                unit_price=price,
                net_cents=half_up(quantity * price * 100),
                product_id=row["product_id"] or None,
                service_from=day_of(row["date"]),
                service_to=day_of(row["date"]),
                order=(row["date"], row["charge_id"]),
            )
        )
    return lines


def credit_lines(rows: list[Row], left: dict[str, int], net_cents: int) -> list[Line]:
    """R-CREDIT: credits by date, then id, as far as the net total goes; `left` keeps what each still holds.

    A credit that takes nothing off makes no line, so that a credit alone is no invoice.
    """
    lines = []
    for row in sorted(rows, key=lambda row: (row["date"], row["credit_id"])):
        credit_id = row["credit_id"]
        left.setdefault(credit_id, int(euro(row["amount"]) * 100))
        taken = min(left[credit_id], net_cents)
        if taken <= 0:
            continue
        left[credit_id] -= taken
        net_cents -= taken
        lines.append(
            Line(
                kind="credit",
                rule="R-CREDIT",
                quantity=Fraction(1),
                unit_price=Fraction(-taken, 100),
                net_cents=-taken,
                service_from=day_of(row["date"]),
                service_to=day_of(row["date"]),
                order=(row["date"], credit_id),
            )
        )
    return lines


def in_order(lines: list[Line]) -> tuple[Line, ...]:
    """Lines by kind, then by what they are for, then by their days and price."""
    return tuple(
        sorted(
            lines,
            key=lambda line: (
                KINDS.index(line.kind),
                line.order,
                line.service_from or date.min,
                line.unit_price or Fraction(),
                line.service_to or date.min,
            ),
        )
    )


def structured_communication(number: str) -> str:
    """R-INVOICE: the number's ten digits and their remainder modulo 97, which is 97 where it would be 0."""
    digits = number.replace("-", "")
    check = int(digits) % 97 or 97
    return f"+++{digits[:3]}/{digits[3:7]}/{digits[7:]}{check:02d}+++"


def vat_rate(rates: list[dict[str, str]], category: str, day: date) -> Fraction:
    """R-INVOICE: the rate of a category on the invoice date; 21 % for S and nothing for others unless set."""
    begun = [row for row in rates if row["category"] == category and day_of(row["effective_from"]) <= day]
    if begun:
        return euro(max(begun, key=lambda row: row["effective_from"])["rate"])
    return Fraction(21) if category == "S" else Fraction()


def due_date(invoice_date: date, payment_days: int) -> date:
    return invoice_date + timedelta(days=payment_days)

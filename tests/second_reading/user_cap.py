"""How many users are billed: the contract's number at first (R-BASIS), a tenth less a quarter at most
(R-CAP).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from tests.second_reading.months import after, before, first_day, period_of, quarter_of
from tests.second_reading.services import Service, counted

if TYPE_CHECKING:
    from datetime import date

    from tests.second_reading.books import Book

ByProduct = dict[str, Fraction]


@dataclass(frozen=True)
class UserCount:
    """The users on one invoice, per product: configured and, no longer configured but billed, reserved."""

    configured: ByProduct
    reserved: ByProduct
    reference: Fraction

    @property
    def billed(self) -> ByProduct:
        products = {*self.configured, *self.reserved}
        return {
            product: self.configured.get(product, Fraction()) + self.reserved.get(product, Fraction())
            for product in products
        }

    @property
    def total(self) -> Fraction:
        return sum(self.billed.values(), Fraction())


def reduction(users: Fraction, cap_rounding: str) -> int:
    """R-CAP: a tenth of the users, whole users only; the switch decides which way it is rounded."""
    tenth, rest = divmod(users, 10)
    return int(tenth) + (1 if rest and cap_rounding == "ceil" else 0)


def spread(
    book: Book,
    customer_id: str,
    day: date,
    users: Fraction,
    short: ByProduct,
) -> ByProduct:
    """So many users over the products that are short, the cheapest of the day first, then by product_id."""
    spread_over: ByProduct = {}
    if users <= 0:
        return spread_over
    by_price = sorted(short, key=lambda product: (book.price(product, customer_id, day), product))
    for product in by_price:
        taken = min(users, short[product])
        if taken > 0:
            spread_over[product] = taken
            users -= taken
    return spread_over


def missing_users(book: Book, customer_id: str, day: date, there: ByProduct) -> ByProduct:
    """R-BASIS: the contracted users that are missing, on the contracted products that are short.

    None are missing where there are as many users as the contract names, whatever their products.
    """
    contracted = book.contracted_users(customer_id)
    users = sum(contracted.values(), Fraction()) - sum(there.values(), Fraction())
    short = {product: number - there.get(product, Fraction()) for product, number in contracted.items()}
    return spread(book, customer_id, day, users, {p: n for p, n in short.items() if n > 0})


def configured_users(book: Book, services: list[Service], period: str) -> ByProduct:
    """R-CAP: the users counted at the end of a period, by their product of the next one's first day."""
    configured: ByProduct = {}
    day = first_day(after(period))
    for service in counted(book, services, period):
        product = service.product_on(day)
        if service.kind == "user" and product is not None:
            configured[product] = configured.get(product, Fraction()) + 1
    return configured


def count_users(
    book: Book,
    services: list[Service],
    customer_id: str,
    period: str,
    *,
    cap_rounding: str,
    previous: UserCount | None,
) -> UserCount | None:
    """R-BASIS in the period in which the contract starts, R-CAP in every later one; none once it is over.

    `previous` is the count of the period before. Within a quarter the reference stays; the first period of a
    quarter takes the number billed in the period before it; a contract's first invoice is its own reference.
    Choice: the contract's first invoice is that of the period in which it starts, even if no line of it
    exists and none was issued; it then counts with the number billed there.
    """
    contract = book.contracts.get(customer_id)
    if contract is None or not contract.runs_past(period):
        return None
    day = first_day(after(period))
    configured = configured_users(book, services, period)
    if period_of(contract.starts_on) == period:
        reserved = missing_users(book, customer_id, day, configured)
        first = UserCount(configured, reserved, Fraction())
        return UserCount(configured, reserved, first.total)
    if previous is None:
        previous = UserCount({}, {}, Fraction())
    same_quarter = quarter_of(period) == quarter_of(before(period))
    reference = previous.reference if same_quarter else previous.total
    users = sum(configured.values(), Fraction())
    billed = max(users, reference - reduction(reference, cap_rounding))
    shrunk = {p: n - configured.get(p, Fraction()) for p, n in previous.billed.items()}
    shrunk = {p: n for p, n in shrunk.items() if n > 0}
    return UserCount(configured, spread(book, customer_id, day, billed - users, shrunk), reference)


def rebuild(
    book: Book,
    services: list[Service],
    customer_id: str,
    period: str,
    cap_rounding: str,
) -> UserCount | None:
    """R-CAP: the count of a period that the store never billed, from the users' history since the contract
    began.
    """
    contract = book.contracts.get(customer_id)
    if contract is None or period_of(contract.starts_on) > period:
        return None
    past: UserCount | None = None
    month = period_of(contract.starts_on)
    while month <= period:
        past = count_users(book, services, customer_id, month, cap_rounding=cap_rounding, previous=past)
        month = after(month)
    return past

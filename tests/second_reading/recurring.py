"""The lines of recurring services (R-ADVANCE, R-FIRST, R-BASIS, R-CAP, R-TWELVE)."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from tests.second_reading.amounts import half_up
from tests.second_reading.months import (
    NEVER,
    ONE_DAY,
    after,
    days_in,
    days_of,
    first_day,
    last_day,
    period_of,
)
from tests.second_reading.services import USERS, Service, counted, group_of, units
from tests.second_reading.user_cap import ByProduct, UserCount, missing_users

if TYPE_CHECKING:
    from datetime import date

    from tests.second_reading.books import Book


@dataclass(frozen=True)
class Item:
    """One service, or a number of them, to be paid from a day up to another (not included) of one month."""

    kind: str
    product_id: str
    price: Fraction
    start: date
    end: date
    quantity: Fraction
    rule: str


@dataclass(frozen=True)
class Line:
    """A line of an invoice, before it is numbered. Quantity and price exact, the net in cents."""

    kind: str
    rule: str
    quantity: Fraction
    unit_price: Fraction | None
    net_cents: int
    product_id: str | None = None
    zone_id: str | None = None
    traffic_period: str | None = None
    service_from: date | None = None
    service_to: date | None = None
    order: tuple[str, ...] = ()


def recurring_items(book: Book, services: list[Service], period: str) -> list[Item]:
    """R-ADVANCE: what is counted at the end of the period pays the next month at the price of its first day.

    Only the contract's own end within that month cuts it short, and a number from abroad then still runs to
    the end of its twelve months (R-TWELVE).
    """
    items = []
    month = after(period)
    start, month_end = first_day(month), first_day(after(month))
    for service in counted(book, services, period):
        product = service.product_on(start) or ""
        price = book.price(product, service.customer_id, start)
        end = min(month_end, book.contracts[service.customer_id].ends_on)
        rule = "R-ADVANCE"
        if service.minimum_end is not None and end < min(month_end, service.minimum_end):
            end = min(month_end, service.minimum_end)
            rule = "R-TWELVE"
        items.append(Item("recurring", product, price, start, end, service.quantity, rule))
    return items


def user_cap_items(book: Book, customer_id: str, period: str, count: UserCount | None) -> list[Item]:
    """R-CAP and R-BASIS: the users billed without being configured, up to the contract's end at most."""
    if count is None:
        return []
    month = after(period)
    start = first_day(month)
    contract = book.contracts[customer_id]
    end = min(first_day(after(month)), contract.ends_on)
    rule = "R-BASIS" if period_of(contract.starts_on) == period else "R-CAP"
    return [
        Item("user_cap", product, book.price(product, customer_id, start), start, end, users, rule)
        for product, users in sorted(count.reserved.items())
    ]


def users_on(services: list[Service], day: date) -> ByProduct:
    there: ByProduct = {}
    for service in services:
        product = service.product_on(day)
        if service.kind == "user" and product is not None:
            there[product] = there.get(product, Fraction()) + 1
    return there


def first_period_items(
    book: Book,
    services: list[Service],
    customer_id: str,
    period: str,
    *,
    billed: ByProduct,
    increase: str,
) -> list[Item]:
    """R-FIRST and R-BASIS: what begins within the period pays from that day.

    `billed` is what was billed for the period in advance, per group (all user products are one group): its
    products begin nothing, and of users billed so none are missing (a contract that was replaced within the
    period).
    """
    contract = book.contracts.get(customer_id)
    if contract is None:
        return []
    items = []
    contracted = Fraction()
    if period_of(contract.starts_on) == period:
        day = contract.starts_on
        contracted = sum(book.contracted_users(customer_id).values(), Fraction())
        missing = {} if USERS in billed else missing_users(book, customer_id, day, users_on(services, day))
        end = min(first_day(after(period)), contract.ends_on)
        for product, users in sorted(missing.items()):
            price = book.price(product, customer_id, day)
            items.append(Item("first_period", product, price, day, end, users, "R-BASIS"))
    products = {stretch.product_id for service in services for stretch in service.stretches}
    for group in sorted({group_of(book, product) for product in products}):
        named = contracted if group == USERS else Fraction()
        items += _group_items(
            book,
            services,
            group,
            period,
            billed=billed.get(group),
            contracted=named,
            increase=increase,
        )
    return items


def _group_items(
    book: Book,
    services: list[Service],
    group: str,
    period: str,
    *,
    billed: Fraction | None,
    contracted: Fraction,
    increase: str,
) -> list[Item]:
    """R-FIRST for one product (or for all user products): the services that pay from a day of the period.

    A product begins on a day on which there is a unit of it and there was none the day before. Where it
    begins, every service that starts on that day pays. Contracted users (R-BASIS) are units from the
    contract's first day on. Later units are an increase, free until the end of the month, unless `increase =
    "prorate"`: then the units beyond the most there were before pay from their day.
    Choices for `prorate`: what was billed for the period in advance is paid and never pays again; the
    services that start on the day pay, the cheapest first, then by product_id and id, up to the excess; a
    service that only changes its product pays nothing.
    """
    items: list[Item] = []

    def there_on(day: date) -> Fraction:
        there = units(book, services, group, day)
        in_contract = contracted and book.contracts[services[0].customer_id].holds(day)
        return max(there, contracted) if in_contract else there

    yesterday = there_on(first_day(period) - ONE_DAY)
    most = max(yesterday, billed or Fraction())
    for day in days_of(period):
        there = there_on(day)
        starting = [
            service
            for service in services
            if service.start == day
            and group in (service.product_on(day), group_of(book, service.product_on(day) or ""))
        ]
        if there > 0 and yesterday == 0 and billed is None:
            items += [_first_item(book, service, day, service.quantity) for service in starting]
        elif increase == "prorate" and there > most:
            items += _excess_items(book, starting, day, there - most)
        most = max(most, there)
        yesterday = there
    return items


def _excess_items(book: Book, starting: list[Service], day: date, excess: Fraction) -> list[Item]:
    items = []
    whole = [_first_item(book, service, day, service.quantity) for service in starting]
    ordered = sorted(
        zip(whole, starting, strict=True),
        key=lambda pair: (pair[0].price, pair[0].product_id, pair[1].service_id),
    )
    for item, service in ordered:
        quantity = min(excess, item.quantity)
        if quantity > 0:
            items.append(_first_item(book, service, day, quantity))
            excess -= quantity
    return items


def _first_item(book: Book, service: Service, day: date, quantity: Fraction) -> Item:
    """R-FIRST: from its first day to the end of the month or its own end; a number from abroad runs on to
    the end of its twelve months (R-TWELVE).
    """
    product = service.product_on(day) or ""
    price = book.price(product, service.customer_id, day)
    end = max(service.end, service.minimum_end or service.end)
    end = min(end, first_day(after(period_of(day))))
    return Item("first_period", product, price, day, end, quantity, "R-FIRST")


def minimum_items(book: Book, services: list[Service], customer_id: str, period: str) -> list[Item]:
    """R-TWELVE: a number from abroad that has begun and is not counted still pays to the end of its twelve
    months.

    While the contract runs, a month at a time; on the invoice of the contract's last period, all that is
    left, month by month, each at the price of its own first day.
    Choice: a contract found to have ended before the period gets nothing more here; that change is one for
    finance (R-RETRO).
    """
    contract = book.contracts.get(customer_id)
    if contract is None:
        return []
    month = after(period)
    over = contract.ends_on <= first_day(month)
    if over and period_of(contract.ends_on - ONE_DAY) != period:
        return []
    items = []
    still_counted = {id(service) for service in counted(book, services, period)}
    for service in services:
        if service.minimum_end is None or service.start > last_day(period) or id(service) in still_counted:
            continue
        start = first_day(month)
        while start < service.minimum_end:
            month_end = first_day(after(period_of(start)))
            product = service.latest_product(start)
            price = book.price(product, customer_id, start)
            end = min(month_end, service.minimum_end)
            items.append(Item("number_minimum", product, price, start, end, service.quantity, "R-TWELVE"))
            start = month_end if over else NEVER
    return items


def lines_of(items: list[Item]) -> list[Line]:
    """One line per kind, product, price and dates: quantities are summed, the amount is rounded half up
    once.
    """
    groups: dict[tuple[str, str, Fraction, date, date], list[Item]] = {}
    for item in items:
        key = (item.kind, item.product_id, item.price, item.start, item.end)
        groups.setdefault(key, []).append(item)
    lines = []
    for (kind, product_id, price, start, end), held in groups.items():
        quantity = sum((item.quantity for item in held), Fraction())
        share = Fraction((end - start).days, days_in(period_of(start)))
        rules = {item.rule for item in held}
        rule = "R-BASIS" if "R-BASIS" in rules else min(rules)
        lines.append(
            Line(
                kind=kind,
                rule=rule,
                quantity=quantity,
                unit_price=price,
                net_cents=half_up(quantity * price * share * 100),
                product_id=product_id,
                service_from=start,
                service_to=end - ONE_DAY,
                order=(product_id,),
            )
        )
    return lines

"""What a customer has on each day: users, numbers with a product, subscriptions, inside his contract."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from tests.second_reading.amounts import euro
from tests.second_reading.books import Book, Contract, Row, day_of, end_of
from tests.second_reading.months import after, first_day, last_day, year_later

if TYPE_CHECKING:
    from datetime import date

USERS = "(users)"  # all user products together, where they count as one


@dataclass(frozen=True)
class Stretch:
    start: date
    end: date
    product_id: str


@dataclass(frozen=True)
class Service:
    """One service, over all its rows that count as one.

    `minimum_end` is the day on which the duty of R-TWELVE ends, for a number from abroad.
    """

    kind: str
    service_id: str
    customer_id: str
    user_id: str | None
    quantity: Fraction
    stretches: tuple[Stretch, ...]
    minimum_end: date | None = None

    @property
    def start(self) -> date:
        return self.stretches[0].start

    @property
    def end(self) -> date:
        return self.stretches[-1].end

    def product_on(self, day: date) -> str | None:
        for stretch in self.stretches:
            if stretch.start <= day < stretch.end:
                return stretch.product_id
        return None

    def latest_product(self, day: date) -> str:
        """R-TWELVE: the product of the day, else the last one before it."""
        return [stretch for stretch in self.stretches if stretch.start <= day][-1].product_id


def clip(row: Row, contract: Contract) -> Stretch | None:
    """The part of a row that lies inside the contract: before and after it, no service exists."""
    start = max(day_of(row["active_from"]), contract.starts_on)
    end = min(end_of(row["active_to"]), contract.ends_on)
    return Stretch(start, end, row["product_id"]) if start < end else None


def services_of(book: Book, customer_id: str) -> list[Service]:
    contract = book.contracts.get(customer_id)
    if contract is None:
        return []
    return [
        *_users(book, contract),
        *_numbers(book, contract),
        *_subscriptions(book, contract),
    ]


def _rows_by(book: Book, table: str, key: str, customer_id: str) -> dict[str, list[Row]]:
    groups: dict[str, list[Row]] = {}
    for row in sorted(book.rows(table), key=lambda row: row.get("active_from", "")):
        if row["customer_id"] == customer_id:
            groups.setdefault(row[key], []).append(row)
    return groups


def _users(book: Book, contract: Contract) -> list[Service]:
    """Rows of one user with one customer that touch are one service, whatever their products."""
    found = []
    for user_id, rows in sorted(_rows_by(book, "users", "user_id", contract.customer_id).items()):
        runs: list[list[Stretch]] = []
        for stretch in [clip(row, contract) for row in rows]:
            if stretch is None:
                continue
            if runs and runs[-1][-1].end == stretch.start:
                runs[-1].append(stretch)
            else:
                runs.append([stretch])
        found += [Service("user", user_id, contract.customer_id, user_id, Fraction(1), tuple(run)) for run in runs]
    return found


def _numbers(book: Book, contract: Contract) -> list[Service]:
    """R-TWELVE: rows with a product that touch are one service; for a number from abroad also rows that start
    no later than its twelve months end, unless another customer had the number in between.

    Choice: rows are cut to the contract first, so that the twelve months of a number that was there before
    the contract are counted from the contract's first day.
    """
    found = []
    for number, rows in sorted(_rows_by(book, "numbers", "number", contract.customer_id).items()):
        abroad = rows[0]["country"] != "BE"
        others = [
            day_of(row["active_from"]) for row in book.number_rows(number) if row["customer_id"] != contract.customer_id
        ]
        runs: list[list[Stretch]] = []
        for row in rows:
            stretch = clip(row, contract) if row["product_id"] else None
            if stretch is None:
                continue
            if runs and _same_service(runs[-1], stretch, others, abroad=abroad):
                runs[-1].append(stretch)
            else:
                runs.append([stretch])
        found += [
            Service(
                "number",
                number,
                contract.customer_id,
                None,
                Fraction(1),
                tuple(run),
                _minimum_end(run, others) if abroad else None,
            )
            for run in runs
        ]
    return found


def _same_service(run: list[Stretch], stretch: Stretch, others: list[date], *, abroad: bool) -> bool:
    if run[-1].end == stretch.start:
        return True
    if not abroad or stretch.start > year_later(run[0].start):
        return False
    return not any(run[-1].end <= day < stretch.start for day in others)


def _minimum_end(run: list[Stretch], others: list[date]) -> date:
    """R-TWELVE: twelve months from the start, or the day another customer has the number after its end."""
    taken = [day for day in others if day >= run[-1].end]
    return min([year_later(run[0].start), *taken])


def _subscriptions(book: Book, contract: Contract) -> list[Service]:
    found = []
    for row in book.rows("subscriptions"):
        stretch = clip(row, contract) if row["customer_id"] == contract.customer_id else None
        if stretch is not None:
            found.append(
                Service(
                    "subscription",
                    row["subscription_id"],
                    contract.customer_id,
                    row["user_id"] or None,
                    euro(row["quantity"]),
                    (stretch,),
                )
            )
    return found


def group_of(book: Book, product_id: str) -> str:
    """R-FIRST: all user products count as one product."""
    return USERS if book.product_kind.get(product_id) == "user" else product_id


def units(book: Book, services: list[Service], group: str, day: date) -> Fraction:
    """How many units of a product (or of all user products) are active on a day."""
    total = Fraction()
    for service in services:
        product_id = service.product_on(day)
        if product_id is not None and group in (product_id, group_of(book, product_id)):
            total += service.quantity
    return total


def counted(book: Book, services: list[Service], period: str) -> list[Service]:
    """Counted at the end of a period: active on the first day of the next, in a contract begun within it
    or before.
    """
    day = first_day(after(period))
    return [
        service
        for service in services
        if book.contracts[service.customer_id].starts_on <= last_day(period) and service.product_on(day)
    ]

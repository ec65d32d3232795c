"""Included minutes: what each pool holds for a period and who draws from it first (R-PACK)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from tests.second_reading.months import days_in, days_of, last_day, period_of
from tests.second_reading.recurring import users_on
from tests.second_reading.services import Service, units
from tests.second_reading.user_cap import ByProduct, missing_users

if TYPE_CHECKING:
    from datetime import date

    from tests.second_reading.books import Book, Pack

PoolKey = tuple[str, str, str | None, str]  # customer, product, user, period


@dataclass(frozen=True)
class Pool:
    customer_id: str
    product_id: str
    user_id: str | None
    period: str
    pack: Pack
    opens: date
    allowance_s: int | None

    @property
    def key(self) -> PoolKey:
        return (self.customer_id, self.product_id, self.user_id, self.period)

    def serves(self, zone_id: str, zone_kind: str, user_id: str | None, day: date) -> bool:
        if day < self.opens or (self.pack.scope == "user" and self.user_id != user_id):
            return False
        return zone_id in self.pack.zones or ("*" in self.pack.zones and zone_kind != "premium")


def pools_of(
    book: Book,
    services: list[Service],
    customer_id: str,
    period: str,
    billed_users: ByProduct,
) -> list[Pool]:
    """Every pool of a customer that opens within the period.

    `billed_users` are the users billed for the period in advance, per product: a customer's pool holds on the
    first day no fewer units than those. In the contract's first period the contracted users that are missing
    (R-BASIS) are units of it on the contract's first day, for they are paid from that day.
    """
    pools = []
    contract = book.contracts.get(customer_id)
    for pack in book.packs(period):
        product_id = pack.product_id
        is_user_product = book.product_kind[product_id] == "user"
        mine = [s for s in services if any(part.product_id == product_id for part in s.stretches)]
        if pack.scope == "user":
            for user_id in sorted({service.user_id or "" for service in mine}):
                own = [service for service in mine if (service.user_id or "") == user_id]
                by_day = {day: units(book, own, product_id, day) for day in days_of(period)}
                pools += _pool(customer_id, pack, user_id, period, by_day)
            continue
        by_day = {day: units(book, mine, product_id, day) for day in days_of(period)}
        if is_user_product:
            first = days_of(period)[0]
            by_day[first] = max(by_day[first], billed_users.get(product_id, Fraction()))
            if contract and period_of(contract.starts_on) == period:
                day = contract.starts_on
                missing = missing_users(book, customer_id, day, users_on(services, day))
                by_day[day] += missing.get(product_id, Fraction())
        pools += _pool(customer_id, pack, None, period, by_day)
    return pools


def _pool(
    customer_id: str,
    pack: Pack,
    user_id: str | None,
    period: str,
    by_day: dict[date, Fraction],
) -> list[Pool]:
    """The pool, if it has a unit on any day: it opens on the first such day, with one allowance for the
    whole month.
    """
    opens = next((day for day in sorted(by_day) if by_day[day] > 0), None)
    if opens is None:
        return []
    seconds = None if pack.minutes is None else allowance_seconds(pack.minutes, period, by_day)
    return [Pool(customer_id, pack.product_id, user_id, period, pack, opens, seconds)]


def allowance_seconds(minutes: int, period: str, by_day: dict[date, Fraction]) -> int:
    """The first day's units bring all their minutes; each new high after it brings its share of the days
    left.
    """
    days = sorted(by_day)
    most = by_day[days[0]]
    seconds = math.floor(most * minutes * 60)
    for day in days[1:]:
        excess = by_day[day] - most
        if excess > 0:
            left = (last_day(period) - day).days + 1
            seconds += math.floor(excess * minutes * 60 * left / days_in(period))
            most = by_day[day]
    return seconds


def draw(
    pools: list[Pool],
    *,
    used: dict[PoolKey, int],
    drawn_by: dict[PoolKey, int],
    zone: tuple[str, str],
    user_id: str | None,
    day: date,
    billable_s: int,
) -> int:
    """One call takes from its open pools, lowest priority first, then by product_id; gives the seconds it
    got.

    `used` and `drawn_by` (seconds and calls per pool) are brought up to date.
    """
    taken = 0
    for pool in sorted(pools, key=lambda pool: (pool.pack.priority, pool.product_id)):
        if not pool.serves(*zone, user_id, day):
            continue
        wanted = billable_s - taken
        if pool.allowance_s is not None:
            wanted = min(wanted, max(0, pool.allowance_s - used.get(pool.key, 0)))
        if wanted > 0:
            used[pool.key] = used.get(pool.key, 0) + wanted
            drawn_by[pool.key] = drawn_by.get(pool.key, 0) + 1
            taken += wanted
    return taken

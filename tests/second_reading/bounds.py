"""Bounds read a second time (R-HELD), in plain Python: nothing of the product is imported."""

from __future__ import annotations

import statistics
from collections import defaultdict
from datetime import datetime
from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal
    from typing import Protocol

    class Figures(Protocol):
        """What the bounds are set to."""

        invoice_jump_times: Decimal
        invoice_jump_least_eur: Decimal
        long_call_h: Decimal
        day_spend_eur: Decimal
        night_spend_eur: Decimal


class Net(NamedTuple):
    """What an earlier invoice came to."""

    customer_id: str
    period: str
    net_cents: int


class Pool(NamedTuple):
    """A pack in a month."""

    month: int
    allowance_s: int | None
    used_s: int


def jumps(invoices: Mapping[str, int], before: Sequence[Net], bounds: Figures) -> list[str]:
    """The customers whose invoice is too far above what is usual."""
    found = []
    for customer_id, net_cents in invoices.items():
        nets = [net.net_cents for net in before if net.customer_id == customer_id]
        if len(nets) == 3 and net_cents >= Fraction(bounds.invoice_jump_least_eur) * 100:
            times = Fraction(bounds.invoice_jump_times)
            found += [customer_id] * (net_cents > times * statistics.median_low(nets))
    return found


def silent(called: Sequence[int], month: int, *, calls_now: int, served: bool) -> bool:
    """Whether a customer is silent for the first time."""
    if calls_now or not served or not called:
        return False
    expected, walked = [], min(called)
    while walked < month:
        expected.append(walked)
        walked += 1 if walked % 100 < 12 else 89
    return len(expected) >= 3 and set(expected) <= set(called)


def unused(pools: Sequence[Pool], month: int, months: int) -> bool:
    """Whether nothing was drawn from a pack for so many months up to this one."""
    for _ in range(months):
        here = [pool for pool in pools if pool.month == month]
        if not here or sum(pool.used_s for pool in here) or all(pool.allowance_s == 0 for pool in here):
            return False
        month -= 1 if month % 100 > 1 else 89
    return True


def spends(
    rows: Sequence[Mapping[str, object]], prices: Mapping[str, tuple[str, int, bool]], bounds: Figures
) -> list[tuple[object, ...]]:
    """The alarms of outgoing calls without packs: bound, user, number, zone, calls, measured.

    `prices` has of each callee its zone, the cents of a minute, and whether frauds call it.
    """
    found: list[tuple[object, ...]] = []
    days: dict[tuple[object, ...], list[int]] = defaultdict(list)
    nights: dict[tuple[object, ...], list[int]] = defaultdict(list)
    for row in rows:
        zone, cents, is_feared = prices.get(str(row["callee"]), ("", 0, False))
        seconds = int(str(row["duration_s"]))
        amount = ceil(Fraction(seconds * cents, 60))
        local = datetime.fromisoformat(str(row["start"])).astimezone(ZoneInfo("Europe/Brussels"))
        if not amount:
            continue
        # The caller of all of them is the number of u1.
        who = (row["user_id"] or "u1", None)
        if seconds > bounds.long_call_h * 3600:
            found.append(("long_call", *who, zone, 1, seconds))
        days[*who, zone, local.date()].append(amount)
        if is_feared and (local.hour >= 22 or local.hour < 6 or local.weekday() >= 5):
            nights[*who, None, local.date()].append(amount)
    for name, sums, most in (
        ("day_spend", days, bounds.day_spend_eur),
        ("night_spend", nights, bounds.night_spend_eur),
    ):
        found += [
            (name, *key[:3], len(amounts), sum(amounts))
            for key, amounts in sums.items()
            if sum(amounts) > Fraction(most) * 100
        ]
    return found

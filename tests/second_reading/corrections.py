"""A settled dispute read a second time: the month once more for one customer, without some calls or with other
tables (R-DISPUTE).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tests.second_reading.invoice import due_date, vat_rate
from tests.second_reading.months import local_day, period_of
from tests.second_reading.reading import Run, Store
from tests.second_reading.records import read_time

if TYPE_CHECKING:
    from tests.second_reading.invoice import Invoice, RatedCall
    from tests.second_reading.reading import Settings, Tables


@dataclass(frozen=True)
class Settlement:
    """What is settled: an invoice, at a moment, without some calls, with other tables or those of its run."""

    invoice_number: str
    now: str
    without: frozenset[str]
    platform: Tables | None
    supersedes: bool


def settle(store: Store, settlement: Settlement, settings: Settings) -> int:
    """Bring the store forward by one settled dispute; gives what the invoice comes to as corrected."""
    first = next(invoice for invoice in store.invoices if invoice.number == settlement.invoice_number)
    month = store.months[first.period]
    if settlement.platform is not None:
        month = replace(month, platform=settlement.platform)
    run = Run(store, month, settings)
    before = [one for one in store.settled.values() if one.invoice_number == first.number and not one.taken_off]
    take_back(store, first, before)
    # From now on what this customer's invoice opened is what the correction opens.
    customer_id = first.customer_id
    mine = {one for one in store.opened if one[1].customer_id == customer_id and one[0] in openers(first)}
    store.opened = [one for one in store.opened if one not in mine]
    run.opener = f"correction of {first.period} {customer_id} after {first.number}"
    run.services = {customer_id: run.services[customer_id]}
    count = store.counts.pop((customer_id, first.period), None)
    calls = rate_again(run, before, settlement.without, customer_id)
    stays = {one.call.call_id for one in calls}
    for one in before:
        one.taken_off = one.call.call_id not in stays
    lines = run.lines(customer_id, calls)
    if not settlement.supersedes:
        # A credit note gives money back: the invoice stays, with all that it has.
        assert store.counts.get((customer_id, first.period)) == count
        for one in calls:
            one.invoice_number = first.number
        return sum(line.net_cents for line in lines)
    own = run.issue(customer_id, lines)
    day = local_day(read_time(settlement.now))
    taken = sum(1 for invoice in store.invoices if invoice.invoice_date.year == day.year)
    rates = settings.get("vat", [])
    assert isinstance(rates, list)
    corrected = replace(
        own,
        number=f"{day.year}-{taken + 1:06d}",
        invoice_date=day,
        due_date=due_date(day, (own.due_date - own.invoice_date).days),
        vat_rate=vat_rate(rates, own.vat_category, local_day(run.now)),
        supersedes=first.number,
    )
    store.invoices.append(corrected)
    for one in calls:
        one.invoice_number = corrected.number
    return corrected.net_cents


def openers(first: Invoice) -> set[str]:
    """Who opened the pools of an invoice's calls: its run, or the corrections of it and that it comes from."""
    corrected = (
        f"correction of {first.period} {first.customer_id} after {n}" for n in (first.number, first.supersedes)
    )
    return {first.period, *corrected}


def take_back(store: Store, first: Invoice, calls: list[RatedCall]) -> None:
    """What an invoice used of packs, charges and credits is free again."""
    for one in calls:
        for key, seconds in one.drawn.items():
            store.used_s[key] -= seconds
            store.drawn_by[key] -= 1
    for line in first.lines:
        if line.kind == "one_off":
            store.charges_billed.discard(line.order[1])
        if line.kind == "credit":
            store.credits_left[line.order[1]] -= line.net_cents


def rate_again(run: Run, before: list[RatedCall], without: frozenset[str], customer_id: str) -> list[RatedCall]:
    """Those calls of the invoice that stay and are still this customer's; what is left of the others is as it was."""
    owned = []
    for one in before:
        verdict = None if one.call.call_id in without else run.judge(one.call)
        if verdict is not None and not isinstance(verdict, str) and verdict[0].customer_id == customer_id:
            owned.append((one.call, *verdict))
    assert all(period_of(local_day(call.start)) <= run.period for call, _, _ in owned)
    return run.price_calls(owned)

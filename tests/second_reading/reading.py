"""The whole sequence of monthly runs, read one call at a time: the entry point is `read_months`."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

from tests.second_reading.amounts import billable_seconds, call_cents
from tests.second_reading.books import Book, Row
from tests.second_reading.invoice import (
    Invoice,
    RatedCall,
    credit_lines,
    due_date,
    due_rows,
    in_order,
    one_off_lines,
    traffic_lines,
    vat_rate,
)
from tests.second_reading.months import before, first_day, local_day, period_of
from tests.second_reading.packs import Pool, PoolKey, draw, pools_of
from tests.second_reading.records import Call, FileCounts, Intake, Quarantined, read_time, take_in
from tests.second_reading.recurring import (
    Line,
    first_period_items,
    lines_of,
    minimum_items,
    recurring_items,
    user_cap_items,
)
from tests.second_reading.services import Service, counted, group_of, services_of
from tests.second_reading.tables import export
from tests.second_reading.user_cap import ByProduct, UserCount, count_users, rebuild
from tests.second_reading.zones import Owner, Tariff, owner_of, tariff_of

if TYPE_CHECKING:
    from collections.abc import Iterable

Settings = dict[str, object]
Tables = dict[str, list[Row]]


@dataclass(frozen=True)
class Month:
    """What one run gets: its period and moment, the platform's tables as text, CDR files as path and
    bytes.
    """

    period: str
    now: str
    platform: Tables
    files: list[tuple[str, bytes]]


@dataclass
class Store:
    """What is carried from one run to the next."""

    first_period: str = ""
    last_period: str = ""
    intake: Intake = field(default_factory=Intake)
    files: list[tuple[str, FileCounts]] = field(default_factory=list)
    refused: list[tuple[str, Quarantined]] = field(default_factory=list)
    settled: dict[str, RatedCall] = field(default_factory=dict)
    unrated: dict[str, str] = field(default_factory=dict)
    used_s: dict[PoolKey, int] = field(default_factory=dict)
    drawn_by: dict[PoolKey, int] = field(default_factory=dict)
    opened: list[tuple[str, Pool]] = field(default_factory=list)
    counts: dict[tuple[str, str], UserCount] = field(default_factory=dict)
    charges_billed: set[str] = field(default_factory=set)
    credits_left: dict[str, int] = field(default_factory=dict)
    invoices: list[Invoice] = field(default_factory=list)
    months: dict[str, Month] = field(default_factory=dict)

    def invoice_of(self, customer_id: str, period: str) -> Invoice | None:
        """The one in force: the last that was issued."""
        found = [i for i in self.invoices if (i.customer_id, i.period) == (customer_id, period)]
        return found[-1] if found else None

    def pools(self) -> dict[PoolKey, Pool]:
        """Every pool as it was opened last, by whichever run or correction."""
        return {pool.key: pool for _, pool in self.opened}

    def has_invoice_before(self, customer_id: str, period: str) -> bool:
        return any(i.customer_id == customer_id and i.period < period for i in self.invoices)


def read_months(months: Iterable[Month], settings: Settings) -> Store:
    """Run after run; `tables` then prints any export of the store that comes of it."""
    store = Store()
    for month in months:
        Run(store, month, settings).go()
    return store


class Run:
    """One run: the tables it sees, and the store that it brings forward."""

    def __init__(self, store: Store, month: Month, settings: Settings) -> None:
        self.store = store
        self.month = month
        self.period = month.period
        self.opener = month.period
        self.settings = settings
        self.now = read_time(month.now)
        self.book = Book(month.platform)
        self.services: dict[str, list[Service]] = {
            customer_id: services_of(self.book, customer_id) for customer_id in self.book.customer_ids()
        }

    def switch(self, name: str, default: str) -> str:
        return str(self.settings.get(name, default))

    def go(self) -> None:
        store = self.store
        store.first_period = store.first_period or self.period
        store.last_period = self.period
        store.months[self.period] = self.month
        files, refused = take_in(store.intake, self.month.files, self.now, self.settings)
        store.files += [(self.period, counts) for counts in files]
        store.refused += [(self.period, record) for record in refused]
        rated = self.rate_calls()
        for customer_id in self.book.customer_ids():
            self.bill(customer_id, [call for call in rated if call.owner.customer_id == customer_id])
        check_conservation(store)

    # ---------------------------------------------------------------- calls

    def rate_calls(self) -> list[RatedCall]:
        """R-LATE: every accepted call of this period or an earlier one that no run has settled is judged
        anew.
        """
        self.store.unrated = {}
        owned: list[tuple[Call, Owner, Tariff]] = []
        for call in self.store.intake.calls.values():
            waiting = period_of(local_day(call.start)) > self.period
            if call.duration_s == 0 or waiting or call.call_id in self.store.settled:
                continue
            verdict = self.judge(call)
            if isinstance(verdict, str):
                self.store.unrated[call.call_id] = verdict
            else:
                owned.append((call, *verdict))
        return self.price_calls(owned)

    def judge(self, call: Call) -> tuple[Owner, Tariff] | str:
        """R-OWNER: why the call cannot be rated, the first reason that holds, or who pays and by which
        tariff.
        """
        day = local_day(call.start)
        if period_of(day) < self.store.first_period:
            return "before_start"
        owner = owner_of(self.book, call)
        if owner is None:
            return "unknown_caller"
        contract = self.book.contracts.get(owner.customer_id)
        if contract is None or not contract.holds(day):
            return "outside_contract"
        tariff = tariff_of(self.book, call, owner.customer_id, self.switch("onnet", "customer"))
        return (owner, tariff) if tariff else "no_rate"

    def price_calls(self, owned: list[tuple[Call, Owner, Tariff]]) -> list[RatedCall]:
        """R-PACK, R-SECOND: in the order of start, then call_id, from the packs first, the rest charged."""
        store = self.store
        pools: dict[tuple[str, str], list[Pool]] = {}
        wanted = {(owner.customer_id, period_of(local_day(call.start))) for call, owner, _ in owned}
        wanted |= {(customer_id, self.period) for customer_id in self.services}
        for customer_id, period in sorted(wanted):
            pools[customer_id, period] = self.open_pools(customer_id, period)
        rated = []
        for call, owner, tariff in sorted(owned, key=lambda item: (item[0].start, item[0].call_id)):
            day = local_day(call.start)
            rate = tariff.rate
            billable_s = billable_seconds(call.duration_s, rate.first_s, rate.next_s)
            pack_s = 0
            drawn: dict[PoolKey, int] = {}
            if rate.per_minute > 0 or rate.setup > 0:
                zone = (tariff.zone_id, self.book.zone_kind[tariff.zone_id])
                mine = pools[owner.customer_id, period_of(day)]
                before_it = {pool.key: store.used_s.get(pool.key, 0) for pool in mine}
                pack_s = draw(
                    mine,
                    used=store.used_s,
                    drawn_by=store.drawn_by,
                    zone=zone,
                    user_id=owner.user_id,
                    day=day,
                    billable_s=billable_s,
                )
                taken = {key: store.used_s.get(key, 0) - used for key, used in before_it.items()}
                drawn = {key: seconds for key, seconds in taken.items() if seconds}
            cents = call_cents(billable_s - pack_s, rate.per_minute, rate.setup)
            one = RatedCall(call, owner, tariff, period_of(day), billable_s, pack_s, cents, drawn=drawn)
            store.settled[call.call_id] = one
            rated.append(one)
        return rated

    def open_pools(self, customer_id: str, period: str) -> list[Pool]:
        """R-PACK with the tables of this run; the pools last seen are the ones that the store shows."""
        billed = self.users_billed_for(customer_id, period)
        pools = pools_of(self.book, self.services[customer_id], customer_id, period, billed)
        self.store.opened += [(self.opener, pool) for pool in pools]
        return pools

    def users_billed_for(self, customer_id: str, period: str) -> ByProduct:
        """R-PACK: the users billed for a period in advance, rebuilt where the store has no invoice before
        it.
        """
        count = self.count_before(customer_id, period)
        return count.billed if count else {}

    def count_before(self, customer_id: str, period: str) -> UserCount | None:
        """The user count of the period before: as stored, or rebuilt for a customer never billed before
        (R-CAP).

        Choice: it is rebuilt too where the contract was over by then and is not any more.
        """
        stored = self.store.counts.get((customer_id, before(period)))
        if stored and self.store.has_invoice_before(customer_id, period):
            return stored
        services, rounding = self.services[customer_id], self.switch("cap_rounding", "floor")
        return rebuild(self.book, services, customer_id, before(period), rounding)

    # ------------------------------------------------------------- invoices

    def billed_for(self, customer_id: str) -> ByProduct:
        """R-FIRST: what was billed for this period in advance, per product, all user products as one."""
        billed: ByProduct = {}
        if self.period == self.store.first_period:
            for service in counted(self.book, self.services[customer_id], before(self.period)):
                product = service.product_on(first_day(self.period)) or ""
                group = group_of(self.book, product)
                billed[group] = billed.get(group, Fraction()) + service.quantity
            return billed
        invoice = self.store.invoice_of(customer_id, before(self.period))
        for line in invoice.lines if invoice else ():
            if line.kind in ("recurring", "user_cap"):
                group = group_of(self.book, line.product_id or "")
                billed[group] = billed.get(group, Fraction()) + line.quantity
        return billed

    def recurring_lines(self, customer_id: str) -> list[Line]:
        book, services, period = self.book, self.services[customer_id], self.period
        previous = self.count_before(customer_id, period)
        rounding = self.switch("cap_rounding", "floor")
        count = count_users(book, services, customer_id, period, cap_rounding=rounding, previous=previous)
        if count is not None:
            self.store.counts[customer_id, period] = count
        increase = self.switch("increase", "month_end")
        return lines_of(
            [
                *recurring_items(book, services, period),
                *first_period_items(
                    book,
                    services,
                    customer_id,
                    period,
                    billed=self.billed_for(customer_id),
                    increase=increase,
                ),
                *user_cap_items(book, customer_id, period, count),
                *minimum_items(book, services, customer_id, period),
            ]
        )

    def bill(self, customer_id: str, calls: list[RatedCall]) -> None:
        """R-INVOICE: an invoice where there is a line; without one the calls are settled with no number."""
        lines = self.lines(customer_id, calls)
        if not lines:
            return
        invoice = self.issue(customer_id, lines)
        self.store.invoices.append(invoice)
        for rated in calls:
            rated.invoice_number = invoice.number

    def lines(self, customer_id: str, calls: list[RatedCall]) -> list[Line]:
        """All that an invoice charges and deducts."""
        store = self.store
        charges = [
            row
            for row in due_rows(self.book, "charges", customer_id, store.first_period, self.period)
            if row["charge_id"] not in store.charges_billed
        ]
        store.charges_billed |= {row["charge_id"] for row in charges}
        lines = [
            *self.recurring_lines(customer_id),
            *traffic_lines(self.book, calls, self.period),
            *one_off_lines(charges),
        ]
        credits_due = due_rows(self.book, "credits", customer_id, store.first_period, self.period)
        net_cents = sum(line.net_cents for line in lines)
        return lines + credit_lines(credits_due, store.credits_left, net_cents)

    def issue(self, customer_id: str, lines: list[Line]) -> Invoice:
        """R-INVOICE: the next number of the year of the invoice date, due after the contract's or the
        usual days.
        """
        day = local_day(self.now)
        taken = sum(1 for invoice in self.store.invoices if invoice.invoice_date.year == day.year)
        customer = next(row for row in self.book.rows("customers") if row["customer_id"] == customer_id)
        contract = self.book.contracts.get(customer_id)
        days = contract.payment_days if contract else None
        if days is None:
            days = int(str(self.settings.get("payment_days", 30)))
        category = customer["vat_category"] or "S"
        rates = self.settings.get("vat", [])
        assert isinstance(rates, list)
        return Invoice(
            number=f"{day.year}-{taken + 1:06d}",
            customer_id=customer_id,
            period=self.period,
            invoice_date=day,
            due_date=due_date(day, days),
            lines=in_order(lines),
            vat_category=category,
            vat_rate=vat_rate(rates, category, day),
        )


def check_conservation(store: Store) -> None:
    """R-CONSERVATION: every record has one verdict, and every accepted call is settled, unrated or
    waiting.
    """
    for _, counts in store.files:
        verdicts = counts.accepted + counts.unanswered + counts.duplicate + counts.quarantined
        assert counts.records == verdicts, counts
    answered = [call for call in store.intake.calls.values() if call.duration_s > 0]
    waiting = [call for call in answered if period_of(local_day(call.start)) > store.last_period]
    assert sum(counts.accepted for _, counts in store.files) == len(answered)
    assert len(answered) == len(store.settled) + len(waiting) + len(store.unrated)


__all__ = ["Month", "Store", "export", "read_months"]

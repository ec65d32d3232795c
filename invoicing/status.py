"""The state of a store on one screen: what was issued, what waits, what is held, what to do next."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import polars as pl

from invoicing.issuing import balance
from invoicing.numbering import first_run_day
from invoicing.rendering import unpublished_numbers
from rating.periods import Period, period_text

if TYPE_CHECKING:
    from pathlib import Path

    from invoicing.desk import Desk, Report
    from invoicing.ledger import Rating, Run

PERIODS_SHOWN = 6
MEGABYTE = 1_000_000


def tell_status(desk: Desk, report: Report) -> None:
    """Tell the last periods with their totals, what waits and is held, the disk, and the next command."""
    runs, pending = desk.ledger.runs(), desk.ledger.ratings(issued=False)
    held = [number for run in runs if run.summary["documents"] for number in unpublished_numbers(desk.ledger, run)]
    waiting = _waiting(desk)
    report.tables["Periods"] = _periods(desk, pending)
    report.tables["Calls that wait"] = waiting
    used = sum(path.stat().st_size for path in desk.store.root.rglob("*") if path.is_file())
    free = shutil.disk_usage(desk.store.root).free
    files = desk.ledger.number("select count(*) from files")
    unfiled = desk.ledger.number("select count(*) from files where period is null")
    quarantined = desk.ledger.number("select sum(records) from quarantine_files where period is null")
    report.counts = {
        "periods": len(runs), "files": files, "files_waiting": unfiled, "calls_waiting": int(waiting["calls"].sum()),
        "quarantined": quarantined, "held": len(held), "used_bytes": used, "free_bytes": free,
    }  # fmt: skip
    report.messages += [
        f"store {desk.store.root}: {used / MEGABYTE:,.0f} MB used, {free / MEGABYTE:,.0f} MB free on its disk",
        balance(desk.ledger).sentence(),
    ]
    if unfiled:
        report.messages.append(f"{unfiled} files read and not run yet, {quarantined} records of them in quarantine")
    if held:
        report.attention.append(f"{len(held)} invoices have no documents: {', '.join(held[:PERIODS_SHOWN])}")
    command = next_command(desk, runs, pending, held)
    report.details["next"] = command
    report.messages.append(f"next: {command}")


def _waiting(desk: Desk) -> pl.DataFrame:
    """The calls that no run has settled, by their period."""
    found = desk.ledger.frame(
        "select period_number, cast(sum(answered) as bigint) calls from batches where rated_by is null "
        "group by period_number having sum(answered) > 0 order by period_number"
    )
    return found.select(period=period_text(pl.col("period_number")), calls=pl.col("calls").cast(pl.Int64))


def _periods(desk: Desk, pending: list[Rating]) -> pl.DataFrame:
    """The last periods: `period`, `state`, `invoices`, `net_cents`, `gross_cents`, `invoice_date`."""
    issued = desk.ledger.frame(
        "select r.period, 'issued' state, count(invoice_number) invoices, "
        "cast(coalesce(sum(net_cents), 0) as bigint) net_cents, "
        "cast(coalesce(sum(gross_cents), 0) as bigint) gross_cents, r.invoice_date from runs r "
        "left join invoices i using (period) group by r.period, r.invoice_date order by r.period"
    ).tail(PERIODS_SHOWN)
    asked = desk.settings.billing.approval
    rated = [
        {"period": str(rating.period), "state": "waits for approval" if asked else "rated, not issued"}
        for rating in pending
    ]
    return pl.concat([issued, pl.DataFrame(rated, schema={"period": pl.String, "state": pl.String})], how="diagonal")


def next_command(desk: Desk, runs: list[Run], pending: list[Rating], held: list[str]) -> str:
    """The command to type next, as far as the store tells."""
    if held:
        period = next(run.period for run in runs if held[0] in unpublished_numbers(desk.ledger, run))
        return f"centime render {period}"
    if pending and desk.settings.billing.approval:
        return f"centime issue {pending[0].period} --approve SHA256 (of {_page_of(desk, pending[0].period)})"
    if pending:
        return f"centime issue {pending[0].period} --platform DIR"
    period = runs[-1].period.next if runs else _first_waiting(desk)
    opens = first_run_day(period, desk.settings.billing.invoice_day)
    if desk.today < opens:
        return f"centime read PATH...; from {opens} on centime run {period} --platform DIR --cdrs PATH"
    return f"centime run {period} --platform DIR --cdrs PATH"


def _page_of(desk: Desk, period: Period) -> Path:
    return desk.store.root / f"reports/{period}-draft.html"


def _first_waiting(desk: Desk) -> Period:
    """The month that a store without runs begins with: the last that has calls, else the present one."""
    number = desk.ledger.number("select max(period_number) from batches")
    return Period(number // 100, number % 100) if number else Period.of(desk.today)

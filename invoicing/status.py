"""The state of a store on one screen: what was issued, what waits, what is held, what to do next."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import polars as pl

from invoicing.holding import held_invoices
from invoicing.issuing import balance
from invoicing.numbering import first_run_day
from invoicing.reports.month import months_until
from invoicing.undone_documents import without_documents
from rating.periods import Period, period_text

if TYPE_CHECKING:
    from invoicing.desk import Desk, Report
    from invoicing.ledger import Rating, Run

PERIODS_SHOWN = 6
NUMBERS_SHOWN = 6
# A file read counts from then on for the period that is run next.
NOT_RUN = "period is null or period not in (select period from runs)"
MEGABYTE = 1_000_000


def tell_status(desk: Desk, report: Report) -> None:
    """Tell the last periods with their totals, what waits and is held, the disk, and the next command."""
    runs, pending = desk.ledger.runs(), desk.ledger.ratings(issued=False)
    undone = without_documents(desk.ledger)
    held, waiting = held_invoices(desk.ledger), _waiting(desk)
    report.tables["Periods"] = _periods(desk, runs, pending)
    report.tables["Calls that wait"] = waiting
    used = sum(path.stat().st_size for path in desk.store.root.rglob("*") if path.is_file())
    free = shutil.disk_usage(desk.store.root).free
    files = desk.ledger.number("select count(*) from files")
    not_run = desk.ledger.number(f"select count(*) from files where {NOT_RUN}")  # noqa: S608
    quarantined = desk.ledger.number(f"select sum(records) from quarantine_files where {NOT_RUN}")  # noqa: S608
    report.counts = {
        "periods": len(runs), "files": files, "files_waiting": not_run, "calls_waiting": int(waiting["calls"].sum()),
        "quarantined": quarantined, "held": held.height, "without_documents": len(undone),
        "used_bytes": used, "free_bytes": free,
    }  # fmt: skip
    report.messages += [
        f"store {desk.store.root}: {used / MEGABYTE:,.0f} MB used, {free / MEGABYTE:,.0f} MB free on its disk",
        balance(desk.ledger).sentence(),
    ]
    if not_run:
        report.messages.append(f"{not_run} files read and not run yet, {quarantined} records of them in quarantine")
    if undone:
        named = ", ".join(list(undone)[:NUMBERS_SHOWN])
        report.attention.append(f"{len(undone)} invoices or credit notes have no documents: {named}")
    if held.height:
        report.tables["Held"] = held.drop("reasons")
        report.attention.append(f"{held.height} invoices are held; `centime held` says why")
    command = next_command(desk, runs, pending, undone, held, waiting)
    report.details["next"] = command
    report.messages.append(f"next: {command}")


def _waiting(desk: Desk) -> pl.DataFrame:
    """The calls that no run has settled, by their period."""
    found = desk.ledger.frame(
        "select period_number, cast(sum(answered) as bigint) calls from batches where rated_by is null "
        "group by period_number having sum(answered) > 0 order by period_number"
    )
    return found.select(period=period_text(pl.col("period_number")), calls=pl.col("calls").cast(pl.Int64))


def _periods(desk: Desk, runs: list[Run], pending: list[Rating]) -> pl.DataFrame:
    """The last periods: `period`, `state`, `invoices`, `net_cents`, `gross_cents`, `invoice_date`."""
    last = runs[-PERIODS_SHOWN:]
    dated = pl.DataFrame(
        [(str(run.period), "issued", run.invoice_date) for run in last],
        schema={"period": pl.String, "state": pl.String, "invoice_date": pl.Date}, orient="row",
    )  # fmt: skip
    months = months_until(desk.ledger, last[-1].period if last else Period.of(desk.today))
    issued = dated.join(months, on="period", maintain_order="left").select(
        "period", "state", "invoices", "net_cents", "gross_cents", "invoice_date"
    )
    asked = desk.settings.billing.approval
    rated = [
        {"period": str(rating.period), "state": "waits for approval" if asked else "rated, not issued"}
        for rating in pending
    ]
    return pl.concat([issued, pl.DataFrame(rated, schema={"period": pl.String, "state": pl.String})], how="diagonal")


def next_command(
    desk: Desk, runs: list[Run], pending: list[Rating], undone: dict[str, str], held: pl.DataFrame,
    waiting: pl.DataFrame,
) -> str:  # fmt: skip
    """The command to type next, as far as the store tells."""
    if undone:
        return f"centime render {next(iter(undone.values()))}"
    if held.height:
        return f"centime release {held['customer_id'][0]} {held['period'][0]} --reason TEXT"
    if pending and desk.settings.billing.approval:
        period = pending[0].period
        return f"centime issue {period} --approve SHA256 (of {_shown_in(desk, period)})"
    if pending:
        return f"centime issue {pending[0].period} --platform DIR"
    period = runs[-1].period.next if runs else _first_period(desk, waiting)
    if not _has_come(desk, period):
        opens = first_run_day(period, desk.settings.billing.invoice_day)
        return f"centime read PATH...; from {opens} on centime run {period} --platform DIR --cdrs PATH"
    before = [] if runs else [one for one in waiting["period"] if one < str(period)]
    lost = f" (the calls of {', '.join(before)} are then never rated)" if before else ""
    return f"centime run {period} --platform DIR --cdrs PATH{lost}"


def _shown_in(desk: Desk, period: Period) -> str:
    """Where the SHA-256 of a month that waits for approval stands: on its page, where one is written."""
    from invoicing.reports.writing import NONE, page_path  # noqa: PLC0415 - only who names a page waits for charts

    if desk.settings.documents.report == NONE:
        return f"`centime preview {period} --platform DIR`"
    return str(desk.store.root / page_path(period, is_draft=True))


def _has_come(desk: Desk, period: Period) -> bool:
    """Whether a period can be run already."""
    return first_run_day(period, desk.settings.billing.invoice_day) <= desk.today


def _first_period(desk: Desk, waiting: pl.DataFrame) -> Period:
    """The month that a store without runs begins with: calls of a month before it are never rated.

    It is the last with calls that can be run: those before were billed elsewhere. Where none can, it is the first
    with calls, and without calls the present one.
    """
    periods = [Period.parse(period) for period in waiting["period"]]
    ready = [period for period in periods if _has_come(desk, period)]
    return next(iter([*reversed(ready), *periods]), Period.of(desk.today))

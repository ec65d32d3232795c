"""The monthly job: all the steps of a month, one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoicing import drafting, issuing, publishing, runs

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from pathlib import Path

    from invoicing.desk import Desk, Report
    from rating.periods import Period
    from rating.sources.formats import Formats


def run(
    desk: Desk, period: Period, platform: Path, given: Sequence[str], formats: Formats, asked_date: date | None,
    report: Report, *, documents: bool,
) -> None:  # fmt: skip
    """The cron job: read, rate, bill, issue, render. A period that was issued is not touched again."""
    if runs.tell_issued(desk, period, report):
        if documents:
            done = runs.issued_run(desk.ledger, period)
            publishing.render(desk, done, report, again=False)
            publishing.write_page(desk, done, report, again=False)
        return
    runs.require_next(desk.ledger, period)
    runs.require_invoice_day(desk, period)
    invoice_date = issuing.choose_invoice_date(desk.ledger, desk.today, asked_date)
    tables = runs.load_tables(desk, platform, period, invoice_date)
    if given:
        runs.read(desk, given, formats, report)
    if desk.settings.billing.approval:
        drafting.put_up_for_approval(desk, *runs.rate_and_keep(desk, period, tables, report), tables, report)
        return
    rating = runs.rate_once(desk, period, tables, report)
    issued = runs.issue(desk, rating, tables, invoice_date, report, documents=documents)
    if documents:
        publishing.render(desk, issued, report, again=False)
        publishing.write_page(desk, issued, report, again=True)

"""Writing the page of a month beside its documents, or where it is asked for."""

from __future__ import annotations

import json
import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from invoicing.reports.month import draft_month, issued_month
from invoicing.reports.page import report_page
from invoicing.reports.parts import Link
from invoicing.table_files import require_target, write_target

if TYPE_CHECKING:
    from collections.abc import Collection

    from invoicing.desk import Desk, Report
    from invoicing.ledger import Ledger, Run
    from invoicing.month_again import MonthAgain
    from invoicing.pipeline import Bill
    from invoicing.rating_run import RatedPeriod
    from rating.periods import Period
    from rating.sources.platform_tables import LoadedPlatform

FOLDER = "reports"
NONE = "none"
# Of a document's files, those that a browser opens; the first is what the customer's name leads to.
OPENED = (".pdf", ".html")


def page_path(period: Period, *, is_draft: bool = False) -> str:
    """Where the page of a month stands in the store."""
    return f"{FOLDER}/{period}{'-draft' if is_draft else ''}.html"


def write_issued(desk: Desk, run: Run, code: str, output: Path | None) -> Path:
    """Write the page of an issued month, into the store where no other place is given.

    Raises:
        InputRefused: where it cannot be written there, or there is no such language.
        StoreUnavailable: where something it was made from is missing or altered.
    """
    if output is not None:
        require_target(desk.store, output, (".html",))
    target = output or desk.store.root / page_path(run.period)
    month = issued_month(desk, run, _kept_seconds(desk, run.period))
    page = report_page(month, code, document_links(desk.ledger, desk.store.root, run, target))
    if output is None:
        desk.store.write(page_path(run.period), partial(_write, page))
    else:
        write_target(output, partial(_write, page))
    return target


def write_after_run(desk: Desk, run: Run, report: Report, *, again: bool) -> None:
    """Write the page of a run beside its documents; `again` also where there is one."""
    code, path = desk.settings.documents.report, page_path(run.period)
    if code == NONE or (not again and (desk.store.root / path).exists()):
        return
    desk.progress.start("writing the report", 1)
    if again:
        seconds = json.dumps(desk.seconds(), sort_keys=False)
        desk.store.write(_seconds_path(run.period), partial(_write, seconds.encode()))
    report.written.append(str(write_issued(desk, run, code, None)))
    desk.progress.advance()
    report.messages.append(f"the month on one page: {desk.store.root / path}")


def draft_page(
    desk: Desk, period: Period, loaded: LoadedPlatform, draft: MonthAgain, folder: Path, written: Collection[str]
) -> Path | None:
    """Write the page of a month as it would be, beside its drafts, of which these were written."""
    if desk.settings.documents.report == NONE:
        return None
    month = draft_month(desk, period, loaded, draft.rated, draft.bill, draft.place)
    links: dict[str, tuple[Link, ...]] = {}
    for customer in month.invoices["customer_id"]:
        names = [f"draft-{period}-{customer}{suffix}" for suffix in OPENED]
        there = [name for name in names if str(folder / name) in written]
        links[customer] = tuple(_link(name, quote(name)) for name in there)
    target = folder / f"report-{period}.html"
    write_target(target, partial(_write, report_page(month, desk.settings.documents.report, links)))
    return target


def write_proposal(
    desk: Desk, period: Period, loaded: LoadedPlatform, rated: RatedPeriod, bill: Bill, report: Report
) -> None:
    """Write the page of a month that waits for approval into the store."""
    code, path = desk.settings.documents.report, page_path(period, is_draft=True)
    if code != NONE:
        month = draft_month(desk, period, loaded, rated, bill, desk.store)
        desk.store.write(path, partial(_write, report_page(month, code, {})))
        report.written.append(str(desk.store.root / path))
        report.messages.append(f"the month on one page: {desk.store.root / path}")


def document_links(ledger: Ledger, root: Path, run: Run, target: Path) -> dict[str, tuple[Link, ...]]:
    """By customer_id, the ways from a page to the documents of his invoice in a run."""
    rows = ledger.rows(
        "select i.customer_id, d.path from documents d join invoices_in_force i using (invoice_number) "
        "where i.period = ? order by d.path desc",
        [str(run.period)],
    )
    found: dict[str, tuple[Link, ...]] = {}
    for customer, path in rows:
        if str(path).endswith(OPENED):
            address = quote(Path(os.path.relpath(root / str(path), target.parent)).as_posix())
            found[str(customer)] = (*found.get(str(customer), ()), _link(str(path), address))
    return found


def _link(path: str, address: str) -> Link:
    """The text of a document's cell leads to the PDF; the web page is told by its name."""
    return Link("" if path.endswith(OPENED[0]) else "HTML", address)


def _seconds_path(period: Period) -> str:
    return f"{FOLDER}/{period}.json"


def _kept_seconds(desk: Desk, period: Period) -> dict[str, float]:
    """How long the steps of a run took, where they were kept; nothing else depends on them."""
    try:
        found = json.loads((desk.store.root / _seconds_path(period)).read_text(encoding="utf-8"))
        return {str(step): float(seconds) for step, seconds in found.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def _write(content: bytes, target: Path) -> None:
    target.write_bytes(content)

"""A month before it is issued: previewed, put up for approval, and issued as it was approved."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from invoicing import approval, holding, issuing, rating_run, rendering, runs, snapshots
from invoicing.bounds import judge_bounds
from invoicing.documents.assembly import Figures
from invoicing.electronic_parties import electronic_warnings
from invoicing.month_again import MonthAgain
from invoicing.pipeline import Bill, bill_period
from invoicing.rated_calls import read_rated
from invoicing.store import Store
from invoicing.table_files import require_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from invoicing.desk import Desk, Report
    from invoicing.issuing import Tables
    from invoicing.ledger import Rating
    from invoicing.rating_run import RatedPeriod
    from rating.periods import Period


def preview(desk: Desk, period: Period, platform: Path, drafts: Path | None, report: Report) -> None:
    """Rate and bill in memory: draft invoices, nothing numbered, nothing stored."""
    if drafts is not None:
        require_folder(desk.store, drafts)
    runs.require_next(desk.ledger, period)
    tables = runs.load_tables(desk, platform, period)
    with drafted(desk, period, tables) as (rated, bill, scratch):
        runs.tell_rating(desk, report, rated)
        before = holding.look_back(desk.store, desk.ledger, period, desk.settings.bounds, rated.packs_used)
        alarms = judge_bounds(period, bill, rated.traffic, rated.alarms, before, desk.settings.bounds)
        _tell_preview(desk, period, tables, bill, report)
        holding.tell_would_hold(bill, alarms, report)
        digests = approval.input_digests(
            desk.ledger, period, snapshots.snapshot_id(tables.loaded.files), desk.settings_text
        )
        report.messages += [
            f"{period}: {bill.invoices.height} draft invoices; nothing was numbered or stored",
            f"SHA-256 of calls, tables and settings: {digests.all}",
        ]
        if drafts is not None:
            calls = read_rated(scratch, {file.path: file.sha256 for file in rated.files}, rated.prices)
            figures = Figures(
                period, desk.today, issuing.with_parties(bill.invoices, tables.platform), bill.lines, bill.vat_totals,
                rated.packs_used, calls, rendering.months_before(desk.ledger, period, desk.ledger.next_rating_no()),
            )  # fmt: skip
            written = rendering.write_drafts(drafts, figures, tables.platform, desk.settings, desk.progress)
            report.written += written.paths
            report.attention += written.held
            report.warnings += [*electronic_warnings(desk.settings.supplier, desk.settings.documents), *written.told]
            report.warnings += _told_older_drafts(drafts, period, report)
            _write_draft_page(desk, period, tables, MonthAgain(rated, bill, scratch), drafts, report)


def _told_older_drafts(drafts: Path, period: Period, report: Report) -> list[str]:
    """What an earlier preview of the month left beside these drafts, in words: it is not removed for anybody."""
    older = sorted(path.name for path in drafts.glob(f"draft-{period}-*") if str(path) not in report.written)
    if not older:
        return []
    return [f"{drafts}: {', '.join(older)}: of an earlier preview, and none of this one; remove what is not wanted"]


def put_up_for_approval(desk: Desk, rating: Rating, rated: RatedPeriod, tables: Tables, report: Report) -> None:
    """Show what a month would be, and wait for somebody to approve it."""
    from invoicing.reports.writing import write_proposal  # noqa: PLC0415 - only who writes a page waits for charts

    traffic = issuing.traffic_of(desk.store, desk.ledger, rating)
    bill = issuing.bill_rating(rating, traffic, tables, desk.settings, desk.today)
    alarms = issuing.judge_rating(desk.store, desk.ledger, rating, bill, traffic, desk.settings.bounds)
    _tell_preview(desk, rating.period, tables, bill, report)
    holding.tell_would_hold(bill, alarms, report)
    digests = approval.keep_proposal(desk, rating.period, tables.loaded, bill)
    write_proposal(desk, rating.period, tables.loaded, rated, bill, report)
    report.details["approval"] = digests.all
    report.messages.append(f"{rating.period}: {bill.invoices.height} draft invoices; nothing was numbered")
    report.attention.append(
        f"{rating.period}: nothing is issued until somebody approves it: "
        f"`centime issue {rating.period} --approve {digests.all}`"
    )


def issue_approved(desk: Desk, period: Period, platform: Path | None, sha256: str, day: date, report: Report) -> bool:
    """Issue what was approved, and nothing else; where something changed since, show it and say False.

    Raises:
        InputRefused: where nothing is rated, or the SHA-256 is none.
    """
    approval.require_sha256(sha256)
    folder = platform or approval.snapshot_folder(desk, period)
    tables = runs.load_tables(desk, folder, period, day)
    digests = approval.input_digests(
        desk.ledger, period, snapshots.snapshot_id(tables.loaded.files), desk.settings_text
    )
    if not digests.all.startswith(sha256):
        with drafted(desk, period, tables) as draft:
            approval.tell_difference(desk, period, sha256, digests, draft.bill, report)
        return False
    rating = runs.pending_rating(desk, period, tables)
    traffic = issuing.traffic_of(desk.store, desk.ledger, rating)
    bill = issuing.bill_rating(rating, traffic, tables, desk.settings, day)
    if approval.differs(desk, period, digests, bill):
        approval.tell_difference(desk, period, sha256, digests, bill, report)
        return False
    runs.issue(desk, rating, tables, day, report, documents=False)
    report.messages.append(f"`centime render {period}` writes the documents")
    return True


@contextmanager
def drafted(desk: Desk, period: Period, tables: Tables) -> Iterator[MonthAgain]:
    """A month rated and billed in memory, as it would be; its calls are kept for as long as they are asked for."""
    with TemporaryDirectory(prefix="centime-") as folder:
        scratch = Store(Path(folder))
        rated = rating_run.rate_period(
            desk.store, desk.ledger, period, tables.history.first_period, tables.history.users, tables.platform,
            desk.settings, desk.progress, scratch,
        )  # fmt: skip
        bill = bill_period(
            period, tables.platform, rated.traffic, tables.services, tables.history, desk.settings, desk.today
        )
        yield MonthAgain(rated, bill, scratch)


def _write_draft_page(
    desk: Desk, period: Period, tables: Tables, draft: MonthAgain, folder: Path, report: Report
) -> None:
    """Write the month as it would be on one page, beside its drafts."""
    from invoicing.reports.writing import draft_page  # noqa: PLC0415 - only who writes a page waits for charts

    target = draft_page(desk, period, tables.loaded, draft, folder, report.written)
    if target is not None:
        report.written.append(str(target))
        report.messages.append(f"the month on one page: {target}")


def _tell_preview(desk: Desk, period: Period, tables: Tables, bill: Bill, report: Report) -> None:
    runs.tell_bill(report, bill, runs.retro_changes(desk, desk.ledger.last_run(), tables.loaded, period))
    report.tables["Draft invoices"] = bill.invoices
    report.tables["Lines"] = bill.lines.select(
        "customer_id", "line_no", "kind", "description", "service_from", "service_to", "quantity_micro",
        "unit_price_micro", "net_cents",
    )  # fmt: skip

"""The commands that change the store, step by step: read, rate, issue, render, and `run`, which is all of them."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import polars as pl

from invoicing import (
    approval,
    correction_rendering,
    credit_note_rendering,
    intake,
    issuing,
    rating_run,
    rendering,
    snapshots,
)
from invoicing.documents.assembly import Figures
from invoicing.documents.rule_sets import require_rules
from invoicing.electronic_parties import electronic_warnings, refuse_wrong_supplier
from invoicing.exports import reasons_in_words
from invoicing.issuing import Tables
from invoicing.month_again import MonthAgain
from invoicing.numbering import first_run_day
from invoicing.pipeline import Bill, bill_period, bill_services
from invoicing.retro import retroactive_changes
from invoicing.store import Store
from invoicing.totals import with_vat
from rating.platform_checks import notice_problems
from rating.services import SERVICE_TABLES, service_rows
from rating.sources.platform_tables import LoadedPlatform, load_platform
from schemas.errors import InputRefused
from schemas.settings import parse_settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from invoicing.desk import Desk, Report
    from invoicing.ledger import Ledger, Rating, Run
    from invoicing.rating_run import KeptRating, RatedPeriod
    from invoicing.rendering import Written
    from rating.periods import Period
    from rating.sources.formats import Formats
    from schemas.settings import DocumentSettings, Supplier


def require_next(ledger: Ledger, period: Period) -> None:
    """Only the period after the last one run can be run; the first run is free to choose.

    Raises:
        InputRefused: for any other.
    """
    last = ledger.last_run()
    if last is not None and period != last.period.next:
        raise InputRefused(
            f"{period}: the last period run is {last.period}, so the next one is {last.period.next}; "
            "periods are run one after the other"
        )


def require_invoice_day(desk: Desk, period: Period) -> None:
    """A period can be run from its invoice day on.

    Raises:
        InputRefused: before that.
    """
    opens = first_run_day(period, desk.settings.billing.invoice_day)
    if desk.today < opens:
        raise InputRefused(
            f"{period}: today is {desk.today}, and this period can be run from {opens} on "
            "(billing.invoice_day in centime.toml); `centime preview` shows what it would be"
        )


def require_no_approval(desk: Desk, period: Period) -> None:
    """A month may be issued as it is.

    Raises:
        InputRefused: where the settings ask for somebody's approval.
    """
    if desk.settings.billing.approval and period not in [run.period for run in desk.ledger.runs()]:
        raise InputRefused(
            f"{period}: billing.approval in centime.toml asks for an approval; `centime run {period}` shows what would "
            f"be issued, and `centime issue {period} --approve SHA256` issues just that"
        )


def load_tables(desk: Desk, folder: Path, period: Period, invoice_date: date | None = None) -> Tables:
    """The platform tables for a period, with everything judged that needs no call: notice, prices, VAT rates.

    The supplier and the rules for electronic invoices are judged first: documents are made of them at the end.

    Raises:
        InputRefused: with every problem found.
    """
    refuse_wrong_supplier(desk.settings.supplier)
    require_rules(desk.settings.documents.rules_dir)
    loaded = load_platform(folder, desk.settings, judge=partial(notice_problems, from_day=period.first_day))
    platform, first = loaded.platform, issuing.first_period(desk.ledger, period)
    with loaded.naming_files():
        issuing.refuse_changed_one_offs(desk.ledger, loaded)
        history = issuing.history_of(desk.ledger, period, first, platform, desk.settings)
        services = bill_services(period, platform, history, desk.settings)
    customers = platform.customers.select("customer_id")
    with_vat(customers, platform.customers, invoice_date or desk.today, desk.settings.vat)
    return Tables(loaded, history, services)


def read(desk: Desk, given: Sequence[str], formats: Formats, report: Report) -> None:
    """Read CDR files into the store."""
    taken = intake.read_cdrs(
        desk.store, desk.ledger, given, formats, desk.settings, desk.now, desk.moment, desk.progress
    )
    tell_intake(taken, report)


def tell_intake(taken: intake.Intake, report: Report) -> None:
    """Tell what a reading took in."""
    report.warnings += taken.warnings
    report.messages += taken.told
    report.counts["files"] = taken.files.height
    report.counts["files_skipped"] = len(taken.skipped)
    report.counts |= taken.sums()
    report.tables["Files read"] = taken.files.select("source_file", "source_format", *intake.COUNTS)
    report.messages += [f"{path}: read before, skipped" for path in taken.skipped]
    report.messages += [
        f"{path}: left out on purpose: {reasons_in_words(json.loads(reasons))}"
        for path, reasons in taken.files.filter(pl.col("skipped") > 0)
        .select("source_file", "skipped_by_reason")
        .iter_rows()
    ]


def judge_quarantine(desk: Desk, report: Report, quarantined: int, records: int, what: str) -> None:
    """Ask for a person where more than the threshold was set aside."""
    threshold = desk.settings.billing.quarantine_threshold
    if quarantined > threshold * records:
        report.attention.append(
            f"{quarantined} of {records} {what} are in quarantine, more than {threshold:%} "
            "(billing.quarantine_threshold); see `centime quarantine`"
        )


def rate(desk: Desk, period: Period, tables: Tables, report: Report) -> Rating:
    """Rate what is to be rated for a period and keep it as the pending rating."""
    return rate_and_keep(desk, period, tables, report)[0]


def rate_and_keep(desk: Desk, period: Period, tables: Tables, report: Report) -> tuple[Rating, RatedPeriod]:
    """The same, with all that rating gave."""
    rated = rating_run.rate_period(
        desk.store, desk.ledger, period, tables.history.first_period, tables.history.users, tables.platform,
        desk.settings, desk.progress,
    )  # fmt: skip
    rating = rating_run.keep_rating(
        desk.store,
        desk.ledger,
        period,
        tables.loaded,
        rated,
        desk.settings_text,
        desk.moment,
    )
    _tell_rating(desk, report, rated)
    report.warnings += tables.loaded.warnings
    return rating, rated


def rate_once(desk: Desk, period: Period, tables: Tables, report: Report) -> Rating:
    """The pending rating where nothing changed since, so that a run which died leaves no trace; else a new one."""
    for rating in desk.ledger.ratings(issued=False):
        if rating.period == period and not _changed_since(desk, rating, tables):
            _tell_rating(desk, report, rating_run.kept_rating(desk.store, desk.ledger, rating))
            report.warnings += tables.loaded.warnings
            return rating
    return rate(desk, period, tables, report)


def _tell_rating(desk: Desk, report: Report, rated: RatedPeriod | KeptRating) -> None:
    report.counts |= {"rated": rated.calls, "unrated": rated.unrated.height}
    report.sums["rated_cents"] = rated.amount_cents
    words = {
        "R-SPOOF": "calls show a caller number that is not active for the customer (17.1)",
        "R-SUSPENDED": "calls were placed while the customer was suspended (8.7)",
    }
    report.warnings += [
        f"{customer}: {count} {words[rule_id]}; rated ({rule_id})"
        for rule_id, customer, count in rated.reports.iter_rows()
    ]
    # Nobody can do anything about calls from before the store began: they are told, and do not count here.
    unrated = rated.unrated.filter(pl.col("reason") != "before_start").height
    judge_quarantine(desk, report, unrated, rated.calls + unrated, "calls judged")


def pending_rating(desk: Desk, period: Period, tables: Tables) -> Rating:
    """The pending rating of a period, made of these very tables, settings and calls.

    Raises:
        InputRefused: where there is none, or something changed since.
    """
    pending = [rating for rating in desk.ledger.ratings(issued=False) if rating.period == period]
    if not pending:
        raise InputRefused(f"{period}: nothing is rated yet; `centime rate {period} --platform DIR` does that first")
    rating = pending[0]
    changed = _changed_since(desk, rating, tables)
    if changed:
        raise InputRefused(
            f"{period}: {' and '.join(changed)} changed since the period was rated; "
            f"`centime rate {period} --platform DIR` rates it again"
        )
    return rating


def _changed_since(desk: Desk, rating: Rating, tables: Tables) -> list[str]:
    """What a rating was made of and is another one now, in words."""
    return [
        word
        for word, same in (
            ("the platform tables", rating.snapshot == snapshots.snapshot_id(tables.loaded.files)),
            ("the settings", rating.settings == desk.settings_text),
            ("the calls", rating.last_batch == desk.ledger.number("select max(batch_no) from batches")),
            ("the program", rating.program == desk.moment.program),
            ("what invoices were corrected", rating.rating_no == desk.ledger.next_rating_no() - 1),
        )
        if not same
    ]


def issue(desk: Desk, rating: Rating, tables: Tables, invoice_date: date, report: Report, *, documents: bool) -> Run:
    """Bill and number what was rated; `documents` says whether they are to follow, should this process die."""
    bill = issuing.bill_rating(desk.store, desk.ledger, rating, tables, desk.settings, invoice_date)
    previous = desk.ledger.last_run()
    retro = retro_changes(desk, previous, tables.loaded, rating.period)
    _tell_bill(report, bill, retro)
    filed = desk.ledger.rows(
        "select sum(records), sum(quarantined) from files where period is null or period = ?",
        [str(rating.period)],
    )[0]
    records, quarantined = (int(str(count or 0)) for count in filed)
    # Only what does not depend on how the calls came in: in one run, in daily reads, or over a run that died.
    summary: dict[str, object] = {
        "calls": rating.calls, "unrated": rating.unrated, "records": records, "quarantined": quarantined,
        "invoices": bill.invoices.height, "notes": [*bill.notes, *retro], "documents": documents,
    }  # fmt: skip
    desk.progress.start("issuing invoices", bill.invoices.height)
    run = issuing.commit_issue(
        desk.ledger, rating, bill, tables.platform, desk.settings_text, invoice_date, desk.moment, summary
    )
    desk.progress.advance(bill.invoices.height)
    judge_quarantine(desk, report, quarantined, records, "records read for this period")
    tell_run(desk, run, report)
    return run


def _tell_bill(report: Report, bill: Bill, retro: list[str]) -> None:
    report.counts |= {"invoices": bill.invoices.height, "lines": bill.lines.height}
    report.sums |= {name: int(bill.invoices[name].sum()) for name in ("net_cents", "vat_cents", "gross_cents")}
    report.warnings += [*bill.notes, *retro]


def tell_run(desk: Desk, run: Run, report: Report) -> None:
    """What was issued, and the balance of the calls."""
    report.tables["Invoices"] = desk.ledger.frame(
        "select invoice_number, customer_id, net_cents, vat_cents, gross_cents, due_date from invoices "
        "where period = ? and supersedes is null order by invoice_number",
        [str(run.period)],
    )
    issued = report.tables["Invoices"]
    report.counts["invoices"] = issued.height
    report.sums |= {name: int(issued[name].sum()) for name in ("net_cents", "vat_cents", "gross_cents")}
    numbers = f", {issued['invoice_number'][0]} to {issued['invoice_number'][-1]}" if issued.height else ""
    report.messages.append(f"{run.period}: {issued.height} invoices issued, dated {run.invoice_date}{numbers}")
    report.messages.append(issuing.balance(desk.ledger).sentence())


def issued_run(ledger: Ledger, period: Period) -> Run:
    """The run of a period.

    Raises:
        InputRefused: where it was not issued.
    """
    found = [run for run in ledger.runs() if run.period == period]
    if not found:
        last = ledger.last_run()
        known = f"the last period issued is {last.period}" if last else "no period was issued yet"
        raise InputRefused(f"{period}: not issued in this store; {known}")
    return found[0]


def tell_issued(desk: Desk, period: Period, report: Report) -> bool:
    """Whether a period is issued already; then nothing is changed, and what was issued is told."""
    if period not in [run.period for run in desk.ledger.runs()]:
        return False
    done = issued_run(desk.ledger, period)
    report.messages.append(f"{period} was issued at {done.issued_at}; what was issued is not changed")
    tell_run(desk, done, report)
    return True


def retro_changes(desk: Desk, previous: Run | None, loaded: LoadedPlatform, period: Period) -> list[str]:
    """R-RETRO in sentences: services entered or removed with a past date since the last run."""
    if previous is None or previous.snapshot == snapshots.snapshot_id(loaded.files):
        return []
    settings = parse_settings(json.loads(previous.settings))
    before = snapshots.load_snapshot_tables(desk.store, desk.ledger, previous.snapshot, settings, SERVICE_TABLES)
    changes = retroactive_changes(service_rows(before), service_rows(loaded.platform), period)
    services = changes.partition_by("customer_id", "table", "service_id", as_dict=True, maintain_order=True)
    return [
        f"{customer}: {table} {service} was {_spans(rows, 'removed')} and is now {_spans(rows, 'entered')}: this is "
        f"about months before {period}, which are invoiced; nothing is charged by itself (R-RETRO)"
        for (customer, table, service), rows in services.items()
    ]


def _spans(changes: pl.DataFrame, change: str) -> str:
    """The intervals of one service before or after a change, as far as they lie in invoiced months."""
    rows = changes.filter(pl.col("change") == change).sort("active_from").iter_rows(named=True)
    spans = [f"{row['product_id']} from {row['active_from']} until {row['past_end']}" for row in rows]
    return ", ".join(spans) or "not there"


def render(desk: Desk, run: Run, report: Report, *, again: bool, web_page: bool = False) -> None:
    """Write the documents of a run, with the settings it was issued under; as web pages too where that is asked."""
    require_rules(desk.settings.documents.rules_dir)
    settings = parse_settings(json.loads(run.settings))
    documents = with_web_page(desk.settings.documents, asked=web_page)
    written = rendering.render_run(
        desk.store, desk.ledger, run, settings, documents, desk.moment, desk.progress, again=again
    )
    _tell_written(desk, written, settings.supplier, report)


def with_web_page(settings: DocumentSettings, *, asked: bool) -> DocumentSettings:
    """The settings, with web pages where these or the command ask for them."""
    return replace(settings, web_page=settings.web_page or asked)


def _tell_written(desk: Desk, written: Written, supplier: Supplier, report: Report) -> None:
    """What was written, and why there is no electronic form of it where the supplier's settings have none."""
    report.written += [str(desk.store.root / path) for path in written.paths]
    report.attention += written.held
    if written.paths or written.held:
        report.warnings += electronic_warnings(supplier, desk.settings.documents)
    report.warnings += written.told
    if written.paths:
        pdfs, electronic = (sum(path.endswith(suffix) for path in written.paths) for suffix in (".pdf", ".xml"))
        folder = desk.store.root / "invoices"
        report.messages.append(f"{pdfs} documents in {folder}, {electronic} of them as electronic invoices too")


def render_period(desk: Desk, period: Period, report: Report, *, web_page: bool = False) -> None:
    """Write the documents of a period again: its invoices, corrected ones too, and the credit notes dated in it.

    Raises:
        InputRefused: where it has neither.
    """
    numbers = credit_note_rendering.credit_notes_dated_in(desk.ledger, period)
    if not numbers or period in [run.period for run in desk.ledger.runs()]:
        render(desk, issued_run(desk.ledger, period), report, again=True, web_page=web_page)
    corrected = correction_rendering.corrected_invoices_of(desk.ledger, period)
    render_corrections(desk, numbers, corrected, report, web_page=web_page)


def render_corrections(
    desk: Desk, credit_notes: list[str], invoices: list[str], report: Report, *, web_page: bool = False
) -> None:
    """Write the documents of credit notes and corrected invoices, each with the settings it was made with."""
    require_rules(desk.settings.documents.rules_dir)
    documents = with_web_page(desk.settings.documents, asked=web_page)
    notes = credit_note_rendering.render_credit_notes(
        desk.store, desk.ledger, credit_notes, documents, desk.moment, desk.progress
    )
    corrected = correction_rendering.render_corrected_invoices(
        desk.store, desk.ledger, invoices, documents, desk.moment, desk.progress
    )
    _tell_written(desk, notes.and_more(corrected), desk.settings.supplier, report)


def publish_corrections(desk: Desk, report: Report) -> None:
    """Write the documents of the credit notes and corrected invoices that have none yet."""
    credit_notes = credit_note_rendering.unpublished_credit_notes(desk.ledger)
    invoices = correction_rendering.unpublished_corrected_invoices(desk.ledger)
    render_corrections(desk, credit_notes, invoices, report)


def finish_earlier_runs(desk: Desk, report: Report) -> None:
    """Publish what was committed by a command that died before its documents were written."""
    for run in desk.ledger.runs():
        if run.summary["documents"] and rendering.unpublished_numbers(desk.ledger, run):
            render(desk, run, report, again=False)
    publish_corrections(desk, report)


def run(
    desk: Desk, period: Period, platform: Path, given: Sequence[str], formats: Formats, asked_date: date | None,
    report: Report, *, documents: bool,
) -> None:  # fmt: skip
    """The cron job: read, rate, bill, issue, render. A period that was issued is not touched again."""
    if tell_issued(desk, period, report):
        if documents:
            done = issued_run(desk.ledger, period)
            render(desk, done, report, again=False)
            write_page(desk, done, report, again=False)
        return
    require_next(desk.ledger, period)
    require_invoice_day(desk, period)
    invoice_date = issuing.choose_invoice_date(desk.ledger, desk.today, asked_date)
    tables = load_tables(desk, platform, period, invoice_date)
    if given:
        read(desk, given, formats, report)
    if desk.settings.billing.approval:
        rating, rated = rate_and_keep(desk, period, tables, report)
        put_up_for_approval(desk, rating, rated, tables, report)
        return
    rating = rate_once(desk, period, tables, report)
    issued = issue(desk, rating, tables, invoice_date, report, documents=documents)
    if documents:
        render(desk, issued, report, again=False)
        write_page(desk, issued, report, again=True)


def write_page(desk: Desk, run: Run, report: Report, *, again: bool) -> None:
    """Write the month on one page, beside the documents of its run."""
    from invoicing.reports.writing import write_after_run  # noqa: PLC0415 - only who writes a page waits for charts

    write_after_run(desk, run, report, again=again)


def put_up_for_approval(desk: Desk, rating: Rating, rated: RatedPeriod, tables: Tables, report: Report) -> None:
    """Show what a month would be, and wait for somebody to approve it."""
    from invoicing.reports.writing import write_proposal  # noqa: PLC0415 - as above

    bill = issuing.bill_rating(desk.store, desk.ledger, rating, tables, desk.settings, desk.today)
    _tell_preview(desk, rating.period, tables, bill, report)
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
    tables = load_tables(desk, folder, period, day)
    digests = approval.input_digests(
        desk.ledger, period, snapshots.snapshot_id(tables.loaded.files), desk.settings_text
    )
    if not digests.all.startswith(sha256):
        with drafted(desk, period, tables) as draft:
            approval.tell_difference(desk, period, sha256, digests, draft.bill, report)
        return False
    rating = pending_rating(desk, period, tables)
    bill = issuing.bill_rating(desk.store, desk.ledger, rating, tables, desk.settings, day)
    if approval.differs(desk, period, digests, bill):
        approval.tell_difference(desk, period, sha256, digests, bill, report)
        return False
    issue(desk, rating, tables, day, report, documents=False)
    report.messages.append(f"`centime render {period}` writes the documents")
    return True


def preview(desk: Desk, period: Period, platform: Path, drafts: Path | None, report: Report) -> None:
    """Rate and bill in memory: draft invoices, nothing numbered, nothing stored."""
    require_next(desk.ledger, period)
    tables = load_tables(desk, platform, period)
    with drafted(desk, period, tables) as (rated, bill, scratch):
        _tell_rating(desk, report, rated)
        _tell_preview(desk, period, tables, bill, report)
        digests = approval.input_digests(
            desk.ledger, period, snapshots.snapshot_id(tables.loaded.files), desk.settings_text
        )
        report.messages += [
            f"{period}: {bill.invoices.height} draft invoices; nothing was numbered or stored",
            f"SHA-256 of calls, tables and settings: {digests.all}",
        ]
        if drafts is not None:
            calls = rating_run.read_rated(scratch, {file.path: file.sha256 for file in rated.files}, rated.prices)
            figures = Figures(
                period, desk.today, issuing.with_parties(bill.invoices, tables.platform), bill.lines, bill.vat_totals,
                rated.packs_used, calls, rendering.months_before(desk.ledger, period, desk.ledger.next_rating_no()),
            )  # fmt: skip
            written = rendering.write_drafts(drafts, figures, tables.platform, desk.settings, desk.progress)
            report.written += written.paths
            report.attention += written.held
            report.warnings += [*electronic_warnings(desk.settings.supplier, desk.settings.documents), *written.told]
            _write_draft_page(desk, period, tables, MonthAgain(rated, bill, scratch), drafts, report)


def _write_draft_page(
    desk: Desk, period: Period, tables: Tables, draft: MonthAgain, folder: Path, report: Report
) -> None:
    """Write the month as it would be on one page, beside its drafts."""
    from invoicing.reports.writing import draft_page  # noqa: PLC0415 - only who writes a page waits for charts

    target = draft_page(desk, period, tables.loaded, draft, folder, report.written)
    if target is not None:
        report.written.append(str(target))
        report.messages.append(f"the month on one page: {target}")


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


def _tell_preview(desk: Desk, period: Period, tables: Tables, bill: Bill, report: Report) -> None:
    _tell_bill(report, bill, retro_changes(desk, desk.ledger.last_run(), tables.loaded, period))
    report.tables["Draft invoices"] = bill.invoices
    report.tables["Lines"] = bill.lines.select(
        "customer_id", "line_no", "kind", "description", "service_from", "service_to", "quantity_micro",
        "unit_price_micro", "net_cents",
    )  # fmt: skip

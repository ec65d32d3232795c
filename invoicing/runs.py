"""The commands that change the store, step by step: read, rate, issue."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

import polars as pl

from invoicing import holding, intake, issuing, rating_run, snapshots
from invoicing.exports import reasons_in_words
from invoicing.issuer import require_issuer
from invoicing.issuing import Tables
from invoicing.numbering import first_run_day
from invoicing.pipeline import Bill, bill_services
from invoicing.releasing import released_since
from invoicing.totals import with_vat
from rating.platform_checks import notice_problems
from rating.sources.platform_tables import LoadedPlatform, load_platform
from schemas.errors import InputRefused
from schemas.settings import parse_settings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from pathlib import Path

    from invoicing.desk import Desk, Report
    from invoicing.ledger import Ledger, Rating, Run
    from invoicing.rating_run import KeptRating, RatedPeriod
    from rating.periods import Period
    from rating.sources.formats import Formats


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
    require_issuer(desk)
    judge = partial(notice_problems, from_day=period.first_day, known=partial(_known_to_last_run, desk))
    loaded = load_platform(folder, desk.settings, judge=judge)
    platform, first = loaded.platform, issuing.first_period(desk.ledger, period)
    with loaded.naming_files():
        issuing.refuse_changed_one_offs(desk.ledger, loaded)
        history = issuing.history_of(desk.ledger, period, first, platform, desk.settings)
        services = bill_services(period, platform, history, desk.settings)
    customers = platform.customers.select("customer_id")
    with_vat(customers, platform.customers, invoice_date or desk.today, desk.settings.vat)
    return Tables(loaded, history, services)


def _known_to_last_run(desk: Desk, table: str) -> pl.DataFrame | None:
    """The rows of a table as the last run had them, where there was one."""
    last = desk.ledger.last_run()
    if last is None:
        return None
    settings = parse_settings(json.loads(last.settings))
    return snapshots.load_snapshot_tables(desk.store, desk.ledger, last.snapshot, settings, [table]).frames()[table]


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
    tell_rating(desk, report, rated)
    report.warnings += tables.loaded.warnings
    return rating, rated


def rate_once(desk: Desk, period: Period, tables: Tables, report: Report) -> Rating:
    """The pending rating where nothing changed since, so that a run which died leaves no trace; else a new one."""
    for rating in desk.ledger.ratings(issued=False):
        if rating.period == period and not _changed_since(desk, rating, tables):
            tell_rating(desk, report, rating_run.kept_rating(desk.store, desk.ledger, rating))
            report.warnings += tables.loaded.warnings
            return rating
    return rate(desk, period, tables, report)


def tell_rating(desk: Desk, report: Report, rated: RatedPeriod | KeptRating) -> None:
    """Tell what was rated, and of which rules somebody should know."""
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
    early = pl.col("reason") == "before_start"
    before = rated.unrated.filter(early).height
    if before and not desk.ledger.runs():
        report.warnings.append(
            f"{before} calls are of months before this first one of the store and never rated; where one of those is "
            "to be billed here, it must be run first"
        )
    # Later on nobody can do anything about calls from before the store began.
    unrated = rated.unrated.filter(~early).height
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
    traffic = issuing.traffic_of(desk.store, desk.ledger, rating)
    bill = issuing.bill_rating(rating, traffic, tables, desk.settings, invoice_date)
    alarms = issuing.judge_rating(desk.store, desk.ledger, rating, bill, traffic, desk.settings.bounds)
    divided, told = holding.divide(bill, alarms), holding.told_alarms(alarms)
    previous = desk.ledger.last_run()
    retro = retro_changes(desk, previous, tables.loaded, rating.period)
    tell_bill(report, divided.issued, [*told, *retro])
    filed = desk.ledger.rows(
        "select sum(records), sum(quarantined) from files where period is null or period = ?",
        [str(rating.period)],
    )[0]
    records, quarantined = (int(str(count or 0)) for count in filed)
    # Only what does not depend on how the calls came in: in one run, in daily reads, or over a run that died.
    summary: dict[str, object] = {
        "calls": rating.calls, "unrated": rating.unrated, "records": records, "quarantined": quarantined,
        "invoices": divided.issued.invoices.height, "held": divided.held.invoices.height,
        "notes": [*bill.notes, *told, *retro], "documents": documents,
    }  # fmt: skip
    desk.progress.start("issuing invoices", bill.invoices.height)
    run = issuing.commit_issue(
        desk.ledger, rating, divided, traffic, tables.platform, desk.settings_text, invoice_date, desk.moment, summary
    )
    desk.progress.advance(bill.invoices.height)
    judge_quarantine(desk, report, quarantined, records, "records read for this period")
    tell_run(desk, run, report)
    return run


def tell_bill(report: Report, bill: Bill, more: list[str]) -> None:
    """Tell the sums of a bill, and its notes with `more` of them."""
    report.counts |= {"invoices": bill.invoices.height, "lines": bill.lines.height}
    report.sums |= {name: int(bill.invoices[name].sum()) for name in ("net_cents", "vat_cents", "gross_cents")}
    report.warnings += [*bill.notes, *more]


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
    later = released_since(desk.ledger, run.period)
    at_once = issued["invoice_number"].filter(~issued["invoice_number"].is_in(later))
    numbers = f", {at_once[0]} to {at_once[-1]}" if len(at_once) else ""
    report.messages.append(f"{run.period}: {len(at_once)} invoices issued, dated {run.invoice_date}{numbers}")
    report.messages += [f"{run.period}: held then and released since: {', '.join(later)}"] if later else []
    report.messages.append(issuing.balance(desk.ledger).sentence())
    holding.tell_held(desk.ledger, report, run.period)


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
    """R-RETRO in sentences: services and contracts changed with a past date since the last run."""
    changes = snapshots.retro_since(desk.store, desk.ledger, previous, loaded, period)
    services = changes.partition_by("customer_id", "table", "service_id", as_dict=True, maintain_order=True)
    return [
        f"{customer}: {table} {service} was {_spans(rows, 'removed')} and is now {_spans(rows, 'entered')}: this is "
        f"about {_invoiced(str(table), period)}; nothing is charged by itself (R-RETRO)"
        for (customer, table, service), rows in services.items()
    ]


def _invoiced(table: str, period: Period) -> str:
    """What of a changed service or contract is on invoices already."""
    if table == "contract":
        return f"what was invoiced until {period} began, in advance for it too"
    return f"months before {period}, which are invoiced"


def _spans(changes: pl.DataFrame, change: str) -> str:
    """The intervals of one service before or after a change, as far as they lie in invoiced months."""
    rows = changes.filter(pl.col("change") == change).sort("active_from").iter_rows(named=True)
    spans = [
        f"{row['product_id'] or 'in force'} from {row['active_from']} "
        + (f"until {row['past_end']}" if row["past_end"] else "on")
        for row in rows
    ]
    return ", ".join(spans) or "not there"

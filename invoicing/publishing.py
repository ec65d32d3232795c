"""The documents of what was issued: written after a run, again when asked, and made up for where a command died."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from invoicing import rendering
from invoicing.correction_rendering import corrected_documents, corrected_invoices_of, unpublished_corrected_invoices
from invoicing.credit_note_rendering import credit_notes_dated_in, issued_credit_notes, unpublished_credit_notes
from invoicing.documents.rule_sets import require_rules, rules_in_use
from invoicing.documents.workers import made_by_workers
from invoicing.electronic_parties import electronic_warnings
from invoicing.releasing import unpublished_releases
from invoicing.runs import issued_run
from rating.periods import Period
from schemas.settings import parse_settings

if TYPE_CHECKING:
    from invoicing.desk import Desk, Report
    from invoicing.ledger import Run
    from invoicing.rendering import Written
    from schemas.settings import DocumentSettings, Supplier


def render(
    desk: Desk, run: Run, report: Report, *, again: bool, web_page: bool = False, only: list[str] | None = None
) -> None:
    """Write the documents of a run, or `only` of some of its invoices, with the settings it was issued under.

    They are written as web pages too where that is asked.
    """
    require_rules(desk.settings.documents.rules_dir)
    settings = parse_settings(json.loads(run.settings))
    documents = with_web_page(desk.settings.documents, asked=web_page)
    written = rendering.render_run(
        desk.store, desk.ledger, run, settings, documents, desk.moment, desk.progress, again=again, only=only
    )
    _tell_written(desk, written, settings.supplier, report)


def with_web_page(settings: DocumentSettings, *, asked: bool) -> DocumentSettings:
    """The settings, with web pages where these or the command ask for them."""
    return replace(settings, web_page=settings.web_page or asked)


def render_period(desk: Desk, period: Period, report: Report, *, web_page: bool = False) -> None:
    """Write the documents of a period again: its invoices, corrected ones too, and the credit notes dated in it.

    Raises:
        InputRefused: where it has neither.
    """
    numbers = credit_notes_dated_in(desk.ledger, period)
    if not numbers or period in [run.period for run in desk.ledger.runs()]:
        render(desk, issued_run(desk.ledger, period), report, again=True, web_page=web_page)
    corrected = corrected_invoices_of(desk.ledger, period)
    render_corrections(desk, numbers, corrected, report, web_page=web_page)


def render_corrections(
    desk: Desk, credit_notes: list[str], invoices: list[str], report: Report, *, web_page: bool = False
) -> None:
    """Write the documents of credit notes and corrected invoices, those that were published too.

    Each is made with the settings that it was made with first.

    Raises:
        StoreUnavailable: where a document made again is not the one that was published, byte for byte.
    """
    require_rules(desk.settings.documents.rules_dir)
    limits = with_web_page(desk.settings.documents, asked=web_page)
    written = rendering.Written()
    for step, numbers, documents_of in (
        ("writing credit notes", credit_notes, issued_credit_notes),
        ("writing corrected invoices", invoices, partial(corrected_documents, desk.store)),
    ):
        if numbers:
            desk.progress.start(step, len(numbers))
            made = made_by_workers(documents_of(desk.ledger, numbers), limits)
            published = rendering.publish(
                desk.store, desk.ledger, made, rules_in_use(limits), desk.moment, desk.progress
            )
            written = written.and_more(published)
    _tell_written(desk, written, desk.settings.supplier, report)


def publish_corrections(desk: Desk, report: Report) -> None:
    """Write the documents of the credit notes and corrected invoices that have none yet."""
    credit_notes = unpublished_credit_notes(desk.ledger)
    invoices = unpublished_corrected_invoices(desk.ledger)
    render_corrections(desk, credit_notes, invoices, report)


def finish_earlier_runs(desk: Desk, report: Report) -> None:
    """Publish what was committed by a command that died before its documents were written."""
    for run in desk.ledger.runs():
        if run.summary["documents"] and rendering.unpublished_numbers(desk.ledger, run):
            render(desk, run, report, again=False)
    publish_releases(desk, report)
    publish_corrections(desk, report)


def publish_releases(desk: Desk, report: Report) -> None:
    """Write the documents of the invoices that were released and have none yet."""
    for period, numbers in unpublished_releases(desk.ledger).items():
        render(desk, issued_run(desk.ledger, Period.parse(period)), report, again=False, only=numbers)


def write_page(desk: Desk, run: Run, report: Report, *, again: bool) -> None:
    """Write the month on one page, beside the documents of its run."""
    from invoicing.reports.writing import write_after_run  # noqa: PLC0415 - only who writes a page waits for charts

    write_after_run(desk, run, report, again=again)


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

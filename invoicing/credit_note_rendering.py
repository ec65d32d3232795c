"""Rendering credit notes: their documents are written from what the ledger holds, with the same bytes each time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from invoicing.documents.credit_notes import credit_note_documents
from invoicing.documents.rule_sets import rules_in_use
from invoicing.documents.workers import made_by_workers
from invoicing.rendering import Written, publish

if TYPE_CHECKING:
    from collections.abc import Iterator

    from invoicing.desk import Moment
    from invoicing.documents.model import InvoiceDocument
    from invoicing.ledger import Ledger
    from invoicing.progress import Progress
    from invoicing.store import Store
    from rating.periods import Period
    from schemas.settings import DocumentSettings


def credit_notes_dated_in(ledger: Ledger, period: Period) -> list[str]:
    """The numbers of the credit notes of a period: those dated in it."""
    rows = ledger.rows(
        "select credit_note_number from credit_notes where credit_note_date between ? and ? order by 1",
        [period.first_day, period.last_day],
    )
    return [str(number) for (number,) in rows]


def unpublished_credit_notes(ledger: Ledger) -> list[str]:
    """The numbers of the credit notes of which no document was published yet."""
    rows = ledger.rows(
        "select credit_note_number from credit_notes n where not exists "
        "(select 1 from documents d where d.invoice_number = n.credit_note_number) order by 1"
    )
    return [str(number) for (number,) in rows]


def issued_credit_notes(ledger: Ledger, wanted: list[str]) -> Iterator[InvoiceDocument]:
    """The documents of credit notes (by number), from their stored figures."""
    notes = ledger.frame(
        "select n.*, period, invoice_date from credit_notes n join invoices using (invoice_number) "
        "order by credit_note_number"
    )
    lines, totals = (
        ledger.frame(f"select * from {table}")  # noqa: S608
        for table in ("credit_note_lines", "credit_note_vat_totals")
    )
    of_wanted = pl.col("credit_note_number").is_in(wanted)
    return credit_note_documents(notes.filter(of_wanted), lines.filter(of_wanted), totals.filter(of_wanted))


def render_credit_notes(
    store: Store, ledger: Ledger, wanted: list[str], limits: DocumentSettings, moment: Moment, progress: Progress
) -> Written:
    """Write the documents of credit notes, those that were published too.

    Args:
        store: Where they go.
        ledger: What they are made from, and what names them.
        wanted: Their numbers.
        limits: What each document may take now.
        moment: When and by whom, for the history.
        progress: Told of each.

    Raises:
        StoreUnavailable: where a document made again is not the one that was published, byte for byte.
    """
    if not wanted:
        return Written()
    progress.start("writing credit notes", len(wanted))
    documents = issued_credit_notes(ledger, wanted)
    return publish(store, ledger, made_by_workers(documents, limits), rules_in_use(limits), moment, progress)

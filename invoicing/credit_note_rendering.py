"""The documents of credit notes, from what the ledger holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from invoicing.documents.credit_notes import credit_note_documents

if TYPE_CHECKING:
    from collections.abc import Iterator

    from invoicing.documents.model import InvoiceDocument
    from invoicing.ledger import Ledger
    from rating.periods import Period


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

"""Credit notes as documents: their stored figures, and the invoice that each is about."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import polars as pl

from invoicing import credit_notes  # noqa: F401 - its rule is cited by the lines
from invoicing.documents.assembly import customer_of, line_of, vat_total_of
from invoicing.documents.model import Corrected, InvoiceDocument
from rating.periods import Period
from schemas.settings import parse_settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

NO_CALLS = pl.DataFrame(
    schema={
        "user_id": pl.String, "direction": pl.String, "caller": pl.String, "callee": pl.String, "zone": pl.String,
        "duration_s": pl.Int64, "pack_s": pl.Int64, "charged_s": pl.Int64, "amount_cents": pl.Int64,
        "start": pl.Datetime("us"),
    }
)  # fmt: skip


def credit_note_documents(
    notes: pl.DataFrame, lines: pl.DataFrame, vat_totals: pl.DataFrame
) -> Iterator[InvoiceDocument]:
    """One document per credit note, from what the ledger holds alone.

    Args:
        notes: Rows of `credit_notes`, with `period` and `invoice_date` of the invoice.
        lines: Rows of `credit_note_lines`.
        vat_totals: Rows of `credit_note_vat_totals`.
    """
    lines_of, totals_of = (
        frame.partition_by("credit_note_number", as_dict=True)
        for frame in (lines.sort("line_no"), vat_totals.sort("vat_category", "vat_rate_micro"))
    )
    for note in notes.iter_rows(named=True):
        key = (note["credit_note_number"],)
        yield _document(note, lines_of[key], totals_of[key])


def _document(note: dict[str, Any], lines: pl.DataFrame, totals: pl.DataFrame) -> InvoiceDocument:
    """A credit note's document.

    The supplier is that of the settings it was made with. Its period is the invoice's, which its lines are about;
    nothing is due, so its due date is its own.
    """
    settings = parse_settings(json.loads(note["settings"]))
    period = Period.parse(note["period"])
    return InvoiceDocument(
        number=note["credit_note_number"],
        period=str(period),
        next_period=str(period.next),
        invoice_date=note["credit_note_date"],
        due_date=note["credit_note_date"],
        structured_communication=None,
        supplier=settings.supplier,
        customer=customer_of(note["customer"]),
        lines=tuple(line_of(row) for row in lines.iter_rows(named=True)),
        traffic=(),
        packs=(),
        vat=tuple(vat_total_of(row) for row in totals.iter_rows(named=True)),
        net_cents=note["net_cents"],
        vat_cents=note["vat_cents"],
        gross_cents=note["gross_cents"],
        calls=NO_CALLS,
        corrects=Corrected(note["invoice_number"], note["invoice_date"], note["reason"]),
        embeds_pdf=settings.documents.embed_pdf,
    )

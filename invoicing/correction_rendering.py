"""The documents of corrected invoices, from what the ledger holds, like those of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoicing import overcharges  # noqa: F401 - its rule is what brings corrected invoices about
from invoicing.documents.assembly import Figures, documents_of
from invoicing.origins import origin_of
from invoicing.rendering import WITH_SUPERSEDED, months_before

if TYPE_CHECKING:
    from collections.abc import Iterator

    from invoicing.documents.model import InvoiceDocument
    from invoicing.ledger import Ledger
    from invoicing.store import Store
    from rating.periods import Period


def corrected_invoices_of(ledger: Ledger, period: Period) -> list[str]:
    """The numbers of the invoices of a period that supersede others."""
    rows = ledger.rows(
        "select invoice_number from invoices where period = ? and supersedes is not null order by 1", [str(period)]
    )
    return [str(number) for (number,) in rows]


def unpublished_corrected_invoices(ledger: Ledger) -> list[str]:
    """The numbers of the invoices that supersede others and of which no document was published yet."""
    rows = ledger.rows(
        "select invoice_number from invoices i where supersedes is not null and not exists "
        "(select 1 from documents d where d.invoice_number = i.invoice_number) order by 1"
    )
    return [str(number) for (number,) in rows]


def corrected_documents(store: Store, ledger: Ledger, wanted: list[str]) -> Iterator[InvoiceDocument]:
    """The documents of corrected invoices (by number), each with the tables and settings it was made from."""
    for number in wanted:
        origin = origin_of(ledger, number)
        rating_no, customer_id, period = origin.rating.rating_no, origin.customer_id, origin.run.period
        invoices = ledger.frame(f"select * from {WITH_SUPERSEDED} where invoice_number = ?", [number])  # noqa: S608
        packs_used = ledger.frame(
            "select * from packs_used where rating_no = ? and customer_id = ?", [rating_no, customer_id]
        )
        months = months_before(ledger, period, rating_no)
        figures = Figures(
            period,
            invoices["invoice_date"].item(),
            invoices,
            ledger.frame("select * from lines where invoice_number = ?", [number]),
            ledger.frame("select v.*, ? customer_id from vat_totals v where invoice_number = ?", [customer_id, number]),
            packs_used,
            origin.calls(store, ledger),
            months.filter(months["customer_id"] == customer_id),
        )
        yield from documents_of(figures, origin.platform(store, ledger), origin.settings)

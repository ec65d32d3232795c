"""Documents that were promised and are not there: of a run, a release, a correction or a credit note."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoicing.correction_rendering import unpublished_corrected_invoices
from invoicing.credit_note_rendering import unpublished_credit_notes
from invoicing.releasing import unpublished_releases
from invoicing.rendering import unpublished_numbers

if TYPE_CHECKING:
    from invoicing.ledger import Ledger


def without_documents(ledger: Ledger) -> dict[str, str]:
    """By number what was to have documents and has none, and the period whose `render` writes them.

    A run that was told to write none promised none; who is released or corrected after it was promised his.
    """
    promised = [run for run in ledger.runs() if run.summary["documents"]]
    found = {number: str(run.period) for run in promised for number in unpublished_numbers(ledger, run)}
    found |= {number: period for period, numbers in unpublished_releases(ledger).items() for number in numbers}
    others = [*unpublished_corrected_invoices(ledger), *unpublished_credit_notes(ledger)]
    rows = ledger.rows(
        "select number, period from (select invoice_number number, period from invoices union all "
        "select credit_note_number, strftime(credit_note_date, '%Y-%m') from credit_notes) "
        "where number in (select unnest(?)) order by number",
        [others],
    )
    return found | {str(number): str(period) for number, period in rows}

"""Making a document: from its stored figures to the files that are published together, or to why they are not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoicing.documents.call_csv import calls_as_csv
from invoicing.documents.electronic_address import parties_of, why_pdf_only
from invoicing.documents.files import Files
from invoicing.documents.pdf import render_pdf
from invoicing.documents.ubl import write_ubl
from invoicing.electronic_parties import lacking_settings

if TYPE_CHECKING:
    from invoicing.documents.model import InvoiceDocument
    from schemas.settings import DocumentSettings


def make_files(document: InvoiceDocument, settings: DocumentSettings) -> Files:  # noqa: ARG001
    """Make the files of a document: the PDF, and the electronic invoice for a customer who can receive one.

    A draft is no invoice yet, and gets no electronic one; what would keep it from one is told all the same.

    Args:
        document: The stored figures.
        settings: Those in force now; what a document holds follows from itself.

    Raises:
        InputRefused, ValueError: as `render_pdf` and `write_ubl`.
    """
    if lacking_settings(document.supplier):
        # That is the same for every document, and told once.
        return Files({"pdf": render_pdf(document)})
    reason = why_pdf_only(document)
    parties = None if document.number is None else parties_of(document)
    if parties is None:
        return Files({"pdf": render_pdf(document)}, (reason,) if reason else ())
    calls_csv = calls_as_csv(document.calls) if document.attaches_calls and document.calls.height else None
    pdf = render_pdf(document)
    xml = write_ubl(document, parties, pdf=pdf if document.embeds_pdf else None, calls_csv=calls_csv)
    return Files({"pdf": pdf, "xml": xml}, parties=parties)

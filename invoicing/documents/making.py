"""Making a document: from its stored figures to the files that are published together, or to why they are not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoicing.documents.call_csv import calls_as_csv
from invoicing.documents.electronic_address import parties_of, why_pdf_only
from invoicing.documents.files import Files
from invoicing.documents.fonts import unwritable
from invoicing.documents.pdf import render_pdf
from invoicing.documents.ubl import write_ubl
from invoicing.documents.web_page import render_web_page
from invoicing.electronic_parties import lacking_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from invoicing.documents.model import InvoiceDocument
    from schemas.settings import DocumentSettings


def make_files(document: InvoiceDocument, settings: DocumentSettings) -> Files:
    """Make the files of a document: PDF, web page, and the electronic invoice for a customer who can receive one.

    A draft is no invoice yet, and gets no electronic one; what would keep it from one is told all the same. The
    electronic invoice is attached to the PDF; where it is to carry the PDF too, that is the one without attachment.

    Args:
        document: The stored figures.
        settings: Those in force now; what a document holds follows from itself.

    Raises:
        InputRefused, ValueError: as `render_pdf` and `write_ubl`.
    """
    told = list(_told(document))
    parties = None
    if not lacking_settings(document.supplier):  # that is the same for every document, and told once
        told += filter(None, [why_pdf_only(document)])
        parties = None if document.number is None else parties_of(document)
    xml = None
    if parties is not None:
        calls_csv = calls_as_csv(document.calls) if document.attaches_calls and document.calls.height else None
        pdf = render_pdf(document) if document.embeds_pdf else None
        xml = write_ubl(document, parties, pdf=pdf, calls_csv=calls_csv)
    contents = {"pdf": render_pdf(document, xml=xml)}
    if xml is not None:
        contents["xml"] = xml
    if settings.web_page:
        contents["html"] = render_web_page(document)
    return Files(contents, tuple(told), parties=parties)


def _told(document: InvoiceDocument) -> Iterator[str]:
    """What could not be written as it is."""
    names = [document.customer.name, document.customer.street, document.customer.city, document.supplier.name]
    descriptions = [line.description for line in document.lines]
    labels = [zone.label for zone in document.traffic] + [pack.label for pack in document.packs]
    for text in unwritable([*names, *descriptions, *labels]):
        yield f"no font of the documents has every character of {text!r}; the others are shown as \ufffd"

"""What stands in a document that was made."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING

from pypdf import PdfReader
from sample_documents import CUSTOMER, full_document

from invoicing.documents.pdf import render_pdf

if TYPE_CHECKING:
    from invoicing.documents.model import InvoiceDocument


def reader_of(document: InvoiceDocument, *, xml: bytes | None = None) -> PdfReader:
    return PdfReader(io.BytesIO(render_pdf(document, xml=xml)))


def pages_of(document: InvoiceDocument) -> list[str]:
    """The text of each page, every run of blanks as one space."""
    return [" ".join(page.extract_text().split()) for page in reader_of(document).pages]


def text_of(document: InvoiceDocument) -> str:
    return " ".join(pages_of(document))


def in_language(code: str, call_count: int = 6, **fields: object) -> InvoiceDocument:
    return full_document(call_count, customer=replace(CUSTOMER, language=code), **fields)

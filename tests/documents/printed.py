"""What stands in a document that was made."""

from __future__ import annotations

import io
import pickle
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from pypdf import PdfReader
from sample_documents import CUSTOMER, full_document

from invoicing.documents.pdf import render_pdf

if TYPE_CHECKING:
    from invoicing.documents.model import InvoiceDocument


@cache
def _pdf(pickled: bytes) -> bytes:
    """Many tests look at the same document; that the bytes are the same again has tests of its own."""
    document, xml = pickle.loads(pickled)  # noqa: S301 - pickled below
    return render_pdf(document, xml=xml)


def reader_of(document: InvoiceDocument, *, xml: bytes | None = None) -> PdfReader:
    return PdfReader(io.BytesIO(_pdf(pickle.dumps((document, xml)))))


def pages_of(document: InvoiceDocument) -> list[str]:
    """The text of each page, every run of blanks as one space."""
    return list(_pages(pickle.dumps((document, None))))


@cache
def _pages(pickled: bytes) -> list[str]:
    pages = PdfReader(io.BytesIO(_pdf(pickled))).pages
    return [" ".join(page.extract_text().split()) for page in pages]


def text_of(document: InvoiceDocument) -> str:
    return " ".join(pages_of(document))


def in_language(code: str, call_count: int = 6, **fields: object) -> InvoiceDocument:
    return full_document(call_count, customer=replace(CUSTOMER, language=code), **fields)

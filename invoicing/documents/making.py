"""Making a document: from its stored figures to the files that are published together, or to why they are not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from invoicing.documents.fonts import unwritable
from invoicing.documents.pdf import render_pdf
from invoicing.documents.web_page import render_web_page

if TYPE_CHECKING:
    from collections.abc import Iterator

    from invoicing.documents.model import InvoiceDocument
    from schemas.settings import DocumentSettings


@dataclass(frozen=True, slots=True)
class Files:
    """The files of one document.

    Attributes:
        contents: Bytes by suffix, such as `pdf`; all of them are published, or none.
        told: What a person should know of it, a sentence each.
        broken: What is wrong with it; then it is held.
    """

    contents: dict[str, bytes]
    told: tuple[str, ...] = ()
    broken: tuple[str, ...] = field(default=())


def make_files(document: InvoiceDocument, settings: DocumentSettings) -> Files:
    """Make the files of a document.

    Args:
        document: The stored figures.
        settings: Those in force now; what a document holds follows from itself.

    Raises:
        InputRefused, ValueError: as `render_pdf`.
    """
    contents = {"pdf": render_pdf(document)}
    if settings.web_page:
        contents["html"] = render_web_page(document)
    return Files(contents, tuple(_told(document)))


def _told(document: InvoiceDocument) -> Iterator[str]:
    """What could not be written as it is."""
    names = [document.customer.name, document.customer.street, document.customer.city, document.supplier.name]
    descriptions = [line.description for line in document.lines]
    labels = [zone.label for zone in document.traffic] + [pack.label for pack in document.packs]
    for text in unwritable([*names, *descriptions, *labels]):
        yield f"no font of the documents has every character of {text!r}; the others are shown as \ufffd"

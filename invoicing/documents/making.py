"""Making a document: from its stored figures to the files that are published together, or to why they are not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from invoicing.documents.pdf import render_pdf

if TYPE_CHECKING:
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


def make_files(document: InvoiceDocument, settings: DocumentSettings) -> Files:  # noqa: ARG001
    """Make the files of a document.

    Args:
        document: The stored figures.
        settings: Those in force now; what a document holds follows from itself.

    Raises:
        InputRefused, ValueError: as `render_pdf`.
    """
    return Files({"pdf": render_pdf(document)})

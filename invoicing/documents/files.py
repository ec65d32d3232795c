"""The files of a document, as they come from the process that made them: nothing that draws is imported for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from invoicing.documents.electronic_address import Parties


@dataclass(frozen=True, slots=True)
class Files:
    """The files of one document.

    Attributes:
        contents: Bytes by suffix, such as `pdf`; all of them are published, or none.
        told: What a person should know of it, a sentence each.
        broken: What is wrong with it; then it is held.
        parties: Who sends the electronic invoice to whom, where `contents` has one (`xml`).
    """

    contents: dict[str, bytes]
    told: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()
    parties: Parties | None = None

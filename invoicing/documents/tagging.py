"""The structure of a PDF (ISO 32000-1, 14.7), as far as what is written after WeasyPrint belongs into it.

WeasyPrint tags what it lays out. Here the elements of what is written later are added, what only decorates a page
is marked as that, and the pages that do not stay lose their elements.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pydyf

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from invoicing.documents.drawing import Rectangle

ARTIFACT = "/Artifact BMC"
END = "EMC"


def object_of(pdf: pydyf.PDF, reference: bytes) -> Any:  # noqa: ANN401 - WeasyPrint and pydyf carry no types
    """What a reference such as `12 0 R` names."""
    return pdf.objects[int(reference.split()[0])]


def as_artifact(operators: str) -> str:
    """Operators whose result says nothing that does not stand elsewhere."""
    return f"{ARTIFACT}\n{operators}\n{END}"


class Structure:
    """The structure tree of a PDF that WeasyPrint wrote."""

    def __init__(self, pdf: pydyf.PDF) -> None:
        """Find the tree."""
        self._pdf = pdf
        root = object_of(pdf, pdf.catalog["StructTreeRoot"])
        self._document = object_of(pdf, root["K"][0])
        self._numbers = object_of(pdf, root["ParentTree"])["Nums"]

    def tagged(
        self, operators: str, page: pydyf.Dictionary, tag: str, alt: str = "", place: Rectangle | None = None
    ) -> str:
        """Operators as the content of a new element at the end of the document.

        Args:
            operators: What is shown.
            page: The page it is on.
            tag: The type of the element, such as `P` or `Figure`.
            alt: What it shows, in words.
            place: Of a figure: left, bottom, right and top on the page.
        """
        content = self._contents(page)
        element = pydyf.Dictionary({
            "Type": "/StructElem", "S": f"/{tag}", "K": pydyf.Array([len(content)]), "Pg": page.reference,
            "P": self._document.reference,
        })  # fmt: skip
        if alt:
            element["Alt"] = pydyf.String(alt)
        if place is not None:
            element["A"] = pydyf.Dictionary({"O": "/Layout", "Placement": "/Block", "BBox": pydyf.Array(place)})
        self._pdf.add_object(element)
        self._document["K"].append(element.reference)
        marked = f"/{tag} <</MCID {len(content)}>> BDC\n{operators}\n{END}"
        content.append(element.reference)
        return marked

    def add_page(self, page: pydyf.Dictionary) -> None:
        """Let a new page have content of its own."""
        page["StructParents"] = self._numbers[-2] + 1
        self._numbers.extend([page["StructParents"], pydyf.Array()])

    def drop_pages(self, pages: Sequence[pydyf.Dictionary]) -> None:
        """Forget the last pages: what was on them is shown as part of others."""
        if pages:
            gone = {page.reference for page in pages}
            kept = [
                child for child in self._document["K"] if object_of(self._pdf, child).get("Pg") not in gone
            ]  # fmt: skip
            self._document["K"] = pydyf.Array(kept)
            del self._numbers[-2 * len(pages) :]

    def mark_decoration(self, pages: Iterable[pydyf.Dictionary], streams: Iterable[pydyf.Stream]) -> None:
        """Mark as decoration what has an element outside the tree: the heads and feet of pages."""
        reached = set(self._below(self._document))
        for page, stream in zip(pages, streams, strict=True):
            content = self._contents(page)
            outside = {number for number, reference in enumerate(content) if reference not in reached}
            for number in outside:
                content[number] = "null"
            stream.stream[:] = retagged(stream.stream, "Artifact", outside)

    def _contents(self, page: pydyf.Dictionary) -> Any:  # noqa: ANN401
        """The elements of the marked contents of a page, in their order."""
        return self._numbers[2 * page["StructParents"] + 1]

    def _below(self, element: Any) -> Iterator[bytes]:  # noqa: ANN401
        for child in element["K"]:
            if isinstance(child, bytes):
                yield child
                yield from self._below(object_of(self._pdf, child))


def retagged(items: Sequence[Any], tag: str, numbers: set[int] | None = None) -> list[Any]:
    """The operators of a stream with other marks on its contents: on these, or on all."""
    found: list[Any] = []
    for item in items:
        if item == b"BDC" and (numbers is None or found[-1]["MCID"] in numbers):
            del found[-2:]
            found += [f"/{tag}", b"BMC"]
        else:
            found.append(item)
    return found

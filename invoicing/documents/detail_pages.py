"""What is written into a PDF after WeasyPrint laid it out: page numbers, and the pages of the call detail.

WeasyPrint lays out the pages of the invoice, one empty page of the call detail, and a small page for each text
that the row font cannot write. Every page of the detail shows that one page's stream, for its head and rules,
and then its own lines; the small pages become forms that the lines refer to. The places of all of it are those
of the elements with an id on the laid-out pages.
"""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pydyf  # type: ignore[import-untyped]

from invoicing.documents.call_detail import COLUMNS, LINES_PER_FONT_SIZE, Geometry, form_name, page_operators
from invoicing.documents.row_font import escaped

if TYPE_CHECKING:
    from collections.abc import Mapping

    from invoicing.documents.call_detail import Detail
    from invoicing.documents.row_font import RowFont
    from invoicing.documents.words import Language

PT_PER_PX = 0.75
PAGE_NUMBER_PT, PAGE_NUMBER_LINE_PT = 7.5, 10.5
PAGE_NUMBER_INK = ".333"
DRAFT_PT, DRAFT_INK, DRAFT_ANGLE = 88, ".925", math.radians(32)
DEFLATE_LEVEL = 6  # 9 takes twice as long for 3 % less


@dataclass(frozen=True, slots=True)
class Finisher:
    """Completes a PDF; WeasyPrint calls it as its `finisher`.

    Attributes:
        detail: The call detail, if there is any; then the template page of it and the small pages come last.
        speech: The language of the document.
        font: The font of all that is written here.
        draft: The word across each page of a draft, else empty.
    """

    detail: Detail | None
    speech: Language
    font: RowFont
    draft: str

    def __call__(self, laid_out: Any, pdf: pydyf.PDF) -> None:  # noqa: ANN401 - WeasyPrint carries no types
        """Add page numbers, the pages of the call detail, and the word across a draft."""
        pages = [_object(pdf, reference) for reference in pdf.page_references]
        anchors = [page.anchors for page in laid_out.pages]
        resources = _object(pdf, pages[0]["Resources"])
        _object(pdf, resources["Font"])["Rows"] = self.font.embed(pdf)
        # The places looked up here are of no use to a reader.
        pdf.catalog.pop("Names", None)
        whole = len(pages) if self.detail is None else len(pages) - 1 - len(self.detail.odd)
        streams = [_object(pdf, page["Contents"]) for page in pages]
        operators: list[str] = []
        if self.detail is not None:
            operators = page_operators(self.detail, geometry_of(anchors[whole]), self.speech, self.font)
            _make_forms(resources, pages[whole + 1 :], streams[whole + 1 :])
        total = whole + len(operators)
        for number, (stream, places) in enumerate(zip(streams[:whole], anchors, strict=False), 1):
            stream.stream.append(self.page_number(number, total, places).encode("ascii"))
        if self.draft:
            for stream in streams[: whole + 1]:
                stream.stream.insert(0, self.across(*pages[0]["MediaBox"][2:]).encode("ascii"))
        if self.detail is not None:
            numbered = [
                f"{lines}\n{self.page_number(number, total, anchors[whole])}"
                for number, lines in enumerate(operators, whole + 1)
            ]
            _add_pages(pdf, pages[whole], whole, numbered)

    def page_number(self, number: int, total: int, places: Mapping[str, tuple[float, ...]]) -> str:
        """The number of a page, up to the right end of its place."""
        text = self.speech.say("head.page", number=str(number), total=str(total))
        right, bottom = (edge * PT_PER_PX for edge in places["page-number"][2:])
        blank = PAGE_NUMBER_LINE_PT - (self.font.ascent - self.font.descent) / 1000 * PAGE_NUMBER_PT
        base = bottom - blank / 2 + self.font.descent / 1000 * PAGE_NUMBER_PT
        left = right - self.font.width(text) / 1000 * PAGE_NUMBER_PT
        place = f"1 0 0 -1 {left:.2f} {base:.2f} Tm"
        return f"{PAGE_NUMBER_INK} g BT /Rows {PAGE_NUMBER_PT} Tf {place} ({escaped(text)}) Tj ET"

    def across(self, width: float, height: float) -> str:
        """The word of a draft behind the text of a page; the origin is at the bottom left here."""
        cosine, sine = math.cos(DRAFT_ANGLE), math.sin(DRAFT_ANGLE)
        along, up = self.font.width(self.draft) / 2000 * DRAFT_PT, self.font.ascent / 2500 * DRAFT_PT
        left = width / 2 - along * cosine + up * sine
        base = height / 2 - along * sine - up * cosine
        return (
            f"q {DRAFT_INK} g {DRAFT_INK} G 2.5 w BT /Rows {DRAFT_PT} Tf 2 Tr {cosine:.4f} {sine:.4f} {-sine:.4f} "
            f"{cosine:.4f} {left:.2f} {base:.2f} Tm ({escaped(self.draft)}) Tj ET Q"
        )


def geometry_of(anchors: Mapping[str, tuple[float, ...]]) -> Geometry:
    """Where the lines of the call detail stand, from the edges of the elements of its template page."""
    places = {name: tuple(edge * PT_PER_PX for edge in edges) for name, edges in anchors.items()}
    left, top, right, foot = places["calls-line"]
    height = foot - top
    per_pt = 1000 / (height / LINES_PER_FONT_SIZE)
    columns = {
        name: (round((places[f"calls-{name}"][0] - left) * per_pt), round((places[f"calls-{name}"][2] - left) * per_pt))
        for name in COLUMNS
    }
    bottom = places["calls-page"][3]
    return Geometry(left, top, right - left, height, math.floor((bottom - top) / height), columns)


def _object(pdf: pydyf.PDF, reference: bytes) -> Any:  # noqa: ANN401
    """What a reference such as `12 0 R` names."""
    return pdf.objects[int(reference.split()[0])]


def _make_forms(resources: Any, pages: list[Any], streams: list[Any]) -> None:  # noqa: ANN401
    """Let the streams of the small pages be shown from within the lines."""
    for place, (page, stream) in enumerate(zip(pages, streams, strict=True)):
        stream.extra |= {
            "Type": "/XObject", "Subtype": "/Form", "BBox": page["MediaBox"], "Resources": page["Resources"],
        }  # fmt: skip
        resources["XObject"][form_name(place)] = stream.reference


def _add_pages(pdf: pydyf.PDF, template: Any, whole: int, operators: list[str]) -> None:  # noqa: ANN401
    """The pages of the detail after those of the invoice, the template page as the first of them."""
    head = template["Contents"]
    pdf.pages["Kids"] = pydyf.Array(pdf.pages["Kids"][: 3 * (whole + 1)])
    pdf.pages["Count"] = whole + 1
    for place, text in enumerate(operators):
        lines = pydyf.Stream([zlib.compress(text.encode("ascii"), DEFLATE_LEVEL)], {"Filter": "/FlateDecode"})
        pdf.add_object(lines)
        page = template if place == 0 else pydyf.Dictionary(template)
        page["Contents"] = pydyf.Array([head, lines.reference])
        if place:
            pdf.add_page(page)

"""What is written into a PDF after WeasyPrint laid it out: drawings, page numbers, and the pages of the call detail.

WeasyPrint lays out the pages of the invoice, one empty page of the call detail, and a small page for each text
that the row font cannot write. Every page of the detail shows that one page's stream, for its head and rules,
and then its own lines; the small pages become forms that the lines refer to. The places of all of it are those
of the elements with an id on the laid-out pages, and of the rows of tables, which need none.
"""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pydyf

from invoicing.documents.call_detail import COLUMNS, LINES_PER_FONT_SIZE, Geometry, form_name, page_operators
from invoicing.documents.drawing import operators
from invoicing.documents.row_font import escaped
from invoicing.documents.tagging import Structure, as_artifact, object_of, retagged

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from invoicing.documents.call_detail import Detail, PageLines
    from invoicing.documents.drawing import Colour, Drawing
    from invoicing.documents.row_font import RowFont
    from invoicing.documents.words import Language

PT_PER_PX = 0.75
PAGE_NUMBER_PT, PAGE_NUMBER_LINE_PT = 7.5, 10.5
PAGE_NUMBER_INK = ".333"
DRAFT_PT, DRAFT_INK, DRAFT_ANGLE = 88, ".925", math.radians(32)
ROW, RULED, BAR = "tr", "ruled", "data-bar"  # as the template has them
BAR_TOP_PT, BAR_PT, BAR_GAP_PT = 6, 6.2, 11
RULE_PT, RULE_INK = 0.5, ".894"
DEFLATE_LEVEL = 6  # 9 takes twice as long for 3 % less


@dataclass(frozen=True, slots=True)
class Bar:
    """A drawing in a row, so wide, its place so far from the right end of the row."""

    drawing: Drawing
    width_pt: float
    beyond_pt: float


@dataclass(frozen=True, slots=True)
class Finisher:
    """Completes a PDF; WeasyPrint calls it as its `finisher`.

    Attributes:
        detail: The call detail, if there is any; then the template page of it and the small pages come last.
        speech: The language of the document.
        font: The font of all that is written here.
        inks: The colours of the drawings.
        drawings: By the id of the element whose place each takes.
        bars: Of the rows, by their number there.
        draft: The word across each page of a draft, else empty.
    """

    detail: Detail | None
    speech: Language
    font: RowFont
    inks: Mapping[str, Colour]
    drawings: Mapping[str, Drawing]
    bars: Sequence[Bar]
    draft: str

    def __call__(self, laid_out: Any, pdf: pydyf.PDF) -> None:  # noqa: ANN401 - WeasyPrint carries no types
        """Add drawings, page numbers, the pages of the call detail, and the word across a draft."""
        pages = [object_of(pdf, reference) for reference in pdf.page_references]
        anchors = [page.anchors for page in laid_out.pages]
        streams = [object_of(pdf, page["Contents"]) for page in pages]
        resources = object_of(pdf, pages[0]["Resources"])
        object_of(pdf, resources["Font"])["Rows"] = self.font.embed(pdf)
        _drop_names(pdf)
        whole = len(pages) if self.detail is None else len(pages) - 1 - len(self.detail.odd)
        structure = Structure(pdf)
        structure.drop_pages(pages[whole + 1 :])
        structure.mark_decoration(pages[: whole + 1], streams[: whole + 1])
        lines: list[PageLines] = []
        if self.detail is not None:
            lines = page_operators(self.detail, geometry_of(anchors[whole]), self.speech, self.font)
            _make_forms(resources, pages[whole + 1 :], streams[whole + 1 :])
        total = whole + len(lines)
        for number, (page, stream, places) in enumerate(zip(pages[:whole], streams, anchors, strict=False), 1):
            rows = as_artifact("\n".join(self.in_rows(laid_out.pages[number - 1])))
            added = [rows, *self.drawn(places, page, structure), self.page_number(number, total, places)]
            stream.stream.append("\n".join(added).encode("ascii"))
        if self.draft:
            for stream in streams[: whole + 1]:
                stream.stream.insert(0, self.across(*pages[0]["MediaBox"][2:]).encode("ascii"))
        if self.detail is not None:
            numbers = [self.page_number(number, total, anchors[whole]) for number in range(whole + 1, total + 1)]
            _add_pages(pdf, structure, pages[whole], lines, numbers)
        _write_once(pdf)

    def drawn(self, places: Mapping[str, tuple[float, ...]], page: Any, structure: Structure) -> Iterator[str]:  # noqa: ANN401
        """The drawings whose places are on a page."""
        height = page["MediaBox"][3]
        for name, drawing in self.drawings.items():
            if name not in places:
                continue
            left, top, right, bottom = (edge * PT_PER_PX for edge in places[name])
            shown = operators(drawing, (left, top, right - left, bottom - top), self.inks, self.font)
            yield structure.tagged(shown, page, "Figure", drawing.alt, (left, height - bottom, right, height - top))

    def in_rows(self, page: Any) -> Iterator[str]:  # noqa: ANN401
        """The rules below the rows of a page, and the bars that stand beside the first line of theirs."""
        rules = [f"{RULE_INK} g"]
        for box in page._page_box.descendants():  # noqa: SLF001 - an id at each row would cost a style of its own
            if box.element_tag != ROW:
                continue
            left, top, width, height = (edge * PT_PER_PX for edge in box.hit_area())
            if RULED in box.element.get("class", "").split():
                rules.append(f"{left:.2f} {top + height - RULE_PT:.2f} {width:.2f} {RULE_PT} re")
            if (number := box.element.get(BAR)) is not None:
                bar = self.bars[int(number)]
                start = left + width - bar.beyond_pt - bar.width_pt
                place = (start, top + BAR_TOP_PT, bar.width_pt - BAR_GAP_PT, BAR_PT)
                yield operators(bar.drawing, place, self.inks, self.font)
        yield "\n".join([*rules, "f"])

    def page_number(self, number: int, total: int, places: Mapping[str, tuple[float, ...]]) -> str:
        """The number of a page, up to the right end of its place."""
        text = self.speech.say("head.page", number=str(number), total=str(total))
        right, bottom = (edge * PT_PER_PX for edge in places["page-number"][2:])
        blank = PAGE_NUMBER_LINE_PT - (self.font.ascent - self.font.descent) / 1000 * PAGE_NUMBER_PT
        base = bottom - blank / 2 + self.font.descent / 1000 * PAGE_NUMBER_PT
        left = right - self.font.width(text) / 1000 * PAGE_NUMBER_PT
        place = f"1 0 0 -1 {left:.2f} {base:.2f} Tm"
        return as_artifact(f"{PAGE_NUMBER_INK} g BT /Rows {PAGE_NUMBER_PT} Tf {place} ({escaped(text)}) Tj ET")

    def across(self, width: float, height: float) -> str:
        """The word of a draft behind the text of a page; the origin is at the bottom left here."""
        cosine, sine = math.cos(DRAFT_ANGLE), math.sin(DRAFT_ANGLE)
        along, up = self.font.width(self.draft) / 2000 * DRAFT_PT, self.font.ascent / 2500 * DRAFT_PT
        left = width / 2 - along * cosine + up * sine
        base = height / 2 - along * sine - up * cosine
        return as_artifact(
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


def _drop_names(pdf: pydyf.PDF) -> None:
    """Leave out the names of the places looked up here, and name an attached file once."""
    names = pdf.catalog.get("Names", {})
    names.pop("Dests", None)
    if not names:
        pdf.catalog.pop("Names", None)
    if "AF" in pdf.catalog:
        pdf.catalog["AF"] = pydyf.Array(dict.fromkeys(pdf.catalog["AF"]))


def _make_forms(resources: Any, pages: list[Any], streams: list[Any]) -> None:  # noqa: ANN401
    """Let the streams of the small pages be shown from within the lines."""
    for place, (page, stream) in enumerate(zip(pages, streams, strict=True)):
        stream.stream[:] = retagged(stream.stream, "Span")
        stream.extra |= {
            "Type": "/XObject", "Subtype": "/Form", "BBox": page["MediaBox"], "Resources": page["Resources"],
        }  # fmt: skip
        resources["XObject"][form_name(place)] = stream.reference


def _add_pages(
    pdf: pydyf.PDF,
    structure: Structure,
    template: Any,  # noqa: ANN401
    lines: list[PageLines],
    numbers: list[str],
) -> None:
    """The pages of the detail after those of the invoice, the template page as the first of them."""
    whole = pdf.page_references.index(template.reference)
    pdf.pages["Kids"] = pydyf.Array(pdf.pages["Kids"][: 3 * (whole + 1)])
    pdf.pages["Count"] = whole + 1
    head = object_of(pdf, template["Contents"])
    # The head of the columns is read once; on the other pages it only helps the eye.
    again = pydyf.Stream(retagged(head.stream, "Artifact"), compress=True)
    if len(lines) > 1:
        pdf.add_object(again)
    for place, (of_page, number) in enumerate(zip(lines, numbers, strict=True)):
        page = template
        if place:
            page = pydyf.Dictionary(template)
            pdf.add_page(page)
            structure.add_page(page)
        texts = structure.tagged(of_page.texts, page, "P")
        shown = "\n".join([of_page.start, as_artifact(of_page.backdrop), texts, "Q", number])
        stream = pydyf.Stream([shown.encode("ascii")], compress=True)
        pdf.add_object(stream)
        page["Contents"] = pydyf.Array([(again if place else head).reference, stream.reference])


class _Written(pydyf.Object):  # type: ignore[misc]  # pydyf carries no types
    """An object as its bytes: it is looked at twice, for the identifier of the file and to be written."""

    data = b""
    compressible = True

    def __init__(self, content: pydyf.Object) -> None:
        """Write an object down as it is now."""
        super().__init__()
        self.number, self.generation, self.free = content.number, content.generation, content.free
        self.data = _deflated(content) if isinstance(content, pydyf.Stream) else content.data
        self.compressible = content.compressible


def _write_once(pdf: pydyf.PDF) -> None:
    """Let every object be written down now."""
    pdf.objects[:] = [each if each.free == "f" else _Written(each) for each in pdf.objects]


def _deflated(stream: pydyf.Stream) -> bytes:
    """A stream as it stands in a file, deflated to where more takes long and gains little."""
    if stream.compress:
        parts = [part.data if isinstance(part, pydyf.Object) else part for part in stream.stream]
        text = b"\n".join([part if isinstance(part, bytes) else str(part).encode("ascii") for part in parts])
        stream.stream = [zlib.compress(text, DEFLATE_LEVEL)]
        stream.extra["Filter"] = "/FlateDecode"
        stream.compress = False
    return bytes(stream.data)

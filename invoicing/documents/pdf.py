"""The invoice as PDF/A-3b: a pure function of the document, the same bytes each time, in each process and anywhere.

A PDF depends on nothing outside its document: no clock, no network, no font of the machine, no file but the
templates, catalogues and fonts that are installed with this package.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from datetime import datetime, time
from functools import cache, lru_cache
from importlib.resources import files
from itertools import accumulate
from string import Template
from typing import TYPE_CHECKING

# First: it tells fontconfig where the fonts are, before WeasyPrint asks.
from invoicing.documents import fonts
from invoicing.documents.call_detail import COLUMNS, call_detail_of
from invoicing.documents.composition import view_of
from invoicing.documents.drawing import inks_of
from invoicing.documents.finishing import Bar, Finisher
from invoicing.documents.house_colour import DEFAULT_COLOUR, accent_of
from invoicing.documents.kept_styles import Sheet
from invoicing.documents.logo import ADDRESS, SealedFetcher, logo_of
from invoicing.documents.markup import Markup
from invoicing.documents.row_font import row_font
from invoicing.documents.templating import environment, stylesheet
from invoicing.documents.words import language
from schemas.errors import InputRefused

from weasyprint import CSS, Attachment  # isort: skip
from weasyprint.urls import FatalURLFetchingError  # isort: skip

if TYPE_CHECKING:
    from collections.abc import Sequence

    from invoicing.documents.call_detail import Detail
    from invoicing.documents.drawing import Drawing
    from invoicing.documents.model import InvoiceDocument
    from invoicing.documents.row_font import RowFont
    from invoicing.documents.view import View
    from invoicing.documents.words import Language

VARIANT = "pdf/a-3b"
SRGB = "--srgb"
# Widths of the columns of figures, as they stand in the cell of a row; each cell takes as long as the text in it.
PRICES_MM = {"quantity": 24, "unit_price": 24, "amount": 24}
TRAFFIC_MM = {"calls": 14, "duration": 30, "out_of_pack": 28, "amount": 24}
TOTALS_MM = (22, 22, 22)
# Widths of the place of a bar, and of what stands at its right.
ZONE_BAR_MM, PACK_BAR_MM = (30, sum(TRAFFIC_MM.values())), (46, 70)
TEXT_PT, HEAD_PT, PT_PER_MM = 8.5, 7.5, 72 / 25.4
BETWEEN_ELEMENTS = re.compile(r">\s+<")


def render_pdf(document: InvoiceDocument, *, xml: bytes | None = None) -> bytes:
    """The invoice or credit note of a document as PDF, in the language of its customer.

    Args:
        document: The stored figures.
        xml: The electronic invoice, to be attached as the alternative to what is shown.

    Raises:
        InputRefused: if the logo asks for something outside itself.
        ValueError: if the figures do not add up, a line is of an unknown kind, or there is no catalogue.
    """
    speech = language(document.customer.language)
    view = view_of(document, speech)
    logo = logo_of(document.supplier.logo)
    fetcher = SealedFetcher(logo)
    font = row_font(fonts.FIGURE_FAMILY, fonts.document_fonts())
    detail = None if document.calls.is_empty() else call_detail_of(document.calls, speech, font)
    accent = accent_of(document.supplier.colour)
    finisher = Finisher(
        detail, speech, font, inks_of(_rgb(accent)), drawings_of(view), bars_of(view),
        draft=speech.say("head.draft") if document.number is None else "",
    )  # fmt: skip
    text = _html(document, view, detail, speech, font, logo_address="" if logo is None else ADDRESS)
    try:
        pdf: bytes = Markup(text, fetcher, style_sheet(accent)).write_pdf(
            font_config=fonts.document_fonts(), finisher=finisher, pdf_variant=VARIANT, pdf_tags=True,
            color_profiles={SRGB: _srgb()}, output_intent=SRGB, attachments=_attachments(document, xml, fetcher),
        )  # fmt: skip
    except FatalURLFetchingError:
        pdf = b""  # refused below, as is what WeasyPrint went on after
    if fetcher.refused:
        raise InputRefused(f"the logo asks for {fetcher.refused}: save it without links and embedded images")
    return pdf


def get_ready() -> None:
    """Do what is done once per process, before the first document."""
    row_font(fonts.FIGURE_FAMILY, fonts.document_fonts())
    fonts.letters()
    _srgb()
    style_sheet(DEFAULT_COLOUR)
    environment().get_template("invoice.html")


def drawings_of(view: View) -> dict[str, Drawing]:
    """What is drawn onto the finished pages, by the id of the element whose place it takes."""
    found = {"code": view.code, "months": view.months}
    return {name: drawing for name, drawing in found.items() if drawing is not None}


def bars_of(view: View) -> list[Bar]:
    """The bars of the rows, in their order."""
    zones = [(zone.bar, ZONE_BAR_MM) for traffic in view.traffic for zone in traffic.zones]
    packs = [(pack.bar, PACK_BAR_MM) for packs in view.packs for pack in packs.packs]
    return [Bar(bar, width_mm * PT_PER_MM, beyond_mm * PT_PER_MM) for bar, (width_mm, beyond_mm) in [*zones, *packs]]


def _html(
    document: InvoiceDocument, view: View, detail: Detail | None, speech: Language, font: RowFont, *, logo_address: str
) -> str:
    def heads(columns: dict[str, int]) -> str:
        return _figures(list(columns.values()), [speech.say(f"column.{name}") for name in columns], HEAD_PT, font)

    text = (
        environment()
        .get_template("invoice.html")
        .render(
            document=document,
            view=view,
            language=speech,
            say=speech.say,
            logo_address=logo_address,
            figures=lambda columns, texts: _figures(list(columns.values()), texts, TEXT_PT, font),
            heads=heads,
            totals=lambda texts: _figures(TOTALS_MM[: len(texts)], texts, TEXT_PT, font),
            totals_heads=lambda texts: _figures(TOTALS_MM[: len(texts)], texts, HEAD_PT, font),
            PRICES=PRICES_MM,
            TRAFFIC=TRAFFIC_MM,
            has_calls=detail is not None,
            call_columns=COLUMNS,
            odd_texts=() if detail is None else detail.odd,
            has_incoming="incoming" in document.calls["direction"],
        )
    )
    # Blanks between elements are nothing to see, and would be looked at all the same.
    return BETWEEN_ELEMENTS.sub("><", text)


def _figures(widths_mm: Sequence[int], texts: Sequence[str], size_pt: float, font: RowFont) -> str:
    """The figures of a row, or their heads, as one text in which each ends where its column does."""
    ends = accumulate(round(width * PT_PER_MM / size_pt * 1000) for width in widths_mm)
    return font.in_columns(texts, list(ends))


def _attachments(document: InvoiceDocument, xml: bytes | None, fetcher: SealedFetcher) -> list[Attachment]:
    """The electronic invoice, of the day of the document."""
    if xml is None:
        return []
    day = datetime.combine(document.invoice_date, time())
    return [
        Attachment(
            file_obj=io.BytesIO(xml), name=f"{document.number}.xml", created=day, modified=day,
            relationship="Alternative", url_fetcher=fetcher,
        )
    ]  # fmt: skip


def _rgb(colour: str) -> tuple[float, float, float]:
    red, green, blue = (int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5))
    return red, green, blue


@dataclass
class Profile:
    """A colour profile as WeasyPrint embeds it; its own would write the file anew, with whatever LittleCMS is there.

    Attributes:
        name: Of the colours it describes.
        content: Of its file.
        components: Of a colour.
        pdf_reference: Where it stands in the document that is being made.
    """

    name: str
    content: bytes
    components: tuple[str, ...]
    pdf_reference: bytes | None = None


@cache
def _srgb() -> Profile:
    """The colours that the numbers of a page stand for (ISO 19005-3, 6.2.3); the file comes with WeasyPrint."""
    return Profile("sRGB2014", files("weasyprint.pdf").joinpath("sRGB2014.icc").read_bytes(), ("r", "g", "b"))


@lru_cache(maxsize=4)
def style_sheet(accent: str) -> Sheet:
    """What invoices look like in a house with this colour."""
    families = {"family": fonts.TEXT_FAMILY, "figures": fonts.FIGURE_FAMILY}
    css = CSS(
        string=Template(stylesheet("invoice.css")).substitute(accent=accent, **families),
        font_config=fonts.document_fonts(),
        url_fetcher=SealedFetcher(None),
    )
    return Sheet(css)

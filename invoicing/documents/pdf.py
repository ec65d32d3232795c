"""The invoice as PDF: a pure function of the document, the same bytes each time and in each process.

A PDF depends on the fonts of the machine, and on nothing else outside its document: no clock, no network,
no file but the templates and catalogues of this package.
"""

from __future__ import annotations

import base64
import re
from functools import cache, lru_cache
from importlib.resources import files
from itertools import accumulate
from string import Template
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined
from weasyprint import CSS, HTML
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

from invoicing.documents.call_detail import COLUMNS, call_detail_of
from invoicing.documents.detail_pages import Finisher
from invoicing.documents.figures import check_figures
from invoicing.documents.notes import line_notes, vat_reason
from invoicing.documents.row_font import row_font
from invoicing.documents.words import language, printable
from schemas.errors import InputRefused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from invoicing.documents.call_detail import Detail
    from invoicing.documents.model import InvoiceDocument, PackUse
    from invoicing.documents.row_font import RowFont
    from invoicing.documents.words import Language

DEFAULT_COLOUR = "#24476b"
SECTION_KINDS = frozenset({"recurring", "user_cap", "number_minimum", "first_period", "traffic", "one_off", "credit"})

# Of the columns of figures, as they stand in the cell of a row; each cell takes as long as the text in it.
FIGURES_MM = {"quantity": 22, "unit_price": 26, "calls": 18, "duration": 34, "out_of_pack": 34, "amount": 26}
TEXT_PT, HEAD_PT, PT_PER_MM = 8.5, 7.5, 72 / 25.4
FAMILY = '"DejaVu Sans Condensed", "DejaVu Sans", sans-serif'


class SealedFetcher(URLFetcher):  # type: ignore[misc]  # WeasyPrint carries no types
    """Gives the logo of the document, refuses every other address, and stops the rendering.

    Attributes:
        uri: The one address that is allowed, the logo itself; empty without a logo.
        refused: The last address that was refused: WeasyPrint goes on after one in an SVG.
    """

    def __init__(self, logo: bytes | None) -> None:
        """Keep the logo, of the bytes of a PNG, JPEG or SVG."""
        super().__init__()
        self.refused = ""
        self._logo = logo
        self._mime_type = "" if logo is None else _image_type(logo)
        self.uri = "" if logo is None else f"data:{self._mime_type};base64,{base64.b64encode(logo).decode()}"

    def fetch(self, url: str, headers: dict[str, str] | None = None) -> URLFetcherResponse:  # noqa: ARG002
        """The logo for its own address.

        Raises:
            FatalURLFetchingError: for any other address, before anything is opened.
        """
        if self._logo is None or url != self.uri:
            self.refused = url[:200]
            raise FatalURLFetchingError(self.refused)
        return URLFetcherResponse(url, self._logo, {"Content-Type": self._mime_type})


def render_pdf(document: InvoiceDocument, *, logo: bytes | None = None) -> bytes:
    """The invoice of a document as PDF, in the language of its customer.

    Args:
        document: The stored figures.
        logo: The supplier's logo as the bytes of a PNG, JPEG or SVG that needs no other file.

    Raises:
        InputRefused: if the logo is none of these, or asks for something outside itself.
        ValueError: if the figures do not add up, a line is of an unknown kind, or there is no catalogue.
    """
    _check_kinds(document)
    check_figures(document)
    fetcher = SealedFetcher(logo)
    speech = language(document.customer.language)
    font = row_font(FAMILY, _fonts())
    detail = None if document.calls.is_empty() else call_detail_of(document.calls, speech, font)
    finisher = Finisher(detail, speech, font, draft=speech.say("head.draft") if document.number is None else "")
    try:
        html = HTML(string=_html(document, detail, speech, font, fetcher.uri), url_fetcher=fetcher)
        style = _stylesheet(document.supplier.colour)
        pdf: bytes = html.write_pdf(stylesheets=[style], font_config=_fonts(), finisher=finisher)
    except FatalURLFetchingError:
        pdf = b""  # refused below, as is what WeasyPrint went on after
    if fetcher.refused:
        raise InputRefused(f"the logo asks for {fetcher.refused}: save it without links and embedded images")
    return pdf


def get_ready() -> None:
    """Do what is done once per process, before the first document."""
    row_font(FAMILY, _fonts())
    _stylesheet(DEFAULT_COLOUR)
    _environment().get_template("invoice.html")


def _check_kinds(document: InvoiceDocument) -> None:
    """A document with a line that no section shows is not shown to anybody."""
    unknown = {line.kind for line in document.lines} - SECTION_KINDS
    if unknown:
        raise ValueError(f"invoice {document.number}: no section for lines of kind {', '.join(sorted(unknown))}")


def _html(document: InvoiceDocument, detail: Detail | None, speech: Language, font: RowFont, logo_uri: str) -> str:
    return (
        _environment()
        .get_template("invoice.html")
        .render(
            document=document,
            language=speech,
            say=speech.say,
            logo_uri=logo_uri,
            notes_of=lambda line: line_notes(line, document.next_period, speech),
            reason_of=lambda total: vat_reason(total, speech),
            share_used=_share_used,
            figures=lambda names, texts: _figures(names, texts, TEXT_PT, font),
            heads=lambda names: _figures(names, [speech.say(f"column.{name}") for name in names], HEAD_PT, font),
            has_calls=detail is not None,
            call_columns=COLUMNS,
            odd_texts=() if detail is None else detail.odd,
            has_incoming="incoming" in document.calls["direction"],
        )
    )


def _figures(names: Sequence[str], texts: Sequence[str], size_pt: float, font: RowFont) -> str:
    """The figures of a row, or their heads, as one text in which each ends where its column does."""
    ends = accumulate(round(FIGURES_MM[name] * PT_PER_MM / size_pt * 1000) for name in names)
    return font.in_columns(texts, list(ends))


def _share_used(pack: PackUse) -> int:
    """How much of a limited pack was used, in whole percent; a pack of nothing is used up."""
    if not pack.allowance_s:
        return 100
    return min(100, pack.used_s * 100 // pack.allowance_s)


def _image_type(logo: bytes) -> str:
    """The media type of a logo, by its first bytes."""
    for start, media_type in ((b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg")):
        if logo.startswith(start):
            return media_type
    if logo.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") and b"<svg" in logo:
        return "image/svg+xml"
    raise InputRefused("the supplier's logo is neither PNG, JPEG nor SVG")


def _finalize(expression: object) -> object:
    """Every text that a template prints, but not what was made by the template itself."""
    if isinstance(expression, str) and not hasattr(expression, "__html__"):
        return printable(expression)
    return expression


def _groups_of_four(account: str) -> str:
    """An IBAN as it is written on paper."""
    compact = account.replace(" ", "")
    return " ".join(compact[start : start + 4] for start in range(0, len(compact), 4))


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("invoicing.documents", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        auto_reload=False,
    )
    environment.filters["groups_of_four"] = _groups_of_four
    return environment


@cache
def _fonts() -> FontConfiguration:
    return FontConfiguration()


@lru_cache(maxsize=4)
def _stylesheet(colour: str) -> CSS:
    """The style of a house; a colour that is not `#rrggbb` gives way to the default."""
    accent = colour if re.fullmatch(r"#[0-9a-fA-F]{6}", colour) else DEFAULT_COLOUR
    source = files(__package__).joinpath("templates", "invoice.css").read_text(encoding="utf-8")
    return CSS(
        string=Template(source).substitute(accent=accent, family=FAMILY),
        font_config=_fonts(),
        url_fetcher=SealedFetcher(None),
    )

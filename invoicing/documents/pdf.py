"""The invoice as PDF: a pure function of the document, the same bytes each time and in each process.

A PDF depends on the fonts of the machine, and on nothing else outside its document: no clock, no network,
no file but the templates and catalogues of this package.
"""

from __future__ import annotations

import base64
import calendar
import re
import textwrap
import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING, Any

import polars as pl
from jinja2 import Environment, PackageLoader, StrictUndefined
from weasyprint import CSS, HTML
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

from invoicing.documents.words import Language, language
from schemas.errors import InputRefused

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from invoicing.documents.model import InvoiceDocument, Line, PackUse, VatTotal

DEFAULT_COLOUR = "#24476b"
SECTION_KINDS = frozenset({"recurring", "user_cap", "number_minimum", "first_period", "traffic", "one_off", "credit"})
SERVICE_KINDS = frozenset({"recurring", "user_cap", "number_minimum", "first_period"})
CITED_ARTICLES = frozenset({"8.4", "8.5", "8.6"})
CONTRACTED_USERS = "R-BASIS"

# Characters that reorder the text around them, or that no text holds, are not printed as such.
_CONTROLS = dict.fromkeys((*range(0x20), *range(0x7F, 0xA0), 0xFFFE, 0xFFFF), "\ufffd")
_BLANKS = dict.fromkeys((0x09, 0x0D, 0x2028, 0x2029), " ")
_BIDI = dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A)), "")
_PRINTABLE = {**_CONTROLS, **_BLANKS, **_BIDI, 0x0A: "\n"}
_LEFT_TO_RIGHT_MARK = "\u200e"

# The call detail is text of fixed columns: an HTML cell for each figure takes seven times as long.
CALLS_PER_BLOCK = 5
_GAP = "  "
_COLUMN_WIDTHS = {
    "date": 10,
    "time": 8,
    "called_number": 18,
    "zone": 25,
    "duration": 9,
    "in_pack": 9,
    "out_of_pack": 13,
    "amount": 11,
}
_RIGHT_COLUMNS = ("duration", "in_pack", "out_of_pack", "amount")
_LEFT_WIDTHS = [width for name, width in _COLUMN_WIDTHS.items() if name not in _RIGHT_COLUMNS]
_SUBTOTAL_WIDTH = sum(_LEFT_WIDTHS) + len(_GAP) * (len(_LEFT_WIDTHS) - 1)
_ZONE_INDENT = _SUBTOTAL_WIDTH - _COLUMN_WIDTHS["zone"]


@dataclass(frozen=True, slots=True)
class CallGroup:
    """The calls of one user, as blocks of lines of text in fixed columns."""

    title: str
    blocks: tuple[str, ...]
    subtotal: str


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
    _check_figures(document)
    fetcher = SealedFetcher(logo)
    try:
        html = HTML(string=_html(document, fetcher.uri), url_fetcher=fetcher)
        style = _stylesheet(document.supplier.colour)
        pdf: bytes = html.write_pdf(stylesheets=[style], font_config=_fonts())
    except FatalURLFetchingError:
        pdf = b""  # refused below, as is what WeasyPrint went on after
    if fetcher.refused:
        raise InputRefused(f"the logo asks for {fetcher.refused}: save it without links and embedded images")
    return pdf


def printable(text: str) -> str:
    """A text whose characters stay where they stand: no controls, nothing that turns the reading order."""
    return text.translate(_PRINTABLE)


def call_groups(calls: pl.DataFrame, language: Language) -> tuple[CallGroup, ...]:
    """The call detail by user, in the order of their first calls; within a user in the given order.

    Args:
        calls: The columns of `InvoiceDocument.calls`.
        language: Writes the days, amounts and words.
    """
    if calls.is_empty():
        return ()
    lines = calls.select(
        "user_id",
        "duration_s",
        "pack_s",
        "charged_s",
        "amount_cents",
        text=_call_text(calls, language),
        block=pl.int_range(pl.len()).over("user_id") // CALLS_PER_BLOCK,
    )
    return tuple(_call_group(group, language) for group in lines.partition_by("user_id", maintain_order=True))


def _check_figures(document: InvoiceDocument) -> None:
    """A document whose parts do not make its totals is not shown to anybody."""
    unknown = {line.kind for line in document.lines} - SECTION_KINDS
    if unknown:
        raise ValueError(f"invoice {document.number}: no section for lines of kind {', '.join(sorted(unknown))}")
    traffic_cents = sum(line.net_cents for line in document.lines if line.kind == "traffic")
    sums = [
        ("lines", sum(line.net_cents for line in document.lines), document.net_cents),
        ("traffic", sum(zone.amount_cents for zone in document.traffic), traffic_cents),
        ("VAT bases", sum(total.base_cents for total in document.vat), document.net_cents),
        ("VAT", sum(total.vat_cents for total in document.vat), document.vat_cents),
        ("net and VAT", document.net_cents + document.vat_cents, document.gross_cents),
    ]
    for name, found, expected in sums:
        if found != expected:
            raise ValueError(f"invoice {document.number}: {name} make {found} cents, not {expected}")


def _html(document: InvoiceDocument, logo_uri: str) -> str:
    speech = language(document.customer.language)
    return (
        _environment()
        .get_template("invoice.html")
        .render(
            document=document,
            language=speech,
            say=speech.say,
            logo_uri=logo_uri,
            notes_of=lambda line: _notes(line, document.next_period, speech),
            reason_of=lambda total: _vat_reason(total, speech),
            share_used=_share_used,
            call_columns=call_columns(speech),
            call_groups=call_groups(document.calls, speech),
            has_incoming="incoming" in document.calls["direction"],
        )
    )


def _notes(line: Line, next_period: str, speech: Language) -> list[str]:
    """What a customer may ask about a line: the days it stands for, and the article behind it."""
    notes = []
    first, last = line.service_from, line.service_to
    if first is not None and last is not None:
        if line.kind not in SERVICE_KINDS:
            notes.append(speech.say("line.on", day=speech.day(first)))
        elif not (_is_whole_month(first, last) and f"{first:%Y-%m}" == next_period):
            notes.append(_service_days(first, last, speech))
    if line.kind in {"user_cap", "number_minimum"} or line.rule == CONTRACTED_USERS:
        article = speech.say("line.article", article=line.article)
        reason = speech.say(f"article.{line.article}") if line.article in CITED_ARTICLES else ""
        notes.append(f"{reason} ({article})" if reason else article)
    return notes


def _service_days(first: date, last: date, speech: Language) -> str:
    days = speech.say("line.from_to", first=speech.day(first), last=speech.day(last))
    if (first.year, first.month) != (last.year, last.month) or _is_whole_month(first, last):
        return days
    month_days = calendar.monthrange(first.year, first.month)[1]
    share = speech.say("line.share", days=str((last - first).days + 1), month_days=str(month_days))
    return f"{days} ({share})"


def _is_whole_month(first: date, last: date) -> bool:
    month_days = calendar.monthrange(first.year, first.month)[1]
    return first.day == 1 and last == first.replace(day=month_days)


def _vat_reason(total: VatTotal, speech: Language) -> str:
    if total.reason is not None:
        return total.reason
    return "" if total.category == "S" else speech.say(f"vat.{total.category}")


def _share_used(pack: PackUse) -> int:
    """How much of a limited pack was used, in whole percent; a pack of nothing is used up."""
    if not pack.allowance_s:
        return 100
    return min(100, pack.used_s * 100 // pack.allowance_s)


def call_columns(speech: Language) -> str:
    """The heads of the call detail, over the columns of `_call_text`."""
    heads = (speech.say(f"column.{name}") for name in _COLUMN_WIDTHS)
    return _GAP.join(
        head.rjust(width) if name in _RIGHT_COLUMNS else head.ljust(width)
        for head, (name, width) in zip(heads, _COLUMN_WIDTHS.items(), strict=True)
    )


def _call_text(calls: pl.DataFrame, speech: Language) -> pl.Series:
    """Each call as a line of text in fixed columns; a long zone goes on below its first words."""
    zones = {zone: _zone_lines(zone) for zone in calls["zone"].unique().sort()}
    first_lines = {zone: lines[0] for zone, lines in zones.items()}
    more_lines = {zone: "".join(lines[1:]) for zone, lines in zones.items()}
    incoming = pl.col("direction") == "incoming"
    number = pl.when(incoming).then("\u2190 " + pl.col("caller")).otherwise(pl.col("callee"))
    texts = {
        "date": pl.lit(_written(calls["start"].dt.date(), speech.day)),
        "time": pl.col("start").dt.to_string("%H:%M:%S"),
        "called_number": number.str.replace("anonymous", speech.say("calls.anonymous"), literal=True),
        "zone": pl.col("zone").replace_strict(first_lines, return_dtype=pl.String),
        "duration": _clock(pl.col("duration_s")),
        "in_pack": _clock_or_dash("pack_s"),
        "out_of_pack": _clock_or_dash("charged_s"),
        "amount": pl.lit(_written(calls["amount_cents"], speech.amount)),
    }
    line = pl.concat_str(
        [_padded(t, name) for name, t in texts.items()],
        separator=_GAP,
    )
    return calls.select(line + pl.col("zone").replace_strict(more_lines, return_dtype=pl.String)).to_series()


def _padded(text: pl.Expr, name: str) -> pl.Expr:
    width = _COLUMN_WIDTHS[name]
    return text.str.pad_start(width) if name in _RIGHT_COLUMNS else text.str.pad_end(width)


def _zone_lines(zone: str) -> list[str]:
    """A zone's label cut to the width of its column; every line after the first starts with its line end."""
    label = unicodedata.normalize("NFC", printable(zone))
    parts = textwrap.wrap(label, _COLUMN_WIDTHS["zone"]) or [""]
    if any(unicodedata.bidirectional(character) in {"R", "AL"} for character in label):
        # Marks on both sides keep the figures after a label that reads right to left in their columns.
        parts = [f"{_LEFT_TO_RIGHT_MARK}{part}{_LEFT_TO_RIGHT_MARK}" for part in parts]
    return [parts[0], *(f"\n{' ' * _ZONE_INDENT}{part}" for part in parts[1:])]


def _written(column: pl.Series, write: Callable[[Any], str]) -> pl.Series:
    """A column as text, each different entry written once."""
    entries = column.unique()
    return column.replace_strict(entries, [write(entry) for entry in entries], return_dtype=pl.String)


def _clock(duration_s: pl.Expr) -> pl.Expr:
    """Seconds as h:mm:ss."""
    minutes = (duration_s // 60 % 60).cast(pl.String).str.pad_start(2, "0")
    seconds = (duration_s % 60).cast(pl.String).str.pad_start(2, "0")
    return pl.concat_str([(duration_s // 3600).cast(pl.String), minutes, seconds], separator=":")


def _clock_or_dash(duration_s: str) -> pl.Expr:
    """A share of a call that is mostly nothing: a dash is easier to pass over."""
    return pl.when(pl.col(duration_s) == 0).then(pl.lit("\u2013")).otherwise(_clock(pl.col(duration_s)))


def _call_group(calls: pl.DataFrame, speech: Language) -> CallGroup:
    user_id = calls["user_id"][0]
    blocks = calls.group_by("block", maintain_order=True).agg(pl.col("text").str.join("\n"))
    durations = ("duration_s", "pack_s", "charged_s")
    clocks = calls.select(_clock(pl.col(name).sum()).alias(name) for name in durations).row(0)
    amount = speech.amount(int(calls["amount_cents"].sum()))
    count = speech.say("calls.subtotal", count=speech.count(calls.height))
    figures = zip((*clocks, amount), ("duration", "in_pack", "out_of_pack", "amount"), strict=True)
    cells = [text.rjust(_COLUMN_WIDTHS[name]) for text, name in figures]
    return CallGroup(
        title=speech.say("calls.no_user") if user_id is None else speech.say("calls.user", user=user_id),
        blocks=tuple(blocks["text"]),
        subtotal=_GAP.join((count.ljust(_SUBTOTAL_WIDTH), *cells)),
    )


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
        string=Template(source).substitute(accent=accent),
        font_config=_fonts(),
        url_fetcher=SealedFetcher(None),
    )

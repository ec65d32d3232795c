"""The call detail as the operators of its pages: columnar, from the calls to one text per page.

A page has lines of one height. The calls of a user stand under a line with the user's name, which is repeated
on top of every further page, and over a line with their sums. Across, everything is measured in thousandths of
the font size from the left of the table, as PDF moves the pen within a line of text (ISO 32000-2, 9.4.3).
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import polars as pl

from invoicing.documents.row_font import escaped
from invoicing.documents.words import language, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from invoicing.documents.row_font import RowFont
    from invoicing.documents.words import Language

COLUMNS = ("date", "time", "called_number", "zone", "duration", "in_pack", "out_of_pack", "amount")
LINES_PER_FONT_SIZE = 1.5
CELL_GAP = 900
TITLE = "title"
NONE = "\u2013"
INK, RULE, BAND, STRIPE = ".102", ".6", ".9", ".965"
RULE_PT = 0.5
ITEMS_KEPT = 2  # at least so many lines stand under a user's name
REGULAR_NUMBER = r"^\+?[0-9]{1,16}$"


@dataclass(frozen=True, slots=True)
class Geometry:
    """Where the lines of a page stand, in points from the top left of the page.

    Attributes:
        left: Of the table.
        top: Of the first line.
        width: Of the table.
        height: Of a line.
        lines: How many there are on a page.
        columns: From and to, by the name of the column, in thousandths of the font size from the left.
    """

    left: float
    top: float
    width: float
    height: float
    lines: int
    columns: Mapping[str, tuple[int, int]]

    @property
    def font_size(self) -> float:
        """Of the text in a line."""
        return self.height / LINES_PER_FONT_SIZE

    def room(self, kind: str) -> int:
        """How wide a text may be in a column that begins on the left, or as a title."""
        if kind == TITLE:
            return round(self.width / self.font_size * 1000)
        following = COLUMNS[COLUMNS.index(kind) + 1]
        first, last = self.columns[kind]
        return min(last, self.columns[following][0]) - first - CELL_GAP

    def base(self, line: int, font: RowFont) -> float:
        """The base line of the text in a line."""
        letters = (font.ascent - font.descent) / 1000 * self.font_size
        return self.top + line * self.height + (self.height - letters) / 2 + font.ascent / 1000 * self.font_size


@dataclass(frozen=True, slots=True)
class Detail:
    """The call detail, written but not placed.

    Attributes:
        calls: One row per call in the order to print: `group_no`, `item` (its place within the group), `date`,
            `number`, `zone` (texts) and the figures of `InvoiceDocument.calls`.
        groups: One row per user in the order of their first calls: `group_no`, `title`, `count`, and the sums.
        odd: What the row font cannot write, as kind (`called_number`, `zone` or `title`) and text: it is laid
            out elsewhere and shown as the form of the name `form_name(place in this list)`.
    """

    calls: pl.DataFrame
    groups: pl.DataFrame
    odd: tuple[tuple[str, str], ...]


def form_name(place: int) -> str:
    """The name of the form that shows an odd text."""
    return f"Odd{place}"


def call_detail_of(calls: pl.DataFrame, speech: Language, font: RowFont) -> Detail:
    """Write each call's texts, and find those that the row font cannot show.

    Args:
        calls: The columns of `InvoiceDocument.calls`.
        speech: The language of the words and dates.
        font: The font of the rows.
    """
    sums = pl.col("duration_s", "pack_s", "charged_s", "amount_cents")
    groups = calls.group_by("user_id", maintain_order=True).agg(pl.len().alias("count"), sums.sum())
    titles = [_title(user_id, speech) for user_id in groups["user_id"]]
    groups = groups.with_columns(pl.Series("title", titles, pl.String)).with_row_index("group_no")
    incoming = pl.col("direction") == "incoming"
    number = pl.when(incoming).then("\u2190 " + pl.col("caller")).otherwise(pl.col("callee"))
    written = calls.join(
        groups.select("user_id", "group_no"), on="user_id", how="left", nulls_equal=True, maintain_order="left"
    ).select(
        "group_no",
        sums,
        item=pl.int_range(pl.len(), dtype=pl.Int64).over("group_no"),
        date=_each(pl.col("start").dt.date(), calls["start"].dt.date().unique(), speech.day),
        time=pl.col("start").dt.to_string("%H:%M:%S"),
        called_number=number.str.replace("anonymous", speech.say("calls.anonymous"), literal=True),
        zone=_each(pl.col("zone"), calls["zone"].unique(), _one_line),
    )
    irregular = written.filter(~pl.col("called_number").str.contains(REGULAR_NUMBER))["called_number"].unique()
    texts = {"called_number": irregular, "zone": written["zone"].unique(), TITLE: groups["title"].unique()}
    odd = tuple((kind, text) for kind, found in texts.items() for text in sorted(found) if not font.covers(text))
    return Detail(written, groups, odd)


@dataclass(frozen=True, slots=True)
class PageLines:
    """The operators of one page's lines, in ASCII: `start`, then what is behind the texts, the texts, and `Q`."""

    start: str
    backdrop: str
    texts: str


def page_operators(detail: Detail, geometry: Geometry, speech: Language, font: RowFont) -> list[PageLines]:
    """The operators of each page's lines, in the order to read.

    They expect the origin at the top left of the page, y downwards, in points; `/Rows` is the row font.
    """
    writing = _Writing(detail.odd, geometry, speech, font)
    groups = detail.groups.with_columns(_starts(detail.groups["count"], geometry.lines))
    lines = pl.concat([writing.titles(groups), writing.calls(detail.calls, groups), writing.subtotals(groups)])
    pages = lines.sort("page", "line").group_by("page", maintain_order=True)
    joined = pages.agg(pl.col("text", "stripe", "band", "rule").str.join("\n", ignore_nulls=True))
    start = f"q 1 0 0 1 {_number(geometry.left)} 0 cm"
    return [
        PageLines(
            start,
            f"{STRIPE} g\n{stripes}\nf\n{BAND} g\n{bands}\nf\n{RULE} g\n{rules}\nf",
            f"{INK} g BT /Rows {_number(geometry.font_size)} Tf\n{texts}\nET",
        )
        for texts, stripes, bands, rules in joined.select("text", "stripe", "band", "rule").iter_rows()
    ]


def _title(user_id: str | None, speech: Language) -> str:
    return _one_line(speech.say("calls.no_user") if user_id is None else speech.say("calls.user", user=user_id))


def _one_line(text: str) -> str:
    """A text as the row font may know it: each letter with its accents, and no line ends."""
    return " ".join(unicodedata.normalize("NFC", printable(text)).split("\n"))


def _each(column: pl.Expr, entries: pl.Series, write: Callable[[Any], str]) -> pl.Expr:
    """A column as text, each different entry written once."""
    return column.replace_strict(entries, [write(entry) for entry in entries], return_dtype=pl.String)


@lru_cache(maxsize=1 << 14)
def _amount(code: str, amount_cents: int) -> str:
    return language(code).amount(amount_cents)


def _number(points: float) -> str:
    """A length as PDF reads it, to a hundredth of a point."""
    return f"{points:.2f}".rstrip("0").rstrip(".")


def _starts(counts: pl.Series, lines: int) -> list[pl.Series]:
    """Where each user's name stands, so many calls below it: one after the other, with a line between them.

    Returns:
        `first_page` and `first_line` of the name, `last_page` of the sums, and `kept`: 1 where the last call
        leaves its page to stand with the sums on the next, else 0.
    """
    starts = []
    page, line = 0, 0
    for count in counts:
        if line + ITEMS_KEPT >= lines:
            page, line = page + 1, 0
        beyond = count - (lines - 1 - line)
        kept = int(beyond >= 0 and beyond % (lines - 1) == 0)
        pages, last = divmod(beyond + kept, lines - 1)
        last_page = page + 1 + pages if beyond + kept >= 0 else page
        starts.append((page, line, last_page, kept))
        line = (last + 1 if last_page > page else line + 1 + count) + 2
        page = last_page
    names = ("first_page", "first_line", "last_page", "kept")
    return [pl.Series(name, column, pl.Int64) for name, column in zip(names, zip(*starts, strict=True), strict=True)]


@dataclass(frozen=True, slots=True)
class _Writing:
    """What each line's text is made with; every method gives `page`, `line`, `text`, `stripe`, `band`, `rule`."""

    odd: tuple[tuple[str, str], ...]
    geometry: Geometry
    speech: Language
    font: RowFont

    def titles(self, groups: pl.DataFrame) -> pl.DataFrame:
        """A user's name on a band, on each of its pages."""
        pages = groups.with_columns(page=pl.int_ranges("first_page", pl.col("last_page") + 1)).explode("page")
        first = pl.col("page") == pl.col("first_page")
        placed = pages.with_columns(line=pl.when(first).then("first_line").otherwise(0))
        text, _ = self.cell(TITLE, placed[TITLE].unique())
        pieces: list[str | pl.Expr] = ["1 0 0 -1 0 ", self.bases(), " Tm[(", text, ")]TJ"]
        return self.lines(placed, pieces, band=True)

    def calls(self, calls: pl.DataFrame, groups: pl.DataFrame) -> pl.DataFrame:
        """The calls, every other line on a stripe."""
        facts = groups.select("group_no", "first_page", "first_line", "kept", "count")
        joined = calls.join(facts, on="group_no", how="left", maintain_order="left")
        last = pl.col("item") == pl.col("count") - 1
        placed = joined.with_columns(self.place(pl.col("item") + pl.col("kept") * last))
        regular = pl.col("called_number").str.contains(REGULAR_NUMBER)
        irregular = placed.filter(~regular)["called_number"].unique()
        number, number_width = self.cell("called_number", irregular)
        zone, zone_width = self.cell("zone", placed["zone"].unique())
        digit, plus = self.font.width("0"), self.font.width("+")
        digits = pl.col("called_number").str.len_bytes().cast(pl.Int64) * digit
        regular_width = digits + pl.col("called_number").str.starts_with("+") * (plus - digit)
        start = {name: columns[0] for name, columns in self.geometry.columns.items()}
        number_width = pl.when(regular).then(regular_width).otherwise(number_width)
        number = pl.when(regular).then("called_number").otherwise(number)
        day_width = self.font.width(calls["date"][0])
        time_width = self.font.width("00:00:00")
        pieces: list[str | pl.Expr] = [
            "1 0 0 -1 0 ", self.bases(), " Tm[(", pl.col("date"),
            f"){day_width - start['time']}(", pl.col("time"),
            f"){start['time'] + time_width - start['called_number']}(", number,
            ")", number_width + (start["called_number"] - start["zone"]), "(", zone,
            *self.figures(zone_width + start["zone"], placed["amount_cents"].unique()),
        ]  # fmt: skip
        return self.lines(placed, pieces, stripe=pl.col("line") % 2 == 1)

    def subtotals(self, groups: pl.DataFrame) -> pl.DataFrame:
        """The sums of a user, under a rule."""
        placed = groups.with_columns(self.place(pl.col("count").cast(pl.Int64) + pl.col("kept")))
        counts = [self.speech.say("calls.subtotal", count=self.speech.count(count)) for count in groups["count"]]
        widths = pl.Series([self.font.width(text) for text in counts], dtype=pl.Int64)
        placed = placed.with_columns(subtotal=pl.Series(map(escaped, counts)), width=widths)
        figures = self.figures(pl.col("width"), groups["amount_cents"].unique())
        pieces = ["1 0 0 -1 0 ", self.bases(), " Tm[(", pl.col("subtotal"), *figures]
        return self.lines(placed, pieces, rule=True)

    def place(self, item: pl.Expr) -> list[pl.Expr]:
        """The page and line of a group's item, counted from its name."""
        lines = self.geometry.lines
        beyond = item - (lines - 1 - pl.col("first_line"))
        return [
            pl.when(beyond < 0).then(pl.col("first_page"))
            .otherwise(pl.col("first_page") + 1 + beyond // (lines - 1)).alias("page"),
            pl.when(beyond < 0).then(pl.col("first_line") + 1 + item)
            .otherwise(1 + beyond % (lines - 1)).alias("line"),
        ]  # fmt: skip

    def lines(
        self,
        placed: pl.DataFrame,
        pieces: list[str | pl.Expr],
        *,
        stripe: pl.Expr | None = None,
        band: bool = False,
        rule: bool = False,
    ) -> pl.DataFrame:
        """The text of each line from its pieces, and what is drawn behind it."""
        geometry = self.geometry
        tops = [_number(geometry.top + line * geometry.height) for line in range(geometry.lines)]
        width, height = _number(geometry.width), _number(geometry.height)
        whole = self.by_line([f"0 {top} {width} {height} re" for top in tops])
        upper = self.by_line([f"0 {top} {width} {RULE_PT} re" for top in tops])
        nothing = pl.lit(None, pl.String)
        return placed.select(
            pl.col("page", "line").cast(pl.Int64),
            text=pl.concat_str([pl.lit(piece) if isinstance(piece, str) else piece for piece in pieces]),
            stripe=nothing if stripe is None else pl.when(stripe).then(whole),
            band=whole if band else nothing,
            rule=upper if rule else nothing,
        )

    def by_line(self, texts: list[str]) -> pl.Expr:
        """The text for each line's place on its page."""
        return pl.lit(pl.Series(texts)).gather(pl.col("line"))

    def bases(self) -> pl.Expr:
        """The base line of each line."""
        return self.by_line([_number(self.geometry.base(line, self.font)) for line in range(self.geometry.lines)])

    def cell(self, kind: str, texts: pl.Series) -> tuple[pl.Expr, pl.Expr]:
        """The texts of a column, each between the parentheses of a string, and how far each moves the pen.

        What the row font cannot write is shown as its form: the string is ended, the text object left and
        entered again at the same place.
        """
        room = self.geometry.room(kind)
        if texts.is_empty():
            return pl.lit(""), pl.lit(0)
        plain = {text: self.font.fitting(text, room) for text in texts if (kind, text) not in self.odd}
        written = {text: escaped(fitting) for text, fitting in plain.items()}
        widths = {text: self.font.width(fitting) for text, fitting in plain.items()}
        column = pl.col(kind)
        text = column.replace_strict(written, default=None, return_dtype=pl.String)
        width = column.replace_strict(widths, default=0, return_dtype=pl.Int64)
        forms = {text: form_name(place) for place, (of, text) in enumerate(self.odd) if of == kind}
        if not forms:
            return text, width
        geometry = self.geometry
        left = _number(0 if kind == TITLE else geometry.columns[kind][0] / 1000 * geometry.font_size)
        feet = self.by_line([_number(geometry.top + (line + 1) * geometry.height) for line in range(geometry.lines)])
        form = column.replace_strict(forms, default=None, return_dtype=pl.String)
        shown = pl.concat_str(
            pl.lit(f")]TJ ET q 1 0 0 -1 {left} "), feet, pl.lit(" cm /"), form,
            pl.lit(f" Do Q BT 1 0 0 -1 {left} "), self.bases(), pl.lit(" Tm[("),
        )  # fmt: skip
        return pl.when(form.is_null()).then(text).otherwise(shown), width

    def figures(self, pen: pl.Expr, amounts_cents: pl.Series) -> list[str | pl.Expr]:
        """The columns of figures, each up to its right end, from where the pen stands to the end of the line."""
        pieces: list[str | pl.Expr] = []
        clocks = [self.clock(name) for name in ("duration_s", "pack_s", "charged_s")]
        for name, (text, width) in zip(COLUMNS[-4:], [*clocks, self.amount(amounts_cents)], strict=True):
            end = self.geometry.columns[name][1]
            pieces += [")", pen + width - end, "(", text]
            pen = pl.lit(end)
        return [*pieces, ")]TJ"]

    def clock(self, name: str) -> tuple[pl.Expr, pl.Expr]:
        """Seconds as h:mm:ss, nothing as a dash, which is easier to pass over; and the width of that."""
        seconds = pl.col(name)
        digits = pl.lit(pl.Series([f"{number:02d}" for number in range(60)]))
        text = pl.concat_str(
            seconds // 3600, pl.lit(":"), digits.gather(seconds // 60 % 60), pl.lit(":"), digits.gather(seconds % 60)
        )
        digit, colon = self.font.width("0"), self.font.width(":")
        width = (text.str.len_bytes().cast(pl.Int64) - 2) * digit + 2 * colon
        if name == "duration_s":
            return text, width
        none = seconds == 0
        return pl.when(none).then(pl.lit(escaped(NONE))).otherwise(text), pl.when(none).then(
            self.font.width(NONE)
        ).otherwise(width)

    def amount(self, amounts_cents: pl.Series) -> tuple[pl.Expr, pl.Expr]:
        """Amounts as the language writes them, each different one written once, and their widths."""
        texts = [_amount(self.speech.code, amount_cents) for amount_cents in amounts_cents]
        widths = [self.font.width(text) for text in texts]
        column = pl.col("amount_cents")
        return (
            column.replace_strict(amounts_cents, [escaped(text) for text in texts], return_dtype=pl.String),
            column.replace_strict(amounts_cents, widths, return_dtype=pl.Int64),
        )

"""The call detail as the operators of its pages: columnar, from the calls to one text per page.

A page has lines of one height. The calls of a user stand under a line with the user's name, which is repeated
on top of every further page, and over a line with their sums. Across, everything is measured in thousandths of
the font size from the left of the table, as PDF moves the pen within a line of text (ISO 32000-2, 9.4.3).
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import polars as pl

from invoicing.documents.row_font import escaped
from invoicing.documents.words import language, printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from invoicing.documents.row_font import RowFont
    from invoicing.documents.words import Language

COLUMNS = ("date", "time", "called_number", "zone", "duration", "in_pack", "out_of_pack", "amount")
LINES_PER_FONT_SIZE = 1.5
CELL_GAP = 900
TITLE, CALL, SUMS = "title", "call", "sums"  # what a line is
NUMBER, ZONE = "called_number", "zone"
FIGURES = ("duration_s", "pack_s", "charged_s", "amount_cents")
SIXTY = [f"{number:02d}" for number in range(60)]
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

    def base(self, font: RowFont) -> float:
        """The base line of the text in a line, from the top of that."""
        letters = (font.ascent - font.descent) / 1000 * self.font_size
        return (self.height - letters) / 2 + font.ascent / 1000 * self.font_size


@dataclass(frozen=True, slots=True)
class Detail:
    """The call detail, written but not placed.

    Attributes:
        calls: One row per call in the order to print: `group_no`, `item` (its place within the group), `date`,
            `time` and `called_number` (texts), `irregular` and `zone` (places in `texts`, the first null where the
            number is a plus and digits) and the figures of `InvoiceDocument.calls`.
        groups: One row per user in the order of their first calls: `group_no`, `count`, and the sums.
        texts: By kind, what stands in a line and is not figures: of irregular numbers and of zones each different
            one, of titles (the names of users) one per group.
        odd: What the row font cannot write, as kind and text: it is laid out elsewhere and shown as the form of the
            name `form_name(place in this list)`.
    """

    calls: pl.DataFrame
    groups: pl.DataFrame
    texts: Mapping[str, Sequence[str]]
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
    groups = calls.group_by("user_id", maintain_order=True).agg(pl.len().alias("count"), pl.col(FIGURES).sum())
    groups = groups.with_row_index("group_no")
    days, zones = calls["start"].dt.date().unique(), calls["zone"].unique()
    incoming = pl.col("direction") == "incoming"
    number = pl.when(incoming).then("\u2190 " + pl.col("caller")).otherwise(pl.col("callee"))
    written = calls.join(
        groups.select("user_id", "group_no"), on="user_id", how="left", nulls_equal=True, maintain_order="left"
    ).select(
        "group_no",
        *FIGURES,
        item=pl.int_range(pl.len(), dtype=pl.Int64).over("group_no"),
        date=_texts([_day(speech.code, day) for day in days]).gather(
            _place(pl.col("start").dt.to_string("%F"), days.dt.to_string("%F"))
        ),
        time=pl.col("start").dt.to_string("%T"),
        called_number=number.str.replace("anonymous", speech.say("calls.anonymous"), literal=True),
        zone=_place(pl.col("zone"), zones),
    )
    numbers = written.filter(~pl.col("called_number").str.contains(REGULAR_NUMBER))["called_number"].unique()
    written = written.with_columns(irregular=_place(pl.col("called_number"), numbers))
    texts = {
        NUMBER: numbers.to_list(),
        ZONE: [_one_line(zone) for zone in zones],
        TITLE: [_title(user_id, speech) for user_id in groups["user_id"]],
    }
    odd = tuple((kind, text) for kind, found in texts.items() for text in sorted(set(found)) if not font.covers(text))
    return Detail(written, groups, texts, odd)


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
    pages = _Writing(detail, geometry, speech, font).lines().sort("page", "line").group_by("page", maintain_order=True)
    joined = pages.agg(pl.col("text", "stripe", "band", "rule").str.join("\n", ignore_nulls=True)).collect()
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


def _place(column: pl.Expr, entries: pl.Series) -> pl.Expr:
    """The place of each text in a list of different ones, or null: a fifth of what `replace_strict` costs."""
    return column.cast(pl.Enum(entries), strict=False).to_physical()


def _texts(texts: Sequence[str]) -> pl.Expr:
    """A list to take texts from."""
    return pl.lit(pl.Series(texts, dtype=pl.String))


@lru_cache(maxsize=1 << 12)
def _day(code: str, day: date) -> str:
    return language(code).day(day)


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


@lru_cache(maxsize=8)
def _of_lines(top: float, height: float, width: float, lines: int, base: float) -> tuple[pl.Expr, ...]:
    """For the line of each row, as it stands on its page: its base, its foot, all of it, and the rule on its top.

    Args:
        top: Of the first line.
        height: Of each.
        width: Of all.
        lines: How many there are.
        base: Of the text, from the top of its line.
    """
    tops = [top + line * height for line in range(lines)]
    written = (
        [_number(each + base) for each in tops],
        [_number(each + height) for each in tops],
        [f"0 {_number(each)} {_number(width)} {_number(height)} re" for each in tops],
        [f"0 {_number(each)} {_number(width)} {RULE_PT} re" for each in tops],
    )
    return tuple(pl.lit(pl.Series(texts)).gather(pl.col("line")) for texts in written)


@dataclass(frozen=True, slots=True)
class _Writing:
    """What each line's text is made with.

    The lines of names, calls and sums each have `kind`, `page`, `line`, `text` (the beginning of the line: pieces of
    a PDF string with moves between them, the last one still open), `pen` (where that leaves the pen) and the figures.
    """

    detail: Detail
    geometry: Geometry
    speech: Language
    font: RowFont

    def lines(self) -> pl.LazyFrame:
        """Every line: `page`, `line`, `text`, and what is drawn behind it or null: `stripe`, `band` and `rule`."""
        groups = self.detail.groups.with_columns(_starts(self.detail.groups["count"], self.geometry.lines)).lazy()
        figured = self.with_figures(pl.concat([self.calls(groups), self.sums(groups)]))
        base, _, whole, upper = self.of_lines()
        kind = pl.col("kind")
        return pl.concat([self.titles(groups), figured]).select(
            "page",
            "line",
            text=pl.concat_str(pl.lit("1 0 0 -1 0 "), base, pl.lit(" Tm[("), "text", pl.lit(")]TJ")),
            stripe=pl.when((kind == CALL) & (pl.col("line") % 2 == 1)).then(whole),
            band=pl.when(kind == TITLE).then(whole),
            rule=pl.when(kind == SUMS).then(upper),
        )

    def titles(self, groups: pl.LazyFrame) -> pl.LazyFrame:
        """A user's name, on each of its pages."""
        pages = groups.with_columns(page=pl.int_ranges("first_page", pl.col("last_page") + 1)).explode("page")
        first = pl.col("page") == pl.col("first_page")
        text, _ = self.cell(TITLE, pl.col("group_no"))
        return pages.with_columns(line=pl.when(first).then("first_line").otherwise(0)).select(
            "page", "line", kind=pl.lit(TITLE), text=text
        )

    def calls(self, groups: pl.LazyFrame) -> pl.LazyFrame:
        """The calls."""
        facts = groups.select("group_no", "first_page", "first_line", "kept", "count")
        joined = self.detail.calls.lazy().join(facts, on="group_no", how="left", maintain_order="left")
        last = pl.col("item") == pl.col("count") - 1
        number, number_width = self.number()
        zone, zone_width = self.cell(ZONE, pl.col(ZONE))
        start = {name: columns[0] for name, columns in self.geometry.columns.items()}
        day_width = self.font.width(self.detail.calls["date"][0])
        time_width = self.font.width("00:00:00")
        text = pl.concat_str(
            "date", pl.lit(f"){day_width - start['time']}("),
            "time", pl.lit(f"){start['time'] + time_width - start[NUMBER]}("),
            number, pl.lit(")"), number_width + (start[NUMBER] - start[ZONE]), pl.lit("("), zone,
        )  # fmt: skip
        return joined.with_columns(self.place(pl.col("item") + pl.col("kept") * last)).select(
            "page", "line", *FIGURES, kind=pl.lit(CALL), text=text, pen=zone_width + start[ZONE]
        )

    def sums(self, groups: pl.LazyFrame) -> pl.LazyFrame:
        """The sums of each user."""
        counts = [
            self.speech.say("calls.subtotal", count=self.speech.count(count)) for count in self.detail.groups["count"]
        ]
        text = _texts([escaped(text) for text in counts])
        pen = pl.lit(pl.Series([self.font.width(text) for text in counts], dtype=pl.Int64))
        return groups.with_columns(self.place(pl.col("count").cast(pl.Int64) + pl.col("kept"))).select(
            "page", "line", *FIGURES, kind=pl.lit(SUMS), text=text, pen=pen
        )

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

    def of_lines(self) -> tuple[pl.Expr, ...]:
        """The base of each line, its foot, all of it, and the rule on its top."""
        page = self.geometry
        return _of_lines(page.top, page.height, page.width, page.lines, page.base(self.font))

    def number(self) -> tuple[pl.Expr, pl.Expr]:
        """The number of a call, as `cell` has it: that of most is digits, which are all of one width."""
        number, regular = pl.col(NUMBER), pl.col("irregular").is_null()
        digit, plus = self.font.width("0"), self.font.width("+")
        digits_width = number.str.len_bytes().cast(pl.Int64) * digit + number.str.starts_with("+") * (plus - digit)
        text, width = self.cell(NUMBER, pl.col("irregular"))
        return pl.when(regular).then(number).otherwise(text), pl.when(regular).then(digits_width).otherwise(width)

    def cell(self, kind: str, place: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
        """The text at a place among those of a kind, as it stands in a string, and how far it moves the pen.

        What the row font cannot write is shown as its form: the string is ended, the text object left and
        entered again at the same place.
        """
        room, texts = self.geometry.room(kind), self.detail.texts[kind]
        odd = {text: form_name(place) for place, (of, text) in enumerate(self.detail.odd) if of == kind}
        fitting = ["" if text in odd else self.font.fitting(text, room) for text in texts]
        text = _texts([escaped(text) for text in fitting]).gather(place)
        width = pl.lit(pl.Series([self.font.width(text) for text in fitting], dtype=pl.Int64)).gather(place)
        if not odd:
            return text, width
        geometry = self.geometry
        left = _number(0 if kind == TITLE else geometry.columns[kind][0] / 1000 * geometry.font_size)
        base, foot, *_ = self.of_lines()
        form = pl.lit(pl.Series([odd.get(text) for text in texts], dtype=pl.String)).gather(place)
        shown = pl.concat_str(
            pl.lit(f")]TJ ET q 1 0 0 -1 {left} "), foot, pl.lit(" cm /"), form,
            pl.lit(f" Do Q BT 1 0 0 -1 {left} "), base, pl.lit(" Tm[("),
        )  # fmt: skip
        return pl.when(form.is_null()).then(text).otherwise(shown), width

    def with_figures(self, lines: pl.LazyFrame) -> pl.LazyFrame:
        """The columns of figures after the text, each up to its right end, from where the pen stands to the end."""
        pieces, pen = [], pl.col("pen")
        amounts_cents = (
            pl.concat([each["amount_cents"] for each in (self.detail.calls, self.detail.groups)]).unique().sort()
        )
        clocks = [self.clock(name) for name in FIGURES[:-1]]
        for name, (text, width) in zip(COLUMNS[-4:], [*clocks, self.amount(amounts_cents)], strict=True):
            end = self.geometry.columns[name][1]
            pieces += [pl.lit(")"), pen + width - end, pl.lit("("), text]
            pen = pl.lit(end)
        amount = pl.lit(amounts_cents).search_sorted(pl.col("amount_cents"))
        return lines.with_columns(amount=amount).select("page", "line", "kind", text=pl.concat_str("text", *pieces))

    def clock(self, name: str) -> tuple[pl.Expr, pl.Expr]:
        """Seconds as h:mm:ss, nothing as a dash, which is easier to pass over; and the width of that."""
        seconds = pl.col(name)
        hours, digits = (seconds // 3600).cast(pl.String), _texts(SIXTY)
        text = pl.concat_str(
            hours, pl.lit(":"), digits.gather(seconds // 60 % 60), pl.lit(":"), digits.gather(seconds % 60)
        )
        digit, colon = self.font.width("0"), self.font.width(":")
        width = hours.str.len_bytes().cast(pl.Int64) * digit + (4 * digit + 2 * colon)
        if name == "duration_s":
            return text, width
        none = seconds == 0
        return (
            pl.when(none).then(pl.lit(escaped(NONE))).otherwise(text),
            pl.when(none).then(self.font.width(NONE)).otherwise(width),
        )

    def amount(self, amounts_cents: pl.Series) -> tuple[pl.Expr, pl.Expr]:
        """Amounts as the language writes them, each different one written once, and their widths."""
        texts = [_amount(self.speech.code, amount_cents) for amount_cents in amounts_cents]
        widths = pl.Series([self.font.width(text) for text in texts], dtype=pl.Int64)
        return _texts([escaped(text) for text in texts]).gather("amount"), pl.lit(widths).gather("amount")

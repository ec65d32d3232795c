"""JSON objects of one layout: the same names in the same order, with the same blanks, as one program writes them.

Their lines are split at the commas and each part is held against the layout; a line that fits is a flat object
without escapes, and its fields are what the layout leaves of the parts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from rating.sources.lines import octets
from rating.sources.splitting import split_at_commas

if TYPE_CHECKING:
    from rating.sources.lines import Lines
    from rating.sources.rows import Wanted

BLANK = r"[ \t\r]*"
TEXT = r'"[^"\\\x00-\x1f]*"'
FIGURE = r"(?:-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false)"
SCALAR = rf"(?:{TEXT}|{FIGURE}|null)"

_MEMBER = re.compile(
    rf"(?P<before>{BLANK}(?P<opens>\{{?){BLANK}(?P<name>{TEXT}){BLANK}:{BLANK})(?P<value>{SCALAR})"
    rf"(?P<after>{BLANK}(?P<closes>\}}?){BLANK})"
)


@dataclass(frozen=True, slots=True)
class Member:
    """A member of an object.

    Attributes:
        name: Its name.
        before: What stands before its value in the part between two commas.
        after: What stands after it.
        is_figure: Whether its value is a figure where the layout was found: then it is looked for first.
    """

    name: str
    before: str
    after: str
    is_figure: bool

    def usual(self, part: pl.Expr) -> pl.Expr:
        """The value of a part of the usual kind: a figure, null where it is none, or a text."""
        return self.figure(part) if self.is_figure else self.text(part)

    def text(self, part: pl.Expr) -> pl.Expr:
        """The value of a part between quotes, if it is one (`is_text`)."""
        return part.str.strip_prefix(f'{self.before}"').str.strip_suffix(f'"{self.after}')

    def is_text(self, part: pl.Expr, text: pl.Expr) -> pl.Expr:
        """Whether a part is longer than its text by what stands around a text, as it is if it has one."""
        return part.str.len_bytes() == text.str.len_bytes() + len(f'{self.before}""{self.after}'.encode())

    def figure(self, part: pl.Expr) -> pl.Expr:
        """The value of a part as it is written where it is a number or a truth value; else null."""
        written = part.str.strip_prefix(self.before)
        if self.after:
            written = written.str.strip_suffix(self.after)
        apart = part.str.len_bytes() == written.str.len_bytes() + len(f"{self.before}{self.after}".encode())
        return pl.when(apart & written.str.contains(f"^{FIGURE}$")).then(written)

    @property
    def null(self) -> str:
        """The part that has null."""
        return f"{self.before}null{self.after}"


def layout_of(record: str) -> list[Member]:
    """The members of an object as its line has them; none where a line of this layout could not be split at commas."""
    parts = [_MEMBER.fullmatch(part) for part in record.split(",")]
    members = [part for part in parts if part]
    opens, closes = ([bool(part[brace]) for part in members] for brace in ("opens", "closes"))
    inner = [False] * (len(parts) - 1)
    if len(members) < len(parts) or not inner or opens != [True, *inner] or closes != [*inner, True]:
        return []
    return [
        Member(part["name"][1:-1], part["before"], part["after"], bool(re.fullmatch(FIGURE, part["value"])))
        for part in members
    ]


def fields_of(lines: Lines, layout: list[Member], wanted: Wanted) -> tuple[pl.DataFrame, pl.Series]:
    """The wanted columns of the lines, as text, and which lines fit the layout; the fields of others mean nothing."""
    parts, fits = split_at_commas(lines, len(layout))
    members = dict(zip(parts.columns, layout, strict=True))
    values = parts.select(member.usual(pl.col(part)).alias(part) for part, member in members.items())
    texts: dict[str, pl.Series] = {}
    fields: dict[str, pl.Series] = {}
    for part, member in members.items():
        value, texts[part], fits = _judged(parts[part], values[part], member, fits)
        fields.setdefault(member.name, value)
    record = lines.rows["record"]
    if special := _special(lines):
        fits &= ~record.str.contains(special)
    # The quotes known of are all there are: those of the names, and around the texts.
    quotes = 2 * (len(layout) + pl.DataFrame(texts).sum_horizontal())
    among_others = record.filter(~fits).str.count_matches('"', literal=True)
    if quotes.filter(fits).append(among_others).sum() != (octets(lines.content) == ord('"')).sum():
        fits &= quotes == record.str.count_matches('"', literal=True)
    # Beside the rows, a column that no line has is as long as they are, even where there is no other.
    absent = pl.lit(None, pl.String)
    rows = lines.rows.with_columns(fields.get(name, absent).alias(name) for name in wanted.columns)
    return rows.select(wanted.columns), fits


def _special(lines: Lines) -> str:
    """The pattern of what ends or breaks a text in JSON and is there: a backslash, control characters; or nothing.

    Not those that make a line odd, and is not fitted to a layout.
    """
    found = octets(lines.content)
    is_control = found < ord(" ")
    controls: set[int] = set()
    line_ends = lines.rows.height - (not lines.content.endswith(b"\n"))
    if is_control.sum() != line_ends:
        controls = set(found.filter(is_control).unique()) - set(b"\0\r\n")
    backslash = r"\\" if b"\\" in lines.content else ""
    special = backslash + "".join(f"\\x{control:02x}" for control in controls)
    return f"[{special}]" if special else ""


def _judged(
    part: pl.Series, usual: pl.Series, member: Member, fits: pl.Series
) -> tuple[pl.Series, pl.Series, pl.Series]:
    """The values of one member, which of them are texts, and which lines still fit.

    Args:
        part: The parts of the lines.
        usual: Their values, where they are of the usual kind.
        member: The member.
        fits: Which lines fit so far.
    """
    if member.is_figure:
        is_text, known = pl.repeat(value=False, n=len(part), eager=True), usual.is_not_null()
    else:
        both = pl.DataFrame({"part": part, "text": usual})
        is_text = known = both.select(member.is_text(pl.col("part"), pl.col("text"))).to_series()
    if (fits & ~known).any():  # null is the usual other kind
        is_null = part == member.null
        usual, known = pl.select(pl.when(~is_null).then(usual)).to_series(), known | is_null
    where = (fits & ~known).arg_true()
    if where.is_empty():
        return usual, is_text, fits
    others = _of_any_kind(part.gather(where), member)
    return (
        usual.scatter(where, others["value"]),
        is_text.scatter(where, others["is_text"]),
        fits.scatter(where, others["value"].is_not_null()),
    )


def _of_any_kind(part: pl.Series, member: Member) -> pl.DataFrame:
    """The value of each part, text or figure, null where it has neither; and whether it is a text."""
    read = part.to_frame("part").with_columns(text=member.text(pl.col("part")), figure=member.figure(pl.col("part")))
    is_text = member.is_text(pl.col("part"), pl.col("text"))
    return read.select(value=pl.when(is_text).then("text").otherwise("figure"), is_text=is_text)

"""JSON objects of one layout: the same names in the same order, with the same blanks, as one program writes them.

Their lines are split at the commas and each part is held against the layout; a line that fits is a flat object
without escapes, and its fields are what the layout leaves of the parts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from rating.forms import read_text
from rating.sources.lines import octets
from rating.sources.splitting import split_at_commas

if TYPE_CHECKING:
    from rating.sources.lines import Lines
    from rating.sources.rows import Wanted

BLANK = r"[ \t\r]*"
TEXT = r'"[^"\\\x00-\x1f]*"'
FIGURE = r"(?:-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null)"
SCALAR = rf"(?:{TEXT}|{FIGURE})"

_MEMBER = re.compile(
    rf"(?P<before>{BLANK}(?P<opens>\{{?){BLANK}(?P<name>{TEXT}){BLANK}:{BLANK}){SCALAR}"
    rf"(?P<after>{BLANK}(?P<closes>\}}?){BLANK})"
)


@dataclass(frozen=True, slots=True)
class Member:
    """A member of an object: its name, and what stands before and after its value in the part between two commas."""

    name: str
    before: str
    after: str

    def text(self, part: pl.Expr) -> pl.Expr:
        """The value of a part between quotes; the part is longer by `text_frame_bytes` where it has such a value."""
        return part.str.strip_prefix(f'{self.before}"').str.strip_suffix(f'"{self.after}')

    @property
    def text_frame_bytes(self) -> int:
        """How long what stands around a value between quotes is, with the quotes."""
        return len(f'{self.before}""{self.after}'.encode())

    def figure(self, part: pl.Expr) -> pl.Expr:
        """The value of a part as it is written where it is a number, a truth value or null; else null."""
        written = part.str.strip_prefix(self.before).str.strip_suffix(self.after)
        apart = part.str.len_bytes() == written.str.len_bytes() + len(f"{self.before}{self.after}".encode())
        return pl.when(apart).then(read_text(written, _integer, _any_figure, pl.String()))


def _integer(text: pl.Expr) -> pl.Expr:
    """A whole number as most are written: the digits that it gives back."""
    return pl.when(text.cast(pl.Int64, strict=False).cast(pl.String) == text).then(text)


def _any_figure(text: pl.Expr) -> pl.Expr:
    return pl.when(text.str.contains(f"^{FIGURE}$")).then(text)


def layout_of(record: str) -> list[Member]:
    """The members of an object as its line has them; none where a line of this layout could not be split at commas."""
    parts = [_MEMBER.fullmatch(part) for part in record.split(",")]
    members = [part for part in parts if part]
    opens, closes = ([bool(part[brace]) for part in members] for brace in ("opens", "closes"))
    inner = [False] * (len(parts) - 1)
    if len(members) < len(parts) or not inner or opens != [True, *inner] or closes != [*inner, True]:
        return []
    return [Member(part["name"][1:-1], part["before"], part["after"]) for part in members]


def fields_of(lines: Lines, layout: list[Member], wanted: Wanted) -> tuple[pl.DataFrame, pl.Series]:
    """The wanted columns of the lines, as text, and which lines fit the layout; the fields of others mean nothing."""
    parts, fits = split_at_commas(lines, len(layout))
    members = dict(zip(parts.columns, layout, strict=True))
    values = parts.select(member.text(pl.col(part)).alias(part) for part, member in members.items())
    texts = parts.select(
        (pl.col(part).str.len_bytes() == values[part].str.len_bytes() + member.text_frame_bytes).alias(part)
        for part, member in members.items()
    )
    fields: dict[str, pl.Series] = {}
    for part, member in members.items():
        read, fits = _with_figures(values[part], parts[part], member, texts[part], fits)
        fields.setdefault(member.name, read)
    record = lines.rows["record"]
    if special := _special(lines.content):
        fits &= ~record.str.contains(special)
    # The quotes known of are all there are: those of the names, and around the texts.
    quotes = texts.select(2 * (len(layout) + pl.sum_horizontal(pl.all()))).to_series()
    among_others = record.filter(~fits).str.count_matches('"', literal=True)
    if quotes.filter(fits).append(among_others).sum() != (octets(lines.content) == ord('"')).sum():
        fits &= quotes == record.str.count_matches('"', literal=True)
    # Beside the rows, a column that no line has is as long as they are, even where there is no other.
    absent = pl.lit(None, pl.String)
    rows = lines.rows.with_columns(fields.get(name, absent).alias(name) for name in wanted.columns)
    return rows.select(wanted.columns), fits


def _special(content: bytes) -> str:
    """The pattern of what ends or breaks a text in JSON and is there: a backslash, control characters; or nothing.

    Not those that make a line odd, and is not fitted to a layout.
    """
    found = octets(content)
    controls = set(found.filter(found < ord(" ")).unique()) - set(b"\0\r\n")
    backslash = r"\\" if b"\\" in content else ""
    special = backslash + "".join(f"\\x{control:02x}" for control in controls)
    return f"[{special}]" if special else ""


def _with_figures(
    values: pl.Series, part: pl.Series, member: Member, is_text: pl.Series, fits: pl.Series
) -> tuple[pl.Series, pl.Series]:
    """The values of one member, those that are no texts too, and which lines still fit."""
    where = (fits & ~is_text).arg_true()
    if where.is_empty():
        return values, fits
    every = len(where) == len(part)
    read = (part if every else part.gather(where)).to_frame().select(member.figure(pl.col(part.name))).to_series()
    figures = pl.select(pl.when(read != "null").then(read)).to_series()
    right = read.is_not_null()
    return (figures, right) if every else (values.scatter(where, figures), fits.scatter(where, right))

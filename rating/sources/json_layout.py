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

    def is_text(self, part: pl.Expr) -> pl.Expr:
        """Whether a part has a value that begins and ends with a quote."""
        before, after = f'{self.before}"', f'"{self.after}'
        apart = part.str.len_bytes() >= len(before.encode()) + len(after.encode())
        return part.str.starts_with(before) & part.str.ends_with(after) & apart

    def text(self, part: pl.Expr) -> pl.Expr:
        """The value of a part that `is_text`."""
        return _inner(part, f'{self.before}"', f'"{self.after}')

    def is_figure(self, part: pl.Expr) -> pl.Expr:
        """Whether a part has a number, a truth value or null."""
        framed = part.str.starts_with(self.before) & part.str.ends_with(self.after)
        return framed & _inner(part, self.before, self.after).str.contains(f"^{FIGURE}$")

    def figure(self, part: pl.Expr) -> pl.Expr:
        """The value of a part that `is_figure`, as it is written; null for null."""
        written = _inner(part, self.before, self.after)
        return pl.when(written != "null").then(written)


def _inner(part: pl.Expr, before: str, after: str) -> pl.Expr:
    """What is between a beginning and an end that are there."""
    begun = part.str.slice(len(before))
    return begun.str.head(-len(after)) if after else begun


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
    texts = parts.select(member.is_text(pl.col(part)).alias(part) for part, member in members.items())
    fields: dict[str, pl.Series] = {}
    for part, member in members.items():
        read, fits = _read(parts[part], member, texts[part], fits)
        fields.setdefault(member.name, read)
    record = lines.rows["record"]
    if special := _special(lines.content):
        fits &= ~record.str.contains(special)
    # The quotes known of are all there are: those of the names, and around the texts.
    quotes = texts.select(2 * (len(layout) + pl.sum_horizontal(pl.all()))).to_series()
    among_others = record.filter(~fits).str.count_matches('"', literal=True)
    if quotes.filter(fits).append(among_others).sum() != (octets(lines.content) == ord('"')).sum():
        fits &= quotes == record.str.count_matches('"', literal=True)
    absent = pl.lit(None, pl.String)
    return lines.rows.select(fields.get(name, absent).alias(name) for name in wanted.columns), fits


def _special(content: bytes) -> str:
    """The pattern of what ends or breaks a text in JSON and is there: a backslash, control characters; or nothing.

    Not those that make a line odd, and is not fitted to a layout.
    """
    found = octets(content)
    controls = set(found.filter(found < ord(" ")).unique()) - set(b"\0\r\n")
    backslash = r"\\" if b"\\" in content else ""
    special = backslash + "".join(f"\\x{control:02x}" for control in controls)
    return f"[{special}]" if special else ""


def _read(part: pl.Series, member: Member, is_text: pl.Series, fits: pl.Series) -> tuple[pl.Series, pl.Series]:
    """The values of one member, and which lines still fit."""
    values = part.to_frame().select(member.text(pl.col(part.name))).to_series()
    where = (fits & ~is_text).arg_true()
    if where.is_empty():
        return values, fits
    column = pl.col(part.name)
    others = part.gather(where).to_frame().select(value=member.figure(column), right=member.is_figure(column))
    return values.scatter(where, others["value"]), fits.scatter(where, others["right"])

"""Sources: how the records of a platform become records in the native form, wherever they come from.

A source says which columns of the platform it needs and turns frames of them into frames of the native columns.
It neither opens a file nor a database: whoever has the records gives them in the columns that the source wants, as
text (null or empty for nothing), with the columns of `ROW` beside them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from rating.mediation import shown
from rating.sources.native import NATIVE
from rating.sources.rows import HEADED, ROW, Layout, Wanted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

NATIVE_FORMAT = "native"
Mask = pl.Expr | pl.Series


@dataclass(frozen=True, slots=True)
class Head:
    """What the first lines of a file are.

    Attributes:
        path: The file.
        lines: The fields of its first lines that are not empty, trimmed, as CSV has them; empty for a line that is
            not well quoted.
        members: The names in the JSON object of its first line; empty where that is none.
        shown: The first line, cut where it is long.
        empty: Whether there is no line.
    """

    path: str
    lines: tuple[tuple[str, ...], ...]
    members: frozenset[str]
    shown: str
    empty: bool

    @property
    def names(self) -> frozenset[str]:
        """The names of the columns, if the first line has them."""
        return self.members or frozenset(self.lines[0] if self.lines else ())


@dataclass(frozen=True, slots=True)
class Options:
    """What a source is told.

    Attributes:
        timezone: The zone of local stamps; None: the one that is usual for the source.
        local: The zone of the operator, which is the usual one for most.
        own: The settings of the source itself, judged.
    """

    timezone: str | None = None
    local: str = "Europe/Brussels"
    own: Mapping[str, object] = field(default_factory=dict)

    @property
    def zone(self) -> str:
        """The zone of local stamps, the operator's where none was named."""
        return self.timezone or self.local

    def texts(self, name: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        """A setting that is a list of texts."""
        found = self.own.get(name, default)
        return tuple(map(str, found)) if isinstance(found, list | tuple) else (str(found),)


@dataclass(frozen=True, slots=True)
class Source:
    """A source as it reads one file.

    Attributes:
        name: Its name, as `--format` has it.
        wanted: The columns of the platform that it needs.
        to_native: Turns a frame of the columns of `ROW` and the wanted ones into one of `ROW`, `skipped` (String:
            why the record is left out on purpose, else null) and the columns of the native form.
        layout: How the platform's CSV is laid out.
        documents: Whether each line is a JSON document that is taken whole, in the column `record`.
        whole: Whether records of one call stand apart, so that all of a file are given at once.
        zone: The zone that its stamps were read in; empty where they tell it themselves.
    """

    name: str
    wanted: Wanted
    to_native: Callable[[pl.DataFrame], pl.DataFrame]
    layout: Layout = HEADED
    documents: bool = False
    whole: bool = False
    zone: str = ""


class Unreadable(NamedTuple):
    """Records with a field that cannot be read.

    Attributes:
        column: The field, as the platform names it.
        where: Which records.
        expected: What was expected.
    """

    column: str
    where: Mask
    expected: str


def native_rows(
    rows: pl.DataFrame,
    *,
    skipped: Mapping[str, Mask],
    unreadable: tuple[Unreadable, ...] = (),
    **fields: Mask,
) -> pl.DataFrame:
    """Records in the native form.

    Args:
        rows: The columns of `ROW` and those that the expressions name.
        skipped: Which records are left out on purpose, by reason; the first that holds is the one.
        unreadable: What makes a record that is not left out malformed; the first that holds is the one.
        **fields: The columns of the native form: text, but start as Datetime('us', 'UTC') and duration_s as
            whole seconds where they are computed; one that is not given is null.
    """
    sound = rows["fault"].is_null()
    reasons = [pl.when(_expr(where)).then(pl.lit(reason)) for reason, where in skipped.items()]
    reason = pl.when(pl.lit(sound)).then(pl.coalesce(*reasons, pl.lit(None, pl.String)))
    absent = pl.lit(None, pl.String)
    native = rows.select(*ROW, skipped=reason, **{name: _expr(fields.get(name, absent)) for name in NATIVE.columns})
    open_rows = sound & native["skipped"].is_null()
    fault = native["fault"]
    for column, where, expected in unreadable:
        bad = rows.select((_expr(where) & pl.lit(open_rows)).fill_null(value=False).alias("bad"))["bad"]
        if bad.any():
            at = bad.arg_true()
            words = pl.format(
                "{} {} cannot be read; expected {}", pl.lit(column), shown(pl.col(column)), pl.lit(expected)
            )
            fault = fault.scatter(at, rows[at].select(words.alias("words"))["words"])
            open_rows &= ~bad
    return native.with_columns(fault.alias("fault"))


def _expr(mask: Mask) -> pl.Expr:
    return pl.lit(mask) if isinstance(mask, pl.Series) else mask


def patched(rows: pl.DataFrame, column: str, where: pl.Expr, otherwise: pl.Expr) -> pl.Series:
    """A column of text, with another expression in the few rows where that is needed."""
    needed = rows.select(where.fill_null(value=False).alias("needed"))["needed"]
    if not needed.any():
        return rows[column]
    at = needed.arg_true()
    return rows[column].scatter(at, rows[at].select(otherwise.alias("text"))["text"])


def where_needed(rows: pl.DataFrame, where: pl.Expr, condition: pl.Expr) -> pl.Series:
    """Which rows fulfil both conditions; the second, which takes long, is looked at only where the first holds."""
    found = rows.select(where.fill_null(value=False).alias("found"))["found"]
    if not found.any():
        return found
    at = found.arg_true()
    return found.scatter(at, rows[at].select(condition.fill_null(value=False).alias("found"))["found"])


def is_empty(column: str) -> pl.Expr:
    """Whether a field says nothing."""
    return pl.col(column).is_null() | (pl.col(column).str.strip_chars() == "")


def starts_with_any(column: str, beginnings: tuple[str, ...]) -> pl.Expr:
    """Whether a text begins with one of these."""
    begins = [pl.col(column).str.starts_with(beginning) for beginning in beginnings]
    return pl.any_horizontal(pl.lit(value=False), *begins).fill_null(value=False)

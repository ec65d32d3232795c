"""Rows of a file as they are read: which columns are wanted, what a row looks like, why one is none."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from schemas.errors import InputRefused, Problem

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

# From 32 MiB on, memory is asked for page by page each time: reading takes twice as long.
BLOCK_BYTES = 16 * 1024 * 1024
MAX_LINE_BYTES = 1024 * 1024
MAX_RECORD_LINES = 100
MAX_COLUMNS = 1000
CUT_CHARACTERS = 1000

UNTERMINATED = "the last line has no line end: it may have been cut short"
NOT_UTF8 = "not UTF-8 text"
HAS_NUL = "a NUL character"
TOO_LONG = f"a line longer than {MAX_LINE_BYTES} bytes"
MISQUOTED = "a quote that is not closed, or that stands inside a field without quotes"
NO_OBJECT = "not one JSON object"

ROW = pl.Schema({"source_line": pl.Int64, "record": pl.String, "fault": pl.String})


@dataclass(frozen=True, slots=True)
class Wanted:
    """The columns to read from a file.

    Attributes:
        table: What the file is a part of, as a refusal names it, such as `cdrs` or `users`.
        required: The columns without which the file is refused.
        optional: The columns that may be absent.
    """

    table: str
    required: tuple[str, ...]
    optional: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """All the columns, the required ones first."""
        return self.required + self.optional


@dataclass(frozen=True, slots=True)
class Layout:
    """How the lines of a CSV file are laid out.

    Attributes:
        separator: What stands between two fields: one ASCII character.
        names: The columns of a file without header line, in their order, "" for one that nobody asks for; empty
            where the header names them.
        least: The fewest fields that a row without header may have.
        most: The most; None: any number, of which those after `names` are not looked at.
        headings: A pattern of lines that are no records, wherever they stand, such as a second header line.
    """

    separator: str = ","
    names: tuple[str, ...] = ()
    least: int = 0
    most: int | None = None
    headings: str = ""


HEADED = Layout()


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of one file, a block at a time.

    Attributes:
        frames: Frames of source_line (Int64, from 1: the first physical line of the row or, in Parquet, its
            number), record (the row as read: String, undecodable bytes as U+FFFD; in Parquet a Struct of its
            columns), fault (String: why this is no row at all; its fields mean nothing then) and the columns
            wanted, null where absent. Where records are spared, one that is null is the fields that are not, in
            the order of the frame, with commas between them. CSV and NDJSON give String, empty or null for
            nothing. Parquet gives String for text and bytes, Datetime('us', 'UTC') for times with a zone, other
            columns as they are. An empty file gives no frame. Whoever does not take all of them closes it.
        unknown_columns: The other columns of the file; complete when all frames have been read.
    """

    frames: Generator[pl.DataFrame, None, None]
    unknown_columns: set[str]


def check_columns(names: Sequence[str], path: str, line: int, wanted: Wanted) -> None:
    """Refuse a file whose columns are not those expected, naming all that is wrong with them."""
    if len(names) > MAX_COLUMNS:
        raise InputRefused(
            f"{path}:{line}: the header has {len(names)} columns, expected at most {MAX_COLUMNS}: is this a table of "
            f"{wanted.table} at all?"
        )
    counts = Counter(names)
    twice = sorted(name for name, count in counts.items() if name and count > 1)
    missing = [name for name in wanted.required if name not in counts]
    expected = f"expected in the header, which has {', '.join(names)}"[:CUT_CHARACTERS]
    problems = (
        *(Problem(wanted.table, path, line, name, "", "expected once in the header") for name in twice),
        *(Problem(wanted.table, path, line, name, "", f"missing; {expected}") for name in missing),
    )
    if problems:
        hint = " Are its fields separated by semicolons?" if ";" in names[0] else ""
        raise InputRefused(f"{path}: the header does not name the columns that are needed.{hint}", problems)


def row_schema(wanted: Wanted) -> pl.Schema:
    """The columns of `ROW` and the wanted ones, as text."""
    return pl.Schema({**ROW, **dict.fromkeys(wanted.columns, pl.String())})


def rows_without_record(before: int, fields: pl.DataFrame) -> pl.DataFrame:
    """Rows whose record is spared, without a fault: the first is the line after so many."""
    return fields.select(
        pl.int_range(pl.len(), dtype=pl.Int64).alias("source_line") + (before + 1),
        *(pl.lit(None, pl.String).alias(name) for name in ("record", "fault")),
        pl.all(),
    )


def without_fields(rows: pl.DataFrame, wanted: Wanted) -> pl.DataFrame:
    """Rows that are none: in the columns of `ROW`, the wanted ones null."""
    return rows.select(*ROW, *(pl.lit(None, pl.String).alias(name) for name in wanted.columns))

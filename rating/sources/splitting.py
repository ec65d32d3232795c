"""Lines split at their commas, all at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from rating.sources.lines import Lines


def split_at_commas(lines: Lines, columns: int) -> tuple[pl.DataFrame, pl.Series]:
    """The parts between the commas of each line, in columns by their number.

    Returns:
        The parts, and which lines have as many and nothing odd in them (Boolean); those of the others mean nothing.
    """
    content, before = lines.content, 0
    # The first line tells the reader how many parts there are: where it has others, one is put before it.
    if content[: content.find(b"\n") + 1 or None].count(b",") != columns - 1:
        content, before = b"," * (columns - 1) + b"\n" + content, 1
    parts = read_parts(content, columns, quote_char=None).slice(before)
    # The parts of a line and the commas between them make up its length, if they are as many as asked for.
    length = pl.sum_horizontal(pl.col(parts.columns).str.len_bytes()) + (columns - 1)
    record = pl.col("record")
    right = lines.rows.hstack(parts).select(
        right=(length == record.str.len_bytes()) & (record != "") & ~pl.lit(lines.odd)
    )
    return parts, right.to_series()


def read_parts(content: bytes, columns: int, *, quote_char: str | None) -> pl.DataFrame:
    """The parts of each line, or record in quotes; parts that it lacks are empty, those too many are left out."""
    return pl.read_csv(
        content,
        has_header=False,
        schema={str(index): pl.String for index in range(columns)},
        quote_char=quote_char,
        empty_string_is_null=False,
        truncate_ragged_lines=True,
    )

"""Lines split at their commas, all at once."""

from __future__ import annotations

from functools import reduce
from operator import add
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rating.sources.lines import Lines


def split_at_commas(lines: Lines, columns: int, separator: str = ",") -> tuple[pl.DataFrame, pl.Series]:
    """The parts between the commas of each line, in columns by their number.

    Args:
        lines: The lines.
        columns: How many parts are asked for.
        separator: What stands for the comma: one ASCII character.

    Returns:
        The parts, and which lines have as many and nothing odd in them (Boolean); those of the others mean nothing.
    """
    content, before = lines.content, 0
    # The first line tells the reader how many parts there are: where it has others, one is put before it.
    comma = separator.encode()
    if content[: content.find(b"\n") + 1 or None].count(comma) != columns - 1:
        content, before = comma * (columns - 1) + b"\n" + content, 1
    parts = read_parts(content, columns, quote_char=None, separator=separator).slice(before)
    # The parts of a line and the commas between them make up its length, if they are as many as asked for.
    lengths = (pl.col(name).str.len_bytes() for name in parts.columns)
    length, record = reduce(add, lengths) + (columns - 1), pl.col("record")  # a third less than `sum_horizontal` takes
    right = (length == record.str.len_bytes()) & ~pl.lit(lines.odd)
    if columns == 1:
        right &= record != ""
    return parts, lines.rows.hstack(parts).select(right=right).to_series()


def read_parts(
    content: bytes,
    columns: int,
    *,
    quote_char: str | None,
    separator: str = ",",
    wanted: Sequence[int] | None = None,
) -> pl.DataFrame:
    """The parts of each line, or record in quotes; parts that it lacks are empty, those too many are left out.

    With `wanted` only the columns of these numbers, in rising order, are read.
    """
    return pl.read_csv(
        content,
        has_header=False,
        schema={str(index): pl.String for index in range(columns)},
        columns=wanted,
        separator=separator,
        quote_char=quote_char,
        empty_string_is_null=False,
        truncate_ragged_lines=True,
    )

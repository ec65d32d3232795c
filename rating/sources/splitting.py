"""Lines split at their commas, all at once."""

from __future__ import annotations

from functools import reduce
from operator import add
from typing import TYPE_CHECKING

import polars as pl

from rating.sources.lines import is_plain, octets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rating.sources.lines import Block, Lines


def split_evenly(block: Block, columns: int) -> pl.DataFrame | None:
    """The parts between the commas of each line, where all lines have as many and there is nothing odd in any.

    None where that is not certain: then each line is to be looked at. No line has too many, or the reader refuses
    them; so none has too few either where there are as many commas as in so many whole lines.

    Args:
        block: The lines.
        columns: How many parts are asked for: two or more, since an empty line has one.
    """
    content, commas = block.content, columns - 1
    # The first line tells the reader how many parts there are, so it is looked at here.
    if content.count(b",", 0, content.find(b"\n") + 1) != commas or b'"' in content or not is_plain(content):
        return None
    if (octets(content) == ord(",")).sum() != block.line_ends * commas:
        return None
    try:
        return read_parts(content, columns, quote_char=None, ragged=False)
    except pl.exceptions.ComputeError:
        return None


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
    length = parts.select(reduce(add, lengths) + (columns - 1)).to_series()  # a third less than `sum_horizontal` takes
    record = lines.rows["record"]
    # Column with column: in one frame they would first be cut into the same pieces.
    right = (length == record.str.len_bytes()) & ~lines.odd
    return parts, right & (record != "") if columns == 1 else right


def read_parts(
    content: bytes,
    columns: int,
    *,
    quote_char: str | None,
    separator: str = ",",
    wanted: Sequence[int] | None = None,
    ragged: bool = True,
) -> pl.DataFrame:
    """The parts of each line, or record in quotes; parts that it lacks are empty, those too many are left out.

    With `wanted` only the columns of these numbers, in rising order, are read.

    Raises:
        polars.exceptions.ComputeError: where a line has too many and not `ragged`; lines that lack some are read.
    """
    return pl.read_csv(
        content,
        has_header=False,
        schema={str(index): pl.String for index in range(columns)},
        columns=wanted,
        separator=separator,
        quote_char=quote_char,
        empty_string_is_null=False,
        truncate_ragged_lines=ragged,
    )

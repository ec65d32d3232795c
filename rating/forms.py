"""Columns of text that are written in one usual form but for a few rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Callable


def read_text(
    text: pl.Expr,
    usual: Callable[[pl.Expr], pl.Expr],
    any_form: Callable[[pl.Expr], pl.Expr],
    dtype: pl.DataType,
) -> pl.Expr:
    """Read a column by a quick way, and by the full way only the rows of which the quick one cannot tell.

    Args:
        text: The column (String).
        usual: Reads the usual form and gives null for every other text, right or wrong.
        any_form: Reads every form, the usual one to the same result.
        dtype: What both give.
    """

    def read(texts: pl.Series) -> pl.Series:
        column = pl.col(texts.name)
        quick = texts.to_frame().select(usual(column)).to_series()
        unread = quick.is_null()
        if not unread.any():
            return quick
        if unread.all():
            return texts.to_frame().select(any_form(column)).to_series()
        # A few rows in one chunk: each chunk would compile the patterns again.
        rest = texts.filter(unread).rechunk().to_frame().select(any_form(column)).to_series()
        return quick.scatter(unread.arg_true(), rest)

    # Not said to be elementwise: the column comes whole, not chunk by chunk with the cost of the patterns each time.
    return text.map_batches(read, return_dtype=dtype)

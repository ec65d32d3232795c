"""Frames: their shape, what they keep in memory, and what stands before a row of the same key.

`over` looks at each key by itself, which for keys of a few rows costs more than the rows do. Where rows are
sorted by their key, the functions here give the same from whole columns. Null is a key like any other.
"""

from __future__ import annotations

import polars as pl

Schema = dict[str, pl.DataType | type[pl.DataType]]


def compact(frame: pl.DataFrame) -> pl.DataFrame:
    """The same rows with texts of their own.

    A text column cut from a block points into the texts of the whole block, and keeps all of them in memory for
    as long as the few rows are kept.
    """
    return frame.with_columns(
        pl.Series(column.name, column.to_arrow(compat_level=pl.CompatLevel.oldest()))
        for column in frame.select(pl.col(pl.String))
    )


def opens_key(by: list[str]) -> pl.Expr:
    """Whether a row is the first of its key (Boolean), of rows sorted by `by`."""
    run = pl.struct(by).rle_id()
    return (run != run.shift(1)).fill_null(value=True)


def place_in_key(by: list[str]) -> pl.Expr:
    """How many rows of its key stand before a row (Int64), of rows sorted by `by`."""
    row = pl.int_range(pl.len())
    return row - pl.when(opens_key(by)).then(row).forward_fill()


def previous_in_key(column: str, by: list[str]) -> pl.Expr:
    """A column's entry in the row before of the same key, null in the first, of rows sorted by `by`."""
    return pl.when(~opens_key(by)).then(pl.col(column).shift(1))


def running_sum(column: str, by: list[str]) -> pl.Expr:
    """The sum of a column up to and with each row of its key, of rows sorted by `by`; Int64 without nulls."""
    total = pl.col(column).cum_sum()
    return total - pl.when(opens_key(by)).then(total - pl.col(column)).forward_fill()

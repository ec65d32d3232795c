"""Number keys: E.164 numbers and short codes as one integer each, for the many comparisons that calls need.

`+3225550101` is 3225550101, the short code `112` is -112 and `anonymous` is 0: no two numbers share a key,
and every key gives its number back.
"""

from __future__ import annotations

import polars as pl

from rating.numbers import ANONYMOUS

ANONYMOUS_KEY = 0


def number_key(number: pl.Expr) -> pl.Expr:
    """The key (Int64) of a number in its normal form (`rating.numbers`); null stays null."""
    digits = number.cast(pl.Int64, strict=False)
    return (
        pl.when(number.str.starts_with("+"))
        .then(digits)
        .when(number.is_not_null())
        .then(-digits.fill_null(ANONYMOUS_KEY))
    )


def number_text(key: pl.Expr) -> pl.Expr:
    """The number of a key, in its normal form; null stays null."""
    return (
        pl.when(key > ANONYMOUS_KEY)
        .then(pl.concat_str(pl.lit("+"), key.cast(pl.String)))
        .when(key < ANONYMOUS_KEY)
        .then((-key).cast(pl.String))
        .when(key == ANONYMOUS_KEY)
        .then(pl.lit(ANONYMOUS))
    )


def with_number_texts(calls: pl.DataFrame) -> pl.DataFrame:
    """Calls as the store keeps them, with direction, caller and callee as the texts that records have."""
    return calls.with_columns(
        pl.col("direction").cast(pl.String), caller=number_text(pl.col("caller")), callee=number_text(pl.col("callee"))
    )

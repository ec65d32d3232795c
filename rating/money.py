"""Money: integers, and the only rounding there is.

Prices are micro-euro (1 EUR = 1,000,000), quantities millionths, amounts cents. Products of the two pass
what 64 bits hold, so they are taken in 128 bits and checked when they come back. All of it happens in Polars:
integer division of negative numbers differs between engines, and one engine cannot differ from itself.
"""

from __future__ import annotations

from typing import TypeVar

import polars as pl

from schemas.errors import InputRefused

MICRO = 1_000_000
MICRO_PER_CENT = 10_000
LARGEST_INT64 = 2**63 - 1

# A column of integers, or a single one.
Whole = TypeVar("Whole", int, pl.Expr)


def ceil_div(numerator: pl.Expr, denominator: int | pl.Expr) -> pl.Expr:
    """The quotient rounded up, exactly; the denominator is above 0."""
    return -((-numerator) // denominator)


def half_up_div(numerator: Whole, denominator: int | Whole) -> Whole:
    """The quotient rounded to the nearest whole number, a half upwards; the denominator is above 0."""
    return (2 * numerator + denominator) // (2 * denominator)


def wide(expression: pl.Expr) -> pl.Expr:
    """The same integers with room for a product of two of them (Int128)."""
    return expression.cast(pl.Int128)


def line_amount_cents(
    quantity_micro: pl.Expr, unit_price_micro: pl.Expr, days: pl.Expr, days_of_month: pl.Expr
) -> pl.Expr:
    """A line's amount: quantity times price, times the share of the month, rounded half up once.

    Units: millionths, micro-euro, days, days; gives cents in 128 bits, for `narrow_cents` to check.
    """
    numerator = wide(quantity_micro) * unit_price_micro * days
    return half_up_div(numerator, wide(days_of_month) * (MICRO * MICRO_PER_CENT))


def vat_cents(net_cents: pl.Expr, rate_micro_percent: pl.Expr) -> pl.Expr:
    """VAT on a total, half up, once per category and rate (cents in 128 bits; 21 % is 21,000,000)."""
    return half_up_div(wide(net_cents) * rate_micro_percent, 100 * MICRO)


def narrow_cents(frame: pl.DataFrame, *columns: str) -> pl.DataFrame:
    """Bring 128-bit columns back to 64 bits.

    Raises:
        InputRefused: where a sum would not fit; no amount is ever cut silently.
    """
    for column in columns:
        if frame.select((pl.col(column).abs() > LARGEST_INT64).any()).item():
            raise InputRefused(
                f"{column}: a sum passes {LARGEST_INT64}, more than an invoice can hold; "
                "look for a quantity or a price that is too large"
            )
    return frame.with_columns(pl.col(column).cast(pl.Int64) for column in columns)


def decimal_text(micro: object) -> str:
    """Millionths as people write them, exactly: 50_000 is `0.05`. For messages; tables have columns of decimals."""
    number = int(str(micro))
    whole, rest = divmod(abs(number), MICRO)
    return f"{'-' if number < 0 else ''}{whole}.{rest:06d}".rstrip("0").rstrip(".")


def euro_text(amount_cents: int) -> str:
    """An amount as people write it, with its cents: 210 is `2.10`. For messages."""
    euro, cents = divmod(abs(amount_cents), MICRO // MICRO_PER_CENT)
    return f"{'-' if amount_cents < 0 else ''}{euro}.{cents:02d}"

"""Invoice lines: their shape, and how what is due for services becomes lines.

A *due* is what one service or reserve owes for a stretch of one month, with the `service_no` of the service; dues
of one kind, product, price and service dates are one line, so that rounding happens once, on the line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from invoicing.prices import require_prices, with_unit_prices
from rating.frames import place_in_key
from rating.money import line_amount_cents, narrow_cents

if TYPE_CHECKING:
    from rating.frames import Schema

KINDS = ["recurring", "first_period", "user_cap", "number_minimum", "traffic", "one_off", "credit"]
DUE_SCHEMA: Schema = {
    "customer_id": pl.String, "kind": pl.String, "rule": pl.String, "product_id": pl.String,
    "price_day": pl.Date, "service_from": pl.Date, "service_to": pl.Date, "quantity_micro": pl.Int64,
    "service_no": pl.UInt32,
}  # fmt: skip
LINE_SCHEMA: Schema = {
    "customer_id": pl.String, "kind": pl.String, "product_id": pl.String, "zone_id": pl.String,
    "traffic_period": pl.String, "rule": pl.String, "description": pl.String, "service_from": pl.Date,
    "service_to": pl.Date, "quantity_micro": pl.Int64, "unit_price_micro": pl.Int64, "net_cents": pl.Int64,
    "source_id": pl.String,
}  # fmt: skip
LARGEST_QUANTITY_MICRO = 10**18


def shaped(frame: pl.DataFrame, schema: Schema) -> pl.DataFrame:
    """The columns of a schema in its order and types; a column that does not apply is null."""
    return frame.select(
        (pl.col(name) if name in frame.columns else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in schema.items()
    )


def lines_of_dues(dues: pl.DataFrame, prices: pl.DataFrame) -> pl.DataFrame:
    """Price what is due and bring it together: one line per kind, product, price and service dates.

    Args:
        dues: `DUE_SCHEMA`; `service_to` is the last day included, in the month of `service_from`.
        prices: The price book.

    Returns:
        `LINE_SCHEMA`. A line that holds dues of two rules (active and contracted users of a first period)
        cites the more particular one, R-BASIS.

    Raises:
        InputRefused: where a price is missing, or a sum passes what a line can hold.
    """
    priced = require_prices(with_unit_prices(dues, prices))
    lines = priced.group_by("customer_id", "kind", "product_id", "unit_price_micro", "service_from", "service_to").agg(
        pl.col("quantity_micro").cast(pl.Int128).sum(), pl.col("rule").min()
    )
    lines = narrow_cents(lines, "quantity_micro")
    days = (pl.col("service_to") - pl.col("service_from")).dt.total_days() + 1
    days_of_month = pl.col("service_from").dt.month_end().dt.day().cast(pl.Int64)
    amount = line_amount_cents(pl.col("quantity_micro"), pl.col("unit_price_micro"), days, days_of_month)
    return shaped(narrow_cents(lines.with_columns(net_cents=amount), "net_cents"), LINE_SCHEMA)


def numbered_lines(lines: pl.DataFrame) -> pl.DataFrame:
    """Put each customer's lines in the order they are printed and give them `line_no` from 1.

    By kind as listed in `KINDS`, then product (traffic: period and zone; one-offs and credits: day and id),
    service dates and price.
    """
    by_day = pl.col("kind").is_in(["one_off", "credit"])
    ordered = lines.with_columns(
        kind_order=pl.col("kind").replace_strict(KINDS, range(len(KINDS)), return_dtype=pl.Int8),
        day_order=pl.when(by_day).then("service_from"),
    ).sort(
        "customer_id", "kind_order", "traffic_period", "zone_id", "day_order",
        pl.when(by_day).then("source_id").otherwise("product_id"), "service_from", "unit_price_micro",
        "service_to",
    )  # fmt: skip
    return ordered.with_columns(line_no=place_in_key(["customer_id"]) + 1).drop("kind_order", "day_order")

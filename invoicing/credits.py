"""Credits: price reductions, deducted from the invoices to come."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from invoicing.lines import LINE_SCHEMA, shaped
from rating.money import MICRO, MICRO_PER_CENT
from rating.rules import rule

if TYPE_CHECKING:
    from rating.periods import Period


@rule("R-CREDIT", article="10.4")
def credit_lines(
    credits_left: pl.DataFrame, net_totals: pl.DataFrame, period: Period, first_period: Period
) -> pl.DataFrame:
    """Price reductions are deducted from the invoice's net total, which never goes below 0; the rest is carried.

    In the order of their date, then credit_id; dated from the first day of the store's first period to the
    last day of the period invoiced.

    Args:
        credits_left: The table with `left_cents`, what earlier invoices have not used.
        net_totals: `customer_id`, `net_cents` of the lines before credits.
        period: The period invoiced.
        first_period: The first period of the store.

    Returns:
        `LINE_SCHEMA`: quantity 1 and a negative amount; a credit of which nothing is used has no line.
    """
    due = credits_left.filter(
        pl.col("date").is_between(first_period.first_day, period.last_day) & (pl.col("left_cents") > 0)
    )
    due = due.join(net_totals, on="customer_id").sort("customer_id", "date", "credit_id")
    before = pl.col("left_cents").cum_sum().over("customer_id") - pl.col("left_cents")
    used = pl.min_horizontal("left_cents", (pl.col("net_cents") - before).clip(lower_bound=0))
    lines = due.with_columns(used_cents=used).filter(pl.col("used_cents") > 0)
    lines = lines.with_columns(
        kind=pl.lit("credit"),
        rule=pl.lit("R-CREDIT"),
        service_from="date",
        service_to="date",
        quantity_micro=pl.lit(MICRO, pl.Int64),
        unit_price_micro=-pl.col("used_cents") * MICRO_PER_CENT,
        net_cents=-pl.col("used_cents"),
        source_id="credit_id",
    )
    return shaped(lines, LINE_SCHEMA)

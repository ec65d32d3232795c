"""Changes of the platform tables that concern months already invoiced."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from rating.rules import rule

if TYPE_CHECKING:
    from rating.periods import Period

RETRO_SCHEMA = {
    "change": pl.String, "table": pl.String, "service_id": pl.String, "customer_id": pl.String,
    "product_id": pl.String, "quantity_micro": pl.Int64, "active_from": pl.Date, "past_end": pl.Date,
}  # fmt: skip
KEY = ["table", "service_id", "customer_id", "product_id", "quantity_micro"]


@rule("R-RETRO", article="8.4")
def retroactive_changes(before: pl.DataFrame, now: pl.DataFrame, period: Period) -> pl.DataFrame:
    """A service entered or removed with a past date changes no invoice and charges nothing by itself: it is listed.

    Finance can then add a charge or a credit. Compared are the days before the period being run, as the
    tables of the last run and those of this run have them.

    Args:
        before: Service rows of the last run's tables.
        now: Service rows of this run's tables.
        period: The period being run; earlier ones are invoiced.

    Returns:
        `change` (`entered` or `removed`), `KEY`, `active_from`, `past_end` (exclusive, no later than the
        period's first day), sorted.
    """
    past = [
        rows.filter(pl.col("active_from") < period.first_day).select(
            *KEY, "active_from", past_end=pl.min_horizontal("active_to", pl.lit(period.first_day))
        )
        for rows in (before, now)
    ]
    key = past[0].columns
    found = pl.concat(
        [
            past[1].join(past[0], on=key, how="anti").with_columns(change=pl.lit("entered")),
            past[0].join(past[1], on=key, how="anti").with_columns(change=pl.lit("removed")),
        ]
    )
    return found.select("change", *key).sort(*KEY, "active_from", "change")

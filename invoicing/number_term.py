"""International numbers after they are gone: what is left of their 12 months (R-TWELVE, article 8.6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from invoicing.lines import DUE_SCHEMA, shaped
from rating.money import MICRO
from rating.services import counted_at_end_of

if TYPE_CHECKING:
    from datetime import date

    from rating.periods import Period


def number_minimum_dues(rows: pl.DataFrame, terms: pl.DataFrame, period: Period) -> pl.DataFrame:
    """The 12 months of numbers that are not counted at the end of the period.

    While the contract runs, the month after is owed, to the end of the 12 months at most. When the contract
    ends with this period, all that is left is owed at once, month by month, each at the price of its first
    day as known now.

    Args:
        rows: Service rows.
        terms: `service_no`, `duty_end` (`rating.services.minimum_ends`).
        period: The period invoiced.

    Returns:
        `DUE_SCHEMA`, kind `number_minimum`, with the product the number last had.
    """
    ahead = period.next
    counted = counted_at_end_of(period, rows)
    begun = rows.filter(pl.col("active_from") < ahead.first_day).join(terms, on="service_no")
    last = begun.sort("service_no", "active_from").unique("service_no", keep="last", maintain_order=True)
    owed = last.filter(pl.col("duty_end") > ahead.first_day).join(counted, on="service_no", how="anti")
    runs_on = pl.col("ends_on").is_null() | (pl.col("ends_on") > ahead.first_day)
    ends_now = pl.col("ends_on") > period.first_day
    month_ahead = owed.filter(runs_on).with_columns(month=pl.lit(ahead.first_day))
    all_left = _each_month(owed.filter(~runs_on & ends_now), ahead.first_day)
    dues = pl.concat([month_ahead, all_left])
    end = pl.min_horizontal("duty_end", pl.col("month").dt.offset_by("1mo"))
    dues = dues.with_columns(
        kind=pl.lit("number_minimum"),
        rule=pl.lit("R-TWELVE"),
        price_day="month",
        service_from="month",
        service_to=end.dt.offset_by("-1d"),
        quantity_micro=pl.lit(MICRO, pl.Int64),
    )
    return shaped(dues, DUE_SCHEMA)


def _each_month(owed: pl.DataFrame, first: date) -> pl.DataFrame:
    """One row per month from `first` that the 12 months reach into, with `month` (its first day)."""
    return owed.with_columns(
        month=pl.date_ranges(pl.lit(first), pl.col("duty_end"), interval="1mo", closed="left")
    ).explode("month")

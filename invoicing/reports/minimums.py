"""What is billed though it is not used: users above those configured (8.5), numbers within their 12 months (8.6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from invoicing.user_cap import capped_users
from rating.services import minimum_ends, service_rows

if TYPE_CHECKING:
    from rating.periods import Period
    from schemas.platform import Platform

# Ten percent of a number fall away each quarter; from any number a customer can have that ends before this.
MOST_QUARTERS = 400


def reserved_users(user_counts: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """The customers billed for more users than are configured.

    Gives `customer_id`, `configured`, `billed`, `reserved`, `reference` and `net_cents`, what their `user_cap` lines
    come to.
    """
    amounts = lines.filter(pl.col("kind") == "user_cap").group_by("customer_id").agg(pl.col("net_cents").sum())
    reserved = user_counts.filter(pl.col("reserved") > 0).select(
        "customer_id", "configured", "billed", "reserved", "reference"
    )
    return reserved.join(amounts, on="customer_id", how="left").with_columns(pl.col("net_cents").fill_null(0)).sort(
        "customer_id"
    )  # fmt: skip


def falling_away(reserved: pl.DataFrame, period: Period, cap_rounding: str) -> pl.DataFrame:
    """In which month's invoice how many of those users fall away, if nobody comes or goes meanwhile (R-CAP).

    Takes what `reserved_users` gives; gives `customer_id`, `period` and `users`, by customer and month. Users that
    never fall away, as a tenth of 9 rounded down is none, are told by a null period: they stay to the contract's end.
    """
    state = reserved.select("customer_id", "configured", "billed", "reference")
    found, month = [], period
    for _ in range(3 * MOST_QUARTERS):
        if state.is_empty():
            break
        month = month.next
        carried = "billed" if month.opens_quarter else "reference"
        now = state.with_columns(reference=pl.col(carried)).with_columns(
            now=capped_users(pl.col("configured"), pl.col("reference"), cap_rounding)
        )
        fell = now.filter(pl.col("now") < pl.col("billed"))
        found.append(
            fell.select("customer_id", pl.lit(str(month)).alias("period"), users=pl.col("billed") - pl.col("now"))
        )
        stays = (pl.col("now") == pl.col("billed")) & pl.lit(month.opens_quarter)
        stuck = now.filter(stays & (pl.col("now") > pl.col("configured")))
        found.append(
            stuck.select(
                "customer_id", pl.lit(None, pl.String).alias("period"), users=pl.col("now") - pl.col("configured")
            )
        )
        state = now.filter(~stays & (pl.col("now") > pl.col("configured"))).select(
            "customer_id", "configured", "reference", billed="now"
        )
    empty = pl.DataFrame(schema={"customer_id": pl.String, "period": pl.String, "users": pl.Int64})
    return pl.concat([empty, *found]).sort("customer_id", "period", nulls_last=True)


def numbers_under_minimum(platform: Platform, period: Period) -> pl.DataFrame:
    """The numbers outside Belgium whose 12 months are not over on the first day of the month after (R-TWELVE).

    Gives `number`, `customer_id`, `product_id`, `country`, `started_on`, `ends_on` (the day after the last of the 12
    months) and `is_gone` (it is not configured any more), by the day on which they end.
    """
    rows = service_rows(platform)
    ends = minimum_ends(rows, platform.numbers)
    ahead = period.next.first_day
    begun = rows.filter(pl.col("active_from") < ahead).join(ends, on="service_no")
    last = begun.sort("service_no", "active_from").unique("service_no", keep="last", maintain_order=True)
    owed = last.filter(pl.col("duty_end") > ahead)
    return owed.select(
        "customer_id", "product_id", "country", number="service_id", started_on="service_start", ends_on="duty_end",
        is_gone=pl.col("service_end") <= ahead,
    ).sort("ends_on", "customer_id", "number")  # fmt: skip

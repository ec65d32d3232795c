"""Changes of the platform tables that concern months already invoiced."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from rating.rules import rule

if TYPE_CHECKING:
    from rating.frames import Schema
    from rating.periods import Period

RETRO_SCHEMA: Schema = {
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


def changed_contracts(before: pl.DataFrame, now: pl.DataFrame, period: Period) -> pl.DataFrame:
    """R-RETRO for the contracts themselves: one that was not what the last invoices took it for is listed too.

    They were made with its start and, where it ended before the end of the period being run, with its end: that month
    was invoiced in advance, up to that end, and with it all that was left of the 12 months of numbers. An end within
    the period that was not known then is none of these: that month was invoiced whole (R-ADVANCE).

    Args:
        before: The contracts of the last run's tables.
        now: Those of this run's.
        period: The period being run.

    Returns:
        As `retroactive_changes`, table `contract`, its id as `service_id`, without product and quantity; `past_end` is
        its end (exclusive), null while it is open.
    """
    columns = ["contract_id", "customer_id", "starts_on", "ends_on"]
    both = before.select(columns).join(
        now.select(columns), on=columns[:2], how="full", coalesce=True, suffix="_now", nulls_equal=True
    )
    ended = pl.col("ends_on") < period.next.first_day
    over_now = (pl.col("ends_on_now") <= period.first_day).fill_null(value=False)
    another_end = pl.when(ended).then(pl.col("ends_on").ne_missing(pl.col("ends_on_now"))).otherwise(over_now)
    another_start = pl.col("starts_on").ne_missing(pl.col("starts_on_now"))
    begun = pl.min_horizontal("starts_on", "starts_on_now") < period.first_day
    # Who leaves out what was over long ago changes nothing.
    matters = pl.col("starts_on_now").is_not_null() | ~(pl.col("ends_on") <= period.first_day).fill_null(value=False)
    changed = both.filter((another_end | another_start) & begun & matters)
    rows = [
        changed.filter(pl.col(start).is_not_null()).select(
            change=pl.lit(change), table=pl.lit("contract"), service_id="contract_id", customer_id="customer_id",
            product_id=None, quantity_micro=None, active_from=start, past_end=end,
        ).cast(pl.Schema(RETRO_SCHEMA))
        for change, start, end in (
            ("entered", "starts_on_now", "ends_on_now"), ("removed", "starts_on", "ends_on")
        )
    ]  # fmt: skip
    return pl.concat(rows).sort(*KEY, "active_from", "change")

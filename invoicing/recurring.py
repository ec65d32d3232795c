"""Recurring services: the month ahead in full, and the month in which a product begins by days."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from invoicing.lines import DUE_SCHEMA, shaped
from invoicing.prices import with_unit_prices
from rating.frames import previous_in_key
from rating.money import MICRO
from rating.rules import rule
from rating.services import USER_GROUP, counted_at_end_of, unit_steps

if TYPE_CHECKING:
    from rating.periods import Period

USERS = "user"


def group_of(table: pl.Expr, product_id: pl.Expr) -> pl.Expr:
    """What begins together: all user products as one, every other product by itself."""
    return pl.when(table == USERS).then(pl.lit(USER_GROUP)).otherwise(product_id)


@rule("R-ADVANCE", article="8.1, 8.5")
def advance_dues(rows: pl.DataFrame, terms: pl.DataFrame, period: Period) -> pl.DataFrame:
    """The invoice of a period carries every service counted at its end, for the month after, in full.

    Only where the *contract* ends within that month is it prorated by days up to its end; no other end is. An
    international number then runs on to the end of its 12 months (R-TWELVE).

    Args:
        rows: Service rows.
        terms: `service_no`, `duty_end` of international numbers.
        period: The period invoiced.

    Returns:
        `DUE_SCHEMA`, kind `recurring`, at the price of the first day of the month after.
    """
    ahead = period.next
    counted = counted_at_end_of(period, rows).join(terms, on="service_no", how="left")
    after = pl.lit(ahead.next.first_day)
    contract_end = pl.min_horizontal(pl.col("ends_on"), after)
    end = pl.min_horizontal(pl.max_horizontal(contract_end, "duty_end"), after)
    dues = counted.with_columns(
        kind=pl.lit("recurring"),
        rule=pl.when(end > contract_end).then(pl.lit("R-TWELVE")).otherwise(pl.lit("R-ADVANCE")),
        price_day=pl.lit(ahead.first_day),
        service_from=pl.lit(ahead.first_day),
        service_to=end.dt.offset_by("-1d"),
    )
    return shaped(dues, DUE_SCHEMA)


@rule("R-FIRST", article="8.1, 8.5")
def first_period_dues(
    rows: pl.DataFrame,
    terms: pl.DataFrame,
    contracted: pl.DataFrame,
    billed: pl.DataFrame,
    period: Period,
    increase: str,
) -> pl.DataFrame:
    """A product that begins for a customer within the period pays from that day to the period's end, by days.

    It begins on a day on which there is a unit of it and there was none the day before, unless the invoice
    before billed it for this period. The services that start that day pay, to the end of the period or their
    own end (an international number: of its 12 months). More units of a product the customer already has pay
    nothing for the period, unless `increase` is `prorate`: then the excess over the most units of any earlier
    day, of the last day of the period before and of what was billed for this period pays from its day. Where
    more units start on a day than there are in excess, the cheapest pay, then the lowest product_id, then the
    first to end.

    Args:
        rows: Service rows.
        terms: `service_no`, `duty_end`.
        contracted: `customer_id`, `starts_on`, `users`: the users promised by contracts that start in the
            period, which are units from that day on (R-BASIS).
        billed: `customer_id`, `group`, `units_micro` billed for this period on the invoice before.
        period: The period invoiced.
        increase: `month_end` or `prorate`.

    Returns:
        `DUE_SCHEMA` with `group` beside, kind `first_period`, at the price of the day.
    """
    key = ["customer_id", "group"]
    grouped = rows.with_columns(group=group_of(pl.col("table"), pl.col("product_id")))
    starting = grouped.filter(
        (pl.col("active_from") == pl.col("service_start"))
        & pl.col("service_start").is_between(period.first_day, period.last_day)
    )
    # Who has nothing that starts pays nothing here: the units of all others need not be followed.
    followed = grouped.join(starting.select(key).unique(), on=key, how="semi")
    steps = _steps_with_contracted(followed, contracted, period)
    steps = steps.join(billed.rename({"units_micro": "billed_micro"}), on=key, how="left", maintain_order="left")
    billed_micro = pl.col("billed_micro").fill_null(0)
    most = pl.max_horizontal(pl.col("units_micro").cum_max().shift(1).over(key), billed_micro)
    steps = steps.with_columns(
        begins=(pl.col("units_micro") > 0)
        & (previous_in_key("units_micro", key) == 0)
        & pl.col("billed_micro").is_null(),
        excess_micro=(pl.col("units_micro") - most).clip(lower_bound=0),
    ).filter(pl.col("day") >= period.first_day)
    starting = starting.join(terms, on="service_no", how="left").join(
        steps.select(*key, "begins", "excess_micro", service_start="day"), on=[*key, "service_start"]
    )
    end = pl.min_horizontal(pl.max_horizontal("service_end", "duty_end"), pl.lit(period.next.first_day))
    dues = starting.with_columns(
        kind=pl.lit("first_period"),
        rule=pl.lit("R-FIRST"),
        price_day="service_start",
        service_from="service_start",
        service_to=end.dt.offset_by("-1d"),
    ).select(*DUE_SCHEMA, "group", "begins", "excess_micro")
    begun = dues.filter("begins")
    if increase == "prorate":
        begun = pl.concat([begun, dues.filter(~pl.col("begins") & (pl.col("excess_micro") > 0))])
    return begun


def _steps_with_contracted(grouped: pl.DataFrame, contracted: pl.DataFrame, period: Period) -> pl.DataFrame:
    """Units by day from the last day of the period before, where contracted users count from their start."""
    by = ["customer_id", "group"]
    eve = period.previous.last_day
    steps = unit_steps(grouped, first=eve, end=period.next.first_day, by=by)
    promised = contracted.filter(pl.col("users") > 0).select(
        "customer_id", "starts_on", group=pl.lit(USER_GROUP), promised_micro=pl.col("users") * MICRO
    )
    none_yet = pl.lit(0, pl.Int64).alias("units_micro")
    opening = promised.select(*by, pl.lit(eve).alias("day"), none_yet)
    starts = promised.select(*by, pl.col("starts_on").alias("day"), none_yet)
    added = pl.concat([opening, starts]).join(steps, on=[*by, "day"], how="anti")
    steps = pl.concat([steps, added.select(steps.columns)]).sort(*by, "day")
    # Nothing of a customer is active before its contract starts, so the days added hold no units of their own.
    steps = steps.join(promised, on=by, how="left", maintain_order="left")
    counts = pl.col("day") >= pl.col("starts_on")
    return steps.with_columns(
        units_micro=pl.when(counts).then(pl.max_horizontal("units_micro", "promised_micro")).otherwise("units_micro")
    ).drop("starts_on", "promised_micro")


def limit_to_excess(dues: pl.DataFrame, prices: pl.DataFrame) -> pl.DataFrame:
    """Of the dues of `first_period_dues`, let an increase pay no more than its excess, the cheapest first."""
    key = ["customer_id", "group", "service_from"]
    grown = with_unit_prices(dues.filter(~pl.col("begins")), prices).sort(
        *key, "unit_price_micro", "product_id", "service_to"
    )
    before = pl.col("quantity_micro").cum_sum().over(key) - pl.col("quantity_micro")
    left = (pl.col("excess_micro") - before).clip(lower_bound=0)
    grown = grown.with_columns(quantity_micro=pl.min_horizontal("quantity_micro", left))
    begun = dues.filter("begins")
    return pl.concat([shaped(begun, DUE_SCHEMA), shaped(grown.filter(pl.col("quantity_micro") > 0), DUE_SCHEMA)])

"""Services: users, numbers with a product and subscriptions, inside their customer's contract.

A *row* is one interval of the platform; a *service* is what it is part of: rows of one user that touch are
one service, and so are those of one number and customer (R-TWELVE says more). A service exists only inside
its customer's contract, so rows are cut to it before anything else looks at them.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import polars as pl

from rating.frames import place_in_key, previous_in_key, running_sum
from rating.money import MICRO
from rating.periods import FOREVER, Period, a_year_later, active_on
from rating.rules import rule

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from schemas.platform import Platform

HOME_COUNTRY = "BE"
USER_GROUP = "*users"
# What `service_rows` are made of.
SERVICE_TABLES = ("users", "numbers", "subscriptions", "contracts")


# Every step of a run asks for them: those of its tables and, to compare, of the tables of the run before.
@lru_cache(maxsize=2)
def service_rows(platform: Platform) -> pl.DataFrame:
    """Every row that is part of a service, cut to its customer's contract.

    Returns:
        `table` (user/number/subscription), `service_id`, `customer_id`, `product_id`, `quantity_micro`,
        `user_id`, `country`, `active_from`, `active_to` (never null: `FOREVER` while active), `row_end` (as
        the tables have it), the contract's `starts_on` and `ends_on` (null while open), and of the whole
        service `service_no`, `service_start`, `service_end`. Rows without a day are left out.
    """
    users = platform.users.select(
        "customer_id", "product_id", "active_from", "active_to", "user_id",
        table=pl.lit("user"), service_id="user_id", quantity_micro=pl.lit(MICRO, pl.Int64),
        country=pl.lit(None, pl.String),
    )  # fmt: skip
    numbers = platform.numbers.filter(pl.col("product_id").is_not_null()).select(
        "customer_id", "product_id", "active_from", "active_to", "user_id",
        table=pl.lit("number"), service_id="number", quantity_micro=pl.lit(MICRO, pl.Int64), country="country",
    )  # fmt: skip
    subscriptions = platform.subscriptions.select(
        "customer_id", "product_id", "active_from", "active_to", "user_id",
        table=pl.lit("subscription"), service_id="subscription_id", quantity_micro="quantity_micro",
        country=pl.lit(None, pl.String),
    )  # fmt: skip
    rows = pl.concat([users, numbers, subscriptions])
    contracts = platform.contracts.select("customer_id", "starts_on", "ends_on")
    rows = rows.join(contracts, on="customer_id", how="inner").with_columns(
        row_end=pl.col("active_to").fill_null(FOREVER),
        active_from=pl.max_horizontal("active_from", "starts_on"),
        active_to=pl.min_horizontal(pl.col("active_to").fill_null(FOREVER), pl.col("ends_on").fill_null(FOREVER)),
    )
    rows = rows.filter(pl.col("active_from") < pl.col("active_to"))
    return _group_into_services(rows, platform.numbers)


def _group_into_services(rows: pl.DataFrame, numbers: pl.DataFrame) -> pl.DataFrame:
    """Give each row its service: one number, the first day and the end of the whole."""
    key = ["table", "service_id", "customer_id"]
    rows = rows.sort(*key, "active_from")
    rows = rows.with_columns(_previous_end=previous_in_key("active_to", key))
    rows = rows.with_columns(
        key_no=pl.struct(key).rle_id(),
        touches=(pl.col("active_from") == pl.col("_previous_end")).fill_null(value=False),
        returns=_nobody_else_between(rows, numbers) & (pl.col("country") != HOME_COUNTRY).fill_null(value=False),
    )
    starts = merge_service_starts(rows)
    rows = rows.with_columns(service_start=starts)
    rows = rows.with_columns(service_no=pl.struct("key_no", "service_start").rle_id())
    rows = rows.with_columns(service_end=pl.col("active_to").max().over("service_no"))
    return rows.drop("_previous_end", "key_no", "touches", "returns")


def _nobody_else_between(rows: pl.DataFrame, numbers: pl.DataFrame) -> pl.Series:
    """Whether no other customer had the number between a row and the one before it of the same customer."""
    others = numbers.select(service_id="number", other_id="customer_id", other_from="active_from")
    gaps = rows.with_row_index("place").filter((pl.col("table") == "number") & pl.col("_previous_end").is_not_null())
    taken = gaps.select("place", "service_id", "customer_id", "_previous_end", "active_from").join(
        others, on="service_id"
    )
    # Intervals of one number never overlap, so whoever had it in between started in between. The contract may
    # have cut the row before, so the comparison is with what is left of it.
    taken = taken.filter(
        (pl.col("other_id") != pl.col("customer_id"))
        & (pl.col("other_from") >= pl.col("_previous_end"))
        & (pl.col("other_from") < pl.col("active_from"))
    )
    return ~rows.select(pl.int_range(pl.len(), dtype=pl.UInt32).is_in(taken["place"].implode())).to_series()


@rule("R-TWELVE", article="8.6")
def merge_service_starts(rows: pl.DataFrame) -> pl.Series:
    """An international number is paid for at least 12 months, however often it leaves and comes back meanwhile.

    Rows that touch are one service, and so are rows of a number outside Belgium that start no later than the
    12 months of the service end, unless another customer had the number in between. The service begins once.

    Args:
        rows: Sorted by key and `active_from`: `key_no` (one key of table, id and customer), `active_from`,
            `touches` (starts where the row before ended) and `returns` (may be a number that comes back).

    Returns:
        The first day of each row's service (Date). Rows are settled one place after the other within their
        key, all keys at once: as many passes as the number with most rows has.
    """
    rows = rows.select("key_no", "active_from", "touches", "returns").with_columns(place=place_in_key(["key_no"]))
    starts = rows["active_from"]
    for place in range(1, (rows.select(pl.col("place").max()).item() or 0) + 1):
        before = starts.shift(1).alias("before")
        in_time = pl.col("active_from") <= a_year_later(pl.col("before"))
        one_service = rows.with_columns(before).select(
            (pl.col("place") == place) & (pl.col("touches") | (pl.col("returns") & in_time))
        )
        starts = before.zip_with(one_service.to_series(), starts)
    return starts


def minimum_ends(rows: pl.DataFrame, numbers: pl.DataFrame) -> pl.DataFrame:
    """When the 12 months of each number outside Belgium end (R-TWELVE).

    The duty ends a year after the service started, or on the day another customer has a row for the number,
    but not before the service's own end.

    Returns:
        `service_no` and `duty_end` (exclusive Date), one row per service.
    """
    services = rows.filter((pl.col("table") == "number") & (pl.col("country") != HOME_COUNTRY)).select(
        "service_no", "service_id", "customer_id", "service_start", "service_end"
    )
    services = services.unique("service_no", keep="first", maintain_order=True)
    others = numbers.select(service_id="number", other_id="customer_id", other_from="active_from")
    taken = (
        services.join(others, on="service_id")
        .filter((pl.col("other_id") != pl.col("customer_id")) & (pl.col("other_from") >= pl.col("service_start")))
        .group_by("service_no")
        .agg(taken_on=pl.max_horizontal(pl.col("other_from").min(), pl.col("service_end").first()))
    )
    ends = services.join(taken, on="service_no", how="left")
    duty_end = pl.min_horizontal(a_year_later(pl.col("service_start")), "taken_on")
    return ends.select("service_no", duty_end=duty_end)


def counted_at_end_of(period: Period, rows: pl.DataFrame) -> pl.DataFrame:
    """The rows counted at the end of a period.

    Active on the first day of the month after, in a contract that started on or before the period's last day.
    """
    return rows.filter(active_on(period.next.first_day) & (pl.col("starts_on") <= period.last_day))


def unit_steps(rows: pl.DataFrame, *, first: date, end: date, by: list[str]) -> pl.DataFrame:
    """How many units there are from day to day, told at each change.

    Args:
        rows: `active_from`, `active_to` (Dates), `quantity_micro` and the key columns `by`.
        first: The first day looked at.
        end: The day after the last day looked at.
        by: What is counted together.

    Returns:
        The key columns, `day` and `units_micro` from that day on; each key starts with a row for `first` (0
        units where it has none yet), sorted by key and day.
    """
    here = rows.filter((pl.col("active_from") < end) & (pl.col("active_to") > first))
    comes = here.select(*by, day=pl.max_horizontal("active_from", pl.lit(first)), step="quantity_micro")
    goes = here.filter(pl.col("active_to") < end).select(*by, day="active_to", step=-pl.col("quantity_micro"))
    opens = here.select(*by, day=pl.lit(first, pl.Date), step=pl.lit(0, pl.Int64))
    steps = (
        pl.concat([opens, comes, goes])
        .group_by(*by, "day")
        .agg(pl.col("step").sum())
        .sort(*by, "day", nulls_last=False)
    )
    return steps.with_columns(units_micro=running_sum("step", by)).drop("step")


def months(first: Period, last: Period) -> Iterator[Period]:
    """Every period from one to another, both included."""
    period = first
    while period <= last:
        yield period
        period = period.next

"""What of a month needs a person: what was set aside and what it may be worth, what is not billed, what is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from invoicing.documents.electronic_address import customer_address
from invoicing.documents.model import Customer
from rating.money import half_up_div, wide
from rating.periods import FOREVER
from rating.platform_checks import VERSIONS
from rating.services import HOME_COUNTRY, counted_at_end_of, service_rows
from rating.tariffs import judge_notice

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rating.periods import Period
    from rating.platform_checks import TableRows
    from schemas.platform import Platform

# A record that the first one accepted stands for is billed already.
WORTH_NOTHING = "conflict"
NOTICE_SCHEMA = {"table": pl.String, "key": pl.String, "effective_from": pl.Date, "notified_on": pl.Date}
UNBILLED_SCHEMA = {
    "customer_id": pl.String, "table": pl.String, "service_id": pl.String, "product_id": pl.String,
    "active_from": pl.Date, "active_to": pl.Date, "why": pl.String,
}  # fmt: skip


def set_aside(
    quarantine: pl.DataFrame, unrated: pl.DataFrame, calls: int, duration_s: int, amount_cents: int
) -> pl.DataFrame:
    """Records and calls that no invoice has, by reason, and what they would come to at the month's averages.

    A record that could not be read counts as the average call, a call that could not be rated by its seconds.

    Args:
        quarantine: `reason`, `records` of the files.
        unrated: `reason`, `duration_s` of the calls.
        calls: The calls rated, beside `duration_s` and `amount_cents`, what they last and cost together.
        duration_s: See `calls`.
        amount_cents: See `calls`.

    Returns:
        `reason`, `is_call`, `records`, `estimate_cents`, records first, by reason.
    """
    records = quarantine.with_columns(
        is_call=pl.lit(value=False),
        estimate_cents=pl.when(pl.col("reason") != WORTH_NOTHING)
        .then(half_up_div(wide(pl.col("records")) * amount_cents, max(calls, 1)))
        .otherwise(0).cast(pl.Int64),
    )  # fmt: skip
    by_reason = unrated.group_by("reason").agg(records=pl.len().cast(pl.Int64), seconds=pl.col("duration_s").sum())
    told = by_reason.with_columns(
        pl.col("reason").cast(pl.String),
        is_call=pl.lit(value=True),
        estimate_cents=half_up_div(wide(pl.col("seconds")) * amount_cents, max(duration_s, 1)).cast(pl.Int64),
    )
    columns = ["reason", "is_call", "records", "estimate_cents"]
    return pl.concat([records.select(columns), told.select(columns)]).sort("is_call", "reason")


def unbilled_services(platform: Platform, lines: pl.DataFrame, period: Period) -> pl.DataFrame:
    """The services that were there in the month and that no invoice bills, before, now or later (`UNBILLED_SCHEMA`).

    `why` is `no_contract`: the customer has none that runs on any of the service's days of the month; or
    `came_and_went`: it came after the first day and was gone by the end of the month, as more units of a product that
    the customer had already.
    """
    ahead = period.next.first_day
    rows = service_rows(platform)
    outside = _raw_rows(platform).filter((pl.col("active_from") < ahead) & (pl.col("active_to") > period.first_day))
    outside = outside.join(
        rows.filter((pl.col("active_from") < ahead) & (pl.col("active_to") > period.first_day)),
        on=["table", "service_id", "customer_id"],
        how="anti",
    ).with_columns(why=pl.lit("no_contract"))
    key = ["table", "service_id", "customer_id"]
    brief = rows.filter((pl.col("service_start") > period.first_day) & (pl.col("service_end") <= ahead))
    brief = brief.filter((pl.col("country") == HOME_COUNTRY).fill_null(value=True))
    brief = brief.join(counted_at_end_of(period, rows), on=key, how="anti")
    begun = lines.filter(pl.col("kind") == "first_period").select(
        "customer_id", "product_id", active_from="service_from"
    )
    brief = brief.join(begun, on=["customer_id", "product_id", "active_from"], how="anti")
    found = pl.concat(
        [
            frame.select(pl.col(name).cast(dtype) for name, dtype in UNBILLED_SCHEMA.items())
            for frame in (outside, brief.with_columns(why=pl.lit("came_and_went")))
        ]
    )
    return found.with_columns(active_to=pl.when(pl.col("active_to") < FOREVER).then("active_to")).sort(
        "customer_id", "table", "service_id", "active_from"
    )  # fmt: skip


def _raw_rows(platform: Platform) -> pl.DataFrame:
    """What is to be paid as the tables have it, whatever the contract says."""
    tables = (
        ("user", "user_id", platform.users),
        ("number", "number", platform.numbers.filter(pl.col("product_id").is_not_null())),
        ("subscription", "subscription_id", platform.subscriptions),
    )
    return pl.concat(
        table.select(
            "customer_id", "product_id", "active_from", pl.col("active_to").fill_null(FOREVER),
            table=pl.lit(name), service_id=key,
        )
        for name, key, table in tables
    )  # fmt: skip


def without_address(customers: pl.DataFrame) -> list[str]:
    """The customers (customer_id) who get no electronic invoice, for want of an address on the Peppol network."""
    found = []
    for row in customers.sort("customer_id").iter_rows(named=True):
        customer = Customer(**{name: row[name] for name in Customer.__dataclass_fields__})
        if customer_address(customer) is None:
            found.append(customer.customer_id)
    return found


def short_notices(tables: Mapping[str, TableRows]) -> pl.DataFrame:
    """The versions in the tables that were announced too late (R-NOTICE), also those from before the month.

    Gives `table`, `key`, `effective_from`, `notified_on`.
    """
    found = [pl.DataFrame(schema=NOTICE_SCHEMA)]
    for table, by in VERSIONS.items():
        version = [*by, "effective_from"]
        latest = tables[table].rows.group_by(version).agg(pl.col("notified_on").max())
        late = judge_notice(latest, by=by, from_day=None)
        key = pl.concat_str(by, separator=" ", ignore_nulls=True)
        found.append(late.select(pl.lit(table).alias("table"), key.alias("key"), "effective_from", "notified_on"))
    return pl.concat(found).sort("table", "key", "effective_from")

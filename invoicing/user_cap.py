"""Users billed: what a contract promised, and how fast their number may fall."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from invoicing.lines import DUE_SCHEMA, shaped
from invoicing.prices import require_prices, with_unit_prices
from rating.frames import previous_in_key
from rating.money import MICRO, ceil_div
from rating.periods import Period, active_on
from rating.rules import rule
from rating.services import counted_at_end_of, months, unit_steps

if TYPE_CHECKING:
    from rating.frames import Schema
    from schemas.platform import Platform

REDUCTION_PER_QUARTER = 10
COUNTS_SCHEMA: Schema = {
    "customer_id": pl.String, "configured": pl.Int64, "billed": pl.Int64, "reserved": pl.Int64,
    "reference": pl.Int64,
}  # fmt: skip
PRODUCT_SCHEMA: Schema = {"customer_id": pl.String, "product_id": pl.String, "users": pl.Int64}


class UserBilling(NamedTuple):
    """The users billed on the invoices of one period.

    Attributes:
        counts: `COUNTS_SCHEMA`, one row per customer whose contract runs at the end of the period.
        configured: `PRODUCT_SCHEMA`: users counted, with the product of the first day of the month after.
        reserved: `PRODUCT_SCHEMA` and `rule`: users billed though they are not configured.
    """

    counts: pl.DataFrame
    configured: pl.DataFrame
    reserved: pl.DataFrame

    def by_product(self) -> pl.DataFrame:
        """Users billed by product, configured and reserved together (`PRODUCT_SCHEMA`)."""
        both = pl.concat([self.configured, self.reserved.select(PRODUCT_SCHEMA.keys())])
        return both.group_by("customer_id", "product_id").agg(pl.col("users").sum()).sort(
            "customer_id", "product_id"
        )  # fmt: skip


class Before(NamedTuple):
    """What the invoices of the period before billed: `COUNTS_SCHEMA` and `PRODUCT_SCHEMA`."""

    counts: pl.DataFrame
    by_product: pl.DataFrame


def nothing_before() -> Before:
    """Before the first invoice there was."""
    return Before(pl.DataFrame(schema=COUNTS_SCHEMA), pl.DataFrame(schema=PRODUCT_SCHEMA))


def contracted_users(platform: Platform) -> pl.DataFrame:
    """The users that each contract promises, by product (`PRODUCT_SCHEMA` and `starts_on`)."""
    user_products = platform.products.filter(pl.col("kind") == "user").select("product_id")
    items = platform.contract_items.join(platform.contracts, on="contract_id")
    return items.join(user_products, on="product_id", how="semi").select(
        "customer_id", "product_id", "starts_on", users=pl.col("quantity_micro") // MICRO
    )


def _count_by_product(rows: pl.DataFrame) -> pl.DataFrame:
    """How many users there are of each product (`PRODUCT_SCHEMA`)."""
    users = rows.filter(pl.col("table") == "user")
    return users.group_by("customer_id", "product_id").agg(users=pl.len().cast(pl.Int64))


@rule("R-BASIS", article="8.4")
def first_invoice_basis(contracted: pl.Expr, counted: pl.Expr) -> pl.Expr:
    """A contract's first invoice bills the users it promised or the users counted, whichever are more.

    The same holds for the first days of the contract, with the users active on the day it starts. Contracted
    users that are missing are billed on the contracted products that are short, the cheapest first, then by
    product_id; in other products the platform is billed and the difference told.
    """
    return pl.max_horizontal(contracted, counted)


@rule("R-CAP", article="8.5")
def capped_users(configured: pl.Expr, reference: pl.Expr, cap_rounding: str) -> pl.Expr:
    """Within a quarter the users billed never fall more than 10 % below where the quarter began.

    `reference` is what the last invoice of the quarter before billed, in the contract's first quarter its
    first invoice. The 10 % are rounded down to whole users (`cap_rounding`: `floor`; `ceil` rounds them up).
    Growth and changes of product are free. The users no longer configured stay billed at the prices of the
    products that shrank, cheapest first, as long as the contract lasts.
    """
    if cap_rounding == "ceil":
        reduction = ceil_div(reference, REDUCTION_PER_QUARTER)
    else:
        reduction = reference // REDUCTION_PER_QUARTER
    return pl.max_horizontal(configured, reference - reduction)


def bill_users(
    period: Period,
    rows: pl.DataFrame,
    platform: Platform,
    before: Before,
    *,
    cap_rounding: str,
    price_fallback: bool = False,
) -> UserBilling:
    """The users that the invoice of a period bills for the month after, by R-CAP and R-BASIS.

    Args:
        period: The period invoiced.
        rows: Service rows.
        platform: Contracts, what they promise, and prices.
        before: What was billed on the invoices of the period before.
        cap_rounding: Of the settings.
        price_fallback: Where no price is in force yet, order by the first price there is: for months of
            which only the number of users matters any more.

    Raises:
        InputRefused: where a product to be reserved has no price on the first day of the month after.
    """
    running = platform.contracts.filter(
        active_on(period.next.first_day, "starts_on", "ends_on") & (pl.col("starts_on") <= period.last_day)
    ).select("customer_id", first=pl.col("starts_on") >= period.first_day)
    configured = _count_by_product(counted_at_end_of(period, rows))
    # What a contract promises counts on its first invoice alone.
    begun = platform.contracts.filter(pl.col("starts_on") >= period.first_day)
    contracted = contracted_users(replace(platform, contracts=begun)).select(PRODUCT_SCHEMA.keys())
    total = running
    for name, frame in (("configured", configured), ("contracted", contracted)):
        summed = frame.group_by("customer_id").agg(pl.col("users").sum().alias(name))
        total = total.join(summed, on="customer_id", how="left")
    carried = "billed" if period.opens_quarter else "reference"
    total = total.join(before.counts.select("customer_id", carried=carried), on="customer_id", how="left")
    total = total.with_columns(pl.col("configured", "contracted", "carried").fill_null(0))
    basis = first_invoice_basis(pl.col("contracted"), pl.col("configured"))
    capped = capped_users(pl.col("configured"), pl.col("carried"), cap_rounding)
    total = total.with_columns(billed=pl.when("first").then(basis).otherwise(capped))
    counts = total.with_columns(
        reserved=pl.col("billed") - pl.col("configured"),
        reference=pl.when("first").then("billed").otherwise("carried"),
    )
    due = (
        counts.filter(pl.col("reserved") > 0)
        .join(
            pl.concat(
                [
                    contracted.with_columns(first=pl.lit(value=True)),
                    before.by_product.with_columns(first=pl.lit(value=False)),
                ]
            ),
            on=["customer_id", "first"],
        )
        .join(configured.rename({"users": "counted"}), on=["customer_id", "product_id"], how="left")
    )
    short = due.select(
        "customer_id", "product_id", "reserved", short=pl.col("users") - pl.col("counted").fill_null(0),
        rule=pl.when("first").then(pl.lit("R-BASIS")).otherwise(pl.lit("R-CAP")),
        price_day=pl.lit(period.next.first_day),
    )  # fmt: skip
    reserved = cheapest_first(short, platform.prices, price_fallback=price_fallback)
    counts = counts.select(COUNTS_SCHEMA.keys()).sort("customer_id")
    return UserBilling(counts, configured.join(running, on="customer_id", how="semi"), reserved)


def cheapest_first(short: pl.DataFrame, prices: pl.DataFrame, *, price_fallback: bool) -> pl.DataFrame:
    """Spread the users to reserve over the products that are short: cheapest first, then product_id.

    Args:
        short: `customer_id`, `product_id`, `reserved` (users to place, per customer), `short` (how many the
            product can take), `rule`, `price_day`.
        prices: The price book.
        price_fallback: See `bill_users`.

    Returns:
        `PRODUCT_SCHEMA` and `rule`, of the products that take any.
    """
    places = short.filter((pl.col("reserved") > 0) & (pl.col("short") > 0))
    if places.is_empty():
        return pl.DataFrame(schema={**PRODUCT_SCHEMA, "rule": pl.String})
    priced = with_unit_prices(places, prices)
    if price_fallback:
        general = prices.filter(pl.col("customer_id").is_null()).sort("effective_from")
        first = general.group_by("product_id").agg(pl.col("unit_price_micro").first())
        priced = priced.join(first, on="product_id", how="left", suffix="_first")
        priced = priced.with_columns(pl.coalesce("unit_price_micro", "unit_price_micro_first", pl.lit(0)))
    else:
        require_prices(priced)
    priced = priced.sort("customer_id", "unit_price_micro", "product_id")
    left = (pl.col("reserved") - pl.col("short").cum_sum().over("customer_id") + pl.col("short")).clip(lower_bound=0)
    placed = priced.with_columns(users=pl.min_horizontal("short", left)).filter(pl.col("users") > 0)
    return placed.select(*PRODUCT_SCHEMA, "rule")


def rebuild_before(
    period: Period, customers: pl.Series, rows: pl.DataFrame, platform: Platform, *, cap_rounding: str
) -> Before:
    """What the invoices of the period before `period` would have billed, had every month been run (R-CAP).

    For customers of whom the store has no earlier invoice: from the history of their users since the contract
    began, month by month, by R-BASIS and R-CAP.
    """
    chosen = platform.contracts.filter(
        pl.col("customer_id").is_in(customers.implode()) & (pl.col("starts_on") < period.first_day)
    )
    if chosen.is_empty():
        return nothing_before()
    their_rows = rows.join(chosen, on="customer_id", how="semi").filter(pl.col("table") == "user")
    short = _once_short(period, their_rows, replace(platform, contracts=chosen))
    # Who was never short was billed the users there were: the months since the last reference tell all of it.
    found = [
        _rebuild_months(begun, period, their_rows, replace(platform, contracts=contracts), cap_rounding=cap_rounding)
        for contracts, begun in (
            (chosen.join(short, on="customer_id", how="semi"), None),
            (chosen.join(short, on="customer_id", how="anti"), reference_month(period.previous)),
        )
    ]
    counts, by_product = (pl.concat(frames) for frames in zip(*found, strict=True))
    return Before(counts.sort("customer_id"), by_product.sort("customer_id", "product_id"))


def _rebuild_months(
    begun: Period | None, period: Period, rows: pl.DataFrame, platform: Platform, *, cap_rounding: str
) -> Before:
    """Bill the users of every month before a period, from `begun` on; from the first contract's start where None."""
    before = nothing_before()
    if platform.contracts.is_empty():
        return before
    rows = rows.join(platform.contracts, on="customer_id", how="semi")
    first = Period.of(platform.contracts.select(pl.col("starts_on").min()).item())
    for month in months(max(begun or first, first), period.previous):
        billing = bill_users(month, rows, platform, before, cap_rounding=cap_rounding, price_fallback=True)
        before = Before(billing.counts, billing.by_product())
    return before


def reference_month(month: Period) -> Period:
    """The last month of the quarter before a month's."""
    while not month.opens_quarter:
        month = month.previous
    return month.previous


def _once_short(period: Period, rows: pl.DataFrame, platform: Platform) -> pl.DataFrame:
    """The customers (`customer_id`) who may have been billed users they did not have, before a period.

    Those are who had fewer users on some day than the day before, and who had fewer at the end of the
    contract's first month than it promised. Without either, R-CAP and R-BASIS bill the users counted.
    """
    by = ["customer_id"]
    losing = rows.filter(pl.col("active_to") <= period.first_day)
    begun = platform.contracts.select(pl.col("starts_on").min()).item()
    steps = unit_steps(
        rows.join(losing, on=by, how="semi"), first=begun, end=period.first_day + timedelta(days=1), by=by
    )
    fewer = steps.filter(pl.col("units_micro") < previous_in_key("units_micro", by))
    month_after = pl.col("starts_on").dt.month_end().dt.offset_by("1d")
    counted = _count_by_product(rows.filter(active_on(month_after))).group_by(by).agg(counted=pl.col("users").sum())
    promised = contracted_users(platform).group_by(by).agg(pl.col("users").sum())
    lacking = promised.join(counted, on=by, how="left").filter(pl.col("users") > pl.col("counted").fill_null(0))
    return pl.concat([fewer.select(by), lacking.select(by)]).unique()


def reserved_dues(billing: UserBilling, contracts: pl.DataFrame, period: Period) -> pl.DataFrame:
    """The users billed though not configured: `DUE_SCHEMA`, kind `user_cap`, to the contract's end at most."""
    ahead = period.next
    end = pl.min_horizontal(pl.col("ends_on"), pl.lit(ahead.next.first_day))
    dues = billing.reserved.join(contracts.select("customer_id", "ends_on"), on="customer_id").with_columns(
        kind=pl.lit("user_cap"),
        price_day=pl.lit(ahead.first_day),
        service_from=pl.lit(ahead.first_day),
        service_to=end.dt.offset_by("-1d"),
        quantity_micro=pl.col("users") * MICRO,
    )
    return shaped(dues, DUE_SCHEMA)


def missing_at_start(
    rows: pl.DataFrame,
    platform: Platform,
    already_billed: pl.DataFrame,
    period: Period,
    *,
    price_fallback: bool = False,
) -> pl.DataFrame:
    """Contracted users that are missing on the day a contract starts, within the period (R-BASIS).

    A customer whose users were billed for this period on the invoice before (`already_billed`: `customer_id`)
    misses none. Gives `PRODUCT_SCHEMA`, `rule`, `starts_on` and `ends_on`.
    """
    contracts = platform.contracts.filter(pl.col("starts_on").is_between(period.first_day, period.last_day)).join(
        already_billed, on="customer_id", how="anti"
    )
    promised = contracted_users(platform).join(contracts, on="customer_id", how="semi")
    on_first_day = rows.filter((pl.col("table") == "user") & (pl.col("active_from") == pl.col("starts_on")))
    active = _count_by_product(on_first_day).rename({"users": "active"})
    both = promised.join(active, on=["customer_id", "product_id"], how="left").with_columns(
        pl.col("active").fill_null(0)
    )
    all_active = active.group_by("customer_id").agg(all_active=pl.col("active").sum())
    both = both.join(all_active, on="customer_id", how="left")
    missing = pl.col("users").sum().over("customer_id") - pl.col("all_active").fill_null(0)
    short = both.select(
        "customer_id",
        "product_id",
        reserved=missing,
        short=pl.col("users") - pl.col("active"),
        rule=pl.lit("R-BASIS"),
        price_day="starts_on",
    )
    placed = cheapest_first(short, platform.prices, price_fallback=price_fallback)
    return placed.join(contracts.select("customer_id", "starts_on", "ends_on"), on="customer_id")


def contracted_first_dues(missing: pl.DataFrame, period: Period) -> pl.DataFrame:
    """What contracted users that are missing owe for the period in which their contract starts (R-BASIS).

    Takes what `missing_at_start` gives; gives `DUE_SCHEMA`, kind `first_period`, from the contract's start to
    the end of the period or of the contract.
    """
    end = pl.min_horizontal(pl.col("ends_on"), pl.lit(period.next.first_day))
    dues = missing.with_columns(
        kind=pl.lit("first_period"),
        price_day="starts_on",
        service_from="starts_on",
        service_to=end.dt.offset_by("-1d"),
        quantity_micro=pl.col("users") * MICRO,
    )
    return shaped(dues, DUE_SCHEMA)

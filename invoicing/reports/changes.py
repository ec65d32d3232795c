"""Who changed most against the month before, and which lines made the difference."""

from __future__ import annotations

import polars as pl

from rating.packs import POOL_KEY

REASON_SCHEMA = {
    "customer_id": pl.String, "reason": pl.String, "subject": pl.String, "quantity_micro": pl.Int64,
    "difference_cents": pl.Int64,
}  # fmt: skip
USERS = "users"


def customer_totals(invoices: pl.DataFrame, lines_before: pl.DataFrame) -> pl.DataFrame:
    """What each customer is invoiced beside the month before.

    Takes `customer_id`, `net_cents` of both; gives `customer_id`, `net_cents` and `before_cents` (null where there is
    no invoice) and `difference_cents`, by customer.
    """
    now = invoices.group_by("customer_id").agg(pl.col("net_cents").sum())
    before = lines_before.group_by("customer_id").agg(before_cents=pl.col("net_cents").sum())
    both = now.join(before, on="customer_id", how="full", coalesce=True)
    difference = pl.col("net_cents").fill_null(0) - pl.col("before_cents").fill_null(0)
    return both.with_columns(difference_cents=difference).sort("customer_id")


def reasons(lines: pl.DataFrame, lines_before: pl.DataFrame, products: pl.DataFrame) -> pl.DataFrame:
    """What makes the difference between two months, customer by customer; the reasons add up to it.

    All user products are one subject, each other product its own, calls are told by zone and what is left by kind.

    Args:
        lines: `customer_id`, `kind`, `product_id`, `zone_id`, `quantity_micro`, `unit_price_micro`, `net_cents`.
        lines_before: The same of the month before.
        products: `product_id`, `kind`.

    Returns:
        `REASON_SCHEMA`, without differences of nothing, the largest first. `reason` is `users`, `units` (of another
        product), `price` (the same units at another amount), `traffic`, or a kind of line.
    """
    users = products.filter(pl.col("kind") == "user")["product_id"]
    now, before = (_by_subject(frame, users) for frame in (lines, lines_before))
    key = ["customer_id", "group", "subject"]
    both = now.join(before, on=key, how="full", coalesce=True, nulls_equal=True, suffix="_before")
    both = both.with_columns(pl.col(pl.Int64).fill_null(0)).with_columns(
        units=pl.col("quantity_micro") - pl.col("quantity_micro_before"),
        difference_cents=pl.col("net_cents") - pl.col("net_cents_before"),
    )
    is_service = pl.col("group").is_in([USERS, "units"])
    reason = pl.when(is_service & (pl.col("units") == 0)).then(pl.lit("price")).otherwise("group")
    found = both.filter(pl.col("difference_cents") != 0).with_columns(
        reason=reason, quantity_micro=pl.when(is_service & (pl.col("units") != 0)).then("units")
    )
    ordered = found.sort("customer_id", -pl.col("difference_cents").abs(), "reason", "subject", nulls_last=True)
    return ordered.select(pl.col(name).cast(dtype) for name, dtype in REASON_SCHEMA.items())


def _by_subject(lines: pl.DataFrame, users: pl.Series) -> pl.DataFrame:
    is_user = pl.col("product_id").is_in(users.implode()).fill_null(value=False)
    recurring = pl.col("kind") == "recurring"
    group = pl.when(recurring & is_user).then(pl.lit(USERS)).when(recurring).then(pl.lit("units")).otherwise("kind")
    subject = pl.when(pl.col("kind") == "traffic").then("zone_id").when(recurring & ~is_user).then("product_id")
    placed = lines.with_columns(group=group, subject=subject)
    return placed.group_by("customer_id", "group", "subject").agg(pl.col("quantity_micro", "net_cents").sum())


def exhausted(packs_used: pl.DataFrame, drawn: pl.DataFrame) -> pl.DataFrame:
    """The pools of a month of which nothing is left: `customer_id`, `user_id`, `product_id`, and the `day` of the end.

    Takes the pools with `allowance_s` and `used_s`, and the last `day` on which each was drawn from.
    """
    spent = packs_used.filter((pl.col("allowance_s") > 0) & (pl.col("used_s") >= pl.col("allowance_s")))
    dated = spent.join(drawn, on=POOL_KEY, nulls_equal=True)
    return dated.select(*POOL_KEY, "day").sort("customer_id", "day", "product_id")

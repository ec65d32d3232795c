"""Prices of products: the contract's own where it is in force, else the general one."""

from __future__ import annotations

import polars as pl

from rating.tariffs import in_force
from schemas.errors import InputRefused, Problem

ASKED = ["customer_id", "product_id", "price_day"]
VERSION = ["effective_from", "notified_on", "unit_price_micro"]


def versions_in_force(wanted: pl.DataFrame, prices: pl.DataFrame) -> pl.DataFrame:
    """The version of the price book that is in force for each customer, product and day asked for, once each.

    Takes rows with `customer_id`, `product_id` and `price_day` (Date); gives those with `is_own` (whether it is the
    contract's own price) and `effective_from`, `notified_on`, `unit_price_micro`, null where no price is in force.
    """
    own = prices.filter(pl.col("customer_id").is_not_null()).select("product_id", "customer_id", *VERSION)
    general = prices.filter(pl.col("customer_id").is_null()).select("product_id", *VERSION)
    asked = wanted.select(ASKED).unique()
    found = in_force(asked, own, by=["product_id", "customer_id"], day="price_day")
    found = found.rename({name: f"own_{name}" for name in VERSION})
    found = in_force(found, general, by=["product_id"], day="price_day")
    is_own = pl.col("own_effective_from").is_not_null()
    chosen = (pl.when(is_own).then(f"own_{name}").otherwise(name).alias(name) for name in VERSION)
    return found.select(*ASKED, *chosen, is_own=is_own)


def with_unit_prices(wanted: pl.DataFrame, prices: pl.DataFrame) -> pl.DataFrame:
    """Add `unit_price_micro` (Int64, null where no price is in force) to each wanted row, in its order.

    Takes rows with `customer_id`, `product_id` and `price_day` (Date).
    """
    found = versions_in_force(wanted, prices).select(*ASKED, "unit_price_micro")
    return wanted.join(found, on=ASKED, how="left", maintain_order="left")


def missing_prices(priced: pl.DataFrame) -> list[Problem]:
    """A problem for each product and day without a price, naming one customer who needs it."""
    gaps = priced.filter(pl.col("unit_price_micro").is_null())
    named = gaps.group_by("product_id", "price_day").agg(pl.col("customer_id").min()).sort("product_id", "price_day")
    return [
        Problem(
            table="prices", file="prices", line=0, column="product_id", value=product_id,
            expected=f"a price in force on {price_day}, which customer {customer_id} needs; add a version with "
            f"effective_from {price_day} or earlier",
        )
        for product_id, price_day, customer_id in named.iter_rows()
    ]  # fmt: skip


def require_prices(priced: pl.DataFrame) -> pl.DataFrame:
    """The same rows.

    Raises:
        InputRefused: naming every product and day without a price.
    """
    problems = missing_prices(priced)
    if problems:
        raise InputRefused("a product has no price on a day it is needed", tuple(problems))
    return priced

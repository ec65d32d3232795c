"""Prices of products: the contract's own where it is in force, else the general one."""

from __future__ import annotations

import polars as pl

from rating.tariffs import in_force
from schemas.errors import InputRefused, Problem


def with_unit_prices(wanted: pl.DataFrame, prices: pl.DataFrame) -> pl.DataFrame:
    """Add `unit_price_micro` (Int64, null where no price is in force) to each wanted row, in its order.

    Takes rows with `customer_id`, `product_id` and `price_day` (Date).
    """
    versions = prices.select("product_id", "customer_id", "effective_from", "unit_price_micro")
    own = versions.filter(pl.col("customer_id").is_not_null())
    general = versions.filter(pl.col("customer_id").is_null()).drop("customer_id")
    asked = wanted.select("customer_id", "product_id", "price_day").unique()
    found = in_force(asked, own, by=["product_id", "customer_id"], day="price_day")
    found = found.rename({"unit_price_micro": "own_price"}).drop("effective_from")
    found = in_force(found, general, by=["product_id"], day="price_day").drop("effective_from")
    found = found.select(
        "customer_id",
        "product_id",
        "price_day",
        unit_price_micro=pl.coalesce("own_price", "unit_price_micro"),
    )
    return wanted.join(found, on=["customer_id", "product_id", "price_day"], how="left", maintain_order="left")


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

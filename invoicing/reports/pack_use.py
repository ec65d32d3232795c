"""How packs were used, and whom another pack would have cost less."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from invoicing.prices import with_unit_prices
from rating.money import MICRO_PER_CENT, half_up_div, wide
from rating.packs import EVERY_ZONE, POOL_KEY, pack_contents

if TYPE_CHECKING:
    from rating.periods import Period
    from schemas.platform import Platform

SHARES = 10
CHEAPER_SCHEMA = {
    "customer_id": pl.String, "user_id": pl.String, "product_id": pl.String, "other_id": pl.String,
    "needed_s": pl.Int64, "cost_cents": pl.Int64, "other_cents": pl.Int64, "saved_cents": pl.Int64,
}  # fmt: skip


def packs_by_product(packs_used: pl.DataFrame) -> pl.DataFrame:
    """The packs of a month by product.

    Gives `product_id`, `packs`, `unused`, `used` (in part), `exceeded` (nothing left), `unlimited`, `allowance_s`
    (of the limited ones; null where there is none) and `used_s`.
    """
    limited = pl.col("allowance_s").is_not_null()
    spent = limited & (pl.col("used_s") >= pl.col("allowance_s")) & (pl.col("used_s") > 0)
    unused = pl.col("used_s") == 0
    return (
        packs_used.group_by("product_id")
        .agg(
            packs=pl.len().cast(pl.Int64), unused=unused.sum().cast(pl.Int64),
            used=(~unused & ~spent).sum().cast(pl.Int64), exceeded=spent.sum().cast(pl.Int64),
            unlimited=(~limited).sum().cast(pl.Int64),
            allowance_s=pl.when(limited.any()).then(pl.col("allowance_s").sum()),
            used_s=pl.col("used_s").sum(),
        )
        .sort("product_id")
    )  # fmt: skip


def use_distribution(packs_used: pl.DataFrame) -> pl.DataFrame:
    """How many limited packs of each product were used by how much: `product_id`, `share` (tenths, 0 to 10), `packs`.

    10 is all of it; 0 is from nothing at all to less than a tenth.
    """
    limited = packs_used.filter(pl.col("allowance_s") > 0)
    share = (pl.col("used_s") * SHARES // pl.col("allowance_s")).clip(upper_bound=SHARES)
    counts = limited.group_by("product_id", share=share).agg(packs=pl.len().cast(pl.Int64))
    return counts.sort("product_id", "share")


def cheaper_packs(packs_used: pl.DataFrame, owners: pl.DataFrame, platform: Platform, period: Period) -> pl.DataFrame:
    """The packs in whose place another one of the same scope and zones would have cost less (`CHEAPER_SCHEMA`).

    What a pack cost is its price and what was charged beyond it in its zones. What another would have cost is its
    price and what would have been charged beyond it, at the average that was paid per second; where nothing was, only
    a pack that would have been enough is compared. Prices and contents are those of the first day of the month. Only
    who has one pack is judged: of several it could not be said which one a call would have drawn from.

    Args:
        packs_used: The pools of the month, and what was drawn from them.
        owners: By `customer_id`, `user_id`, `zone_id`: `charged_s`, `amount_cents` out of packs.
        platform: The products, contents and prices.
        period: The month.
    """
    contents = pack_contents(platform, period).filter(pl.col("included_minutes") > 0)
    kinds = platform.products.select("product_id", "kind")
    contents = contents.with_columns(pl.col("zones").list.sort()).join(kinds, on="product_id")
    judged = _only_packs(packs_used)
    held = judged.join(contents, on="product_id").with_row_index("pool")
    beyond = _charged_beyond(held, owners)
    needed = held.join(beyond, on="pool", how="left").with_columns(
        pl.col("charged_s", "amount_cents").fill_null(0)
    ).with_columns(needed_s=pl.col("used_s") + pl.col("charged_s"))  # fmt: skip
    others = contents.select("kind", "scope", "zones", other_id="product_id", other_minutes="included_minutes")
    pairs = needed.join(others, on=["kind", "scope", "zones"]).filter(pl.col("product_id") != pl.col("other_id"))
    return _saving(pairs, platform, period)


def _only_packs(pools: pl.DataFrame) -> pl.DataFrame:
    """The pools of customers who have one pool, or none but one for each user."""
    shared = pl.col("user_id").is_null()
    alone = (pl.len().over("customer_id", "user_id") == 1) & (shared | ~shared.any().over("customer_id"))
    alone &= ~shared | (pl.len().over("customer_id") == 1)
    return pools.filter(alone & (pl.col("allowance_s") > 0))


def _charged_beyond(held: pl.DataFrame, owners: pl.DataFrame) -> pl.DataFrame:
    """What was charged in the zones of each pool: `pool`, `charged_s`, `amount_cents`."""
    zones = held.select("pool", "customer_id", pool_user="user_id", zone="zones").explode("zone")
    paid = owners.with_columns(pl.col("zone_id").alias("zone"))
    every = pl.concat([paid, owners.with_columns(zone=pl.lit(EVERY_ZONE))])
    found = zones.join(every, on=["customer_id", "zone"])
    found = found.filter(pl.col("pool_user").is_null() | (pl.col("pool_user") == pl.col("user_id")))
    return found.group_by("pool").agg(pl.col("charged_s", "amount_cents").sum())


def _saving(pairs: pl.DataFrame, platform: Platform, period: Period) -> pl.DataFrame:
    """The dearest mistake of each pool, where it has one."""
    own, other = (
        with_unit_prices(
            pairs.select("customer_id", product_id=name, price_day=pl.lit(period.first_day)), platform.prices
        )["unit_price_micro"]
        for name in ("product_id", "other_id")
    )
    # The allowance tells the units: both packs would have been held as long.
    other_s = (wide(pl.col("allowance_s")) * pl.col("other_minutes") // pl.col("included_minutes")).cast(pl.Int64)
    full = pl.col("included_minutes") * 60
    beyond_s = (pl.col("needed_s") - pl.col("other_s")).clip(lower_bound=0)
    charged = half_up_div(wide(pl.col("amount_cents")) * pl.col("beyond_s"), pl.max_horizontal("charged_s", pl.lit(1)))
    found = pairs.with_columns(price=own, other_price=other, other_s=other_s).with_columns(beyond_s=beyond_s)
    found = found.filter(
        pl.col("price").is_not_null() & pl.col("other_price").is_not_null()
        & ((pl.col("beyond_s") == 0) | (pl.col("charged_s") > 0))
    )  # fmt: skip
    found = found.with_columns(
        cost_cents=pl.col("amount_cents") + _price_cents("price", full),
        other_cents=charged.cast(pl.Int64) + _price_cents("other_price", full),
    ).with_columns(saved_cents=pl.col("cost_cents") - pl.col("other_cents"))
    best = found.filter(pl.col("saved_cents") > 0).sort(
        "pool", -pl.col("saved_cents"), "other_id"
    ).unique("pool", keep="first", maintain_order=True)  # fmt: skip
    ordered = best.sort(-pl.col("saved_cents"), *POOL_KEY, nulls_last=True)
    return ordered.select(pl.col(name).cast(dtype) for name, dtype in CHEAPER_SCHEMA.items())


def _price_cents(price: str, full_s: pl.Expr) -> pl.Expr:
    """What the units cost for as long as their allowance tells that they were held."""
    return (wide(pl.col(price)) * pl.col("allowance_s") // (full_s * MICRO_PER_CENT)).cast(pl.Int64)

"""Packs: how many seconds a pool has in a period, and which calls draw them.

A *pool* is a pack of a customer (and of a user, where the pack is per user) in one period. Calls draw in the
order of their start. As all calls of a customer see its packs in one order (priority, then product), the
packs can be settled one after the other, each for all calls at once, with a running sum clipped to what the
pool has left.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from rating.money import MICRO, wide
from rating.pricing import SECONDS_PER_MINUTE
from rating.rules import rule
from rating.services import unit_steps
from rating.tariffs import in_force

if TYPE_CHECKING:
    from rating.periods import Period
    from schemas.platform import Platform

EVERY_ZONE = "*"
POOL_KEY = ["customer_id", "user_id", "product_id"]


class Draws(NamedTuple):
    """What calls drew: one row per call and pool (`call_row`, `pool_no`, `drawn_s`, `left_before_s`)."""

    draws: pl.DataFrame
    pack_s: pl.Series


def pack_contents(platform: Platform, period: Period) -> pl.DataFrame:
    """Each pack's content in a period: the version in force on its first day (one row per product)."""
    products = platform.packs.select("product_id").unique().with_columns(day=pl.lit(period.first_day))
    contents = in_force(products, platform.packs, by=["product_id"], day="day")
    return contents.filter(pl.col("effective_from").is_not_null()).select(
        "product_id", "scope", "zones", "included_minutes", "priority"
    )


@rule("R-PACK", article="8.1, 8.2")
def open_pools(
    rows: pl.DataFrame,
    contents: pl.DataFrame,
    billed_users: pl.DataFrame,
    period: Period,
    *,
    missing_users: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """A pack brings minutes for its units: all of the first day's, a share of the month for each later excess.

    The units of a day are the quantities active that day (a user counts 1). On the first day a customer's pool
    has no fewer than the users of that product billed for the period on the invoice before. Each later day on
    which the units exceed the most there were before brings the excess's minutes for the days that are left,
    rounded down to the second. Units that end take nothing away. The users that a contract promises and that
    are missing on the day it starts are paid from that day (R-BASIS), and so are units of a customer's pool on it.

    Args:
        rows: Service rows (`rating.services.service_rows`).
        contents: Of `pack_contents` for the period.
        billed_users: `customer_id`, `product_id`, `quantity_micro` of users billed for this period on the
            invoice of the period before.
        period: Whose allowance it is: one for the whole period, whenever the call.
        missing_users: `customer_id`, `product_id`, `quantity_micro`, `starts_on`: the users that a contract that
            starts within the period promises and that are missing on its first day, if any.

    Returns:
        One row per pool that has a unit in the period: `customer_id`, `user_id` (null for scope customer),
        `product_id`, `zones`, `priority`, `allowance_s` (Int64, null: unlimited), `open_from` (Date).
    """
    held = rows.join(contents, on="product_id")
    held = held.with_columns(user_id=pl.when(pl.col("scope") == "user").then("user_id"))
    shared = contents.filter(pl.col("scope") == "customer").select("product_id")
    billed = billed_users.join(shared, on="product_id", how="semi").select(
        "customer_id", pl.lit(None, pl.String).alias("user_id"), "product_id", billed_micro="quantity_micro"
    )
    if missing_users is not None:
        # One day is enough: it raises the most there were on any day, and nothing that ends takes it away.
        promised = missing_users.join(shared, on="product_id", how="semi").select(
            "customer_id",
            pl.lit(None, pl.String).alias("user_id"),
            "product_id",
            "quantity_micro",
            active_from="starts_on",
            active_to=pl.col("starts_on").dt.offset_by("1d"),
        )
        held = pl.concat([held.select(promised.columns), promised])
    steps = unit_steps(held, first=period.first_day, end=period.next.first_day, by=POOL_KEY)
    opening = billed.with_columns(day=pl.lit(period.first_day), units_micro=pl.lit(0, pl.Int64))
    unheld = opening.join(steps, on=[*POOL_KEY, "day"], how="anti", nulls_equal=True)
    steps = pl.concat([steps, unheld.select(steps.columns)])
    steps = steps.join(billed, on=POOL_KEY, how="left", nulls_equal=True)
    on_first_day = pl.col("day") == period.first_day
    steps = steps.with_columns(
        units_micro=pl.when(on_first_day & (pl.col("billed_micro") > pl.col("units_micro")))
        .then("billed_micro").otherwise("units_micro")
    ).sort(*POOL_KEY, "day")  # fmt: skip
    steps = steps.with_columns(most_before=pl.col("units_micro").cum_max().shift(1).over(POOL_KEY))
    excess = (pl.col("units_micro") - pl.col("most_before").fill_null(0)).clip(lower_bound=0)
    days_left = (pl.lit(period.next.first_day) - pl.col("day")).dt.total_days()
    steps = steps.join(contents.select("product_id", "included_minutes"), on="product_id")
    seconds = wide(excess) * pl.col("included_minutes") * SECONDS_PER_MINUTE * days_left
    steps = steps.with_columns(brought_s=(seconds // (MICRO * period.days)).cast(pl.Int64))
    pools = steps.group_by(POOL_KEY).agg(
        allowance_s=pl.col("brought_s").sum(),
        open_from=pl.col("day").filter(pl.col("units_micro") > 0).min(),
    )
    pools = pools.filter(pl.col("open_from").is_not_null()).join(contents, on="product_id")
    unlimited = pl.col("included_minutes").is_null()
    return pools.select(
        *POOL_KEY, "zones", "priority", "open_from", allowance_s=pl.when(~unlimited).then("allowance_s")
    ).sort(POOL_KEY)


def draw_from_pools(calls: pl.DataFrame, pools: pl.DataFrame, zones: pl.DataFrame) -> Draws:
    """Let calls draw from their pools in the order of start, then `call_id` (R-PACK).

    Args:
        calls: In the order of `customer_id`, `start`, `call_id`; with `owner_user_id`, `period_number`, `day`,
            `zone_no`, `billable_s`, `rate_micro_per_min`, `setup_micro`; a call that costs nothing draws nothing.
        pools: Of `open_pools` with `pool_no` (UInt32), `period_number` and `used_before_s`, what the calls
            invoiced before have drawn; identifiers are of the types that the calls have.
        zones: `zone_no` (its places), `zone_id`, `zone_kind`.

    Returns:
        The draws, and `pack_s` of each call in the order given.
    """
    costs = (pl.col("rate_micro_per_min") > 0) | (pl.col("setup_micro") > 0)
    owners = pools.select("customer_id", "period_number").unique()
    drawing = calls.select(
        "customer_id", "owner_user_id", "period_number", "day", "zone_no", need_s="billable_s", costs=costs
    ).with_row_index("call_row")  # fmt: skip
    drawing = drawing.filter(pl.col("costs") & (pl.col("need_s") > 0)).drop("costs")
    drawing = drawing.join(owners, on=["customer_id", "period_number"], how="semi", maintain_order="left")
    ranked = _with_zone_sets(pools, zones).with_columns(
        rank=pl.struct("priority", "product_id").rank("dense").over("customer_id", "period_number")
    )
    covered = _covered(ranked, zones)
    pack_s = pl.zeros(calls.height, dtype=pl.Int64, eager=True)
    found = [_no_draws()]
    for rank in range(1, (ranked.select(pl.col("rank").max()).item() or 0) + 1):
        drawn = _draw_rank(drawing, ranked.filter(pl.col("rank") == rank), covered)
        found.append(drawn)
        taken = pl.zeros(calls.height, dtype=pl.Int64, eager=True).scatter(drawn["call_row"], drawn["drawn_s"])
        pack_s += taken
        drawing = drawing.with_columns(need_s=drawing["need_s"] - taken.gather(drawing["call_row"]))
        drawing = drawing.filter(pl.col("need_s") > 0)
    # Pools were settled in the order in which one call draws from them, and keep it.
    return Draws(pl.concat(found).sort("call_row", maintain_order=True), pack_s.alias("pack_s"))


def _no_draws() -> pl.DataFrame:
    return pl.DataFrame(
        schema={"call_row": pl.UInt32, "pool_no": pl.UInt32, "drawn_s": pl.Int64, "left_before_s": pl.Int64}
    )


def _with_zone_sets(pools: pl.DataFrame, zones: pl.DataFrame) -> pl.DataFrame:
    """Number the lists of zones that pools have: `set_at` is where a list's row in `_covered` begins."""
    lists = pools.select(pl.col("zones").list.join(";").rank("dense"))
    return pools.with_columns(set_at=(lists.to_series().cast(pl.Int64) - 1) * zones.height)


def _covered(pools: pl.DataFrame, zones: pl.DataFrame) -> pl.Series:
    """Whether a list of zones holds a zone: one boolean for each of both, at `set_at` + `zone_no`."""
    every = pl.col("zones").list.contains(EVERY_ZONE) & (pl.col("zone_kind") != "premium").fill_null(value=True)
    return (
        pools.unique("set_at")
        .join(zones, how="cross")
        .sort("set_at", "zone_no")
        .select(every | pl.col("zones").list.contains(pl.col("zone_id")))
        .to_series()
    )


def _draw_rank(drawing: pl.DataFrame, pools: pl.DataFrame, covered: pl.Series) -> pl.DataFrame:
    """Settle the pools of one rank: at most one pool for each call, calls already in the order of drawing."""
    key = ["customer_id", "period_number"]
    pool = pools.select(*key, "pool_no", "user_id", "set_at", "open_from", "allowance_s", "used_before_s")
    shared = pool.filter(pl.col("user_id").is_null()).drop("user_id")
    personal = pool.filter(pl.col("user_id").is_not_null()).rename({"user_id": "owner_user_id"})
    of_customer = drawing.join(shared, on=key, how="inner", maintain_order="left")
    of_user = drawing.join(personal, on=[*key, "owner_user_id"], how="inner", maintain_order="left")
    matched = pl.concat([of_customer, of_user.select(of_customer.columns)])
    covers = covered.gather(matched["set_at"] + matched["zone_no"])
    matched = matched.filter((pl.col("day") >= pl.col("open_from")) & covers)
    matched = matched.with_columns(
        needed_s=pl.col("need_s").cum_sum().over("pool_no"),
        left_s=(pl.col("allowance_s") - pl.col("used_before_s")).clip(lower_bound=0),
    )
    before_s = pl.col("needed_s") - pl.col("need_s")
    unlimited = pl.col("allowance_s").is_null()
    drawn_s = pl.min_horizontal("needed_s", "left_s") - pl.min_horizontal(before_s, "left_s")
    return matched.select(
        "call_row", "pool_no",
        drawn_s=pl.when(unlimited).then("need_s").otherwise(drawn_s),
        left_before_s=pl.when(~unlimited).then(pl.col("left_s") - pl.min_horizontal(before_s, "left_s")),
    ).filter(pl.col("drawn_s") > 0)  # fmt: skip

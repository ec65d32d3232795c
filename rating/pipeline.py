"""The steps of rating, in order: owner, zone and rate, packs, price. Pure: frames in, frames out."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from rating import ownership, packs, pricing, zones
from rating.periods import Period, local_day, period_number

if TYPE_CHECKING:
    from rating.frames import Schema
    from schemas.platform import Platform
    from schemas.settings import RatingSettings

NO_RATE = "no_rate"
CALL_COLUMNS = [
    "call_id", "start", "direction", "caller", "callee", "duration_s", "user_id", "source_file", "source_line",
]  # fmt: skip
RATED_SCHEMA: Schema = {
    "call_id": pl.String, "customer_id": pl.String, "user_id": pl.String, "start": pl.Datetime("us", "UTC"),
    "day": pl.Date, "period_number": pl.Int32, "direction": pl.String, "caller": pl.String,
    "callee": pl.String, "zone_id": pl.String, "zone_kind": pl.String, "prefix": pl.String,
    "duration_s": pl.Int64, "billable_s": pl.Int64, "pack_s": pl.Int64, "charged_s": pl.Int64,
    "rate_micro_per_min": pl.Int64, "setup_micro": pl.Int64, "first_increment_s": pl.Int64,
    "increment_s": pl.Int64, "amount_cents": pl.Int64, "deck_id": pl.String, "deck_version": pl.Date,
    "through_user": pl.Boolean,
}  # fmt: skip
POOL_SCHEMA: Schema = {
    "customer_id": pl.String, "user_id": pl.String, "product_id": pl.String, "zones": pl.List(pl.String),
    "priority": pl.Int64, "open_from": pl.Date, "allowance_s": pl.Int64, "period_number": pl.Int32,
    "used_before_s": pl.Int64, "pool_no": pl.UInt32,
}  # fmt: skip


class Rated(NamedTuple):
    """What rating makes of calls.

    Attributes:
        calls: Rated calls (`RATED_SCHEMA`), in the order of customer, start and `call_id`.
        unrated: The calls that could not be rated, as they came (`CALL_COLUMNS`), with `reason` and period.
        draws: `call_id`, `product_id`, `drawn_s`, `left_before_s` (null: unlimited), in the order of drawing.
        packs_used: `customer_id`, `user_id`, `product_id`, `period_number`, `allowance_s`, `used_s`, `calls`.
        reports: `rule`, `customer_id`, `calls`: what a person should know (R-SPOOF, R-SUSPENDED).
    """

    calls: pl.DataFrame
    unrated: pl.DataFrame
    draws: pl.DataFrame
    packs_used: pl.DataFrame
    reports: pl.DataFrame


def with_local_days(calls: pl.DataFrame, timezone: str) -> pl.DataFrame:
    """Add `day` (local Date) and `period_number` (202610)."""
    return calls.with_columns(day=local_day(pl.col("start"), timezone)).with_columns(
        period_number=period_number(pl.col("day"))
    )


def match_calls(
    calls: pl.DataFrame, platform: Platform, settings: RatingSettings, first_period: Period
) -> pl.DataFrame:
    """Find each call's owner, deck, zone and rate; `reason` says why one cannot be rated.

    Takes calls with their local days; gives them in their order with what the steps add.
    """
    owned = ownership.find_owners(calls, platform, first_period_number=first_period.number)
    matched = zones.match_zones(zones.with_decks(owned, platform), platform, onnet=settings.onnet)
    no_rate = pl.when(pl.col("zone_id").is_null()).then(pl.lit(NO_RATE))
    free = pricing.free_of_charge(pl.col("zone_kind"))
    return matched.with_columns(
        pl.when(~free).then("rate_micro_per_min").otherwise(0).alias("rate_micro_per_min"),
        pl.when(~free).then("setup_micro").otherwise(0).alias("setup_micro"),
        reason=pl.coalesce("reason", no_rate),
        billable_s=pricing.billable_seconds(pl.col("duration_s"), pl.col("first_increment_s"), pl.col("increment_s")),
    )


def rate_calls(matched: pl.DataFrame, pools: pl.DataFrame, platform: Platform) -> Rated:
    """Price matched calls: packs first, then what is charged.

    Args:
        matched: Of `match_calls`.
        pools: `POOL_SCHEMA`: the pools of the periods and customers of these calls.
        platform: For the suspensions to report.
    """
    unrated = matched.filter(pl.col("reason").is_not_null()).rename({"told_user_id": "user_id"})
    calls = matched.filter(pl.col("reason").is_null())
    drawn = packs.draw_from_pools(calls, pools)
    calls = calls.with_columns(drawn.pack_s)
    calls = calls.with_columns(charged_s=pl.col("billable_s") - pl.col("pack_s"))
    calls = calls.with_columns(
        amount_cents=pricing.call_amount_cents(pl.col("charged_s"), pl.col("rate_micro_per_min"), pl.col("setup_micro"))
    )
    ids = calls.select(call_row=pl.int_range(pl.len(), dtype=pl.UInt32), call_id="call_id")
    draws = drawn.draws.join(ids, on="call_row", how="left", maintain_order="left").join(
        pools.select("pool_no", "product_id"), on="pool_no", how="left", maintain_order="left"
    )
    used = drawn.draws.group_by("pool_no").agg(used_s=pl.col("drawn_s").sum(), calls=pl.len().cast(pl.Int64))
    packs_used = pools.join(used, on="pool_no", how="left").select(
        "customer_id", "user_id", "product_id", "period_number", "allowance_s",
        pl.col("used_s").fill_null(0), pl.col("calls").fill_null(0),
    )  # fmt: skip
    rated = calls.rename({"owner_user_id": "user_id"}).select(RATED_SCHEMA.keys())
    return Rated(
        calls=rated.sort("customer_id", "start", "call_id"),
        unrated=unrated.select(*CALL_COLUMNS, "period_number", "reason").sort("call_id"),
        draws=draws.select("call_id", "product_id", "drawn_s", "left_before_s"),
        packs_used=packs_used.sort("customer_id", "user_id", "product_id", "period_number"),
        reports=_reports(matched, platform),
    )


def _reports(matched: pl.DataFrame, platform: Platform) -> pl.DataFrame:
    """Count, by rule and customer, the calls that are rated and reported."""
    rated = matched.filter(pl.col("reason").is_null())
    found = [
        calls.select(rule=pl.lit(rule_id), customer_id="customer_id")
        for rule_id, calls in (
            ("R-SPOOF", ownership.spoofed(rated)),
            ("R-SUSPENDED", ownership.while_suspended(rated, platform.suspensions)),
        )
    ]
    return pl.concat(found).group_by("rule", "customer_id").agg(calls=pl.len().cast(pl.Int64)).sort(
        "rule", "customer_id"
    )  # fmt: skip

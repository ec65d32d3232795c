"""The steps of rating, in order: owner, zone and rate, packs, price. Pure: frames in, frames out.

Calls come as the store keeps them (`CALL_SCHEMA`), in blocks of any size. `match_calls` judges each call for
itself; `rate_calls` takes whole customers, because a pack is drawn call by call. In between the calls may be
divided among as many frames as memory asks for, as long as no customer is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from rating import ownership, packs, pricing, zones
from rating.coding import DIRECTION, Coded
from rating.frames import compact
from rating.money import LARGEST_INT64
from rating.number_keys import number_text
from rating.periods import Period, local_days, period_number

if TYPE_CHECKING:
    from rating.frames import Schema
    from schemas.settings import RatingSettings

NO_RATE = "no_rate"
KEY_SPAN = 2**20
CALL_SCHEMA: Schema = {
    "call_id": pl.String, "start": pl.Datetime("us", "UTC"), "direction": DIRECTION, "caller": pl.Int64,
    "callee": pl.Int64, "duration_s": pl.Int64, "user_id": pl.String, "file_no": pl.Int32, "source_line": pl.Int64,
}  # fmt: skip
CALL_COLUMNS = list(CALL_SCHEMA)
UNRATED_SCHEMA: Schema = {**CALL_SCHEMA, "period_number": pl.Int32, "reason": pl.String}
MATCHED_COLUMNS = [
    "call_id", "start", "direction", "caller", "callee", "duration_s", "customer_id", "owner_user_id",
    "through_user", "day", "period_number", "rate_no",
]  # fmt: skip
PRICE_SCHEMA: Schema = {
    "deck_id": pl.String, "deck_version": pl.Date, "prefix": pl.String, "zone_id": pl.String, "zone_kind": pl.String,
    "rate_micro_per_min": pl.Int64, "setup_micro": pl.Int64, "first_increment_s": pl.Int64, "increment_s": pl.Int64,
}  # fmt: skip
RATED_SCHEMA: Schema = {
    "call_id": pl.String, "customer_id": pl.String, "user_id": pl.String, "start": pl.Datetime("us", "UTC"),
    "day": pl.Date, "period_number": pl.Int32, "direction": pl.String, "caller": pl.String,
    "callee": pl.String, "zone_id": pl.String, "zone_kind": pl.String, "prefix": pl.String,
    "duration_s": pl.Int64, "billable_s": pl.Int64, "pack_s": pl.Int64, "charged_s": pl.Int64,
    "rate_micro_per_min": pl.Int64, "setup_micro": pl.Int64, "first_increment_s": pl.Int64,
    "increment_s": pl.Int64, "amount_cents": pl.Int64, "deck_id": pl.String, "deck_version": pl.Date,
    "through_user": pl.Boolean, "pool_no": pl.UInt32, "left_before_s": pl.Int64,
}  # fmt: skip
POOL_SCHEMA: Schema = {
    "customer_id": pl.String, "user_id": pl.String, "product_id": pl.String, "zones": pl.List(pl.String),
    "priority": pl.Int64, "open_from": pl.Date, "allowance_s": pl.Int64, "period_number": pl.Int32,
    "used_before_s": pl.Int64, "pool_no": pl.UInt32,
}  # fmt: skip
USED_SCHEMA: Schema = {"pool_no": pl.UInt32, "used_s": pl.Int64, "calls": pl.Int64}
DRAW_SCHEMA: Schema = {
    "call_id": pl.String, "pool_no": pl.UInt32, "drawn_s": pl.Int64, "left_before_s": pl.Int64,
}  # fmt: skip
TRAFFIC_SCHEMA: Schema = {
    "customer_id": pl.String, "period_number": pl.Int32, "zone_id": pl.String, "zone_kind": pl.String,
    "calls": pl.Int64, "charged_s": pl.Int64, "amount_cents": pl.Int64,
}  # fmt: skip


class Rated(NamedTuple):
    """What rating makes of the calls of some customers.

    Attributes:
        calls: In the order of customer, start and `call_id`: the columns of `MATCHED_COLUMNS` and `billable_s`,
            `pack_s`, `amount_cents`, and of the first pool drawn from `pool_no` and `left_before_s` (null:
            unlimited). `with_prices` gives them as people read them.
        draws: Of the calls that drew from several pools, each draw (`DRAW_SCHEMA`), in the order of drawing.
        used: What was drawn from each pool (`USED_SCHEMA`).
        traffic: What the calls sum up to, by customer, period and zone (`TRAFFIC_SCHEMA`).
    """

    calls: pl.DataFrame
    draws: pl.DataFrame
    used: pl.DataFrame
    traffic: pl.DataFrame


class Matched(NamedTuple):
    """What matching makes of a block of calls.

    Attributes:
        calls: Those that can be rated (`MATCHED_COLUMNS`), in their order; identifiers are coded.
        unrated: Those that cannot, as they came, with their period and the reason (`UNRATED_SCHEMA`).
        reports: `rule`, `customer_id`, `calls`: what a person should know (R-SPOOF, R-SUSPENDED).
    """

    calls: pl.DataFrame
    unrated: pl.DataFrame
    reports: pl.DataFrame


def with_local_days(calls: pl.DataFrame, timezone: str) -> pl.DataFrame:
    """Add `day` (local Date) and `period_number` (202610)."""
    return calls.with_columns(day=local_days(calls["start"], timezone)).with_columns(
        period_number=period_number(pl.col("day"))
    )


def match_calls(calls: pl.DataFrame, coded: Coded, settings: RatingSettings, first_period: Period) -> Matched:
    """Find the owner, deck, zone and rate of each call (`CALL_SCHEMA`); a reason says why one cannot be rated."""
    dated = with_local_days(calls, settings.timezone).with_columns(outgoing=pl.col("direction") == "outgoing")
    owned = ownership.find_owners(dated, coded, first_period_number=first_period.number)
    rate_no = zones.match_zones(owned, coded.tariffs, coded.numbers, onnet=settings.onnet)
    no_rate = pl.when(pl.col("rate_no").is_null()).then(pl.lit(NO_RATE))
    judged = owned.with_columns(rate_no).with_columns(reason=pl.coalesce("reason", no_rate))
    rated = judged.filter(pl.col("reason").is_null())
    unrated = judged.filter(pl.col("reason").is_not_null())
    return Matched(
        rated.select(MATCHED_COLUMNS), compact(unrated.select(UNRATED_SCHEMA.keys())), _reports(rated, coded)
    )


def _reports(rated: pl.DataFrame, coded: Coded) -> pl.DataFrame:
    """Count, by rule and customer, the calls that are rated and reported."""
    kinds = coded.tariffs.prices["zone_kind"]
    suspended = rated.join(coded.suspensions.rows, on="customer_id", how="semi")
    found = [
        calls.select(rule=pl.lit(rule_id), customer_id=pl.col("customer_id").cast(pl.String))
        for rule_id, calls in (
            ("R-SPOOF", ownership.spoofed(rated)),
            (
                "R-SUSPENDED",
                ownership.while_suspended(
                    suspended.with_columns(zone_kind=kinds.gather(suspended["rate_no"])), coded.suspensions
                ),
            ),
        )
    ]
    return pl.concat(found).group_by("rule", "customer_id").agg(calls=pl.len().cast(pl.Int64))


def rate_calls(matched: pl.DataFrame, pools: pl.DataFrame, prices: pl.DataFrame) -> Rated:
    """Price the matched calls of whole customers: packs first, then what is charged.

    Args:
        matched: `Matched.calls`, in any order.
        pools: `POOL_SCHEMA`: the pools of the periods and customers of these calls, or more.
        prices: Of `rating.zones.price_list`.
    """
    figures = ["rate_micro_per_min", "setup_micro", "first_increment_s", "increment_s"]
    zone_list = _zones_of(prices)
    order = _drawing_order(matched)
    calls = pl.DataFrame([column.gather(order) for column in matched])
    del matched  # millions of calls: their memory is needed for what follows
    calls = calls.with_columns(
        *(prices[name].gather(calls["rate_no"]) for name in figures), zone_list.place.gather(calls["rate_no"])
    )
    calls = calls.with_columns(
        billable_s=pricing.billable_seconds(pl.col("duration_s"), pl.col("first_increment_s"), pl.col("increment_s"))
    )
    drawn = packs.draw_from_pools(calls, _of_customers(pools, calls), zone_list.zones)
    calls = calls.with_columns(drawn.pack_s).with_columns(charged_s=pl.col("billable_s") - pl.col("pack_s"))
    calls = calls.with_columns(
        amount_cents=pricing.call_amount_cents(
            pl.col("charged_s"), pl.col("rate_micro_per_min"), pl.col("setup_micro")
        ),
        **_first_draws(drawn.draws, calls.height),
    )
    used = drawn.draws.group_by("pool_no").agg(used_s=pl.col("drawn_s").sum(), calls=pl.len().cast(pl.Int64))
    return Rated(
        calls=calls.drop(*figures, "zone_no", "charged_s"),
        draws=_several_draws(drawn.draws, calls["call_id"]),
        used=used,
        traffic=_traffic(calls, zone_list.zones),
    )


def _drawing_order(calls: pl.DataFrame) -> pl.Series:
    """The rows in the order of customer, start and `call_id`.

    Customer and start make one integer; texts are looked at only where that is the same.
    """
    code, start = calls["customer_id"].to_physical().cast(pl.Int64), calls["start"].to_physical()
    first, last = int(str(start.min() or 0)), int(str(start.max() or 0))
    span = last - first + 1
    if int(str(code.max() or 0)) * span + span > LARGEST_INT64:
        return calls.select(pl.arg_sort_by("customer_id", "start", "call_id")).to_series()
    key = code * span + (start - first)
    order = key.arg_sort()
    keys = key.gather(order)
    tied = ((keys == keys.shift(1)) | (keys == keys.shift(-1))).fill_null(value=False)
    rows = order.filter(tied)
    settled = pl.DataFrame({"key": keys.filter(tied), "call_id": calls["call_id"].gather(rows), "row": rows})
    return order.scatter(tied.arg_true(), settled.sort("key", "call_id")["row"])


class _Zones(NamedTuple):
    """The zones of a price list (`zone_no`, `zone_id`, `zone_kind`), and the `zone_no` of each price."""

    zones: pl.DataFrame
    place: pl.Series


def _zones_of(prices: pl.DataFrame) -> _Zones:
    zone_list = prices.select("zone_id", "zone_kind").unique().sort("zone_id", "zone_kind").with_row_index("zone_no")
    place = prices.select("zone_id", "zone_kind").join(
        zone_list, on=["zone_id", "zone_kind"], how="left", maintain_order="left", nulls_equal=True
    )
    return _Zones(zone_list, place["zone_no"])


def _of_customers(pools: pl.DataFrame, calls: pl.DataFrame) -> pl.DataFrame:
    """The pools of these customers, with the identifiers coded as in the calls."""
    coded = pools.with_columns(
        pl.col("customer_id").cast(calls.schema["customer_id"]), pl.col("user_id").cast(calls.schema["owner_user_id"])
    )
    return coded.join(calls.select(pl.col("customer_id").unique()), on="customer_id", how="semi", maintain_order="left")


def _first_draws(draws: pl.DataFrame, height: int) -> dict[str, pl.Series]:
    """Of each call the first pool that it drew from, and what that had left before; null where it drew nothing."""
    first = draws.filter(pl.col("call_row").is_first_distinct())
    return {
        name: pl.repeat(None, height, dtype=first.schema[name], eager=True).scatter(first["call_row"], first[name])
        for name in ("pool_no", "left_before_s")
    }


def _several_draws(draws: pl.DataFrame, call_ids: pl.Series) -> pl.DataFrame:
    several = draws.filter(pl.col("call_row").is_duplicated())
    return compact(several.with_columns(call_id=call_ids.gather(several["call_row"])).select(DRAW_SCHEMA.keys()))


def _traffic(calls: pl.DataFrame, zone_list: pl.DataFrame) -> pl.DataFrame:
    """The sums of the calls by customer, period and zone, in their order."""
    # One integer for the three, in the same order: period and zone stay below the span.
    customer = pl.col("customer_id").to_physical().cast(pl.Int64)
    key = (customer * KEY_SPAN + pl.col("period_number")) * KEY_SPAN + pl.col("zone_no")
    sums = (
        calls.group_by(key=key)
        .agg(
            pl.col("customer_id", "period_number", "zone_no").first(),
            calls=pl.len().cast(pl.Int64),
            charged_s=pl.col("charged_s").sum(),
            amount_cents=pl.col("amount_cents").sum(),
        )
        .sort("key")
    )
    zone = sums["zone_no"]
    named = sums.with_columns(
        pl.col("customer_id").cast(pl.String), *(zone_list[name].gather(zone) for name in ("zone_id", "zone_kind"))
    )
    return named.select(TRAFFIC_SCHEMA.keys())


def with_prices(calls: pl.DataFrame, prices: pl.DataFrame) -> pl.DataFrame:
    """Rated calls as people read them (`RATED_SCHEMA`), with the prices that their `rate_no` stands for."""
    found = calls.rename({"owner_user_id": "user_id"}).with_columns(
        *(prices[name].gather(calls["rate_no"]) for name in PRICE_SCHEMA),
        caller=number_text(pl.col("caller")),
        callee=number_text(pl.col("callee")),
        charged_s=pl.col("billable_s") - pl.col("pack_s"),
    )
    return found.select(pl.col(name).cast(dtype) for name, dtype in RATED_SCHEMA.items())


def draws_of(calls: pl.DataFrame, several: pl.DataFrame, pools: pl.DataFrame) -> pl.DataFrame:
    """What rated calls drew from their pools: `call_id`, `product_id`, `drawn_s`, `left_before_s`.

    In the order of the calls and, of one call, of drawing.

    Args:
        calls: `call_id`, `pack_s`, `pool_no`, `left_before_s`.
        several: `Rated.draws` of these calls, or of more.
        pools: `pool_no` and `product_id`.
    """
    drew = calls.filter(pl.col("pool_no").is_not_null()).with_row_index("order")
    one = drew.join(several, on="call_id", how="anti").select(
        "order", "call_id", "pool_no", "left_before_s", drawn_s="pack_s"
    )
    more = several.join(drew.select("order", "call_id"), on="call_id", maintain_order="left").select(one.columns)
    draws = pl.concat([one, more]).sort("order", maintain_order=True)
    named = draws.join(pools.select("pool_no", "product_id"), on="pool_no", how="left", maintain_order="left")
    return named.select("call_id", "product_id", "drawn_s", "left_before_s")


def packs_used(pools: pl.DataFrame, used: pl.DataFrame) -> pl.DataFrame:
    """The pools with what the calls of one rating drew from them: all of them, used or not.

    Takes pools (`POOL_SCHEMA`) and `Rated.used` of all calls; gives `customer_id`, `user_id`, `product_id`,
    `period_number`, `allowance_s`, `used_s`, `calls`, `pool_no`.
    """
    return pools.join(used, on="pool_no", how="left").select(
        "customer_id", "user_id", "product_id", "period_number", "allowance_s",
        pl.col("used_s").fill_null(0), pl.col("calls").fill_null(0), "pool_no",
    ).sort("customer_id", "user_id", "product_id", "period_number")  # fmt: skip

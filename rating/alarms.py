"""Alarms about calls: what one call, or the calls of one user in a day, may come to before a person looks.

They are judged while a bucket of customers is rated. Only the calls of customers and zones that together pass a bound
are looked at, and those sums are there anyway; of these the days are summed by one integer, and only of the days that
pass the bound it is asked whose calls they are. So a month without alarms costs next to nothing more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from rating.number_keys import number_text
from schemas.settings import OFF

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rating.frames import Schema
    from rating.pipeline import Rated
    from schemas.settings import Bounds

LONG_CALL, DAY_SPEND, NIGHT_SPEND = "long_call", "day_spend", "night_spend"
# `measured` is above the bound: seconds of a long call, else cents. The number stands for a user where there is none.
CALL_ALARM_SCHEMA: Schema = {
    "bound": pl.String, "customer_id": pl.String, "user_id": pl.String, "number": pl.String, "zone_id": pl.String,
    "day": pl.Date, "call_id": pl.String, "calls": pl.Int64, "measured": pl.Int64,
}  # fmt: skip
FRAUD_KINDS = ["premium", "international"]
# Of the clock of the place: from this hour on, until before that one, and Saturdays and Sundays.
NIGHT_FROM, NIGHT_UNTIL = 22, 6
FRIDAY = 5
SPENDER = ["customer_id", "owner_user_id", "number_key"]
# The groups of zones and the days since 1970 stay below it.
KEY_SPAN = 1 << 20


def no_call_alarms() -> pl.DataFrame:
    """No alarm (`CALL_ALARM_SCHEMA`)."""
    return pl.DataFrame(schema=CALL_ALARM_SCHEMA)


def call_alarms(rated: Rated, prices: pl.DataFrame, bounds: Bounds, timezone: str) -> pl.DataFrame:
    """The alarms of rated calls (`CALL_ALARM_SCHEMA`), in the order of their columns.

    Args:
        rated: The calls of whole customers.
        prices: Of `rating.zones.price_list`.
        bounds: The bounds; one that is off gives no alarm.
        timezone: Whose clock says what is night.
    """
    found = [no_call_alarms()]
    if bounds.long_call != OFF:
        found.append(long_calls(rated, prices, bounds.longest_call_s))
    if bounds.day_spend != OFF:
        found.append(day_spends(rated, prices, bounds.day_spend_cents))
    if bounds.night_spend != OFF:
        found.append(night_spends(rated, prices, bounds.night_spend_cents, timezone))
    return sorted_alarms(pl.concat(found))


def sorted_alarms(alarms: pl.DataFrame) -> pl.DataFrame:
    """In the order of their columns, whoever found them first."""
    return alarms.sort(CALL_ALARM_SCHEMA.keys(), nulls_last=True)


def long_calls(rated: Rated, prices: pl.DataFrame, longest_s: int) -> pl.DataFrame:
    """Calls that last longer and cost something: an amount, or seconds of a pack; the others hurt nobody."""
    costs = (pl.col("amount_cents") > 0) | (pl.col("pack_s") > 0)
    found = _with_zones(rated.calls.filter((pl.col("duration_s") > longest_s) & costs), prices)
    named = found.with_columns(_spender_number())
    return _alarms(named, LONG_CALL, call_id="call_id", calls=pl.lit(1), measured="duration_s")


def day_spends(rated: Rated, prices: pl.DataFrame, most_cents: int) -> pl.DataFrame:
    """Users whose outgoing calls of one local day to one zone cost more: what toll fraud looks like.

    A number without a user is one by itself. The calls that one run invoices are looked at: those of the day that
    came late are another run's.
    """
    zones = pl.Enum(prices["zone_id"].unique().sort())
    spent = _of_days_beyond(rated, prices, pl.col("zone_id").cast(zones).to_physical(), most_cents)
    return _spends(spent, DAY_SPEND, ["zone_id"], most_cents)


def night_spends(rated: Rated, prices: pl.DataFrame, most_cents: int, timezone: str) -> pl.DataFrame:
    """Users whose premium and international calls of one local day cost more in the night and at a weekend.

    Nobody is there then to notice a stolen password. Night is from 22:00 to 06:00; what is spent in the first and
    in the last hours of a day counts together.
    """
    to_fear = pl.when(pl.col("zone_kind").is_in(FRAUD_KINDS)).then(pl.lit(0))
    spent = _of_days_beyond(rated, prices, to_fear, most_cents)
    hour = pl.col("start").dt.convert_time_zone(timezone).dt.hour()
    at_night = ~hour.is_between(NIGHT_UNTIL, NIGHT_FROM - 1) | (pl.col("day").dt.weekday() > FRIDAY)
    return _spends(spent.filter(at_night), NIGHT_SPEND, [], most_cents)


def _of_days_beyond(rated: Rated, prices: pl.DataFrame, group: pl.Expr, most_cents: int) -> pl.DataFrame:
    """The outgoing calls, with their zones, of the days on which those of a customer and group cost more together.

    `group` is the number of the group of a zone, of `zone_id` and `zone_kind`; null where it is in none.
    """
    calls, cents = rated.calls, pl.col("amount_cents")
    customer = pl.col("customer_id").cast(calls.schema["customer_id"]).to_physical().cast(pl.Int64)
    sums = rated.traffic.group_by(pair=customer * KEY_SPAN + group).agg(cents.sum())
    pairs = sums.filter(cents > most_cents)["pair"].drop_nulls()
    if pairs.is_empty():
        return _with_zones(calls.clear(), prices)
    of_price = prices.select(group.cast(pl.Int64).alias("group"))["group"]
    pair = customer * KEY_SPAN + of_price.gather(calls["rate_no"])
    spends = pair.is_in(pairs.implode()) & (cents > 0) & (pl.col("direction") == "outgoing")
    key = pl.when(spends).then(pair * KEY_SPAN + pl.col("day").to_physical())
    keyed = calls.select(cents, key=key, row=pl.int_range(pl.len(), dtype=pl.UInt32)).drop_nulls("key")
    beyond = keyed.group_by("key").agg(cents.sum()).filter(cents > most_cents)["key"]
    return _with_zones(calls[keyed.filter(pl.col("key").is_in(beyond.implode()))["row"]], prices)


def _with_zones(calls: pl.DataFrame, prices: pl.DataFrame) -> pl.DataFrame:
    return calls.with_columns(
        prices[name].cast(pl.String).gather(calls["rate_no"]).alias(name) for name in ("zone_id", "zone_kind")
    )


def _spender_number() -> pl.Expr:
    """The own number of a call whose user is not known."""
    own = pl.when(pl.col("direction") == "outgoing").then("caller").otherwise("callee")
    return pl.when(pl.col("owner_user_id").is_null()).then(own).alias("number_key")


def _spends(spent: pl.DataFrame, bound: str, more: Sequence[str], most_cents: int) -> pl.DataFrame:
    of_day = spent.with_columns(_spender_number()).group_by(*SPENDER, *more, "day")
    sums = of_day.agg(calls=pl.len(), measured=pl.col("amount_cents").sum())
    return _alarms(sums.filter(pl.col("measured") > most_cents), bound, calls="calls", measured="measured")


def _alarms(found: pl.DataFrame, bound: str, **columns: str | pl.Expr) -> pl.DataFrame:
    named = found.with_columns(
        bound=pl.lit(bound), user_id="owner_user_id", number=number_text(pl.col("number_key")),
        **{name: pl.col(column) if isinstance(column, str) else column for name, column in columns.items()},
    )  # fmt: skip
    return named.select(
        (pl.col(name) if name in named.columns else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in CALL_ALARM_SCHEMA.items()
    )

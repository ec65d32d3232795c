"""The calls of a month in two small tables: when they were placed, and what each user paid out of packs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from invoicing.parquet_files import read_parquet
from rating.packs import POOL_KEY
from rating.periods import local_day

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

    from rating.periods import Period

# Clocks differ from UTC by whole quarters of an hour, so a quarter is of one local hour.
QUARTER_US = 15 * 60 * 1_000_000
HOUR_SCHEMA = {
    "day": pl.Date, "hour": pl.Int8, "calls": pl.Int64, "duration_s": pl.Int64, "amount_cents": pl.Int64,
}  # fmt: skip
OWNER_SCHEMA = {
    "customer_id": pl.String, "user_id": pl.String, "zone_id": pl.String, "charged_s": pl.Int64,
    "amount_cents": pl.Int64,
}  # fmt: skip
DRAW_DAY_SCHEMA = {"pool_no": pl.Int64, "day": pl.Date}
DRAWN_SCHEMA = {**dict.fromkeys(POOL_KEY, pl.String), "day": pl.Date}
SUMS = ("duration_s", "amount_cents")
_COLUMNS = [
    "start", "duration_s", "amount_cents", "period_number", "customer_id", "owner_user_id", "rate_no", "billable_s",
    "pack_s", "pool_no", "day",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class RatedShare:
    """Rated calls of a month that one rating made: that of its run, or a correction.

    Attributes:
        paths: The files of its calls.
        prices: What each `rate_no` stands for.
        draws: The draws of calls that drew from several packs (`DRAW_SCHEMA`).
        pools: Its pools: `pool_no`, `POOL_KEY`, `period_number`.
        without: The call_ids of calls that another share has.
        not_of: Customers all of whose calls others have.
    """

    paths: Collection[Path]
    prices: pl.DataFrame
    draws: pl.DataFrame
    pools: pl.DataFrame
    without: pl.Series
    not_of: Collection[str] = ()

    def calls(self, path: Path) -> pl.DataFrame:
        """The calls of one of its files."""
        is_named = not (self.draws.is_empty() and self.without.is_empty())
        calls = read_parquet(path, columns=[*_COLUMNS, *(["call_id"] if is_named else [])])
        if self.not_of:
            calls = calls.filter(~pl.col("customer_id").cast(pl.String).is_in(list(self.not_of)))
        return calls if self.without.is_empty() else calls.filter(~pl.col("call_id").is_in(self.without.implode()))


class SummedCalls(NamedTuple):
    """What the rated calls of a month sum up to.

    Attributes:
        hours: By local day and hour, of the calls of the month itself (`HOUR_SCHEMA`).
        late: The same sums of the calls of earlier months: one row, without day and hour.
        owners: By customer, user and zone, what was charged out of packs, of the month itself (`OWNER_SCHEMA`).
        drawn: By pool of the month the last `day` on which a call drew from it (`DRAWN_SCHEMA`).
    """

    hours: pl.DataFrame
    late: pl.DataFrame
    owners: pl.DataFrame
    drawn: pl.DataFrame


def summed_calls(shares: Iterable[RatedShare], timezone: str, period: Period) -> SummedCalls:
    """Sum up the rated calls of a month, file by file and by columns alone.

    Args:
        shares: Its rated calls, each in one of them.
        timezone: Whose days and hours they are.
        period: The month; calls of earlier ones are summed apart.
    """
    quarters, late = [_by_quarter(_no_calls())], [_totals(_no_calls())]
    owners, drawn = [pl.DataFrame(schema=OWNER_SCHEMA)], [pl.DataFrame(schema=DRAWN_SCHEMA)]
    own = pl.col("period_number") == period.number
    for share in shares:
        zones = pl.DataFrame({"zone_id": share.prices["zone_id"].cast(pl.String)}).with_row_index("rate_no")
        draw_days = [pl.DataFrame(schema=DRAW_DAY_SCHEMA)]
        for path in share.paths:
            calls = share.calls(path)
            here = calls.filter(own)
            late.append(_totals(calls.filter(~own)))
            quarters.append(_by_quarter(here))
            owners.append(_by_owner(here, zones))
            draw_days.append(_last_draws(here, share.draws))
        drawn.append(_by_pool(pl.concat(draw_days), share.pools.filter(own)))
    by_owner = pl.concat(owners).group_by("customer_id", "user_id", "zone_id")
    return SummedCalls(
        _by_hour(pl.concat(quarters), timezone),
        pl.concat(late).sum(),
        by_owner.agg(pl.col("charged_s", "amount_cents").sum()).sort("customer_id", "user_id", "zone_id"),
        pl.concat(drawn).group_by(POOL_KEY).agg(pl.col("day").max()).sort(POOL_KEY),
    )


def _no_calls() -> pl.DataFrame:
    schema = dict.fromkeys(_COLUMNS, pl.Int64) | {"start": pl.Datetime("us", "UTC")}
    return pl.DataFrame(schema=schema)


def _totals(calls: pl.DataFrame) -> pl.DataFrame:
    return calls.select(pl.len().cast(pl.Int64).alias("calls"), *(pl.col(name).sum() for name in SUMS))


def _by_quarter(calls: pl.DataFrame) -> pl.DataFrame:
    quarter = pl.col("start").to_physical() // QUARTER_US
    summed = calls.group_by(quarter=quarter)
    return summed.agg(pl.len().cast(pl.Int64).alias("calls"), *(pl.col(name).sum() for name in SUMS))


def _last_draws(calls: pl.DataFrame, draws: pl.DataFrame) -> pl.DataFrame:
    """The last day of each pool among these calls; of a call that drew from several, every pool."""
    first = calls.filter(pl.col("pool_no").is_not_null()).select("pool_no", "day")
    found = [first]
    if not draws.is_empty():
        found.append(calls.select("call_id", "day").join(draws, on="call_id").select("pool_no", "day"))
    last = pl.concat(found).group_by("pool_no").agg(pl.col("day").max())
    return last.select(pl.col(name).cast(dtype) for name, dtype in DRAW_DAY_SCHEMA.items())


def _by_pool(draw_days: pl.DataFrame, pools: pl.DataFrame) -> pl.DataFrame:
    """The last day of each pool by what it is known by, whichever rating drew from it."""
    last = draw_days.group_by("pool_no").agg(pl.col("day").max())
    named = last.join(pools.with_columns(pl.col("pool_no").cast(pl.Int64)), on="pool_no")
    return named.select(pl.col(name).cast(dtype) for name, dtype in DRAWN_SCHEMA.items())


def _by_owner(calls: pl.DataFrame, zones: pl.DataFrame) -> pl.DataFrame:
    """What was charged, by customer, user and zone; free calls and those that packs paid for are none of it."""
    charged = calls.filter(pl.col("amount_cents") > 0)
    by_rate = charged.group_by("customer_id", "owner_user_id", "rate_no").agg(
        charged_s=(pl.col("billable_s") - pl.col("pack_s")).sum(), amount_cents=pl.col("amount_cents").sum()
    )
    named = by_rate.with_columns(pl.col("rate_no").cast(pl.UInt32)).join(zones, on="rate_no", how="left")
    summed = named.group_by("customer_id", "owner_user_id", "zone_id").agg(pl.col("charged_s", "amount_cents").sum())
    renamed = summed.rename({"owner_user_id": "user_id"})
    return renamed.select(pl.col(name).cast(dtype) for name, dtype in OWNER_SCHEMA.items())


def _by_hour(quarters: pl.DataFrame, timezone: str) -> pl.DataFrame:
    start = (pl.col("quarter") * QUARTER_US).cast(pl.Datetime("us", "UTC"))
    placed = quarters.with_columns(start=start).with_columns(
        day=local_day(pl.col("start"), timezone), hour=pl.col("start").dt.convert_time_zone(timezone).dt.hour()
    )
    summed = placed.group_by("day", "hour").agg(pl.col("calls", *SUMS).sum()).sort("day", "hour")
    return summed.select(pl.col(name).cast(dtype) for name, dtype in HOUR_SCHEMA.items())

"""What all competitors share: where they read and write, what they assume, and the pools' allowances.

Allowances are a small table (R-PACK: units times minutes, a share of the month for what is taken within it);
each competitor is charged the time it takes, none is asked to write it in its own tongue.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl

FUTURE_AFTER = datetime(2026, 11, 2, 10, tzinfo=UTC) + timedelta(hours=24)
# The local month in UTC, which ends an hour later than it began, and the day on which the clocks go back.
MONTH_STARTS, MONTH_ENDS = datetime(2026, 9, 30, 22, tzinfo=UTC), datetime(2026, 10, 31, 23, tzinfo=UTC)
WINTER_STARTS = datetime(2026, 10, 25, 1, tzinfo=UTC)
FIRST_DAY, END_DAY = date(2026, 10, 1), date(2026, 11, 1)
TOTALS = ["customer_id", "zone_id", "calls", "pack_s", "amount_cents"]


@dataclass(frozen=True, slots=True)
class Task:
    """What a competitor is asked: the month's platform and records in, rated calls and their totals out."""

    platform: Path
    cdrs: list[Path]
    out: Path

    def table(self, name: str) -> Path:
        """A platform table's file."""
        return self.platform / f"{name}.csv"


def task_given() -> Task:
    """The task as the command line tells it: PLATFORM CDRS OUT."""
    platform, cdrs, out = map(Path, sys.argv[1:4])
    out.mkdir(parents=True, exist_ok=True)
    return Task(platform, sorted(cdrs.iterdir()), out)


def pools(task: Task) -> pl.DataFrame:
    """The pools of the month.

    Returns:
        `customer_id`, `user_id` (null where all users share), `product_id`, `priority`, `zones` (list), `open_from`
        (Date) and `allowance_s` (Int64, null where unlimited).
    """
    days = dict.fromkeys(("active_from", "active_to", "starts_on", "ends_on"), pl.Date)
    names = ("packs", "contracts", "users", "subscriptions")
    read = {name: pl.read_csv(task.table(name), schema_overrides=days | {"user_id": pl.String}) for name in names}
    users = read["users"].with_columns(quantity=pl.lit(1, pl.Int64))
    columns = ["customer_id", "user_id", "product_id", "quantity", "active_from", "active_to"]
    units = (
        pl.concat([users.select(columns), read["subscriptions"].select(columns)])
        .join(read["packs"].drop("effective_from", "notified_on"), on="product_id")
        .join(read["contracts"].select("customer_id", "starts_on", "ends_on"), on="customer_id")
        .with_columns(
            user_id=pl.when(pl.col("scope") == "user").then("user_id"),
            first=pl.max_horizontal("active_from", "starts_on", pl.lit(FIRST_DAY)),
            end=pl.min_horizontal("active_to", "ends_on", pl.lit(END_DAY)),
        )
        .filter(pl.col("first") < pl.col("end"))
    )
    key = ["customer_id", "user_id", "product_id", "priority", "zones", "included_minutes"]
    days_left = (pl.lit(END_DAY) - pl.col("first")).dt.total_days()
    by_day = units.group_by(*key, "first").agg(pl.col("quantity").sum())
    brought = by_day.with_columns(
        brought_s=pl.col("quantity") * pl.col("included_minutes") * 60 * days_left // (END_DAY - FIRST_DAY).days
    )
    found = brought.group_by(key).agg(open_from=pl.col("first").min(), allowance_s=pl.col("brought_s").sum())
    return found.select(
        "customer_id",
        "user_id",
        "product_id",
        "priority",
        pl.col("zones").str.split(";"),
        "open_from",
        allowance_s=pl.when(pl.col("included_minutes").is_not_null()).then("allowance_s"),
    ).sort("customer_id", "priority", "product_id", "user_id")

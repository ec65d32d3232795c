"""What changed among a platform's users and numbers since they were last looked at, as intervals.

A platform knows what it has now and nothing of before. What it has is compared with what was known to be active on
the day: what differs is a *change*, and takes effect on a day; only what changed is written anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from rating.periods import active_on

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import date

    from rating.frames import Schema

KEYS = {"users": "user_id", "numbers": "number"}
# What a user or number is, beside its name: where any of it is another, the interval is another.
STATES = {
    "users": ("customer_id", "product_id"),
    "numbers": ("customer_id", "country", "user_id", "product_id", "inbound_deck"),
}
CHANGE: Schema = {
    "table": pl.String, "service_id": pl.String, "customer_before": pl.String, "customer_after": pl.String,
    "before": pl.String, "after": pl.String, "day": pl.Date, "held": pl.Boolean,
}  # fmt: skip
# A fifth of what was known of a customer.
HELD_ABOVE_PERCENT = 20


def find_changes(table: str, known: pl.DataFrame, today: pl.DataFrame, acted_on: date) -> pl.DataFrame:
    """What differs between the rows known to be active on a day and what the platform has on it.

    Args:
        table: `users` or `numbers`.
        known: The table's rows as known.
        today: What the platform has: the same columns without the dates.
        acted_on: The local day on which the platform was asked.

    Returns:
        `CHANGE`, sorted by service: `before` and `after` are the state as JSON (`STATES`), null where there is
        none; `day` is `acted_on`, and nothing is held yet.
    """
    sides = [
        rows.select(
            pl.col(KEYS[table]).alias("service_id"),
            pl.col("customer_id").alias(f"customer_{side}"),
            _state(table).alias(side),
        )
        for side, rows in (("before", known.filter(active_on(acted_on))), ("after", today))
    ]
    return (
        sides[0]
        .join(sides[1], on="service_id", how="full", coalesce=True)
        .filter(pl.col("before").ne_missing(pl.col("after")))
        .with_columns(table=pl.lit(table), day=pl.lit(acted_on, pl.Date), held=pl.lit(value=False))
        .select(CHANGE.keys())
        .sort("service_id")
    )


def _state(table: str) -> pl.Expr:
    return pl.struct(STATES[table]).struct.json_encode()


def date_changes(changes: pl.DataFrame, held_before: pl.DataFrame, as_of: date | None) -> pl.DataFrame:
    """A change takes effect on the day it is said to (`as_of`), else on the day it was first seen.

    Args:
        changes: `CHANGE`, dated with the day they are seen on.
        held_before: The changes that the sync before held.
        as_of: The day that was given, if any.
    """
    if as_of is not None:
        return changes.with_columns(day=pl.lit(as_of, pl.Date))
    key = ["table", "service_id", "before", "after"]
    seen = held_before.select(*key, first_day="day").unique(key, keep="first", maintain_order=True)
    dated = changes.join(seen, on=key, how="left", nulls_equal=True, maintain_order="left")
    return dated.with_columns(day=pl.coalesce("first_day", "day")).select(CHANGE.keys())


def hold_changes(
    changes: pl.DataFrame, known: dict[str, pl.DataFrame], acted_on: date, accepted: Collection[str] | None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Hold the changes of the customers who lose, gain or see changed more than 20 % of their users or numbers.

    A customer of whom none was known is new, and nothing of it is held. A change that concerns two customers is
    held where it is for one of them.

    Args:
        changes: `CHANGE` of both tables.
        known: The rows of both tables as known.
        acted_on: The local day on which the platform was asked.
        accepted: The customers whose changes are taken all the same; None for nobody, empty for everybody.

    Returns:
        The changes with `held`, and the customers concerned: `table`, `customer_id`, `changed`, `known` (counts)
        and `held` (false where accepted), sorted.
    """
    counts = pl.concat(
        rows.filter(active_on(acted_on)).group_by("customer_id").agg(known=pl.len()).with_columns(table=pl.lit(table))
        for table, rows in known.items()
    )
    concerned = pl.concat(
        changes.select("table", "service_id", customer_id=side) for side in ("customer_before", "customer_after")
    )
    changed = concerned.drop_nulls("customer_id").unique().group_by("table", "customer_id").agg(changed=pl.len())
    many = (
        changed.join(counts, on=["table", "customer_id"])
        .filter(100 * pl.col("changed") > HELD_ABOVE_PERCENT * pl.col("known"))
        .select("table", "customer_id", "changed", "known")
        .sort("customer_id", "table")
    )
    taken = pl.lit(value=False)
    if accepted is not None:
        taken = pl.col("customer_id").is_in(list(accepted)) if accepted else pl.lit(value=True)
    many = many.with_columns(held=~taken)
    held = many.filter("held")["customer_id"].unique().implode()
    is_held = pl.any_horizontal(
        pl.col(side).is_in(held).fill_null(value=False) for side in ("customer_before", "customer_after")
    )
    return changes.with_columns(held=is_held), many


def apply_changes(
    table: str, known: pl.DataFrame, today: pl.DataFrame, changes: pl.DataFrame, acted_on: date
) -> pl.DataFrame:
    """The rows of a table once its changes have taken effect.

    What was known of a service from the day of its change on gives way, but for what begins after `acted_on`: that
    was entered ahead, by a person, and what is new lasts until then. A service that is again what it was until that
    very day goes on in the row it had.

    Args:
        table: `users` or `numbers`.
        known: The table's rows as known.
        today: What the platform has.
        changes: `CHANGE`; those of this table that are not held take effect.
        acted_on: The local day on which the platform was asked.

    Returns:
        The rows in the columns of `known`: those that stay in their order, then the new ones by service.
    """
    key = KEYS[table]
    days = changes.filter((pl.col("table") == table) & ~pl.col("held")).select(
        "day", pl.col("service_id").alias(key), comes=pl.col("after").is_not_null()
    )
    if days.is_empty():
        return known
    rows = known.join(days, on=key, how="left", maintain_order="left")
    ahead = pl.col("active_from") > acted_on
    kept = rows.filter(pl.col("day").is_null() | (pl.col("active_from") < pl.col("day")) | ahead).with_columns(
        active_to=pl.when(ahead).then("active_to").otherwise(pl.min_horizontal("active_to", "day"))
    )
    plans = rows.filter(ahead).group_by(key).agg(planned=pl.col("active_from").min())
    new = (
        today.join(days.filter("comes"), on=key)
        .join(plans, on=key, how="left")
        .with_columns(active_from="day", active_to="planned")
    )
    same = [key, *STATES[table]]
    before = kept.filter(pl.col("active_to") == pl.col("day")).select(
        *same, active_from="active_to", went_on_from="active_from"
    )
    new = new.join(before, on=[*same, "active_from"], how="left", nulls_equal=True)
    goes_on = new.filter(pl.col("went_on_from").is_not_null()).select(*same, active_to="active_from")
    kept = kept.join(goes_on, on=[*same, "active_to"], how="anti", nulls_equal=True, maintain_order="left")
    new = new.with_columns(active_from=pl.coalesce("went_on_from", "active_from"))
    return pl.concat([kept.select(known.columns), new.select(known.columns).sort(key)])

"""Versions: which price, rate deck or pack content is in force on a day."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from rating.rules import rule

if TYPE_CHECKING:
    from datetime import date

NOTICE_DAYS = 30


def in_force(wanted: pl.DataFrame, versions: pl.DataFrame, *, by: list[str], day: str) -> pl.DataFrame:
    """Join to each wanted row the version with the latest `effective_from` on or before its day.

    Args:
        wanted: Rows with the key columns `by` and a Date column named `day`.
        versions: Rows with the key columns, `effective_from` (Date) and what the version says.
        by: The columns of the key; all rows of one key are versions of one another.
        day: The name of the column in `wanted` that holds the day asked for.

    Returns:
        The wanted rows in their order, with the version's columns; null where none is in force.
    """
    order = "_wanted_order"
    left = wanted.with_row_index(order).sort(day)
    right = versions.sort("effective_from")
    joined = left.join_asof(
        right, left_on=day, right_on="effective_from", by=by, strategy="backward", coalesce=False,
        check_sortedness=False,
    )  # fmt: skip
    return joined.sort(order).drop(order)


def told_late() -> pl.Expr:
    """Whether a version (`effective_from`, `notified_on`: Date) was announced less than 30 days before it applies."""
    return pl.col("notified_on").to_physical() + NOTICE_DAYS > pl.col("effective_from").to_physical()


@rule("R-NOTICE", article="5.6, 8.2")
def judge_notice(
    versions: pl.DataFrame, *, by: list[str], from_day: date | None, earlier: pl.DataFrame | None = None
) -> pl.DataFrame:
    """A change of a price, a rate deck, a pack or a customer's deck is announced 30 days before it applies.

    The first version of a key changes nothing and needs no notice. One that replaces what the last run charged by is
    not the first, even where the tables hold the versions of today alone.

    Args:
        versions: Rows with the key columns `by` (null is a key too), `effective_from`, `notified_on` (Date).
        by: The columns of the key; all rows of one key are versions of one another.
        from_day: Only versions in force on some day from this one on are judged; None judges all.
        earlier: The versions that the last run knew, by the same columns.

    Returns:
        The rows that were announced too late, in their order, with the columns they came with.
    """
    starts = pl.col("effective_from")
    judged, first = versions, starts.min().over(by)
    if earlier is not None:
        known = earlier.group_by(by).agg(first_known=starts.min())
        judged = versions.join(known, on=by, how="left", nulls_equal=True, maintain_order="left")
        first = pl.min_horizontal(first, "first_known")
    offending = (starts > first) & told_late()
    if from_day is not None:
        in_force_then = starts.filter(starts <= from_day).max().over(by)
        offending &= in_force_then.is_null() | (starts >= in_force_then)
    return judged.filter(offending).select(versions.columns)

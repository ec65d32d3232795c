"""Where the money of a month comes from: its lines by kind, calls by zone, beside the month before."""

from __future__ import annotations

import polars as pl

from invoicing.lines import KINDS


def income(lines: pl.DataFrame, lines_before: pl.DataFrame) -> pl.DataFrame:
    """What the lines of two months come to, by kind, and calls by zone.

    Takes `kind`, `zone_id`, `net_cents`; gives `kind`, `zone_id` (null but for calls), `lines`, `net_cents`,
    `before_cents`, in the order of the invoice, the zones with most money first.
    """
    key = ["kind", "zone_id"]
    now, before = (_by_source(frame) for frame in (lines, lines_before))
    both = now.join(before.drop("lines"), on=key, how="full", coalesce=True, nulls_equal=True, suffix="_before")
    both = both.rename({"net_cents_before": "before_cents"})
    both = both.with_columns(pl.col("lines", "net_cents", "before_cents").fill_null(0))
    place = pl.col("kind").replace_strict(KINDS, list(range(len(KINDS))), return_dtype=pl.Int64)
    return both.sort(place, -pl.col("net_cents"), "zone_id", nulls_last=True)


def _by_source(lines: pl.DataFrame) -> pl.DataFrame:
    zone = pl.when(pl.col("kind") == "traffic").then("zone_id")
    sums = lines.group_by("kind", zone.alias("zone_id"))
    return sums.agg(lines=pl.len().cast(pl.Int64), net_cents=pl.col("net_cents").sum())

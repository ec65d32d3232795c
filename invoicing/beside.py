"""Two versions of the same rows as one table: what tells the rows apart, the figures of both, and the difference."""

from __future__ import annotations

import polars as pl

# A line at another price is the same line, so the unit price is no part of the key.
LINE_KEY = ["customer_id", "kind", "product_id", "zone_id", "traffic_period", "service_from", "service_to", "source_id"]
LINE_FIGURES = ["quantity_micro", "unit_price_micro", "net_cents"]
CALL_KEY = ["customer_id", "call_id", "user_id", "start", "direction", "caller", "callee", "duration_s"]
CALL_FIGURES = [
    "zone_id", "deck_id", "deck_version", "rate_micro_per_min", "setup_micro", "billable_s", "pack_s", "charged_s",
    "amount_cents",
]  # fmt: skip
# What the figures of the first and of the second version end in.
Names = tuple[str, str]


def beside(first: pl.DataFrame, second: pl.DataFrame, key: list[str], figures: list[str], names: Names) -> pl.DataFrame:
    """Two frames as one, by key: each figure of both, null where there is none, and how much more the second has.

    The difference, `difference_cents`, is that of the last figure, an amount.
    """
    one, two = (
        frame.select(*key, *(pl.col(name).alias(f"{name}_{suffix}") for name in figures))
        for frame, suffix in zip((first, second), names, strict=True)
    )
    both = one.join(two, on=key, how="full", nulls_equal=True, coalesce=True)
    amounts = [pl.col(f"{figures[-1]}_{suffix}").fill_null(0) for suffix in names]
    in_pairs = [f"{name}_{suffix}" for name in figures for suffix in names]
    return both.select(*key, *in_pairs, difference_cents=amounts[1] - amounts[0]).sort(key)


def differing(both: pl.DataFrame, figures: list[str], names: Names) -> pl.DataFrame:
    """The rows of which a figure differs, or that only one of the two has."""
    pairs = [(pl.col(f"{name}_{names[0]}"), pl.col(f"{name}_{names[1]}")) for name in figures]
    return both.filter(pl.any_horizontal(one.ne_missing(two) for one, two in pairs))


def by_line(lines: pl.DataFrame, key: list[str]) -> pl.DataFrame:
    """Two prices of one product on the same days are two lines; what they come to is compared, and the higher price."""
    of_key = lines.group_by(key, maintain_order=True)
    return of_key.agg(pl.col("quantity_micro", "net_cents").sum(), pl.col("unit_price_micro").max())


def differing_calls(first: pl.DataFrame, second: pl.DataFrame, names: Names) -> pl.DataFrame:
    """The calls in which two ratings of the same customers differ; one that came to another customer is there twice."""
    return differing(beside(first, second, CALL_KEY, CALL_FIGURES, names), CALL_FIGURES, names)


def with_figures(frame: pl.DataFrame) -> pl.DataFrame:
    """A table to be looked at, without the columns in which nothing stands."""
    return frame[[cells.name for cells in frame if cells.count()]]

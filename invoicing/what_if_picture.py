"""The picture of a supposed month: who would pay more, and who less."""

from __future__ import annotations

from typing import TYPE_CHECKING

import altair as alt
import polars as pl

from rating.money import MICRO, MICRO_PER_CENT

if TYPE_CHECKING:
    from pathlib import Path

    from invoicing.what_if import WhatIf

FORMATS = (".svg", ".png")
# So many of each side are drawn; the others are told as one bar.
MOST_BARS = 20
MORE, LESS = "#b3541e", "#2f5d62"


def draw(period: str, found: WhatIf, path: Path) -> None:
    """Draw what each customer would pay more or less, those with the largest differences by name."""
    bars = bars_of(found.customers)
    chart = (
        alt.Chart(bars, title=f"{period}: what would be paid more or less, in EUR without VAT")
        .mark_bar()
        .encode(
            x=alt.X("difference_eur:Q", title=None),
            y=alt.Y("customer:N", sort=None, title=None),
            color=alt.condition(alt.datum.difference_eur > 0, alt.value(MORE), alt.value(LESS)),
        )
        .properties(width=640)
    )
    chart.save(str(path), format=path.suffix.lower().removeprefix("."))


def bars_of(customers: pl.DataFrame) -> pl.DataFrame:
    """A bar for each customer with another amount: `customer`, `difference_eur`, the dearest first.

    Takes `customer_id` and `difference_cents`. Beyond `MOST_BARS` of a side the rest of it is one bar. The euro are
    for the eye alone.
    """
    sides = []
    for is_more in (True, False):
        difference = pl.col("difference_cents") if is_more else -pl.col("difference_cents")
        side = customers.filter(difference > 0).sort(difference, "customer_id", descending=[True, False])
        rest = side.slice(MOST_BARS)
        named = side.head(MOST_BARS).select(customer="customer_id", cents="difference_cents")
        if rest.height:
            others = pl.DataFrame(
                {"customer": [f"{rest.height} others"], "cents": [int(rest["difference_cents"].sum())]}
            )
            named = pl.concat([named, others])
        sides.append(named if is_more else named.reverse())
    return pl.concat(sides).select("customer", difference_eur=pl.col("cents") / (MICRO // MICRO_PER_CENT))

"""One-off amounts: hardware, activation, installation, interventions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from invoicing.lines import LINE_SCHEMA, shaped
from rating.money import line_amount_cents, narrow_cents
from rating.rules import rule

if TYPE_CHECKING:
    from rating.periods import Period


@rule("R-ONEOFF", article="8.1, 6.3")
def one_off_lines(charges: pl.DataFrame, billed: pl.DataFrame, period: Period, first_period: Period) -> pl.DataFrame:
    """Charges dated on or before the period's last day are billed once, each on a line of its own.

    Quantity times unit price, half up. What is dated before the first period that the store ran was somebody
    else's to bill: `too_old` tells it.

    Args:
        charges: The table.
        billed: `charge_id` of those billed before.
        period: The period invoiced.
        first_period: The first period of the store.
    """
    due = charges.filter(pl.col("date").is_between(first_period.first_day, period.last_day)).join(
        billed, on="charge_id", how="anti"
    )
    one = pl.lit(1, pl.Int64)
    lines = due.with_columns(
        kind=pl.lit("one_off"),
        rule=pl.lit("R-ONEOFF"),
        service_from="date",
        service_to="date",
        source_id="charge_id",
        net_cents=line_amount_cents(pl.col("quantity_micro"), pl.col("unit_price_micro"), one, one),
    )
    return shaped(narrow_cents(lines, "net_cents"), LINE_SCHEMA)


def too_old(rows: pl.DataFrame, first_period: Period) -> pl.DataFrame:
    """Charges or credits dated before the store's first period: reported, not billed."""
    return rows.filter(pl.col("date") < first_period.first_day)

"""Traffic: rated calls become lines, one per zone and traffic period."""

from __future__ import annotations

import polars as pl

from invoicing.lines import LARGEST_QUANTITY_MICRO, LINE_SCHEMA, shaped
from rating.money import MICRO
from rating.periods import Period, period_text
from rating.pricing import hidden_from_invoice
from rating.rules import rule
from schemas.errors import InputRefused


@rule("R-LATE", article="8.1")
def traffic_lines(rated_calls: pl.DataFrame, period: Period) -> pl.DataFrame:
    """A call is invoiced by the run of its period or, when it came late, by the next, on a line of its own period.

    Invoiced calls never change; late ones are rated with the tariffs of their own period and draw only what
    its packs have left. A line exists where the sum of its calls is above 0; its quantity is their charged
    seconds. Calls to emergency and free numbers have none (R-EMERGENCY).

    Takes the calls of one run (`customer_id`, `period_number`, `zone_id`, `zone_kind`, `charged_s`,
    `amount_cents`) and gives `LINE_SCHEMA`.
    """
    sums = (
        rated_calls.filter(~hidden_from_invoice(pl.col("zone_kind")))
        .group_by("customer_id", "period_number", "zone_id")
        .agg(pl.col("charged_s").sum(), net_cents=pl.col("amount_cents").sum())
        .filter(pl.col("net_cents") > 0)
    )
    if sums.select((pl.col("charged_s") > LARGEST_QUANTITY_MICRO // MICRO).any()).item():
        raise InputRefused("a traffic line sums more seconds than a line can hold; split the period's calls")
    first_day = pl.date(pl.col("period_number") // 100, pl.col("period_number") % 100, 1)
    late = pl.col("period_number") < period.number
    lines = sums.with_columns(
        kind=pl.lit("traffic"),
        rule=pl.when(late).then(pl.lit("R-LATE")).otherwise(pl.lit("R-SECOND")),
        traffic_period=period_text(pl.col("period_number")),
        service_from=first_day,
        service_to=first_day.dt.month_end(),
        quantity_micro=pl.col("charged_s") * MICRO,
    )
    return shaped(lines, LINE_SCHEMA)

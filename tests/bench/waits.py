"""The small waits: help, one call explained, and what drawing the progress costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from tests.bench.figures import Figure, figure_of
from tests.bench.measure import PROGRAM, measured, middle

if TYPE_CHECKING:
    from tests.bench.month import Month

BENCH = "waits"
TRIES = 5
HELP_S, EXPLAIN_S, PROGRESS_SHARE = 0.3, 1.0, 0.01


def help_wait() -> Figure:
    """`centime --help`."""
    cost = middle([measured([*PROGRAM, "--help"], allowed=(0,)) for _ in range(TRIES)])
    return figure_of(BENCH, "centime --help", cost, target=f"under {HELP_S} s")


def explain_wait(month: Month, name: str) -> Figure:
    """`centime explain` of a call in the middle of the month; the store has the run."""
    files = month.files
    outgoing = pl.read_parquet(files[len(files) // 2]).filter(
        (pl.col("direction") == "outgoing") & pl.col("user_id").is_not_null() & (pl.col("duration_s") > 0)
    )
    call_id = outgoing["call_id"][outgoing.height // 2]
    cost = middle([month.centime("explain", call_id) for _ in range(TRIES)])
    return figure_of(BENCH, f"{name}: centime explain", cost, target=f"under {EXPLAIN_S} s")


def progress_cost(month: Month, name: str) -> Figure:
    """The run on a terminal beside the run without one, in turns; the least of each, as the rest is noise."""
    silent, shown = [], []
    for _ in range(TRIES):
        for costs, on_terminal in ((silent, False), (shown, True)):
            month.forget_store()
            costs.append(month.run(on_terminal=on_terminal))
    least, most = (min(costs, key=lambda cost: cost.cpu_s) for costs in (silent, shown))
    spread = max(cost.cpu_s for cost in silent) / least.cpu_s - 1
    return figure_of(
        BENCH, f"{name}: run with its progress on a terminal", most, least, "runs without",
        target=f"under {1 + PROGRESS_SHARE} of processor", note=f"runs without differ by {spread:.1%} themselves",
    )  # fmt: skip

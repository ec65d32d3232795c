"""The same month by other means, from the same files, beside the program; all must give the same amounts."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from typing import TYPE_CHECKING

import polars as pl

from tests.bench.competitors.common import TOTALS
from tests.bench.figures import Figure, figure_of, not_run
from tests.bench.measure import Cost, measured
from tests.bench.price_book import PERIOD

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.bench.month import Month

BENCH = "side by side"
# Each with what it needs to be installed, and the most calls it is asked to rate.
COMPETITORS = {
    "python_loop": ("a plain Python loop", None, 10_000_000),
    "duckdb_sql": ("DuckDB SQL", "duckdb", 10_000_000),
    "pandas_frames": ("pandas", "pandas", 10_000_000),
    "postgresql_prefix": ("PostgreSQL 15 and prefix", "psycopg", 10_000_000),
}
SLOW = {"postgresql_prefix"}


class DifferentAmounts(Exception):  # noqa: N818
    """Two programs that did the same job gave other totals."""


def side_by_side(month: Month, name: str, ours: Cost, *, thorough: bool) -> Iterator[Figure]:
    """Each competitor's time in times of ours.

    Args:
        month: Its store has the run, with which the amounts are compared.
        name: Its size in words.
        ours: What the run cost.
        thorough: Whether those are asked that take minutes for a million calls.
    """
    expected = our_totals(month)
    for module, (label, _, most) in COMPETITORS.items():
        case = f"{name}: {label}"
        why = absence(module) or ("" if thorough or module not in SLOW else "it takes minutes: make bench-full asks it")
        if why or month.size.calls > most:
            yield not_run(BENCH, case, why or f"more than {most:,} calls is more than it is asked")
            continue
        cost, totals = compete(module, month.world, month.place / "competitor")
        compare(expected, totals, label)
        yield figure_of(BENCH, case, cost, ours, "times centime", note="the same amounts")


def absence(module: str) -> str | None:
    """Why a competitor cannot be started here, None where it can."""
    needed = COMPETITORS[module][1]
    if needed is not None and importlib.util.find_spec(needed) is None:
        return f"{needed} is not installed"
    if module == "postgresql_prefix":
        from tests.bench.competitors.postgresql_prefix import absence as server_absence  # noqa: PLC0415

        return server_absence()
    return None


def compete(module: str, world: Path, out: Path) -> tuple[Cost, pl.DataFrame]:
    """Let a competitor rate a month; gives its cost, without what it took to make a server, and its totals."""
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    command = [sys.executable, "-m", f"tests.bench.competitors.{module}"]
    cost = measured(
        [*command, str(world / "platform"), str(world / "cdrs"), str(out)],
        environment={"TMPDIR": str(out)}, allowed=(0,),
    )  # fmt: skip
    totals = _sorted(pl.read_csv(out / "totals.csv"))
    shutil.rmtree(out)
    prepared_s = float(cost.output or 0)
    return Cost(cost.wall_s - prepared_s, cost.cpu_s, cost.peak_mib), totals


def our_totals(month: Month) -> pl.DataFrame:
    """Calls, pack seconds and cents of each customer and zone, of what the program exports."""
    exported = month.place / "rated.parquet"
    month.centime("export", "rated", PERIOD, "-o", str(exported))
    calls = pl.scan_parquet(exported).group_by(TOTALS[:2])
    totals = calls.agg(calls=pl.len(), pack_s=pl.col("pack_s").sum(), amount_cents=pl.col("amount_cents").sum())
    found = _sorted(totals.collect(engine="streaming"))
    exported.unlink()
    return found


def compare(expected: pl.DataFrame, totals: pl.DataFrame, whose: str) -> None:
    """Refuse totals that are not those expected.

    Raises:
        DifferentAmounts: with the first rows that differ.
    """
    if not expected.equals(totals):
        differing = pl.concat(
            [expected.join(totals, on=TOTALS, how="anti"), totals.join(expected, on=TOTALS, how="anti")]
        )
        raise DifferentAmounts(f"{whose} gives other amounts than centime:\n{differing.sort(TOTALS[:2]).head(10)}")


def _sorted(totals: pl.DataFrame) -> pl.DataFrame:
    return totals.select(pl.col(TOTALS[:2]).cast(pl.String), pl.col(TOTALS[2:]).cast(pl.Int64)).sort(TOTALS[:2])

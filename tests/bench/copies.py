"""The main job in copies of its input: a month from files to a committed run, its second run, and late calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.bench.figures import Figure, figure_of
from tests.bench.measure import TIMES, Cost, copy_costs, mean, middle
from tests.bench.month import FEW_CUSTOMERS, NEXT_NOW, Month

if TYPE_CHECKING:
    from collections.abc import Iterator

BENCH = "rating"
COPIES_AT_MOST = 12
COPIES = 2  # before a run, and as many after it
SECOND_SHARE = 0.05
# The targets are those of so many calls; of fewer, what a run costs whatever their number weighs more.
USUAL, MANY = 10_000_000, 100_000_000
# Up to so many calls a run is short enough that what else the machine does may decide.
FEW = 1_000_000
PEAK_GIB, MANY_PEAK_GIB = 3, 4


def first_run(month: Month, name: str, *, thorough: bool) -> tuple[list[Figure], Cost]:
    """The run of a month from its files, in a store that was not there before, with the yardstick before and after it.

    The speed of a machine may change within such a run; the yardstick is then of the minutes around it.

    Args:
        month: Its files.
        name: Its size in words.
        thorough: Whether a short run is made three times, for the middle one.

    Returns:
        The figures, and what the run cost; the store stays, for what comes after.
    """
    month.forget()
    scratch = month.place.with_name(f"{month.place.name}-copied")
    _, *before = copy_costs(month.files, scratch, COPIES + 1)  # one more, that makes files and code warm
    cost = middle([_run_anew(month) for _ in range(TIMES if thorough and month.size.calls <= FEW else 1)])
    copy = mean([*before, *copy_costs(month.files, scratch, COPIES)])
    note = f"input {month.input_mib():.0f} MiB, store {month.store_mib():.0f} MiB"
    temporary_mib = (cost.peak_disk_mib or 0) - month.store_mib()
    target = _target(month.size.calls)
    return [
        figure_of(BENCH, f"{name}: the copy", copy, copy, "copies"),
        figure_of(BENCH, f"{name}: run", cost, copy, "copies", disk_mib=temporary_mib, target=target, note=note),
    ], cost


def _target(calls: int) -> str:
    if calls < USUAL:
        return ""
    if calls < MANY:
        return f"{COPIES_AT_MOST} copies, {PEAK_GIB} GiB"
    return f"{COPIES_AT_MOST} copies, {MANY_PEAK_GIB} GiB, disk: the input"


def _run_anew(month: Month) -> Cost:
    month.forget_store()
    return month.run()


def second_run(month: Month, name: str, first: Cost) -> Figure:
    """The same command again, when the month is done."""
    target = f"under {SECOND_SHARE}" if month.size.calls >= USUAL else ""
    return figure_of(BENCH, f"{name}: run again", month.run(), first, "first runs", target=target)


def late_calls(month: Month, name: str, first: Cost, *, thorough: bool) -> Iterator[Figure]:
    """Calls that come late, read and then settled by the month after, beside that month without them.

    Args:
        month: Its store has the run.
        name: Its size in words.
        first: What the run cost.
        thorough: Whether those of few customers are measured too.
    """
    branch = month.branch("without")
    without = branch.run_next()
    branch.forget()
    yield figure_of(BENCH, f"{name}: next month, nobody called", without, first, "first runs")
    of_customers = [("late-all", "all customers"), ("late-few", f"{FEW_CUSTOMERS} customers")]
    for folder, whose in of_customers if thorough else of_customers[:1]:
        branch = month.branch(folder)
        taken = branch.centime("read", str(month.world / folder), now=NEXT_NOW)
        late = f"{month.late:,} late calls of {whose}"
        share = f"{month.late / month.size.calls:.3f} of the calls"
        yield figure_of(BENCH, f"{name}: read {late}", taken, first, "first runs", note=share)
        settled = branch.run_next()
        more = f"{settled.wall_s - without.wall_s:+.1f} s, {settled.cpu_s - without.cpu_s:+.1f} s of processor by them"
        yield figure_of(BENCH, f"{name}: next month with {late}", settled, first, "first runs", note=more)
        branch.forget()

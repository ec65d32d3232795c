"""A figure: what one piece of work cost in one run of the bench, and beside what it stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.bench.measure import Cost

NOT_RUN = "not run"


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of the bench's table; what was not measured is None and shown as such, never guessed.

    Attributes:
        bench: The part of the bench, such as `rating`.
        case: What was done, to what.
        wall_s: Seconds from start to end.
        cpu_s: Seconds of processor, user and system, of all its processes.
        peak_mib: The most memory its processes held together.
        disk_mib: The most that stood on disk for it alone, over what it leaves behind.
        ratio: How many times the wall of what it stands beside, if anything.
        cpu_ratio: The same of processor, which other programs on the machine disturb less.
        against: What it stands beside, such as `copies`.
        target: What it should be, in words.
        note: What else is to be known; why, where it was not run.
    """

    bench: str
    case: str
    wall_s: float | None = None
    cpu_s: float | None = None
    peak_mib: float | None = None
    disk_mib: float | None = None
    ratio: float | None = None
    cpu_ratio: float | None = None
    against: str = ""
    target: str = ""
    note: str = ""


def figure_of(
    bench: str,
    case: str,
    cost: Cost,
    beside: Cost | None = None,
    against: str = "",
    *,
    disk_mib: float | None = None,
    target: str = "",
    note: str = "",
) -> Figure:
    """The row of a cost, in times of what it stands beside if anything."""
    return Figure(
        bench=bench,
        case=case,
        wall_s=cost.wall_s,
        cpu_s=cost.cpu_s,
        peak_mib=cost.peak_mib,
        disk_mib=disk_mib,
        ratio=None if beside is None else cost.wall_s / beside.wall_s,
        cpu_ratio=None if beside is None else cost.cpu_s / beside.cpu_s,
        against=against,
        target=target,
        note=note,
    )


def not_run(bench: str, case: str, why: str) -> Figure:
    """The row of what this run left out."""
    return Figure(bench, case, note=f"{NOT_RUN}: {why}")

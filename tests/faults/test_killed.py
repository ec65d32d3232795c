"""A command killed at any call by which it changes the disk: the same again gives what an undisturbed one gives."""

from __future__ import annotations

import random
import signal
from typing import TYPE_CHECKING

import pytest

from tests.faults.injected import NOWHERE
from tests.faults.stores import after_rerun, begin_anew, contents

if TYPE_CHECKING:
    from tests.cli.program import Place
    from tests.faults.injected import Injector, Point
    from tests.faults.stores import Step

QUICK_POINTS = {"read": 46, "issue": 11, "publish": 5}
KILLED = -signal.SIGKILL


def points_of(step: Step, killing: Injector, place: Place) -> list[Point]:
    """Every call of a step on a file of its store."""
    begin_anew(place, step.begun)
    found = killing.points(place.folder, step.command, place.store)
    assert contents(place.store) == step.expected
    assert len(found) > 10, "the calls of a step are not seen any more"
    return found


def spread(points: list[Point], count: int) -> list[Point]:
    """So many of them, the first and the last included."""
    return [points[place * (len(points) - 1) // (count - 1)] for place in range(min(count, len(points)))]


def killed_at(points: list[Point], killing: Injector, place: Place, step: Step) -> list[str]:
    """What differs after a kill at each of these points."""
    wrong, killed = [], 0
    for point in points:
        killed += killed_once(point, killing, place, step)
        wrong += after_rerun(place, step, point)
    print(f"{step.name}: killed at {killed} of {len(points)} points")  # noqa: T201
    # The ledger may leave a call to a thread of its own, and the last of the main one are not reached then.
    assert killed >= 0.9 * len(points)
    return wrong


def killed_once(point: Point, killing: Injector, place: Place, step: Step) -> bool:
    """Whether the step, from its beginning, is killed at a point."""
    begin_anew(place, step.begun)
    (ended,) = killing.start(place.folder, step.command, point)
    return ended.status == KILLED


def killed_twice_at(points: list[Point], killing: Injector, place: Place, step: Step) -> list[str]:
    """What differs after a kill at each of these points, and one at any point of the recovery from it."""
    wrong, rng, recoveries = [], random.Random(20261001), 0
    for point in points:
        killed_once(point, killing, place, step)
        of_recovery = killing.points(place.folder, step.command, place.store)
        killed_once(point, killing, place, step)
        (recovery,) = killing.start(place.folder, step.command, rng.choice(of_recovery))
        recoveries += recovery.status == KILLED
        wrong += after_rerun(place, step, point)
    print(f"{step.name}: {recoveries} recoveries killed after {len(points)} kills")  # noqa: T201
    assert recoveries >= 0.5 * len(points)
    return wrong


@pytest.mark.parametrize(("name", "count"), QUICK_POINTS.items())
def test_r_rerun__a_command_killed_at_calls_all_over_it_is_finished_by_the_next(
    name: str, count: int, killing: Injector, october: Place, steps: dict[str, Step]
) -> None:
    points = points_of(steps[name], killing, october)
    assert killed_at(spread(points, count), killing, october, steps[name]) == []


def test_r_rerun__a_recovery_that_is_killed_is_recovered_from(
    killing: Injector, october: Place, steps: dict[str, Step]
) -> None:
    points = points_of(steps["read"], killing, october)
    assert killed_twice_at(points[: len(points) // 2][-2:], killing, october, steps["read"]) == []


@pytest.mark.soak
def test_r_rerun__a_run_killed_at_every_call_is_finished_by_the_next(
    killing: Injector, october: Place, steps: dict[str, Step]
) -> None:
    assert killed_at(points_of(steps["run"], killing, october), killing, october, steps["run"]) == []


@pytest.mark.soak
def test_r_rerun__a_hundred_recoveries_that_are_killed_are_recovered_from(
    killing: Injector, october: Place, steps: dict[str, Step]
) -> None:
    points = spread(points_of(steps["run"], killing, october), 100)
    assert killed_twice_at(points, killing, october, steps["run"]) == []


@pytest.mark.soak
def test_r_rerun__a_run_killed_at_any_moment_is_finished_by_the_next(
    killing: Injector, october: Place, steps: dict[str, Step]
) -> None:
    step = steps["run"]
    wrong, killed, rng, longest_s = [], 0, random.Random(20261002), 1.0
    while killed < 500:
        begin_anew(october)
        after_s = rng.uniform(0.001, longest_s)
        (ended,) = killing.start(october.folder, step.command, NOWHERE, killed_after_s=after_s)
        # The run takes as long as it takes on this machine.
        longest_s *= 0.99 if ended.status == 0 else 1.01
        killed += ended.status == -signal.SIGALRM
        wrong += after_rerun(october, step, f"killed after {after_s} s")
    print(f"killed at {killed} random moments")  # noqa: T201 - a count
    assert wrong == []

"""A run killed at any call by which it changes the disk: a plain rerun gives what an undisturbed run gives."""

from __future__ import annotations

import random
import signal
from typing import TYPE_CHECKING

import pytest

from tests.faults.injected import CALLS, NOWHERE, Injector, Point, injecting
from tests.faults.stores import RUN, begin_anew, contents, differences

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cli.program import Place

QUICK_POINTS, QUICK_RECOVERIES = 30, 4
KILLED = -signal.SIGKILL


@pytest.fixture(scope="module")
def killing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Injector]:
    """The program, to be killed at calls to the system."""
    with injecting("signal=KILL", CALLS, tmp_path_factory.mktemp("killing") / "calls") as injector:
        yield injector


@pytest.fixture(scope="module")
def points(killing: Injector, october: Place, expected: dict[str, object]) -> list[Point]:
    """Every call of the run on a file of its store."""
    begin_anew(october)
    found = killing.points(october.folder, RUN, october.store)
    assert contents(october.store) == expected
    assert {point.name for point in found} == {*CALLS}
    return found


def spread(points: list[Point], count: int) -> list[Point]:
    """So many of them, the first and the last included."""
    return [points[place * (len(points) - 1) // (count - 1)] for place in range(count)]


def after_rerun(place: Place, expected: dict[str, object], what: object) -> list[str]:
    """What is not as in an undisturbed store once the same command was started again."""
    done = place.start(*RUN)
    if done.status != 0:
        return [f"{what}: {done.stderr}"]
    return [f"{what}: {difference}" for difference in differences(contents(place.store), expected)]


def killed_at(
    points: list[Point], killing: Injector, place: Place, expected: dict[str, object], *, again: bool = False
) -> list[str]:
    """What differs after a kill at each of these points, and `again` at another one of the recovery from it."""
    wrong, rng, killed, recoveries = [], random.Random(20261001), 0, 0
    for point in points:
        begin_anew(place)
        (ended,) = killing.start(place.folder, RUN, point)
        killed += ended.status == KILLED
        if again:
            (recovery,) = killing.start(place.folder, RUN, rng.choice(points))
            recoveries += recovery.status == KILLED
        wrong += after_rerun(place, expected, point)
    print(f"killed at {killed} of {len(points)} points, and at {recoveries} of the recovery")  # noqa: T201 - a count
    # The ledger may leave a call to a thread of its own, and the last of the main one are not reached then.
    assert killed >= 0.9 * len(points)
    assert recoveries or not again
    return wrong


def test_r_rerun__a_run_killed_at_calls_all_over_it_is_finished_by_the_next(
    points: list[Point], killing: Injector, october: Place, expected: dict[str, object]
) -> None:
    assert killed_at(spread(points, QUICK_POINTS), killing, october, expected) == []


def test_r_rerun__a_recovery_that_is_killed_is_recovered_from(
    points: list[Point], killing: Injector, october: Place, expected: dict[str, object]
) -> None:
    assert killed_at(spread(points, QUICK_RECOVERIES), killing, october, expected, again=True) == []


@pytest.mark.soak
def test_r_rerun__a_run_killed_at_every_call_is_finished_by_the_next(
    points: list[Point], killing: Injector, october: Place, expected: dict[str, object]
) -> None:
    assert killed_at(points, killing, october, expected) == []


@pytest.mark.soak
def test_r_rerun__a_hundred_recoveries_that_are_killed_are_recovered_from(
    points: list[Point], killing: Injector, october: Place, expected: dict[str, object]
) -> None:
    assert killed_at(spread(points, 100), killing, october, expected, again=True) == []


@pytest.mark.soak
def test_r_rerun__a_run_killed_at_any_moment_is_finished_by_the_next(
    killing: Injector, october: Place, expected: dict[str, object]
) -> None:
    wrong, killed, rng, longest_s = [], 0, random.Random(20261002), 1.0
    while killed < 500:
        begin_anew(october)
        after_s = rng.uniform(0.001, longest_s)
        (ended,) = killing.start(october.folder, RUN, NOWHERE, killed_after_s=after_s)
        # The run takes as long as it takes on this machine.
        longest_s *= 0.99 if ended.status == 0 else 1.01
        killed += ended.status == -signal.SIGALRM
        wrong += after_rerun(october, expected, f"killed after {after_s} s")
    print(f"killed at {killed} random moments")  # noqa: T201 - a count
    assert wrong == []

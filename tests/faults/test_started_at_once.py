"""Several starts of one command at once, the one that works killed half-way: one works, the others leave at once."""

from __future__ import annotations

import random
import signal
from typing import TYPE_CHECKING

import pytest

from tests.faults.stores import begin_anew, contents

if TYPE_CHECKING:
    from tests.cli.program import Place
    from tests.faults.injected import Ended, Injector, Point
    from tests.faults.stores import Step

MOST_STARTS, LEAVES_WITHIN_S = 8, 2
RACES_FROM_ONE_STORE = 4
# On a machine that has other work, the clock says little; who waits for the store is seen by it all the same.
WAITS_NOT_LONGER_S = 20
IN_USE = 3
KILLED = -signal.SIGKILL


def wrong_with(ended: list[Ended], killing: Injector, place: Place, since: int) -> list[str]:
    """What is wrong with those that found the store in use: late, without a word, or not without a trace."""
    left = [one for one in ended if one.status == IN_USE]
    wrong = [f"{one}" for one in ended if one.status not in (KILLED, IN_USE, 0)]
    wrong += [
        f"it took {one.took_s} s, {one.cpu_s} s of processor, to leave"
        for one in left
        if one.cpu_s > LEAVES_WITHIN_S or one.took_s > WAITS_NOT_LONGER_S
    ]
    wrong += [f"it did not say who holds the store: {one.stderr}" for one in left if "is in use by" not in one.stderr]
    return wrong + [
        f"it changed the store: {calls}" for one in left if (calls := killing.changed_by(one, place.store, since))
    ]


@pytest.mark.parametrize("races", [pytest.param(20, id="quick"), pytest.param(500, id="soak", marks=pytest.mark.soak)])
def test_store__of_several_starts_at_once_one_works_even_when_those_before_were_killed(
    races: int, killing: Injector, october: Place, steps: dict[str, Step]
) -> None:
    step, rng, wrong = steps["run"], random.Random(20261004), []
    begin_anew(october)
    points = [
        point
        for point in killing.points(october.folder, step.command, october.store)
        # Who leaves writes what it says; the calls before the store is held are not half-way.
        if point.name not in ("write", "mkdir", "ftruncate") and point.thread == 0
    ]
    killed = left = 0
    for race in range(races):
        # Each race but the first finds what those killed before it left; now and then all begins anew.
        if race % RACES_FROM_ONE_STORE == 0:
            begin_anew(october)
        since = killing.seen
        ended = killing.start(october.folder, step.command, race_point(points, rng), starts=rng.randint(2, MOST_STARTS))
        killed += sum(one.status == KILLED for one in ended)
        left += sum(one.status == IN_USE for one in ended)
        wrong += wrong_with(ended, killing, october, since)
    since = killing.seen
    ended = killing.start(october.folder, step.command, starts=MOST_STARTS)
    wrong += wrong_with(ended, killing, october, since)
    print(f"{races} races: {killed} killed half-way, {left} left at once")  # noqa: T201 - a count
    assert wrong == []
    # Of starts at once, one may begin after another has died; and where one of them has finished, there is no more.
    assert killed >= 0.7 * races
    assert left >= races
    assert 0 in [one.status for one in ended]
    assert contents(october.store) == step.expected


def race_point(points: list[Point], rng: random.Random) -> Point:
    """Where the one that works is killed: anywhere, and early more often, so that there is still something to do."""
    return points[int(len(points) * rng.random() ** 2)]

"""A disk that is full or fails: a clear message, exit 3, the old state whole, and the same command succeeds later."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.faults.injected import WRITES, Injector, Point, injecting
from tests.faults.stores import RUN, begin_anew, contents, differences

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cli.program import Place

QUICK_POINTS = 6
SAYS = {"ENOSPC": "no space is left on the disk", "EIO": "the store cannot be read or written"}


@pytest.fixture(scope="module", params=sorted(SAYS))
def failing(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Injector]]:
    """The program, on a disk that answers one call by an error."""
    error = str(request.param)
    with injecting(f"error={error}", WRITES, tmp_path_factory.mktemp(error) / "calls") as injector:
        yield error, injector


@pytest.fixture(scope="module")
def points(failing: tuple[str, Injector], october: Place, expected: dict[str, object]) -> list[Point]:
    """Every call of the run that changes a file of its store."""
    begin_anew(october)
    found = failing[1].points(october.folder, RUN, october.store)
    assert contents(october.store) == expected
    return found


def failed_at(
    points: list[Point], failing: tuple[str, Injector], place: Place, expected: dict[str, object]
) -> list[str]:
    """What is not as it should be once the disk has failed at each of these points, and after a rerun."""
    error, injector = failing
    wrong = []
    for point in points:
        begin_anew(place)
        (ended,) = injector.start(place.folder, RUN, point)
        told = ended.status == 3 and SAYS[error] in ended.stderr
        # When the ledger is closed, what its log holds already is put into its file: that may fail and loses nothing.
        spared = ended.status == 0 and "ledger.duckdb>" in point.what
        if not (told or spared) or "Traceback" in ended.stderr:
            wrong.append(f"{point}: {ended}")
        wrong += after_rerun(place, expected, str(point))
    print(f"{error} at {len(points)} points")  # noqa: T201 - a count
    return wrong


def after_rerun(place: Place, expected: dict[str, object], what: str) -> list[str]:
    """What is not as in an undisturbed store once the disk is well again."""
    done = place.start(*RUN)
    if done.status != 0:
        return [f"{what}: {done.stderr}"]
    return [f"{what}: {difference}" for difference in differences(contents(place.store), expected)]


def test_store__a_disk_that_fails_once_is_told_and_costs_nothing(
    points: list[Point], failing: tuple[str, Injector], october: Place, expected: dict[str, object]
) -> None:
    spread = [points[place * (len(points) - 1) // (QUICK_POINTS - 1)] for place in range(QUICK_POINTS)]
    assert failed_at(spread, failing, october, expected) == []


@pytest.mark.soak
def test_store__a_disk_that_fails_at_any_call_is_told_and_costs_nothing(
    points: list[Point], failing: tuple[str, Injector], october: Place, expected: dict[str, object]
) -> None:
    assert failed_at(points, failing, october, expected) == []

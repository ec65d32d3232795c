"""A disk that is full or fails: a clear message, exit 3, the old state whole, and the same command succeeds later."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.faults.injected import WRITES, Injector, Point, Ready, injecting
from tests.faults.stores import after_rerun, begin_anew, contents
from tests.golden.sample_run import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cli.program import Place
    from tests.faults.stores import Step

QUICK_POINTS = {"read": 9, "issue": 4, "publish": 2}
QUICK_SIZES = (40, 200)
SAYS = {"ENOSPC": "no space is left on the disk", "EIO": "the store cannot be read or written"}
# What the ledger's log holds is there; that it holds something still is no matter.
LOG = {"ledger.duckdb.wal": None}
# Who is not root gets a file system of his own in a user namespace.
APART = ["unshare", "--mount"] if os.getuid() == 0 else ["unshare", "--user", "--map-root-user", "--mount"]


@pytest.fixture(scope="module", params=sorted(SAYS))
def failing(
    request: pytest.FixtureRequest, ready: Ready, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Injector]]:
    """The program, on a disk that answers one call by an error."""
    error = str(request.param)
    with injecting(ready, f"error={error}", WRITES, tmp_path_factory.mktemp(error) / "calls") as injector:
        yield error, injector


def points_of(step: Step, injector: Injector, place: Place) -> list[Point]:
    """Every call of a step that changes a file of its store."""
    begin_anew(place, step.begun)
    found = injector.points(place.folder, step.command, place.store)
    assert contents(place.store) == step.expected
    assert len(found) > 10, "the calls of a step are not seen any more"
    # A folder that is there already does not need the disk.
    return [point for point in found if "EEXIST" not in point.what]


def failed_at(points: list[Point], failing: tuple[str, Injector], place: Place, step: Step) -> list[str]:
    """What is not as it should be once the disk has failed at each of these points, and after a rerun."""
    error, injector = failing
    wrong = []
    for point in points:
        begin_anew(place, step.begun)
        (ended,) = injector.start(place.folder, step.command, point)
        told = ended.status == 3 and SAYS[error] in ended.stderr
        # When the ledger is closed, what its log holds already is put into its file: that may fail and loses nothing.
        done = ended.status == 0 and "ledger.duckdb" in point.what
        spared = done and {**contents(place.store), **LOG} == {**step.expected, **LOG}
        if not (told or spared) or "Traceback" in ended.stderr:
            wrong.append(f"{point}: {ended}")
        wrong += after_rerun(place, step, point)
    print(f"{step.name}: {error} at {len(points)} points")  # noqa: T201 - a count
    return wrong


@pytest.mark.parametrize(("name", "count"), QUICK_POINTS.items())
def test_store__a_disk_that_fails_once_is_told_and_costs_nothing(
    name: str, count: int, failing: tuple[str, Injector], october: Place, steps: dict[str, Step]
) -> None:
    points = points_of(steps[name], failing[1], october)
    spread = [points[place * (len(points) - 1) // (count - 1)] for place in range(count)]
    assert failed_at(spread, failing, october, steps[name]) == []


@pytest.mark.soak
def test_store__a_disk_that_fails_at_any_call_is_told_and_costs_nothing(
    failing: tuple[str, Injector], october: Place, steps: dict[str, Step]
) -> None:
    points = points_of(steps["run"], failing[1], october)
    assert failed_at(points, failing, october, steps["run"]) == []


@pytest.mark.parametrize(
    "sizes_kib",
    [
        pytest.param(QUICK_SIZES, id="quick"),
        pytest.param([*range(4, 260, 4)], id="soak", marks=pytest.mark.soak),
    ],
)
def test_store__a_disk_too_small_for_the_month_is_told_and_a_larger_one_finishes_it(
    sizes_kib: tuple[int, ...], october: Place, steps: dict[str, Step]
) -> None:
    begin_anew(october)
    command = [*APART, sys.executable, "-m", "tests.faults.small_disk", str(october.folder)]
    done = subprocess.run(
        command, cwd=REPOSITORY, input=json.dumps(sizes_kib), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    full = [one for one in told if one["status"] == 3]
    print(f"{len(full)} of {len(sizes_kib)} disks were too small")  # noqa: T201 - a count
    assert [one["size_kib"] for one in told] == list(sizes_kib)
    assert len(full) >= len(sizes_kib) // 2
    assert [one["stderr"] for one in full if SAYS["ENOSPC"] not in one["stderr"]] == []
    assert {one["status"] for one in told} <= {0, 3}
    expected = steps["issue"].expected | {"table runs": [], "table events": []}
    for one in told:
        assert "Traceback" not in one["stderr"]
        # Said in one command, read and issued are events of `run`; all else is as by the two.
        assert one["contents"] | {"table runs": [], "table events": []} == as_json(expected)


def as_json(content: object) -> object:
    """What it is after it was written and read as JSON."""
    return json.loads(json.dumps(content, default=str))

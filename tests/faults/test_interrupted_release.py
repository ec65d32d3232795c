"""A release whose command dies: the invoice is held still or issued whole, and the same command again finishes it."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import copy
from tests.cli.test_held import HOLDING, begin
from tests.faults.stores import contents, differences

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.program import Place
    from tests.faults.injected import Injector

RELEASE = [
    "release", "c1", "2026-10", "--reason", "asked", "--now", "2026-12-05T10:00:00Z", "--by", "finance",
]  # fmt: skip
# Its first event is the release's own, its second that of the document.
DIES = {
    "before its commit": (1, "before"),
    "after its commit": (1, "after"),
    "once its document is written": (2, "before"),
}


@pytest.fixture(scope="module")
def october(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """October with one invoice held and one issued."""
    made = begin(tmp_path_factory.mktemp("october") / "place", HOLDING)
    assert made.run("2026-10", "--cdrs", "cdrs/october.csv").status == 1
    return made


@pytest.fixture(scope="module")
def expected(october: Place, tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """What a release leaves that nothing disturbs."""
    place = copy(october, tmp_path_factory.mktemp("expected") / "place")
    told = place.start(*RELEASE)
    assert told.status == 0, told.stderr
    return contents(place.store)


@pytest.mark.parametrize("where", DIES)
def test_release__one_that_dies_is_finished_by_the_same_command(
    where: str, dying: Injector, october: Place, expected: dict[str, object], tmp_path: Path
) -> None:
    place = copy(october, tmp_path / "place")
    (ended,) = dying.start(place.folder, RELEASE, dies=DIES[where])
    assert ended.status == -signal.SIGKILL, ended.stderr
    assert place.start("verify").status == 0
    still_held = place.start("held").status == 1
    assert still_held == (where == "before its commit")
    assert place.start(*RELEASE).status == 0
    assert differences(contents(place.store), expected) == []
    assert place.start("verify").status == 0

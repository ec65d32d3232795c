"""A command that dies around an event: what is recorded is what was done, and the rest is made up for once."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import copy
from tests.cli.program import make_place

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.program import Place
    from tests.faults.injected import Injector

RUN = ["run", "2026-10", "--platform", "platform", "--cdrs", "cdrs/october.csv", "--now", "2026-11-02T10:00:00Z"]
CREDIT = ["credit", "2026-000001", "--all", "--reason", "x", "--now", "2026-11-05T10:00:00Z"]


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Tables and CDRs, and no store yet."""
    return make_place(tmp_path_factory.mktemp("begun") / "place")


@pytest.fixture(scope="module")
def issued(begun: Place, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """What the run leaves that nothing disturbs."""
    place = copy(begun, tmp_path_factory.mktemp("issued") / "place")
    assert place.start(*RUN).status == 0
    return place


@pytest.fixture(scope="module")
def undisturbed(issued: Place, tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, str, str]]:
    """What is recorded of the two commands when nothing disturbs them."""
    place = copy(issued, tmp_path_factory.mktemp("undisturbed") / "place")
    assert place.start(*CREDIT).status == 0
    return recorded(place)


def recorded(place: Place) -> list[tuple[str, str, str]]:
    """What the events tell, but for the chain's own order and who was the one to do it."""
    rows = place.start("history", "--json").table("History")
    return sorted(
        (str(row["kind"]), str(row["subject"]).rpartition("/")[2], json.dumps(json.loads(str(row["details"]))))
        for row in rows
    )


# Right after one event, before the next: the quick kills of `test_killed` are all over that way.
@pytest.mark.parametrize("when", ["before", pytest.param("after", marks=pytest.mark.soak)])
@pytest.mark.parametrize(
    ("command", "nth", "kinds"),
    [
        (RUN, 1, []),
        (RUN, 2, ["read"]),
        (RUN, 3, ["rated", "read"]),
        (RUN, 4, ["issued", "rated", "read"]),
        (CREDIT, 1, ["issued", "published", "rated", "read"]),
        (CREDIT, 2, ["credited", "issued", "published", "rated", "read"]),
    ],
    ids=["read", "rated", "issued", "published", "credited", "its document"],
)
def test_events__a_command_that_dies_leaves_events_and_facts_in_agreement(
    command: list[str],
    nth: int,
    kinds: list[str],
    when: str,
    dying: Injector,
    begun: Place,
    issued: Place,
    undisturbed: list[tuple[str, str, str]],
    tmp_path: Path,
) -> None:
    place = copy(issued if command is CREDIT else begun, tmp_path / "place")
    (ended,) = dying.start(place.folder, command, dies=(nth, when))
    assert ended.status == -signal.SIGKILL, ended.stderr
    checked = place.start("verify")
    assert checked.status == 0, checked.stderr
    left = [kind for kind, _, _ in recorded(place)]
    assert left == kinds if when == "before" else len(left) == len(kinds) + 1
    place.start(*RUN)
    if "credited" not in left:
        assert place.start(*CREDIT).status == 0
    assert place.start("verify").status == 0
    assert recorded(place) == undisturbed

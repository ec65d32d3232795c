"""A command that dies around an event: what is recorded is what was done, and the rest is made up for once."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import copy
from tests.cli.program import make_place
from tests.golden.sample_run import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.program import Place

RUN = ["run", "2026-10", "--platform", "platform", "--cdrs", "cdrs/october.csv", "--now", "2026-11-02T10:00:00Z"]
CREDIT = ["credit", "2026-000001", "--all", "--reason", "x", "--now", "2026-11-05T10:00:00Z"]
# The program itself, which dies right after the commit of the nth transaction with events, or right before it.
DIES = """
import os, signal, sys
from contextlib import contextmanager
from cli import main
from invoicing.ledger import Ledger

nth, when = int(sys.argv.pop(1)), sys.argv.pop(1)
append, transaction, told = Ledger.append, Ledger.transaction, []

def append_and_count(self, table, frame):
    append(self, table, frame)
    told.extend([1] if table == "events" else [])

def die(now):
    if len(told) == nth and now == when:
        os.kill(os.getpid(), signal.SIGKILL)

@contextmanager
def transaction_and_die(self):
    with transaction(self):
        yield
        die("before")
    die("after")

Ledger.append, Ledger.transaction = append_and_count, transaction_and_die
main()
"""


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Tables and CDRs, and no store yet."""
    return make_place(tmp_path_factory.mktemp("begun") / "place")


@pytest.fixture(scope="module")
def undisturbed(begun: Place, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """What the two commands leave that nothing disturbs."""
    place = copy(begun, tmp_path_factory.mktemp("undisturbed") / "place")
    for command in (RUN, CREDIT):
        assert place.start(*command).status == 0
    return place


def recorded(place: Place) -> list[tuple[str, str, str]]:
    """What the events tell, but for the chain's own order and who was the one to do it."""
    rows = place.start("history", "--json").table("History")
    return sorted(
        (str(row["kind"]), str(row["subject"]).rpartition("/")[2], json.dumps(json.loads(str(row["details"]))))
        for row in rows
    )


def dies(place: Place, command: list[str], nth: int, when: str) -> None:
    """A command that is killed at one of its events."""
    done = subprocess.run(
        [sys.executable, "-c", DIES, str(nth), when, *command], cwd=place.folder, check=False,
        env={"PYTHONPATH": str(REPOSITORY)}, capture_output=True,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stderr


@pytest.mark.parametrize("when", ["before", "after"])
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
    command: list[str], nth: int, kinds: list[str], when: str, begun: Place, undisturbed: Place, tmp_path: Path
) -> None:
    place = copy(begun, tmp_path / "place")
    if command is CREDIT:
        assert place.start(*RUN).status == 0
    dies(place, command, nth, when)
    checked = place.start("verify")
    assert checked.status == 0, checked.stderr
    was = recorded(place)
    left = [kind for kind, _, _ in was]
    assert left == kinds if when == "before" else len(left) == len(kinds) + 1
    place.start(*RUN)
    if "credited" not in left:
        assert place.start(*CREDIT).status == 0
    assert place.start("verify").status == 0
    again = recorded(place)
    # A rating that was committed and not issued gives way to one of the next number, which the run then names.
    if left == ["rated", "read"]:
        again.remove(next(event for event in was if event[0] == "rated"))
        assert [event[:2] for event in again] == [event[:2] for event in recorded(undisturbed)]
    else:
        assert again == recorded(undisturbed)

"""A credit note whose command dies: it is there whole or not at all, and the next command publishes it."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import copy
from tests.cli.program import make_place

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.program import Place
    from tests.faults.injected import Injector

CREDIT = ["credit", "2026-000001", "--all", "--reason", "x", "--now", "2026-11-05T10:00:00Z"]
RUN = ["run", "2026-10", "--platform", "platform", "--no-render", "--now", "2026-11-06T10:00:00Z"]
# Its first event is the credit note's own, its second that of the document.
COMMITTED, WRITTEN, NOT_COMMITTED = (1, "after"), (2, "before"), (1, "before")


@pytest.fixture(scope="module")
def issued(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """One invoice, and no credit note yet."""
    made = make_place(tmp_path_factory.mktemp("october") / "place")
    assert made.run("2026-10", "--cdrs", "cdrs/october.csv").status == 0
    return made


@pytest.fixture(scope="module")
def expected(issued: Place, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What a command that nothing disturbs leaves."""
    place = copy(issued, tmp_path_factory.mktemp("expected") / "place")
    assert place.start(*CREDIT).status == 0
    return contents(place)


def contents(place: Place) -> dict[str, bytes]:
    """Every document of a store, and what the exports say of its credit notes."""
    found = {path.name: path.read_bytes() for path in sorted((place.store / "invoices").rglob("*")) if path.is_file()}
    for table in ("credit_notes", "credit_note_lines", "journal"):
        target = place.folder / f"{table}.csv"
        assert place.start("export", table, "2026-11", "-o", target).status == 0
        found[table] = target.read_bytes()
    return found


def killed(place: Place, dying: Injector, dies: tuple[int, str]) -> None:
    """The command, killed at one of its events."""
    (ended,) = dying.start(place.folder, CREDIT, dies=dies)
    assert ended.status == -signal.SIGKILL, ended.stderr


@pytest.mark.parametrize("dies", [COMMITTED, WRITTEN], ids=["committed", "written"])
@pytest.mark.parametrize(("following", "status"), [(RUN, 0), (CREDIT, 2)], ids=["run", "credit"])
def test_credit__one_killed_after_its_commit_is_published_by_the_next_command(
    dies: tuple[int, str],
    following: list[str],
    status: int,
    dying: Injector,
    issued: Place,
    expected: dict[str, bytes],
    tmp_path: Path,
) -> None:
    place = copy(issued, tmp_path / "place")
    killed(place, dying, dies)
    assert place.start("verify").status == 0
    told = place.start(*following)
    # The same again is refused, for nothing is left: the one that died was issued.
    assert told.status == status, told.stderr
    assert contents(place) == expected
    assert place.start("verify").status == 0


def test_credit__one_killed_before_its_commit_leaves_nothing_and_no_gap(
    issued: Place, dying: Injector, tmp_path: Path
) -> None:
    place = copy(issued, tmp_path / "place")
    killed(place, dying, NOT_COMMITTED)
    assert place.start("verify").status == 0
    told = place.start(*CREDIT, "--json")
    assert told.table("Credit note")[0]["credit_note_number"] == "CN2026-000001"

"""A sync killed at any call by which it changes the disk: the old tables whole, or refused, until the next sync."""

from __future__ import annotations

import shutil
import signal
from typing import TYPE_CHECKING

import pytest

from tests.cli.program import centime
from tests.sync.folders import make_folders

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.faults.injected import Injector, Point
    from tests.sync.folders import Folders

SYNC = ["sync", "--platform", "platform", "--from", "today", "--accept", "--now", "2026-11-20T11:00:00Z"]


def tables(folders: Folders) -> dict[str, bytes]:
    return {name: (folders.platform / f"{name}.csv").read_bytes() for name in ("users", "numbers")}


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    """Tables of before, and a platform that has changed."""
    made = make_folders(tmp_path / "folders", 10)
    made.has("u1,c1,seat u11,c1,seat", "+3225550101,c1,BE,u11,, +3225550399,c3,BE,,,")
    shutil.copytree(made.folder, tmp_path / "begun")
    return made


def killed_at_each(
    killing: Injector, folders: Folders, begun: Path, which: Callable[[list[Point]], list[Point]]
) -> int:
    """Kill a sync at some of its calls, look at what is left, and sync again; gives how often it was half done."""
    before, halves = tables(folders), 0
    points = killing.points(folders.folder, SYNC, folders.platform)
    after = tables(folders)
    assert not before.items() & after.items()
    for point in which(points):
        shutil.rmtree(folders.folder)
        shutil.copytree(begun, folders.folder)
        (ended,) = killing.start(folders.folder, SYNC, point)
        assert ended.status == -signal.SIGKILL, point
        if tables(folders) not in (before, after):
            halves += 1
            assert centime("check", "platform", folder=folders.folder).status == 2, point
        assert centime(*SYNC, folder=folders.folder).status == 0, point
        assert tables(folders) == after, point
        assert [*folders.platform.rglob("*.writing")] == [], point
        assert folders.show().status == 0, point
    return halves


def test_sync__killed_around_its_renames_leaves_the_old_state_or_is_finished(
    killing: Injector, folders: Folders, tmp_path: Path
) -> None:
    def around_renames(points: list[Point]) -> list[Point]:
        places = [place for place, point in enumerate(points) if point.name == "rename"]
        assert len(places) == 3  # the sync's folder, then the two tables
        return [points[place] for place in (places[0], places[0] + 1, places[1] + 1)]

    assert killed_at_each(killing, folders, tmp_path / "begun", around_renames)


@pytest.mark.soak
def test_sync__killed_at_every_call_leaves_the_old_state_or_is_finished(
    killing: Injector, folders: Folders, tmp_path: Path
) -> None:
    assert killed_at_each(killing, folders, tmp_path / "begun", lambda points: points)

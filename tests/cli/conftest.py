"""The stores that the tests of the command line share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.program import Place, make_place

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def no_store_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the environment a test is started in reaches the program."""
    monkeypatch.delenv("CENTIME_STORE", raising=False)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Tables and CDRs, and no store yet."""
    return make_place(tmp_path / "place")


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A store in which October and November were run; for commands that only look at it."""
    made = make_place(tmp_path_factory.mktemp("filled"))
    for period, name in (("2026-10", "october"), ("2026-11", "november")):
        done = made.run(period, "--cdrs", f"cdrs/{name}.csv")
        assert done.status == 0, done.stderr
    return made

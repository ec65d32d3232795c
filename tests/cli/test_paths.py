"""Paths are paths: a store whose name could be read as a pattern is a store like any other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.program import RUN_AT, call, make_place, write_cdrs

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.program import Place

LATE = ["read", "late.csv", "--now", "2026-11-05T10:00:00Z"]
LOOKED_AT = (
    ["explain", "pack2"],
    ["history", "pack2"],
    ["export", "rated", "2026-10", "--output", "rated.csv"],
    ["report", "2026-10", "--output", "report.html"],
    ["verify"],
    ["rerun", "2026-000001"],
    ["what-if", "2026-10", "--without-calls", "ids [1].csv"],
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Tables and calls; nothing is taken in yet."""
    made = make_place(tmp_path_factory.mktemp("paths"))
    write_cdrs(made.folder / "late.csv", call("late"), call("pack2"))
    (made.folder / "ids [1].csv").write_text("call_id\npack2\n", encoding="utf-8")
    return made


def told_with(place: Place, store: Path) -> list[tuple[int, str]]:
    """What a month, late calls and everything that looks at them give with a store; its own path is left out."""
    steps = [
        ["run", "2026-10", "--platform", "platform", "--cdrs", "cdrs", "--no-render", "--now", RUN_AT["2026-10"]],
        LATE,
        *LOOKED_AT,
    ]
    told = [place.start(*step, "--store", store) for step in steps]
    return [(each.status, (each.stdout + each.stderr).replace(str(store), "STORE")) for each in told]


def test_paths__a_store_with_the_characters_of_patterns_in_its_name(place: Place) -> None:
    usual = told_with(place, place.folder / "usual")
    assert told_with(place, place.folder / "a [1]*") == usual
    assert {status for status, _ in usual} == {0}

"""The small platform in a folder, loaded as it is or with something changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from small_platform import TABLES

from rating.sources.platform_tables import LoadedPlatform, load_platform
from schemas.errors import InputRefused, Problem
from schemas.settings import Settings
from tests.shared import tables_are_read_once

if TYPE_CHECKING:
    from pathlib import Path

    from small_platform import Load, Refuse

__all__ = ["tables_are_read_once"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with every table as CSV."""
    for table, written in TABLES.items():
        (tmp_path / f"{table}.csv").write_text(written, encoding="utf-8")
    return tmp_path


@pytest.fixture
def load(folder: Path) -> Load:
    """Load the platform; `added` are lines put behind those of a table, `changed` whole tables."""

    def loaded(
        *,
        added: dict[str, str] | None = None,
        changed: dict[str, str] | None = None,
        settings: Settings | None = None,
    ) -> LoadedPlatform:
        for table, lines in (added or {}).items():
            path = folder / f"{table}.csv"
            path.write_text(path.read_text(encoding="utf-8") + lines + "\n", encoding="utf-8")
        for table, written in (changed or {}).items():
            (folder / f"{table}.csv").write_text(written, encoding="utf-8")
        return load_platform(folder, settings or Settings())

    return loaded


@pytest.fixture
def refuse(load: Load) -> Refuse:
    """Load what must be refused; gives (table, line, column, value, expected) of each problem."""

    def refused(**arguments: object) -> list[tuple[str, int, str, str, str]]:
        with pytest.raises(InputRefused) as raised:
            load(**arguments)
        return [_short(problem) for problem in raised.value.problems]

    return refused


def _short(problem: Problem) -> tuple[str, int, str, str, str]:
    return (problem.table, problem.line, problem.column, problem.value, problem.expected)

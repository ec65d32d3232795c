"""A small month for every fault, and all that a store holds, to be compared with the store of a month without one."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

import pytest

from invoicing.ledger import Ledger
from tests.cli.program import bytes_of, make_place

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.program import Place

RUN = ["run", "2026-10", "--platform", "platform", "--cdrs", "cdrs/october.csv", "--now", "2026-11-02T10:00:00Z"]
LEDGER = re.compile(r"ledger\.duckdb.*")


def contents(store: Path) -> dict[str, object]:
    """Every file of a store with its SHA-256, and every row of its ledger."""
    found: dict[str, object] = {path: sha256 for path, sha256 in bytes_of(store).items() if not LEDGER.fullmatch(path)}
    ledger = Ledger(store / "ledger.duckdb", read_only=True)
    tables = [str(name) for (name,) in ledger.rows("select table_name from information_schema.tables order by all")]
    found |= {f"table {name}": ledger.rows(f"select * from {name} order by all") for name in tables}  # noqa: S608
    ledger.close()
    return found


def differences(found: dict[str, object], expected: dict[str, object]) -> list[str]:
    """What two stores differ in."""
    return [
        f"{name}: {found.get(name)} and not {expected.get(name)}"
        for name in sorted({*found, *expected})
        if found.get(name) != expected.get(name)
    ]


def begin_anew(place: Place, template: Path | None = None) -> None:
    """The place as it was: no store in it, or a copy of the one given."""
    shutil.rmtree(place.store, ignore_errors=True)
    if template is not None:
        shutil.copytree(template, place.store)


@pytest.fixture(scope="module")
def october(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Tables and CDRs; the paths of the CDRs are kept in the ledger, so that each fault happens in this one folder."""
    return make_place(tmp_path_factory.mktemp("october") / "place")


@pytest.fixture(scope="module")
def expected(october: Place) -> dict[str, object]:
    """What the month leaves that nothing disturbs."""
    begin_anew(october)
    done = october.start(*RUN)
    assert done.status == 0, done.stderr
    return contents(october.store)

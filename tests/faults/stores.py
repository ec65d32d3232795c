"""A small month for every fault, and all that a store holds, to be compared with the store of a month without one."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from invoicing.ledger import Ledger
from tests.cli.program import bytes_of, make_place

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.program import Place

NOW = ["--now", "2026-11-02T10:00:00Z"]
READ = ["read", "cdrs/october.csv", *NOW]
RUN = ["run", "2026-10", "--platform", "platform", "--cdrs", "cdrs/october.csv", *NOW]
LEDGER = "ledger.duckdb"


@dataclass(frozen=True, slots=True)
class Step:
    """A part of the month that faults happen in.

    Attributes:
        name: What it does.
        command: What is started, and started again.
        begun: The store it finds; None for none.
        expected: What it leaves where nothing disturbs it.
    """

    name: str
    command: list[str]
    begun: Path | None
    expected: dict[str, object]


# A fault costs what its step costs, and little of it for most: the calls that change the disk are most in the first.
STEPS = {"read": READ, "issue": [*RUN, "--no-render"], "publish": RUN}


def contents(store: Path) -> dict[str, object]:
    """Every file of a store with its SHA-256, and every row of its ledger; views hold nothing of their own."""
    found: dict[str, object] = {path: sha256 for path, sha256 in bytes_of(store).items() if path != LEDGER}
    ledger = Ledger(store / LEDGER, read_only=True)
    tables = [str(name) for (name,) in ledger.rows("select table_name from duckdb_tables() order by all")]
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


def after_rerun(place: Place, step: Step, what: object) -> list[str]:
    """What is not as in an undisturbed store once the same command was started again."""
    done = place.start(*step.command)
    if done.status != 0:
        return [f"{what}: {done.stderr}"]
    return [f"{what}: {difference}" for difference in differences(contents(place.store), step.expected)]


@pytest.fixture(scope="session")
def october(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Tables and CDRs; the paths of the CDRs are kept in the ledger, so that each fault happens in this one folder."""
    return make_place(tmp_path_factory.mktemp("october") / "place")


@pytest.fixture(scope="session")
def steps(october: Place, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Step]:
    """The month in its steps, each begun where the one before ended; and the month as a whole."""
    kept = tmp_path_factory.mktemp("steps")
    begun: Path | None = None
    found = {}
    begin_anew(october)
    for name, command in STEPS.items():
        done = october.start(*command)
        assert done.status == 0, done.stderr
        found[name] = Step(name, command, begun, contents(october.store))
        begun = shutil.copytree(october.store, kept / name)
    # All is done: a start more changes nothing.
    found["done"] = Step("done", RUN, begun, contents(october.store))
    begin_anew(october)
    done = october.start(*RUN)
    assert done.status == 0, done.stderr
    found["run"] = Step("run", RUN, None, contents(october.store))
    return found

"""The store of the sample's three months, made once for all that is explained of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.explanations.desks import desk_at, each_run_once
from tests.golden.sample_run import RUNS, SAMPLE
from tests.properties.test_second_reading import in_this_process
from tests.shared import empty_ledger, ledgers_begin_as_copies, made_once, tables_are_read_once

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from invoicing.desk import Desk

__all__ = ["empty_ledger", "ledgers_begin_as_copies", "tables_are_read_once"]


@pytest.fixture(scope="session")
def sample_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample's months, run without documents."""

    def make(folder: Path) -> None:
        common = ["--config", str(SAMPLE / "centime.toml"), "--store", str(folder / "store"), "--no-render", "--json"]
        runs = []
        for period, now in RUNS.items():
            inputs = ["--platform", str(SAMPLE / period / "platform"), "--cdrs", str(SAMPLE / period / "cdrs")]
            runs.append(["run", period, *inputs, "--now", now, *common])
        in_this_process(runs)

    return made_once(tmp_path_factory, "sample", make) / "store"


@pytest.fixture(scope="module", autouse=True)
def explained_run_by_run() -> Iterator[None]:
    """What all invoices of a run are explained from is made once."""
    with each_run_once():
        yield


@pytest.fixture(scope="session")
def sample(sample_store: Path) -> Iterator[Desk]:
    """A desk at that store."""
    with desk_at(sample_store) as desk:
        yield desk

"""The store of the sample's three months, made once for all that is explained of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.explanations.desks import desk_at
from tests.golden.sample_run import RUNS, SAMPLE
from tests.properties.session import in_one_process

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from invoicing.desk import Desk


@pytest.fixture(scope="session")
def sample_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample's months, run without documents."""
    store = tmp_path_factory.mktemp("sample") / "store"
    common = ["--config", str(SAMPLE / "centime.toml"), "--store", str(store), "--no-render", "--json"]
    in_one_process(
        [
            ["run", period, "--platform", str(SAMPLE / period / "platform"), "--cdrs", str(SAMPLE / period / "cdrs"),
             "--now", now, *common]
            for period, now in RUNS.items()
        ]
    )  # fmt: skip
    return store


@pytest.fixture(scope="session")
def sample(sample_store: Path) -> Iterator[Desk]:
    """A desk at that store."""
    with desk_at(sample_store) as desk:
        yield desk

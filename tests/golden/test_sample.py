"""The sample's three months give the same bytes, whatever the environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.golden.sample_run import GOLDEN, RUNS, TABLES, make_golden

if TYPE_CHECKING:
    from pathlib import Path

ENVIRONMENTS = [
    {"PYTHONHASHSEED": "1", "POLARS_MAX_THREADS": "1", "TZ": "Pacific/Auckland", "LC_ALL": "C"},
    {"PYTHONHASHSEED": "77", "POLARS_MAX_THREADS": "3", "TZ": "America/New_York", "LC_ALL": "C.UTF-8"},
]


@pytest.mark.parametrize(
    "environment",
    [
        pytest.param(ENVIRONMENTS[0], id="one thread"),
        pytest.param(ENVIRONMENTS[1], id="three threads", marks=pytest.mark.soak),
    ],
)
def test_sample__every_export_is_golden_to_the_byte(environment: dict[str, str], tmp_path: Path) -> None:
    make_golden(tmp_path / "store", tmp_path, environment)
    for period in RUNS:
        for table in TABLES:
            made = (tmp_path / period / f"{table}.csv").read_text()
            assert made == (GOLDEN / period / f"{table}.csv").read_text(), f"{table} {period}"

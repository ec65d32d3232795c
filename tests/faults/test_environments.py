"""The month in environments of many kinds: hash seeds, threads, locales, time zones; one hash of all that it leaves."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import random
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.faults.stores import RUN, begin_anew, contents
from tests.golden.sample_run import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.program import Place
    from tests.faults.stores import Step

ZONES = ("UTC", "Pacific/Auckland", "America/New_York", "Asia/Kathmandu", "Nowhere/Atall", "")
# A process is started for each of these, documents are made by one that it starts; for the others it forks itself.
STARTED = {
    "PYTHONHASHSEED": ("0", "1", "77", "4294967295"),
    "LC_ALL": ("C", "C.UTF-8", "POSIX", "tr_TR.UTF-8", "fr_BE.ISO-8859-1", ""),
    "TZ": ZONES,
}
FORKED = {"POLARS_MAX_THREADS": ("1", "2", "3", "8"), "TZ": ZONES}
# Documents are made in the first environment of each start: that takes longer than all else.
NO_DOCUMENTS = ["--no-render"]
QUICK, SOAK = (3, 4), (12, 8)


def drawn(kinds: dict[str, tuple[str, ...]], count: int, rng: random.Random) -> list[dict[str, str]]:
    """So many environments, each kind of each variable among them as far as they go."""
    columns = {name: itertools.cycle(rng.sample(values, len(values))) for name, values in kinds.items()}
    return [{name: next(values) for name, values in columns.items()} for _ in range(count)]


def hash_of(found: dict[str, object]) -> str:
    """One hash of all that a store holds."""
    return hashlib.sha256(json.dumps(found, sort_keys=True, default=str).encode()).hexdigest()


@pytest.mark.parametrize(
    ("started", "forked"),
    [pytest.param(*QUICK, id="quick"), pytest.param(*SOAK, id="soak", marks=pytest.mark.soak)],
)
def test_run__gives_the_same_bytes_in_every_environment(
    started: int, forked: int, october: Place, steps: dict[str, Step], tmp_path: Path
) -> None:
    rng, found = random.Random(20261007), []
    for environment in drawn(STARTED, started, rng):
        environments = drawn(FORKED, forked, rng)
        # Not even the help of Python against an ASCII locale.
        helped = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "OPENBLAS_NUM_THREADS": "1"}
        done = subprocess.run(
            [sys.executable, "-m", "tests.faults.environments", str(october.folder), str(tmp_path / "hash")],
            cwd=REPOSITORY, env={**os.environ, **helped, **environment}, capture_output=True, text=True, check=False,
            input=json.dumps([(one, NO_DOCUMENTS if place else []) for place, one in enumerate(environments)]),
        )  # fmt: skip
        assert done.returncode == 0, f"{environment}: {done.stderr}"
        found += [(environment, *one) for one in json.loads(done.stdout)]
    print(f"{len(found)} environments")  # noqa: T201 - a count
    assert len(found) == started * forked
    begin_anew(october)
    assert october.start(*RUN, *NO_DOCUMENTS).status == 0
    expected = {True: hash_of(contents(october.store)), False: hash_of(steps["run"].expected)}
    assert [one for one in found if one[-1] != expected[one[-2] == NO_DOCUMENTS]] == []


def test_contents__of_another_month_have_another_hash(steps: dict[str, Step]) -> None:
    assert hash_of(steps["run"].expected) != hash_of(steps["issue"].expected)

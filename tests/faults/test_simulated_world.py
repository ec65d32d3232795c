"""Two years of a small operator in which everything goes wrong: the same as without it, and as the second reading."""

from __future__ import annotations

import shutil
from itertools import zip_longest
from typing import TYPE_CHECKING

import pytest

from tests.faults.world_killed import Killer, killing
from tests.faults.world_lived import Faults, Life, exports, kept, start
from tests.faults.world_operator import draw_operator
from tests.properties.test_second_reading import comparable, told_apart
from tests.second_reading.months import before
from tests.second_reading.reading import read_months
from tests.second_reading.tables import TABLES, export

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.properties.worlds import World

Cells = dict[str, str]
QUICK_SEEDS = range(5)
SEEDS = [*QUICK_SEEDS, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(len(QUICK_SEEDS), 2_000))]
# A month costs most of a second of processor: of the quick seeds one alone is lived undisturbed too.
QUICK_UNDISTURBED = 0


@pytest.fixture(scope="module")
def killer() -> Iterator[Killer]:
    with killing() as found:
        yield found


@pytest.mark.parametrize("seed", SEEDS)
def test_world__is_as_the_second_reading_has_it_whatever_goes_wrong(seed: int, killer: Killer, tmp_path: Path) -> None:
    world = draw_operator(seed)
    world.write(tmp_path)
    periods = [before(world.months[0].period), *[month.period for month in world.months]]
    disturbed = Life(world, tmp_path, tmp_path / "disturbed")
    disturbed.live(Faults(killer))
    print(f"seed {seed}: {dict(sorted(disturbed.done.items()))}")  # noqa: T201 - a count
    found = exports(disturbed.store, periods)
    assert differences(world, found) == []
    assert start("verify", store=disturbed.store, config=tmp_path / "config.toml") == 0
    if seed == QUICK_UNDISTURBED or seed not in QUICK_SEEDS:
        undisturbed = Life(world, tmp_path, tmp_path / "undisturbed")
        undisturbed.live()
        assert kept(disturbed.store) == kept(undisturbed.store)
        assert found == exports(undisturbed.store, periods)
    shutil.rmtree(tmp_path)  # many worlds need much room


def differences(world: World, found: dict[tuple[str, str], list[Cells]]) -> list[str]:
    """The first row of each table and period in which the program and the second reading differ."""
    second = read_months(world.months, world.settings)
    told = []
    for (table, period), rows in found.items():
        assert table in TABLES
        program, reading = ([comparable(row) for row in side] for side in (rows, export(second, table, period)))
        if table in ("files", "quarantine"):  # sorted by paths, of which only the last parts are compared
            program, reading = (sorted(side, key=lambda row: sorted(row.items())) for side in (program, reading))
        for number, (one, other) in enumerate(zip_longest(program, reading), start=1):
            if one != other:
                told.append(f"{table} {period}, row {number}:\n  {told_apart(one, other)}")
                break
    return told

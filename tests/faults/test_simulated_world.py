"""Two years of a small operator in which everything goes wrong: the same as without it, and as the second reading."""

from __future__ import annotations

import shutil
from itertools import zip_longest
from typing import TYPE_CHECKING

import pytest

from tests.faults.world_killed import Killer, killing
from tests.faults.world_lived import Faults, Life, exports, kept, start
from tests.faults.world_operator import MONTHS, draw_operator
from tests.properties.test_second_reading import comparable, told_apart
from tests.second_reading.months import before
from tests.second_reading.tables import TABLES, export

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.faults.injected import Ready

Cells = dict[str, str]
# A month costs a second of processor. Of the quick seeds one is lived for all of its months, one undisturbed too; in
# these months everything goes wrong somewhere that can (`-rP` shows what), in the second a rating with old tables.
QUICK_MONTHS = {0: MONTHS, 1: 6, 2: 3, 3: 3, 4: 3}
QUICK_UNDISTURBED = 1
WORLDS = [
    *((seed, months, seed == QUICK_UNDISTURBED) for seed, months in QUICK_MONTHS.items()),
    *(pytest.param(seed, MONTHS, True, marks=pytest.mark.soak) for seed in range(1, 2_001)),
]


@pytest.fixture(scope="module")
def killer(ready: Ready) -> Iterator[Killer]:
    with killing(ready) as found:
        yield found


@pytest.mark.parametrize(("seed", "months", "undisturbed_too"), WORLDS)
def test_world__is_as_the_second_reading_has_it_whatever_goes_wrong(
    seed: int, months: int, undisturbed_too: bool, killer: Killer, tmp_path: Path
) -> None:
    world = draw_operator(seed, months)
    world.write(tmp_path)
    periods = [before(world.months[0].period), *[month.period for month in world.months]]
    disturbed = Life(world, tmp_path, tmp_path / "disturbed")
    disturbed.live(Faults(killer))
    print(f"seed {seed}: {dict(sorted(disturbed.done.items()))}")  # noqa: T201 - a count
    found = exports(disturbed.store, periods)
    assert differences(disturbed, found) == []
    assert start("verify", store=disturbed.store, config=tmp_path / "config.toml") == 0
    if undisturbed_too:
        undisturbed = Life(world, tmp_path, tmp_path / "undisturbed")
        undisturbed.live()
        assert kept(disturbed.store) == kept(undisturbed.store)
        assert found == exports(undisturbed.store, periods)
    shutil.rmtree(tmp_path)  # many worlds need much room


def differences(life: Life, found: dict[tuple[str, str], list[Cells]]) -> list[str]:
    """The first row of each table and period in which the program and the second reading differ."""
    told = []
    for (table, period), rows in found.items():
        assert table in TABLES
        program, reading = ([comparable(row) for row in side] for side in (rows, export(life.second, table, period)))
        if table in ("files", "quarantine"):  # sorted by paths, of which only the last parts are compared
            program, reading = (sorted(side, key=lambda row: sorted(row.items())) for side in (program, reading))
        for number, (one, other) in enumerate(zip_longest(program, reading), start=1):
            if one != other:
                told.append(f"{table} {period}, row {number}:\n  {told_apart(one, other)}")
                break
    return told

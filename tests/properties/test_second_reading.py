"""The program against the second reading: three months of a random world, every cell of every export."""

from __future__ import annotations

import csv
import sys
import tempfile
from itertools import product, zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from invoicing.exports import export as export_table
from invoicing.rerunning import rerun_invoice
from rating.periods import Period
from rating.sources.settings_file import load_settings
from tests.cli.program import centime
from tests.properties.session import in_one_process, make_small, started
from tests.properties.worlds import World, draw_world
from tests.rules.disputes import desk_at
from tests.second_reading.months import before
from tests.second_reading.reading import Store, read_months
from tests.second_reading.tables import TABLES, export

if TYPE_CHECKING:
    from collections.abc import Callable

Cells = dict[str, str]
# One of each kind in quick; the two below and `tests/faults/test_simulated_world.py` hold more worlds against it.
QUICK_SEEDS, SOAK_SEEDS = range(1), range(1, 5)
LEFT_OUT = {"description", "detail", "record"}
HEADERS = {
    "rated": "call_id customer_id user_id start period direction caller callee zone_id duration_s billable_s "
    "pack_s charged_s rate_micro_per_min setup_micro amount_cents deck_id deck_version invoice_number",
    "lines": "invoice_number line_no customer_id kind product_id zone_id traffic_period rule "
    "description service_from service_to quantity unit_price net_cents vat_category vat_rate",
    "invoices": "invoice_number customer_id period invoice_date due_date net_cents vat_cents gross_cents "
    "status supersedes structured_communication",
    "user_counts": "customer_id period configured billed reserved reference",
    "packs_used": "customer_id user_id product_id period allowance_s used_s calls",
    "files": "source_file sha256 records accepted unanswered duplicate quarantined skipped "
    "skipped_by_reason source_format",
    "quarantine": "call_id reason source_file source_line detail record",
}


@pytest.mark.parametrize("seed", [*QUICK_SEEDS, *(pytest.param(seed, marks=pytest.mark.soak) for seed in SOAK_SEEDS)])
def test_second_reading__every_export_is_the_same(seed: int, tmp_path: Path) -> None:
    compare(draw_world(seed), tmp_path, in_this_process)


def test_second_reading__each_run_in_a_process_of_its_own(tmp_path: Path) -> None:
    compare(draw_world(1), tmp_path, one_by_one)


@pytest.mark.parametrize("seed", [100])
def test_second_reading__in_many_small_pieces(seed: int, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        make_small(patch.setattr)
        compare(draw_world(seed), tmp_path, in_this_process)


@pytest.mark.soak
@settings(max_examples=400, derandomize=False, print_blob=True)
@given(seed=st.integers(min_value=0, max_value=2**32))
def test_second_reading__hundreds_of_worlds(seed: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        compare(draw_world(seed), Path(folder), in_this_process)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(5))
def test_second_reading__thousands_of_calls(seed: int, tmp_path: Path) -> None:
    compare(draw_world(seed, calls=6_000), tmp_path, in_one_process)


@pytest.mark.parametrize("seed", [201])
def test_rerun__an_invoice_of_a_world_is_made_again_with_the_same_figures(seed: int, tmp_path: Path) -> None:
    rerun_all(draw_world(seed), tmp_path, every=6)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(202, 250))
def test_rerun__every_invoice_of_many_worlds(seed: int, tmp_path: Path) -> None:
    rerun_all(draw_world(seed), tmp_path)


def rerun_all(world: World, folder: Path, every: int = 1) -> None:
    """Run the program on a world and make each of its invoices again, or one in so many."""
    world.write(folder)
    in_this_process(runs(world, folder))
    with desk_at(folder / "store", load_settings(folder / "config.toml"), world.months[-1].now) as desk:
        numbers = [number for (number,) in desk.ledger.rows("select invoice_number from invoices order by all")]
        assert numbers
        for number in numbers[::every]:
            differences = rerun_invoice(desk, str(number), None).differences
            assert differences.is_empty(), f"world of seed {world.seed}, invoice {number}\n{differences.rows()}"


def compare(world: World, folder: Path, start: Callable[[list[list[str]]], object]) -> None:
    """Run the program on a world and hold every table of every period against the second reading."""
    world.write(folder)
    (folder / "exports").mkdir()
    start(runs(world, folder))
    periods = [before(world.months[0].period), *[month.period for month in world.months]]
    with desk_at(folder / "store", load_settings(folder / "config.toml"), world.months[-1].now) as desk:
        for period, table in product(periods, TABLES):
            export_table(desk, table, Period.parse(period), exported(folder, table, period))
    second = read_months(world.months, world.settings)
    differences = [
        difference
        for period in periods
        for table in TABLES
        if (difference := first_difference(second, table, period, exported(folder, table, period)))
    ]
    assert not differences, f"world of seed {world.seed}\n" + "\n".join(differences)


def runs(world: World, folder: Path) -> list[list[str]]:
    """The three monthly runs."""
    commands = []
    for month in world.months:
        inputs = folder / month.period
        options = ["--platform", str(inputs / "platform"), "--cdrs", str(inputs / "cdrs"), "--now", month.now]
        commands.append(["run", month.period, *options, "--no-render", "--json", *common(folder)])
    return commands


def common(folder: Path) -> list[str]:
    return ["--store", str(folder / "store"), "--config", str(folder / "config.toml")]


def exported(folder: Path, table: str, period: str) -> Path:
    return folder / "exports" / f"{table}-{period}.csv"


def one_by_one(commands: list[list[str]]) -> None:
    """Each run after a start of its own."""
    for arguments in commands:
        started([sys.executable, "-m", "cli", *arguments])


def in_this_process(commands: list[list[str]]) -> None:
    """All of them; each must end with 0, or with 1: done, with something to look at."""
    for arguments in commands:
        told = centime(*arguments)
        assert told.status in (0, 1), f"{' '.join(arguments)}\n{told.stderr}"


def first_difference(second: Store, table: str, period: str, path: Path) -> str:
    """The first row in which an export differs, with both sides; nothing where all is the same."""
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        program = [comparable(row) for row in reader]
        header = " ".join(reader.fieldnames or [])
    if header != HEADERS[table]:
        return f"{table} {period}: columns {header}"
    reading = [comparable(row) for row in export(second, table, period)]
    if table in ("files", "quarantine"):  # sorted by paths, of which only the last parts are compared
        program, reading = (sorted(rows, key=lambda row: sorted(row.items())) for rows in (program, reading))
    for number, (one, other) in enumerate(zip_longest(program, reading), start=1):
        if one != other:
            return f"{table} {period}, row {number}:\n  {told_apart(one, other)}"
    return ""


def comparable(row: Cells) -> Cells:
    """A row without what each side may word in its own way."""
    kept = {name: cell for name, cell in row.items() if name not in LEFT_OUT}
    if "source_file" in kept:
        kept["source_file"] = kept["source_file"].rpartition("/")[2]
    return kept


def told_apart(one: Cells | None, other: Cells | None) -> str:
    """The cells that differ first, then both rows."""
    cells = ""
    if one and other:
        names = [name for name in one if one[name] != other.get(name)]
        cells = ", ".join(f"{name}: program {one[name]!r}, reading {other.get(name)!r}" for name in names)
    return f"{cells}\n  program: {one}\n  reading: {other}"

"""The bench itself, small: what it makes is what it says, and whoever is beside the program gives its amounts."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import polars as pl
import pytest

from tests.bench import report, side_by_side
from tests.bench.calls import COLUMNS, call_ids, late_calls, month_files
from tests.bench.figures import figure_of, not_run
from tests.bench.generate import write_records
from tests.bench.measure import Cost, measured
from tests.bench.month import Month, generated
from tests.bench.parties import Size, World, build_world
from tests.bench.price_book import PERIOD
from tests.bench.texts import FORMATS, parse_with_polars, parse_with_sources
from tests.cli.program import centime

if TYPE_CHECKING:
    from pathlib import Path

SMALL = Size(calls=3_000, customers=40, users=200, prefixes=900)


@pytest.fixture(scope="module")
def world() -> World:
    return build_world(SMALL)


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Month:
    """A month that was run."""
    made = generated(tmp_path_factory.mktemp("bench"), SMALL)
    made.run()
    return made


@pytest.fixture(scope="module")
def ours(month: Month) -> pl.DataFrame:
    """What the program makes of it."""
    return side_by_side.our_totals(month)


def test_generator__same_size_and_seed_same_calls(world: World) -> None:
    again = build_world(SMALL)
    assert all(frame.equals(again.tables[name]) for name, frame in world.tables.items())
    assert [frame.hash_rows().sum() for frame in month_files(world)] == [
        frame.hash_rows().sum() for frame in month_files(again)
    ]


def test_generator__another_seed_other_calls(world: World) -> None:
    other = build_world(Size(SMALL.calls, SMALL.customers, SMALL.users, SMALL.prefixes, seed=2))
    assert next(month_files(world))["call_id"].is_in(next(month_files(other))["call_id"].implode()).sum() == 0


def test_generator__as_many_records_as_asked_each_id_once_but_for_repeats(world: World) -> None:
    records = pl.concat(month_files(world))
    repeats = records.height - records["call_id"].n_unique()
    assert (records.height, tuple(records.columns)) == (SMALL.calls, COLUMNS)
    assert 0 < repeats < SMALL.calls * 0.01


def test_generator__call_ids_are_not_repeated_in_a_large_month() -> None:
    ids = pl.concat([call_ids(1, first, 100_000) for first in (0, 1_000_000, 2_000_000)])
    assert ids.n_unique() == 300_000
    assert ids[0] != ids[1]
    assert set(ids.str.len_bytes().unique()) == {32, 45}


def test_generator__late_calls_of_few_customers_are_theirs(world: World) -> None:
    late = late_calls(world, 500, customers=3)
    numbers = world.tables["numbers"].filter(pl.col("customer_id").is_in(["C00000", "C00001", "C00002", "C00003"]))
    outgoing = late.filter(pl.col("direction") == "outgoing")
    assert outgoing.height > 300
    assert outgoing["caller"].is_in(numbers["number"].implode()).all()


def test_generator__platform_is_accepted(month: Month) -> None:
    cost = month.centime("check", str(month.platform))
    assert "no problem found" in cost.output


def test_generator__its_dirt_is_set_aside_and_the_rest_is_rated(month: Month) -> None:
    exported = {}
    for table in ("files", "quarantine", "packs_used"):
        path = month.place / f"{table}.parquet"
        assert centime("export", table, PERIOD, "-o", path, "--store", month.store).status == 0
        exported[table] = pl.read_parquet(path)
    files = exported["files"].select("records", "accepted", "unanswered", "duplicate", "quarantined").sum()
    assert files["records"].item() == SMALL.calls
    assert files["accepted"].item() > 0.97 * SMALL.calls
    assert all(0 < files[name].item() < 0.02 * SMALL.calls for name in ("unanswered", "duplicate", "quarantined"))
    reasons = set(exported["quarantine"]["reason"])
    assert {"malformed", "conflict", "future", "unknown_caller", "no_rate"} <= reasons
    drawn = exported["packs_used"].group_by("product_id").agg(pl.col("used_s").sum())
    assert drawn.filter(pl.col("used_s") > 0).height == 6


@pytest.mark.parametrize("module", side_by_side.COMPETITORS)
def test_side_by_side__same_amounts(month: Month, ours: pl.DataFrame, tmp_path: Path, module: str) -> None:
    why = side_by_side.absence(module)
    if why:
        pytest.skip(why)
    _, totals = side_by_side.compete(module, month.world, tmp_path / module)
    side_by_side.compare(ours, totals, module)
    assert ours["amount_cents"].sum() > 0
    assert ours["pack_s"].sum() > 0


def test_side_by_side__one_cent_is_another_amount(ours: pl.DataFrame) -> None:
    wrong = ours.with_columns(amount_cents=pl.col("amount_cents") + (pl.int_range(pl.len()) == 7).cast(pl.Int64))
    with pytest.raises(side_by_side.DifferentAmounts, match="gives other amounts"):
        side_by_side.compare(ours, wrong, "somebody")


@pytest.mark.parametrize("suffix", FORMATS)
def test_text__sources_and_polars_read_the_same_records(tmp_path: Path, world: World, suffix: str) -> None:
    path = tmp_path / f"calls.{suffix}"
    records = next(month_files(world))
    write_records(records, path)
    parsed = parse_with_polars(path)
    assert (parsed.height, parse_with_sources(path)) == (records.height, records.height)
    assert parsed["call_id"].equals(records["call_id"])
    assert set(parsed.dtypes) == {pl.String()}


def test_measure__memory_and_processor_of_children_count(tmp_path: Path) -> None:
    work = "held = bytearray(200_000_000); held[::4096] = b'x' * len(held[::4096]); sum(range(3_000_000))"
    child = (
        f"import subprocess, sys; subprocess.run([sys.executable, '-c', {work + '; import time; time.sleep(0.3)'!r}])"
    )
    idle = measured([sys.executable, "-c", "pass"])
    busy = measured([sys.executable, "-c", child], watched=tmp_path)
    assert idle.peak_mib is not None
    assert busy.peak_mib is not None
    assert idle.peak_mib < 100
    assert busy.peak_mib > 190
    assert busy.cpu_s > idle.cpu_s


def test_measure__folder_is_watched_while_a_command_runs(tmp_path: Path) -> None:
    watched = tmp_path / "watched"
    script = "import os, time; open('big', 'wb').write(bytes(5_000_000)); time.sleep(0.5); os.remove('big')"
    watched.mkdir()
    cost = measured([sys.executable, "-c", script], watched=watched, folder=watched)
    assert cost.peak_disk_mib == pytest.approx(5_000_000 / 2**20)


def test_report__what_was_not_run_is_written_so() -> None:
    figures = [
        figure_of("rating", "a run", Cost(12.5, 20.0, 300.0), Cost(2.5, 5.0), "copies", target="at most 12"),
        not_run("rating", "another", "no disk"),
    ]
    text = report.as_markdown(figures, {"memory": "24 GiB"})
    assert "| a run | 12.5 | 20 | 300 |  | 5 | 4 | copies | at most 12 |  |" in text
    assert "| another |  |  |  |  |  |  |  |  | not run: no disk |" in text

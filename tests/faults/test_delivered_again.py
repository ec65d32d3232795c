"""Files delivered again, renamed, split, merged, permuted, and late: the same totals, and issued invoices untouched."""

from __future__ import annotations

import itertools
import random
import shutil
from typing import TYPE_CHECKING

import polars as pl
import pytest

from invoicing.ledger import Ledger
from tests.cli.program import call, make_place, write_cdrs

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.program import Place

CALLS = 24
DELIVERIES_PER_WORLD, DELIVERIES_PER_READ = 40, 10
NOTHING_INCLUDED = {
    "subscriptions": "subscription_id,customer_id,product_id,quantity,active_from,active_to\n",
    "charges": "charge_id,customer_id,date,description,quantity,unit_price\n",
}


def delivered(rows: list[str], rng: random.Random, folder: Path, before: list[Path]) -> Path:
    """One file more: a file of before again or under another name, some rows, or all of them, in whatever order."""
    folder.mkdir(parents=True, exist_ok=True)
    kind = rng.choice(["again", "renamed", "part", "merged", "permuted"])
    target = folder / f"{kind}-{len(before)}.csv"
    if kind in ("again", "renamed") and before:
        source = rng.choice(before)
        # Again is the same name in another folder; where the name is taken, it is another one.
        again = folder / source.name
        return shutil.copyfile(source, target if kind == "renamed" or again.exists() else again)
    size = {"part": rng.randint(1, len(rows)), "merged": 2 * len(rows)}.get(kind, len(rows))
    return write_cdrs(target, *rng.sample(rows + rows, size))


def calls_of(place: Place) -> list[tuple[object, ...]]:
    """Every accepted call, without what tells from which file it came."""
    found = pl.concat(pl.read_parquet(path) for path in sorted(place.store.glob("calls/**/*.parquet")))
    return found.drop("file_no", "source_line", strict=False).sort("call_id").rows()


def wrong_world(seed: int, folder: Path, expected: list[tuple[object, ...]]) -> list[str]:
    """What differs after the same calls came in forty deliveries."""
    rng, place = random.Random(seed), make_place(folder)
    rows = [call(f"call-{number}", f"2026-10-{1 + number:02d}", duration_s=60 + number) for number in range(CALLS)]
    paths: list[Path] = []
    for day in range(DELIVERIES_PER_WORLD // DELIVERIES_PER_READ):
        for _ in range(DELIVERIES_PER_READ):
            paths.append(delivered(rows, rng, place.folder / "inbox" / str(day), paths))
        done = place.start("read", "inbox", "--now", "2026-11-02T10:00:00Z", "--json")
        if done.status != 0:
            return [f"seed {seed}: {done.stderr}"]
    write_cdrs(place.folder / "inbox" / "rest.csv", *rows)
    assert place.start("read", "inbox", "--now", "2026-11-02T10:00:00Z").status == 0
    ledger = Ledger(place.store / "ledger.duckdb", read_only=True)
    sums = ledger.rows("select sum(records), sum(accepted), sum(duplicate), sum(quarantined + unanswered) from files")
    ledger.close()
    ((records, accepted, duplicates, others),) = sums
    told = [] if (accepted, others) == (CALLS, 0) and records == accepted + duplicates else [f"{sums}"]
    return [f"seed {seed}: {what}" for what in told + ([] if calls_of(place) == expected else ["other calls"])]


@pytest.mark.parametrize("worlds", [pytest.param(5, id="quick"), pytest.param(250, id="soak", marks=pytest.mark.soak)])
def test_r_record__however_the_files_of_a_month_are_delivered_its_calls_are_the_same(
    worlds: int, tmp_path: Path
) -> None:
    once = make_place(tmp_path / "once")
    rows = [call(f"call-{number}", f"2026-10-{1 + number:02d}", duration_s=60 + number) for number in range(CALLS)]
    write_cdrs(once.folder / "inbox" / "all.csv", *rows)
    assert once.start("read", "inbox", "--now", "2026-11-02T10:00:00Z").status == 0
    expected = calls_of(once)
    assert len(expected) == CALLS
    wrong = []
    for seed in range(worlds):
        wrong += wrong_world(seed, tmp_path / str(seed), expected)
        shutil.rmtree(tmp_path / str(seed))
    print(f"{worlds * DELIVERIES_PER_WORLD} deliveries")  # noqa: T201 - a count
    assert wrong == []


def months_of(place: Place, months: int, *, late_days: int, rng: random.Random) -> list[list[tuple[object, ...]]]:
    """The traffic lines after each month's run, where a call comes up to so many days after it was made."""
    told = []
    for month in range(months):
        for number in range(8):
            made = 30 * month + 3 * number
            arrives = month + (rng.randint(1, late_days) + made % 30) // 30 if late_days else month
            year, of_year = divmod(month, 12)
            row = call(f"call-{month}-{number}", f"{2026 + year}-{of_year + 1:02d}-{1 + 3 * number:02d}")
            # All that is late has come by the last month.
            write_cdrs(place.folder / "inbox" / f"{min(arrives, months):02d}" / f"{month}-{number}.csv", row)
    for month in range(months + 1):
        year, of_year = divmod(month, 12)
        after_year, after_month = divmod(month + 1, 12)
        inbox = [str(place.folder / "inbox" / f"{one:02d}") for one in range(month + 1)]
        given = [option for path in inbox if (place.folder / path).is_dir() for option in ("--cdrs", path)]
        done = place.start(
            "run", f"{2026 + year}-{of_year + 1:02d}", "--platform", "platform", "--no-render", *given,
            "--now", f"{2026 + after_year}-{after_month + 1:02d}-02T10:00:00Z",
        )  # fmt: skip
        assert done.status == 0, done.stderr
        ledger = Ledger(place.store / "ledger.duckdb", read_only=True)
        told.append(ledger.rows("select * exclude (invoice_number) from lines order by invoice_number, line_no"))
        ledger.close()
    return told


@pytest.mark.parametrize(
    ("months", "late_days"),
    [pytest.param(2, 60, id="quick"), pytest.param(14, 400, id="soak", marks=pytest.mark.soak)],
)
def test_r_late__calls_that_come_late_cost_the_same_and_change_no_issued_invoice(
    months: int, late_days: int, tmp_path: Path
) -> None:
    in_time = make_place(tmp_path / "in time", **NOTHING_INCLUDED)
    late = make_place(tmp_path / "late", **NOTHING_INCLUDED)
    expected = months_of(in_time, months, late_days=0, rng=random.Random(1))[-1]
    told = months_of(late, months, late_days=late_days, rng=random.Random(20261006))
    for earlier, later in itertools.pairwise(told):
        assert later[: len(earlier)] == earlier
    assert traffic_cents(told[-1]) == traffic_cents(expected)
    assert traffic_cents(told[0]) != traffic_cents(expected)
    print(f"{8 * months} calls, up to {late_days} days late")  # noqa: T201 - a count


def traffic_cents(lines: list[tuple[object, ...]]) -> dict[tuple[str, str], int]:
    """What the traffic of each customer and month came to, on whatever invoices."""
    sums: dict[tuple[str, str], int] = {}
    for line in lines:
        _, customer, kind, _, _, period, *_ = line
        if kind == "traffic":
            key = str(customer), str(period)
            sums[key] = sums.get(key, 0) + int(str(line[12]))
    return sums

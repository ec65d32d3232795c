"""`centime diff`: two invoices, two periods or two stores, line by line; a difference is no error."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest

from tests.cli.conftest import copy
from tests.cli.program import SMALL, Place, bytes_of, make_place
from tests.shared import made_once

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.program import Told

MARKS = {
    "prices": "product_id,customer_id,unit_price,effective_from,notified_on\nseat,,10,2026-01-01,2026-01-01\n"
    "minutes,,2,2026-01-01,2026-01-01\n"
}


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """October and November, with services that cost something."""
    return Place(made_once(tmp_path_factory, "left", lambda folder: run_both(make_place(folder, **MARKS))))


@pytest.fixture(scope="module")
def right(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """The same months with another price of a product, one more charge, and a deck that is twice as dear."""
    dearer = {"prices": MARKS["prices"].replace("seat,,10", "seat,,12")}
    more = {"charges": f"{SMALL['charges']}h2,c3,2026-10-06,Poste,1,7\n"}
    rates = {"rates": SMALL["rates"].replace("d,33,FR,0.05", "d,33,FR,0.10")}
    tables = dearer | more | rates
    return Place(made_once(tmp_path_factory, "right", lambda folder: run_both(make_place(folder, **tables))))


def run_both(place: Place) -> None:
    for period, name in (("2026-10", "october"), ("2026-11", "november")):
        told = place.run(period, "--cdrs", f"cdrs/{name}.csv")
        assert told.status == 0, told.stderr


def compared(place: Place, *arguments: str | Path) -> Told:
    """A comparison; the store stays as it is."""
    before = bytes_of(place.store)
    told = place.start("diff", *arguments, "--json")
    assert told.status == 0, told.stderr
    assert bytes_of(place.store) == before
    return told


def lines(told: Told, *columns: str) -> list[tuple[object, ...]]:
    """These columns of the lines that differ."""
    return [tuple(row[column] for column in columns) for row in told.table("Lines that differ")]


def counts(told: Told) -> tuple[object, ...]:
    """Totals that differ, only in a, only in b, lines that are the same and that differ."""
    found = told.document["counts"]
    assert isinstance(found, dict)
    return tuple(
        found[name] for name in ("totals_differing", "only_in_a", "only_in_b", "lines_same", "lines_differing")
    )


def test_diff__what_is_the_same_is_said_to_be(left: Place, tmp_path: Path) -> None:
    backup = copy(left, tmp_path / "backup")
    for arguments in (
        ["2026-000001", "2026-000001"],
        ["2026-000001", "2026-000001", "--other-store", backup.store],
        ["2026-10", "2026-10", "--other-store", backup.store, "--calls", "calls.csv"],
        [left.store, backup.store, "--calls", "calls.csv"],
        [left.store, left.store],
    ):
        told = compared(left, *arguments)
        assert told.table("Totals that differ") == told.table("Lines that differ") == []
        same = counts(told)[3]
        assert counts(told) == (0, 0, 0, same, 0)
        assert f"all {same} lines are the same" in told.document["messages"]  # type: ignore[operator]
    assert pl.read_csv(left.folder / "calls.csv").height == 0


def test_diff__a_period_of_two_stores(left: Place, right: Place) -> None:
    told = compared(left, "2026-10", "2026-10", "--other-store", right.store, "--calls", "calls.csv")
    columns = ("customer_id", "kind", "product_id", "zone_id", "traffic_period", "service", "source_id")
    figures = ("quantity_micro_a", "quantity_micro_b", "unit_price_micro_a", "unit_price_micro_b", "net_cents_a",
               "net_cents_b", "difference_cents")  # fmt: skip
    november, seats = "2026-11-01 to 2026-11-30", 1_000_000
    expected = {
        ("c1", "recurring", "seat", None, None, november, None): (
            seats, seats, 10_000_000, 12_000_000, 1000, 1200, 200,
        ),
        ("c1", "traffic", None, "FR", "2026-10", "2026-10-01 to 2026-10-31", None): (
            381_000_000, 381_000_000, None, None, 32, 64, 32,
        ),
        ("c3", "one_off", None, None, None, "2026-10-06 to 2026-10-06", "h2"): (
            None, 1_000_000, None, 7_000_000, None, 700, 700,
        ),
    }  # fmt: skip
    assert dict(zip(lines(told, *columns), lines(told, *figures), strict=True)) == expected
    assert [
        (row["customer_id"], row["net_cents_a"], row["net_cents_b"]) for row in told.table("Totals that differ")
    ] == [
        ("c1", row_net(left, "c1"), row_net(right, "c1")),
        ("c3", None, 700),
    ]
    assert told.document["sums"]["difference_cents"] == 932  # type: ignore[index]
    calls = pl.read_csv(left.folder / "calls.csv", infer_schema=False)
    assert set(calls["zone_id_a"]) == set(calls["zone_id_b"]) == {"FR"}
    assert calls["difference_cents"].cast(pl.Int64).sum() == 32
    assert told.document["counts"]["calls_differing"] == calls.height  # type: ignore[index]
    assert told.document["files_written"] == ["calls.csv"]


def row_net(place: Place, customer_id: str) -> object:
    """The net of a customer's invoice of October, as the store exports it."""
    assert place.start("export", "invoices", "2026-10", "-o", "invoices.csv").status == 0
    invoices = pl.read_csv(place.folder / "invoices.csv")
    return invoices.filter(pl.col("customer_id") == customer_id)["net_cents"].item()


def test_diff__an_invoice_of_two_stores_and_their_order(left: Place, right: Place) -> None:
    there = compared(left, "2026-000001", "2026-000001", "--other-store", right.store)
    back = compared(right, "2026-000001", "2026-000001", "--other-store", left.store)
    columns = ("kind", "net_cents_a", "net_cents_b", "difference_cents")
    assert lines(there, *columns) == [("recurring", 1000, 1200, 200), ("traffic", 32, 64, 32)]
    assert lines(back, *columns) == [("recurring", 1200, 1000, -200), ("traffic", 64, 32, -32)]
    assert counts(there)[1:3] == (0, 0)


def test_diff__two_stores_as_a_whole(left: Place, right: Place) -> None:
    told = compared(left, left.store, right.store)
    assert {row["period"] for row in told.table("Lines that differ")} == {"2026-10", "2026-11"}
    assert (told.document["counts"]["only_in_b"], told.document["counts"]["only_in_a"]) == (1, 0)  # type: ignore[index]


def test_diff__a_period_that_only_one_store_has(left: Place, october_issued: Place) -> None:
    told = compared(left, left.store, october_issued.store, "--calls", "calls.csv")
    only = [row for row in told.table("Totals that differ") if row["net_cents_b"] is None]
    assert [(row["period"], row["customer_id"]) for row in only] == [("2026-11", "c1")]
    calls = pl.read_csv(left.folder / "calls.csv", infer_schema=False)
    assert calls["call_id"].to_list() == ["late"]


def test_diff__two_periods_are_compared_by_how_far_their_days_are_from_each(left: Place) -> None:
    told = compared(left, "2026-10", "2026-11")
    found = lines(told, "period", "kind", "traffic_period", "service", "net_cents_a", "net_cents_b")
    both = "2026-10 / 2026-11"
    assert found == [
        (both, "one_off", None, "P day 5 to P day 5", 1502, None),
        (both, "traffic", "P", "P", 32, None),
        (both, "traffic", "P-1", "P-1", None, 5),
        (both, "traffic", "P", "P", 19, None),
    ]
    # The month in advance is the same line, a month later.
    assert counts(told)[3] == 2


def test_diff__invoices_of_two_customers(right: Place) -> None:
    told = compared(right, "2026-000001", "2026-000002")
    assert {row["customer_id"] for row in told.table("Lines that differ")} == {"c1 / c3"}
    assert [row["customer_id"] for row in told.table("Totals that differ")] == ["c1 / c3"]


def test_diff__people_see_amounts_in_euro_and_no_empty_columns(left: Place, right: Place) -> None:
    told = left.start("diff", "2026-000001", "2026-000001", "--other-store", right.store)
    assert told.status == 0
    shown = " ".join(told.stdout.split())
    assert "10.00" in shown
    assert "12.00" in shown
    assert "source" not in shown
    assert f"b is 2026-000001 in {right.store}" in shown


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["2026-10", "2026-000001"], "expected two invoices or two periods, not one of each"),
        (["2026-10", "2027-01"], "2027-01: store has no such invoice and issued no such period"),
        (["nothing", "2026-10"], "nothing: store has no such invoice"),
        (["store", "nowhere"], "store: store has no such invoice"),
        (["2026-10", "2026-10", "--other-store", "nowhere"], "nowhere: there is no store"),
        (["2026-10", "2026-11", "--calls", "calls.pdf"], "calls.pdf: expected a file name that ends in"),
        (["2026-10", "2026-11", "--calls", "store/calls.csv"], "this is inside the store"),
    ],
)
def test_diff__what_cannot_be_compared_is_refused(arguments: list[str], said: str, left: Place) -> None:
    told = left.start("diff", *arguments)
    assert told.status == 2
    assert said in told.stderr

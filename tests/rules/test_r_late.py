"""R-LATE: a call is invoiced by the run of its period or by the next, on a line of its own period."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest

from invoicing.traffic import traffic_lines
from rating.periods import Period
from tests.rules.months import LATER_TABLES, NOBODYS_YET, TABLES, Cells, Months, cells
from tests.shared import made_once

if TYPE_CHECKING:
    from pathlib import Path

# October is run on the 28th; of its calls `a` and `free` are there, and `x`, which has no owner yet.
OCTOBER = f"""\
a,2026-10-10T08:00:00Z,outgoing,+3225550101,+33142685300,100,u1
free,2026-10-10T09:00:00Z,incoming,+33142685300,+3225550301,60,
x,2026-10-15T08:00:00Z,outgoing,{NOBODYS_YET},+3290012345,60,
"""
# `e` is older than `a`, `b` started after the run, `m` and `n` are November's, `gone` of a contract that is over.
NOVEMBER = """\
b,2026-10-30T08:00:00Z,outgoing,+3225550101,+33142685300,81,u1
e,2026-10-05T08:00:00Z,outgoing,+3225550101,+33142685300,50,u1
gone,2026-10-31T22:59:59Z,outgoing,+3225550201,+33142685300,60,u2
m,2026-10-31T23:00:00Z,outgoing,+3225550101,+33142685300,40,u1
n,2026-11-03T08:00:00Z,outgoing,+3225550101,+33142685300,161,u1
"""
DECEMBER = """\
f,2026-10-28T12:00:00Z,outgoing,+3225550101,+33142685300,60,u1
g,2026-11-20T08:00:00Z,outgoing,+3225550101,+33142685300,60,u1
h,2026-12-01T08:00:00Z,outgoing,+3225550101,+33142685300,61,u1
"""


@pytest.fixture(scope="module")
def months(tmp_path_factory: pytest.TempPathFactory) -> Months:
    """October, November and December of one store, with late calls in the last two."""
    return Months(made_once(tmp_path_factory, "late", make))


def make(folder: Path) -> None:
    made = Months(folder)
    made.run("2026-10", "2026-10-28T10:00:00Z", TABLES, {"october": OCTOBER})
    for table in ("rated", "lines", "invoices"):
        made.export(table, "2026-10", f"{table}-10-at-first")
    made.run("2026-11", "2026-11-30T10:00:00Z", LATER_TABLES, {"november": NOVEMBER})
    made.run("2026-12", "2026-12-31T10:00:00Z", LATER_TABLES, {"december": DECEMBER})
    for table in ("rated", "lines", "invoices", "packs_used"):
        for month in ("10", "11", "12"):
            made.export(table, f"2026-{month}", f"{table}-{month}")
    made.verify()
    told = made.done()
    assert told[-1]["exit_status"] == 0


def traffic(months: Months, name: str) -> list[tuple[str, ...]]:
    lines = [row for row in months.exported(name) if row["kind"] == "traffic"]
    return cells(lines, "customer_id", "zone_id", "traffic_period", "rule", "quantity", "net_cents")


def rated(months: Months, name: str) -> dict[str, Cells]:
    return {row["call_id"]: row for row in months.exported(name)}


def test_r_late__on_lines_of_their_own_period(months: Months) -> None:
    assert traffic(months, "lines-10-at-first") == []  # 100 s in the pack, and a call that costs nothing
    assert traffic(months, "lines-11") == [
        ("c1", "FR", "2026-10", "R-LATE", "111", "10"),  # e 30 s 3 cents, b 81 s 7 cents
        ("c1", "INFO", "2026-10", "R-LATE", "60", "100"),  # x, which could be rated only now
        ("c1", "FR", "2026-11", "R-SECOND", "141", "24"),
        ("c2", "FR", "2026-10", "R-LATE", "60", "5"),
    ]
    assert traffic(months, "lines-12") == [
        ("c1", "FR", "2026-10", "R-LATE", "60", "5"),
        ("c1", "FR", "2026-11", "R-LATE", "60", "10"),
        ("c1", "FR", "2026-12", "R-SECOND", "1", "1"),
    ]


def test_r_late__with_the_tariffs_and_packs_of_their_own_period(months: Months) -> None:
    october, november, december = (rated(months, f"rated-{month}") for month in ("10", "11", "12"))
    columns = ("pack_s", "charged_s", "rate_micro_per_min", "amount_cents", "deck_version")
    assert {call_id: cells([row], *columns)[0] for call_id, row in october.items()} == {
        "a": ("100", "0", "50000", "0", "2026-01-01"),
        "free": ("0", "60", "0", "0", ""),
        "x": ("0", "60", "1000000", "100", "2026-01-01"),
        "e": ("20", "30", "50000", "3", "2026-01-01"),  # older than a, and draws only what a left
        "b": ("0", "81", "50000", "7", "2026-01-01"),
        "gone": ("0", "60", "50000", "5", "2026-01-01"),
        "f": ("0", "60", "50000", "5", "2026-01-01"),
    }
    assert {call_id: cells([row], *columns)[0] for call_id, row in november.items()} == {
        "m": ("40", "0", "100000", "0", "2026-11-01"),
        "n": ("20", "141", "100000", "24", "2026-11-01"),
        "g": ("0", "60", "100000", "10", "2026-11-01"),
    }
    assert cells([december["h"]], *columns) == [("60", "1", "100000", "1", "2026-11-01")]


def test_r_late__packs_keep_what_was_drawn_over_all_runs(months: Months) -> None:
    used = [
        cells(months.exported(f"packs_used-{month}"), "allowance_s", "used_s", "calls") for month in ("10", "11", "12")
    ]
    assert used == [[("120", "120", "2")], [("60", "60", "2")], [("60", "60", "1")]]


def test_r_late__invoiced_calls_and_invoices_never_change(months: Months) -> None:
    before, after = rated(months, "rated-10-at-first"), rated(months, "rated-10")
    assert list(before) == ["a", "free"]
    assert before == {call_id: after[call_id] for call_id in before}
    for table in ("lines", "invoices"):
        assert months.exported(f"{table}-10-at-first") == months.exported(f"{table}-10")


def test_r_late__a_contract_that_is_over_is_invoiced_for_what_remains(months: Months) -> None:
    found = [cells(months.exported(f"invoices-{month}"), "customer_id", "net_cents") for month in ("10", "11", "12")]
    assert found == [[("c1", "0")], [("c1", "134"), ("c2", "5")], [("c1", "16")]]


def test_r_late__a_call_of_a_customer_without_a_line_is_settled_without_invoice(months: Months) -> None:
    found = rated(months, "rated-10")
    numbers = {call_id: row["invoice_number"] for call_id, row in found.items()}
    assert numbers == {
        "a": "2026-000001",
        "free": "",  # settled by October's run: November's would have found it too
        "x": "2026-000002",
        "e": "2026-000002",
        "b": "2026-000002",
        "gone": "2026-000003",
        "f": "2026-000004",
    }


@pytest.mark.parametrize(
    ("period_number", "zone_kind", "amounts", "lines"),
    [
        (202610, "international", [6, 0], [("R-SECOND", "2026-10", "2026-10-01", "2026-10-31", 120, 6)]),
        (202609, "international", [6, 1], [("R-LATE", "2026-09", "2026-09-01", "2026-09-30", 120, 7)]),
        (202512, "international", [1, 0], [("R-LATE", "2025-12", "2025-12-01", "2025-12-31", 120, 1)]),
        (202610, "international", [0, 0], []),  # a line exists where the sum is above 0
        (202610, None, [0, 0], []),
        (202609, "emergency", [6, 6], []),
    ],
)
def test_r_late__one_line_for_each_zone_and_period(
    period_number: int, zone_kind: str | None, amounts: list[int], lines: list[tuple[object, ...]]
) -> None:
    calls = pl.DataFrame(
        {"customer_id": "c1", "period_number": period_number, "zone_id": "Z", "zone_kind": zone_kind,
         "charged_s": 60, "amount_cents": amounts},
        schema_overrides={"period_number": pl.Int32, "zone_kind": pl.String},
    )  # fmt: skip
    found = traffic_lines(calls, Period.parse("2026-10")).select(
        "rule", "traffic_period", pl.col("service_from", "service_to").cast(pl.String),
        pl.col("quantity_micro") // 1_000_000, "net_cents",
    )  # fmt: skip
    assert found.rows() == lines

"""R-CAP: within a quarter the users billed never fall more than 10 % below where the quarter began."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest

from invoicing.user_cap import capped_users, rebuild_before
from rating.periods import Period
from rating.services import service_rows
from tests.rules.tables import bill, every_month, lines_of, run_months, staff, tables, words

if TYPE_CHECKING:
    from pathlib import Path

MONTHS = ["2026-09", "2026-10", "2026-11", "2026-12", "2027-01"]


@pytest.mark.parametrize(
    ("configured", "reference", "rounding", "billed"),
    [
        (85, 100, "floor", 90),
        (90, 100, "floor", 90),
        (91, 100, "floor", 91),
        (85, 90, "floor", 85),
        (120, 100, "floor", 120),
        (0, 10, "floor", 9),
        (0, 9, "floor", 9),  # with 9 or fewer there is no reduction
        (0, 1, "floor", 1),
        (0, 0, "floor", 0),
        (0, 19, "floor", 18),
        (0, 9, "ceil", 8),
        (0, 1, "ceil", 0),
        (0, 10, "ceil", 9),
        (0, 11, "ceil", 9),
        (0, 0, "ceil", 0),
        (5, 0, "ceil", 5),
    ],
)
def test_r_cap__never_more_than_a_tenth_below(configured: int, reference: int, rounding: str, billed: int) -> None:
    counts = pl.DataFrame({"configured": [configured], "reference": [reference]})
    assert counts.select(capped_users(pl.col("configured"), pl.col("reference"), rounding)).item() == billed


SEQUENCES = [
    # configured from September to January -> billed
    ([100, 85, 90, 88, 85], [100, 90, 90, 90, 85]),
    ([100, 120, 100, 100, 100], [100, 120, 100, 100, 100]),  # growth does not raise the floor within the quarter
    ([100, 0, 0, 0, 0], [100, 90, 90, 90, 81]),  # the next quarter begins where this one ended
    ([100, 150, 150, 150, 130], [100, 150, 150, 150, 135]),
    ([100, 150, 80, 80, 80], [100, 150, 90, 90, 81]),
    ([9, 0, 0, 0, 0], [9, 9, 9, 9, 9]),
    ([10, 0, 0, 0, 0], [10, 9, 9, 9, 9]),
    ([0, 5, 0, 3, 0], [0, 5, 0, 3, 3]),
]


def test_r_cap__month_by_month(tmp_path: Path) -> None:
    customers = {f"c{number}": sequence for number, sequence in enumerate(SEQUENCES, start=1)}
    users = [
        staff({"2026-07": configured[0], **dict(zip(MONTHS, configured, strict=True))}, customer=customer)
        for customer, (configured, _) in customers.items()
    ]
    platform = tables(
        customers="; ".join(customers),
        contracts="; ".join(f"{c} 2026-07-01" for c in customers),
        users="; ".join(users),
    )
    issued = run_months(tmp_path / "store", dict.fromkeys(MONTHS, platform))
    for customer, (configured, billed) in customers.items():
        assert issued.counts("configured", customer) == configured
        assert issued.counts("billed", customer) == billed
        quarter = [billed[0], billed[0], billed[0], billed[3]]
        assert issued.counts("reference", customer)[1:] == quarter
        assert issued.counts("reserved", customer) == [b - c for b, c in zip(billed, configured, strict=True)]
    assert issued.words("2026-10", "user_cap")[0] == "user_cap seat 2026-11-01..2026-11-30 5 155.00 R-CAP"
    assert issued.words("2026-12", "user_cap")[0] == "user_cap seat 2027-01-01..2027-01-31 2 62.00 R-CAP"


def test_r_cap__the_switch_ceil_lets_a_started_ten_go(tmp_path: Path) -> None:
    platform = tables(users=staff({"2026-07": 9, "2026-10": 0}))
    issued = run_months(tmp_path / "store", dict.fromkeys(MONTHS, platform), cap_rounding="ceil")
    assert issued.counts("billed") == [9, 8, 8, 8, 7]


FIRST_QUARTERS = {
    # users from July on, 25 contracted -> billed to November
    "c1": ({"2026-07": 20, "2026-08": 30, "2026-09": 10}, [25, 30, 23, 21, 21]),  # 25 - 2, then 23 - 2
    "c2": ({"2026-07": 40, "2026-08": 10, "2026-10": 33}, [40, 36, 36, 33, 33]),
    "c3": ({"2026-08": 30, "2026-09": 10}, [30, 27, 25, 25]),
    "c4": ({"2026-09": 30, "2026-10": 10}, [30, 27, 27]),  # the quarter before is that first invoice
}


def test_r_cap__the_first_quarter_of_a_contract(tmp_path: Path) -> None:
    platform = tables(
        customers="; ".join(FIRST_QUARTERS),
        contracts="; ".join(f"{customer} {min(counts)}-10" for customer, (counts, _) in FIRST_QUARTERS.items()),
        contract_items="; ".join(f"seat 25 {customer}" for customer in FIRST_QUARTERS),
        users="; ".join(staff(counts, customer=customer) for customer, (counts, _) in FIRST_QUARTERS.items()),
    )
    issued = run_months(tmp_path / "store", every_month("2026-07", 5, platform))
    assert {customer: issued.counts("billed", customer) for customer in FIRST_QUARTERS} == {
        customer: billed for customer, (_, billed) in FIRST_QUARTERS.items()
    }


def october(users: str, prices: str = "", contract: str = "c1 2026-07-01", period: str = "2026-10") -> list[str]:
    found = bill(tables(users=users, prices=prices, contracts=contract), period)
    return [
        " ".join(line.split()[1:5]).replace(" 2026-11-01..2026-11-30", "") for line in words(found.lines, "user_cap")
    ]


def gone(number: int, product: str, stem: str) -> str:
    return f"{stem}1..{stem}{number} {product} 2026-07-01 2026-10-05"


def stay(number: int, product: str, stem: str) -> str:
    return f"{stem}1..{stem}{number} {product} 2026-07-01"


# 20 billed, 10 there: 8 reserved.
HALF_LEFT = [gone(5, "seat", "a"), stay(5, "seat", "b"), gone(5, "desk", "c"), stay(5, "desk", "d")]


@pytest.mark.parametrize(
    ("users", "prices", "lines"),
    [
        # The cheaper ones first, each up to what it lost.
        (HALF_LEFT, "", ["desk 5 50.00", "seat 3 93.00"]),
        (HALF_LEFT, "desk 31.01 2020-01-01", ["desk 3 93.03", "seat 5 155.00"]),
        # The price of the first day of November decides and is charged; the contract's own where there is one.
        (HALF_LEFT, "desk 10 2020-01-01; desk 40 2026-11-01", ["desk 3 120.00", "seat 5 155.00"]),
        (HALF_LEFT, "desk 10 2020-01-01; desk 40 2026-11-02", ["desk 5 50.00", "seat 3 93.00"]),
        (HALF_LEFT, "seat 31 2020-01-01; seat 9 2020-01-01 c1", ["desk 3 30.00", "seat 5 45.00"]),
        # The same price: the lower product_id.
        (
            [gone(5, "bench", "a"), stay(5, "seat", "b"), gone(5, "desk", "c"), stay(5, "desk", "d")],
            "",
            ["bench 5 50.00", "desk 3 30.00"],
        ),
        # What grew is no place for reserved users: seat 10 -> 2, desk 10 -> 12.
        (
            [gone(8, "seat", "a"), stay(2, "seat", "b"), stay(10, "desk", "c"), "d1..d2 desk 2026-10-05"],
            "",
            ["seat 4 124.00"],
        ),
        # A change of product is free.
        (["a1..a10 seat 2026-07-01 2026-10-05; a1..a10 desk 2026-10-05", stay(10, "seat", "b")], "", []),
        (["a1..a10 seat 2026-07-01 2026-10-05; a1..a9 desk 2026-10-05", stay(10, "seat", "b")], "", []),
        (["a1..a10 seat 2026-07-01 2026-10-05; a1..a6 desk 2026-10-05", stay(10, "seat", "b")], "", ["seat 2 62.00"]),
    ],
)
def test_r_cap__on_the_products_that_shrank(users: list[str], prices: str, lines: list[str]) -> None:
    assert october("; ".join(users), prices) == lines


def test_r_cap__reserved_users_count_as_billed_by_their_product(tmp_path: Path) -> None:
    # In October 8 are reserved, 5 desks and 3 seats; in November 3 desks come, which take the place of desks.
    platform = tables(users=f"{'; '.join(HALF_LEFT)}; e1..e3 desk 2026-11-12")
    issued = run_months(tmp_path / "store", {"2026-10": platform, "2026-11": platform})
    assert issued.words("2026-11", "user_cap") == [
        "user_cap desk 2026-12-01..2026-12-31 2 20.00 R-CAP",
        "user_cap seat 2026-12-01..2026-12-31 3 93.00 R-CAP",
    ]


@pytest.mark.parametrize(
    ("ends_on", "lines"),
    [
        ("2026-12-01", ["seat 9 279.00"]),
        ("2026-11-16", ["seat 2026-11-01..2026-11-15 9 139.50"]),
        ("2026-11-02", ["seat 2026-11-01..2026-11-01 9 9.30"]),
        ("2026-11-01", []),  # the cap lasts as long as the contract
        ("2026-10-20", []),
    ],
)
def test_r_cap__ends_with_the_contract(ends_on: str, lines: list[str]) -> None:
    assert october(gone(10, "seat", "a"), contract=f"c1 2026-07-01 {ends_on}") == lines


def test_r_cap__users_outside_the_contract_do_not_count() -> None:
    assert october("a1..a30 seat 2026-01-01 2026-07-01") == []  # all gone on the contract's first day
    assert october("a1..a30 seat 2026-01-01 2026-07-02") == []  # there for one day, not at the month's end


HISTORY = {"2026-01": 31, "2026-02": 12, "2026-03": 44, "2026-04": 20, "2026-05": 55, "2026-06": 30, "2026-07": 9}


def test_r_cap__a_store_that_begins_in_any_month_bills_the_same_users(tmp_path: Path) -> None:
    platform = tables(
        contracts="c1 2026-01-20; c2 2026-03-01 2026-06-10",
        contract_items="seat 35; bench 3; seat 12 c2",
        users=f"{staff(HISTORY)}; {staff({'2026-02': 9, '2026-04': 2, '2026-06': 6}, 'desk')}; "
        f"{staff({'2026-03': 10, '2026-05': 1}, customer='c2')}",
    )
    every = run_months(tmp_path / "every", every_month("2026-01", 8, platform))
    assert every.counts("billed") == [38, 35, 53, 48, 57, 48, 44, 44]
    assert len(every.counts("billed", "c2")) == 3
    rows = service_rows(platform)
    for month in range(2, 9):
        rebuilt = rebuild_before(Period(2026, month), pl.Series(["c1", "c2"]), rows, platform, cap_rounding="floor")
        issued = every.user_counts.filter(pl.col("period") == f"2026-{month - 1:02}").drop("period")
        assert rebuilt.counts.rows() == issued.select(rebuilt.counts.columns).sort("customer_id").rows()
    fifth = run_months(tmp_path / "fifth", every_month("2026-05", 2, platform))
    for period in ("2026-05", "2026-06"):
        for kinds in (["recurring"], ["user_cap"]):
            assert fifth.words(period, *kinds) == every.words(period, *kinds)


def test_r_cap__a_customer_of_whom_there_is_no_invoice_is_rebuilt(tmp_path: Path) -> None:
    # In October the tables have nothing of c1; in November they have twenty users since January, ten of them gone.
    nothing = tables(contracts="c1 2026-01-01", users="u1 desk 2026-01-01 _ c2")
    users = "; ".join(f"s{n} seat 2026-01-01 {'2026-11-10' if n < 10 else '_'}" for n in range(20))
    november = tables(contracts="c1 2026-01-01", users=users)
    issued = run_months(tmp_path / "store", {"2026-10": nothing, "2026-11": november})
    counts = issued.user_counts.filter(customer_id="c1", period="2026-11").select(
        "configured", "billed", "reserved", "reference"
    )
    assert counts.rows() == [(10, 18, 8, 20)]


def test_r_cap__an_end_that_is_taken_back_leaves_what_the_quarter_began_with(tmp_path: Path) -> None:
    users = staff({"2026-01": 10})
    over = tables(contracts="c1 2026-01-01 2026-11-01", users=users)
    fewer = tables(contracts="c1 2026-01-01", users=staff({"2026-01": 10, "2026-11": 5}))
    months = {"2026-09": tables(contracts="c1 2026-01-01", users=users), "2026-10": over}
    issued = run_months(tmp_path / "store", months | dict.fromkeys(("2026-11", "2026-12", "2027-01"), fewer))
    assert issued.counts("billed") == [10, 9, 9, 9]  # of September and November to January
    assert issued.counts("reference")[1:] == [10, 10, 9]
    assert issued.words("2026-11", "user_cap")[0] == "user_cap seat 2026-12-01..2026-12-31 4 124.00 R-CAP"


def test_r_cap__a_rebuilt_history_needs_no_price_of_its_months() -> None:
    # The book begins in October 2026; which products are reserved in the years before matters no more.
    users = f"{gone(5, 'seat', 'a')}; {stay(5, 'seat', 'b')}; c1..c10 desk 2026-07-01 2026-08-05"
    platform = tables(users=users, prices="seat 31 2026-10-01; desk 10 2026-11-01")
    assert lines_of(platform, "2026-10", "recurring") == ["recurring seat 2026-11-01..2026-11-30 5 155.00 R-ADVANCE"]
    counts = bill(platform).users.counts.select("configured", "billed", "reference").row(0)
    assert counts == (5, 17, 18)

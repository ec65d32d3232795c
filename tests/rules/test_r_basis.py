"""R-BASIS: a contract's first invoice bills the users it promised or those counted, whichever are more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest

from invoicing.user_cap import first_invoice_basis
from tests.rules.tables import bill, lines_of, run_months, tables, words

if TYPE_CHECKING:
    from pathlib import Path

CONTRACT = "c1 2026-10-10"
FIVE_SEATS = "seat 5"


def short_lines(increase: str = "month_end", period: str = "2026-10", **written: str) -> list[str]:
    """Lines without the rule, whose service dates are left out where they are all days from the 10th on or all of
    November."""
    lines = lines_of(
        tables(**{"contracts": CONTRACT, "contract_items": FIVE_SEATS, **written}), period, increase=increase
    )
    return [
        line.rpartition(" ")[0].replace(" 2026-10-10..2026-10-31", "").replace(" 2026-11-01..2026-11-30", "")
        for line in lines
    ]


def test_r_basis__the_larger_of_both() -> None:
    both = pl.DataFrame({"contracted": [5, 5, 5, 0, 0], "counted": [3, 5, 7, 2, 0]})
    assert both.select(first_invoice_basis(pl.col("contracted"), pl.col("counted"))).to_series().to_list() == [
        5,
        5,
        7,
        2,
        0,
    ]


@pytest.mark.parametrize(
    ("users", "lines"),
    [
        ("u1..u3 seat 2020-01-01", ["recurring seat 3 93.00", "first_period seat 5 110.00", "user_cap seat 2 62.00"]),
        ("u1..u5 seat 2020-01-01", ["recurring seat 5 155.00", "first_period seat 5 110.00"]),
        ("u1..u7 seat 2020-01-01", ["recurring seat 7 217.00", "first_period seat 7 154.00"]),
        ("", ["first_period seat 5 110.00", "user_cap seat 5 155.00"]),
        # The first days look at the day the contract starts, the month ahead at the end of the month.
        ("u1..u3 seat 2020-01-01; v1..v2 seat 2026-10-20", ["recurring seat 5 155.00", "first_period seat 5 110.00"]),
        ("u1..u7 seat 2026-10-20", ["recurring seat 7 217.00", "first_period seat 5 110.00"]),
        ("u1 seat 2026-10-11", ["recurring seat 1 31.00", "first_period seat 5 110.00", "user_cap seat 4 124.00"]),
        (
            "u1..u2 seat 2020-01-01; v1..v3 seat 2020-01-01 2026-10-20",  # who leaves pays his days
            [
                "recurring seat 2 62.00",
                "first_period seat 2026-10-10..2026-10-19 3 30.00",
                "first_period seat 2 44.00",
                "user_cap seat 3 93.00",
            ],
        ),
        # All user products count together, whatever the contract names.
        (
            "u1..u3 seat 2020-01-01; v1..v2 desk 2020-01-01",
            [
                "recurring desk 2 20.00",
                "recurring seat 3 93.00",
                "first_period desk 2 14.19",
                "first_period seat 3 66.00",
            ],
        ),
        (
            "u1..u3 seat 2020-01-01; v1 desk 2020-01-01",
            [
                "recurring desk 1 10.00",
                "recurring seat 3 93.00",
                "first_period desk 1 7.10",
                "first_period seat 4 88.00",
                "user_cap seat 1 31.00",
            ],
        ),
    ],
)
def test_r_basis__contracted_users_that_are_missing_are_billed(users: str, lines: list[str]) -> None:
    assert short_lines(users=users) == lines


@pytest.mark.parametrize(
    ("items", "users", "prices", "missing"),
    [
        ("seat 2; desk 2", "u1 seat 2020-01-01", "", ["desk 2", "seat 1"]),
        # Two are missing, three places are short: the cheapest first.
        ("seat 2; desk 2", "u1 seat 2020-01-01; u2 bench 2020-01-01", "", ["desk 2"]),
        ("seat 2; desk 2", "u1 seat 2020-01-01; u2..u3 bench 2020-01-01", "", ["desk 1"]),
        ("seat 2; desk 2", "u1 seat 2020-01-01; u2 bench 2020-01-01", "desk 40 2020-01-01", ["desk 1", "seat 1"]),
        (
            "seat 2; desk 2",
            "u1 seat 2020-01-01; u2 bench 2020-01-01",
            "desk 10 2020-01-01; desk 31.01 2020-01-01 c1",
            ["desk 1", "seat 1"],
        ),
        (
            "seat 2; desk 2",
            "u1 seat 2020-01-01; u2 bench 2020-01-01",
            "desk 10 2020-01-01; desk 31.01 2020-01-01 c2",
            ["desk 2"],
        ),
        # The same price: the lower product_id.
        ("desk 2; bench 2", "u1..u3 seat 2020-01-01", "", ["bench 1"]),
        ("desk 2; bench 2", "u1 bench 2020-01-01", "", ["bench 1", "desk 2"]),
        # No more than the product is short of.
        ("desk 2; seat 3", "u1 desk 2020-01-01", "", ["desk 1", "seat 3"]),
        ("desk 2; seat 3", "u1..u3 desk 2020-01-01", "", ["seat 2"]),
    ],
)
def test_r_basis__on_the_products_that_are_short(items: str, users: str, prices: str, missing: list[str]) -> None:
    found = bill(tables(contracts=CONTRACT, contract_items=items, users=users, prices=prices))
    caps = [line.split() for line in words(found.lines, "user_cap")]
    assert [f"{product} {quantity}" for _, product, _, quantity, _, _ in caps] == missing
    assert {line[-1] for line in caps} == {"R-BASIS"}
    reserved = found.users.reserved.sort("product_id").select("product_id", "users").rows()
    assert [f"{product} {users}" for product, users in reserved] == missing


def test_r_basis__the_line_of_a_first_period_cites_it_where_users_are_missing() -> None:
    platform = tables(contracts=CONTRACT, contract_items="seat 5; desk 1", users="u1..u3 seat 2026-10-10")
    assert lines_of(platform, "2026-10", "first_period") == [
        "first_period desk 2026-10-10..2026-10-31 1 7.10 R-BASIS",
        "first_period seat 2026-10-10..2026-10-31 5 110.00 R-BASIS",
    ]


def test_r_basis__the_price_of_the_first_day_and_of_the_month_ahead() -> None:
    prices = "seat 31 2020-01-01; seat 62 2026-10-11; seat 20 2026-11-01"
    assert short_lines(prices=prices) == ["first_period seat 5 110.00", "user_cap seat 5 100.00"]
    # In October the desk is cheaper, in November the seat.
    dearer = short_lines(
        contract_items="seat 2; desk 2",
        users="u1..u2 bench 2026-10-10",
        prices="desk 10 2020-01-01; desk 40 2026-11-01",
    )
    assert dearer == [
        "recurring bench 2 20.00",
        "first_period bench 2 14.19",
        "first_period desk 2 14.19",
        "user_cap seat 2 62.00",
    ]


@pytest.mark.parametrize(
    ("contract", "lines"),
    [
        ("c1 2026-10-01", ["first_period seat 2026-10-01..2026-10-31 5 155.00", "user_cap seat 5 155.00"]),
        ("c1 2026-10-31", ["first_period seat 2026-10-31..2026-10-31 5 5.00", "user_cap seat 5 155.00"]),
        ("c1 2026-11-01", []),
        ("c1 2026-10-10 2026-10-20", ["first_period seat 2026-10-10..2026-10-19 5 50.00"]),  # begun and over
        ("c1 2026-10-10 2026-11-01", ["first_period seat 5 110.00"]),
        ("c1 2026-10-10 2026-11-16", ["first_period seat 5 110.00", "user_cap seat 2026-11-01..2026-11-15 5 77.50"]),
        ("c1 2026-10-10 2026-12-01", ["first_period seat 5 110.00", "user_cap seat 5 155.00"]),
    ],
)
def test_r_basis__from_the_contracts_first_day_to_its_last(contract: str, lines: list[str]) -> None:
    assert short_lines(contracts=contract) == lines


def test_r_basis__the_switch_prorate_counts_contracted_users_as_units() -> None:
    found = short_lines("prorate", users="u1..u7 seat 2026-10-20")
    assert found == [
        "recurring seat 7 217.00",
        "first_period seat 5 110.00",
        "first_period seat 2026-10-20..2026-10-31 2 24.00",
    ]


def test_r_basis__only_the_first_invoice(tmp_path: Path) -> None:
    platform = tables(contracts="c1 2026-08-10", contract_items="seat 20", users="u1..u12 seat 2026-08-10")
    issued = run_months(tmp_path / "store", {"2026-08": platform, "2026-09": platform})
    assert issued.counts("billed") == [20, 18]  # a tenth may go within the quarter
    assert issued.counts("reference") == [20, 20]
    assert issued.words("2026-08", "first_period", "user_cap") == [
        "first_period seat 2026-08-10..2026-08-31 20 440.00 R-BASIS",
        "user_cap seat 2026-09-01..2026-09-30 8 248.00 R-BASIS",
    ]
    assert issued.words("2026-09", "first_period", "user_cap") == [
        "user_cap seat 2026-10-01..2026-10-31 6 186.00 R-CAP"
    ]


def test_r_basis__users_billed_in_advance_are_not_missing_where_the_contract_is_replaced(tmp_path: Path) -> None:
    written = {"contract_items": "seat 3", "users": "u1 seat 2020-01-01"}
    old, new = (tables(contracts=f"c1 {start}", **written) for start in ("2026-01-01", "2026-10-10"))
    issued = run_months(tmp_path / "store", {"2026-09": old, "2026-10": new})
    assert issued.words("2026-10", "recurring", "first_period", "user_cap") == [
        "recurring seat 2026-11-01..2026-11-30 1 31.00 R-ADVANCE",
        "user_cap seat 2026-11-01..2026-11-30 2 62.00 R-BASIS",
    ]


def test_r_basis__a_store_that_begins_later_bills_no_first_days() -> None:
    assert short_lines(period="2026-11", contracts=CONTRACT) == ["user_cap seat 2026-12-01..2026-12-31 5 155.00"]


def test_r_basis__other_products_follow_the_platform_and_the_difference_is_told() -> None:
    found = bill(
        tables(
            contracts="c1 2026-10-10; c2 2026-07-01",
            contract_items="fax 2.5; tv 1; did 1; seat 1; fax 9 c2",
            subscriptions="s1 fax 1.5 2026-10-10; s2 tv 1 2026-10-10",
            users="u1 seat 2026-10-10",
        )
    )
    assert [line.split()[1:4:2] for line in words(found.lines, "recurring")] == [
        ["fax", "1.5"],
        ["seat", "1"],
        ["tv", "1"],
    ]
    assert [note for note in found.notes if "R-BASIS" in note] == [
        "c1: the contract has 1 of did, the platform 0; the platform is billed (R-BASIS)",
        "c1: the contract has 2.5 of fax, the platform 1.5; the platform is billed (R-BASIS)",
    ]

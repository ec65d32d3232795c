"""R-FIRST: a product that begins for a customer pays from its day to the end of the month, by days."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.rules.tables import lines_of, run_months, staff, tables

if TYPE_CHECKING:
    from pathlib import Path


def first_period(increase: str = "month_end", **written: str) -> list[str]:
    return lines_of(tables(**written), "2026-10", "first_period", increase=increase)


@pytest.mark.parametrize(
    ("active_from", "active_to", "line"),
    [
        ("2026-10-10", "_", "2026-10-10..2026-10-31 1 22.00"),  # 22/31 of 31 EUR
        ("2026-10-02", "_", "2026-10-02..2026-10-31 1 30.00"),
        ("2026-10-31", "_", "2026-10-31..2026-10-31 1 1.00"),
        ("2026-10-10", "2026-10-20", "2026-10-10..2026-10-19 1 10.00"),  # to its own end
        ("2026-10-10", "2026-11-01", "2026-10-10..2026-10-31 1 22.00"),
        ("2026-10-10", "2026-11-05", "2026-10-10..2026-10-31 1 22.00"),
        ("2026-10-10", "2026-10-11", "2026-10-10..2026-10-10 1 1.00"),
        ("2026-10-01", "_", ""),  # counted at the end of September, so billed then
        ("2026-09-30", "_", ""),
        ("2026-09-10", "2026-10-05", ""),
        ("2026-11-01", "_", ""),
    ],
)
def test_r_first__days_from_the_first_to_the_end_of_the_month(active_from: str, active_to: str, line: str) -> None:
    expected = [f"first_period seat {line} R-FIRST"] if line else []
    assert first_period(users=f"u1 seat {active_from} {active_to}") == expected


@pytest.mark.parametrize(
    ("starts_on", "ends_on", "lines"),
    [
        ("2026-10-10", "_", ["first_period 2026-10-10..2026-10-31 22.00", "recurring 2026-11-01..2026-11-30 31.00"]),
        ("2026-10-01", "_", ["first_period 2026-10-01..2026-10-31 31.00", "recurring 2026-11-01..2026-11-30 31.00"]),
        ("2026-10-31", "_", ["first_period 2026-10-31..2026-10-31 1.00", "recurring 2026-11-01..2026-11-30 31.00"]),
        ("2026-10-10", "2026-10-20", ["first_period 2026-10-10..2026-10-19 10.00"]),  # begun and over in one month
        ("2026-10-10", "2026-11-01", ["first_period 2026-10-10..2026-10-31 22.00"]),
        (
            "2026-10-10",
            "2026-11-16",
            ["first_period 2026-10-10..2026-10-31 22.00", "recurring 2026-11-01..2026-11-15 15.50"],
        ),
        ("2026-10-10", "2026-10-11", ["first_period 2026-10-10..2026-10-10 1.00"]),
        ("2026-11-01", "_", []),  # the first day of the next month: nothing in October
    ],
)
def test_r_first__a_service_starts_and_ends_with_its_contract(starts_on: str, ends_on: str, lines: list[str]) -> None:
    found = [
        line.split() for line in lines_of(tables(users="u1 seat 2020-01-01", contracts=f"c1 {starts_on} {ends_on}"))
    ]
    assert sorted(f"{kind} {days} {euro}" for kind, _, days, _, euro, _ in found) == lines


def test_r_first__a_contract_from_the_first_of_the_month_pays_that_month_on_its_own_invoice(tmp_path: Path) -> None:
    platform = tables(users="u1 seat 2020-01-01", contracts="c1 2026-11-01")
    issued = run_months(tmp_path / "store", {"2026-10": platform, "2026-11": platform, "2026-12": platform})
    assert issued.words("2026-10") == []
    assert issued.words("2026-11") == [
        "recurring seat 2026-12-01..2026-12-31 1 31.00 R-ADVANCE",
        "first_period seat 2026-11-01..2026-11-30 1 31.00 R-FIRST",
    ]
    assert issued.words("2026-12") == ["recurring seat 2027-01-01..2027-01-31 1 31.00 R-ADVANCE"]


@pytest.mark.parametrize(
    ("written", "lines"),
    [
        # Every service that starts on the day pays, each to its own end; those that come later are an increase.
        (
            {"users": "u1..u3 seat 2026-10-10; v1 seat 2026-10-10 2026-10-20; w1..w5 seat 2026-10-11"},
            ["seat 2026-10-10..2026-10-19 1 10.00", "seat 2026-10-10..2026-10-31 3 66.00"],
        ),
        # All user products begin together.
        ({"users": "u1 seat 2020-01-01; u2 desk 2026-10-10"}, []),
        ({"users": "u1 desk 2026-10-05; u2 seat 2026-10-10"}, ["desk 2026-10-05..2026-10-31 1 8.71"]),
        (
            {"users": "u1 desk 2026-10-10; u2 seat 2026-10-10"},
            ["desk 2026-10-10..2026-10-31 1 7.10", "seat 2026-10-10..2026-10-31 1 22.00"],
        ),
        # Any other product begins by itself, whatever table it stands in.
        (
            {"users": "u1 seat 2020-01-01", "subscriptions": "s1 fax 1.5 2026-10-10; s2 tv 1 2020-01-01"},
            ["fax 2026-10-10..2026-10-31 1.5 33.00"],
        ),
        (
            {"numbers": "+3221110000 did BE 2020-01-01; +33142000000 fr FR 2026-10-10; +3221110001 did BE 2026-10-10"},
            ["fr 2026-10-10..2026-10-31 1 1.42"],
        ),
        # Twice in a month: each time from the first unit on.
        (
            {"subscriptions": "s1 fax 1 2026-10-03 2026-10-05; s2 fax 2 2026-10-20"},
            ["fax 2026-10-03..2026-10-04 1 2.00", "fax 2026-10-20..2026-10-31 2 24.00"],
        ),
        (
            {"users": "u1 seat 2026-10-03 2026-10-05; u1 seat 2026-10-20"},
            ["seat 2026-10-03..2026-10-04 1 2.00", "seat 2026-10-20..2026-10-31 1 12.00"],
        ),
        # One leaves on the day the other comes: there was one the day before.
        (
            {"subscriptions": "s1 fax 1 2026-10-03 2026-10-05; s2 fax 2 2026-10-05"},
            ["fax 2026-10-03..2026-10-04 1 2.00"],
        ),
        ({"subscriptions": "s1 fax 1 2026-09-03 2026-10-05; s2 fax 2 2026-10-05"}, []),
        # A day without: the product begins anew, unless it was counted at the end of September.
        ({"subscriptions": "s1 fax 1 2026-09-03 2026-10-05; s2 fax 2 2026-10-20"}, []),
        ({"subscriptions": "s1 fax 1 2026-09-03 2026-10-01; s2 fax 2 2026-10-01"}, []),
        (
            {"subscriptions": "s1 fax 1 2026-09-03 2026-10-01; s2 fax 2 2026-10-02"},
            ["fax 2026-10-02..2026-10-31 2 60.00"],
        ),
        # A change of product begins nothing.
        ({"users": "u1 seat 2020-01-01 2026-10-10; u1 desk 2026-10-10"}, []),
        ({"numbers": "+3221110000 did BE 2020-01-01 2026-10-10; +3221110000 frplus BE 2026-10-10"}, []),
        (
            {"users": "u1 seat 2026-10-10 2026-10-15; u1 desk 2026-10-15"},  # the product of its first day pays on
            ["seat 2026-10-10..2026-10-31 1 22.00"],
        ),
        (
            {"subscriptions": "s1 fax 1 2026-10-10", "users": "u1 seat 2020-01-01 2026-10-15"},
            ["fax 2026-10-10..2026-10-31 1 22.00"],
        ),
    ],
)
def test_r_first__where_a_product_begins(written: dict[str, str], lines: list[str]) -> None:
    assert first_period(**written) == [f"first_period {line} R-FIRST" for line in lines]


def test_r_first__each_customer_begins_by_itself() -> None:
    found = first_period(
        contracts="c1 2026-07-01; c2 2026-07-01",
        users="u1 seat 2026-07-01; u2 seat 2026-10-10; v1 seat 2026-10-10 _ c2",
    )
    assert found == ["first_period seat 2026-10-10..2026-10-31 1 22.00 R-FIRST"]


@pytest.mark.parametrize(
    ("september", "october"),
    [
        ("s1 fax 1 2026-08-01 2026-10-05; s2 fax 1 2026-10-20", []),  # its recurring line paid October
        # Known too late to be billed in September: it began in a month that is over (R-RETRO).
        ("s2 fax 1 2026-09-15", []),
        ("s2 fax 1 2026-10-20", ["first_period fax 2026-10-20..2026-10-31 1 12.00 R-FIRST"]),
        ("s2 fax 1 2026-10-01", ["first_period fax 2026-10-01..2026-10-31 1 31.00 R-FIRST"]),
    ],
)
def test_r_first__not_what_the_invoice_before_billed(tmp_path: Path, september: str, october: list[str]) -> None:
    known, later = september.rpartition("s2 ")[0].strip("; "), tables(subscriptions=september)
    issued = run_months(tmp_path / "store", {"2026-09": tables(subscriptions=known), "2026-10": later})
    assert issued.words("2026-10", "first_period") == october


def test_r_first__users_reserved_by_the_cap_were_billed(tmp_path: Path) -> None:
    platform = tables(users="u1 seat 2026-07-01 2026-09-15; u2 desk 2026-10-10")
    issued = run_months(tmp_path / "store", {"2026-09": platform, "2026-10": platform})
    assert issued.words("2026-09") == ["user_cap seat 2026-10-01..2026-10-31 1 31.00 R-CAP"]
    assert issued.words("2026-10") == ["recurring desk 2026-11-01..2026-11-30 1 10.00 R-ADVANCE"]


def test_r_first__a_number_minimum_is_no_unit_of_its_product(tmp_path: Path) -> None:
    platform = tables(numbers="+33142000000 fr FR 2026-07-15 2026-09-15; +33142000001 fr FR 2026-10-10")
    issued = run_months(tmp_path / "store", {"2026-09": platform, "2026-10": platform})
    assert issued.words("2026-09") == ["number_minimum fr 2026-10-01..2026-10-31 1 2.00 R-TWELVE"]
    assert issued.words("2026-10", "first_period") == ["first_period fr 2026-10-10..2026-10-31 1 1.42 R-FIRST"]


@pytest.mark.parametrize(
    ("prices", "euro"),
    [
        ("seat 31 2020-01-01; seat 62 2026-10-10", "44.00"),
        ("seat 31 2020-01-01; seat 62 2026-10-11", "22.00"),  # the day it begins decides for all of its days
        ("seat 31 2020-01-01; seat 15.5 2026-10-10 c1; seat 62 2026-10-10", "11.00"),
        ("seat 31 2020-01-01; seat 15.5 2026-10-11 c1", "22.00"),
        ("seat 0 2020-01-01", "0.00"),
    ],
)
def test_r_first__price_of_the_day(prices: str, euro: str) -> None:
    found = first_period(users="u1 seat 2026-10-10", prices=f"{prices}; seat 70 2026-11-01")
    assert found == [f"first_period seat 2026-10-10..2026-10-31 1 {euro} R-FIRST"]


def test_r_first__rounded_once_on_the_line() -> None:
    found = first_period(users="u1..u3 seat 2026-10-10", prices="seat 0.01 2020-01-01")
    assert found == ["first_period seat 2026-10-10..2026-10-31 3 0.02 R-FIRST"]  # 2.13 cents; each by itself is one


@pytest.mark.parametrize(
    ("written", "lines"),
    [
        ({"users": "u1 seat 2020-01-01; u2 seat 2026-10-10"}, ["seat 2026-10-10..2026-10-31 1 22.00"]),
        ({"users": "u1 seat 2020-01-01; u2 desk 2026-10-10"}, ["desk 2026-10-10..2026-10-31 1 7.10"]),
        (
            {"users": "u1 seat 2026-10-10; u2 seat 2026-10-20"},
            ["seat 2026-10-10..2026-10-31 1 22.00", "seat 2026-10-20..2026-10-31 1 12.00"],
        ),
        # No more than there were on the last day of September, or on any day before.
        ({"users": "u1 seat 2020-01-01; u2 seat 2020-01-01 2026-10-01; u3 seat 2026-10-10"}, []),
        ({"users": "u1 seat 2020-01-01; u2 seat 2020-01-01 2026-10-10; u3 seat 2026-10-10"}, []),
        (
            {"users": "u1 seat 2020-01-01; u2 seat 2026-10-10 2026-10-12; u3..u4 seat 2026-10-20"},
            ["seat 2026-10-10..2026-10-11 1 2.00", "seat 2026-10-20..2026-10-31 1 12.00"],
        ),
        (
            {"subscriptions": "s1 fax 1 2020-01-01 2026-10-10; s2 fax 2.5 2026-10-10"},
            ["fax 2026-10-10..2026-10-31 1.5 33.00"],
        ),
        (
            {"subscriptions": "s1 fax 2 2020-01-01 2026-10-10; s2 fax 0.5 2026-10-10; s3 fax 2 2026-10-20"},
            ["fax 2026-10-20..2026-10-31 0.5 6.00"],
        ),
        # A product that begins again pays in full, as it does without the switch.
        ({"users": "u1 seat 2020-01-01 2026-10-01; u2 seat 2026-10-10"}, ["seat 2026-10-10..2026-10-31 1 22.00"]),
        ({"users": "u1 seat 2020-01-01 2026-10-10; u1 desk 2026-10-10"}, []),
    ],
)
def test_r_first__prorate_lets_an_increase_pay_from_its_day(written: dict[str, str], lines: list[str]) -> None:
    assert first_period("prorate", **written) == [f"first_period {line} R-FIRST" for line in lines]


def test_r_first__an_increase_pays_nothing_unless_prorated(tmp_path: Path) -> None:
    platform = tables(users=staff({"2026-08": 10, "2026-10": 25}))
    for increase, lines in (
        ("month_end", []),
        ("prorate", ["first_period seat 2026-10-12..2026-10-31 15 300.00 R-FIRST"]),
    ):
        issued = run_months(tmp_path / increase, {"2026-09": platform, "2026-10": platform}, increase=increase)
        assert issued.words("2026-10", "first_period") == lines
        assert issued.words("2026-10", "recurring") == ["recurring seat 2026-11-01..2026-11-30 25 775.00 R-ADVANCE"]


def test_r_first__what_was_billed_in_advance_is_no_increase(tmp_path: Path) -> None:
    platform = tables(users="u1 seat 2026-07-01; u2 seat 2026-10-01")
    issued = run_months(tmp_path / "store", {"2026-09": platform, "2026-10": platform}, increase="prorate")
    assert issued.words("2026-09", "recurring") == ["recurring seat 2026-10-01..2026-10-31 2 62.00 R-ADVANCE"]
    assert issued.words("2026-10", "first_period") == []

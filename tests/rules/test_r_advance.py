"""R-ADVANCE: the invoice of a period carries every service counted at its end, for the month after."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from math import floor
from random import Random

import polars as pl
import pytest

from invoicing.lines import DUE_SCHEMA, lines_of_dues
from schemas.errors import InputRefused
from tests.rules.tables import bill, lines_of, priced, tables

USER = "u1 seat 2020-01-01"


def recurring(period: str = "2026-10", **written: str) -> list[str]:
    return lines_of(tables(**written), period, "recurring")


def test_r_advance__october_carries_november_in_full() -> None:
    assert recurring(users=USER) == ["recurring seat 2026-11-01..2026-11-30 1 31.00 R-ADVANCE"]


@pytest.mark.parametrize(
    ("ends_on", "last_day", "euro"),
    [
        ("_", "2026-11-30", "31.00"),
        ("2027-05-01", "2026-11-30", "31.00"),
        ("2026-12-01", "2026-11-30", "31.00"),  # its last day is the month's
        ("2026-11-30", "2026-11-29", "29.97"),  # 29/30: 29.966
        ("2026-11-15", "2026-11-14", "14.47"),  # 14/30: 14.466
        ("2026-11-02", "2026-11-01", "1.03"),
    ],
)
def test_r_advance__days_of_the_month_in_which_the_contract_ends(ends_on: str, last_day: str, euro: str) -> None:
    found = recurring(users=USER, contracts=f"c1 2026-07-01 {ends_on}")
    assert found == [f"recurring seat 2026-11-01..{last_day} 1 {euro} R-ADVANCE"]


@pytest.mark.parametrize("ends_on", ["2026-11-01", "2026-10-31", "2026-10-15", "2026-10-01", "2025-01-01"])
def test_r_advance__nothing_where_the_contract_is_over_by_then(ends_on: str) -> None:
    assert recurring(users=USER, contracts=f"c1 2026-07-01 {ends_on}") == []


def test_r_advance__twenty_eight_days_of_a_leap_february() -> None:
    found = recurring("2028-01", users=USER, contracts="c1 2027-12-01 2028-02-29")
    assert found == ["recurring seat 2028-02-01..2028-02-28 1 29.93 R-ADVANCE"]


def test_r_advance__every_service_is_cut_to_the_contract() -> None:
    found = recurring(
        users=USER,
        numbers="+3221110000 did BE 2020-01-01",
        subscriptions="s1 fax 1.5 2020-01-01",
        contracts="c1 2026-07-01 2026-11-16",
    )
    assert found == [
        "recurring did 2026-11-01..2026-11-15 1 0.50 R-ADVANCE",
        "recurring fax 2026-11-01..2026-11-15 1.5 23.25 R-ADVANCE",
        "recurring seat 2026-11-01..2026-11-15 1 15.50 R-ADVANCE",
    ]


@pytest.mark.parametrize(
    ("active_from", "active_to", "is_counted"),
    [
        ("2020-01-01", "2026-11-02", True),  # one day of it: in full (11.1)
        ("2020-01-01", "2026-11-15", True),
        ("2020-01-01", "2026-11-01", False),  # not there on the first day
        ("2020-01-01", "2026-10-31", False),
        ("2026-10-31", "_", True),
        ("2026-11-01", "_", True),
        ("2026-11-01", "2026-11-02", True),
        ("2026-11-02", "_", False),
    ],
)
def test_r_advance__counted_on_the_first_day_of_the_month(
    active_from: str, active_to: str, *, is_counted: bool
) -> None:
    found = recurring(
        users=f"u1 seat {active_from} {active_to}",
        numbers=f"+3221110000 did BE {active_from} {active_to}",
        subscriptions=f"s1 fax 1 {active_from} {active_to}",
    )
    month = "2026-11-01..2026-11-30"
    in_full = [f"{line} R-ADVANCE" for line in (f"did {month} 1 1.00", f"fax {month} 1 31.00", f"seat {month} 1 31.00")]
    assert found == [f"recurring {line}" for line in in_full if is_counted]


@pytest.mark.parametrize(
    ("starts_on", "lines"),
    [
        ("2026-10-31", ["recurring seat 2026-11-01..2026-11-30 1 31.00 R-ADVANCE"]),
        ("2026-11-01", []),  # its first invoice is November's
        ("2026-11-02", []),
    ],
)
def test_r_advance__a_contract_that_starts_later_is_not_counted(starts_on: str, lines: list[str]) -> None:
    assert recurring(users=USER, contracts=f"c1 {starts_on}") == lines


@pytest.mark.parametrize(
    ("prices", "euro"),
    [
        ("seat 31 2020-01-01; seat 40 2026-11-01", "40.00"),
        ("seat 31 2020-01-01; seat 40 2026-11-02", "31.00"),  # changes within the month: the first day decides
        ("seat 31 2020-01-01; seat 40 2026-10-31", "40.00"),
        ("seat 31 2020-01-01; seat 25 2026-11-01 c1", "25.00"),  # its own price wins
        ("seat 31 2020-01-01; seat 25 2026-11-02 c1", "31.00"),  # once it is in force
        ("seat 31 2020-01-01; seat 25 2020-01-01 c1; seat 40 2026-11-01", "25.00"),
        ("seat 31 2020-01-01; seat 25 2020-01-01 c1; seat 0 2026-11-01 c1", "0.00"),  # a line all the same
        ("seat 31 2020-01-01; seat 25 2020-01-01 c2", "31.00"),  # somebody else's
        ("seat 25 2020-01-01 c1", "25.00"),  # no general price is needed then
    ],
)
def test_r_advance__price_of_the_first_day(prices: str, euro: str) -> None:
    assert recurring(users=USER, prices=prices) == [f"recurring seat 2026-11-01..2026-11-30 1 {euro} R-ADVANCE"]


def test_r_advance__no_price_is_refused_by_name_and_day() -> None:
    written = {"users": USER, "subscriptions": "s1 fax 1 2020-01-01"}
    with pytest.raises(InputRefused) as refused:
        recurring(**written, prices="seat 31 2026-11-02; fax 25 2020-01-01 c2")
    named = [(problem.value, problem.expected.split(",")[0]) for problem in refused.value.problems]
    assert named == [("fax", "a price in force on 2026-11-01"), ("seat", "a price in force on 2026-11-01")]


@pytest.mark.parametrize(
    ("changes_on", "product"), [("2026-10-15", "desk"), ("2026-11-01", "desk"), ("2026-11-02", "seat")]
)
def test_r_advance__product_of_the_first_day(changes_on: str, product: str) -> None:
    found = recurring(users=f"u1 seat 2020-01-01 {changes_on}; u1 desk {changes_on}")
    assert [line.split()[1] for line in found] == [product]


def test_r_advance__one_line_for_each_product_and_customer() -> None:
    found = recurring(
        contracts="c1 2026-07-01; c2 2026-07-01",
        users="u1..u3 seat 2020-01-01; v1..v2 desk 2020-01-01; w1 seat 2020-01-01 _ c2",
        subscriptions="s1 fax 1.5 2020-01-01; s2 fax 2.25 2026-10-20; s3 fax 0.000001 2020-01-01",
    )
    assert found == [
        "recurring desk 2026-11-01..2026-11-30 2 20.00 R-ADVANCE",
        "recurring fax 2026-11-01..2026-11-30 3.750001 116.25 R-ADVANCE",
        "recurring seat 2026-11-01..2026-11-30 3 93.00 R-ADVANCE",
        "recurring seat 2026-11-01..2026-11-30 1 31.00 R-ADVANCE",
    ]


@pytest.mark.parametrize(
    ("users", "price", "ends_on", "euro"),
    [
        (1, "0.005", "_", "0.01"),  # a half cent goes up
        (1, "0.004999", "_", "0.00"),
        (3, "0.335", "_", "1.01"),  # 1.005; each by itself would make 1.02
        (3, "0.334", "_", "1.00"),  # each by itself would make 0.99
        (3, "0.05", "2026-11-02", "0.01"),  # 3 * 0.05 / 30 is half a cent; each by itself is none
        (7, "0.000001", "_", "0.00"),
    ],
)
def test_r_advance__rounded_half_up_once_on_the_line(users: int, price: str, ends_on: str, euro: str) -> None:
    found = bill(
        tables(
            users=f"u1..u{users} seat 2020-01-01",
            prices=f"seat {price} 2020-01-01",
            contracts=f"c1 2026-07-01 {ends_on}",
        )
    )
    assert priced(found.lines, "recurring") == [f"seat {euro}"]


def test_r_advance__a_number_without_product_pays_nothing() -> None:
    assert recurring(numbers="+3221110000 _ BE 2020-01-01; +33142000000 _ FR 2020-01-01") == []


def test_r_advance__amounts_are_exact_for_any_quantity_price_and_days() -> None:
    draw = Random(85)
    first, drawn = date(2026, 11, 1), []
    for number in range(400):
        quantity = draw.choice([1, 10**6, draw.randrange(1, 10**12 + 1)])
        price = draw.choice([0, 1, 5_000, draw.randrange(10**11 + 1)])
        drawn.append((f"c{number:03}", quantity, price, draw.randrange(1, 31)))
    dues = pl.DataFrame(
        [
            (customer, "recurring", "R-ADVANCE", "seat", first, first, first.replace(day=days), quantity, None)
            for customer, quantity, _, days in drawn
        ],
        schema=DUE_SCHEMA,
        orient="row",
    )
    prices = pl.DataFrame(
        [("seat", customer, price, first, first) for customer, _, price, _ in drawn],
        schema=tables().prices.schema,
        orient="row",
    )
    found = lines_of_dues(dues, prices).sort("customer_id")["net_cents"].to_list()
    exact = [Fraction(quantity * price * days, 30 * 10**10) for _, quantity, price, days in drawn]
    assert found == [floor(cents + Fraction(1, 2)) for cents in exact]


def test_r_advance__a_sum_too_large_is_refused() -> None:
    many = "; ".join(f"s{number} fax 1000000 2020-01-01" for number in range(100))
    with pytest.raises(InputRefused, match="more than an invoice can hold"):
        recurring(subscriptions=many, prices="fax 1000000000000 2020-01-01")

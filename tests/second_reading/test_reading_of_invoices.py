"""The second reading against the examples of the rules: services, users, numbers, amounts."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from tests.second_reading.invoice import structured_communication
from tests.second_reading.months import after, year_later
from tests.second_reading.scenes import month, platform, run, shown

if TYPE_CHECKING:
    from tests.second_reading.reading import Month, Store

LINE = ("kind", "product_id", "service_from", "service_to", "quantity", "net_cents")


def seats(number: int, until: str = "_", *, start: str = "2020-01-01", first: int = 0) -> list[str]:
    return [f"u{n} ACME SEAT {start} {until}" for n in range(first, first + number)]


def months(period: str, number: int, **tables: list[str]) -> list[Month]:
    found = []
    for _ in range(number):
        found.append(month(period, platform(**tables)))
        period = after(period)
    return found


def counts(store: Store, period: str) -> tuple[str, ...]:
    (row,) = shown(store, "user_counts", period, "configured", "billed", "reserved", "reference")
    return row


def test_r_advance__counted_on_the_first_day_of_the_next_month() -> None:
    users = ["a ACME SEAT 2020-01-01 2026-11-01", "b ACME SEAT 2026-11-01", "c ACME SEAT 2026-11-02"]
    store = run(*months("2026-10", 1, users=users))
    assert counts(store, "2026-10")[0] == "1"


def test_r_advance__only_the_contract_s_end_is_prorated() -> None:
    tables = {"contracts_only": ["K1 ACME 2020-01-01 2026-11-16"], "users": seats(2, "2026-11-03")}
    store = run(*months("2026-10", 2, **tables))
    assert shown(store, "lines", "2026-10", *LINE) == [("recurring", "SEAT", "2026-11-01", "2026-11-15", "2", "3100")]
    assert shown(store, "lines", "2026-11", *LINE) == []
    assert shown(store, "user_counts", "2026-11", "billed") == []


def test_r_first__from_its_day_to_the_end_of_the_month() -> None:
    store = run(*months("2026-10", 1, users=seats(1, start="2026-10-10")))
    assert shown(store, "lines", "2026-10", *LINE) == [
        ("recurring", "SEAT", "2026-11-01", "2026-11-30", "1", "3100"),
        ("first_period", "SEAT", "2026-10-10", "2026-10-31", "1", "2200"),
    ]


@pytest.mark.parametrize(("increase", "nets"), [("month_end", []), ("prorate", ["2200"])])
def test_r_first__more_of_the_same_is_an_increase(increase: str, nets: list[str]) -> None:
    users = [*seats(1), *seats(1, start="2026-10-10", first=1)]
    store = run(*months("2026-10", 1, users=users), increase=increase)
    first = shown(store, "lines", "2026-10", "net_cents", kind="first_period")
    assert [net for (net,) in first] == nets


def test_r_first__product_change_begins_nothing() -> None:
    numbers = [
        "+3242270001 ACME BE 2020-01-01 2026-10-10 _ FRNR",
        "+3242270001 ACME BE 2026-10-10 _ _ NEWNR",
    ]
    tables = {"numbers": numbers, "products": ["NEWNR number"], "prices": ["NEWNR _ 3 2020-01-01"]}
    store = run(*months("2026-10", 1, **tables))
    assert shown(store, "lines", "2026-10", "kind", "product_id") == [("recurring", "NEWNR")]


def test_r_basis__contracted_users_are_billed_from_the_first_day() -> None:
    tables = {
        "contracts_only": ["K1 ACME 2026-10-10"],
        "contract_items": ["K1 SEAT 3", "K1 DESK 2"],
        "users": [*seats(1), "d1 ACME DESK 2020-01-01", "d2 ACME DESK 2026-10-20"],
    }
    store = run(*months("2026-10", 1, **tables))
    assert shown(store, "lines", "2026-10", *LINE, "rule") == [
        ("recurring", "DESK", "2026-11-01", "2026-11-30", "2", "2000", "R-ADVANCE"),
        ("recurring", "SEAT", "2026-11-01", "2026-11-30", "1", "3100", "R-ADVANCE"),
        ("first_period", "DESK", "2026-10-10", "2026-10-31", "2", "1419", "R-BASIS"),
        ("first_period", "SEAT", "2026-10-10", "2026-10-31", "3", "6600", "R-BASIS"),
        ("user_cap", "SEAT", "2026-11-01", "2026-11-30", "2", "6200", "R-BASIS"),
    ]
    assert counts(store, "2026-10") == ("3", "5", "2", "5")


def test_r_basis__users_billed_in_advance_are_not_missing_where_the_contract_is_replaced() -> None:
    old, new = (
        platform(contracts_only=[f"K1 ACME {start}"], contract_items=["K1 SEAT 3"], users=seats(1))
        for start in ("2026-01-01", "2026-10-10")
    )
    store = run(month("2026-09", old), month("2026-10", new))
    assert shown(store, "lines", "2026-10", *LINE, "rule") == [
        ("recurring", "SEAT", "2026-11-01", "2026-11-30", "1", "3100", "R-ADVANCE"),
        ("user_cap", "SEAT", "2026-11-01", "2026-11-30", "2", "6200", "R-BASIS"),
    ]


def users_history(*ends: tuple[int, str]) -> list[str]:
    users: list[str] = []
    for number, until in ends:
        users += seats(number, until, first=len(users))
    return users


def test_r_cap__a_tenth_below_where_the_quarter_began() -> None:
    fifteen_go = users_history((85, "_"), (15, "2026-10-20"))
    eighty_eight = [*fifteen_go, *seats(3, start="2026-11-15", first=200)]
    later = [*eighty_eight[:100], *seats(3, "2027-01-10", start="2026-11-15", first=200)]
    plan = {
        "2026-09": fifteen_go,
        "2026-10": fifteen_go,
        "2026-11": eighty_eight,
        "2026-12": eighty_eight,
        "2027-01": later,
    }
    store = run(*[month(period, platform(users=users)) for period, users in plan.items()])
    assert counts(store, "2026-09") == ("100", "100", "0", "100")
    assert counts(store, "2026-10") == ("85", "90", "5", "100")
    assert counts(store, "2026-12") == ("88", "90", "2", "100")
    assert counts(store, "2027-01") == ("85", "85", "0", "90")


def test_r_cap__growth_within_the_quarter_is_given_back_freely() -> None:
    users = [*seats(100), *seats(20, "2026-11-20", start="2026-10-05", first=100)]
    store = run(*months("2026-09", 3, users=users))
    assert counts(store, "2026-10") == ("120", "120", "0", "100")
    assert counts(store, "2026-11") == ("100", "100", "0", "100")


@pytest.mark.parametrize(("cap_rounding", "billed"), [("floor", "9"), ("ceil", "8")])
def test_r_cap__nine_users_or_fewer(cap_rounding: str, billed: str) -> None:
    users = users_history((1, "_"), (8, "2026-10-10"))
    store = run(*months("2026-09", 2, users=users), cap_rounding=cap_rounding)
    assert counts(store, "2026-10")[1] == billed


def test_r_cap__rebuilt_from_history_at_migration() -> None:
    users = users_history((50, "_"), (50, "2026-08-05"))
    store = run(*months("2026-11", 1, users=users))
    # 100 until July, no lower than 90 in the third quarter, no lower than 81 in the fourth
    assert counts(store, "2026-11") == ("50", "81", "31", "90")


def test_r_cap__cheapest_of_the_products_that_shrank() -> None:
    users = [
        *[f"d{n} ACME DESK 2020-01-01 2026-10-10" for n in range(3)],
        *users_history((5, "_"), (2, "2026-10-10")),
    ]
    store = run(*months("2026-09", 2, users=users))
    assert shown(store, "lines", "2026-10", "product_id", "quantity", "rule", kind="user_cap") == [
        ("DESK", "3", "R-CAP"),
        ("SEAT", "1", "R-CAP"),
    ]


def test_r_twelve__french_number_removed_early() -> None:
    numbers = ["+33170000000 ACME FR 2026-01-15 2026-03-10 _ FRNR"]
    store = run(*months("2026-01", 13, numbers=numbers))
    line = ("kind", "service_from", "service_to", "net_cents")
    assert shown(store, "lines", "2026-01", *line) == [
        ("recurring", "2026-02-01", "2026-02-28", "200"),
        ("first_period", "2026-01-15", "2026-01-31", "110"),
    ]
    assert shown(store, "lines", "2026-02", *line) == [("recurring", "2026-03-01", "2026-03-31", "200")]
    for period in ["2026-03", "2026-06", "2026-11"]:
        assert shown(store, "lines", period, "kind", "net_cents") == [("number_minimum", "200")]
    assert shown(store, "lines", "2026-12", *line) == [("number_minimum", "2027-01-01", "2027-01-14", "90")]
    assert shown(store, "lines", "2027-01", *line) == []


@pytest.mark.parametrize(
    ("start", "end"), [("2024-02-29", "2025-02-28"), ("2024-02-28", "2025-02-28"), ("2025-12-31", "2026-12-31")]
)
def test_r_twelve__the_same_day_a_year_later(start: str, end: str) -> None:
    assert year_later(date.fromisoformat(start)) == date.fromisoformat(end)


def test_r_twelve__all_that_is_left_when_the_contract_is_over() -> None:
    numbers = ["+33170000000 ACME FR 2026-01-15 _ _ FRNR"]
    contracts = ["K1 ACME 2020-01-01 2026-11-16"]
    store = run(*months("2026-10", 2, numbers=numbers, contracts_only=contracts))
    line = ("kind", "service_from", "service_to", "net_cents")
    assert shown(store, "lines", "2026-10", *line) == [("recurring", "2026-11-01", "2026-11-30", "200")]
    assert shown(store, "lines", "2026-11", *line) == [
        ("number_minimum", "2026-12-01", "2026-12-31", "200"),
        ("number_minimum", "2027-01-01", "2027-01-14", "90"),
    ]


def test_r_twelve__another_customer_takes_the_number() -> None:
    tables = {
        "customers": ["OTHER"],
        "contracts": ["K2 OTHER 2020-01-01"],
        "numbers": [
            "+33170000000 ACME FR 2026-06-01 2026-09-10 _ FRNR",
            "+33170000000 OTHER FR 2026-11-11 _ _ FRNR",
        ],
    }
    store = run(*months("2026-10", 2, **tables))
    line = ("kind", "service_from", "service_to", "net_cents")
    assert shown(store, "lines", "2026-10", *line, customer_id="ACME") == [
        ("number_minimum", "2026-11-01", "2026-11-10", "67")
    ]
    assert shown(store, "lines", "2026-11", *line, customer_id="ACME") == []


def test_r_twelve__comes_back_within_its_months() -> None:
    numbers = [
        "+33170000000 ACME FR 2026-06-01 2026-09-10 _ FRNR",
        "+33170000000 ACME FR 2026-11-11 _ _ FRNR",
    ]
    store = run(*months("2026-10", 2, numbers=numbers))
    assert shown(store, "lines", "2026-10", "kind") == [("number_minimum",)]
    assert shown(store, "lines", "2026-11", "kind") == [("recurring",)]


def test_r_oneoff_and_r_credit__once_and_never_below_nothing() -> None:
    tables = {
        "charges": ["c1 ACME 2026-10-31 3 0.335", "c0 ACME 2026-09-30 1 50", "c2 ACME 2026-11-01 1 20"],
        "credits": ["r2 ACME 2026-10-02 5.00", "r1 ACME 2026-10-02 0.50"],
    }
    store = run(*months("2026-10", 3, **tables))
    assert shown(store, "lines", "2026-10", "kind", "net_cents", "unit_price") == [
        ("one_off", "101", "0.335"),
        ("credit", "-50", "-0.5"),
        ("credit", "-51", "-0.51"),
    ]
    assert shown(store, "invoices", "2026-10", "net_cents", "gross_cents") == [("0", "0")]
    assert shown(store, "invoices", "2026-11", "net_cents", "vat_cents") == [("1551", "326")]
    assert shown(store, "invoices", "2026-12", "net_cents") == []


def test_r_invoice__structured_communication() -> None:
    assert structured_communication("2026-000001") == "+++202/6000/00192+++"


def test_r_invoice__remainder_of_nothing_is_97() -> None:
    number = next(n for n in range(2026000001, 2026000200) if n % 97 == 0)
    assert structured_communication(f"2026-{number % 1_000_000:06d}").endswith("97+++")

"""R-TWELVE: an international number is paid for at least 12 months, however often it leaves and comes back."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from rating.services import minimum_ends, service_rows
from tests.rules.tables import every_month, lines_of, run_months, tables

if TYPE_CHECKING:
    from pathlib import Path

FR = "+33142000000 fr FR"
CONTRACT = "c1 2026-01-01"


def number_lines(period: str, numbers: str, contract: str = CONTRACT, **written: str) -> list[str]:
    """The lines of a month's invoice, without product and quantity (one number)."""
    contracts = f"{contract}; c2 2026-01-01"
    found = lines_of(tables(numbers=numbers, contracts=contracts, **written), period)
    return [" ".join(line.split()[i] for i in (0, 2, 4)) for line in found if " fr " in line or " frplus " in line]


def services(numbers: str, contract: str = "c1 2020-01-01") -> list[tuple[str, str, str]]:
    """First day, end and end of the 12 months of each service of customer c1."""
    platform = tables(numbers=numbers, contracts=f"{contract}; c2 2020-01-01")
    rows = service_rows(platform)
    ends = minimum_ends(rows, platform.numbers)
    found = rows.join(ends, on="service_no", how="left").unique("service_no").sort("service_start", "product_id")
    found = found.filter(customer_id="c1")
    return [
        (str(start), str(end) if end.year < 9999 else "_", str(duty))
        for start, end, duty in found.select("service_start", "service_end", "duty_end").iter_rows()
    ]


def test_r_twelve__a_number_removed_after_two_months_pays_the_whole_year(tmp_path: Path) -> None:
    platform = tables(numbers=f"{FR} 2026-01-15 2026-03-10", contracts=CONTRACT)
    issued = run_months(tmp_path / "store", every_month("2026-01", 13, platform))
    assert issued.words("2026-01") == [
        "recurring fr 2026-02-01..2026-02-28 1 2.00 R-ADVANCE",
        "first_period fr 2026-01-15..2026-01-31 1 1.10 R-FIRST",  # 17/31
    ]
    assert issued.words("2026-02") == ["recurring fr 2026-03-01..2026-03-31 1 2.00 R-ADVANCE"]
    for month in range(3, 12):
        ahead = date(2026, month + 1, 1)
        days = f"{ahead}..{ahead.replace(day=30 if ahead.month in (4, 6, 9, 11) else 31)}"
        assert issued.words(f"2026-{month:02}") == [f"number_minimum fr {days} 1 2.00 R-TWELVE"]
    assert issued.words("2026-12") == ["number_minimum fr 2027-01-01..2027-01-14 1 0.90 R-TWELVE"]  # 14/31
    assert issued.words("2027-01") == []
    assert issued.invoices.height == 12


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-01-15", "2027-01-15"),
        ("2024-02-29", "2025-02-28"),
        ("2023-02-28", "2024-02-28"),
        ("2023-03-01", "2024-03-01"),
        ("2027-02-28", "2028-02-28"),
        ("2026-12-31", "2027-12-31"),
        ("2026-01-01", "2027-01-01"),
    ],
)
def test_r_twelve__to_the_same_day_a_year_later(start: str, end: str) -> None:
    assert services(f"{FR} {start}") == [(start, "_", end)]


def test_r_twelve__a_contract_that_starts_later_starts_the_twelve_months() -> None:
    assert services(f"{FR} 2026-01-15", contract="c1 2026-02-01") == [("2026-02-01", "_", "2027-02-01")]


@pytest.mark.parametrize(
    ("number", "found"),
    [
        ("+3221110000 did BE 2026-01-15 2026-03-10", []),
        ("+33142000000 fr FR 2026-01-15 2026-03-10", ["number_minimum 2026-04-01..2026-04-30 2.00"]),
        ("+33142000000 fr BE 2026-01-15 2026-03-10", []),  # its country decides
        ("+33142000000 _ FR 2026-01-15 2026-03-10", []),  # without product it is no service
    ],
)
def test_r_twelve__only_numbers_of_other_countries_with_a_product(number: str, found: list[str]) -> None:
    assert number_lines("2026-03", number) == found


@pytest.mark.parametrize(
    ("start", "end", "period", "line"),
    [
        ("2025-11-20", "2026-03-10", "2026-10", "number_minimum 2026-11-01..2026-11-19 1.27"),  # 19/30
        ("2025-11-02", "2026-03-10", "2026-10", "number_minimum 2026-11-01..2026-11-01 0.07"),
        ("2025-11-01", "2026-03-10", "2026-10", ""),  # they end on the first of November
        ("2025-10-31", "2026-03-10", "2026-10", ""),
        ("2025-12-01", "2026-03-10", "2026-10", "number_minimum 2026-11-01..2026-11-30 2.00"),
        ("2025-12-31", "2026-03-10", "2026-10", "number_minimum 2026-11-01..2026-11-30 2.00"),
        ("2025-11-20", "2026-11-01", "2026-10", "number_minimum 2026-11-01..2026-11-19 1.27"),  # gone by the first
        ("2025-11-20", "2026-11-02", "2026-10", "recurring 2026-11-01..2026-11-30 2.00"),
        ("2024-02-29", "2024-03-10", "2025-01", "number_minimum 2025-02-01..2025-02-27 1.93"),  # 27/28
        ("2024-02-29", "2024-03-10", "2025-02", ""),
        ("2026-10-31", "2026-11-01", "2026-10", "number_minimum 2026-11-01..2026-11-30 2.00"),
        ("2026-11-01", "2026-11-05", "2026-10", "recurring 2026-11-01..2026-11-30 2.00"),
        ("2026-11-02", "2026-11-05", "2026-10", ""),  # has not begun
    ],
)
def test_r_twelve__month_by_month_to_their_end(start: str, end: str, period: str, line: str) -> None:
    contract = "c1 2023-12-01" if period < "2026" else "c1 2025-10-01"
    found = [found for found in number_lines(period, f"{FR} {start} {end}", contract) if "first" not in found]
    assert found == ([line] if line else [])


BACK = [
    # What follows the rows 2026-01-15..2026-03-10 -> the services there are.
    (f"{FR} 2026-03-10 2027-03-01", [("2026-01-15", "2027-03-01", "2027-01-15")]),  # they touch
    (f"{FR} 2026-06-10", [("2026-01-15", "_", "2027-01-15")]),
    (f"{FR} 2027-01-14", [("2026-01-15", "_", "2027-01-15")]),
    (f"{FR} 2027-01-15", [("2026-01-15", "_", "2027-01-15")]),  # no later than they end
    (f"{FR} 2027-01-16", [("2026-01-15", "2026-03-10", "2027-01-15"), ("2027-01-16", "_", "2028-01-16")]),
    # The 12 months are those of the whole service, not of the row before.
    (
        f"{FR} 2026-12-01 2026-12-10; {FR} 2027-02-01",
        [("2026-01-15", "2026-12-10", "2027-01-15"), ("2027-02-01", "_", "2028-02-01")],
    ),
    (f"{FR} 2026-12-01 2027-03-01; {FR} 2027-03-01", [("2026-01-15", "_", "2027-01-15")]),
    # Four rows: the third begins anew, and the fourth is within its 12 months.
    (
        f"{FR} 2026-12-01 2026-12-10; {FR} 2027-02-01 2027-03-01; {FR} 2028-02-01",
        [("2026-01-15", "2026-12-10", "2027-01-15"), ("2027-02-01", "_", "2028-02-01")],
    ),
    ("+33142000000 frplus FR 2026-06-10", [("2026-01-15", "_", "2027-01-15")]),  # whatever its product
    ("+33142000000 _ FR 2026-03-10 2026-06-01; +33142000000 fr FR 2026-08-01", [("2026-01-15", "_", "2027-01-15")]),
    ("+33142000001 fr FR 2026-06-10", [("2026-01-15", "2026-03-10", "2027-01-15"), ("2026-06-10", "_", "2027-06-10")]),
]


@pytest.mark.parametrize(("then", "found"), BACK)
def test_r_twelve__a_number_that_comes_back_is_one_service(then: str, found: list[tuple[str, str, str]]) -> None:
    assert services(f"{FR} 2026-01-15 2026-03-10; {then}") == found


def test_r_twelve__a_belgian_number_that_comes_back_is_another_service() -> None:
    did = "+3221110000 did BE"
    found = services(f"{did} 2026-01-15 2026-03-10; {did} 2026-06-10 2026-07-01; {did} 2026-07-01")
    assert found == [("2026-01-15", "2026-03-10", "None"), ("2026-06-10", "_", "None")]


@pytest.mark.parametrize(
    ("others", "found"),
    [
        # Somebody else had it in between: two services, and the duty of the first ends on his first day.
        ("2026-04-10 2026-05-01", [("2026-01-15", "2026-03-10", "2026-04-10"), ("2026-06-10", "_", "2027-06-10")]),
        ("2026-03-10 2026-03-11", [("2026-01-15", "2026-03-10", "2026-03-10"), ("2026-06-10", "_", "2027-06-10")]),
        ("2026-06-09 2026-06-10", [("2026-01-15", "2026-03-10", "2026-06-09"), ("2026-06-10", "_", "2027-06-10")]),
        ("2025-01-01 2026-01-15", [("2026-01-15", "_", "2027-01-15")]),  # before: his own affair
    ],
)
def test_r_twelve__another_customer_in_between(others: str, found: list[tuple[str, str, str]]) -> None:
    numbers = f"{FR} 2026-01-15 2026-03-10; {FR} 2026-06-10; {FR} {others} c2"
    assert services(numbers) == found


@pytest.mark.parametrize(
    ("other_from", "duty"),
    [
        ("2026-03-10", "2026-03-10"),
        ("2026-04-10", "2026-04-10"),
        ("2027-01-14", "2027-01-14"),
        ("2027-01-15", "2027-01-15"),
        ("2027-03-01", "2027-01-15"),
    ],
)
def test_r_twelve__the_duty_ends_when_another_customer_has_the_number(other_from: str, duty: str) -> None:
    assert services(f"{FR} 2026-01-15 2026-03-10; {FR} {other_from} _ c2") == [("2026-01-15", "2026-03-10", duty)]
    without_product = f"{FR} 2026-01-15 2026-03-10; +33142000000 _ FR {other_from} _ c2"
    assert services(without_product) == [("2026-01-15", "2026-03-10", duty)]


def test_r_twelve__not_before_its_own_end() -> None:
    numbers = f"{FR} 2026-01-15 2027-06-01; {FR} 2027-06-01 _ c2"
    assert services(numbers) == [("2026-01-15", "2027-06-01", "2027-01-15")]


def test_r_twelve__the_days_until_another_customer_had_it_are_paid() -> None:
    numbers = f"{FR} 2026-01-15 2026-03-10; {FR} 2026-04-10 _ c2"
    assert number_lines("2026-03", numbers) == ["number_minimum 2026-04-01..2026-04-09 0.60"]  # 9/30
    # c2 begins the number in April: 21/30 of April, and May.
    assert number_lines("2026-04", numbers) == [
        "recurring 2026-05-01..2026-05-31 2.00",
        "first_period 2026-04-10..2026-04-30 1.40",
    ]
    assert number_lines("2026-03", f"{FR} 2026-01-15 2026-03-10; {FR} 2026-04-01 _ c2") == [
        "recurring 2026-04-01..2026-04-30 2.00"
    ]


def test_r_twelve__coming_back_begins_nothing_and_starts_no_new_year() -> None:
    numbers = f"{FR} 2026-01-15 2026-03-10; {FR} 2026-06-10 2027-02-10"
    assert number_lines("2026-05", numbers) == ["number_minimum 2026-06-01..2026-06-30 2.00"]
    assert number_lines("2026-06", numbers) == ["recurring 2026-07-01..2026-07-31 2.00"]
    assert number_lines("2027-01", numbers) == ["recurring 2027-02-01..2027-02-28 2.00"]
    assert number_lines("2027-02", numbers) == []


def test_r_twelve__after_its_twelve_months_a_number_begins_anew() -> None:
    numbers = f"{FR} 2026-01-15 2026-03-10; {FR} 2027-01-20 2027-01-25"
    assert number_lines("2026-12", numbers) == ["number_minimum 2027-01-01..2027-01-14 0.90"]
    assert number_lines("2027-01", numbers) == [
        "first_period 2027-01-20..2027-01-31 0.77",  # 12/31
        "number_minimum 2027-02-01..2027-02-28 2.00",
    ]


@pytest.mark.parametrize(
    ("numbers", "product"),
    [
        (f"{FR} 2026-01-15 2026-02-10; +33142000000 frplus FR 2026-02-10 2026-03-10", "frplus"),  # the last one before
        (f"{FR} 2026-01-15 2026-03-10; +33142000000 frplus FR 2026-04-02", "fr"),  # not there on the first of April
        (f"{FR} 2026-01-15 2026-03-10; +33142000000 _ FR 2026-03-10", "fr"),
    ],
)
def test_r_twelve__the_product_it_had_last(numbers: str, product: str) -> None:
    line = lines_of(tables(numbers=numbers, contracts=CONTRACT), "2026-03", "number_minimum")
    assert [text.split()[1] for text in line] == [product]


def test_r_twelve__back_with_another_product() -> None:
    platform = tables(numbers=f"{FR} 2026-01-15 2026-03-10; +33142000000 frplus FR 2026-06-10", contracts=CONTRACT)
    assert lines_of(platform, "2026-06") == ["recurring frplus 2026-07-01..2026-07-31 1 3.00 R-ADVANCE"]


@pytest.mark.parametrize(
    ("prices", "euro"),
    [
        ("fr 2 2020-01-01; fr 4 2026-04-01", "4.00"),
        ("fr 2 2020-01-01; fr 4 2026-04-02", "2.00"),
        ("fr 2 2020-01-01; fr 3 2026-04-01 c1", "3.00"),
    ],
)
def test_r_twelve__price_of_the_first_of_the_month(prices: str, euro: str) -> None:
    found = number_lines("2026-03", f"{FR} 2026-01-15 2026-03-10", prices=prices)
    assert found == [f"number_minimum 2026-04-01..2026-04-30 {euro}"]


def test_r_twelve__equal_numbers_share_a_line() -> None:
    platform = tables(
        numbers=f"{FR} 2026-01-15 2026-03-10; +33142000001 fr FR 2026-01-20 2026-03-10; "
        "+33142000002 fr FR 2025-04-20 2026-03-10",
        contracts="c1 2025-01-01",
        prices="fr 0.005 2020-01-01",
    )
    assert lines_of(platform, "2026-03", "number_minimum") == [
        "number_minimum fr 2026-04-01..2026-04-19 1 0.00 R-TWELVE",
        "number_minimum fr 2026-04-01..2026-04-30 2 0.01 R-TWELVE",
    ]


@pytest.mark.parametrize(
    ("numbers", "line"),
    [
        (f"{FR} 2026-10-10 2026-10-20", "first_period fr 2026-10-10..2026-10-31 1 1.42 R-FIRST"),  # 22/31
        ("+3221110000 did BE 2026-10-10 2026-10-20", "first_period did 2026-10-10..2026-10-19 1 0.32 R-FIRST"),
    ],
)
def test_r_twelve__the_line_of_a_first_period_runs_on(numbers: str, line: str) -> None:
    assert lines_of(tables(numbers=numbers), "2026-10", "first_period") == [line]


def test_r_twelve__the_line_of_a_first_period_ends_where_another_customer_begins() -> None:
    numbers = f"{FR} 2026-10-10 2026-10-15; {FR} 2026-10-20 2026-10-25 c2; {FR} 2026-10-28"
    found = lines_of(tables(numbers=numbers, contracts="c1 2026-07-01"), "2026-10", "first_period")
    assert found == [
        "first_period fr 2026-10-10..2026-10-19 1 0.65 R-FIRST",  # 10/31
        "first_period fr 2026-10-28..2026-10-31 1 0.26 R-FIRST",  # 4/31
    ]


@pytest.mark.parametrize(
    ("start", "ends_on", "line"),
    [
        ("2026-01-15", "2026-11-10", "2026-11-01..2026-11-30 1 2.00 R-TWELVE"),
        ("2025-11-20", "2026-11-10", "2026-11-01..2026-11-19 1 1.27 R-TWELVE"),  # to the end of its 12 months
        ("2025-11-20", "2026-11-25", "2026-11-01..2026-11-24 1 1.60 R-ADVANCE"),  # they end before the contract
        ("2025-11-10", "2026-11-10", "2026-11-01..2026-11-09 1 0.60 R-ADVANCE"),
        ("2026-01-15", "2026-12-01", "2026-11-01..2026-11-30 1 2.00 R-ADVANCE"),
        ("2025-06-01", "2026-11-10", "2026-11-01..2026-11-09 1 0.60 R-ADVANCE"),
    ],
)
def test_r_twelve__the_recurring_line_of_the_contracts_last_month_runs_on(start: str, ends_on: str, line: str) -> None:
    platform = tables(numbers=f"{FR} {start}", contracts=f"c1 2025-01-01 {ends_on}")
    assert lines_of(platform, "2026-10") == [f"recurring fr {line}"]


FULL_MONTHS = [
    "2026-07-01..2026-07-31",
    "2026-08-01..2026-08-31",
    "2026-09-01..2026-09-30",
    "2026-10-01..2026-10-31",
    "2026-11-01..2026-11-30",
    "2026-12-01..2026-12-31",
]


@pytest.mark.parametrize("gone_on", ["_", "2026-03-10", "2026-06-14"])
@pytest.mark.parametrize("ends_on", ["2026-06-15", "2026-07-01", "2026-06-02"])
def test_r_twelve__all_that_is_left_when_the_contract_is_over(gone_on: str, ends_on: str) -> None:
    written = {
        "numbers": f"{FR} 2026-01-15 {gone_on}",
        "contract": f"c1 2026-01-01 {ends_on}",
        "prices": "fr 2 2020-01-01; fr 3 2026-09-01; fr 4 2026-12-02",
    }
    (may,) = number_lines("2026-05", **written)
    assert may.split()[1:] == ["2026-06-01..2026-06-30", "2.00"]
    euros = ["2.00", "2.00", "3.00", "3.00", "3.00", "3.00"]
    tail = [f"number_minimum {days} {euro}" for days, euro in zip(FULL_MONTHS, euros, strict=True)]
    assert number_lines("2026-06", **written) == [*tail, "number_minimum 2027-01-01..2027-01-14 1.81"]  # 14/31 of 4
    assert number_lines("2026-07", **written) == []


def test_r_twelve__a_contract_that_ends_on_the_first_has_its_last_invoice_the_month_before() -> None:
    contract = "c1 2026-01-01 2026-12-01"
    assert number_lines("2026-11", f"{FR} 2026-01-15", contract) == [
        "number_minimum 2026-12-01..2026-12-31 2.00",
        "number_minimum 2027-01-01..2027-01-14 0.90",
    ]
    assert number_lines("2026-12", f"{FR} 2026-01-15", contract) == []


def test_r_twelve__nothing_is_left_once_another_customer_has_it() -> None:
    numbers = f"{FR} 2026-01-15 2026-06-15; {FR} 2026-07-10 _ c2"
    assert number_lines("2026-06", numbers, "c1 2026-01-01 2026-06-15") == [
        "number_minimum 2026-07-01..2026-07-09 0.58"
    ]


def test_r_twelve__a_contract_of_ten_days_pays_the_year() -> None:
    found = number_lines("2026-10", f"{FR} 2026-10-10", "c1 2026-10-10 2026-10-20")
    assert found[0] == "first_period 2026-10-10..2026-10-31 1.42"
    assert found[1] == "number_minimum 2026-11-01..2026-11-30 2.00"
    assert found[-1] == "number_minimum 2027-10-01..2027-10-09 0.58"  # 9/31
    assert len(found) == 13

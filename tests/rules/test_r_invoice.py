"""R-INVOICE: one invoice per customer with at least one line, numbered without gap in the year of its date."""

from __future__ import annotations

import hashlib
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import polars as pl
import pytest

from invoicing.numbering import number_invoices, structured_communication
from invoicing.traffic import traffic_lines
from rating.periods import Period
from schemas.errors import InputRefused
from schemas.settings import DEFAULT_VAT, VatRate
from tests.rules.tables import (
    CALLS_SCHEMA,
    bill,
    centime,
    kept,
    lines_of,
    run_months,
    start,
    tables,
    words,
    write_tables,
)

if TYPE_CHECKING:
    from pathlib import Path

USER = "u1 seat 2026-07-01"


# ---------------------------------------------------------------- numbers


@pytest.mark.parametrize(
    ("ten_digits", "written"),
    [
        ("2026000001", "+++202/6000/00192+++"),
        ("2026000006", "+++202/6000/00697+++"),  # the remainder is 0
        ("2026000007", "+++202/6000/00701+++"),
        ("2026000011", "+++202/6000/01105+++"),
        ("2026000103", "+++202/6000/10397+++"),
        ("2027000001", "+++202/7000/00122+++"),
        ("2026999999", "+++202/6999/99920+++"),
    ],
)
def test_r_invoice__structured_communication(ten_digits: str, written: str) -> None:
    frame = pl.DataFrame({"digits": [ten_digits]})
    assert frame.select(structured_communication(pl.col("digits"))).item() == written
    assert int(ten_digits) % 97 == int(written[-5:-3]) % 97


def test_r_invoice__every_remainder_is_written_with_two_digits() -> None:
    digits = pl.DataFrame({"digits": [str(2026000000 + number) for number in range(1, 400)]})
    for number, text in zip(
        digits["digits"], digits.select(structured_communication(pl.col("digits"))).to_series(), strict=True
    ):
        ten, check = text.strip("+").replace("/", "")[:10], text.strip("+").replace("/", "")[10:]
        assert ten == number
        assert len(text) == 20
        assert 1 <= int(check) <= 97
        assert (int(number) - int(check)) % 97 == 0


def test_r_invoice__numbers_go_on_in_the_order_of_customer_id() -> None:
    customers = pl.DataFrame({"customer_id": ["c2", "C9", "c10", "c1"]})
    numbered = number_invoices(customers, date(2026, 10, 31), 41)
    assert numbered.select("customer_id", "invoice_number", "structured_communication").rows() == [
        ("C9", "2026-000042", "+++202/6000/04236+++"),
        ("c1", "2026-000043", "+++202/6000/04337+++"),
        ("c10", "2026-000044", "+++202/6000/04438+++"),
        ("c2", "2026-000045", "+++202/6000/04539+++"),
    ]


def test_r_invoice__a_year_has_999999_numbers() -> None:
    customers = pl.DataFrame({"customer_id": ["c1", "c2"]})
    last = number_invoices(customers, date(2026, 1, 1), 999_997)["invoice_number"].to_list()
    assert last == ["2026-999998", "2026-999999"]
    with pytest.raises(InputRefused, match="2 more do not fit"):
        number_invoices(customers, date(2026, 1, 1), 999_998)


TWO = {"contracts": "c1 2026-07-01; c2 2026-07-01", "users": f"{USER}; u2 seat 2026-07-01 _ c2"}


def test_r_invoice__no_gap_over_the_turn_of_the_year(tmp_path: Path) -> None:
    both, only_c2 = tables(**TWO), tables(contracts=TWO["contracts"], users="u2 seat 2026-07-01 _ c2")
    months = {"2026-10": both, "2026-11": only_c2, "2026-12": both, "2027-01": both}
    dates = {"2026-12": date(2027, 1, 2), "2027-01": date(2027, 1, 31)}
    issued = run_months(tmp_path / "store", months, dates=dates, cap_rounding="ceil")
    found = issued.invoices.select("invoice_number", "customer_id", "period").rows()
    assert found == [
        ("2026-000001", "c1", "2026-10"),
        ("2026-000002", "c2", "2026-10"),
        ("2026-000003", "c2", "2026-11"),
        ("2027-000001", "c1", "2026-12"),  # December, dated in January
        ("2027-000002", "c2", "2026-12"),
        ("2027-000003", "c1", "2027-01"),
        ("2027-000004", "c2", "2027-01"),
    ]


# ---------------------------------------------------------------- which invoices, which lines


def test_r_invoice__for_every_customer_with_a_line_and_no_other() -> None:
    found = bill(
        tables(
            customers="c1; c2; c3; c4; c5",
            contracts="c1 2026-07-01; c2 2026-07-01; c3 2026-07-01; c4 2026-01-01 2026-03-01",
            users=f"{USER}; u4 seat 2026-01-01 _ c4",
            subscriptions="s2 tv 1 2026-07-01 _ c2",
            prices="tv 0 2020-01-01",
            charges="h5 2026-10-05 1 0.01 c5",
        )
    )
    assert found.invoices.select("customer_id", "net_cents", "gross_cents").rows() == [
        ("c1", 3100, 3751),
        ("c2", 0, 0),  # a net of 0 is issued
        ("c5", 1, 1),
    ]
    assert words(found.lines.filter(customer_id="c2")) == ["recurring tv 2026-11-01..2026-11-30 1 0.00 R-ADVANCE"]


CALLS = [
    # customer, traffic period, zone, its kind, charged seconds, cents
    ("c1", 202610, "FR", "international", 60, 5),
    ("c1", 202610, "FR", "international", 61, 6),
    ("c1", 202610, "BE", "national_fixed", 90, 8),
    ("c1", 202609, "FR", "international", 30, 3),
    ("c1", 202610, "MOB", "national_mobile", 40, 0),  # nothing to pay: no line
    ("c1", 202610, "SOS", "emergency", 40, 9),  # never on an invoice
    ("c1", 202610, "FREE", "free", 40, 9),
    ("c2", 202610, "FR", "international", 1, 1),
]


def test_r_invoice__traffic_is_a_line_for_each_zone_and_period() -> None:
    calls = pl.DataFrame(CALLS, schema=CALLS_SCHEMA, orient="row")
    found = traffic_lines(calls, Period(2026, 10)).sort("customer_id", "traffic_period", "zone_id")
    columns = ["customer_id", "zone_id", "traffic_period", "quantity_micro", "unit_price_micro", "net_cents"]
    assert found.select(columns).rows() == [
        ("c1", "FR", "2026-09", 30_000_000, None, 3),
        ("c1", "BE", "2026-10", 90_000_000, None, 8),
        ("c1", "FR", "2026-10", 121_000_000, None, 11),
        ("c2", "FR", "2026-10", 1_000_000, None, 1),
    ]
    assert found["service_from"].to_list() == [date(2026, 9, 1), *[date(2026, 10, 1)] * 3]
    assert found["service_to"].to_list() == [date(2026, 9, 30), *[date(2026, 10, 31)] * 3]


def test_r_invoice__calls_that_cost_nothing_make_no_invoice() -> None:
    free = pl.DataFrame(CALLS[4:7], schema=CALLS_SCHEMA, orient="row")
    assert bill(tables(), rated_calls=free).invoices.is_empty()
    paid = bill(tables(), rated_calls=pl.DataFrame(CALLS[:2], schema=CALLS_SCHEMA, orient="row"))
    assert paid.invoices.select("customer_id", "net_cents", "vat_cents").rows() == [("c1", 11, 2)]


def test_r_invoice__the_order_of_lines() -> None:
    found = lines_of(
        tables(
            users=f"{USER}; u2..u20 seat 2026-07-01 2026-10-05",
            subscriptions="s1 tv 1 2026-10-10; s2 fax 1 2026-07-01",
            numbers="+33142000000 fr FR 2026-07-15 2026-09-15",
            charges="h2 2026-10-07 1 1; h1 2026-10-08 1 1",
            credits="b 2026-10-01 1; a 2026-10-02 1",
        )
    )
    assert [" ".join(line.split()[:2]) for line in found] == [
        "recurring fax",
        "recurring seat",
        "recurring tv",
        "first_period tv",
        "user_cap seat",
        "number_minimum fr",
        "one_off h2",
        "one_off h1",
        "credit b",
        "credit a",
    ]


# ---------------------------------------------------------------- VAT, dates


@pytest.mark.parametrize(
    ("prices", "vat_cents"),
    [
        (["10"], 210),
        (["0.50"], 11),  # 10.5 cents: half up
        (["0.49"], 10),
        (["0.02"], 0),
        (["0.03"], 1),
        (["0.50", "0.50", "0.50"], 32),  # 31.5 on the total; line by line it would be 33
        (["0.02", "0.02", "0.02"], 1),  # 1.26; line by line it would be 0
        (["0"], 0),
    ],
)
def test_r_invoice__vat_half_up_on_the_total_of_the_lines(prices: list[str], vat_cents: int) -> None:
    charges = "; ".join(f"h{number} 2026-10-05 1 {price}" for number, price in enumerate(prices))
    found = bill(tables(charges=charges))
    net = int(sum(Decimal(price) for price in prices) * 100)
    assert found.invoices.select("net_cents", "vat_cents", "gross_cents").row(0) == (net, vat_cents, net + vat_cents)
    assert found.vat_totals.select("base_cents", "vat_cents").rows() == [(net, vat_cents)]


@pytest.mark.parametrize(("category", "vat_cents"), [("S", 651), ("AE", 0), ("K", 0), ("G", 0), ("E", 0)])
def test_r_invoice__vat_by_category(category: str, vat_cents: int) -> None:
    found = bill(tables(customers=f"c1 {category}", users=USER))
    assert found.vat_totals.select("vat_category", "base_cents", "vat_cents").rows() == [(category, 3100, vat_cents)]
    assert found.lines["vat_category"].to_list() == [category]


@pytest.mark.parametrize(
    ("on", "vat_cents"),
    [
        (date(2026, 10, 31), 651),
        (date(2026, 11, 1), 620),
        (date(2027, 5, 1), 620),
        (date(1992, 1, 1), 589),
        (date(1993, 1, 1), 651),
    ],
)
def test_r_invoice__the_rate_of_the_invoice_date(on: date, vat_cents: int) -> None:
    dated = [("1970-01-01", 19), ("2026-11-01", 20), ("1993-01-01", 21)]
    rates = tuple(VatRate("S", percent * 1_000_000, date.fromisoformat(day)) for day, percent in dated)
    assert bill(tables(users=USER), vat=rates, on=on).invoices["vat_cents"].item() == vat_cents


def test_r_invoice__a_rate_that_is_missing_is_refused() -> None:
    late = tuple(VatRate(rate.category, rate.rate_micro_percent, date(2026, 11, 1)) for rate in DEFAULT_VAT)
    with pytest.raises(InputRefused, match="no VAT rate of category S is in force on 2026-10-31"):
        bill(tables(users=USER), vat=late, on=date(2026, 10, 31))
    assert bill(tables(users=USER), vat=late, on=date(2026, 11, 1)).invoices["vat_cents"].item() == 651


@pytest.mark.parametrize(
    ("contract_days", "setting", "on", "due"),
    [
        ("_", 30, date(2026, 10, 31), date(2026, 11, 30)),
        ("_", 30, date(2026, 1, 31), date(2026, 3, 2)),
        ("_", 45, date(2026, 10, 31), date(2026, 12, 15)),
        ("15", 30, date(2026, 10, 31), date(2026, 11, 15)),
        ("0", 30, date(2026, 10, 31), date(2026, 10, 31)),
        ("60", 30, date(2026, 12, 15), date(2027, 2, 13)),
    ],
)
def test_r_invoice__due_days_after_its_date(contract_days: str, setting: int, on: date, due: date) -> None:
    platform = tables(users=USER, contracts=f"c1 2026-07-01 _ {contract_days}")
    assert bill(platform, on=on, payment_days=setting).invoices["due_date"].to_list() == [due]


def test_r_invoice__a_charge_without_contract_is_due_by_the_setting() -> None:
    found = bill(tables(charges="h1 2026-10-05 1 1 c2"), on=date(2026, 10, 31))
    assert found.invoices["due_date"].to_list() == [date(2026, 11, 30)]


# ---------------------------------------------------------------- which period, which day


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        ("2026-03-27T22:59:59Z", False),  # the 27th in Brussels, for a second more
        ("2026-03-27T23:00:00Z", True),
        ("2026-03-28T00:30:00+02:00", False),
        ("2026-04-15T12:00:00Z", True),
    ],
)
def test_r_invoice__a_period_opens_on_its_invoice_day(tmp_path: Path, now: str, opens: bool) -> None:
    store, folder = tmp_path / "store", write_tables(tmp_path / "tables")
    if opens:
        start(store, "2026-03", folder, now)
    else:
        with pytest.raises(InputRefused, match="can be run from 2026-03-28 on"):
            start(store, "2026-03", folder, now)
    assert kept(store, "select * from runs").height == opens


def test_r_invoice__dates_never_go_back(tmp_path: Path) -> None:
    store, folder = tmp_path / "store", write_tables(tmp_path / "tables")
    start(store, "2026-03", folder, "2026-03-31T22:00:00Z")  # midnight in Brussels: the first of April
    start(store, "2026-04", folder, "2026-04-30T20:00:00Z", on=date(2026, 6, 10))
    for day in (None, date(2026, 6, 9), date(2026, 4, 1)):
        with pytest.raises(InputRefused, match="the last invoice is dated 2026-06-10"):
            start(store, "2026-05", folder, "2026-05-31T20:00:00Z", on=day)
    start(store, "2026-05", folder, "2026-05-31T20:00:00Z", on=date(2026, 6, 10))
    found = kept(store, "select distinct period, invoice_date from invoices order by period")
    assert found.rows() == [
        ("2026-03", date(2026, 4, 1)),
        ("2026-04", date(2026, 6, 10)),
        ("2026-05", date(2026, 6, 10)),
    ]


def test_r_invoice__periods_one_after_the_other(tmp_path: Path) -> None:
    store, folder = tmp_path / "store", write_tables(tmp_path / "tables")
    start(store, "2026-03", folder, "2026-06-30T20:00:00Z")  # the first is free to choose
    for period in ("2026-02", "2026-05", "2027-03", "2025-04"):
        with pytest.raises(InputRefused, match="the next one is 2026-04"):
            start(store, period, folder, "2027-06-30T20:00:00Z")
    start(store, "2026-04", folder, "2026-06-30T20:00:00Z")
    before = contents(store)
    report = start(store, "2026-03", folder, "2026-07-30T20:00:00Z")  # issued, and not the last one either
    assert report.messages[0] == "2026-03 was issued at 2026-06-30T20:00:00Z; what was issued is not changed"
    assert contents(store) == before


def contents(store: Path) -> dict[str, str]:
    """Every file of a store by what it holds; of the ledger every row of every table."""
    found = {
        path.relative_to(store).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(store.rglob("*"))
        if path.is_file() and path.name not in ("lock", "ledger.duckdb")
    }
    for name in kept(store, "select table_name from duckdb_tables() order by 1")["table_name"]:
        found[name] = str(kept(store, f"select * from {name} order by all").rows())  # noqa: S608
    return found


def test_r_invoice__what_the_cron_job_sees(tmp_path: Path) -> None:
    """Too early, in time, once more, the wrong month."""
    store, folder = tmp_path / "store", write_tables(tmp_path / "tables")
    options = ("--platform", folder, "--no-render", "--now")
    early = centime(store, "run", "2026-03", *options, "2026-03-27T22:00:00Z")
    assert (early.status, early.told["exit_status"]) == (2, 2)
    assert "can be run from 2026-03-28 on" in str(early.told["error"])
    done = centime(store, "run", "2026-03", *options, "2026-03-28T20:00:00Z")
    assert done.status == 0
    before = contents(store)
    # Other tables and another day change nothing any more.
    write_tables(folder, {"users": ("", "u9,c1,seat,2026-01-01,\n")})
    again = centime(store, "run", "2026-03", *options, "2026-05-30T20:00:00Z", "--date", "2026-05-30")
    assert again.status == 0
    assert again.told["tables"] == {"Invoices": done.told["tables"]["Invoices"]}  # type: ignore[index]
    assert "2026-03 was issued at 2026-03-28" in str(again.told["messages"])
    assert contents(store) == before
    wrong = centime(store, "run", "2026-05", *options, "2026-05-30T20:00:00Z")
    assert (wrong.status, "the next one is 2026-04" in str(wrong.told["error"])) == (2, True)
    assert contents(store) == before

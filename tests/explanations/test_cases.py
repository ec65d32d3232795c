"""What the sample has no case of: increments, the operator's own numbers, an increase that pays from its day."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from invoicing.explaining import explain, spoken
from invoicing.explanations.call_price import price_steps
from invoicing.explanations.reckoning import MINUS, TIMES, line_reckoning, vat_reckoning
from schemas.settings import BillingSettings, Settings
from tests.explanations.desks import desk_at, words_of
from tests.rules.frames import platform, rate
from tests.rules.tables import start, write_tables

if TYPE_CHECKING:
    from pathlib import Path

MICRO = 1_000_000


def said_of_call(onnet: str = "customer", *, callee: str = "+33142685300", **rates: object) -> dict[str, str]:
    """What is said about the price of a call of 75 s, with these columns of its rate."""
    tables = platform(
        customers=[{"customer_id": "c1"}],
        users=[{"user_id": "u1"}],
        numbers=[{"number": "+3225550101"}, {"number": "+3225550102"}],
        products=[{"product_id": "seat", "kind": "user"}],
        customer_decks=[{}],
        zones=[{"zone_id": "FR"}],
        rates=[{"prefix": "33", "zone_id": "FR", **rates}],
    )
    found = rate(tables, {"duration_s": 75, "callee": callee}, onnet=onnet)
    draws = found.draws.select("product_id", "drawn_s", "left_before_s")
    call: dict[str, Any] = found.calls.row(0, named=True)
    return {step.about: step.words for step in price_steps(call, draws, onnet, spoken("en"))}


def test_call__increments_are_told_where_there_are_any() -> None:
    found = said_of_call(first_increment_s=60, increment_s=30)
    assert found["increments"] == (
        "Increments 60/30: the first 60 s are billed whole, then every 30 s begun; 75 s become 90 s."
    )
    assert found["amount"] == f"90 s {TIMES} 0,05 / 60 = 0,075 EUR, rounded up to the cent: 0,08 EUR."
    assert "increments" not in said_of_call()


@pytest.mark.parametrize(("onnet", "words"), [("customer", "the customer’s own"), ("platform", "the operator’s")])  # noqa: RUF001
def test_call__on_net_is_told_by_the_setting_of_its_run(onnet: str, words: str) -> None:
    assert words in said_of_call(onnet, callee="+3225550102")["zone"]


@pytest.mark.parametrize(
    ("quantity", "price", "days", "month", "cents", "words"),
    [
        (MICRO, 2 * MICRO, 30, 30, 200, f"1 {TIMES} 2,00 = 2,00 EUR"),
        (1_500_000, 10_010_000, 1, 1, 1502, f"1,5 {TIMES} 10,01 = 15,015 EUR, rounded"),
        (2 * MICRO, 9_990_000, 30, 31, 1934, f"2 {TIMES} 9,99 {TIMES} 30 / 31 = 19,335483… EUR, rounded"),
        (3, 1, 1, 1, 0, f"0,000003 {TIMES} 0,000001 = 0,00… EUR, rounded"),
        (10**12, 10**11, 28, 28, 10**13, f"1.000.000 {TIMES} 100.000,00 = 100.000.000.000,00 EUR"),
    ],
)
def test_reckoning__is_exact_and_says_where_it_is_cut(
    quantity: int, price: int, days: int, month: int, cents: int, words: str
) -> None:
    told = line_reckoning(spoken("en"), quantity, price, days, month, cents)
    assert told.startswith(words)
    assert ("rounded" in told) == ("rounded" in words)


def test_reckoning__of_vat_on_a_credit_is_below_zero() -> None:
    assert vat_reckoning(spoken("en"), -1050, 21 * MICRO, -220).startswith(f"-10,50 {TIMES} 21% = {MINUS}2,205 EUR, ")


def test_increase__pays_from_its_day_where_the_setting_has_it(tmp_path: Path) -> None:
    tables = write_tables(tmp_path / "tables", {"users": ("", "u9,c1,seat,2026-10-12,\nu8,c1,seat,2026-10-12,\n")})
    settings = Settings(billing=BillingSettings(increase="prorate"))
    start(tmp_path / "store", "2026-10", tables, "2026-10-31T12:00:00+01:00", settings=settings)
    with desk_at(tmp_path / "store") as desk:
        ((number, line_no),) = desk.ledger.rows(
            "select invoice_number, line_no from lines where kind = 'first_period' and product_id = 'seat'"
        )
        words = words_of(desk, str(number), int(str(line_no)), "en")
        explained = explain(desk, str(number), int(str(line_no)), "en")
    assert words["why"] == (
        "Users, all user products together: on 12 October 2026 there are 2 more than on any day before, and an "
        "increase pays from its day (increase = prorate). Started that day and charged here: 2 services."
    )
    assert words["days"] == "Paid from 12 October 2026 to 31 October 2026: 20 days of the 31 of that month."
    assert explained.every_fault() == []
    document = json.loads(json.dumps(explained.document()))
    assert document["listings"]["services"] == [
        {"service_id": name, "first_day": "2026-10-12", "last_day": None} for name in ("u8", "u9")
    ]
    assert document["steps"][0]["figures"]["service_from"] == str(date(2026, 10, 12))

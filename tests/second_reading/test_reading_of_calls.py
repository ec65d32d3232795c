"""The second reading against the examples of the rules: calls, zones, packs."""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction

import pytest

from tests.second_reading.amounts import billable_seconds, call_cents
from tests.second_reading.months import local_day, period_of
from tests.second_reading.records import Malformed, read_duration, read_number, read_time
from tests.second_reading.scenes import cdrs, month, platform, run, shown


@pytest.mark.parametrize(
    ("time", "period"),
    [
        ("2026-10-31T23:30Z", "2026-11"),
        ("2026-09-30T22:30Z", "2026-10"),
        ("2026-09-30T21:59Z", "2026-09"),
        ("2027-03-31T22:00Z", "2027-04"),
    ],
)
def test_r_period__the_month_is_that_of_brussels(time: str, period: str) -> None:
    assert period_of(local_day(datetime.fromisoformat(time).astimezone(UTC))) == period


@pytest.mark.parametrize(
    ("charged_s", "rate", "setup", "cents"),
    [
        (61, "0.05", "0", 6),
        (60, "0.05", "0", 5),
        (1, "0.000001", "0", 1),
        (0, "0.05", "0.10", 0),
        (61, "0.05", "0.10", 16),
    ],
)
def test_r_second__up_to_the_next_cent_once(charged_s: int, rate: str, setup: str, cents: int) -> None:
    assert call_cents(charged_s, Fraction(rate), Fraction(setup)) == cents


@pytest.mark.parametrize(
    ("duration_s", "first_s", "next_s", "billable_s"),
    [(13, 60, 1, 60), (75, 60, 1, 75), (75, 60, 60, 120), (75, 1, 1, 75), (60, 60, 60, 60)],
)
def test_r_increment__first_then_next(duration_s: int, first_s: int, next_s: int, billable_s: int) -> None:
    assert billable_seconds(duration_s, first_s, next_s) == billable_s


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("+32 (0)4 227.00-00", "+3242270000"),
        ("tel:+3242270000;ext=3", "+3242270000"),
        ("SIP:003242270000@pbx.example", "+3242270000"),
        ("04/227 00 00", "+3242270000"),
        ("112", "112"),
        ("Anonymous", "anonymous"),
        ("", "anonymous"),
        ("sip:anonymous@anonymous.invalid", "anonymous"),
    ],
)
def test_r_record__numbers_have_one_form(text: str, number: str) -> None:
    assert read_number(text, is_caller=True) == number


@pytest.mark.parametrize("text", ["1", "+0123456", "+1234", "12a4", "0123456", "1234567", "+1234567890123456"])
def test_r_record__what_is_no_number(text: str) -> None:
    with pytest.raises(Malformed):
        read_number(text, is_caller=True)


def test_r_record__hidden_callee_is_malformed() -> None:
    with pytest.raises(Malformed):
        read_number("anonymous", is_caller=False)


@pytest.mark.parametrize(("text", "seconds"), [("0", 0), ("0.2", 1), ("12.0", 12), ("86400", 86400)])
def test_r_increment__fractions_of_a_second_are_rounded_up(text: str, seconds: int) -> None:
    assert read_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "-1", "86400.5", "1e3", "1.", ".5", "+3"])
def test_r_record__what_is_no_duration(text: str) -> None:
    with pytest.raises(Malformed):
        read_duration(text)


def test_r_record__times_are_cut_to_the_microsecond() -> None:
    assert read_time("2026-10-01T10:00:00.1234569+02:00") == datetime(2026, 10, 1, 8, 0, 0, 123456, UTC)
    with pytest.raises(Malformed):
        read_time("2026-10-01T10:00:00")


def test_r_record__each_record_has_one_verdict() -> None:
    first = cdrs(
        "a,2026-10-01T08:00:00Z,,+3242270000,+3242270001,61,",
        "a,2026-10-01T10:00:00+02:00,outgoing,042270000,+32 4 227 00 01,60.5,",
        "a,2026-10-01T08:00:00Z,,+3242270000,+3242270001,62,",
        "b,2026-10-29T20:00:00Z,,+3242270000,+3242270001,5,",
        "c,2026-10-29T20:00:01Z,,+3242270000,+3242270001,5,",
        "d,2026-10-01T08:00:00,,+3242270000,+3242270001,5,",
        "e,2026-10-01T08:00:00Z,,+3242270000,+3242270001,0,",
        "ragged,2026-10-01T08:00:00Z",
    )
    store = run(month("2026-10", platform(), first, first))
    columns = ("records", "accepted", "unanswered", "duplicate", "quarantined")
    assert shown(store, "files", "2026-10", *columns) == [("8", "2", "1", "1", "4")]
    assert sorted(shown(store, "quarantine", "2026-10", "call_id", "reason")) == [
        ("", "malformed"),
        ("a", "conflict"),
        ("c", "future"),
        ("d", "malformed"),
    ]


@pytest.mark.parametrize(("switch", "accepted"), [("quarantine", "1"), ("accept", "2")])
def test_r_record__last_line_without_its_end(switch: str, accepted: str) -> None:
    content = cdrs(
        "a,2026-10-01T08:00:00Z,,+3242270000,+3242270001,61,",
        "b,2026-10-01T08:00:00Z,,+3242270000,+3242270001,61,",
    ).removesuffix(b"\n")
    store = run(month("2026-10", platform(), content), unterminated_last_line=switch)
    assert shown(store, "files", "2026-10", "accepted") == [(accepted,)]


def test_r_zone__exact_then_on_net_then_longest_prefix() -> None:
    tables = platform(numbers=["+32471000000 ACME BE 2020-01-01"])
    calls = cdrs(
        "a,2026-10-01T08:00:00Z,,+3242270000,112,60,",
        "b,2026-10-01T08:00:00Z,,+3242270000,324,60,",
        "c,2026-10-01T08:00:00Z,,+3242270000,+32471000000,60,",
        "d,2026-10-01T08:00:00Z,,+3242270000,+32471000001,60,",
        "e,2026-10-01T08:00:00Z,,+3242270000,+3225550000,60,",
        "f,2026-10-01T08:00:00Z,,anonymous,+3225550000,60,",
        "g,2026-10-01T08:00:00Z,incoming,anonymous,+3242270000,60,",
        "h,2026-09-30T21:00:00Z,,+3242270000,+3225550000,60,",
    )
    store = run(month("2026-10", tables, calls))
    assert shown(store, "rated", "2026-10", "call_id", "zone_id", "amount_cents", "deck_id") == [
        ("a", "SOS", "0", "D1"),
        ("c", "ONNET", "0", ""),
        ("d", "MOB", "30", "D1"),
        ("e", "FIX", "5", "D1"),
        ("g", "INCOMING", "0", ""),
    ]
    assert shown(store, "quarantine", "2026-10", "call_id", "reason") == [
        ("b", "no_rate"),
        ("f", "unknown_caller"),
    ]
    assert shown(store, "quarantine", "2026-09", "call_id", "reason") == [("h", "before_start")]
    assert shown(store, "lines", "2026-10", "kind", "zone_id", "quantity", "net_cents") == [
        ("traffic", "FIX", "60", "5"),
        ("traffic", "MOB", "60", "30"),
    ]


def test_r_inbound__freephone_pays_by_the_caller() -> None:
    tables = platform(
        numbers=["+3280010000 ACME BE 2020-01-01 _ _ _ IN1"],
        rates=["IN1 32 FIX 0.03 _ _ _ 2020-01-01", "IN1 =anonymous MOB 0.06 _ _ _ 2020-01-01"],
    )
    calls = cdrs(
        "a,2026-10-01T08:00:00Z,incoming,+3225550000,+3280010000,60,",
        "b,2026-10-01T08:00:00Z,incoming,anonymous,+3280010000,60,",
    )
    store = run(month("2026-10", tables, calls))
    assert shown(store, "rated", "2026-10", "zone_id", "amount_cents") == [("FIX", "3"), ("MOB", "6")]


def test_r_pack__what_is_left_then_out_of_pack() -> None:
    tables = platform(
        packs=["POOL customer * 10 1 2020-01-01"],
        subscriptions=["S1 ACME POOL 1 2020-01-01"],
    )
    calls = cdrs(
        "a,2026-10-01T08:00:00Z,,+3242270000,+3225550000,500,",
        "b,2026-10-02T08:00:00Z,,+3242270000,+3225550000,161,",
        "c,2026-10-03T08:00:00Z,,+3242270000,+32900000000,60,",
    )
    store = run(month("2026-10", tables, calls))
    assert shown(store, "rated", "2026-10", "pack_s", "charged_s", "amount_cents") == [
        ("500", "0", "0"),
        ("100", "61", "6"),
        ("0", "60", "100"),
    ]
    assert shown(store, "packs_used", "2026-10", "allowance_s", "used_s", "calls") == [("600", "600", "2")]


def test_r_pack__taken_within_the_month() -> None:
    tables = platform(
        packs=["POOL customer * 100 1 2020-01-01"],
        subscriptions=["S1 ACME POOL 1 2026-10-10"],
    )
    calls = cdrs(
        "a,2026-10-09T08:00:00Z,,+3242270000,+3225550000,60,",
        "b,2026-10-10T08:00:00Z,,+3242270000,+3225550000,60,",
    )
    store = run(month("2026-10", tables, calls))
    assert shown(store, "packs_used", "2026-10", "allowance_s", "used_s") == [("4258", "60")]


def test_r_pack__one_leaves_one_comes_no_new_minutes() -> None:
    tables = platform(
        packs=["SEAT customer * 100 1 2020-01-01"],
        users=["ann ACME SEAT 2020-01-01 2026-10-05", "bob ACME SEAT 2026-10-12"],
    )
    store = run(month("2026-10", tables))
    assert shown(store, "packs_used", "2026-10", "allowance_s") == [("6000",)]


def test_r_pack__missing_contracted_users_bring_their_minutes() -> None:
    tables = platform(
        contracts_only=["K1 ACME 2026-10-10"],
        contract_items=["K1 SEAT 2"],
        packs=["SEAT customer * 100 1 2020-01-01"],
        users=["ann ACME SEAT 2026-10-20"],
    )
    store = run(month("2026-10", tables), month("2026-11", tables))
    assert shown(store, "packs_used", "2026-10", "allowance_s") == [("8516",)]  # 12000 * 22 / 31
    assert shown(store, "packs_used", "2026-11", "allowance_s") == [("12000",)]  # two are billed for November


def test_r_pack__priority_then_product_and_users_own_pools() -> None:
    tables = platform(
        packs=["SEAT user FIX;MOB 1 1 2020-01-01", "POOL customer * 2 2 2020-01-01"],
        users=["ann ACME SEAT 2020-01-01"],
        subscriptions=["S1 ACME POOL 0.5 2020-01-01"],
    )
    calls = cdrs(
        "a,2026-10-01T08:00:00Z,,+3242270000,+3225550000,200,ann",
        "b,2026-10-01T09:00:00Z,,+3242270000,+3225550000,10,",
    )
    store = run(month("2026-10", tables, calls))
    assert shown(store, "rated", "2026-10", "pack_s", "charged_s") == [("120", "80"), ("0", "10")]
    assert shown(store, "packs_used", "2026-10", "user_id", "product_id", "used_s") == [
        ("", "POOL", "60"),
        ("ann", "SEAT", "60"),
    ]


def test_r_late__rated_by_its_own_month_on_the_next_invoice() -> None:
    tables = platform(
        packs=["POOL customer * 1 1 2020-01-01"],
        subscriptions=["S1 ACME POOL 1 2020-01-01"],
    )
    october = cdrs("a,2026-10-05T08:00:00Z,,+3242270000,+3225550000,40,")
    late = cdrs("b,2026-10-01T08:00:00Z,,+3242270000,+3225550000,80,")
    store = run(month("2026-10", tables, october), month("2026-11", tables, late))
    assert shown(store, "rated", "2026-10", "call_id", "pack_s", "charged_s", "invoice_number") == [
        ("a", "40", "0", "2026-000001"),
        ("b", "20", "60", "2026-000002"),
    ]
    assert shown(store, "lines", "2026-11", "rule", "traffic_period", "net_cents", kind="traffic") == [
        ("R-LATE", "2026-10", "5")
    ]

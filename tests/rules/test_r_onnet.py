"""R-ONNET: an outgoing call to a number of the same customer costs nothing."""

from __future__ import annotations

import pytest

from tests.rules.frames import Row, platform, rate

COLLEAGUE, LEAVING, OTHERS, MOVED, OUTSIDE = (
    "+3225550102", "+3225550103", "+3225550201", "+3225550301", "+3225559999",
)  # fmt: skip
PLATFORM = platform(
    contracts=[{}, {"contract_id": "k2", "customer_id": "c2"}],
    users=[{"user_id": "u1"}],
    numbers=[
        {"number": "+3225550101"},
        {"number": COLLEAGUE},
        {"number": LEAVING, "active_from": "2026-10-10", "active_to": "2026-10-20"},
        {"number": OTHERS, "customer_id": "c2"},
        {"number": MOVED, "active_to": "2026-10-15"},
        {"number": MOVED, "customer_id": "c2", "active_from": "2026-10-15"},
    ],
    customer_decks=[{}],
    zones=[{"zone_id": "BE", "kind": "national_fixed"}, {"zone_id": "SHORT"}],
    rates=[{"prefix": "32", "zone_id": "BE"}, {"prefix": "=1700", "zone_id": "SHORT"}],
)


def zone(callee: str, start: str = "2026-10-14T08:00:00Z", onnet: str = "customer", **call: object) -> str:
    found = rate(PLATFORM, {"callee": callee, "start": start, **call}, onnet=onnet)
    return str(found.calls["zone_id"].item())


@pytest.mark.parametrize(
    ("callee", "customer", "whole_platform", "none"),
    [
        (COLLEAGUE, "ONNET", "ONNET", "BE"),
        (OTHERS, "BE", "ONNET", "BE"),
        (OUTSIDE, "BE", "BE", "BE"),
        ("+3225550101", "ONNET", "ONNET", "BE"),  # his own voicemail
        ("1700", "SHORT", "SHORT", "SHORT"),
    ],
)
def test_r_onnet__by_switch(callee: str, customer: str, whole_platform: str, none: str) -> None:
    found = [zone(callee, onnet=onnet) for onnet in ("customer", "platform", "none")]
    assert found == [customer, whole_platform, none]


@pytest.mark.parametrize(
    ("start", "callee", "customer", "whole_platform"),
    [
        ("2026-10-09T21:59:59Z", LEAVING, "BE", "BE"),
        ("2026-10-09T22:00:00Z", LEAVING, "ONNET", "ONNET"),
        ("2026-10-19T21:59:59Z", LEAVING, "ONNET", "ONNET"),
        ("2026-10-19T22:00:00Z", LEAVING, "BE", "BE"),
        ("2026-10-14T21:59:59Z", MOVED, "ONNET", "ONNET"),
        ("2026-10-14T22:00:00Z", MOVED, "BE", "ONNET"),  # the other customer's from that day on
    ],
)
def test_r_onnet__active_that_day(start: str, callee: str, customer: str, whole_platform: str) -> None:
    assert [zone(callee, start, onnet) for onnet in ("customer", "platform")] == [customer, whole_platform]


@pytest.mark.parametrize("onnet", ["customer", "platform"])
def test_r_onnet__incoming_calls_are_not_on_net(onnet: str) -> None:
    assert zone("+3225550101", onnet=onnet, direction="incoming", caller=COLLEAGUE) == "INCOMING"


def test_r_onnet__the_owners_customer_counts_not_the_caller_numbers() -> None:
    assert zone(COLLEAGUE, caller=OTHERS, user_id="u1") == "ONNET"
    assert zone(OTHERS, caller=OTHERS, user_id="u1") == "BE"


def test_r_onnet__costs_nothing_by_no_deck() -> None:
    found = rate(PLATFORM, {"callee": COLLEAGUE, "duration_s": 61}).calls
    columns = ["billable_s", "charged_s", "rate_micro_per_min", "setup_micro", "amount_cents", "deck_id", "prefix"]
    assert found.select(columns).rows() == [(61, 61, 0, 0, 0, None, None)]


def test_r_onnet__needs_no_deck() -> None:
    tables = platform(users=[{"user_id": "u1"}], numbers=[{"number": COLLEAGUE}])
    call: Row = {"callee": COLLEAGUE}
    assert rate(tables, call).calls["zone_id"].to_list() == ["ONNET"]
    assert rate(tables, call, onnet="none").unrated["reason"].to_list() == ["no_rate"]

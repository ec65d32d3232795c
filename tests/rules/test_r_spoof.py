"""R-SPOOF: a call owned through its user that shows somebody else's number is rated and reported."""

from __future__ import annotations

import pytest

from tests.rules.frames import Given, platform, rate

PLATFORM = platform(
    contracts=[{}, {"contract_id": "k2", "customer_id": "c2"}],
    users=[{"user_id": "u1"}, {"user_id": "u2"}, {"user_id": "x", "customer_id": "c2"}],
    numbers=[
        {"number": "+3225550101", "user_id": "u1"},
        {"number": "+3225550102", "user_id": "u2"},
        {"number": "+3225550103", "active_from": "2026-10-10", "active_to": "2026-10-20"},
        {"number": "+3225550201", "customer_id": "c2"},
    ],
    customer_decks=[{}],
    zones=[{"zone_id": "FR"}],
    rates=[{"prefix": "33", "zone_id": "FR"}],
)


def reported(*rows: Given) -> list[tuple[object, ...]]:
    return rate(PLATFORM, *rows).reports.rows()


@pytest.mark.parametrize(
    ("start", "caller", "is_reported"),
    [
        ("2026-10-14T08:00:00Z", "+3225550101", False),
        ("2026-10-14T08:00:00Z", "+3225550102", False),  # a colleague's number is the same customer's
        ("2026-10-14T08:00:00Z", "+3225550201", True),  # another customer's
        ("2026-10-14T08:00:00Z", "+3225559999", True),  # nobody's
        ("2026-10-09T21:59:59Z", "+3225550103", True),  # his, but not yet
        ("2026-10-09T22:00:00Z", "+3225550103", False),
        ("2026-10-19T21:59:59Z", "+3225550103", False),
        ("2026-10-19T22:00:00Z", "+3225550103", True),  # his no more
    ],
)
def test_r_spoof__the_number_of_that_customer_that_day(start: str, caller: str, *, is_reported: bool) -> None:
    found = rate(PLATFORM, {"start": start, "caller": caller, "duration_s": 61})
    assert found.calls.select("customer_id", "user_id", "amount_cents").rows() == [("c1", "u1", 6)]
    assert found.reports.rows() == ([("R-SPOOF", "c1", 1)] if is_reported else [])


def test_r_spoof__calls_are_counted_by_customer() -> None:
    own, others, nobodys = ({"caller": number} for number in ("+3225550101", "+3225550201", "+3225559999"))
    assert reported(own, others, nobodys, nobodys) == [("R-SPOOF", "c1", 3)]


@pytest.mark.parametrize(
    "row",
    [
        {"user_id": None, "caller": "+3225550101"},  # owned through its number
        {"user_id": "nobody", "caller": "+3225550101"},
        {"direction": "incoming", "caller": "+3225550201", "callee": "+3225550101"},
        {"caller": "+3225550201", "callee": "+4455"},  # not rated, so not reported
    ],
)
def test_r_spoof__only_rated_calls_owned_through_their_user(row: Given) -> None:
    assert reported(row) == []

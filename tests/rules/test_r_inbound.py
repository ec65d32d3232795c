"""R-INBOUND: incoming calls are free, but a freephone number's owner pays by the prefix of the caller."""

from __future__ import annotations

from datetime import date

import pytest

from tests.rules.frames import Row, platform, problems, rate

FREEPHONE, PLAIN, MOVED = "+3280012345", "+3225550101", "+3280099999"
PLATFORM = platform(
    contracts=[{}, {"contract_id": "k2", "customer_id": "c2"}],
    users=[{"user_id": "u1"}],
    numbers=[
        {"number": PLAIN, "user_id": "u1"},
        {"number": FREEPHONE, "inbound_deck": "in", "user_id": "u1"},
        {"number": MOVED, "active_to": "2026-10-15", "inbound_deck": "in"},
        {"number": MOVED, "customer_id": "c2", "active_from": "2026-10-15"},
        {"number": "+3280011111", "inbound_deck": "later"},
    ],
    customer_decks=[{}],
    zones=[{"zone_id": zone_id} for zone_id in ("OUT", "FIX", "MOB", "HIDDEN", "SHORT")],
    rates=[
        {"prefix": "3", "zone_id": "OUT"},
        {"deck_id": "in", "prefix": "32", "zone_id": "FIX"},
        {"deck_id": "in", "prefix": "324", "zone_id": "MOB", "rate_micro_per_min": 200_000, "setup_micro": 100_000},
        {"deck_id": "in", "prefix": "=anonymous", "zone_id": "HIDDEN", "rate_micro_per_min": 100_000},
        {"deck_id": "in", "prefix": "=1200", "zone_id": "SHORT"},
        {"deck_id": "in", "prefix": "1", "zone_id": "OUT"},
        {"deck_id": "in", "prefix": "32", "zone_id": "FIX", "rate_micro_per_min": 60_000,
         "effective_from": "2026-12-01", "notified_on": "2026-09-15"},
        {"deck_id": "later", "prefix": "32", "zone_id": "FIX", "effective_from": "2026-11-01"},
    ],
)  # fmt: skip


def incoming(caller: str, callee: str, start: str = "2026-10-14T08:00:00Z") -> Row:
    return {"direction": "incoming", "caller": caller, "callee": callee, "start": start, "duration_s": 61}


@pytest.mark.parametrize(
    ("callee", "caller", "zone_id", "cents"),
    [
        (PLAIN, "+3247000000", "INCOMING", 0),
        (PLAIN, "anonymous", "INCOMING", 0),
        (PLAIN, "1200", "INCOMING", 0),
        (FREEPHONE, "+3222222222", "FIX", 6),
        (FREEPHONE, "+32470000000", "MOB", 31),  # 20.33 cents of minutes, 10 of setup
        (FREEPHONE, "anonymous", "HIDDEN", 11),
        (FREEPHONE, "1200", "SHORT", 6),
        (FREEPHONE, PLAIN, "FIX", 6),  # a call from himself is incoming, not on-net
        (FREEPHONE, "+33142685300", "no_rate", None),  # the customer's own deck is for his outgoing calls
        (FREEPHONE, "1207", "no_rate", None),  # a short code is exact
    ],
)
def test_r_inbound__by_the_caller(callee: str, caller: str, zone_id: str, cents: int | None) -> None:
    found = rate(PLATFORM, incoming(caller, callee))
    if cents is None:
        assert found.unrated["reason"].to_list() == [zone_id]
    else:
        assert found.calls.select("zone_id", "amount_cents", "customer_id", "user_id").rows() == [
            (zone_id, cents, "c1", "u1")
        ]


def test_r_inbound__anonymous_falls_to_no_prefix() -> None:
    tables = platform(
        numbers=[{"number": FREEPHONE, "inbound_deck": "in"}],
        zones=[{"zone_id": "FIX"}],
        rates=[{"deck_id": "in", "prefix": digit, "zone_id": "FIX"} for digit in "0123456789"],
    )
    assert rate(tables, incoming("anonymous", FREEPHONE)).unrated["reason"].to_list() == ["no_rate"]


@pytest.mark.parametrize(
    ("callee", "start", "customer", "zone_id", "version"),
    [
        (MOVED, "2026-10-14T21:59:59Z", "c1", "FIX", date(2020, 1, 1)),
        (MOVED, "2026-10-14T22:00:00Z", "c2", "INCOMING", None),  # the next owner has no inbound deck
        (FREEPHONE, "2026-11-30T22:59:59Z", "c1", "FIX", date(2020, 1, 1)),
        (FREEPHONE, "2026-11-30T23:00:00Z", "c1", "FIX", date(2026, 12, 1)),
        ("+3280011111", "2026-10-31T23:00:00Z", "c1", "FIX", date(2026, 11, 1)),
    ],
)
def test_r_inbound__the_deck_of_the_number_that_day(
    callee: str, start: str, customer: str, zone_id: str, version: date | None
) -> None:
    found = rate(PLATFORM, incoming("+3222222222", callee, start)).calls
    assert found.select("customer_id", "zone_id", "deck_version").rows() == [(customer, zone_id, version)]


def test_r_inbound__a_deck_without_a_version_yet_is_no_rate() -> None:
    found = rate(PLATFORM, incoming("+3222222222", "+3280011111"))
    assert found.unrated["reason"].to_list() == ["no_rate"]


def test_r_inbound__an_outgoing_call_to_a_freephone_number_is_no_inbound_call() -> None:
    found = rate(PLATFORM, {"callee": FREEPHONE, "duration_s": 61}, {"callee": FREEPHONE}, onnet="none")
    assert found.calls.select("zone_id", "deck_id", "amount_cents").rows() == [("OUT", "d", 6), ("OUT", "d", 5)]


def test_r_inbound__its_zone_is_reserved() -> None:
    assert problems(platform(contracts=[], zones=[{"zone_id": "INCOMING"}])) == [("zones", "zone_id", "INCOMING")]

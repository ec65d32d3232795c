"""R-ZONE: a short code by its exact entry, then on-net, then the longest prefix of the version in force."""

from __future__ import annotations

import pytest

from tests.rules.frames import Row, platform, problems, rate

NOVEMBER: Row = {"effective_from": "2026-11-01", "notified_on": "2026-09-15"}
OWN = "+32475000001"
ZONES = ["SOS", "BE", "MOB", "MOB4", "FR", "PARIS", "SHORT", "OLD"]


def deck(*entries: tuple[str, str], **version: object) -> list[Row]:
    return [{"prefix": prefix, "zone_id": zone_id, **version} for prefix, zone_id in entries]


PLATFORM = platform(
    users=[{"user_id": "u1"}],
    numbers=[{"number": OWN}],
    customer_decks=[{}, {"deck_id": "e", "effective_from": "2026-12-01", "notified_on": "2026-09-15"}],
    zones=[{"zone_id": zone_id} for zone_id in ZONES],
    rates=[
        *deck(("=112", "SOS"), ("=1700", "SHORT"), ("1", "OLD"), ("11", "OLD"), ("32", "BE"), ("324", "MOB")),
        *deck(("3247", "MOB4"), ("33", "FR"), ("331", "PARIS"), ("44", "OLD"), ("4420", "OLD")),
        *deck(("=112", "SOS"), ("32", "BE"), ("3", "FR"), ("=44", "SHORT"), **NOVEMBER),
        *deck(("3", "OLD"), deck_id="e"),
    ],
)


def zone(callee: str, start: str = "2026-10-14T08:00:00Z", onnet: str = "customer") -> tuple[object, ...]:
    """Zone and prefix of one call; (`no_rate`, None) where it has none."""
    found = rate(PLATFORM, {"callee": callee, "start": start}, onnet=onnet)
    if found.unrated.height:
        return (found.unrated["reason"].item(), None)
    return found.calls.select("zone_id", "prefix").row(0)


@pytest.mark.parametrize(
    ("callee", "onnet", "zone_id", "prefix"),
    [
        ("112", "customer", "SOS", "=112"),  # a short code: its exact entry
        ("1700", "customer", "SHORT", "=1700"),
        ("113", "customer", "no_rate", None),  # it never falls to 11 or 1
        ("32", "customer", "no_rate", None),  # nor is it a country
        ("331426", "customer", "no_rate", None),
        ("+112345678", "customer", "OLD", "11"),  # a number never takes an exact entry
        (OWN, "customer", "ONNET", None),  # before the longest prefix
        (OWN, "none", "MOB4", "3247"),
        ("+32475000002", "customer", "MOB4", "3247"),
        ("+32460000002", "customer", "MOB", "324"),
        ("+3225550199", "customer", "BE", "32"),
        ("+33142685300", "customer", "PARIS", "331"),
        ("+33242685300", "customer", "FR", "33"),
        ("+49301234567", "customer", "no_rate", None),
        ("+31201234567", "customer", "no_rate", None),
    ],
)
def test_r_zone__in_this_order(callee: str, onnet: str, zone_id: str, prefix: str | None) -> None:
    assert zone(callee, onnet=onnet) == (zone_id, prefix)


DATED = [
    ("2026-10-31T22:59:59Z", "+33142685300", "PARIS", "331"),
    ("2026-10-31T23:00:00Z", "+33142685300", "FR", "3"),  # a version is complete: 331 is gone
    ("2026-10-31T23:00:00Z", "+32475000002", "BE", "32"),
    ("2026-10-31T23:00:00Z", "+442012345678", "no_rate", None),  # =44 is a short code
    ("2026-10-31T23:00:00Z", "44", "SHORT", "=44"),
    ("2026-10-31T22:59:59Z", "44", "no_rate", None),
    ("2026-10-31T23:00:00Z", "1700", "no_rate", None),
    ("2026-11-30T23:00:00Z", "+33142685300", "OLD", "3"),  # the customer's other deck
    ("2026-11-30T23:00:00Z", "112", "no_rate", None),
]


@pytest.mark.parametrize(("start", "callee", "zone_id", "prefix"), DATED)
def test_r_zone__the_version_in_force_of_the_customers_deck(
    start: str, callee: str, zone_id: str, prefix: str | None
) -> None:
    assert zone(callee, start) == (zone_id, prefix)


def test_r_zone__many_calls_at_once_as_each_alone() -> None:
    """Calls of several versions and decks in one frame, in any order, each keep their own zone."""
    rows = [
        {"call_id": f"{place}", "start": start, "callee": callee} for place, (start, callee, _, _) in enumerate(DATED)
    ]
    for given in (rows, rows[::-1]):
        found = rate(PLATFORM, *given)
        zones = dict(found.calls.select("call_id", "zone_id").rows())
        zones |= dict(found.unrated.select("call_id", "reason").rows())
        assert [zones[str(place)] for place in range(len(DATED))] == [zone_id for _, _, zone_id, _ in DATED]


@pytest.mark.parametrize(
    ("decks", "rates"),
    [
        ([], deck(("33", "FR"))),  # no deck at all
        ([NOVEMBER], deck(("33", "FR"))),  # none yet
        ([{}], deck(("33", "FR"), **NOVEMBER)),  # a deck without a version yet
        ([{}], deck(("33", "FR"), deck_id="e")),
    ],
)
def test_r_zone__no_version_in_force_no_rate(decks: list[Row], rates: list[Row]) -> None:
    tables = platform(users=[{"user_id": "u1"}], customer_decks=decks, zones=[{"zone_id": "FR"}], rates=rates)
    assert rate(tables, {}).unrated["reason"].to_list() == ["no_rate"]


def test_r_zone__the_rate_is_that_of_the_row() -> None:
    row = {"prefix": "331", "zone_id": "PARIS", "rate_micro_per_min": 123_456, "setup_micro": 100_000}
    tables = platform(
        users=[{"user_id": "u1"}],
        customer_decks=[{}],
        zones=[{"zone_id": "FR"}, {"zone_id": "PARIS", "kind": "special"}],
        rates=[{"prefix": "33", "zone_id": "FR"}, row],
    )
    columns = ["zone_id", "zone_kind", "rate_micro_per_min", "setup_micro", "deck_id", "amount_cents"]
    assert rate(tables, {}).calls.select(columns).rows() == [("PARIS", "special", 123_456, 100_000, "d", 23)]


@pytest.mark.parametrize(("zone_id", "is_refused"), [("ONNET", True), ("INCOMING", True), ("onnet", False)])
def test_r_zone__reserved_zone_ids_are_refused(zone_id: str, *, is_refused: bool) -> None:
    found = problems(platform(contracts=[], zones=[{"zone_id": zone_id}]))
    assert found == ([("zones", "zone_id", zone_id)] if is_refused else [])

"""R-EMERGENCY: emergency calls are free whatever the deck says, and never shown; nor are those to 0800 numbers."""

from __future__ import annotations

import polars as pl
import pytest

from invoicing.traffic import traffic_lines
from rating.periods import Period
from rating.pricing import free_of_charge, hidden_from_invoice
from tests.rules.frames import Row, platform, problems, rate

PRICED: Row = {"rate_micro_per_min": 500_000, "setup_micro": 250_000, "first_increment_s": 60, "increment_s": 60}
PLATFORM = platform(
    users=[{"user_id": "u1"}],
    subscriptions=[{"subscription_id": "s1", "product_id": "minutes"}],
    packs=[{"product_id": "minutes", "included_minutes": 100, "zones": ["*", "SOS"]}],
    customer_decks=[{}],
    zones=[
        {"zone_id": "SOS", "kind": "emergency"},
        {"zone_id": "FREE", "kind": "free"},
        {"zone_id": "INFO", "kind": "premium"},
    ],
    rates=[
        {"prefix": "=112", "zone_id": "SOS", **PRICED},
        {"prefix": "32999", "zone_id": "SOS", **PRICED},
        {"prefix": "32800", "zone_id": "FREE", "rate_micro_per_min": 0},
        {"prefix": "=1207", "zone_id": "INFO", **PRICED},
    ],
    suspensions=[{"suspended_from": "2026-10-20"}],
)


@pytest.mark.parametrize(
    ("start", "callee", "zone_id", "cents"),
    [
        ("2026-10-14T08:00:00Z", "112", "SOS", 0),  # by a deck entry with a price
        ("2026-10-24T08:00:00Z", "112", "SOS", 0),  # suspended
        ("2026-10-14T08:00:00Z", "+32999123456", "SOS", 0),  # by a prefix
        ("2026-10-14T08:00:00Z", "+3280012345", "FREE", 0),
        ("2026-10-14T08:00:00Z", "1207", "INFO", 125),  # 2 minutes at 0.50, 0.25 of setup
    ],
)
def test_r_emergency__free_whatever_the_deck_says(start: str, callee: str, zone_id: str, cents: int) -> None:
    found = rate(PLATFORM, {"callee": callee, "start": start, "duration_s": 61}).calls
    assert found.select("zone_id", "amount_cents", "pack_s").rows() == [(zone_id, cents, 0)]


def test_r_emergency__the_price_of_the_deck_is_not_applied_but_its_increments_are() -> None:
    found = rate(PLATFORM, {"callee": "112", "duration_s": 61}).calls
    columns = ["rate_micro_per_min", "setup_micro", "billable_s", "charged_s", "deck_id", "prefix"]
    assert found.select(columns).rows() == [(0, 0, 120, 120, "d", "=112")]


@pytest.mark.parametrize(
    ("kind", "free", "hidden"),
    [
        ("emergency", True, True),
        ("free", False, True),
        ("premium", False, False),
        ("special", False, False),
        ("international", False, False),
        ("national_fixed", False, False),
        ("national_mobile", False, False),
        (None, False, False),  # on-net and incoming
    ],
)
def test_r_emergency__by_kind_of_zone(kind: str | None, *, free: bool, hidden: bool) -> None:
    frame = pl.DataFrame({"kind": [kind]}, schema={"kind": pl.String})
    assert frame.select(free_of_charge(pl.col("kind"))).item() is free
    assert frame.select(hidden_from_invoice(pl.col("kind"))).item() is hidden


@pytest.mark.parametrize(("kind", "shown"), [("emergency", 0), ("free", 0), ("premium", 1)])
def test_r_emergency__no_invoice_line(kind: str, shown: int) -> None:
    """Not even if such calls had an amount."""
    calls = pl.DataFrame(
        {"customer_id": ["c1"], "period_number": [202610], "zone_id": ["Z"], "zone_kind": [kind], "charged_s": [60],
         "amount_cents": [5]},
        schema_overrides={"period_number": pl.Int32},
    )  # fmt: skip
    assert traffic_lines(calls, Period.parse("2026-10")).height == shown


@pytest.mark.parametrize(
    ("kind", "price", "found"),
    [
        ("free", {"rate_micro_per_min": 0}, []),
        ("free", {"rate_micro_per_min": 1}, [("rates", "price_per_minute", "0.000001")]),
        ("free", {"rate_micro_per_min": 0, "setup_micro": 100_000}, [("rates", "setup_fee", "0.1")]),
        ("emergency", {"rate_micro_per_min": 500_000}, []),  # accepted, and not applied
    ],
)
def test_r_emergency__a_free_zone_with_a_price_is_refused(
    kind: str, price: Row, found: list[tuple[str, str, str]]
) -> None:
    zones: list[Row] = [{"zone_id": "Z", "kind": kind}]
    tables = platform(contracts=[], zones=zones, rates=[{"prefix": "32800", "zone_id": "Z", **price}])
    assert problems(tables) == found

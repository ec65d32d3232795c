"""R-INCREMENT: per second, unless a contract derogates with a first and a next increment."""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction
from math import ceil

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rating.mediation import normalise_records
from rating.pricing import billable_seconds
from tests.rules.frames import Row, platform, problems, rate


def billable_s(duration_s: int, first_s: int, next_s: int) -> int:
    frame = pl.DataFrame({"s": [duration_s], "first": [first_s], "next": [next_s]})
    found: int = frame.select(billable_seconds(pl.col("s"), pl.col("first"), pl.col("next"))).item()
    return found


@pytest.mark.parametrize(
    ("first_s", "next_s", "duration_s", "billed_s"),
    [
        (60, 1, 13, 60),
        (60, 1, 75, 75),
        (60, 60, 75, 120),
        (1, 1, 1, 1),
        (1, 1, 61, 61),
        (60, 1, 60, 60),
        (60, 1, 61, 61),
        (60, 60, 60, 60),
        (60, 60, 61, 120),
        (60, 60, 120, 120),
        (60, 60, 121, 180),
        (30, 6, 1, 30),
        (30, 6, 31, 36),
        (30, 6, 36, 36),
        (30, 6, 37, 42),
        (1, 60, 2, 61),  # every increment that was begun, counted from the first
        (86_400, 86_400, 86_400, 86_400),
    ],
)
def test_r_increment__first_then_next(first_s: int, next_s: int, duration_s: int, billed_s: int) -> None:
    assert billable_s(duration_s, first_s, next_s) == billed_s


@given(st.integers(1, 86_400), st.integers(1, 86_400), st.integers(1, 86_400))
def test_r_increment__agrees_with_exact_fractions(duration_s: int, first_s: int, next_s: int) -> None:
    more = ceil(max(Fraction(duration_s - first_s, next_s), Fraction()))
    assert billable_s(duration_s, first_s, next_s) == first_s + more * next_s


@pytest.mark.parametrize(("written", "billed_s"), [("60", 60), ("60.000", 60), ("60.001", 120), ("59.5", 60)])
def test_r_increment__fractions_are_rounded_up_before_increments(written: str, billed_s: int) -> None:
    record = {
        "source_line": 2, "record": "r", "fault": None, "call_id": "a", "start": "2026-10-14T08:00:00Z",
        "direction": "outgoing", "caller": "+3225550101", "callee": "+33142685300", "duration_s": written,
        "user_id": "u1",
    }  # fmt: skip
    records = pl.DataFrame([record], schema_overrides={"fault": pl.String})
    accepted, _ = normalise_records(records, now=datetime(2026, 11, 2, tzinfo=UTC), country_code="32")
    assert billable_s(accepted["duration_s"].item(), 60, 60) == billed_s


def derogating(first_s: int, next_s: int) -> Row:
    return {"prefix": "33", "zone_id": "FR", "first_increment_s": first_s, "increment_s": next_s}


@pytest.mark.parametrize(
    ("first_s", "next_s", "refused"),
    [
        (1, 1, []),
        (60, 1, [("rates", "first_increment_s", "60")]),
        (1, 60, [("rates", "increment_s", "60")]),
        (60, 60, [("rates", "first_increment_s", "60"), ("rates", "increment_s", "60")]),
    ],
)
def test_r_increment__refused_unless_allowed(first_s: int, next_s: int, refused: list[tuple[str, str, str]]) -> None:
    tables = platform(contracts=[], zones=[{"zone_id": "FR"}], rates=[derogating(first_s, next_s)])
    assert problems(tables) == refused
    assert problems(tables, allow_increments=True) == []


def test_r_increment__packs_and_prices_take_what_is_billed() -> None:
    """60/60 and 75 s: 120 s are billed, 60 of them from a pack of a minute; on-net calls stay per second."""
    tables = platform(
        users=[{"user_id": "u1"}],
        numbers=[{"number": "+3225550102"}],
        subscriptions=[{"subscription_id": "s1", "product_id": "minutes"}],
        packs=[{"product_id": "minutes", "included_minutes": 1}],
        customer_decks=[{}],
        zones=[{"zone_id": "FR"}],
        rates=[derogating(60, 60)],
    )
    found = rate(tables, {"duration_s": 75}, {"duration_s": 75, "callee": "+3225550102"})
    columns = ["zone_id", "duration_s", "billable_s", "pack_s", "charged_s", "amount_cents"]
    assert found.calls.select(columns).rows() == [("FR", 75, 120, 60, 60, 5), ("ONNET", 75, 75, 0, 75, 0)]

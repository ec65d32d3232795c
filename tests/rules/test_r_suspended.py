"""R-SUSPENDED: suspension reduces nothing, and what a suspended customer calls is rated and reported."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest

from tests.rules.frames import MICRO, Given, Row, platform, rate
from tests.rules.tables import bill

if TYPE_CHECKING:
    from schemas.platform import Platform


def tables(*suspensions: Given) -> Platform:
    return platform(
        customers=[{"customer_id": "c1"}, {"customer_id": "c2"}],
        contracts=[{}, {"contract_id": "k2", "customer_id": "c2"}],
        users=[{"user_id": "u1"}, {"user_id": "u2", "customer_id": "c2"}],
        numbers=[{"number": "+3225550101"}],
        subscriptions=[{"subscription_id": "s1", "product_id": "minutes"}],
        products=[{"product_id": "seat", "kind": "user"}, {"product_id": "minutes", "kind": "pack"}],
        prices=[{"product_id": "seat", "unit_price_micro": 10 * MICRO}, {"product_id": "minutes"}],
        packs=[{"product_id": "minutes", "included_minutes": 1}],
        customer_decks=[{}, {"customer_id": "c2"}],
        zones=[{"zone_id": "FR"}, {"zone_id": "SOS", "kind": "emergency"}],
        rates=[{"prefix": "33", "zone_id": "FR"}, {"prefix": "=112", "zone_id": "SOS"}],
        suspensions=suspensions,
    )


FIRST: Row = {"suspended_from": "2026-10-10", "suspended_to": "2026-10-15"}
SECOND: Row = {"suspended_from": "2026-10-15", "suspended_to": "2026-10-20"}
AGAIN: Row = {"suspended_from": "2026-10-25"}


@pytest.mark.parametrize(
    ("start", "callee", "user_id", "is_reported"),
    [
        ("2026-10-09T21:59:59Z", "+33142685300", "u1", False),
        ("2026-10-09T22:00:00Z", "+33142685300", "u1", True),
        ("2026-10-14T22:00:00Z", "+33142685300", "u1", True),  # the second suspension follows at once
        ("2026-10-19T21:59:59Z", "+33142685300", "u1", True),
        ("2026-10-19T22:00:00Z", "+33142685300", "u1", False),
        ("2026-10-24T22:00:00Z", "+33142685300", "u1", True),  # it still lasts
        ("2026-10-31T22:59:59Z", "+33142685300", "u1", True),
        ("2026-10-12T08:00:00Z", "112", "u1", False),
        ("2026-10-12T08:00:00Z", "+3225550101", "u1", True),  # an on-net call is a call
        ("2026-10-12T08:00:00Z", "+33142685300", "u2", False),  # another customer
    ],
)
def test_r_suspended__rated_and_reported(start: str, callee: str, user_id: str, *, is_reported: bool) -> None:
    call = {"start": start, "callee": callee, "user_id": user_id}
    found = rate(tables(FIRST, SECOND, AGAIN), call)
    assert found.unrated.is_empty()
    assert found.calls.equals(rate(tables(), call).calls)
    reports = [row for row in found.reports.rows() if row[0] == "R-SUSPENDED"]
    assert reports == ([("R-SUSPENDED", "c1", 1)] if is_reported else [])


def test_r_suspended__reduces_nothing() -> None:
    """The same minutes, the same calls, the same lines to the cent."""
    columns = ["kind", "product_id", "net_cents"]
    bills = []
    for suspensions in ([], [{"suspended_from": "2026-09-01"}]):
        with_them = tables(*suspensions)
        lines = bill(with_them, rated_calls=rate(with_them, {"duration_s": 161}).calls).lines
        bills.append(lines.filter(pl.col("customer_id") == "c1").select(columns).rows())
    assert bills[1] == bills[0]
    assert bills[0] == [("recurring", "minutes", 100), ("recurring", "seat", 1000), ("traffic", None, 9)]

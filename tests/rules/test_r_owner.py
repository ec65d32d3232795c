"""R-OWNER: a call belongs to its user, else to its caller number; an incoming one to the called number."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest

from rating.coding import coded
from rating.ownership import find_owners
from rating.pipeline import with_local_days
from tests.rules.frames import Given, Row, calls, platform, rate

if TYPE_CHECKING:
    from schemas.platform import Platform

OWN, OTHERS, MOVED, NOBODYS, UNHELD = "+3225550101", "+3225550201", "+3225550301", "+3225559999", "+3225550401"
PLATFORM = platform(
    contracts=[
        {"customer_id": "c1"},
        {"contract_id": "k2", "customer_id": "c2", "starts_on": "2026-10-10", "ends_on": "2026-10-20"},
    ],
    users=[
        {"user_id": "u1", "active_from": "2026-10-05", "active_to": "2026-10-25"},
        {"user_id": "u2", "customer_id": "c2"},
        {"user_id": "u3", "customer_id": "c1"},
        {"user_id": "mover", "customer_id": "c1", "active_to": "2026-10-15"},
        {"user_id": "mover", "customer_id": "c2", "active_from": "2026-10-15"},
    ],
    numbers=[
        {"number": OWN, "user_id": "u3"},
        {"number": OTHERS, "customer_id": "c2", "user_id": "u2"},
        {"number": MOVED, "customer_id": "c1", "active_to": "2026-10-15"},
        {"number": MOVED, "customer_id": "c2", "active_from": "2026-10-15", "user_id": "u2"},
    ],
    customer_decks=[{"customer_id": "c1"}, {"customer_id": "c2"}],
    zones=[{"zone_id": "FR"}],
    rates=[{"prefix": "33", "zone_id": "FR"}],
)


def owners(tables: Platform, *rows: Given, first_period: int = 202610) -> pl.DataFrame:
    dated = with_local_days(calls(*rows), "Europe/Brussels").with_columns(outgoing=pl.col("direction") == "outgoing")
    return find_owners(dated, coded(tables), first_period_number=first_period)


def owner(call: Given, *, first_period: int = 202610) -> tuple[str | None, ...]:
    """Customer, user and reason of one call."""
    found = owners(PLATFORM, call, first_period=first_period)
    return found.select("customer_id", "owner_user_id", "reason").row(0)


OUTGOING = [
    ("2026-10-14T08:00:00Z", "u1", OTHERS, "c1", "u1", None),  # the user comes before the number
    ("2026-10-04T08:00:00Z", "u1", OTHERS, "c2", "u2", "outside_contract"),  # no user yet: the number's
    ("2026-10-14T08:00:00Z", "nobody", OWN, "c1", "u3", None),
    ("2026-10-14T08:00:00Z", None, OWN, "c1", "u3", None),
    ("2026-10-14T08:00:00Z", None, MOVED, "c1", None, None),  # a number nobody calls from
    ("2026-10-14T08:00:00Z", "nobody", NOBODYS, None, None, "unknown_caller"),
    ("2026-10-14T08:00:00Z", None, "anonymous", None, None, "unknown_caller"),
    ("2026-10-14T08:00:00Z", "u1", "anonymous", "c1", "u1", None),
    ("2026-10-14T08:00:00Z", "u2", OWN, "c2", "u2", None),
    ("2026-09-30T21:59:59Z", "u3", OWN, "c1", "u3", "before_start"),
]


@pytest.mark.parametrize(("start", "user_id", "caller", "customer", "user", "reason"), OUTGOING)
def test_r_owner__outgoing(
    start: str, user_id: str | None, caller: str, customer: str | None, user: str | None, reason: str | None
) -> None:
    call = {"start": start, "user_id": user_id, "caller": caller}
    assert owner(call) == (customer, user, reason)


def test_r_owner__many_calls_at_once_as_each_alone() -> None:
    rows: list[Row] = [{"start": start, "user_id": user, "caller": caller} for start, user, caller, *_ in OUTGOING]
    found = owners(PLATFORM, *rows)
    assert found.select("customer_id", "owner_user_id", "reason").rows() == [case[3:] for case in OUTGOING]


@pytest.mark.parametrize(
    ("start", "caller", "callee", "customer", "user", "reason"),
    [
        ("2026-10-14T08:00:00Z", NOBODYS, OWN, "c1", "u3", None),  # the record says u2: ignored
        ("2026-10-14T08:00:00Z", OWN, OTHERS, "c2", "u2", None),  # not the caller's
        ("2026-10-14T08:00:00Z", OWN, NOBODYS, None, None, "unknown_caller"),
        ("2026-10-14T08:00:00Z", "anonymous", MOVED, "c1", None, None),
        ("2026-10-15T08:00:00Z", "anonymous", MOVED, "c2", "u2", None),
        ("2026-10-09T08:00:00Z", OWN, OTHERS, "c2", "u2", "outside_contract"),
    ],
)
def test_r_owner__incoming(
    start: str, caller: str, callee: str, customer: str | None, user: str | None, reason: str | None
) -> None:
    call = {"start": start, "direction": "incoming", "user_id": "u2", "caller": caller, "callee": callee}
    assert owner(call) == (customer, user, reason)


@pytest.mark.parametrize(
    ("start", "user_id", "customer", "user"),
    [
        ("2026-10-04T21:59:59Z", "u1", "c1", "u3"),  # the evening before: the caller number's
        ("2026-10-04T22:00:00Z", "u1", "c1", "u1"),  # 5 October in Brussels, his first day
        ("2026-10-24T21:59:59Z", "u1", "c1", "u1"),  # his last
        ("2026-10-24T22:00:00Z", "u1", "c1", "u3"),  # `active_to` is held no more
        ("2026-10-14T21:59:59Z", "mover", "c1", "mover"),
        ("2026-10-14T22:00:00Z", "mover", "c2", "mover"),
    ],
)
def test_r_owner__active_on_the_local_day(start: str, user_id: str, customer: str, user: str) -> None:
    assert owner({"start": start, "user_id": user_id, "caller": OWN}) == (customer, user, None)


@pytest.mark.parametrize(
    ("start", "reason"),
    [
        ("2026-10-09T21:59:59Z", "outside_contract"),
        ("2026-10-09T22:00:00Z", None),  # starts_on
        ("2026-10-19T21:59:59Z", None),
        ("2026-10-19T22:00:00Z", "outside_contract"),  # ends_on is no day of the contract
    ],
)
def test_r_owner__inside_the_contract(start: str, reason: str | None) -> None:
    assert owner({"start": start, "user_id": "u2"}) == ("c2", "u2", reason)


def test_r_owner__a_customer_without_a_contract_has_no_call_inside_it() -> None:
    tables = platform(contracts=[], users=[{"user_id": "u1"}])
    found = owners(tables, {})
    assert found["reason"].to_list() == ["outside_contract"]


@pytest.mark.parametrize(
    ("start", "user_id", "callee", "reason"),
    [
        ("2026-09-30T21:59:59Z", "nobody", "+4455", "before_start"),
        ("2026-10-01T08:00:00Z", "nobody", "+4455", "unknown_caller"),
        ("2026-10-01T08:00:00Z", "u2", "+4455", "outside_contract"),
        ("2026-10-14T08:00:00Z", "u2", "+4455", "no_rate"),
    ],
)
def test_r_owner__the_first_reason_that_holds(start: str, user_id: str, callee: str, reason: str) -> None:
    found = rate(PLATFORM, {"start": start, "user_id": user_id, "caller": NOBODYS, "callee": callee})
    assert found.calls.is_empty()
    assert found.unrated["reason"].to_list() == [reason]
    assert found.unrated["user_id"].to_list() == [user_id]  # as the record told it, to be judged anew

"""R-PACK: how many seconds a pool brings for a month, and which calls draw them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest

from invoicing.user_cap import rebuild_before
from rating.packs import open_pools, pack_contents
from rating.periods import Period
from rating.services import service_rows
from tests.rules.frames import MICRO, Given, Row, platform, rate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.platform import Platform

Active = tuple[str, str | None, int]  # from, to, millionths of a unit
LONG = "2026-01-01"
HUNDRED: Row = {"product_id": "minutes", "included_minutes": 100}
ZONES: list[Row] = [
    {"zone_id": "FR"},
    {"zone_id": "BE", "kind": "national_fixed"},
    {"zone_id": "INFO", "kind": "premium"},
    {"zone_id": "WEB"},
    {"zone_id": "SETUP"},
]
RATES: list[Row] = [
    {"prefix": "33", "zone_id": "FR"},
    {"prefix": "32", "zone_id": "BE"},
    {"prefix": "3290", "zone_id": "INFO"},
    {"prefix": "3278", "zone_id": "WEB", "rate_micro_per_min": 0},
    {"prefix": "3270", "zone_id": "SETUP", "rate_micro_per_min": 0, "setup_micro": 100_000},
    {"prefix": "44", "zone_id": "FR", "setup_micro": 100_000},
]
FR, BE, INFO, WEB, SETUP, UK = "+33142685300", "+3221112233", "+3290012345", "+3278012345", "+3270012345", "+441234567"


def world(packs: Sequence[Given], subscriptions: Sequence[Given], **tables: Sequence[Given]) -> Platform:
    """Customer c1 with users u1 and u2, and these packs."""
    given: dict[str, Sequence[Given]] = {
        "users": [{"user_id": "u1"}, {"user_id": "u2"}],
        "packs": packs,
        "subscriptions": [{"subscription_id": f"s{place}", **row} for place, row in enumerate(subscriptions)],
        "customer_decks": [{}],
        "zones": ZONES,
        "rates": RATES,
        **tables,
    }
    return platform(**given)


def pools(
    tables: Platform,
    period: str = "2026-10",
    billed: pl.DataFrame | None = None,
    missing: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """The pools of a period; `billed` are users (`customer_id`, `product_id`, `quantity_micro`), as are `missing`."""
    month = Period.parse(period)
    none = pl.DataFrame(schema={"customer_id": pl.String, "product_id": pl.String, "quantity_micro": pl.Int64})
    contents = pack_contents(tables, month)
    return open_pools(
        service_rows(tables), contents, none if billed is None else billed, month, missing_users=missing
    ).with_columns(open_from=pl.col("open_from").cast(pl.String))


def allowance(active: Sequence[Active], minutes: int | None = 100, period: str = "2026-10") -> tuple[object, ...]:
    """Seconds and first open day of one customer's pool with these subscriptions."""
    held = [
        {"product_id": "minutes", "active_from": first, "active_to": end, "quantity_micro": quantity}
        for first, end, quantity in active
    ]
    found = pools(world([{"product_id": "minutes", "included_minutes": minutes}], held), period)
    return found.select("allowance_s", "open_from").row(0) if found.height else ()


# Examples: what is left of 100 minutes, minutes taken on 10 October, users who leave and come.


@pytest.mark.parametrize(
    ("left_s", "callee", "duration_s", "pack_s", "charged_s", "cents"),
    [
        (100, FR, 161, 100, 61, 6),
        (100, UK, 161, 100, 61, 16),  # the whole setup fee
        (161, FR, 161, 161, 0, 0),
        (161, UK, 161, 161, 0, 0),  # nothing charged, no setup fee
        (0, FR, 161, 0, 161, 14),
        (-50, FR, 161, 0, 161, 14),  # the invoiced calls drew more than these tables bring
    ],
)
def test_r_pack__a_call_may_be_split(
    left_s: int, callee: str, duration_s: int, pack_s: int, charged_s: int, cents: int
) -> None:
    tables = world([HUNDRED], [{"product_id": "minutes"}])
    found = rate(tables, {"callee": callee, "duration_s": duration_s}, used_before_s=6000 - left_s)
    assert found.calls.select("pack_s", "charged_s", "amount_cents").rows() == [(pack_s, charged_s, cents)]
    assert found.packs_used.select("allowance_s", "used_s", "calls").rows() == [(6000, pack_s, int(pack_s > 0))]


@pytest.mark.parametrize(
    ("active", "seconds", "opens"),
    [
        ([(LONG, None, MICRO)], 6000, "2026-10-01"),
        ([("2026-10-10", None, MICRO)], 4258, "2026-10-10"),  # 22 of 31 days
        ([("2026-10-01", None, MICRO)], 6000, "2026-10-01"),
        ([("2026-10-02", None, MICRO)], 5806, "2026-10-02"),
        ([("2026-10-31", None, MICRO)], 193, "2026-10-31"),
        ([(LONG, "2026-10-02", MICRO)], 6000, "2026-10-01"),  # what ends takes nothing away
        ([("2026-10-10", "2026-10-11", MICRO)], 4258, "2026-10-10"),
        ([(LONG, None, 1_500_000)], 9000, "2026-10-01"),
        ([(LONG, None, MICRO), (LONG, None, 500_000)], 9000, "2026-10-01"),
        ([(LONG, None, 1)], 0, "2026-10-01"),  # a millionth of a pack is no second
        ([("2026-10-10", None, 333_333)], 1419, "2026-10-10"),
        # what comes when as much goes, or after, brings nothing
        ([(LONG, "2026-10-10", MICRO), ("2026-10-10", None, MICRO)], 6000, "2026-10-01"),
        ([(LONG, "2026-10-05", MICRO), ("2026-10-12", None, MICRO)], 6000, "2026-10-01"),
        # only what exceeds the most there were
        ([(LONG, None, MICRO), ("2026-10-10", None, MICRO)], 6000 + 4258, "2026-10-01"),
        (
            [(LONG, None, MICRO), ("2026-10-10", "2026-10-12", MICRO), ("2026-10-20", None, MICRO)],
            6000 + 4258,
            "2026-10-01",
        ),
        (
            [(LONG, None, MICRO), (LONG, "2026-10-05", MICRO), ("2026-10-10", None, 2 * MICRO)],
            12_000 + 4258,
            "2026-10-01",
        ),
        ([("2026-10-05", None, MICRO), ("2026-10-20", None, 2 * MICRO)], 5225 + 4645, "2026-10-05"),
        # each day is rounded down: 4064.5 and 3870.97
        ([("2026-10-11", None, MICRO), ("2026-10-12", None, MICRO)], 4064 + 3870, "2026-10-11"),
        # two on one day are one excess: 8129.03, not twice 4064.5
        ([("2026-10-11", None, MICRO), ("2026-10-11", None, MICRO)], 8129, "2026-10-11"),
    ],
)
def test_r_pack__units_bring_their_share(active: list[Active], seconds: int, opens: str) -> None:
    assert allowance(active) == (seconds, opens)


def test_r_pack__a_user_who_leaves_and_one_who_comes_bring_no_new_minutes() -> None:
    users = [{"user_id": "u1", "active_to": "2026-10-05"}, {"user_id": "u2", "active_from": "2026-10-12"}]
    found = pools(world([{"product_id": "seat", "included_minutes": 100}], [], users=users))
    assert found.select("user_id", "allowance_s", "open_from").rows() == [(None, 6000, "2026-10-01")]


# The pool: whose it is, in which month, of which content.


@pytest.mark.parametrize(
    ("active", "period"),
    [
        ([(LONG, "2026-10-01", MICRO)], "2026-10"),  # it held no day of October
        ([("2026-11-01", None, MICRO)], "2026-10"),
        ([], "2026-10"),
    ],
)
def test_r_pack__no_unit_no_pool(active: list[Active], period: str) -> None:
    assert allowance(active, period=period) == ()


@pytest.mark.parametrize(
    ("period", "first", "seconds"),
    [("2026-11", "2026-11-10", 4200), ("2027-02", "2027-02-10", 4071), ("2028-02", "2028-02-10", 4137)],
)
def test_r_pack__days_of_its_month(period: str, first: str, seconds: int) -> None:
    assert allowance([(first, None, MICRO)], period=period) == (seconds, first)


@pytest.mark.parametrize(("minutes", "seconds"), [(None, None), (0, 0), (1, 60), (10_000_000, 600_000_000)])
def test_r_pack__unlimited_is_not_none(minutes: int | None, seconds: int | None) -> None:
    assert allowance([(LONG, None, MICRO)], minutes) == (seconds, "2026-10-01")


def test_r_pack__only_inside_the_contract() -> None:
    contract = {"starts_on": "2026-10-10", "ends_on": "2026-10-20"}
    found = pools(world([HUNDRED], [{"product_id": "minutes"}], contracts=[contract]))
    assert found.select("allowance_s", "open_from").rows() == [(4258, "2026-10-10")]


def test_r_pack__a_pool_for_each_user() -> None:
    """By the user of the subscription; users of a user product bring their own."""
    packs = [
        {"product_id": "mobile", "scope": "user", "included_minutes": 10},
        {"product_id": "seat", "scope": "user", "included_minutes": 1},
    ]
    held = [
        {"product_id": "mobile", "user_id": "u1"},
        {"product_id": "mobile", "user_id": "u1", "active_from": "2026-10-10"},
        {"product_id": "mobile", "user_id": "u2"},
    ]
    users = [{"user_id": "u1"}, {"user_id": "u2", "active_from": "2026-10-10"}]
    found = pools(world(packs, held, users=users)).select("product_id", "user_id", "allowance_s").sort(pl.all())
    assert found.rows() == [
        ("mobile", "u1", 600 + 425),
        ("mobile", "u2", 600),
        ("seat", "u1", 60),
        ("seat", "u2", 42),
    ]


@pytest.mark.parametrize(
    ("second_from", "period", "seconds"),
    [
        ("2026-10-01", "2026-10", 12_000),
        ("2026-10-02", "2026-10", 6000),  # for all of October what was in force on its first day
        ("2026-10-02", "2026-11", 12_000),
        ("2026-11-01", "2026-10", 6000),
    ],
)
def test_r_pack__the_content_of_the_first_day(second_from: str, period: str, seconds: int) -> None:
    second = {"product_id": "minutes", "included_minutes": 200, "effective_from": second_from}
    found = pools(world([HUNDRED, second], [{"product_id": "minutes"}]), period)
    assert found["allowance_s"].to_list() == [seconds]


@pytest.mark.parametrize(("first_version", "pools_found"), [("2026-10-01", 1), ("2026-10-02", 0)])
def test_r_pack__no_content_yet_no_pool(first_version: str, pools_found: int) -> None:
    tables = world([{**HUNDRED, "effective_from": first_version}], [{"product_id": "minutes"}])
    assert pools(tables).height == pools_found


# Users that were billed for the month bring their minutes on its first day.


def billed_users(users: int) -> pl.DataFrame:
    return pl.DataFrame({"customer_id": ["c1"], "product_id": ["seat"], "quantity_micro": [users * MICRO]})


@pytest.mark.parametrize(
    ("on_first_day", "from_10th", "billed", "seconds"),
    [
        (3, 0, 5, 30_000),  # two of the five are reserved
        (6, 0, 5, 36_000),
        (5, 0, 5, 30_000),
        (0, 0, 5, 30_000),  # all of them left
        (3, 1, 5, 30_000),  # four are no more than the five billed
        (3, 2, 5, 30_000),
        (3, 3, 5, 30_000 + 4258),
        (0, 6, 5, 30_000 + 4258),
    ],
)
def test_r_pack__no_fewer_than_the_users_billed(on_first_day: int, from_10th: int, billed: int, seconds: int) -> None:
    users = [{"user_id": f"a{number}"} for number in range(on_first_day)]
    users += [{"user_id": f"b{number}", "active_from": "2026-10-10"} for number in range(from_10th)]
    packs = [{"product_id": "seat", "included_minutes": 100}, HUNDRED]
    found = pools(world(packs, [], users=users), billed=billed_users(billed))
    assert found.select("product_id", "allowance_s", "open_from").rows() == [("seat", seconds, "2026-10-01")]


def test_r_pack__billed_users_bring_nothing_to_packs_of_users() -> None:
    tables = world([{"product_id": "seat", "scope": "user", "included_minutes": 100}], [], users=[{"user_id": "u1"}])
    found = pools(tables, billed=billed_users(5))
    assert found.select("user_id", "allowance_s").rows() == [("u1", 6000)]


def test_r_pack__billed_users_are_rebuilt_where_the_store_has_none() -> None:
    """20 in September, 10 at the end of October: 18 stay billed for November (R-CAP), so 18 bring minutes."""
    users = [{"user_id": f"u{n}", "active_to": "2026-10-15" if n < 10 else None} for n in range(20)]
    tables = world([{"product_id": "seat", "included_minutes": 100}], [], users=users)
    november = Period.parse("2026-11")
    before = rebuild_before(november, pl.Series(["c1"]), service_rows(tables), tables, cap_rounding="floor")
    billed = before.by_product.select("customer_id", "product_id", quantity_micro=pl.col("users") * MICRO)
    assert pools(tables, "2026-11", billed)["allowance_s"].to_list() == [18 * 6000]


@pytest.mark.parametrize(
    ("starts_on", "come", "scope", "found"),
    [
        ("2026-10-01", {}, "customer", [(None, 5 * 6000, "2026-10-01")]),
        ("2026-10-10", {}, "customer", [(None, 21_290, "2026-10-10")]),  # 5 x 4258.06
        ("2026-10-10", {"b1": "2026-10-20"}, "customer", [(None, 21_290, "2026-10-10")]),  # one of the promised
        (
            "2026-10-10",
            {"b1": "2026-10-20", "b2": "2026-10-20", "b3": "2026-10-20"},
            "customer",
            [(None, 21_290 + 2322, "2026-10-10")],  # the third exceeds the five
        ),
        ("2026-10-10", {}, "user", [(f"a{number}", 4258, "2026-10-10") for number in range(3)]),
    ],
)
def test_r_pack__users_promised_and_missing_are_units_on_the_contracts_first_day(
    starts_on: str, come: dict[str, str], scope: str, found: list[tuple[str | None, int, str]]
) -> None:
    """A contract of five users starts with three (R-BASIS): all five are paid from that day."""
    users = [{"user_id": f"a{number}"} for number in range(3)]
    users += [{"user_id": user_id, "active_from": first} for user_id, first in come.items()]
    pack = {"product_id": "seat", "scope": scope, "included_minutes": 100}
    missing = billed_users(2).with_columns(starts_on=pl.lit(starts_on).str.to_date())
    tables = world([pack], [], users=users, contracts=[{"starts_on": starts_on}])
    assert pools(tables, missing=missing).select("user_id", "allowance_s", "open_from").rows() == found


# Calls draw.


def minute(product_id: str = "minutes", **content: object) -> Row:
    return {"product_id": product_id, "included_minutes": 1, **content}


def drawn(tables: Platform, *rows: Given) -> list[tuple[object, ...]]:
    """Call, product, seconds drawn, seconds left before; in the order of drawing."""
    return rate(tables, *rows).draws.rows()


def test_r_pack__in_the_order_of_start_then_call_id() -> None:
    tables = world([minute()], [{"product_id": "minutes"}])
    rows = [
        {"call_id": "c", "start": "2026-10-02T08:00:00Z", "duration_s": 30},
        {"call_id": "b10", "start": "2026-10-01T08:00:00.000001Z", "duration_s": 30},
        {"call_id": "b9", "start": "2026-10-01T08:00:00.000001Z", "duration_s": 20},
        {"call_id": "z", "start": "2026-10-01T08:00:00Z", "duration_s": 20},
    ]
    expected = [("b10", "minutes", 30, 40), ("b9", "minutes", 10, 10), ("z", "minutes", 20, 60)]
    assert sorted(drawn(tables, *rows)) == expected
    assert sorted(drawn(tables, *reversed(rows))) == expected


def test_r_pack__from_several_packs_by_priority_then_product_id() -> None:
    """The order is c (0), d (1), a and b (2): each call goes on where the one before stopped, split where need be."""
    packs = [minute("d", priority=1), minute("b", priority=2), minute("a", priority=2), minute("c", priority=0)]
    tables = world(packs, [{"product_id": product_id} for product_id in "abcd"])
    rows = [{"start": f"2026-10-{day}T08:00:00Z", "duration_s": 90} for day in (11, 12, 13)]
    found = rate(tables, *rows)
    assert sorted(found.draws.select("call_id", "product_id", "drawn_s").rows()) == [
        ("1", "c", 60),
        ("1", "d", 30),
        ("2", "a", 60),
        ("2", "d", 30),
        ("3", "b", 60),
    ]
    assert found.calls.select("pack_s", "charged_s", "amount_cents").rows() == [(90, 0, 0), (90, 0, 0), (60, 30, 3)]
    assert found.packs_used.select("product_id", "used_s", "calls").rows() == [
        ("a", 60, 1),
        ("b", 60, 1),
        ("c", 60, 1),
        ("d", 60, 2),
    ]


def test_r_pack__one_call_may_empty_all_its_pools() -> None:
    tables = world([minute("a"), minute("b"), minute("c")], [{"product_id": product_id} for product_id in "abc"])
    found = rate(tables, {"duration_s": 241}).calls
    assert found.select("pack_s", "charged_s", "amount_cents").rows() == [(180, 61, 6)]


def test_r_pack__a_priority_is_a_number_not_a_text() -> None:
    packs = [minute("a", priority=10), minute("b", priority=9)]
    tables = world(packs, [{"product_id": "a"}, {"product_id": "b"}])
    assert drawn(tables, {"duration_s": 60}) == [("1", "b", 60, 60)]


@pytest.mark.parametrize(
    ("zones", "callee", "pack_s"),
    [
        (["*"], FR, 60),
        (["*"], BE, 60),
        (["*"], INFO, 0),  # every zone but those of kind premium
        (["*", "INFO"], INFO, 60),  # unless it is named
        (["INFO"], INFO, 60),
        (["FR"], FR, 60),
        (["FR"], BE, 0),
        (["FR", "BE"], BE, 60),
        (["*"], WEB, 0),  # a call that costs nothing draws nothing
        (["WEB"], WEB, 0),
        (["*"], SETUP, 60),  # its setup fee is a cost
        (["*"], "+3225550102", 0),  # on-net
    ],
)
def test_r_pack__the_zones_it_covers(zones: list[str], callee: str, pack_s: int) -> None:
    tables = world([minute(zones=zones)], [{"product_id": "minutes"}], numbers=[{"number": "+3225550102"}])
    found = rate(tables, {"callee": callee, "duration_s": 60})
    assert found.calls["pack_s"].to_list() == [pack_s]
    assert found.packs_used.select("used_s", "calls").rows() == [(pack_s, int(pack_s > 0))]


@pytest.mark.parametrize(("duration_s", "pack_s", "cents"), [(60, 60, 0), (61, 60, 10)])
def test_r_pack__a_setup_fee_alone_is_due_if_something_is_charged(duration_s: int, pack_s: int, cents: int) -> None:
    tables = world([minute()], [{"product_id": "minutes"}])
    found = rate(tables, {"callee": SETUP, "duration_s": duration_s}).calls
    assert found.select("pack_s", "amount_cents").rows() == [(pack_s, cents)]


@pytest.mark.parametrize(("minutes", "pack_s", "left_s"), [(None, 86_400, None), (1, 60, 60), (0, 0, None)])
def test_r_pack__unlimited_or_none_at_all(minutes: int | None, pack_s: int, left_s: int | None) -> None:
    tables = world([minute(included_minutes=minutes)], [{"product_id": "minutes"}])
    found = rate(tables, {"duration_s": 86_400})
    assert found.calls["pack_s"].to_list() == [pack_s]
    assert found.draws.rows() == ([("1", "minutes", pack_s, left_s)] if pack_s else [])


def test_r_pack__what_one_pool_left_the_unlimited_one_gives() -> None:
    packs = [minute("a"), minute("b", included_minutes=None)]
    tables = world(packs, [{"product_id": "a"}, {"product_id": "b"}])
    assert drawn(tables, {"duration_s": 100}) == [("1", "a", 60, 60), ("1", "b", 40, None)]


@pytest.mark.parametrize(
    ("start", "pack_s"),
    [
        ("2026-10-09T21:59:59Z", 0),
        ("2026-10-09T22:00:00Z", 42),  # the local day on which the pool opens
        ("2026-10-12T08:00:00Z", 42),  # its units ended, its minutes did not
        ("2026-10-31T22:59:59Z", 42),
    ],
)
def test_r_pack__from_the_day_it_opens_to_the_end_of_the_month(start: str, pack_s: int) -> None:
    tables = world([minute()], [{"product_id": "minutes", "active_from": "2026-10-10", "active_to": "2026-10-11"}])
    assert rate(tables, {"start": start, "duration_s": 60}).calls["pack_s"].to_list() == [pack_s]


def test_r_pack__a_call_before_the_pool_opens_leaves_it_whole() -> None:
    tables = world([minute()], [{"product_id": "minutes", "active_from": "2026-10-10"}])
    rows = [{"start": f"2026-10-{day}T08:00:00Z", "duration_s": 30} for day in ("09", "10", "11")]
    assert drawn(tables, *rows) == [("2", "minutes", 30, 42), ("3", "minutes", 12, 12)]


def test_r_pack__one_allowance_for_the_whole_month_whenever_the_call() -> None:
    """The share of a unit that comes on the 20th is there for a call of the 2nd: the pool is open."""
    held = [{"product_id": "minutes"}, {"product_id": "minutes", "active_from": "2026-10-20"}]
    tables = world([minute()], held)
    found = rate(tables, {"start": "2026-10-02T08:00:00Z", "duration_s": 100}).calls
    assert found["pack_s"].to_list() == [60 + 23]


@pytest.mark.parametrize(
    ("user_id", "caller", "scope", "pack_s"),
    [
        ("u1", "+3225550101", "user", 60),
        ("u2", "+3225550101", "user", 0),  # it is u1's
        (None, "+3225550101", "user", 60),  # the number is u1's
        (None, "+3225550103", "user", 0),  # nobody's number draws from no user's pool
        ("u1", "+3225550101", "customer", 60),
        ("u2", "+3225550101", "customer", 60),
        (None, "+3225550103", "customer", 60),
        ("x", "+3225550101", "customer", 0),  # another customer's user
        ("x", "+3225550101", "user", 0),
    ],
)
def test_r_pack__whose_pool(user_id: str | None, caller: str, scope: str, pack_s: int) -> None:
    tables = world(
        [minute(scope=scope)],
        [{"product_id": "minutes", "user_id": "u1" if scope == "user" else None}],
        contracts=[{}, {"contract_id": "k2", "customer_id": "c2"}],
        users=[{"user_id": "u1"}, {"user_id": "u2"}, {"user_id": "x", "customer_id": "c2"}],
        numbers=[{"number": "+3225550101", "user_id": "u1"}, {"number": "+3225550103"}],
        customer_decks=[{}, {"customer_id": "c2"}],
    )
    assert rate(tables, {"user_id": user_id, "caller": caller}).calls["pack_s"].to_list() == [pack_s]


def test_r_pack__the_users_own_and_the_customers_in_their_order() -> None:
    """Each user first draws from his own minute, then both from the customer's."""
    packs = [minute("own", scope="user", priority=1), minute("shared", priority=2)]
    held = [
        {"product_id": "own", "user_id": "u1"},
        {"product_id": "own", "user_id": "u2"},
        {"product_id": "shared"},
    ]
    rows = [
        {"user_id": user_id, "start": f"2026-10-{day}T08:00:00Z", "duration_s": 90}
        for day, user_id in ((11, "u1"), (12, "u2"), (13, "u1"))
    ]
    found = rate(world(packs, held), *rows)
    assert found.calls.select("user_id", "pack_s").rows() == [("u1", 90), ("u2", 90), ("u1", 0)]
    assert found.packs_used.select("user_id", "product_id", "used_s", "calls").rows() == [
        (None, "shared", 60, 2),
        ("u1", "own", 60, 1),
        ("u2", "own", 60, 1),
    ]


def test_r_pack__customers_draw_side_by_side() -> None:
    """The priorities of one customer's packs say nothing about another's."""
    packs = [minute("a", priority=5), minute("b", priority=1)]
    held = [{"product_id": "a"}, {"product_id": "a", "customer_id": "c2"}, {"product_id": "b", "customer_id": "c2"}]
    tables = world(
        packs,
        held,
        contracts=[{}, {"contract_id": "k2", "customer_id": "c2"}],
        users=[{"user_id": "u1"}, {"user_id": "x", "customer_id": "c2"}],
        customer_decks=[{}, {"customer_id": "c2"}],
    )
    rows = [{"user_id": "u1", "duration_s": 50}, {"user_id": "x", "duration_s": 70}]
    assert sorted(drawn(tables, *rows)) == [("1", "a", 50, 60), ("2", "a", 10, 60), ("2", "b", 60, 60)]


def test_r_pack__what_is_left_is_lost() -> None:
    tables = world([minute()], [{"product_id": "minutes"}])
    october = rate(tables, {"duration_s": 10})
    november = rate(tables, {"start": "2026-11-14T08:00:00Z", "duration_s": 100}, period="2026-11")
    assert october.calls["pack_s"].to_list() == [10]
    assert november.calls["pack_s"].to_list() == [60]

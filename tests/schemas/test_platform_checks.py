"""Rows against one another: keys, versions, intervals, references, kinds, and what is only a warning."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest
from small_platform import TABLES

from schemas.settings import CustomerDocuments, DocumentSettings, RatingSettings, Settings

if TYPE_CHECKING:
    from small_platform import Load, Refuse


def line_after(table: str) -> int:
    return len(TABLES[table].splitlines()) + 1


@pytest.mark.parametrize(
    ("table", "row", "column", "value", "words"),
    [
        ("customers", "c1,n,s,1,c,BE,fr,,,,,", "customer_id", "c1", "each customer_id; line 2 has"),
        ("contract_items", "k1,seat,1", "contract_id, product_id", "k1 seat", "line 2 has it already"),
        ("subscriptions", "s2,c1,minutes,1,2026-01-01,,", "subscription_id", "s2", "line 3 has it already"),
        ("products", "did,option,x,,,", "product_id", "did", "line 3 has it already"),
        ("zones", "MOB,special,x,,,", "zone_id", "MOB", "line 3 has it already"),
        ("charges", "h1,c2,2026-01-01,x,1,1,", "charge_id", "h1", "line 2 has it already"),
        ("credits", "r1,c2,2026-01-01,x,1", "credit_id", "r1", "line 2 has it already"),
        (
            "customer_decks",
            "c1,standard,2026-01-01,2026-02-02",
            "customer_id, effective_from",
            "c1 2026-01-01",
            "each customer_id, effective_from; line 2 has",
        ),
        (
            "prices",
            "seat,,1,2026-01-01,2025-01-01",
            "product_id, customer_id, effective_from",
            "seat 2026-01-01",
            "line 2 has it already",
        ),
        (
            "prices",
            "seat,c1,1,2026-01-01,2025-01-01",
            "product_id, customer_id, effective_from",
            "seat c1 2026-01-01",
            "line 3 has it already",
        ),
        (
            "packs",
            "minutes,user,BE,1,1,2026-01-01,2025-01-01",
            "product_id, effective_from",
            "minutes 2026-01-01",
            "line 2 has it already",
        ),
        (
            "rates",
            "standard,324,BE,1,0,1,1,2026-01-01,2025-12-01",
            "deck_id, effective_from, prefix",
            "standard 2026-01-01 324",
            "expected each prefix once in a version of a deck; line 3 has it already",
        ),
    ],
)
def test_platform_checks__a_key_comes_once(
    refuse: Refuse, table: str, row: str, column: str, value: str, *, words: str
) -> None:
    problems = [problem for problem in refuse(added={table: row}) if "already" in problem[4]]
    ((*place, expected),) = problems
    assert place == [table, line_after(table), column, value]
    assert words in expected


@pytest.mark.parametrize(
    ("row", "column"),
    [("k1,c9,2026-01-01,,,", "contract_id"), ("k9,c1,2026-01-01,,,", "customer_id")],
)
def test_platform_checks__a_contract_and_its_customer_come_once(refuse: Refuse, row: str, column: str) -> None:
    customer = "c9,n,s,1,c,BE,fr,,,,,"
    ((table, line, found, _, _),) = refuse(added={"contracts": row, "customers": customer})
    assert (table, line, found) == ("contracts", 4, column)


def test_platform_checks__a_repeated_id_is_told_even_where_its_row_is_wrong(refuse: Refuse) -> None:
    problems = refuse(added={"credits": "r1,c1,2026-01-01,x,-1"})
    assert [problem[2] for problem in problems] == ["amount", "credit_id"]


@pytest.mark.parametrize(
    ("table", "rows", "found"),
    [
        ("users", "u1,c1,seat,2026-02-28,2026-03-01", [(5, "line 2 holds 2026-02-28 too")]),
        ("users", "u2,c2,seat,2026-12-01,", [(5, "line 4 holds 2026-12-01 too")]),
        ("users", "u1,c1,seat,2025-01-01,2026-01-02", [(2, "line 5 holds 2026-01-01 too")]),
        ("users", "u1,c1,seat,2025-01-01,2026-01-01", []),
        ("users", "u1,c1,seat,2026-02-01,2026-02-01", []),  # an empty interval holds no day
        ("numbers", "+3221234567,c1,BE,2027-01-01,,,,", [(4, "line 3 holds 2027-01-01 too")]),
        ("numbers", "02 123 45 67,c1,BE,2027-01-01,,,,", [(4, "line 3 holds 2027-01-01 too")]),
        ("suspensions", "c2,2026-06-14,2026-06-15", [(4, "line 2 holds 2026-06-14 too")]),
        ("suspensions", "c1,2026-06-14,2026-06-15", []),
        # The second lies within the first, and the third too, though it does not touch the second.
        (
            "users",
            "u9,c1,seat,2026-01-01,\nu9,c1,seat,2026-02-01,2026-02-02\nu9,c1,seat,2026-05-01,2026-05-02",
            [(6, "line 5 holds 2026-02-01 too"), (7, "line 5 holds 2026-05-01 too")],
        ),
        ("subscriptions", "s9,c1,minutes,1,2026-01-01,2026-02-01,", []),
    ],
)
def test_platform_checks__intervals_do_not_overlap(
    load: Load, refuse: Refuse, table: str, rows: str, *, found: list[tuple[int, str]]
) -> None:
    if not found:
        assert load(added={table: rows}).platform.frames()[table].height >= 2
        return
    problems = refuse(added={table: rows})
    assert [(problem[0], problem[1]) for problem in problems] == [(table, line) for line, _ in found]
    for problem, (_, words) in zip(problems, found, strict=True):
        assert words in problem[4]


@pytest.mark.parametrize(
    ("table", "row", "column", "first"),
    [
        ("users", "u9,c1,seat,2026-02-02,2026-02-01", "active_to", "active_from"),
        ("numbers", "+3229999999,c1,BE,2026-02-02,2026-02-01,,,", "active_to", "active_from"),
        ("subscriptions", "s9,c1,minutes,1,2026-02-02,2026-02-01,", "active_to", "active_from"),
        ("suspensions", "c1,2026-02-02,2026-02-01", "suspended_to", "suspended_from"),
        ("contracts", "k9,c9,2026-02-02,,2026-02-01,", "ends_on", "starts_on"),
    ],
)
def test_platform_checks__an_interval_does_not_end_before_it_begins(
    refuse: Refuse, table: str, row: str, column: str, first: str
) -> None:
    customer = {"customers": "c9,n,s,1,c,BE,fr,,,,,"} if table == "contracts" else {}
    words = f"expected a day on or after {first} 2026-02-02 (it is the day after the last)"
    assert refuse(added=customer | {table: row}) == [(table, line_after(table), column, "2026-02-01", words)]


def test_platform_checks__an_empty_interval_is_accepted_and_left_out(load: Load) -> None:
    added = {
        "customers": "c9,n,s,1,c,BE,fr,,,,,",
        "contracts": "k9,c9,2026-02-01,,2026-02-01,",
        "contract_items": "k9,seat,3",
        "users": "u9,c9,seat,2026-02-01,2026-02-01",
        "numbers": "+3229999999,c9,BE,2026-02-01,2026-02-01,u9,,",
        "subscriptions": "s9,c9,minutes,1,2026-02-01,2026-02-01,",
        "suspensions": "c9,2026-02-01,2026-02-01",
    }
    expected = {table: len(TABLES[table].splitlines()) - 1 for table in added} | {"customers": 3}
    loaded = load(added=added)
    assert {table: loaded.platform.frames()[table].height for table in added} == expected
    assert [warning.partition(".csv: ")[2] for warning in loaded.warnings] == [
        "customer_id c9: without a contract: nothing is billed"
    ]


@pytest.mark.parametrize(
    ("table", "row", "column", "value", "target"),
    [
        ("contracts", "k9,c9,2026-01-01,,,", "customer_id", "c9", "a customer_id that customers has"),
        ("contract_items", "k9,seat,1", "contract_id", "k9", "a contract_id that contracts has"),
        ("contract_items", "k2,x,1", "product_id", "x", "a product_id that products has"),
        ("customer_decks", "c9,standard,2026-01-01,2026-01-01", "customer_id", "c9", "that customers has"),
        ("customer_decks", "c1,gold,2026-06-01,2026-01-01", "deck_id", "gold", "a deck_id that rates has"),
        ("users", "u9,c9,seat,2026-01-01,", "customer_id", "c9", "that customers has"),
        ("users", "u9,c1,x,2026-01-01,", "product_id", "x", "that products has"),
        ("numbers", "+3229999999,c9,BE,2026-01-01,,,,", "customer_id", "c9", "that customers has"),
        ("numbers", "+3229999999,c1,BE,2026-01-01,,,x,", "product_id", "x", "that products has"),
        ("numbers", "+3229999999,c1,BE,2026-01-01,,,,gold", "inbound_deck", "gold", "that rates has"),
        ("subscriptions", "s9,c9,minutes,1,2026-01-01,,", "customer_id", "c9", "that customers has"),
        ("subscriptions", "s9,c1,x,1,2026-01-01,,", "product_id", "x", "that products has"),
        ("prices", "x,,1,2026-01-01,2025-01-01", "product_id", "x", "that products has"),
        ("prices", "did,c9,1,2026-01-01,2025-01-01", "customer_id", "c9", "that customers has"),
        ("packs", "x,user,*,1,1,2026-01-01,2025-01-01", "product_id", "x", "that products has"),
        (
            "packs",
            "minutes,customer,BE;X,1,1,2027-01-01,2025-01-01",
            "zones",
            "X",
            "a zone_id that zones has",
        ),
        ("rates", "standard,44,X,1,,,,2026-01-01,2025-01-01", "zone_id", "X", "a zone_id that zones has"),
        ("rates", "standard,44,ONNET,1,,,,2026-01-01,2025-01-01", "zone_id", "ONNET", "that zones has"),
        ("charges", "h9,c9,2026-01-01,x,1,1,", "customer_id", "c9", "that customers has"),
        ("charges", "h9,c1,2026-01-01,x,1,1,x", "product_id", "x", "that products has"),
        ("credits", "r9,c9,2026-01-01,x,1", "customer_id", "c9", "that customers has"),
        ("suspensions", "c9,2026-01-01,", "customer_id", "c9", "that customers has"),
    ],
)
def test_platform_checks__what_is_named_exists(
    refuse: Refuse, table: str, row: str, column: str, value: str, *, target: str
) -> None:
    ((*place, expected),) = refuse(added={table: row})
    assert place == [table, line_after(table), column, value]
    assert target in expected


@pytest.mark.parametrize(
    ("table", "row", "words"),
    [
        ("users", "u9,c1,did,2026-01-01,", "kind user; products says number"),
        ("numbers", "+3229999999,c1,BE,2026-01-01,,,seat,", "kind number; products says user"),
        ("subscriptions", "s9,c1,seat,1,2026-01-01,,", "kind pack or option; products says user"),
        ("subscriptions", "s9,c1,visit,1,2026-01-01,,", "kind pack or option; products says one_off"),
        (
            "packs",
            "did,user,*,1,1,2026-01-01,2025-01-01",
            "kind pack or option or user; products says number",
        ),
    ],
)
def test_platform_checks__a_product_is_used_as_what_it_is(refuse: Refuse, table: str, row: str, words: str) -> None:
    ((found, line, column, _, expected),) = refuse(added={table: row})
    assert (found, line, column) == (table, line_after(table), "product_id")
    assert words in expected


def test_platform_checks__a_user_product_may_hold_a_pack(load: Load) -> None:
    assert load(added={"packs": "seat,user,*,100,3,2026-01-01,2025-11-01"}).platform.packs.height == 3


@pytest.mark.parametrize("later", ["", "mobile,customer,BE,,1,2027-01-01,2026-11-01"])
def test_platform_checks__a_pack_of_a_user_names_the_user(refuse: Refuse, later: str) -> None:
    """Any version whose scope is user asks for the user."""
    added = {"subscriptions": "s9,c1,mobile,1,2026-01-01,,"} | ({"packs": later} if later else {})
    words = "expected the user whose pack it is: the scope of mobile is user"
    assert refuse(added=added) == [("subscriptions", 4, "user_id", "", words)]


@pytest.mark.parametrize("zone", ["ONNET", "INCOMING"])
def test_platform_checks__reserved_zones_cannot_be_given(refuse: Refuse, zone: str) -> None:
    words = "expected another zone_id: this one stands for on-net or incoming calls"
    assert refuse(added={"zones": f"{zone},free,x,,,"}) == [("zones", 6, "zone_id", zone, words)]


def test_platform_checks__a_free_zone_has_no_price(refuse: Refuse) -> None:
    rows = "standard,32801,FREE,0.05,,,,2026-01-01,2025-01-01\nstandard,32802,FREE,0,1.5,,,2026-01-01,2025-01-01"
    words = "expected 0: the zone FREE is of kind free"
    assert refuse(added={"rates": rows}) == [
        ("rates", 7, "price_per_minute", "0.05", words),
        ("rates", 8, "setup_fee", "1.5", words),
    ]


def test_platform_checks__an_emergency_zone_may_have_a_price(load: Load) -> None:
    """Such calls are free whatever the deck says, so that the deck may say anything."""
    assert load(added={"rates": "standard,=101,SOS,1,1,,,2026-01-01,2025-01-01"}).platform.rates.height == 6


def test_platform_checks__increments_need_the_switch(load: Load, refuse: Refuse) -> None:
    added = {"rates": "standard,44,BE,1,0,60,1,2026-01-01,2025-11-01\nstandard,45,BE,1,0,1,6,2026-01-01,2025-11-01"}
    words = "expected 1: article 8.3 charges per second (rating.allow_increments = true derogates)"
    assert refuse(added=added) == [
        ("rates", 7, "first_increment_s", "60", words),
        ("rates", 8, "increment_s", "6", words),
    ]
    allowed = load(settings=Settings(rating=RatingSettings(allow_increments=True)))
    assert allowed.platform.rates["first_increment_s"].to_list()[-2:] == [60, 1]


def test_platform_checks__contracted_users_are_whole(refuse: Refuse) -> None:
    words = "expected a whole number: seat is a product of kind user"
    assert refuse(added={"contract_items": "k2,seat,2.5"}) == [("contract_items", 4, "quantity", "2.5", words)]


def test_platform_checks__the_rows_of_a_deck_version_may_be_told_on_different_days(load: Load) -> None:
    loaded = load(added={"rates": "standard,44,BE,1,0,1,1,2026-01-01,2024-01-01"})
    assert loaded.platform.rates["notified_on"].to_list()[-2:] == [date(2025, 11, 1), date(2024, 1, 1)]


def test_platform_checks__what_can_be_billed_all_the_same_is_a_warning(load: Load) -> None:
    numbers = "".join(f"+32299999{n}0,c1,BE,2026-01-01,,x{n},,\n" for n in range(10, 17))
    loaded = load(
        added={
            "customers": "c8,n,s,1,c,BE,fr,,,,,\nc9,n,s,1,c,BE,fr,,,,,",
            "contracts": "k8,c8,2026-03-01,,2026-03-01,",
            "rates": "standard,0044,BE,1,0,1,1,2026-01-01,2025-11-01",
            "numbers": numbers + "+3229999900,c1,BE,2026-01-01,,x10,,",
            "subscriptions": "s9,c1,mobile,1,2026-01-01,,x2",
        }
    )
    assert [warning.partition(".csv: ")[2] for warning in loaded.warnings] == [
        "user_id x10, x11, x12, x13, x14 and 2 more: not in users",
        "user_id x2: not in users",
        "customer_id c8, c9: without a contract: nothing is billed",
        "prefix 0044: no number begins so: expected the country's code first, such as 33 instead of 0033",
    ]


def test_platform_checks__settings_for_a_customer_nobody_is_are_a_warning(load: Load) -> None:
    hidden = dict.fromkeys(("c1", "C1", "c999"), CustomerDocuments(mask_digits=3))
    loaded = load(settings=Settings(documents=DocumentSettings(customers=hidden)))
    assert loaded.warnings == (
        "centime.toml: customer_id C1, c999: not in customers: what documents.customers sets for them has no effect",
    )

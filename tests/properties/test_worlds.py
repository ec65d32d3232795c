"""The worlds themselves: valid tables, the same for the same seed, and every rule somewhere among them."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.properties.worlds import World, draw_world
from tests.second_reading.months import before
from tests.second_reading.reading import read_months
from tests.second_reading.tables import TABLES, export

worlds = st.builds(draw_world, st.integers(0, 2**32 - 1), st.integers(0, 200))
INTERVALS = {"users": "user_id", "numbers": "number", "suspensions": "customer_id"}
VERSIONS = {
    "prices": ("product_id", "customer_id"),
    "packs": ("product_id",),
    "customer_decks": ("customer_id",),
    "rates": ("deck_id",),
}
KINDS_AND_RULES = {
    ("recurring", "R-ADVANCE"),
    ("recurring", "R-TWELVE"),
    ("first_period", "R-FIRST"),
    ("first_period", "R-BASIS"),
    ("user_cap", "R-CAP"),
    ("user_cap", "R-BASIS"),
    ("number_minimum", "R-TWELVE"),
    ("traffic", "R-SECOND"),
    ("traffic", "R-LATE"),
    ("one_off", "R-ONEOFF"),
    ("credit", "R-CREDIT"),
}
REASONS = {
    "malformed",
    "future",
    "conflict",
    "before_start",
    "unknown_caller",
    "outside_contract",
    "no_rate",
}


def overlaps(world: World) -> list[str]:
    found = []
    for month in world.months:
        for table, key in INTERVALS.items():
            rows = sorted(
                month.platform[table],
                key=lambda row: (row[key], row.get("active_from", row.get("suspended_from", ""))),
            )
            for one, other in pairwise(rows):
                end = one.get("active_to", one.get("suspended_to", "")) or "9999"
                start = other.get("active_from", other.get("suspended_from", ""))
                if one[key] == other[key] and start < end:
                    found.append(f"{world.seed} {month.period} {table} {one[key]}")
    return found


def short_notices(world: World) -> list[str]:
    found = []
    for month in world.months:
        for table, key in VERSIONS.items():
            versions: dict[tuple[str, ...], set[tuple[str, str]]] = {}
            for row in month.platform[table]:
                name = tuple(row[column] for column in key)
                versions.setdefault(name, set()).add((row["effective_from"], row["notified_on"]))
            for name, dated in versions.items():
                found += [
                    f"{world.seed} {month.period} {table} {name}"
                    for effective_from, notified_on in sorted(dated)[1:]
                    if date.fromisoformat(notified_on) + timedelta(days=30) > date.fromisoformat(effective_from)
                ]
    return found


@settings(max_examples=25, deadline=None)
@given(worlds)
def test_worlds__tables_are_valid_and_every_call_has_its_place(world: World) -> None:
    assert overlaps(world) == []
    assert short_notices(world) == []
    read_months(world.months, world.settings)  # R-CONSERVATION is asserted after every run


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_worlds__same_seed_same_world(seed: int) -> None:
    assert draw_world(seed) == draw_world(seed)


def test_worlds__every_kind_of_line_and_every_reason_is_somewhere() -> None:
    wanted = KINDS_AND_RULES | REASONS
    wanted |= {"split", "settled without invoice", "nothing to pay", "unlimited", "reserved"}
    seen: set[object] = set()
    for seed in range(120):
        # Most are in the first ten worlds; what is in none is looked for in all of them.
        if wanted <= seen:
            break
        world = draw_world(seed, calls=150)
        store = read_months(world.months, world.settings)
        for period in [before(world.months[0].period), *[month.period for month in world.months]]:
            tables = {name: export(store, name, period) for name in TABLES}
            seen.update((row["kind"], row["rule"]) for row in tables["lines"])
            seen.update(row["reason"] for row in tables["quarantine"])
            seen.update("split" for row in tables["rated"] if row["pack_s"] != "0" != row["charged_s"])
            seen.update("settled without invoice" for row in tables["rated"] if not row["invoice_number"])
            seen.update("nothing to pay" for row in tables["invoices"] if row["net_cents"] == "0")
            seen.update("unlimited" for row in tables["packs_used"] if not row["allowance_s"])
            seen.update("reserved" for row in tables["user_counts"] if row["reserved"] != "0")
    assert sorted(str(name) for name in wanted - seen) == []

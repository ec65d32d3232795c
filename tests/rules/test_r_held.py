"""R-HELD: what is beyond its bounds is held or reported, what is usual is not; the bounds, each with false alarms."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

import polars as pl
import pytest

from invoicing.bounds import (
    CALLED_SCHEMA,
    NETS_SCHEMA,
    POOLS_SCHEMA,
    Before,
    judge_bounds,
)
from invoicing.holding import divide, told_alarms
from invoicing.lines import LINE_SCHEMA
from invoicing.pipeline import Bill
from rating.alarms import CALL_ALARM_SCHEMA, call_alarms
from rating.coding import coded
from rating.periods import Period
from rating.pipeline import POOL_SCHEMA, TRAFFIC_SCHEMA, match_calls, rate_calls
from schemas.settings import Bounds, RatingSettings
from tests.rules.frames import calls, platform, typed
from tests.second_reading.bounds import Net, Pool, jumps, silent, spends, unused

if TYPE_CHECKING:
    from tests.rules.frames import Given

ALL_ON = Bounds(night_spend="hold", no_calls="hold", unused_pack="hold")
HOURS = 3600
PERIOD = "2026-10"

# A minute costs 1 EUR to LIVE (premium), 0.60 to FAR (international), 0.05 to NEAR (national) and nothing to FREE.
TABLES = platform(
    customers=[{"customer_id": "c1"}],
    customer_decks=[{}],
    users=[{"user_id": "u1"}, {"user_id": "u2"}],
    numbers=[{"number": "+3225550101", "user_id": "u1"}, {"number": "+3225550109", "inbound_deck": "free"}],
    zones=[
        {"zone_id": "LIVE", "kind": "premium"}, {"zone_id": "FAR", "kind": "international"},
        {"zone_id": "NEAR", "kind": "national_fixed"}, {"zone_id": "FREE", "kind": "free"},
    ],
    rates=[
        {"prefix": "3290", "zone_id": "LIVE", "rate_micro_per_min": 1_000_000},
        {"prefix": "881", "zone_id": "FAR", "rate_micro_per_min": 600_000},
        {"prefix": "322", "zone_id": "NEAR", "rate_micro_per_min": 50_000},
        {"prefix": "32800", "zone_id": "FREE", "rate_micro_per_min": 0},
        {"deck_id": "free", "prefix": "3", "zone_id": "NEAR", "rate_micro_per_min": 500_000},
    ],
)  # fmt: skip
LIVE, FAR, NEAR, FREE = "+3290012345", "+88161234567", "+3226660101", "+3280012345"
NOON, NIGHT, SATURDAY = "2026-10-14T10:00:00Z", "2026-10-14T21:00:00Z", "2026-10-17T10:00:00Z"


def alarms_of(*rows: Given, bounds: Bounds = ALL_ON, packs: pl.DataFrame | None = None) -> list[tuple[object, ...]]:
    """The alarms of some calls: bound, user, number, zone, calls, measured."""
    lookups = coded(TABLES)
    matched = match_calls(calls(*rows), lookups, RatingSettings(), Period.parse(PERIOD))
    assert matched.unrated.is_empty()
    pools = pl.DataFrame(schema=POOL_SCHEMA) if packs is None else packs
    rated = rate_calls(matched.calls, pools, lookups.tariffs.prices)
    found = call_alarms(rated, lookups.tariffs.prices, bounds, "Europe/Brussels")
    return found.select("bound", "user_id", "number", "zone_id", "calls", "measured").rows()


def pool(allowance_s: int) -> pl.DataFrame:
    row = {
        "customer_id": "c1", "product_id": "minutes", "zones": ["*"], "priority": 1, "open_from": "2026-10-01",
        "allowance_s": allowance_s, "period_number": 202610, "used_before_s": 0, "pool_no": 0,
    }  # fmt: skip
    return typed([row], POOL_SCHEMA, {})


# ---------------------------------------------------------------- calls


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ([{"callee": NEAR, "duration_s": 4 * HOURS + 1}], [("long_call", "u1", None, "NEAR", 1, 4 * HOURS + 1)]),
        ([{"callee": NEAR, "duration_s": 4 * HOURS}], []),  # four hours are four hours
        ([{"callee": FREE, "duration_s": 5 * HOURS}], []),  # it costs nothing
        ([{"callee": "+3225550101", "direction": "incoming", "caller": NEAR, "duration_s": 9 * HOURS}], []),
        ([{"callee": NEAR, "duration_s": 3 * HOURS}, {"callee": NEAR, "duration_s": 3 * HOURS}], []),
    ],
)
def test_r_held__a_call_above_four_hours(rows: list[Given], found: list[tuple[object, ...]]) -> None:
    assert alarms_of(*rows) == found


def test_r_held__a_long_call_that_empties_a_pack_hurts_too() -> None:
    row = {"callee": NEAR, "duration_s": 5 * HOURS}
    assert alarms_of(row, packs=pool(20 * HOURS)) == [("long_call", "u1", None, "NEAR", 1, 5 * HOURS)]


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        # 2 times 50.01 EUR of one day, 2 calls
        ([{"callee": LIVE, "duration_s": 3001}] * 2, [("day_spend", "u1", None, "LIVE", 2, 10_004)]),
        ([{"callee": LIVE, "duration_s": 3000}] * 2, []),  # 100.00 are not more than 100
        ([{"callee": LIVE, "duration_s": 3001}, {"callee": FAR, "duration_s": 6000}], []),  # two zones
        ([{"callee": LIVE, "duration_s": 3001}, {"callee": LIVE, "duration_s": 3001, "user_id": "u2"}], []),
        ([{"callee": LIVE, "duration_s": 3001}, {"callee": LIVE, "duration_s": 3001, "start": SATURDAY}], []),
        # What others call on the own freephone number is no fraud of a user.
        ([{"callee": "+3225550109", "caller": NEAR, "direction": "incoming", "duration_s": 14_000}], []),
        # A number without a user stands for itself.
        (
            [{"callee": LIVE, "duration_s": 6001, "caller": "+3225550109", "user_id": None}],
            [("day_spend", None, "+3225550109", "LIVE", 1, 10_002)],
        ),
    ],
)
def test_r_held__more_than_so_much_of_one_zone_in_a_day_by_one_user(
    rows: list[Given], found: list[tuple[object, ...]]
) -> None:
    by_day = replace(ALL_ON, night_spend="off")
    assert alarms_of(*rows, bounds=by_day) == found


def test_r_held__what_a_pack_holds_is_not_spent() -> None:
    row = {"callee": NEAR, "duration_s": 4 * HOURS}
    tight = replace(ALL_ON, day_spend_eur=Decimal(1), night_spend="off", long_call="off")
    assert alarms_of(row, bounds=tight) == [("day_spend", "u1", None, "NEAR", 1, 1200)]
    assert alarms_of(row, bounds=tight, packs=pool(20 * HOURS)) == []


@pytest.mark.parametrize(
    ("callee", "start", "alarmed"),
    [
        (LIVE, NIGHT, True),  # 23:00 in Brussels
        (LIVE, "2026-10-14T03:59:00Z", True),  # 05:59
        (LIVE, "2026-10-14T04:00:00Z", False),  # 06:00
        (LIVE, "2026-10-14T19:59:00Z", False),  # 21:59
        (LIVE, "2026-10-14T20:00:00Z", True),  # 22:00
        (FAR, SATURDAY, True),
        (LIVE, NOON, False),  # by day there is somebody to notice
        (NEAR, NIGHT, False),  # no zone that frauds call
    ],
)
def test_r_held__bursts_in_the_night_and_at_weekends(callee: str, start: str, alarmed: bool) -> None:
    at_night = replace(ALL_ON, day_spend="off", long_call="off", night_spend_eur=Decimal(2))
    found = alarms_of({"callee": callee, "start": start, "duration_s": 300}, bounds=at_night)
    assert [row[0] for row in found] == ["night_spend"] * alarmed


@pytest.mark.parametrize("bound", ["long_call", "day_spend", "night_spend"])
def test_r_held__a_bound_of_calls_that_is_off_gives_no_alarm(bound: str) -> None:
    row = {"callee": LIVE, "start": NIGHT, "duration_s": 5 * HOURS}
    assert {name for name, *_ in alarms_of(row)} == {"long_call", "day_spend", "night_spend"}
    rest = {name for name, *_ in alarms_of(row, bounds=replace(ALL_ON, **{bound: "off"}))}
    assert rest == {"long_call", "day_spend", "night_spend"} - {bound}


def test_r_held__what_users_spend_is_that_of_the_second_reading() -> None:
    rows = [
        {"callee": to, "duration_s": 400 + 97 * n, "user_id": user, "start": f"2026-10-{day:02d}T{hour:02d}:30:00Z"}
        for n, (to, user, day, hour) in enumerate(
            (to, user, day, hour)
            for to in (LIVE, FAR, NEAR, FREE) for user in ("u1", "u2", None) for day in (3, 14, 25)
            for hour in (1, 10, 22)
        )
    ]  # fmt: skip
    tight = replace(ALL_ON, day_spend_eur=Decimal(30), night_spend_eur=Decimal(30), long_call_h=Decimal("1.5"))
    expected = spends(rows, {LIVE: ("LIVE", 100, True), FAR: ("FAR", 60, True), NEAR: ("NEAR", 5, False)}, tight)
    assert sorted(map(str, alarms_of(*rows, bounds=tight))) == sorted(map(str, expected))
    assert {row[0] for row in expected} == {"long_call", "day_spend", "night_spend"}


# ---------------------------------------------------------------- invoices


class Month(NamedTuple):
    """One customer's invoice, and what was before it."""

    net_cents: int = 10_000
    nets: tuple[int, ...] = (10_000, 10_000, 10_000)
    kinds: tuple[str, ...] = ("recurring",)
    called: tuple[int, ...] = ()
    calls_now: int = 0
    pools: tuple[tuple[int, int | None, int], ...] = ()
    held: tuple[str, ...] = ()
    invoiced: bool = True


def judged(month: Month, bounds: Bounds = ALL_ON, alarms: tuple[Given, ...] = ()) -> pl.DataFrame:
    """What is beyond the bounds in the invoice of c1 for October 2026."""
    of_c1: dict[str, object] = {"customer_id": "c1"}
    amounts = [month.net_cents] + [-1 if kind == "traffic" else 0 for kind in month.kinds[1:]]
    lines = [
        {"kind": kind, "rule": "R", "description": "d", "quantity_micro": 1, "net_cents": cents, "line_no": place}
        for place, (kind, cents) in enumerate(zip(month.kinds, amounts, strict=True), start=1)
    ]
    totals = {"customer_id": pl.String, "net_cents": pl.Int64}
    bill = Bill(
        typed([{"net_cents": month.net_cents}] * month.invoiced, totals, of_c1),
        typed(lines * month.invoiced, {**LINE_SCHEMA, "line_no": pl.Int64}, of_c1),
        pl.DataFrame(schema={"customer_id": pl.String}),
        None,  # type: ignore[arg-type]
        [],
    )
    names = ["2026-09", "2026-08", "2026-07"]
    before = Before(
        typed([{"period": of, "net_cents": cents} for of, cents in zip(names, month.nets)], NETS_SCHEMA, of_c1),  # noqa: B905
        typed([{"period_number": number} for number in month.called], CALLED_SCHEMA, of_c1),
        typed(
            [{"period_number": n, "allowance_s": a, "used_s": u, "product_id": "p"} for n, a, u in month.pools],
            POOLS_SCHEMA, of_c1,
        ),
        typed([{"period": name} for name in month.held], {"customer_id": pl.String, "period": pl.String}, of_c1),
    )  # fmt: skip
    traffic = typed(
        [{"period_number": 202610, "calls": month.calls_now}] * (month.calls_now > 0), TRAFFIC_SCHEMA, of_c1
    )
    found = typed(alarms, CALL_ALARM_SCHEMA, {**of_c1, "day": "2026-10-05", "calls": 1, "user_id": "u1"})
    return judge_bounds(Period.parse(PERIOD), bill, traffic, found, before, bounds)


def bounds_of(month: Month, bounds: Bounds = ALL_ON) -> list[str]:
    return judged(month, bounds)["bound"].to_list()


@pytest.mark.parametrize(
    ("net_cents", "nets", "alarmed"),
    [
        (50_001, (10_000, 10_000, 10_000), True),
        (50_000, (10_000, 10_000, 10_000), False),  # five times is not above
        (50_001, (90_000, 10_000, 1), True),  # the median, not the mean
        (50_001, (10_000, 10_000), False),  # a new customer
        (50_001, (), False),
        (9_999, (100, 100, 100), False),  # too small to hurt
        (10_000, (100, 100, 100), True),
        (10_000, (0, 0, 0), True),
        (0, (0, 0, 0), False),
        (2**62, (2**62, 2**62, 2**62), False),  # nothing overflows
    ],
)
def test_r_held__an_invoice_above_five_times_its_three_months_median(
    net_cents: int, nets: tuple[int, ...], alarmed: bool
) -> None:
    assert bounds_of(Month(net_cents, nets)) == ["invoice_jump"] * alarmed
    written = [Net("c1", name, cents) for name, cents in zip(["2026-09", "2026-08", "2026-07"], nets, strict=False)]
    assert jumps({"c1": net_cents}, written, ALL_ON) == ["c1"] * alarmed


@pytest.mark.parametrize(
    ("called", "calls_now", "kinds", "alarmed"),
    [
        ((202607, 202608, 202609), 0, ("recurring",), True),
        ((202512, 202601, 202602, 202603, 202604, 202605, 202606, 202607, 202608, 202609), 0, ("recurring",), True),
        ((202607, 202608, 202609), 1, ("recurring",), False),
        ((202606, 202608, 202609), 0, ("recurring",), False),  # July was silent too: not the first time
        ((202608, 202609), 0, ("recurring",), False),  # too new to say
        ((), 0, ("recurring",), False),
        ((202607, 202608, 202609), 0, ("one_off",), False),  # no services any more
    ],
)
def test_r_held__a_customer_with_services_and_no_calls_for_the_first_time(
    called: tuple[int, ...], calls_now: int, kinds: tuple[str, ...], alarmed: bool
) -> None:
    month = Month(called=called, calls_now=calls_now, kinds=kinds)
    assert bounds_of(month) == ["no_calls"] * alarmed
    assert silent(called, 202610, calls_now=calls_now, served="recurring" in kinds) == alarmed


@pytest.mark.parametrize(
    ("pools", "alarmed"),
    [
        (((202610, 60, 0), (202609, 60, 0), (202608, 60, 0)), True),
        (((202610, None, 0), (202609, None, 0), (202608, None, 0)), True),  # unlimited
        (((202610, 60, 0), (202609, 60, 0)), False),  # a new pack
        (((202610, 60, 0), (202609, 60, 1), (202608, 60, 0)), False),
        (((202610, 60, 0), (202609, 60, 0), (202609, 60, 5), (202608, 60, 0)), False),  # late calls used it
        (((202610, 60, 0), (202609, 60, 0), (202607, 60, 0)), False),  # not one after the other
        (((202610, 0, 0), (202609, 0, 0), (202608, 0, 0)), False),  # nothing in it
    ],
)
def test_r_held__a_pack_unused_three_months(pools: tuple[tuple[int, int | None, int], ...], alarmed: bool) -> None:
    assert bounds_of(Month(pools=pools)) == ["unused_pack"] * alarmed
    assert unused([Pool(*pool) for pool in pools], 202610, 3) == alarmed


@pytest.mark.parametrize(
    ("kinds", "alarmed"),
    [(("recurring", "traffic"), True), (("recurring", "credit"), False), (("recurring",), False)],
)
def test_r_held__a_negative_line_that_is_no_credit(kinds: tuple[str, ...], alarmed: bool) -> None:
    assert bounds_of(Month(kinds=kinds)) == ["negative_line"] * alarmed


def test_r_held__what_comes_after_a_held_invoice_waits_whatever_the_settings() -> None:
    off = replace(ALL_ON, **dict.fromkeys(
        ("invoice_jump", "long_call", "day_spend", "night_spend", "no_calls", "unused_pack", "negative_line"), "off"
    ))  # fmt: skip
    assert bounds_of(Month(held=("2026-08", "2026-09")), off) == ["earlier_held"]
    (reason,) = judged(Month(held=("2026-08", "2026-09")), off)["reason"]
    assert reason == "the invoice of 2026-08 is held still; it is released first"
    assert bounds_of(Month(held=("2026-08",), invoiced=False), off) == []


@pytest.mark.parametrize(
    ("action", "held", "told"),
    [("hold", ["c1"], 0), ("report", [], 1), ("off", [], 0)],
)
def test_r_held__each_bound_holds_reports_or_lets_pass(action: str, held: list[str], told: int) -> None:
    leap = Month(60_000)
    found = judged(leap, replace(ALL_ON, invoice_jump=action))
    assert found.filter("holds")["customer_id"].to_list() == held
    assert len(told_alarms(found)) == told


def test_r_held__of_many_alarms_the_worst_is_told_with_its_figures() -> None:
    long = {"bound": "long_call", "zone_id": "NEAR"}
    alarms = (
        {**long, "call_id": "a", "measured": 4 * HOURS + 59},
        {**long, "call_id": "b", "measured": 9 * HOURS + 65},
        {"bound": "day_spend", "zone_id": "LIVE", "measured": 12_345, "calls": 7},
    )
    found = judged(Month(), alarms=alarms)
    assert found.select("bound", "alarms", "measured", "allowed", "unit").rows() == [
        ("day_spend", 1, 12_345, 10_000, "cents"),
        ("long_call", 2, 32_465, 14_400, "s"),
    ]
    spent, lasted = found["reason"]
    assert spent == (
        "user u1 spent 123.45 EUR on LIVE on 2026-10-05, in 7 calls: more than 100.00 EUR (bounds.day_spend_eur)"
    )
    assert lasted == (
        "call b of user u1 to NEAR on 2026-10-05 lasted 9 h 01 min 05 s, more than 4 h (bounds.long_call_h); "
        "and 1 more of the kind"
    )


def test_r_held__nothing_is_held_of_a_customer_without_an_invoice() -> None:
    alarm = {"bound": "long_call", "zone_id": "NEAR", "call_id": "a", "measured": 5 * HOURS, "day": date(2026, 10, 5)}
    found = judged(Month(invoiced=False, nets=()), alarms=(alarm,))
    assert found.select("bound", "holds").rows() == [("long_call", False)]
    assert len(told_alarms(found)) == 1


def test_r_held__the_invoices_of_a_run_are_divided_and_none_is_lost() -> None:
    totals = {"customer_id": pl.String, "net_cents": pl.Int64}
    frame = typed([{"customer_id": name, "net_cents": 1} for name in ("c1", "c2", "c3")], totals, {})
    bill = Bill(frame, frame, frame, None, [])  # type: ignore[arg-type]
    found = judged(Month(60_000)).with_columns(customer_id=pl.lit("c2"))
    divided = divide(bill, found)
    assert divided.issued.invoices["customer_id"].to_list() == ["c1", "c3"]
    assert divided.held.lines["customer_id"].to_list() == ["c2"]
    assert divided.reasons["customer_id"].to_list() == ["c2"]

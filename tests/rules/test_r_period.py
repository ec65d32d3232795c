"""R-PERIOD: period and tariffs are those of the local day on which a call started."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from rating.periods import Period, local_day, local_days
from rating.pipeline import with_local_days
from tests.rules.frames import calls, platform, rate


def day(start: str, timezone: str = "Europe/Brussels") -> str:
    return str(calls({"start": start}).select(local_day(pl.col("start"), timezone)).item())


@pytest.mark.parametrize(
    ("start", "local", "period"),
    [
        ("2026-10-31T23:30:00Z", "2026-11-01", 202611),  # +01:00
        ("2026-09-30T22:30:00Z", "2026-10-01", 202610),  # +02:00
        ("2026-09-30T21:59:59.999999Z", "2026-09-30", 202609),
        ("2026-10-31T22:59:59.999999Z", "2026-10-31", 202610),
        ("2026-10-31T23:00:00Z", "2026-11-01", 202611),
        ("2026-12-31T23:00:00Z", "2027-01-01", 202701),
        # 25 October 2026 has 25 hours: 02:30 comes twice
        ("2026-10-24T21:59:59Z", "2026-10-24", 202610),
        ("2026-10-24T22:00:00Z", "2026-10-25", 202610),
        ("2026-10-25T00:30:00Z", "2026-10-25", 202610),
        ("2026-10-25T01:30:00Z", "2026-10-25", 202610),
        ("2026-10-25T22:59:59Z", "2026-10-25", 202610),
        ("2026-10-25T23:00:00Z", "2026-10-26", 202610),
        # 29 March 2026 has 23: 02:30 never comes
        ("2026-03-28T22:59:59Z", "2026-03-28", 202603),
        ("2026-03-28T23:00:00Z", "2026-03-29", 202603),
        ("2026-03-29T00:59:59Z", "2026-03-29", 202603),
        ("2026-03-29T01:00:00Z", "2026-03-29", 202603),
        ("2026-03-29T21:59:59Z", "2026-03-29", 202603),
        ("2026-03-29T22:00:00Z", "2026-03-30", 202603),
        ("2028-02-29T22:59:59Z", "2028-02-29", 202802),
    ],
)
def test_r_period__the_local_day_and_its_month(start: str, local: str, period: int) -> None:
    found = with_local_days(calls({"start": start}), "Europe/Brussels")
    assert found.select("day", "period_number").row(0) == (date.fromisoformat(local), period)


@pytest.mark.parametrize(
    ("timezone", "local"),
    [("Europe/Brussels", "2026-11-01"), ("UTC", "2026-10-31"), ("America/New_York", "2026-10-31")],
)
def test_r_period__the_zone_is_a_setting(timezone: str, local: str) -> None:
    assert day("2026-10-31T23:30:00Z", timezone) == local


def test_r_period__the_repeated_hour_is_two_hours() -> None:
    """Both calls of 02:30 are kept, and the first of them in time draws the pack first."""
    tables = platform(
        users=[{"user_id": "u1"}],
        subscriptions=[{"subscription_id": "s1", "product_id": "minutes"}],
        packs=[{"product_id": "minutes", "included_minutes": 1}],
        customer_decks=[{}],
        zones=[{"zone_id": "FR"}],
        rates=[{"prefix": "33", "zone_id": "FR"}],
    )
    winter = {"call_id": "a", "start": "2026-10-25T02:30:00+01:00", "duration_s": 60}
    summer = {"call_id": "b", "start": "2026-10-25T02:30:00+02:00", "duration_s": 60}
    found = rate(tables, winter, summer)
    assert found.calls.select("call_id", "pack_s", "amount_cents").rows() == [("b", 60, 0), ("a", 0, 5)]


@pytest.mark.parametrize(
    ("start", "deck_version", "cents"),
    [
        ("2026-10-31T22:59:59Z", "2020-01-01", 600),  # most of it is in November, and it is October's
        ("2026-10-31T23:00:00Z", "2026-11-01", 1200),
        ("2026-11-30T22:59:59Z", "2026-11-01", 1200),
        ("2026-11-30T23:00:00Z", "2026-12-01", 2400),  # by the customer's other deck
    ],
)
def test_r_period__tariffs_of_the_day_on_which_it_started(start: str, deck_version: str, cents: int) -> None:
    november = {"effective_from": "2026-11-01", "notified_on": "2026-09-15"}
    december = {"effective_from": "2026-12-01", "notified_on": "2026-09-15"}
    tables = platform(
        users=[{"user_id": "u1"}],
        customer_decks=[{}, {"deck_id": "e", **december}],
        zones=[{"zone_id": "FR"}],
        rates=[
            {"prefix": "33", "zone_id": "FR"},
            {"prefix": "33", "zone_id": "FR", "rate_micro_per_min": 100_000, **november},
            {"deck_id": "e", "prefix": "33", "zone_id": "FR", "rate_micro_per_min": 200_000, **december},
        ],
    )
    found = rate(tables, {"start": start, "duration_s": 7200})
    assert found.calls.select(pl.col("deck_version").cast(pl.String), "amount_cents").rows() == [(deck_version, cents)]


@pytest.mark.parametrize(
    ("written", "first", "last", "days", "after", "before"),
    [
        ("2026-10", "2026-10-01", "2026-10-31", 31, "2026-11", "2026-09"),
        ("2026-12", "2026-12-01", "2026-12-31", 31, "2027-01", "2026-11"),
        ("2028-02", "2028-02-01", "2028-02-29", 29, "2028-03", "2028-01"),
        ("2026-01", "2026-01-01", "2026-01-31", 31, "2026-02", "2025-12"),
    ],
)
def test_r_period__a_month_and_its_neighbours(
    written: str, first: str, last: str, days: int, after: str, before: str
) -> None:
    month = Period.parse(written)
    assert (str(month.first_day), str(month.last_day), month.days) == (first, last, days)
    assert (str(month.next), str(month.previous), str(month)) == (after, before, written)


@pytest.mark.parametrize(
    ("timezone", "year"),
    [
        ("Europe/Brussels", 2026),
        ("America/St_Johns", 2009),  # clocks changed one minute after midnight
        ("Australia/Lord_Howe", 2026),  # by half an hour
        ("Asia/Kathmandu", 1986),  # by a quarter, for good
        ("Asia/Beirut", 2026),  # at midnight, which one day a year has not
        ("Pacific/Apia", 2011),  # a day that never was
        ("Europe/Brussels", 1979),  # before zones kept whole minutes: not by the minute
    ],
)
def test_r_period__by_the_minute_as_each_alone(timezone: str, year: int) -> None:
    first = datetime(year, 1, 1, tzinfo=UTC)
    # Every 89 seconds of the year, and the microseconds around each hour.
    hours = pl.datetime_range(first, first + timedelta(days=365), "1h", time_unit="us", eager=True)
    starts = pl.concat(
        [
            pl.datetime_range(first, first + timedelta(days=365), "89s", time_unit="us", eager=True),
            *(hours + timedelta(microseconds=apart) for apart in (-1, 0, 1, 60_000_000)),
        ]
    )
    alone = pl.DataFrame({"start": starts}).select(local_day(pl.col("start"), timezone)).to_series()
    assert local_days(starts, timezone).to_list() == alone.to_list()


@pytest.mark.parametrize("starts", [[], ["0001-01-02T00:00:00Z", "9999-12-30T00:00:00Z"], ["2026-10-31T23:00:00Z"]])
def test_r_period__by_the_minute_from_none_to_all_of_time(starts: list[str]) -> None:
    frame = calls(*({"start": start} for start in starts))
    alone = frame.select(local_day(pl.col("start"), "Europe/Brussels")).to_series()
    assert local_days(frame["start"], "Europe/Brussels").to_list() == alone.to_list()

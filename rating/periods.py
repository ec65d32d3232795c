"""Periods: months, local days, intervals that hold their first day and not their last."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from rating.rules import rule
from schemas.errors import InputRefused

# A moment or period beyond these is a slip, and leaves room to reckon before and after.
EARLIEST_YEAR, LATEST_YEAR = 1900, 9000
FOREVER = date(9999, 12, 31)
MONTHS_PER_YEAR = 12
MONTHS_PER_QUARTER = 3
_PERIOD = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """A local calendar month, written `2026-10`."""

    year: int
    month: int

    @classmethod
    def parse(cls, text: str) -> Period:
        """Read `YYYY-MM`.

        Raises:
            InputRefused: for any other text.
        """
        if not _PERIOD.fullmatch(text) or not EARLIEST_YEAR <= int(text[:4]) <= LATEST_YEAR:
            raise InputRefused(f"period {text!r}: expected a month written YYYY-MM, such as 2026-10")
        return cls(int(text[:4]), int(text[5:]))

    @classmethod
    def of(cls, day: date) -> Period:
        """The month that holds a day."""
        return cls(day.year, day.month)

    def __str__(self) -> str:
        """Written as in every table: `2026-10`."""
        return f"{self.year:04d}-{self.month:02d}"

    @property
    def first_day(self) -> date:
        """The first day of the month."""
        return date(self.year, self.month, 1)

    @property
    def last_day(self) -> date:
        """The last day of the month."""
        return date(self.year, self.month, self.days)

    @property
    def days(self) -> int:
        """How many days the month has."""
        return calendar.monthrange(self.year, self.month)[1]

    @property
    def next(self) -> Period:
        """The month after."""
        return Period.of(self.last_day + timedelta(days=1))

    @property
    def previous(self) -> Period:
        """The month before."""
        return Period.of(self.first_day - timedelta(days=1))

    @property
    def opens_quarter(self) -> bool:
        """Whether it is the first month of a calendar quarter."""
        return self.month % MONTHS_PER_QUARTER == 1

    @property
    def number(self) -> int:
        """The month as a whole number, 202610, as frames of calls hold it."""
        return self.year * 100 + self.month


@rule("R-PERIOD", article="8.1")
def local_day(start: pl.Expr, timezone: str) -> pl.Expr:
    """A call belongs to the period and the tariffs of the local day on which it started.

    Takes the start in UTC (Datetime) and gives the Date it was on the clocks of `timezone`. The hour that is
    repeated when summer time ends is two hours of UTC, so both keep their calls.
    """
    return start.dt.convert_time_zone(timezone).dt.date()


def period_number(day: pl.Expr) -> pl.Expr:
    """The period of a day as a whole number, 202610 (Int32): cheap to group and to compare."""
    return day.dt.year().cast(pl.Int32) * 100 + day.dt.month().cast(pl.Int32)


def period_text(number: pl.Expr) -> pl.Expr:
    """`2026-10` from 202610."""
    digits = number.cast(pl.String).str.zfill(6)
    return digits.str.slice(0, 4) + "-" + digits.str.slice(4, 2)


def active_on(day: date | pl.Expr, first: str = "active_from", end: str = "active_to") -> pl.Expr:
    """Whether an interval holds a day; an empty end is still active."""
    return (pl.col(first) <= day) & (pl.col(end).fill_null(FOREVER) > day)


def a_year_later(day: pl.Expr) -> pl.Expr:
    """The same day of the next year; 28 February for 29 February."""
    return day.dt.offset_by("1y")


def interval_on(wanted: pl.DataFrame, rows: pl.DataFrame, *, by: str, day: str = "day") -> pl.DataFrame:
    """Join to each wanted row the one interval of its key that holds its day.

    Args:
        wanted: Rows with the key column `by` and a Date column `day`.
        rows: Intervals `active_from`, `active_to` that do not overlap within a key.
        by: The key column.
        day: The column of the day asked for.

    Returns:
        The wanted rows in their order with the interval's columns, null where no interval holds the day.
    """
    asked = wanted.select(by, day).unique().drop_nulls().sort(day)
    found = asked.join_asof(
        rows.sort("active_from"),
        left_on=day,
        right_on="active_from",
        by=by,
        strategy="backward",
        coalesce=False,
        check_sortedness=False,
    ).filter(active_on(pl.col(day)))
    return wanted.join(found, on=[by, day], how="left", maintain_order="left")

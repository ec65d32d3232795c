"""Periods: months, local days, intervals that hold their first day and not their last."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import polars as pl

from rating.rules import rule
from schemas.errors import InputRefused

# A moment or period beyond these is a slip, and leaves room to reckon before and after.
EARLIEST_YEAR, LATEST_YEAR = 1900, 9000
FOREVER = date(9999, 12, 31)
MONTHS_PER_YEAR = 12
MONTHS_PER_QUARTER = 3
MINUTE = timedelta(minutes=1)
MICROSECONDS_PER_MINUTE = 60_000_000
WHOLE_MINUTES_SINCE = datetime(1980, 1, 1, tzinfo=UTC)
MOST_MINUTES = 1_000_000
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

    @classmethod
    def numbered(cls, number: int) -> Period:
        """The month of a `period_number`, such as 202610."""
        return cls(*divmod(number, 100))

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


def local_days(start: pl.Series, timezone: str) -> pl.Series:
    """`local_day` of many calls: looked up by the minute, of which a month has few.

    Since 1980 every zone keeps whole minutes from UTC and changes its clocks on a whole minute, so all instants
    of a minute of UTC are of one local day.
    """
    first, last = start.min(), start.max()
    if not isinstance(first, datetime) or not isinstance(last, datetime):
        return start.cast(pl.Date)
    if first < WHOLE_MINUTES_SINCE or last - first > MOST_MINUTES * MINUTE:
        return pl.select(local_day(pl.lit(start), timezone)).to_series()
    minutes = start.to_physical() // MICROSECONDS_PER_MINUTE
    begin = int(str(minutes.min()))
    every = pl.int_range(begin, int(str(minutes.max())) + 1, eager=True) * MICROSECONDS_PER_MINUTE
    days = pl.select(local_day(pl.lit(every.cast(start.dtype)), timezone)).to_series()
    return days.gather(minutes - begin)


def period_number(day: pl.Expr) -> pl.Expr:
    """The period of a day as a whole number, 202610 (Int32): cheap to group and to compare."""
    return day.dt.year().cast(pl.Int32) * 100 + day.dt.month().cast(pl.Int32)


def period_text(number: pl.Expr) -> pl.Expr:
    """`2026-10` from 202610."""
    digits = number.cast(pl.String).str.zfill(6)
    return digits.str.slice(0, 4) + "-" + digits.str.slice(4, 2)


def active_on(day: date | pl.Expr | pl.Series, first: str = "active_from", end: str = "active_to") -> pl.Expr:
    """Whether an interval holds a day; an empty end is still active."""
    return (pl.col(first) <= day) & (pl.col(end).fill_null(FOREVER) > day)


def a_year_later(day: pl.Expr) -> pl.Expr:
    """The same day of the next year; 28 February for 29 February."""
    return day.dt.offset_by("1y")


@dataclass(frozen=True, slots=True)
class Intervals:
    """Dated rows that do not overlap within their key, ready to be looked up by key and day many times.

    Attributes:
        rows: The rows as they were given; `found` numbers are places in it.
        by: The column of the key.
        alone: `by`, `row`, `active_from`, `end` of the keys that have one row, which is nearly all of them.
        several: The same of the others.
    """

    rows: pl.DataFrame
    by: str
    alone: pl.DataFrame
    several: pl.DataFrame

    @classmethod
    def of(cls, rows: pl.DataFrame, *, by: str) -> Intervals:
        """Prepare rows with the key `by`, `active_from` and `active_to` (Dates; an empty end is still active)."""
        found = rows.with_row_index("row").select(
            by, "row", "active_from", end=pl.col("active_to").fill_null(FOREVER)
        )  # fmt: skip
        alone = pl.col(by).is_unique()
        # In one piece: rows are looked up out of many at a multiple of the time.
        return cls(rows.rechunk(), by, found.filter(alone), found.filter(~alone).sort("active_from"))

    def row_on(self, key: pl.Series, day: pl.Series) -> pl.Series:
        """The row whose interval holds the day of each wanted key (UInt32, null where there is none)."""
        wanted = pl.DataFrame({self.by: key, "day": day})
        holds = pl.col("day").is_between("active_from", "end", closed="left")
        found = wanted.join(self.alone, on=self.by, how="left", maintain_order="left").select(
            row=pl.when(holds).then("row")
        )["row"]
        if self.several.is_empty():
            return found
        few = wanted.with_row_index("place").join(self.several, on=self.by, how="semi")
        asked = few.select(self.by, "day").unique().sort("day")
        pairs = asked.join_asof(
            self.several, left_on="day", right_on="active_from", by=self.by, strategy="backward", coalesce=False,
            check_sortedness=False,
        ).filter(holds)  # fmt: skip
        rows = few.join(pairs, on=[self.by, "day"], how="inner").select("place", "row")
        return found.scatter(rows["place"], rows["row"])

    def at(self, row: pl.Series, *columns: str) -> list[pl.Series]:
        """These columns of the rows found, null where none was."""
        return [self.rows[name].gather(row) for name in columns]


def version_intervals(versions: pl.DataFrame, *, by: str) -> Intervals:
    """Versions (`by`, `effective_from`) as intervals: each is in force until the next of its key."""
    ordered = versions.sort(by, "effective_from")
    return Intervals.of(
        ordered.with_columns(active_from="effective_from", active_to=pl.col("effective_from").shift(-1).over(by)),
        by=by,
    )

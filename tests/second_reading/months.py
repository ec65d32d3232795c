"""Local days and calendar months (R-PERIOD)."""

from __future__ import annotations

import calendar
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

BRUSSELS = ZoneInfo("Europe/Brussels")
NEVER = date.max
ONE_DAY = timedelta(days=1)


def local_day(instant: datetime) -> date:
    """R-PERIOD: the day in Brussels on which an instant falls."""
    return instant.astimezone(BRUSSELS).date()


def period_of(day: date) -> str:
    return f"{day.year:04d}-{day.month:02d}"


def first_day(period: str) -> date:
    return date(int(period[:4]), int(period[5:7]), 1)


def shift(period: str, months: int) -> str:
    """The period so many months after (before, where negative)."""
    count = int(period[:4]) * 12 + int(period[5:7]) - 1 + months
    return f"{count // 12:04d}-{count % 12 + 1:02d}"


def after(period: str) -> str:
    return shift(period, 1)


def before(period: str) -> str:
    return shift(period, -1)


def days_in(period: str) -> int:
    return calendar.monthrange(int(period[:4]), int(period[5:7]))[1]


def last_day(period: str) -> date:
    return first_day(period).replace(day=days_in(period))


def days_of(period: str) -> list[date]:
    return [first_day(period) + timedelta(days=n) for n in range(days_in(period))]


def quarter_of(period: str) -> tuple[int, int]:
    return int(period[:4]), (int(period[5:7]) - 1) // 3


def year_later(day: date) -> date:
    """R-TWELVE: the same day of the next year; the leap day gives 28 February."""
    if (day.month, day.day) == (2, 29):
        return date(day.year + 1, 2, 28)
    return day.replace(year=day.year + 1)

"""The sample's everyday calls, drawn from a seed: who calls whom, when and for how long.

Only `Random.random` is drawn from, whose sequence Python promises to keep. No number should reach anybody:
each is from a block kept for fiction, from one that is not given out, or too short for its numbering plan.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, TypeVar

from sample_book import COUNTRIES, Country
from sample_parties import FREEPHONE_NUMBER, MAIN_NUMBERS, NUMBERS, USERS, Span

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

T = TypeVar("T")

SEED = 20_260_928
MONTHS = ((2026, 9), (2026, 10), (2026, 11))
SUMMER_TIME_ENDS = datetime(2026, 10, 25, 1, tzinfo=UTC)
COLUMNS = ("call_id", "start", "direction", "caller", "callee", "duration_s", "user_id")

# In a pattern X is any digit, H one from 5 to 9, which keeps clear of the customers' own numbers.
_BELGIAN_FIXED = ["3221HXXXXX", "3231HXXXXX", "32420HXXXX", "32430HXXXX", "32920HXXXX", "32810HXXXX"]
_BELGIAN_FIXED += ["32100HXXXX", "32560HXXXX", "32650HXXXX", "32710HXXXX", "32860HXXXX"]
_BELGIAN_MOBILE = ("32481XXXXXX", "32482XXXXXX")
_FREE = ("328000HXXX",)
_SPECIAL = ("32700HXXXX", "3278XXXXX", "3278XXXXX")
_PREMIUM = ("32900XXXX", "32902XXXX", "32903XXXX", "32905XXXX", "32907XXXX")
_SHORT_CODES = ("1307", "1207", "1733")
_EMERGENCY = ("112", "101", "100")
# Blocks that regulators keep for films and books.
_RESERVED = {
    "FR-FIX": "3319900XXXX",
    "FR-MOB": "3363998XXXX",
    "DE-FIX": "493023125XXX",
    "DE-MOB": "4917139200XX",
    "GB-FIX": "441632960XXX",
    "GB-MOB": "447700900XXX",
    "IE-FIX": "3532091XXXXX",
    "SE-FIX": "468465004XX",
    "SE-MOB": "467017406HX",
    "AU-FIX": "6125550XXXX",
    "AU-MOB": "61491570156",
}
_USA = "120255501XX"
TOO_SHORT_BY = 2
_NEIGHBOURS = ("FR", "NL", "DE", "LU")

# All habits are in percent.
_HABITS = {
    "": {
        "onnet": 15,
        "fixed": 33,
        "mobile": 23,
        "incoming": 16,
        "abroad": 8,
        "free": 2,
        "special": 2,
        "premium": 1,
    },
    "C002": {"onnet": 15, "fixed": 25, "mobile": 22, "incoming": 15, "freephone": 20, "free": 2, "abroad": 1},
    "C008": {"fixed": 20, "mobile": 20, "incoming": 15, "abroad": 45},
    "C009": {"onnet": 10, "fixed": 25, "mobile": 23, "incoming": 15, "abroad": 25, "special": 2},
    "C010": {"onnet": 10, "fixed": 40, "mobile": 20, "incoming": 30},
}
_NOTATIONS = {"+": 88, "00": 4, "tel": 2, "sip": 2, "national": 4}
_TIMES = {"utc": 85, "local": 10, "fraction": 5}
_LENGTHS = {"whole": 92, "unanswered": 5, "fraction": 3}
_CALLERS = {"fixed": 40, "mobile": 40, "abroad": 10, "anonymous": 10}
_SPECIAL_KINDS = {"number": 60, "code": 32, "emergency": 8}
_TELLS_USER = {True: 85, False: 15}
_TELLS_DIRECTION = {"outgoing": 90, "": 10}
_LATE = {True: 6, False: 94}
_FAR = {"far": 40, "near": 56, "america": 4}
_ABROAD_MOBILE = {True: 40, False: 60}
# customer, calls a month, first day, last day
_CUSTOMERS = [
    ("C001", (520, 500, 510), date(2026, 9, 1), date(2026, 11, 30)),
    ("C002", (270, 270, 270), date(2026, 9, 1), date(2026, 11, 30)),
    ("C003", (110, 110, 110), date(2026, 9, 1), date(2026, 11, 30)),
    ("C004", (180, 180, 180), date(2026, 9, 1), date(2026, 11, 30)),
    ("C005", (0, 90, 130), date(2026, 10, 12), date(2026, 11, 30)),
    ("C006", (80, 50, 0), date(2026, 9, 1), date(2026, 10, 19)),
    ("C008", (50, 100, 100), date(2026, 9, 15), date(2026, 11, 30)),
    ("C009", (210, 210, 210), date(2026, 9, 1), date(2026, 11, 30)),
    ("C010", (60, 60, 60), date(2026, 9, 1), date(2026, 11, 30)),
    ("C011", (60, 60, 0), date(2026, 9, 1), date(2026, 10, 30)),
]
_OPENS_S = 8 * 3600
_OPEN_FOR_S = 10 * 3600 + 1800
_WEEKEND = 5
_LATE_FROM_DAY = 27
# Their last invoices are part of the walk-through and must not depend on a draw.
_NEVER_LATE = ("C010", "C011")


@dataclass(frozen=True)
class Cdr:
    """A record as a switch writes it; `arrives` is the month it comes in, -1 for that of its start."""

    call_id: str
    start: str
    direction: str
    caller: str
    callee: str
    duration_s: str
    user_id: str = ""
    arrives: int = -1

    def instant(self) -> datetime:
        """The start in UTC."""
        return datetime.fromisoformat(self.start).astimezone(UTC)

    def fields(self) -> dict[str, str]:
        """The columns of the native form."""
        return {name: getattr(self, name) for name in COLUMNS}


def local_day(instant: datetime) -> date:
    """The day in Brussels, for the three months of the sample."""
    return (instant + timedelta(hours=2 if instant < SUMMER_TIME_ENDS else 1)).date()


def pick(rng: Random, choices: Sequence[T]) -> T:
    """One of the choices, each as likely."""
    return choices[int(rng.random() * len(choices))]


def drawn(rng: Random, percents: Mapping[T, int]) -> T:
    """One of the habits, each as often as its percentage says; they add up to 100."""
    left = rng.random() * 100
    for habit, percent in percents.items():
        left -= percent
        if left < 0:
            return habit
    raise ValueError(f"percentages that do not add up to 100: {percents}")


def digits(rng: Random, pattern: str) -> str:
    """A number after a pattern, in E.164."""
    signs = {"X": "0123456789", "H": "56789"}
    return "+" + "".join(pick(rng, signs.get(sign, sign)) for sign in pattern)


def foreign(rng: Random, country: Country, *, mobile: bool) -> str:
    """A number of a country's fixed or mobile zone that nobody can have."""
    reserved = _RESERVED.get(f"{country.zone}-{'MOB' if mobile else 'FIX'}")
    if reserved:
        return digits(rng, reserved)
    head, length = country.fixed_area, country.fixed_digits
    if mobile:
        head, length = pick(rng, country.mobile), country.mobile_digits
    return digits(rng, country.code + (head + "0").ljust(length - TOO_SHORT_BY, "X"))


def written(rng: Random, number: str) -> str:
    """The number in one of the notations that switches use, mostly E.164."""
    if not number.startswith("+"):
        return number
    notations = {
        "+": number,
        "00": f"00{number[1:]}",
        "tel": f"tel:{number}",
        "sip": f"sip:{number}@pbx.ardoise.example;user=phone",
        "national": f"0{number[3:]}" if number.startswith("+32") else number,
    }
    return notations[drawn(rng, _NOTATIONS)]


class Everyday:
    """The everyday calls of the three months, numbered in the order in which they are drawn."""

    def __init__(self) -> None:
        """Start from the seed."""
        self._rng = Random(SEED)
        self._drawn = 0

    def calls(self) -> list[Cdr]:
        """All of them, month by month and customer by customer."""
        return [
            self._call(month, customer, first, last)
            for month in range(len(MONTHS))
            for customer, counts, first, last in _CUSTOMERS
            for _ in range(counts[month])
        ]

    def _call(self, month: int, customer: str, first: date, last: date) -> Cdr:
        day = self._day(month, first, last)
        user = self._user(customer, day)
        self._drawn += 1
        start = self._start(day)
        kind = drawn(self._rng, _HABITS.get(customer, _HABITS[""]))
        duration = self._duration()
        call_id = f"ast1-{MONTHS[month][1]:02}-{self._drawn:05}"
        own = self._own_number(user)
        late = drawn(self._rng, _LATE) and day.day >= _LATE_FROM_DAY and customer not in _NEVER_LATE
        arrives = min(month + late, len(MONTHS) - 1)
        if kind in {"incoming", "freephone"}:
            callee = FREEPHONE_NUMBER if kind == "freephone" else own
            caller = self._outside_caller()
            return Cdr(call_id, start, "incoming", caller, callee, duration, "", arrives=arrives)
        callee = self._destination(kind, customer, day, own)
        # The switch of C008 shows its one number, so only the user tells who calls.
        told = drawn(self._rng, _TELLS_USER) or customer == "C008"
        return Cdr(
            call_id,
            start,
            drawn(self._rng, _TELLS_DIRECTION),
            written(self._rng, own),
            written(self._rng, callee),
            duration,
            user.key if told else "",
            arrives=arrives,
        )

    def _day(self, month: int, first: date, last: date) -> date:
        year, number = MONTHS[month]
        days = [date(year, number, 1) + timedelta(days=ahead) for ahead in range(31)]
        open_days = [day for day in days if day.month == number and first <= day <= last and day.weekday() < _WEEKEND]
        return pick(self._rng, open_days)

    def _user(self, customer: str, day: date) -> Span:
        there = [user for user in USERS if user.customer_id == customer and user.holds(day.isoformat())]
        # These users' September calls are part of the walk-through.
        kept = ("eua-001", "sch-016") if day.month == MONTHS[0][1] else ()
        return pick(self._rng, [user for user in there if user.key not in kept])

    def _start(self, day: date) -> str:
        hours = 2 if day < SUMMER_TIME_ENDS.date() else 1
        local = datetime(day.year, day.month, day.day, tzinfo=UTC)
        local += timedelta(seconds=_OPENS_S + int(self._rng.random() * _OPEN_FOR_S))
        form = drawn(self._rng, _TIMES)
        if form == "local":
            return f"{local:%Y-%m-%dT%H:%M:%S}+0{hours}:00"
        fraction = ".250" if form == "fraction" else ""
        return f"{local - timedelta(hours=hours):%Y-%m-%dT%H:%M:%S}{fraction}Z"

    def _duration(self) -> str:
        form = drawn(self._rng, _LENGTHS)
        seconds = 4 + int(900 * self._rng.random() ** 4) + int(60 * self._rng.random())
        return {"unanswered": "0", "fraction": f"{seconds}.4", "whole": str(seconds)}[form]

    def _own_number(self, user: Span) -> str:
        return next((n.key for n in NUMBERS if n.user_id == user.key), MAIN_NUMBERS[user.customer_id])

    def _outside_caller(self) -> str:
        kind = drawn(self._rng, _CALLERS)
        if kind == "anonymous":
            return kind
        if kind == "abroad":
            return foreign(self._rng, pick(self._rng, _near()), mobile=False)
        return digits(self._rng, pick(self._rng, _BELGIAN_FIXED if kind == "fixed" else _BELGIAN_MOBILE))

    def _destination(self, kind: str, customer: str, day: date, own: str) -> str:
        rng = self._rng
        if kind == "onnet":
            return self._colleague(customer, day, own)
        if kind == "abroad":
            return self._abroad(customer, day)
        code = drawn(rng, _SPECIAL_KINDS)
        if kind == "special" and code != "number":
            return pick(rng, _SHORT_CODES if code == "code" else _EMERGENCY)
        patterns = {"fixed": _BELGIAN_FIXED, "free": _FREE, "special": _SPECIAL, "premium": _PREMIUM}
        return digits(rng, pick(rng, patterns.get(kind, _BELGIAN_MOBILE)))

    def _colleague(self, customer: str, day: date, own: str) -> str:
        """A number of the customer's, known as such in the tables of the call's own month."""
        month = day.month - MONTHS[0][1]
        there = [
            number
            for number in NUMBERS
            if number.customer_id == customer and number.seen <= month and number.holds(day.isoformat())
        ]
        return pick(self._rng, [number.key for number in there if number.key != own and number.country == "BE"])

    def _abroad(self, customer: str, day: date) -> str:
        rng = self._rng
        distance = drawn(rng, _FAR)
        if distance == "america":
            return digits(rng, _USA)
        # C003's October calls to the neighbours are part of the walk-through.
        if customer == "C003" and day.month == MONTHS[1][1]:
            distance = "far"
        countries = _near() if distance == "near" else [c for c in COUNTRIES if c not in _near()]
        return foreign(rng, pick(rng, countries), mobile=drawn(rng, _ABROAD_MOBILE))


def _near() -> list[Country]:
    return [country for country in COUNTRIES if country.zone in _NEIGHBOURS]

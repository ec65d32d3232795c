"""The words and figures of a document in the language of its customer."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from babel import Locale, dates, numbers

if TYPE_CHECKING:
    from collections.abc import Mapping

LANGUAGES = ("fr", "nl", "de", "en")
MICRO_PLACES = 6
CENT_PLACES = 2
COUNTRY = "BE"
NONE = "\u2013"

# Characters that reorder the text around them, or that no text holds, are not printed as such.
_CONTROLS = dict.fromkeys((*range(0x20), *range(0x7F, 0xA0), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF), "\ufffd")
_BLANKS = dict.fromkeys((0x09, 0x0D, 0x2028, 0x2029), " ")
_BIDI = dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A)), "")
_PRINTABLE = {**_CONTROLS, **_BLANKS, **_BIDI, 0x0A: "\n"}
DAY_PATTERNS = {"fr": "dd/MM/y", "nl": "dd/MM/y", "de": "dd.MM.y", "en": "dd/MM/y"}


@dataclass(frozen=True)
class Language:
    """One language: its catalogue, and how it writes amounts, days and durations.

    Every figure comes from an integer by way of an exact decimal.

    Attributes:
        code: `fr`, `nl`, `de` or `en`.
        locale: That language as Belgium writes it.
        words: Key such as `head.invoice` to the text, with the names of what is filled in between braces.
    """

    code: str
    locale: Locale
    words: Mapping[str, str]

    def say(self, key: str, **fields: str) -> str:
        """The text of a key with its fields filled in.

        Raises:
            KeyError: if the catalogue has no such key, or the text names a field that is not given.
        """
        return self.words[key].format(**fields)

    def money(self, amount_cents: int) -> str:
        """An amount with its currency sign."""
        return str(numbers.format_currency(_scaled(amount_cents, CENT_PLACES), "EUR", locale=self.locale))

    def amount(self, amount_cents: int) -> str:
        """An amount in euro without the sign, for columns."""
        return self._decimal(_scaled(amount_cents, CENT_PLACES), "#,##0.00")

    def unit_price(self, unit_price_micro: int) -> str:
        """A price with as many of its decimals as it needs, 2 to 6."""
        return self._decimal(_scaled(unit_price_micro, MICRO_PLACES), "#,##0.00####")

    def quantity(self, quantity_micro: int) -> str:
        """A quantity with the decimals it has, none for a whole one."""
        return self._decimal(_scaled(quantity_micro, MICRO_PLACES), "#,##0.######")

    def count(self, number: int) -> str:
        """A whole number with its thousands apart."""
        return self._decimal(Decimal(number), "#,##0")

    def percent(self, rate_micro_percent: int) -> str:
        """A rate such as `21 %`."""
        share = _scaled(rate_micro_percent, MICRO_PLACES + 2)
        return str(numbers.format_percent(share, locale=self.locale, decimal_quantization=False))

    def minutes(self, duration_s: int) -> str:
        """A duration as whole minutes and seconds, as packs are sold."""
        minutes, seconds = divmod(duration_s, 60)
        return self.say("figure.minutes", minutes=self.count(minutes), seconds=f"{seconds:02d}")

    def day(self, day: date) -> str:
        """A day in figures, of one width."""
        return str(dates.format_date(day, DAY_PATTERNS[self.code], locale=self.locale))

    def long_day(self, day: date) -> str:
        """A day with the name of its month."""
        return str(dates.format_date(day, "long", locale=self.locale))

    def month(self, period: str) -> str:
        """The name and year of a period written `2026-10`."""
        return str(dates.format_date(date.fromisoformat(f"{period}-01"), "MMMM y", locale=self.locale))

    def month_name(self, period: str) -> str:
        """The name of the month of a period, without its year."""
        return str(dates.format_date(date.fromisoformat(f"{period}-01"), "LLLL", locale=self.locale))

    def month_letter(self, period: str) -> str:
        """The first letter of a month's name."""
        return str(dates.format_date(date.fromisoformat(f"{period}-01"), "LLLLL", locale=self.locale))

    def difference(self, amount_cents: int) -> str:
        """An amount with its sign, for how much more or less something is."""
        return self._decimal(_scaled(amount_cents, CENT_PLACES), "+#,##0.00;-#,##0.00") if amount_cents else NONE

    def country(self, code: str) -> str:
        """The name of a country, or its code where it has no name."""
        return str(self.locale.territories.get(code, code))

    def _decimal(self, number: Decimal, pattern: str) -> str:
        return str(numbers.format_decimal(number, pattern, locale=self.locale))


@cache
def language(code: str, package: str = __package__) -> Language:
    """The language of a customer, read once per process, with the words of a package's catalogue.

    Raises:
        ValueError: if there is no catalogue for it.
    """
    if code not in LANGUAGES:
        raise ValueError(f"no documents in language {code!r}; there are {', '.join(LANGUAGES)}")
    text = files(package).joinpath("catalogues", f"{code}.toml").read_text(encoding="utf-8")
    tables = tomllib.loads(text)
    words = {f"{table}.{key}": text for table, texts in tables.items() for key, text in texts.items()}
    return Language(code, Locale(code, COUNTRY), words)


def printable(text: str) -> str:
    """A text whose characters stay where they stand: no controls, nothing that turns the reading order."""
    return text.translate(_PRINTABLE)


def _scaled(number: int, places: int) -> Decimal:
    """An integer of smallest units as the exact decimal it stands for."""
    return Decimal(number).scaleb(-places)

"""The kinds of columns the platform tables are made of: how their text is read and what is expected of it.

A kind is a dataframely column, which bounds the typed values, with three things added: the name its column
has in the files, how to read it from trimmed text, and what a person is told when that fails. Reading gives
null where the text has not the form of the kind; decimals are read from their digits, never through floats.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Protocol

import dataframely as dy
import polars as pl

from schemas.days import DAY
from schemas.units import CENT_PLACES, MICRO, MICRO_PLACES

if TYPE_CHECKING:
    from collections.abc import Sequence

IDENTIFIER = "[A-Za-z0-9][A-Za-z0-9_.-]{0,63}"
# What XML 1.0 cannot hold; an invoice must be able to show every text.
UNPRINTABLE = r"[\x00-\x08\x0B\x0C\x0E-\x1F\x{FFFE}\x{FFFF}]"


class FileColumn(Protocol):
    """What every kind of column offers to the reader of the tables."""

    nullable: bool
    file_name: str | None
    expected: str
    default: object

    def read(self, text: pl.Expr) -> pl.Expr:
        """The typed values of trimmed text (String, null where empty); null where the form is wrong."""
        ...

    def validation_rules(self, expr: pl.Expr) -> dict[str, pl.Expr]:
        """The bounds the typed values must keep, by name; from dataframely."""
        ...


def _digits(text: pl.Expr, places: int) -> pl.Expr:
    """The decimal in units of its last place (Int64), null unless it has at most `places` decimals."""
    form = text.str.contains(rf"^[0-9]{{1,12}}(?:\.[0-9]{{1,{places}}})?$")
    parts = pl.when(form).then(text).str.splitn(".", 2)
    whole = parts.struct.field("field_0").cast(pl.Int64)
    fraction = parts.struct.field("field_1").fill_null("").str.pad_end(places, "0").cast(pl.Int64)
    units: int = 10**places
    return whole * units + fraction


def _metadata(article: str, unit: str) -> dict[str, str]:
    return {name: text for name, text in (("article", article), ("unit", unit)) if text}


class Text(dy.String):
    """Free text, anything that can be printed."""

    def __init__(
        self,
        description: str,
        *,
        optional: bool = False,
        pattern: str | None = None,
        expected: str = "text without control characters",
        default: str | None = None,
        article: str = "",
    ) -> None:
        """Declare the column; `pattern` is what the whole text must match, `default` stands for empty."""
        super().__init__(
            nullable=optional and default is None,
            regex=None if pattern is None else f"^(?:{pattern})$",
            check=None if pattern else (lambda text: ~text.str.contains(UNPRINTABLE)),
            description=description,
            metadata=_metadata(article, ""),
        )
        self.file_name: str | None = None
        self.expected = expected
        self.default: object = default

    def read(self, text: pl.Expr) -> pl.Expr:
        """The text itself."""
        return text


class Identifier(Text):
    """An identifier: a letter or digit, then up to 63 letters, digits, points, dashes, underscores."""

    def __init__(self, description: str, *, optional: bool = False, article: str = "") -> None:
        """Declare the column."""
        words = "an identifier: letters, digits, _ . -, at most 64, the first a letter or digit"
        super().__init__(description, optional=optional, pattern=IDENTIFIER, expected=words, article=article)


class Choice(Text):
    """One of a few words."""

    def __init__(
        self, description: str, choices: Sequence[str], *, default: str | None = None, article: str = ""
    ) -> None:
        """Declare the column; with a `default` it may be left empty."""
        super().__init__(
            description,
            optional=default is not None,
            pattern="|".join(choices),
            expected=f"one of {', '.join(choices)}",
            default=default,
            article=article,
        )


class Country(Text):
    """An ISO 3166 country code."""

    def __init__(self, description: str, *, article: str = "") -> None:
        """Declare the column."""
        words = "a country code of two capital letters, such as BE"
        super().__init__(description, pattern="[A-Z]{2}", expected=words, article=article)


class PhoneNumber(Text):
    """A number in E.164; national and international notations are normalised before this is read."""

    def __init__(self, description: str, *, article: str = "") -> None:
        """Declare the column."""
        words = "a full telephone number, such as +3221234567 (no short code, not anonymous)"
        super().__init__(description, pattern=r"\+[1-9][0-9]{4,14}", expected=words, article=article)


class Prefix(Text):
    """The first digits of destinations, or one exact destination behind `=`."""

    def __init__(self, description: str, *, article: str = "") -> None:
        """Declare the column."""
        super().__init__(
            description,
            pattern="[0-9]{1,15}|=[1-9][0-9]{1,5}|=anonymous",
            expected="1 to 15 digits, =112 (a short code of 2 to 6 digits, the first not 0) or =anonymous",
            article=article,
        )


class Day(dy.Date):
    """A calendar day."""

    def __init__(self, description: str, *, optional: bool = False, article: str = "") -> None:
        """Declare the column."""
        super().__init__(
            nullable=optional,
            min=date(1, 1, 1),
            description=description,
            metadata=_metadata(article, "local day"),
        )
        self.file_name: str | None = None
        self.expected = "a real date, written YYYY-MM-DD"
        self.default: object = None

    def read(self, text: pl.Expr) -> pl.Expr:
        """The day, null where the text is not ten characters long or no such day exists."""
        form = text.str.contains(f"^{DAY}$")
        return pl.when(form).then(text).str.to_date("%Y-%m-%d", strict=False)


class _Number(dy.Int64):
    """What the kinds of numbers share: integers in a unit, read from digits."""

    places = 0

    def __init__(
        self,
        description: str,
        *,
        unit: str,
        expected: str,
        least: int,
        most: int,
        optional: bool = False,
        default: int | None = None,
        file_name: str | None = None,
        article: str = "",
    ) -> None:
        super().__init__(
            nullable=optional and default is None,
            min=least,
            max=most,
            description=description,
            metadata=_metadata(article, unit),
        )
        self.file_name = file_name
        self.expected = expected
        self.default: object = default

    def read(self, text: pl.Expr) -> pl.Expr:
        """The number in its unit."""
        return _digits(text, self.places)


class Price(_Number):
    """A price or rate in micro-euro, 0 to 100,000 EUR."""

    places = MICRO_PLACES

    def __init__(self, description: str, *, file_name: str, default: int | None = None, article: str = "") -> None:
        """Declare the column; with a `default` it may be left empty."""
        super().__init__(
            description,
            unit="micro-euro",
            expected="a price from 0 to 100000 with a decimal point and at most 6 decimals",
            least=0,
            most=100_000 * MICRO,
            default=default,
            optional=default is not None,
            file_name=file_name,
            article=article,
        )


class Quantity(_Number):
    """A quantity in millionths, above 0 and at most 1,000,000."""

    places = MICRO_PLACES

    def __init__(self, description: str, *, file_name: str = "quantity", article: str = "") -> None:
        """Declare the column."""
        super().__init__(
            description,
            unit="millionths",
            expected="a quantity above 0, at most 1000000, with at most 6 decimals",
            least=1,
            most=1_000_000 * MICRO,
            file_name=file_name,
            article=article,
        )


class Amount(_Number):
    """An amount in cents, above 0."""

    places = CENT_PLACES

    def __init__(self, description: str, *, file_name: str = "amount", article: str = "") -> None:
        """Declare the column."""
        super().__init__(
            description,
            unit="cents",
            expected="an amount above 0, at most 1000000000, with at most 2 decimals",
            least=1,
            most=1_000_000_000 * 100,
            file_name=file_name,
            article=article,
        )


class Whole(_Number):
    """A whole number within bounds."""

    def __init__(
        self,
        description: str,
        *,
        unit: str,
        least: int,
        most: int,
        optional: bool = False,
        default: int | None = None,
        article: str = "",
    ) -> None:
        """Declare the column; with a `default` it may be left empty."""
        super().__init__(
            description,
            unit=unit,
            expected=f"a whole number from {least} to {most}",
            least=least,
            most=most,
            optional=optional,
            default=default,
            article=article,
        )

    def read(self, text: pl.Expr) -> pl.Expr:
        """The number, null unless it is digits alone."""
        return pl.when(text.str.contains("^[0-9]{1,12}$")).then(text).cast(pl.Int64)


class ZoneList(dy.List):
    """Zones by their ids, or `*` for every zone."""

    def __init__(self, description: str, *, article: str = "") -> None:
        """Declare the column."""
        super().__init__(
            dy.String(nullable=False),
            nullable=False,
            min_length=1,
            description=description,
            metadata=_metadata(article, ""),
        )
        self.file_name: str | None = None
        self.expected = "zone ids separated by ; or * alone"
        self.default: object = None

    def read(self, text: pl.Expr) -> pl.Expr:
        """The ids as a list, each once and in the order written."""
        form = text.str.contains(rf"^(?:\*|{IDENTIFIER}(?:\s*;\s*{IDENTIFIER})*)$")
        ids = pl.when(form).then(text).str.split(";").list.eval(pl.element().str.strip_chars())
        return ids.list.unique(maintain_order=True)

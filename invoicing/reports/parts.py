"""The parts of the page: sections with charts and tables, whose cells are texts with what they are sorted by."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markupsafe import Markup

TEXT, COUNT, AMOUNT, CHANGE, DURATION = "text", "count", "amount", "change", "duration"


class Link(NamedTuple):
    """A way from the page to a file beside it."""

    text: str
    address: str


class Cell(NamedTuple):
    """A cell of text.

    Attributes:
        text: What it says.
        key: What it is sorted by, where that is not its text: a day as ISO, a number with leading zeros.
        links: Files that it leads to.
    """

    text: str
    key: str = ""
    links: tuple[Link, ...] = ()


class Column(NamedTuple):
    """A column of a table; one of another kind than text holds whole numbers.

    Those are a `count`, an `amount` in cents, a `change` in cents with its sign, or a `duration` in seconds.
    """

    heading: str
    kind: str = TEXT


# Text, a whole number, or nothing.
Content = Cell | str | int | None


@dataclass(frozen=True, slots=True)
class Table:
    """A table that can be sorted, and searched where it is long.

    Attributes:
        name: Its id on the page.
        caption: What it shows.
        columns: Its columns; the first is the heading of each row.
        rows: A content for each column.
        foot: The sums under it, in the form of a row.
        is_folded: Whether it is opened only by who asks.
    """

    name: str
    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Content]]
    foot: Sequence[Content] = ()
    is_folded: bool = False


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart as SVG, for a wide page and for a narrow one, and the same in words."""

    words: str
    wide: Markup
    narrow: Markup


@dataclass(frozen=True, slots=True)
class Section:
    """One question and its answer.

    Attributes:
        name: Its id on the page.
        title: Its heading.
        sentences: What there is to say.
        charts: What there is to see.
        tables: What there is to look up.
        facts: Names and texts, such as the version of the program.
    """

    name: str
    title: str
    sentences: Sequence[str] = ()
    charts: Sequence[Chart] = ()
    tables: Sequence[Table] = ()
    facts: Sequence[tuple[str, str]] = field(default=())

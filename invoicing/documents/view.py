"""What a document says, in the words and figures of its customer's language, for the PDF and the web page alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from invoicing.documents.drawing import Drawing


@dataclass(frozen=True, slots=True)
class ShownLine:
    """A line: what it is, what may be asked about it, and its figures."""

    description: str
    notes: tuple[str, ...]
    figures: tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Section:
    """Lines of one kind; `subtotal` is empty where one line needs none."""

    title: str
    lines: tuple[ShownLine, ...]
    subtotal: str


@dataclass(frozen=True, slots=True)
class ShownZone:
    """The calls of a zone: how many, how long, how long out of packs, and what they cost."""

    label: str
    figures: tuple[str, str, str, str]
    bar: Drawing


@dataclass(frozen=True, slots=True)
class Traffic:
    """The calls of one period, by zone; those to services of third parties apart."""

    title: str
    zones: tuple[ShownZone, ...]
    subtotal: str
    remark: str


@dataclass(frozen=True, slots=True)
class ShownPack:
    """The use of a pack; `user` is empty on those of the customer."""

    label: str
    user: str
    used: str
    calls: str
    bar: Drawing


@dataclass(frozen=True, slots=True)
class Packs:
    """The packs of one period."""

    title: str
    packs: tuple[ShownPack, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the totals: the amount now, and where there is a month before, that of it and the difference."""

    label: str
    figures: tuple[str, ...]
    notes: tuple[str, ...] = ()
    weight: str = ""


@dataclass(frozen=True, slots=True)
class Fact:
    """A thing that stands beside its name."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class View:
    """A document as it is shown, in the order of its attributes.

    Attributes:
        heading: What it is.
        name: Its number, or the period of a draft.
        facts: Dates, period, customer number.
        amount: What is to pay, or was credited.
        due: Until when; empty where nothing is to pay.
        statement: Said in place of how to pay.
        payment: How to pay.
        code: The same for a bank's app.
        head: Of the columns of the totals: this month, the one before, the difference.
        totals: From the kinds of line to what is to pay.
        months: The chart of the months.
        remarks: About payment, articles, and where to ask.
        sections: The lines before the traffic.
        traffic: The calls by period.
        later_sections: The lines after it.
        packs: Their use, by period.
    """

    heading: str
    name: str
    facts: tuple[Fact, ...]
    amount: Fact | None
    due: Fact | None
    statement: str
    payment: tuple[Fact, ...]
    code: Drawing | None
    totals_title: str
    head: tuple[str, ...]
    totals: tuple[Row, ...]
    months: Drawing | None
    remarks: tuple[str, ...]
    sections: tuple[Section, ...]
    traffic: tuple[Traffic, ...]
    later_sections: tuple[Section, ...]
    packs: tuple[Packs, ...]

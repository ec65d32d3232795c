"""What an explanation is made of: steps of words with the rule and the figures behind them, and tables of rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from rating.rules import article_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

    from invoicing.documents.words import Language


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an explanation.

    Attributes:
        about: What it is about, in one word that no language changes, such as `price`.
        words: The sentences.
        rule: The rule that applies, if one does.
        figures: The figures in the sentences, by name with the unit last.
    """

    about: str
    words: str
    rule: str = ""
    figures: Mapping[str, object] = field(default_factory=dict)

    @property
    def article(self) -> str:
        """The article of the rule; empty where it is the engine's own."""
        return article_of(self.rule) if self.rule else ""

    def document(self) -> dict[str, object]:
        """The step as JSON holds it."""
        figures = {name: plain(figure) for name, figure in self.figures.items()}
        return {
            "about": self.about, "rule": self.rule, "article": self.article, "words": self.words, "figures": figures
        }  # fmt: skip


class Listing(NamedTuple):
    """Rows behind the steps: `about` names them, the columns of `rows` have their unit last."""

    about: str
    rows: pl.DataFrame


@dataclass(slots=True)
class Explanation:
    """An invoice, a line or a call, explained.

    Attributes:
        about: `invoice`, `line` or `call`.
        title: What is explained, in words.
        language: The language of the words.
        subject: What tells it apart, such as `invoice_number` and `line_no`.
        steps: The steps, in the order of the reckoning.
        listings: The rows behind them.
        parts: Of an invoice, its lines.
        faults: Where the reckoning does not come to what is stored.
        hints: What else may have been meant.
    """

    about: str
    title: str
    language: Language
    subject: Mapping[str, object]
    steps: list[Step] = field(default_factory=list)
    listings: list[Listing] = field(default_factory=list)
    parts: list[Explanation] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    hints: list[str] = field(default_factory=list)

    def in_short(self) -> list[Step]:
        """The steps by which an invoice's explanation tells a line: why it is there, and the reckoning."""
        return [step for step in self.steps if step.about in ("why", "amount")]

    def every_fault(self) -> list[str]:
        """The faults of the whole and of its parts."""
        return [*self.faults, *(fault for part in self.parts for fault in part.every_fault())]

    def document(self) -> dict[str, object]:
        """The explanation as JSON holds it: nothing is cut."""
        return {
            "about": self.about,
            "title": self.title,
            "language": self.language.code,
            **{name: plain(entry) for name, entry in self.subject.items()},
            "adds_up": not self.every_fault(),
            "steps": [step.document() for step in self.steps],
            "listings": {
                listing.about: [{name: plain(cell) for name, cell in row.items()} for row in listing.rows.to_dicts()]
                for listing in self.listings
            },
            "lines": [part.document() for part in self.parts],
        }


def plain(found: object) -> object:
    """A figure as JSON can hold it: days as ISO text."""
    return found.isoformat() if isinstance(found, date) else found

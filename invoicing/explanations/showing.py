"""How an explanation is shown in a terminal: steps as a table of sentences, the rows behind them below."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from invoicing.explanations.reckoning import article
from invoicing.showing import visible

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console

    from invoicing.documents.words import Language
    from invoicing.explanations.steps import Explanation, Listing, Step

# The rows of a listing that are shown; JSON has all of them.
ROWS_SHOWN = 50
BLANKS = {0xA0: " ", 0x202F: " "}
NUMERIC = (
    "line_no", "reference", "reduction", "least", "configured", "billed", "reserved", "contracted", "before", "short",
    "calls",
)  # fmt: skip


def show_explanation(console: Console, explained: Explanation) -> None:
    """The title, the steps, an invoice's lines in short, and the rows behind the steps."""
    say = explained.language
    console.print(Text(_shown(explained.title), style="bold"), soft_wrap=True)
    table = _table(say, ("about", "words", "rule"))
    for step in explained.steps:
        table.add_row(_text(say.say(f"about.{step.about}")), _text(step.words), _rules(say, [step]))
    console.print(table)
    if explained.parts:
        _show_lines(console, explained)
    for listing in explained.listings:
        _show_listing(console, say, listing)


def _show_lines(console: Console, explained: Explanation) -> None:
    """Each line of an invoice in short: what it is for, why, and the reckoning."""
    say = explained.language
    table = _table(say, ("line_no", "words", "rule", "net_cents"), title=say.say("listing.lines"))
    for part in explained.parts:
        short, net = part.in_short(), int(str(part.subject["net_cents"]))
        words = Text("\n").join(
            [Text(_shown(part.subject["description"]), style="bold"), _text(" ".join(step.words for step in short))]
        )
        table.add_row(_text(part.subject["line_no"]), words, _rules(say, short), _text(say.amount(net)))
    console.print(table)


def _show_listing(console: Console, say: Language, listing: Listing) -> None:
    shown = listing.rows.head(ROWS_SHOWN)
    rest = listing.rows.height - shown.height
    table = _table(
        say,
        shown.columns,
        title=say.say(f"listing.{listing.about}"),
        caption=say.say("listing.more", count=say.count(rest)) if rest else None,
    )
    for row in shown.iter_rows(named=True):
        table.add_row(*(_text(cell(say, name, found)) for name, found in row.items()))
    console.print(table)


def cell(say: Language, name: str, found: object) -> str:
    """One cell of a listing, as its column's unit asks for."""
    if found is None or isinstance(found, bool):
        return say.say("noun.yes") if found else ""
    if isinstance(found, datetime):
        return f"{say.day(found.date())} {found:%H:%M:%S}"
    if isinstance(found, date):
        return say.day(found)
    if isinstance(found, int):
        return _figure(say, name, found)
    return say.month(str(found)) if name == "period" else str(found)


def _figure(say: Language, name: str, figure: int) -> str:
    if name.endswith("_cents"):
        return say.amount(figure)
    if name == "quantity_micro":
        return say.quantity(figure)
    return say.unit_price(figure) if "_micro" in name else say.count(figure)


def _table(say: Language, columns: Iterable[str], title: str | None = None, caption: str | None = None) -> Table:
    table = Table(title=title, title_justify="left", caption=caption, caption_justify="left")
    for name in columns:
        right = name in NUMERIC or name.endswith(("_cents", "_s")) or "_micro" in name
        table.add_column(_text(say.say(f"heading.{name}")), justify="right" if right else "left", overflow="fold")
    return table


def _rules(say: Language, steps: Iterable[Step]) -> Text:
    """The rules of some steps, once each, with their articles."""
    told: dict[str, None] = {}
    for step in steps:
        told |= dict.fromkeys([step.rule, article(say, step.article)] if step.article else [step.rule])
    return _text("\n".join(told))


def _text(found: object) -> Text:
    return Text("\n".join(_shown(line) for line in str(found).split("\n")))


def _shown(found: object) -> str:
    """A text as a terminal may print it; blanks that hold words together are blanks there."""
    return visible(str(found).translate(BLANKS))

"""The page: one file with its own style and script, that asks for nothing and runs nothing else."""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cache
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from invoicing.documents.house_colour import accent_of
from invoicing.documents.words import COUNTRY, NONE, printable
from invoicing.reports import money_sections as money
from invoicing.reports import use_sections as use
from invoicing.reports.parts import AMOUNT, CHANGE, COUNT, DURATION, TEXT, Cell
from invoicing.reports.words import names_of, spoken
from invoicing.templates import environment_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jinja2 import Environment

    from invoicing.documents.words import Language
    from invoicing.reports.month import Month
    from invoicing.reports.parts import Column, Content, Link, Section, Table

# So many rows of a table stand on the page; of a longer one, the others are held ready for the script.
SHOWN = 25
SHA256_LENGTH = 64
# What ends a script for a parser of HTML, and what ends a line for older ones of JavaScript.
_UNSAFE = {ord(letter): f"\\u{ord(letter):04x}" for letter in "<>&'\u2028\u2029"}


def report_page(month: Month, code: str, links: Mapping[str, tuple[Link, ...]]) -> bytes:
    """The month on one page.

    Args:
        month: Its frames.
        code: The language: fr, nl, de or en.
        links: By customer_id, the files of his documents, relative to where the page will be.

    Raises:
        InputRefused: for another language.
    """
    say = spoken(code)
    names = names_of(month.platform, code)
    sections: list[Section] = [
        money.invoiced_section(month, say),
        money.attention_section(month, say, names),
        money.income_section(month, say, names),
        money.changes_section(month, say, names),
        money.customers_section(month, say, names, links),
        use.packs_section(month, say, names),
        use.traffic_section(month, say),
        use.reserved_section(month, say, names),
        use.numbers_section(month, say, names),
        use.files_section(month, say),
        use.run_section(month, say),
    ]
    style = _style(accent_of(month.settings.supplier.colour))
    state = say.say("page.draft") if month.is_draft else say.say("page.issued", day=say.day(month.invoice_date))
    page = _environment().get_template("report.html").render(
        sections=sections, language=say, say=say.say, shown=SHOWN, state=state, is_draft=month.is_draft,
        supplier=month.settings.supplier.name, period=say.month(str(month.period)), program=month.program,
        style=Markup(style),  # noqa: S704 - a text of this package and a colour that is one
        script=Markup(_text("report.js")),  # noqa: S704 - a text of this package
        policy=_policy(style), words=_as_json(_script_words(say)), packed=_packed, figure=_Figures(say),
        attributes=_attributes,
    )  # fmt: skip
    return page.encode()


@cache
def _environment() -> Environment:
    return environment_of("invoicing.reports", _finalize)


def _finalize(expression: object) -> object:
    """No text that somebody typed turns those around it."""
    if isinstance(expression, str) and not hasattr(expression, "__html__"):
        return printable(expression)
    return expression


class _Figures:
    """Writes figures, each number once."""

    def __init__(self, say: Language) -> None:
        self._writers: dict[str, Callable[[int], str]] = {
            COUNT: cache(say.count),
            AMOUNT: cache(say.amount),
            CHANGE: cache(say.difference),
            DURATION: say.minutes,
        }

    def __call__(self, number: int, kind: str) -> str:
        return self._writers[kind](number)


def _attributes(cell: Content, column: Column, table: Table) -> Markup:
    """The class of a cell, and what it is sorted by where its text does not say so."""
    found = Markup("")
    if column.kind != TEXT:
        found += Markup(' class="n"')
    elif isinstance(cell, str) and len(cell) == SHA256_LENGTH and table.name in ("files", "inputs"):
        found += Markup(' class="sha"')
    key = str(cell) if isinstance(cell, int) else cell.key if isinstance(cell, Cell) else ""
    return found + (Markup(' data-key="{}"').format(key) if key else Markup(""))


def _packed(table: Table) -> Markup:
    """Every row of a long table, for the script."""
    return _as_json([[_bare(cell) for cell in row] for row in table.rows])


def _bare(cell: Content) -> object:
    if isinstance(cell, Cell):
        if not cell.links:
            return [_shown(cell.text), cell.key] if cell.key else _shown(cell.text)
        return [_shown(cell.text), cell.key, [[link.text, link.address] for link in cell.links]]
    return _shown(cell) if isinstance(cell, str) else cell


def _shown(text: str) -> str:
    """A text as the template writes it."""
    return printable(text).strip()


def _as_json(content: object) -> Markup:
    """JSON that stands within a script element, whatever its texts hold."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":")).translate(_UNSAFE)
    return Markup(text)  # noqa: S704 - what could end the element is escaped


def _script_words(say: Language) -> dict[str, object]:
    keys = ("search", "previous", "next", "showing", "nothing_found")
    told: dict[str, object] = {key: say.words[f"page.{key}"] for key in keys}
    return told | {
        "locale": f"{say.code}-{COUNTRY}",
        "shown": SHOWN,
        "none": NONE,
        "minutes": say.words["figure.minutes"],
    }


@cache
def _text(name: str) -> str:
    return files(__package__).joinpath("templates", name).read_text(encoding="utf-8")


def _style(accent: str) -> str:
    return Template(_text("report.css")).substitute(accent=str(escape(accent)))


def _policy(style: str) -> str:
    """What the page may load and run: its own style and script, known by their digests (CSP Level 3)."""
    digests = [
        base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (style, _text("report.js"))
    ]
    return (
        f"default-src 'none'; style-src 'sha256-{digests[0]}'; script-src 'sha256-{digests[1]}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )

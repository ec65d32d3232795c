"""The invoice as a web page that needs nothing beside itself: no script, no font, no picture, no request."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from string import Template
from typing import TYPE_CHECKING

from markupsafe import Markup

from invoicing.documents.call_detail import COLUMNS
from invoicing.documents.composition import view_of
from invoicing.documents.drawing import svg
from invoicing.documents.house_colour import accent_of
from invoicing.documents.logo import logo_of
from invoicing.documents.templating import environment, stylesheet
from invoicing.documents.words import NONE, language

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import date, datetime

    from invoicing.documents.model import InvoiceDocument
    from invoicing.documents.words import Language

SUMS = ("duration_s", "pack_s", "charged_s", "amount_cents")
NO_TIME = "0:00:00"
SHOWN = ("start", "direction", "caller", "callee", "zone", *SUMS)


@dataclass(frozen=True, slots=True)
class Group:
    """The calls of a user: a name, the texts of each call, and their sums."""

    title: str
    rows: list[tuple[str, ...]]
    count: str
    sums: tuple[str, ...]


def render_web_page(document: InvoiceDocument) -> bytes:
    """The invoice or credit note of a document as HTML, in the language of its customer.

    Raises:
        ValueError: if the figures do not add up, a line is of an unknown kind, or there is no catalogue.
    """
    speech = language(document.customer.language)
    logo_of(document.supplier.logo)  # only an image gets into the page
    style = _style(accent_of(document.supplier.colour))
    page = (
        environment()
        .get_template("web_page.html")
        .render(
            document=document,
            view=view_of(document, speech),
            language=speech,
            say=speech.say,
            svg=svg,
            style=Markup(style),  # noqa: S704 - a text of this package and a colour that is one
            policy=_policy(style),
            columns=COLUMNS,
            groups=list(_groups(document, speech)),
            has_incoming="incoming" in document.calls["direction"],
        )
    )
    return page.encode()


def _groups(document: InvoiceDocument, speech: Language) -> Iterator[Group]:
    """The calls of each user, in the order of their first calls."""
    write = partial(_row, cache(speech.day), cache(speech.amount), speech.say("calls.anonymous"))
    for calls in document.calls.partition_by("user_id", maintain_order=True):
        user_id = calls["user_id"][0]
        duration_s, pack_s, charged_s, amount_cents = (int(calls[name].sum()) for name in SUMS)
        yield Group(
            speech.say("calls.no_user") if user_id is None else speech.say("calls.user", user=user_id),
            [write(*call) for call in calls.select(SHOWN).iter_rows()],
            speech.say("calls.subtotal", count=speech.count(calls.height)),
            (
                _clock(duration_s) or NO_TIME,
                _clock(pack_s) or NONE,
                _clock(charged_s) or NONE,
                speech.amount(amount_cents),
            ),
        )


def _row(
    day: Callable[[date], str], amount: Callable[[int], str], anonymous: str,
    start: datetime, direction: str, caller: str, callee: str, zone: str,
    duration_s: int, pack_s: int, charged_s: int, amount_cents: int,
) -> tuple[str, ...]:  # fmt: skip
    """The texts of a call, in the order of the columns; an incoming one shows who called."""
    number = f"\u2190 {caller}" if direction == "incoming" else callee
    return (
        day(start.date()), f"{start:%H:%M:%S}", number.replace("anonymous", anonymous), zone,
        _clock(duration_s) or NO_TIME, _clock(pack_s) or NONE, _clock(charged_s) or NONE, amount(amount_cents),
    )  # fmt: skip


def _clock(duration_s: int) -> str:
    """Seconds as h:mm:ss; empty where there are none."""
    if not duration_s:
        return ""
    minutes, seconds = divmod(duration_s, 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{seconds:02d}"


@lru_cache(maxsize=4)
def _style(accent: str) -> str:
    return Template(stylesheet("web_page.css")).substitute(accent=accent)


@lru_cache(maxsize=4)
def _policy(style: str) -> str:
    """What the page may load: its own style, known by its digest, and the image within it (CSP Level 3)."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"

"""What is said of a line and of a VAT total, in the customer's language, on every form of the document."""

from __future__ import annotations

import calendar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

    from invoicing.documents.model import Line, VatTotal
    from invoicing.documents.words import Language

SERVICE_KINDS = frozenset({"recurring", "user_cap", "number_minimum", "first_period"})
CITED_ARTICLES = frozenset({"8.4", "8.5", "8.6"})
CONTRACTED_USERS = "R-BASIS"


def line_notes(line: Line, next_period: str, speech: Language) -> list[str]:
    """What a customer may ask about a line: the days it stands for, and the article behind it."""
    return [note for note in (days_note(line, next_period, speech), article_note(line, speech)) if note]


def days_note(line: Line, next_period: str, speech: Language) -> str:
    """The days that a line stands for; empty where it has none, or where they are the whole next period."""
    first, last = line.service_from, line.service_to
    if first is None or last is None:
        return ""
    if line.kind not in SERVICE_KINDS and first == last:
        return speech.say("line.on", day=speech.day(first))
    if _is_whole_month(first, last) and f"{first:%Y-%m}" == next_period:
        return ""
    return _service_days(first, last, speech)


def article_note(line: Line, speech: Language) -> str:
    """The article behind a line that is billed for what is not used (8.4, 8.5, 8.6); empty for any other."""
    if line.kind not in {"user_cap", "number_minimum"} and line.rule != CONTRACTED_USERS:
        return ""
    article = speech.say("line.article", article=line.article)
    reason = speech.say(f"article.{line.article}") if line.article in CITED_ARTICLES else ""
    return f"{reason} ({article})" if reason else article


def vat_reason(total: VatTotal, speech: Language) -> str:
    """Why no VAT is charged: the wording of the settings, else the catalogue's; empty where it is charged."""
    if total.reason is not None:
        return total.reason
    return "" if total.category == "S" else speech.say(f"vat.{total.category}")


def _service_days(first: date, last: date, speech: Language) -> str:
    days = speech.say("line.from_to", first=speech.day(first), last=speech.day(last))
    if (first.year, first.month) != (last.year, last.month) or _is_whole_month(first, last):
        return days
    month_days = calendar.monthrange(first.year, first.month)[1]
    share = speech.say("line.share", days=str((last - first).days + 1), month_days=str(month_days))
    return f"{days} ({share})"


def _is_whole_month(first: date, last: date) -> bool:
    month_days = calendar.monthrange(first.year, first.month)[1]
    return first.day == 1 and last == first.replace(day=month_days)

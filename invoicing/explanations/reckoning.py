"""Reckonings written out: exact figures in the language of an explanation, with the rounding that follows them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rating.money import MICRO, MICRO_PER_CENT
from rating.pricing import SECONDS_PER_MINUTE

if TYPE_CHECKING:
    from invoicing.documents.words import Language

TIMES = "\N{MULTIPLICATION SIGN}"
MINUS = "\N{MINUS SIGN}"
# What follows a figure that was cut.
CUT = "\N{HORIZONTAL ELLIPSIS}"


def counted(say: Language, noun: str, number: int) -> str:
    """A number with its noun, such as `1 user` and `5 users`."""
    form = "one" if say.locale.plural_form(number) == "one" else "other"
    return say.say(f"noun.{noun}_{form}", count=say.count(number))


def article(say: Language, articles: str) -> str:
    """How an article is cited, such as `art. 8.5`."""
    return say.say("noun.article", article=articles)


def exact_euro(say: Language, numerator: int, denominator: int) -> tuple[str, bool]:
    """A quotient of micro-euro in euro, and whether it is whole cents; cut after the sixth decimal, and said to be."""
    micro, rest = divmod(abs(numerator), denominator)
    sign = MINUS if numerator < 0 else ""
    return f"{sign}{say.unit_price(micro)}{CUT if rest else ''}", not rest and micro % MICRO_PER_CENT == 0


def line_reckoning(
    say: Language, quantity_micro: int, unit_price_micro: int, days: int, days_of_month: int, amount_cents: int
) -> str:
    """Quantity times price, times the days of the month where they are not all, and the amount it is rounded to."""
    factors = f"{say.quantity(quantity_micro)} {TIMES} {say.unit_price(unit_price_micro)}"
    if days != days_of_month:
        factors += f" {TIMES} {days} / {days_of_month}"
    return _half_up(say, factors, quantity_micro * unit_price_micro * days, MICRO * days_of_month, amount_cents)


def call_reckoning(say: Language, charged_s: int, rate_micro_per_min: int, setup_micro: int, amount_cents: int) -> str:
    """A call's seconds times its price per minute and the setup fee, rounded up to the next cent."""
    setup = setup_micro if charged_s else 0
    factors = f"{say.count(charged_s)} s {TIMES} {say.unit_price(rate_micro_per_min)} / {SECONDS_PER_MINUTE}"
    if setup:
        factors = f"{say.unit_price(setup)} + {factors}"
    exact, is_whole = exact_euro(say, SECONDS_PER_MINUTE * setup + charged_s * rate_micro_per_min, SECONDS_PER_MINUTE)
    if is_whole:
        return f"{factors} = {say.amount(amount_cents)} EUR"
    return say.say("reckoning.round_up", factors=factors, exact=exact, amount=say.amount(amount_cents))


def vat_reckoning(say: Language, base_cents: int, rate_micro_percent: int, amount_cents: int) -> str:
    """A total times the rate of its VAT, and the amount it is rounded to."""
    factors = f"{say.amount(base_cents)} {TIMES} {say.percent(rate_micro_percent)}"
    return _half_up(say, factors, base_cents * MICRO_PER_CENT * rate_micro_percent, 100 * MICRO, amount_cents)


def _half_up(say: Language, factors: str, numerator: int, denominator: int, amount_cents: int) -> str:
    """Factors, what they come to exactly (a quotient of micro-euro), and the amount, which is told to be rounded."""
    exact, is_whole = exact_euro(say, numerator, denominator)
    if is_whole:
        return f"{factors} = {say.amount(amount_cents)} EUR"
    return say.say("reckoning.half_up", factors=factors, exact=exact, amount=say.amount(amount_cents))


def as_sentence(text: str) -> str:
    """A reckoning with the full stop of a sentence."""
    return text if re.search(r"[.!?]$", text) else f"{text}."

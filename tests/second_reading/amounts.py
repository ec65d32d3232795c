"""Exact amounts: fractions of a euro in, whole cents out (R-SECOND and the rounding of lines)."""

from __future__ import annotations

import math
from fractions import Fraction

MICRO = 1_000_000


def euro(text: str) -> Fraction:
    """The decimal that is written, exactly."""
    return Fraction(text)


def half_up(amount: Fraction) -> int:
    """To the nearest whole number, a half upwards."""
    return math.floor(amount + Fraction(1, 2))


def micro(amount: Fraction) -> int:
    """Millionths of a euro, which the six places of a price always fill exactly."""
    scaled = amount * MICRO
    if scaled.denominator != 1:
        msg = f"{amount} has more than six places"
        raise ValueError(msg)
    return scaled.numerator


def decimal_text(amount: Fraction) -> str:
    """Plain decimal text: no exponent, no zeros at the end."""
    whole = micro(amount)
    sign = "-" if whole < 0 else ""
    euros, rest = divmod(abs(whole), MICRO)
    places = f"{rest:06d}".rstrip("0")
    return f"{sign}{euros}.{places}" if places else f"{sign}{euros}"


def call_cents(charged_s: int, rate: Fraction, setup: Fraction) -> int:
    """R-SECOND: seconds at a rate per minute and the setup fee, to the next cent, once for the call.

    Where no second is charged there is no setup fee either.
    """
    if charged_s == 0:
        return 0
    return math.ceil((rate * charged_s / 60 + setup) * 100)


def billable_seconds(duration_s: int, first_s: int, next_s: int) -> int:
    """R-INCREMENT: the first increment whole, then as many of the next ones as the call has entered."""
    if duration_s <= first_s:
        return first_s
    return first_s + math.ceil(Fraction(duration_s - first_s, next_s)) * next_s

"""Whose call it is and what its destination costs (R-OWNER, R-SPOOF, R-ZONE, R-ONNET, R-INBOUND,
R-EMERGENCY).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from tests.second_reading.books import Book, Rate, Row
from tests.second_reading.months import local_day

if TYPE_CHECKING:
    from datetime import date

    from tests.second_reading.records import Call

FREE = Rate("", Fraction(), Fraction(), 1, 1)


@dataclass(frozen=True)
class Owner:
    customer_id: str
    user_id: str | None
    spoofed: bool = False


@dataclass(frozen=True)
class Tariff:
    """The row that prices a call. Reserved zones come from no deck."""

    zone_id: str
    rate: Rate
    deck_id: str | None = None
    deck_version: date | None = None


def owner_of(book: Book, call: Call) -> Owner | None:
    """R-OWNER: the platform's user where he is active on the day, else whoever has the caller number that
    day.

    An incoming call is the called number's. A row of the tables is active by its own dates; that a call lies
    outside the contract is judged after (R-OWNER). R-SPOOF: owned through the user, with a caller number that
    is not active for the same customer.
    """
    day = local_day(call.start)
    if call.direction == "incoming":
        row = book.number_on(call.callee, day)
        return Owner(row["customer_id"], row["user_id"] or None) if row else None
    number = book.number_on(call.caller, day)
    user = book.user_on(call.user_id, day) if call.user_id else None
    if user is not None:
        customer_id = user["customer_id"]
        spoofed = number is None or number["customer_id"] != customer_id
        return Owner(customer_id, call.user_id, spoofed)
    return Owner(number["customer_id"], number["user_id"] or None) if number else None


def is_short(number: str) -> bool:
    return number.isdigit()


def find_rate(version: dict[str, Rate], number: str) -> Rate | None:
    """R-ZONE: exact for a short code and a hidden caller, the longest prefix for all else."""
    if is_short(number) or number == "anonymous":
        return version.get("=" + number)
    digits = number.removeprefix("+")
    for length in range(len(digits), 0, -1):
        if digits[:length] in version:
            return version[digits[:length]]
    return None


def on_net(book: Book, callee: str, customer_id: str, day: date, onnet: str) -> bool:
    """R-ONNET: the callee is active that day for the same customer, or for any, as the switch says."""
    row: Row | None = book.number_on(callee, day)
    if row is None or onnet == "none":
        return False
    return onnet == "platform" or row["customer_id"] == customer_id


def tariff_of(book: Book, call: Call, customer_id: str, onnet: str) -> Tariff | None:
    """R-ZONE for outgoing calls, R-INBOUND for incoming ones; None where no row fits (`no_rate`)."""
    day = local_day(call.start)
    if call.direction == "incoming":
        row = book.number_on(call.callee, day)
        if row is None or not row["inbound_deck"]:
            return Tariff("INCOMING", FREE)
        return _from_deck(book, row["inbound_deck"], call.caller, day)
    if not is_short(call.callee) and on_net(book, call.callee, customer_id, day, onnet):
        return Tariff("ONNET", FREE)
    deck_id = book.deck_of(customer_id, day)
    return _from_deck(book, deck_id, call.callee, day) if deck_id else None


def _from_deck(book: Book, deck_id: str, number: str, day: date) -> Tariff | None:
    """R-EMERGENCY: whatever the deck says, an emergency zone costs nothing; its increments stay the
    deck's.
    """
    dated = book.deck_version(deck_id, day)
    rate = find_rate(dated[1], number) if dated else None
    if dated is None or rate is None:
        return None
    if book.zone_kind[rate.zone_id] == "emergency":
        rate = Rate(rate.zone_id, Fraction(), Fraction(), rate.first_s, rate.next_s)
    return Tariff(rate.zone_id, rate, deck_id, dated[0])

"""Coding: the identifiers of a platform as the codes of an Enum, its numbers as keys.

Calls are matched by the million, and integers are compared, sorted and stored in a fraction of the time that
text takes. An Enum keeps the order of its texts and gives them back whenever they are needed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import polars as pl

from rating.number_keys import number_key
from rating.periods import Intervals
from rating.zones import Tariffs, tariffs_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from schemas.platform import Platform

DIRECTION = pl.Enum(["outgoing", "incoming"])


@dataclass(frozen=True, slots=True)
class Coded:
    """A platform as calls look it up.

    Attributes:
        customer: The type of its customers: an Enum of their ids, in the order of text.
        user: The same of its users.
        numbers: Who has a number on a day: `number` (key), `customer_id`, `user_id`, `inbound_deck`.
        users: Who has a user on a day: `user_id`, `customer_id`.
        contracts: `customer_id`, `starts_on`, `ends_on`.
        suspensions: `customer_id`, on the days of a suspension.
        tariffs: Its decks.
    """

    customer: pl.Enum
    user: pl.Enum
    numbers: Intervals
    users: Intervals
    contracts: pl.DataFrame
    suspensions: Intervals
    tariffs: Tariffs


def coded(platform: Platform) -> Coded:
    """Code a platform, once for all calls."""
    tables = platform.frames().values()
    customer, user, deck = (
        _enum(frame[name] for frame in tables for name in names if name in frame.columns)
        for names in (("customer_id",), ("user_id",), ("deck_id", "inbound_deck"))
    )
    kinds = {"customer_id": customer, "user_id": user, "deck_id": deck, "inbound_deck": deck}

    def code(frame: pl.DataFrame) -> pl.DataFrame:
        return frame.with_columns(pl.col(name).cast(kind) for name, kind in kinds.items() if name in frame.columns)

    suspensions = platform.suspensions.rename({"suspended_from": "active_from", "suspended_to": "active_to"})
    return Coded(
        customer,
        user,
        numbers=Intervals.of(code(platform.numbers).with_columns(number_key(pl.col("number"))), by="number"),
        users=Intervals.of(code(platform.users), by="user_id"),
        contracts=code(platform.contracts).select("customer_id", "starts_on", "ends_on"),
        suspensions=Intervals.of(code(suspensions), by="customer_id"),
        tariffs=tariffs_of(replace(platform, customer_decks=code(platform.customer_decks), rates=code(platform.rates))),
    )


def _enum(columns: Iterable[pl.Series]) -> pl.Enum:
    found = [column.drop_nulls().rename("id") for column in columns]
    return pl.Enum(pl.concat([pl.Series("id", [], dtype=pl.String), *found]).unique().sort())

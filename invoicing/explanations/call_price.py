"""Explaining what a call costs: its zone and rate, its increments, what packs held of it, and the cent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from invoicing.explanations.reckoning import as_sentence, call_reckoning
from invoicing.explanations.steps import Step
from rating.zones import INCOMING, ONNET

if TYPE_CHECKING:
    from collections.abc import Iterator

    import polars as pl

    from invoicing.documents.words import Language

EXACT = "="


def price_steps(call: dict[str, Any], draws: pl.DataFrame, onnet: str, say: Language) -> Iterator[Step]:
    """From the zone of a rated call to its cents.

    Args:
        call: A row of `RATED_SCHEMA`.
        draws: What it drew from packs (`rating.pipeline.draws_of`).
        onnet: The setting its run had: whose numbers are on-net.
        say: The language.
    """
    yield _zone(call, onnet, say)
    if call["deck_id"] is not None:
        yield _rate(call, say)
    yield from _increments(call, say)
    yield from _packs(call, draws, say)
    yield _amount(call, say)


def _zone(call: dict[str, Any], onnet: str, say: Language) -> Step:
    if call["zone_id"] == ONNET:
        return Step("zone", say.say(f"rate.onnet_{onnet}"), "R-ONNET", {"zone_id": ONNET, "onnet": onnet})
    if call["zone_id"] == INCOMING:
        return Step("zone", say.say("rate.incoming"), "R-INBOUND", {"zone_id": INCOMING})
    incoming = call["direction"] == "incoming"
    exact = call["prefix"].startswith(EXACT)
    words = say.say(
        "rate.exact" if exact else "rate.prefix",
        zone=call["zone_id"],
        kind=say.say(f"zone_kind.{call['zone_kind']}"),
        prefix=call["prefix"],
        deck=call["deck_id"],
        version=say.long_day(call["deck_version"]),
    )
    if incoming:
        words = f"{words} {say.say('rate.freephone', deck=call['deck_id'])}"
    names = ("zone_id", "zone_kind", "prefix", "deck_id", "deck_version")
    return Step("zone", words, "R-INBOUND" if incoming else "R-ZONE", {name: call[name] for name in names})


def _rate(call: dict[str, Any], say: Language) -> Step:
    if call["zone_kind"] == "emergency":
        return Step("price", say.say("rate.emergency"), "R-EMERGENCY", {"rate_micro_per_min": 0, "setup_micro": 0})
    words = say.say(
        "rate.with_setup" if call["setup_micro"] else "rate.per_minute",
        rate=say.unit_price(call["rate_micro_per_min"]),
        setup=say.unit_price(call["setup_micro"]),
    )
    return Step("price", words, "R-SECOND", {name: call[name] for name in ("rate_micro_per_min", "setup_micro")})


def _increments(call: dict[str, Any], say: Language) -> Iterator[Step]:
    first, following = call["first_increment_s"], call["increment_s"]
    if first == 1 and following == 1:
        return
    words = say.say(
        "rate.increments",
        first=say.count(first),
        next=say.count(following),
        duration=say.count(call["duration_s"]),
        billable=say.count(call["billable_s"]),
    )
    names = ("first_increment_s", "increment_s", "duration_s", "billable_s")
    yield Step("increments", words, "R-INCREMENT", {name: call[name] for name in names})


def _packs(call: dict[str, Any], draws: pl.DataFrame, say: Language) -> Iterator[Step]:
    """What each pack had before the call and has after it, and what is left to charge."""
    for row in draws.iter_rows(named=True):
        before, drawn = row["left_before_s"], row["drawn_s"]
        after = None if before is None else before - drawn
        words = say.say(
            "rate.pack_unlimited" if before is None else "rate.pack",
            pack=row["product_id"],
            before=say.count(before or 0),
            drawn=say.count(drawn),
            after=say.count(after or 0),
        )
        figures = {"product_id": row["product_id"], "left_before_s": before, "drawn_s": drawn, "left_after_s": after}
        yield Step("pack", words, "R-PACK", figures)
    if not draws.is_empty():
        words = say.say(
            "rate.out_of_pack",
            billable=say.count(call["billable_s"]),
            pack=say.count(call["pack_s"]),
            charged=say.count(call["charged_s"]),
        )
        names = ("billable_s", "pack_s", "charged_s")
        yield Step("out_of_pack", words, "R-PACK", {name: call[name] for name in names})


def _amount(call: dict[str, Any], say: Language) -> Step:
    names = ("charged_s", "rate_micro_per_min", "setup_micro", "amount_cents")
    charged_s, rate, setup, amount_cents = (call[name] for name in names)
    reckoning = call_reckoning(say, charged_s, rate, setup, amount_cents)
    return Step("amount", as_sentence(reckoning), "R-SECOND", {name: call[name] for name in names})

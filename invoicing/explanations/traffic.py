"""Explaining a line of calls: how many, in and out of packs, at which rates, and why the sum is what it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from invoicing.explanations.basis import Reasons, Reckoned
from invoicing.explanations.reckoning import counted, exact_euro
from invoicing.explanations.steps import Listing, Step
from invoicing.traffic import traffic_lines
from rating.money import MICRO_PER_CENT
from rating.periods import Period
from rating.pricing import SECONDS_PER_MINUTE

if TYPE_CHECKING:
    from invoicing.documents.words import Language
    from invoicing.explanations.basis import Basis, IssuedLine

DEAREST_CALLS = 5


def explain_traffic(basis: Basis, line: IssuedLine, say: Language) -> Reasons:
    """A line of calls to one zone in one period, each of which was rounded up by itself (8.3)."""
    calls = calls_of(basis, line)
    lines = traffic_lines(calls, basis.period)
    reckoned = Reckoned(*lines.select(Reckoned._fields).row(0)) if lines.height == 1 else None
    return Reasons(
        reckoned,
        [
            _sum_of_calls(calls, line, say),
            *_late(basis, line, say),
            *_in_packs(calls, say),
            _rounding(calls, line, say),
        ],
        [
            Listing("rates", rates_of(calls)),
            Listing("dearest", dearest_calls(calls, basis.settings.rating.timezone)),
        ],
    )


def calls_of(basis: Basis, line: IssuedLine) -> pl.DataFrame:
    """The calls of a line (`RATED_SCHEMA`)."""
    number = Period.parse(str(line.traffic_period)).number
    return basis.calls.filter((pl.col("zone_id") == line.zone_id) & (pl.col("period_number") == number))


def _sum_of_calls(calls: pl.DataFrame, line: IssuedLine, say: Language) -> Step:
    charged_s, amount_cents = int(calls["charged_s"].sum()), int(calls["amount_cents"].sum())
    words = say.say(
        "sum.calls",
        calls=counted(say, "call", calls.height),
        period=say.month(str(line.traffic_period)),
        charged=counted(say, "second", charged_s),
        amount=say.amount(amount_cents),
    )
    figures = {"calls": calls.height, "charged_s": charged_s, "net_cents": amount_cents}
    return Step("why", words, "R-SECOND", figures)


def _late(basis: Basis, line: IssuedLine, say: Language) -> list[Step]:
    """Calls of a period before this one."""
    if line.traffic_period == str(basis.period):
        return []
    words = say.say("sum.late", period=say.month(str(line.traffic_period)))
    return [Step("late", words, "R-LATE", {"traffic_period": line.traffic_period})]


def _in_packs(calls: pl.DataFrame, say: Language) -> list[Step]:
    """The seconds that packs held."""
    billable_s, pack_s, charged_s = (int(calls[name].sum()) for name in ("billable_s", "pack_s", "charged_s"))
    if not pack_s:
        return []
    words = say.say("sum.packs", billable=say.count(billable_s), pack=say.count(pack_s), charged=say.count(charged_s))
    return [Step("pack", words, "R-PACK", {"billable_s": billable_s, "pack_s": pack_s, "charged_s": charged_s})]


def _rounding(calls: pl.DataFrame, line: IssuedLine, say: Language) -> Step:
    """What the calls would sum to without rounding, and what the rounding up of each adds."""
    setup_micro = int(calls.filter(pl.col("charged_s") > 0)["setup_micro"].sum())
    rated = int((calls["charged_s"] * calls["rate_micro_per_min"]).sum())
    numerator = SECONDS_PER_MINUTE * setup_micro + rated
    exact, _ = exact_euro(say, numerator, SECONDS_PER_MINUTE)
    amount_cents = int(calls["amount_cents"].sum())
    added_micro = SECONDS_PER_MINUTE * amount_cents * MICRO_PER_CENT - numerator
    added, _ = exact_euro(say, added_micro, SECONDS_PER_MINUTE)
    key = "sum.rounding" if added_micro else "sum.exact"
    words = say.say(key, exact=exact, added=added, amount=say.amount(line.net_cents))
    return Step(
        "rounding", words, "R-SECOND", {"unrounded_micro": numerator // SECONDS_PER_MINUTE, "net_cents": amount_cents}
    )


def rates_of(calls: pl.DataFrame) -> pl.DataFrame:
    """What the calls cost by deck, version and rate: calls, seconds and amount."""
    key = ["deck_id", "deck_version", "rate_micro_per_min", "setup_micro"]
    return (
        calls.group_by(key)
        .agg(pl.len().cast(pl.Int64).alias("calls"), pl.col("charged_s", "amount_cents").sum())
        .sort(key, nulls_last=True)
    )


def dearest_calls(calls: pl.DataFrame, timezone: str) -> pl.DataFrame:
    """The few calls that cost most; `centime explain` tells all of each."""
    dearest = calls.sort("amount_cents", "start", "call_id", descending=[True, False, False]).head(DEAREST_CALLS)
    started = pl.col("start").dt.convert_time_zone(timezone).dt.replace_time_zone(None)
    return dearest.select("call_id", started.alias("local_start"), "pack_s", "charged_s", "amount_cents")

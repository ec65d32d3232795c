"""Pricing: what is billable of a call, and the cent it costs."""

from __future__ import annotations

import polars as pl

from rating.money import MICRO_PER_CENT, ceil_div
from rating.rules import rule

SECONDS_PER_MINUTE = 60


@rule("R-INCREMENT", article="8.3")
def billable_seconds(duration_s: pl.Expr, first_increment_s: pl.Expr, increment_s: pl.Expr) -> pl.Expr:
    """A call is billed per second unless a contract derogates with a first and a next increment.

    Units: whole seconds throughout (Int64). The first increment is billed whole, then every increment that
    was begun. Decks with increments other than 1/1 are refused unless `allow_increments` is set.
    """
    beyond = ceil_div(duration_s - first_increment_s, increment_s) * increment_s
    return pl.when(duration_s <= first_increment_s).then(first_increment_s).otherwise(first_increment_s + beyond)


@rule("R-SECOND", article="8.3")
def call_amount_cents(charged_s: pl.Expr, rate_micro_per_min: pl.Expr, setup_micro: pl.Expr) -> pl.Expr:
    """A call is priced per second, its setup fee added, and rounded up to the next cent, once.

    Units: seconds, micro-euro per minute, micro-euro; gives whole cents (Int64). A call of which nothing is
    charged, because a pack holds all of it, costs nothing: no setup fee either. Within the bounds of the
    tables (one day and its increment, 100,000 EUR) the product stays below 2^63.
    """
    setup = pl.when(charged_s > 0).then(setup_micro).otherwise(0)
    micro_seconds = SECONDS_PER_MINUTE * setup + charged_s * rate_micro_per_min
    return ceil_div(micro_seconds, SECONDS_PER_MINUTE * MICRO_PER_CENT)


@rule("R-EMERGENCY", article="8.7")
def free_of_charge(zone_kind: pl.Expr) -> pl.Expr:
    """Calls to emergency zones are free whatever the deck says, also for a suspended customer.

    The law of 13 June 2005, article 110, keeps calls to emergency and free numbers off invoices and out of
    their call detail: `hidden_from_invoice` tells those.
    """
    return zone_kind.eq("emergency").fill_null(value=False)


def hidden_from_invoice(zone_kind: pl.Expr) -> pl.Expr:
    """Whether a call may not appear on an invoice or in its call detail (R-EMERGENCY)."""
    return zone_kind.is_in(["emergency", "free"]).fill_null(value=False)

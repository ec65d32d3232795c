"""Zones: the longest prefix of a deck, for millions of destinations at once.

Within one version of a deck the prefixes nest, so they cut the numbers, padded right to 15 digits, into
disjoint intervals of which each belongs to one prefix. A destination is then found by one binary search in a
sorted column of integers; the version stands in front of the number, so that all versions are searched at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from rating.periods import interval_on
from rating.rules import rule
from rating.tariffs import in_force

if TYPE_CHECKING:
    from schemas.platform import Platform

ONNET = "ONNET"
INCOMING = "INCOMING"
DIGITS = 15
PAD = 10**DIGITS
# One search holds as many versions as fit before the number in 63 bits.
VERSIONS_PER_SEARCH = 9_000
RATE_COLUMNS = ["prefix", "zone_id", "rate_micro_per_min", "setup_micro", "first_increment_s", "increment_s"]


def with_decks(owned: pl.DataFrame, platform: Platform) -> pl.DataFrame:
    """Add `deck_id` and `deck_version` (the version's `effective_from`) of each call's local day.

    An outgoing call takes its customer's deck, an incoming one the inbound deck of the called number, if any.
    """
    decks = platform.customer_decks.select("customer_id", "effective_from", customer_deck="deck_id")
    asked = owned.select("customer_id", "day").unique().drop_nulls()
    found = in_force(asked, decks, by=["customer_id"], day="day").drop("effective_from")
    owned = owned.join(found, on=["customer_id", "day"], how="left", maintain_order="left")
    outgoing = pl.col("direction") == "outgoing"
    owned = owned.with_columns(deck_id=pl.when(outgoing).then("customer_deck").otherwise("inbound_deck")).drop(
        "customer_deck", "inbound_deck"
    )
    versions = platform.rates.select("deck_id", "effective_from").unique()
    asked = owned.select("deck_id", "day").unique().drop_nulls()
    found = in_force(asked, versions, by=["deck_id"], day="day").rename({"effective_from": "deck_version"})
    return owned.join(found, on=["deck_id", "day"], how="left", maintain_order="left")


@rule("R-ONNET", article="8.1")
def is_onnet(calls: pl.DataFrame, platform: Platform, onnet: str) -> pl.Series:
    """An outgoing call to a number active for the same customer that day is on-net, at price 0.

    `onnet` widens that to every customer of the platform (`platform`) or switches it off (`none`). A short
    code is never on-net: it has no owner. Takes calls with `callee`, `day`, `customer_id`; gives booleans.
    """
    if onnet == "none":
        return pl.Series("onnet", [False]).new_from_index(0, calls.height)
    owners = platform.numbers.select("number", "active_from", "active_to", callee_customer_id="customer_id")
    found = interval_on(
        calls.select("callee", "day", "customer_id", "direction"),
        owners.rename({"number": "callee"}),
        by="callee",
    )
    same = pl.col("callee_customer_id").is_not_null()
    if onnet == "customer":
        same = pl.col("callee_customer_id").eq(pl.col("customer_id")).fill_null(value=False)
    return found.select(onnet=(pl.col("direction") == "outgoing") & same).to_series()


@rule("R-INBOUND", article="8.1")
def is_incoming_free(calls: pl.DataFrame) -> pl.Series:
    """An incoming call is in zone INCOMING at price 0, unless the called number has an inbound deck.

    Then its owner pays by that deck on the longest prefix of the caller; short codes and `=anonymous` are
    exact entries. Takes calls with `direction` and `deck_id`; gives booleans.
    """
    return calls.select(incoming=(pl.col("direction") == "incoming") & pl.col("deck_id").is_null()).to_series()


@rule("R-ZONE", article="8.2")
def match_zones(calls: pl.DataFrame, platform: Platform, *, onnet: str) -> pl.DataFrame:
    """A short code takes its exact entry; a number that is on-net is; all else takes the longest prefix.

    Args:
        calls: Owned calls with `deck_id`, `deck_version`, `direction`, `caller`, `callee`, `day`, `customer_id`.
        platform: For the rates in those versions, the kinds of zones, and the numbers on-net.
        onnet: The switch of R-ONNET.

    Returns:
        The calls in their order with `zone_id`, `zone_kind`, the rate's columns and `prefix`; `zone_id` is null
        where nothing matches (`no_rate`): a short code never falls to a prefix. ONNET and INCOMING are priced
        0 at increments 1/1, by no deck.
    """
    outgoing = pl.col("direction") == "outgoing"
    calls = calls.with_columns(
        destination=pl.when(outgoing).then("callee").otherwise("caller"),
        onnet=is_onnet(calls, platform, onnet),
        incoming=is_incoming_free(calls),
    )
    by_no_deck = pl.col("onnet") | pl.col("incoming")
    calls = calls.with_columns(
        pl.when(by_no_deck).then(None).otherwise(pl.col(name)).alias(name) for name in ("deck_id", "deck_version")
    )
    rate_rows = find_rate_rows(calls, platform.rates)
    rates = platform.rates.with_row_index("rate_row").select("rate_row", *RATE_COLUMNS)
    matched = calls.with_columns(rate_row=rate_rows).join(rates, on="rate_row", how="left", maintain_order="left")
    reserved = pl.when("onnet").then(pl.lit(ONNET)).when("incoming").then(pl.lit(INCOMING))
    matched = matched.with_columns(zone_id=pl.coalesce(reserved, "zone_id"))
    at_no_price = [
        pl.when(by_no_deck).then(pl.lit(figure, pl.Int64)).otherwise(pl.col(name)).alias(name)
        for name, figure in (
            ("rate_micro_per_min", 0), ("setup_micro", 0), ("first_increment_s", 1), ("increment_s", 1),
        )
    ]  # fmt: skip
    kinds = platform.zones.select("zone_id", zone_kind="kind")
    return (
        matched.with_columns(at_no_price)
        .join(kinds, on="zone_id", how="left", maintain_order="left")
        .drop("destination", "onnet", "incoming", "rate_row")
    )


def find_rate_rows(calls: pl.DataFrame, rates: pl.DataFrame) -> pl.Series:
    """The row of `rates` that prices each call (UInt32, null where none), by exact entry or longest prefix.

    Takes calls with `destination` (`+...`, short code or `anonymous`), `deck_id` and `deck_version`.
    """
    versions = calls.select("deck_id", "deck_version").unique().drop_nulls().sort("deck_id", "deck_version")
    versions = versions.with_row_index("version")
    keyed = calls.select("destination", "deck_id", "deck_version").join(
        versions, on=["deck_id", "deck_version"], how="left", maintain_order="left"
    )
    entries = rates.with_row_index("rate_row").join(
        versions, left_on=["deck_id", "effective_from"], right_on=["deck_id", "deck_version"]
    )
    entries = entries.select("rate_row", "version", "prefix")
    is_exact = pl.col("prefix").str.starts_with("=")
    exact = entries.filter(is_exact).select("version", exact_row="rate_row", destination=pl.col("prefix").str.slice(1))
    prefixes = entries.filter(~is_exact)
    keyed = keyed.join(exact, on=["version", "destination"], how="left", maintain_order="left")
    is_number = pl.col("destination").str.starts_with("+")
    keyed = keyed.with_columns(digits=pl.when(is_number).then(pl.col("destination").str.slice(1)))
    keyed = keyed.with_columns(prefix_row=longest_prefix(keyed, prefixes))
    return keyed.select(pl.coalesce("exact_row", "prefix_row")).to_series()


def longest_prefix(wanted: pl.DataFrame, prefixes: pl.DataFrame) -> pl.Series:
    """The `rate_row` of the longest prefix of `digits` within its `version`, null where none matches.

    Args:
        wanted: `version` (UInt32) and `digits` (String), both null where nothing is asked.
        prefixes: `rate_row`, `version`, `prefix` (digits); each prefix once in a version.
    """
    found = pl.Series("rate_row", [None], dtype=pl.UInt32).new_from_index(0, wanted.height)
    if prefixes.is_empty():
        return found
    versions = prefixes.select(pl.col("version").max()).item() + 1
    for first in range(0, versions, VERSIONS_PER_SEARCH):
        here = pl.col("version").is_between(first, first + VERSIONS_PER_SEARCH - 1)
        number = pl.col("version").cast(pl.Int64) - first
        part = prefixes.filter(here).with_columns(version=number)
        asked = wanted.select(version=pl.when(here).then(number), digits="digits")
        found = found.zip_with(found.is_not_null(), _search(asked, part))
    return found


def _search(wanted: pl.DataFrame, prefixes: pl.DataFrame) -> pl.Series:
    """`longest_prefix` for the versions that fit one search."""
    points = _interval_starts(prefixes)
    padded = pl.col("digits").str.pad_end(DIGITS, "0").cast(pl.Int64)
    keys = wanted.select(pl.col("version") * PAD + padded).to_series()
    asked = keys.is_not_null()
    places = points["point"].search_sorted(keys.fill_null(-1), side="right").cast(pl.Int64) - 1
    hit = asked & (places >= 0)
    rows = (
        points["rate_row"]
        .gather(places.clip(lower_bound=0))
        .zip_with(hit, pl.Series([None], dtype=pl.UInt32).new_from_index(0, len(places)))
    )
    lengths = points["length"].gather(places.clip(lower_bound=0))
    # Padding makes 32412 look like 32412000...: a prefix longer than the number itself is no match.
    too_long = hit & (lengths > wanted["digits"].str.len_bytes()).fill_null(value=False)
    if too_long.any():
        rows = rows.zip_with(~too_long, _by_truncation(wanted, prefixes, too_long))
    return rows.alias("rate_row")


def _interval_starts(prefixes: pl.DataFrame) -> pl.DataFrame:
    """Where an interval starts, and the longest prefix that covers it from there on.

    Gives `point` (sorted Int64: version and padded number), `rate_row` and `length` of the prefix, null and 0
    where none covers it.
    """
    length = pl.col("prefix").str.len_bytes().cast(pl.Int64)
    first = pl.col("version") * PAD + pl.col("prefix").str.pad_end(DIGITS, "0").cast(pl.Int64)
    span = pl.lit(10, pl.Int64).pow(DIGITS - length).cast(pl.Int64)
    cut = prefixes.select("rate_row", length=length, first=first, span=span)
    points = pl.concat([cut.select(point="first"), cut.select(point=pl.col("first") + pl.col("span"))])
    points = points.unique().sort("point").with_columns(rate_row=pl.lit(None, pl.UInt32), length=pl.lit(0, pl.Int64))
    for digits in sorted(cut["length"].unique()):
        size = 10 ** (DIGITS - digits)
        of_length = cut.filter(pl.col("length") == digits)
        longer = of_length.select(pl.col("first") // size, longer_row="rate_row")
        covered = points.select(first=pl.col("point") // size).join(
            longer, on="first", how="left", maintain_order="left"
        )
        points = points.with_columns(covered["longer_row"]).with_columns(
            length=pl.when(pl.col("longer_row").is_null()).then("length").otherwise(digits),
            rate_row=pl.coalesce("longer_row", "rate_row"),
        ).drop("longer_row")  # fmt: skip
    return points


def _by_truncation(wanted: pl.DataFrame, prefixes: pl.DataFrame, where: pl.Series) -> pl.Series:
    """The same match for the few marked rows, by cutting the number digit by digit (null elsewhere)."""
    few = wanted.with_row_index("place").filter(where)
    found = few.select("place", rate_row=pl.lit(None, pl.UInt32))
    for digits in range(1, DIGITS + 1):
        cut = few.select(
            "version",
            prefix=pl.when(pl.col("digits").str.len_bytes() >= digits).then(pl.col("digits").str.slice(0, digits)),
        )
        longer = cut.join(prefixes, on=["version", "prefix"], how="left", maintain_order="left")["rate_row"]
        found = found.with_columns(rate_row=pl.coalesce(longer, "rate_row"))
    places = wanted.select(place=pl.int_range(pl.len(), dtype=pl.UInt32))
    return places.join(found, on="place", how="left", maintain_order="left")["rate_row"]

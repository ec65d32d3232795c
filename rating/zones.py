"""Zones: the longest prefix of a deck, for millions of destinations at once.

Within one version of a deck the prefixes nest, so they cut the numbers, padded right to 15 digits, into
disjoint intervals of which each belongs to one prefix. A destination is then found by one binary search in a
sorted column of integers; the version stands in front of the number, so that all versions are searched at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from rating.number_keys import number_key
from rating.periods import Intervals, version_intervals
from rating.pricing import free_of_charge
from rating.rules import rule

if TYPE_CHECKING:
    from schemas.platform import Platform

ONNET = "ONNET"
INCOMING = "INCOMING"
DIGITS = 15
PAD = 10**DIGITS
# The padding that a number of so many digits needs, by their number.
PADDING = pl.Series([10 ** (DIGITS - digits) for digits in range(DIGITS + 1)], dtype=pl.Int64)
POWERS = pl.Series([10**digits for digits in range(DIGITS)], dtype=pl.Int64)
# One search holds as many versions as fit before the number in 63 bits.
VERSIONS_PER_SEARCH = 9_000


@dataclass(frozen=True, slots=True)
class Tariffs:
    """The decks of a platform as calls look them up, with codes for identifiers.

    Attributes:
        customer_decks: `customer_id`, `deck_id`: which deck a customer has on a day.
        versions: `deck_id`, `effective_from`: which version of a deck is in force; its place is its number.
        exact: `version`, `destination` (a number's key), `rate_no`: short codes and `=anonymous`.
        prefixes: Of `search_tables`.
        prices: What a rate costs, by `rate_no` (`price_list`).
    """

    customer_decks: Intervals
    versions: Intervals
    exact: pl.DataFrame
    prefixes: list[PrefixSearch]
    prices: pl.DataFrame

    @property
    def onnet_no(self) -> int:
        """The price of an on-net call."""
        return self.prices.height - 2

    @property
    def incoming_no(self) -> int:
        """The price of a call that is received free."""
        return self.prices.height - 1


def price_list(platform: Platform) -> pl.DataFrame:
    """What each row of the rates costs, then ONNET, then INCOMING, which cost nothing and are of no deck.

    Gives `deck_id`, `deck_version`, `prefix`, `zone_id`, `zone_kind`, `rate_micro_per_min`, `setup_micro`,
    `first_increment_s`, `increment_s`; what is free of charge (R-EMERGENCY) has a price of 0.
    """
    figures = ["rate_micro_per_min", "setup_micro", "first_increment_s", "increment_s"]
    kinds = platform.zones.select("zone_id", zone_kind="kind")
    rates = platform.rates.join(kinds, on="zone_id", how="left", maintain_order="left").select(
        "deck_id", pl.col("effective_from").alias("deck_version"), "prefix", "zone_id", "zone_kind", *figures
    )
    reserved = pl.DataFrame(
        {"zone_id": [ONNET, INCOMING], **dict(zip(figures, ([0, 0], [0, 0], [1, 1], [1, 1]), strict=True))}
    )
    free = free_of_charge(pl.col("zone_kind"))
    prices = pl.concat([rates, reserved], how="diagonal").with_columns(
        pl.when(~free).then(name).otherwise(0).alias(name) for name in figures[:2]
    )
    return prices.rechunk()  # a price is looked up for each call, out of one piece in a fraction of the time


def tariffs_of(platform: Platform) -> Tariffs:
    """Prepare the decks of a platform whose identifiers are coded (`rating.coding`)."""
    versions = version_intervals(platform.rates.select("deck_id", "effective_from").unique(), by="deck_id")
    numbered = versions.rows.select("deck_id", "effective_from").with_row_index("version")
    entries = (
        platform.rates.with_row_index("rate_no")
        .join(numbered, on=["deck_id", "effective_from"], maintain_order="left")
        .select("version", "prefix", "rate_no")
    )
    is_exact = pl.col("prefix").str.starts_with("=")
    return Tariffs(
        customer_decks=version_intervals(
            platform.customer_decks.select("customer_id", "deck_id", "effective_from"), by="customer_id"
        ),
        versions=versions,
        exact=entries.filter(is_exact).select(
            "version", "rate_no", destination=number_key(pl.col("prefix").str.slice(1))
        ),
        prefixes=search_tables(entries.filter(~is_exact)),
        prices=price_list(platform),
    )


def deck_versions(owned: pl.DataFrame, tariffs: Tariffs) -> pl.Series:
    """The number of the deck version of each call's local day (UInt32, null where there is none).

    An outgoing call takes its customer's deck, an incoming one the inbound deck of the called number, if any.
    Takes owned calls with `outgoing`, `customer_id`, `inbound_deck`, `day`.
    """
    row = tariffs.customer_decks.row_on(owned["customer_id"], owned["day"])
    (customer_deck,) = tariffs.customer_decks.at(row, "deck_id")
    deck = customer_deck.zip_with(owned["outgoing"], owned["inbound_deck"])
    return tariffs.versions.row_on(deck, owned["day"])


@rule("R-ONNET", article="8.1")
def is_onnet(calls: pl.DataFrame, numbers: Intervals, onnet: str) -> pl.Series:
    """An outgoing call to a number active for the same customer that day is on-net, at price 0.

    `onnet` widens that to every customer of the platform (`platform`) or switches it off (`none`). A short
    code is never on-net: it has no owner. Takes calls with `outgoing`, `callee`, `day`, `customer_id`, and the
    intervals of the numbers; gives booleans.
    """
    if onnet == "none":
        return pl.repeat(value=False, n=calls.height, eager=True)
    row = numbers.row_on(calls["callee"], calls["day"])
    if onnet == "platform":
        return calls["outgoing"] & row.is_not_null()
    (owner,) = numbers.at(row, "customer_id")
    return calls["outgoing"] & (owner == calls["customer_id"]).fill_null(value=False)


@rule("R-INBOUND", article="8.1")
def is_incoming_free(calls: pl.DataFrame) -> pl.Series:
    """An incoming call is in zone INCOMING at price 0, unless the called number has an inbound deck.

    Then its owner pays by that deck on the longest prefix of the caller; short codes and `=anonymous` are
    exact entries. Takes calls with `outgoing` and `inbound_deck`; gives booleans.
    """
    return ~calls["outgoing"] & calls["inbound_deck"].is_null()


@rule("R-ZONE", article="8.2")
def match_zones(calls: pl.DataFrame, tariffs: Tariffs, numbers: Intervals, *, onnet: str) -> pl.Series:
    """A short code takes its exact entry; a number that is on-net is; all else takes the longest prefix.

    Args:
        calls: Owned calls with `outgoing`, `caller`, `callee` (keys), `day`, `customer_id`, `inbound_deck`.
        tariffs: The decks of the platform.
        numbers: The intervals of its numbers (R-ONNET).
        onnet: The switch of R-ONNET.

    Returns:
        The place of each call's price in `tariffs.prices` (UInt32), null where nothing matches (`no_rate`): a
        short code never falls to a prefix.
    """
    destination = calls["callee"].zip_with(calls["outgoing"], calls["caller"])
    rate_no = find_rates(destination, deck_versions(calls, tariffs), tariffs)
    reserved = (
        (is_incoming_free(calls), tariffs.incoming_no),
        (is_onnet(calls, numbers, onnet), tariffs.onnet_no),
    )
    for where, price in reserved:
        rate_no = pl.repeat(price, calls.height, dtype=pl.UInt32, eager=True).zip_with(where, rate_no)
    return rate_no.alias("rate_no")


def find_rates(destination: pl.Series, version: pl.Series, tariffs: Tariffs) -> pl.Series:
    """The rate of each destination (a number's key) in a version: by exact entry or longest prefix."""
    is_number = destination > 0
    rate_no = longest_prefix(destination.zip_with(is_number, pl.repeat(None, len(version), dtype=pl.Int64, eager=True)),
                             version, tariffs.prefixes)  # fmt: skip
    others = pl.DataFrame({"version": version, "destination": destination}).with_row_index("place").filter(~is_number)
    exact = others.join(tariffs.exact, on=["version", "destination"], how="inner")
    return rate_no.scatter(exact["place"], exact["rate_no"])


@dataclass(frozen=True, slots=True)
class PrefixSearch:
    """The prefixes of up to `VERSIONS_PER_SEARCH` versions, ready for one binary search.

    Attributes:
        first: The first version in it.
        entries: `version` (counted from `first`), `prefix`, `rate_no`.
        points: Of `_interval_starts`.
    """

    first: int
    entries: pl.DataFrame
    points: pl.DataFrame


def search_tables(prefixes: pl.DataFrame) -> list[PrefixSearch]:
    """Prepare the prefixes of all versions: `version` (UInt32), `prefix` (digits, once in a version), `rate_no`."""
    tables = []
    versions = 0 if prefixes.is_empty() else int(str(prefixes["version"].max())) + 1
    for first in range(0, versions, VERSIONS_PER_SEARCH):
        here = pl.col("version").is_between(first, first + VERSIONS_PER_SEARCH - 1)
        entries = prefixes.filter(here).with_columns(pl.col("version").cast(pl.Int64) - first)
        if not entries.is_empty():
            tables.append(PrefixSearch(first, entries, _interval_starts(entries)))
    return tables


def longest_prefix(number: pl.Series, version: pl.Series, tables: list[PrefixSearch]) -> pl.Series:
    """The `rate_no` of the longest prefix of each number within its version, null where none matches.

    Args:
        number: E.164 as digits (Int64, up to 15), null where nothing is asked.
        version: UInt32, null where nothing is asked.
        tables: Of `search_tables`.
    """
    found = pl.repeat(None, len(number), dtype=pl.UInt32, eager=True)
    for table in tables:
        within = version.cast(pl.Int64) - table.first
        here = (within >= 0) & (within < VERSIONS_PER_SEARCH)
        asked = pl.DataFrame({"number": number, "version": within.set(~here, None) if not here.all() else within})
        found = found.zip_with(found.is_not_null(), _search(asked, table))
    return found.alias("rate_no")


def _search(wanted: pl.DataFrame, table: PrefixSearch) -> pl.Series:
    """`longest_prefix` for the versions that fit one search: `number`, `version` within the table."""
    points = table.points
    length = POWERS.search_sorted(wanted["number"], side="right")
    keys = wanted["version"] * PAD + wanted["number"] * PADDING.gather(length)
    asked = keys.is_not_null()
    places = points["point"].search_sorted(keys.fill_null(-1), side="right").cast(pl.Int64) - 1
    places = places.set(~asked | (places < 0), None)
    rows = points["rate_no"].gather(places)
    # Padding makes 32412 look like 32412000...: a prefix longer than the number itself is no match.
    too_long = (points["length"].gather(places) > length).fill_null(value=False)
    if too_long.any():
        few = wanted.with_row_index("place").filter(too_long)
        rows = rows.scatter(few["place"], _by_truncation(few, table.entries))
    return rows


def _interval_starts(prefixes: pl.DataFrame) -> pl.DataFrame:
    """Where an interval starts, and the longest prefix that covers it from there on.

    Gives `point` (sorted Int64: version and padded number), `rate_no` and `length` of the prefix, null and 0
    where none covers it.
    """
    length = pl.col("prefix").str.len_bytes().cast(pl.Int64)
    first = pl.col("version") * PAD + pl.col("prefix").str.pad_end(DIGITS, "0").cast(pl.Int64)
    span = pl.lit(10, pl.Int64).pow(DIGITS - length).cast(pl.Int64)
    cut = prefixes.select("rate_no", length=length, first=first, span=span)
    points = pl.concat([cut.select(point="first"), cut.select(point=pl.col("first") + pl.col("span"))])
    points = points.unique().sort("point").with_columns(rate_no=pl.lit(None, pl.UInt32), length=pl.lit(0, pl.Int64))
    for digits in sorted(cut["length"].unique()):
        size = 10 ** (DIGITS - digits)
        of_length = cut.filter(pl.col("length") == digits)
        longer = of_length.select(pl.col("first") // size, longer_row="rate_no")
        covered = points.select(first=pl.col("point") // size).join(
            longer, on="first", how="left", maintain_order="left"
        )
        points = points.with_columns(covered["longer_row"]).with_columns(
            length=pl.when(pl.col("longer_row").is_null()).then("length").otherwise(digits),
            rate_no=pl.coalesce("longer_row", "rate_no"),
        ).drop("longer_row")  # fmt: skip
    return points


def _by_truncation(few: pl.DataFrame, prefixes: pl.DataFrame) -> pl.Series:
    """The same match for a few numbers, by cutting them digit by digit."""
    digits = few.select("version", digits=pl.col("number").cast(pl.String))
    found = pl.repeat(None, few.height, dtype=pl.UInt32, eager=True)
    for length in range(1, DIGITS + 1):
        long_enough = pl.col("digits").str.len_bytes() >= length
        cut = digits.select("version", prefix=pl.when(long_enough).then(pl.col("digits").str.slice(0, length)))
        longer = cut.join(prefixes, on=["version", "prefix"], how="left", maintain_order="left")["rate_no"]
        found = longer.zip_with(longer.is_not_null(), found)
    return found

"""The longest prefix, found for all numbers at once, against a loop over every prefix."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rating.zones import DIGITS, VERSIONS_PER_SEARCH, longest_prefix, search_tables

Entry = tuple[int, str]  # version, digits
Asked = tuple[int | None, str | None]

# Few digits, so that prefixes nest; 0 and 9 are the ends of every interval.
digits = st.text("0129", min_size=1, max_size=DIGITS) | st.text("09", min_size=1, max_size=4)
versions = st.integers(0, 3)
decks = st.lists(st.tuples(versions, digits), max_size=30, unique=True)


def found_by_search(deck: list[Entry], asked: list[Asked]) -> list[int | None]:
    prefixes = pl.DataFrame(deck, schema={"version": pl.UInt32, "prefix": pl.String}, orient="row")
    wanted = pl.DataFrame(asked, schema={"version": pl.UInt32, "number": pl.String}, orient="row")
    tables = search_tables(prefixes.with_row_index("rate_no"))
    return longest_prefix(wanted["number"].cast(pl.Int64), wanted["version"], tables).to_list()


def found_by_loop(deck: list[Entry], asked: list[Asked]) -> list[int | None]:
    found: list[int | None] = []
    for version, number in asked:
        best = None
        for row, (of, prefix) in enumerate(deck):
            longer = best is None or len(prefix) > len(deck[best][1])
            if of == version and number is not None and number.startswith(prefix) and longer:
                best = row
        found.append(best)
    return found


@st.composite
def decks_and_numbers(draw: st.DrawFn) -> tuple[list[Entry], list[Asked]]:
    """A deck, and numbers that are its prefixes, cut short, prolonged, or have nothing to do with them."""
    deck = draw(decks)
    unrelated = st.tuples(st.integers(0, 5), digits)
    entry = st.sampled_from(deck) if deck else unrelated
    longer = st.tuples(entry, st.text("0129", max_size=DIGITS)).map(lambda drawn: (drawn[0][0], drawn[0][1] + drawn[1]))
    shorter = st.tuples(entry, st.integers(1, DIGITS)).map(lambda drawn: (drawn[0][0], drawn[0][1][: drawn[1]]))
    unpadded = entry.map(lambda pair: (pair[0], pair[1].rstrip("0") or "1"))
    nothing = st.just((None, None))
    asked = draw(st.lists(nothing | unrelated | entry | longer | shorter | unpadded, max_size=30))
    return deck, [(version, _international(number)) for version, number in asked]


def _international(number: str | None) -> str | None:
    """A number that a call may have: its first digit is not 0."""
    return number and (number.lstrip("0")[:DIGITS] or None)


@given(decks_and_numbers())
def test_zones_prefix__agrees_with_a_loop(drawn: tuple[list[Entry], list[Asked]]) -> None:
    deck, asked = drawn
    assert found_by_search(deck, asked) == found_by_loop(deck, asked)


@pytest.mark.parametrize(
    ("prefixes", "number", "prefix"),
    [
        (["3", "32", "324", "3247"], "32475000001", "3247"),
        (["3", "32", "324", "3247"], "32465000001", "324"),
        (["3", "32", "324", "3247"], "32", "32"),
        (["3", "3247"], "324", "3"),  # a prefix longer than the number is none of its prefixes
        (["3", "32400"], "324", "3"),  # nor is one that padding makes look the same
        (["32400"], "324", None),
        (["3", "324", "32400000000"], "324", "324"),
        (["9", "99"], "999999999999999", "99"),
        (["999999999999999", "9"], "999999999999999", "999999999999999"),
        (["999999999999999", "9"], "999999999999998", "9"),
        (["1", "3"], "2", None),  # between two prefixes
        (["1", "3"], "4", None),  # after the last
        (["2"], "1", None),  # before the first
        (["19", "2"], "1999", "19"),  # neighbours that touch
        (["19", "2"], "2000", "2"),
        ([], "32475000001", None),
    ],
)
def test_zones_prefix__at_the_ends_of_intervals(prefixes: list[str], number: str, prefix: str | None) -> None:
    deck = [(0, of) for of in prefixes]
    expected = None if prefix is None else prefixes.index(prefix)
    assert found_by_search(deck, [(0, number)]) == found_by_loop(deck, [(0, number)]) == [expected]


@pytest.mark.parametrize(
    ("version", "number", "row"),
    [(0, "99", 0), (0, "10", None), (1, "10", 1), (1, "99", None), (2, "99", 2), (3, "99", None), (None, None, None)],
)
def test_zones_prefix__versions_do_not_run_into_one_another(
    version: int | None, number: str | None, row: int | None
) -> None:
    """The last interval of a version ends where the first of the next begins."""
    assert found_by_search([(0, "9"), (1, "1"), (2, "9")], [(version, number)]) == [row]


def test_zones_prefix__more_versions_than_one_search_holds() -> None:
    """Each version has one prefix, its own last digits, and is asked for it and for the one of the version before."""
    count = 2 * VERSIONS_PER_SEARCH + 1  # the last one is alone in its search
    deck = [(version, f"1{version % 1000:03d}") for version in range(count)]
    asked: list[Asked] = [(version, f"{prefix}55") for version, prefix in deck]
    asked += [(version, f"1{(version - 1) % 1000:03d}55") for version in range(count)]
    assert found_by_search(deck, asked) == [*range(count), *[None] * count]

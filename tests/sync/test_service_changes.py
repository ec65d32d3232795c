"""What a platform has today against what was known: the intervals that come of it, and what is held."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from rating.service_changes import CHANGE, KEYS, STATES, apply_changes, date_changes, find_changes, hold_changes

TODAY = date(2026, 11, 20)
NONE_HELD = pl.DataFrame(schema=CHANGE)
TEXT = {
    table: dict.fromkeys(dict.fromkeys([KEYS[table], *STATES[table]]), pl.String) for table in KEYS
}  # fmt: skip
DATED = {table: {**TEXT[table], "active_from": pl.Date, "active_to": pl.Date} for table in KEYS}


def rows(schema: dict[str, type[pl.DataType]], text: str) -> pl.DataFrame:
    """Rows parted by `;`, cells by blanks, `_` for an empty one; what is left out at the end is empty."""
    cells = [line.split() for line in text.split(";") if line.strip()]
    texts = [[None if cell == "_" else cell for cell in line + ["_"] * (len(schema) - len(line))] for line in cells]
    frame = pl.DataFrame(texts, schema=dict.fromkeys(schema, pl.String), orient="row")
    return frame.with_columns(pl.col(name).str.to_date() for name, kind in schema.items() if kind == pl.Date)


def text_of(frame: pl.DataFrame) -> str:
    return "; ".join(" ".join("_" if cell is None else str(cell) for cell in row) for row in frame.iter_rows())


def synced(table: str, known: str, today: str, as_of: date | None = None) -> str:
    before, now = rows(DATED[table], known), rows(TEXT[table], today)
    changes = date_changes(find_changes(table, before, now, TODAY), NONE_HELD, as_of)
    return text_of(apply_changes(table, before, now, changes, TODAY)).replace(" _;", ";").removesuffix(" _")


@pytest.mark.parametrize(
    ("known", "today", "as_of", "after"),
    [
        # Nothing changed: nothing is written anew, in whatever pieces it stands.
        ("a c1 seat 2026-01-01", "a c1 seat", None, "a c1 seat 2026-01-01"),
        (
            "a c1 seat 2026-01-01 2026-03-01; a c1 seat 2026-03-01",
            "a c1 seat",
            None,
            "a c1 seat 2026-01-01 2026-03-01; a c1 seat 2026-03-01",
        ),
        ("a c1 seat 2026-01-01 2026-12-31", "a c1 seat", None, "a c1 seat 2026-01-01 2026-12-31"),
        # It came, it left, it came back.
        ("", "a c1 seat", None, "a c1 seat 2026-11-20"),
        ("a c1 seat 2026-01-01", "", None, "a c1 seat 2026-01-01 2026-11-20"),
        ("a c1 seat 2026-01-01 2026-12-31", "", None, "a c1 seat 2026-01-01 2026-11-20"),
        (
            "a c1 seat 2026-01-01 2026-11-10",
            "a c1 seat",
            None,
            "a c1 seat 2026-01-01 2026-11-10; a c1 seat 2026-11-20",
        ),
        # It is again what it was until this very day: one interval; what came today and left today has no day.
        ("a c1 seat 2026-01-01 2026-11-20", "a c1 seat", None, "a c1 seat 2026-01-01"),
        ("a c1 seat 2026-11-20", "", None, ""),
        # Another product, another customer.
        ("a c1 seat 2026-01-01", "a c1 desk", None, "a c1 seat 2026-01-01 2026-11-20; a c1 desk 2026-11-20"),
        ("a c1 seat 2026-01-01", "a c2 seat", None, "a c1 seat 2026-01-01 2026-11-20; a c2 seat 2026-11-20"),
        # The change was earlier.
        ("", "a c1 seat", date(2026, 11, 3), "a c1 seat 2026-11-03"),
        ("a c1 seat 2026-01-01", "", date(2026, 11, 3), "a c1 seat 2026-01-01 2026-11-03"),
        ("a c1 seat 2026-11-10", "", date(2026, 11, 3), ""),
        ("a c1 seat 2026-01-01 2026-11-10", "a c1 seat", date(2026, 11, 3), "a c1 seat 2026-01-01"),
        (
            "a c1 seat 2026-01-01 2026-11-10; a c1 desk 2026-11-10",
            "a c2 seat",
            date(2026, 11, 3),
            "a c1 seat 2026-01-01 2026-11-03; a c2 seat 2026-11-03",
        ),
        # What did not change is not touched by the day; neither is what left before.
        (
            "a c1 seat 2026-11-10; b c1 seat 2026-01-01 2026-11-10",
            "a c1 seat; c c1 seat",
            date(2026, 11, 3),
            "a c1 seat 2026-11-10; b c1 seat 2026-01-01 2026-11-10; c c1 seat 2026-11-03",
        ),
        # What a person entered ahead stays; what is new lasts until then.
        ("a c1 seat 2026-12-01", "", None, "a c1 seat 2026-12-01"),
        ("a c1 seat 2026-12-01", "a c1 seat", None, "a c1 seat 2026-12-01; a c1 seat 2026-11-20 2026-12-01"),
        (
            "a c1 seat 2026-01-01 2026-12-01; a c1 desk 2026-12-01",
            "",
            None,
            "a c1 seat 2026-01-01 2026-11-20; a c1 desk 2026-12-01",
        ),
    ],
)
def test_users__intervals(known: str, today: str, as_of: date | None, after: str) -> None:
    assert synced("users", known, today, as_of) == after


@pytest.mark.parametrize(
    ("known", "today", "after"),
    [
        # Another user, and none: a new interval of the same number.
        (
            "+321 c1 BE u1 did _ 2026-01-01",
            "+321 c1 BE u2 did _",
            "+321 c1 BE u1 did _ 2026-01-01 2026-11-20; +321 c1 BE u2 did _ 2026-11-20",
        ),
        (
            "+321 c1 BE u1 did _ 2026-01-01",
            "+321 c1 BE _ did _",
            "+321 c1 BE u1 did _ 2026-01-01 2026-11-20; +321 c1 BE _ did _ 2026-11-20",
        ),
        ("+321 c1 BE _ _ _ 2026-01-01", "+321 c1 BE _ _ _", "+321 c1 BE _ _ _ 2026-01-01"),
        ("+321 c1 BE _ _ _ 2026-01-01 2026-11-20", "+321 c1 BE _ _ _", "+321 c1 BE _ _ _ 2026-01-01"),
        (
            "+321 c1 BE _ _ _ 2026-01-01",
            "+321 c1 BE _ _ d",
            "+321 c1 BE _ _ _ 2026-01-01 2026-11-20; +321 c1 BE _ _ d 2026-11-20",
        ),
    ],
)
def test_numbers__intervals(known: str, today: str, after: str) -> None:
    assert synced("numbers", known, today) == after


def held(known: str, today: str, accepted: tuple[str, ...] | None = None) -> str:
    """The services whose changes are held, of users."""
    before, now = rows(DATED["users"], known), rows(TEXT["users"], today)
    numbers = rows(DATED["numbers"], "")
    changes = find_changes("users", before, now, TODAY)
    found, _ = hold_changes(changes, {"users": before, "numbers": numbers}, TODAY, accepted)
    return " ".join(found.filter("held")["service_id"])


def users(customer: str, count: int, *, first: int = 1) -> str:
    return "; ".join(f"{customer}-{number} {customer} seat 2026-01-01" for number in range(first, first + count))


def today(text: str) -> str:
    return text.replace(" 2026-01-01", "")


@pytest.mark.parametrize(
    ("known", "now", "accepted", "found"),
    [
        # 2 of 10 are a fifth, 3 are more; coming counts as leaving does, and a change of product too.
        (users("c1", 10), users("c1", 8), None, ""),
        (users("c1", 10), users("c1", 7), None, "c1-10 c1-8 c1-9"),
        (users("c1", 10), users("c1", 12), None, ""),
        (users("c1", 10), users("c1", 13), None, "c1-11 c1-12 c1-13"),
        (users("c1", 10), users("c1", 9) + "; x c1 seat; y c1 seat", None, "c1-10 x y"),
        (users("c1", 4), users("c1", 3) + "; c1-4 c1 desk", None, "c1-4"),
        (users("c1", 5), users("c1", 4) + "; c1-5 c1 desk", None, ""),
        # All of them gone; a customer who is new; one who had some and has none.
        (users("c1", 3), "", None, "c1-1 c1-2 c1-3"),
        ("", users("c1", 3), None, ""),
        (users("c1", 3).replace(" 2026-01-01", " 2026-01-01 2026-02-01"), users("c1", 3), None, ""),
        # A move between customers is one change of each, and held where it is much for one of them.
        (users("c1", 6) + ";" + users("c2", 2), users("c1", 5) + ";" + users("c2", 2) + "; c1-6 c2 seat", None, "c1-6"),
        # The changes of others are not.
        (users("c1", 3) + ";" + users("c2", 10), users("c1", 2) + ";" + users("c2", 9), None, "c1-3"),
        # Accepted: all, or those of a customer.
        (users("c1", 3) + ";" + users("c2", 3), users("c1", 2) + ";" + users("c2", 2), (), ""),
        (users("c1", 3) + ";" + users("c2", 3), users("c1", 2) + ";" + users("c2", 2), ("c2",), "c1-3"),
    ],
)  # fmt: skip
def test_hold__more_than_a_fifth(known: str, now: str, accepted: tuple[str, ...] | None, found: str) -> None:
    assert held(known, today(now), accepted) == found


def test_hold__numbers_hold_the_users_of_their_customer_too() -> None:
    number = "+321 c1 BE _ _ _ 2026-01-01"
    known = {"users": rows(DATED["users"], users("c1", 10)), "numbers": rows(DATED["numbers"], number)}
    now = {"users": rows(TEXT["users"], today(users("c1", 9))), "numbers": rows(TEXT["numbers"], "")}
    changes = pl.concat(find_changes(table, known[table], now[table], TODAY) for table in known)
    found, many = hold_changes(changes, known, TODAY, None)
    assert found.filter("held")["service_id"].to_list() == ["c1-10", "+321"]
    assert many.rows() == [("numbers", "c1", 1, 1, True)]


def test_date__what_was_held_takes_effect_on_the_day_it_was_first_seen() -> None:
    before, now = rows(DATED["users"], "a c1 seat 2026-01-01; b c1 seat 2026-01-01"), rows(TEXT["users"], "")
    changes = find_changes("users", before, now, TODAY)
    first_seen = changes.filter(service_id="a").with_columns(day=pl.lit(date(2026, 11, 12)), held=pl.lit(value=True))
    assert date_changes(changes, first_seen, None)["day"].to_list() == [date(2026, 11, 12), TODAY]
    # Where it has become something else since, it is another change.
    other = first_seen.with_columns(after=pl.lit('{"customer_id":"c2"}'))
    assert date_changes(changes, other, None)["day"].to_list() == [TODAY, TODAY]
    # The day that a person gives is the day.
    assert date_changes(changes, first_seen, date(2026, 10, 1))["day"].to_list() == [date(2026, 10, 1)] * 2

"""Watching fresh CDRs: signs of fraud are told before the month ends, what is usual is not, and nothing is changed."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest

from tests.cli.program import SETTINGS, Place, bytes_of, call, make_place, write_cdrs

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.program import Told

NOW = ["--now", "2026-10-20T10:00:00Z"]
LIVE = "+3290012345"
# A minute costs 1 EUR: 31 minutes are 31 EUR. c1 has 2 minutes of a pack, of which the first call takes 2.
BOUNDS = "[bounds]\nday_spend_eur = 30\nnight_spend_eur = 20\n"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    made = make_place(tmp_path / "place")
    (made.folder / "centime.toml").write_text(SETTINGS + BOUNDS, encoding="utf-8")
    return made


def watch(place: Place, *paths: str | Path) -> Told:
    return place.start("watch", *paths, "--platform", "platform", *NOW, "--json")


def signs_of(told: Told) -> list[tuple[object, ...]]:
    rows = told.table("Signs of fraud")
    return [tuple(row[name] for name in ("sign", "customer_id", "day", "calls", "measured")) for row in rows]


@pytest.mark.parametrize(
    ("rows", "signs"),
    [
        ([call("a", callee=LIVE, duration_s=1861)], [("day_spend", "c1", "2026-10-10", 1, 3102),
                                                     ("night_spend", "c1", "2026-10-10", 1, 3102)]),  # a Saturday
        ([call("a", "2026-10-12", callee=LIVE, duration_s=1861)], [("day_spend", "c1", "2026-10-12", 1, 3102)]),
        ([call("a", "2026-10-12", callee=LIVE, duration_s=1800)], []),  # 30.00 are not more than 30
        ([call("a", "2026-10-12", callee=LIVE, duration_s=900), call("b", "2026-10-13", callee=LIVE, duration_s=1700)],
         []),
        ([call("a", "2026-10-12", duration_s=14_401)], [("long_call", "c1", "2026-10-12", 1, 14_401)]),
        ([call("a", "2026-10-12", callee="+3225550102", duration_s=50_000)], []),  # on-net, free
        (["x,2026-10-12T08:00:00Z,outgoing,+3225550188,+33142685300,60,",
          "y,2026-10-12T09:00:00Z,outgoing,+3225550188,+33142685300,61,"],
         [("unknown_caller", None, "2026-10-12", 2, 121)]),
        # Who calls a number that nobody has harms nobody.
        (["x,2026-10-12T08:00:00Z,incoming,+33142685300,+3225550188,60,"], []),
        ([call("a", "2026-10-12", duration_s="x")], []),  # a fault is no fraud
    ],
)  # fmt: skip
def test_watch__tells_signs_of_fraud_and_no_others(
    rows: list[str], signs: list[tuple[object, ...]], place: Place
) -> None:
    told = watch(place, write_cdrs(place.folder / "fresh.csv", *rows))
    assert signs_of(told) == signs
    assert told.status == bool(signs), told.stderr
    assert not place.store.exists()


def test_watch__the_calls_that_the_store_has_of_the_day_count_too(place: Place) -> None:
    morning = write_cdrs(place.folder / "morning.csv", call("a", "2026-10-12", callee=LIVE, duration_s=1500))
    evening = write_cdrs(place.folder / "evening.csv", call("b", "2026-10-12", callee=LIVE, duration_s=600))
    assert place.start("read", morning, *NOW).status == 0
    before = bytes_of(place.store)
    told = watch(place, evening)
    assert signs_of(told) == [("day_spend", "c1", "2026-10-12", 2, 3500)]
    assert bytes_of(place.store) == before
    # Without the store neither of them is a sign; nor is a day that the fresh calls have no part in.
    assert signs_of(place.start("watch", evening, "--platform", "platform", "--store", "none", *NOW, "--json")) == []
    assert place.start("read", evening, *NOW).status == 0
    tomorrow = write_cdrs(place.folder / "tomorrow.csv", call("c", "2026-10-13"))
    assert signs_of(watch(place, tomorrow)) == []
    # A file that was read before is fresh to whoever asks about it, and counts once.
    assert signs_of(watch(place, evening)) == [("day_spend", "c1", "2026-10-12", 2, 3500)]


def test_watch__packs_are_those_of_the_month(place: Place) -> None:
    first = write_cdrs(place.folder / "first.csv", call("a", "2026-10-02", duration_s=60))
    assert place.start("read", first, *NOW).status == 0
    text = (place.folder / "centime.toml").read_text().replace("day_spend_eur = 30", "day_spend_eur = 0.05")
    (place.folder / "centime.toml").write_text(text)
    # A minute of the pack is left: of 2 minutes one is charged, 5 cents.
    assert signs_of(watch(place, write_cdrs(place.folder / "b.csv", call("b", "2026-10-12", duration_s=120)))) == []
    more = write_cdrs(place.folder / "c.csv", call("c", "2026-10-12", duration_s=121))
    assert signs_of(watch(place, more)) == [("day_spend", "c1", "2026-10-12", 1, 6)]


def test_watch__a_file_that_is_still_being_written_is_looked_at_as_far_as_it_goes(place: Place) -> None:
    whole = call("a", "2026-10-12", callee=LIVE, duration_s=1861)
    path = write_cdrs(place.folder / "fresh.csv", whole, call("b", "2026-10-12", callee=LIVE, duration_s=1000))
    path.write_bytes(path.read_bytes()[:-9])
    told = watch(place, path)
    assert signs_of(told) == [("day_spend", "c1", "2026-10-12", 1, 3102)]
    assert told.document["warnings"] == []
    cut = f"{path}: its last line has no line end yet, and is left to the next reading"
    assert cut in told.document["messages"]  # type: ignore[operator]


def test_watch__of_a_file_that_grew_since_it_was_read_every_call_is_fresh(place: Place) -> None:
    setting = '[rating]\nunterminated_last_line = "wait"\n'
    (place.folder / "centime.toml").write_text(SETTINGS + setting + BOUNDS, encoding="utf-8")
    night = call("a", "2026-10-12", duration_s=14_401)
    path = write_cdrs(place.folder / "today.csv", night)
    assert place.start("read", path, *NOW).status == 0
    write_cdrs(path, night, call("b", "2026-10-12", duration_s=1))
    told = watch(place, path)
    assert signs_of(told) == [("long_call", "c1", "2026-10-12", 1, 14_401)]
    assert told.document["counts"]["records"] == 2  # type: ignore[index]


def test_watch__a_file_that_cannot_be_read_yet_does_not_hide_the_others(place: Place) -> None:
    good = write_cdrs(place.folder / "good.csv", call("a", "2026-10-12", callee=LIVE, duration_s=1861))
    cut = place.folder / "cut.csv.gz"
    cut.write_bytes(gzip.compress(good.read_bytes())[:-20])
    told = watch(place, good, cut)
    assert signs_of(told) == [("day_spend", "c1", "2026-10-12", 1, 3102)]
    (warning,) = told.document["warnings"]  # type: ignore[misc]
    assert str(warning).startswith(f"not looked at, it may still be being written: {cut}")
    alone = watch(place, cut)
    assert (alone.status, "none of these files can be read" in str(alone.document["error"])) == (2, True)


def test_watch__a_bound_that_is_off_is_no_sign(place: Place) -> None:
    text = (place.folder / "centime.toml").read_text() + 'day_spend = "off"\n'
    (place.folder / "centime.toml").write_text(text)
    fresh = write_cdrs(place.folder / "fresh.csv", call("a", "2026-10-12", callee=LIVE, duration_s=1861))
    told = watch(place, fresh)
    assert (told.status, signs_of(told)) == (0, [])
    assert "no sign of fraud" in told.document["messages"]  # type: ignore[operator]


def test_watch__what_is_invoiced_is_past(place: Place) -> None:
    fresh = write_cdrs(place.folder / "fresh.csv", call("a", "2026-10-12", callee=LIVE, duration_s=1861))
    assert place.run("2026-10", "--cdrs", fresh).status == 1  # it is held
    before = bytes_of(place.store)
    told = watch(place, fresh)
    assert (told.status, signs_of(told)) == (0, [])
    assert "no call of these files is still to be invoiced" in told.document["messages"]  # type: ignore[operator]
    assert bytes_of(place.store) == before

"""The chain of events: whatever is altered, removed, put in or swapped, `verify` names the first that does not hold."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from typing import TYPE_CHECKING

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from invoicing.desk import Moment
from invoicing.event_checks import event_differences, first_broken
from invoicing.events import HASHED, NO_HASH, append_events, canonical, hash_of
from invoicing.ledger import Ledger
from tests.cli.altered import said_of
from tests.cli.conftest import copy
from tests.cli.program import Place, make_place
from tests.shared import made_once
from tests.stored.test_ledger import back_to_format_2

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

Event = dict[str, "Any"]
ANNA = Moment("2026-11-02T10:00:00Z", "1.2", "anna", "read")
TOLD = [(f"file {number}", {"file_no": number, "sha256": f"{number:064d}"}) for number in range(1, 7)]


def chain(folder: Path) -> list[Event]:
    """Six events, recorded in two transactions."""
    ledger = Ledger(folder / "ledger.duckdb")
    for part in (TOLD[:2], TOLD[2:]):
        with ledger.transaction():
            append_events(ledger, ANNA, "read", part)
    events = ledger.frame("select * from events order by event_no").to_dicts()
    ledger.close()
    return events


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> list[Event]:
    """A chain that holds."""
    return chain(tmp_path_factory.mktemp("chain"))


def test_chain__a_hash_is_the_sha256_of_all_else_with_the_hash_before(events: list[Event]) -> None:
    previous = "0" * 64
    for event in events:
        text = json.dumps({name: event[name] for name in sorted(event) if name != "hash"}, separators=(",", ":"))
        assert event["hash"] == hashlib.sha256(text.encode()).hexdigest()
        assert event["previous_hash"] == previous
        previous = event["hash"]
    assert [event["event_no"] for event in events] == [1, 2, 3, 4, 5, 6]
    assert set(HASHED) | {"hash"} == set(events[0])
    assert first_broken(events) is None
    assert first_broken([]) is None


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ({"b": 1, "a": "é"}, '{"a":"é","b":1}'),
        ({"a": {"d": None, "c": [1, 2]}}, '{"a":{"c":[1,2],"d":null}}'),
        ('"\\\n\x1f\x7f', '"\\"\\\\\\n\\u001f\x7f"'),
    ],
)
def test_chain__json_is_written_in_one_way(content: object, text: str) -> None:
    assert canonical(content) == text


MISSING, ALTERED, UNLINKED = "it is missing", "it is not what its hash was made of", "it does not follow"


@pytest.mark.parametrize("name", [name for name in HASHED if name != "event_no"])
def test_chain__any_field_that_is_altered_is_named(name: str, events: list[Event]) -> None:
    altered = [dict(event) for event in events]
    altered[2][name] += " "
    assert f"event 3 (read{' ' if name == 'kind' else ''} file 3" in str(first_broken(altered))
    assert ALTERED in str(first_broken(altered))
    # Its hash made anew, the next one no longer follows.
    altered[2]["hash"] = hash_of(altered[2])
    assert f"event {3 if name == 'previous_hash' else 4} " in str(first_broken(altered))
    assert UNLINKED in str(first_broken(altered))


@pytest.mark.parametrize(
    ("order", "named"),
    [
        ([2, 3, 4, 5, 6], "event 1: " + MISSING),
        ([1, 2, 4, 5, 6], "event 3: " + MISSING),
        ([1, 2, 3, 4, 6], "event 5: " + MISSING),
        ([1, 3, 2, 4, 5, 6], "event 2: " + MISSING),
        ([1, 2, 2, 3, 4, 5, 6], "event 3: " + MISSING),
    ],
)
def test_chain__removed_swapped_or_doubled(order: list[int], named: str, events: list[Event]) -> None:
    assert named in str(first_broken([events[number - 1] for number in order]))


@pytest.mark.parametrize(
    ("order", "named"),
    [
        ([1, 3, 2, 4, 5, 6], "event 2 (read file 3): " + ALTERED),
        ([2, 3, 4, 5, 6], "event 1 (read file 2): " + ALTERED),
        ([1, 2, 2, 3, 4, 5, 6], "event 3 (read file 2): " + ALTERED),
    ],
)
def test_chain__with_the_numbers_made_to_fit(order: list[int], named: str, events: list[Event]) -> None:
    numbered = [events[number - 1] | {"event_no": place} for place, number in enumerate(order, start=1)]
    assert named in str(first_broken(numbered))
    # And with hashes of their own, they do not follow each other.
    hashed = [event | {"hash": hash_of(event)} for event in numbered]
    assert UNLINKED in str(first_broken(hashed))


@given(st.data())
def test_chain__a_random_alteration_is_named_where_it_is(events: list[Event], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(events) - 1))
    name = data.draw(st.sampled_from([*HASHED[1:], "hash"]))
    text = data.draw(st.text(st.characters(codec="utf-8")).filter(lambda text: text != events[place][name]))
    altered = [dict(event) for event in events]
    altered[place][name] = text
    assert str(first_broken(altered)).startswith(f"event {place + 1} ")


@given(st.permutations(range(6)), st.sets(st.integers(0, 5)))
def test_chain__only_the_chain_as_it_was_or_its_beginning_holds(
    events: list[Event], order: list[int], removed: set[int]
) -> None:
    left = [place for place in order if place not in removed]
    chosen = [events[place] | {"event_no": number} for number, place in enumerate(left, start=1)]
    assert (first_broken(chosen) is None) == (left == list(range(len(left))))


# --- in a store


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A store with two months, a credit note and its document."""
    return Place(made_once(tmp_path_factory, "events", make))


def make(folder: Path) -> None:
    place = make_place(folder)
    assert place.run("2026-10", "--cdrs", "cdrs/october.csv").status == 0
    assert place.run("2026-11", "--cdrs", "cdrs/november.csv").status == 0
    note = ["credit", "2026-000001", "--line", "3", "--reason", "x", "--now", "2026-12-05T10:00:00Z"]
    assert place.start(*note).status == 0


def differences(place: Place, *statements: str) -> list[str]:
    """What is said of the events of a ledger that was altered by hand, wherever its files were read."""
    said = said_of(place, "; ".join(statements), event_differences)
    return [re.sub(r"/\S*(?=/cdrs/)", "", sentence) for sentence in said]


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("select 1", []),
        ("delete from events where event_no = 8", ["the document of CN2026-000001: no event tells of it"]),
        (
            "delete from events where event_no >= 7",
            [
                "the document of CN2026-000001: no event tells of it",
                "the credit note CN2026-000001: no event tells of it",
            ],
        ),
        (
            "delete from events where event_no >= 4",
            [
                "the file /cdrs/november.csv: no event tells of it",
                "the rating of 2026-11: no event tells of it",
                "the run of 2026-11: no event tells of it",
                "the document of CN2026-000001: no event tells of it",
                "the credit note CN2026-000001: no event tells of it",
            ],
        ),
        ("delete from events where event_no = 4", ["event 4: it is missing from the chain: it was removed"]),
        (
            "delete from files where file_no = 2",
            ["event 4 (read /cdrs/november.csv): the ledger has nothing of the kind"],
        ),
        (
            "update files set sha256 = 'x', accepted = 3 where file_no = 2",
            ["event 4 (read /cdrs/november.csv): the ledger has another sha256 and accepted now"],
        ),
        (
            "update files set source_file = 'x' where file_no = 2",
            ["event 4 (read /cdrs/november.csv): the ledger has another subject now"],
        ),
        (
            "update runs set settings = '{}' where run_no = 1",
            ["event 3 (issued 2026-10): the ledger has another settings_sha256 now"],
        ),
        (
            "update invoices set net_cents = net_cents + 1 where period = '2026-10'",
            ["event 3 (issued 2026-10): the ledger has another net_cents now"],
        ),
        (
            "update ratings set snapshot = 'x' where rating_no = 1",
            ["event 2 (rated 2026-10): the ledger has another snapshot now"],
        ),
        ("delete from ratings where rating_no = 1", []),
        ("delete from ratings where rating_no = 2", ["event 5 (rated 2026-11): the ledger has nothing of the kind"]),
        (
            "update credit_notes set reason = 'y'",
            ["event 7 (credited CN2026-000001): the ledger has another reason now"],
        ),
        (
            "update stored_files set sha256 = 'x' where ends_with(path, '.pdf')",
            ["event 8 (published CN2026-000001): the ledger has another sha256 now"],
        ),
    ],
)  # fmt: skip
def test_events__facts_and_events_tell_the_same(statement: str, said: list[str], used: Place) -> None:
    assert differences(used, statement) == said


def test_events__verify_says_what_does_not_hold_and_the_last_hash(used: Place) -> None:
    told = used.start("verify", "--json")
    assert told.status == 0
    assert told.document["counts"]["events"] == 8  # type: ignore[index]
    shown = used.start("history", "CN2026-000001", "--json")
    last = shown.table("History")[-1]["hash"]
    assert f"8 events; the last hash of their chain is {last}" in told.document["messages"]  # type: ignore[operator]
    assert shown.document["messages"] == [f"the last hash of the chain is {last}"]
    path = used.store / "ledger.duckdb"
    whole = path.read_bytes()
    try:
        with duckdb.connect(str(path)) as connection:
            connection.execute("update events set operator = 'eve', details = '{' where event_no = 5")
        broken, refused = used.start("verify"), used.start("history", "2026-000001")
    finally:
        path.write_bytes(whole)
    assert broken.status == 3
    assert "look at this: event 5 (rated 2026-11): it is not what its hash was made of" in broken.stderr
    assert refused.status == 3
    assert "event 5: it is not what its hash was made of: it was altered" in refused.stderr


def test_events__a_ledger_without_any_is_named_and_not_a_list_without_end(used: Place) -> None:
    many = "insert into files select 100 + i, 'f' || i, 's' || i, 0, 0, 0, 0, 0, null, '' from range(50) t(i)"
    said = differences(used, "delete from events", many)
    assert len(said) == 11
    assert said[-1] == "and 48 more without an event"


@pytest.mark.parametrize(
    ("kind", "subject", "details", "said"),
    [
        ("read", "x.csv", {"file_no": 9}, "event 9 (read x.csv): the ledger has nothing of the kind"),
        ("rated", "2026-12", {"rating_no": 9}, "event 9 (rated 2026-12): the ledger has nothing of the kind"),
        ("issued", "2026-10", {"run_no": 1}, "event 9 (issued 2026-10): an event before it tells of the same"),
        ("begun", "ledger", {}, "event 9 (begun ledger): there are no events of this kind here"),
        ("paid", "x", {}, "event 9 (paid x): there are no events of this kind here"),
    ],
)
def test_events__one_put_in_at_the_end_is_named(
    kind: str, subject: str, details: dict[str, object], said: str, used: Place, tmp_path: Path
) -> None:
    place = copy(used, tmp_path / "place")
    ledger = Ledger(place.store / "ledger.duckdb")
    append_events(ledger, ANNA, kind, [(subject, details)])
    # It follows from the others; and it tells of nothing that was done.
    assert said in event_differences(ledger)
    ledger.close()


# --- a store of format 2, which had no events


@pytest.fixture
def older(used: Place, tmp_path: Path) -> Path:
    """The ledger as the version before would have left it."""
    path = tmp_path / "older.duckdb"
    shutil.copyfile(used.store / "ledger.duckdb", path)
    with duckdb.connect(str(path)) as connection:
        # It knew no credit notes.
        connection.execute("delete from documents; delete from stored_files where ends_with(path, '.pdf')")
    back_to_format_2(path)
    return path


def test_events__a_store_of_format_2_begins_its_chain_with_a_digest_of_what_there_was(older: Path) -> None:
    ledger = Ledger(older, moment=ANNA)
    (begun,) = ledger.frame("select * from events").to_dicts()
    assert (begun["event_no"], begun["kind"], begun["operator"], begun["previous_hash"]) == (
        1,
        "begun",
        "anna",
        NO_HASH,
    )
    details = json.loads(begun["details"])
    assert details["earlier_format"] == "2"
    assert details["facts"] == {"read": 2, "issued": 2, "published": 0, "credited": 0}
    assert event_differences(ledger) == []
    ledger.close()
    # It is begun once.
    again = Ledger(older, moment=ANNA)
    assert again.number("select count(*) from events") == 1
    again.close()


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("update files set records = records + 1 where file_no = 1", "2 read, 2 issued, 0 published, 0 credited now"),
        ("delete from files where file_no = 1", "1 read, 2 issued, 0 published, 0 credited now, 2 read, 2 issued"),
        ("update invoices set vat_cents = 0 where period = '2026-11'", "2 read, 2 issued"),
        ("delete from runs where run_no = 2", "2 read, 1 issued"),
    ],
)
def test_events__what_was_there_before_the_chain_began_is_held_by_its_digest(
    statement: str, said: str, older: Path
) -> None:
    ledger = Ledger(older, moment=ANNA)
    ledger.execute(statement)
    (found,) = event_differences(ledger)
    ledger.close()
    assert found.startswith("event 1: what no event tells of is not what there was when it began the chain")
    assert said in found

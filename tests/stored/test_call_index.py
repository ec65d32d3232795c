"""The index of calls: it may send a search somewhere for nothing, and never past a call that is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest

from invoicing.call_index import Seen, entries_of, hashes_of, rows_with
from invoicing.call_places import earlier_index_path, index_path
from invoicing.ledger import Ledger
from invoicing.store import Store, sha256_of_file
from tests.cli.program import centime
from tests.rules.months import CDR_HEADER

if TYPE_CHECKING:
    from pathlib import Path

IDS = pl.Series([f"call-{number}" for number in range(5_000)])


@pytest.mark.parametrize("room", [1, 50, 5_000, 10**6])
def test_call_index__forgets_none_however_little_room_there_is(room: int) -> None:
    seen = Seen(room)
    seen.add(hashes_of(IDS))
    assert seen.add(hashes_of(IDS)).all()
    assert seen.add(entries_of(hashes_of(IDS))).all()


@pytest.mark.parametrize("room", [1, 5_000])
def test_call_index__its_entries_are_remembered_like_the_hashes_they_were_made_from(room: int) -> None:
    from_hashes, from_entries = Seen(room), Seen(room)
    from_hashes.add(hashes_of(IDS))
    from_entries.add(entries_of(hashes_of(IDS)))
    others = hashes_of(pl.Series([f"new-{number}" for number in range(20_000)]))
    assert (from_hashes.add(others) == from_entries.add(others)).all()


def test_call_index__with_enough_room_few_new_calls_are_suspected() -> None:
    seen = Seen(len(IDS))
    seen.add(hashes_of(IDS))
    new = hashes_of(pl.Series([f"new-{number}" for number in range(20_000)]))
    assert seen.add(new).mean() < 0.02


def test_call_index__finds_the_places_of_the_calls_sought_and_no_others() -> None:
    ids = {"a": IDS[:2_000], "b": IDS[2_000:], "c": pl.Series(["x"])}
    files = [(path, entries_of(hashes_of(of_file))) for path, of_file in ids.items()]
    found = {path: rows.tolist() for path, rows in rows_with(files, hashes_of(IDS[[1_999, 7, 4_999]]))}
    assert found == {"a": [7, 1_999], "b": [2_999]}
    many = {path: rows.tolist() for path, rows in rows_with(files, hashes_of(IDS[1_000:3_000]))}
    assert many == {"a": list(range(1_000, 2_000)), "b": list(range(1_000))}


def test_call_index__finds_all_the_calls_that_share_what_entries_have_of_a_hash() -> None:
    hashes = hashes_of(IDS[[0, 1, 2, 1, 0, 1]])
    files = [("a", entries_of(hashes)), ("b", entries_of(hashes[:1]))]
    assert {path: rows.tolist() for path, rows in rows_with(files, hashes[:2])} == {"a": [0, 1, 3, 4, 5], "b": [0]}
    assert list(rows_with(files, hashes_of(pl.Series(["before or after all of them"])))) == []


NOW = ["--now", "2026-10-20T08:00:00Z"]


def read(folder: Path, name: str, *rows: str) -> None:
    (folder / name).write_text("\n".join([CDR_HEADER, *rows, ""]))
    done = centime("read", folder / name, "--store", folder / "store", *NOW)
    assert done.status in (0, 1), done.stderr


def counts(folder: Path) -> tuple[object, ...]:
    ledger = Ledger(folder / "store" / "ledger.duckdb", read_only=True)
    row = ledger.rows("select accepted, duplicate, quarantined from files order by file_no desc")[0]
    ledger.close()
    return row


FIRST = "one,2026-10-14T08:00:00Z,,+3225550101,+33142685300,60,"
OTHER = "one,2026-10-14T08:00:00Z,,+3225550101,+33142685300,61,"
SECOND = "two,2026-10-14T08:00:00Z,,+3225550101,+33142685300,60,"


def test_call_index__is_made_again_for_the_hash_in_use(tmp_path: Path) -> None:
    """A store whose index was written with another hash settles repeats as before, and has then one of this hash."""
    read(tmp_path, "a.csv", FIRST, SECOND)
    (index,) = (tmp_path / "store" / "calls").rglob("*.ids")
    ledger = Ledger(tmp_path / "store" / "ledger.duckdb")
    ledger.execute("update stored_files set path = regexp_replace(path, '[0-9a-f]{8}.ids$', '00000000.ids')")
    ledger.close()
    old = index.with_name("000001.00000000.ids")
    index.rename(old)
    read(tmp_path, "b.csv", FIRST, OTHER, SECOND)
    assert counts(tmp_path) == (0, 2, 1)
    assert index.read_bytes() == old.read_bytes()


def with_earlier_indexes(folder: Path) -> None:
    """The store's indexes as bare hashes in the order of the calls, as they were before their entries had rows."""
    store = Store(folder / "store")
    ledger = Ledger(store.ledger_path)
    for (found,) in ledger.rows("select path from batches"):
        calls, index = str(found), index_path(str(found))
        earlier = store.root / earlier_index_path(calls)
        earlier.write_bytes(hashes_of(pl.read_parquet(store.root / calls)["call_id"]).tobytes())
        (store.root / index).unlink()
        ledger.forget_file(index)
        ledger.name_file(earlier_index_path(calls), sha256_of_file(earlier), earlier.stat().st_size)
    ledger.close()


def test_call_index__of_the_earlier_form_is_searched_and_then_replaced(tmp_path: Path) -> None:
    """Who only looks finds calls by it; who writes makes the new one from it, and the start after takes it away."""
    read(tmp_path, "a.csv", FIRST, SECOND)
    new = {path.name: path.read_bytes() for path in (tmp_path / "store" / "calls").rglob("*.ids")}
    with_earlier_indexes(tmp_path)
    earlier = {path.name for path in (tmp_path / "store" / "calls").rglob("*.ids")}
    for call_id in ("one", "two"):
        assert "Outgoing call" in centime("explain", call_id, "--store", tmp_path / "store", *NOW).stdout
    assert {path.name for path in (tmp_path / "store" / "calls").rglob("*.ids")} == earlier
    read(tmp_path, "b.csv", FIRST, OTHER, SECOND)
    assert counts(tmp_path) == (0, 2, 1)
    read(tmp_path, "c.csv", FIRST.replace("one", "three"))
    left = {path.name: path.read_bytes() for path in (tmp_path / "store" / "calls").rglob("*.ids")}
    assert {name: left[name] for name in new} == new
    assert not earlier & set(left)
    assert centime("verify", "--store", tmp_path / "store", *NOW).status == 0

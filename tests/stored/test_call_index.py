"""The index of calls: it may send a search somewhere for nothing, and never past a call that is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from invoicing import call_index
from invoicing.call_index import Seen, hashes_of, rows_with
from invoicing.ledger import Ledger
from tests.properties.session import in_one_process
from tests.rules.months import CDR_HEADER

if TYPE_CHECKING:
    from pathlib import Path

IDS = pl.Series([f"call-{number}" for number in range(5_000)])


@pytest.mark.parametrize("room", [1, 50, 5_000, 10**6])
def test_call_index__forgets_none_however_little_room_there_is(room: int) -> None:
    seen = Seen(room)
    seen.add(hashes_of(IDS))
    assert seen.may_hold(hashes_of(IDS)).all()


def test_call_index__with_enough_room_few_new_calls_are_suspected() -> None:
    seen = Seen(len(IDS))
    seen.add(hashes_of(IDS))
    new = hashes_of(pl.Series([f"new-{number}" for number in range(20_000)]))
    assert seen.may_hold(new).mean() < 0.02


def test_call_index__finds_the_places_of_the_calls_sought_and_no_others() -> None:
    files = [("a", hashes_of(IDS[:2_000])), ("b", hashes_of(IDS[2_000:])), ("c", hashes_of(pl.Series(["x"])))]
    found = {path: places.tolist() for path, places in rows_with(files, hashes_of(IDS[[7, 1_999, 4_999]]))}
    assert found == {"a": [7, 1_999], "b": [2_999]}


def read(folder: Path, name: str, *rows: str) -> None:
    (folder / name).write_text("\n".join([CDR_HEADER, *rows, ""]))
    in_one_process([["read", str(folder / name), "--store", str(folder / "store"), "--now", "2026-10-20T08:00:00Z"]])


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


def test_call_index__its_name_tells_the_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    here = call_index.index_path("calls/period=2026-10/000001.parquet")
    monkeypatch.setattr(call_index, "hashes_of", lambda ids: hashes_of(ids) + np.uint64(1))
    call_index.fingerprint.cache_clear()
    there = call_index.index_path("calls/period=2026-10/000001.parquet")
    call_index.fingerprint.cache_clear()
    assert here != there
    assert here.removesuffix(".ids").rpartition(".")[0] == "calls/period=2026-10/000001"

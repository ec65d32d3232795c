"""One call is looked up without a scan: few entries of an index are looked at, and no file but the call's is read."""

from __future__ import annotations

import math
import shutil
from bisect import bisect_left
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from invoicing import call_places
from invoicing.call_index import entries_of, hashes_of
from invoicing.call_places import ROW_BITS, accepted_call, hash_of, index_path, rows_in
from invoicing.call_search import rated_call
from invoicing.ledger import Ledger
from invoicing.store import Store
from schemas.errors import StoreUnavailable
from tests.cli.program import Place, call, make_place, write_cdrs
from tests.properties.session import make_small
from tests.shared import made_once

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

IDS = [f"call-{number}" for number in range(5_000)]
TIMEZONE = "Europe/Brussels"
CALLS = 120


class Counted:
    """A sequence that counts how many of its items are looked at."""

    looked_at = 0

    def __init__(self, entries: memoryview) -> None:
        self._entries = entries

    def __len__(self) -> int:
        return len(self._entries)

    def __getitem__(self, place: int) -> int:
        Counted.looked_at += 1
        return int(self._entries[place])


def written(folder: Path, hashes: np.ndarray) -> Path:
    path = folder / "index.ids"
    path.write_bytes(entries_of(hashes).tobytes())
    return path


def test_places__every_call_is_found_in_its_row_and_no_other_id_in_any(tmp_path: Path) -> None:
    index = written(tmp_path, hashes_of(pl.Series(IDS)))
    assert [rows_in(index, hash_of(call_id)) for call_id in IDS] == [[row] for row in range(len(IDS))]
    assert all(rows_in(index, hash_of(f"new-{number}")) == [] for number in range(1_000))


def test_places__all_rows_of_a_hash_are_found_the_least_and_greatest_hashes_too(tmp_path: Path) -> None:
    hashes = np.array([2**64 - 1, 0, 5, 2**64 - 1, 2**ROW_BITS, 3], dtype=np.uint64)
    index = written(tmp_path, hashes)
    assert [rows_in(index, int(sought)) for sought in hashes] == [[0, 3], [1, 2, 5], [1, 2, 5], [0, 3], [4], [1, 2, 5]]


def test_places__a_search_looks_at_as_many_entries_as_their_number_has_digits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = written(tmp_path, hashes_of(pl.Series(IDS)))
    monkeypatch.setattr(
        call_places, "bisect_left", lambda entries, wanted, lo=0: bisect_left(Counted(entries), wanted, lo=lo)
    )
    for call_id in IDS[::500]:
        Counted.looked_at = 0
        assert len(rows_in(index, hash_of(call_id))) == 1
        assert 0 < Counted.looked_at <= 2 * (math.log2(len(IDS)) + 1)


@pytest.mark.parametrize("content", [b"", b"1234567", bytes(8 * 5 + 3)])
def test_places__an_index_that_is_cut_off_is_searched_as_far_as_it_goes(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "index.ids"
    assert rows_in(path, 7 << ROW_BITS) == []
    path.write_bytes(content)
    assert rows_in(path, 7 << ROW_BITS) == []


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A month of three files of calls and, of two customers, two of rated ones."""
    return Place(made_once(tmp_path_factory, "month", make))


def make(folder: Path) -> None:
    made = make_place(folder)
    # Found by two users, of two customers, and by a number; each at a moment of its own.
    rows = [
        call(f"n{number}").replace("08:00:00", f"08:{number // 60:02}:{number % 60:02}").removesuffix("u1")
        + ("u1", "u2", "")[number % 3]
        for number in range(CALLS)
    ]
    for part in range(3):
        write_cdrs(made.folder / "many" / f"{part}.csv", *rows[part * CALLS // 3 : (part + 1) * CALLS // 3])
    with pytest.MonkeyPatch.context() as patch:
        make_small(patch.setattr)
        done = made.run("2026-10", "--cdrs", "many")
    assert done.status == 0, done.stderr


@pytest.fixture
def looked_into(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The stored files whose bytes are gone through, in order."""
    required, found = Store.require, []

    def noted(store: Store, relative: str, sha256: str) -> Path:
        found.append(relative)
        return required(store, relative, sha256)

    monkeypatch.setattr(Store, "require", noted)
    return found


@pytest.fixture
def opened(month: Place) -> Iterator[tuple[Store, Ledger]]:
    store = Store(month.store)
    ledger = Ledger(store.ledger_path, read_only=True)
    yield store, ledger
    ledger.close()


def test_search__of_a_call_reads_its_file_of_calls_and_its_customers_file_of_rated_ones(
    opened: tuple[Store, Ledger], looked_into: list[str]
) -> None:
    store, ledger = opened
    for table, several in (("batches", 3), ("rated_files", 2)):
        assert ledger.number(f"select count(*) from {table}") == several  # noqa: S608
    (rating,) = ledger.ratings(issued=True)
    # Of each file, and of each way to find whose they are.
    for number in range(0, CALLS, 7):
        looked_into.clear()
        accepted = accepted_call(store, ledger, f"n{number}")
        assert accepted is not None
        assert accepted["call_id"].to_list() == [f"n{number}"]
        found = rated_call(store, ledger, accepted, TIMEZONE)
        assert found is not None
        assert found[1]["call_id"].to_list() == [f"n{number}"]
        of_calls, of_rated, prices = looked_into
        assert f"n{number}" in pl.read_parquet(store.root / of_calls, hive_partitioning=False)["call_id"]
        assert f"n{number}" in pl.read_parquet(store.root / of_rated, hive_partitioning=False)["call_id"]
        assert prices == rating.prices_path


def test_search__of_a_call_that_there_is_not_checks_every_index_and_reads_no_calls(
    opened: tuple[Store, Ledger], looked_into: list[str]
) -> None:
    store, ledger = opened
    found = accepted_call(store, ledger, "no such call")
    assert found is not None
    assert found.is_empty()
    assert looked_into == [
        index_path(str(path)) for (path,) in ledger.rows("select path from batches order by batch_no")
    ]


def test_search__whose_call_it_is_need_not_be_known(
    opened: tuple[Store, Ledger], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tables only say where to look first: where they say nothing, or another, the call is found all the same."""
    store, ledger = opened
    accepted = accepted_call(store, ledger, "n7")
    assert accepted is not None
    expected = rated_call(store, ledger, accepted, TIMEZONE)
    assert expected is not None
    for likely in ([], ["c1"], ["c2"], ["a", "zz"]):
        monkeypatch.setattr(
            "invoicing.call_search._likely_customers", lambda *_, told=likely: pl.Series(told, dtype=pl.String)
        )
        found = rated_call(store, ledger, accepted, TIMEZONE)
        assert found is not None
        assert found[1].equals(expected[1])


@pytest.fixture
def copied(month: Place, tmp_path: Path) -> Iterator[tuple[Store, Ledger]]:
    """A copy of that month, to be altered."""
    store = Store(shutil.copytree(month.store, tmp_path / "store"))
    ledger = Ledger(store.ledger_path, read_only=True)
    yield store, ledger
    ledger.close()


def test_search__an_index_that_hides_a_call_is_refused_by_name(copied: tuple[Store, Ledger]) -> None:
    store, ledger = copied
    accepted = accepted_call(store, ledger, "n7")
    assert accepted is not None
    holding = [
        str(path)
        for (path,) in ledger.rows("select path from batches")
        if "n7" in pl.read_parquet(store.root / str(path), hive_partitioning=False)["call_id"]
    ]
    index = store.root / index_path(holding[0])
    for altered in (bytes(index.stat().st_size), b""):
        index.write_bytes(altered)
        with pytest.raises(StoreUnavailable, match=index.name):
            accepted_call(store, ledger, "n7")
    index.unlink()
    with pytest.raises(StoreUnavailable, match="is missing"):
        accepted_call(store, ledger, "n7")


def test_search__an_index_that_says_too_much_misleads_nobody(copied: tuple[Store, Ledger]) -> None:
    """Every row of every file, and rows that there are not, told as those of one hash: the texts decide."""
    store, ledger = copied
    expected = accepted_call(store, ledger, "n7")
    assert expected is not None
    for (path,) in ledger.rows("select path from batches"):
        hashes = np.full(60, hash_of("n7"), dtype=np.uint64)
        (store.root / index_path(str(path))).write_bytes(entries_of(hashes).tobytes())
    found = accepted_call(store, ledger, "n7")
    assert found is not None
    assert found.equals(expected)

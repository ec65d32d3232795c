"""The index of accepted calls in bulk: which call_ids a store may hold, without reading all of its calls.

Written beside each file of calls, read whole where many are looked for. The entries and what a hash is for are told
in `invoicing.call_places`, which looks one call up; an index that is missing for the hash in use, or of an earlier
form, is made again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from invoicing.call_places import KNOWN_COLUMNS, ROW_BITS, earlier_index_path, index_path
from invoicing.parquet_files import read_parquet
from rating.frames import compact
from rating.number_keys import with_number_texts
from rating.pipeline import CALL_SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import numpy.typing as npt

    from invoicing.ledger import Ledger
    from invoicing.store import Store

    Hashes = npt.NDArray[np.uint64]
    Entries = npt.NDArray[np.uint64]

BITS_PER_CALL = 16
LEAST_BITS, MOST_BITS = 1 << 16, 1 << 33
BITS_PER_WORD = 64
# Where in a hash its marks are told from: above all that the place of the word is told from, and that above the row.
MARKS_FROM = (52, 58)
_ROW = np.uint64((1 << ROW_BITS) - 1)
_ROW_BITS = np.uint64(ROW_BITS)


def hashes_of(call_ids: pl.Series) -> Hashes:
    """The hash of each call_id."""
    return call_ids.hash().to_numpy()


def entries_of(hashes: Hashes) -> Entries:
    """The entries of an index, in ascending order, from the hash of each call of a file in the order of its rows."""
    return np.sort((hashes & ~_ROW) | np.arange(len(hashes), dtype=np.uint64))


def write_index(store: Store, calls_path: str, hashes: Hashes) -> tuple[str, str, int]:
    """Write the index of a file of calls; gives its path, SHA-256 and size, for the ledger to name it."""
    path, content = index_path(calls_path), entries_of(hashes).tobytes()
    return (path, *store.write(path, lambda target: target.write_bytes(content)))


def stored_indexes(store: Store, ledger: Ledger, condition: str = "true") -> Iterator[tuple[str, Entries]]:
    """Each file of calls in the store with its index, in the order in which they were read.

    Args:
        store: Where they are.
        ledger: What names them; an index that had to be made again is named too, where that is possible.
        condition: Which batches, as SQL over the columns of `batches`.
    """
    shas = ledger.stored_files()
    for (found,) in ledger.rows(f"select path from batches where {condition} order by batch_no"):  # noqa: S608
        calls_path = str(found)
        path = index_path(calls_path)
        if path in shas:
            yield calls_path, np.frombuffer(store.require(path, shas[path]).read_bytes(), dtype=np.uint64)
            continue
        hashes = _hashes_again(store, shas, calls_path)
        if not ledger.read_only:
            ledger.name_file(*write_index(store, calls_path, hashes))
            # The next start removes the one that it takes the place of.
            ledger.forget_file(earlier_index_path(calls_path))
        yield calls_path, entries_of(hashes)


def _hashes_again(store: Store, shas: dict[str, str], calls_path: str) -> Hashes:
    """The hashes of a file of calls that has no index of this form: from one of the earlier form, or its calls."""
    earlier = earlier_index_path(calls_path)
    if earlier in shas:
        return np.frombuffer(store.require(earlier, shas[earlier]).read_bytes(), dtype=np.uint64)
    calls = store.require(calls_path, shas[calls_path])
    return hashes_of(read_parquet(calls, columns=["call_id"])["call_id"])


class Seen:
    """Two bits for each call_id that was seen: they may be wrong about a new one, never about one that was seen.

    They are told from the hash but for the bits that are the row in an entry: entries do as well as hashes.

    A Bloom filter in blocks of one word (Putze, Sanders and Singler, 2007): the bits of a call_id lie in one word,
    so that memory is looked at once for all of them.
    """

    def __init__(self, calls: int) -> None:
        """Make room for so many calls."""
        wanted = 1 << (max(calls, 1) * BITS_PER_CALL - 1).bit_length()
        words = min(max(wanted, LEAST_BITS), MOST_BITS) // BITS_PER_WORD
        self._mask = np.uint64(words - 1)
        self._words = np.zeros(words, dtype=np.uint64)

    def _places(self, hashes: Hashes) -> tuple[npt.NDArray[np.intp], Hashes]:
        """The word of each, and its bits in it."""
        one, within = np.uint64(1), np.uint64(BITS_PER_WORD - 1)
        first, second = (one << ((hashes >> np.uint64(start)) & within) for start in MARKS_FROM)
        return ((hashes >> _ROW_BITS) & self._mask).astype(np.intp), first | second

    def add(self, hashes: Hashes) -> npt.NDArray[np.bool_]:
        """Remember these; gives which of them may have been seen before, where False is certain."""
        word, marks = self._places(hashes)
        held = self._words.take(word)
        self._words.put(word, held | marks)
        # Of several in one word the last one was put. They are few; to join the bits of all takes twice as long.
        lost = np.flatnonzero((self._words.take(word) & marks) != marks)
        np.bitwise_or.at(self._words, word[lost], marks[lost])
        return np.asarray((held & marks) == marks)


def rows_with(indexes: Iterable[tuple[str, Entries]], wanted: Hashes) -> Iterator[tuple[str, npt.NDArray[np.intp]]]:
    """The files of calls that may hold wanted hashes, each with the rows of those calls in it."""
    # The least entry that each hash may have; the greatest has all bits of the row.
    least = np.unique(wanted & ~_ROW)
    for path, entries in indexes:
        place = np.searchsorted(entries, least)
        found = least[entries.take(place, mode="clip") ^ least <= _ROW]
        first, last = np.searchsorted(entries, found), np.searchsorted(entries, found | _ROW, side="right")
        if len(found):
            count = last - first
            held = np.repeat(first - (np.cumsum(count) - count), count) + np.arange(count.sum())
            yield path, np.sort((entries[held] & _ROW).astype(np.intp))


def contents_of(store: Store, ledger: Ledger, found: Iterable[tuple[str, npt.NDArray[np.intp]]]) -> pl.DataFrame:
    """The calls at these rows of the files of calls: `KNOWN_COLUMNS`, as records have them."""
    shas = ledger.stored_files()
    rows = [pl.DataFrame(schema={name: CALL_SCHEMA[name] for name in KNOWN_COLUMNS})]
    for path, places in found:
        # A file of this very reading is not named yet.
        stored = store.require(path, shas[path]) if path in shas else store.root / path
        calls = read_parquet(stored, columns=list(KNOWN_COLUMNS))
        rows.append(compact(calls[places].select(rows[0].columns)))
    return with_number_texts(pl.concat(rows))

"""Where a call is in the store: its file and row, found by a binary search in the index beside each file of calls.

An index holds one entry of 64 bits for each call of its file, in ascending order: the first 40 bits of the hash of
its call_id, then the row that the call stands in. So the calls of a hash stand together, and a search looks at a
few pages of an index, however long it is. A hash only says where to look: whether two call_ids are the same is
always decided by the texts themselves.

The hash is the one of Polars, which may be another in another version of it. So the name of an index carries the
fingerprint of the hash and of the form of entries; `invoicing.call_index` makes one that is missing.
"""

from __future__ import annotations

import hashlib
import mmap
import struct
from bisect import bisect_left
from functools import cache
from typing import TYPE_CHECKING

import polars as pl

from invoicing.parquet_files import scan_parquet
from rating.mediation import CONTENT
from rating.number_keys import with_number_texts
from rating.pipeline import CALL_SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from invoicing.ledger import Ledger
    from invoicing.store import Store

PROBES = [f"probe-{number}" for number in range(64)]
FORM = b"sorted, 40 bits of the hash and 24 of the row"
ROW_BITS = 24
ENTRY_BYTES = 8
KNOWN_COLUMNS = ("call_id", *CONTENT, "file_no")


def hash_of(call_id: str) -> int:
    """The hash of a call_id."""
    return int(pl.Series([call_id]).hash().item())


@cache
def fingerprints() -> tuple[str, str]:
    """What tells one hash function from another: for indexes of this form, and for those before it had one."""
    probed = struct.pack(f"<{len(PROBES)}Q", *pl.Series(PROBES).hash())
    return hashlib.sha256(FORM + probed).hexdigest()[:8], hashlib.sha256(probed).hexdigest()[:8]


def index_path(calls_path: str) -> str:
    """Where the index of a file of calls stands."""
    return f"{calls_path.removesuffix('.parquet')}.{fingerprints()[0]}.ids"


def earlier_index_path(calls_path: str) -> str:
    """Where its index of the form before this one stands: bare hashes, in the order of the calls."""
    return f"{calls_path.removesuffix('.parquet')}.{fingerprints()[1]}.ids"


def rows_in(index: Path, wanted: int) -> list[int]:
    """The rows of the calls that may have a hash, in ascending order, of one index; none where that is damaged."""
    if not index.is_file() or index.stat().st_size < ENTRY_BYTES:
        return []
    with index.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
        whole = memoryview(content)
        entries = whole[: len(whole) // ENTRY_BYTES * ENTRY_BYTES].cast("Q")
        prefix = wanted >> ROW_BITS
        first = bisect_left(entries, prefix << ROW_BITS)
        last = bisect_left(entries, (prefix + 1) << ROW_BITS, lo=first)
        rows = [entry & ((1 << ROW_BITS) - 1) for entry in entries[first:last]]
        # Whoever still looks at a map may not close it.
        entries.release()
        whole.release()
    return rows


def accepted_call(store: Store, ledger: Ledger, call_id: str) -> pl.DataFrame | None:
    """The call accepted under an id (`KNOWN_COLUMNS`, as records have them), which may be none.

    None says that some index is missing or of another form, so that only reading them all can tell.

    Raises:
        StoreUnavailable: where a file of calls that has to be read was altered; or an index was, and nothing was
            found by it: an index that was altered may hide a call, and cannot invent one.
    """
    shas, wanted = ledger.stored_files(), hash_of(call_id)
    batches = [str(path) for (path,) in ledger.rows("select path from batches order by batch_no")]
    indexes = {path: index_path(path) for path in batches}
    if not set(indexes.values()) <= set(shas):
        return None
    likely = ((path, rows_in(store.root / index, wanted)) for path, index in indexes.items())
    found = _with_id(store, shas, likely, call_id)
    if found.is_empty():
        checked = ((path, rows_in(store.require(index, shas[index]), wanted)) for path, index in indexes.items())
        found = _with_id(store, shas, checked, call_id)
    return found


def _with_id(
    store: Store, shas: dict[str, str], likely: Iterator[tuple[str, Sequence[int]]], call_id: str
) -> pl.DataFrame:
    """The call of an id at some of these rows of files of calls; no other is read once it is found."""
    for path, rows in likely:
        for row in rows:
            # Of a file that is cut, only the block of rows is read that the row is in.
            calls = scan_parquet(store.require(path, shas[path])).slice(row, 1)
            found = calls.filter(pl.col("call_id") == call_id).select(KNOWN_COLUMNS).collect()
            if found.height:
                return with_number_texts(found)
    return with_number_texts(pl.DataFrame(schema={name: CALL_SCHEMA[name] for name in KNOWN_COLUMNS}))

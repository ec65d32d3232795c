"""Files as tests write them, and how they are read back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from rating.mediation import record_text
from rating.sources.files import FoundFile, format_of
from rating.sources.rows import Rows, Wanted
from rating.sources.table_rows import read_rows

if TYPE_CHECKING:
    from pathlib import Path

WANTED = Wanted(table="cdrs", required=("a", "b"), optional=("c",))


def write(folder: Path, name: str, content: bytes) -> FoundFile:
    path = folder / name
    path.write_bytes(content)
    return found(path)


def found(path: Path) -> FoundFile:
    file_format = format_of(str(path))
    assert file_format is not None
    return FoundFile(str(path), file_format)


def rows_of(
    file: FoundFile, *, unterminated: str = "quarantine", block_bytes: int = 1 << 20, spare_records: bool = False
) -> Rows:
    return read_rows(
        file, WANTED, unterminated_last_line=unterminated, block_bytes=block_bytes, spare_records=spare_records
    )


def read(file: FoundFile, *, unterminated: str = "quarantine", block_bytes: int = 1 << 20) -> pl.DataFrame:
    """All the rows of a file; those read in any other size of block, or with records spared, are the same."""
    kept, spared = (
        list(rows_of(file, unterminated=unterminated, block_bytes=block_bytes, spare_records=spare).frames)
        for spare in (False, True)
    )
    assert all(frame.height for frame in (*kept, *spared))
    if not kept:
        assert not spared
        return pl.DataFrame()
    rows = pl.concat(kept)
    if rows["record"].dtype == pl.String:
        whole = pl.concat(spared)
        assert whole.with_columns(record=record_text(whole)).select(rows.columns).equals(rows)
    return rows


def outcome(rows: pl.DataFrame) -> list[tuple[Any, ...]]:
    """Line and fields of each good row; line and fault of each bad one."""
    return [
        (row["source_line"], row["fault"]) if row["fault"] else (row["source_line"], *fields)
        for row in rows.to_dicts()
        for fields in [[row[name] or None for name in WANTED.columns]]
    ]

"""The native form of CDRs: the columns that the rest of the program reads."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import polars as pl

from rating.sources.rows import BLOCK_BYTES, Rows, Wanted
from rating.sources.table_rows import read_rows

if TYPE_CHECKING:
    from collections.abc import Generator

    from rating.sources.files import FoundFile

NATIVE = Wanted(
    table="cdrs",
    required=("call_id", "start", "caller", "callee", "duration_s"),
    optional=("direction", "user_id"),
)


def read_native(file: FoundFile, *, unterminated_last_line: str, block_bytes: int = BLOCK_BYTES) -> Rows:
    """Read the records of a file in the native form.

    Args:
        file: The file, in any format.
        unterminated_last_line: `quarantine`, `accept` or `wait`, for text.
        block_bytes: How much text is read at a time; the records do not depend on it.

    Returns:
        Frames of source_line, record, fault and the columns of `NATIVE`, as `Rows` says: all String, but that
        Parquet may give start as Datetime('us', 'UTC') and duration_s as a number; and the names of the
        columns that are not of the native form, complete when the frames have been read.

    Raises:
        InputRefused: by the frames, if the file cannot be read at all.
    """
    rows = read_rows(
        file, NATIVE, unterminated_last_line=unterminated_last_line, block_bytes=block_bytes, spare_records=True
    )
    return Rows(_records(rows.frames), rows.unknown_columns)


def _records(frames: Generator[pl.DataFrame, None, None]) -> Generator[pl.DataFrame, None, None]:
    """Text, but for the two columns that are exact and quick to read as they are."""
    with closing(frames):
        for frame in frames:
            text = [name for name in NATIVE.columns if not _is_typed(name, frame.schema[name])]
            yield frame.with_columns(pl.col(text).cast(pl.String))


def _is_typed(name: str, dtype: pl.DataType) -> bool:
    if name == "start":
        return dtype == pl.Datetime("us", "UTC")
    return name == "duration_s" and dtype.is_numeric()

"""Rows of a file of any format, each judged on its own: dirt costs the row it is in, never its neighbours."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from rating.sources.ahead import ahead
from rating.sources.csv_rows import csv_frames
from rating.sources.lines import text_blocks
from rating.sources.ndjson_rows import ndjson_frames
from rating.sources.parquet_rows import parquet_frames
from rating.sources.rows import BLOCK_BYTES, Rows, Wanted

if TYPE_CHECKING:
    from collections.abc import Generator

    import polars as pl

    from rating.sources.files import FoundFile


def read_rows(file: FoundFile, wanted: Wanted, *, unterminated_last_line: str, block_bytes: int = BLOCK_BYTES) -> Rows:
    """Read a file's rows, whatever its format; it is opened when the first frame is asked for.

    Args:
        file: The file.
        wanted: The columns to read. One that an NDJSON object does not have is null there, required or not.
        unterminated_last_line: `quarantine` makes a text's last line without line end a fault, `accept` not.
        block_bytes: How much text is read at a time; the rows do not depend on it.

    Raises:
        InputRefused: by the frames, if the file cannot be read, is corrupt or UTF-16, has a column twice,
            lacks a required one, or (Parquet) has it in a type that is no text, number, truth value or time.
    """
    unknown: set[str] = set()
    if file.format == "parquet":
        return Rows(parquet_frames(file.path, wanted, unknown), unknown)
    accept = unterminated_last_line == "accept"
    return Rows(ahead(_text_frames(file, wanted, unknown, block_bytes, accept=accept)), unknown)


def _text_frames(
    file: FoundFile, wanted: Wanted, unknown: set[str], block_bytes: int, *, accept: bool
) -> Generator[pl.DataFrame, None, None]:
    """The frames of a CSV or NDJSON file; its blocks are read in a thread of their own."""
    frames = csv_frames if file.format == "csv" else ndjson_frames
    with closing(ahead(text_blocks(file.path, block_bytes))) as blocks:
        yield from frames(blocks, file.path, wanted, unknown, accept=accept)

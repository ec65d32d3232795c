"""Rows of a file of any format, each judged on its own: dirt costs the row it is in, never its neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rating.sources.ahead import ahead
from rating.sources.csv_rows import csv_frames
from rating.sources.lines import text_blocks
from rating.sources.ndjson_rows import ndjson_frames
from rating.sources.parquet_rows import parquet_frames
from rating.sources.rows import BLOCK_BYTES, Rows, Wanted

if TYPE_CHECKING:
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
    frames = csv_frames if file.format == "csv" else ndjson_frames
    blocks = ahead(text_blocks(file.path, block_bytes))
    accept = unterminated_last_line == "accept"
    return Rows(ahead(frames(blocks, file.path, wanted, unknown, accept=accept)), unknown)

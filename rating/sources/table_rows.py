"""Rows of a file of any format, each judged on its own: dirt costs the row it is in, never its neighbours."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from rating.sources.ahead import ahead
from rating.sources.csv_rows import Columns, columns_of, csv_frames
from rating.sources.files import FoundFile, is_compressed
from rating.sources.lines import text_blocks
from rating.sources.ndjson_rows import ndjson_frames
from rating.sources.parquet_rows import parquet_frames
from rating.sources.rows import BLOCK_BYTES, HEADED, Layout, Rows, Wanted

if TYPE_CHECKING:
    from collections.abc import Generator

    import polars as pl


def read_rows(
    file: FoundFile,
    wanted: Wanted,
    *,
    unterminated_last_line: str,
    block_bytes: int = BLOCK_BYTES,
    layout: Layout = HEADED,
    spare_records: bool = False,
) -> Rows:
    """Read a file's rows, whatever its format; it is opened when the first frame is asked for.

    Args:
        file: The file.
        wanted: The columns to read. One that an NDJSON object does not have is null there, required or not.
        unterminated_last_line: `quarantine` makes a text's last line without line end a fault, `accept` not; `wait`
            leaves it to a later reading.
        block_bytes: How much text is read at a time; the rows do not depend on it.
        layout: How the lines of a CSV file are laid out.
        spare_records: Whether records of CSV may be left out, as `Rows` says: a fifth of what reading them costs.

    Raises:
        InputRefused: by the frames, if the file cannot be read, is corrupt or UTF-16, has a column twice,
            lacks a required one, or (Parquet) has it in a type that is no text, number, truth value or time.
    """
    unknown: set[str] = set()
    if file.format == "parquet":
        return Rows(parquet_frames(file.path, wanted, unknown), unknown)
    frames = _text_frames(
        file, wanted, unknown, block_bytes, unterminated_last_line, layout, spare_records=spare_records
    )
    return Rows(frames, unknown)


def _text_frames(
    file: FoundFile,
    wanted: Wanted,
    unknown: set[str],
    block_bytes: int,
    unterminated: str,
    layout: Layout,
    *,
    spare_records: bool,
) -> Generator[pl.DataFrame, None, None]:
    """The frames of a CSV or NDJSON file; its blocks are read in a thread of their own."""
    accept, before = unterminated == "accept", file.lines_before
    columns = _columns_before(file, wanted, layout) if file.begin and file.format == "csv" else None
    # What is compressed is not written to any more.
    waits = unterminated == "wait" and not is_compressed(file.path)
    with closing(ahead(text_blocks(file, block_bytes, whole_lines=waits))) as blocks:
        if file.format == "csv":
            yield from csv_frames(
                blocks,
                file.path,
                wanted,
                unknown,
                accept=accept,
                layout=layout,
                columns=columns,
                lines_before=before,
                spare_records=spare_records,
            )
        else:
            yield from ndjson_frames(blocks, file.path, wanted, unknown, accept=accept, lines_before=before)


def _columns_before(file: FoundFile, wanted: Wanted, layout: Layout) -> Columns | None:
    """The columns that the lines before the part tell."""
    with closing(text_blocks(FoundFile(file.path, file.format, end=file.begin), BLOCK_BYTES)) as blocks:
        for block in blocks:
            columns, _, _ = columns_of(block.content, 0, file.path, wanted, layout, accept=True)
            if columns:
                return columns
    return None

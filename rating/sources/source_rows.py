"""The records of a file in the native form, through the source of its format."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import polars as pl

from rating.sources.ahead import ahead
from rating.sources.lines import numbered, read_lines, text_blocks
from rating.sources.native import read_native
from rating.sources.rows import BLOCK_BYTES, Rows
from rating.sources.source import NATIVE_FORMAT
from rating.sources.table_rows import read_rows

if TYPE_CHECKING:
    from collections.abc import Generator

    from rating.sources.files import FoundFile
    from rating.sources.source import Source


def read_source(
    file: FoundFile, source: Source, *, unterminated_last_line: str, block_bytes: int = BLOCK_BYTES
) -> Rows:
    """Read the records of a file.

    Args:
        file: The file.
        source: What turns its rows into the native form.
        unterminated_last_line: `quarantine`, `accept` or `wait`, for text. A JSON document ends with its brace.
        block_bytes: How much text is read at a time; the records do not depend on it.

    Returns:
        Frames as `read_native` gives them; those of another format have the column `skipped` (String) too.

    Raises:
        InputRefused: by the frames, if the file cannot be read at all.
    """
    if source.name == NATIVE_FORMAT:
        return read_native(file, unterminated_last_line=unterminated_last_line, block_bytes=block_bytes)
    if source.documents:
        frames = ahead(_documents(file, block_bytes))
    else:
        frames = read_rows(
            file,
            source.wanted,
            unterminated_last_line=unterminated_last_line,
            block_bytes=block_bytes,
            layout=source.layout,
        ).frames
    return Rows(_turned(frames, source), set())


def _documents(file: FoundFile, block_bytes: int) -> Generator[pl.DataFrame, None, None]:
    """The lines of a file that are not empty, each a document."""
    with closing(ahead(text_blocks(file, block_bytes))) as blocks:
        for block, before in numbered(blocks, file.lines_before):
            if block.content:
                rows = read_lines(block.content, before, accept=True).rows
                yield rows.filter(pl.col("record") != "")


def _turned(frames: Generator[pl.DataFrame, None, None], source: Source) -> Generator[pl.DataFrame, None, None]:
    """The frames in the native form."""
    with closing(frames):
        if source.whole:
            found = [_as_text(frame, source) for frame in frames]
            if found:
                yield source.to_native(pl.concat(found).rechunk())
            return
        for frame in frames:
            if frame.height:
                yield source.to_native(_as_text(frame, source))


def _as_text(frame: pl.DataFrame, source: Source) -> pl.DataFrame:
    """The platform's columns as text, whatever a typed file has them as."""
    return frame.with_columns(pl.col(source.wanted.columns).cast(pl.String)) if source.wanted.columns else frame

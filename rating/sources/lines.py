"""Lines of a text file: blocks of bytes cut at the line ends, and whether each line is text at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from rating.sources.files import open_bytes
from rating.sources.rows import CUT_CHARACTERS, HAS_NUL, MAX_LINE_BYTES, NOT_UTF8, ROW, TOO_LONG, UNTERMINATED
from schemas.errors import InputRefused

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Block:
    """Whole physical lines in order, in the columns of `ROW`; `last` where the file ends."""

    lines: pl.DataFrame
    last: bool


def line_blocks(path: str, *, accept: bool, block_bytes: int) -> Iterator[Block]:
    """The lines of a text, without their line ends; the last block may have none."""
    with open_bytes(path) as stream:
        rest, read = b"", 0
        for chunk in _chunks(stream, path, block_bytes):
            block = rest + chunk
            cut = block.rfind(b"\n") + 1
            # Of a line too long to be a row only so much is kept as shows that it is.
            rest = block[cut:][: MAX_LINE_BYTES + 1]
            if cut:
                lines = _lines(block[:cut], read)
                read += lines.height
                yield Block(lines, last=False)
        lines = _lines(rest, read) if rest else ROW.to_frame()
        if not accept:
            lines = lines.with_columns(fault=pl.coalesce("fault", pl.lit(UNTERMINATED)))
        yield Block(lines, last=True)


def _chunks(stream: BinaryIO, path: str, block_bytes: int) -> Iterator[bytes]:
    chunk = stream.read(block_bytes)
    if chunk.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputRefused(f"{path}: this is UTF-16 text. Expected UTF-8: export it again in that encoding.")
    while chunk:
        yield chunk
        chunk = stream.read(block_bytes)


def _lines(block: bytes, lines_before: int) -> pl.DataFrame:
    """Cut at the line ends, and say of each line whether it is text at all."""
    raw = pc.split_pattern(pa.array([block], pa.large_binary()), "\n").flatten()
    if block.endswith(b"\n"):
        raw = raw[:-1]
    text, undecodable = decode(raw)
    too_long = pl.Series(pc.greater(pc.binary_length(raw), MAX_LINE_BYTES))
    # A byte order mark is dropped at the start of any line: files are put one after the other.
    record = pl.col("record").str.strip_chars_end("\r").str.strip_chars_start("\ufeff")
    return pl.DataFrame({"record": text, "undecodable": undecodable, "too_long": too_long}).select(
        source_line=pl.int_range(pl.len(), dtype=pl.Int64) + (lines_before + 1),
        record=pl.when("too_long").then(record.str.slice(0, CUT_CHARACTERS)).otherwise(record),
        fault=pl.when("too_long")
        .then(pl.lit(TOO_LONG))
        .when("undecodable")
        .then(pl.lit(NOT_UTF8))
        .when(pl.col("record").str.contains("\0", literal=True))
        .then(pl.lit(HAS_NUL)),
    )


def decode(raw: pa.Array) -> tuple[pl.Series, pl.Series]:
    """Bytes as text, with U+FFFD for what is not UTF-8, and which of them are not."""
    bytes_read = pl.Series(raw.cast(pa.large_binary()))
    try:
        return bytes_read.cast(pl.String), pl.repeat(value=False, n=len(bytes_read), eager=True)
    except pl.exceptions.ComputeError:  # somewhere in here: look at each
        decoded = [_decoded(one) for one in bytes_read]
    return (
        pl.Series([text for text, _ in decoded], dtype=pl.String),
        pl.Series([undecodable for _, undecodable in decoded], dtype=pl.Boolean),
    )


def _decoded(raw: bytes | None) -> tuple[str | None, bool]:
    if raw is None:
        return None, False
    try:
        return raw.decode(), False
    except UnicodeDecodeError:
        return raw.decode(errors="replace"), True

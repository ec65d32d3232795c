"""Lines of a text file: blocks of bytes cut at the line ends, and whether each line is text at all."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import polars as pl
import pyarrow as pa

from rating.sources.files import open_bytes
from rating.sources.rows import CUT_CHARACTERS, HAS_NUL, MAX_LINE_BYTES, NOT_UTF8, TOO_LONG, UNTERMINATED
from schemas.errors import InputRefused

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator
    from typing import BinaryIO

    from rating.sources.files import FoundFile

FIRST_BLOCK_BYTES = 64 * 1024
# The end of a block in which its last line end is looked for before the block is read; most lines are shorter.
PEEKED_BYTES = 64 * 1024
# Records are longer; lines of a byte or two would make a block of millions of rows.
LINES_AT_ONCE = 500_000
MAX_ASCII = 127
PIECE_BYTES = MAX_LINE_BYTES // 2
# More than a block, and less than the 32 MiB from which on the GNU C library always asks the system for fresh memory.
KEPT_BYTES = 31 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Block:
    """Whole physical lines, as bytes.

    Attributes:
        content: The lines with their line ends; where the file ends, the last may have none.
        last: Whether the file ends here.
        line_ends: How many line ends there are.
    """

    content: bytes
    last: bool
    line_ends: int

    @classmethod
    def of(cls, content: bytes, *, last: bool) -> Block:
        """A block of these lines."""
        return cls(content, last, _count_line_ends(content))


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines of a block.

    Attributes:
        rows: A row per physical line: the columns of `ROW`.
        odd: Which of them had something in them that text rarely has (Boolean).
        content: The bytes as UTF-8, line by line as in `rows`; an odd line may be masked.
        before: How many lines the file has before these.
    """

    rows: pl.DataFrame
    odd: pl.Series
    content: bytes
    before: int


def text_blocks(file: FoundFile, block_bytes: int, *, whole_lines: bool = False) -> Generator[Block, None, None]:
    """The blocks of a text, or of its part that is to be read.

    Of the first, which has the header, a part is copied, so it is short. The last one holds what follows the last
    line end, and is mostly empty; nothing where `whole_lines` leaves a line without line end to a later reading.
    """
    _keep_memory()
    with open_bytes(file.path, file.begin) as stream:
        rest = b""
        for chunk in _chunks(stream, file, block_bytes):
            cut = chunk.rfind(b"\n") + 1
            if cut:
                whole = chunk if cut == len(chunk) and not rest else b"".join((rest, memoryview(chunk)[:cut]))
                yield from _of_few_lines(Block.of(whole, last=False))
                rest = b""
            # Of a line too long to be a row only so much is kept as shows that it is.
            rest = (rest + chunk[cut:])[: MAX_LINE_BYTES + 1]
        yield Block.of(b"" if whole_lines else rest, last=True)


@cache
def _keep_memory() -> None:
    """Have the memory of a block used again for the next, which saves a tenth of reading plain text.

    The GNU C library gives large pieces of memory back to the system at once, until one as large as this was let go
    (mallopt(3), M_MMAP_THRESHOLD: it is adjusted by itself). Nothing is written into it, so it costs nothing; other
    C libraries do as they always do.
    """
    bytes(KEPT_BYTES)


def _chunks(stream: BinaryIO, file: FoundFile, block_bytes: int) -> Iterator[bytes]:
    """The bytes of a file from where the stream stands up to the end of the part.

    Raises:
        InputRefused: where they are UTF-16 text.
    """
    left = sys.maxsize if file.end is None else file.end - file.begin
    size = min(block_bytes, FIRST_BLOCK_BYTES)
    first = True
    while chunk := stream.read(_to_line_end(stream, min(size, left))):
        if first and not file.begin and chunk.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise InputRefused(f"{file.path}: this is UTF-16 text. Expected UTF-8: export it again in that encoding.")
        yield chunk
        left -= len(chunk)
        size, first = block_bytes, False


def _to_line_end(stream: BinaryIO, size: int) -> int:
    """So many of the next `size` bytes as end with a line end, so that the block need not be copied to be cut there.

    All of them where the stream cannot go back, or no line ends near their end.
    """
    if size <= PEEKED_BYTES or not stream.seekable():
        return size
    here = stream.tell()
    stream.seek(here + size - PEEKED_BYTES)
    end = stream.read(PEEKED_BYTES).rfind(b"\n") + 1
    stream.seek(here)
    return size - PEEKED_BYTES + end if end else size


def _of_few_lines(block: Block) -> Generator[Block, None, None]:
    """These lines as blocks of no more than `LINES_AT_ONCE` or so."""
    if block.line_ends <= LINES_AT_ONCE:
        yield block
        return
    content = block.content
    middle = content.rfind(b"\n", 0, len(content) // 2) + 1 or content.index(b"\n") + 1
    for part in (content[:middle], content[middle:]):
        yield from _of_few_lines(Block.of(part, last=False))


def numbered(blocks: Iterable[Block], before: int) -> Iterator[tuple[Block, int]]:
    """The blocks, each with how many lines the file has before it; `before` the first."""
    for block in blocks:
        yield block, before
        before += block.line_ends


def read_lines(content: bytes, before: int, *, accept: bool) -> Lines:
    """Cut at the line ends, and say of each line whether it is text at all; `accept` one without line end."""
    utf8 = content
    try:
        records = pl.read_lines(content)["line"]
    except pl.exceptions.ComputeError:  # not UTF-8 somewhere
        utf8 = _masked(content)
        records = pl.read_lines(utf8)["line"]
    rows = records.to_frame("record").select(
        source_line=pl.int_range(pl.len(), dtype=pl.Int64) + (before + 1),
        record="record",
        fault=pl.lit(None, pl.String),
    )
    odd = rows.select(odd=_odd(utf8) | (pl.col("record").str.len_bytes() >= MAX_LINE_BYTES)).to_series()
    if odd.any():
        where = odd.arg_true()
        ends = _ends(content, records)
        looked_at = _looked_at(_raw_lines(content, ends, where))
        for name in looked_at.columns:
            rows.replace_column(rows.get_column_index(name), rows[name].scatter(where, looked_at[name]))
    if content and not content.endswith(b"\n") and not accept:
        fault = pl.coalesce("fault", pl.when(pl.int_range(pl.len()) == pl.len() - 1).then(pl.lit(UNTERMINATED)))
        rows = rows.with_columns(fault=fault)
    return Lines(rows, odd | rows["fault"].is_not_null(), utf8, before)


def is_plain(content: bytes) -> bool:
    """Whether all lines end with LF, are ASCII without NUL or return, and none is too long to be a row."""
    return (
        content.endswith(b"\n")
        and _least(content) > 0
        and b"\r" not in content
        # A line too long would have all of such a piece of the content.
        and all(content.find(b"\n", at, at + PIECE_BYTES) >= 0 for at in range(0, len(content), PIECE_BYTES))
    )


def _masked(content: bytes) -> bytes:
    """Every byte that is not ASCII as a NUL: the lines keep their lengths, and are looked at."""
    plain = octets(content)
    _, masked = plain.scatter((plain > MAX_ASCII).arg_true(), 0).to_arrow().buffers()
    return bytes(masked)


def _count_line_ends(content: bytes) -> int:
    """How many line ends there are; `bytes.count` takes five times as long where there are many."""
    return int((octets(content) == ord("\n")).sum())


def octets(content: bytes) -> pl.Series:
    """The bytes one by one (UInt8), where they are."""
    return pl.Series(pa.Array.from_buffers(pa.uint8(), len(content), [None, pa.py_buffer(content)]))


def _odd(content: bytes) -> pl.Expr:
    """Of which records there is something to look at: a NUL, a return, a byte order mark at the start."""
    record = pl.col("record")
    looked_for = pl.lit(value=False)
    has_nul_or_more_than_ascii = _least(content) <= 0
    if b"\r" in content or (has_nul_or_more_than_ascii and b"\0" in content):
        looked_for |= record.str.contains("[\0\r]")
    if has_nul_or_more_than_ascii:
        looked_for |= record.str.starts_with("\ufeff")
    return looked_for


def _least(content: bytes) -> int:
    """The least of the bytes as numbers with a sign: 0 is a NUL, less than that is none of ASCII.

    Two looks in one, and other threads go on meanwhile, as they do not where Python searches bytes.
    """
    least = pl.Series(pa.Array.from_buffers(pa.int8(), len(content), [None, pa.py_buffer(content)])).min()
    return MAX_ASCII if least is None else int(str(least))


def _ends(content: bytes, records: pl.Series) -> pl.Series:
    """Where each line ends, before its line end."""
    if b"\r" not in content:
        return (records.str.len_bytes().cast(pl.Int64) + 1).cum_sum() - 1
    ends = (octets(content) == ord("\n")).arg_true().cast(pl.Int64)
    return ends if content.endswith(b"\n") else ends.append(pl.Series([len(content)], dtype=pl.Int64))


def _raw_lines(content: bytes, ends: pl.Series, where: pl.Series) -> pa.Array:
    """The bytes of some lines, without their line ends."""
    starts = ends.shift(1, fill_value=-1) + 1
    raw = [content[start:end] for start, end in zip(starts.gather(where), ends.gather(where), strict=True)]
    return pa.array(raw, pa.large_binary())


def _looked_at(raw: pa.Array) -> pl.DataFrame:
    """The record and the fault of each of these lines."""
    text, undecodable = decode(raw)
    record = pl.col("record").str.strip_chars_end("\r").str.strip_chars_start("\ufeff")
    too_long = pl.col("raw").bin.size() > MAX_LINE_BYTES
    return pl.DataFrame({"raw": pl.Series(raw), "record": text, "undecodable": undecodable}).select(
        # A byte order mark is dropped at the start of any line: files are put one after the other.
        record=pl.when(too_long).then(record.str.slice(0, CUT_CHARACTERS)).otherwise(record),
        fault=pl.when(too_long)
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

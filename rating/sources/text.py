"""Rows of a file of any format, each judged on its own: dirt costs the row it is in, never its neighbours.

CSV is read as RFC 4180 has it, with LF or CRLF: a quote inside a field without quotes is a fault. A field in
quotes may hold line ends, but a quote that is never closed costs its own line alone: a record goes on over
further lines only if that gives as many fields as the header has, within 100 lines, none of them a whole
row by itself.
"""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, NoReturn

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from rating.sources.files import FoundFile, is_compressed, open_bytes, reading
from schemas.errors import InputRefused, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

BLOCK_BYTES = 64 * 1024 * 1024
BATCH_ROWS = 1_000_000
MAX_LINE_BYTES = 1024 * 1024
MAX_RECORD_LINES = 100
CUT_CHARACTERS = 1000

UNTERMINATED = "the last line has no line end: it may have been cut short"
NOT_UTF8 = "not UTF-8 text"
HAS_NUL = "a NUL character"
TOO_LONG = f"a line longer than {MAX_LINE_BYTES} bytes"
MISQUOTED = "a quote that is not closed, or that stands inside a field without quotes"
NO_OBJECT = "not one JSON object"

ROW = pl.Schema({"source_line": pl.Int64, "record": pl.String, "fault": pl.String})

_QUOTED = '[^"]*(?:""[^"]*)*'
_FIELD = f'(?:"{_QUOTED}"|[^",]*)'
_WELL_QUOTED = f"^{_FIELD}(?:,{_FIELD})*$"
_OPEN = f'^(?:{_FIELD},)*"{_QUOTED}$'
_STILL_OPEN = f'{_QUOTED}(?:",(?:{_FIELD},)*"{_QUOTED})?'

_BYTES = (
    pa.types.is_string,
    pa.types.is_large_string,
    pa.types.is_string_view,
    pa.types.is_binary,
    pa.types.is_large_binary,
    pa.types.is_binary_view,
    pa.types.is_fixed_size_binary,
)
_TYPED = (
    pa.types.is_integer,
    pa.types.is_floating,
    pa.types.is_decimal,
    pa.types.is_boolean,
    pa.types.is_date,
    pa.types.is_time,
    pa.types.is_timestamp,
    pa.types.is_null,
)

_BLANK = r"[ \t\r]*"
_JSON_TEXT = r'"[^"\\\x00-\x1f]*"'
_JSON_SCALAR = rf"(?:{_JSON_TEXT}|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null)"


@dataclass(frozen=True, slots=True)
class Wanted:
    """The columns to read from a file.

    Attributes:
        table: What the file is a part of, as a refusal names it, such as `cdrs` or `users`.
        required: The columns without which the file is refused.
        optional: The columns that may be absent.
    """

    table: str
    required: tuple[str, ...]
    optional: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """All the columns, the required ones first."""
        return self.required + self.optional


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of one file, a block at a time.

    Attributes:
        frames: Frames of source_line (Int64, from 1: the first physical line of the row or, in Parquet, its
            number), record (the row as read: String, undecodable bytes as U+FFFD; in Parquet a Struct of its
            columns), fault (String: why this is no row at all; its fields mean nothing then) and the columns
            wanted, null where absent. CSV and NDJSON give String, empty or null for nothing. Parquet gives
            String for text and bytes, Datetime('us', 'UTC') for times with a zone, other columns as they are.
            An empty file gives no frame.
        unknown_columns: The other columns of the file; complete when all frames have been read.
    """

    frames: Iterator[pl.DataFrame]
    unknown_columns: set[str]


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
        return Rows(_parquet_frames(file.path, wanted, unknown), unknown)
    frames = _csv_frames if file.format == "csv" else _ndjson_frames
    blocks = _line_blocks(file.path, accept=unterminated_last_line == "accept", block_bytes=block_bytes)
    return Rows(frames(blocks, file.path, wanted, unknown), unknown)


# Lines


@dataclass(frozen=True, slots=True)
class _Block:
    """Whole physical lines in order, in the columns of `ROW`; `last` where the file ends."""

    lines: pl.DataFrame
    last: bool


def _line_blocks(path: str, *, accept: bool, block_bytes: int) -> Iterator[_Block]:
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
                yield _Block(lines, last=False)
        lines = _lines(rest, read) if rest else ROW.to_frame()
        if not accept:
            lines = lines.with_columns(fault=pl.coalesce("fault", pl.lit(UNTERMINATED)))
        yield _Block(lines, last=True)


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
    text, undecodable = _decode(raw)
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


def _decode(raw: pa.Array) -> tuple[pl.Series, pl.Series]:
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


def _without_fields(rows: pl.DataFrame, wanted: Wanted) -> pl.DataFrame:
    """Rows that are none: in the columns of `ROW`, the wanted ones null."""
    return rows.select(*ROW, *(pl.lit(None, pl.String).alias(name) for name in wanted.columns))


# CSV


def _csv_frames(blocks: Iterator[_Block], path: str, wanted: Wanted, unknown: set[str]) -> Iterator[pl.DataFrame]:
    header: list[str] = []
    held = ROW.to_frame()
    for block in blocks:
        lines = pl.concat([held, block.lines])
        if not header:
            written = lines["record"].ne("").arg_true()
            if written.is_empty():
                continue
            header = _header(lines.row(written[0], named=True), path, wanted)
            unknown.update({name for name in header if name} - set(wanted.columns))
            lines = lines.slice(written[0] + 1)
        rows, held = _csv_rows(lines, header, wanted, last=block.last)
        if rows.height:
            yield rows


def _header(line: dict[str, object], path: str, wanted: Wanted) -> list[str]:
    """The names of the columns, trimmed.

    Raises:
        InputRefused: if the line cannot be read, or a column is missing or there twice.
    """
    text, fault, number = str(line["record"]), line["fault"], int(str(line["source_line"]))
    if fault in (NOT_UTF8, HAS_NUL, TOO_LONG) or not re.search(_WELL_QUOTED, text):
        reason = fault if fault not in (None, UNTERMINATED) else MISQUOTED
        raise InputRefused(
            f"{path}:{number}: the header cannot be read: {reason}. Expected the names of the columns, "
            "separated by commas, as UTF-8 text (UTF-16 is not read)."
        )
    names = [field.strip() for field in _fields(text)]
    _check_columns(names, path, number, wanted)
    return names


def _check_columns(names: Sequence[str], path: str, line: int, wanted: Wanted) -> None:
    """Refuse a file whose columns are not those expected, naming all that is wrong with them."""
    twice = sorted({name for name in names if name and names.count(name) > 1})
    missing = [name for name in wanted.required if name not in names]
    expected = f"expected in the header, which has {', '.join(names)}"[:CUT_CHARACTERS]
    problems = (
        *(Problem(wanted.table, path, line, name, "", "expected once in the header") for name in twice),
        *(Problem(wanted.table, path, line, name, "", f"missing; {expected}") for name in missing),
    )
    if problems:
        hint = " Are its fields separated by semicolons?" if ";" in names[0] else ""
        raise InputRefused(f"{path}: the header does not name the columns that are needed.{hint}", problems)


def _fields(record: str) -> list[str]:
    """The fields of a well-quoted record, without their quotes."""
    return [
        field[1:-1].replace('""', '"') if field.startswith('"') else field
        for field in re.findall(f"(?:^|,)({_FIELD})", record)
    ]


def _csv_rows(
    lines: pl.DataFrame, header: list[str], wanted: Wanted, *, last: bool
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Judge and split the lines; those of a record that may go on in the next block are given back."""
    row_pattern = f"^{_FIELD}(?:,{_FIELD}){{{len(header) - 1}}}$"
    judged = lines.with_columns(whole=pl.col("record").str.contains(row_pattern))
    spans: list[tuple[int, int]] = []
    end = judged.height
    if not judged["whole"].all():
        spans, end = _records_over_lines(judged, re.compile(row_pattern), last=last)
    within = pl.Series([line for first, after in spans for line in range(first, after)], dtype=pl.Int64)
    alone = judged.head(end).filter(~pl.int_range(pl.len()).is_in(within.implode()) & (pl.col("record") != ""))
    whole = alone.filter(pl.col("whole") & pl.col("fault").is_null())
    parts = [whole.select(*ROW).hstack(_split(whole["record"], header, wanted))]
    if spans:
        parts.append(_joined(judged, spans, header, wanted))
    if whole.height < alone.height:
        faulty = alone.filter(~pl.col("whole") | pl.col("fault").is_not_null())
        parts.append(_without_fields(faulty.with_columns(fault=_csv_fault(len(header))), wanted))
    rows = pl.concat(parts)
    return rows if len(parts) == 1 else rows.sort("source_line"), lines.slice(end)


def _csv_fault(columns: int) -> pl.Expr:
    """Why a line is no row, where nothing else was wrong with it."""
    record = pl.col("record")
    fields = record.str.replace_all(f'"{_QUOTED}"', "").str.count_matches(",", literal=True) + 1
    ragged = pl.format(f"{{}} fields where the header has {columns}", fields)
    well_quoted = record.str.contains(_WELL_QUOTED)
    return pl.coalesce("fault", pl.when(well_quoted).then(ragged).otherwise(pl.lit(MISQUOTED)))


def _records_over_lines(judged: pl.DataFrame, row: re.Pattern[str], *, last: bool) -> tuple[list[tuple[int, int]], int]:
    """The records that go on over several lines, as (first line, line after), and where this block ends.

    The block ends before its end where a record may go on in the next one.
    """
    opening = judged.select((~pl.col("whole") & pl.col("record").str.contains(_OPEN)).arg_true()).to_series()
    if opening.is_empty():
        return [], judged.height
    texts, whole = judged["record"].to_list(), judged["whole"].to_list()
    spans: list[tuple[int, int]] = []
    free = 0
    for first in opening:
        if first < free:
            continue
        end = first + MAX_RECORD_LINES
        lines = _lines_of_record(texts[first:end], whole[first:end], row)
        if lines is None and end > judged.height and not last:
            return spans, first
        if lines:
            free = first + lines
            spans.append((first, free))
    return spans, judged.height


def _lines_of_record(texts: list[str], whole: list[bool], row: re.Pattern[str]) -> int | None:
    """How many lines make up the record that the first opens: 0 if they make none, None if more must tell."""
    for index in range(1, len(texts)):
        if whole[index]:
            return 0
        if not re.fullmatch(_STILL_OPEN, texts[index]):  # the last quote ends here, rightly or not
            return index + 1 if row.fullmatch("\n".join(texts[: index + 1])) else 0
    return None


def _joined(judged: pl.DataFrame, spans: list[tuple[int, int]], header: list[str], wanted: Wanted) -> pl.DataFrame:
    """The rows that several lines make up; a fault in one of the lines is the row's."""
    numbers, texts, faults = (judged[name].to_list() for name in ROW)
    rows = []
    for first, after in spans:
        record = "\n".join(texts[first:after])
        fault = next(filter(None, faults[first:after]), None)
        fields = {} if fault else dict(zip(header, _fields(record), strict=True))
        rows.append((numbers[first], record, fault, *map(fields.get, wanted.columns)))
    return pl.DataFrame(rows, schema=_row_schema(wanted), orient="row")


def _row_schema(wanted: Wanted) -> pl.Schema:
    return pl.Schema({**ROW, **dict.fromkeys(wanted.columns, pl.String())})


def _split(records: pl.Series, header: list[str], wanted: Wanted) -> pl.DataFrame:
    """Split records of one line each, known to be well-formed, at their commas."""
    if records.is_empty():
        return pl.DataFrame(schema=dict.fromkeys(wanted.columns, pl.String))
    # By position: the header may have several columns without a name.
    position = {name: header.index(name) for name in wanted.columns if name in header}
    fields = pl.read_csv(
        records.str.join("\n").item().encode(),
        has_header=False,
        schema={str(index): pl.String for index in range(len(header))},
        columns=list(position.values()),
    )
    return fields.select(
        (pl.col(str(position[name])) if name in position else pl.lit(None, pl.String)).alias(name)
        for name in wanted.columns
    )


# NDJSON


def _ndjson_frames(blocks: Iterator[_Block], _path: str, wanted: Wanted, unknown: set[str]) -> Iterator[pl.DataFrame]:
    for block in blocks:
        lines = block.lines.filter(pl.col("record") != "")
        if lines.height:
            yield _ndjson_rows(lines, wanted, unknown)


def _flat_object(key: str) -> str:
    """The pattern of an object that holds no object, list or escape, and keys of one pattern only."""
    member = f"{_BLANK}{key}{_BLANK}:{_BLANK}{_JSON_SCALAR}{_BLANK}"
    return rf"^{_BLANK}\{{(?:{member}(?:,{member})*|{_BLANK})\}}{_BLANK}$"


def _ndjson_rows(lines: pl.DataFrame, wanted: Wanted, unknown: set[str]) -> pl.DataFrame:
    """Flat objects without escapes are read by pattern, figures as they are written; others one by one."""
    wanted_key = f'"(?:{"|".join(map(re.escape, wanted.columns))})"'
    judged = lines.with_columns(
        known=pl.col("fault").is_null() & pl.col("record").str.contains(_flat_object(wanted_key)),
    )
    known = judged.filter("known")
    if known.height == judged.height:
        return _flat_rows(known, wanted)
    others = judged.filter(~pl.col("known")).with_columns(
        flat=pl.col("fault").is_null() & pl.col("record").str.contains(_flat_object(_JSON_TEXT)),
    )
    flat = others.filter("flat")
    keys = flat["record"].str.extract_all(rf"{_JSON_TEXT}{_BLANK}:").explode().unique()
    unknown.update(set(keys.str.extract('^"(.*)"').drop_nulls()) - set(wanted.columns))
    odd = others.filter(~pl.col("flat") & pl.col("fault").is_null())
    faulty = others.filter(pl.col("fault").is_not_null())
    parts = [
        _flat_rows(known, wanted),
        _flat_rows(flat, wanted),
        _odd_objects(odd, wanted, unknown),
        _without_fields(faulty, wanted),
    ]
    return pl.concat(parts).sort("source_line")


def _flat_rows(lines: pl.DataFrame, wanted: Wanted) -> pl.DataFrame:
    return lines.select(*ROW, *(_flat_member(name) for name in wanted.columns))


def _flat_member(name: str) -> pl.Expr:
    """The text of a member of flat objects: of the first, where there are several of that name."""
    written = pl.col("record").str.extract(f'"{re.escape(name)}"{_BLANK}:{_BLANK}({_JSON_SCALAR})')
    return pl.when(written != "null").then(written.str.strip_chars('"')).alias(name)


def _odd_objects(lines: pl.DataFrame, wanted: Wanted, unknown: set[str]) -> pl.DataFrame:
    """Lines with escapes, nested members, or no object in them."""
    rows = []
    for source_line, record in lines.select("source_line", "record").iter_rows():
        fields, fault = _odd_fields(record, wanted, unknown)
        rows.append((source_line, record, fault, *fields))
    return pl.DataFrame(rows, schema=_row_schema(wanted), orient="row")


def _odd_fields(record: str, wanted: Wanted, unknown: set[str]) -> tuple[list[str | None], str | None]:
    """The fields wanted of one object, and why it has none."""
    try:
        members = json.loads(
            record,
            parse_int=str,
            parse_float=str,
            parse_constant=_refuse_constant,
            object_pairs_hook=_first_of_each_name,
        )
        fields = _object_fields(members, wanted)
    except (ValueError, RecursionError) as error:
        return [None] * len(wanted.columns), f"{NO_OBJECT} of texts and figures: {error}"
    unknown.update(members.keys() - set(wanted.columns))
    return fields, None


def _object_fields(members: object, wanted: Wanted) -> list[str | None]:
    if not isinstance(members, dict):
        raise ValueError("no object")  # noqa: TRY004 - it is the input that is wrong
    "".join(members).encode()
    return [_member_text(members.get(name)) for name in wanted.columns]


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no figure")


def _first_of_each_name(pairs: list[tuple[str, object]]) -> dict[str, object]:
    return dict(reversed(pairs))


def _member_text(member: object) -> str | None:
    """A member as text; figures come as they are written.

    Raises:
        ValueError: if it is an object or a list, holds a NUL, or half a surrogate pair.
    """
    if isinstance(member, bool):
        return "true" if member else "false"
    if member is None:
        return None
    if not isinstance(member, str):
        raise ValueError("an object or a list in a field")  # noqa: TRY004 - it is the input that is wrong
    if "\0" in member:
        raise ValueError(HAS_NUL)
    member.encode()
    return member


# Parquet


def _parquet_frames(path: str, wanted: Wanted, unknown: set[str]) -> Iterator[pl.DataFrame]:
    with reading(path), _open_parquet(path) as parquet:
        schema = parquet.schema_arrow
        _check_columns(schema.names, path, 0, wanted)
        columns = [field.name for field in schema if _is_plain(field.type)]
        unknown.update(set(schema.names) - set(wanted.columns))
        for name in set(wanted.columns) & set(schema.names) - set(columns):
            raise InputRefused(
                f"{path}: column {name} holds {schema.field(name).type}. Expected a text, a number, a truth "
                "value or a time in each row."
            )
        read = 0
        for batch in parquet.iter_batches(batch_size=BATCH_ROWS, columns=columns):
            yield _parquet_rows(batch, read, wanted)
            read += batch.num_rows


@contextmanager
def _open_parquet(path: str) -> Iterator[pq.ParquetFile]:
    """A Parquet file; one that is compressed once more is decompressed in memory."""
    if not is_compressed(path):
        with pq.ParquetFile(path, page_checksum_verification=True) as parquet:
            yield parquet
        return
    with open_bytes(path) as stream, pq.ParquetFile(pa.BufferReader(stream.read())) as parquet:
        yield parquet


def _is_plain(of: pa.DataType) -> bool:
    """Whether each row of a column of this type is one text, number, truth value or time."""
    plain = of.value_type if pa.types.is_dictionary(of) else of
    return any(check(plain) for check in (*_BYTES, *_TYPED))


def _parquet_rows(batch: pa.RecordBatch, rows_before: int, wanted: Wanted) -> pl.DataFrame:
    """The rows of a batch; a row with text that is not UTF-8 is faulty."""
    columns: dict[str, pl.Series] = {}
    undecodable = [pl.repeat(value=False, n=batch.num_rows, eager=True)]
    for name, array in zip(batch.schema.names, batch.columns, strict=True):
        plain = array.dictionary_decode() if pa.types.is_dictionary(array.type) else array
        if any(check(plain.type) for check in _BYTES):
            columns[name], not_text = _decode(plain)
            undecodable.append(not_text)
        else:
            columns[name] = _typed(plain)
    faulty = pl.any_horizontal(pl.lit(mask) for mask in undecodable)
    absent = [name for name in wanted.columns if name not in columns]
    return pl.DataFrame(columns).select(
        source_line=pl.int_range(rows_before + 1, rows_before + 1 + batch.num_rows, dtype=pl.Int64),
        record=pl.struct(list(columns)),
        fault=pl.when(faulty).then(pl.lit(NOT_UTF8)),
        **{name: pl.col(name) for name in wanted.columns if name in columns},
        **{name: pl.lit(None, pl.String) for name in absent},
    )


def _typed(column: pa.Array) -> pl.Series:
    """A column as it is; a time with a zone in UTC, cut to the microsecond."""
    if pa.types.is_timestamp(column.type) and column.type.tz is not None:
        instants = pl.Series(column.cast(pa.timestamp(column.type.unit, "UTC")))
        return instants.cast(pl.Datetime("us", "UTC"))
    return pl.Series(column)

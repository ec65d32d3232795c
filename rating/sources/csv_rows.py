"""CSV: rows of fields, each judged on its own.

CSV is read as RFC 4180 has it, with LF or CRLF: a quote inside a field without quotes is a fault. A field in
quotes may hold line ends, but a quote that is never closed costs its own line alone: a record goes on over
further lines only if that gives as many fields as the header has, within 100 lines, none of them a whole
row by itself.

A file may name its columns in a header line, or have none (`Layout`). Where it has none its rows may have more or
fewer fields than the first one, as switches write them whose settings changed.
"""

from __future__ import annotations

import re
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from rating.in_order import in_order
from rating.sources.lines import Block, numbered, read_lines
from rating.sources.rows import (
    HAS_NUL,
    HEADED,
    MAX_RECORD_LINES,
    MISQUOTED,
    NOT_UTF8,
    ROW,
    TOO_LONG,
    UNTERMINATED,
    Layout,
    Wanted,
    check_columns,
    row_schema,
    rows_without_record,
    without_fields,
)
from rating.sources.splitting import read_parts, split_at_commas, split_evenly
from schemas.errors import InputRefused

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from rating.sources.lines import Lines

# Lines are read as quoted, all at once, if there is at least one quote in so many.
SHARE_WITH_QUOTES = 8

_QUOTED = '[^"]*(?:""[^"]*)*'


class _Quoting(NamedTuple):
    """The patterns of records: a field, a record that is well quoted, one that a line opens, what leaves it open."""

    comma: str
    field: str
    well_quoted: str
    opens: str
    still_open: str


@cache
def _quoting(separator: str) -> _Quoting:
    comma = re.escape(separator)
    field = f'(?:"{_QUOTED}"|[^"{comma}]*)'
    return _Quoting(
        comma=comma,
        field=field,
        well_quoted=f"^{field}(?:{comma}{field})*$",
        opens=f'^(?:{field}{comma})*"{_QUOTED}$',
        still_open=f'{_QUOTED}(?:"{comma}(?:{field}{comma})*"{_QUOTED})?',
    )


def _row_pattern(separator: str, least: int, most: int | None) -> str:
    quoting = _quoting(separator)
    further = "" if most is None else most - 1
    return f"^{quoting.field}(?:{quoting.comma}{quoting.field}){{{least - 1},{further}}}$"


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a file.

    Attributes:
        names: Their names, in order; "" for one that nobody asks for.
        width: How many fields most rows have.
        least: The fewest fields of a row.
        most: The most; None: any number.
        separator: What stands between two fields.
    """

    names: list[str]
    width: int
    least: int
    most: int | None
    separator: str

    @property
    def row_pattern(self) -> str:
        """What a line that is a row matches."""
        return _row_pattern(self.separator, self.least, self.most)

    @property
    def usual_pattern(self) -> str:
        """What a row of as many fields as most rows have matches."""
        return _row_pattern(self.separator, self.width, self.width)

    @property
    def expected(self) -> str:
        """How many fields a row should have, in words."""
        if self.least == self.most:
            return f"where the header has {self.width}"
        return f"where {self.least} {'or more' if self.most is None else f'to {self.most}'} are expected"


def csv_frames(
    blocks: Iterable[Block],
    path: str,
    wanted: Wanted,
    unknown: set[str],
    *,
    accept: bool,
    layout: Layout = HEADED,
    columns: Columns | None = None,
    lines_before: int = 0,
    spare_records: bool = False,
) -> Generator[pl.DataFrame, None, None]:
    """Frames of `row_schema` from blocks of lines; names the other columns in `unknown` as it goes.

    Args:
        blocks: The blocks.
        path: The file, as a refusal names it.
        wanted: The columns to read.
        unknown: Where the names of the other columns go.
        accept: Whether a last line without line end is a row.
        layout: How the lines are laid out.
        columns: The columns, where the blocks begin after the first lines.
        lines_before: How many lines the file has before the blocks.
        spare_records: Whether records may be left out, as `Rows` says.
    """
    coming = iter(blocks)
    while columns is None:
        block = next(coming, None)
        if block is None:
            return
        columns, rest, lines_before = columns_of(block.content, lines_before, path, wanted, layout, accept=accept)
        if columns is not None:
            coming = chain([Block.of(rest, last=block.last)], coming)
    unknown.update({name for name in columns.names if name} - set(wanted.columns))
    # Only all the fields of a row, with commas between them, are its record again.
    spared = spare_records and layout == HEADED and len(columns.names) > 1 and set(columns.names) <= set(wanted.columns)
    if spared:
        wanted = Wanted(wanted.table, tuple(dict.fromkeys((*columns.names, *wanted.columns))))
    reader = _Reader(columns, wanted, accept=accept, spare_records=spared)
    with closing(_rows_of_blocks(numbered(coming, lines_before), reader)) as found:
        for rows in found:
            shown = rows.filter(~pl.col("record").str.contains(layout.headings)) if layout.headings else rows
            if shown.height:
                yield shown


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads the blocks of a file.

    Attributes:
        columns: The columns of the file.
        wanted: The columns to read.
        accept: Whether a last line without line end is a row.
        spare_records: Whether the record of a row that all its fields make up is left out.
    """

    columns: Columns
    wanted: Wanted
    accept: bool
    spare_records: bool

    def read(self, item: tuple[Block, int]) -> tuple[Block, int, pl.DataFrame, int]:
        """A block, how many lines come before it, its rows, and how many of its last lines may go on in the next."""
        block, before = item
        if not block.content:  # as the last one mostly is; Polars would take a while to find nothing in it
            return block, before, pl.DataFrame(schema=row_schema(self.wanted)), 0
        if self.spare_records and (parts := split_evenly(block, self.columns.width)) is not None:
            fields = _wanted_fields(parts, self.columns, self.wanted)
            return block, before, rows_without_record(before, fields), 0
        lines = read_lines(block.content, before, accept=self.accept)
        return block, before, *_csv_rows(lines, self.columns, self.wanted, last=block.last)


def _rows_of_blocks(blocks: Iterable[tuple[Block, int]], reader: _Reader) -> Generator[pl.DataFrame, None, None]:
    """The rows of each block, several worked on at once."""
    held = b""
    with closing(in_order(reader.read, blocks)) as done:
        for item in done:
            block, before, rows, held_lines = item
            if held:  # a record goes on in this block: only now is it known where it began
                whole = Block.of(held + block.content, last=block.last)
                block, before, rows, held_lines = reader.read((whole, before - held.count(b"\n")))
            held = _last_lines(block.content, held_lines)
            yield rows


def columns_of(
    content: bytes, lines_before: int, path: str, wanted: Wanted, layout: Layout, *, accept: bool
) -> tuple[Columns | None, bytes, int]:
    """The columns that the first lines tell, the lines that are still to be read, and how many lines come before them.

    Raises:
        InputRefused: if the header cannot be read, or a column is missing or there twice.
    """
    first, rest, before = _first_line(content, lines_before, layout, accept=accept)
    if first is None:
        return None, rest, before
    if not layout.names:
        names = _header(first, path, wanted, layout.separator)
        return Columns(names, len(names), len(names), len(names), layout.separator), rest, before
    record = str(first["record"])
    width = len(_fields(record, layout.separator)) if _is_well_quoted(record, layout.separator) else 0
    if not layout.least <= width <= (layout.most or width):
        width = len(layout.names)
    names = [*layout.names, *[""] * (width - len(layout.names))]
    return Columns(names, width, layout.least, layout.most, layout.separator), content, lines_before


def _first_line(
    content: bytes, lines_before: int, layout: Layout, *, accept: bool
) -> tuple[dict[str, object] | None, bytes, int]:
    """The first line that tells the columns, what follows it, and how many lines came until then.

    Of a file with a header it is the first that is not empty, of another the first that is no heading either.
    """
    while content:
        end = content.find(b"\n") + 1 or len(content)
        line = read_lines(content[:end], lines_before, accept=accept).rows.row(0, named=True)
        content, lines_before = content[end:], lines_before + 1
        passed = bool(layout.names and layout.headings and re.search(layout.headings, str(line["record"])))
        if line["record"] and not passed:
            return line, content, lines_before
    return None, content, lines_before


def _last_lines(content: bytes, count: int) -> bytes:
    """The last lines of a block that ends with a line end."""
    start = len(content)
    for _ in range(count):
        start = content.rfind(b"\n", 0, start - 1) + 1
    return content[start:]


def _is_well_quoted(record: str, separator: str) -> bool:
    return re.search(_quoting(separator).well_quoted, record) is not None


def _header(line: dict[str, object], path: str, wanted: Wanted, separator: str) -> list[str]:
    """The names of the columns, trimmed.

    Raises:
        InputRefused: if the line cannot be read, or a column is missing or there twice.
    """
    text, fault, number = str(line["record"]), line["fault"], int(str(line["source_line"]))
    if fault in (NOT_UTF8, HAS_NUL, TOO_LONG) or not _is_well_quoted(text, separator):
        reason = fault if fault not in (None, UNTERMINATED) else MISQUOTED
        raise InputRefused(
            f"{path}:{number}: the header cannot be read: {reason}. Expected the names of the columns, "
            "separated by commas, as UTF-8 text (UTF-16 is not read)."
        )
    names = [field.strip() for field in _fields(text, separator)]
    check_columns(names, path, number, wanted)
    return names


def _fields(record: str, separator: str) -> list[str]:
    """The fields of a well-quoted record, without their quotes."""
    quoting = _quoting(separator)
    return [
        field[1:-1].replace('""', '"') if field.startswith('"') else field
        for field in re.findall(f"(?:^|{quoting.comma})({quoting.field})", record)
    ]


def fields_of_line(line: str, separator: str = ",") -> list[str]:
    """The fields of a line as CSV has them; none where it is not well quoted."""
    return _fields(line, separator) if _is_well_quoted(line, separator) else []


def _csv_rows(lines: Lines, columns: Columns, wanted: Wanted, *, last: bool) -> tuple[pl.DataFrame, int]:
    """The rows of a block, and how many of its last lines are a record that may go on in the next.

    All lines are split at their commas, all at once. That is right for those that have as many fields as the
    header and no quotes; where most have quotes, those that are well quoted are read as such, all at once too. The
    others are looked at closely, and put where they stand.
    """
    has_quotes = b'"' in lines.content
    if has_quotes and lines.content.count(b'"') * SHARE_WITH_QUOTES >= lines.rows.height:
        fields, plain = _split_quoted(lines, columns, wanted)
    else:
        parts, plain = split_at_commas(lines, columns.width, columns.separator)
        fields = _wanted_fields(parts, columns, wanted)
        if has_quotes:
            plain &= ~lines.rows["record"].str.contains('"', literal=True)
    rows = lines.rows.hstack(fields)
    if plain.all():
        return rows, 0
    last_line = None if last else lines.before + rows.height
    others, held_lines = _records(lines.rows.filter(~plain), columns, wanted, last_line=last_line)
    where = others["source_line"] - (lines.before + 1)
    put = ("record", "fault", *wanted.columns)
    rows = rows.with_columns(rows[name].scatter(where, others[name]) for name in put)
    return rows.filter(plain.scatter(where, values=True)), held_lines


def _split_quoted(lines: Lines, columns: Columns, wanted: Wanted) -> tuple[pl.DataFrame, pl.Series]:
    """The fields of well quoted lines of the usual width, and which lines are; those of the others mean nothing."""
    record = pl.col("record")
    whole = record.str.contains(columns.usual_pattern) & (record != "")
    plain = lines.rows.select(whole & ~pl.lit(lines.odd)).to_series()
    content = lines.content
    if not plain.all():
        nothing = columns.separator * (columns.width - 1) or '""'
        records = lines.rows.select(pl.when(plain).then(record).otherwise(pl.lit(nothing))).to_series()
        content = records.str.join("\n").item().encode()
    return _well_quoted_fields(content, columns.width, columns, wanted), plain


def _wanted_fields(fields: pl.DataFrame, columns: Columns, wanted: Wanted) -> pl.DataFrame:
    # By position: the header may have several columns without a name.
    position = {name: str(columns.names.index(name)) for name in wanted.columns if name in columns.names}
    return fields.select(
        (pl.col(position[name]) if position.get(name) in fields.columns else pl.lit(None, pl.String)).alias(name)
        for name in wanted.columns
    )


def _records(
    others: pl.DataFrame, columns: Columns, wanted: Wanted, *, last_line: int | None
) -> tuple[pl.DataFrame, int]:
    """Judge and split lines that are not plain, and count those of a record that may go on in the next block.

    Args:
        others: Lines of a block, in the columns of `ROW`; each line that is not among them is a row by itself.
        columns: The columns of the file.
        wanted: The columns to read.
        last_line: The last line of the block; None where the file ends here.
    """
    judged = others.with_columns(whole=pl.col("record").str.contains(columns.row_pattern))
    spans: list[tuple[int, int]] = []
    end = judged.height
    if not judged["whole"].all():
        spans, end = _records_over_lines(judged, columns, last_line)
    within = pl.Series([line for first, after in spans for line in range(first, after)], dtype=pl.Int64)
    alone = judged.head(end).filter(~pl.int_range(pl.len()).is_in(within.implode()) & (pl.col("record") != ""))
    whole = alone.filter(pl.col("whole") & pl.col("fault").is_null())
    faulty = alone.filter(~pl.col("whole") | pl.col("fault").is_not_null())
    parts = [
        whole.select(*ROW).hstack(_split_well_quoted(whole["record"], columns, wanted)),
        _joined(judged, spans, columns, wanted),
        # Polars panics where `format` meets a column that begins with an empty chunk.
        without_fields(faulty.rechunk().with_columns(fault=_csv_fault(columns)), wanted),
    ]
    return pl.concat(parts), judged.height - end


def _csv_fault(columns: Columns) -> pl.Expr:
    """Why a line is no row, where nothing else was wrong with it."""
    record = pl.col("record")
    fields = record.str.replace_all(f'"{_QUOTED}"', "").str.count_matches(columns.separator, literal=True) + 1
    ragged = pl.format(f"{{}} fields {columns.expected}", fields)
    well_quoted = record.str.contains(_quoting(columns.separator).well_quoted)
    return pl.coalesce("fault", pl.when(well_quoted).then(ragged).otherwise(pl.lit(MISQUOTED)))


def _records_over_lines(
    judged: pl.DataFrame, columns: Columns, last_line: int | None
) -> tuple[list[tuple[int, int]], int]:
    """The records that go on over several lines, as (first line, line after), and where these lines end.

    They end before their end where a record may go on in the next block.
    """
    opens = pl.col("record").str.contains(_quoting(columns.separator).opens)
    opening = judged.select((~pl.col("whole") & opens).arg_true()).to_series()
    if opening.is_empty():
        return [], judged.height
    numbers, texts, whole = (judged[name].to_list() for name in ("source_line", "record", "whole"))
    spans: list[tuple[int, int]] = []
    free = 0
    for first in opening:
        if first < free:
            continue
        end = first + 1
        while end < min(first + MAX_RECORD_LINES, judged.height) and numbers[end] == numbers[end - 1] + 1:
            end += 1
        lines = _lines_of_record(texts[first:end], whole[first:end], columns)
        if lines is None and numbers[end - 1] == last_line:
            return spans, first
        if lines:
            free = first + lines
            spans.append((first, free))
    return spans, judged.height


def _lines_of_record(texts: list[str], whole: list[bool], columns: Columns) -> int | None:
    """How many lines make up the record that the first opens: 0 if they make none, None if more must tell."""
    still_open = _quoting(columns.separator).still_open
    for index in range(1, len(texts)):
        if whole[index]:
            return 0
        if not re.fullmatch(still_open, texts[index]):  # the last quote ends here, rightly or not
            return index + 1 if re.fullmatch(columns.row_pattern, "\n".join(texts[: index + 1])) else 0
    return None


def _joined(judged: pl.DataFrame, spans: list[tuple[int, int]], columns: Columns, wanted: Wanted) -> pl.DataFrame:
    """The rows that several lines make up; a fault in one of the lines is the row's."""
    numbers, texts, faults = (judged[name].to_list() for name in ROW)
    rows = []
    for first, after in spans:
        record = "\n".join(texts[first:after])
        fault = next(filter(None, faults[first:after]), None)
        fields = {} if fault else dict(zip(columns.names, _fields(record, columns.separator), strict=False))
        rows.append((numbers[first], record, fault, *map(fields.get, wanted.columns)))
    return pl.DataFrame(rows, schema=row_schema(wanted), orient="row")


def _split_well_quoted(records: pl.Series, columns: Columns, wanted: Wanted) -> pl.DataFrame:
    """Split records of one line each, known to be whole rows, at the commas outside of quotes."""
    if records.is_empty():
        return pl.DataFrame(schema=dict.fromkeys(wanted.columns, pl.String))
    # The first line tells the reader how many parts there are, so one that has all of them is put before it.
    every = columns.separator * (len(columns.names) - 1)
    content = records.str.join("\n").item()
    return _well_quoted_fields(f"{every}\n{content}".encode(), len(columns.names), columns, wanted).slice(1)


def _well_quoted_fields(content: bytes, width: int, columns: Columns, wanted: Wanted) -> pl.DataFrame:
    """The wanted fields of lines that are known to be whole rows of one line each, the first with all the fields."""
    asked = [place for place, name in enumerate(columns.names[:width]) if name in wanted.columns]
    fields = read_parts(content, width, quote_char='"', separator=columns.separator, wanted=asked)
    return _wanted_fields(fields, columns, wanted)

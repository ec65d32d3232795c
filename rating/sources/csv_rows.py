"""CSV: rows of fields, each judged on its own.

CSV is read as RFC 4180 has it, with LF or CRLF: a quote inside a field without quotes is a fault. A field in
quotes may hold line ends, but a quote that is never closed costs its own line alone: a record goes on over
further lines only if that gives as many fields as the header has, within 100 lines, none of them a whole
row by itself.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import polars as pl

from rating.sources.lines import read_lines
from rating.sources.rows import (
    HAS_NUL,
    MAX_RECORD_LINES,
    MISQUOTED,
    NOT_UTF8,
    ROW,
    TOO_LONG,
    UNTERMINATED,
    Wanted,
    check_columns,
    row_schema,
    without_fields,
)
from rating.sources.splitting import read_parts, split_at_commas
from schemas.errors import InputRefused

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from rating.sources.lines import Block, Lines

# Lines with quotes are taken all at once if at least one in so many has some.
SHARE_WITH_QUOTES = 8

_QUOTED = '[^"]*(?:""[^"]*)*'
_FIELD = f'(?:"{_QUOTED}"|[^",]*)'
_WELL_QUOTED = f"^{_FIELD}(?:,{_FIELD})*$"
_OPEN = f'^(?:{_FIELD},)*"{_QUOTED}$'
_STILL_OPEN = f'{_QUOTED}(?:",(?:{_FIELD},)*"{_QUOTED})?'


def csv_frames(
    blocks: Iterator[Block], path: str, wanted: Wanted, unknown: set[str], *, accept: bool
) -> Generator[pl.DataFrame, None, None]:
    """Frames of `row_schema` from blocks of lines; names the other columns in `unknown` as it goes."""
    header: list[str] = []
    held, lines_before = b"", 0
    for block in blocks:
        content = held + block.content if held else block.content
        if not header:
            line, content, lines_before = _first_line(content, lines_before, accept=accept)
            if line is None:
                continue
            header = _header(line, path, wanted)
            unknown.update({name for name in header if name} - set(wanted.columns))
        if not content:
            continue
        lines = read_lines(content, lines_before, accept=accept)
        rows, held_lines = _csv_rows(lines, header, wanted, last=block.last)
        held = _last_lines(content, held_lines)
        lines_before += lines.rows.height - held_lines
        if rows.height:
            yield rows


def _first_line(content: bytes, lines_before: int, *, accept: bool) -> tuple[dict[str, object] | None, bytes, int]:
    """The first line that is not empty, what follows it, and how many lines came until then."""
    while content:
        end = content.find(b"\n") + 1 or len(content)
        line = read_lines(content[:end], lines_before, accept=accept).rows.row(0, named=True)
        content, lines_before = content[end:], lines_before + 1
        if line["record"]:
            return line, content, lines_before
    return None, content, lines_before


def _last_lines(content: bytes, count: int) -> bytes:
    """The last lines of a block that ends with a line end."""
    start = len(content)
    for _ in range(count):
        start = content.rfind(b"\n", 0, start - 1) + 1
    return content[start:]


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
    check_columns(names, path, number, wanted)
    return names


def _fields(record: str) -> list[str]:
    """The fields of a well-quoted record, without their quotes."""
    return [
        field[1:-1].replace('""', '"') if field.startswith('"') else field
        for field in re.findall(f"(?:^|,)({_FIELD})", record)
    ]


def _csv_rows(lines: Lines, header: list[str], wanted: Wanted, *, last: bool) -> tuple[pl.DataFrame, int]:
    """The rows of a block, and how many of its last lines are a record that may go on in the next.

    All lines are split at their commas, all at once. That is right for those that have as many fields as the
    header, and quotes at most around whole fields; the others are looked at closely, and put where they stand.
    """
    fields, plain = split_at_commas(lines, len(header))
    if b'"' in lines.content:
        fields, plain = _without_quotes(lines, fields, plain)
    rows = lines.rows.hstack(_wanted_fields(fields, header, wanted))
    if plain.all():
        return rows, 0
    last_line = None if last else lines.before + rows.height
    others, held_lines = _records(lines.rows.filter(~plain), header, wanted, last_line=last_line)
    where = others["source_line"] - (lines.before + 1)
    put = ("record", "fault", *wanted.columns)
    rows = rows.with_columns(rows[name].scatter(where, others[name]) for name in put)
    return rows.filter(plain.scatter(where, values=True)), held_lines


def _without_quotes(lines: Lines, fields: pl.DataFrame, plain: pl.Series) -> tuple[pl.DataFrame, pl.Series]:
    """The fields without the quotes around them, and the plain lines: without quotes, or with no others than those.

    Where only a few lines have quotes, they are left to the close look.
    """
    record = lines.rows["record"]
    has_quotes = record.str.contains('"', literal=True)
    if has_quotes.sum() * SHARE_WITH_QUOTES < len(record):
        return fields, plain & ~has_quotes
    every = pl.all().str
    in_quotes = fields.select(every.starts_with('"') & every.ends_with('"') & (every.len_bytes() > 1))
    quotes = in_quotes.select(2 * pl.sum_horizontal(pl.all())).to_series()
    plain &= quotes == record.str.count_matches('"', literal=True)
    for name in fields.columns:
        inner = pl.col(name).str.slice(1).str.head(-1)
        if (in_quotes[name] | ~plain).all():
            fields = fields.with_columns(inner)
        elif in_quotes[name].any():
            fields = fields.with_columns(pl.when(in_quotes[name]).then(inner).otherwise(name))
    return fields, plain


def _wanted_fields(fields: pl.DataFrame, header: list[str], wanted: Wanted) -> pl.DataFrame:
    # By position: the header may have several columns without a name.
    position = {name: header.index(name) for name in wanted.columns if name in header}
    return fields.select(
        (pl.col(str(position[name])) if name in position else pl.lit(None, pl.String)).alias(name)
        for name in wanted.columns
    )


def _records(
    others: pl.DataFrame, header: list[str], wanted: Wanted, *, last_line: int | None
) -> tuple[pl.DataFrame, int]:
    """Judge and split lines that are not plain, and count those of a record that may go on in the next block.

    Args:
        others: Lines of a block, in the columns of `ROW`; each line that is not among them is a row by itself.
        header: The names of the columns.
        wanted: The columns to read.
        last_line: The last line of the block; None where the file ends here.
    """
    row_pattern = f"^{_FIELD}(?:,{_FIELD}){{{len(header) - 1}}}$"
    judged = others.with_columns(whole=pl.col("record").str.contains(row_pattern))
    spans: list[tuple[int, int]] = []
    end = judged.height
    if not judged["whole"].all():
        spans, end = _records_over_lines(judged, re.compile(row_pattern), last_line)
    within = pl.Series([line for first, after in spans for line in range(first, after)], dtype=pl.Int64)
    alone = judged.head(end).filter(~pl.int_range(pl.len()).is_in(within.implode()) & (pl.col("record") != ""))
    whole = alone.filter(pl.col("whole") & pl.col("fault").is_null())
    faulty = alone.filter(~pl.col("whole") | pl.col("fault").is_not_null())
    parts = [
        whole.select(*ROW).hstack(_split_well_quoted(whole["record"], header, wanted)),
        _joined(judged, spans, header, wanted),
        # Polars panics where `format` meets a column that begins with an empty chunk.
        without_fields(faulty.rechunk().with_columns(fault=_csv_fault(len(header))), wanted),
    ]
    return pl.concat(parts), judged.height - end


def _csv_fault(columns: int) -> pl.Expr:
    """Why a line is no row, where nothing else was wrong with it."""
    record = pl.col("record")
    fields = record.str.replace_all(f'"{_QUOTED}"', "").str.count_matches(",", literal=True) + 1
    ragged = pl.format(f"{{}} fields where the header has {columns}", fields)
    well_quoted = record.str.contains(_WELL_QUOTED)
    return pl.coalesce("fault", pl.when(well_quoted).then(ragged).otherwise(pl.lit(MISQUOTED)))


def _records_over_lines(
    judged: pl.DataFrame, row: re.Pattern[str], last_line: int | None
) -> tuple[list[tuple[int, int]], int]:
    """The records that go on over several lines, as (first line, line after), and where these lines end.

    They end before their end where a record may go on in the next block.
    """
    opening = judged.select((~pl.col("whole") & pl.col("record").str.contains(_OPEN)).arg_true()).to_series()
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
        lines = _lines_of_record(texts[first:end], whole[first:end], row)
        if lines is None and numbers[end - 1] == last_line:
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
    return pl.DataFrame(rows, schema=row_schema(wanted), orient="row")


def _split_well_quoted(records: pl.Series, header: list[str], wanted: Wanted) -> pl.DataFrame:
    """Split records of one line each, known to be whole rows, at the commas outside of quotes."""
    if records.is_empty():
        return pl.DataFrame(schema=dict.fromkeys(wanted.columns, pl.String))
    fields = read_parts(records.str.join("\n").item().encode(), len(header), quote_char='"')
    return _wanted_fields(fields, header, wanted)

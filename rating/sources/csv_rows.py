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
from schemas.errors import InputRefused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rating.sources.lines import Block

_QUOTED = '[^"]*(?:""[^"]*)*'
_FIELD = f'(?:"{_QUOTED}"|[^",]*)'
_WELL_QUOTED = f"^{_FIELD}(?:,{_FIELD})*$"
_OPEN = f'^(?:{_FIELD},)*"{_QUOTED}$'
_STILL_OPEN = f'{_QUOTED}(?:",(?:{_FIELD},)*"{_QUOTED})?'


def csv_frames(blocks: Iterator[Block], path: str, wanted: Wanted, unknown: set[str]) -> Iterator[pl.DataFrame]:
    """Frames of `row_schema` from blocks of lines; names the other columns in `unknown` as it goes."""
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
    check_columns(names, path, number, wanted)
    return names


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
        parts.append(without_fields(faulty.with_columns(fault=_csv_fault(len(header))), wanted))
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
    return pl.DataFrame(rows, schema=row_schema(wanted), orient="row")


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

"""Parquet: rows by batches, typed columns as they are, all others as text."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from rating.sources.files import is_compressed, open_bytes, reading
from rating.sources.lines import decode
from rating.sources.rows import NOT_UTF8, Wanted, check_columns
from schemas.errors import InputRefused

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

# A block takes the memory of several times what its rows hold, and there are some at work at once.
BATCH_ROWS = 250_000
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


def parquet_frames(path: str, wanted: Wanted, unknown: set[str]) -> Generator[pl.DataFrame, None, None]:
    """Frames of the wanted columns by batches of rows; names the other columns in `unknown`."""
    with reading(path), open_parquet(path) as parquet:
        schema = parquet.schema_arrow
        check_columns(schema.names, path, 0, wanted)
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
def open_parquet(path: str) -> Iterator[pq.ParquetFile]:
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
            columns[name], not_text = decode(plain)
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

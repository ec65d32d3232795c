"""Parquet: rows are numbered, text is checked, types that are exact are kept."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rating.mediation import record_text
from rating.sources import parquet_rows
from rating.sources import rows as reasons
from schemas.errors import InputRefused
from tests.sources.written import WANTED, found, outcome, read, rows_of, write

if TYPE_CHECKING:
    from pathlib import Path


def write_table(folder: Path, columns: dict[str, pa.Array], **options: object) -> Path:
    path = folder / "a.parquet"
    pq.write_table(pa.table(columns), path, **options)
    return path


def dirty(*values: bytes | None) -> pa.Array:
    """Text as a careless writer leaves it: what is said to be UTF-8 is not checked."""
    checked = pa.array(values, pa.binary())
    return pa.Array.from_buffers(pa.string(), len(checked), checked.buffers())


def test_parquet__rows_are_numbered_over_row_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = [str(number) for number in range(10)]
    path = write_table(tmp_path, {"a": pa.array(numbers), "b": pa.array(numbers)}, row_group_size=3)
    whole = read(found(path))
    assert outcome(whole) == [(row, number, number, None) for row, number in enumerate(numbers, start=1)]
    monkeypatch.setattr(parquet_rows, "BATCH_ROWS", 4)
    assert read(found(path)).equals(whole)


@pytest.mark.parametrize(
    ("column", "fields"),
    [
        (pa.array(["x", None, "é"]), ["x", None, "é"]),
        (pa.array(["x", None, "é"], pa.large_string()), ["x", None, "é"]),
        (pa.array(["x", "é", "x"]).dictionary_encode(), ["x", "é", "x"]),
        (pa.array([b"x", None, "é".encode()]), ["x", None, "é"]),
        (pa.array([1, None, 3]), [1, None, 3]),
        (pa.array([12.5, None, 0.1]), [12.5, None, 0.1]),
        (pa.array([Decimal("1.20"), None, Decimal("3.00")]), [Decimal("1.20"), None, Decimal("3.00")]),
        (pa.array([date(2026, 10, 1), None, None]), [date(2026, 10, 1), None, None]),
        (pa.array([datetime(2026, 10, 1), None, None]), [datetime(2026, 10, 1), None, None]),  # noqa: DTZ001
        (pa.nulls(3), [None, None, None]),
    ],
)
def test_parquet__columns_are_read_as_they_are(tmp_path: Path, column: pa.Array, fields: list[object]) -> None:
    rows = read(found(write_table(tmp_path, {"a": column, "b": column})))
    assert rows["a"].to_list() == fields
    assert rows["fault"].null_count() == 3


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", ["UTC", "Europe/Brussels", "+02:00", "America/St_Johns"])
def test_parquet__a_time_with_zone_is_an_instant_in_utc(tmp_path: Path, unit: str, zone: str) -> None:
    start = datetime(2026, 10, 31, 23, 30, tzinfo=UTC)
    column = pa.array([start, None], pa.timestamp(unit, zone))
    rows = read(found(write_table(tmp_path, {"a": column, "b": column})))
    assert rows.schema["a"] == pl.Datetime("us", "UTC")
    assert rows["a"].to_list() == [start, None]


def test_parquet__nanoseconds_are_cut(tmp_path: Path) -> None:
    column = pa.array([1_790_841_600_123_456_999], pa.timestamp("ns", "UTC"))
    rows = read(found(write_table(tmp_path, {"a": column, "b": column})))
    assert rows["a"].item() == datetime(2026, 10, 1, 8, 0, 0, 123_456, tzinfo=UTC)


def test_parquet__text_that_is_not_utf8_costs_its_row(tmp_path: Path) -> None:
    columns = {"a": dirty(b"1", b"\xff", b"3", None), "b": dirty(b"x", b"y", b"z", b"w"),
               "note": dirty(b"", b"", b"\xc3", b"")}  # fmt: skip
    rows = read(found(write_table(tmp_path, columns)))
    assert outcome(rows) == [(1, "1", "x", None), (2, reasons.NOT_UTF8), (3, reasons.NOT_UTF8), (4, None, "w", None)]
    assert json.loads(record_text(rows)[1]) == {"a": "\ufffd", "b": "y", "note": ""}


def test_parquet__the_record_is_the_whole_row(tmp_path: Path) -> None:
    columns = {
        "b": pa.array(["x"]),
        "a": pa.array([datetime(2026, 10, 1, 8, tzinfo=UTC)]),
        "blob": pa.array([b"\xff"]),
        "cost": pa.array([Decimal("1.20")]),
        "nested": pa.array([[b"\xff"]]),
    }
    rows = rows_of(found(write_table(tmp_path, columns)))
    (frame,) = rows.frames
    record = json.loads(record_text(frame).item())
    assert {name: record[name] for name in ("b", "blob", "cost")} == {"b": "x", "blob": "\ufffd", "cost": "1.20"}
    assert datetime.fromisoformat(record["a"]) == datetime(2026, 10, 1, 8, tzinfo=UTC)
    assert rows.unknown_columns == {"blob", "cost", "nested"}


def test_parquet__a_file_without_rows(tmp_path: Path) -> None:
    empty = pa.array([], pa.string())
    assert read(found(write_table(tmp_path, {"a": empty, "b": empty}))).is_empty()


@pytest.mark.parametrize(
    ("columns", "because"),
    [
        ({"a": pa.array(["x"])}, "b: missing"),
        ({"a": pa.array(["x"]), "b": pa.array([["x"]])}, "column b holds list"),
        ({"a": pa.array(["x"]), "b": pa.array(["x"]), "c": pa.array([{"d": 1}])}, "column c holds struct"),
    ],
)
def test_parquet__columns_that_do_not_fit_refuse_the_file(
    tmp_path: Path, columns: dict[str, pa.Array], because: str
) -> None:
    with pytest.raises(InputRefused, match=r"a\.parquet") as refused:
        read(found(write_table(tmp_path, columns)))
    told = [str(refused.value), *(problem.sentence() for problem in refused.value.problems)]
    assert because in " ".join(told)


@pytest.mark.parametrize("damage", ["empty", "text", "cut", "magic"])
def test_parquet__a_damaged_file_is_refused_by_name(tmp_path: Path, damage: str) -> None:
    whole = write_table(tmp_path, {"a": pa.array(["x"]), "b": pa.array(["y"])}).read_bytes()
    content = {"empty": b"", "text": b"a,b\nx,y\n", "cut": whole[:-20], "magic": whole[:-1] + b"X"}[damage]
    with pytest.raises(InputRefused, match=r"damaged\.parquet: the file cannot be read"):
        read(write(tmp_path, "damaged.parquet", content))


def test_parquet__a_flipped_byte_in_a_page_is_found_by_its_checksum(tmp_path: Path) -> None:
    column = pa.array([f"value {number}" for number in range(1000)])
    path = write_table(tmp_path, {"a": column, "b": column}, write_page_checksum=True, compression="none")
    content = bytearray(path.read_bytes())
    content[content.index(b"value 500")] ^= 1
    path.write_bytes(content)
    with pytest.raises(InputRefused, match=r"a\.parquet: the file cannot be read"):
        read(found(path))


def test_parquet__may_be_compressed_once_more(tmp_path: Path) -> None:
    whole = write_table(tmp_path, {"a": pa.array(["x"]), "b": pa.array(["y"])}).read_bytes()
    assert outcome(read(write(tmp_path, "b.parquet.gz", gzip.compress(whole, mtime=0)))) == [(1, "x", "y", None)]
    assert WANTED.columns == ("a", "b", "c")

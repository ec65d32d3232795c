"""Writes the platform tables and call records of any size: the same for the same sizes and seed.

`python -m tests.bench.generate OUT --calls 10_000_000` makes `OUT/platform/*.csv` and `OUT/cdrs/*.parquet`; memory
does not grow with the calls, which are drawn a file at a time.
"""

from __future__ import annotations

import argparse
import gzip
import shutil
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

import polars as pl
import pyarrow as pa

from tests.bench.calls import late_calls, month_files
from tests.bench.parties import Size, World, build_world

if TYPE_CHECKING:
    from collections.abc import Iterable
    from contextlib import AbstractContextManager

FORMATS = ("parquet", "csv", "csv.gz", "csv.zst", "ndjson", "ndjson.gz", "ndjson.zst")
USERS_AT_MOST, USERS_PER_CUSTOMER = 40_000, 20


def sized(calls: int, customers: int, users: int | None, prefixes: int, seed: int) -> Size:
    """The size of a world; users by the number of customers where nothing is said."""
    return Size(
        calls, customers, users or max(customers, min(USERS_AT_MOST, USERS_PER_CUSTOMER * customers)), prefixes, seed
    )


def write_world(folder: Path, world: World, cdr_format: str = "parquet") -> None:
    """Write the platform's tables and the month's files; what is there already is replaced."""
    write_platform(folder / "platform", world)
    cdrs = folder / "cdrs"
    shutil.rmtree(cdrs, ignore_errors=True)
    write_files(cdrs, "month", month_files(world), cdr_format)


def write_platform(folder: Path, world: World) -> None:
    """Write each table as CSV."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in world.tables.items():
        table.write_csv(folder / f"{name}.csv")


def write_late(folder: Path, world: World, count: int, *, customers: int | None = None) -> None:
    """Write calls of the month that come after it, in one file."""
    write_files(folder, "late", [late_calls(world, count, customers=customers)], "parquet")


def write_files(folder: Path, stem: str, frames: Iterable[pl.DataFrame], cdr_format: str) -> None:
    """Write each frame to a file of its own, in the order of their names."""
    folder.mkdir(parents=True, exist_ok=True)
    for place, frame in enumerate(frames):
        write_records(frame, folder / f"{stem}-{place:04d}.{cdr_format}")


def write_records(records: pl.DataFrame, path: Path) -> None:
    """Write records in the format that the name says; times in text are RFC 3339."""
    if path.suffix == ".parquet":
        records.write_parquet(path)
        return
    text = records.with_columns(pl.col("start").dt.to_string("%Y-%m-%dT%H:%M:%S%.3fZ"))
    with _opened(path) as stream:
        if ".csv" in path.suffixes:
            text.write_csv(stream)
        else:
            text.write_ndjson(stream)


def _opened(path: Path) -> AbstractContextManager[IO[bytes]]:
    """A file to write to, compressed as its name says; without the time of day in it."""
    if path.suffix == ".gz":
        return cast("AbstractContextManager[IO[bytes]]", gzip.GzipFile(path, "wb", compresslevel=6, mtime=0))
    if path.suffix == ".zst":
        return cast("AbstractContextManager[IO[bytes]]", pa.CompressedOutputStream(str(path), "zstd"))
    return path.open("wb")


def main() -> None:
    """The command."""
    whole = int  # reads 10_000_000 too
    parser = argparse.ArgumentParser(prog="python -m tests.bench.generate", description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--calls", type=whole, default=1_000_000)
    parser.add_argument("--customers", type=whole, default=2_000)
    parser.add_argument("--users", type=whole, help="20 a customer and 40,000 at most, if left out")
    parser.add_argument("--prefixes", type=whole, default=30_000, help="rows of the decks in force on one day")
    parser.add_argument("--seed", type=whole, default=1)
    parser.add_argument("--format", choices=FORMATS, default="parquet", help="of the call records")
    parser.add_argument("--late", type=whole, default=0, help="also write OUT/late with so many calls that come after")
    asked = parser.parse_args()
    world = build_world(sized(asked.calls, asked.customers, asked.users, asked.prefixes, asked.seed))
    write_world(asked.out, world, asked.format)
    if asked.late:
        write_late(asked.out / "late", world, asked.late)


if __name__ == "__main__":
    main()

"""Parquet files of a store, read by their paths: no path is a pattern, and no folder in it a column."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from pathlib import Path


def read_parquet(paths: Path | list[Path], columns: list[str] | None = None) -> pl.DataFrame:
    """A file, or several with the same columns one after the other: all columns, or those asked for."""
    return pl.read_parquet(paths, columns=columns, hive_partitioning=False, glob=False)


def scan_parquet(path: Path) -> pl.LazyFrame:
    """A file of which only what is asked for is read."""
    return pl.scan_parquet(path, hive_partitioning=False, glob=False)

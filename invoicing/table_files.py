"""Tables as files: Parquet, CSV, newline-delimited JSON and sheets, written whole or not at all."""

from __future__ import annotations

import os
from datetime import datetime
from typing import TYPE_CHECKING

import polars as pl

from invoicing.formulas import neutralised
from invoicing.store import Store, write_whole
from rating.money import MICRO
from schemas.errors import InputRefused

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# What somebody typed.
FREE_TEXT = ("description", "detail", "record", "reason", "name", "label", "vat_number")
LARGEST_SHEET_ROWS = 1_048_575
FORMATS = (".parquet", ".csv", ".ndjson", ".xlsx")
# A workbook carries a moment; it is always this one, so that equal tables are equal bytes.
SHEET_CREATED = datetime(2026, 1, 1)  # noqa: DTZ001 - the format has no zone
DECIMAL = pl.Decimal(38, 6)


def decimal(micro: str) -> pl.Expr:
    """Millionths as a decimal of 6 places, exactly."""
    return pl.col(micro).cast(DECIMAL) / pl.lit(MICRO).cast(DECIMAL)


def require_target(store: Store, target: Path, formats: tuple[str, ...] = FORMATS) -> None:
    """A file can be written there.

    Raises:
        InputRefused: for another format, a folder that is not there, or a place inside the store.
    """
    if target.suffix.lower() not in formats:
        raise InputRefused(f"{target}: expected a file name that ends in {', '.join(formats)}")
    if not target.parent.is_dir():
        raise InputRefused(f"{target.parent}: there is no such folder; make it first, or write elsewhere")
    _require_outside(store, target)


def require_folder(store: Store, folder: Path) -> None:
    """Files can be written into a folder, or it can be made for them.

    Raises:
        InputRefused: where a file is in its place, it may not be written into, or it is the store or inside of it.
    """
    _require_outside(store, folder)
    there = next(place for place in (folder, *folder.resolve().parents) if place.exists())
    if not there.is_dir():
        raise InputRefused(f"{there}: this is a file, expected a folder; write elsewhere")
    if not os.access(there, os.W_OK | os.X_OK):
        raise InputRefused(f"{there}: this folder may not be written into; write elsewhere, or change its rights")


def _require_outside(store: Store, target: Path) -> None:
    """What is written for a person is not put among the store's files."""
    if store.root.resolve() in (target.resolve(), *target.resolve().parents):
        raise InputRefused(f"{target}: this is inside the store, which keeps its own files only; write elsewhere")


def write_target(target: Path, writer: Callable[[Path], object]) -> None:
    """Write a file that belongs to the user.

    Raises:
        InputRefused: where the disk does not let us.
    """
    try:
        write_whole(target, writer)
    except OSError as error:
        raise InputRefused(
            f"{target}: cannot be written ({error.strerror or error}); write elsewhere, or free some space"
        ) from None


def write_table(frame: pl.DataFrame, table: str, target: Path) -> None:
    """Write a table to a file in the format that its name says.

    Raises:
        InputRefused: where a sheet does not hold its rows, or the file cannot be written.
    """
    suffix = target.suffix.lower()
    if suffix == ".xlsx" and frame.height > LARGEST_SHEET_ROWS:
        raise InputRefused(
            f"{target}: a sheet holds {LARGEST_SHEET_ROWS} rows and {table} has {frame.height}; "
            "write .csv or .parquet instead"
        )
    writers: dict[str, Callable[[Path], object]] = {
        ".parquet": frame.write_parquet,
        ".csv": lambda path: as_text(neutralised(frame, FREE_TEXT)).write_csv(path),
        ".ndjson": lambda path: as_text(frame).write_ndjson(path),
        ".xlsx": lambda path: _write_sheet(frame, table, path),
    }
    write_target(target, writers[suffix])


def as_text(frame: pl.DataFrame) -> pl.DataFrame:
    """Times, dates and decimals as text: `2026-10-01T08:00:00.000Z`, `2026-10-01`, no trailing zeros."""
    columns = []
    for name, dtype in frame.schema.items():
        if isinstance(dtype, pl.Datetime):
            columns.append(pl.col(name).dt.to_string("%Y-%m-%dT%H:%M:%S%.3fZ"))
        elif dtype == pl.Date:
            columns.append(pl.col(name).dt.to_string("%Y-%m-%d"))
        elif dtype.is_decimal():
            columns.append(pl.col(name).cast(pl.String).str.strip_chars_end("0").str.strip_chars_end("."))
    return frame.with_columns(columns)


def _write_sheet(frame: pl.DataFrame, table: str, path: Path) -> None:
    """One sheet with a header; numbers as numbers, and no clock in the file's properties."""
    import xlsxwriter  # noqa: PLC0415 - no other export needs it

    with xlsxwriter.Workbook(str(path), {"strings_to_formulas": False, "strings_to_urls": False}) as book:
        book.set_properties({"created": SHEET_CREATED})
        shown = frame.with_columns(pl.col(pl.Decimal).cast(pl.Float64))
        as_text(shown).write_excel(book, worksheet=table, autofit=True, freeze_panes=(1, 0))

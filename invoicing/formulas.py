"""Spreadsheet formulas: what somebody typed must not be calculated by a spreadsheet that opens a CSV."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterable

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def neutralised(frame: pl.DataFrame, free_text: Iterable[str]) -> pl.DataFrame:
    """Free text that a spreadsheet would calculate gets an apostrophe in front; typed columns keep their text."""
    dangerous = [name for name in free_text if name in frame.columns]
    return frame.with_columns(
        pl.when(pl.any_horizontal(*(pl.col(name).str.starts_with(start) for start in FORMULA_STARTS)))
        .then("'" + pl.col(name))
        .otherwise(pl.col(name))
        .alias(name)
        for name in dangerous
    )

"""The shape of a frame: its columns and their types, in order."""

from __future__ import annotations

import polars as pl

Schema = dict[str, pl.DataType | type[pl.DataType]]

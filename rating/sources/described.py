"""Any other CSV: records whose columns and formats a person describes in a TOML file.

The description is the source of the knowledge here: it says which column is billed (`duration_s`), how times and
durations are written, what the file's words mean, and which records are left out, each under its reason.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import polars as pl

from rating.mediation import UTC_MICROSECONDS
from rating.sources.native import NATIVE
from rating.sources.rows import Layout, Wanted
from rating.sources.source import Source, Unreadable, native_rows
from rating.sources.stamps import (
    EXPECTED_EPOCH,
    clock_seconds,
    epoch_milliseconds,
    epoch_seconds,
    in_utc,
    whole_seconds_of_milliseconds,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME = "csv"
AS_WRITTEN = "rfc3339"
EPOCHS = {"epoch_s": epoch_seconds, "epoch_ms": epoch_milliseconds}
SECONDS, CLOCK, MILLISECONDS = DURATIONS = ("seconds", "hh:mm:ss", "milliseconds")
SHORT = 8
# Of these several columns of the file may make one.
JOINED = ("call_id", "start")


@dataclass(frozen=True, slots=True)
class Skip:
    """Records that are left out.

    Attributes:
        column: The column that tells.
        reason: Why they are left out.
        words: What the column is in them, or is not in them where `others` is set.
        others: Whether it is all but the words.
        pattern: What the column matches in them, where no words are given.
    """

    column: str
    reason: str
    words: tuple[str, ...] = ()
    others: bool = False
    pattern: str = ""

    @property
    def where(self) -> pl.Expr:
        """Which records these are."""
        text = pl.col(self.column).fill_null("").str.strip_chars()
        if self.pattern:
            return text.str.contains(self.pattern)
        return ~text.is_in(self.words) if self.others else text.is_in(self.words)


@dataclass(frozen=True, slots=True)
class Description:
    """A CSV file as a person describes it.

    Attributes:
        columns: The columns of the file that make each native one.
        constants: What stands in a native column in every record.
        separator: What stands between two fields.
        positions: How many columns are looked at, where the file has no header and they are numbered from 1.
        zone: The zone of local times.
        start: `rfc3339`, one of `EPOCHS`, or a pattern such as %d/%m/%Y %H:%M:%S.
        duration: One of `DURATIONS`.
        words: What the words of the file mean, by native column.
        skips: The records that are left out.
    """

    columns: Mapping[str, tuple[str, ...]]
    constants: Mapping[str, str]
    separator: str
    positions: int
    zone: str
    start: str
    duration: str
    words: Mapping[str, Mapping[str, str]]
    skips: tuple[Skip, ...]

    def in_zone(self, zone: str) -> Description:
        """The same with its local times in another zone."""
        return replace(self, zone=zone)

    def source(self, sha256: str) -> Source:
        """The source that reads such files; the SHA-256 is that of the description, which is known by it."""
        asked = [column for columns in self.columns.values() for column in columns]
        wanted = Wanted("cdrs", tuple(dict.fromkeys([*asked, *(skip.column for skip in self.skips)])))
        names = tuple(str(place + 1) for place in range(self.positions))
        layout = Layout(separator=self.separator, names=names, least=self.positions)
        zone = "" if self.start in (AS_WRITTEN, *EPOCHS) or "%z" in self.start else self.zone
        return Source(f"{NAME}:{sha256[:SHORT]}", wanted, partial(_to_native, description=self), layout, zone=zone)


def _to_native(rows: pl.DataFrame, *, description: Description) -> pl.DataFrame:
    """Records in the native form."""
    columns = description.columns
    fields: dict[str, pl.Expr | pl.Series] = {name: pl.lit(text) for name, text in description.constants.items()}
    fields |= {name: pl.col(columns[name][0]) for name in columns if name not in JOINED}
    fields |= {name: pl.concat_str(columns[name], separator=" ") for name in JOINED if name in columns}
    unreadable: list[Unreadable] = []
    for name, meanings in description.words.items():
        (column,) = columns[name]
        meant = pl.col(column).str.strip_chars().replace_strict(dict(meanings), default=None, return_dtype=pl.String)
        unreadable.append(Unreadable(column, meant.is_null(), f"one of {', '.join(meanings)}"))
        fields[name] = meant
    start = _start(rows, pl.concat_str(columns["start"], separator=" ").str.strip_chars(), description)
    if start is not None:
        words = (
            EXPECTED_EPOCH if description.start in EPOCHS else f"a time as {description.start} of {description.zone}"
        )
        unreadable.append(Unreadable(columns["start"][0], start.is_null(), words))
        fields["start"] = start
    if description.duration != SECONDS:
        (column,) = columns["duration_s"]
        read = clock_seconds if description.duration == CLOCK else whole_seconds_of_milliseconds
        duration = read(pl.col(column).str.strip_chars())
        unreadable.append(Unreadable(column, duration.is_null(), description.duration))
        fields["duration_s"] = duration
    skipped: dict[str, pl.Expr] = {}
    for skip in description.skips:
        skipped[skip.reason] = skipped.get(skip.reason, pl.lit(value=False)) | skip.where
    return native_rows(
        rows,
        skipped=skipped,
        unreadable=tuple(unreadable),
        **{name: field for name, field in fields.items() if name in NATIVE.columns},
    )


def _start(rows: pl.DataFrame, text: pl.Expr, description: Description) -> pl.Series | None:
    """The starts; None where they are read as they are written."""
    if description.start == AS_WRITTEN:
        return None
    if description.start in EPOCHS:
        return rows.select(EPOCHS[description.start](text).alias("start"))["start"]
    if "%z" in description.start:
        instant = text.str.to_datetime(description.start, time_unit="us", time_zone="UTC", strict=False, cache=False)
        return rows.select(instant.cast(UTC_MICROSECONDS).alias("start"))["start"]
    local = text.str.to_datetime(description.start, time_unit="us", strict=False, cache=False)
    return in_utc(rows, local, description.zone)

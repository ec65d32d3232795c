"""What the program makes of a file of any format, row by row, as tests compare it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rating.sources.files import find_files
from rating.sources.formats import choose_formats
from rating.sources.native import NATIVE
from rating.sources.source_rows import read_source

if TYPE_CHECKING:
    from pathlib import Path

BRUSSELS = "Europe/Brussels"


class Row(NamedTuple):
    """A record: its line, what became of it, why it was skipped, and its native fields as text."""

    source_line: int
    verdict: str
    reason: str = ""
    fields: tuple[str, ...] = ("",) * 7


def taken(source_line: int, **fields: str) -> Row:
    return Row(source_line, "taken", "", tuple(fields.get(name, "") for name in NATIVE.columns))


def native_rows_of(
    path: Path, named: str, timezone: str | None = None, *, block_bytes: int = 1 << 20, unterminated: str = "quarantine"
) -> list[Row]:
    """The records of a file as the sources give them, before mediation."""
    formats = choose_formats(named, timezone, BRUSSELS)
    (file,) = find_files([str(path)], formats.naming).files
    rows = read_source(file, formats.source_for(file), unterminated_last_line=unterminated, block_bytes=block_bytes)
    return [_row(record) for frame in rows.frames for record in frame.to_dicts()]


def _row(record: dict[str, object]) -> Row:
    line = int(str(record["source_line"]))
    if record["fault"] is not None:
        return Row(line, "malformed")
    if record.get("skipped") is not None:
        return Row(line, "skipped", str(record["skipped"]))
    fields = {name: "" if record[name] is None else str(record[name]) for name in NATIVE.columns}
    start = record["start"]
    if start is not None and not isinstance(start, str):
        fields["start"] = f"{start:%Y-%m-%dT%H:%M:%S.%f}".rstrip("0").rstrip(".") + "Z"
    return taken(line, **fields)

"""The formats that are known, and which of them a file is in: as it is told, or by its first lines."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from rating.sources import asterisk, broadworks, cucm, freeswitch, fusionpbx, kamailio, three_cx
from rating.sources.csv_rows import fields_of_line
from rating.sources.described import NAME as DESCRIBED
from rating.sources.files import FoundFile, Naming, reading, sha256_of
from rating.sources.lines import FIRST_BLOCK_BYTES, read_lines, text_blocks
from rating.sources.native import NATIVE
from rating.sources.parquet_rows import open_parquet
from rating.sources.rows import check_columns
from rating.sources.source import NATIVE_FORMAT, Head, Options, Source
from rating.sources.source_file import description_of, load_format, settings_of, zone_exists
from schemas.errors import InputRefused

if TYPE_CHECKING:
    from collections.abc import Callable

AUTO = "auto"
SUFFIX = ".toml"
FIRST_LINES = 10
SHOWN_CHARACTERS = 80
# A header that names so many of the native columns is meant to be one.
ENOUGH_COLUMNS = 3


class Format(NamedTuple):
    """A format that is known by name.

    Attributes:
        recognises: Whether the first lines of a file are of it.
        source: The source as it reads a file.
        settings: The names of its own settings.
        files: A pattern of the names that the platform gives its files; empty where their ending says enough.
    """

    recognises: Callable[[Head], bool]
    source: Callable[[Options, Head], Source]
    settings: tuple[str, ...]
    files: str = ""


FORMATS = {
    asterisk.NAME: Format(asterisk.recognises, asterisk.source, asterisk.SETTINGS),
    freeswitch.NAME: Format(freeswitch.recognises, freeswitch.source, freeswitch.SETTINGS),
    fusionpbx.NAME: Format(fusionpbx.recognises, fusionpbx.source, fusionpbx.SETTINGS),
    broadworks.NAME: Format(broadworks.recognises, broadworks.source, broadworks.SETTINGS),
    kamailio.NAME: Format(kamailio.recognises, kamailio.source, kamailio.SETTINGS),
    cucm.NAME: Format(cucm.recognises, cucm.source, cucm.SETTINGS, cucm.FILES),
    three_cx.NAME: Format(three_cx.recognises, three_cx.source, three_cx.SETTINGS, three_cx.FILES),
}
NAMES = (AUTO, NATIVE_FORMAT, *FORMATS)
# With these the lines of a format are others than it has by default.
OF_THE_LAYOUT = ("template", "columns")
_NATIVE_SOURCE = Source(NATIVE_FORMAT, NATIVE, lambda rows: rows)


@dataclass(frozen=True, slots=True)
class Formats:
    """Which format the files of a reading are in.

    Attributes:
        name: `auto`, or the name of a format.
        options: What its source is told.
        described: The source of files that are described.
    """

    name: str
    options: Options
    described: Source | None = None

    @property
    def naming(self) -> Naming:
        """Which files are read, by their names."""
        known = FORMATS.values() if self.name == AUTO else [FORMATS[self.name]] if self.name in FORMATS else []
        texts = "|".join(one.files for one in known if one.files)
        return Naming(texts, any_named=self.name not in (AUTO, NATIVE_FORMAT))

    def source_for(self, file: FoundFile) -> Source:
        """The source that reads a file.

        Raises:
            InputRefused: if the file cannot be read, or its first lines are of no format, of more than one, or of
                another than the one named.
        """
        if self.name == NATIVE_FORMAT:
            return _NATIVE_SOURCE
        if self.described:
            return self.described
        head = head_of(file)
        if self.name == AUTO:
            return _source_of(head, self.options)
        known = FORMATS[self.name]
        if not head.empty and not known.recognises(head) and not set(self.options.own) & set(OF_THE_LAYOUT):
            raise InputRefused(
                f"{file.path}: its first lines are not of the format {self.name} (the first: {head.shown!r}). "
                f"Leave it out, or name another format; --format {AUTO} looks for one."
            )
        return known.source(self.options, head)


def choose_formats(named: str, timezone: str | None, local: str) -> Formats:
    """The formats of a reading.

    Args:
        named: `auto`, `native`, the name of a format, or the path of a TOML file.
        timezone: The zone of local stamps, where one was named.
        local: The operator's own zone.

    Raises:
        InputRefused: if there is no such format or zone, or the file cannot be used.
    """
    if timezone is not None and not zone_exists(timezone):
        raise InputRefused(f"--timezone {timezone}: expected a time zone that exists, such as Europe/Brussels or UTC")
    if not named.endswith(SUFFIX):
        if named not in NAMES:
            raise InputRefused(f"--format {named}: expected one of {', '.join(NAMES)}, or a file FILE{SUFFIX}")
        if named == NATIVE_FORMAT and timezone is not None:
            raise InputRefused(f"--timezone {timezone}: the times of the native form tell their zone; leave it out")
        return Formats(named, Options(timezone, local))
    judged = load_format(Path(named))
    name = judged.text(judged.document.get("format"), "format", DESCRIBED)
    if name == DESCRIBED:
        description = description_of(judged, local)
        return Formats(
            name, Options(timezone, local), description.in_zone(timezone or description.zone).source(sha256_of(named))
        )
    if name not in FORMATS:
        judged.refuse("format", name, f"expected {DESCRIBED} or one of {', '.join(FORMATS)}")
        judged.settle()
    zone = judged.zone()
    own = settings_of(judged, FORMATS[name].settings)
    return Formats(name, Options(timezone or zone, local, own))


def head_of(file: FoundFile) -> Head:
    """The first lines of a file; of Parquet the names of its columns.

    Raises:
        InputRefused: if it cannot be read.
    """
    if file.format == "parquet":
        with reading(file.path), open_parquet(file.path) as parquet:
            names = tuple(parquet.schema_arrow.names)
        return Head(file.path, (names,), frozenset(), ", ".join(names), empty=False)
    with closing(text_blocks(FoundFile(file.path, file.format), FIRST_BLOCK_BYTES)) as blocks:
        content = next(blocks).content
    lines = read_lines(content, 0, accept=True).rows.filter(pl.col("record") != "") if content else None
    records = [] if lines is None else lines["record"].head(FIRST_LINES).to_list()
    fields = tuple(tuple(field.strip() for field in fields_of_line(record)) for record in records)
    members = next(filter(None, map(_members, records)), frozenset[str]())
    shown = records[0][:SHOWN_CHARACTERS] if records else ""
    return Head(file.path, fields, members, shown, empty=not records)


def _members(record: str) -> frozenset[str]:
    if not record.lstrip().startswith("{"):
        return frozenset()
    try:
        document = json.loads(record)
    except (ValueError, RecursionError):
        return frozenset()
    return frozenset(map(str, document)) if isinstance(document, dict) else frozenset()


def _is_native(head: Head) -> bool:
    return "call_id" in head.names or len(head.names & set(NATIVE.columns)) >= ENOUGH_COLUMNS


def _source_of(head: Head, options: Options) -> Source:
    """The one source whose format the first lines are of.

    Raises:
        InputRefused: if there is none, or more than one.
    """
    found = [name for name, known in FORMATS.items() if known.recognises(head)]
    native = _is_native(head)
    if len(found) + native > 1:
        names = " or ".join([NATIVE_FORMAT] * native + found)
        raise InputRefused(f"{head.path}: its first lines could be {names}; say which with --format")
    if found:
        return FORMATS[found[0]].source(options, head)
    if not native and any(head.names):
        _refuse_unknown(head)
    return _NATIVE_SOURCE


def _refuse_unknown(head: Head) -> None:
    """Refuse a file of no format, with what it lacks to be in the native form."""
    try:
        check_columns(sorted(head.members) or list(head.lines[0]), head.path, 1, NATIVE)
    except InputRefused as lacking:
        raise InputRefused(
            f"{head.path}: its first lines are of no format that is known (the first: {head.shown!r}). Expected a "
            f"header with the native columns, or records of {', '.join(FORMATS)}; name the format with --format, or "
            f"describe it in a TOML file (--format FILE{SUFFIX}).",
            lacking.problems,
        ) from lacking

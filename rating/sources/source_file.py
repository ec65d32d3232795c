"""The TOML file that `--format FILE.toml` names: the settings of a source, or the description of any other CSV."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import polars as pl

from rating.sources.described import AS_WRITTEN, DURATIONS, EPOCHS, JOINED, SECONDS, Description, Skip
from rating.sources.native import NATIVE
from rating.sources.rows import ROW
from rating.sources.settings_file import read_toml
from schemas.errors import InputRefused, Problem

if TYPE_CHECKING:
    from pathlib import Path

TABLE = "format"
KEYS = ("format", "timezone", "separator", "header", "columns", "constants", "formats", "words", "skip")
SKIP_KEYS = ("column", "is", "is_not", "matches", "reason")
FORMAT_KEYS = ("start", "duration_s")
MUST_BE_COLUMNS = ("call_id", "start", "duration_s")


class Judged:
    """One reading of a document: what it gives, and all that is wrong with it."""

    def __init__(self, path: Path, document: Mapping[str, object]) -> None:
        """Begin to judge a document."""
        self.document = document
        self._path = path
        self._problems: list[Problem] = []

    def refuse(self, place: str, found: object, expected: str) -> None:
        """Note what is wrong."""
        self._problems.append(Problem(TABLE, str(self._path), 0, place, "" if found is None else str(found), expected))

    def settle(self) -> None:
        """Refuse the document where anything was wrong.

        Raises:
            InputRefused: with all of it.
        """
        if self._problems:
            raise InputRefused(f"{self._path} cannot be used", tuple(self._problems))

    def known(self, found: Mapping[str, object], names: Sequence[str], place: str = "") -> None:
        """Refuse the keys that are not known, each with the known one it resembles most."""
        for key in found:
            if key not in names:
                near = difflib.get_close_matches(key, names, n=1, cutoff=0.0)
                expected = f"did you mean {near[0]}?" if near else "this format has no settings but timezone"
                self.refuse(f"{place}{key}", None, f"there is no such key; {expected}")

    def section(self, key: str) -> Mapping[str, object]:
        """A section; an empty one where it is absent or wrong."""
        found = self.document.get(key, {})
        if isinstance(found, Mapping):
            return found
        self.refuse(key, found, f"expected a section [{key}]")
        return {}

    def text(self, found: object, place: str, default: str = "") -> str:
        """A text; empty where it is wrong."""
        if found is None:
            return default
        if isinstance(found, str) and found:
            return found
        self.refuse(place, found, "expected a text in quotes")
        return default

    def texts(self, found: object, place: str) -> tuple[str, ...]:
        """A text or a list of texts."""
        entries = [found] if isinstance(found, str) else found
        if isinstance(entries, list) and entries and all(isinstance(entry, str) for entry in entries):
            return tuple(entries)
        self.refuse(place, found, "expected a text in quotes, or a list of them")
        return ()

    def zone(self) -> str | None:
        """The zone of local times."""
        name = self.text(self.document.get("timezone"), "timezone")
        if name and not zone_exists(name):
            self.refuse("timezone", name, "expected a time zone that exists, such as Europe/Brussels")
        return name or None


def zone_exists(name: str) -> bool:
    """Whether there is a time zone of this name."""
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        return False
    return True


def load_format(path: Path) -> Judged:
    """Read the file.

    Raises:
        InputRefused: if it is missing, unreadable or no TOML.
    """
    return Judged(path, read_toml(path, TABLE))


def settings_of(judged: Judged, settings: Sequence[str]) -> dict[str, object]:
    """The settings of a source that is known by name: texts and lists of texts.

    Raises:
        InputRefused: with all that is wrong in the file.
    """
    judged.known(judged.document, ("format", "timezone", *settings))
    own = {name: judged.texts(judged.document[name], name) for name in settings if name in judged.document}
    judged.settle()
    return {name: found[0] if isinstance(judged.document[name], str) else found for name, found in own.items()}


def description_of(judged: Judged, timezone: str) -> Description:
    """The description of any other CSV; `timezone` is the zone where the file names none.

    Raises:
        InputRefused: with all that is wrong in the file.
    """
    judged.known(judged.document, KEYS)
    has_header = judged.document.get("header", True)
    if not isinstance(has_header, bool):
        judged.refuse("header", has_header, "expected true or false")
    columns = _columns(judged, has_header=bool(has_header))
    skips = _skips(judged, has_header=bool(has_header))
    asked = [*(column for names in columns.values() for column in names), *(skip.column for skip in skips)]
    for column in sorted(set(asked) & set(ROW)):
        judged.refuse("columns", column, "a column of this name cannot be read; rename it in the file")
    formats = judged.section("formats")
    judged.known(formats, FORMAT_KEYS, "formats.")
    description = Description(
        columns=columns,
        constants=_constants(judged, columns),
        separator=_separator(judged),
        positions=0 if has_header else max((int(column) for column in asked), default=0),
        zone=judged.zone() or timezone,
        start=_start_format(judged, formats),
        duration=_duration_format(judged, formats),
        words=_words(judged, columns),
        skips=skips,
    )
    judged.settle()
    return description


def _separator(judged: Judged) -> str:
    separator = judged.text(judged.document.get("separator"), "separator", ",")
    if len(separator) != 1 or not separator.isascii() or separator in '"\r\n':
        judged.refuse("separator", separator, 'expected one character, such as ";" or "\\t"')
    return separator


def _column(judged: Judged, found: object, place: str, *, has_header: bool) -> str:
    """A column as it is asked for: by its name, or its number."""
    if has_header and isinstance(found, str) and found.strip():
        return found.strip()
    if not has_header and isinstance(found, int) and not isinstance(found, bool) and 0 < found <= 1000:  # noqa: PLR2004
        return str(found)
    expected = "the name of a column, as the header has it" if has_header else "the number of a column, from 1"
    judged.refuse(place, found, f"expected {expected}")
    return "1"


def _columns(judged: Judged, *, has_header: bool) -> dict[str, tuple[str, ...]]:
    found = judged.section("columns")
    judged.known(found, NATIVE.columns, "columns.")
    columns = {}
    for name in NATIVE.columns:
        if name not in found:
            continue
        entry = found[name]
        several = entry if isinstance(entry, list) and entry and name in JOINED else [entry]
        columns[name] = tuple(_column(judged, one, f"columns.{name}", has_header=has_header) for one in several)
    constants = judged.section("constants")
    for name in NATIVE.required:
        if name not in columns and (name in MUST_BE_COLUMNS or name not in constants):
            judged.refuse(f"columns.{name}", None, "missing: which column of the file is it?")
            columns[name] = ("1",)
    return columns


def _constants(judged: Judged, columns: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    found = judged.section("constants")
    judged.known(found, NATIVE.columns, "constants.")
    for name in found:
        if name in columns and name in judged.section("columns"):
            judged.refuse(f"constants.{name}", found[name], "it is a column already; keep one")
    return {name: judged.text(text, f"constants.{name}") for name, text in found.items()}


def _start_format(judged: Judged, formats: Mapping[str, object]) -> str:
    pattern = judged.text(formats.get("start"), "formats.start", AS_WRITTEN)
    if pattern in (AS_WRITTEN, *EPOCHS):
        return pattern
    whole = "%" in pattern and all(re.search(f"%[{letters}]", pattern) for letters in ("Yy", "mbB", "de", "HI"))
    if whole:
        try:
            pl.Series(["x"]).str.to_datetime(pattern, strict=False, time_unit="us")
        except pl.exceptions.PolarsError:
            whole = False
    if not whole:
        words = f"expected {AS_WRITTEN}, {', '.join(EPOCHS)}, or a pattern with day and time, as in %d/%m/%Y %H:%M:%S"
        judged.refuse("formats.start", pattern, words)
    return pattern


def _duration_format(judged: Judged, formats: Mapping[str, object]) -> str:
    name = judged.text(formats.get("duration_s"), "formats.duration_s", SECONDS)
    if name not in DURATIONS:
        judged.refuse("formats.duration_s", name, f"expected one of {', '.join(DURATIONS)}")
    return name


def _words(judged: Judged, columns: Mapping[str, tuple[str, ...]]) -> dict[str, dict[str, str]]:
    words: dict[str, dict[str, str]] = {}
    for name, found in judged.section("words").items():
        place = f"words.{name}"
        if name not in columns or name in MUST_BE_COLUMNS:
            judged.refuse(place, None, "expected the name of a native column under [columns], such as direction")
        elif not isinstance(found, Mapping) or not all(isinstance(meant, str) for meant in found.values()):
            judged.refuse(place, None, 'expected what each word means, as in OUT = "outgoing"')
        else:
            words[name] = {str(word): str(meant) for word, meant in found.items()}
    return words


def _skips(judged: Judged, *, has_header: bool) -> tuple[Skip, ...]:
    found = judged.document.get("skip", [])
    if not isinstance(found, list) or not all(isinstance(entry, Mapping) for entry in found):
        judged.refuse("skip", None, "expected a section [[skip]] for each kind of record that is left out")
        return ()
    return tuple(
        _skip(judged, entry, f"skip[{number}].", has_header=has_header) for number, entry in enumerate(found, 1)
    )


def _skip(judged: Judged, entry: Mapping[str, object], place: str, *, has_header: bool) -> Skip:
    judged.known(entry, SKIP_KEYS, place)
    column = _column(judged, entry.get("column"), f"{place}column", has_header=has_header)
    if "reason" not in entry:
        judged.refuse(f"{place}reason", None, "missing: why are these records left out?")
    reason = judged.text(entry.get("reason"), f"{place}reason", "left out")
    told = [key for key in ("is", "is_not", "matches") if key in entry]
    if len(told) != 1:
        judged.refuse(place.rstrip("."), None, "expected one of is, is_not, matches")
        return Skip(column, reason)
    if told == ["matches"]:
        pattern = judged.text(entry["matches"], f"{place}matches")
        try:
            pl.Series([""]).str.contains(pattern)
        except pl.exceptions.PolarsError:
            judged.refuse(f"{place}matches", pattern, "expected a regular expression")
        return Skip(column, reason, pattern=pattern)
    # An empty text is a word too: the field says nothing.
    words = (entry[told[0]],) if entry[told[0]] == "" else judged.texts(entry[told[0]], f"{place}{told[0]}")
    return Skip(column, reason, words=tuple(map(str, words)), others=told == ["is_not"])

"""The settings file `centime.toml`."""

from __future__ import annotations

import re
import tomllib
from decimal import Decimal
from typing import TYPE_CHECKING

from schemas.errors import InputRefused, Problem
from schemas.settings import FILE_NAME, Settings, parse_settings

if TYPE_CHECKING:
    from pathlib import Path


def load_settings(path: Path | None) -> Settings:
    """Read the settings; without a path, all of them have their defaults.

    Raises:
        InputRefused: if the file is missing, unreadable or no TOML, or with all that is wrong in it.
    """
    if path is None:
        return Settings()
    try:
        written = path.read_bytes().decode("utf-8-sig")
    except OSError as unreadable:
        words = f"cannot be read ({unreadable.strerror})"
        raise _refused(path, 0, words) from unreadable
    except UnicodeDecodeError as undecodable:
        line = undecodable.object[: undecodable.start].count(b"\n") + 1
        raise _refused(path, line, "expected UTF-8 text") from undecodable
    try:
        document = tomllib.loads(written, parse_float=Decimal)
    except tomllib.TOMLDecodeError as invalid:
        place = re.search(r"at line ([0-9]+)", str(invalid))
        raise _refused(path, int(place[1]) if place else 0, f"is no TOML: {invalid}") from invalid
    return parse_settings(document, file=str(path))


def _refused(path: Path, line: int, expected: str) -> InputRefused:
    return InputRefused(f"{path} cannot be used", (Problem(FILE_NAME, str(path), line, "", "", expected),))

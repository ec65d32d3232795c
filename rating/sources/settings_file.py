"""The settings file `centime.toml`."""

from __future__ import annotations

import re
import tomllib
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from schemas.errors import InputRefused, Problem
from schemas.settings import FILE_NAME, Settings, parse_settings

if TYPE_CHECKING:
    from pathlib import Path

DATA_URI = "data:"


def load_settings(path: Path | None) -> Settings:
    """Read the settings; without a path, all of them have their defaults.

    The logo is read too, from its path relative to the file's folder, so that the settings hold all that
    documents are made of.

    Raises:
        InputRefused: if the file is missing, unreadable or no TOML, or with all that is wrong in it.
    """
    if path is None:
        return Settings()
    document = read_toml(path, FILE_NAME)
    _read_logo(document, path)
    return parse_settings(document, file=str(path))


def read_toml(path: Path, table: str) -> dict[str, Any]:
    """A TOML file, its numbers with decimals as Decimal; `table` is the kind of input that a refusal names.

    Raises:
        InputRefused: if the file is missing, unreadable or no TOML.
    """
    try:
        written = path.read_bytes().decode("utf-8-sig")
    except OSError as unreadable:
        words = f"cannot be read ({unreadable.strerror})"
        raise _refused(path, 0, words, table) from unreadable
    except UnicodeDecodeError as undecodable:
        line = undecodable.object[: undecodable.start].count(b"\n") + 1
        raise _refused(path, line, "expected UTF-8 text", table) from undecodable
    try:
        return tomllib.loads(written, parse_float=Decimal)
    except tomllib.TOMLDecodeError as invalid:
        place = re.search(r"at line ([0-9]+)", str(invalid))
        raise _refused(path, int(place[1]) if place else 0, f"is no TOML: {invalid}", table) from invalid


def _read_logo(document: dict[str, Any], path: Path) -> None:
    """Put the logo's image in the place of its path; what is no path is left to be refused with the rest."""
    supplier = document.get("supplier")
    named = supplier.get("logo") if isinstance(supplier, dict) else None
    if not isinstance(supplier, dict) or not isinstance(named, str) or not named.strip():
        return
    if named.startswith(DATA_URI):
        return
    from rating.sources.logo_file import LogoRefused, logo_data_uri  # noqa: PLC0415 - few commands have a logo to read

    try:
        supplier["logo"] = logo_data_uri(path.parent / named.strip())
    except LogoRefused as refused:
        problem = Problem(FILE_NAME, str(path), 0, "supplier.logo", named, str(refused))
        raise InputRefused(f"{path} cannot be used", (problem,)) from refused


def _refused(path: Path, line: int, expected: str, table: str) -> InputRefused:
    return InputRefused(f"{path} cannot be used", (Problem(table, str(path), line, "", "", expected),))

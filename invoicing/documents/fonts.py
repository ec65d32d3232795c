"""The fonts of the documents: those of two packages and of this one, and none of the machine's.

Fontconfig is given a configuration of its own before WeasyPrint is loaded, so this module stands first wherever
that is used. A document is then the same on each machine, whatever is installed there.
"""

from __future__ import annotations

import os
import unicodedata
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import fontpkg_fira_sans
import fontpkg_fira_sans_condensed

if TYPE_CHECKING:
    from collections.abc import Iterable

FOLDER = Path(__file__).parent / "fonts"
os.environ["FONTCONFIG_FILE"] = str(FOLDER / "fonts.conf")
# They would lead elsewhere all the same.
for _name in ("FONTCONFIG_PATH", "FONTCONFIG_SYSROOT"):
    os.environ.pop(_name, None)

from weasyprint.text.ffi import ffi, fontconfig, pangoft2  # noqa: E402
from weasyprint.text.fonts import FontConfiguration  # noqa: E402

# Latin, Greek and Cyrillic; the letters of the other scripts, of which there is one face, come from a cut of DejaVu.
OTHER_SCRIPTS = FOLDER / "DejaVuSans-OtherScripts.ttf"
_SANS = Path(fontpkg_fira_sans.ROOT) / "files"
_CONDENSED = Path(fontpkg_fira_sans_condensed.ROOT) / "files"
REGULAR = _SANS / "FiraSans-Regular.ttf"
FACES = (REGULAR, _SANS / "FiraSans-SemiBold.ttf", _CONDENSED / "FiraSansCondensed-Regular.ttf")
TEXT_FAMILY = '"Fira Sans", "DejaVu Sans", sans-serif'
FIGURE_FAMILY = '"Fira Sans Condensed", "DejaVu Sans", sans-serif'
REPLACEMENT = "\ufffd"


class FontMissingError(RuntimeError):
    """A font file of the installation is not there, or is none."""


@cache
def document_fonts() -> FontConfiguration:
    """The fonts of this process.

    Raises:
        FontMissingError: if a file of an installed package is not there.
    """
    fonts = FontConfiguration()
    for face in FACES:
        if not fontconfig.FcConfigAppFontAddFile(fonts._config, os.fsencode(face)):  # noqa: SLF001 - as WeasyPrint does
            raise FontMissingError(f"{face} cannot be used as a font; install the program again")
    pangoft2.pango_fc_font_map_config_changed(ffi.cast("PangoFcFontMap *", fonts.font_map))
    return fonts


@cache
def letters() -> frozenset[str]:
    """Every character that one of the fonts has a glyph for."""
    from fontTools.ttLib import TTFont  # noqa: PLC0415 - few documents ask

    found: set[str] = set()
    for file in (REGULAR, OTHER_SCRIPTS):
        with TTFont(file, lazy=True) as font:
            found.update(map(chr, font.getBestCmap()))
    return frozenset(found)


def writable(text: str) -> str:
    """The text as the fonts can write it: what has no glyph is shown as one that says so.

    A PDF/A document shows no character without a glyph (ISO 19005-3, 6.2.11.8).
    """
    if text.isascii() or letters().issuperset(text):
        return text
    return "".join(each if each in letters() or each.isspace() else _replacement(each) for each in text)


def unwritable(texts: Iterable[str]) -> list[str]:
    """Those of the texts of which `writable` leaves something out, each once."""
    return sorted({text for text in texts if REPLACEMENT in writable(text) and REPLACEMENT not in text})


def _replacement(character: str) -> str:
    """Nothing for what only changes the character before it."""
    return "" if unicodedata.category(character) in {"Mn", "Me", "Cf"} else REPLACEMENT

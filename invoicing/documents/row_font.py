"""The font of the call detail: measured and cut down once per process, then put into each PDF as it is.

The rows are text of one byte a character: ASCII stands for itself, so that most of a row needs no translation,
and the other bytes, written as escapes, are those of Windows-1252 or named in `EXTRA`. A small CMap leads from
the byte to the glyph, whatever kind of font it is. A text with any other character, or one this font has no
glyph for, is not for this font: `covers` tells.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from functools import cache, lru_cache
from itertools import product
from typing import TYPE_CHECKING, Any

import pydyf
from weasyprint import HTML

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from weasyprint.text.fonts import FontConfiguration

EXTRA = {0x81: "\u2190", 0x8D: "\u202f", 0x8F: "\u2007", 0x90: "\u2011"}
# Where the font has no glyph for these, another is as good in a row.
STAND_INS = {"\u202f": "\u00a0", "\u2011": "-"}
BLANKS = " \u00a0\u202f\u2007"
# To move to the right with: as wide as the font size, a digit, a space, what stands between thousands, and hardly.
FILLING = "\u2003\u2007\u00a0\u202f\u200a"
# In a text that is laid out, HarfBuzz makes the blanks that a font has no glyph for from these parts of the space
# and of the font size (hb-ot-shape-fallback.cc).
NARROW_OF_SPACE, EM, HAIR = 1 / 2, 1000, 1000 / 16
# So near to its end, in thousandths of the font size, a text stands there: a thirtieth of a millimetre.
NEAR = 12
_SOFT_HYPHEN = "\u00ad"  # it is there to be left out
_CODES = {EXTRA.get(code, bytes([code]).decode("cp1252", "replace")): code for code in range(0x20, 0x100)}
CHARACTERS = tuple(character for character in _CODES if character not in f"\x7f{_SOFT_HYPHEN}\ufffd")
_ESCAPES = str.maketrans(
    {
        character: character if character.isascii() and character not in "\\()" else f"\\{code:03o}"
        for character, code in _CODES.items()
    }
)
_SPECIMEN = """<style>@page {{ size: 200mm 2000mm; margin: 0 }}
p {{ margin: 0; font: 10px {family}; font-variant-numeric: tabular-nums; font-kerning: none;
font-variant-ligatures: none; white-space: pre }}</style>{lines}"""
_CMAP = """/CIDInit /ProcSet findresource begin
12 dict begin
begincmap
/CIDSystemInfo << /Registry (Adobe) /Ordering ({ordering}) /Supplement 0 >> def
/CMapName /{name} def
/CMapType {kind} def
1 begincodespacerange
<00> <ff>
endcodespacerange
{entries}
endcmap
CMapName currentdict /CMap defineresource pop
end
end"""


@dataclass(frozen=True, slots=True)
class RowFont:
    """A font to write rows with; advances, ascent and descent in thousandths of the font size.

    Attributes:
        advances: By character, of those it can write.
        laid_out: The same where WeasyPrint sets the text, with the blanks that are made there.
        glyphs: The font's own number of each.
        ascent: Above the base line.
        descent: Below it, negative.
        name: As PDF knows it.
        kind: `ttf` or `otf`.
        file: The font's file, with these glyphs only, deflated.
        file_bytes: Its length before that.
    """

    advances: dict[str, int]
    laid_out: dict[str, int]
    glyphs: dict[str, int]
    ascent: int
    descent: int
    name: bytes
    kind: str
    file: bytes = field(repr=False)
    file_bytes: int

    def covers(self, text: str) -> bool:
        """Whether it has each character of a text."""
        return self.advances.keys() >= set(text)

    def width(self, text: str) -> int:
        """The width of a text that it covers, in thousandths of the font size."""
        return sum(map(self.advances.__getitem__, text))

    def fitting(self, text: str, width: int) -> str:
        """The text, or as much of its beginning as fits in a width with an ellipsis after it."""
        if self.width(text) <= width:
            return text
        left = width - self.advances["\u2026"]
        for place, character in enumerate(text):
            left -= self.advances[character]
            if left < 0:
                return f"{text[:place].rstrip()}\u2026"
        return text

    def in_columns(self, texts: Sequence[str], ends: Sequence[int]) -> str:
        """The texts as one, each with blanks before it so that it ends there, or `NEAR` there.

        It is for WeasyPrint to set, in this font or, where that lacks a character, near enough to it.
        """
        advances = tuple(self.laid_out[blank] for blank in FILLING)
        line: list[str] = []
        pen = 0
        for text, end in zip(texts, ends, strict=True):
            width = sum(self.laid_out.get(character, advances[0]) for character in text)
            blanks, left = _blanks(max(0, end - pen - width), advances)
            line += (blanks, text)
            pen = max(end - left, pen + width)
        return "".join(line)

    def embed(self, pdf: pydyf.PDF) -> bytes:
        """Put the font into a PDF; gives the reference of its dictionary."""
        program = _added(pdf, pydyf.Stream([self.file], {"Filter": "/FlateDecode", **self._file_facts()}))
        widths = {self.glyphs[character]: advance for character, advance in self.advances.items()}
        descriptor = pydyf.Dictionary({
            "Type": "/FontDescriptor", "FontName": self.name, "Flags": 4, "ItalicAngle": 0, "StemV": 80,
            "FontBBox": pydyf.Array([0, self.descent, max(widths.values()), self.ascent]),
            "Ascent": self.ascent, "Descent": self.descent, "CapHeight": self.ascent,
            "FontFile3" if self.kind == "otf" else "FontFile2": program,
        })  # fmt: skip
        identity = pydyf.Dictionary({
            "Registry": pydyf.String("Adobe"), "Ordering": pydyf.String("Identity"), "Supplement": 0,
        })  # fmt: skip
        descendant = pydyf.Dictionary({
            "Type": "/Font", "Subtype": "/CIDFontType0" if self.kind == "otf" else "/CIDFontType2",
            "BaseFont": self.name, "CIDSystemInfo": identity, "FontDescriptor": _added(pdf, descriptor),
            "W": pydyf.Array(part for glyph in sorted(widths) for part in (glyph, pydyf.Array([widths[glyph]]))),
        })  # fmt: skip
        if self.kind != "otf":
            descendant["CIDToGIDMap"] = "/Identity"
        facts = {"Type": "/CMap", "CMapName": "/Rows", "CIDSystemInfo": identity}
        to_glyphs = ((_CODES[character], str(glyph)) for character, glyph in self.glyphs.items())
        to_text = ((_CODES[character], f"<{ord(character):04x}>") for character in self.glyphs)
        font = pydyf.Dictionary({
            "Type": "/Font", "Subtype": "/Type0", "BaseFont": self.name,
            "Encoding": _added(pdf, _cmap("Rows", "Identity", 1, "cidchar", to_glyphs, facts)),
            "ToUnicode": _added(pdf, _cmap("Text", "UCS", 2, "bfchar", to_text, {})),
            "DescendantFonts": pydyf.Array([_added(pdf, descendant)]),
        })  # fmt: skip
        return _added(pdf, font)

    def _file_facts(self) -> dict[str, object]:
        return {"Subtype": "/OpenType"} if self.kind == "otf" else {"Length1": self.file_bytes}


def escaped(text: str) -> str:
    """A text that the font covers as it stands between the parentheses of a PDF string: in ASCII."""
    return text.translate(_ESCAPES)


@lru_cache(maxsize=1 << 12)
def _blanks(width: int, advances: tuple[int, ...]) -> tuple[str, int]:
    """As few blanks as come near to a width, or as near as any do; and how much is left."""
    em, digit, space, narrow, hair = advances
    found = []
    for counts in product(range(2), range(4), range(5), range(4)):
        # An em less, and more of the others, leaves another rest to the hairs.
        fewer, digits, spaces, narrows = counts
        left = width - digits * digit - spaces * space - narrows * narrow
        ems = max(0, left // em - fewer)
        hairs, left = divmod(left - ems * em, hair)
        if hairs >= 0:
            filling = (ems, digits, spaces, narrows, hairs)
            found.append((max(left, NEAR), sum(filling), left, filling))
    *_, left, filling = min(found)
    return "".join(blank * count for blank, count in zip(FILLING, filling, strict=True)), left


def _added(pdf: pydyf.PDF, entry: pydyf.Object) -> bytes:
    pdf.add_object(entry)
    return bytes(entry.reference)


def _cmap(
    name: str, ordering: str, kind: int, entry: str, codes: Iterable[tuple[int, str]], facts: dict[str, object]
) -> pydyf.Stream:
    lines = [f"<{code:02x}> {target}" for code, target in sorted(codes)]
    blocks = [f"{len(block)} begin{entry}\n" + "\n".join(block) + f"\nend{entry}" for block in _in_hundreds(lines)]
    text = _CMAP.format(name=name, ordering=ordering, kind=kind, entries="\n".join(blocks))
    return pydyf.Stream([text.encode("ascii")], facts, compress=True)


def _in_hundreds(lines: Sequence[str]) -> Iterator[Sequence[str]]:
    """A CMap takes a hundred entries at once."""
    return (lines[start : start + 100] for start in range(0, len(lines), 100))


@cache
def row_font(family: str, fonts: FontConfiguration) -> RowFont:
    """The font of a family, by letting WeasyPrint set every character there is a code for.

    Args:
        family: As in CSS. Characters for which the system takes another font are not covered.
        fonts: The fonts of this process.
    """
    found: list[Any] = []

    def take(document: Any, _: pydyf.PDF) -> None:  # noqa: ANN401 - WeasyPrint carries no types
        found.extend(document.fonts.values())

    # A line of blanks alone would not be set.
    lines = "".join(f"<p>&#{ord(each)};{'.' if each in BLANKS else ''}</p>" for each in CHARACTERS)
    HTML(string=_SPECIMEN.format(family=family, lines=lines)).write_pdf(finisher=take, font_config=fonts)
    font = max(found, key=lambda each: len(each.to_unicode))
    glyphs = {text: glyph for glyph, text in sorted(font.to_unicode.items(), reverse=True) if text in _CODES}
    for text, other in STAND_INS.items():
        glyphs.setdefault(text, glyphs[other])
    advances = {text: font.widths[glyph] for text, glyph in glyphs.items()}
    return RowFont(
        advances=advances,
        laid_out=advances | {"\u202f": round(advances[" "] * NARROW_OF_SPACE), "\u2003": EM, "\u200a": round(HAIR)},
        glyphs=glyphs,
        ascent=font.ascent,
        descent=font.descent,
        name=font.name,
        kind=font.type,
        file=zlib.compress(font.file_content, 9),
        file_bytes=len(font.file_content),
    )

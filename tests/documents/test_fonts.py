"""The fonts: every European script is written, by fonts of the packages alone, and what none has is told."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fontTools.ttLib import TTFont
from printed import reader_of, text_of
from sample_documents import CUSTOMER, document, full_document, line

from invoicing.documents.fonts import FACES, OTHER_SCRIPTS, unwritable, writable
from invoicing.documents.making import make_files
from schemas.settings import DocumentSettings

SCRIPTS = {
    "latin": "Þórður Ţăranul Őrség Łódź Ķekava Ghaħ Žižkov İstanbul Ǧ Ẁ",
    "greek": "Ελληνική Εταιρεία Ὅμηρος",
    "cyrillic": "Българска Україна Србија Њ Ѓ Қазақстан",
    "armenian": "Հայաստանի ընկերություն",
    "georgian": "საქართველოს კომპანია",
    "hebrew": "חברה",
    "arabic": "الشركة",
}


@pytest.mark.parametrize("script", SCRIPTS)
def test_fonts__names_in_every_script_are_written(script: str, caplog: pytest.LogCaptureFixture) -> None:
    name = SCRIPTS[script]
    assert writable(name) == name
    with caplog.at_level("WARNING"):
        text = text_of(document([line("recurring", name, 1000)], customer=replace(CUSTOMER, name=name)))
    assert caplog.messages == []
    letters = [letter for letter in name if not letter.isspace()]
    assert all(text.count(letter) >= 2 for letter in letters if script != "arabic")


def test_fonts__none_but_ours_is_embedded() -> None:
    invoice = document([line("recurring", " ".join(SCRIPTS.values()), 1000)], calls=full_document(4).calls)
    names = {
        str(font.get_object()["/BaseFont"]).partition("+")[2]
        for page in reader_of(invoice).pages
        for font in page["/Resources"]["/Font"].values()
    }
    assert names == {"Fira-Sans", "Fira-Sans-Semi-Bold", "Fira-Sans-Condensed,-Condensed", "DejaVu-Sans"}


def test_fonts__the_faces_have_the_same_letters() -> None:
    letters = set()
    for face in FACES:
        with TTFont(face, lazy=True) as font:
            letters.add(frozenset(font.getBestCmap()))
    assert len(letters) == 1
    with TTFont(OTHER_SCRIPTS, lazy=True) as font:
        # Only a space is in both.
        assert {chr(code) for code in font.getBestCmap()} & set(map(chr, letters.pop())) == {" ", "\u00a0"}


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("Café 12 €", "Café 12 €"),
        ("北京 Ltd", "\ufffd\ufffd Ltd"),
        ("A\ufe0f\u200bB", "A\u200bB"),  # what only changes the letter before is left out
        ("a\u3000b\nc", "a\u3000b\nc"),  # a blank needs no glyph
        ("😀", "\ufffd"),
    ],
)
def test_fonts__what_none_has_a_glyph_for_is_shown_as_that(text: str, written: str) -> None:
    assert writable(text) == written


def test_fonts__what_is_shown_otherwise_is_told() -> None:
    invoice = document([line("recurring", "Abonnement", 1000)], customer=replace(CUSTOMER, name="北京 Ltd"))
    assert "\ufffd\ufffd Ltd" in text_of(invoice)
    assert make_files(invoice, DocumentSettings()).told == (
        "no font of the documents has every character of '北京 Ltd'; the others are shown as \ufffd",
    )
    assert make_files(full_document(4), DocumentSettings()).told == ()
    assert unwritable(["北京", "北京", "x", "\ufffd"]) == ["北京"]

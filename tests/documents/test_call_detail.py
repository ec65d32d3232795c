# ruff: noqa: RUF001 - what is printed has the dashes and apostrophes of its language
"""The call detail: what it says, where it stands, and what becomes of texts its font cannot write or hold."""

from __future__ import annotations

import io
import re
import subprocess
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from pypdf import PdfReader
from sample_documents import CUSTOMER, call, calls_of, document, full_document, line, many_calls

from invoicing.documents.call_detail import Geometry, call_detail_of, page_operators
from invoicing.documents.fonts import FIGURE_FAMILY, document_fonts
from invoicing.documents.pdf import render_pdf
from invoicing.documents.row_font import BLANKS, FILLING, NEAR, RowFont, escaped, row_font
from invoicing.documents.words import LANGUAGES, language

if TYPE_CHECKING:
    from invoicing.documents.model import InvoiceDocument

NOON = datetime(2026, 10, 5, 12, 0, 0)  # noqa: DTZ001 - local time
FIRST_PAGE = [line("recurring", "Abonnement", 1000)]
COLUMNS = {
    "date": (0, 5000), "time": (6000, 10_000), "called_number": (11_000, 20_000), "zone": (21_000, 40_000),
    "duration": (40_000, 46_000), "in_pack": (46_000, 52_000), "out_of_pack": (52_000, 60_000),
    "amount": (60_000, 70_000),
}  # fmt: skip


@pytest.fixture(scope="module")
def font() -> RowFont:
    return row_font(FIGURE_FAMILY, document_fonts())


def with_calls(rows: list[dict[str, object]], **fields: object) -> InvoiceDocument:
    return document(FIRST_PAGE, calls=calls_of(rows), **fields)


def detail_pages(invoice: InvoiceDocument, first: int = 1) -> list[list[str]]:
    """The lines of text of each page of the detail, in the order in which they stand in the file."""
    pages = PdfReader(io.BytesIO(render_pdf(invoice))).pages[first:]
    return [[" ".join(text.split()) for text in page.extract_text().split("\n")] for page in pages]


def lines_of(invoice: InvoiceDocument) -> list[str]:
    return [text for page in detail_pages(invoice) for text in page]


# What it says


def test_calls__are_grouped_by_user_in_their_order_with_sums() -> None:
    found = lines_of(
        with_calls(
            [
                call(NOON, user_id="U-2", duration_s=3_723, pack_s=3_600, charged_s=123, amount_cents=17),
                call(NOON.replace(hour=13), user_id=None, callee="1307", amount_cents=123_456),
                call(NOON.replace(hour=14), user_id="U-2", duration_s=59, pack_s=59, amount_cents=3),
            ]
        )
    )
    start = found.index("Utilisateur U-2")
    assert found[start:] == [
        "Utilisateur U-2",
        "05/10/2026 12:00:00 +32470123456 Mobile Belgique 1:02:03 1:00:00 0:02:03 0,17",
        "05/10/2026 14:00:00 +32470123456 Mobile Belgique 0:00:59 0:00:59 – 0,03",
        "Sous-total, appels : 2 1:03:02 1:00:59 0:02:03 0,20",
        "Sans utilisateur",
        "05/10/2026 13:00:00 1307 Mobile Belgique 0:01:00 0:01:00 – 1 234,56",
        "Sous-total, appels : 1 0:01:00 0:01:00 – 1 234,56",
        "Page 2 / 2",
    ]


def test_calls__an_incoming_call_shows_who_called() -> None:
    found = lines_of(
        with_calls(
            [
                call(NOON, direction="incoming", caller="anonymous", callee="+3280012345", zone="Libre appel"),
                call(NOON, direction="incoming", caller="+32470000000", callee="+3280012345", zone="Libre appel"),
            ]
        )
    )
    assert "05/10/2026 12:00:00 ← anonyme Libre appel 0:01:00 0:01:00 – 0,00" in found
    assert "05/10/2026 12:00:00 ← +32470000000 Libre appel 0:01:00 0:01:00 – 0,00" in found
    assert any("← appel entrant" in text for text in found)


@pytest.mark.parametrize("code", LANGUAGES)
def test_calls__days_and_amounts_are_the_languages(code: str) -> None:
    customer = type(CUSTOMER)(**{name: getattr(CUSTOMER, name) for name in CUSTOMER.__slots__} | {"language": code})
    found = lines_of(with_calls([call(NOON, amount_cents=123_456)], customer=customer))
    speech = language(code)
    amount = speech.amount(123_456).replace("\u202f", " ")
    assert f"{speech.day(NOON.date())} 12:00:00 +32470123456 Mobile Belgique 0:01:00 0:01:00 – {amount}" in found


# Where it stands


@pytest.mark.parametrize("count", [1, 2, 59, 60, 61, 62, 119, 120, 121, 122, 123, 500])
def test_calls__every_page_names_the_user_and_none_holds_the_sums_alone(count: int) -> None:
    calls = [call(NOON + timedelta(seconds=number), callee=f"+324700{number:05d}") for number in range(count)]
    pages = detail_pages(with_calls(calls))
    numbers = []
    for number, page in enumerate(pages, 2):
        assert f"Page {number} / {len(pages) + 1}" in page
        assert any(text.startswith("Date Heure Numéro appelé Destination Durée") for text in page)
        start = page.index("Utilisateur U-1")
        shown = [re.findall(r"\+324700(\d{5}) ", text) for text in page[start + 1 :]]
        assert shown[0], "a page without a call"
        numbers += [found for texts in shown for found in texts]
    assert numbers == [f"{number:05d}" for number in range(count)]
    assert sum(text.startswith("Sous-total") for page in pages for text in page) == 1


def test_calls__no_user_is_named_at_the_foot_of_a_page() -> None:
    for count in range(54, 62):
        calls = [call(NOON + timedelta(seconds=number)) for number in range(count)]
        pages = detail_pages(with_calls([*calls, *(call(NOON, user_id="U-2") for _ in range(9))]))
        for page in pages:
            named = [place for place, text in enumerate(page) if text.startswith("Utilisateur")]
            assert all("05/10/2026" in page[place + 1] for place in named)


def test_calls__figures_end_where_their_heads_do(font: RowFont) -> None:
    """The pen of each text ends at the right of its column, to a thousandth of the font size."""
    geometry = Geometry(left=50, top=100, width=500, height=10.5, lines=60, columns=COLUMNS)
    rows = [
        call(NOON, duration_s=86_400, pack_s=0, charged_s=86_400, amount_cents=99_999_999),
        call(NOON, callee="+123456789012345", zone="Zone (été) \\ 1", amount_cents=-5),
        call(NOON, direction="incoming", caller="anonymous"),
    ]
    speech = language("fr")
    (page,) = page_operators(call_detail_of(calls_of(rows), speech, font), geometry, speech, font)
    moves = re.findall(r"Tm\[(.*)\]TJ", page.texts)
    assert len(moves) == 5
    for moved in moves[1:]:
        pen, ends = 0, []
        for text, move in re.findall(r"\(((?:\\.|[^\\)])*)\)(-?\d*)", moved):
            shown = re.sub(r"\\(\d{3})", lambda found: CHARACTER_OF[int(found[1], 8)], text)
            pen += font.width(shown)
            ends.append(pen)
            pen -= int(move or 0)
        assert ends[-4:] == [COLUMNS[name][1] for name in ("duration", "in_pack", "out_of_pack", "amount")]


CHARACTER_OF = {
    int(escaped(character)[1:], 8): character
    for character in [*(chr(code) for code in range(0xA1, 0x100) if code != 0xAD), *"()\\–←\u202f\u00a0"]
}


def test_calls__what_is_too_wide_ends_in_an_ellipsis_within_its_column(font: RowFont) -> None:
    wide = "Mobile France, Monaco et départements d’outre-mer et d’ailleurs"
    for text in (wide, "W" * 80, "l" * 200):
        fitting = font.fitting(text, 20_000)
        assert fitting.endswith("…")
        assert text.startswith(fitting[:-1])
        assert font.width(fitting) <= 20_000 < font.width(text)
        assert font.width(f"{fitting[:-1]}{text[len(fitting) - 1 :][:2]}…") > 20_000 - 300
    assert font.fitting("Mobile", 20_000) == "Mobile"
    found = lines_of(with_calls([call(NOON, zone=wide, user_id="x" * 400)]))
    assert any("Mobile France, Monaco et département" in text and "… 0:01:00" in text for text in found)
    assert any(text.startswith("Utilisateur xxx") and text.endswith("x…") for text in found)


# What its font cannot write


@pytest.mark.parametrize(
    "zone",
    ["Ελλάδα", "Россия", "المغرب", "ישראל", "\ufb01n", "Åland \u2013 Mariehamn \u00ad", "Zone \u0126al-G\u0127ax"],
)
def test_calls__another_script_is_laid_out_and_stays_in_its_row(zone: str) -> None:
    rows = [call(NOON, zone="Avant"), call(NOON, zone=zone, charged_s=61), call(NOON, zone="Après")]
    found = " ".join(lines_of(with_calls(rows)))
    shown = zone.replace("\u00ad", "").strip()
    assert re.search(
        r"Avant 0:01:00 0:01:00 – 0,00 05/10/2026 12:00:00 \+32470123456 (.*) 0:01:00 0:01:00 0:01:01 0,00 "
        "05/10/2026 12:00:00 .32470123456 Après",
        found,
    ), found
    between = re.findall(r"12:00:00 \+32470123456 (.*?) 0:01:00 ", found)
    assert sorted(between[1]) == sorted(shown) or between[1] in {shown, shown[::-1]}


def test_calls__another_script_is_drawn_once_however_often_it_is_shown() -> None:
    few = len(render_pdf(with_calls([call(NOON, zone="Ελλάδα")])))
    many = render_pdf(with_calls([call(NOON, zone="Ελλάδα") for _ in range(300)]))
    assert len(many) < few + 10_000
    pages = PdfReader(io.BytesIO(many)).pages
    assert len(pages) == 6
    assert " ".join(page.extract_text() for page in pages).count("Ελλάδα") == 300


def test_calls__names_in_another_script_head_their_calls() -> None:
    rows = [call(NOON, user_id="Жанна"), call(NOON, user_id="U-1"), call(NOON, callee="+32٣٤٥")]
    found = " ".join(lines_of(with_calls(rows)))
    assert found.index("Utilisateur Жанна") < found.index("Utilisateur U-1")
    assert "٣" in found


def test_row_font__covers_what_western_languages_write_and_knows_what_it_does_not(font: RowFont) -> None:
    for text in (
        "Ça où naïf, œuvre – 12 €",
        "Gespräch über Straße",
        "coördinatie ’s",
        "← ‑ …",
        f"a{BLANKS}b",
    ):  # blanks too
        assert font.covers(text)
        assert font.width(text) > 0
    for text in ("Łódź", "a\u0301", "\u00ad", "日本", "\n", "\x7f"):
        assert not font.covers(text)
    assert len({font.width(digit) for digit in "0123456789"}) == 1
    # It has no glyph of its own for these.
    assert [font.glyphs[each] for each in "\u202f\u2011"] == [font.glyphs[each] for each in "\u00a0-"]


# How it is read


@pytest.mark.parametrize("mode", ["-raw", "-layout"])
def test_calls__another_reader_finds_the_rows_in_their_order(mode: str) -> None:
    invoice = full_document(400)
    done = subprocess.run(["pdftotext", mode, "-", "-"], input=render_pdf(invoice), capture_output=True, check=True)
    rows = re.findall(r"(\d\d/10/2026) +(\d\d:\d\d:\d\d) +(\S+) +\S.*?(\d+:\d\d:\d\d) ", done.stdout.decode())
    shown = invoice.calls.select("start", "callee", "duration_s")
    expected = [
        (
            f"{start:%d/%m/%Y}",
            f"{start:%H:%M:%S}",
            callee,
            f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}",
        )
        for start, callee, seconds in shown.iter_rows()
    ]
    assert [row for row in rows if row[2] != "0:00:00"] == expected


def test_calls__pages_share_one_head_one_font_and_no_name_of_a_place() -> None:
    reader = PdfReader(io.BytesIO(render_pdf(document(FIRST_PAGE, calls=many_calls(1000)))))
    # The head is read on the first page; on the others it is the same, marked as decoration.
    heads = [page["/Contents"][0].idnum for page in reader.pages[1:]]
    assert len(set(heads)) == 2
    assert len(set(heads[1:])) == 1
    assert b"MCID" in reader.pages[1]["/Contents"][0].get_object().get_data()
    assert b"MCID" not in reader.pages[2]["/Contents"][0].get_object().get_data()
    assert len({page["/Contents"][1].idnum for page in reader.pages[1:]}) == len(reader.pages) - 1
    fonts = {page["/Resources"]["/Font"].raw_get("/Rows").idnum for page in reader.pages}
    assert len(fonts) == 1
    assert "/Names" not in reader.trailer["/Root"]
    (last,) = [entry for entry in reader.outline[-1] if entry["/Title"] == "Détail des appels"]
    assert reader.get_destination_page_number(last) == 1


# The figures of the other tables, which are one text a row


def laid_out(font: RowFont, text: str) -> int:
    """The width of a text as WeasyPrint sets it."""
    return sum(font.laid_out[character] for character in text)


def test_figures__each_ends_where_its_column_does(font: RowFont) -> None:
    ends = [6000, 15_000, 24_000]
    rows = [
        ("1", "15,50", "279,00"),
        ("1\u202f204", "1\u202f245 min 41 s", "-15,00"),
        ("–", "Durée", "1\u202f234\u202f567,89"),
    ]
    for texts in rows:
        line, pen = font.in_columns(texts, ends), 0
        for text, end in zip(texts, ends, strict=True):
            blanks, found, line = line.partition(text)
            pen += laid_out(font, blanks + found)
            assert set(blanks) <= set(FILLING)
            assert end - NEAR <= pen <= end
            assert len(blanks) <= 20


def test_figures__digits_stand_under_digits(font: RowFont) -> None:
    amounts = ("0,05", "12,34", "999,00", "1\u202f234,00", "12\u202f345,67", "1\u202f234\u202f567,89", "-1,00")
    ends = [laid_out(font, font.in_columns([text], [12_000])) for text in amounts]
    assert max(ends) - min(ends) <= NEAR


def test_figures__too_wide_ones_push_what_follows(font: RowFont) -> None:
    assert font.in_columns(["W" * 9, "1"], [2000, 4000]) == f"{'W' * 9}1"

"""Charts and drawings: what they show is what the figures are."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from printed import reader_of
from sample_documents import MONTHS, SUPPLIER, document, full_document

from invoicing.documents.charts import BAR, FOOT, HEIGHT, SLOT, TOP, WIDTH, months_chart, pack_bar, traffic_bar
from invoicing.documents.drawing import Drawing, Label, inks_of, operators, svg
from invoicing.documents.finishing import BAR_GAP_PT, BAR_PT, RULE_PT
from invoicing.documents.fonts import FIGURE_FAMILY, document_fonts
from invoicing.documents.model import MonthTotal, PackUse, ZoneTraffic
from invoicing.documents.row_font import row_font
from invoicing.documents.words import LANGUAGES, language

FRENCH = language("fr")
MM = 72 / 25.4


def test_months__bars_are_as_high_as_their_amounts() -> None:
    chart = months_chart(full_document(0, months=MONTHS), FRENCH)
    assert chart is not None
    bars = sorted([*chart.inks["light"], *chart.inks["accent"]])
    # October of the year before and April have no invoice.
    places = [round((left - (SLOT - BAR) / 2) / SLOT) for left, _, _, _ in bars]
    assert places == [1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12]
    cents = [31_200, 29_900, 33_000, 42_000, 38_000, 35_000, 45_000, 71_000, 52_000, 55_321, 61_149]
    for (_, top, _, height), amount in zip(bars, cents, strict=True):
        assert height == pytest.approx((FOOT - TOP) * amount / 71_000)
        assert top + height == pytest.approx(FOOT)
    assert len(chart.inks["accent"]) == 1


def test_months__are_named_and_the_highest_and_the_last_have_their_amounts() -> None:
    chart = months_chart(full_document(0, months=MONTHS), FRENCH)
    assert chart is not None
    texts = [label.text for label in chart.labels]
    assert texts == [*"ONDJFMAMJJASO", "611,49", "710,00"]
    assert all(0 <= label.x <= WIDTH and 0 < label.y <= HEIGHT for label in chart.labels)


@pytest.mark.parametrize(
    ("months", "amounts"),
    [
        ((MonthTotal("2026-09", 90_000, {}),), ["611,49"]),  # too near for two amounts
        ((MonthTotal("2025-10", 90_000, {}),), ["611,49", "900,00"]),
        ((MonthTotal("2026-01", 100, {}),), ["611,49"]),
    ],
)
def test_months__amounts_do_not_stand_on_each_other(months: tuple[MonthTotal, ...], amounts: list[str]) -> None:
    chart = months_chart(full_document(0, months=months), FRENCH)
    assert chart is not None
    assert [label.text for label in chart.labels[13:]] == amounts


@pytest.mark.parametrize(("before", "height"), [("2026-09", TOP), ("2026-08", TOP), ("2026-07", None)])
def test_months__the_amount_stands_above_the_bars_beside_it(before: str, height: float | None) -> None:
    chart = months_chart(full_document(0, months=(MonthTotal(before, 90_000, {}),)), FRENCH)
    assert chart is not None
    ((_, own_top, _, _),) = chart.inks["accent"]
    amount = next(label for label in chart.labels if label.text == "611,49")
    assert amount.y == (own_top if height is None else height) - 2


def test_months__without_a_month_before_there_is_no_chart() -> None:
    assert months_chart(full_document(0), FRENCH) is None


def test_months__nothing_and_less_have_no_bar_to_see() -> None:
    invoice = replace(
        full_document(0), net_cents=0, months=(MonthTotal("2026-09", 0, {}), MonthTotal("2026-08", -5, {}))
    )
    chart = months_chart(invoice, FRENCH)
    assert chart is not None
    assert [height for _, _, _, height in (*chart.inks["light"], *chart.inks["accent"])] == [0, 0, 0]


@pytest.mark.parametrize("code", LANGUAGES)
def test_months__letters_are_the_languages(code: str) -> None:
    letters = [language(code).month_letter(f"2026-{month:02d}") for month in range(1, 13)]
    assert "".join(letters) == "JFMAMJJASOND"


@pytest.mark.parametrize(
    ("duration_s", "charged_s", "dark", "light"),
    [(100, 25, 0.125, 0.375), (200, 0, 0, 1), (200, 200, 1, 0), (0, 0, 0, 0), (13, 60, 0.065, 0)],
)
def test_traffic__a_bar_is_as_long_as_the_calls_and_dark_where_they_were_charged(
    duration_s: int, charged_s: int, dark: float, light: float
) -> None:
    bar = traffic_bar(ZoneTraffic("2026-10", "z", None, "Z", 1, duration_s, charged_s, 0), 200)
    assert bar.inks["accent"][0][2] == pytest.approx(dark)
    assert bar.inks["light"][0][2] == pytest.approx(light)


@pytest.mark.parametrize(
    ("allowance_s", "used_s", "share"), [(4000, 1000, 0.25), (4000, 4000, 1), (0, 0, 1), (100, 0, 0)]
)
def test_packs__a_bar_is_filled_as_far_as_the_pack_was_used(allowance_s: int, used_s: int, share: float) -> None:
    bar = pack_bar(PackUse("2026-10", "p", "P", None, allowance_s, used_s, 1))
    assert bar.inks["accent"][0][2] == pytest.approx(share)
    assert bar.inks["rest"][0][2] == pytest.approx(1 - share)


def test_packs__one_without_end_is_dashed() -> None:
    bar = pack_bar(PackUse("2026-10", "p", "P", None, None, 1000, 1))
    assert len(bar.inks["light"]) > 5


def test_drawing__is_put_in_its_place_once_for_each_ink() -> None:
    font = row_font(FIGURE_FAMILY, document_fonts())
    drawing = Drawing(10, 10, {"accent": ((0, 0, 5, 10), (5, 5, 5, 5))}, (Label("12", 10, 10, "end"),), 2)
    text = operators(drawing, (100, 200, 50, 20), inks_of((1, 0, 0)), font)
    width = font.width("12") / 1000 * 4
    assert text.split("\n") == [
        "q", "1.000 0.000 0.000 rg", "100.00 200.00 25.00 20.00 re", "125.00 210.00 25.00 10.00 re", "f",
        ".25 g BT /Rows 4.00 Tf", f"1 0 0 -1 {150 - width:.2f} 220.00 Tm (12) Tj", "ET", "Q",
    ]  # fmt: skip


def test_drawing__as_svg_is_one_path_for_each_ink() -> None:
    drawing = Drawing(
        10, 4, {"accent": ((0, 0, 5, 1.5),), "rest": ((1, 2, 3, 4), (0, 0, 1, 1))}, (Label("<é>", 1, 2),), 2
    )
    assert svg(drawing, stretched=True) == (
        '<svg viewBox="0 0 10 4" preserveAspectRatio="none" aria-hidden="true">'
        '<path class="rest" d="M1 2h3v4h-3zM0 0h1v1h-1z"/><path class="accent" d="M0 0h5v1.5h-5z"/>'
        '<text x="1" y="2" font-size="2" text-anchor="middle">&lt;é&gt;</text></svg>'
    )


def test_drawing__bars_stand_on_the_pages_of_their_rows() -> None:
    zones = tuple(ZoneTraffic("2026-10", f"z{n}", "international", f"Zone {n}", 1, 60 + n, 0, 0) for n in range(70))
    invoice = replace(full_document(0, packs=()), traffic=(*full_document(0).traffic, *zones))
    for page in reader_of(invoice).pages:
        rows = len(re.findall(r"Zone \d+", page.extract_text()))
        content = page.get_contents().get_data().decode("latin-1")
        in_rows = content.rpartition("/Artifact BMC\nq\n")[2].partition("EMC")[0]
        assert rows <= in_rows.count("\nQ") <= rows + 4


def test_drawing__a_bar_stands_between_the_name_of_its_row_and_the_figures() -> None:
    zone = ZoneTraffic("2026-10", "z", "international", "Zone 1", 1, 600, 600, 0)
    page = reader_of(document([], (zone,))).pages[0]
    in_rows = page.get_contents().get_data().decode("latin-1").rpartition("/Artifact BMC\nq\n")[2]
    rectangles = [tuple(map(float, found)) for found in re.findall(r"(\S+) (\S+) (\S+) (\S+) re", in_rows)]
    bars = [each for each in rectangles if each[3] == BAR_PT]
    rule = [each for each in rectangles if each[3] == RULE_PT][-1]
    assert bars
    for left, top, width, height in bars:
        # The page has 18 mm at its side, a name 48, a bar 30 with a gap at its end.
        assert (18 + 48) * MM - 0.1 <= left <= left + width <= (18 + 48 + 30) * MM - BAR_GAP_PT + 0.1
        assert rule[1] - 20 < top < top + height < rule[1]
    assert (rule[0], rule[2]) == pytest.approx((18 * MM, 174 * MM), abs=0.1)


def test_drawing__bars_have_the_colour_of_the_house() -> None:
    invoice = full_document(0, supplier=replace(SUPPLIER, colour="#c24109"), months=MONTHS)
    content = reader_of(invoice).pages[0].get_contents().get_data().decode("latin-1")
    assert f"{0xC2 / 255:.3f} {0x41 / 255:.3f} {0x09 / 255:.3f} rg" in content

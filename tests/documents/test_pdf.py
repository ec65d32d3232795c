"""The PDF: what it says, what is left out, its languages, and that its bytes are the same anywhere."""

# ruff: noqa: RUF001 - what is printed has the dashes and apostrophes of its language

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from printed import in_language, pages_of, reader_of, text_of
from sample_documents import (
    CUSTOMER,
    MICRO,
    MONTHS,
    SUPPLIER,
    SVG_LOGO,
    call,
    calls_of,
    document,
    full_document,
    line,
)

from invoicing.documents.model import PackUse, VatTotal, ZoneTraffic
from invoicing.documents.pdf import render_pdf
from invoicing.documents.words import language, printable

RENDER_ELSEWHERE = """
import hashlib
from sample_documents import MONTHS, full_document
from invoicing.documents.pdf import render_pdf
pdf = render_pdf(full_document(12, months=MONTHS), xml=b"<Invoice/>")
print(hashlib.sha256(pdf).hexdigest(), pdf.count(b"/FontFile2"))
"""
# Fontconfig reads this where it is told so by the environment: no font at all.
NO_FONTS = '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd"><fontconfig/>'


# What it says


def test_content__a_customer_finds_parties_dates_and_how_to_pay() -> None:
    text = text_of(full_document(6))
    for expected in (
        "Maison Téléphonie SA",
        "TVA BE0404484654",
        "RPM Liège",
        "Boulangerie Dupont & Fils",
        "TVA BE0428759497",
        "C-0042",
        "2026-000001",
        "28 octobre 2026",
        "27 novembre 2026",
        "BE68 5390 0754 7034",
        "GKCCBEBB",
        "+++202/6000/00192+++",
    ):
        assert expected in text


def test_content__every_line_and_total_is_shown() -> None:
    invoice = full_document(6)
    text = text_of(invoice)
    french = language("fr")
    for each in invoice.lines:
        assert each.description in text
        assert french.amount(each.net_cents).replace("\u202f", " ") in text
    assert "Total hors TVA 611,49" in text
    assert "TVA 21 % sur 611,49 € 128,41" in text
    assert "Total TVA comprise 739,90" in text


def test_content__sections_name_their_period_and_stand_in_order() -> None:
    first, _, rest = text_of(full_document(6, months=MONTHS)).partition("Une question sur cette facture")
    heads = ("À payer", "Au plus tard le", "Cette facture et le mois précédent", "Total hors TVA", "Total TVA comprise")
    assert sorted(heads, key=first.index) == list(heads)
    heads = (
        "Services récurrents – novembre 2026",
        "Services entamés dans la période – octobre 2026",
        "Communications – octobre 2026",
        "Communications d’une période antérieure – septembre 2026",
        "Frais uniques",
        "Réductions",
        "Utilisation des packs – octobre 2026",
        "Détail des appels",
    )
    assert sorted(heads, key=rest.index) == list(heads)


def test_content__traffic_shows_calls_minutes_and_what_was_out_of_pack() -> None:
    text = text_of(full_document(6))
    assert "Mobile Belgique 1 204 1 245 min 41 s 71 min 01 s 3,56" in text
    assert "Fixe Belgique 112 504 min 01 s – 0,00" in text


def test_content__a_line_a_customer_may_ask_about_says_why() -> None:
    text = text_of(full_document(6))
    assert "baisser de 10 % au maximum par trimestre (art. 8.5)" in text
    assert "du 01/11/2026 au 14/11/2026 (14/30 jours)" in text
    assert "12 mois au minimum (art. 8.6)" in text
    assert "du 10/10/2026 au 31/10/2026 (22/31 jours)" in text


def test_content__contracted_users_cite_the_contract() -> None:
    contracted = line("user_cap", "Easy2Phone Standard", 3100, rule="R-BASIS", article="8.4")
    assert "prévus au contrat et pas encore configurés (art. 8.4)" in text_of(document([contracted]))


def test_content__packs_show_what_was_used_of_what() -> None:
    packs = (
        PackUse("2026-10", "a", "Pack entamé", None, 4_258, 3_001, 77),
        PackUse("2026-10", "b", "Pack sans fin", None, None, 30_241, 112),
        PackUse("2026-10", "c", "Pack vide", "U-9", 0, 0, 0),
    )
    text = text_of(document([line("recurring", "Abonnement", 1000)], packs=packs))
    assert "Pack entamé 50 min 01 s sur 70 min 58 s 77" in text
    assert "Pack sans fin 504 min 01 s, illimité 112" in text
    assert "Pack vide Utilisateur U-9 0 min 00 s sur 0 min 00 s 0" in text


@pytest.mark.parametrize(
    ("category", "reason", "expected"),
    [
        ("AE", None, "Autoliquidation"),
        ("K", None, "livraison intracommunautaire"),
        ("E", "Exempté, article 44", "Exempté, article 44"),  # the supplier's own words come first
    ],
)
def test_vat__without_tax_the_reason_is_given(category: str, reason: str | None, expected: str) -> None:
    invoice = document([line("recurring", "Abonnement", 1000, vat_category=category, vat_rate_micro=0)])
    untaxed = VatTotal(category, 0, 1000, 0, reason)
    assert expected in text_of(replace(invoice, vat=(untaxed,), vat_cents=0, gross_cents=1000))


# What is there and what is not


def test_sections__one_line_makes_one_page_without_empty_sections() -> None:
    (text,) = pages_of(document([line("recurring", "Abonnement", 1000)]))
    assert "Page 1 / 1" in text
    for absent in (
        "Communications –",
        "entamés",
        "Frais uniques",
        "Réductions",
        "packs",
        "Détail",
        "Sous-total",
    ):
        assert absent not in text


def test_sections__sixty_lines_repeat_heads_and_number_the_pages() -> None:
    lines = [line("recurring", f"Abonnement {number}", 1000 + number) for number in range(60)]
    pages = pages_of(document(lines))
    assert len(pages) == 3
    for number, text in enumerate(pages, 1):
        assert f"Page {number} / 3" in text
        assert "Services récurrents – novembre 2026 Description" in text
        assert "Facture 2026-000001" in text or number == 1


def test_sections__no_heading_is_left_at_the_foot_of_a_page() -> None:
    for count in range(11, 17):  # the foot of the first page falls somewhere in the second section
        lines = [line("recurring", f"Abonnement {number}", 1000) for number in range(count)]
        lines += [line("one_off", "Installation", 5000), line("one_off", "Activation", 2500)]
        for text in pages_of(document(lines)):
            assert ("Frais uniques Description" in text) == ("Installation" in text or "Activation" in text)


def test_sections__credits_only_ask_for_no_payment() -> None:
    text = text_of(document([line("credit", "Interruption", -1500)]))
    assert "Réductions" in text
    assert "-15,00" in text
    assert "ne demande aucun paiement" in text
    assert "À payer" not in text
    assert "IBAN" not in text


def test_sections__only_late_traffic_is_named_as_such() -> None:
    text = text_of(document([], (ZoneTraffic("2026-08", "fr", "international", "France", 2, 90, 90, 12),)))
    assert "Communications d’une période antérieure – août 2026" in text
    assert "octobre 2026 Destination" not in text


def test_draft__is_marked_on_every_page_and_asks_for_nothing() -> None:
    pages = pages_of(full_document(6, number=None, structured_communication=None))
    assert all("Brouillon" in text for text in pages)
    text = " ".join(pages)
    assert "Ce brouillon n’est pas une facture" in text
    assert "À payer" not in text
    assert "IBAN" not in text


def test_figures__a_document_that_does_not_add_up_is_refused() -> None:
    invoice = full_document(6)
    wrong = [
        replace(invoice, net_cents=invoice.net_cents + 1),
        replace(invoice, gross_cents=invoice.gross_cents - 1),
        replace(invoice, traffic=invoice.traffic[1:]),
        replace(invoice, vat=()),
        replace(invoice, lines=(*invoice.lines, line("gift", "?", 0))),
    ]
    for each in wrong:
        with pytest.raises(ValueError, match="invoice 2026-000001: "):
            render_pdf(each)


# Its languages


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("fr", ("Facture 2026-000001", "739,90 €", "27 novembre 2026", "Au plus tard le")),
        ("nl", ("Factuur 2026-000001", "€ 739,90", "27 november 2026", "Uiterlijk op")),
        ("de", ("Rechnung 2026-000001", "739,90 €", "27. November 2026", "Spätestens am")),
        ("en", ("Invoice 2026-000001", "739,90 €", "27 November 2026", "To pay")),
    ],
)
def test_language__words_amounts_and_dates_are_the_customers(code: str, expected: tuple[str, ...]) -> None:
    text = text_of(in_language(code))
    for each in expected:
        assert each in text
    assert reader_of(in_language(code)).trailer["/Root"]["/Lang"] == code


def test_language__without_a_catalogue_is_refused() -> None:
    with pytest.raises(ValueError, match="no documents in language 'it'"):
        render_pdf(in_language("it"))


@pytest.mark.parametrize(
    ("micro", "french", "german"),
    [
        (2 * MICRO, "2,00", "2,00"),
        (123_456, "0,123456", "0,123456"),
        (50_000, "0,05", "0,05"),
        (1_234_500_100, "1 234,5001", "1.234,5001"),
    ],
)
def test_figures__a_unit_price_has_two_to_six_decimals(micro: int, french: str, german: str) -> None:
    assert language("fr").unit_price(micro).replace("\u202f", " ") == french
    assert language("de").unit_price(micro) == german


def test_figures__are_exact_where_a_float_is_not() -> None:
    assert language("de").amount(9_007_199_254_740_993) == "90.071.992.547.409,93"
    assert language("de").quantity(9_007_199_254_740_993) == "9.007.199.254,740993"
    assert language("fr").percent(5_500_000).replace("\xa0", " ") == "5,5 %"


# Its safety


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script> <b>gras</b> &amp; &lt;",
        "</style><style>body{display:none}</style>",
        "{{ 7 * 7 }} {% raw %} {# rien #} ${accent} {number}",
        "'; } * { visibility: hidden } /*",
        '"><img src="file:///etc/passwd"><link rel=attachment href="file:///etc/passwd">',
        "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft" * 3,
    ],
)
def test_hostile__text_comes_out_as_it_is(hostile: str) -> None:
    noon = datetime(2026, 10, 5, 12, 0, 0)  # noqa: DTZ001
    zones = (ZoneTraffic("2026-10", "z", "international", hostile, 1, 60, 60, 5),)
    invoice = document(
        [line("recurring", hostile, 1000)],
        zones,
        supplier=replace(SUPPLIER, name=hostile, colour="#000;} body{display:none"),
        customer=replace(CUSTOMER, name=hostile, street=hostile, vat_number=hostile),
        packs=(PackUse("2026-10", "p", hostile, hostile, 60, 30, 1),),
        calls=calls_of([call(noon, zone=hostile, user_id=hostile)]),
    )
    found = "".join(text_of(invoice).split())
    expected = "".join(hostile.split())
    # The house, customer, street, VAT number, line, zone, pack and its user, user's calls.
    assert found.count(expected) >= 9


def test_hostile__characters_that_turn_the_text_are_left_out() -> None:
    turned = "Facture \u202egnp.exe\u202c \u2066fin\u2069\x00\x1b[0m\u2028suite"
    assert printable(turned) == "Facture gnp.exe fin\ufffd\ufffd[0m suite"
    assert "Facture gnp.exe fin" in text_of(document([line("recurring", turned, 1000)]))


@pytest.mark.parametrize(("colour", "red"), [("#c2410c", True), ("red;} body{display:none", False), ("", False)])
def test_colour__of_the_house_is_used_when_it_is_one(colour: str, red: bool) -> None:
    invoice = document([line("recurring", "Abonnement", 1000)], supplier=replace(SUPPLIER, colour=colour))
    content = reader_of(invoice).pages[0].get_contents().get_data().decode("latin-1")
    assert ("0.760784 0.254902 0.047059" in content) == red


# Its bytes


@pytest.fixture(scope="module")
def once() -> bytes:
    """An invoice as this process makes it."""
    return render_pdf(full_document(12, months=MONTHS), xml=b"<Invoice/>")


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"PYTHONHASHSEED": "4711", "TZ": "Pacific/Kiritimati", "LC_ALL": "C", "POLARS_MAX_THREADS": "1"},
        {
            "LC_ALL": "ar_EG.UTF-8",
            "LANGUAGE": "ar",
            "FC_LANG": "ar",
            "PANGO_LANGUAGE": "ar",
            "HOME": "/nonexistent",
            "XDG_CONFIG_HOME": "/nonexistent",
            "XDG_CACHE_HOME": "/nonexistent",
            "XDG_DATA_HOME": "/nonexistent",
        },
        {"FONTCONFIG_FILE": "{none}", "FONTCONFIG_PATH": "/nonexistent", "FONTCONFIG_SYSROOT": "/nonexistent"},
    ],
    ids=["process", "language and folders", "fonts"],
)
def test_bytes__are_the_same_in_another_process_and_whatever_the_machine_has(
    elsewhere: dict[str, str], once: bytes, tmp_path: Path
) -> None:
    none = tmp_path / "none.conf"
    none.write_text(NO_FONTS, encoding="utf-8")
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2]), str(Path(__file__).parent), *sys.path]),
        **{name: text.format(none=none) for name, text in elsewhere.items()},
    }
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", RENDER_ELSEWHERE], env=environment, capture_output=True, text=True,
        check=True, cwd=tmp_path,
    )  # fmt: skip
    assert done.stdout.split()[0] == hashlib.sha256(once).hexdigest()
    assert done.stderr == ""


def test_bytes__are_the_same_again_after_another_document() -> None:
    once = render_pdf(full_document(12))
    render_pdf(in_language("nl", supplier=replace(SUPPLIER, logo=SVG_LOGO)))
    assert render_pdf(full_document(12)) == once


def test_bytes__tell_the_day_of_the_invoice_and_no_other() -> None:
    reader = reader_of(full_document(6), xml=b"<Invoice/>")
    assert reader.metadata is not None
    assert dict(reader.metadata) == {
        "/Producer": "WeasyPrint 70.0",
        "/Title": "Facture 2026-000001",
        "/Author": "Maison Téléphonie SA",
        "/CreationDate": "D:20261028",
    }


def test_bytes__nothing_is_complained_about(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("WARNING"):
        house = replace(SUPPLIER, colour="#00aa77", logo=SVG_LOGO)
        render_pdf(full_document(6, supplier=house, months=MONTHS), xml=b"<Invoice/>")
    assert caplog.messages == []

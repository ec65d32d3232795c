"""The first page: what is to pay, until when, what changed; and what stands there on other documents."""

# ruff: noqa: RUF001 - what is printed has the dashes and apostrophes of its language

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from printed import pages_of, text_of
from sample_documents import CUSTOMER, FAR_AWAY, MICRO, MONTHS, SUPPLIER, credit_note, document, full_document, line

from invoicing.documents.composition import view_of
from invoicing.documents.model import MonthTotal, VatTotal, ZoneTraffic
from invoicing.documents.words import LANGUAGES, language

FRENCH = language("fr")
SERVICE = line("recurring", "Abonnement", 1000)


def figures_of(months: tuple[MonthTotal, ...]) -> dict[str, tuple[str, ...]]:
    return {row.label: row.figures for row in view_of(full_document(0, months=months), FRENCH).totals}


def test_changes__each_kind_stands_beside_the_month_before() -> None:
    before = {"recurring": 25_000, "user_cap": 2_900, "traffic": 26_421, "credit": -500}
    months = (*MONTHS[:-1], MonthTotal("2026-09", sum(before.values()), before))
    assert figures_of(months) == {
        "Services récurrents": ("323,43", "279,00", "+44,43"),
        "Services entamés": ("22,00", "–", "+22,00"),
        "Communications": ("9,11", "264,21", "-255,10"),
        "Frais uniques": ("271,95", "–", "+271,95"),
        "Réductions": ("-15,00", "-5,00", "-10,00"),
        "Total hors TVA": ("611,49", "538,21", "+73,28"),
        "TVA 21\xa0% sur 611,49\xa0€": ("128,41", "", ""),
        "Total TVA comprise": ("739,90", "", ""),
    }


@pytest.mark.parametrize("months", [(), MONTHS[:-1]])
def test_changes__without_the_month_just_before_nothing_is_compared(months: tuple[MonthTotal, ...]) -> None:
    assert figures_of(months)["Total hors TVA"] == ("611,49",)
    assert "Différence" not in text_of(full_document(0, months=months))


def test_changes__a_kind_that_is_no_more_is_shown() -> None:
    before = (MonthTotal("2026-09", 5000, {"recurring": 1000, "one_off": 4000}),)
    rows = {row.label: row.figures for row in view_of(document([SERVICE], months=before), FRENCH).totals}
    assert rows["Frais uniques"] == ("–", "40,00", "-40,00")
    assert rows["Services récurrents"] == ("10,00", "10,00", "–")


def test_changes__in_january_the_month_before_is_december() -> None:
    before = (MonthTotal("2025-12", 500, {"recurring": 500}),)
    view = view_of(document([SERVICE], period="2026-01", months=before), FRENCH)
    assert view.head == ("janvier", "décembre", "Différence")


@pytest.mark.parametrize(
    ("ends_on", "shown"),
    [
        (date(2028, 1, 1), "Contrat jusqu’au 31 décembre 2027"),
        (date(2026, 10, 29), "Contrat jusqu’au 28 octobre 2026"),  # the day of the invoice is its last
        (date(2026, 10, 28), ""),
        (None, ""),
    ],
)
def test_contract__its_last_day_is_shown_while_it_lies_ahead(ends_on: date | None, shown: str) -> None:
    text = text_of(document([SERVICE], contract_ends_on=ends_on))
    assert shown in text
    assert ("Contrat" in text) == bool(shown)


def premium_document() -> object:
    zones = (
        ZoneTraffic("2026-10", "fr", "international", FAR_AWAY, 3, 600, 600, 180),
        ZoneTraffic("2026-10", "a", "premium", "Numéros 0905", 2, 120, 120, 400),
        ZoneTraffic("2026-10", "b", "premium", "Numéros 0902", 1, 60, 60, 50),
        ZoneTraffic("2026-09", "b", "premium", "Numéros 0902", 1, 60, 60, 50),
        ZoneTraffic("2026-10", "ONNET", None, "Appels internes", 9, 900, 0, 0),
    )
    return document([SERVICE], zones)


def test_premium__services_of_third_parties_stand_apart_with_their_sum() -> None:
    groups = view_of(premium_document(), FRENCH).traffic
    assert [(group.title, len(group.zones), group.subtotal) for group in groups] == [
        ("Communications – octobre 2026", 2, "1,80"),
        ("Services de tiers (090x) – octobre 2026", 2, "4,50"),
        ("Services de tiers (090x) d’une période antérieure – septembre 2026", 1, ""),
    ]
    text = text_of(premium_document())
    assert "Communications dont services de tiers (090x) : 5,00 € 6,80" in text
    assert text.count("fournis par des tiers") == 2
    assert "fournis par des tiers" not in text_of(full_document(0))


def test_payment__a_net_of_nothing_asks_for_nothing() -> None:
    text = text_of(document([]))
    assert "Cette facture ne demande aucun paiement." in text
    assert "En cas de retard" not in text
    assert "Total TVA comprise 0,00" in text


# Credit notes


CREDITED = {
    "fr": (
        "Note de crédit CN2026-000001", "2026-000001 du 28 octobre 2026", "Motif : Numéro facturé par erreur",
        "Montant crédité 58,44 €", "TVA à reverser à l’État dans la mesure où elle a été initialement déduite",
    ),
    "nl": (
        "Creditnota CN2026-000001", "2026-000001 van 28 oktober 2026", "Reden: Numéro facturé par erreur",
        "Gecrediteerd bedrag € 58,44",
        "Btw terug te storten aan de Staat in de mate waarin ze oorspronkelijk in aftrek werd gebracht",
    ),
    "de": (
        "Gutschrift CN2026-000001", "2026-000001 vom 28. Oktober 2026", "Grund: Numéro facturé par erreur",
        "Gutgeschriebener Betrag 58,44 €", "An den Staat zurückzuzahlende MwSt.",
    ),
    "en": (
        "Credit note CN2026-000001", "2026-000001 of 28 October 2026", "Reason: Numéro facturé par erreur",
        "Amount credited 58,44 €", "VAT to be repaid to the State to the extent that it was originally deducted",
    ),
}  # fmt: skip


@pytest.mark.parametrize("code", LANGUAGES)
def test_credit_note__says_what_it_credits_and_why_and_asks_for_nothing(code: str) -> None:
    (text,) = pages_of(credit_note(customer=replace(CUSTOMER, language=code)))
    for expected in (*CREDITED[code], "Easy2Phone Standard 3 15,50 46,50", f"{FAR_AWAY} 10 min"):
        assert expected.replace("min", "Min." if code == "de" else "min") in text
    for absent in ("IBAN", "+++", "5.2"):
        assert absent not in text


def test_credit_note__traffic_is_that_of_its_days() -> None:
    calls = line(
        "traffic", "France", 180, unit_price_micro=None, quantity_micro=600 * MICRO,
        service_from=date(2026, 10, 1), service_to=date(2026, 10, 31),
    )  # fmt: skip
    assert "France du 01/10/2026 au 31/10/2026 10 min 00 s 1,80" in text_of(credit_note([calls]))


def test_credit_note__without_vat_nothing_is_to_be_repaid() -> None:
    note = credit_note([line("recurring", "Abonnement", 1000, vat_category="AE", vat_rate_micro=0)])
    exempt = replace(note, vat=(VatTotal("AE", 0, 1000, 0, None),), vat_cents=0, gross_cents=1000)
    text = text_of(exempt)
    assert "Autoliquidation" in text
    assert "à reverser" not in text


def test_credit_note__a_draft_of_one_is_a_draft() -> None:
    text = text_of(credit_note(number=None))
    assert "Brouillon 2026-10" in text
    assert "Concerne la facture 2026-000001 du 28 octobre 2026" in text


# Room


def test_room__long_names_and_large_amounts_stay_on_the_page() -> None:
    long = "Société coopérative des transports intercommunaux et de la mobilité partagée de l’Entre-Sambre-et-Meuse"
    invoice = document(
        [line("recurring", f"{long}, {long}", 98_765_432_109)],
        supplier=replace(SUPPLIER, name=long),
        customer=replace(CUSTOMER, name=long, street=long, city=long, customer_id="C-" + "9" * 40),
    )
    text = text_of(invoice)
    assert text.count(long) >= 5
    assert "1 195 061 728,52 €" in text

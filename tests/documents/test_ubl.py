"""The electronic invoice: every document that can be issued is valid by the official rules, and says what it should."""

# ruff: noqa: RUF001 - names have the letters of their language

from __future__ import annotations

import base64
import hashlib
import io
import re
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from electronic_documents import (
    CORRECTED,
    NOVEMBER,
    credit_note,
    electronic,
    texts,
    untaxed,
    violations,
    xml_of,
)
from lxml import etree
from sample_documents import CUSTOMER, MICRO, SUPPLIER, document, full_document, line, many_calls, traffic

from invoicing.documents.call_csv import calls_as_csv
from invoicing.documents.electronic_address import ElectronicAddress, parties_of
from invoicing.documents.model import InvoiceDocument, ZoneTraffic
from invoicing.documents.ubl import write_ubl
from invoicing.documents.words import LANGUAGES, printable

HERE = Path(__file__).resolve().parent
TWO_WEEKS = {"service_from": date(2026, 11, 1), "service_to": date(2026, 11, 14)}
LINES = {
    "recurring": line("recurring", "Standard", 3100, quantity_micro=2 * MICRO, unit_price_micro=15_500_000, **NOVEMBER),
    "recurring at price 0": line("recurring", "Compris", 0, quantity_micro=3 * MICRO, unit_price_micro=0, **NOVEMBER),
    "first period, pro rata": line("first_period", "Pack", 2200, unit_price_micro=31_000_000, **TWO_WEEKS),
    "user cap": line("user_cap", "Standard", 3100, rule="R-CAP", article="8.5", **NOVEMBER),
    "contracted users": line("user_cap", "Standard", 3100, rule="R-BASIS", article="8.4", **NOVEMBER),
    "number minimum": line("number_minimum", "Numéro français", 93, rule="R-TWELVE", article="8.6", **TWO_WEEKS),
    "number minimum, many months": line(
        "number_minimum", "Numéro français", 2400, quantity_micro=12 * MICRO, unit_price_micro=2_000_000,
        rule="R-TWELVE", article="8.6", service_from=date(2026, 11, 1), service_to=date(2027, 10, 31),
    ),
    "traffic": traffic(ZoneTraffic("2026-10", "be-mobile", None, "Mobile Belgique", 9, 74_741, 4_261, 356)),
    "traffic of an earlier period": traffic(ZoneTraffic("2026-08", "be-fixed", None, "Fixe", 1, 61, 61, 6)),
    "traffic within packs": traffic(ZoneTraffic("2026-10", "be-fixed", None, "Fixe Belgique", 9, 3_000, 0, 0)),
    "traffic, set-up fees alone": traffic(ZoneTraffic("2026-10", "sat", None, "Satellite", 2, 60, 0, 150)),
    "one-off with decimals": line(
        "one_off", "Intervention", 9375, quantity_micro=1_250_000, unit_price_micro=75_000_000,
        service_from=date(2026, 10, 12), service_to=date(2026, 10, 12),
    ),
    "one-off half a cent up": line("one_off", "Câble", 13, quantity_micro=2_500_000, unit_price_micro=50_000),
    "one-off of the smallest price": line("one_off", "Unité", 0, unit_price_micro=1),
    "one-off without a quantity": line("one_off", "Forfait", 500, quantity_micro=0, unit_price_micro=None),
    "one-off of the largest figures": line(
        "one_off", "Réseau", 10_000_000_000_000, quantity_micro=10**12, unit_price_micro=10**11
    ),
    "credit": line("credit", "Interruption", -1500, unit_price_micro=-15_000_000),
    "credit of part of its amount": line("credit", "Interruption", -1000, unit_price_micro=-15_000_000),
    "credit of many": line("credit", "Retour", -3000, quantity_micro=-2 * MICRO, unit_price_micro=15_000_000),
}  # fmt: skip
NAMES = [
    "Ångström Øresund ÆØÅ", "Łódź Żółć", "Čeněk Dvořák", "Győr Őrség", "Αθήνα Ωμέγα", "София Ѝ", "Київ Ґ", "Ђорђе Љ",
    "Þórður Ðyrhólaey", "Ħamrun Ġgantija", "Şile İğdır", "თბილისი", "Երևան", "Erdélyi’s “Œuvre” – ß",
    "Seán Ó Súilleabháin", "Dŵr Ŷ", "Ŝafarĝo", "L·L", "e\u0301 combined", "𝔘 beyond", "ییدیש",
]  # fmt: skip


def wrong_with(invoice: InvoiceDocument, xml: bytes) -> list[str]:
    """What is wrong with a document; it is an invoice or a credit note whose lines are all there."""
    name = "CreditNoteLine" if invoice.corrects else "InvoiceLine"
    assert len(texts(xml, f"cac:{name}/cbc:ID")) == len(invoice.lines)
    return [f"{each.rule} {each.location} {each.text}" for each in violations(xml)]


@pytest.mark.parametrize("name", LINES)
def test_valid__every_kind_of_line(name: str) -> None:
    invoice = electronic([LINES["recurring"], LINES[name]] if LINES[name].net_cents < 0 else [LINES[name]])
    assert wrong_with(invoice, xml_of(invoice)) == []


def test_valid__all_kinds_of_lines_together_and_as_a_credit_note() -> None:
    lines = list(LINES.values())
    for made in (electronic(lines), credit_note(lines)):
        assert wrong_with(made, xml_of(made)) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_valid__in_every_language(language: str) -> None:
    invoice = full_document(customer=replace(CUSTOMER, language=language))
    assert wrong_with(invoice, xml_of(invoice)) == []


@pytest.mark.parametrize("count", [1, 500])
def test_valid__few_and_many_lines(count: int) -> None:
    invoice = electronic([line("recurring", f"Service {each}", 999 + each) for each in range(count)])
    assert wrong_with(invoice, xml_of(invoice)) == []


@pytest.mark.parametrize("corrected", [False, True], ids=["invoice", "credit note"])
@pytest.mark.parametrize(
    ("category", "code"),
    [("S", None), ("AE", "VATEX-EU-AE"), ("K", "VATEX-EU-IC"), ("G", "VATEX-EU-G"), ("E", None)],
)
def test_valid__every_vat_category(category: str, code: str | None, corrected: bool) -> None:
    lines = [LINES["recurring"] if category == "S" else untaxed(category)]
    abroad = replace(CUSTOMER, country="LU", vat_number="LU26375245")
    invoice = (credit_note if corrected else electronic)(lines, customer=abroad)
    xml = xml_of(invoice)
    assert wrong_with(invoice, xml) == []
    tax = "cac:TaxTotal/cac:TaxSubtotal/cac:TaxCategory"
    assert texts(xml, f"{tax}/cbc:ID") == [category]
    assert texts(xml, f"{tax}/cbc:TaxExemptionReasonCode") == ([code] if code else [])
    assert len(texts(xml, f"{tax}/cbc:TaxExemptionReason")) == (0 if category == "S" else 1)
    assert len(texts(xml, "cac:Delivery/cbc:ActualDeliveryDate")) == (1 if category == "K" else 0)


def test_valid__two_rates_of_one_category_and_another_category() -> None:
    reduced = line("one_off", "Livre", 1001, vat_rate_micro=6 * MICRO)
    invoice = electronic([LINES["recurring"], reduced, untaxed("E"), untaxed("G")])
    xml = xml_of(invoice)
    assert wrong_with(invoice, xml) == []
    assert texts(xml, "cac:TaxTotal/cac:TaxSubtotal/cac:TaxCategory/cbc:Percent") == ["0", "0", "6", "21"]


def test_valid__the_reason_of_the_settings_comes_first() -> None:
    invoice = electronic([untaxed("E")])
    own = replace(invoice, vat=(replace(invoice.vat[0], reason="Exonéré, art. 42"),))
    assert texts(xml_of(own), ".//cbc:TaxExemptionReason") == ["Exonéré, art. 42"]


@pytest.mark.parametrize("name", NAMES)
def test_valid__names_in_every_european_script(name: str) -> None:
    customer = replace(CUSTOMER, name=name, street=name, city=name)
    invoice = electronic([line("recurring", name, 1000)], customer=customer)
    xml = xml_of(invoice)
    assert wrong_with(invoice, xml) == []
    assert texts(xml, "cac:InvoiceLine/cac:Item/cbc:Name") == [name]


# What a line says


@pytest.mark.parametrize(
    ("name", "quantity", "unit", "price", "base"),
    [
        ("recurring", "2", "C62", "15.5", None),
        ("recurring at price 0", "3", "C62", "0", None),
        ("first period, pro rata", "1", "C62", "22", None),
        ("traffic", "4261", "SEC", "3.56", "4261"),  # the sum of calls rounded up, for all the seconds
        ("traffic within packs", "1", "C62", "0", None),
        ("traffic, set-up fees alone", "1", "C62", "1.5", None),
        ("one-off with decimals", "1.25", "C62", "75", None),
        ("one-off half a cent up", "2.5", "C62", "0.05", None),  # 12.5 cents: 13
        ("one-off of the smallest price", "1", "C62", "0.000001", None),
        ("one-off without a quantity", "1", "C62", "5", None),
        ("one-off of the largest figures", "1000000", "C62", "100000", None),
        ("credit", "-1", "C62", "15", None),  # a price is never negative
        ("credit of part of its amount", "-1", "C62", "10", None),
        ("credit of many", "-2", "C62", "15", None),
    ],
)
def test_line__quantity_and_price_make_its_net(
    name: str, quantity: str, unit: str, price: str, base: str | None
) -> None:
    xml = xml_of(electronic([LINES[name], line("one_off", "Autre", 10**6)]))
    at = "cac:InvoiceLine[1]"
    assert texts(xml, f"{at}/cbc:InvoicedQuantity") == [quantity]
    assert re.search(rb'InvoicedQuantity unitCode="(\w+)"', xml)[1].decode() == unit  # type: ignore[index]
    assert texts(xml, f"{at}/cac:Price/cbc:PriceAmount") == [price]
    assert texts(xml, f"{at}/cac:Price/cbc:BaseQuantity") == ([base] if base else [])


def test_line__a_share_of_a_month_of_several_keeps_its_quantity() -> None:
    two = line("recurring", "Standard", 1447, quantity_micro=2 * MICRO, unit_price_micro=15_500_000, **TWO_WEEKS)
    invoice = electronic([two])
    xml = xml_of(invoice)
    assert wrong_with(invoice, xml) == []
    assert texts(xml, ".//cbc:InvoicedQuantity") + texts(xml, ".//cbc:BaseQuantity") == ["2", "2"]
    (description,) = texts(xml, ".//cbc:Description")
    assert description.startswith("Services récurrents – novembre 2026; du 01/11/2026 au 14/11/2026 (14/30 jours); ")
    assert description.endswith("Prorata des jours : 2 × 15,50 € par mois")


@pytest.mark.parametrize(
    ("name", "description", "note"),
    [
        (
            "user cap",
            "Services récurrents – novembre 2026; du 01/11/2026 au 30/11/2026",
            "Le nombre d’utilisateurs facturés peut baisser de 10 % au maximum par trimestre (art. 8.5)",
        ),
        ("contracted users", None, "Utilisateurs prévus au contrat et pas encore configurés (art. 8.4)"),
        ("number minimum", None, "Les numéros internationaux sont pris pour 12 mois au minimum (art. 8.6)"),
        ("traffic", "Communications – octobre 2026; Hors pack 71 min 01 s", None),
        ("traffic of an earlier period", "Communications – août 2026; Hors pack 1 min 01 s", None),
        ("one-off with decimals", "Frais uniques; le 12/10/2026", None),
        ("one-off without a quantity", "Frais uniques", None),
    ],
)
def test_line__says_what_it_is_and_which_article_is_behind_it(
    name: str, description: str | None, note: str | None
) -> None:
    xml = xml_of(electronic([LINES[name]]))
    assert description is None or texts(xml, ".//cbc:Description") == [description]
    assert texts(xml, "cac:InvoiceLine/cbc:Note") == ([note] if note else [])


def test_period__of_the_document_holds_every_line_and_is_left_out_without_one() -> None:
    lines = [LINES["traffic of an earlier period"], LINES["recurring"], LINES["number minimum, many months"]]
    xml = xml_of(electronic(lines))
    period = [texts(xml, f"cac:InvoicePeriod/cbc:{day}") for day in ("StartDate", "EndDate")]
    assert period == [["2026-08-01"], ["2027-10-31"]]
    assert texts(xml_of(electronic([line("one_off", "Câble", 100)])), ".//cac:InvoicePeriod") == []


# What the document says


def test_head__names_both_parties_and_how_to_pay() -> None:
    xml = xml_of(full_document(customer=replace(CUSTOMER, email="compta@dupont.example")))
    assert (texts(xml, "cbc:InvoiceTypeCode"), texts(xml, "cbc:BuyerReference")) == (["380"], ["C-0042"])
    assert texts(xml, ".//cbc:EndpointID") == ["0404484654", "0428759497"]
    assert texts(xml, ".//cac:PartyTaxScheme/cbc:CompanyID") == ["BE0404484654", "BE0428759497"]
    assert texts(xml, ".//cac:PartyLegalEntity/cbc:CompanyID") == ["0404484654", "0428759497"]
    assert texts(xml, ".//cac:Contact/*") == [
        "Maison Téléphonie SA", "+32 4 345 67 89", "facturation@maison.example", "compta@dupont.example",
    ]  # fmt: skip
    assert texts(xml, "cac:PaymentMeans//*")[:2] == ["30", "+++202/6000/00192+++"]
    assert texts(xml, "cac:PaymentMeans/cac:PayeeFinancialAccount//cbc:ID") == ["BE68539007547034", "GKCCBEBB"]
    assert texts(xml, "cbc:DueDate") == ["2026-11-27"]
    assert "739,90\xa0€ pour le 27 novembre 2026" in texts(xml, "cac:PaymentTerms/cbc:Note")[0]


def test_head__without_a_bank_code_or_register_there_is_no_empty_element() -> None:
    xml = xml_of(full_document(supplier=replace(SUPPLIER, bic="", register="", phone="", email="")))
    assert violations(xml) == []
    assert [element for element in etree.fromstring(xml).iter() if not len(element) and not element.text] == []


def test_head__a_free_invoice_asks_for_no_payment() -> None:
    invoice = electronic([LINES["recurring at price 0"]])
    xml = xml_of(invoice)
    assert wrong_with(invoice, xml) == []
    assert texts(xml, "cac:PaymentTerms/cbc:Note") == ["Cette facture ne demande aucun paiement."]


def test_credit_note__refers_to_its_invoice_and_asks_for_no_payment() -> None:
    xml = xml_of(credit_note([LINES["recurring"], LINES["traffic"]]))
    assert etree.QName(etree.fromstring(xml)).localname == "CreditNote"
    reference = "cac:BillingReference/cac:InvoiceDocumentReference"
    assert texts(xml, f"{reference}/cbc:ID") == [CORRECTED.invoice_number]
    assert texts(xml, f"{reference}/cbc:IssueDate") == ["2026-10-28"]
    assert texts(xml, "cbc:CreditNoteTypeCode") == ["381"]
    (note,) = texts(xml, "cbc:Note")
    reason, mention = note.split("\n")
    assert reason == f"Motif : {CORRECTED.reason}"
    assert mention.startswith("TVA à reverser à l’État dans la mesure où elle a été initialement déduite")
    assert texts(xml_of(credit_note([untaxed("E")])), "cbc:Note") == [f"Motif : {CORRECTED.reason}"]
    assert texts(xml, "cac:CreditNoteLine/cbc:CreditedQuantity") == ["2", "4261"]
    assert texts(xml, "cac:PaymentMeans") == []


def test_receiver__is_the_peppol_id_of_the_customer_where_he_has_one() -> None:
    invoice = electronic([LINES["recurring"]], customer=replace(CUSTOMER, peppol_id="0088:5412345000013"))
    xml = xml_of(invoice)
    assert wrong_with(invoice, xml) == []
    assert b'<cbc:EndpointID schemeID="0088">5412345000013<' in xml


# What it carries


def test_attachments__the_pdf_and_the_calls_come_back_as_they_were() -> None:
    pdf, calls = b"%PDF-1.7 \x00\xff" * 1000, calls_as_csv(many_calls(40))
    for made in (full_document(), credit_note([LINES["recurring"]])):
        xml = xml_of(made, pdf=pdf, calls_csv=calls)
        assert wrong_with(made, xml) == []
        embedded = texts(xml, ".//cbc:EmbeddedDocumentBinaryObject")
        assert [base64.b64decode(each) for each in embedded] == [pdf, calls]
        assert re.findall(rb'mimeCode="([a-z/]+)" filename="([^"]+)"', xml) == [
            (b"application/pdf", f"{made.number}.pdf".encode()),
            (b"text/csv", f"{made.number}.csv".encode()),
        ]


def test_calls_csv__reads_back_and_calculates_nothing() -> None:
    evil = many_calls(8).with_columns(zone=pl.lit("=HYPERLINK(1)"))
    table = pl.read_csv(io.BytesIO(calls_as_csv(evil)), infer_schema=False)
    assert table.row(1, named=True) == {
        "start": "2026-10-01T08:37:07", "user": "U-1", "direction": "outgoing", "number": "+33612345678",
        "zone": "'=HYPERLINK(1)", "seconds": "110", "in_pack_s": "0", "out_of_pack_s": "110", "amount": "0.62",
    }  # fmt: skip
    assert table["amount"].str.contains(r"^\d+\.\d\d$").all()
    incoming = evil.with_columns(direction=pl.lit("incoming"), amount_cents=-5)
    back = pl.read_csv(io.BytesIO(calls_as_csv(incoming)), infer_schema=False)
    assert (back["number"][0], back["amount"][0]) == ("+3243456789", "-0.05")


# Texts


HOSTILE = [
    "<b>&amp;</b>", "]]>", "<!--", "&#0;", "'\"", "a\x00b\x1b[31m", "\ud800", "\ufffe", "a\u202eb", "x\r\ny", "\x85",
]  # fmt: skip
OF_CUSTOMER = ("name", "street", "postal_code", "city", "email", "customer_id")
OF_SUPPLIER = ("name", "street", "postal_code", "city", "register", "phone", "email")


@pytest.mark.parametrize("text", HOSTILE)
def test_text__what_is_hostile_comes_back_as_it_is_printed(text: str) -> None:
    customer = replace(CUSTOMER, **dict.fromkeys(OF_CUSTOMER, text))
    supplier = replace(SUPPLIER, **dict.fromkeys(OF_SUPPLIER, text))
    lines = [line("one_off", text, 1000, product_id=text)]
    parties = {"customer": customer, "supplier": supplier}
    invoice = electronic(lines, structured_communication=text, **parties)
    credit = replace(credit_note(lines, **parties), corrects=replace(CORRECTED, reason=text))
    # The supplier's name stands in four places, the customer's in two, each other text in one.
    for made, places in ((invoice, 4 + 6 + 2 + 5 + 3), (credit, 3 + 6 + 2 + 5 + 2)):
        xml = xml_of(made)
        assert wrong_with(made, xml) == []
        assert list(etree.fromstring(xml).itertext()).count(printable(text).strip()) == places
    assert f"Motif : {printable(text)}\n" in texts(xml_of(credit), "cbc:Note")[0]


@pytest.mark.parametrize("blank", ["", "  ", "\x09", "\u2028"])
def test_text__a_blank_one_makes_no_empty_element(blank: str) -> None:
    customer = replace(CUSTOMER, **dict.fromkeys(OF_CUSTOMER, blank))
    invoice = electronic([line("one_off", blank, 1000)], customer=customer)
    xml = xml_of(invoice)
    assert wrong_with(invoice, xml) == []
    assert texts(xml, "cac:InvoiceLine/cac:Item/cbc:Name") == ["\ufffd"]


# The same bytes, and no document that is wrong


ELSEWHERE = """
import hashlib
from electronic_documents import xml_of
from sample_documents import full_document
print(hashlib.sha256(xml_of(full_document())).hexdigest())
"""


def test_bytes__are_the_same_in_each_process() -> None:
    environments = [
        {"PYTHONHASHSEED": "1", "TZ": "Asia/Tokyo", "LC_ALL": "C"},
        {"PYTHONHASHSEED": "2", "LC_ALL": "C.UTF-8"},
    ]
    here = hashlib.sha256(xml_of(full_document())).hexdigest()
    for environment in environments:
        done = subprocess.run(
            [sys.executable, "-c", ELSEWHERE],
            env={**environment, "PYTHONPATH": f"{HERE}:{HERE.parents[1]}"},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert done.stdout.strip() == here


def changed(invoice: InvoiceDocument, **fields: object) -> InvoiceDocument:
    return replace(invoice, lines=(replace(invoice.lines[0], **fields), *invoice.lines[1:]))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (replace(document([]), number=None), "a draft is no electronic invoice"),
        (changed(full_document(), net_cents=27901), "lines make 61150 cents, not 61149"),
        (replace(full_document(), gross_cents=73991), "net and VAT make 73990 cents, not 73991"),
        (replace(full_document(), customer=replace(CUSTOMER, language="it")), "no documents in language 'it'"),
    ],
)
def test_figures__a_document_that_is_wrong_is_not_written(wrong: InvoiceDocument, message: str) -> None:
    parties = parties_of(full_document())
    assert parties is not None
    assert parties.sender == ElectronicAddress("0208", "0404484654")
    with pytest.raises(ValueError, match=re.escape(message)):
        write_ubl(wrong, parties)

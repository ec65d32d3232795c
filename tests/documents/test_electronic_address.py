"""Electronic addresses: what is told from a peppol_id and a VAT number, and who gets the PDF alone."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from electronic_documents import electronic, untaxed
from sample_documents import CUSTOMER, SUPPLIER, document, line

from invoicing.documents.electronic_address import (
    SCHEMES,
    VAT_SCHEMES,
    address_of_vat_number,
    checked_address,
    checked_vat_number,
    parties_of,
    why_pdf_only,
)
from invoicing.documents.rule_sets import CEN, PEPPOL, rule_files


@pytest.mark.parametrize(
    ("written", "country", "number", "address"),
    [
        ("BE0428759497", "BE", "BE0428759497", "0208:0428759497"),
        ("be 0428.759.497", "BE", "BE0428759497", "0208:0428759497"),
        ("0428759497", "BE", "BE0428759497", "0208:0428759497"),
        ("428759497", "BE", "BE0428759497", "0208:0428759497"),  # of before the leading zero
        ("BE0428759497", "FR", "BE0428759497", "0208:0428759497"),  # its own country counts
        ("BE0428759498", "BE", None, None),
        ("ATU57194903", "AT", "ATU57194903", "9914:ATU57194903"),
        ("CHE-107.787.577 IVA", "CH", "CHE107787577IVA", "9927:CHE107787577IVA"),
        ("DE136695976", "DE", "DE136695976", "9930:DE136695976"),
        ("DK13585628", "DK", "DK13585628", "0184:DK13585628"),
        ("094259216", "GR", "EL094259216", "9933:EL094259216"),
        ("EL094259216", "GR", "EL094259216", "9933:EL094259216"),
        ("B58378431", "ES", "ESB58378431", "9920:ESB58378431"),
        ("FI20774740", "FI", "FI20774740", "0213:FI20774740"),
        ("FR40303265045", "FR", "FR40303265045", "9957:FR40303265045"),
        ("GB980780684", "GB", "GB980780684", "9932:GB980780684"),
        ("IT00743110157", "IT", "IT00743110157", "0211:IT00743110157"),
        ("LU26375245", "LU", "LU26375245", "9938:LU26375245"),
        ("NL004495445B01", "NL", "NL004495445B01", "9944:NL004495445B01"),
        ("995525828MVA", "NO", "NO995525828MVA", "0192:995525828"),
        ("SE123456789701", "SE", "SE123456789701", "0007:1234567897"),
        ("US123456789", "US", None, None),
        ("none", "BE", None, None),
        ("", "BE", None, None),
    ],
)
def test_vat_number__is_checked_and_gives_an_address(
    written: str, country: str, number: str | None, address: str | None
) -> None:
    checked = checked_vat_number(written, country)
    assert checked == number
    found = address_of_vat_number(checked)
    assert (str(found) if found else None) == address


@pytest.mark.parametrize(
    ("peppol_id", "is_right"),
    [
        ("0208:0428759497", True),
        (" 0208 : 0428759497 ", True),
        ("0208:0428759498", False),
        ("0208:BE0428759497", False),  # the enterprise number alone
        ("0208:428759497", False),
        ("9925:BE0428759497", True),
        ("9925:BE0428759498", False),
        ("9930:DE136695976", True),
        ("9930:DE136695977", False),
        ("0088:5412345000013", True),
        ("0088:5412345000014", False),
        ("0106:12345678", True),  # not to be judged here
        ("9901:12345678", False),  # a scheme of the past
        ("0428759497", False),
        ("0208:", False),
        ("0106:<b>", False),
        ("", False),
    ],
)
def test_peppol_id__is_a_known_scheme_and_an_identifier_of_it(peppol_id: str, is_right: bool) -> None:
    assert (checked_address(peppol_id) is not None) == is_right


def test_schemes__are_those_that_both_rule_sets_know() -> None:
    files = rule_files("")
    cen = re.search(r"contains\(' (0002 0007 0009 [0-9A-Z ]*9959)", files[CEN].read_text(encoding="utf-8"))
    peppol = re.search(r"tokenize\('(0002 0007 0009 [0-9 ]*9959)'", files[PEPPOL].read_text(encoding="utf-8"))
    assert cen is not None
    assert peppol is not None
    assert set(cen[1].split()) & set(peppol[1].split()) == SCHEMES
    assert set(VAT_SCHEMES.values()) <= SCHEMES


NEITHER = "PDF only, no electronic invoice: the customer has neither VAT number nor peppol_id"


@pytest.mark.parametrize(
    ("fields", "category", "reason"),
    [
        ({}, "S", ""),
        ({"vat_number": None}, "S", NEITHER),
        ({"vat_number": None, "country": "FR"}, "S", NEITHER),
        ({"vat_number": ""}, "S", NEITHER),
        ({"vat_number": None, "peppol_id": "0208:0428759497"}, "S", ""),  # a public body without VAT number
        ({"peppol_id": "0088:5412345000013"}, "S", ""),
        ({"vat_number": "BE0428759498"}, "S", "'BE0428759498' is no valid VAT number; mend it in the customers table"),
        ({"vat_number": "BE0428759498", "peppol_id": "0208:0428759497"}, "S", "'BE0428759498' is no valid VAT number"),
        ({"peppol_id": "0208:BE0428759497"}, "S", "'0208:BE0428759497' is no valid peppol_id"),
        ({"vat_number": "XI980780684"}, "S", "no valid VAT number"),
        ({"vat_number": None, "peppol_id": "9938:LU26375245"}, "AE", "VAT category AE needs the customer's VAT number"),
        ({"vat_number": None, "peppol_id": "9938:LU26375245"}, "K", "VAT category K needs the customer's VAT number"),
        ({"vat_number": None, "peppol_id": "9938:LU26375245"}, "E", ""),
    ],
)
def test_customer__who_gets_the_pdf_only_and_why(fields: dict[str, str | None], category: str, reason: str) -> None:
    lines = [line("one_off", "Câble", 1000) if category == "S" else untaxed(category)]
    invoice = electronic(lines, customer=replace(CUSTOMER, **fields))
    told = why_pdf_only(invoice)
    assert reason in told
    assert (parties_of(invoice) is None) == bool(told) == bool(reason)


def test_supplier__sends_from_its_peppol_id_or_its_enterprise_number() -> None:
    invoice = document([])
    for peppol_id, sender in (("", "0208:0404484654"), ("9925:BE0404484654", "9925:BE0404484654")):
        parties = parties_of(replace(invoice, supplier=replace(SUPPLIER, peppol_id=peppol_id)))
        assert parties is not None
        assert str(parties.sender) == sender
    assert parties_of(replace(invoice, supplier=replace(SUPPLIER, vat_number=""))) is None

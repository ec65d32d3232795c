"""The supplier's settings: what is missing for electronic invoices, what is wrong and refused."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest
from sample_documents import SUPPLIER

from invoicing.electronic_parties import customer_warnings, lacking_settings, refuse_wrong_supplier
from schemas.errors import InputRefused
from schemas.settings import Supplier


@pytest.mark.parametrize(
    ("fields", "lacking"),
    [
        ({}, []),
        ({"bic": "", "register": "", "email": "", "phone": "", "website": "", "logo": ""}, []),
        *(
            ({name: ""}, [f"supplier.{name}"])
            for name in ("name", "street", "postal_code", "city", "country", "vat_number", "iban")
        ),
        ({"city": " ", "iban": ""}, ["supplier.city", "supplier.iban"]),
        ({"vat_number": "XI980780684"}, ["supplier.peppol_id"]),  # no address follows from it
    ],
)
def test_supplier__what_is_missing_is_named(fields: dict[str, str], lacking: list[str]) -> None:
    assert lacking_settings(replace(SUPPLIER, **fields)) == lacking


@pytest.mark.parametrize(
    "supplier",
    [
        Supplier(),
        SUPPLIER,
        replace(SUPPLIER, vat_number="be 0404.484.654", iban="be68 5390 0754 7034", bic="gkccbebb"),
        replace(SUPPLIER, country="NL", vat_number="NL004495445B01", iban="NL91ABNA0417164300", bic=""),
        replace(SUPPLIER, peppol_id="0088:5412345000013"),
    ],
)
def test_supplier__what_is_right_or_not_set_passes(supplier: Supplier) -> None:
    refuse_wrong_supplier(supplier)


def test_supplier__all_that_is_wrong_is_told_at_once() -> None:
    wrong = Supplier(country="be", vat_number="BE1", iban="BE1", bic="X", peppol_id="0208:1")
    with pytest.raises(InputRefused) as refused:
        refuse_wrong_supplier(wrong)
    assert [(problem.column, problem.value) for problem in refused.value.problems] == [
        ("supplier.bic", "X"),
        ("supplier.country", "be"),
        ("supplier.iban", "BE1"),
        ("supplier.peppol_id", "0208:1"),
        ("supplier.vat_number", "BE1"),
    ]


def test_customers__who_would_lose_the_electronic_invoice_by_a_mistake_is_named() -> None:
    rows = [
        ("c3", "BE0428759498", None, "S"), ("c1", "BE0428759497", None, "S"), ("c2", None, None, "S"),
        ("c4", None, None, "K"),
    ]  # fmt: skip
    columns = ["customer_id", "vat_number", "peppol_id", "vat_category"]
    rest = {name: pl.lit("x") for name in ("name", "street", "postal_code", "city", "language", "email")}
    table = pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row")
    assert customer_warnings(table.with_columns(country=pl.lit("BE"), **rest)) == [
        "c3 (x) gets the PDF only: 'BE0428759498' is no valid VAT number",
        "c4 (x) gets the PDF only: VAT category K needs the customer's VAT number",
    ]

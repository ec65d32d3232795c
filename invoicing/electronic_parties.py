"""The parties of electronic invoices, judged before there is one: what is wrong in settings and tables, or missing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import polars as pl

from invoicing.documents.electronic_address import (
    NEEDS_VAT_NUMBER,
    checked_address,
    checked_vat_number,
    customer_mistakes,
    supplier_address,
)
from invoicing.documents.model import Customer
from invoicing.documents.rule_sets import not_validated
from schemas.errors import InputRefused, Problem
from schemas.settings import FILE_NAME

if TYPE_CHECKING:
    from schemas.settings import DocumentSettings, Supplier

NEEDED = ("name", "street", "postal_code", "city", "country", "vat_number", "iban")


def refuse_wrong_supplier(supplier: Supplier) -> None:
    """What is set must be right: it stands on every document. What is not set is no mistake.

    Raises:
        InputRefused: with every setting that is wrong.
    """
    wrong = [
        (name, expected)
        for name, expected, holds in (
            ("country", "two capital letters, such as BE", re.fullmatch("[A-Z]{2}", supplier.country)),
            (
                "vat_number", "a VAT number whose check digits are right, such as BE0428759497",
                checked_vat_number(supplier.vat_number, supplier.country),
            ),
            (
                "peppol_id", "a scheme and an identifier that is right in it, such as 0208:0428759497",
                checked_address(supplier.peppol_id),
            ),
        )
        if getattr(supplier, name) and not holds
    ] + _wrong_account(supplier)  # fmt: skip
    if wrong:
        problems = tuple(
            Problem(FILE_NAME, FILE_NAME, 0, f"supplier.{name}", getattr(supplier, name), f"expected {expected}")
            for name, expected in wrong
        )
        raise InputRefused("the supplier in centime.toml cannot be used", problems)


def _wrong_account(supplier: Supplier) -> list[tuple[str, str]]:
    """Account and bank, where they are set and wrong."""
    if not supplier.iban and not supplier.bic:
        return []
    from schwifty import BIC, IBAN  # noqa: PLC0415 - a setting is judged once per run

    wrong = []
    if supplier.iban and not IBAN(supplier.iban, allow_invalid=True).is_valid:
        wrong.append(("iban", "an IBAN whose check digits are right, such as BE68539007547034"))
    if supplier.bic and not BIC(supplier.bic, allow_invalid=True).is_valid:
        wrong.append(("bic", "a BIC of 8 or 11 characters, such as GKCCBEBB"))
    return wrong


def lacking_settings(supplier: Supplier) -> list[str]:
    """The settings without which no electronic invoice can be made, as they are named in `centime.toml`."""
    lacking = [f"supplier.{name}" for name in NEEDED if not getattr(supplier, name).strip()]
    if not lacking and supplier_address(supplier) is None:
        lacking.append("supplier.peppol_id")
    return lacking


def electronic_warnings(supplier: Supplier, settings: DocumentSettings) -> list[str]:
    """What holds for all electronic invoices of a run, told once: that there are none, or that none is validated."""
    lacking = lacking_settings(supplier)
    if lacking:
        return [f"PDF only, no electronic invoices: centime.toml lacks {', '.join(lacking)}"]
    unable = not_validated() if settings.validate else ""
    return [f"electronic invoices were not validated: {unable}"] if unable else []


def customer_warnings(customers: pl.DataFrame) -> list[str]:
    """The customers of the table who would get a PDF only because of a mistake, a sentence each."""
    stated = pl.col("vat_number").is_not_null() | pl.col("peppol_id").is_not_null()
    judged = customers.filter(stated | pl.col("vat_category").is_in(list(NEEDS_VAT_NUMBER))).sort("customer_id")
    found = []
    for row in judged.iter_rows(named=True):
        customer = Customer(**{name: row[name] for name in Customer.__dataclass_fields__})
        mistakes = customer_mistakes(customer, {row["vat_category"]})
        if mistakes:
            found.append(f"{customer.customer_id} ({customer.name}) gets the PDF only: {'; '.join(mistakes)}")
    return found

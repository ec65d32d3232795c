"""Who sends and who receives an electronic invoice: addresses on the Peppol network, and VAT numbers that are right.

A customer is found by his `peppol_id`; without one by his VAT number, in the scheme of its country. Who has
neither, a private person say, gets the PDF alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from invoicing.documents.model import Customer, InvoiceDocument
    from schemas.settings import Supplier

# The schemes of electronic addresses that the CEN rules (BR-CL-25) and the Peppol rules (CL008) both know.
KNOWN_SCHEMES = (
    "0002 0007 0009 0037 0060 0088 0096 0097 0106 0130 0135 0142 0151 0183 0184 0188 0190 0191 0192 0193 0195 0196 "
    "0198 0199 0200 0201 0202 0204 0208 0209 0210 0211 0212 0213 0215 0216 0218 0221 0230 9910 9913 9914 9915 9918 "
    "9919 9920 9922 9923 9924 9925 9926 9927 9928 9929 9930 9931 9932 9933 9934 9935 9936 9937 9938 9939 9940 9941 "
    "9942 9943 9944 9945 9946 9947 9948 9949 9950 9951 9952 9953 9957 9959"
)
SCHEMES = frozenset(KNOWN_SCHEMES.split())
# The scheme that holds the VAT number of a country, by the two letters the number begins with.
VAT_SCHEMES = {
    "AT": "9914", "BE": "0208", "BG": "9926", "CH": "9927", "CY": "9928", "CZ": "9929", "DE": "9930", "DK": "0184",
    "EE": "9931", "EL": "9933", "ES": "9920", "FI": "0213", "FR": "9957", "GB": "9932", "HR": "9934", "HU": "9910",
    "IE": "9935", "IT": "0211", "LT": "9937", "LU": "9938", "LV": "9939", "MT": "9943", "NL": "9944", "NO": "0192",
    "PL": "9945", "PT": "9946", "RO": "9947", "SE": "0007", "SI": "9949", "SK": "9950",
}  # fmt: skip
BELGIAN, BELGIAN_VAT, GLOBAL_LOCATION = "0208", "9925", "0088"
# In these the number stands without its country: enterprise numbers, of which the VAT number is made.
NUMBER_IN_VAT = {"BE": r"BE(\d{10})", "NO": r"NO(\d{9})MVA", "SE": r"SE(\d{10})01"}
CHECKED_OUTSIDE_EU = ("CH", "GB", "NO")
IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9:._/-]{0,134}")
# Without the customer's VAT number these are no tax-free supplies.
NEEDS_VAT_NUMBER = frozenset({"AE", "K"})


@dataclass(frozen=True, slots=True)
class ElectronicAddress:
    """Where a party is reached: a scheme of `SCHEMES` and an identifier in it."""

    scheme: str
    identifier: str

    def __str__(self) -> str:
        """As the tables and settings have it."""
        return f"{self.scheme}:{self.identifier}"


@dataclass(frozen=True, slots=True)
class Parties:
    """Both sides of an electronic invoice; VAT numbers with their country, the customer's where he has one."""

    sender: ElectronicAddress
    receiver: ElectronicAddress
    supplier_vat: str
    customer_vat: str | None


def preload_checks() -> None:
    """Import what numbers are checked with: for who checks many."""
    checked_address(f"{BELGIAN}:0428759497")


def parties_of(document: InvoiceDocument) -> Parties | None:
    """Both sides of a document; None where either of them is not to be found or not to be trusted."""
    supplier, customer = document.supplier, document.customer
    sender, receiver = supplier_address(supplier), customer_address(customer)
    supplier_vat = checked_vat_number(supplier.vat_number, supplier.country)
    if sender is None or receiver is None or supplier_vat is None:
        return None
    if customer_mistakes(customer, {total.category for total in document.vat}):
        return None
    return Parties(sender, receiver, supplier_vat, checked_vat_number(customer.vat_number or "", customer.country))


def supplier_address(supplier: Supplier) -> ElectronicAddress | None:
    """Where the supplier sends from: its `peppol_id`, else what follows from its VAT number."""
    return checked_address(supplier.peppol_id) or address_of_vat_number(
        checked_vat_number(supplier.vat_number, supplier.country)
    )


def customer_address(customer: Customer) -> ElectronicAddress | None:
    """Where a customer receives: its `peppol_id`, else what follows from its VAT number."""
    if customer.peppol_id:
        return checked_address(customer.peppol_id)
    return address_of_vat_number(checked_vat_number(customer.vat_number or "", customer.country))


def customer_mistakes(customer: Customer, categories: Collection[str]) -> list[str]:
    """What is wrong with a customer that is to get electronic invoices of these VAT categories, a sentence each."""
    found = []
    vat_number = checked_vat_number(customer.vat_number or "", customer.country)
    if customer.vat_number and vat_number is None:
        found.append(f"{customer.vat_number!r} is no valid VAT number")
    if customer.peppol_id and checked_address(customer.peppol_id) is None:
        found.append(
            f"{customer.peppol_id!r} is no valid peppol_id: expected a scheme and an identifier that is right in it, "
            "such as 0208:0428759497"
        )
    untaxed = sorted(NEEDS_VAT_NUMBER.intersection(categories))
    if untaxed and not customer.vat_number:
        found.append(f"VAT category {untaxed[0]} needs the customer's VAT number")
    return found


def why_pdf_only(document: InvoiceDocument) -> str:
    """Why a customer gets no electronic invoice; empty where he gets one, as far as he is concerned."""
    customer = document.customer
    mistakes = customer_mistakes(customer, {total.category for total in document.vat})
    if mistakes:
        return f"PDF only, no electronic invoice: {'; '.join(mistakes)}; mend it in the customers table"
    if customer_address(customer) is not None:
        return ""
    if customer.vat_number:
        return f"PDF only, no electronic invoice: {customer.vat_number} gives no address on Peppol; add a peppol_id"
    return "PDF only, no electronic invoice: the customer has neither VAT number nor peppol_id"


def checked_vat_number(text: str, country: str) -> str | None:
    """A VAT number as it is written in full, its country first; None where its check digits or form are wrong.

    Args:
        text: As somebody typed it; blanks, dots and dashes do not count, and the country may be left out.
        country: The country of the address, for a number without one.
    """
    compact = re.sub(r"[\s./-]", "", text).upper()
    if not compact:
        return None
    from stdnum.eu import vat  # noqa: PLC0415 - only who makes documents, or checks them, needs it
    from stdnum.exceptions import ValidationError  # noqa: PLC0415

    prefix = "EL" if country == "GR" else country
    for number in (compact, f"{prefix}{compact}"):
        try:
            if number[:2] in CHECKED_OUTSIDE_EU:
                return _outside_eu(number)
            if number[:2] in VAT_SCHEMES:
                return str(vat.validate(number))
        except ValidationError:
            continue
    return None


def _outside_eu(number: str) -> str:
    """The number in full, checked by its own country's rule."""
    from stdnum.ch import vat as swiss  # noqa: PLC0415
    from stdnum.gb import vat as british  # noqa: PLC0415
    from stdnum.no import mva as norwegian  # noqa: PLC0415

    country = number[:2]
    rule = {"CH": swiss, "GB": british, "NO": norwegian}[country]
    found = str(rule.validate(number))
    return found if found.startswith(country) else f"{country}{found}"


def address_of_vat_number(vat_number: str | None) -> ElectronicAddress | None:
    """The address that follows from a checked VAT number, in the scheme of its country."""
    if vat_number is None:
        return None
    country = vat_number[:2]
    pattern = NUMBER_IN_VAT.get(country, "(.*)")
    found = re.fullmatch(pattern, vat_number)
    return None if found is None else ElectronicAddress(VAT_SCHEMES[country], found[1])


def checked_address(peppol_id: str) -> ElectronicAddress | None:
    """An address written `scheme:identifier`; None where the scheme is unknown or the identifier wrong in it."""
    scheme, colon, identifier = (part.strip() for part in peppol_id.partition(":"))
    if not colon or scheme not in SCHEMES or not IDENTIFIER.fullmatch(identifier):
        return None
    return ElectronicAddress(scheme, identifier) if _is_right(scheme, identifier) else None


def _is_right(scheme: str, identifier: str) -> bool:
    """Whether an identifier can be one of its scheme, as far as that can be judged."""
    from stdnum import ean  # noqa: PLC0415

    if scheme == GLOBAL_LOCATION:
        return identifier.isdigit() and ean.is_valid(identifier)
    if scheme == BELGIAN:
        return checked_vat_number(f"BE{identifier}", "BE") == f"BE{identifier}"
    if scheme == BELGIAN_VAT:
        return checked_vat_number(identifier, "BE") is not None
    countries = [country for country, own in VAT_SCHEMES.items() if own == scheme and country not in NUMBER_IN_VAT]
    return all(checked_vat_number(identifier, country) is not None for country in countries)

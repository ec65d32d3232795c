"""Elements of UBL 2.1: an element without a text or without children is not made, for an empty one is refused."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from lxml import etree

from invoicing.documents.words import CENT_PLACES, MICRO_PLACES, printable
from schemas.settings import decimal_text

if TYPE_CHECKING:
    from collections.abc import Iterable

AGGREGATE = "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
BASIC = "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2"
PREFIXES = {"cac": AGGREGATE, "cbc": BASIC}
CURRENCY = "EUR"
BLANK = "\ufffd"

Element = Any  # lxml carries no types


def cbc(name: str, text: str | None, **attributes: str) -> Element | None:
    """A basic component; None where there is no text."""
    written = "" if text is None else printable(text).strip()
    if not written:
        return None
    element = etree.Element(f"{{{BASIC}}}{name}", attributes, nsmap=PREFIXES)
    element.text = written
    return element


def required(name: str, text: str) -> Element:
    """A basic component that must be there, whatever the text was."""
    element = cbc(name, text)
    return cbc(name, BLANK) if element is None else element


def cac(name: str, *children: Element | None) -> Element | None:
    """An aggregate component of those children that are there; None where none is."""
    present = [child for child in children if child is not None]
    if not present:
        return None
    element = etree.Element(f"{{{AGGREGATE}}}{name}", nsmap=PREFIXES)
    element.extend(present)
    return element


def document_element(name: str, children: Iterable[Element | None]) -> Element:
    """The root of an `Invoice` or a `CreditNote`."""
    namespace = f"urn:oasis:names:specification:ubl:schema:xsd:{name}-2"
    names = {None: namespace, "cac": AGGREGATE, "cbc": BASIC}
    element = etree.Element(f"{{{namespace}}}{name}", nsmap=names)
    element.extend([child for child in children if child is not None])
    return element


def amount(name: str, amount_cents: int) -> Element:
    """An amount with its currency, always with two decimals."""
    return cbc(name, f"{Decimal(amount_cents).scaleb(-CENT_PLACES):f}", currencyID=CURRENCY)


def number(micro: int) -> str:
    """Millionths as a decimal without trailing zeros."""
    return decimal_text(Decimal(micro).scaleb(-MICRO_PLACES))


def written(root: Element) -> bytes:
    """The document as a file, indented for who opens it."""
    etree.indent(root)
    content: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return content + b"\n"

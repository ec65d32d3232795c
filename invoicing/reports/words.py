"""The words of the page, and the names that products and zones have in its language."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from invoicing.documents.words import LANGUAGES, Language, language
from invoicing.pipeline import label_in_language
from schemas.errors import InputRefused

if TYPE_CHECKING:
    from schemas.platform import Platform


@dataclass(frozen=True, slots=True)
class Names:
    """What identifiers are called on the page.

    Attributes:
        products: Label by product_id.
        zones: Label by zone_id.
        customers: Name by customer_id.
    """

    products: dict[str, str]
    zones: dict[str, str]
    customers: dict[str, str]

    def of(self, table: dict[str, str], name: str | None) -> str:
        """A label, or the identifier where the tables have it no longer."""
        return "" if name is None else table.get(name, name)

    def customer(self, customer_id: str) -> str:
        """A customer's identifier and name."""
        return f"{customer_id}  {self.of(self.customers, customer_id)}"


def spoken(code: str) -> Language:
    """A language of the page.

    Raises:
        InputRefused: for one that it does not have.
    """
    if code not in LANGUAGES:
        raise InputRefused(f"--lang {code}: expected one of {', '.join(LANGUAGES)}")
    return language(code, __package__)


def names_of(platform: Platform, code: str) -> Names:
    """The names of a platform's products, zones and customers in a language."""
    labelled = label_in_language(pl.lit(code))
    products = platform.products.select("product_id", label=labelled)
    zones = platform.zones.select("zone_id", label=labelled)
    customers = platform.customers.select("customer_id", "name")
    return Names(*(dict(frame.iter_rows()) for frame in (products, zones, customers)))

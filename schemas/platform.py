"""The platform tables together: which there are, which must be given, and the frames they become."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from functools import partial
from typing import TYPE_CHECKING

import polars as pl

from schemas.one_offs import Charges, Credits
from schemas.parties import ContractItems, Contracts, CustomerDecks, Customers, Suspensions
from schemas.price_book import Packs, Prices, Products, Rates, Zones
from schemas.services import Numbers, Subscriptions, Users

if TYPE_CHECKING:
    import dataframely as dy

SCHEMAS: dict[str, type[dy.Schema]] = {
    "customers": Customers,
    "contracts": Contracts,
    "contract_items": ContractItems,
    "customer_decks": CustomerDecks,
    "users": Users,
    "numbers": Numbers,
    "subscriptions": Subscriptions,
    "products": Products,
    "prices": Prices,
    "packs": Packs,
    "zones": Zones,
    "rates": Rates,
    "charges": Charges,
    "credits": Credits,
    "suspensions": Suspensions,
}
OPTIONAL_TABLES = frozenset({"contract_items", "subscriptions", "packs", "charges", "credits", "suspensions"})


def empty(table: str) -> pl.DataFrame:
    """The typed frame of a table without rows."""
    return pl.DataFrame(SCHEMAS[table].create_empty())


@dataclass(frozen=True, slots=True, eq=False)
class Platform:
    """The validated tables of a run, one typed frame each; a table that was not given is empty.

    Days are Date, decimals Int64 in millionths (`_micro`) or cents, text is String, null where a field was
    empty. Rows stand in the order of their file. A platform equals itself alone.
    """

    customers: pl.DataFrame = field(default_factory=partial(empty, "customers"))
    contracts: pl.DataFrame = field(default_factory=partial(empty, "contracts"))
    contract_items: pl.DataFrame = field(default_factory=partial(empty, "contract_items"))
    customer_decks: pl.DataFrame = field(default_factory=partial(empty, "customer_decks"))
    users: pl.DataFrame = field(default_factory=partial(empty, "users"))
    numbers: pl.DataFrame = field(default_factory=partial(empty, "numbers"))
    subscriptions: pl.DataFrame = field(default_factory=partial(empty, "subscriptions"))
    products: pl.DataFrame = field(default_factory=partial(empty, "products"))
    prices: pl.DataFrame = field(default_factory=partial(empty, "prices"))
    packs: pl.DataFrame = field(default_factory=partial(empty, "packs"))
    zones: pl.DataFrame = field(default_factory=partial(empty, "zones"))
    rates: pl.DataFrame = field(default_factory=partial(empty, "rates"))
    charges: pl.DataFrame = field(default_factory=partial(empty, "charges"))
    credits: pl.DataFrame = field(default_factory=partial(empty, "credits"))
    suspensions: pl.DataFrame = field(default_factory=partial(empty, "suspensions"))

    def frames(self) -> dict[str, pl.DataFrame]:
        """The frames by the name of their table."""
        return {table.name: getattr(self, table.name) for table in fields(self)}

"""Short ways to write the platform tables of a test, as the text that a CSV would hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.second_reading.reading import Month, Store, read_months
from tests.second_reading.tables import export

if TYPE_CHECKING:
    from tests.second_reading.books import Row

COLUMNS = {
    "customers": "customer_id",
    "contracts": "contract_id customer_id starts_on ends_on payment_days",
    "contract_items": "contract_id product_id quantity",
    "customer_decks": "customer_id deck_id effective_from",
    "users": "user_id customer_id product_id active_from active_to",
    "numbers": "number customer_id country active_from active_to user_id product_id inbound_deck",
    "subscriptions": "subscription_id customer_id product_id quantity active_from active_to user_id",
    "products": "product_id kind",
    "prices": "product_id customer_id unit_price effective_from",
    "packs": "product_id scope zones included_minutes priority effective_from",
    "zones": "zone_id kind",
    "rates": "deck_id prefix zone_id price_per_minute setup_fee first_increment_s increment_s effective_from",
    "charges": "charge_id customer_id date quantity unit_price product_id",
    "credits": "credit_id customer_id date amount",
}
BASE = {
    "customers": ["ACME"],
    "contracts": ["K1 ACME 2020-01-01"],
    "customer_decks": ["ACME D1 2020-01-01"],
    "products": ["SEAT user", "DESK user", "FRNR number", "PACK pack", "POOL pack"],
    "prices": [
        "SEAT _ 31 2020-01-01",
        "DESK _ 10 2020-01-01",
        "FRNR _ 2.00 2020-01-01",
        "PACK _ 5 2020-01-01",
        "POOL _ 7 2020-01-01",
    ],
    "zones": ["FIX national_fixed", "MOB national_mobile", "SOS emergency", "PREM premium"],
    "rates": [
        "D1 32 FIX 0.05 _ _ _ 2020-01-01",
        "D1 324 MOB 0.20 0.10 _ _ 2020-01-01",
        "D1 3290 PREM 1 _ _ _ 2020-01-01",
        "D1 =112 SOS 0.50 _ _ _ 2020-01-01",
    ],
    "numbers": ["+3242270000 ACME BE 2020-01-01"],
}
HEADER = "call_id,start,direction,caller,callee,duration_s,user_id"


def rows(table: str, lines: list[str]) -> list[Row]:
    """Rows from lines of words, `_` for an empty cell."""
    names = COLUMNS[table].split()
    found = []
    for line in lines:
        words = ["" if word == "_" else word for word in line.split()]
        found.append(dict(zip(names, words + [""] * (len(names) - len(words)), strict=True)))
    return found


def platform(**extra: list[str]) -> dict[str, list[Row]]:
    """The base tables with rows added; a name that ends in `_only` replaces a base table."""
    tables = {name: rows(name, lines) for name, lines in BASE.items()}
    for name, lines in extra.items():
        if name.endswith("_only"):
            tables[name.removesuffix("_only")] = rows(name.removesuffix("_only"), lines)
        else:
            tables[name] = tables.get(name, []) + rows(name, lines)
    return tables


def cdrs(*lines: str) -> bytes:
    return "\n".join([HEADER, *lines, ""]).encode()


def month(period: str, tables: dict[str, list[Row]], *files: bytes) -> Month:
    named = [(f"{period}-{number}.csv", content) for number, content in enumerate(files)]
    return Month(period, f"{period}-28T20:00:00Z", tables, named)


def run(*months: Month, **settings: object) -> Store:
    return read_months(months, dict(settings))


def shown(store: Store, table: str, period: str, *columns: str, **where: str) -> list[tuple[str, ...]]:
    """Some columns of an export, of the rows that hold what is asked for."""
    return [
        tuple(row[column] for column in columns)
        for row in export(store, table, period)
        if all(row[name] == text for name, text in where.items())
    ]

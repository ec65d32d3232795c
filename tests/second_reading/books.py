"""The platform tables of one run, read as text, and what is in force on a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from tests.second_reading.amounts import euro
from tests.second_reading.months import NEVER, ONE_DAY, first_day, last_day

Row = dict[str, str]


@dataclass(frozen=True)
class Contract:
    contract_id: str
    customer_id: str
    starts_on: date
    ends_on: date
    payment_days: int | None

    def holds(self, day: date) -> bool:
        return self.starts_on <= day < self.ends_on

    def runs_past(self, period: str) -> bool:
        """Started on or before the period's last day and not over on the first day of the next."""
        return self.starts_on <= last_day(period) and self.ends_on > last_day(period) + ONE_DAY


@dataclass(frozen=True)
class Rate:
    zone_id: str
    per_minute: Fraction
    setup: Fraction
    first_s: int
    next_s: int


@dataclass(frozen=True)
class Pack:
    product_id: str
    scope: str
    zones: frozenset[str]
    minutes: int | None
    priority: int


def day_of(text: str) -> date:
    return date.fromisoformat(text)


def end_of(text: str) -> date:
    return date.fromisoformat(text) if text else NEVER


def active(row: Row, day: date) -> bool:
    """Whether an interval holds a day: its first day is in, its last is not."""
    return day_of(row["active_from"]) <= day < end_of(row["active_to"])


class Book:
    """One run's tables. Rows are text, trimmed; an absent column or table reads as empty."""

    def __init__(self, tables: dict[str, list[Row]]) -> None:
        self.tables: dict[str, list[Row]] = {
            name: [_Blank({key: text.strip() for key, text in row.items()}) for row in rows]
            for name, rows in tables.items()
        }
        self.contracts = {
            row["customer_id"]: Contract(
                row["contract_id"],
                row["customer_id"],
                day_of(row["starts_on"]),
                end_of(row["ends_on"]),
                int(row["payment_days"]) if row["payment_days"] else None,
            )
            for row in self.rows("contracts")
        }
        self.product_kind = {row["product_id"]: row["kind"] for row in self.rows("products")}
        self.zone_kind = {row["zone_id"]: row["kind"] for row in self.rows("zones")}
        self._numbers = _group(self.rows("numbers"), "number")
        self._users = _group(self.rows("users"), "user_id")
        self._prices: dict[tuple[str, str], list[Row]] = {}
        for row in self.rows("prices"):
            self._prices.setdefault((row["product_id"], row["customer_id"]), []).append(row)
        self._decks: dict[str, dict[date, dict[str, Rate]]] = {}
        for row in self.rows("rates"):
            versions = self._decks.setdefault(row["deck_id"], {})
            versions.setdefault(day_of(row["effective_from"]), {})[row["prefix"]] = Rate(
                row["zone_id"],
                euro(row["price_per_minute"]),
                euro(row["setup_fee"] or "0"),
                int(row["first_increment_s"] or "1"),
                int(row["increment_s"] or "1"),
            )

    def rows(self, table: str) -> list[Row]:
        return self.tables.get(table, [])

    def customer_ids(self) -> list[str]:
        return sorted(row["customer_id"] for row in self.rows("customers"))

    def number_rows(self, number: str) -> list[Row]:
        return self._numbers.get(number, [])

    def number_on(self, number: str, day: date) -> Row | None:
        return next((row for row in self.number_rows(number) if active(row, day)), None)

    def user_on(self, user_id: str, day: date) -> Row | None:
        return next((row for row in self._users.get(user_id, []) if active(row, day)), None)

    def price(self, product_id: str, customer_id: str, day: date) -> Fraction:
        """The unit price in force: the customer's own, where one is in force, else the general one."""
        for owner in (customer_id, ""):
            row = in_force(self._prices.get((product_id, owner), []), day)
            if row is not None:
                return euro(row["unit_price"])
        msg = f"no price of {product_id} for {customer_id} on {day}"
        raise LookupError(msg)

    def deck_of(self, customer_id: str, day: date) -> str | None:
        rows = [row for row in self.rows("customer_decks") if row["customer_id"] == customer_id]
        row = in_force(rows, day)
        return row["deck_id"] if row else None

    def deck_version(self, deck_id: str, day: date) -> tuple[date, dict[str, Rate]] | None:
        """The complete version of a deck that is in force, with the day since when."""
        versions = self._decks.get(deck_id, {})
        since = max((start for start in versions if start <= day), default=None)
        return (since, versions[since]) if since else None

    def packs(self, period: str) -> list[Pack]:
        """R-PACK: the content of each pack in the period, as in force on its first day."""
        found = []
        for product_id, rows in sorted(_group(self.rows("packs"), "product_id").items()):
            row = in_force(rows, first_day(period))
            if row is not None:
                minutes = int(row["included_minutes"]) if row["included_minutes"] else None
                zones = frozenset(zone.strip() for zone in row["zones"].split(";"))
                found.append(Pack(product_id, row["scope"], zones, minutes, int(row["priority"])))
        return found

    def contracted_users(self, customer_id: str) -> dict[str, Fraction]:
        """R-BASIS: the user products that the contract names, with how many of each."""
        contract = self.contracts.get(customer_id)
        named: dict[str, Fraction] = {}
        for row in self.rows("contract_items"):
            is_user = self.product_kind.get(row["product_id"]) == "user"
            if contract and row["contract_id"] == contract.contract_id and is_user:
                named[row["product_id"]] = named.get(row["product_id"], Fraction()) + euro(row["quantity"])
        return named


class _Blank(dict[str, str]):
    """A row in which a column that is not there is empty."""

    def __missing__(self, key: str) -> str:
        return ""


def _group(rows: list[Row], key: str) -> dict[str, list[Row]]:
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row[key], []).append(row)
    return groups


def in_force(rows: list[Row], day: date) -> Row | None:
    """Of the versions of one key, the latest that has begun."""
    begun = [row for row in rows if day_of(row["effective_from"]) <= day]
    return max(begun, key=lambda row: row["effective_from"], default=None)

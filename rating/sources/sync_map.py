"""`sync.toml`: what a telephony platform does not know of its users and numbers: whose they are, and which product.

`sample_cdrs/sync.toml` is a commented example of all of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from rating.sources.settings_file import read_toml
from schemas.errors import InputRefused, Problem

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

FILE_NAME = "sync.toml"
NUMBER_KEYS = ("country", "product_id", "inbound_deck")
# The tables of the file: the type of each of their entries; None where the names are the person's own.
KNOWN: dict[str, dict[str, type] | None] = {
    "customers": None,
    "users": {"product_id": str, "class": str, "classes": dict},
    "numbers": None,
    "ignored": {"customers": list, "users": list, "numbers": list},
    "asterisk": {"customer": str, "number_contexts": list},
}


@dataclass(frozen=True, slots=True)
class SyncMap:
    """What `sync.toml` says.

    Attributes:
        path: The file.
        customers: The customer of each domain or context.
        product_id: The product of users whose class has none of its own; None: each class must have one.
        class_column: The column that tells a user's class.
        classes: The product of each class.
        numbers: Country, product and inbound deck by first digits.
        ignored: What is left out: `customers` (domains), `users`, `numbers`.
        asterisk: `customer` and `number_contexts`.
    """

    path: Path
    customers: dict[str, str]
    product_id: str | None = None
    class_column: str | None = None
    classes: dict[str, str] = field(default_factory=dict)
    numbers: dict[str, dict[str, str]] = field(default_factory=dict)
    ignored: dict[str, list[str]] = field(default_factory=dict)
    asterisk: dict[str, Any] = field(default_factory=dict)


def load_sync_map(path: Path) -> SyncMap:
    """Read the file.

    Raises:
        InputRefused: where it is missing, no TOML, or with all that is wrong in it.
    """
    document = read_toml(path, FILE_NAME)
    problems = [*_wrong_tables(document, path), *_wrong_names(document, path)]
    if problems:
        raise InputRefused(f"{path} cannot be used", tuple(problems))
    users = document.get("users", {})
    return SyncMap(
        path, document.get("customers", {}), users.get("product_id"), users.get("class"), users.get("classes", {}),
        document.get("numbers", {}), document.get("ignored", {}), document.get("asterisk", {}),
    )  # fmt: skip


def _wrong_tables(document: dict[str, Any], path: Path) -> list[Problem]:
    """Tables and entries that are not known, or are of another type."""
    problems = []
    for table, content in document.items():
        known = KNOWN.get(table, {})
        if table not in KNOWN or not isinstance(content, dict):
            problems.append(_problem(path, table, "", f"expected one of the tables {', '.join(KNOWN)}"))
        elif known is not None:
            problems += [
                _problem(path, f"{table}.{name}", str(entry), f"expected one of {', '.join(known)}")
                if name not in known
                else _problem(path, f"{table}.{name}", str(entry), f"expected {_WORDS[known[name]]}")
                for name, entry in content.items()
                if not (name in known and isinstance(entry, known[name]) and _is_of_texts(entry))
            ]
    return problems


_WORDS: dict[type, str] = {str: "a text", list: "a list of texts", dict: "a table of texts"}


def _is_of_texts(entry: object) -> bool:
    if isinstance(entry, list):
        return all(isinstance(item, str) for item in entry)
    if isinstance(entry, dict):
        return all(isinstance(item, str) for item in entry.values())
    return True


def _wrong_names(document: dict[str, Any], path: Path) -> list[Problem]:
    """Customers that are no text, and numbers whose digits or entries are none."""
    customers, numbers = document.get("customers", {}), document.get("numbers", {})
    problems = []
    if isinstance(customers, dict):
        problems += [
            _problem(path, f"customers.{name}", str(entry), "expected a customer_id")
            for name, entry in customers.items()
            if not isinstance(entry, str)
        ]
    for digits, entry in numbers.items() if isinstance(numbers, dict) else ():
        right = (
            isinstance(entry, dict) and "country" in entry and set(entry) <= set(NUMBER_KEYS) and _is_of_texts(entry)
        )
        if not (digits.isdecimal() and right):
            words = 'expected digits, and { country = "BE", product_id = "...", inbound_deck = "..." }'
            problems.append(_problem(path, f"numbers.{digits}", str(entry), f"{words}, of which the last two may lack"))
    return problems


def _problem(path: Path, column: str, value: str, expected: str) -> Problem:
    return Problem(FILE_NAME, str(path), 0, column, value, expected)


def mapped(known: SyncMap, source: str, users: pl.DataFrame, numbers: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Users and numbers as the tables have them, from those of a platform.

    Args:
        known: What the file says.
        source: The platform, as it is told.
        users: `user_id`, `domain`, `class`.
        numbers: `number` (E.164), `domain`, `user_id`.

    Raises:
        InputRefused: naming every domain, class and number that the file does not know.
    """
    ignored = {name: known.ignored.get(name, []) for name in ("customers", "users", "numbers")}
    users = users.filter(~_among("domain", ignored["customers"]), ~_among("user_id", ignored["users"]))
    numbers = numbers.filter(~_among("domain", ignored["customers"]), ~_among("number", ignored["numbers"]))
    longest = _longest_prefixes(numbers["number"], list(known.numbers))
    own_product = pl.lit(known.product_id, pl.String)
    mapped_users = users.with_columns(
        customer_id=_replaced("domain", known.customers),
        product_id=pl.coalesce(_replaced("class", known.classes), own_product),
    )
    mapped_numbers = numbers.with_columns(longest).with_columns(
        customer_id=_replaced("domain", known.customers),
        **{
            name: _replaced("prefix", {digits: entry.get(name) for digits, entry in known.numbers.items()})
            for name in NUMBER_KEYS
        },
    )
    problems = [
        *_unmapped(known, source, mapped_users, "domain", "customer_id", "customers"),
        *_unmapped(known, source, mapped_numbers, "domain", "customer_id", "customers"),
        *_unmapped(known, source, mapped_users, "class", "product_id", "users.classes"),
        *_unmapped(known, source, mapped_numbers, "number", "country", "numbers"),
    ]
    if problems:
        raise InputRefused(f"{source}: it has what {known.path} does not say", tuple(dict.fromkeys(problems)))
    return {
        "users": mapped_users.select("user_id", "customer_id", "product_id"),
        "numbers": mapped_numbers.select("number", "customer_id", "country", "user_id", "product_id", "inbound_deck"),
    }


def _among(column: str, names: list[str]) -> pl.Expr:
    return pl.col(column).is_in(names).fill_null(value=False)


def _replaced(column: str, by: dict[str, Any]) -> pl.Expr:
    return pl.col(column).replace_strict(by, default=None, return_dtype=pl.String)


def _longest_prefixes(numbers: pl.Series, prefixes: list[str]) -> pl.Series:
    """The longest of the prefixes that each number begins with, null where none does."""
    found = pl.lit(None, pl.String)
    for prefix in sorted(prefixes, key=len):
        found = pl.when(pl.col("number").str.starts_with(f"+{prefix}")).then(pl.lit(prefix)).otherwise(found)
    return pl.DataFrame({"number": numbers}).select(prefix=found)["prefix"]


def _unmapped(known: SyncMap, source: str, rows: pl.DataFrame, name: str, column: str, table: str) -> list[Problem]:
    """A problem for each name that nothing was found for."""
    lacking = rows.filter(pl.col(column).is_null())
    return [
        Problem(table, source, 0, name, str(value or ""), f"expected a {column} for it in [{table}] of {known.path}")
        for value in lacking[name].unique().sort()
    ]

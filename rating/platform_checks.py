"""What rows of the platform tables must have in common: keys, intervals, references, kinds, notice.

Each check takes the rows of the tables with the line they stand on and gives problems; none reads a file.
A field that could not be read is null and its row is not `sound`: it is reported where it was read, and the
checks here pass over it, so that one mistake is told once.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

import polars as pl

from rating.frames import previous_in_key
from rating.tariffs import NOTICE_DAYS, judge_notice, told_late
from schemas.errors import Problem
from schemas.settings import decimal_text
from schemas.units import MICRO

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import date

RESERVED_ZONES = ("ONNET", "INCOMING")
NAMED_AT_MOST = 5

UNIQUE: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("customers", ("customer_id",)),
    ("contracts", ("contract_id",)),
    ("contracts", ("customer_id",)),
    ("contract_items", ("contract_id", "product_id")),
    ("customer_decks", ("customer_id", "effective_from")),
    ("subscriptions", ("subscription_id",)),
    ("products", ("product_id",)),
    ("prices", ("product_id", "customer_id", "effective_from")),
    ("packs", ("product_id", "effective_from")),
    ("zones", ("zone_id",)),
    ("rates", ("deck_id", "effective_from", "prefix")),
    ("charges", ("charge_id",)),
    ("credits", ("credit_id",)),
)
INTERVALS: tuple[tuple[str, str, str], ...] = (
    ("users", "active_from", "active_to"),
    ("numbers", "active_from", "active_to"),
    ("subscriptions", "active_from", "active_to"),
    ("suspensions", "suspended_from", "suspended_to"),
    ("contracts", "starts_on", "ends_on"),
)
# Subscriptions and contracts have one row per id, so that their intervals cannot overlap.
DISJOINT = {"users": "user_id", "numbers": "number", "suspensions": "customer_id"}
REFERENCES: tuple[tuple[str, str, str, str], ...] = (
    ("contracts", "customer_id", "customers", "customer_id"),
    ("contract_items", "contract_id", "contracts", "contract_id"),
    ("contract_items", "product_id", "products", "product_id"),
    ("customer_decks", "customer_id", "customers", "customer_id"),
    ("customer_decks", "deck_id", "rates", "deck_id"),
    ("users", "customer_id", "customers", "customer_id"),
    ("users", "product_id", "products", "product_id"),
    ("numbers", "customer_id", "customers", "customer_id"),
    ("numbers", "product_id", "products", "product_id"),
    ("numbers", "inbound_deck", "rates", "deck_id"),
    ("subscriptions", "customer_id", "customers", "customer_id"),
    ("subscriptions", "product_id", "products", "product_id"),
    ("prices", "product_id", "products", "product_id"),
    ("prices", "customer_id", "customers", "customer_id"),
    ("packs", "product_id", "products", "product_id"),
    ("packs", "zones", "zones", "zone_id"),
    ("rates", "zone_id", "zones", "zone_id"),
    ("charges", "customer_id", "customers", "customer_id"),
    ("charges", "product_id", "products", "product_id"),
    ("credits", "customer_id", "customers", "customer_id"),
    ("suspensions", "customer_id", "customers", "customer_id"),
)
KINDS: dict[str, tuple[str, ...]] = {
    "users": ("user",),
    "numbers": ("number",),
    "subscriptions": ("pack", "option"),
    "packs": ("pack", "option", "user"),
}
VERSIONS: dict[str, list[str]] = {
    "customer_decks": ["customer_id"],
    "prices": ["product_id", "customer_id"],
    "packs": ["product_id"],
    "rates": ["deck_id"],
}


@dataclass(frozen=True, slots=True)
class TableRows:
    """The rows of one table as they were read.

    Attributes:
        file: The file's path, for the problems; the table's name where there is no file.
        rows: The typed columns (null where a field is empty or wrong), `line` (Int64) and `sound` (Boolean:
            no field of the row is wrong).
        complete: Whether every row of the file is in `rows`; references into an incomplete table are not
            judged, as what they name may stand in a row that could not be read.
    """

    file: str
    rows: pl.DataFrame
    complete: bool

    def sound_rows(self) -> TableRows:
        """The rows of which every field could be read."""
        return TableRows(self.file, self.rows.filter("sound"), self.complete)


def platform_problems(tables: Mapping[str, TableRows], *, allow_increments: bool) -> list[Problem]:
    """Everything that rows say against one another, in all tables."""
    return [
        *(problem for table, key in UNIQUE for problem in repeated_keys(table, tables[table], key)),
        *(problem for table, first, end in INTERVALS for problem in _backward(table, tables[table], first, end)),
        *(problem for table, key in DISJOINT.items() for problem in _overlapping(table, tables[table], key)),
        *(problem for reference in REFERENCES for problem in _unknown(tables, *reference)),
        *(problem for table, kinds in KINDS.items() for problem in _wrong_kind(tables, table, kinds)),
        *_reserved_zones(tables["zones"]),
        *_missing_users(tables),
        *_priced_free_zones(tables),
        *_broken_users(tables),
        *([] if allow_increments else _increments(tables["rates"])),
    ]


def platform_warnings(tables: Mapping[str, TableRows], customers_set: Iterable[str]) -> list[str]:
    """What is odd but can be billed: users nobody has, customers without a contract, prefixes of no number.

    Takes also the customers that `documents.customers` has settings for.
    """
    users = tables["users"].rows
    warnings = []
    for table in ("numbers", "subscriptions"):
        unknown = _without(tables[table].rows, "user_id", users, "user_id")
        warnings += _named(tables[table].file, unknown, "user_id", "not in users")
    contracts = tables["contracts"].rows.filter(pl.col("ends_on").is_null() | (pl.col("ends_on") > pl.col("starts_on")))
    orphans = _without(tables["customers"].rows, "customer_id", contracts, "customer_id")
    warnings += _named(tables["customers"].file, orphans, "customer_id", "without a contract: nothing is billed")
    dead = tables["rates"].rows.filter(pl.col("prefix").cast(pl.String).str.starts_with("0"))
    words = "no number begins so: expected the country's code first, such as 33 instead of 0033"
    warnings += _named(tables["rates"].file, dead, "prefix", words)
    named = pl.DataFrame({"customer_id": sorted(customers_set)}, schema={"customer_id": pl.String})
    nobody = _without(named, "customer_id", tables["customers"].rows, "customer_id")
    words = "not in customers: what documents.customers sets for them has no effect"
    return warnings + _named("centime.toml", nobody, "customer_id", words)


def notice_problems(
    tables: Mapping[str, TableRows],
    from_day: date | None,
    known: Callable[[str], pl.DataFrame | None] = lambda _: None,
) -> list[Problem]:
    """The versions that were announced too late (R-NOTICE), of decks, prices, packs and customers' decks.

    Args:
        tables: The rows of an accepted platform, by table.
        from_day: The first day of the period that is run; None judges every version there is.
        known: Gives the rows of a table as the last run had them; asked only where a version was announced late.

    Returns:
        One problem for each version; a version of a rate deck is judged by its row that was announced last.
    """
    problems: list[Problem] = []
    for table, by in VERSIONS.items():
        version = [*by, "effective_from"]
        announced = tables[table].rows.group_by(*version, "notified_on").agg(pl.col("line").min())
        latest = announced.sort("notified_on", descending=True).unique(version, keep="first", maintain_order=True)
        earlier = known(table) if latest.select(told_late().any()).item() else None
        late = judge_notice(latest, by=by, from_day=from_day, earlier=earlier).with_columns(
            changed=pl.concat_str(by, separator=" ", ignore_nulls=True),
            last_day=pl.col("effective_from").dt.offset_by(f"-{NOTICE_DAYS}d").cast(pl.String),
        )
        words = (
            f"expected {{last_day}} or before: {NOTICE_DAYS} days of notice of the version of {{changed}} "
            "from {effective_from} on (R-NOTICE, 5.6)"
        )
        problems += _problems(table, tables[table], late, "notified_on", words)
    return problems


def without_empty_intervals(tables: Mapping[str, TableRows]) -> dict[str, pl.DataFrame]:
    """The typed rows by table, without those whose interval holds no day, and without what hangs on them."""
    frames = {table: read.rows.drop("line", "sound") for table, read in tables.items()}
    for table, first, end in INTERVALS:
        frames[table] = frames[table].filter(pl.col(end).is_null() | (pl.col(end) > pl.col(first)))
    items = frames["contract_items"]
    frames["contract_items"] = items.join(
        frames["contracts"].select("contract_id"), on="contract_id", how="semi", maintain_order="left"
    )
    return frames


def _words(row: Mapping[str, object], columns: Iterable[str]) -> str:
    return " ".join(str(row[column]) for column in columns if row[column] is not None)


def _problems(
    table: str, read: TableRows, bad: pl.DataFrame, column: str, expected: str, *, shown: Iterable[str] = ()
) -> Iterator[Problem]:
    """A problem for each bad row; `expected` is a format of the row's columns."""
    columns = list(shown) or [column]
    for row in bad.sort("line").iter_rows(named=True):
        words = expected.format_map(row)
        yield Problem(table, read.file, row["line"], column, _words(row, columns), words)


def repeated_keys(table: str, read: TableRows, key: tuple[str, ...]) -> Iterator[Problem]:
    """Rows whose key a row before has already."""
    legible = pl.all_horizontal(pl.col(column).is_not_null() | pl.col("sound") for column in key)
    rows = read.rows.filter(legible)
    if rows.height == rows.select(pl.struct(key).n_unique()).item():
        return
    before = rows.sort("line").with_columns(first_line=pl.col("line").first().over(key))
    repeated = before.filter(pl.col("line") > pl.col("first_line"))
    words = f"expected one row for each {', '.join(key)}; line {{first_line}} has it already"
    if table == "rates":
        words = "expected each prefix once in a version of a deck; line {first_line} has it already"
    yield from _problems(table, read, repeated, ", ".join(key), words, shown=key)


def _backward(table: str, read: TableRows, first: str, end: str) -> Iterator[Problem]:
    """Intervals that end before they begin; one that ends on its first day is empty and allowed."""
    backward = read.rows.filter(pl.col(end) < pl.col(first))
    words = f"expected a day on or after {first} {{{first}}} (it is the day after the last)"
    yield from _problems(table, read, backward, end, words)


def _overlapping(table: str, read: TableRows, key: str) -> Iterator[Problem]:
    """Intervals of one key that share a day, each told with the row before that reaches furthest."""
    first, end = next((first, end) for name, first, end in INTERVALS if name == table)
    # The furthest end so far and its line travel together in one integer: days above 32 bits of line.
    reach = pl.col(end).to_physical().cast(pl.Int64).fill_null(2**30) * 2**32 + pl.col("line")
    rows = (
        read.rows.filter(pl.col("sound") & (pl.col(end).is_null() | (pl.col(end) > pl.col(first))))
        .sort(key, first, "line")
        .with_columns(reach=reach)
    )
    first_day = pl.col(first).to_physical().cast(pl.Int64)
    # Where any two intervals of a key share a day, so do two that stand next to each other: few keys are left.
    suspect = rows.filter(first_day < previous_in_key("reach", [key]) // 2**32).select(key).unique()
    rows = (
        rows.join(suspect, on=key, how="semi", maintain_order="left")
        .with_columns(before=pl.col("reach").cum_max().over(key).shift(1).over(key))
        .with_columns(before_end=pl.col("before") // 2**32, before_line=pl.col("before") % 2**32)
    )
    overlapping = rows.filter(first_day < pl.col("before_end"))
    words = f"expected intervals of one {key} that do not overlap; line {{before_line}} holds {{{first}}} too"
    yield from _problems(table, read, overlapping, key, words)


def _without(rows: pl.DataFrame, column: str, target: pl.DataFrame, target_column: str) -> pl.DataFrame:
    """The rows whose column names something that the target has not."""
    named = rows.filter(pl.col(column).is_not_null())
    return named.join(target, left_on=column, right_on=target_column, how="anti", maintain_order="left")


def _unknown(
    tables: Mapping[str, TableRows], table: str, column: str, target: str, target_column: str
) -> Iterator[Problem]:
    """Rows that name what another table has no row for."""
    read = tables[table]
    if not tables[target].complete:
        return
    rows = read.rows.select("line", column)
    if table == "packs" and column == "zones":
        rows = rows.explode(column, empty_as_null=True).filter(pl.col(column) != "*")
    unknown = _without(rows, column, tables[target].rows.select(target_column), target_column)
    yield from _problems(table, read, unknown, column, f"expected a {target_column} that {target} has")


def _with_kind(tables: Mapping[str, TableRows], table: str) -> pl.DataFrame:
    """The table's rows with `product_kind`, null where the product is unknown."""
    products = tables["products"].rows.select("product_id", product_kind="kind").unique("product_id", keep="any")
    return tables[table].rows.join(products, on="product_id", how="left", maintain_order="left")


def _wrong_kind(tables: Mapping[str, TableRows], table: str, kinds: tuple[str, ...]) -> Iterator[Problem]:
    """Rows whose product is sold for something else."""
    wrong = _with_kind(tables, table).filter(~pl.col("product_kind").is_in(kinds))
    words = f"expected a product of kind {' or '.join(kinds)}; products says {{product_kind}}"
    yield from _problems(table, tables[table], wrong, "product_id", words)


def _reserved_zones(read: TableRows) -> Iterator[Problem]:
    """Zones under an id that on-net and incoming calls have."""
    reserved = read.rows.filter(pl.col("zone_id").is_in(RESERVED_ZONES))
    words = "expected another zone_id: this one stands for on-net or incoming calls"
    yield from _problems("zones", read, reserved, "zone_id", words)


def _missing_users(tables: Mapping[str, TableRows]) -> Iterator[Problem]:
    """Subscriptions to a pack that each user has for himself, without saying which user."""
    per_user = tables["packs"].rows.filter(pl.col("scope") == "user").select("product_id")
    read = tables["subscriptions"]
    missing = read.rows.filter(pl.col("sound") & pl.col("user_id").is_null()).join(
        per_user, on="product_id", how="semi"
    )
    words = "expected the user whose pack it is: the scope of {product_id} is user"
    yield from _problems("subscriptions", read, missing, "user_id", words)


def _priced_free_zones(tables: Mapping[str, TableRows]) -> Iterator[Problem]:
    """Rates above 0 for a zone that is free."""
    free = tables["zones"].rows.filter(pl.col("kind") == "free").select("zone_id")
    rates = tables["rates"].rows.join(free, on="zone_id", how="semi")
    for column, name in (("rate_micro_per_min", "price_per_minute"), ("setup_micro", "setup_fee")):
        for row in rates.filter(pl.col(column) > 0).sort("line").iter_rows(named=True):
            words = f"expected 0: the zone {row['zone_id']} is of kind free"
            yield Problem("rates", tables["rates"].file, row["line"], name, _micro_text(row[column]), words)


def _broken_users(tables: Mapping[str, TableRows]) -> Iterator[Problem]:
    """Contracts that order a part of a user."""
    broken = _with_kind(tables, "contract_items").filter(
        (pl.col("product_kind") == "user") & (pl.col("quantity_micro") % MICRO != 0)
    )
    for row in broken.sort("line").iter_rows(named=True):
        words = f"expected a whole number: {row['product_id']} is a product of kind user"
        yield Problem(
            "contract_items", tables["contract_items"].file, row["line"], "quantity",
            _micro_text(row["quantity_micro"]), words,
        )  # fmt: skip


def _increments(rates: TableRows) -> Iterator[Problem]:
    """Rates that are not charged per second, in a place that has not agreed to it."""
    words = "expected 1: article 8.3 charges per second (rating.allow_increments = true derogates)"
    for column in ("first_increment_s", "increment_s"):
        yield from _problems("rates", rates, rates.rows.filter(pl.col(column) != 1), column, words)


def _micro_text(micro: int) -> str:
    return decimal_text(Decimal(micro).scaleb(-6))


def _named(file: str, rows: pl.DataFrame, column: str, words: str) -> list[str]:
    """One warning that names the first few of the rows, none where there is no row."""
    names = rows[column].unique(maintain_order=True).to_list()
    if not names:
        return []
    more = f" and {len(names) - NAMED_AT_MOST} more" if len(names) > NAMED_AT_MOST else ""
    return [f"{file}: {column} {', '.join(names[:NAMED_AT_MOST])}{more}: {words}"]

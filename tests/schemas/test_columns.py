"""Columns of the platform tables: what each kind reads from text, and what it refuses with which words."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import polars as pl
import pytest
from small_platform import TABLES

from rating.sources.platform_tables import read_tables
from schemas.platform import OPTIONAL_TABLES, SCHEMAS, Platform, empty
from schemas.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from small_platform import Load, Refuse

    from rating.sources.platform_tables import ReadTables

REAL_DATE = "expected a real date, written YYYY-MM-DD"
IDENTIFIER = "expected an identifier: letters, digits, _ . -, at most 64, the first a letter or digit"
PRICE = "expected a price from 0 to 100000 with a decimal point and at most 6 decimals"
QUANTITY = "expected a quantity above 0, at most 1000000, with at most 6 decimals"
AMOUNT = "expected an amount above 0, at most 1000000000, with at most 2 decimals"
PREFIX = "expected 1 to 15 digits, =112 (a short code of 2 to 6 digits, the first not 0) or =anonymous"
ZONE_KINDS = "expected one of national_fixed, national_mobile, international, special, premium, free, emergency"
NUMBER = "expected a full telephone number, such as +3221234567 (no short code, not anonymous)"

GOOD_ROW = {
    "customers": "c9,Name,Street 1,1000,City,BE,en,,,,,",
    "contracts": "k9,c9,2026-01-01,,,",
    "contract_items": "k2,minutes,1",
    "numbers": "+3229999999,c1,BE,2026-01-01,,,,",
    "products": "p9,option,Label,,,",
    "prices": "minutes,,1,2026-01-01,2025-11-01",
    "packs": "minutes,customer,*,10,1,2027-01-01,2026-11-01",
    "rates": "standard,44,BE,0.1,0,1,1,2026-01-01,2025-11-01",
    "zones": "Z9,special,Label,,,",
    "charges": "h9,c1,2026-01-01,Text,1,1,",
    "credits": "r9,c1,2026-01-01,Text,1",
    "subscriptions": "s9,c1,minutes,1,2026-01-01,,",
}


def row_with(table: str, column: str, value: str) -> dict[str, str]:
    """A good row with one field changed, as lines to add; a contract comes with its customer."""
    names = TABLES[table].splitlines()[0].split(",")
    fields = dict(zip(names, GOOD_ROW[table].split(","), strict=True)) | {column: value}
    customer = {"customers": GOOD_ROW["customers"]} if table == "contracts" else {}
    return customer | {table: ",".join(fields.values())}


BAD_FIELDS = [
    ("customers", "customer_id", "-c", IDENTIFIER),
    ("customers", "customer_id", "c 9", IDENTIFIER),
    ("customers", "customer_id", "é9", IDENTIFIER),
    ("customers", "customer_id", "c" * 65, IDENTIFIER),
    ("customers", "customer_id", "", f"must not be empty; {IDENTIFIER}"),
    ("customers", "name", "", "must not be empty; expected text without control characters"),
    ("customers", "city", "\x07", "expected text without control characters"),
    ("customers", "country", "be", "expected a country code of two capital letters, such as BE"),
    ("customers", "country", "BEL", "expected a country code of two capital letters, such as BE"),
    ("customers", "language", "FR", "expected one of fr, nl, de, en"),
    ("customers", "vat_category", "Z", "expected one of S, AE, K, G, E"),
    ("contracts", "starts_on", "2026-02-29", REAL_DATE),
    ("contracts", "starts_on", "01/02/2026", REAL_DATE),
    ("contracts", "starts_on", "2026-1-01", REAL_DATE),
    ("contracts", "starts_on", "2026-01-01T00:00", REAL_DATE),
    ("contracts", "starts_on", "0000-01-01", REAL_DATE),
    ("contracts", "starts_on", "٢٠٢٦-01-01", REAL_DATE),
    ("contracts", "ends_on", "never", REAL_DATE),
    ("contracts", "term_months", "0", "expected a whole number from 1 to 1200"),
    ("contracts", "term_months", "1.5", "expected a whole number from 1 to 1200"),
    ("contracts", "payment_days", "366", "expected a whole number from 0 to 365"),
    ("contracts", "payment_days", "-1", "expected a whole number from 0 to 365"),
    ("contract_items", "quantity", "0", QUANTITY),
    ("contract_items", "quantity", "0.0000001", QUANTITY),
    ("contract_items", "quantity", "1000000.000001", QUANTITY),
    ("contract_items", "quantity", "-1", QUANTITY),
    ("numbers", "number", "112", NUMBER),
    ("numbers", "number", "anonymous", NUMBER),
    ("numbers", "number", "", f"must not be empty; {NUMBER}"),
    ("numbers", "number", "+0221234567", NUMBER),
    ("numbers", "number", "12345678", NUMBER),
    ("products", "kind", "user ;", "expected one of user, number, pack, option, one_off"),
    ("prices", "unit_price", "100000.000001", PRICE),
    ("prices", "unit_price", "0.0000010", PRICE),
    ("prices", "unit_price", "-0.01", PRICE),
    ("prices", "unit_price", "1e2", PRICE),
    ("prices", "unit_price", ".5", PRICE),
    ("prices", "unit_price", "5.", PRICE),
    ("prices", "unit_price", "1 000", PRICE),
    ("prices", "unit_price", "+1", PRICE),
    ("prices", "unit_price", "NaN", PRICE),
    ("prices", "unit_price", "99999999999999999999", PRICE),
    ("prices", "unit_price", "", f"must not be empty; {PRICE}"),
    ("prices", "notified_on", "", f"must not be empty; {REAL_DATE}"),
    ("packs", "scope", "all", "expected one of user, customer"),
    ("packs", "zones", "BE;*", "expected zone ids separated by ; or * alone"),
    ("packs", "zones", "BE;;MOB", "expected zone ids separated by ; or * alone"),
    ("packs", "zones", "BE;", "expected zone ids separated by ; or * alone"),
    ("packs", "included_minutes", "1.5", "expected a whole number from 0 to 10000000"),
    ("packs", "included_minutes", "-1", "expected a whole number from 0 to 10000000"),
    ("packs", "priority", "", "must not be empty; expected a whole number from 0 to 1000000"),
    ("rates", "prefix", "+44", PREFIX),
    ("rates", "prefix", "=012", PREFIX),
    ("rates", "prefix", "=1", PREFIX),
    ("rates", "prefix", "=1234567", PREFIX),
    ("rates", "prefix", "=Anonymous", PREFIX),
    ("rates", "prefix", "1234567890123456", PREFIX),
    ("rates", "setup_fee", "free", PRICE),
    ("rates", "first_increment_s", "0", "expected a whole number from 1 to 86400"),
    ("rates", "increment_s", "86401", "expected a whole number from 1 to 86400"),
    ("zones", "kind", "mobile", ZONE_KINDS),
    ("charges", "quantity", "", f"must not be empty; {QUANTITY}"),
    ("credits", "amount", "0", AMOUNT),
    ("credits", "amount", "-1", AMOUNT),
    ("credits", "amount", "1.005", AMOUNT),
    ("credits", "amount", "1000000000.01", AMOUNT),
]  # fmt: skip


@pytest.mark.parametrize("table", dict.fromkeys(table for table, *_ in BAD_FIELDS))
def test_columns__each_bad_field_is_told_with_its_line(table: str, tmp_path: Path) -> None:
    """All of a table at once, a row each: none of them hides another, and none is told twice."""
    bad = [field for of_table, *field in BAD_FIELDS if of_table == table]
    told = sorted(
        (problem.table, problem.line, problem.column, problem.value, problem.expected)
        for problem in read_with(tmp_path, table, *((column, value) for column, value, _ in bad)).problems
    )
    first = len(TABLES[table].splitlines()) + 1
    assert told == [
        (table, line, column, value, expected) for line, (column, value, expected) in enumerate(bad, start=first)
    ]


def read_with(folder: Path, table: str, *fields: tuple[str, str]) -> ReadTables:
    """A table by itself, with a good row more for each field, which is changed in it."""
    rows = "".join(f"{row_with(table, column, value)[table]}\n" for column, value in fields)
    (folder / f"{table}.csv").write_text(f"{TABLES[table]}{rows}", encoding="utf-8")
    return read_tables(folder, Settings(), {table: SCHEMAS[table]})


def test_columns__a_platform_with_a_bad_field_is_refused(refuse: Refuse) -> None:
    line = len(TABLES["contracts"].splitlines()) + 1
    told = refuse(added=row_with("contracts", "ends_on", "never"))
    assert told == [("contracts", line, "ends_on", "never", REAL_DATE)]


@pytest.mark.parametrize(
    ("table", "column", "value", "typed_column", "typed"),
    [
        ("prices", "unit_price", "100000", "unit_price_micro", 100_000_000_000),
        ("prices", "unit_price", "0.000001", "unit_price_micro", 1),
        ("prices", "unit_price", "99999.999999", "unit_price_micro", 99_999_999_999),
        ("prices", "unit_price", "0.1", "unit_price_micro", 100_000),
        ("prices", "unit_price", "0.3", "unit_price_micro", 300_000),
        ("prices", "unit_price", "1.10", "unit_price_micro", 1_100_000),
        ("prices", "unit_price", "007", "unit_price_micro", 7_000_000),
        ("prices", "unit_price", " 2 ", "unit_price_micro", 2_000_000),
        ("contract_items", "quantity", "1000000", "quantity_micro", 1_000_000_000_000),
        ("contract_items", "quantity", "0.000001", "quantity_micro", 1),
        ("credits", "amount", "1000000000", "amount_cents", 100_000_000_000),
        ("credits", "amount", "0.01", "amount_cents", 1),
        ("credits", "amount", "12.3", "amount_cents", 1230),
        ("contracts", "starts_on", "2024-02-29", "starts_on", date(2024, 2, 29)),
        ("contracts", "ends_on", "9999-12-31", "ends_on", date(9999, 12, 31)),
        ("contracts", "payment_days", "0", "payment_days", 0),
        ("numbers", "number", "02 999 99 99", "number", "+3229999999"),
        ("numbers", "number", "tel:+32-2-999.99.99;ext=1", "number", "+3229999999"),
        ("numbers", "number", "0032 (0)2 999/99/99", "number", "+3229999999"),
        ("packs", "zones", " BE ;MOB; BE", "zones", ["BE", "MOB"]),
        ("packs", "zones", "*", "zones", ["*"]),
        ("packs", "included_minutes", "", "included_minutes", None),
        ("packs", "included_minutes", "0", "included_minutes", 0),
        ("rates", "prefix", "0", "prefix", "0"),
        ("rates", "prefix", "123456789012345", "prefix", "123456789012345"),
        ("rates", "prefix", "=110", "prefix", "=110"),
        ("rates", "setup_fee", "", "setup_micro", 0),
        ("rates", "first_increment_s", "", "first_increment_s", 1),
        ("rates", "increment_s", "", "increment_s", 1),
        ("customers", "vat_category", "", "vat_category", "S"),
        ("customers", "vat_category", "AE", "vat_category", "AE"),
        ("customers", "name", "  Ünï \u200b ☎ ", "name", "Ünï \u200b ☎"),
        ("customers", "customer_id", "9._-" + "x" * 60, "customer_id", "9._-" + "x" * 60),
    ],
)
def test_columns__a_good_field_is_exact(
    tmp_path: Path, table: str, column: str, value: str, *, typed_column: str, typed: object
) -> None:
    read = read_with(tmp_path, table, (column, value))
    assert read.problems == ()
    assert read.tables[table].rows[typed_column].to_list()[-1] == typed


def test_columns__every_column_says_what_it_is() -> None:
    for table, schema in SCHEMAS.items():
        assert schema.__doc__, table
        for name, column in schema.columns().items():
            assert column.description, f"{table}.{name}"


def test_columns__the_frames_have_the_types_declared(load: Load) -> None:
    for table, frame in load().platform.frames().items():
        assert frame.schema == empty(table).schema, table
        assert SCHEMAS[table].is_valid(frame), table


def test_columns__a_table_not_given_is_empty() -> None:
    platform = Platform()
    assert {table: frame.height for table, frame in platform.frames().items()} == dict.fromkeys(SCHEMAS, 0)
    assert platform.rates.schema["rate_micro_per_min"] == pl.Int64
    assert sorted(OPTIONAL_TABLES) == [
        "charges", "contract_items", "credits", "packs", "subscriptions", "suspensions",
    ]  # fmt: skip

"""R-NOTICE: a change is announced 30 days before it applies."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import polars as pl
import pytest

from rating.platform_checks import TableRows, notice_problems
from rating.tariffs import judge_notice
from schemas.errors import InputRefused
from schemas.platform import SCHEMAS, empty
from tests.rules.tables import start, write_tables

if TYPE_CHECKING:
    from pathlib import Path

Row = tuple[str, str | None, str, str]


def versions(*rows: Row) -> pl.DataFrame:
    """Versions of (product, customer) with the day they apply from and the day they were told."""
    schema = dict.fromkeys(("product_id", "customer_id", "effective_from", "notified_on"), pl.String)
    days = pl.col("effective_from", "notified_on").str.to_date()
    return pl.DataFrame(rows, schema=schema, orient="row").with_columns(days)


def late(rows: list[Row], from_day: str | None) -> list[str]:
    judged = judge_notice(
        versions(*rows),
        by=["product_id", "customer_id"],
        from_day=None if from_day is None else date.fromisoformat(from_day),
    )
    return judged["effective_from"].cast(pl.String).to_list()


FIRST = ("seat", None, "2026-01-01", "2026-01-01")


@pytest.mark.parametrize(
    ("notified_on", "effective_from", "is_late"),
    [
        ("2026-06-01", "2026-07-01", False),  # 30 days to the day
        ("2026-06-02", "2026-07-01", True),  # 29 days
        ("2026-01-30", "2026-03-01", False),  # 30 days over a short February
        ("2024-01-31", "2024-03-01", False),  # the same days of a leap year are 30
        ("2024-02-01", "2024-03-01", True),
        ("2026-07-02", "2026-07-01", True),  # told afterwards
        ("2025-01-01", "2026-07-01", False),
    ],
)
def test_r_notice__thirty_days_before(notified_on: str, effective_from: str, is_late: bool) -> None:
    first = ("seat", None, "2020-01-01", "2020-01-01")
    found = late([first, ("seat", None, effective_from, notified_on)], None)
    assert found == ([effective_from] if is_late else [])


def test_r_notice__the_first_version_of_a_key_needs_no_notice() -> None:
    own = ("seat", "c1", "2026-05-01", "2026-05-01")
    other = ("did", None, "2026-06-01", "2026-06-01")
    assert late([FIRST, own, other], None) == []


def test_r_notice__each_key_has_its_own_first_version() -> None:
    rows = [FIRST, ("seat", "c1", "2026-05-01", "2026-05-01"), ("seat", "c1", "2026-06-01", "2026-06-01")]
    assert late(rows, None) == ["2026-06-01"]


@pytest.mark.parametrize(
    ("from_day", "found"),
    [
        (None, ["2026-03-01", "2026-05-01", "2026-07-01"]),
        ("2026-02-28", ["2026-03-01", "2026-05-01", "2026-07-01"]),
        ("2026-03-01", ["2026-03-01", "2026-05-01", "2026-07-01"]),
        ("2026-04-30", ["2026-03-01", "2026-05-01", "2026-07-01"]),  # still in force on its last day
        ("2026-05-01", ["2026-05-01", "2026-07-01"]),
        ("2026-12-01", ["2026-07-01"]),
        ("2025-06-01", ["2026-03-01", "2026-05-01", "2026-07-01"]),  # none in force yet
    ],
)
def test_r_notice__versions_in_force_from_the_day_on_are_judged(from_day: str | None, found: list[str]) -> None:
    days = ("2026-07-01", "2026-03-01", "2026-05-01")
    assert sorted(late([FIRST, *(("seat", None, day, day) for day in days)], from_day)) == found


@pytest.mark.parametrize(
    ("earlier", "found"),
    [
        ([], []),
        ([("seat", None, "2026-06-01", "2026-06-01")], []),  # it was the first already
        ([("seat", None, "2026-08-01", "2026-08-01")], []),
        ([FIRST], ["2026-06-01"]),
        ([("seat", "c1", "2026-01-01", "2026-01-01")], []),  # an own price is a key of its own
        ([("did", None, "2026-01-01", "2026-01-01")], []),
    ],
)
def test_r_notice__what_replaces_a_version_that_the_last_run_knew_is_not_the_first(
    earlier: list[Row], found: list[str]
) -> None:
    by = ["product_id", "customer_id"]
    only = versions(("seat", None, "2026-06-01", "2026-06-01"))
    judged = judge_notice(only, by=by, from_day=date(2026, 6, 1), earlier=versions(*earlier) if earlier else None)
    assert judged.columns == only.columns
    assert judged["effective_from"].cast(pl.String).to_list() == found


@pytest.mark.parametrize(("notified_on", "is_refused"), [("2026-03-02", False), ("2026-03-03", True)])
def test_r_notice__tables_of_today_alone_hide_no_change(notified_on: str, is_refused: bool, tmp_path: Path) -> None:
    store, folder = tmp_path / "store", write_tables(tmp_path / "tables")
    start(store, "2026-03", folder, "2026-03-31T20:00:00Z")
    price = next(row for row in (folder / "prices.csv").read_text().splitlines() if row.startswith("seat,,"))
    write_tables(folder, {"prices": (price, f"seat,,99,2026-04-01,{notified_on}")})
    if is_refused:
        with pytest.raises(InputRefused) as refused:
            start(store, "2026-04", folder, "2026-04-30T20:00:00Z")
        assert [problem.column for problem in refused.value.problems] == ["notified_on"]
    else:
        start(store, "2026-04", folder, "2026-04-30T20:00:00Z")


def test_r_notice__keeps_the_order_and_the_columns() -> None:
    rows = versions(("a", None, "2026-03-01", "2026-03-01"), FIRST, ("a", None, "2026-01-01", "2026-01-01"))
    rows = rows.with_columns(line=pl.Series([4, 2, 3]))
    judged = judge_notice(rows, by=["product_id", "customer_id"], from_day=None)
    assert judged.columns == rows.columns
    assert judged["line"].to_list() == [4]


def tables(name: str, rows: pl.DataFrame) -> dict[str, TableRows]:
    """All tables, empty but for one."""
    marks = {"line": pl.int_range(2, pl.len() + 2), "sound": pl.lit(value=True)}
    return {
        table: TableRows(f"{table}.csv", (rows if table == name else empty(table)).with_columns(**marks), True)
        for table in SCHEMAS
    }


def rates(*rows: tuple[str, str, str]) -> pl.DataFrame:
    """Rates of one deck: prefix, effective_from, notified_on."""
    days = pl.col("effective_from", "notified_on").str.to_date()
    frame = pl.DataFrame(rows, schema=["prefix", "effective_from", "notified_on"], orient="row").with_columns(days)
    return pl.concat([empty("rates"), frame.with_columns(deck_id=pl.lit("standard"))], how="diagonal")


def test_r_notice__a_version_of_a_deck_is_named_once_by_the_row_told_last() -> None:
    rows = rates(
        ("32", "2026-01-01", "2026-01-01"),
        ("32", "2026-07-01", "2026-05-01"),
        ("33", "2026-07-01", "2026-06-15"),
        ("34", "2026-07-01", "2026-06-15"),
    )
    (problem,) = notice_problems(tables("rates", rows), None)
    assert problem.sentence() == (
        "rates.csv:4: notified_on '2026-06-15': expected 2026-06-01 or before: 30 days of notice of the "
        "version of standard from 2026-07-01 on (R-NOTICE, 5.6)"
    )


def test_r_notice__every_late_version_is_named() -> None:
    rows = rates(
        ("32", "2026-01-01", "2026-01-01"),
        ("32", "2026-07-01", "2026-06-15"),
        ("32", "2026-08-01", "2026-08-01"),
    )
    assert [problem.line for problem in notice_problems(tables("rates", rows), None)] == [3, 4]
    assert [problem.line for problem in notice_problems(tables("rates", rows), date(2026, 8, 1))] == [4]


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ("customer_decks", {"customer_id": "c1"}),
        ("prices", {"product_id": "seat", "customer_id": None}),
        ("prices", {"product_id": "seat", "customer_id": "c1"}),
        ("packs", {"product_id": "minutes"}),
    ],
)
def test_r_notice__holds_for_every_kind_of_version(table: str, key: dict[str, str | None]) -> None:
    first = {**key, "effective_from": date(2026, 1, 1), "notified_on": date(2026, 1, 1)}
    change = {**key, "effective_from": date(2026, 7, 1), "notified_on": date(2026, 6, 2)}
    columns = {name: empty(table).schema[name] for name in first}
    rows = pl.concat([empty(table), pl.DataFrame([first, change], schema=columns)], how="diagonal")
    (problem,) = notice_problems(tables(table, rows), None)
    assert (problem.table, problem.line, problem.value) == (table, 3, "2026-06-02")

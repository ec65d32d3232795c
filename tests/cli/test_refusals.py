"""Platform tables and periods that are refused: everything at once, by `check` and `run` alike, nothing changed."""

from __future__ import annotations

import pytest
from polars.exceptions import PanicException

from tests.cli.program import SMALL, Place, Told, bytes_of

CHECK_AT = ["--now", "2026-10-28T10:00:00Z"]


def refused(place: Place, period: str = "2026-10") -> list[Told]:
    """What `check`, `preview`, `rate` and `run` say, none of which may change the store or take in a call."""
    before = bytes_of(place.store) if place.store.exists() else None
    told = [
        place.start("check", "platform", *CHECK_AT),
        place.start("preview", period, "--platform", "platform", *CHECK_AT),
        place.start("rate", period, "--platform", "platform", *CHECK_AT),
        place.run(period, "--cdrs", "cdrs"),
    ]
    assert [one.status for one in told] == [2, 2, 2, 2]
    assert (bytes_of(place.store) if place.store.exists() else None) == before
    return told


def change(place: Place, table: str, old: str, new: str) -> None:
    assert old in SMALL[table]
    (place.tables / f"{table}.csv").write_text(SMALL[table].replace(old, new, 1))


def test_tables__every_kind_of_bad_row_is_told_at_once(place: Place) -> None:
    with (place.tables / "prices.csv").open("a") as prices:
        prices.write("seat,,1.1234567,2026-02-01,2026-01-01\nseat,,1,2026-02-30,2026-01-01\n")
    with (place.tables / "users.csv").open("a") as users:
        users.write("u9,c9,seat,2026-01-01,\nu1,c1,seat,2026-06-01,\n")
    with (place.tables / "zones.csv").open("a") as zones:
        zones.write("US\n")
    for told in refused(place):
        # The folder is named as it was given, so that a person can open the file.
        said = told.stderr.replace(f"{place.folder}/", "")
        assert "platform/prices.csv:4: unit_price '1.1234567': expected" in said
        assert "platform/prices.csv:5: effective_from '2026-02-30': expected a real date" in said
        assert "platform/users.csv:4: customer_id 'c9': expected a customer_id that customers has" in said
        assert "platform/users.csv:5: " in said
        assert "platform/zones.csv:5: expected 3 fields" in said


def test_tables__json_lists_each_problem_with_its_place(place: Place) -> None:
    change(place, "users", "u1,c1,seat,2026-01-01", "u1,c1,seat,soon")
    told = place.start("check", "platform", "--json")
    assert told.status == 2
    expected = {
        "table": "users", "file": "platform/users.csv", "line": 2, "column": "active_from", "value": "soon",
        "expected": "expected a real date, written YYYY-MM-DD",
    }  # fmt: skip
    assert told.document["problems"] == [expected]


@pytest.mark.parametrize(
    "table", ["customers", "contracts", "users", "numbers", "products", "prices", "zones", "rates"]
)
def test_tables__one_that_is_missing_is_named(table: str, place: Place) -> None:
    (place.tables / f"{table}.csv").unlink()
    told = place.start("check", "platform")
    assert told.status == 2
    assert f"expected the table {table}, as {table}.csv, {table}.parquet or {table}.ndjson" in told.stderr


def test_tables__one_that_is_missing_is_refused_by_all(place: Place) -> None:
    (place.tables / "zones.csv").unlink()
    for told in refused(place):
        assert "expected the table zones" in told.stderr


def test_tables__an_optional_one_with_its_name_misspelt_is_told(place: Place) -> None:
    (place.tables / "charges.csv").rename(place.tables / "charge.csv")
    told = place.start("check", "platform", "--strict")
    assert told.status == 1
    assert "platform/charge.csv" in told.stderr


@pytest.mark.parametrize("folder", ["nowhere", "platform/users.csv"])
def test_tables__a_wrong_folder_is_refused(folder: str, place: Place) -> None:
    for told in (place.start("check", folder), place.start("run", "2026-10", "--platform", folder, *CHECK_AT)):
        assert told.status == 2
        assert f"{folder}: expected a folder with the platform tables" in told.stderr
    assert not place.store.exists()


def test_r_advance__a_price_that_will_be_needed_is_asked_for_before_a_call_is_read(place: Place) -> None:
    change(place, "prices", "minutes,,0,2026-01-01,2026-01-01\n", "")
    for told in refused(place):
        assert "product_id 'minutes': a price in force on 2026-11-01, which customer c1 needs" in told.stderr


def test_r_notice__a_version_told_too_late_is_refused_by_all(place: Place) -> None:
    change(place, "prices", "minutes,,0", "seat,,1,2026-10-15,2026-09-16\nminutes,,0")
    for told in refused(place):
        assert "prices.csv:3: notified_on '2026-09-16': expected 2026-09-15 or before: 30 days" in told.stderr


def test_r_notice__thirty_days_to_the_day_are_enough(place: Place) -> None:
    change(place, "prices", "minutes,,0", "seat,,1,2026-10-15,2026-09-15\nminutes,,0")
    assert place.start("check", "platform", *CHECK_AT).status == 0
    assert place.run("2026-10").status == 0


def test_r_notice__old_versions_are_judged_by_check_alone(place: Place) -> None:
    change(place, "prices", "minutes,,0", "seat,,1,2026-03-01,2026-02-28\nseat,,0,2026-04-15,2026-03-01\nminutes,,0")
    assert place.start("check", "platform", *CHECK_AT).status == 2
    assert place.run("2026-10").status == 0


@pytest.mark.parametrize(
    ("old", "new"), [("10.01", "10.02"), ("1.5", "2"), ("2026-10-05", "2026-10-06"), (",c1,", ",c3,"), ("=1+1", "=1+2")]
)
def test_r_oneoff__a_charge_that_is_on_an_invoice_keeps_its_content(old: str, new: str, october_issued: Place) -> None:
    before = bytes_of(october_issued.store)
    change(october_issued, "charges", old, new)
    told = october_issued.run("2026-11", "--cdrs", "cdrs/november.csv")
    change(october_issued, "charges", old, old)
    assert told.status == 2
    assert "charges.csv:2: " in told.stderr
    assert "as h1 has it on invoice 2026-000001" in told.stderr
    assert bytes_of(october_issued.store) == before


@pytest.mark.parametrize(
    ("period", "said"),
    [
        ("2026-13", "expected a month written YYYY-MM"),
        ("2026-1", "expected a month written YYYY-MM"),
        ("october", "expected a month written YYYY-MM"),
        ("2026-12", "the last period run is 2026-10, so the next one is 2026-11"),
        ("2026-09", "the last period run is 2026-10, so the next one is 2026-11"),
    ],
)
def test_r_invoice__only_the_next_month_is_run(period: str, said: str, october_issued: Place) -> None:
    for command in ("run", "rate", "issue", "preview"):
        told = october_issued.start(command, period, "--platform", "platform", "--now", "2027-01-02T10:00:00Z")
        assert told.status == 2
        assert said in told.stderr


def test_r_invoice__a_month_is_not_run_before_its_invoice_day(place: Place) -> None:
    arguments = ["2026-10", "--platform", "platform", "--no-render", "--cdrs", "cdrs"]
    told = place.start("run", *arguments, "--now", "2026-10-27T22:59:59Z")
    assert told.status == 2
    assert "today is 2026-10-27, and this period can be run from 2026-10-28 on" in told.stderr
    assert not place.store.exists()
    assert place.start("run", *arguments, "--now", "2026-10-27T23:00:00Z").status == 0


def test_fault__of_polars_itself_is_no_success(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def panic(*_: object) -> None:
        raise PanicException("assertion failed: i < self.len()")

    monkeypatch.setattr("invoicing.runs.read", panic)
    told = place.start("read", "cdrs/october.csv")
    assert told.status == 70
    assert "Please report the lines above" in told.stderr
    assert not place.store.exists()

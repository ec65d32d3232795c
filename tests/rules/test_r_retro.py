"""R-RETRO: a service entered or removed with a past date changes no invoice; the run lists it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from invoicing.retro import changed_contracts, retroactive_changes
from rating.periods import Period
from rating.services import service_rows
from tests.rules.tables import kept_lines, start, tables, write_tables

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

    from invoicing.desk import Report

OCTOBER = Period(2026, 10)


def changes(before: dict[str, str], now: dict[str, str]) -> list[str]:
    found = retroactive_changes(service_rows(tables(**before)), service_rows(tables(**now)), OCTOBER)
    columns = ["change", "service_id", "product_id", "active_from", "past_end"]
    return [" ".join(map(str, row)) for row in found.select(columns).iter_rows()]


USER = "u1 seat 2026-08-01"


@pytest.mark.parametrize(
    ("before", "now", "found"),
    [
        (USER, USER, []),
        # Entered and removed.
        ("", USER, ["entered u1 seat 2026-08-01 2026-10-01"]),
        ("", "u1 seat 2026-09-30", ["entered u1 seat 2026-09-30 2026-10-01"]),
        ("", "u1 seat 2026-10-01", []),  # the month being run is not invoiced
        ("", "u1 seat 2026-08-01 2026-09-10", ["entered u1 seat 2026-08-01 2026-09-10"]),
        (USER, "", ["removed u1 seat 2026-08-01 2026-10-01"]),
        ("u1 seat 2026-10-01", "", []),
        # It ends: listed where the end is in the past.
        (USER, "u1 seat 2026-08-01 2026-10-01", []),
        (USER, "u1 seat 2026-08-01 2026-10-20", []),
        (
            USER,
            "u1 seat 2026-08-01 2026-09-30",
            ["entered u1 seat 2026-08-01 2026-09-30", "removed u1 seat 2026-08-01 2026-10-01"],
        ),
        (
            "u1 seat 2026-08-01 2026-09-10",
            USER,
            ["entered u1 seat 2026-08-01 2026-10-01", "removed u1 seat 2026-08-01 2026-09-10"],
        ),
        # Another first day, another product.
        (
            USER,
            "u1 seat 2026-08-02",
            ["removed u1 seat 2026-08-01 2026-10-01", "entered u1 seat 2026-08-02 2026-10-01"],
        ),
        (
            USER,
            "u1 desk 2026-08-01",
            ["entered u1 desk 2026-08-01 2026-10-01", "removed u1 seat 2026-08-01 2026-10-01"],
        ),
        (USER, "u1 seat 2026-08-01 2026-10-01; u1 desk 2026-10-01", []),
    ],
)
def test_r_retro__what_is_listed(before: str, now: str, found: list[str]) -> None:
    assert changes({"users": before}, {"users": now}) == found


def test_r_retro__numbers_subscriptions_and_contracts() -> None:
    before = {"numbers": "+33142000000 fr FR 2026-08-01", "subscriptions": "s1 fax 1 2026-08-01; s2 tv 1 2026-08-01"}
    now = {"numbers": "+33142000000 frplus FR 2026-08-01", "subscriptions": "s1 fax 2 2026-08-01; s2 tv 1 2026-08-01"}
    assert changes(before, now) == [
        "removed +33142000000 fr 2026-08-01 2026-10-01",
        "entered +33142000000 frplus 2026-08-01 2026-10-01",
        "removed s1 fax 2026-08-01 2026-10-01",
        "entered s1 fax 2026-08-01 2026-10-01",
    ]
    # A contract that ended earlier than was known ends the services in it.
    over = {**before, "contracts": "c1 2026-07-01 2026-09-20"}
    removed = [line for line in changes(before, over) if line.startswith("removed")]
    assert [line.rpartition(" ")[2] for line in removed] == ["2026-10-01"] * 3
    entered = [line for line in changes(before, over) if line.startswith("entered")]
    assert [line.rpartition(" ")[2] for line in entered] == ["2026-09-20"] * 3


@pytest.mark.parametrize(
    ("before", "now", "found"),
    [
        ("", "", []),
        ("", "2026-10-01", ["removed 2026-01-01 None", "entered 2026-10-01 None"]),
        ("", "2026-01-02", ["removed 2026-01-01 None", "entered 2026-01-02 None"]),
        # An end that was not known: of October, invoiced in advance, it is in time; before that its month is closed.
        ("", "2026-01-01 2026-11-20", []),
        ("", "2026-01-01 2026-10-20", []),
        ("", "2026-01-01 2026-10-02", []),
        ("", "2026-01-01 2026-10-01", ["entered 2026-01-01 2026-10-01", "removed 2026-01-01 None"]),
        ("", "2026-01-01 2026-08-12", ["entered 2026-01-01 2026-08-12", "removed 2026-01-01 None"]),
        ("2026-01-01 2026-11-01", "2026-01-01 2026-10-20", []),  # October was invoiced whole
        # One that was known, and is another one now or none.
        ("2026-01-01 2026-10-20", "2026-01-01 2026-10-20", []),
        ("2026-01-01 2026-10-20", "", ["removed 2026-01-01 2026-10-20", "entered 2026-01-01 None"]),
        (
            "2026-01-01 2026-10-01",
            "2026-01-01 2026-10-20",
            ["entered 2026-01-01 2026-10-20", "removed 2026-01-01 2026-10-01"],
        ),
        (
            "2026-01-01 2026-10-20",
            "2026-01-01 2026-10-10",
            ["entered 2026-01-01 2026-10-10", "removed 2026-01-01 2026-10-20"],
        ),
        ("2026-01-01 2026-11-01", "2026-01-01 2026-12-01", []),
        ("2026-01-01 2026-08-12", "2026-01-01 2026-08-12", []),
    ],
)
def test_r_retro__a_contract_that_was_taken_for_another(before: str, now: str, found: list[str]) -> None:
    then, today = (tables(contracts=f"c1 {text or '2026-01-01'}").contracts for text in (before, now))
    listed = changed_contracts(then, today, OCTOBER)
    rows = listed.select("change", "active_from", "past_end").iter_rows()
    assert sorted(" ".join(map(str, row)) for row in rows) == sorted(found)
    assert set(listed["table"]) <= {"contract"}


def test_r_retro__a_contract_that_came_late_or_is_gone() -> None:
    none, open_, over = (tables(contracts=text).contracts for text in ("", "c1 2026-01-01", "c1 2026-01-01 2026-10-01"))

    def found(before: pl.DataFrame, now: pl.DataFrame) -> list[str]:
        return changed_contracts(before, now, OCTOBER)["change"].to_list()

    assert found(none, open_) == found(none, over) == ["entered"]
    assert found(open_, none) == ["removed"]
    assert found(over, none) == []
    assert found(none, tables(contracts="c1 2026-10-02").contracts) == []


def test_r_retro__the_run_tells_of_a_contract_whose_last_month_was_closed_as_another(tmp_path: Path) -> None:
    store, folder = tmp_path / "store", write_tables(tmp_path / "tables")
    assert not retro_sentences(start(store, "2026-03", folder, "2026-03-31T20:00:00Z"))
    row = (folder / "contracts.csv").read_text().splitlines()[1]
    contract, customer, begins, *_ = row.split(",")
    write_tables(folder, {"contracts": (row, f"{contract},{customer},{begins},,2026-04-01,")})
    told = retro_sentences(start(store, "2026-04", folder, "2026-04-30T20:00:00Z"))
    was, now = f"in force from {begins} on", f"in force from {begins} until 2026-04-01"
    assert told == [f"{customer}: contract {contract} was {was} and is now {now}"]


def test_r_retro__the_run_tells_it_and_charges_nothing(tmp_path: Path) -> None:
    store, folder = tmp_path / "store", write_tables(tmp_path / "tables")
    assert not retro_sentences(start(store, "2026-03", folder, "2026-03-31T20:00:00Z"))
    march = kept_lines(store, "2026-03")
    # A user entered in April from 1 March on, and a subscription that is found to have ended in February.
    changed = {
        "users": ("", "u9,c1,seat,2026-03-01,\n"),
        "subscriptions": ("1.5,2026-01-01,,", "1.5,2026-01-01,2026-02-10,"),
    }
    write_tables(folder, changed)
    assert retro_sentences(start(store, "2026-04", folder, "2026-04-30T20:00:00Z")) == [
        (
            "c1: subscription s1 was minutes from 2026-01-01 until 2026-04-01 "
            "and is now minutes from 2026-01-01 until 2026-02-10"
        ),
        "c1: user u9 was not there and is now seat from 2026-03-01 until 2026-04-01",
    ]
    assert kept_lines(store, "2026-03").equals(march)
    april = kept_lines(store, "2026-04").filter(customer_id="c1")
    assert april["kind"].unique().sort().to_list() == ["credit", "recurring"]
    assert april.filter(product_id="seat")["quantity_micro"].to_list() == [2_000_000]  # for May there is one more
    assert april.filter(product_id="minutes").is_empty()
    # It is told once: May's run compares with April's tables.
    assert not retro_sentences(start(store, "2026-05", folder, "2026-05-31T20:00:00Z"))


def retro_sentences(report: Report) -> list[str]:
    return [sentence.split(": this is")[0] for sentence in report.warnings if "R-RETRO" in sentence]

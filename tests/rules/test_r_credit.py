"""R-CREDIT: price reductions are deducted from the net total, which never goes below 0; the rest is carried."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from schemas.errors import InputRefused
from tests.rules.tables import bill, kept_lines, run_months, start, tables, words, write_tables

if TYPE_CHECKING:
    from pathlib import Path

USER = "u1 seat 2026-07-01"  # 31.00 each month


def deducted(credits_text: str, **written: str) -> list[str]:
    found = bill(tables(credits=credits_text, **{"users": USER, **written}))
    return [" ".join(line.split()[i] for i in (1, 4)) for line in words(found.lines, "credit")]


@pytest.mark.parametrize(
    ("credits_text", "found"),
    [
        ("a 2026-10-05 12.5", ["a -12.50"]),
        ("a 2026-10-05 31", ["a -31.00"]),
        ("a 2026-10-05 31.01", ["a -31.00"]),  # never below 0
        ("a 2026-10-05 20; b 2026-10-01 20", ["b -20.00", "a -11.00"]),  # by date,
        ("b 2026-10-05 20; a 2026-10-05 20", ["a -20.00", "b -11.00"]),  # then credit_id
        ("a 2026-10-05 31; b 2026-10-06 20", ["a -31.00"]),  # one of which nothing is used has no line
        (
            "a 2026-10-01 10; b 2026-10-02 10; c 2026-10-03 10; d 2026-10-04 10",
            ["a -10.00", "b -10.00", "c -10.00", "d -1.00"],
        ),
        ("a 2026-10-31 1; b 2026-11-01 2", ["a -1.00"]),  # not before its day
        ("a 2026-10-01 1; b 2026-09-30 2", ["a -1.00"]),  # older than the store: told, not used
        ("a 2026-10-05 1 c2", []),
    ],
)
def test_r_credit__deducted_in_order_and_never_below_nothing(credits_text: str, found: list[str]) -> None:
    assert deducted(credits_text) == found


def test_r_credit__from_the_total_of_all_lines() -> None:
    charges = {"charges": "h1 2026-10-05 1 0.005; h2 2026-10-05 1 8.99", "subscriptions": "s1 tv 1 2026-07-01"}
    assert deducted("a 2026-10-05 100", **charges) == ["a -45.00"]  # 31.00 + 5.00 + 0.01 + 8.99


def test_r_credit__no_invoice_for_a_credit_alone() -> None:
    found = bill(tables(credits="a 2026-10-05 10"))
    assert found.lines.is_empty()
    assert found.invoices.is_empty()


def test_r_credit__an_invoice_of_nothing_is_issued_and_vat_is_on_what_is_left() -> None:
    found = bill(
        tables(
            credits="a 2026-10-05 31; b 2026-10-05 20 c2",
            contracts="c1 2026-07-01; c2 2026-07-01",
            users=f"{USER}; u2 seat 2026-07-01 _ c2",
        )
    )
    assert found.invoices.select("customer_id", "net_cents", "vat_cents", "gross_cents").rows() == [
        ("c1", 0, 0, 0),
        ("c2", 1100, 231, 1331),
    ]
    line = found.lines.filter(kind="credit", customer_id="c2").row(0, named=True)
    assert (line["quantity_micro"], line["unit_price_micro"], line["net_cents"]) == (1_000_000, -20_000_000, -2000)
    assert line["description"] == "d"


def test_r_credit__what_is_left_is_carried(tmp_path: Path) -> None:
    september = tables(users=USER, credits="b 2026-09-05 40; a 2026-09-10 30")
    october = tables(users=USER, credits="b 2026-09-05 40; a 2026-09-10 30; late 2026-09-01 15; c 2026-10-20 50")
    months = {"2026-09": september, "2026-10": october, "2026-11": october, "2026-12": october, "2027-01": october}
    issued = run_months(tmp_path / "store", months)
    found = {
        month: [" ".join(line.split()[i] for i in (1, 4)) for line in issued.words(month, "credit")] for month in months
    }
    assert found == {
        "2026-09": ["b -31.00"],
        "2026-10": ["late -15.00", "b -9.00", "a -7.00"],
        "2026-11": ["a -23.00", "c -8.00"],
        "2026-12": ["c -31.00"],
        "2027-01": ["c -11.00"],
    }
    assert issued.invoices["net_cents"].to_list() == [0, 0, 0, 0, 2000]


@pytest.mark.parametrize(
    ("ends_on", "told"),
    [
        ("2026-11-01", ["credit a of c1: 19.00 EUR are left and the contract ended on 2026-11-01"]),
        ("2026-10-20", ["credit a of c1: 50.00 EUR are left and the contract ended on 2026-10-20"]),
        ("2026-11-02", []),  # it still runs on the first of November
    ],
)
def test_r_credit__what_is_left_at_the_end_is_told_and_never_paid(
    tmp_path: Path, ends_on: str, told: list[str]
) -> None:
    platform = tables(
        users=USER,
        credits="a 2026-10-05 50",
        contracts=f"c1 2026-07-01 {ends_on}",
        charges="h1 2026-10-05 1 31" if ends_on == "2026-11-01" else "",
    )
    issued = run_months(tmp_path / "store", {"2026-10": platform})
    warnings = issued.reports["2026-10"].warnings
    assert [warning.split(";")[0] for warning in warnings] == told
    assert all(cents >= 0 for cents in issued.invoices["net_cents"])


def test_r_credit__a_credit_older_than_the_store_is_told() -> None:
    found = bill(tables(users=USER, credits="a 2026-09-30 10; b 2026-10-01 10"))
    assert [note.split(",")[0] for note in found.notes] == ["credit a of c1 is dated 2026-09-30"]


def test_r_credit__a_credit_that_was_deducted_keeps_its_content(tmp_path: Path) -> None:
    store, folder = tmp_path / "store", write_tables(tmp_path / "tables")
    start(store, "2026-04", folder, "2026-04-30T20:00:00Z")
    assert kept_lines(store, "2026-04").filter(kind="credit")["net_cents"].to_list() == [-1250]
    for column, *change in (
        ("amount", "12.5", "12.51"), ("customer_id", "r1,c1", "r1,c2"), ("description", "Panne", "panne"),
        ("date", "2026-04-01", "2026-04-02"),
    ):  # fmt: skip
        write_tables(folder, {"credits": (change[0], change[1])})
        with pytest.raises(InputRefused, match="used before with other content") as refused:
            start(store, "2026-05", folder, "2026-05-31T20:00:00Z")
        assert [(problem.table, problem.line, problem.column) for problem in refused.value.problems] == [
            ("credits", 2, column)
        ]
    write_tables(folder)
    start(store, "2026-05", folder, "2026-05-31T20:00:00Z")
    assert kept_lines(store, "2026-05").filter(kind="credit").is_empty()


def test_r_credit__what_is_left_of_a_customer_without_contract_is_told() -> None:
    notes = bill(tables(contracts="c1 2026-01-01", charges="h1 2026-10-05 1 4 c2", credits="a 2026-10-05 10 c2")).notes
    assert [note.partition(";")[0] for note in notes] == ["credit a of c2: 6.00 EUR are left and there is no contract"]

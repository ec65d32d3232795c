"""R-ONEOFF: charges dated on or before the period's last day are billed once, each on a line of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from schemas.errors import InputRefused
from tests.rules.tables import bill, kept, kept_lines, lines_of, run_months, start, tables, words, write_tables

if TYPE_CHECKING:
    from pathlib import Path


def one_offs(charges: str, **written: str) -> list[str]:
    return lines_of(tables(charges=charges, **written), "2026-10", "one_off")


@pytest.mark.parametrize(
    ("day", "is_billed"),
    [
        ("2026-10-31", True),
        ("2026-10-01", True),  # the store's first day
        ("2026-10-15", True),
        ("2026-11-01", False),
        ("2026-09-30", False),  # somebody else's to bill
        ("2020-01-01", False),
    ],
)
def test_r_oneoff__dated_in_the_period(day: str, is_billed: bool) -> None:
    found = one_offs(f"h1 {day} 2 99.9")
    assert found == ([f"one_off h1 {day}..{day} 2 199.80 R-ONEOFF"] if is_billed else [])


@pytest.mark.parametrize(
    ("quantity", "price", "euro"),
    [
        ("1", "0.005", "0.01"),  # half up
        ("1", "0.004999", "0.00"),
        ("1.5", "3.33", "5.00"),  # 4.995
        ("0.333333", "3", "1.00"),
        ("0.000001", "100000", "0.10"),
        ("1000000", "0.000001", "1.00"),
        ("3", "0.115", "0.35"),
    ],
)
def test_r_oneoff__quantity_times_price_half_up(quantity: str, price: str, euro: str) -> None:
    assert [line.split()[4] for line in one_offs(f"h1 2026-10-05 {quantity} {price}")] == [euro]


def test_r_oneoff__a_line_for_each_rounded_by_itself() -> None:
    found = one_offs("h2 2026-10-05 1 0.005; h1 2026-10-05 1 0.005; h3 2026-10-04 1 0.005")
    assert found == [
        "one_off h3 2026-10-04..2026-10-04 1 0.01 R-ONEOFF",
        "one_off h1 2026-10-05..2026-10-05 1 0.01 R-ONEOFF",
        "one_off h2 2026-10-05..2026-10-05 1 0.01 R-ONEOFF",
    ]


def test_r_oneoff__the_price_book_changes_nothing_and_a_contract_is_not_needed() -> None:
    found = bill(tables(charges="h1 2026-10-05 1 12 c2", contracts="c1 2026-07-01", users="u1 seat 2026-07-01"))
    assert words(found.lines.filter(customer_id="c2")) == ["one_off h1 2026-10-05..2026-10-05 1 12.00 R-ONEOFF"]
    assert found.invoices["customer_id"].to_list() == ["c1", "c2"]
    over = tables(charges="h1 2026-10-05 1 12", contracts="c1 2026-01-01 2026-07-01")
    assert lines_of(over) == ["one_off h1 2026-10-05..2026-10-05 1 12.00 R-ONEOFF"]


def test_r_oneoff__what_is_older_than_the_store_is_told() -> None:
    found = bill(tables(charges="h2 2026-09-30 1 12; h1 2026-08-01 1 12 c2; h3 2026-10-01 1 12"))
    assert [note.split(",")[0] for note in found.notes] == [
        "charge h1 of c2 is dated 2026-08-01",
        "charge h2 of c1 is dated 2026-09-30",
    ]


def test_r_oneoff__billed_once_and_never_lost(tmp_path: Path) -> None:
    september = tables(charges="h1 2026-09-10 1 10; h2 2026-10-01 1 20; old 2026-08-31 1 99")
    # h3 is dated in September and comes too late for it.
    october = tables(charges="h1 2026-09-10 1 10; h2 2026-10-01 1 20; h3 2026-09-30 1 30; old 2026-08-31 1 99")
    issued = run_months(tmp_path / "store", {"2026-09": september, "2026-10": october, "2026-11": october})
    assert issued.words("2026-09") == ["one_off h1 2026-09-10..2026-09-10 1 10.00 R-ONEOFF"]
    assert issued.words("2026-10") == [
        "one_off h3 2026-09-30..2026-09-30 1 30.00 R-ONEOFF",
        "one_off h2 2026-10-01..2026-10-01 1 20.00 R-ONEOFF",
    ]
    assert issued.words("2026-11") == []
    for report in issued.reports.values():
        assert [warning.split()[1] for warning in report.warnings] == ["old"]


def test_r_oneoff__a_charge_that_was_billed_keeps_its_content(tmp_path: Path) -> None:
    store, folder = tmp_path / "store", write_tables(tmp_path / "tables")
    start(store, "2026-03", folder, "2026-03-31T20:00:00Z")
    write_tables(folder, {"charges": ("2,99.9", "2,99.90")})  # the same, written otherwise
    start(store, "2026-04", folder, "2026-04-30T20:00:00Z")
    write_tables(folder, {"charges": ("2,99.9", "2,98.9")})
    with pytest.raises(InputRefused, match="used before with other content") as refused:
        start(store, "2026-05", folder, "2026-05-31T20:00:00Z")
    (problem,) = refused.value.problems
    assert problem.sentence() == (
        f"{folder / 'charges.csv'}:2: unit_price '98.9': expected 99.9, as h1 has it on invoice 2026-000001; "
        "give a correction an id of its own"
    )
    assert kept(store, "select period from runs")["period"].to_list() == ["2026-03", "2026-04"]
    # Another id is another charge, and one that is billed may leave the table.
    write_tables(folder, {"charges": ("h1,c1,2026-03-05,Téléphone,2", "h2,c1,2026-05-03,Visite,1")})
    start(store, "2026-05", folder, "2026-05-31T20:00:00Z")
    one_off = kept_lines(store, "2026-05").filter(kind="one_off")
    assert one_off.select("source_id", "description", "net_cents").rows() == [("h2", "Visite", 9990)]

"""The exported tables: the same rows in every format, and nothing that a spreadsheet would calculate."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING

import polars as pl
import pytest

from tests.shared import made_once

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.program import Place

COLUMNS = {
    "rated": "call_id customer_id user_id start period direction caller callee zone_id duration_s billable_s pack_s "
    "charged_s rate_micro_per_min setup_micro amount_cents deck_id deck_version invoice_number",
    "lines": "invoice_number line_no customer_id kind product_id zone_id traffic_period rule description service_from "
    "service_to quantity unit_price net_cents vat_category vat_rate",
    "invoices": "invoice_number customer_id period invoice_date due_date net_cents vat_cents gross_cents status "
    "supersedes structured_communication",
    "user_counts": "customer_id period configured billed reserved reference",
    "packs_used": "customer_id user_id product_id period allowance_s used_s calls",
    "files": "source_file sha256 records accepted unanswered duplicate quarantined skipped "
    "skipped_by_reason source_format",
    "quarantine": "call_id reason source_file source_line detail record",
    "journal": "document_number row_no document_type document_date due_date invoice_number customer_id name vat_number "
    "structured_communication account label vat_category vat_rate base_cents vat_cents gross_cents debit_cents "
    "credit_cents",
}
FORMATS = ("csv", "ndjson", "parquet", "xlsx")


@pytest.fixture(scope="module")
def exported(filled: Place, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every table of October in every format."""

    def make(folder: Path) -> None:
        for table in COLUMNS:
            for suffix in FORMATS:
                told = filled.start("export", table, "2026-10", "-o", folder / f"{table}.{suffix}")
                assert told.status == 0, told.stderr

    return made_once(tmp_path_factory, "exported", make)


def from_csv(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def as_cells(row: dict[str, object]) -> dict[str, str]:
    """What a row is in CSV: a null is an empty field."""
    return {name: "" if cell is None else str(cell) for name, cell in row.items()}


def plain(cells: dict[str, str]) -> dict[str, str]:
    """Without the apostrophe that keeps a spreadsheet from calculating a text of a CSV."""
    return {name: cell.removeprefix("'") for name, cell in cells.items()}


@pytest.mark.parametrize("table", COLUMNS)
def test_export__has_the_columns_and_rows_promised_in_every_format(table: str, exported: Path) -> None:
    path = exported / f"{table}.csv"
    assert path.read_text(encoding="utf-8").splitlines()[0].split(",") == COLUMNS[table].split()
    rows = [plain(row) for row in from_csv(path)]
    assert rows, "a table without rows shows nothing"
    spoken = [json.loads(line) for line in (exported / f"{table}.ndjson").read_text(encoding="utf-8").splitlines()]
    assert [as_cells(row) for row in spoken] == rows
    columnar = pl.read_parquet(exported / f"{table}.parquet")
    assert columnar.columns == COLUMNS[table].split()
    assert columnar.height == len(rows)
    sheet = pl.read_excel(exported / f"{table}.xlsx", sheet_name=table, infer_schema_length=None)
    assert sheet.columns == COLUMNS[table].split()
    assert sheet.height == len(rows)
    for name in columnar.columns:
        if columnar.schema[name] in (pl.Int64, pl.Int32, pl.String):
            cells = [row[name] for row in rows]
            assert [as_cells({name: cell})[name] for cell in columnar[name]] == cells
            assert [as_cells({name: cell})[name] for cell in sheet[name].cast(pl.String)] == cells


def test_export__rows_are_sorted_by_their_first_columns(exported: Path) -> None:
    for table, keys in (
        ("rated", 1),
        ("invoices", 1),
        ("user_counts", 1),
        ("files", 1),
        ("quarantine", 1),
        ("journal", 2),
    ):
        found = pl.read_parquet(exported / f"{table}.parquet")
        assert found[found.columns[:keys]].equals(found[found.columns[:keys]].sort(found.columns[:keys]))
    assert pl.read_parquet(exported / "lines.parquet")["line_no"].to_list() == [1, 2, 3, 4, 5]


def test_export__figures_are_those_of_the_calls(exported: Path) -> None:
    rows = {row["call_id"]: row for row in from_csv(exported / "rated.csv")}
    columns = ("start", "zone_id", "billable_s", "pack_s", "charged_s", "amount_cents", "invoice_number")
    assert [tuple(rows[call][name] for name in columns) for call in ("pack1", "pack2", "info", "in", "late")] == [
        ("2026-10-01T08:00:00.000Z", "FR", "100", "100", "0", "0", "2026-000001"),
        ("2026-10-02T08:00:00.000Z", "FR", "161", "20", "141", "12", "2026-000001"),  # 11.75 cents
        ("2026-10-03T10:00:00.000Z", "INFO", "11", "0", "11", "19", "2026-000001"),  # 18.33 cents
        ("2026-10-04T08:00:00.000Z", "INCOMING", "60", "0", "60", "0", "2026-000001"),
        ("2026-10-20T08:00:00.000Z", "FR", "60", "0", "60", "5", "2026-000002"),
    ]
    assert (rows["in"]["deck_id"], rows["in"]["deck_version"]) == ("", "")
    assert "mute" not in rows


def test_export__decimals_have_no_trailing_zeros_and_nulls_are_empty(exported: Path) -> None:
    lines = from_csv(exported / "lines.csv")
    assert [(row["quantity"], row["unit_price"], row["net_cents"], row["vat_rate"]) for row in lines] == [
        ("1", "0", "0", "21"),
        ("1", "0", "0", "21"),
        ("381", "", "32", "21"),
        ("11", "", "19", "21"),
        ("1.5", "10.01", "1502", "21"),  # 15.015, half up
    ]


def test_export__csv_never_begins_a_free_text_with_a_formula(exported: Path) -> None:
    assert from_csv(exported / "lines.csv")[-1]["description"] == "'=1+1"
    calls = {row["call_id"]: row for row in from_csv(exported / "rated.csv")}
    assert "=2+3" in calls, "a call_id is a key and stays as it is"
    assert {calls["pack1"]["caller"], calls["pack1"]["callee"]} == {"+3225550101", "+33142685300"}
    assert from_csv(exported / "invoices.csv")[0]["structured_communication"] == "+++202/6000/00192+++"
    for suffix, read in ((".parquet", pl.read_parquet), (".ndjson", pl.read_ndjson)):
        assert read(exported / f"lines{suffix}")["description"][-1] == "=1+1"


def test_export__parquet_keeps_types(exported: Path) -> None:
    rated = pl.read_parquet(exported / "rated.parquet").schema
    assert rated["start"] == pl.Datetime("us", "UTC")
    assert rated["deck_version"] == pl.Date
    assert {rated[name] for name in ("duration_s", "charged_s", "rate_micro_per_min", "amount_cents")} == {pl.Int64}
    lines = pl.read_parquet(exported / "lines.parquet").schema
    assert (lines["quantity"], lines["unit_price"]) == (pl.Decimal(38, 6), pl.Decimal(38, 6))
    assert lines["service_from"] == pl.Date
    assert lines["net_cents"] == pl.Int64
    sheet = pl.read_excel(exported / "lines.xlsx")
    assert sheet["quantity"].to_list() == [1, 1, 381, 11, 1.5]
    assert sheet["description"][-1] == "=1+1"


@pytest.mark.parametrize("suffix", FORMATS)
def test_export__twice_is_the_same_bytes(suffix: str, exported: Path, filled: Place, tmp_path: Path) -> None:
    again = tmp_path / f"lines.{suffix}"
    assert filled.start("export", "lines", "2026-10", "-o", again).status == 0
    assert again.read_bytes() == (exported / f"lines.{suffix}").read_bytes()


@pytest.mark.parametrize(
    ("table", "target", "said"),
    [
        ("nope", "x.csv", "nope: no such table; expected one of rated, lines, invoices"),
        ("lines", "x.txt", "x.txt: expected a file name that ends in .parquet, .csv, .ndjson, .xlsx"),
        ("lines", "x", "expected a file name that ends in"),
        ("lines", "nowhere/x.csv", "nowhere: there is no such folder"),
        ("lines", "folder.csv", "folder.csv: cannot be written"),
    ],
)
def test_export__what_cannot_be_written_is_refused(table: str, target: str, said: str, filled: Place) -> None:
    (filled.folder / "folder.csv").mkdir(exist_ok=True)
    before = sorted(filled.folder.iterdir())
    told = filled.start("export", table, "2026-10", "-o", target)
    assert told.status == 2
    assert said in told.stderr
    assert sorted(filled.folder.iterdir()) == before


def test_export__of_a_month_not_run_is_empty_with_its_header(filled: Place, tmp_path: Path) -> None:
    for table, columns in COLUMNS.items():
        told = filled.start("export", table, "2027-03", "-o", tmp_path / "x.csv", "--json")
        assert told.status == 0
        assert told.document["counts"] == {"rows": 0}
        assert (tmp_path / "x.csv").read_text().strip().split(",") == columns.split()

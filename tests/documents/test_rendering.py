"""Rendering from a store: what was held is named, and is made by the next `render`."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import polars as pl
import pytest
from pypdf import PdfReader

from invoicing.electronic_parties import customer_warnings, refuse_wrong_supplier
from rating.sources.settings_file import load_settings
from tests.cli.program import centime
from tests.golden.sample_run import RUNS, SAMPLE

if TYPE_CHECKING:
    from pathlib import Path

MONTH = "2026-09"


def pdfs(told: dict[str, list[str]]) -> list[str]:
    return [path for path in told["files_written"] if path.endswith(".pdf")]


def test_limits__a_held_invoice_is_named_and_made_by_the_next_render(tmp_path: Path) -> None:
    store, strict = tmp_path / "store", tmp_path / "strict.toml"
    settings = (SAMPLE / "centime.toml").read_text(encoding="utf-8")
    strict.write_text(settings.replace("memory_limit_mb = 2000", "memory_limit_mb = 1"), encoding="utf-8")
    logo = tmp_path / "logo.svg"
    shutil.copy(SAMPLE / "logo.svg", logo)
    run = centime(
        "run", MONTH, "--platform", str(SAMPLE / MONTH / "platform"), "--cdrs", str(SAMPLE / MONTH / "cdrs"),
        "--config", str(strict), "--store", str(store), "--now", RUNS[MONTH], "--json",
    )  # fmt: skip
    told = json.loads(run.stdout)
    assert (run.status, told["counts"]["invoices"]) == (1, 10)
    held = [sentence for sentence in told["attention"] if "was not written" in sentence]
    assert all("or than 1 MB (memory_limit_mb)" in sentence for sentence in held)
    # Whether a small invoice gets by with a megabyte depends on the one before; none of them is lost.
    assert held
    names = " ".join([*held, *told["files_written"]])
    assert [number for number in range(1, 11) if f"2026-{number:06d}" not in names] == []
    assert len(held) + len(pdfs(told)) == 10
    logo.unlink()
    common = ("--store", str(store), "--json")
    assert centime("verify", *common).status == 0
    # The limits in force are those of now, not those of the run.
    rendered = centime("render", MONTH, "--config", str(SAMPLE / "centime.toml"), *common)
    assert rendered.status == 0, rendered.stderr
    written = [f"{store}/invoices/2026/2026-{number:06d}.pdf" for number in range(1, 11)]
    assert pdfs(json.loads(rendered.stdout)) == written
    # The logo is the one that the settings of the run had; its file is needed no more.
    first_page = PdfReader(written[0]).pages[0].get_contents().get_data().decode("latin-1")
    assert "0.788235 0.635294 0.152941" in first_page
    assert centime("verify", *common).status == 0
    # Each customer with a VAT number got an electronic invoice that the official rules let pass.
    electronic = [path for path in json.loads(rendered.stdout)["files_written"] if path.endswith(".xml")]
    assert electronic == [path.replace(".pdf", ".xml") for path in written if not path.endswith("000006.pdf")]


@pytest.mark.parametrize("month", RUNS)
def test_sample__its_invented_numbers_are_right(month: str) -> None:
    refuse_wrong_supplier(load_settings(SAMPLE / "centime.toml").supplier)
    customers = pl.read_csv(SAMPLE / month / "platform" / "customers.csv", infer_schema=False)
    assert customers["vat_number"].drop_nulls().len() > 8
    assert customer_warnings(customers) == []

"""The page: every figure on it is one of `export`, and no name breaks it."""

from __future__ import annotations

import json
import re
import string
from importlib.resources import files
from typing import TYPE_CHECKING

import polars as pl
import pytest
from lxml import etree

from invoicing import exports
from invoicing.documents.words import LANGUAGES
from invoicing.reports.page import SHOWN, report_page
from invoicing.reports.words import spoken
from invoicing.reports.writing import document_links
from tests.cli.conftest import copy, forget_documents
from tests.cli.disputing import ANOTHER_SEAT, INVOICE, NOW, ids, settle
from tests.cli.program import write_tables
from tests.reports.months import HOSTILE, desk_at, last_month, month_of, with_customers

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.program import Place

SOURCES = ("page.py", "money_sections.py", "use_sections.py", "templates/report.html")
# Without them half of the pack is left.
MOST_CALLS = ("pack1", "pack2", "[red]odd[/red]", "[/]", "=2+3")


@pytest.fixture(scope="module")
def page(filled: Place) -> etree._Element:
    """November of the small store, in English."""
    return etree.HTML(report_page(last_month(filled.store), "en", {}).decode())


def column(page: etree._Element, table: str, place: int) -> list[int]:
    """The whole numbers of a column, from the cells of the body."""
    cells = page.xpath(f"//table[@id='{table}']/tbody/tr/*[{place}]/@data-key")
    return [int(cell) for cell in cells]


def foot(page: etree._Element, table: str) -> list[int]:
    """The whole numbers of the sums under a table."""
    return [int(key) for key in page.xpath(f"//table[@id='{table}']/tfoot//*[@class='n']/@data-key")]


def test_page__adds_up_to_what_is_exported(page: etree._Element, filled: Place) -> None:
    with desk_at(filled.store) as desk:
        of = {
            name: exports.TABLES[name](desk.store, desk.ledger, desk.ledger.runs()[-1].period)
            for name in ("lines", "invoices", "user_counts", "packs_used", "files", "rated", "quarantine")
        }
    net = int(of["invoices"]["net_cents"].sum())
    assert sum(column(page, "sources", 3)) == foot(page, "sources")[1] == int(of["lines"]["net_cents"].sum()) == net
    assert foot(page, "sources")[0] == of["lines"].height == sum(column(page, "sources", 2))
    assert foot(page, "customers")[:3] == [
        int(of["invoices"][name].sum()) for name in ("net_cents", "vat_cents", "gross_cents")
    ]
    assert sorted(column(page, "customers", 4)) == sorted(of["invoices"]["net_cents"])
    assert column(page, "months", 3)[-1] == net
    counts = ("records", "accepted", "unanswered", "duplicate", "quarantined", "skipped")
    assert foot(page, "files") == [int(of["files"][name].sum()) for name in counts]
    assert page.xpath("//table[@id='files']/tbody//td[@class='sha']/text()") == of["files"]["sha256"].to_list()
    assert foot(page, "packs")[0] == of["packs_used"].height
    here = of["rated"].filter(pl.col("invoice_number").is_not_null())
    late = [
        int(cell) for cell in page.xpath("//table[@id='days']/tbody/tr[th[@data-key='~']]/td[@class='n']/@data-key")
    ]
    calls, _, cents = foot(page, "days")
    assert calls - (late[0] if late else 0) == here.height
    assert cents - (late[2] if late else 0) == int(here["amount_cents"].sum())


@pytest.mark.usefixtures("no_documents")
@pytest.mark.parametrize(("form", "invoice"), [("credit-note", INVOICE), ("corrected-invoice", "2026-000002")])
def test_page__of_a_corrected_month_adds_up_to_what_is_exported(
    form: str, invoice: str, october_claimed: Place, tmp_path: Path
) -> None:
    place = copy(october_claimed, tmp_path / "place")
    seats = ["--platform", write_tables(place.folder / "seats", users=ANOTHER_SEAT)] if invoice != INVOICE else []
    assert settle(place, form, "--without-calls", ids(place, *MOST_CALLS), *seats).status == 0
    month = last_month(place.store)
    with desk_at(place.store) as desk:
        of = {
            name: exports.TABLES[name](desk.store, desk.ledger, month.period)
            for name in ("lines", "invoices", "user_counts", "packs_used", "rated")
        }
    lines, invoices, rated = (
        of[name].filter(pl.col("invoice_number") == invoice) for name in ("lines", "invoices", "rated")
    )
    found = etree.HTML(report_page(month, "en", {}).decode())
    amounts = [int(rated[name].sum()) for name in ("duration_s", "amount_cents")]
    assert foot(found, "days") == foot(found, "hours") == [rated.height, *amounts]
    assert foot(found, "packs")[0] == of["packs_used"].height
    assert foot(found, "packs")[-1] == int(of["packs_used"]["used_s"].sum())
    charged = rated.filter(pl.col("amount_cents") > 0)
    assert [int(month.calls.owners[name].sum()) for name in ("charged_s", "amount_cents")] == [
        int(charged[name].sum()) for name in ("charged_s", "amount_cents")
    ]
    assert month.user_counts.equals(of["user_counts"])
    assert foot(found, "sources")[:2] == [lines.height, int(lines["net_cents"].sum())]
    assert foot(found, "customers")[:3] == [
        int(invoices[name].sum()) for name in ("net_cents", "vat_cents", "gross_cents")
    ]


@pytest.mark.usefixtures("no_documents")
def test_packs__were_used_by_late_calls_too_as_exported(october_claimed: Place, tmp_path: Path) -> None:
    place = copy(october_claimed, tmp_path / "place")
    assert settle(place, "corrected-invoice", "--without-calls", ids(place, *MOST_CALLS)).status == 0
    for used_s in (60, 120):
        found = etree.HTML(report_page(month_of(place.store, 0), "en", {}).decode())
        with desk_at(place.store) as desk:
            packs = exports.packs_used(desk.store, desk.ledger, desk.ledger.runs()[0].period)
        assert foot(found, "packs")[-1] == int(packs["used_s"].sum()) == used_s
        if used_s == 60:
            assert place.run("2026-11", "--cdrs", "cdrs/november.csv").status == 0


def test_links__lead_to_the_invoice_in_force(october_corrected: Place, tmp_path: Path) -> None:
    place = copy(october_corrected, tmp_path / "place")
    assert place.start("render", "2026-10", "--now", NOW).status == 0
    assert (place.store / "invoices/2026/2026-000001.pdf").is_file()
    with desk_at(place.store) as desk:
        target = place.store / "reports/2026-10.html"
        links = document_links(desk.ledger, place.store, desk.ledger.runs()[0], target)
    assert [link.address for link in links["c1"]] == ["../invoices/2026/2026-000002.pdf"]


def test_attention__names_the_documents_that_a_correction_lacks(october_corrected: Place, tmp_path: Path) -> None:
    place = copy(october_corrected, tmp_path / "place")

    def named() -> list[str]:
        found = etree.HTML(report_page(last_month(place.store), "en", {}).decode())
        return [cell.xpath("string()").strip() for cell in found.xpath("//table[@id='unwritten']/tbody/tr/*[1]")]

    assert named() == []
    forget_documents(place)
    # October was run without documents, so the invoice that was superseded was promised none.
    assert named() == ["2026-000002"]
    assert place.start("render", "2026-10", "--now", NOW).status == 0
    assert named() == []


def test_changes__add_up_to_the_difference_of_two_months(page: etree._Element, filled: Place) -> None:
    with desk_at(filled.store) as desk:
        runs = desk.ledger.runs()
        before, now = (int(exports.invoices(desk.store, desk.ledger, run.period)["net_cents"].sum()) for run in runs)
    assert sum(column(page, "changes", 4)) == foot(page, "customers")[3] == now - before
    words = page.xpath("//table[@id='changes']/tbody/tr/td[last()]/text()")
    for told, difference in zip(words, column(page, "changes", 4), strict=True):
        found = [
            int(cents.replace(".", "").replace(",", "")) for cents in re.findall(r"([+-][\d.]+,\d\d)\u00a0€", told)
        ]
        assert sum(found) == difference


def test_page__headings_are_in_order_and_every_cell_has_its_headings(page: etree._Element) -> None:
    levels = [int(element.tag[1]) for element in page.iter("h1", "h2", "h3")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert set(levels[1:]) == {2}
    for table in page.iter("table"):
        assert table.find("caption").text
        assert all(head.get("scope") == "col" for head in table.findall("thead/tr/th"))
        assert all(row[0].tag == "th" and row[0].get("scope") == "row" for row in table.findall("tbody/tr"))
    assert page.xpath("//figure[@role='img']/@aria-label")


@pytest.mark.parametrize("code", LANGUAGES)
def test_page__is_whole_in_every_language_and_the_same_bytes_again(filled: Place, code: str) -> None:
    month = last_month(filled.store)
    first = report_page(month, code, {})
    assert first == report_page(month, code, {})
    assert f'<html lang="{code}">'.encode() in first
    assert b"http://www.w3.org" in first  # the name of SVG
    assert not re.search(rb"(?:src|href)=\"(?:https?:)?//", first)


def test_page__hostile_names_are_texts(filled: Place) -> None:
    month = with_customers(last_month(filled.store), SHOWN + len(HOSTILE))
    text = report_page(month, "fr", {}).decode()
    tree = etree.HTML(text)
    assert len(tree.xpath("//script")) == len(tree.xpath("//script[@type='application/json']")) + 1
    assert not tree.xpath("//img")
    (packed,) = tree.xpath("//script[@id='customers-rows']/text()")
    shown = tree.xpath("//table[@id='customers']/tbody/tr/th/text()")
    assert [row[0] for row in json.loads(packed)][:SHOWN] == shown
    assert shown[0] == HOSTILE[0]
    assert "\u202e" not in text
    assert "\x00" not in text


@pytest.mark.parametrize("code", [code for code in LANGUAGES if code != "fr"])
def test_words__every_language_has_the_keys_and_fields_of_the_french_one(code: str) -> None:
    french, words = spoken("fr").words, spoken(code).words
    assert list(words) == list(french)

    def fields(text: str) -> set[str]:
        return {field for _, field, _, _ in string.Formatter().parse(text) if field}

    assert {key: fields(text) for key, text in words.items()} == {key: fields(text) for key, text in french.items()}


def test_words__each_is_used() -> None:
    source = "\n".join(files("invoicing.reports").joinpath(name).read_text(encoding="utf-8") for name in SOURCES)
    used = set(re.findall(r"[\"']([a-z]+\.[a-z_]+)[\"']", source)) | {"figure.minutes"}
    built = ("column.", "todo.", "reason.", "attention.", "kind.", "unbilled.", "bound.", "retro.", "table.", "page.")
    assert sorted(key for key in spoken("fr").words if key not in used and not key.startswith(built)) == []

"""The web page: the same invoice as the PDF, in one file that asks for nothing, as a browser sees it."""

# ruff: noqa: RUF001 - what is printed has the dashes and apostrophes of its language

from __future__ import annotations

import base64
import hashlib
import html
import re
import shutil
import subprocess
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

import pytest
from lxml import etree
from printed import in_language, text_of
from sample_documents import (
    CUSTOMER,
    MONTHS,
    SUPPLIER,
    SVG_LOGO,
    call,
    calls_of,
    credit_note,
    document,
    full_document,
    line,
)

from invoicing.documents.making import make_files
from invoicing.documents.web_page import render_web_page
from invoicing.documents.words import LANGUAGES, language
from schemas.settings import DocumentSettings

if TYPE_CHECKING:
    from pathlib import Path

    from invoicing.documents.model import InvoiceDocument

NOON = datetime(2026, 10, 5, 12, 0, 0)  # noqa: DTZ001 - local time
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--enable-logging=stderr",
    "--v=0", "--hide-scrollbars",
)  # fmt: skip


def texts_of(invoice: InvoiceDocument) -> list[str]:
    """The text of each element that has one, without the blanks around it."""
    tree = etree.HTML(render_web_page(invoice).decode())
    return [" ".join(text.split()) for text in tree.xpath("//body//text()") if text.strip()]


def rows_of(invoice: InvoiceDocument, kind: str) -> list[list[str]]:
    """The cells of the rows of a table of a class."""
    tree = etree.HTML(render_web_page(invoice).decode())
    rows = tree.xpath(f"//table[contains(@class, '{kind}')]//tr")
    return [[" ".join("".join(cell.itertext()).split()) for cell in row.xpath("td|th")] for row in rows]


@pytest.mark.parametrize("code", LANGUAGES)
def test_page__says_what_the_pdf_says(code: str) -> None:
    invoice = in_language(code, 12, months=MONTHS)
    text, pdf = "".join("".join(texts_of(invoice)).split()), "".join(text_of(invoice).split())
    speech = language(code)
    for each in (*(each.description for each in invoice.lines), *(zone.label for zone in invoice.traffic)):
        assert "".join(each.split()) in text
    for cents in (invoice.gross_cents, invoice.net_cents, *(each.net_cents for each in invoice.lines)):
        assert "".join(speech.amount(cents).split()) in text
    for start in invoice.calls["start"]:
        assert f"{speech.day(start.date())}{start:%H:%M:%S}" in text
        assert f"{speech.day(start.date())}{start:%H:%M:%S}" in pdf
    assert text.count(speech.say("line.subtotal")) == pdf.count(speech.say("line.subtotal"))


def test_page__calls_are_a_table_grouped_by_user_with_sums() -> None:
    calls = [
        call(NOON, user_id="U-2", duration_s=3_723, pack_s=3_600, charged_s=123, amount_cents=17),
        call(NOON.replace(hour=13), user_id=None, direction="incoming", caller="anonymous", amount_cents=123_456),
        call(NOON.replace(hour=14), user_id="U-2", duration_s=0, pack_s=0, amount_cents=3),
    ]
    found = rows_of(document([line("recurring", "Abonnement", 1000)], calls=calls_of(calls)), "calls")
    assert found == [
        ["Date", "Heure", "Numéro appelé", "Destination", "Durée", "En pack", "Hors pack", "Montant (€)"],
        ["Utilisateur U-2"],
        ["05/10/2026", "12:00:00", "+32470123456", "Mobile Belgique", "1:02:03", "1:00:00", "0:02:03", "0,17"],
        ["05/10/2026", "14:00:00", "+32470123456", "Mobile Belgique", "0:00:00", "–", "–", "0,03"],
        ["Sous-total, appels : 2", "1:02:03", "1:00:00", "0:02:03", "0,20"],
        ["Sans utilisateur"],
        ["05/10/2026", "13:00:00", "← anonyme", "Mobile Belgique", "0:01:00", "0:01:00", "–", "1 234,56"],
        ["Sous-total, appels : 1", "0:01:00", "0:01:00", "–", "1 234,56"],
    ]


def test_page__the_totals_are_those_of_the_first_page() -> None:
    found = rows_of(full_document(0, months=MONTHS), "totals")
    assert found[0] == ["", "octobre", "septembre", "Différence"]
    assert ["Communications", "9,11", "274,21", "-265,10"] in found
    assert found[-1] == ["Total TVA comprise", "739,90", "", ""]


def test_page__names_its_language_and_lets_nothing_but_itself_be_loaded() -> None:
    page = render_web_page(full_document(3, supplier=replace(SUPPLIER, logo=SVG_LOGO))).decode()
    tree = etree.HTML(page)
    style = tree.xpath("string(//style)")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = tree.xpath("string(//meta[@http-equiv='Content-Security-Policy']/@content)")
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    )
    assert tree.get("lang") == "fr"
    addresses = tree.xpath("//@href | //@src | //@action | //@data | //@srcset")
    assert sorted(set(addresses)) == ["data:,", SVG_LOGO]
    assert not re.search(r"url\(|@import|<script|javascript:|\son[a-z]+=|\sstyle=", page)


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        "</style><style>body{display:none}</style>",
        "{{ 7 * 7 }} {% raw %} ${accent}",
        '"><img src="http://127.0.0.1:9/a.png" onerror="alert(1)">',
    ],
)
def test_hostile__text_is_text(hostile: str) -> None:
    invoice = document(
        [line("recurring", hostile, 1000)],
        supplier=replace(SUPPLIER, name=hostile, colour="#000;} body{display:none"),
        customer=replace(CUSTOMER, name=hostile),
        calls=calls_of([call(NOON, zone=hostile, user_id=hostile)]),
    )
    page = render_web_page(invoice).decode()
    assert page.count(str(html.escape(hostile, quote=True)).replace("&#x27;", "&#39;").replace("&quot;", "&#34;")) >= 5
    tree = etree.HTML(page)
    assert tree.xpath("//script | //img") == []
    assert len(tree.xpath("//style")) == 1


def test_page__is_made_where_the_settings_ask_for_it_and_always_the_same() -> None:
    once = make_files(full_document(12), DocumentSettings(web_page=True)).contents
    assert set(once) == {"pdf", "xml", "html"}
    assert make_files(full_document(12), DocumentSettings(web_page=True)).contents == once
    assert set(make_files(full_document(12), DocumentSettings()).contents) == {"pdf", "xml"}


def opened(page: Path, profile: Path, *asked: str) -> subprocess.CompletedProcess[str]:
    """What a browser makes of a page."""
    assert CHROMIUM, "the tests open web pages in Chromium; `make system` installs it"
    # No proxy answers: whatever the page asks for would fail, and be told.
    command = [CHROMIUM, *QUIET, f"--user-data-dir={profile}", "--proxy-server=127.0.0.1:9", *asked, page.as_uri()]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)


@pytest.mark.parametrize(
    "invoice",
    [
        full_document(200, months=MONTHS, supplier=replace(SUPPLIER, logo=SVG_LOGO)),
        credit_note(),
        full_document(3, number=None, structured_communication=None),
    ],
    ids=["invoice", "credit note", "draft"],
)
def test_browser__opens_it_without_a_complaint_or_a_request(invoice: InvoiceDocument, tmp_path: Path) -> None:
    page = tmp_path / "invoice.html"
    page.write_bytes(render_web_page(invoice))
    done = opened(page, tmp_path / "profile", "--dump-dom")
    assert "CONSOLE" not in done.stderr
    seen = etree.HTML(done.stdout)
    assert seen.xpath("string(//title)") == etree.HTML(page.read_bytes().decode()).xpath("string(//title)")
    assert len(seen.xpath("//table[@class='calls']//tbody/tr[count(td) = 8]")) == invoice.calls.height


@pytest.mark.parametrize("allowed", [False, True])
def test_browser__would_tell_of_a_page_that_asks_for_something(allowed: bool, tmp_path: Path) -> None:
    page = tmp_path / "invoice.html"
    text = render_web_page(full_document(0)).decode()
    text = text.replace("</main>", '<img src="http://127.0.0.1:9/a.png"></main>')
    page.write_text(text.replace("img-src data:", "img-src *") if allowed else text, encoding="utf-8")
    assert "CONSOLE" in opened(page, tmp_path / "profile", "--dump-dom").stderr

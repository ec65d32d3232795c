"""The page in a browser, Debian's Chromium: it asks for nothing, sorts, searches, and is fast with ten thousand."""

from __future__ import annotations

import json
import shutil
import time
from fractions import Fraction
from html import escape
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from invoicing.reports.page import SHOWN, report_page
from invoicing.reports.parts import Link
from tests.reports.months import HOSTILE, last_month, with_customers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.cli.program import Place

CUSTOMERS = 10_000
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
LARGEST_BYTES = 6_000_000
# Opened and searched in at most so much of the time in which the browser draws its customers as one plain table (a
# quarter is usual). The shortest of some attempts, as the machine may be busy with something else meanwhile.
LARGEST_PART = Fraction(1, 2)
ATTEMPTS = 3


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def path(filled: Place, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A month of ten thousand customers, the first of them with hostile names."""
    month = with_customers(last_month(filled.store), CUSTOMERS)
    links = {
        customer: (Link("", f"../invoices/2026/{number}.pdf"), Link("HTML", f"../invoices/2026/{number}.html"))
        for customer, number in month.invoices.select("customer_id", "invoice_number").iter_rows()
    }
    target = tmp_path_factory.mktemp("page") / "report.html"
    target.write_bytes(report_page(month, "fr", links))
    return target


@pytest.fixture
def told() -> list[str]:
    """What the browser complained of, and what it asked for beside the page."""
    return []


@pytest.fixture
def page(browser: Browser, path: Path, told: list[str]) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 390, "height": 844}, locale="fr-BE")
    opened = context.new_page()
    opened.on("console", lambda message: told.append(message.text))
    opened.on("pageerror", lambda error: told.append(str(error)))
    opened.on("request", lambda request: told.append(request.url))
    opened.on("dialog", lambda dialog: told.append(dialog.message))
    opened.goto(path.as_uri())
    yield opened
    context.close()


def names(page: Page) -> list[str]:
    return page.locator("#customers tbody th").all_inner_texts()


def status(page: Page) -> str:
    return page.locator("section:has(#customers) [role=status]").inner_text().replace("\u202f", " ")


def opened_and_asked(browser: Browser, path: Path, ask: Callable[[Page], object]) -> tuple[object, float]:
    """What the page answers, and the seconds from its opening to that."""
    opened = browser.new_page()
    began = time.perf_counter()
    opened.goto(path.as_uri())
    answer, took_s = ask(opened), time.perf_counter() - began
    opened.close()
    return answer, took_s


def plain_table(page: str) -> str:
    """The rows that the page holds ready for its customers, all of them drawn, without style or script."""
    packed = page.split('id="customers-rows"', 1)[1].split(">", 1)[1].split("</script>", 1)[0]
    rows = (
        "".join(f"<td>{escape(cell[0] if isinstance(cell, list) else str(cell))}" for cell in row)
        for row in json.loads(packed)
    )
    return f"<!doctype html><meta charset=utf-8><title>Plain</title><table><tr>{'<tr>'.join(rows)}</table>"


def last_customer(page: Page) -> list[str]:
    page.get_by_role("searchbox", name="Chercher: Tous les clients").fill("k009999")
    return names(page)


def height(page: Page) -> int:
    """Known when all is laid out."""
    return int(page.evaluate("document.documentElement.scrollHeight"))


def test_page__ten_thousand_customers_are_small_and_ready_at_once(browser: Browser, path: Path, tmp_path: Path) -> None:
    assert path.stat().st_size < LARGEST_BYTES
    plain = tmp_path / "plain.html"
    plain.write_text(plain_table(path.read_text(encoding="utf-8")), encoding="utf-8")
    drawn_px, plain_s = opened_and_asked(browser, plain, height)
    assert isinstance(drawn_px, int)
    assert drawn_px > 10 * CUSTOMERS
    answers = [opened_and_asked(browser, path, last_customer) for _ in range(ATTEMPTS)]
    assert [found for found, _ in answers] == [["Maison k009999 Étoile & Fils"]] * ATTEMPTS
    assert min(took_s for _, took_s in answers) < LARGEST_PART * plain_s, (answers, plain_s)


def test_page__asks_for_nothing_and_nothing_of_a_hostile_name_is_obeyed(
    page: Page, path: Path, told: list[str]
) -> None:
    assert told == [path.as_uri()]
    assert page.title() != "taken"
    assert names(page)[0] == HOSTILE[0]
    page.locator("#customers thead button").first.click()
    assert page.locator("img").count() == 0
    assert told == [path.as_uri()]
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_search__finds_without_accents_and_in_every_column(page: Page) -> None:
    search = page.get_by_role("searchbox", name="Chercher: Tous les clients")
    search.fill("etoile 2026-000123")
    assert names(page) == ["Maison k000123 Étoile & Fils"]
    search.fill("nobody at all")
    assert names(page) == []
    assert status(page) == "Rien trouvé"
    search.fill("")
    assert status(page) == f"1 à {SHOWN} sur 10 000"


def test_sort__by_amount_and_back_says_so_and_writes_figures_as_the_page_does(page: Page) -> None:
    written = page.locator("#customers tbody tr").nth(9).inner_text()
    head = page.locator("#customers thead th").nth(3)
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "descending"
    first = page.locator("#customers tbody td:nth-child(4)").first
    assert first.inner_text() == "99,72"
    head.get_by_role("button").press("Enter")
    assert head.get_attribute("aria-sort") == "ascending"
    assert first.inner_text() == "0,00"
    page.locator("#customers thead th").nth(1).get_by_role("button").click()
    assert page.locator("#customers tbody tr").nth(9).inner_text() == written


def test_pages__go_on_and_back_by_keyboard(page: Page) -> None:
    section = page.locator("section:has(#customers)")
    section.get_by_role("button", name="Suivant").press("Enter")
    assert status(page) == f"{SHOWN + 1} à {2 * SHOWN} sur 10 000"
    section.get_by_role("button", name="Précédent").press("Enter")
    assert section.get_by_role("button", name="Précédent").is_disabled()


def test_links__lead_to_the_documents_beside_the_page(page: Page) -> None:
    page.get_by_role("searchbox", name="Chercher: Tous les clients").fill("k000123")
    found = page.locator("#customers tbody a")
    assert [found.nth(place).get_attribute("href") for place in range(found.count())] == [
        "../invoices/2026/2026-000123.pdf", "../invoices/2026/2026-000123.pdf", "../invoices/2026/2026-000123.html",
    ]  # fmt: skip


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page__texts_stand_out_from_the_page_in_light_and_dark(browser: Browser, path: Path, scheme: str) -> None:
    context = browser.new_context(color_scheme="dark" if scheme == "dark" else "light")
    opened = context.new_page()
    opened.goto(path.as_uri())
    ratios = opened.evaluate(CONTRAST)
    context.close()
    assert min(ratios.values()) >= 4.5, ratios


# WCAG 2.2, 1.4.3: the contrast of texts in the three colours they have, against the page behind them.
CONTRAST = """() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const light = (colour) => {
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map((part) => {
      const share = part / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = light(getComputedStyle(document.body).backgroundColor);
  const found = {};
  for (const selector of ["body", "nav a", "header p", "thead th", ".totals dd"]) {
    const text = light(getComputedStyle(document.querySelector(selector)).color);
    found[selector] = (Math.max(text, behind) + 0.05) / (Math.min(text, behind) + 0.05);
  }
  return found;
}"""

"""The markup of an invoice: well-formed whatever is in it, and laid out as WeasyPrint lays out HTML."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from sample_documents import MONTHS, SUPPLIER, SVG_LOGO, credit_note, document, full_document, line
from weasyprint import HTML

from invoicing.documents import kept_styles, pdf
from invoicing.documents.house_colour import DEFAULT_COLOUR
from invoicing.documents.markup import Markup
from invoicing.documents.templating import environment

if TYPE_CHECKING:
    from invoicing.documents.kept_styles import Sheet
    from invoicing.documents.logo import SealedFetcher
    from invoicing.documents.model import InvoiceDocument


class AsHtml:
    """The same markup by way of WeasyPrint's parser, with its own style sheet below ours, and nothing kept."""

    def __init__(self, text: str, fetcher: SealedFetcher, sheet: Sheet) -> None:
        self.html = HTML(string=f"<!DOCTYPE html>{text}", url_fetcher=fetcher)
        self.css = sheet.css

    def write_pdf(self, **options: object) -> bytes:
        pdf: bytes = self.html.write_pdf(stylesheets=[self.css], **options)
        return pdf


@pytest.mark.parametrize(
    "invoice",
    [
        pytest.param(full_document(40, months=MONTHS), id="everything"),
        pytest.param(full_document(3, supplier=replace(SUPPLIER, logo=SVG_LOGO), number=None), id="draft with logo"),
        pytest.param(document([line("recurring", f"Service {each}", 100) for each in range(90)]), id="long table"),
        pytest.param(credit_note(), id="credit note"),
    ],
)
def test_markup__gives_the_bytes_of_html_with_the_whole_style_sheet(
    invoice: InvoiceDocument, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = pdf.render_pdf(invoice)
    monkeypatch.setattr(pdf, "Markup", AsHtml)
    assert ours == pdf.render_pdf(invoice)


def test_markup__styles_kept_from_other_documents_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    pdf.style_sheet.cache_clear()
    invoice = full_document(3)
    ours = pdf.render_pdf(invoice)
    kept = pdf.style_sheet(DEFAULT_COLOUR).kept
    before = set(kept)
    others = [credit_note(), full_document(3, number=None), replace(invoice, supplier=replace(SUPPLIER, logo=SVG_LOGO))]
    others += [replace(invoice, customer=replace(invoice.customer, language=code)) for code in ("nl", "en")]
    for other in others:
        pdf.render_pdf(other)
    with_others = set(kept)
    assert before < with_others
    assert pdf.render_pdf(invoice) == ours
    assert set(kept) == with_others
    monkeypatch.setattr(kept_styles, "MOST_KEPT", 10)
    assert pdf.render_pdf(invoice) == ours
    assert len(kept) <= 10


def test_markup__every_character_that_a_template_prints_is_one_that_it_may_have() -> None:
    every = "".join(map(chr, range(sys.maxunicode + 1)))
    text = environment().from_string("<p title='{{ text }}'>{{ text }}</p>").render(text=every)
    assert ET.fromstring(text).text  # noqa: S314 - it is our own


def test_markup__an_element_left_open_is_an_error() -> None:
    with pytest.raises(ET.ParseError, match="mismatched tag"):
        Markup("<html><body><br></body></html>", None, None)

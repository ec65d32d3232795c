"""The markup of an invoice: well-formed whatever is in it, and laid out as WeasyPrint lays out HTML."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from sample_documents import MONTHS, SUPPLIER, SVG_LOGO, credit_note, document, full_document, line
from weasyprint import HTML

from invoicing.documents import pdf
from invoicing.documents.markup import Markup
from invoicing.documents.templating import environment

if TYPE_CHECKING:
    from invoicing.documents.logo import SealedFetcher
    from invoicing.documents.model import InvoiceDocument


def as_html(text: str, fetcher: SealedFetcher) -> HTML:
    """The same markup by way of WeasyPrint's parser and with its own style sheet below ours."""
    return HTML(string=f"<!DOCTYPE html>{text}", url_fetcher=fetcher)


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
    monkeypatch.setattr(pdf, "Markup", as_html)
    assert ours == pdf.render_pdf(invoice)


def test_markup__every_character_that_a_template_prints_is_one_that_it_may_have() -> None:
    every = "".join(map(chr, range(sys.maxunicode + 1)))
    text = environment().from_string("<p title='{{ text }}'>{{ text }}</p>").render(text=every)
    assert ET.fromstring(text).text  # noqa: S314 - it is our own


def test_markup__an_element_left_open_is_an_error() -> None:
    with pytest.raises(ET.ParseError, match="mismatched tag"):
        Markup("<html><body><br></body></html>", None)

"""The supplier's logo in a document, and that nothing else is ever fetched."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest
from printed import pages_of, reader_of
from sample_documents import SUPPLIER, SVG, SVG_LOGO, document, line
from weasyprint import CSS, HTML
from weasyprint.urls import FatalURLFetchingError

from invoicing.documents.logo import ADDRESS, Logo, SealedFetcher, logo_of
from invoicing.documents.pdf import render_pdf
from schemas.errors import InputRefused

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
PNG_LOGO = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
LINES = [line("recurring", "Abonnement", 1000)]


@pytest.mark.parametrize(
    "html",
    [
        '<img src="file:///etc/hostname">',
        '<img src="http://127.0.0.1:9/a.png">',
        '<img src="data:image/png;base64,AAAA">',
        '<link rel="attachment" href="file:///etc/hostname">',
        '<link rel="stylesheet" href="http://127.0.0.1:9/a.css">',
        '<style>@import url("file:///etc/hostname")</style>',
        '<style>@font-face { font-family: a; src: url("file:///etc/hostname") }</style><p style="font-family: a">x',
        '<p style="background: url(file:///etc/hostname)">x</p>',
        '<object data="file:///etc/hostname"></object>',
    ],
)
def test_fetch__every_address_is_refused(html: str) -> None:
    fetcher = SealedFetcher(Logo("image/png", PNG))
    try:
        HTML(string=html, url_fetcher=fetcher).write_pdf()
    except FatalURLFetchingError:
        pass
    else:
        assert "@font-face" in html  # WeasyPrint goes on without a font that it does not get
    assert fetcher.refused


def test_fetch__the_logo_has_an_address_that_no_other_scheme_has() -> None:
    fetcher = SealedFetcher(Logo("image/png", PNG))
    assert HTML(string=f'<img src="{ADDRESS}" alt="a">', url_fetcher=fetcher).write_pdf()
    assert fetcher.refused == ""


def test_fetch__a_stylesheet_cannot_ask_for_a_font() -> None:
    with pytest.raises(FatalURLFetchingError):
        CSS(string='@import "http://127.0.0.1:9/a.css";', url_fetcher=SealedFetcher(None))


@pytest.mark.parametrize(("logo", "images"), [(PNG_LOGO, 1), (SVG_LOGO, 0)])
def test_logo__stands_above_the_suppliers_name(logo: str, images: int) -> None:
    invoice = document(LINES, supplier=replace(SUPPLIER, logo=logo))
    assert len(reader_of(invoice).pages[0].images) == images
    assert render_pdf(invoice) != render_pdf(document(LINES))
    assert pages_of(invoice)[0].startswith("Maison Téléphonie SA Rue du Charbonnage 12")


@pytest.mark.parametrize(
    ("image", "why"),
    [
        (
            SVG.replace(b"<rect", b'<image href="file:///etc/hostname" width="9" height="9"/><rect'),
            "file:///etc/hostname",
        ),
        (
            SVG.replace(b"<rect", b'<image href="http://127.0.0.1:9/a" width="9" height="9"/><rect'),
            "http://127.0.0.1:9/a",
        ),
    ],
)
def test_logo__that_asks_for_something_is_refused(image: bytes, why: str) -> None:
    logo = f"data:image/svg+xml;base64,{base64.b64encode(image).decode()}"
    with pytest.raises(InputRefused, match=why):
        render_pdf(document(LINES, supplier=replace(SUPPLIER, logo=logo)))


@pytest.mark.parametrize("text", ["logo.png", "data:text/html;base64,AAAA", 'data:image/png;base64,AA"><script>'])
def test_logo__that_is_no_data_uri_of_an_image_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no data URI"):
        logo_of(text)

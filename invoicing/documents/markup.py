"""The markup of an invoice as WeasyPrint lays it out: well-formed, and with a style of its own for each element."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from cssselect2 import ElementWrapper
from weasyprint import CSS, HTML

if TYPE_CHECKING:
    from invoicing.documents.logo import SealedFetcher


class Markup(HTML):  # type: ignore[misc]  # WeasyPrint carries no types
    """Markup that needs neither a parser of HTML, which mends what is not well-formed, nor the styles of all HTML.

    Both are correct and slow: together a tenth of what an invoice takes. `invoice.css` has the styles of the
    elements that an invoice is made of, as the style sheet of WeasyPrint has them.
    """

    def __init__(self, text: str, fetcher: SealedFetcher) -> None:
        """Take markup in which every element is closed and every text escaped.

        Raises:
            xml.etree.ElementTree.ParseError: if it is not well-formed.
        """
        self.base_url = None
        self.url_fetcher = fetcher
        self.media_type = "print"
        root = ET.fromstring(text)  # noqa: S314 - of our own template, in which no text declares anything
        self.wrapper_element = ElementWrapper.from_html_root(root)
        self.etree_element = self.wrapper_element.etree_element

    def _ua_stylesheets(self, *_: object) -> list[CSS]:
        return []

"""The markup of an invoice as WeasyPrint lays it out: well-formed, and with one style sheet for all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from cssselect2 import ElementWrapper
from weasyprint import DEFAULT_OPTIONS, HTML

from invoicing.documents.kept_styles import KeptStylesDocument

if TYPE_CHECKING:
    from weasyprint import Document
    from weasyprint.css.counters import CounterStyle
    from weasyprint.text.fonts import FontConfiguration

    from invoicing.documents.kept_styles import Sheet
    from invoicing.documents.logo import SealedFetcher


class Markup(HTML):  # type: ignore[misc]  # WeasyPrint carries no types
    """Markup that needs neither a parser of HTML, which mends what is not well-formed, nor the styles of all HTML.

    Both are correct and slow: together a tenth of what an invoice takes. `invoice.css` has the styles of the
    elements that an invoice is made of, as the style sheet of WeasyPrint has them.
    """

    def __init__(self, text: str, fetcher: SealedFetcher, sheet: Sheet) -> None:
        """Take markup in which every element is closed and every text escaped, and what it is to look like.

        Raises:
            xml.etree.ElementTree.ParseError: if it is not well-formed.
        """
        self.base_url = None
        self.url_fetcher = fetcher
        self.media_type = "print"
        self.sheet = sheet
        root = ET.fromstring(text)  # noqa: S314 - of our own template, in which no text declares anything
        self.wrapper_element = ElementWrapper.from_html_root(root)
        self.etree_element = self.wrapper_element.etree_element

    def render(
        self,
        font_config: FontConfiguration | None = None,
        counter_style: CounterStyle | None = None,
        color_profiles: object = None,
        **options: object,
    ) -> Document:
        """Lay the pages out, as the method that this one replaces does."""
        chosen = DEFAULT_OPTIONS | options
        laid_out: Document = KeptStylesDocument._render(self, font_config, counter_style, color_profiles, chosen)  # noqa: SLF001
        return laid_out

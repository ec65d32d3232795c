"""The styles of elements: worked out for the first document of a process and kept for those that follow."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from weasyprint.css import StyleFor
from weasyprint.css.targets import TargetCollector
from weasyprint.document import Document
from weasyprint.images import get_image_from_uri
from weasyprint.layout import LayoutContext

if TYPE_CHECKING:
    from collections.abc import Hashable
    from xml.etree.ElementTree import Element

    from weasyprint import CSS
    from weasyprint.css.counters import CounterStyle
    from weasyprint.text.fonts import FontConfiguration

    from invoicing.documents.markup import Markup

# An invoice has a hundred styles, and other languages, drafts and credit notes some more; each takes ten kilobytes.
MOST_KEPT = 2000


@dataclass(frozen=True, slots=True)
class Sheet:
    """A style sheet, and the styles that documents had by it.

    Attributes:
        css: The style sheet.
        kept: Each style by what it follows from: that of the parent, and the declarations for the element.
    """

    css: CSS
    kept: dict[Hashable, Any] = field(default_factory=dict)


class KeptStyles(StyleFor):  # type: ignore[misc]  # WeasyPrint carries no types
    """The styles of a document by one style sheet, taken from a document before where that had the same.

    A style works out each of its two hundred properties when it is first asked for it, from the declarations and
    the style of the parent alone; for each document anew that is a seventh of what an invoice takes.
    """

    def __init__(self, markup: Markup, font_config: FontConfiguration, targets: TargetCollector) -> None:
        """Find the style of each element."""
        self._kept = markup.sheet.kept
        super().__init__(markup, [(markup.sheet.css, "user", None)], False, font_config, targets)

    def set_computed_styles(
        self, element: Element, *where: object, pseudo_type: str | None = None, **rest: object
    ) -> None:
        """Give an element, or what stands before or after it, its style."""
        super().set_computed_styles(element, *where, pseudo_type=pseudo_type, **rest)
        styles = self.get_computed_styles()
        style = styles[element, pseudo_type]
        # What is told apart by its identity here is held by the style that is kept, so no other thing can have it.
        declared = frozenset((name, _key(value), str(weight)) for name, (value, weight) in style.cascaded.items())
        if len(self._kept) >= MOST_KEPT:
            self._kept.clear()
        styles[element, pseudo_type] = self._kept.setdefault((id(style.parent_style), pseudo_type, declared), style)


class KeptStylesDocument(Document):  # type: ignore[misc]  # WeasyPrint carries no types
    """Laid out pages of markup, whose styles are kept."""

    @classmethod
    def _build_layout_context(
        cls, markup: Markup, font_config: FontConfiguration, counter_style: CounterStyle, _: object, options: object
    ) -> LayoutContext:
        targets = TargetCollector()
        styles = KeptStyles(markup, font_config, targets)
        images = partial(get_image_from_uri, cache={}, url_fetcher=markup.url_fetcher, options=options)
        return LayoutContext(styles, images, font_config, counter_style, targets)


def _key(value: object) -> Hashable:
    """What tells a declared value from others: itself, or its identity where it is not hashable."""
    try:
        hash(value)
    except TypeError:
        return "at", id(value)
    return value

"""Drawings of rectangles and short labels: the same ones for a page of a PDF and for a web page.

An SVG that WeasyPrint reads costs as much as twenty lines of text. So the PDF's are written as operators onto the
finished page, and the web page gets one path for each ink.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from invoicing.documents.row_font import escaped

if TYPE_CHECKING:
    from collections.abc import Mapping

    from invoicing.documents.row_font import RowFont

# Left, top, width and height, in units of the drawing; y downwards.
Rectangle = tuple[float, float, float, float]
Colour = tuple[float, float, float]
LIGHT = 0.72  # how much white there is in the light tint of the accent
INKS = ("rest", "light", "accent", "ink")


@dataclass(frozen=True, slots=True)
class Label:
    """A short text whose base line is at `y`; it begins at `x`, or ends there, or is centred on it."""

    text: str
    x: float
    y: float
    align: str = "middle"


@dataclass(frozen=True, slots=True)
class Drawing:
    """What is drawn, on a canvas of its own units that is stretched to the place it gets.

    Attributes:
        width: Of the canvas.
        height: Of the canvas.
        inks: Rectangles by ink: `ink` is black, `accent` the colour of the house, `light` a tint of it, `rest` grey.
        labels: Over them.
        label_size: Of the letters, in units of the canvas.
        alt: What it shows, in words, for who cannot see it; empty where that stands beside it.
    """

    width: float
    height: float
    inks: Mapping[str, tuple[Rectangle, ...]]
    labels: tuple[Label, ...] = ()
    label_size: float = 0
    alt: str = ""


def inks_of(accent: Colour) -> dict[str, Colour]:
    """The colours of a house."""
    red, green, blue = (LIGHT + (1 - LIGHT) * part for part in accent)
    return {"rest": (0.9, 0.9, 0.9), "light": (red, green, blue), "accent": accent, "ink": (0.1, 0.1, 0.1)}


def operators(drawing: Drawing, place: Rectangle, inks: Mapping[str, Colour], font: RowFont) -> str:
    """The drawing as operators of a page whose origin is at the top left, y downwards, in points.

    Args:
        drawing: What is drawn; its labels in characters of the font.
        place: Where on the page, in points.
        inks: Their colours.
        font: Of the labels, known to the page as `/Rows`.
    """
    left, top, width, height = place
    across, down = width / drawing.width, height / drawing.height
    parts = ["q"]
    for ink in INKS:
        rectangles = drawing.inks.get(ink, ())
        if rectangles:
            parts.append(" ".join(f"{part:.3f}" for part in inks[ink]) + " rg")
            parts += [
                f"{left + x * across:.2f} {top + y * down:.2f} {w * across:.2f} {h * down:.2f} re"
                for x, y, w, h in rectangles
            ]
            parts.append("f")
    if drawing.labels:
        size = drawing.label_size * down
        parts.append(f".25 g BT /Rows {size:.2f} Tf")
        for label in drawing.labels:
            back = {"start": 0.0, "middle": 0.5, "end": 1.0}[label.align]
            x = left + label.x * across - font.width(label.text) / 1000 * size * back
            parts.append(f"1 0 0 -1 {x:.2f} {top + label.y * down:.2f} Tm ({escaped(label.text)}) Tj")
        parts.append("ET")
    return "\n".join([*parts, "Q"])


def svg(drawing: Drawing, *, stretched: bool = False) -> Markup:
    """The drawing as an SVG element whose paths have the classes of their inks.

    Args:
        drawing: What is drawn.
        stretched: Whether its sides need not keep their proportions.
    """
    paths = [
        Markup('<path class="{}" d="{}"/>').format(
            ink, "".join(f"M{_short(x)} {_short(y)}h{_short(w)}v{_short(h)}h{_short(-w)}z" for x, y, w, h in found)
        )
        for ink in INKS
        if (found := drawing.inks.get(ink, ()))
    ]
    texts = [
        Markup('<text x="{}" y="{}" font-size="{}" text-anchor="{}">{}</text>').format(
            _short(label.x), _short(label.y), _short(drawing.label_size), label.align, label.text
        )
        for label in drawing.labels
    ]
    role = Markup('role="img" aria-label="{}"').format(drawing.alt) if drawing.alt else Markup('aria-hidden="true"')
    box = f"0 0 {_short(drawing.width)} {_short(drawing.height)}"
    fit = Markup(' preserveAspectRatio="none"') if stretched else ""
    return Markup('<svg viewBox="{}"{} {}>{}</svg>').format(box, fit, role, Markup("").join([*paths, *texts]))


def _short(units: float) -> str:
    return f"{units:.2f}".rstrip("0").rstrip(".")

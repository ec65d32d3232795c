"""The charts of the page, drawn once by Vega-Lite: the page then needs no script for them, and prints them."""

# ruff: noqa: ANN401 - Altair's charts are made by decorators that tell no types

from __future__ import annotations

import re
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import altair as alt
import fontpkg_fira_sans
import vl_convert
from altair.utils.schemapi import debug_mode
from markupsafe import Markup

from invoicing.documents.words import printable
from invoicing.reports.parts import Chart

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl

WIDE, NARROW = 900, 300
FONT = "Fira Sans"
ROW, CELL = 22, 14
# The page's own colours, which follow light and dark.
HOUSE, TINT, SOFT, RULE = "var(--house)", "var(--tint)", "var(--soft)", "var(--rule)"
# Thousands apart by a thin space, which no language of the page reads as a decimal sign.
WHOLE_EURO = "replace(format(datum.value, ',d'), /,/g, '\u202f')"
# A browser may write the labels in a wider font than they were measured in.
PADDING = {"left": 24, "right": 8, "top": 4, "bottom": 4}
COUNTED = re.compile(r"\b(?:clip|gradient_)\d+\b")
LONGEST_LABEL = {WIDE: 240, NARROW: 110}


def bars_by_month(months: pl.DataFrame, words: str) -> Chart:
    """A bar for each month (`label`, `place`, `euro`, `is_this`), the one looked at in full colour."""

    def draw(width: int) -> Any:
        return (
            alt.Chart()
            .mark_bar(cornerRadiusEnd=2)
            .encode(
                x=alt.X(
                    "label:N",
                    sort=alt.EncodingSortField("place"),
                    title=None,
                    axis=alt.Axis(labelAngle=0, labelOverlap=True),
                ),
                y=alt.Y("euro:Q", title=None, axis=alt.Axis(labelExpr=WHOLE_EURO, tickCount=4)),
                color=alt.condition(alt.datum.is_this, alt.value(HOUSE), alt.value(TINT)),
            )
            .properties(width=width, height=170)
        )

    return _chart(draw, months, words)


def bars_by_source(sources: pl.DataFrame, words: str) -> Chart:
    """A bar for each source (`label`, `place`, `euro`), from the left."""

    def draw(width: int) -> Any:
        return (
            alt.Chart()
            .mark_bar(color=HOUSE, cornerRadiusEnd=2, height=12)
            .encode(
                y=alt.Y(
                    "label:N", sort=alt.EncodingSortField("place"), title=None,
                    axis=alt.Axis(labelLimit=LONGEST_LABEL[width], ticks=False, domain=False),
                ),
                x=alt.X("euro:Q", title=None, axis=alt.Axis(labelExpr=WHOLE_EURO, tickCount=4)),
            )
            .properties(width=width - LONGEST_LABEL[width], height=ROW * max(1, sources.height))
        )  # fmt: skip

    return _chart(draw, sources, words)


def shades(cells: pl.DataFrame, words: str, *, square: bool) -> Chart:
    """A grid whose darkest cells have most (`column`, `across`, `row`, `down`, `number`).

    `across` and `down` are the order of columns and rows; `square` cells are as wide as they are high.
    """
    columns, rows = cells["across"].n_unique(), cells["down"].n_unique()

    def draw(width: int) -> Any:
        side = (width - LONGEST_LABEL[NARROW]) if square else (width - LONGEST_LABEL[width])
        return (
            alt.Chart()
            .mark_rect(color=HOUSE)
            .encode(
                x=alt.X(
                    "column:N", sort=alt.EncodingSortField("across"), title=None,
                    axis=alt.Axis(labelAngle=0, labelOverlap=True, ticks=False, domain=False),
                ),
                y=alt.Y(
                    "row:N", sort=alt.EncodingSortField("down"), title=None,
                    axis=alt.Axis(labelLimit=LONGEST_LABEL[width], ticks=False, domain=False),
                ),
                opacity=alt.Opacity("number:Q", scale=alt.Scale(range=[0.06, 1], domainMin=0), legend=None),
            )
            .properties(width=max(side, columns), height=(CELL if square else ROW) * rows)
        )  # fmt: skip

    return _chart(draw, cells, words)


def _rows(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """The rows as the chart takes them; what somebody typed may turn no text around."""
    return [
        {name: printable(cell) if isinstance(cell, str) else cell for name, cell in row.items()}
        for row in frame.iter_rows(named=True)
    ]


def _chart(draw: Callable[[int], Any], frame: pl.DataFrame, words: str) -> Chart:
    _know_fonts()
    rows = _rows(frame)
    # Altair judges what it is given against its schema, every row of it: the rows are right, and many.
    with debug_mode(arg=False):
        charts = [_with_house_style(draw(width)).to_dict(validate=False) for width in (WIDE, NARROW)]
    wide, narrow = (_svg(chart | {"data": {"values": rows}}) for chart in charts)
    return Chart(words, wide, narrow)


def _svg(chart: dict[str, Any]) -> Markup:
    drawn = vl_convert.vegalite_to_svg(chart)
    return Markup(_with_own_ids(drawn))  # noqa: S704 - Vega escapes the texts it draws


def _with_own_ids(drawn: str) -> str:
    """Vega counts the ids of all charts of a process; those of a chart follow from the chart alone."""
    digest = sha256(COUNTED.sub("", drawn).encode()).hexdigest()[:8]
    places: dict[str, int] = {}
    return COUNTED.sub(lambda found: f"c{digest}-{places.setdefault(found[0], len(places))}", drawn)


def _with_house_style(chart: Any) -> Any:
    return chart.configure(
        background="transparent", font=FONT, view=alt.ViewConfig(stroke=None), padding=PADDING
    ).configure_axis(
        labelColor=SOFT, labelFont=FONT, labelFontSize=11, gridColor=RULE, domainColor=RULE, tickColor=RULE
    )  # fmt: skip


@cache
def _know_fonts() -> None:
    """Texts are as wide as in the documents' own font, whatever the machine has."""
    vl_convert.register_font_directory(str(Path(fontpkg_fira_sans.ROOT) / "files"))

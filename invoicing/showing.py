"""What a terminal shows when a command is done: tables and sentences."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from schemas.units import MICRO

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl
    from rich.console import Console

    from schemas.errors import Problem

ROWS_SHOWN = 40
# The unit of a figure; what follows it tells versions apart, as in `net_cents_issued`.
CENTS = re.compile("_cents(?=_|$)")
MICROS = re.compile("_micro(?=_|$)")
PROBLEMS_SHOWN = 200


def visible(text: object) -> str:
    """A text as a terminal may print it: control characters are shown, not obeyed."""
    return "".join(letter if letter.isprintable() else f"\\x{ord(letter):02x}" for letter in str(text))


def shown(name: str, found: object) -> str:
    """One cell: cents and millionths as decimals, nothing for null."""
    if found is None:
        return ""
    if CENTS.search(name) and isinstance(found, int):
        return f"{Decimal(found).scaleb(-2):,.2f}"
    if MICROS.search(name) and isinstance(found, int):
        whole = Decimal(found) / MICRO
        return f"{whole.normalize():f}"
    if isinstance(found, int) and not isinstance(found, bool):
        return f"{found:,}"
    return escape(visible(found))


def heading(name: str) -> str:
    """A column's heading: its name without the unit, cents being shown in EUR."""
    if CENTS.search(name):
        return CENTS.sub("", name).replace("_", " ") + " EUR"
    return MICROS.sub("", name).replace("_", " ")


def show_table(console: Console, title: str, frame: pl.DataFrame, *, all_rows: bool = False) -> None:
    """A frame as a table that people can read; long ones are cut, and say so."""
    rows = frame if all_rows else frame.head(ROWS_SHOWN)
    rest = frame.height - rows.height
    table = Table(title=escape(title), title_justify="left", caption=f"and {rest:,} more" if rest else None)
    for name, dtype in frame.schema.items():
        table.add_column(heading(name), justify="right" if dtype.is_numeric() else "left", overflow="fold")
    for row in rows.iter_rows():
        table.add_row(*(shown(name, cell) for name, cell in zip(frame.columns, row, strict=True)))
    console.print(table)


def show_problems(console: Console, sentence: str, problems: Sequence[Problem]) -> None:
    """An error, and where it stands."""
    console.print(visible(sentence), markup=False, highlight=False, soft_wrap=True)
    for problem in problems[:PROBLEMS_SHOWN]:
        console.print(f"  {visible(problem.sentence())}", markup=False, highlight=False, soft_wrap=True)
    if len(problems) > PROBLEMS_SHOWN:
        console.print(f"  and {len(problems) - PROBLEMS_SHOWN} more; --json lists them all", markup=False)

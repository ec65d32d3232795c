"""What the bench shows: a table on the terminal; a table, a plot and all figures in files."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

    from tests.bench.figures import Figure

HEADINGS = (
    "case",
    "wall s",
    "processor s",
    "peak MiB",
    "disk MiB",
    "ratio",
    "of processor",
    "against",
    "target",
    "note",
)
WIDTH = 200
OURS, THEIRS, TARGET = "#2F5D62", "#9AA5A8", "#B3541E"


def cells(figure: Figure) -> tuple[str, ...]:
    """A figure's cells under `HEADINGS`; what was not measured is empty."""
    return (
        figure.case, _short(figure.wall_s), _short(figure.cpu_s), _whole(figure.peak_mib), _whole(figure.disk_mib),
        _short(figure.ratio), _short(figure.cpu_ratio), figure.against, figure.target, figure.note,
    )  # fmt: skip


def show(figures: Sequence[Figure]) -> None:
    """Print a table for each part of the bench."""
    console = Console()
    console = console if console.is_terminal else Console(width=WIDTH)
    for bench in dict.fromkeys(figure.bench for figure in figures):
        table = Table(*HEADINGS, title=bench, title_justify="left")
        for figure in figures:
            if figure.bench == bench:
                table.add_row(*cells(figure))
        console.print(table)


def write(figures: Sequence[Figure], machine: dict[str, str], folder: Path, name: str) -> list[Path]:
    """Write `name`.json, .md and, where there are ratios to draw, .png; gives their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{name}.{suffix}" for suffix in ("json", "md", "png")]
    rows = [asdict(figure) for figure in figures]
    paths[0].write_text(json.dumps({"machine": machine, "figures": rows}, ensure_ascii=False, indent=1) + "\n")
    paths[1].write_text(as_markdown(figures, machine))
    drawn = [figure for figure in figures if _drawn_ratio(figure) is not None and figure.against]
    if not drawn:
        return paths[:2]
    draw(drawn, machine, paths[2])
    return paths


def as_markdown(figures: Sequence[Figure], machine: dict[str, str]) -> str:
    """The tables with the machine above them."""
    lines = [f"- {what}: {words}" for what, words in machine.items()]
    for bench in dict.fromkeys(figure.bench for figure in figures):
        lines += ["", f"## {bench}", "", _line(HEADINGS), _line(["---"] * len(HEADINGS))]
        lines += [_line(cells(figure)) for figure in figures if figure.bench == bench]
    return "\n".join(lines) + "\n"


def _drawn_ratio(figure: Figure) -> float | None:
    """The ratio of walls, or where that says nothing the one of processor."""
    return figure.cpu_ratio if figure.ratio is None else figure.ratio


def draw(figures: Sequence[Figure], machine: dict[str, str], path: Path) -> None:
    """Draw each ratio of these figures as a bar on a logarithmic scale, a panel for each thing it is a ratio to."""
    import matplotlib as mpl  # noqa: PLC0415 - slow, and only the whole bench needs it

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    panels = {
        against: [figure for figure in figures if figure.against == against]
        for against in dict.fromkeys(figure.against for figure in figures)
    }
    heights = [len(panel) + 1 for panel in panels.values()]
    picture, axes = plt.subplots(
        len(panels),
        1,
        figsize=(11, 0.32 * sum(heights) + 1),
        height_ratios=heights,
        layout="constrained",
        squeeze=False,
    )
    for axis, (against, panel) in zip(axes[:, 0], panels.items(), strict=True):
        _bars(axis, panel, against)
    picture.suptitle(f"{machine['processor']}, {machine['memory']}, {machine['date']}", fontsize=9)
    picture.savefig(path, dpi=110)
    plt.close(picture)


def _bars(axis: Axes, panel: Sequence[Figure], against: str) -> None:
    """A panel: the first on top, each bar with its figure."""
    ratios = [_drawn_ratio(figure) or 0 for figure in panel]
    colours = [THEIRS if against == "times centime" else OURS for _ in panel]
    bars = axis.barh([figure.case for figure in panel], ratios, color=colours)
    axis.bar_label(bars, [_short(ratio) for ratio in ratios], padding=3, fontsize=8)
    axis.set_xscale("log")
    axis.xaxis.set_minor_formatter("")
    # From the power of ten below, so that the shortest bar can be seen, to where its figure has room.
    axis.set_xlim(10 ** math.floor(math.log10(min(1, *ratios)) - 0.1), 3 * max(1, *ratios))
    axis.axvline(1, color=TARGET, linewidth=0.8)
    axis.invert_yaxis()
    axis.set_title(against, loc="left", fontsize=10)
    axis.tick_params(labelsize=8)


def _line(words: Sequence[str]) -> str:
    return f"| {' | '.join(words)} |"


def _short(number: float | None) -> str:
    """Three figures are enough."""
    if number is None:
        return ""
    return f"{number:.0f}" if number >= 100 else f"{number:.3g}"


def _whole(number: float | None) -> str:
    return "" if number is None else f"{number:.0f}"

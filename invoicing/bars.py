"""Bars on a terminal: a module of its own, because what draws them takes a fortieth of a short command to load."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

if TYPE_CHECKING:
    from rich.console import Console

# Drawing the bars takes a few milliseconds: more often than this they would cost the step more than 1 %.
REFRESHES_PER_S = 2


class _Speed(ProgressColumn):
    """How many a second."""

    def render(self, task: Task) -> Text:
        """`1,234/s`, or nothing while it is not known."""
        speed = task.finished_speed or task.speed
        return Text(f"{speed:,.0f}/s" if speed else "", style="cyan")


def bars_on(console: Console) -> Progress:
    """A bar for each step: how far, how fast, how long still."""
    return Progress(
        TextColumn("{task.description:<18}"), BarColumn(), MofNCompleteColumn(), _Speed(), TimeRemainingColumn(),
        console=console, refresh_per_second=REFRESHES_PER_S,
    )  # fmt: skip

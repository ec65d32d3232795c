"""Progress: what a step tells while it works; the command line decides how it looks."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Told by the steps of a command."""

    def start(self, step: str, total: int) -> None:
        """A step begins that has `total` things to do, such as `reading files`."""

    def advance(self, count: int = 1) -> None:
        """So many more of them are done."""


class Silent:
    """Says nothing."""

    def start(self, step: str, total: int) -> None:
        """Nothing."""

    def advance(self, count: int = 1) -> None:
        """Nothing."""

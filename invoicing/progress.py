"""Progress: what a step tells while it works; the command line decides how it looks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable


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


class Timed:
    """Tells another, and measures how long each step takes."""

    def __init__(self, told: Progress, clock: Callable[[], float]) -> None:
        """Measure by a clock that gives seconds, until `seconds` is asked for."""
        self._told, self._clock = told, clock
        self._seconds: dict[str, float] = {}
        self._step, self._began = "", clock()

    def start(self, step: str, total: int) -> None:
        """A step begins, and the one before has ended."""
        self._end()
        self._step = step
        self._told.start(step, total)

    def advance(self, count: int = 1) -> None:
        """So many more of them are done."""
        self._told.advance(count)

    def seconds(self) -> dict[str, float]:
        """How long each step has taken so far, in the order in which they began."""
        self._end()
        return dict(self._seconds)

    def _end(self) -> None:
        now = self._clock()
        if self._step:
            self._seconds[self._step] = self._seconds.get(self._step, 0.0) + now - self._began
        self._began = now

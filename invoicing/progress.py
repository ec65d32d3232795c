"""Progress: what a step tells while it works, and how that looks on a terminal and in a log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    import rich.progress
    from rich.console import Console


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


class Bars:
    """A bar per step on a terminal."""

    def __init__(self, console: Console) -> None:
        """Show the bars on this console; `close` leaves them standing."""
        self._console = console
        self._bars: rich.progress.Progress | None = None
        self._task: rich.progress.TaskID | None = None

    def start(self, step: str, total: int) -> None:
        """A new bar."""
        if self._bars is None:
            from invoicing.bars import bars_on  # noqa: PLC0415 - many commands have no step

            self._bars = bars_on(self._console)
        self._bars.start()
        self._task = self._bars.add_task(step, total=total)

    def advance(self, count: int = 1) -> None:
        """Move the last bar on."""
        if self._bars is not None and self._task is not None:
            self._bars.advance(self._task, count)

    def close(self) -> None:
        """No more bars."""
        if self._bars is not None:
            self._bars.stop()


class Plain:
    """A line per step, for cron and its mails."""

    def __init__(self, console: Console) -> None:
        """Write the lines on this console."""
        self._console = console

    def start(self, step: str, total: int) -> None:
        """A new line."""
        self._console.print(f"{step}: {total}", markup=False, highlight=False)

    def advance(self, count: int = 1) -> None:
        """Nothing: a log wants no bar."""

    def close(self) -> None:
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

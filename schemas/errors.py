"""How input is refused: by values that say what, where, what was expected, and what to do."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong with the input, where it stands and what would be right.

    Attributes:
        table: The table or kind of input, such as `users`.
        file: The file's path, as a person can open it.
        line: The physical line (text) or row number (Parquet), from 1; 0 where it is the whole file.
        column: The column, or empty where it is the whole row or file.
        value: The value that was found, as text.
        expected: What was expected, and what to do where that is not obvious.
    """

    table: str
    file: str
    line: int
    column: str
    value: str
    expected: str

    def sentence(self) -> str:
        """One line of plain text that names the place, the value and what was expected."""
        where = f"{self.file}:{self.line}" if self.line else self.file
        what = " ".join(part for part in (self.column, repr(self.value) if self.value else "") if part)
        return ": ".join(part for part in (where, what, self.expected) if part)


class CentimeError(Exception):
    """Something a person must act on; `exit_status` is what the command leaves with."""

    exit_status = 2


class InputRefused(CentimeError):  # noqa: N818 - it reads as the sentence it is
    """Bad usage or bad input: nothing was changed. Carries every problem found, not only the first."""

    def __init__(self, message: str, problems: tuple[Problem, ...] = ()) -> None:
        """Keep the sentence and the problems, in the order of file and line."""
        super().__init__(message)
        self.problems = tuple(sorted(problems))


class StoreUnavailable(CentimeError):  # noqa: N818
    """The store is in use by another process, damaged, or cannot be written (exit 3)."""

    exit_status = 3

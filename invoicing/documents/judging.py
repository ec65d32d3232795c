"""Judging: one process validates the electronic invoices that the workers make, while they make the next ones.

The compiled rules take some 200 MB, more than all else that a worker has; so there is one process that has them,
begun when the first electronic invoice comes. It has the limits of a worker, and one that takes more is held.
"""

from __future__ import annotations

import os
import signal
from collections import deque
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING

from invoicing.documents.processes import OUT_OF_MEMORY, begin_process, reason_of_end

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import ForkServerProcess

    from invoicing.documents.validation import Violation
    from invoicing.documents.workers import Made
    from schemas.settings import DocumentSettings

NAMED_AT_MOST = 10


class Judge:
    """The process that validates, if any, and the documents that wait for it."""

    def __init__(self, limits: DocumentSettings, *, validates: bool, most_waiting: int) -> None:
        """Without `validates` every document passes unseen; `most_waiting` is when no new ones are begun."""
        self._limits = limits
        self._most_waiting = most_waiting
        self._validates = validates
        self._waiting: deque[Made] = deque()
        self._process: ForkServerProcess | None = None
        self.connection: Connection | None = None

    @property
    def awaited(self) -> list[Connection]:
        """The connection on which a verdict will come, if one is to come."""
        return [self.connection] if self._waiting and self.connection is not None else []

    @property
    def keeps_up(self) -> bool:
        """Whether it makes sense to begin more documents."""
        return len(self._waiting) < self._most_waiting

    def offer(self, made: Made) -> list[Made]:
        """Judge a document, or give it back at once where there is nothing to judge."""
        if not self._validates or made.files is None or "xml" not in made.files.contents:
            return [made]
        self._waiting.append(made)
        if len(self._waiting) == 1:
            self._send()
        return []

    def take(self) -> Made:
        """The document that was being judged, with the verdict; the next one follows it."""
        assert self.connection is not None  # noqa: S101 - only an awaited verdict is taken
        made = self._waiting.popleft()
        try:
            verdict = self.connection.recv()
        except (EOFError, ConnectionResetError):
            assert self._process is not None  # noqa: S101 - its connection was there
            self._process.join()
            exit_code, self.connection = self._process.exitcode or 0, None
            judged = replace(made, files=None, held=reason_of_end(exit_code, self._limits))
        else:
            if isinstance(verdict, Exception):
                raise verdict
            judged = with_verdict(made, verdict)
        if self._waiting:
            self._send()
        return judged

    def end(self) -> None:
        """End the process, whatever it is at."""
        if self.connection is not None and self._process is not None:
            self.connection.close()
            self._process.terminate()
            self._process.join()

    def _send(self) -> None:
        if self.connection is None:
            self._process, self.connection = begin_process(judge, self._limits)
        files = self._waiting[0].files
        assert files is not None  # noqa: S101 - nothing else is kept waiting
        self.connection.send_bytes(files.contents["xml"])


def with_verdict(made: Made, violations: list[Violation]) -> Made:
    """The document with what the rules say of it: broken by what is fatal, told of what is a warning."""
    assert made.files is not None  # noqa: S101 - it was judged
    broken = _sentences([violation for violation in violations if violation.fatal])
    told = _sentences([violation for violation in violations if not violation.fatal])
    return replace(made, files=replace(made.files, told=(*made.files.told, *told), broken=broken))


def _sentences(violations: list[Violation]) -> tuple[str, ...]:
    """One for each rule, with the first place where it is broken; no more than a person reads."""
    by_rule = groupby(sorted(violations), key=lambda violation: (violation.layer, violation.rule))
    first = [next(found) for _, found in by_rule]
    shown = [f"{each.rule} ({each.layer}): {each.text} at {each.location}" for each in first[:NAMED_AT_MOST]]
    more = len(first) - NAMED_AT_MOST
    return (*shown, f"and {more} more rules; `centime validate` shows all") if more > 0 else tuple(shown)


def judge(connection: Connection, limits: DocumentSettings) -> None:
    """Take electronic invoices from a pipe and give back the violations of each, until it is closed."""
    from invoicing.documents.limits import limited  # noqa: PLC0415 - nothing of it is for the other end
    from invoicing.documents.validation import parse, validator  # noqa: PLC0415

    # Ctrl-C is for the process at the other end, which then closes the pipe.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Saxon writes pages about its memory where there is not enough; the limit is told in words.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    try:
        try:
            rules = validator(limits.rules_dir)
        except Exception as error:  # noqa: BLE001 - it is raised again at the other end
            connection.recv_bytes()
            connection.send(error)
            return
        while True:
            content = connection.recv_bytes()
            try:
                with limited(limits):
                    violations = rules.violations(parse(content))
            except (MemoryError, ValueError):
                # What was written here can be read: where it was not, that was for want of memory.
                os._exit(OUT_OF_MEMORY)
            connection.send(violations)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return

"""Workers: processes that make documents side by side, each forked from one that is ready for the first.

A worker has one document at a time, here one more is waiting, and after some hundreds another worker takes its
place: memory does not grow with the number of documents. What they made is judged by one process more, where it is an
electronic invoice.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from multiprocessing.connection import wait
from typing import TYPE_CHECKING

from invoicing.documents.judging import Judge
from invoicing.documents.processes import begin_process, reason_of_end
from invoicing.documents.rule_sets import missing_packages

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from multiprocessing.connection import Connection
    from multiprocessing.context import ForkServerProcess

    from invoicing.documents.files import Files
    from invoicing.documents.model import InvoiceDocument
    from schemas.settings import DocumentSettings

# The libraries below WeasyPrint keep 40 KB of each document.
DOCUMENTS_EACH = 200


@dataclass(frozen=True, slots=True)
class Made:
    """What became of a document.

    Attributes:
        document: The document.
        files: Its files; None where making them took more than its limits.
        held: Which limit that was, in words.
    """

    document: InvoiceDocument
    files: Files | None
    held: str = ""


def made_by_workers(
    documents: Iterable[InvoiceDocument], limits: DocumentSettings, *, workers: int | None = None
) -> Iterator[Made]:
    """Make each document within its limits; they come as they get ready, in no order.

    Args:
        documents: Taken one by one, as workers become free.
        limits: What each document may take.
        workers: How many there are at most; one for each core, if left out.

    Raises:
        InputRefused, ValueError: what making or judging a document raised.
    """
    most = workers or os.cpu_count() or 1
    crew: list[_Worker] = []
    judge = Judge(limits, validates=limits.validate and not missing_packages(), most_waiting=most)
    ready: list[Made] = []
    coming = iter(documents)
    following = next(coming, None)
    try:
        while True:
            while following is not None and judge.keeps_up and (free := _free(crew, most, limits)):
                free.give(following)
                following = next(coming, None)
            # Only now, while the workers are at it, is there time for what was made.
            yield from ready
            busy = {worker.connection: worker for worker in crew if worker.document is not None}
            if not busy and not judge.awaited:
                return
            answered = wait([*busy, *judge.awaited])
            ready = [judge.take()] if judge.connection in answered else []
            for worker in (busy[connection] for connection in answered if connection in busy):
                ready += judge.offer(worker.take(limits))
            crew = [worker for worker in crew if not worker.ended]
    finally:
        for worker in crew:
            worker.end()
        judge.end()


@dataclass(slots=True)
class _Worker:
    """One process, the pipe to it, the document it has, how many it had before, and whether it has ended."""

    process: ForkServerProcess
    connection: Connection
    document: InvoiceDocument | None = None
    made: int = 0
    ended: bool = False

    def give(self, document: InvoiceDocument) -> None:
        """Let it make a document."""
        self.document = document
        self.connection.send(document)

    def take(self, limits: DocumentSettings) -> Made:
        """What it made, or why it is no more."""
        document, self.document = self.document, None
        assert document is not None  # noqa: S101 - only the busy are asked
        try:
            made = self.connection.recv()
        except (EOFError, ConnectionResetError):
            self.ended = True
            self.connection.close()
            self.process.join()
            return Made(document, None, reason_of_end(self.process.exitcode or 0, limits))
        if isinstance(made, Exception):
            raise made
        self.made += 1
        if self.made == DOCUMENTS_EACH:
            self.end()
        return Made(document, made)

    def end(self) -> None:
        """End it, whatever it is at."""
        self.ended = True
        self.connection.close()
        self.process.terminate()
        self.process.join()


def _free(crew: list[_Worker], most: int, limits: DocumentSettings) -> _Worker | None:
    """A worker without a document, a new one as long as there may be more."""
    idle = next((worker for worker in crew if worker.document is None), None)
    if idle is None and len(crew) < most:
        idle = _Worker(*begin_process(_work, limits))
        crew.append(idle)
    return idle


def _work(connection: Connection, limits: DocumentSettings) -> None:
    """What a worker does; imported there only, with all that draws documents."""
    from invoicing.documents.worker import work  # noqa: PLC0415

    work(connection, limits)

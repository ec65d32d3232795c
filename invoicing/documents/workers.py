"""Workers: processes that make documents side by side, each forked from one that has everything imported.

Fork would copy the threads of Polars in whatever state they are, and GLib is not made for threads at all. So
the workers are forked from a process of their own, which imports and does nothing else. A worker has one
document at a time, and here one more is waiting: memory does not grow with the number of documents.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import wait
from types import ModuleType
from typing import TYPE_CHECKING

from schemas.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from multiprocessing.connection import Connection
    from multiprocessing.context import ForkServerProcess

    from invoicing.documents.making import Files
    from invoicing.documents.model import InvoiceDocument
    from schemas.settings import DocumentSettings

PRELOADED = ["invoicing.documents.one_thread", "invoicing.documents.worker"]
OUT_OF_MEMORY = 71  # as sysexits.h has it: the system could not do it
# How a process ends that finds no memory: in Python, in Rust and C, and by the system's own choice.
WITHOUT_MEMORY = (OUT_OF_MEMORY, -signal.SIGABRT, -signal.SIGSEGV, -signal.SIGKILL)


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
        InputRefused, ValueError: what making a document raised.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    most = workers or os.cpu_count() or 1
    crew: list[_Worker] = []
    ready: list[Made] = []
    coming = iter(documents)
    following = next(coming, None)
    try:
        while True:
            while following is not None and (free := _free(crew, most, limits)):
                free.give(following)
                following = next(coming, None)
            # Only now, while the workers are at it, is there time for what was made.
            yield from ready
            busy = {worker.connection: worker for worker in crew if worker.document is not None}
            if not busy:
                return
            ready = [busy[connection].take(limits) for connection in wait(list(busy))]  # type: ignore[index]
            crew = [worker for worker in crew if not worker.ended]
    finally:
        for worker in crew:
            worker.end()


@dataclass(slots=True)
class _Worker:
    """One process, the pipe to it, the document it has, and whether it was found to have ended over one."""

    process: ForkServerProcess
    connection: Connection
    document: InvoiceDocument | None = None
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
            return Made(document, None, _reason(self.process.exitcode or 0, limits))
        if isinstance(made, Exception):
            raise made
        return Made(document, made)

    def end(self) -> None:
        """End it, whatever it is at."""
        self.connection.close()
        self.process.terminate()
        self.process.join()


def _free(crew: list[_Worker], most: int, limits: DocumentSettings) -> _Worker | None:
    """A worker without a document, a new one as long as there may be more."""
    idle = next((worker for worker in crew if worker.document is None), None)
    if idle is None and len(crew) < most:
        idle = _begun(limits)
        crew.append(idle)
    return idle


def _begun(limits: DocumentSettings) -> _Worker:
    context = multiprocessing.get_context("forkserver")
    here, there = context.Pipe()
    process = context.Process(target=_work, args=(there, limits), daemon=True)
    with _without_main():
        process.start()
    there.close()
    return _Worker(process, here)


def _work(connection: Connection, limits: DocumentSettings) -> None:
    """What a worker does; imported there only, with all that draws documents."""
    from invoicing.documents.worker import work  # noqa: PLC0415

    work(connection, limits)


@contextmanager
def _without_main() -> Iterator[None]:
    """Start a process that does not import this one's main module: it needs nothing of it."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def _reason(exit_code: int, limits: DocumentSettings) -> str:
    """Which limit ended a worker, by the way it ended.

    Raises:
        StoreUnavailable: if it was none of them.
    """
    if exit_code == -signal.SIGPROF:
        return f"more than {limits.cpu_limit_s} s of processor (cpu_limit_s)"
    if exit_code == -signal.SIGALRM:
        return f"more than {limits.wall_limit_s} s (wall_limit_s)"
    if exit_code in WITHOUT_MEMORY:
        return f"more memory than there is, or than {limits.memory_limit_mb} MB (memory_limit_mb)"
    raise StoreUnavailable(f"a process that writes documents ended with {exit_code}; please report this")

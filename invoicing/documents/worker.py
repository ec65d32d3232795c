"""A worker: makes one document after the other, each within its limits, and ends where one takes more.

The limits are the kernel's, so that they hold within a library too: timers whose signals end the process, and a
bound on its memory. Whoever waits at the other end of the pipe learns from the way it ended what it was.
"""

from __future__ import annotations

import gc
import os
import resource
import signal
from pathlib import Path
from typing import TYPE_CHECKING

from invoicing.documents.making import Files, make_files
from invoicing.documents.pdf import get_ready
from invoicing.documents.workers import OUT_OF_MEMORY

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from invoicing.documents.model import InvoiceDocument
    from schemas.settings import DocumentSettings

BYTES_PER_MB = 1_000_000
MEMORY_IN_USE = Path("/proc/self/statm")

# Everything imported until here, before a worker is forked, stays as it is.
gc.freeze()


def work(connection: Connection, limits: DocumentSettings) -> None:
    """Take documents from a pipe and give back the files of each, or the error it ended with, until it is closed."""
    # Ctrl-C is for the process at the other end, which then closes the pipe.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    get_ready()
    # What is left of a document is looked for once, after it: in between that costs a tenth, and finds nothing.
    gc.disable()
    try:
        while True:
            document = connection.recv()
            _limit(limits)
            made = _made(document, limits)
            _unlimit()
            connection.send(made)
            del document, made
            gc.collect()
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return


def _made(document: InvoiceDocument, settings: DocumentSettings) -> Files | Exception:
    try:
        return make_files(document, settings)
    except MemoryError:
        # Nothing that needs memory can be relied on now, not even to say so.
        os._exit(OUT_OF_MEMORY)
    except Exception as error:  # noqa: BLE001 - it is raised again where the document came from
        return error


def _limit(limits: DocumentSettings) -> None:
    """From now on: so much processor, time and memory, or the end of this process."""
    if MEMORY_IN_USE.exists():
        in_use = int(MEMORY_IN_USE.read_text().split()[5]) * resource.getpagesize()
        allowed = in_use + limits.memory_limit_mb * BYTES_PER_MB
        resource.setrlimit(resource.RLIMIT_DATA, (allowed, resource.getrlimit(resource.RLIMIT_DATA)[1]))
    signal.setitimer(signal.ITIMER_PROF, limits.cpu_limit_s)
    signal.setitimer(signal.ITIMER_REAL, limits.wall_limit_s)


def _unlimit() -> None:
    signal.setitimer(signal.ITIMER_PROF, 0)
    signal.setitimer(signal.ITIMER_REAL, 0)
    most = resource.getrlimit(resource.RLIMIT_DATA)[1]
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))

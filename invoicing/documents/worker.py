"""A worker: makes one document after the other, each within its limits, and ends where one takes more."""

from __future__ import annotations

import gc
import os
import signal
from typing import TYPE_CHECKING

from invoicing.documents.electronic_address import preload_checks
from invoicing.documents.limits import limited
from invoicing.documents.making import make_files
from invoicing.documents.pdf import get_ready
from invoicing.documents.processes import OUT_OF_MEMORY

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from invoicing.documents.files import Files
    from invoicing.documents.model import InvoiceDocument
    from schemas.settings import DocumentSettings

# What is done once, before the first document, is done before a worker is forked: for all of them, in memory that they
# share, and it is no part of a document's limits.
preload_checks()
get_ready()

# Everything that is there now stays as it is.
gc.freeze()


def work(connection: Connection, limits: DocumentSettings) -> None:
    """Take documents from a pipe and give back the files of each, or the error it ended with, until it is closed."""
    # Ctrl-C is for the process at the other end, which then closes the pipe.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What is left of a document is looked for once, after it: in between that costs a tenth, and finds nothing.
    gc.disable()
    try:
        while True:
            document = connection.recv()
            with limited(limits):
                made = _made(document, limits)
            connection.send(made)
            del document, made
            gc.collect()
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return


def _made(document: InvoiceDocument, settings: DocumentSettings) -> Files | Exception:
    try:
        return make_files(document, settings)
    except (MemoryError, SystemError):  # the latter from what is written in C and had no memory to say so
        # Nothing that needs memory can be relied on now, not even to say so.
        os._exit(OUT_OF_MEMORY)
    except Exception as error:  # noqa: BLE001 - it is raised again where the document came from
        return error

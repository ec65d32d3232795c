"""Processes of their own for what is made of documents: how they start, and which limit ended one.

Fork would copy the threads of Polars in whatever state they are, and GLib is not made for threads at all. So
they are forked from a process of their own, which imports, gets ready for documents and does nothing else.
"""

from __future__ import annotations

import multiprocessing
import signal
import sys
from contextlib import contextmanager
from multiprocessing import resource_tracker
from types import ModuleType
from typing import TYPE_CHECKING

from schemas.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection
    from multiprocessing.context import ForkServerProcess

    from schemas.settings import DocumentSettings

PRELOADED = ["invoicing.documents.one_thread", "invoicing.documents.worker"]
OUT_OF_MEMORY = 71  # as sysexits.h has it: the system could not do it
OUT_OF_MEMORY_IN_SAXON = 99
# How a process ends that finds no memory: in Python, in Saxon, in Rust and C, in GLib, and by the system's own choice.
WITHOUT_MEMORY = (
    OUT_OF_MEMORY, OUT_OF_MEMORY_IN_SAXON, -signal.SIGABRT, -signal.SIGSEGV, -signal.SIGTRAP, -signal.SIGKILL,
)  # fmt: skip


def begin_process(
    work: Callable[[Connection, DocumentSettings], None], limits: DocumentSettings
) -> tuple[ForkServerProcess, Connection]:
    """Start a process that works at the other end of a pipe."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    here, there = context.Pipe()
    process = context.Process(target=work, args=(there, limits), daemon=True)
    with _without_main(), _without_interrupt():
        process.start()
    there.close()
    return process, here


@contextmanager
def _without_main() -> Iterator[None]:
    """Start a process that does not import this one's main module: it needs nothing of it."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


@contextmanager
def _without_interrupt() -> Iterator[None]:
    """Start processes that Ctrl-C does not reach, also while they import; here it is heeded right after."""
    resource_tracker.ensure_running()  # which lets Ctrl-C through again when it starts
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def reason_of_end(exit_code: int, limits: DocumentSettings) -> str:
    """Which limit ended a process, by the way it ended.

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

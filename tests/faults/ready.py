"""The program made ready once and forked for each command, so that strace can fault one of its calls to the system.

strace counts each thread's calls of each name and faults the `FAULTED_CALL`th. A command that is to be faulted at an
earlier one makes the calls that are missing first, in the thread concerned, on a file that is not there.
"""

from __future__ import annotations

import ctypes
import importlib
import itertools
import json
import os
import pkgutil
import signal
import socket
import sys
import threading
from contextlib import suppress
from multiprocessing import forkserver
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

FAULTED_CALL = 200
MARK = "/no-such-folder/thread-"
PR_SET_PTRACER, PR_SET_PTRACER_ANY = 0x59616D61, ctypes.c_ulong(-1)
NO_FILE = 1_000_000  # more than a process may open
IN_VAIN: dict[str, Callable[[], object]] = {
    "write": lambda: os.write(NO_FILE, b""),
    "pwrite64": lambda: os.pwrite(NO_FILE, b"", 0),
    "fsync": lambda: os.fsync(NO_FILE),
    "fdatasync": lambda: os.fdatasync(NO_FILE),
    "ftruncate": lambda: os.ftruncate(NO_FILE, 0),
    "mkdir": lambda: os.mkdir("/no-such-folder/folder"),  # noqa: PTH102 - one call and no more
    "rename": lambda: os.rename("/no-such-folder/one", "/no-such-folder/other"),  # noqa: PTH104 - the same
    "unlink": lambda: os.unlink("/no-such-folder/file"),  # noqa: PTH108 - the same
}


def import_everything() -> None:
    """What the commands work with; none of it starts a thread that a fork would lose."""
    import invoicing  # noqa: PLC0415 - this process imports for those that it forks
    import rating  # noqa: PLC0415
    import schemas  # noqa: PLC0415

    for package in (schemas, rating, invoicing):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)


def prepare_workers() -> None:
    """Start the process that documents are made in, once for all commands; it is not theirs to wait for."""
    from invoicing.documents.processes import PRELOADED  # noqa: PLC0415

    forkserver.set_forkserver_preload(PRELOADED)
    forkserver.ensure_running()
    forkserver._forkserver.ensure_running = lambda: None  # type: ignore[method-assign]  # noqa: SLF001


def call_in_vain(name: str, times: int) -> None:
    """Make calls that count and do nothing."""
    for _ in range(times):
        with suppress(OSError):
            IN_VAIN[name]()


def count_threads(wanted: int, name: str, times: int) -> None:
    """Number the threads of this process in the order of their start, for strace's log; the main one is 0."""
    numbers, run = itertools.count(), threading.Thread.run

    def begin() -> None:
        number = next(numbers)
        with suppress(OSError):
            os.unlink(f"{MARK}{number}")  # noqa: PTH108 - one call and no more
        if number == wanted:
            call_in_vain(name, times)

    def run_counted(thread: threading.Thread) -> None:
        begin()
        run(thread)

    threading.Thread.run = run_counted  # type: ignore[method-assign]
    begin()


def command(order: dict[str, object]) -> None:
    """One command in a process of its own; never comes back."""
    from cli import main  # noqa: PLC0415

    folder, arguments = str(order["folder"]), order["arguments"]
    assert isinstance(arguments, list)
    for stream, path in ((1, order["stdout"]), (2, order["stderr"])):
        os.dup2(os.open(str(path), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), stream)
    os.chdir(folder)
    sys.argv = ["centime", *arguments]
    # What no handler awaits ends the process on the spot, as `kill -9` does.
    signal.setitimer(signal.ITIMER_REAL, float(str(order["killed_after_s"])))
    count_threads(int(str(order["thread"])), str(order["name"]), int(str(order["times"])))
    main()


def serve(connection: socket.socket) -> None:
    """Fork for each order, and answer with the pid, and then with the exit status of each that has ended."""
    orders = connection.makefile("r")
    for line in orders:
        order = json.loads(line)
        children = []
        for _ in range(order["starts"]):
            child = os.fork()
            if child == 0:
                order |= {name: f"{order[name]}.{os.getpid()}" for name in ("stdout", "stderr")}
                command(order)
            children.append(child)
        ended = {str(child): os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children}
        connection.sendall(json.dumps(ended).encode() + b"\n")


def main() -> None:
    """Serve on the socket that was given."""
    connection = socket.socket(fileno=int(sys.argv[1]))
    import_everything()
    prepare_workers()
    # Where a process may only be traced by those that started it, this one may be by strace too.
    ctypes.CDLL(None).prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY)
    connection.sendall(b"ready\n")
    serve(connection)


if __name__ == "__main__":
    main()

"""The program made ready once and forked for each command, so that strace can fault one of its calls to the system.

strace counts each thread's calls of each name and faults the `FAULTED_CALL`th. A command that is to be faulted at an
earlier one makes the calls that are missing first, in the thread concerned, on a file that is not there.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import io
import itertools
import json
import os
import pkgutil
import signal
import socket
import sys
import threading
import time
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from multiprocessing import forkserver
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import polars as pl

    from invoicing.ledger import Ledger

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
    from cli import status_of  # noqa: PLC0415

    # Polars imports these when it first needs them, which takes as long as a small command does.
    for name in ("numpy.ma", "polars._utils.parquet", "pyarrow.compute", "pyarrow.parquet"):
        importlib.import_module(name)
    # What the command line and its messages import, they import now.
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        status_of(["run", "--help"])
        status_of(["verify", "--store", "/no-such-folder"])
    # A collection would write on each page that the processes to come share with this one.
    gc.collect()
    gc.freeze()


def prepare_workers() -> None:
    """Start the process that documents are made in, once for all commands; it is not theirs to wait for."""
    from invoicing.documents.processes import PRELOADED  # noqa: PLC0415

    forkserver.set_forkserver_preload(PRELOADED)
    forkserver.ensure_running()
    forkserver._forkserver.ensure_running = lambda: None  # type: ignore[method-assign]  # noqa: SLF001


def share_workers(of_tests: dict[str, object]) -> None:
    """Let documents be made where those of the tests are."""
    vars(forkserver._forkserver).update(of_tests, ensure_running=lambda: None)  # noqa: SLF001


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


def die_at_event(nth: int, when: str) -> None:
    """End this process right before or after the commit of the transaction that its nth event ends, like `kill -9`."""
    from invoicing.ledger import Ledger  # noqa: PLC0415

    append, transaction = Ledger.append, Ledger.transaction
    told: list[str] = []

    def append_and_count(ledger: Ledger, table: str, frame: pl.DataFrame) -> None:
        append(ledger, table, frame)
        told.extend([table] if table == "events" else [])

    def die(now: str) -> None:
        if len(told) == nth and now == when:
            os.kill(os.getpid(), signal.SIGKILL)

    @contextmanager
    def transaction_and_die(ledger: Ledger) -> Iterator[None]:
        with transaction(ledger):
            yield
            die("before")
        die("after")

    Ledger.append = append_and_count  # type: ignore[method-assign]
    Ledger.transaction = transaction_and_die  # type: ignore[method-assign]


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
    if order["dies"] is not None:
        die_at_event(*order["dies"])  # type: ignore[misc]
    count_threads(int(str(order["thread"])), str(order["name"]), int(str(order["times"])))
    try:
        main()
    except SystemExit as leaving:
        sys.stdout.flush()
        sys.stderr.flush()
        # The command is over; taking an interpreter of this size apart costs as much as the command did.
        os._exit(int(leaving.code or 0))


def serve(connection: socket.socket) -> None:
    """Fork for each order, and answer with pid, exit status and seconds of each as they ended."""
    orders = connection.makefile("r")
    for line in orders:
        order = json.loads(line)
        children: dict[int, float] = {}
        for _ in range(order["starts"]):
            child = os.fork()
            if child == 0:
                order |= {name: f"{order[name]}.{os.getpid()}" for name in ("stdout", "stderr")}
                command(order)
            children[child] = time.monotonic()
        ended: list[tuple[int, int, float, float]] = []
        while len(ended) < len(children):
            child, status, used = os.wait4(-1, 0)
            if child in children:
                took_s, cpu_s = time.monotonic() - children[child], used.ru_utime + used.ru_stime
                ended.append((child, os.waitstatus_to_exitcode(status), took_s, cpu_s))
        connection.sendall(json.dumps(ended).encode() + b"\n")


def serve_faults(connection: socket.socket) -> None:
    """Answer the orders of `tests/faults/injected.py`."""
    # Where a process may only be traced by those that started it, this one may be by strace too.
    ctypes.CDLL(None).prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY)
    connection.sendall(f"{os.getpid()}\n".encode())
    serve(connection)


def serve_kills(connection: socket.socket) -> None:
    """Answer the orders of `tests/faults/world_killed.py`."""
    from tests.faults.world_killed import serve  # noqa: PLC0415 - it is for the tests too

    serve(connection)


def main() -> None:
    """Fork one that serves for each socket that comes, until no more will; each has what was imported once for all."""
    control = socket.socket(fileno=int(sys.argv[1]))
    # With one processor DuckDB has no thread of its own: each of its calls is one that can be faulted.
    processors = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {processors[os.getpid() % len(processors)]})
    import_everything()
    share_workers(json.loads(sys.argv[2]))
    while True:
        what, descriptors, _, _ = socket.recv_fds(control, 100, 1)
        if not descriptors:
            break
        if os.fork() == 0:
            control.close()
            {"faults": serve_faults, "kills": serve_kills}[what.decode()](socket.socket(fileno=descriptors[0]))
            os._exit(0)
        os.close(descriptors[0])
    with suppress(ChildProcessError):
        while True:
            os.wait()


if __name__ == "__main__":
    main()

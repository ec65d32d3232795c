"""Commands with one call to the system faulted by strace: killed at it, or answered by an error."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import forkserver
from pathlib import Path
from typing import TYPE_CHECKING

from invoicing.documents.processes import PRELOADED
from tests.faults.ready import FAULTED_CALL, MARK
from tests.golden.sample_run import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterator

WRITES = ("write", "pwrite64", "fsync", "fdatasync", "ftruncate", "mkdir", "rename")
CALLS = (*WRITES, "unlink")
KILL = "signal=KILL"
CALL = re.compile(r"(?P<thread>\d+) +(?P<name>\w+)\((?P<arguments>.*)")


@dataclass(frozen=True, slots=True)
class Point:
    """One call to the system.

    Attributes:
        thread: The thread that makes it, in the order of their start; the main one is 0.
        name: The call's name.
        call: Which of this thread's calls of this name it is, from 1.
        what: What it was called with, as strace tells it.
    """

    thread: int
    name: str
    call: int
    what: str

    def __str__(self) -> str:
        """What the test that fails here is told."""
        return f"{self.name} {self.call} of thread {self.thread}: {self.what}"


NOWHERE = Point(-1, "", FAULTED_CALL, "nothing is faulted")


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended, its process, and how long it took by the clock and of the processor.

    A status below 0 is that signal.
    """

    pid: int
    status: int
    took_s: float
    cpu_s: float
    stdout: str
    stderr: str


@dataclass(frozen=True, slots=True)
class Injector:
    """Commands of one fault.

    Attributes:
        connection: The socket of the process that forks them.
        folder: Where strace's log and what they print are written.
        calls: The names of the calls that are faulted.
    """

    connection: socket.socket
    folder: Path
    calls: tuple[str, ...]

    @property
    def log(self) -> Path:
        """What strace saw."""
        return self.folder / "calls"

    def start(
        self,
        place: Path,
        arguments: list[str],
        point: Point = NOWHERE,
        *,
        starts: int = 1,
        killed_after_s: float = 0,
        dies: tuple[int, str] | None = None,
    ) -> list[Ended]:
        """As many processes of one command at once.

        Each is faulted at this point of its own, or killed after a time, or dies `before` or `after` the commit of the
        transaction that its nth event ends.
        """
        order = {
            "folder": str(place), "arguments": arguments, "thread": point.thread, "name": point.name,
            "times": FAULTED_CALL - point.call, "starts": starts, "killed_after_s": killed_after_s,
            "dies": dies,
            "stdout": str(self.folder / "stdout"), "stderr": str(self.folder / "stderr"),
        }  # fmt: skip
        self.connection.sendall(json.dumps(order).encode() + b"\n")
        with self.connection.makefile("r") as answers:
            ended: list[tuple[int, int, float, float]] = json.loads(answers.readline())
        return [
            Ended(pid, *figures, self._printed("stdout", pid), self._printed("stderr", pid)) for pid, *figures in ended
        ]

    def _printed(self, stream: str, pid: int) -> str:
        path = self.folder / f"{stream}.{pid}"
        text = path.read_text(encoding="utf-8")
        path.unlink()
        return text

    def points(self, place: Path, arguments: list[str], within: Path) -> list[Point]:
        """Every call on a file of a folder that the command makes when nothing is faulted, in their order."""
        seen = self.seen
        (ended,) = self.start(place, arguments)
        assert ended.status == 0, ended.stderr
        return [point for point in points_in(self.since(seen), within) if point.name in self.calls]

    @property
    def seen(self) -> int:
        """How long the log is now."""
        return self.log.stat().st_size if self.log.exists() else 0

    def since(self, seen: int) -> list[str]:
        """The lines of the log since it was so long."""
        with self.log.open(encoding="utf-8", errors="replace") as log:
            log.seek(seen)
            return log.read().splitlines()

    def changed_by(self, ended: Ended, within: Path, since: int) -> list[str]:
        """The calls by which the main thread of a command changed a folder, as strace's log has them."""
        lines = self.since(since)
        own = points_in([line for line in lines if line.startswith(f"{ended.pid} ")], within)
        # The folder itself is made where it is not there, before anybody holds it.
        return [str(point) for point in own if not point.what.startswith(f'"{within.name}", ')]


def points_in(lines: list[str], within: Path) -> Iterator[Point]:
    """The calls on files of a folder, from strace's log; a thread's are counted from its mark on."""
    threads: dict[str, int] = {}
    calls: Counter[tuple[str, str]] = Counter()
    for line in lines:
        found = CALL.match(line)
        if found is None:
            continue
        thread, name, arguments = found["thread"], found["name"], found["arguments"]
        calls[thread, name] += 1
        if MARK in arguments:
            threads[thread] = int(arguments.split(MARK)[1].split('"')[0])
        # A relative path is one of the store: the command was started in the folder beside it.
        if thread in threads and (
            f"<{within}/" in arguments or arguments.startswith((f'"{within}', f'"{within.name}'))
        ):
            yield Point(threads[thread], name, calls[thread, name], arguments)


@dataclass(frozen=True, slots=True)
class Ready:
    """The process that has the program ready.

    Attributes:
        control: Where it is told to fork one that serves.
    """

    control: socket.socket

    def serving(self, what: str) -> socket.socket:
        """A new process that serves `faults` or `kills`: the socket that it does it on, until that is shut."""
        here, there = socket.socketpair()
        with there:
            socket.send_fds(self.control, [what.encode()], [there.fileno()])
        return here


@contextmanager
def getting_ready() -> Iterator[Ready]:
    """The program ready to be forked; its documents are made by the same workers as those of the tests."""
    here, there = socket.socketpair()
    forkserver.set_forkserver_preload(PRELOADED)
    workers = forkserver._forkserver  # noqa: SLF001
    workers.ensure_running()
    of_tests = {name: vars(workers)[name] for name in ("_forkserver_address", "_forkserver_alive_fd")}
    # A thread of OpenBLAS would be lost in the fork; one of Polars is enough for a dozen calls.
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1"}
    command = [sys.executable, "-m", "tests.faults.ready", str(there.fileno()), json.dumps(of_tests)]
    descriptors = [there.fileno(), of_tests["_forkserver_alive_fd"]]
    with subprocess.Popen(command, cwd=REPOSITORY, env=environment, pass_fds=descriptors):
        there.close()
        with here:
            yield Ready(here)
            here.shutdown(socket.SHUT_RDWR)


@contextmanager
def injecting(ready: Ready, fault: str, calls: tuple[str, ...], folder: Path) -> Iterator[Injector]:
    """The program ready to be faulted: `fault` is what strace calls an injection, such as `error=ENOSPC`.

    Without calls to fault, nothing traces it: its commands can be killed at their events.
    """
    folder.mkdir(parents=True)
    with ready.serving("faults") as here:
        injector = Injector(here, folder, calls)
        with here.makefile("r") as answers:
            pid = int(answers.readline())
        if not calls:
            yield injector
            here.shutdown(socket.SHUT_RDWR)
            return
        with subprocess.Popen([*strace_command(fault, calls, injector.log), "-p", str(pid)]):
            while "TracerPid:\t0\n" in Path(f"/proc/{pid}/status").read_text(encoding="ascii"):
                time.sleep(0.005)
            yield injector
            here.shutdown(socket.SHUT_RDWR)


def strace_command(fault: str, calls: tuple[str, ...], log: Path) -> list[str]:
    """Answers the `FAULTED_CALL`th call of each name, in each thread, by the fault; writes what it sees to a log."""
    names = ",".join(calls)
    return [
        "strace", "-f", "-y", "-qq", "-s", "0", "-e", "signal=none", "-o", str(log),
        "-e", f"trace={','.join(CALLS)}", "-e", f"inject={names}:{fault}:when={FAULTED_CALL}",
    ]  # fmt: skip

"""Commands killed on the spot at the Nth step by which they change a store: a process forks for each, and dies.

It is one that has started no thread yet: Polars' would be lost in a fork.
"""

from __future__ import annotations

import itertools
import json
import os
import socket
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.faults.ready import import_everything
from tests.golden.sample_run import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KILLED = 137
STEPS = ("fsync", "replace", "unlink")
STATEMENTS = ("execute", "append")


@dataclass(frozen=True, slots=True)
class Killer:
    """The process that forks."""

    connection: socket.socket

    def start(self, arguments: list[str], step: int) -> int:
        """Start a command and kill it at a step; gives its exit status, `KILLED` where it came that far."""
        self.connection.sendall(json.dumps([step, arguments]).encode() + b"\n")
        with self.connection.makefile("r") as answers:
            return int(answers.readline())


@contextmanager
def killing() -> Iterator[Killer]:
    """The process, ready."""
    here, there = socket.socketpair()
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1"}
    command = [sys.executable, "-m", "tests.faults.world_killed", str(there.fileno())]
    with subprocess.Popen(command, cwd=REPOSITORY, env=environment, pass_fds=[there.fileno()]) as process:
        there.close()
        with here:
            yield Killer(here)
            here.shutdown(socket.SHUT_RDWR)
        process.wait()


def count_steps(last: int) -> None:
    """End this process as `kill -9` does: before a call of `STEPS`, a statement or a commit, or right after one."""
    from invoicing.ledger import Ledger  # noqa: PLC0415 - this process imports for those that it forks

    steps = itertools.count(1)

    def step() -> None:
        if next(steps) == last:
            os._exit(KILLED)

    def counted(call: Callable[..., object]) -> Callable[..., object]:
        def wrapped(*arguments: object, **options: object) -> object:
            step()
            return call(*arguments, **options)

        return wrapped

    for name in STEPS:
        setattr(os, name, counted(getattr(os, name)))
    for name in STATEMENTS:
        setattr(Ledger, name, counted(getattr(Ledger, name)))
    whole = Ledger.transaction

    @contextmanager
    def transaction(ledger: Ledger) -> Iterator[None]:
        with whole(ledger):
            yield
            step()
        step()

    Ledger.transaction = transaction  # type: ignore[method-assign]


def command(step: int, arguments: list[str]) -> None:
    """One command in a process of its own; never comes back."""
    from cli import main  # noqa: PLC0415 - this process imports for those that it forks

    for stream in (1, 2):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
    sys.argv = ["centime", *arguments]
    count_steps(step)
    main()


def main() -> None:
    """Fork for each order and answer with its exit status."""
    connection = socket.socket(fileno=int(sys.argv[1]))
    import_everything()
    for line in connection.makefile("r"):
        step, arguments = json.loads(line)
        child = os.fork()
        if child == 0:
            command(step, arguments)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        connection.sendall(f"{status}\n".encode())


if __name__ == "__main__":
    main()

"""Commands killed on the spot at the Nth step by which they change a store: a process forks for each, and dies.

It is one that has started no thread yet: Polars' would be lost in a fork.
"""

from __future__ import annotations

import itertools
import json
import os
import socket
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.faults.injected import Ready

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
def killing(ready: Ready) -> Iterator[Killer]:
    """The process, forked from one that is ready."""
    with ready.serving("kills") as here:
        yield Killer(here)
        here.shutdown(socket.SHUT_RDWR)


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
    try:
        main()
    except SystemExit as leaving:
        # The command is over; taking an interpreter of this size apart costs as much as the command did.
        os._exit(int(leaving.code or 0))


def serve(connection: socket.socket) -> None:
    """Fork for each order and answer with its exit status."""
    for line in connection.makefile("r"):
        step, arguments = json.loads(line)
        child = os.fork()
        if child == 0:
            command(step, arguments)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        connection.sendall(f"{status}\n".encode())

"""Kamailio with its accounting in PostgreSQL, and SIPp on both sides of it, all of it on the loopback address."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.databases.server import free_port
from tests.programs import which

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HERE = Path(__file__).parent
ANSWERING, BUSY, RINGING = "+3314268510", "+3314268520", "+3314268530"
WITHIN_S = 60


@dataclass(frozen=True, slots=True)
class Call:
    """A call that SIPp placed and that was answered, as SIPp saw it.

    Attributes:
        call_id: Its Call-ID.
        spoken_s: The seconds from the answer to the end.
    """

    call_id: str
    spoken_s: float


@dataclass(frozen=True, slots=True)
class Switchboard:
    """A Kamailio that runs, with those who are called behind it.

    Attributes:
        port: Its port.
        folder: Where SIPp writes.
    """

    port: int
    folder: Path

    def place(self, scenario: str, callers: Sequence[str], per_second: int) -> list[Call]:
        """Place a call for each row (caller, called, milliseconds) and wait until all have ended."""
        file = self.folder / f"{scenario}.csv"
        file.write_text("\n".join(["SEQUENTIAL", *callers]) + "\n", encoding="utf-8")
        log = self.folder / f"{scenario}.log"
        done = subprocess.run(
            [
                *sipp(scenario, free_port(socket.SOCK_DGRAM)), f"127.0.0.1:{self.port}", "-inf", file, "-m",
                str(len(callers)), "-r", str(per_second), "-l", str(len(callers)), "-timeout", f"{WITHIN_S}s",
                "-timeout_error", "-trace_logs", "-log_file", log, "-trace_err", "-error_file", self.folder / "errors",
            ],
            cwd=self.folder, capture_output=True, text=True, check=False,
        )  # fmt: skip
        errors = self.folder / "errors"
        assert done.returncode == 0, (errors.read_text(encoding="utf-8") if errors.exists() else "") + done.stdout[
            -3000:
        ]
        return _calls(log.read_text(encoding="utf-8")) if log.exists() else []


def _calls(log: str) -> list[Call]:
    """The calls of a log, by the moments in it."""
    ticks = {(what, call_id): int(tick) for what, call_id, tick in re.findall(r"(\w+) (\S+) (\d+)", log)}
    return [
        Call(call_id, (ticks["ended", call_id] - ticks["answered", call_id]) / 1000)
        for what, call_id in ticks
        if what == "answered"
    ]


def sipp(scenario: str, port: int) -> list[str | Path]:
    """The command for a scenario."""
    program = which("sipp")
    assert program, "sipp is not installed: `make test-platforms` installs it as root"
    return [program, "-sf", HERE / f"scenarios/{scenario}.xml", "-i", "127.0.0.1", "-p", str(port), "-nostdin"]


@contextmanager
def switchboard(database: str, folder: Path) -> Iterator[Switchboard]:
    """Start Kamailio and those who are called; end them after.

    Args:
        database: The URL by which Kamailio writes its accounting.
        folder: Where configuration and logs are written.
    """
    program = which("kamailio")
    assert program, "kamailio is not installed: `make test-platforms` installs it as root"
    modules = next(Path("/usr").glob("lib*/**/kamailio/modules/acc.so")).parent
    ports = {name: free_port(socket.SOCK_DGRAM) for name in ("port", "answering", "busy", "ringing")}
    configuration = folder / "kamailio.cfg"
    written = (HERE / "kamailio.cfg").read_text(encoding="utf-8")
    configuration.write_text(written.format(modules=modules, database=database, **ports), encoding="utf-8")
    with ExitStack() as stack:
        for scenario, name in (("answers", "answering"), ("is_busy", "busy"), ("rings", "ringing")):
            stack.enter_context(_running(sipp(scenario, ports[name]), folder / f"{name}.out"))
        # The time of accounting is the local one.
        kamailio = [program, "-DD", "-E", "-f", configuration, "-Y", folder, "-P", folder / "kamailio.pid"]
        stack.enter_context(_running(kamailio, folder / "kamailio.out", TZ="UTC"))
        _wait_for(ports["port"], folder / "kamailio.out")
        yield Switchboard(ports["port"], folder)


@contextmanager
def _running(command: Sequence[str | Path], output: Path, **environment: str) -> Iterator[None]:
    """A program that runs until the block ends."""
    with (
        output.open("w") as stream,
        subprocess.Popen(
            command, stdout=stream, stderr=stream, cwd=output.parent, env={**os.environ, **environment}
        ) as started,
    ):
        try:
            yield
        finally:
            started.terminate()
            try:
                started.wait(10)
            except subprocess.TimeoutExpired:
                started.kill()


def _wait_for(port: int, log: Path) -> None:
    """Wait until Kamailio answers."""
    options = (
        "OPTIONS sip:ping@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{0};branch=z9hG4bKready\r\n"
        "Max-Forwards: 0\r\n"
        "From: <sip:ready@127.0.0.1>;tag=1\r\nTo: <sip:ping@127.0.0.1>\r\nCall-ID: ready\r\nCSeq: 1 OPTIONS\r\n"
        "Content-Length: 0\r\n\r\n"
    )
    until = time.monotonic() + WITHIN_S
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.bind(("127.0.0.1", 0))
        asking.settimeout(0.2)
        while True:
            assert time.monotonic() < until, log.read_text(encoding="utf-8", errors="replace")
            try:
                asking.sendto(options.format(asking.getsockname()[1]).encode(), ("127.0.0.1", port))
                if asking.recv(4096).startswith(b"SIP/2.0 483"):
                    return
            except (TimeoutError, ConnectionRefusedError):
                time.sleep(0.1)

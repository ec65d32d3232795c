"""MariaDB itself, started for the tests from Debian's programs; root starts it as another user."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.databases.server import PASSWORDS, READER, another_user, free_port
from tests.programs import which

if TYPE_CHECKING:
    from collections.abc import Iterator

WITHIN_S = 60
SETTINGS = ("--bind-address=127.0.0.1", "--skip-log-bin", "--innodb-flush-log-at-trx-commit=0")


@dataclass(frozen=True, slots=True)
class MariaDb:
    """A server that runs.

    Attributes:
        socket: Where its owner reaches it.
        port: Its port on the loopback address.
    """

    socket: Path
    port: int

    def url(self, database: str) -> str:
        """What the program is given: no password is in it."""
        return f"mariadb://{READER}@127.0.0.1:{self.port}/{database}"

    def execute(self, sql: str) -> str:
        """Run statements as the owner; gives what they print."""
        command = ["mariadb", "--no-defaults", "-S", self.socket, "-u", "root", "-N", "-B"]
        done = subprocess.run(command, input=sql, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


@contextmanager
def mariadb() -> Iterator[MariaDb]:
    """Make a database in a temporary folder, start its server, and remove it after."""
    program = which("mariadbd")
    assert program, "mariadbd is not installed: `make test-platforms` installs it as root"
    whose = another_user() if os.getuid() == 0 else {}
    folder = Path(tempfile.mkdtemp(prefix="centime-maria-", dir="/tmp"))
    try:
        if whose:
            shutil.chown(folder, whose["user"], whose["group"])
        install = [
            "mariadb-install-db", "--no-defaults", f"--datadir={folder}/data",
            "--auth-root-authentication-method=normal", "--skip-test-db",
        ]  # fmt: skip
        subprocess.run(install, check=True, capture_output=True, cwd=folder, **whose)
        found = MariaDb(folder / "socket", free_port())
        command = [
            program, "--no-defaults", f"--datadir={folder}/data", f"--socket={found.socket}", f"--port={found.port}",
            f"--pid-file={folder}/pid", *SETTINGS,
        ]  # fmt: skip
        log = folder / "log"
        with log.open("w") as stderr, subprocess.Popen(command, stderr=stderr, cwd=folder, **whose) as started:
            try:
                _wait_for(found, started, log)
                found.execute(f"create user {READER} identified by '{PASSWORDS[READER]}'")
                yield found
            finally:
                started.terminate()
                started.wait()
    finally:
        shutil.rmtree(folder)


def _wait_for(server: MariaDb, started: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until the server lets its owner in."""
    until = time.monotonic() + WITHIN_S
    ask = ["mariadb", "--no-defaults", "-S", server.socket, "-u", "root", "-e", "select 1"]
    while subprocess.run(ask, capture_output=True, check=False).returncode != 0:
        assert started.poll() is None, log.read_text(encoding="utf-8")
        assert time.monotonic() < until, log.read_text(encoding="utf-8")
        time.sleep(0.1)

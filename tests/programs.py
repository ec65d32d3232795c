"""The programs that tests start, to look at documents and to disturb runs: `make test` installs what is missing."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from invoicing.documents.system_libraries import install

# The program, and the Debian and Homebrew packages that bring it.
PROGRAMS = (
    ("chromium", "chromium", "chromium"),
    ("pdftotext", "poppler-utils", "poppler"),
    ("strace", "strace", "strace"),
)
# What `make test-platforms` needs: Debian keeps servers where only root looks for programs.
SYSTEM_PATH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"])
PLATFORMS = (
    ("kamailio", "kamailio", "kamailio"),
    ("sipp", "sip-tester", "sipp"),
    ("mariadbd", "mariadb-server-core", "mariadb"),
    ("mariadb", "mariadb-client-core", "mariadb"),
)
POSTGRESQL_MODULE = ("kamailio-postgres-modules", "kamailio")


def main() -> None:
    """Install what is missing, or say the one line to run; with `platforms`, what the platforms are tested with."""
    if sys.argv[1:] == ["platforms"]:
        lacking = [(debian, homebrew) for program, debian, homebrew in PLATFORMS if not which(program)]
        if not any(Path("/usr").glob("lib*/**/kamailio/modules/db_postgres.so")):
            lacking.append(POSTGRESQL_MODULE)
        install(
            lacking, "programs that the tests of platforms start", "Kamailio with its PostgreSQL module, SIPp, MariaDB"
        )
        return
    lacking = [(debian, homebrew) for program, debian, homebrew in PROGRAMS if shutil.which(program) is None]
    install(lacking, "programs that the tests start", "Chromium, poppler-utils and strace")


def which(program: str) -> str | None:
    """Where a program is, also among those of the system."""
    return shutil.which(program, path=SYSTEM_PATH)


if __name__ == "__main__":
    main()

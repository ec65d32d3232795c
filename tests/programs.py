"""The programs that tests start, to look at documents and to disturb runs: `make test` installs what is missing."""

from __future__ import annotations

import shutil

from invoicing.documents.system_libraries import install

# The program, and the Debian and Homebrew packages that bring it.
PROGRAMS = (
    ("chromium", "chromium", "chromium"),
    ("pdftotext", "poppler-utils", "poppler"),
    ("strace", "strace", "strace"),
)


def main() -> None:
    """Install what is missing, or say the one line to run."""
    lacking = [(debian, homebrew) for program, debian, homebrew in PROGRAMS if shutil.which(program) is None]
    install(lacking, "programs that the tests start", "Chromium, poppler-utils and strace")


if __name__ == "__main__":
    main()

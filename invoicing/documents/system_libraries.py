"""Check that the libraries WeasyPrint draws with are there; install them on Debian where that is allowed."""

from __future__ import annotations

import ctypes.util
import os
import shutil
import subprocess
import sys

# The name to load, and the Debian and Homebrew packages that bring it.
LIBRARIES = (
    ("pango-1.0", "libpango-1.0-0", "pango"),
    ("pangoft2-1.0", "libpangoft2-1.0-0", "pango"),
    ("harfbuzz-subset", "libharfbuzz-subset0", "harfbuzz"),
)
# By Debian package: what is the matter without it.
WITHOUT = {
    "libpango-1.0-0": "no PDF can be written",
    "libpangoft2-1.0-0": "no PDF can be written",
    "libharfbuzz-subset0": "each page of a PDF takes about six times as long",
}


def missing() -> list[tuple[str, str]]:
    """The Debian and Homebrew packages of the libraries that cannot be found."""
    return [(debian, homebrew) for name, debian, homebrew in LIBRARIES if ctypes.util.find_library(name) is None]


def warnings() -> list[str]:
    """A sentence about each package that is missing, and what that means."""
    return [f"{package} is not installed: {WITHOUT[package]}; `make system` installs it" for package, _ in missing()]


def main() -> None:
    """Install what is missing as root on Debian, else say the one line to run."""
    install(missing(), "libraries that write PDFs", "Pango and HarfBuzz (with hb-subset)")


def install(lacking: list[tuple[str, str]], what: str, in_words: str) -> None:
    """Install packages, given as Debian and Homebrew name them, as root on Debian; else leave with the line to run."""
    if not lacking:
        return
    debian = sorted({package for package, _ in lacking})
    apt = shutil.which("apt-get")
    if apt and os.geteuid() == 0:
        print(f"installing {' '.join(debian)}", flush=True)
        subprocess.run([apt, "update", "-qq"], check=True)
        subprocess.run([apt, "install", "-y", "-qq", "--no-install-recommends", *debian], check=True)
        return
    if sys.platform == "darwin":
        line = f"brew install {' '.join(sorted({package for _, package in lacking}))}"
    elif apt:
        line = f"sudo apt-get install -y {' '.join(debian)}"
    else:
        line = f"install {in_words} with your system's package manager"
    sys.exit(f"{what} are missing; run this one line, then start again:\n  {line}")


if __name__ == "__main__":
    main()

"""Check that the libraries WeasyPrint draws with are there; install them on Debian where that is allowed."""

from __future__ import annotations

import ctypes.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

# The name to load, and the Debian and Homebrew packages that bring it.
LIBRARIES = (
    ("pango-1.0", "libpango-1.0-0", "pango"),
    ("pangoft2-1.0", "libpangoft2-1.0-0", "pango"),
    ("harfbuzz-subset", "libharfbuzz-subset0", "harfbuzz"),
)
# The invoices are set in these; without them a PDF falls back to whatever font there is.
FONTS = ("fonts-dejavu-core", "fonts-dejavu-extra")
# By Debian package: what is the matter without it.
WITHOUT = {
    "libpango-1.0-0": "no PDF can be written",
    "libpangoft2-1.0-0": "no PDF can be written",
    "libharfbuzz-subset0": "each page of a PDF takes about six times as long",
    **dict.fromkeys(FONTS, "the PDFs are set in another font, and those made before cannot be made again"),
}


def missing() -> list[tuple[str, str]]:
    """The Debian and Homebrew packages of the libraries that cannot be found."""
    found = [(debian, homebrew) for name, debian, homebrew in LIBRARIES if ctypes.util.find_library(name) is None]
    if not fonts_there():
        found += [(font, "font-dejavu") for font in FONTS]
    return found


def warnings() -> list[str]:
    """A sentence about each package that is missing, and what that means."""
    return [f"{package} is not installed: {WITHOUT[package]}; `make system` installs it" for package, _ in missing()]


def fonts_there() -> bool:
    """Whether fontconfig knows the fonts of the invoices."""
    listing = shutil.which("fc-list")
    if listing is None:
        return Path("/usr/share/fonts/truetype/dejavu").is_dir()
    known = subprocess.run([listing, ":family=DejaVu Sans Condensed"], capture_output=True, check=False).stdout
    return bool(known.strip())


def main() -> None:
    """Install what is missing as root on Debian, else say the one line to run."""
    lacking = missing()
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
        line = "install Pango, HarfBuzz (with hb-subset) and the DejaVu fonts with your system's package manager"
    sys.exit(f"libraries that write PDFs are missing; run this one line, then start again:\n  {line}")


if __name__ == "__main__":
    main()

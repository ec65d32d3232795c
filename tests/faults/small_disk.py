"""A month on small disks: run in a mount namespace of its own, sizes in KiB as JSON in, what was told out."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.cli.program import Place
from tests.faults.stores import RUN, contents


def mount(folder: Path, options: str) -> None:
    """A file system in memory."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=True)


def told_on(place: Place, size_kib: int) -> dict[str, object]:
    """The month on a disk of that size, and once more when it has grown."""
    place.store.mkdir()
    mount(place.store, f"size={size_kib}k")
    first = place.start(*RUN, "--no-render")
    mount(place.store, "remount,size=64m")
    again = place.start(*RUN, "--no-render")
    found: dict[str, object] = {} if again.status else contents(place.store)
    subprocess.run(["umount", str(place.store)], check=True)
    place.store.rmdir()
    return {
        "size_kib": size_kib, "status": first.status, "stderr": first.stderr + again.stderr, "contents": found,
    }  # fmt: skip


def main() -> None:
    """Each size after the other."""
    place = Place(Path(sys.argv[1]))
    json.dump([told_on(place, size_kib) for size_kib in json.load(sys.stdin)], sys.stdout, default=str)


if __name__ == "__main__":
    main()

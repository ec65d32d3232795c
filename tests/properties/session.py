"""Runs several commands of the program after one start: JSON lists of arguments in, exit statuses out."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

REPOSITORY = Path(__file__).resolve().parents[2]


SMALL = "--small"


def in_one_process(commands: list[list[str]], *, small: bool = False) -> subprocess.CompletedProcess[str]:
    """All of them after one start, for speed; each must end with 0, or with 1: done, with something to look at.

    `small` has calls worked in so small pieces that a few hundred are as many blocks, files and buckets as millions.
    """
    return started([sys.executable, str(Path(__file__)), *([SMALL] if small else [])], json.dumps(commands))


def started(command: list[str], standard_input: str = "") -> subprocess.CompletedProcess[str]:
    """One process that must end with 0 or 1, and without a traceback."""
    done = subprocess.run(command, cwd=REPOSITORY, input=standard_input, capture_output=True, text=True, check=False)
    told = f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
    assert done.returncode in (0, 1), told
    assert "Traceback" not in done.stderr, told
    return done


def main() -> None:
    """Each command as if it were started on its own; a status that is not 0 or 1 ends the session."""
    sys.path.insert(0, str(REPOSITORY))
    from cli import main as centime  # noqa: PLC0415 - the path is set first

    if SMALL in sys.argv:
        make_small(setattr)
    for arguments in json.load(sys.stdin):
        sys.argv = ["centime", *arguments]
        try:
            centime()
        except SystemExit as leaving:
            if leaving.code not in (0, 1, None):
                sys.exit(leaving.code)


def make_small(set_size: Callable[[object, str, int], None]) -> None:
    """Sizes at which hardly a call is certainly new, and hardly a customer shares a bucket with another."""
    from invoicing import buckets, call_index, intake  # noqa: PLC0415 - the path is set first
    from rating.sources import parquet_rows  # noqa: PLC0415

    set_size(buckets, "CALLS_PER_BUCKET", 25)
    set_size(intake, "CALLS_PER_FILE", 40)
    set_size(parquet_rows, "BATCH_ROWS", 17)
    set_size(call_index, "LEAST_BITS", 64)
    set_size(call_index, "MOST_BITS", 64)


if __name__ == "__main__":
    main()

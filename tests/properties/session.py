"""Runs several commands of the program after one start: JSON lists of arguments in, exit statuses out."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


def in_one_process(commands: list[list[str]]) -> subprocess.CompletedProcess[str]:
    """All of them after one start, for speed; each must end with 0, or with 1: done, with something to look at."""
    return started([sys.executable, str(Path(__file__))], json.dumps(commands))


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

    for arguments in json.load(sys.stdin):
        sys.argv = ["centime", *arguments]
        try:
            centime()
        except SystemExit as leaving:
            if leaving.code not in (0, 1, None):
                sys.exit(leaving.code)


if __name__ == "__main__":
    main()

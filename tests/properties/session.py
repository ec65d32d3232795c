"""Runs several commands of the program in one process: JSON lists of arguments in, exit statuses out."""

from __future__ import annotations

import json
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


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

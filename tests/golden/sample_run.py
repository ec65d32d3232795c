"""Runs the sample's three months and exports every table; `make golden` writes the results beside this file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.properties import session
from tests.properties.session import REPOSITORY

GOLDEN = Path(__file__).parent
SAMPLE = REPOSITORY / "sample_cdrs"
RUNS = {
    "2026-09": "2026-09-30T22:00:00Z",
    "2026-10": "2026-10-31T23:00:00Z",
    "2026-11": "2026-11-30T23:00:00Z",
}
TABLES = ("rated", "lines", "invoices", "user_counts", "packs_used", "files", "quarantine", "journal")


def make_golden(store: Path, target: Path, environment: dict[str, str]) -> None:
    """The monthly job on each month of the sample, then every table of every month as CSV: all after one start.

    Paths are told from the repository.
    """
    paths = {(period, table): target / period / f"{table}.csv" for period in RUNS for table in TABLES}
    for path in paths.values():
        path.parent.mkdir(parents=True, exist_ok=True)
    common = ["--store", str(store), "--config", str(SAMPLE / "centime.toml")]
    runs = [
        ["run", period, "--platform", str(SAMPLE / period / "platform"), "--cdrs", str(SAMPLE / period / "cdrs"),
         "--now", now, "--no-render", *common]
        for period, now in RUNS.items()
    ]  # fmt: skip
    exports = [["export", table, period, "-o", str(path), *common] for (period, table), path in paths.items()]
    done = subprocess.run(
        [sys.executable, session.__file__], cwd=REPOSITORY, env={**os.environ, **environment},
        input=json.dumps([*runs, *exports]), capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode not in (0, 1) or "Traceback" in done.stderr:
        raise SystemExit(done.stderr)
    for path in paths.values():
        path.write_bytes(path.read_bytes().replace(f"{REPOSITORY}/".encode(), b""))


def main() -> None:
    """Write the golden outputs again."""
    with tempfile.TemporaryDirectory() as folder:
        make_golden(Path(folder) / "store", GOLDEN, {})


if __name__ == "__main__":
    main()

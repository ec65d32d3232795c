"""Runs the sample's three months and exports every table; `make golden` writes the results beside this file."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.properties.session import REPOSITORY, in_one_process

GOLDEN = Path(__file__).parent
SAMPLE = REPOSITORY / "sample_cdrs"
RUNS = {
    "2026-09": "2026-09-30T22:00:00Z",
    "2026-10": "2026-10-31T23:00:00Z",
    "2026-11": "2026-11-30T23:00:00Z",
}
TABLES = ("rated", "lines", "invoices", "user_counts", "packs_used", "files", "quarantine", "journal")


def centime(*arguments: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """One command of the program, in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "cli", *arguments],
        cwd=REPOSITORY,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )


def run_month(period: str, store: Path, *options: str, **more: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """The monthly job on a month of the sample."""
    folder = SAMPLE / period
    return centime(
        "run", period, "--platform", str(folder / "platform"), "--cdrs", str(folder / "cdrs"),
        "--config", str(SAMPLE / "centime.toml"), "--store", str(store), "--now", RUNS[period], *options, **more,
    )  # fmt: skip


def export_all(store: Path, target: Path) -> None:
    """Every table of every month as CSV, with paths told from the repository."""
    paths = {(period, table): target / period / f"{table}.csv" for period in RUNS for table in TABLES}
    for path in paths.values():
        path.parent.mkdir(parents=True, exist_ok=True)
    common = ["--store", str(store), "--config", str(SAMPLE / "centime.toml")]
    in_one_process([["export", table, period, "-o", str(path), *common] for (period, table), path in paths.items()])
    for path in paths.values():
        path.write_bytes(path.read_bytes().replace(f"{REPOSITORY}/".encode(), b""))


def main() -> None:
    """Write the golden outputs again."""
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "store"
        for period in RUNS:
            done = run_month(period, store, "--no-render")
            if done.returncode not in (0, 1):
                raise SystemExit(done.stderr)
        export_all(store, GOLDEN)


if __name__ == "__main__":
    main()

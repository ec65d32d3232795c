"""Standard output and error that nobody reads: the work is done all the same, with its own exit status."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.program import Place

REPOSITORY = Path(__file__).resolve().parents[2]
STARTED = "import sys; sys.argv[0] = 'centime'; from cli import main; main()"
# Closed pipes in place of both, a pipe and an error that were never opened, an output alone.
SHELLS = ['"$@" 2>&1 | true; exit ${PIPESTATUS[0]}', '"$@" >&- 2>&-', '"$@" | true; exit ${PIPESTATUS[0]}', '"$@" >&-']


def unread(shell: str, *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """The program in a process of its own, its output where the line of the shell leads it."""
    return subprocess.run(
        ["bash", "-c", shell, "bash", sys.executable, "-c", STARTED, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("shell", SHELLS)
def test_streams__a_month_is_issued_whole_whoever_reads_on(shell: str, rated: Place) -> None:
    done = unread(
        shell, "issue", "2026-10", "--platform", "platform", "--store", "store", "--now", "2026-10-31T23:00:00Z",
        folder=rated.folder,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    assert done.returncode == 0, done.stderr
    (month,) = rated.start("status", "--json").table("Periods")
    assert month["state"] == "issued"


def test_streams__what_is_wrong_is_told_by_the_status_all_the_same(october_issued: Place, issued: Place) -> None:
    file = next((issued.store / "rated").rglob("*.parquet"))
    file.chmod(0o600)
    file.write_bytes(file.read_bytes() + b"x")
    for place, status in ((october_issued, 0), (issued, 3)):
        assert unread(SHELLS[0], "verify", "--store", "store", folder=place.folder).returncode == status
    assert unread(SHELLS[0], "nonsense", folder=issued.folder).returncode == 2

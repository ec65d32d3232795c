"""A credit note whose command dies: it is there whole or not at all, and the next command publishes it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import copy
from tests.cli.program import make_place
from tests.golden.sample_run import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.program import Place

CREDIT = ["credit", "2026-000001", "--all", "--reason", "x", "--now", "2026-11-05T10:00:00Z"]
RUN = ["run", "2026-10", "--platform", "platform", "--no-render", "--now", "2026-11-06T10:00:00Z"]
DOCUMENT = "invoices/2026/CN2026-000001.pdf"
WRITING = "writing credit notes"
# The program itself, which dies once the last row of a credit note is in and before the commit.
DIES_BEFORE_ITS_COMMIT = """
import os, signal
from cli import main
from invoicing.ledger import Ledger

append = Ledger.append

def append_and_die(self, table, frame):
    append(self, table, frame)
    if table == "credit_note_vat_totals":
        os.kill(os.getpid(), signal.SIGKILL)

Ledger.append = append_and_die
main()
"""


@pytest.fixture(scope="module")
def october(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """One invoice, and no credit note yet."""
    made = make_place(tmp_path_factory.mktemp("october") / "place")
    assert made.run("2026-10", "--cdrs", "cdrs/october.csv").status == 0
    return made


@pytest.fixture(scope="module")
def expected(october: Place, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What a command that nothing disturbs leaves."""
    place = copy(october, tmp_path_factory.mktemp("expected") / "place")
    assert place.start(*CREDIT).status == 0
    return contents(place)


def contents(place: Place) -> dict[str, bytes]:
    """Every document of a store, and what the exports say of its credit notes."""
    found = {path.name: path.read_bytes() for path in sorted((place.store / "invoices").rglob("*")) if path.is_file()}
    for table in ("credit_notes", "credit_note_lines", "journal"):
        target = place.folder / f"{table}.csv"
        assert place.start("export", table, "2026-11", "-o", target).status == 0
        found[table] = target.read_bytes()
    return found


def killed(place: Place, *, once_written: bool) -> None:
    """The command, killed right after its commit, or as soon as its document is there."""
    options = ["--store", str(place.store), "--config", str(place.folder / "centime.toml")]
    command = [sys.executable, "-m", "cli", *CREDIT, *options]
    with subprocess.Popen(command, cwd=REPOSITORY, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL) as running:
        assert running.stderr is not None
        # What it says next is that it writes documents: the credit note is committed by then.
        assert running.stderr.readline().decode().startswith(WRITING)
        while once_written and not (place.store / DOCUMENT).exists():
            assert running.poll() is None
            time.sleep(0.001)
        running.kill()
    assert running.returncode == -signal.SIGKILL


@pytest.mark.parametrize("once_written", [False, True], ids=["committed", "written"])
@pytest.mark.parametrize(("following", "status"), [(RUN, 0), (CREDIT, 2)], ids=["run", "credit"])
def test_credit__one_killed_after_its_commit_is_published_by_the_next_command(
    once_written: bool,
    following: list[str],
    status: int,
    october: Place,
    expected: dict[str, bytes],
    tmp_path: Path,
) -> None:
    place = copy(october, tmp_path / "place")
    killed(place, once_written=once_written)
    assert place.start("verify").status == 0
    told = place.start(*following)
    # The same again is refused, for nothing is left: the one that died was issued.
    assert told.status == status, told.stderr
    assert contents(place) == expected
    assert place.start("verify").status == 0


def test_credit__one_killed_before_its_commit_leaves_nothing_and_no_gap(october: Place, tmp_path: Path) -> None:
    place = copy(october, tmp_path / "place")
    options = ["--store", str(place.store), "--config", str(place.folder / "centime.toml")]
    done = subprocess.run(
        [sys.executable, "-c", DIES_BEFORE_ITS_COMMIT, *CREDIT, *options], cwd=REPOSITORY, check=False
    )
    assert done.returncode == -signal.SIGKILL
    assert place.start("verify").status == 0
    told = place.start(*CREDIT, "--json")
    assert told.table("Credit note")[0]["credit_note_number"] == "CN2026-000001"

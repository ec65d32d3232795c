"""A run that dies, a second start, an altered file: nothing is lost, doubled or hidden."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from invoicing.ledger import Ledger
from invoicing.store import Store
from tests.golden.sample_run import REPOSITORY, RUNS, SAMPLE, centime, export_all, run_month

if TYPE_CHECKING:
    from pathlib import Path

MONTH = "2026-09"


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store in which the month was run and rendered without a fault."""
    store = tmp_path_factory.mktemp("undisturbed") / "store"
    done = run_month(MONTH, store)
    assert done.returncode == 0, done.stderr
    return store


@pytest.fixture(scope="module")
def expected(undisturbed: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What the undisturbed store gives."""
    return contents(undisturbed, tmp_path_factory.mktemp("expected"))


def contents(store: Path, scratch: Path) -> dict[str, bytes]:
    """Every export, every document and the run's own row of a store."""
    export_all(store, scratch)
    found = {str(path.relative_to(scratch)): path.read_bytes() for path in sorted(scratch.rglob("*.csv"))}
    ledger = Ledger(store / "ledger.duckdb", read_only=True)
    found["run"] = repr(ledger.runs()).encode()
    ledger.close()
    return found | {path.name: path.read_bytes() for path in sorted((store / "invoices").rglob("*.pdf"))}


@pytest.mark.parametrize(
    ("sign", "count"),
    [
        ("ledger.duckdb", 1),
        ("calls/**/*.parquet", 1),
        ("snapshots/*/rates.csv.gz", 1),
        ("rated/**/*.parquet", 2),
        ("invoices/**/*.pdf", 1),
        ("invoices/**/*.pdf", 6),
    ],
)
def test_r_rerun__a_run_killed_anywhere_is_finished_by_the_next(
    sign: str, count: int, expected: dict[str, bytes], tmp_path: Path
) -> None:
    store = tmp_path / "store"
    command = [
        sys.executable, "-m", "cli", "run", MONTH, "--platform", str(SAMPLE / MONTH / "platform"),
        "--cdrs", str(SAMPLE / MONTH / "cdrs"), "--config", str(SAMPLE / "centime.toml"),
        "--store", str(store), "--now", RUNS[MONTH],
    ]  # fmt: skip
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        while running.poll() is None and len(list(store.glob(sign))) < count:
            time.sleep(0.002)
        assert running.poll() is None, "the run was over before it could be killed"
        running.kill()
    assert running.returncode == -signal.SIGKILL
    done = run_month(MONTH, store)
    assert done.returncode == 0, done.stderr
    checked = centime("verify", "--store", str(store))
    assert checked.returncode == 0, checked.stderr
    assert contents(store, tmp_path / "exports") == expected


def test_store__two_at_once_one_works_and_the_other_is_told_who(undisturbed: Path) -> None:
    with Store(undisturbed).locked("`centime run` of anna, process 12"):
        for arguments in (["verify"], ["run", "2026-10", "--platform", "x"], ["read", "x.csv"]):
            done = centime(*arguments, "--store", str(undisturbed))
            assert done.returncode == 3
            assert "in use by `centime run` of anna, process 12" in done.stderr


def test_r_invoice__a_second_run_changes_nothing_and_says_so(
    undisturbed: Path, expected: dict[str, bytes], tmp_path: Path
) -> None:
    done = run_month(MONTH, undisturbed)
    assert done.returncode == 0
    assert "what was issued is not changed" in done.stdout
    assert contents(undisturbed, tmp_path / "after") == expected


@pytest.mark.parametrize(
    "pattern", ["calls/**/*.parquet", "rated/**/*.parquet", "snapshots/*/users.csv", "invoices/**/*.pdf"]
)
def test_verify__an_altered_or_missing_file_is_named(pattern: str, undisturbed: Path) -> None:
    path = min(undisturbed.glob(pattern))
    whole = path.read_bytes()
    changed = bytearray(whole)
    changed[len(changed) // 2] ^= 1
    try:
        path.write_bytes(changed)
        altered = centime("verify", "--store", str(undisturbed))
        path.unlink()
        missing = centime("verify", "--store", str(undisturbed))
    finally:
        path.write_bytes(whole)
    assert (altered.returncode, missing.returncode) == (3, 3)
    assert f"{path}: its SHA-256 is not the one in the ledger" in altered.stderr
    assert f"{path}: the ledger names this file and it is missing" in missing.stderr
    assert centime("verify", "--store", str(undisturbed)).returncode == 0


def test_verify__a_forged_document_is_named_and_what_a_dead_run_left_is_not(undisturbed: Path) -> None:
    forged = undisturbed / "invoices" / "2026" / "2026-000099.pdf"
    left = [undisturbed / "rated" / "000099.parquet", undisturbed / "invoices" / "2026-000001.pdf.77.writing"]
    try:
        for path in (forged, *left):
            path.write_bytes(b"%PDF")
        done = centime("verify", "--store", str(undisturbed))
    finally:
        for path in (forged, *left):
            path.unlink()
    assert done.returncode == 3
    assert [line for line in done.stderr.splitlines() if "look at this" in line] == [
        f"look at this: {forged}: the ledger does not name this file"
    ]


def test_explain__an_altered_file_is_refused_not_believed(undisturbed: Path) -> None:
    path = max(undisturbed.glob("rated/period=*/*.parquet"))
    whole = path.read_bytes()
    try:
        path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        done = centime(
            "export", "rated", MONTH, "-o", str(undisturbed.parent / "rated.csv"), "--store", str(undisturbed)
        )
    finally:
        path.write_bytes(whole)
    assert done.returncode == 3
    assert str(path) in done.stderr
    assert "Traceback" not in done.stderr


def test_read__daily_reads_give_what_one_run_gives(expected: dict[str, bytes], tmp_path: Path) -> None:
    store = tmp_path / "store"
    for path in sorted((SAMPLE / MONTH / "cdrs").iterdir()):
        done = centime(
            "read", str(path), "--store", str(store), "--config", str(SAMPLE / "centime.toml"), "--now", RUNS[MONTH]
        )
        assert done.returncode in (0, 1), done.stderr
    for step in ("rate", "issue"):
        done = centime(
            step, MONTH, "--platform", str(SAMPLE / MONTH / "platform"), "--store", str(store),
            "--config", str(SAMPLE / "centime.toml"), "--now", RUNS[MONTH],
        )  # fmt: skip
        assert done.returncode in (0, 1), done.stderr
    rendered = centime("render", MONTH, "--store", str(store), "--config", str(SAMPLE / "centime.toml"))
    assert rendered.returncode == 0, rendered.stderr
    # The steps differ from `run` in one thing: `issue` promises no documents, `render` makes them.
    made = contents(store, tmp_path / "exports")
    assert made | {"run": b""} == expected | {"run": b""}
    assert made["run"].replace(b"'documents': False", b"'documents': True") == expected["run"]


def test_run__a_refused_run_leaves_no_store_behind(tmp_path: Path) -> None:
    store = tmp_path / "new" / "store"
    done = centime("run", MONTH, "--platform", str(tmp_path / "nowhere"), "--store", str(store), "--now", RUNS[MONTH])
    assert done.returncode == 2
    assert "nowhere" in done.stderr
    assert not store.exists()

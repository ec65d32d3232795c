"""What many tests start from, made once: folders for all workers of a session, and the empty ledger of a new store."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from invoicing import ledger
from rating.sources import platform_tables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    import dataframely as dy

    from rating.platform_checks import TableRows
    from schemas.errors import Problem
    from schemas.settings import Settings

# Rows by table, name, SHA-256 and the settings they are read with.
READ: dict[tuple[str, str, str, str], TableRows] = {}
# Tables that do not contradict each other, by what they are judged with and by which frames they are.
SOUND: dict[tuple[object, ...], Mapping[str, TableRows]] = {}


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """A folder of this worker's own with what `make` writes, which the first worker that needs it has made for all.

    Args:
        factory: Pytest's own.
        name: Unlike that of any other folder of the session.
        make: Fills the folder it is given; what it writes must not say where that is.
    """
    own = factory.mktemp(name) / "made"
    # Without workers there is nobody to share with.
    shared = factory.getbasetemp().parent / f"made-{name}" if "PYTEST_XDIST_WORKER" in os.environ else own
    with _held(shared.with_name(f"{shared.name}.lock")):
        if not shared.exists():
            making = shared.with_name(f"{shared.name}.making")
            # Left by a worker in which making it failed.
            shutil.rmtree(making, ignore_errors=True)
            making.mkdir()
            make(making)
            making.rename(shared)
    return own if own == shared else shutil.copytree(shared, own)


@contextmanager
def _held(path: Path) -> Iterator[None]:
    """One worker at a time."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def empty_ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ledger of a new store."""
    path = tmp_path_factory.mktemp("empty") / "ledger.duckdb"
    ledger._begin(path)  # noqa: SLF001 - it is what a new store begins with
    return path


@pytest.fixture(scope="module", autouse=True)
def tables_are_read_once() -> Iterator[None]:
    """A file of a platform table that was read and found good is not read again where its bytes are the same.

    The months of most tests have the same few tables, and reading them is a sixth of a run. That a file is what it was
    is looked at each time; what is wrong with one is found each time. In the same way tables that were judged together
    and found sound are not judged again: they are the same frames.
    """
    read_table = platform_tables._read_table  # noqa: SLF001 - what reads one file
    problems_of = platform_tables.platform_problems

    def read(
        table: str, schema: type[dy.Schema], path: Path | None, settings: Settings, reading: platform_tables._Reading
    ) -> TableRows:
        there = path is not None and path.is_file()
        if not there and (path is not None or reading.problems):
            return read_table(table, schema, path, settings, reading)
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest() if path else ""
        key = (table, path.name if path else "", sha256, repr(settings.rating))
        if key not in READ:
            alone = platform_tables._Reading()  # noqa: SLF001 - the same
            rows = read_table(table, schema, path, settings, alone)
            if alone.problems or alone.warnings:
                return read_table(table, schema, path, settings, reading)
            READ[key] = rows
        if path is None:
            return READ[key]
        reading.files.append(platform_tables.SourceFile(table, path, sha256))
        return replace(READ[key], file=str(path))

    def judge(tables: Mapping[str, TableRows], *, allow_increments: bool) -> list[Problem]:
        key = (allow_increments, *((table, id(read.rows), read.complete) for table, read in tables.items()))
        if key not in SOUND:
            found = problems_of(tables, allow_increments=allow_increments)
            if found:
                return found
            # As long as they are kept, no other frames are these.
            SOUND[key] = tables
        return []

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(platform_tables, "_read_table", read)
        patch.setattr(platform_tables, "platform_problems", judge)
        yield


@pytest.fixture(scope="module", autouse=True)
def ledgers_begin_as_copies(empty_ledger: Path) -> Iterator[None]:
    """A new ledger is a copy of an empty one: parsing all its tables takes a tenth of a second of each small store."""

    def begin(path: Path) -> None:
        shutil.copyfile(empty_ledger, path)
        path.chmod(0o600)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ledger, "_begin", begin)
        yield

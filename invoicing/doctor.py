"""What centime needs of the machine it runs on, each with how to mend it."""

from __future__ import annotations

import fcntl
import os
import platform
import shutil
import sys
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from invoicing.documents import system_libraries
from invoicing.documents.rule_sets import HOW_TO_INSTALL, missing_packages, require_rules, rules_version
from schemas.errors import InputRefused

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from invoicing.desk import Report
    from schemas.settings import Settings

OLDEST_PYTHON = (3, 11)
# A run of ten million calls keeps about a gigabyte, and works with as much again.
LEAST_FREE_BYTES = 2_000_000_000
GIGABYTE = 1_000_000_000
FINE = "fine"


class Finding(NamedTuple):
    """One thing that was looked at; `mend` is empty where nothing is wrong."""

    what: str
    found: str
    mend: str = ""


def examine(root: Path, settings: Settings, report: Report) -> None:
    """Look at everything that a run needs; what is wrong is told with how to mend it."""
    findings = [*_python(), *_libraries(), *_fonts(), *_disk(root), *_lock(root), *_rules(settings.documents.rules_dir)]
    report.tables["What centime needs"] = pl.DataFrame(
        [(one.what, one.found, one.mend or FINE) for one in findings],
        schema={"what": pl.String, "found": pl.String, "how_to_mend": pl.String}, orient="row",
    )  # fmt: skip
    report.attention = [f"{one.what}: {one.found}; {one.mend}" for one in findings if one.mend]
    report.counts = {"looked_at": len(findings), "wrong": len(report.attention)}
    if not report.attention:
        report.messages.append("nothing is missing")


def _python() -> Iterator[Finding]:
    old = sys.version_info < OLDEST_PYTHON
    yield Finding("Python", platform.python_version(), "make the environment again with 3.11 or newer" if old else "")


def _libraries() -> Iterator[Finding]:
    lacking = dict(system_libraries.missing())
    for name, debian, _ in system_libraries.LIBRARIES:
        told = f"not found: {system_libraries.WITHOUT[debian]}" if debian in lacking else "found"
        yield Finding(name, told, f"apt-get install {debian}, or `make system`" if debian in lacking else "")


def _fonts() -> Iterator[Finding]:
    from invoicing.documents.fonts import FACES, OTHER_SCRIPTS  # noqa: PLC0415 - they cannot be there without Pango

    missing = [face.name for face in (*FACES, OTHER_SCRIPTS) if not face.is_file()]
    found = f"not there: {', '.join(missing)}" if missing else f"{len(FACES) + 1} faces"
    yield Finding("fonts", found, "install the program again" if missing else "")


def _disk(root: Path) -> Iterator[Finding]:
    there = next(folder for folder in (root.absolute(), *root.absolute().parents) if folder.exists())
    free = shutil.disk_usage(there).free
    lacking = free < LEAST_FREE_BYTES
    yield Finding("disk", f"{free / GIGABYTE:,.1f} GB free at {there}", "free some space" if lacking else "")
    denied = not os.access(there, os.W_OK)
    yield Finding("store", str(root), f"let this user write to {there}, or give another --store" if denied else "")


def _lock(root: Path) -> Iterator[Finding]:
    try:
        descriptor = os.open(root / "lock", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        yield Finding("lock", "nobody is changing the store")
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        yield Finding("lock", "nobody is changing the store")
    except BlockingIOError:
        who = os.pread(descriptor, 1000, 0).decode("utf-8", "replace").strip()
        yield Finding("lock", f"held by {who or 'a process that does not say who it is'}", "wait until it has finished")
    finally:
        os.close(descriptor)


def _rules(rules_dir: str) -> Iterator[Finding]:
    try:
        require_rules(rules_dir)
    except InputRefused as refused:
        yield Finding("rule sets", "not there", str(refused))
        return
    missing = missing_packages()
    if missing:
        yield Finding("rule sets", f"{', '.join(missing)} not installed", HOW_TO_INSTALL)
    else:
        yield Finding("rule sets", rules_version(rules_dir))

"""The machine that the figures are of, in words."""

from __future__ import annotations

import os
import platform
import re
import shutil
import time
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("polars", "pyarrow", "duckdb", "pandas", "psycopg", "weasyprint", "reportlab")
WRITTEN_MIB = 256
BUSY_LOAD = 0.5


def machine(work: Path) -> dict[str, str]:
    """What a reader must know of the machine, its programs and the moment, to make sense of seconds."""
    memory_kib = int(re.findall(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text())[0])
    models = re.findall(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text()) or [platform.machine()]
    load = os.getloadavg()[0]
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "processor": f"{models[0]}, {os.cpu_count()} cores",
        "memory": f"{memory_kib / 1024**2:.0f} GiB",
        "disk": f"{_file_system(work)}, {shutil.disk_usage(work).free / 1024**3:.0f} GiB free, "
        f"{_written_mib_per_s(work):.0f} MiB/s written and synced",
        "system": f"{_distribution()}, Linux {platform.release()}",
        "versions": ", ".join([f"Python {platform.python_version()}", *filter(None, map(_installed, PACKAGES))]),
        "load before": f"{load:.2f}"
        + (": the machine was busy, see the ratios of processor" if load > BUSY_LOAD else ""),
    }


def _installed(package: str) -> str:
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return ""


def _distribution() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        return platform.system()


def _file_system(folder: Path) -> str:
    """The kind of file system that holds a folder: that of the longest mount point above it."""
    mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    above = [(len(place), kind) for _, place, kind, *_ in mounts if folder.resolve().is_relative_to(place)]
    return max(above)[1]


def _written_mib_per_s(folder: Path) -> float:
    """How fast bytes reach the disk."""
    block, path = os.urandom(1024 * 1024), folder / "written"
    begun = time.perf_counter()
    with path.open("wb") as file:
        for _ in range(WRITTEN_MIB):
            file.write(block)
        file.flush()
        os.fsync(file.fileno())
    spent_s = time.perf_counter() - begun
    path.unlink()
    return WRITTEN_MIB / spent_s

"""What a command costs: wall, processor, memory of all its processes, disk; and the yardstick, the copy."""

from __future__ import annotations

import os
import pty
import re
import shutil
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

REPOSITORY = Path(__file__).parents[2]
PROGRAM = (sys.executable, "-c", "from cli import main; main()")  # what the installed script does
MIB = 1024 * 1024
MEMORY_EVERY_S, DISK_EVERY_S = 0.02, 0.2
TIMES = 3
END_SHOWN = 4000


class CommandFailed(Exception):  # noqa: N818
    """A command of the bench did not do its work; its output says why."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a piece of work cost.

    Attributes:
        wall_s: Seconds from start to end.
        cpu_s: Seconds of processor, user and system, of the process and those it waited for.
        peak_mib: The most memory held: by all its processes together as they were seen every 20 ms, or by one
            alone as the system kept its highest mark, whichever is more (pages they share count for each).
        peak_disk_mib: The most that the watched folder held, as it was seen every 200 ms.
        output: What it printed on stdout.
    """

    wall_s: float
    cpu_s: float
    peak_mib: float | None = None
    peak_disk_mib: float | None = None
    output: str = ""


@dataclass(slots=True)
class _Watch:
    """Looks at the memory of a process and its children, and at a folder, until it is told to stop."""

    process_id: int
    folder: Path | None
    stop: threading.Event
    peak_bytes: int = 0
    peak_folder_bytes: int = 0

    def run(self) -> None:
        """Look again and again."""
        disk_at = 0.0
        while not self.stop.wait(MEMORY_EVERY_S):
            self.peak_bytes = max(self.peak_bytes, _peak_tree_bytes(self.process_id))
            if self.folder is not None and time.monotonic() >= disk_at:
                self.peak_folder_bytes = max(self.peak_folder_bytes, folder_bytes(self.folder))
                disk_at = time.monotonic() + DISK_EVERY_S


def measured(
    command: Sequence[str],
    *,
    watched: Path | None = None,
    environment: Mapping[str, str] | None = None,
    folder: Path = REPOSITORY,
    allowed: Sequence[int] = (0, 1),
    on_terminal: bool = False,
) -> Cost:
    """Run a command in a process of its own and say what it cost.

    Args:
        command: The program and its arguments.
        watched: The folder whose size is watched, if any.
        environment: What stands in its environment besides ours.
        folder: Where it runs.
        allowed: The exit statuses that are no failure.
        on_terminal: Whether its stderr is a terminal, on which it draws its progress.

    Raises:
        CommandFailed: for any other exit status, with the end of what it said.
    """
    if watched is not None:
        watched.mkdir(parents=True, exist_ok=True)
    surroundings = {**os.environ, "PYTHONPATH": str(REPOSITORY), **(environment or {})}
    (out, out_end), (err, err_end) = os.pipe(), pty.openpty() if on_terminal else os.pipe()
    begun = time.perf_counter()
    process = subprocess.Popen(list(command), cwd=folder, env=surroundings, stdout=out_end, stderr=err_end)
    watch = _Watch(process.pid, watched, threading.Event())
    said: dict[int, str] = {}
    threads = [
        threading.Thread(target=watch.run),
        *(threading.Thread(target=_drain, args=(end, said)) for end in (out, err)),
    ]
    for thread in threads:
        thread.start()
    os.close(out_end)
    os.close(err_end)
    _, status, used = os.wait4(process.pid, 0)
    wall_s = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    watch.stop.set()
    for thread in threads:
        thread.join()
    if process.returncode not in allowed:
        raise CommandFailed(f"{' '.join(command)}: exit status {process.returncode}\n{said[err][-END_SHOWN:]}")
    last = 0 if watched is None else folder_bytes(watched)
    return Cost(
        wall_s=wall_s,
        cpu_s=used.ru_utime + used.ru_stime,
        # Not the maximum that wait4 tells: that one begins at the size of whoever started the process.
        peak_mib=watch.peak_bytes / MIB,
        peak_disk_mib=max(watch.peak_folder_bytes, last) / MIB,
        output=said[out],
    )


def timed(work: Callable[[], object]) -> Cost:
    """What a piece of work costs in this process."""
    begun, before = time.perf_counter(), os.times()
    work()
    after = os.times()
    return Cost(
        wall_s=time.perf_counter() - begun,
        cpu_s=after.user + after.system - before.user - before.system,
    )


def middle(costs: Sequence[Cost]) -> Cost:
    """The cost in the middle by wall; each of its figures is of the same try."""
    return sorted(costs, key=lambda cost: cost.wall_s)[len(costs) // 2]


def mean(costs: Sequence[Cost]) -> Cost:
    """What one of them costs on average."""
    return Cost(fmean(cost.wall_s for cost in costs), fmean(cost.cpu_s for cost in costs))


def repeated(work: Callable[[], object]) -> Cost:
    """The middle cost of a piece of work that was done once before, so that files and code are warm."""
    work()
    return middle([timed(work) for _ in range(TIMES)])


def copy_costs(files: Sequence[Path], scratch: Path, times: int) -> list[Cost]:
    """The yardstick: what Polars takes to read Parquet files, one after the other, and write each again."""
    scratch.mkdir(parents=True, exist_ok=True)

    def copy() -> None:
        for file in files:
            pl.read_parquet(file).write_parquet(scratch / file.name)

    try:
        return [timed(copy) for _ in range(times)]
    finally:
        shutil.rmtree(scratch)


def folder_bytes(folder: Path) -> int:
    """The bytes of all files below a folder; what vanishes meanwhile counts nothing."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(place, name)).st_size  # noqa: PTH118 - it is done often
            except FileNotFoundError:
                continue
    return total


def _drain(end: int, said: dict[int, str]) -> None:
    """Read a pipe or terminal to its end, so that the process never waits for it."""
    read: list[bytes] = []
    with suppress(OSError), os.fdopen(end, "rb", buffering=0) as stream:  # a terminal ends with an error
        while block := stream.read(1 << 16):
            read.append(block)
    said[end] = b"".join(read).decode(errors="replace")


def _peak_tree_bytes(process_id: int) -> int:
    """The resident memory of a process and of all below it now, or the highest mark of one; 0 once it is gone."""
    total, highest, waiting = 0, 0, [process_id]
    while waiting:
        current = Path("/proc", str(waiting.pop()))
        try:
            status = (current / "status").read_text()
            for task in (current / "task").iterdir():
                waiting += [int(child) for child in (task / "children").read_text().split()]
        except (FileNotFoundError, ProcessLookupError):
            continue
        kib = {name: int(size) for name, size in re.findall(r"^(VmRSS|VmHWM):\s+(\d+) kB", status, re.MULTILINE)}
        total += kib.get("VmRSS", 0) * 1024
        highest = max(highest, kib.get("VmHWM", 0) * 1024)
    return max(total, highest)

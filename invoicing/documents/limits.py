"""What one document may take: the kernel's own limits, so that they hold within a library too.

Timers whose signals end the process, and a bound on its memory. Whoever waits at the other end of the pipe learns
from the way the process ended which one it was.
"""

from __future__ import annotations

import resource
import signal
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schemas.settings import DocumentSettings

BYTES_PER_MB = 1_000_000
MEMORY_IN_USE = Path("/proc/self/statm")


@contextmanager
def limited(limits: DocumentSettings) -> Iterator[None]:
    """So much processor, time and memory, or the end of this process."""
    if MEMORY_IN_USE.exists():
        in_use = int(MEMORY_IN_USE.read_text().split()[5]) * resource.getpagesize()
        allowed = in_use + limits.memory_limit_mb * BYTES_PER_MB
        resource.setrlimit(resource.RLIMIT_DATA, (allowed, resource.getrlimit(resource.RLIMIT_DATA)[1]))
    signal.setitimer(signal.ITIMER_PROF, limits.cpu_limit_s)
    signal.setitimer(signal.ITIMER_REAL, limits.wall_limit_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        most = resource.getrlimit(resource.RLIMIT_DATA)[1]
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))

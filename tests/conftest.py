"""What every test runs with: how hypothesis draws, how many threads Polars has, and where documents are made."""

from __future__ import annotations

import contextlib
import os
from multiprocessing import forkserver
from pathlib import Path

from hypothesis import settings

from invoicing.documents.processes import PRELOADED

# Several workers have a processor to themselves at most, and months of a few calls: threads of Polars then cost a
# tenth of a command, by waking each other. Those who count threads (`tests/faults/test_environments.py`) say how many,
# and a test that is started alone has as many as users have. Polars reads this when it is imported.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("POLARS_MAX_THREADS", "1")

# `make test` must say the same twice and on a busy machine; `make soak` has more examples of everything, and draws
# anew in the tests that ask for it.
settings.register_profile("quick", deadline=None, derandomize=True, max_examples=40)
settings.register_profile("soak", deadline=None, derandomize=True, max_examples=200)
settings.load_profile("quick")

# Documents are made by workers that are ready (`tests/warm_workers.py`). The process that they are forked from finds
# this package where it is started, which is in whatever folder the first test that needs it has gone to.
PRELOADED.append("tests.warm_workers")
start_forkserver = forkserver._forkserver.ensure_running  # noqa: SLF001


def start_forkserver_here() -> None:
    """Start the process that workers are forked from, if there is none, in the folder of the repository."""
    with contextlib.chdir(Path(__file__).parent.parent):
        start_forkserver()


forkserver._forkserver.ensure_running = start_forkserver_here  # type: ignore[method-assign]  # noqa: SLF001

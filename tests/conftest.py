"""What every test runs with: how hypothesis draws, and how many threads Polars has in one of several workers."""

from __future__ import annotations

import gc
import os
from typing import TYPE_CHECKING

from hypothesis import settings

if TYPE_CHECKING:
    import pytest

# Tests that take a minute or so each: begun last, one of them would be waited for alone.
LONG = ("test_simulated_world.py", "test_environments.py", "test_killed.py", "test_started_at_once.py")

# Several workers have a processor to themselves at most, and months of a few calls: threads of Polars then cost a
# tenth of a command, by waking each other. Those who count threads (`tests/faults/test_environments.py`) say how many,
# and a test that is started alone has as many as users have. Polars reads this when it is imported.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("POLARS_MAX_THREADS", "1")

# Nothing that is collected goes before the end: looking through it again and again is a tenth of collecting it.
gc.disable()

# `make test` must say the same twice and on a busy machine; `make soak` has more examples of everything, and draws
# anew in the tests that ask for it.
settings.register_profile("quick", deadline=None, derandomize=True, max_examples=40)
settings.register_profile("soak", deadline=None, derandomize=True, max_examples=200)
settings.load_profile("quick")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the long ones."""
    items.sort(key=lambda item: item.path.name not in LONG)


def pytest_collection_finish() -> None:
    """From here on there is garbage again."""
    gc.freeze()
    gc.enable()


def pytest_unconfigure() -> None:
    """At the end everything is looked through, or what DuckDB is bound with takes it for leaks and says so."""
    gc.unfreeze()

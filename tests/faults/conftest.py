"""The month that the faults of this folder happen to, and the program ready for them: made once for all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.faults.injected import CALLS, Injector, Ready, getting_ready, injecting
from tests.faults.stores import october, steps
from tests.shared import tables_are_read_once

if TYPE_CHECKING:
    from collections.abc import Iterator

# Only the commands of this process read them once; those that are to be killed or to fail read them as users' do.
__all__ = ["october", "steps", "tables_are_read_once"]


@pytest.fixture(scope="session")
def ready() -> Iterator[Ready]:
    """The process that commands are forked from: importing all of the program takes longer than most of them."""
    with getting_ready() as found:
        yield found


@pytest.fixture(scope="session")
def killing(ready: Ready, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Injector]:
    """The program, to be killed at calls to the system."""
    with injecting(ready, "signal=KILL", CALLS, tmp_path_factory.mktemp("killing") / "calls") as injector:
        yield injector


@pytest.fixture(scope="session")
def dying(ready: Ready, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Injector]:
    """The program, to die at its events."""
    with injecting(ready, "", (), tmp_path_factory.mktemp("dying") / "calls") as injector:
        yield injector

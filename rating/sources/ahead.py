"""Blocks made ahead: while one is worked on, the next is made in another thread."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Generator

Item = TypeVar("Item")


def ahead(blocks: Generator[Item, None, None]) -> Generator[Item, None, None]:
    """The same blocks in the same order, each begun before it is asked for; what goes wrong is raised in its place.

    Whoever does not take all of them closes this generator: it waits for its thread, and must not be left to the
    garbage collector, which may come by in that very thread.
    """
    # The blocks are closed after the thread has ended: nothing can be in the middle of one then.
    with closing(blocks), ThreadPoolExecutor(max_workers=1) as maker:
        following = maker.submit(next, blocks, None)
        while (block := following.result()) is not None:
            following = maker.submit(next, blocks, None)
            yield block

"""Work on several blocks at once, with the results in the order of the blocks.

Many steps on a block use one core only; with two blocks at work the other core is not idle. More would only
take more memory, since Polars divides the rest among all cores by itself.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

AT_ONCE = 2
Item = TypeVar("Item")
Result = TypeVar("Result")


def in_order(task: Callable[[Item], Result], items: Iterable[Item]) -> Generator[Result, None, None]:
    """The task's result for each item, in the order of the items; at most `AT_ONCE` are worked on.

    Whoever does not take all of them closes this generator: it waits for its threads, and must not be left to the
    garbage collector, which may come by in one of those.
    """
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        try:
            for item in items:
                waiting.append(pool.submit(task, item))
                if len(waiting) > AT_ONCE:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()

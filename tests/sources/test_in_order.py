"""Work on several blocks at once."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from rating.in_order import AT_ONCE, in_order

if TYPE_CHECKING:
    from collections.abc import Iterator


def test_in_order__results_come_in_the_order_of_the_items() -> None:
    second_done = threading.Event()

    def task(item: int) -> int:
        if item == 0:
            assert second_done.wait(10)  # the first is done last
        if item == 1:
            second_done.set()
        return item * item

    assert list(in_order(task, range(20))) == [item * item for item in range(20)]


def test_in_order__takes_no_more_items_than_are_worked_on() -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for item in range(10):
            taken.append(item)
            yield item

    results = in_order(lambda item: item, items())
    assert next(results) == 0
    assert len(taken) <= AT_ONCE + 1


def test_in_order__an_error_reaches_the_caller_and_ends_the_work() -> None:
    def task(item: int) -> int:
        if item == 3:
            raise ValueError(f"item {item}")
        return item

    done = []
    with pytest.raises(ValueError, match="item 3"):
        done.extend(iter(in_order(task, range(100))))
    assert threading.active_count() < 10

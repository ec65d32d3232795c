"""Blocks made ahead, and that nothing of it stays behind: a thread that is forgotten could wait for itself."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from rating.sources.ahead import ahead
from rating.sources.files import FoundFile
from rating.sources.native import read_native
from schemas.errors import InputRefused

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

HEADER = "call_id,start,caller,callee,duration_s\n"
ROW = "a,2026-10-14T08:00:00Z,+3225550101,+33142685300,60\n"


def counting(upto: int) -> Generator[int, None, None]:
    yield from range(upto)
    raise ValueError("no more")


def test_ahead__the_same_in_the_same_order_and_the_error_in_its_place() -> None:
    blocks = ahead(counting(5))
    assert [next(blocks) for _ in range(5)] == [0, 1, 2, 3, 4]
    with pytest.raises(ValueError, match="no more"):
        next(blocks)


def test_ahead__closed_early_it_leaves_no_thread() -> None:
    before = threading.active_count()
    blocks = ahead(counting(5))
    assert next(blocks) == 0
    blocks.close()
    assert threading.active_count() == before


@pytest.mark.parametrize(("content", "taken"), [("no,header,of,ours\n" + ROW, 0), (HEADER + ROW * 50, 1)])
def test_ahead__a_file_that_is_refused_or_left_leaves_no_thread(tmp_path: Path, content: str, taken: int) -> None:
    path = tmp_path / "calls.csv"
    path.write_text(content)
    before = threading.active_count()
    frames = read_native(FoundFile(str(path), "csv"), unterminated_last_line="quarantine", block_bytes=100).frames
    if taken:
        next(frames)
        frames.close()
    else:
        with pytest.raises(InputRefused):
            next(frames)
    assert threading.active_count() == before

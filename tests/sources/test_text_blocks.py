"""Blocks of text: together they are the file, each ends with a line end and knows how many it has."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest

from rating.sources.files import FoundFile
from rating.sources.lines import FIRST_BLOCK_BYTES, PEEKED_BYTES, text_blocks

if TYPE_CHECKING:
    from pathlib import Path

BLOCK_BYTES = 3 * PEEKED_BYTES
SHORT = b"a record\n"
# One has its line end before the part of a block that is looked at for one.
LONG = b"x" * (PEEKED_BYTES + 10) + b"\n"


@pytest.mark.parametrize("unit", [SHORT, SHORT * 3 + LONG, LONG * 2 + b"\n" * 7, b"z" * 100_000 + b"\r\n"])
@pytest.mark.parametrize("rest", [b"", b"no line end"])
@pytest.mark.parametrize("packed", [False, True])
def test_blocks__are_the_file(tmp_path: Path, unit: bytes, rest: bytes, *, packed: bool) -> None:
    content = unit * (5 * BLOCK_BYTES // len(unit)) + rest
    path = tmp_path / ("calls.csv.gz" if packed else "calls.csv")
    path.write_bytes(gzip.compress(content) if packed else content)
    blocks = list(text_blocks(FoundFile(str(path), "csv"), BLOCK_BYTES))
    assert b"".join(block.content for block in blocks) == content
    assert [block.last for block in blocks] == [False] * (len(blocks) - 1) + [True]
    assert blocks[-1].content == rest
    assert all(block.content.endswith(b"\n") for block in blocks[:-1])
    assert [block.line_ends for block in blocks] == [block.content.count(b"\n") for block in blocks]


def test_blocks__of_a_part_stay_within_it(tmp_path: Path) -> None:
    path = tmp_path / "calls.csv"
    path.write_bytes(SHORT * 100_000)
    begin, end = 1_000 * len(SHORT), 60_000 * len(SHORT) + 4
    blocks = list(text_blocks(FoundFile(str(path), "csv", begin=begin, end=end), BLOCK_BYTES))
    assert b"".join(block.content for block in blocks) == (SHORT * 100_000)[begin:end]


def test_blocks__of_short_lines_are_as_long_as_asked_for(tmp_path: Path) -> None:
    """They are read up to a line end, so nothing is left over to be put before the next."""
    path = tmp_path / "calls.csv"
    path.write_bytes(SHORT * 100_000)
    first, *others = [len(block.content) for block in text_blocks(FoundFile(str(path), "csv"), BLOCK_BYTES)]
    assert first <= FIRST_BLOCK_BYTES
    assert all(BLOCK_BYTES - len(SHORT) < length <= BLOCK_BYTES for length in others[1:-2])

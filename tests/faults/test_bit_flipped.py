"""A bit flipped in any file that the ledger names: `verify` refuses the store and names the file, and no other."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from tests.faults.stores import RUN, begin_anew

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.program import Place


@pytest.fixture(scope="module")
def stored(october: Place) -> list[Path]:
    """Every file of a month's store but the ledger and the lock."""
    begin_anew(october)
    done = october.start(*RUN)
    assert done.status == 0, done.stderr
    return [
        path.relative_to(october.folder)
        for path in sorted(october.store.rglob("*"))
        if path.is_file() and path.parent != october.store
    ]


def flipped(place: Place, path: Path, bits: list[int]) -> list[str]:
    """What `verify` does not say after each of these bits of a file was flipped, one at a time."""
    file, wrong = place.folder / path, []
    whole = file.read_bytes()
    for bit in bits:
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        file.write_bytes(damaged)
        told = place.start("verify")
        named = [line for line in told.stderr.splitlines() if line.startswith("look at this: ")]
        if told.status != 3 or named != [
            f"look at this: {path}: its SHA-256 is not the one in the ledger: it was altered"
        ]:
            wrong.append(f"{path}, bit {bit}: {told}")
    file.write_bytes(whole)
    return wrong


@pytest.mark.parametrize("each", [pytest.param(3, id="quick"), pytest.param(250, id="soak", marks=pytest.mark.soak)])
def test_verify__a_bit_flipped_in_any_stored_file_is_told_by_its_name(
    each: int, stored: list[Path], october: Place
) -> None:
    rng, wrong = random.Random(20261003), []
    for path in stored:
        size_bits = 8 * (october.folder / path).stat().st_size
        wrong += flipped(october, path, [rng.randrange(size_bits) for _ in range(each)])
    print(f"{each * len(stored)} bits flipped in {len(stored)} files")  # noqa: T201 - a count
    assert wrong == []
    assert october.start("verify").status == 0

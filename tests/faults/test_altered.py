"""A bit flipped in any stored file, one missing or put in: `verify` names it, who reads it refuses it by name."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from tests.faults.stores import begin_anew, contents

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.program import Place
    from tests.faults.stores import Step

LOOK = "look at this: "
ALTERED = "its SHA-256 is not the one in the ledger: it was altered"
LATER = ["--now", "2026-12-02T10:00:00Z"]
NEXT = ["run", "2026-11", "--platform", "platform", "--no-render", *LATER]


@pytest.fixture
def whole(october: Place, steps: dict[str, Step]) -> Place:
    """October with its documents."""
    begin_anew(october, steps["done"].begun)
    return october


def stored(place: Place) -> list[Path]:
    """Every file of a store but the ledger and the lock."""
    return [path for path in sorted(place.store.rglob("*")) if path.is_file() and path.parent != place.store]


def with_a_bit_flipped(content: bytes, bit: int) -> bytes:
    """The same but for one bit."""
    damaged = bytearray(content)
    damaged[bit // 8] ^= 1 << bit % 8
    return bytes(damaged)


def looked_at(place: Place) -> list[str]:
    """What `verify` finds, which is something."""
    told = place.start("verify")
    assert told.status == 3, told.stderr
    return [line.removeprefix(LOOK) for line in told.stderr.splitlines() if line.startswith(LOOK)]


@pytest.mark.parametrize("each", [pytest.param(4, id="quick"), pytest.param(250, id="soak", marks=pytest.mark.soak)])
def test_verify__a_bit_flipped_in_any_stored_file_is_told_by_its_name(each: int, whole: Place) -> None:
    rng, contents_of = random.Random(20261003), {path: path.read_bytes() for path in stored(whole)}
    expected = [f"{path.relative_to(whole.folder)}: {ALTERED}" for path in contents_of]
    for _ in range(each):
        # One bit of each file at a time: each is named, and for itself.
        for path, content in contents_of.items():
            path.write_bytes(with_a_bit_flipped(content, rng.randrange(8 * len(content))))
        assert looked_at(whole) == expected
    print(f"{each * len(contents_of)} bits flipped in {len(contents_of)} files")  # noqa: T201 - a count
    for path, content in contents_of.items():
        path.write_bytes(content)
    assert whole.start("verify").status == 0


@pytest.mark.parametrize(
    ("pattern", "arguments"),
    [
        ("calls/**/*.parquet", ["rerun", "2026-000001"]),
        ("calls/**/*.ids", ["read", "cdrs/november.csv", *LATER]),
        ("quarantine/read-*.parquet", ["quarantine", "2026-10"]),
        ("quarantine/unrated-*.parquet", NEXT),
        ("quarantine/unrated-*.parquet", ["export", "quarantine", "2026-10", "-o", "out.csv"]),
        ("rated/period=*/*.parquet", ["export", "rated", "2026-10", "-o", "out.csv"]),
        ("rated/period=*/*.parquet", ["explain", "pack1"]),
        ("rated/prices-*.parquet", ["explain", "pack1"]),
        ("rated/traffic-*.parquet", ["render", "2026-10"]),
        ("snapshots/*/rates.csv", ["rerun", "2026-000001"]),
        ("snapshots/*/rates.csv", ["render", "2026-10"]),
    ],
    ids=lambda value: value if isinstance(value, str) else value[0],
)
def test_store__who_reads_an_altered_file_refuses_it_by_name(pattern: str, arguments: list[str], whole: Place) -> None:
    path = max(whole.store.glob(pattern))
    path.write_bytes(with_a_bit_flipped(path.read_bytes(), 4 * path.stat().st_size))
    before = contents(whole.store)
    told = whole.start(*arguments)
    assert told.status == 3, told
    assert str(path.relative_to(whole.store)) in told.stderr + told.stdout
    assert "Traceback" not in told.stderr
    assert contents(whole.store) == before


def test_rerun__a_document_that_was_altered_since_is_told(whole: Place) -> None:
    path = next(whole.store.glob("invoices/**/*.pdf"))
    path.write_bytes(with_a_bit_flipped(path.read_bytes(), 100_000))
    told = whole.start("rerun", "2026-000001")
    assert told.status == 1
    assert f"{path.relative_to(whole.folder)}: {ALTERED}" in told.stderr


def remove(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize(
    ("path", "change", "says"),
    [
        ("rated/traffic-000001.parquet", remove, "the ledger names this file and it is missing"),
        ("invoices/2026/2026-000099.pdf", lambda path: path.write_bytes(b"%PDF"), "the ledger does not name this file"),
    ],
    ids=["missing", "forged"],
)
def test_verify__a_file_missing_or_put_in_is_named(
    path: str, change: Callable[[Path], object], says: str, whole: Place
) -> None:
    change(whole.store / path)
    assert looked_at(whole) == [f"store/{path}: {says}"]


def test_verify__what_a_dead_run_left_is_not_looked_at(whole: Place) -> None:
    for path in ("rated/000099.parquet", "invoices/2026-000001.pdf.77.writing"):
        (whole.store / path).write_bytes(b"%PDF")
    assert whole.start("verify").status == 0


@pytest.mark.parametrize("bits", [pytest.param(15, id="quick"), pytest.param(750, id="soak", marks=pytest.mark.soak)])
def test_verify__a_bit_flipped_in_the_ledger_is_told_or_is_one_that_says_nothing(bits: int, whole: Place) -> None:
    path, rng = whole.store / "ledger.duckdb", random.Random(20261005)
    content, before, told = path.read_bytes(), contents(whole.store), 0
    for _ in range(bits):
        bit = rng.randrange(8 * len(content))
        path.write_bytes(with_a_bit_flipped(content, bit))
        done = whole.start("verify")
        assert "Traceback" not in done.stderr, bit
        if done.status == 3:
            told += 1
        else:
            # A bit of a block that nothing uses.
            assert (done.status, contents(whole.store)) == (0, before), bit
    print(f"{bits} bits flipped in the ledger, {told} told")  # noqa: T201 - a count
    assert told

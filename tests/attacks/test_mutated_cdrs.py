"""Records mutated at random in a file of many: no traceback, each counted once, and their neighbours as they were."""

from __future__ import annotations

import random
from contextlib import closing
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl
import pytest

from rating.mediation import CONTENT
from rating.mediation import normalise_records as judge
from rating.sources.csv_rows import csv_frames
from rating.sources.lines import text_blocks
from rating.sources.native import NATIVE
from rating.sources.ndjson_rows import ndjson_frames
from rating.sources.rows import row_schema
from tests.attacks.test_damaged_cdrs import NOW
from tests.sources.written import found

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Call = tuple[Any, ...]

RECORDS, MUTATED_EVERY = 1600, 4
MUTATIONS_PER_FILE = RECORDS // MUTATED_EVERY
BLOCK_BYTES = 32 * 1024
QUICK_FILES, SOAK_FILES = 10, 2_500
HEADER = b"call_id,start,direction,caller,callee,duration_s,user_id\n"
FRAMES = {"csv": csv_frames, "ndjson": ndjson_frames}
SPLICED = (
    b"\0", b"\xff", b"\xef\xbb\xbf", "a,b".encode("utf-16"), b'"', b'""', b",", b"\r", b"\r\n", b"\n", b"\n\n", b"{",
    b"\\", b":", b"[", b"null", b"NaN", b"1e999", b"\xed\xa0\x80", "\u202e".encode(), b"'", b";", b"\x1b[2J", b"," * 50,
    b"}", b"9" * 400, b"-", b"=", b" ", b"\t",
)  # fmt: skip


class Mutated(NamedTuple):
    """What became of a line: its bytes, what is meant, and how many lines of the file may be another one for it."""

    line: bytes
    what: str
    touched: int


def record_of(number: int, file_format: str, rng: random.Random) -> bytes:
    """A line of a file: one call, written in one of the usual ways."""
    start = f"2026-10-{1 + number % 30:02d}T08:{number % 60:02d}:00Z"
    seconds = rng.choice(["0", "61", "61.5", "86400"])
    fields = [f"call-{number}", start, "outgoing", "+3225550101", f"+3314268{number:04d}", seconds, "u1"]
    if file_format == "csv":
        return (",".join(f'"{field}"' if rng.random() < 0.1 else field for field in fields) + "\n").encode()
    members = ",".join(
        f'"{name}":"{field}"' for name, field in zip(HEADER.decode().strip().split(","), fields, strict=True)
    )
    return f"{{{members}}}\n".encode()


def flipped(line: bytes, rng: random.Random) -> bytes:
    bit = rng.randrange(8 * len(line))
    changed = bytearray(line)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def cut(line: bytes, rng: random.Random) -> bytes:
    first, last = sorted(rng.choices(range(len(line) + 1), k=2))
    return line[:first] + line[last:]


def spliced(line: bytes, rng: random.Random) -> bytes:
    place = rng.randrange(len(line))
    return line[:place] + rng.choice(SPLICED) + line[place:]


def doubled(line: bytes, rng: random.Random) -> bytes:
    first, last = sorted(rng.choices(range(len(line) + 1), k=2))
    place = rng.randrange(len(line))
    return line[:place] + line[first:last] + line[place:]


def made_noise(line: bytes, rng: random.Random) -> bytes:
    first, last = sorted(rng.choices(range(len(line)), k=2))
    return line[:first] + rng.randbytes(last - first) + line[last:]


MUTATIONS: tuple[Callable[[bytes, random.Random], bytes], ...] = (flipped, cut, spliced, doubled, made_noise)


def mutated(line: bytes, rng: random.Random) -> Mutated:
    """A line mutated once. What ends its line end takes the next line with it; a line end more makes a line more."""
    mutation = rng.choice(MUTATIONS)
    changed = mutation(line, rng)
    joined = not changed.endswith(b"\n")
    return Mutated(changed, f"{mutation.__name__} {line!r} to {changed!r}", changed.count(b"\n") + 2 * joined)


def calls_in(path: Path, content: bytes, file_format: str) -> tuple[dict[str, list[Call]], int, int]:
    """The calls of a file by call_id, how many of its records were set aside, and how many it has."""
    path.write_bytes(content)
    with closing(text_blocks(found(path), BLOCK_BYTES)) as blocks:
        frames = list(FRAMES[file_format](blocks, str(path), NATIVE, set(), accept=False))
    records = pl.concat([pl.DataFrame(schema=row_schema(NATIVE)), *frames])
    calls, aside = judge(records, now=NOW, country_code="32")
    by_id: dict[str, list[Call]] = {}
    for call_id, *content_of in calls.select("call_id", *CONTENT).iter_rows():
        by_id.setdefault(call_id, []).append(tuple(content_of))
    assert aside["reason"].null_count() == 0
    return by_id, aside.height, records.height


def wrong_with(path: Path, seed: int, file_format: str) -> list[str]:
    """What is not as it should be in a file of which every fourth record is mutated."""
    rng = random.Random(seed)
    head = HEADER if file_format == "csv" else b""
    lines = [record_of(number, file_format, rng) for number in range(RECORDS)]
    before, aside, _ = calls_in(path, head + b"".join(lines), file_format)
    assert (len(before), aside) == (RECORDS, 0)
    kept, touched, told = set(before), 0, []
    for number in range(1, RECORDS, MUTATED_EVERY):
        line = lines[number]
        change = mutated(line, rng)
        lines[number] = change.line
        told.append(change.what)
        touched += change.touched
        kept -= {f"call-{number}"} | ({f"call-{number + 1}"} if not change.line.endswith(b"\n") else set())
    after, aside, records = calls_in(path, head + b"".join(lines), file_format)
    others = sum(len(calls) for calls in after.values()) - len(kept)
    # A mutated record may come to have the id of another one, which stands beside it unchanged.
    changed = [call_id for call_id in kept if before[call_id][0] not in after.get(call_id, [])]
    wrong = [f"{call_id} is another call, or none" for call_id in changed]
    if others + aside + len(kept) != records:
        wrong.append(f"{records} records, {others + len(kept)} calls and {aside} set aside")
    if others + aside > touched:
        wrong.append(f"{others} calls and {aside} records set aside of {touched} lines that were touched")
    return [f"seed {seed}, {file_format}: {what}; {told}" for what in wrong]


@pytest.mark.parametrize(
    ("seeds"),
    [
        pytest.param(range(QUICK_FILES), id="quick"),
        pytest.param(range(QUICK_FILES, SOAK_FILES), id="soak", marks=pytest.mark.soak),
    ],
)
@pytest.mark.parametrize("file_format", sorted(FRAMES))
def test_r_conservation__a_mutated_record_is_counted_once_and_leaves_its_neighbours_as_they_were(
    file_format: str, seeds: range, tmp_path: Path
) -> None:
    path = tmp_path / f"a.{file_format}"
    wrong = [what for seed in seeds for what in wrong_with(path, seed, file_format)]
    print(f"{len(seeds) * MUTATIONS_PER_FILE} mutations of {file_format}")  # noqa: T201 - a count
    assert wrong == []

"""Files made to fill the memory: refused or set aside with a clear message, in bounded memory and time."""

from __future__ import annotations

import gzip
import io
import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pyarrow as pa

from tests.golden.sample_run import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HEADER = b"call_id,start,caller,callee,duration_s\n"
RECORD = b"a,2026-10-01T08:00:00Z,+3225550101,+33142685300,60\n"
MOST_MIB, CPU_LIMIT_S = 700, 60
# Reads each file as `read` does, says what it got, and how much more memory this process had at most.
READS = """
import json, resource, sys
from datetime import UTC, datetime
from pathlib import Path
from rating.mediation import normalise_records
from rating.sources.native import read_native
from schemas.errors import InputRefused
from tests.sources.written import found

resource.setrlimit(resource.RLIMIT_CPU, (CPU_LIMIT_S, CPU_LIMIT_S))
before, told = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, {}
for path in map(Path, sys.argv[1:]):
    calls, aside, refused = 0, 0, ""
    try:
        for frame in read_native(found(path), unterminated_last_line="quarantine").frames:
            taken, left = normalise_records(frame, now=datetime(2026, 11, 2, tzinfo=UTC), country_code="32")
            calls, aside = calls + taken.height, aside + left.height
    except InputRefused as refusal:
        refused = str(refusal)
    told[path.name] = (calls, aside, refused)
    print(path.name, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, file=sys.stderr)
print(json.dumps([told, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024]))
""".replace("CPU_LIMIT_S", str(CPU_LIMIT_S))
GROWS = "unpacked it is more than 200 times its size"


def zeros(size_mib: int, fill: bytes) -> bytes:
    """A gzip of so much of one text over and over, after a good record."""
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as stream:
        stream.write(HEADER + RECORD)
        chunk = fill * ((1 << 20) // len(fill))
        for _ in range(size_mib):
            stream.write(chunk)
    return packed.getvalue()


def wide_ndjson(columns: int) -> bytes:
    return b"{" + b",".join(b'"%d":1' % column for column in range(columns)) + b"}\n"


# What a file holds, how many of its records are calls or set aside, or why it is refused.
FILES: dict[str, tuple[Callable[[], bytes], int, int, str]] = {
    "one line.csv.gz": (lambda: zeros(64, b"0"), 0, 0, GROWS),
    "lines.csv.gz": (lambda: zeros(24, b"x\n"), 0, 0, GROWS),
    "zstd.csv.zst": (lambda: pa.compress(HEADER + b"0" * (64 << 20), "zstd", asbytes=True), 0, 0, GROWS),
    "packed.parquet.gz": (lambda: zeros(64, b"0"), 0, 0, GROWS),
    "small lines.csv": (lambda: HEADER + b"\n" * 8_000_000 + b"x\n" * 1_000_000 + RECORD, 1, 1_000_000, ""),
    "wide row.csv": (lambda: HEADER + RECORD + b"," * 10_000_000 + b"\n" + RECORD, 2, 1, ""),
    "wide header.csv": (lambda: b"c," * 10_000_000 + HEADER + RECORD, 0, 0, "the header cannot be read"),
    "many columns.csv": (lambda: b"c," * 400_000 + HEADER + RECORD, 0, 0, "400005 columns, expected at most 1000"),
    "wide object.ndjson": (lambda: wide_ndjson(10_000_000), 0, 1, ""),
}


def test_read__files_made_to_fill_the_memory_do_not(tmp_path: Path) -> None:
    for name, (content, *_) in FILES.items():
        (tmp_path / name).write_bytes(content())
    done = subprocess.run(
        [sys.executable, "-c", READS, *(str(tmp_path / name) for name in FILES)],
        cwd=REPOSITORY, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told, most_mib = json.loads(done.stdout)
    for name, (_, calls, aside, refused) in FILES.items():
        found_calls, found_aside, said = told[name]
        assert bool(said) == bool(refused), (name, told[name])
        if refused:
            assert refused in said
            assert name in said
        else:
            assert (found_calls, found_aside) == (calls, aside), name
    assert most_mib < MOST_MIB, done.stderr

"""Reading text: what the program's sources take for a file beside what Polars takes to parse it as text.

`python -m tests.bench.texts WHO FILE` does it once, in a process of its own: `polars` or `centime`.
"""

from __future__ import annotations

import gzip
import json
import shutil
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pyarrow as pa

from rating.sources.files import find_files
from rating.sources.native import read_native
from tests.bench.calls import COLUMNS
from tests.bench.figures import Figure, figure_of
from tests.bench.generate import write_records
from tests.bench.measure import Cost, measured, middle, repeated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bench.month import Month

BENCH = "text"
FORMATS = ("csv", "csv.gz", "csv.zst", "ndjson", "ndjson.gz", "ndjson.zst")
TIMES_AT_MOST = 2
ROUNDS = 3  # in turns: what else the machine does meets both
READ = "csv"  # of which the whole command is measured where there is little time


def text_figures(month: Month, name: str, *, thorough: bool) -> Iterator[Figure]:
    """Each format: the bare sources in times of Polars, and the whole command `read`.

    Args:
        month: Its calls.
        name: Its size in words.
        thorough: Whether each is measured several times in turns, and the command of each format.
    """
    folder = month.place / "text"
    for suffix in FORMATS:
        path = folder / f"calls.{suffix}"
        folder.mkdir(parents=True, exist_ok=True)
        write_records(pl.concat([pl.read_parquet(file) for file in month.files]), path)
        rounds = [(_once("polars", path), _once("centime", path)) for _ in range(ROUNDS if thorough else 1)]
        polars, ours = (middle(costs) for costs in zip(*rounds, strict=True))
        target = f"at most {TIMES_AT_MOST}"
        yield figure_of(BENCH, f"{name}, {suffix}: Polars", polars)
        yield figure_of(BENCH, f"{name}, {suffix}: the sources", ours, polars, "times Polars", target=target)
        if thorough or suffix == READ:
            month.forget_store()
            read = month.centime("read", str(path))
            whole = "with start, checks, repeats and storing"
            yield figure_of(BENCH, f"{name}, {suffix}: centime read", read, polars, "times Polars", note=whole)
        shutil.rmtree(folder)


def _once(who: str, path: Path) -> Cost:
    """The cost of parsing a file as its own process tells it, with the most memory that it took."""
    cost = measured([sys.executable, "-m", "tests.bench.texts", who, str(path)])
    told = json.loads(cost.output)
    return Cost(told["wall_s"], told["cpu_s"], cost.peak_mib)


def parse_with_polars(path: Path) -> pl.DataFrame:
    """All columns as text; what is compressed is first decompressed whole."""
    content: bytes | Path = path
    if path.suffix == ".gz":
        content = gzip.decompress(path.read_bytes())
    elif path.suffix == ".zst":
        with pa.OSFile(str(path), "rb") as packed, pa.CompressedInputStream(packed, "zstd") as stream:
            content = stream.read()
    if ".csv" in path.suffixes:
        return pl.read_csv(content, infer_schema=False)
    return pl.read_ndjson(content, schema=dict.fromkeys(COLUMNS, pl.String))


def parse_with_sources(path: Path) -> int:
    """As `read` does before it judges the records; gives how many there are."""
    file = find_files([str(path)]).files[0]
    return sum(frame.height for frame in read_native(file, unterminated_last_line="quarantine").frames)


if __name__ == "__main__":
    given = Path(sys.argv[2])
    parse = {"polars": parse_with_polars, "centime": parse_with_sources}[sys.argv[1]]
    print(json.dumps(asdict(repeated(lambda: parse(given)))))  # noqa: T201

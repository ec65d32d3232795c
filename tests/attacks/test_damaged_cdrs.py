"""A CDR file cut, flipped, spliced or padded: each record is a call or set aside, and its neighbours stay the same."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from rating.mediation import CONTENT, normalise_records
from rating.sources.native import NATIVE, read_native
from rating.sources.rows import row_schema
from schemas.errors import InputRefused
from tests.sources.written import found

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

CSV = b"""\
call_id,start,caller,callee,duration_s,user_id
a1,2026-10-01T08:00:00Z,+3225550101,+33142685300,100,u1
"b2",2026-10-01T08:01:00.5+02:00,+3225550101,"+33142685300",61,u1
c3,2026-10-01T08:02:00Z,+3225550101,112,0,
"""
NDJSON = b"""\
{"call_id":"a1","start":"2026-10-01T08:00:00Z","caller":"+3225550101","callee":"112","duration_s":100}
{"call_id":"b2","start":"2026-10-01T08:01:00Z","caller":"+3225550101","callee":"112","duration_s":"61"}
"""
BLOCK_BYTES = 4096
LINE_END, LINES_APART = ord("\n"), 1000
NOTHING = pl.DataFrame(schema=row_schema(NATIVE))
NOW = datetime(2026, 11, 2, tzinfo=UTC)
REFUSED = "refused"
Call = tuple[Any, ...]


def taken(path: Path, contents: Sequence[bytes]) -> list[tuple[set[Call], int] | str]:
    """What each content of a file gives: its calls, and how many of its records are set aside; or that it is refused.

    Each is read by itself; the records of all of them are judged at once, for speed, apart by their lines.
    """
    read: list[pl.DataFrame | str] = []
    for content in contents:
        path.write_bytes(content)
        try:
            rows = read_native(found(path), unterminated_last_line="quarantine", block_bytes=BLOCK_BYTES)
            read.append(pl.concat([NOTHING, *(frame.select(NOTHING.columns) for frame in rows.frames)]))
        except InputRefused as refusal:
            read.append(REFUSED if path.name in str(refusal) else f"refused without its name: {refusal}")
    records = pl.concat(
        frame.with_columns(pl.col("source_line") + place * LINES_APART)
        for place, frame in enumerate(read)
        if isinstance(frame, pl.DataFrame)
    )
    calls, quarantined = normalise_records(records, now=NOW, country_code="32")
    assert calls.height + quarantined.height == records.height
    assert quarantined["reason"].null_count() == 0
    of_each: dict[int, set[Call]] = defaultdict(set)
    for line, *call in calls.select("source_line", "call_id", *CONTENT).iter_rows():
        of_each[line // LINES_APART].add(tuple(call))
    aside = Counter(line // LINES_APART for line in quarantined["source_line"])
    return [frame if isinstance(frame, str) else (of_each[place], aside[place]) for place, frame in enumerate(read)]


def lines_of(text: bytes) -> list[tuple[int, int]]:
    """Where each line of a file begins and ends."""
    ends = [place + 1 for place, byte in enumerate(text) if byte == LINE_END]
    return list(zip([0, *ends[:-1]], ends, strict=True))


class Damage:
    """A file of one format, damaged over and over under one name."""

    def __init__(self, path: Path, whole: bytes, *, header: bool) -> None:
        self.path, self.whole = path, whole
        self.spans = lines_of(whole)[header:]
        self.calls_by_line = [self._call_of(span, header=header) for span in self.spans]

    def _call_of(self, span: tuple[int, int], *, header: bool) -> Call:
        head = self.whole[: self.whole.index(b"\n") + 1] if header else b""
        (read,) = taken(self.path, [head + self.whole[slice(*span)]])
        assert isinstance(read, tuple)
        ((call,), aside) = read
        assert aside == 0
        return call

    def told(self, read: tuple[set[Call], int] | str, first: int, last: int) -> str:
        """What is wrong with how a file was taken whose bytes from first to last were damaged; empty if nothing is."""
        if isinstance(read, str):
            return "" if read == REFUSED else read
        calls, aside = read
        kept = {
            call
            for call, (begin, end) in zip(self.calls_by_line, self.spans, strict=True)
            if last < begin or first >= end
        }
        touched = len(self.spans) - len(kept)
        if not kept <= calls:
            return f"bytes {first} to {last}: {kept - calls} lost, {aside} set aside"
        if len(calls - kept) > touched:
            return f"bytes {first} to {last}: {calls - kept} out of {touched} damaged lines"
        return ""


@pytest.fixture(params=["csv", "ndjson"])
def damage(request: pytest.FixtureRequest, tmp_path: Path) -> Damage:
    """A small file of each format of text."""
    if request.param == "csv":
        return Damage(tmp_path / "a.csv", CSV, header=True)
    return Damage(tmp_path / "a.ndjson", NDJSON, header=False)


def test_r_record__a_file_cut_at_any_byte_gives_the_lines_before_and_no_other(damage: Damage) -> None:
    body = damage.spans[0][0]
    cuts = range(body + 1, len(damage.whole))
    for cut, read in zip(cuts, taken(damage.path, [damage.whole[:cut] for cut in cuts]), strict=True):
        whole = {call for call, (_, end) in zip(damage.calls_by_line, damage.spans, strict=True) if end <= cut}
        assert read == (whole, int(cut not in {end for _, end in damage.spans})), cut


def flipped_at(flips: Sequence[tuple[int, int]], damage: Damage) -> list[str]:
    """What is wrong after each of these bits (byte, bit) was flipped, one at a time."""
    contents = []
    for place, bit in flips:
        flipped = bytearray(damage.whole)
        flipped[place] ^= 1 << bit
        contents.append(bytes(flipped))
    print(f"{len(flips)} bits flipped")  # noqa: T201 - a count
    # A line end that is none any more joins a line to the one after it.
    told = [
        damage.told(read, place, place + (damage.whole[place] == LINE_END))
        for (place, _), read in zip(flips, taken(damage.path, contents), strict=True)
    ]
    return [what for what in told if what]


def test_r_record__a_bit_flipped_in_each_byte_costs_the_lines_it_is_in_and_no_other(damage: Damage) -> None:
    assert flipped_at([(place, place % 8) for place in range(damage.spans[0][0], len(damage.whole))], damage) == []


@pytest.mark.soak
def test_r_record__any_bit_flipped_costs_the_lines_it_is_in_and_no_other(damage: Damage) -> None:
    body = range(damage.spans[0][0], len(damage.whole))
    assert flipped_at([(place, bit) for place in body for bit in range(8)], damage) == []


@pytest.mark.parametrize(
    ("first", "content", "verdict"),
    [
        ("NUL", b"\0\n", (1, 1)),
        ("a byte order mark", "\ufeff".encode(), (1, 0)),
        ("UTF-16", "a,b,c\n".encode("utf-16"), (0, 2)),
        ("half a record", CSV[60:80] + b"\n", (1, 1)),
        ("a record in the middle of another", CSV[60:80] + CSV[60:80] + b"\n", (1, 1)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_r_record__what_is_spliced_in_is_set_aside(
    first: str, content: bytes, verdict: tuple[int, int], tmp_path: Path
) -> None:
    del first
    head, record = CSV.splitlines(keepends=True)[:2]
    path = tmp_path / "a.csv"
    (read,) = taken(path, [head + content + record])
    assert isinstance(read, tuple)
    assert (len(read[0]), read[1]) == verdict

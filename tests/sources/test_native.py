"""The native form: the same calls from every format, and a month of dirt that costs its own rows only."""

from __future__ import annotations

import gzip
import io
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import polars as pl
import pytest

from rating.mediation import normalise_records, with_records
from rating.sources.native import read_native
from schemas.errors import InputRefused
from tests.sources.written import found

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 2, 6, 0, tzinfo=UTC)
CALLS = pl.DataFrame(
    {
        "call_id": ["c1", "c2", "c3"],
        "start": [datetime(2026, 10, 1, 8, 0, second, 250_000, tzinfo=UTC) for second in range(3)],
        "caller": ["+3225550101", "anonymous", "1771"],
        "callee": ["+33142685300", "112", "+3225550102"],
        "duration_s": [60, 0, 86_400],
        "direction": ["outgoing", "incoming", "outgoing"],
        "user_id": ["u1", None, "u2"],
    }
)
AS_TEXT = CALLS.with_columns(
    start=pl.col("start").dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ"), duration_s=pl.col("duration_s").cast(pl.String)
)


def mediate(path: Path, *, unterminated: str = "quarantine") -> tuple[pl.DataFrame, pl.DataFrame]:
    frames = read_native(found(path), unterminated_last_line=unterminated).frames
    parts = [normalise_records(frame, now=NOW, country_code="32") for frame in frames]
    return pl.concat([calls for calls, _ in parts]), pl.concat([quarantine for _, quarantine in parts])


def written(name: str) -> bytes:
    """The three calls in the format that the name says."""
    content = io.BytesIO()
    if ".typed.parquet" in name:
        CALLS.write_parquet(content)
    elif ".parquet" in name:
        AS_TEXT.write_parquet(content)
    elif ".csv" in name:
        AS_TEXT.write_csv(content, quote_style="always" if "quoted" in name else "necessary")
    elif "figures" in name:
        AS_TEXT.with_columns(CALLS["duration_s"]).write_ndjson(content)
    else:
        AS_TEXT.write_ndjson(content)
    return gzip.compress(content.getvalue(), mtime=0) if name.endswith(".gz") else content.getvalue()


@pytest.mark.parametrize(
    "name",
    ["a.csv", "quoted.csv", "a.csv.gz", "a.ndjson", "figures.ndjson", "a.jsonl.gz", "a.parquet", "a.typed.parquet"],
)
def test_native__every_format_gives_the_same_calls(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(written(name))
    calls, quarantine = mediate(path)
    assert quarantine.is_empty()
    assert calls.select(CALLS.columns).equals(CALLS)
    first = 2 if ".csv" in name else 1
    assert calls["source_line"].to_list() == [first, first + 1, first + 2]


def test_native__optional_columns_may_be_absent_and_unknown_ones_are_told(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"trunk,duration_s,callee,caller,start,call_id\nt1,1,112,,2026-10-01T08:00:00Z,c1\n")
    rows = read_native(found(path), unterminated_last_line="quarantine")
    calls = pl.concat(normalise_records(frame, now=NOW, country_code="32")[0] for frame in rows.frames)
    assert calls.select("call_id", "caller", "direction", "user_id").rows() == [("c1", "anonymous", "outgoing", None)]
    assert rows.unknown_columns == {"trunk"}


def test_native__what_is_set_aside_or_comes_again_keeps_its_line(tmp_path: Path) -> None:
    lines = ["1,c1,112,2026-10-01T08:00:00Z, anonymous", "x,c2,112,2026-10-01T08:00:00Z,", ",c3,,,"]
    path = tmp_path / "a.csv"
    path.write_text("\n".join(["duration_s,call_id,callee,start,caller", *lines, ""]))
    (records,) = read_native(found(path), unterminated_last_line="quarantine").frames
    calls, quarantine = normalise_records(records, now=NOW, country_code="32")
    assert with_records(calls, records)["record"].to_list() == lines[:1]
    assert quarantine["record"].to_list() == lines[1:]


def test_native__a_file_without_a_required_column_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"call_id,start,caller,callee\n")
    with pytest.raises(InputRefused, match=r"a\.csv") as refused:
        list(read_native(found(path), unterminated_last_line="quarantine").frames)
    assert "duration_s: missing" in refused.value.problems[0].sentence()


def test_native__parquet_types_that_are_no_time_or_text_are_judged_row_by_row(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    CALLS.with_columns(
        start=pl.col("start").dt.replace_time_zone(None), caller=pl.lit(3225550101), duration_s=pl.lit(1.5)
    ).write_parquet(path)
    calls, quarantine = mediate(path)
    assert calls.is_empty()
    assert quarantine["detail"].str.starts_with("start '2026-10-01 08:00:00.250000' cannot be read").to_list()[0]
    assert '"call_id":"c1"' in quarantine["record"][0]


def test_native__a_cut_last_line_is_set_aside_unless_accepted(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    header, *lines = AS_TEXT.select("call_id", "start", "caller", "callee", "duration_s").write_csv().splitlines()
    path.write_text("\n".join([header, *lines])[:-3])  # 86400 has become 86
    calls, quarantine = mediate(path)
    assert calls["call_id"].to_list() == ["c1", "c2"]
    assert quarantine.select("call_id", "reason", "source_line").rows() == [(None, "malformed", 4)]
    assert mediate(path, unterminated="accept")[0]["duration_s"].to_list() == [60, 0, 86]

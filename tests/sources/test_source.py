"""A source turns records into native columns, wherever they come from, and says of each what becomes of it."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl
import pytest

from rating.sources import kamailio
from rating.sources.rows import ROW
from rating.sources.source import Head, Options, Unreadable, native_rows

EMPTY = Head("a database", (), frozenset(), "", empty=True)


def test_source__records_need_no_file() -> None:
    source = kamailio.source(Options(timezone="UTC"), EMPTY)
    row = {
        "sip_call_id": "a@b", "sip_from_tag": "f", "sip_to_tag": "t", "src_username": "+3225550101",
        "dst_username": "112", "call_start_time": "2026-10-01 08:00:00", "duration": "60",
    }  # fmt: skip
    assert set(row) == set(source.wanted.columns)
    frame = pl.DataFrame([{"source_line": 1, "record": "", "fault": None, **row}], schema_overrides=ROW)
    (native,) = source.to_native(frame).to_dicts()
    assert (native["call_id"], native["start"], native["duration_s"]) == (
        "a@b f t",
        datetime(2026, 10, 1, 8, tzinfo=UTC),
        "60",
    )
    assert (native["fault"], native["skipped"]) == (None, None)


@pytest.mark.parametrize(
    ("fault", "kind", "verdict"),
    [
        (None, "call", (None, None)),
        (None, "leg", ("a leg", None)),
        # What is left out is not judged any further, and what is no row is not left out.
        (None, "odd leg", ("a leg", None)),
        ("cut", "leg", (None, "cut")),
        (None, "odd", (None, "kind 'odd' cannot be read; expected call or leg")),
        (None, "", (None, "kind (empty) cannot be read; expected call or leg")),
        (None, None, (None, "kind (empty) cannot be read; expected call or leg")),
    ],
)
def test_source__each_record_has_one_verdict(
    fault: str | None, kind: str | None, verdict: tuple[str | None, str | None]
) -> None:
    rows = pl.DataFrame(
        {"source_line": [1], "record": ["r"], "fault": [fault], "kind": [kind]}, schema={**ROW, "kind": pl.String}
    )
    known = pl.col("kind").is_in(["call", "leg"]).fill_null(value=False)
    native = native_rows(
        rows,
        skipped={"a leg": pl.col("kind").str.ends_with("leg")},
        unreadable=(Unreadable("kind", ~known, "call or leg"),),
        call_id=pl.lit("c"),
    )
    assert native.select("skipped", "fault").row(0) == verdict

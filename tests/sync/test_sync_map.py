"""`sync.toml`: the example that the documentation names says what it seems to."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from rating.sources.sync_map import load_sync_map, mapped

EXAMPLE = Path(__file__).resolve().parents[2] / "sample_cdrs/sync.toml"
USERS = pl.DataFrame(
    [
        ("u1", "atelier.pbx.example", None),
        ("u2", "bakkerij.pbx.example", "premium"),
        ("u3", "bakkerij.pbx.example", "other"),
        ("u4", "test.pbx.example", None),
        ("carrier-trunk", "from-trunk", None),
    ],
    schema=["user_id", "domain", "class"],
    orient="row",
)
NUMBERS = pl.DataFrame(
    [
        ("+3225550101", "atelier.pbx.example", "u1"),
        ("+33142685300", "bakkerij.pbx.example", None),
        ("+3280012345", "atelier.pbx.example", None),
        ("+3225550199", "atelier.pbx.example", None),
    ],
    schema=["number", "domain", "user_id"],
    orient="row",
)


def test_example__maps_customers_classes_and_first_digits() -> None:
    found = mapped(load_sync_map(EXAMPLE), "test", USERS, NUMBERS)
    assert found["users"].rows() == [
        ("u1", "C001", "user-standard"),
        ("u2", "C002", "user-premium"),
        ("u3", "C002", "user-standard"),
    ]
    assert found["numbers"].rows() == [
        ("+3225550101", "C001", "BE", "u1", "number-be", None),
        ("+33142685300", "C002", "FR", None, "number-fr", None),
        ("+3280012345", "C001", "BE", None, None, "freephone"),
    ]

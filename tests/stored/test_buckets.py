"""Buckets of customers: every call comes out once, whole customers together, in columns of one piece."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest

from invoicing import buckets
from invoicing.store import open_store
from rating.coding import coded
from rating.periods import Period
from rating.pipeline import match_calls
from schemas.settings import RatingSettings
from tests.rules.frames import calls, platform

if TYPE_CHECKING:
    from pathlib import Path

CUSTOMERS = ("c1", "c2", "c3")
TABLES = platform(
    customers=[{"customer_id": customer} for customer in CUSTOMERS],
    contracts=[{"contract_id": f"k-{customer}", "customer_id": customer} for customer in CUSTOMERS],
    customer_decks=[{"customer_id": customer} for customer in CUSTOMERS],
    users=[{"user_id": f"u-{customer}", "customer_id": customer} for customer in CUSTOMERS],
    zones=[{"zone_id": "FR-FIX"}],
    rates=[{"prefix": "33", "zone_id": "FR-FIX"}],
)
BLOCKS = [
    calls(*({"call_id": f"{block}-{customer}", "user_id": f"u-{customer}"} for customer in CUSTOMERS))
    for block in range(4)
]


@pytest.mark.parametrize(("calls_per_bucket", "expected"), [(100, 1), (4, 3)])
def test_buckets__give_each_call_once_by_customers_in_one_piece(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, calls_per_bucket: int, expected: int
) -> None:
    monkeypatch.setattr(buckets, "CALLS_PER_BUCKET", calls_per_bucket)
    lookups = coded(TABLES)
    matched = [match_calls(block, lookups, RatingSettings(), Period.parse("2026-10")).calls for block in BLOCKS]
    store = open_store(tmp_path / "a [1]*", create=True)
    with buckets.Buckets(store, lookups, sum(block.height for block in matched)) as divided:
        for place, block in enumerate(matched):
            divided.put(f"calls/{place}.parquet", block)
        found = [divided.take(number) for number in divided.numbers]
        assert list(tmp_path.rglob("*-calls-*.parquet")) == []  # what was taken is gone
    assert len(found) == expected
    assert pl.concat(found).sort("call_id").equals(pl.concat(matched).sort("call_id"))
    customers = [customer for bucket in found for customer in bucket["customer_id"].unique()]
    assert sorted(customers) == list(CUSTOMERS)
    # Rows are taken out of many pieces at nine times the time.
    assert [bucket.n_chunks("all") for bucket in found] == [[1] * bucket.width for bucket in found]


def test_buckets__what_calls_look_up_is_in_one_piece() -> None:
    lookups = coded(TABLES)
    looked_up = [lookups.numbers.rows, lookups.users.rows, lookups.suspensions.rows, lookups.tariffs.prices]
    assert {count for frame in looked_up for count in frame.n_chunks("all")} == {1}

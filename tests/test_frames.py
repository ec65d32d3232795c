"""Frames: what they keep in memory, and what stands before a row of the same key, as Polars gives it key by key."""

from __future__ import annotations

from itertools import product

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rating.frames import compact, opens_key, place_in_key, previous_in_key, running_sum

KEYS = st.tuples(st.sampled_from(["a", "b", None]), st.sampled_from([1, 2, None]))
ROWS = st.lists(st.tuples(KEYS, st.integers(-(10**12), 10**12)), max_size=30)
BY = ["name", "number"]


def sorted_rows(rows: list[tuple[tuple[str | None, int | None], int]]) -> pl.DataFrame:
    """The rows as a frame, those of one key together."""
    return pl.DataFrame(
        [(*key, step) for key, step in rows],
        schema={"name": pl.String, "number": pl.Int64, "step": pl.Int64},
        orient="row",
    ).sort(BY, maintain_order=True)


@given(rows=ROWS)
def test_frames__are_what_over_gives_for_each_key(rows: list[tuple[tuple[str | None, int | None], int]]) -> None:
    frame = sorted_rows(rows)
    found = frame.select(
        opens=opens_key(BY), place=place_in_key(BY), before=previous_in_key("step", BY), total=running_sum("step", BY)
    )
    expected = frame.select(
        opens=pl.int_range(pl.len()).over(BY) == 0,
        place=pl.int_range(pl.len()).over(BY),
        before=pl.col("step").shift(1).over(BY),
        total=pl.col("step").cum_sum().over(BY),
    )
    assert found.schema == expected.schema
    assert found.equals(expected)


@pytest.mark.parametrize("largest", [2**62, 2**63 - 1])
def test_frames__a_running_sum_is_not_lost_in_what_other_keys_sum(largest: int) -> None:
    frame = sorted_rows([((name, number), largest) for name, number in product("abc", (1, 2, 3))])
    assert frame.select(running_sum("step", BY)).to_series().to_list() == [largest] * 9


def buffer_bytes(frame: pl.DataFrame) -> int:
    """What the texts of a frame keep in memory."""
    texts = frame.select(pl.col(pl.String))
    return sum(column.to_arrow(compat_level=pl.CompatLevel.newest()).get_total_buffer_size() for column in texts)


def test_compact__a_few_rows_keep_no_more_than_their_own_texts() -> None:
    block = pl.DataFrame({"call_id": [f"a-call-with-a-long-name-{number:06d}" for number in range(100_000)]})
    block = block.with_columns(none=pl.lit(None, pl.String), place=pl.int_range(pl.len()))
    few = block.filter(pl.col("place") % 10_000 == 7)
    assert buffer_bytes(few) > 1_000_000
    assert compact(few).equals(few)
    assert compact(few).schema == few.schema
    assert buffer_bytes(compact(few)) < 10_000
    assert compact(block.clear()).equals(block.clear())

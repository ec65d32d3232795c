"""R-SECOND: per second, rounded up to the next cent, once, call by call."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from math import ceil

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from invoicing.traffic import traffic_lines
from rating.periods import Period
from rating.pricing import call_amount_cents
from tests.rules.frames import MICRO, platform, rate

LONGEST_S = 2 * 86_400  # a day, and an increment of one more
DEAREST = 100_000 * MICRO


def amount_cents(charged_s: int, rate_micro: int, setup_micro: int) -> int:
    frame = pl.DataFrame(
        {"s": [charged_s], "rate": [rate_micro], "setup": [setup_micro]},
        schema={"s": pl.Int64, "rate": pl.Int64, "setup": pl.Int64},
    )
    found: int = frame.select(call_amount_cents(pl.col("s"), pl.col("rate"), pl.col("setup"))).item()
    return found


@pytest.mark.parametrize(
    ("charged_s", "per_minute", "setup", "cents"),
    [
        (61, "0.05", "0", 6),  # 5.083 cents
        (60, "0.05", "0", 5),  # exactly 5
        (1, "0.000001", "0", 1),  # the smallest price there is
        (0, "0.05", "0.10", 0),  # nothing charged: no setup fee either
        (1, "0.05", "0.10", 11),
        (60, "0.05", "0.10", 15),
        (61, "0", "0.10", 10),
        (61, "0", "0", 0),
        (1, "0", "0.000001", 1),
        (60, "0.049999", "0.000001", 5),  # setup and minutes are rounded together: exactly 5
        (60, "0.05", "0.000001", 6),
        (59, "0.05", "0", 5),
        (12, "0.05", "0", 1),  # exactly 1
        (13, "0.05", "0", 2),
        (86_400, "100000", "100000", 14_410_000_000),
        (LONGEST_S, "100000", "100000", 28_810_000_000),
    ],
)
def test_r_second__rounded_up_once(charged_s: int, per_minute: str, setup: str, cents: int) -> None:
    assert amount_cents(charged_s, int(Decimal(per_minute) * MICRO), int(Decimal(setup) * MICRO)) == cents


@given(st.integers(0, LONGEST_S), st.integers(0, DEAREST), st.integers(0, DEAREST))
def test_r_second__agrees_with_exact_fractions(charged_s: int, rate_micro: int, setup_micro: int) -> None:
    euro = Fraction(charged_s * rate_micro, 60 * MICRO) + Fraction(setup_micro * (charged_s > 0), MICRO)
    assert amount_cents(charged_s, rate_micro, setup_micro) == ceil(100 * euro)


def test_r_second__a_line_sums_calls_that_were_rounded_each() -> None:
    tables = platform(
        users=[{"user_id": "u1"}],
        customer_decks=[{}],
        zones=[{"zone_id": "FR"}],
        rates=[{"prefix": "33", "zone_id": "FR"}],
    )
    found = rate(tables, *({"duration_s": 1} for _ in range(3)))
    assert found.calls["amount_cents"].to_list() == [1, 1, 1]
    lines = traffic_lines(found.calls, Period.parse("2026-10"))
    assert lines.select("quantity_micro", "net_cents", "rule").rows() == [(3 * MICRO, 3, "R-SECOND")]

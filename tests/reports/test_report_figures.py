"""The figures of the page, each by itself: income, changes, packs, what is billed without being used."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from invoicing.reports import attention, changes, income, minimums, pack_use
from rating.periods import Period
from schemas.platform import Platform, empty

OCTOBER = Period(2026, 10)


def lines(*rows: tuple[str, str, str | None, str | None, int, int]) -> pl.DataFrame:
    """Lines: customer, kind, product, zone, units, cents."""
    schema = {
        "customer_id": pl.String, "kind": pl.String, "product_id": pl.String, "zone_id": pl.String,
        "quantity_micro": pl.Int64, "net_cents": pl.Int64,
    }  # fmt: skip
    found = pl.DataFrame(rows, schema=schema, orient="row").with_columns(pl.col("quantity_micro") * 1_000_000)
    return found.with_columns(unit_price_micro=pl.lit(None, pl.Int64))


PRODUCTS = pl.DataFrame({"product_id": ["u1", "u2", "n"], "kind": ["user", "user", "number"]})


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        ([("c", "recurring", "u1", None, 3, 300)], [("c", "recurring", "u1", None, 15, 1500)],
         [("users", None, 12_000_000, 1200)]),
        ([("c", "recurring", "u1", None, 3, 300)], [("c", "recurring", "u2", None, 3, 450)],
         [("price", None, None, 150)]),
        ([("c", "recurring", "n", None, 2, 200)], [], [("units", "n", -2_000_000, -200)]),
        ([], [("c", "traffic", None, "FR", 60, 34_000)], [("traffic", "FR", None, 34_000)]),
        ([("c", "one_off", "n", None, 1, 500)], [("c", "credit", None, None, 1, -50)],
         [("one_off", None, None, -500), ("credit", None, None, -50)]),
        ([("c", "traffic", None, "FR", 60, 10)], [("c", "traffic", None, "FR", 90, 10)], []),
    ],
)  # fmt: skip
def test_reasons__say_which_lines_made_the_difference(
    before: list[tuple[str, str, str | None, str | None, int, int]],
    now: list[tuple[str, str, str | None, str | None, int, int]],
    expected: list[tuple[str, str | None, int | None, int]],
) -> None:
    found = changes.reasons(lines(*now), lines(*before), PRODUCTS)
    assert found.drop("customer_id").rows() == expected
    assert found["difference_cents"].sum() == sum(row[5] for row in now) - sum(row[5] for row in before)


def test_income__adds_up_to_both_months_and_tells_calls_by_zone() -> None:
    now = lines(
        ("c", "recurring", "u1", None, 1, 100), ("c", "traffic", None, "A", 1, 5), ("d", "traffic", None, "B", 1, 9)
    )
    before = lines(("c", "traffic", None, "A", 1, 7), ("c", "credit", None, None, 1, -3))
    assert income.income(now, before).rows() == [
        ("recurring", None, 1, 100, 0), ("traffic", "B", 1, 9, 0), ("traffic", "A", 1, 5, 7),
        ("credit", None, 0, 0, -3),
    ]  # fmt: skip


def counts(configured: int, billed: int, reference: int) -> pl.DataFrame:
    """One customer who is billed for more users than are configured."""
    row = {"customer_id": "c", "configured": configured, "billed": billed, "reserved": billed - configured}
    return pl.DataFrame([row | {"reference": reference}])


@pytest.mark.parametrize(
    ("configured", "billed", "reference", "expected"),
    [
        (85, 90, 100, [("2027-01", 5)]),  # the 10 % of 90 are 9: 85 are billed from January on
        (40, 90, 100, [
            ("2027-01", 9), ("2027-04", 8), ("2027-07", 7), ("2027-10", 6), ("2028-01", 6), ("2028-04", 5),
            ("2028-07", 4), ("2028-10", 4), ("2029-01", 1),
        ]),
        (7, 9, 9, [(None, 2)]),  # a tenth of 9 is none
        (8, 11, 12, [("2027-01", 1), ("2027-04", 1), (None, 1)]),
    ],
)  # fmt: skip
def test_falling_away__a_tenth_each_quarter_until_nobody_is_left(
    configured: int, billed: int, reference: int, expected: list[tuple[str | None, int]]
) -> None:
    reserved = counts(configured, billed, reference)
    found = minimums.falling_away(reserved, OCTOBER, "floor")
    assert found.select("period", "users").rows() == expected
    assert found["users"].sum() == billed - configured


PACKS = pl.DataFrame(
    {
        "product_id": ["small", "large"], "scope": ["customer"] * 2, "zones": [["FR"]] * 2,
        "included_minutes": [100, 300], "priority": [1, 1], "effective_from": [date(2026, 1, 1)] * 2,
        "notified_on": [date(2026, 1, 1)] * 2,
    }
)  # fmt: skip


def packed_platform() -> Platform:
    """Two packs of one zone: 100 minutes for 10 EUR, 300 for 20."""
    products = pl.DataFrame({"product_id": ["small", "large"], "kind": ["pack", "pack"]})
    prices = pl.DataFrame(
        {
            "product_id": ["small", "large"], "customer_id": [None, None], "unit_price_micro": [10_000_000, 20_000_000],
            "effective_from": [date(2026, 1, 1)] * 2, "notified_on": [date(2026, 1, 1)] * 2,
        },
        schema_overrides={"customer_id": pl.String},
    )  # fmt: skip
    return Platform(products=products, prices=prices, packs=PACKS, customers=empty("customers"))


def pool(product: str, allowance_s: int, used_s: int) -> pl.DataFrame:
    """What one customer drew from his pack."""
    row = {"customer_id": "c", "user_id": None, "product_id": product, "allowance_s": allowance_s, "used_s": used_s}
    schema = {"user_id": pl.String}
    return pl.DataFrame([row | {"calls": 1}], schema_overrides=schema)


@pytest.mark.parametrize(
    ("held", "charged_s", "charged_cents", "expected"),
    [
        # 10.00 and 25.00 beyond it against 20.00 and nothing beyond.
        (("small", 6000, 6000), 6000, 2500, [("large", 3500, 2000, 1500)]),
        (("small", 6000, 6000), 1200, 500, []),  # 15.00 against 20.00
        (("large", 18_000, 5000), 0, 0, [("small", 2000, 1000, 1000)]),
        (("large", 18_000, 7000), 0, 0, []),  # what lies beyond would cost nobody knows how much
        (("small", 3000, 3000), 9000, 9000, [("large", 9500, 4000, 5500)]),  # half a month: half of both packs
    ],
)
def test_cheaper_packs__compare_price_and_what_lies_beyond(
    held: tuple[str, int, int], charged_s: int, charged_cents: int, expected: list[tuple[str, int, int, int]]
) -> None:
    owners = pl.DataFrame(
        [("c", "u", "FR", charged_s, charged_cents), ("c", "u", "DE", 999, 9999)],
        schema=["customer_id", "user_id", "zone_id", "charged_s", "amount_cents"], orient="row",
    ).filter(pl.col("charged_s") > 0)  # fmt: skip
    found = pack_use.cheaper_packs(pool(*held), owners, packed_platform(), OCTOBER)
    assert found.select("other_id", "cost_cents", "other_cents", "saved_cents").rows() == expected


def test_packs__are_unused_used_exceeded_or_unlimited_and_spread_by_tenths() -> None:
    pools = pl.concat([pool("small", 6000, used) for used in (0, 100, 3000, 5999, 6000)])
    (row,) = pack_use.packs_by_product(pools).rows(named=True)
    assert (row["packs"], row["unused"], row["used"], row["exceeded"], row["unlimited"]) == (5, 1, 3, 1, 0)
    assert pack_use.use_distribution(pools).rows() == [
        ("small", 0, 2), ("small", 5, 1), ("small", 9, 1), ("small", 10, 1),
    ]  # fmt: skip


def test_set_aside__is_worth_the_average_call_or_second_and_conflicts_nothing() -> None:
    records = pl.DataFrame({"reason": ["conflict", "malformed"], "records": [4, 3]})
    unrated = pl.DataFrame({"reason": ["no_rate", "no_rate"], "duration_s": [60, 30]})
    assert attention.set_aside(records, unrated, 10, 900, 105).rows() == [
        ("conflict", False, 4, 0), ("malformed", False, 3, 32), ("no_rate", True, 2, 11),
    ]  # fmt: skip

"""Small typed frames for the tests of rules: each row says only what its case is about.

Rows are dicts by column. Days and times may be ISO text; a column left out takes the default below, else null.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from rating.coding import coded
from rating.number_keys import number_key
from rating.packs import open_pools, pack_contents
from rating.periods import Period
from rating.pipeline import (
    CALL_SCHEMA,
    POOL_SCHEMA,
    draws_of,
    match_calls,
    packs_used,
    rate_calls,
    with_prices,
)
from rating.platform_checks import TableRows, platform_problems
from rating.services import service_rows
from schemas.platform import SCHEMAS, Platform
from schemas.settings import RatingSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rating.frames import Schema

Row = dict[str, object]
Given = Mapping[str, object]
MICRO = 1_000_000
LONG_AGO = "2020-01-01"
SINCE: Row = {"effective_from": LONG_AGO, "notified_on": LONG_AGO}
DEFAULTS: dict[str, Row] = {
    "customers": {"name": "n", "street": "s", "postal_code": "1000", "city": "c", "country": "BE", "language": "fr",
                  "vat_category": "S"},
    "contracts": {"contract_id": "k1", "customer_id": "c1", "starts_on": LONG_AGO},
    "contract_items": {"contract_id": "k1", "quantity_micro": MICRO},
    "customer_decks": {"customer_id": "c1", "deck_id": "d", **SINCE},
    "users": {"customer_id": "c1", "product_id": "seat", "active_from": LONG_AGO},
    "numbers": {"customer_id": "c1", "country": "BE", "active_from": LONG_AGO},
    "subscriptions": {"customer_id": "c1", "quantity_micro": MICRO, "active_from": LONG_AGO},
    "products": {"label_fr": "p"},
    "prices": {"unit_price_micro": MICRO, **SINCE},
    "packs": {"scope": "customer", "zones": ["*"], "priority": 1, **SINCE},
    "zones": {"kind": "international", "label_fr": "z"},
    "rates": {"deck_id": "d", "rate_micro_per_min": 50_000, "setup_micro": 0, "first_increment_s": 1,
              "increment_s": 1, **SINCE},
    "charges": {"customer_id": "c1", "description": "d", "quantity_micro": MICRO, "unit_price_micro": MICRO},
    "credits": {"customer_id": "c1", "description": "d"},
    "suspensions": {"customer_id": "c1"},
}  # fmt: skip
CALL: Row = {
    "start": "2026-10-14T08:00:00Z", "direction": "outgoing", "caller": "+3225550101", "callee": "+33142685300",
    "duration_s": 60, "user_id": "u1", "file_no": 1, "source_line": 2,
}  # fmt: skip
WRITTEN_SCHEMA: Schema = {**CALL_SCHEMA, "caller": pl.String, "callee": pl.String}


def typed(rows: Sequence[Given], schema: Schema, defaults: Given) -> pl.DataFrame:
    """A frame of exactly these columns and types; a row may not name any other.

    Raises:
        KeyError: for a column that the schema has not.
    """
    for row in rows:
        if unknown := [name for name in row if name not in schema]:
            raise KeyError(*unknown)
    filled = [{name: _read({**defaults, **row}.get(name), dtype) for name, dtype in schema.items()} for row in rows]
    return pl.DataFrame(filled, schema=schema, orient="row")


def _read(cell: object, dtype: object) -> object:
    """ISO text as the day or time it is."""
    if isinstance(cell, str) and dtype == pl.Date:
        return date.fromisoformat(cell)
    if isinstance(cell, str) and isinstance(dtype, pl.Datetime):
        return datetime.fromisoformat(cell).astimezone(UTC)
    return cell


def platform(**tables: Sequence[Given]) -> Platform:
    """A platform of these rows; without `contracts`, customer `c1` has one since long ago."""
    given: dict[str, Sequence[Given]] = {"contracts": [{}], **tables}
    return Platform(**{
        table: typed(rows, dict(SCHEMAS[table].create_empty().schema), DEFAULTS[table])
        for table, rows in given.items()
    })  # fmt: skip


class Found(NamedTuple):
    """What rating made of some calls, as people read it; the draws with the names of their packs."""

    calls: pl.DataFrame
    unrated: pl.DataFrame
    draws: pl.DataFrame
    packs_used: pl.DataFrame
    reports: pl.DataFrame


def calls(*rows: Given) -> pl.DataFrame:
    """Accepted calls; those without a `call_id` are named by their place: `1`, `2`, ..."""
    numbered = [{"call_id": str(place), **row} for place, row in enumerate(rows, start=1)]
    written = typed(numbered, WRITTEN_SCHEMA, CALL)
    return written.with_columns(number_key(pl.col("caller")), number_key(pl.col("callee")))


def rate(
    tables: Platform,
    *rows: Given,
    period: str = "2026-10",
    onnet: str = "customer",
    billed_users: Sequence[Given] = (),
    used_before_s: int = 0,
) -> Found:
    """All calls of one period rated by a store that begins with it, in the order the rules give them."""
    month = Period.parse(period)
    lookups = coded(tables)
    matched = match_calls(calls(*rows), lookups, RatingSettings(onnet=onnet), month)
    billed: Schema = {"customer_id": pl.String, "product_id": pl.String, "quantity_micro": pl.Int64}
    pools = open_pools(
        service_rows(tables), pack_contents(tables, month), typed(billed_users, billed, {"customer_id": "c1"}), month
    )
    pools = (
        pools.with_row_index("pool_no")
        .with_columns(period_number=pl.lit(month.number, pl.Int32), used_before_s=pl.lit(used_before_s, pl.Int64))
        .select(POOL_SCHEMA.keys())
    )
    rated = rate_calls(matched.calls, pools, lookups.tariffs.prices)
    priced = with_prices(rated.calls, lookups.tariffs.prices)
    return Found(
        priced,
        matched.unrated.sort("call_id"),
        draws_of(priced, rated.draws, pools),
        packs_used(pools, rated.used),
        matched.reports.sort("rule", "customer_id"),
    )


def problems(tables: Platform, *, allow_increments: bool = False) -> list[tuple[str, str, str]]:
    """Table, column and value of everything for which a run would refuse these tables."""
    read = {
        table: TableRows(table, frame.with_row_index("line", 2).with_columns(sound=True), complete=True)
        for table, frame in tables.frames().items()
    }
    found = platform_problems(read, allow_increments=allow_increments)
    return [(problem.table, problem.column, problem.value) for problem in found]

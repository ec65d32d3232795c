"""Months to make pages of: the small store's, and one with many customers or hostile names made from it."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import polars as pl

from invoicing.desk import Desk, Moment
from invoicing.ledger import Ledger
from invoicing.progress import Silent
from invoicing.reports.month import Month, issued_month
from invoicing.store import Store
from schemas.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOSTILE = (
    "</script><script>document.title='taken'</script>",
    '"><img src=x onerror=alert(1)>',
    "{{ 7 * 7 }} {% raw %}",
    "=1+1\u202egnp.exe\u0000",
    "<!-- ]]> &amp; '\"`\\ \u2028",
)  # fmt: skip


@contextmanager
def desk_at(store: Path, settings: Settings | None = None) -> Iterator[Desk]:
    """A desk that only looks."""
    ledger = Ledger(store / "ledger.duckdb", read_only=True)
    now = datetime(2026, 12, 2, 10, tzinfo=UTC)
    try:
        yield Desk(Store(store), ledger, settings or Settings(), now, now.date(), Moment("t", "v"), Silent())
    finally:
        ledger.close()


def last_month(store: Path) -> Month:
    """The last month that a store issued."""
    return month_of(store, -1)


def month_of(store: Path, place: int) -> Month:
    """A month that a store issued, by its place."""
    with desk_at(store) as desk:
        return issued_month(desk, desk.ledger.runs()[place], {"rating calls": 1.25})


def with_customers(month: Month, count: int) -> Month:
    """The same month with so many customers, each with one line and an invoice."""
    first = month.platform.customers.head(1)
    ids = pl.select(pl.format("k{}", pl.int_range(count).cast(pl.String).str.zfill(6)).alias("customer_id"))
    names = ids.with_columns(
        name=pl.when(pl.int_range(count) < len(HOSTILE))
        .then(pl.lit(pl.Series([*HOSTILE, *[""] * max(0, count - len(HOSTILE))]).head(count)))
        .otherwise(pl.format("Maison {} Étoile & Fils", pl.col("customer_id")))
    )
    customers = names.join(first.drop("customer_id", "name"), how="cross").select(first.columns)
    amount = pl.int_range(count, dtype=pl.Int64) * 7 % 9_973
    invoices = ids.select(
        pl.format("2026-{}", pl.int_range(count).cast(pl.String).str.zfill(6)).alias("invoice_number"), "customer_id",
        due_date=pl.lit(date(2026, 12, 31)), net_cents=amount, vat_cents=amount // 5, gross_cents=amount + amount // 5,
    )  # fmt: skip
    template = month.lines.head(1).drop("customer_id", "net_cents")
    lines = invoices.select("customer_id", "net_cents").join(template, how="cross").select(month.lines.columns)
    loaded = replace(month.loaded, platform=replace(month.platform, customers=customers))
    return replace(month, loaded=loaded, invoices=invoices, lines=lines, lines_before=lines.clear(), notes=[*HOSTILE])

"""Rated calls as the store has them: read again by rating, period, customer or moment, no more files than needed."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

import polars as pl

from invoicing.parquet_files import scan_parquet
from rating.pipeline import RATED_SCHEMA, with_prices

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from invoicing.ledger import Ledger, Rating
    from invoicing.store import Store
    from rating.periods import Period

# So many rated calls are read at once, of as many customers as they belong to; those of one customer always.
CALLS_AT_ONCE = 100_000


def rated_calls_of(
    store: Store,
    ledger: Ledger,
    rating: Rating,
    *,
    period: Period | None = None,
    customers: pl.Series | None = None,
) -> pl.DataFrame:
    """The rated calls of a rating (`RATED_SCHEMA`), by customer, start and call_id within a period and file.

    Args:
        store: Where they are.
        ledger: What names them.
        rating: Whose calls.
        period: Only the calls of this period.
        customers: Only the calls of these customers; files without any of them are not read.
    """
    paths = _files_of(ledger, rating, period, customers)
    if not paths:
        # Of most ratings of a store that is years old.
        return pl.DataFrame(schema=RATED_SCHEMA)
    shas = ledger.stored_files()
    prices = store.read_frame(rating.prices_path, shas[rating.prices_path])
    return read_rated(store, {path: shas[path] for path in paths}, prices, customers=customers)


def rated_call_of(
    store: Store, ledger: Ledger, rating: Rating, period: Period, call: pl.DataFrame, likely: pl.Series
) -> pl.DataFrame:
    """One accepted call of a period as a rating has it (`RATED_SCHEMA`); empty where it is none of the rating's.

    Args:
        store: Where the calls are.
        ledger: What names them.
        rating: Which rating.
        period: The period of the call.
        call: The call in a row: `call_id` and `start`.
        likely: The customers whose call it seems to be; it is looked for among their calls first.
    """
    shas = ledger.stored_files()
    first = _files_of(ledger, rating, period, likely)
    for paths in (first, [path for path in _files_of(ledger, rating, period, None) if path not in first]):
        rows = {path: _rows_at(store, path, call["start"].item()) for path in paths}
        # Where none has the moment, all are checked: an altered file is not taken for one without the call.
        for path in [path for path in paths if rows[path] != []] or paths:
            stored = scan_parquet(store.require(path, shas[path]))
            for row in rows[path] or []:
                # Of a file, only the block of rows is read that the row is in.
                found = stored.slice(row, 1).filter(pl.col("call_id") == call["call_id"].item()).collect()
                if found.height:
                    return with_prices(found, store.read_frame(rating.prices_path, shas[rating.prices_path]))
    return pl.DataFrame(schema=RATED_SCHEMA)


def _rows_at(store: Store, path: str, start: datetime) -> list[int] | None:
    """The rows of the calls that started at a moment; None of a file that cannot be read: who needs it names it."""
    moments = scan_parquet(store.root / path).select(pl.arg_where(pl.col("start") == start))
    try:
        return moments.collect().to_series().to_list()
    except (OSError, pl.exceptions.PolarsError):
        return None


def read_rated(
    store: Store, files: dict[str, str], prices: pl.DataFrame, *, customers: pl.Series | None = None
) -> pl.DataFrame:
    """The calls of some files of rated calls, given with their SHA-256, as `rated_calls_of` has them."""
    of_them = [] if customers is None else [pl.col("customer_id").cast(pl.String).is_in(customers.implode())]
    read = (with_prices(store.read_frame(path, sha256, *of_them), prices) for path, sha256 in files.items())
    return pl.concat([pl.DataFrame(schema=RATED_SCHEMA), *read])


def in_shares(customers: pl.Series, traffic: pl.DataFrame) -> Iterator[pl.Series]:
    """The customers, in their order, divided so that each share has at most `CALLS_AT_ONCE` calls or one customer."""
    calls = traffic.group_by(pl.col("customer_id").cast(pl.String)).agg(pl.col("calls").sum())
    counts = pl.DataFrame({"customer_id": customers.cast(pl.String)}).join(
        calls, on="customer_id", how="left", maintain_order="left"
    )
    share = counts.with_columns(share=pl.col("calls").fill_null(0).cum_sum() // CALLS_AT_ONCE)
    for part in share.partition_by("share", maintain_order=True):
        yield part["customer_id"]


def _files_of(ledger: Ledger, rating: Rating, period: Period | None, customers: pl.Series | None) -> list[str]:
    """The files of a rating's calls that may hold those of a period and of some customers."""
    files = ledger.rows(
        "select path, period_number, first_customer, last_customer from rated_files where rating_no = ? "
        "order by period_number, path",
        [rating.rating_no],
    )
    sought = None if customers is None else sorted(set(customers.cast(pl.String)))
    found = []
    for path, number, first, last in files:
        # The first of these customers that is not before a file's first one must not be after its last.
        nearest = [str(last)] if sought is None else sought[bisect_left(sought, str(first)) :][:1]
        if (period is None or period.number == number) and nearest and nearest[0] <= str(last):
            found.append(str(path))
    return found

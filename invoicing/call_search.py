"""Finding a call in a store: as it was accepted, as it was rated, and as it was set aside."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import polars as pl

from invoicing.call_places import accepted_call
from invoicing.origins import corrections
from invoicing.quarantine import quarantine
from invoicing.rated_calls import rated_call_of
from rating.periods import Period
from rating.pipeline import with_local_days

if TYPE_CHECKING:
    from invoicing.ledger import Ledger, Rating
    from invoicing.store import Store


def find_call(store: Store, ledger: Ledger, call_id: str) -> pl.DataFrame:
    """The call accepted under this id, found by the index of calls, with its `file_no`; empty where there is none."""
    found = accepted_call(store, ledger, call_id)
    if found is None:
        # Only who searches an older store waits for what reads whole indexes.
        from invoicing.call_index import contents_of, hashes_of, rows_with, stored_indexes  # noqa: PLC0415

        rows = rows_with(stored_indexes(store, ledger), hashes_of(pl.Series([call_id])))
        found = contents_of(store, ledger, rows).filter(pl.col("call_id") == call_id)
    return found


def rated_call(
    store: Store, ledger: Ledger, accepted: pl.DataFrame, timezone: str
) -> tuple[Rating, pl.DataFrame] | None:
    """The rating of an accepted call, and the call as it was rated last (`RATED_SCHEMA`): a correction comes first."""
    number = with_local_days(accepted, timezone)["period_number"].item()
    period = Period.numbered(number)
    corrected = [correction.rating for correction in reversed(corrections(ledger))]
    for rating in [*corrected, *ledger.ratings(issued=True), *ledger.ratings(issued=False)]:
        if rating.period >= period:
            likely = _likely_customers(store, rating, accepted.row(0, named=True))
            calls = rated_call_of(store, ledger, rating, period, accepted, likely)
            if calls.height:
                return rating, calls
    return None


def _likely_customers(store: Store, rating: Rating, call: dict[str, Any]) -> pl.Series:
    """Who had the user or a number of a call on any day, by the tables of a rating as they are written.

    It only says where to look first: nothing is made of the rows that it does not find or that are faulty, and
    tables that are no CSV files are left out.
    """
    folder, whose = store.root / "snapshots" / rating.snapshot, []
    for table, column, wanted in (
        ("users", "user_id", [call["user_id"]]), ("numbers", "number", [call["caller"], call["callee"]]),
    ):  # fmt: skip
        rows = pl.scan_csv(folder / f"{table}.csv", infer_schema=False, ignore_errors=True, glob=False)
        with suppress(OSError, pl.exceptions.PolarsError):
            whose.append(rows.filter(pl.col(column).is_in(wanted)).select("customer_id").collect().to_series())
    return pl.concat([pl.Series("customer_id", [], dtype=pl.String), *whose]).drop_nulls()


def quarantined_records(store: Store, ledger: Ledger, call_id: str) -> pl.DataFrame:
    """The records and calls of an id that are in quarantine."""
    return quarantine(store, ledger, None, pl.col("call_id") == call_id)

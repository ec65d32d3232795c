"""Finding a call in a store: as it was accepted, as it was rated, and as it was set aside."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from invoicing import exports
from invoicing.call_index import contents_of, hashes_of, rows_with, stored_indexes
from invoicing.origins import corrections
from invoicing.rating_run import rated_calls_of
from rating.periods import Period
from rating.pipeline import with_local_days

if TYPE_CHECKING:
    from invoicing.ledger import Ledger, Rating
    from invoicing.store import Store


def find_call(store: Store, ledger: Ledger, call_id: str) -> pl.DataFrame:
    """The call accepted under this id, found by the index of calls; empty where there is none."""
    wanted = pl.Series([call_id])
    found = contents_of(store, ledger, rows_with(stored_indexes(store, ledger), hashes_of(wanted)))
    return found.filter(pl.col("call_id") == call_id)


def rated_call(
    store: Store, ledger: Ledger, accepted: pl.DataFrame, timezone: str
) -> tuple[Rating, pl.DataFrame] | None:
    """The rating of an accepted call, and the call as it was rated last (`RATED_SCHEMA`): a correction comes first."""
    call_id, start = accepted.row(0, named=True)["call_id"], accepted["start"].item()
    number = with_local_days(accepted, timezone)["period_number"].item()
    period = Period.numbered(number)
    corrected = [correction.rating for correction in reversed(corrections(ledger))]
    for rating in [*corrected, *ledger.ratings(issued=True), *ledger.ratings(issued=False)]:
        if rating.period >= period:
            calls = rated_calls_of(store, ledger, rating, period=period, start=start)
            calls = calls.filter(pl.col("call_id") == call_id)
            if calls.height:
                return rating, calls
    return None


def quarantined_records(store: Store, ledger: Ledger, call_id: str) -> pl.DataFrame:
    """The records and calls of an id that are in quarantine."""
    return exports.quarantine(store, ledger, None).filter(pl.col("call_id") == call_id)

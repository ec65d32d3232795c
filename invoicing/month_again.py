"""A month once more: rated and billed as if it had not been run yet, from other inputs too, changing nothing."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from invoicing import issuing, rating_run
from invoicing.pipeline import bill_period, bill_services
from invoicing.rated_calls import read_rated
from invoicing.rewinding import ledger_before

if TYPE_CHECKING:
    from collections.abc import Iterator

    from invoicing.desk import Desk
    from invoicing.ledger import Ledger, Run
    from invoicing.pipeline import Bill
    from invoicing.rating_run import RatedPeriod
    from invoicing.rewinding import Restating
    from invoicing.store import Store
    from schemas.platform import Platform
    from schemas.settings import Settings


class MonthAgain(NamedTuple):
    """A month that was worked again.

    Attributes:
        rated: What rating gave.
        bill: The invoices, not numbered.
        place: Where the files of its rated calls are, for as long as they are asked for.
    """

    rated: RatedPeriod
    bill: Bill
    place: Store

    def calls(self, paths: list[str] | None = None, *, customers: pl.Series | None = None) -> pl.DataFrame:
        """Its rated calls (`RATED_SCHEMA`), of some files and customers only where they are given."""
        files = {file.path: file.sha256 for file in self.rated.files if paths is None or file.path in paths}
        return read_rated(self.place, files, self.rated.prices, customers=customers)


@contextmanager
def month_again(
    desk: Desk, run: Run, platform: Platform, settings: Settings, *, without: pl.Series | None = None
) -> Iterator[MonthAgain]:
    """Rate and bill a month that was run, on the ledger as it was before.

    All calls of the run are rated again, whoever's invoice is asked for: whose a call is is known only once its
    owner is found, and whether it was on-net only with the numbers of all.

    Args:
        desk: The store; nothing in it is changed.
        run: The run of the month.
        platform: The tables to work with.
        settings: The settings to work with.
        without: The call_ids of calls that are taken not to have been there.

    Raises:
        InputRefused: where the tables lack a price or a rate that the month needs.
        StoreUnavailable: where something it is made from is missing or altered.
    """
    chosen = None if without is None else ~pl.col("call_id").is_in(without.implode())
    with ledger_before(desk.store, desk.ledger, run) as (before, place):
        yield _worked(desk, before, place, run, platform, settings, chosen)


@contextmanager
def invoice_again(
    desk: Desk, run: Run, restating: Restating, platform: Platform, settings: Settings, calls: pl.Series
) -> Iterator[MonthAgain]:
    """Rate and bill a month that was run for the sake of one invoice, which is corrected.

    Only the calls of that invoice are rated: no correction brings a customer a call that was not on it. What is
    billed of other customers is of no use. The VAT rates are those of the run's day, on which the services were
    invoiced first; what is due when is not decided here.

    Args:
        desk: The store; nothing in it is changed.
        run: The run of the month.
        restating: The correction, which sees what is in force but for itself.
        platform: The tables to work with.
        settings: The settings to work with.
        calls: The call_ids of the calls that are to be on the invoice, as far as they can be rated.

    Raises:
        InputRefused: where the tables lack a price or a rate that the month needs.
        StoreUnavailable: where something it is made from is missing or altered.
    """
    chosen = pl.col("call_id").is_in(calls.implode())
    with ledger_before(desk.store, desk.ledger, run, restating) as (before, place):
        yield _worked(desk, before, place, run, platform, settings, chosen)


def _worked(
    desk: Desk,
    before: Ledger,
    place: Store,
    run: Run,
    platform: Platform,
    settings: Settings,
    chosen: pl.Expr | None,
) -> MonthAgain:
    """The month as it comes of the ledger before it."""
    period = run.period
    first = issuing.first_period(before, period)
    history = issuing.history_of(before, period, first, platform, settings)
    services = bill_services(period, platform, history, settings)
    rated = rating_run.rate_period(
        desk.store, before, period, first, history.users, platform, settings, desk.progress, place, chosen
    )
    bill = bill_period(period, platform, rated.traffic, services, history, settings, run.invoice_date)
    return MonthAgain(rated, bill, place)

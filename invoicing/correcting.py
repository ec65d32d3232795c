"""Correcting: an invoice made once more, with what a dispute found to be otherwise."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import polars as pl

from invoicing import issuing
from invoicing.month_again import invoice_again
from invoicing.origins import rating_numbered, with_deck
from invoicing.parquet_files import read_parquet
from invoicing.pipeline import with_due_dates
from invoicing.rated_calls import rated_calls_of
from invoicing.rewinding import Restating
from invoicing.snapshots import load_snapshot, snapshot_id
from rating.periods import Period
from rating.platform_checks import notice_problems
from rating.sources.platform_tables import load_platform
from schemas.errors import InputRefused

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from invoicing.desk import Desk
    from invoicing.month_again import MonthAgain
    from invoicing.origins import Correction, Origin
    from invoicing.what_if import Supposed
    from rating.sources.platform_tables import LoadedPlatform
    from schemas.platform import Platform
    from schemas.settings import Settings


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a correction is made from, beside the calls.

    Attributes:
        platform: The tables.
        settings: The settings; supplier and documents are those in force now.
        loaded: The tables as they were given, where they are others than those of the invoice.
        deck: A file of other rates beside them, where one was given.
        without: The call_ids that are taken not to have been there.
        snapshot: The tables' name in the store.
    """

    platform: Platform
    settings: Settings
    loaded: LoadedPlatform | None
    deck: Path | None
    without: pl.Series
    snapshot: str


@dataclass(frozen=True, slots=True)
class CorrectedCalls:
    """The calls of a corrected invoice, rated.

    Attributes:
        rated: The calls (`RATED_SCHEMA`).
        files: The same as they are stored, by `period_number`.
        prices: What each `rate_no` of those stands for.
        traffic: What they sum up to (`TRAFFIC_SCHEMA`).
        draws: The draws of those that drew from several packs (`DRAW_SCHEMA`).
        unrated: Those that could not be rated (`UNRATED_SCHEMA`).
        packs_used: The customer's pools and what the calls drew from them.
    """

    rated: pl.DataFrame
    files: dict[int, pl.DataFrame]
    prices: pl.DataFrame
    traffic: pl.DataFrame
    draws: pl.DataFrame
    unrated: pl.DataFrame
    packs_used: pl.DataFrame


@dataclass(frozen=True, slots=True)
class Corrected:
    """An invoice made once more; its frames hold rows of its customer alone.

    Attributes:
        origin: What it was last made from.
        restating: The rating that it is from now on, and its customer.
        inputs: What it was made from now.
        invoices: `customer_id`, `net_cents`, `vat_cents`, `gross_cents`; no row where there is no line.
        lines: As on a bill (`invoicing.pipeline.Bill`).
        vat_totals: Likewise.
        counts: The users billed (`user_cap.COUNTS_SCHEMA`).
        by_product: The users billed by product (`user_cap.PRODUCT_SCHEMA`).
        calls: Its calls.
        calls_off: How many there were before and are not now.
    """

    origin: Origin
    restating: Restating
    inputs: Inputs
    invoices: pl.DataFrame
    lines: pl.DataFrame
    vat_totals: pl.DataFrame
    counts: pl.DataFrame
    by_product: pl.DataFrame
    calls: CorrectedCalls
    calls_off: int

    @property
    def net_cents(self) -> int:
        """What it comes to without VAT."""
        return int(self.invoices["net_cents"].sum())

    def paths(self) -> list[tuple[str, int, pl.DataFrame]]:
        """Where its calls are kept, with their period number, and what is there."""
        number = f"{self.restating.rating_no:06d}"
        return [
            (f"rated/period={Period.numbered(period)}/{number}-0000.parquet", period, frame)
            for period, frame in sorted(self.calls.files.items())
        ]

    def dated(self, day: date) -> pl.DataFrame:
        """The invoice with its date, when it is due, and its customer as the tables have it."""
        platform, billing = self.inputs.platform, self.inputs.settings.billing
        due = with_due_dates(self.invoices.drop("due_date"), platform, day, billing.payment_days)
        return issuing.with_parties(due, platform).with_columns(invoice_date=pl.lit(day))


def correct(desk: Desk, origin: Origin, supposed: Supposed, without: pl.Series) -> Corrected:
    """Make an invoice once more; nothing is changed.

    Args:
        desk: The store.
        origin: What it was last made from; what is not supposed to be otherwise is taken from there.
        supposed: What was otherwise, but for the calls.
        without: The call_ids of calls that are taken not to have been there.

    Raises:
        InputRefused: where a file cannot be used, or the tables lack what the month needs.
        StoreUnavailable: where something it is made from is missing or altered.
    """
    inputs = _inputs(desk, origin, supposed, without)
    calls = origin.calls(desk.store, desk.ledger)["call_id"]
    wanted = calls.filter(~calls.is_in(without.implode()))
    restating = Restating(desk.ledger.next_rating_no(), origin.customer_id)
    with invoice_again(desk, origin.run, restating, inputs.platform, inputs.settings, wanted) as again:
        bill, customer_id = again.bill, origin.customer_id
        rated = _calls(again, customer_id)
        return Corrected(
            origin=origin,
            restating=restating,
            inputs=inputs,
            invoices=_theirs(bill.invoices, customer_id),
            lines=_theirs(bill.lines, customer_id),
            vat_totals=_theirs(bill.vat_totals, customer_id),
            counts=_theirs(bill.users.counts, customer_id),
            by_product=_theirs(bill.users.by_product(), customer_id),
            calls=rated,
            calls_off=calls.len() - rated.rated.height,
        )


def calls_to_correct(desk: Desk, correction: Correction) -> pl.Series:
    """The call_ids that a correction was made of: those there were before, without those that were taken off."""
    before = rated_calls_of(
        desk.store, desk.ledger, rating_numbered(desk.ledger, correction.replaces),
        customers=pl.Series([correction.customer_id]),
    )["call_id"]  # fmt: skip
    without = desk.ledger.frame(
        "select call_id from correction_calls where rating_no = ?", [correction.rating_no]
    )["call_id"]  # fmt: skip
    return before.filter(~before.is_in(without.implode()))


def _inputs(desk: Desk, origin: Origin, supposed: Supposed, without: pl.Series) -> Inputs:
    """What was supposed, and the rest as it was; announced in time (R-NOTICE), as the run would have asked."""
    figures = supposed.settings or origin.settings
    settings = replace(desk.settings, rating=figures.rating, billing=figures.billing, vat=figures.vat)
    loaded = None
    if supposed.tables is not None:
        judge = partial(notice_problems, from_day=origin.run.period.first_day)
        loaded = load_platform(supposed.tables, settings, judge=judge)
    if loaded is None and supposed.deck is None:
        platform = origin.platform(desk.store, desk.ledger)
    else:
        tables = loaded or load_snapshot(desk.store, desk.ledger, origin.snapshot, settings)
        shas = desk.ledger.stored_files()
        earlier = [desk.store.require(deck, shas[deck]) for deck in (origin.decks if loaded is None else ())]
        for deck in [*earlier, *([supposed.deck] if supposed.deck else [])]:
            tables = with_deck(tables, deck, settings)
        platform = tables.platform
    if origin.customer_id not in platform.customers["customer_id"]:
        raise InputRefused(
            f"{supposed.tables}: {origin.customer_id}, the customer of the invoice, is not in these tables"
        )
    snapshot = origin.snapshot if loaded is None else snapshot_id(loaded.files)
    return Inputs(platform, settings, loaded, supposed.deck, without, snapshot)


def _theirs(frame: pl.DataFrame, customer_id: str) -> pl.DataFrame:
    return frame.filter(pl.col("customer_id").cast(pl.String) == customer_id)


def _calls(again: MonthAgain, customer_id: str) -> CorrectedCalls:
    """The customer's calls of a month that was worked again, which are gone with it."""
    files: dict[int, pl.DataFrame] = {}
    for file in again.rated.files:
        here = _theirs(read_parquet(again.place.root / file.path), customer_id)
        if here.height:
            files[file.period_number] = here
    rated = again.calls(customers=pl.Series([customer_id]))
    return CorrectedCalls(
        rated=rated,
        files=files,
        prices=again.rated.prices,
        traffic=_theirs(again.rated.traffic, customer_id),
        draws=again.rated.draws.filter(pl.col("call_id").is_in(rated["call_id"].implode())),
        unrated=again.rated.unrated,
        packs_used=_theirs(again.rated.packs_used, customer_id),
    )

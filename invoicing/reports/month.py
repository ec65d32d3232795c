"""The month that is looked at, issued or drafted: every frame that its page is made of."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import polars as pl

from invoicing import exports, holding, issuing, snapshots
from invoicing.approval import input_digests
from invoicing.bounds import judge_bounds
from invoicing.origins import corrections
from invoicing.parquet_files import read_parquet
from invoicing.reports.calls import RatedShare, summed_calls
from invoicing.snapshots import load_snapshot
from invoicing.undone_documents import without_documents
from rating.periods import Period
from schemas.settings import parse_settings

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import date

    from invoicing.approval import Digests
    from invoicing.conservation import Balance
    from invoicing.desk import Desk
    from invoicing.ledger import Ledger, Rating, Run
    from invoicing.pipeline import Bill
    from invoicing.rating_run import RatedPeriod
    from invoicing.reports.calls import SummedCalls
    from invoicing.store import Store
    from rating.sources.platform_tables import LoadedPlatform
    from schemas.platform import Platform
    from schemas.settings import Settings

MONTHS = 13
LINE_COLUMNS = [
    "customer_id", "kind", "product_id", "zone_id", "traffic_period", "rule", "service_from", "service_to",
    "quantity_micro", "unit_price_micro", "net_cents",
]  # fmt: skip
INVOICE_COLUMNS = ["invoice_number", "customer_id", "due_date", "net_cents", "vat_cents", "gross_cents"]
AMOUNTS = ["net_cents", "vat_cents", "gross_cents"]
HELD_COLUMNS = ["customer_id", "net_cents", "bound"]


@dataclass(frozen=True, slots=True)
class Month:
    """A month that was issued, or as it would be.

    Attributes:
        period: The month.
        is_draft: Whether nothing of it is numbered yet.
        invoice_date: The day that its invoices carry, or would today.
        invoices: `INVOICE_COLUMNS`, by customer; no number on drafts.
        lines: `LINE_COLUMNS`.
        lines_before: The same of the month before.
        months: `period`, `invoices` and `AMOUNTS` of the twelve months before that were run, then of this one.
        packs_used: The pools of the month and what its calls drew from them, whichever invoice those are on.
        user_counts: Users configured, billed, reserved, and the reference of the 10 %.
        calls: The calls of its invoices, as they were corrected last: by hour, and by user and zone.
        unrated: The calls that could not be rated (`UNRATED_SCHEMA`).
        quarantine: The records set aside from its files, by `reason`: `records`.
        files: The files read for it, as `export files` has them.
        balance: Where every accepted call is.
        reports: `rule`, `customer_id`, `calls`: what was rated and reported (R-SPOOF, R-SUSPENDED).
        retro: What changed about months already invoiced (R-RETRO, `RETRO_SCHEMA`).
        notes: What the run said of its amounts, a sentence each.
        held: The invoices that are held, or would be (R-HELD): `HELD_COLUMNS`, a row for each bound they pass.
        unwritten: Numbers of invoices and of credit notes whose documents were promised and are not there.
        loaded: The platform tables it was made from.
        settings: The settings it was made with.
        digests: The SHA-256 of what it was made from.
        program: The version that made it.
        made_at: When it was issued, or the moment it is looked at.
        seconds: What each step of its run took, where that is known.
    """

    period: Period
    is_draft: bool
    invoice_date: date
    invoices: pl.DataFrame
    lines: pl.DataFrame
    lines_before: pl.DataFrame
    months: pl.DataFrame
    packs_used: pl.DataFrame
    user_counts: pl.DataFrame
    calls: SummedCalls
    unrated: pl.DataFrame
    quarantine: pl.DataFrame
    files: pl.DataFrame
    balance: Balance
    reports: pl.DataFrame
    retro: pl.DataFrame
    notes: list[str]
    held: pl.DataFrame
    unwritten: list[str]
    loaded: LoadedPlatform
    settings: Settings
    digests: Digests
    program: str
    made_at: str
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def platform(self) -> Platform:
        """The platform tables as typed frames."""
        return self.loaded.platform

    @property
    def net_cents(self) -> int:
        """What is invoiced, without VAT."""
        return int(self.invoices["net_cents"].sum())


def issued_month(desk: Desk, run: Run, seconds: dict[str, float]) -> Month:
    """A month as it was issued, from what the ledger and the store hold of it, and how long its steps took.

    Raises:
        StoreUnavailable: where something it was made from is missing or altered.
    """
    store, ledger, period = desk.store, desk.ledger, str(run.period)
    rating = ledger.rating_of(run)
    settings, shas = parse_settings(json.loads(run.settings)), ledger.stored_files()
    loaded = load_snapshot(store, ledger, run.snapshot, settings)
    earlier = [one for one in ledger.runs() if one.run_no < run.run_no]
    summary = run.summary
    return Month(
        period=run.period,
        is_draft=False,
        invoice_date=run.invoice_date,
        invoices=texts(
            ledger.frame(
                "select * from invoices_in_force where period = ? and invoice_number is not null order by customer_id",
                [period],
            )
        ).select(INVOICE_COLUMNS),
        lines=_lines_of(ledger, run.period),
        lines_before=_lines_of(ledger, run.period.previous),
        months=months_until(ledger, run.period),
        packs_used=exports.packs_used(store, ledger, run.period),
        user_counts=exports.user_counts(store, ledger, run.period),
        calls=summed_calls(_shares_in_force(store, ledger, rating), settings.rating.timezone, run.period),
        unrated=store.read_frame(rating.unrated_path, shas[rating.unrated_path]),
        quarantine=_quarantine(store, ledger, run.period),
        files=exports.files(store, ledger, run.period),
        balance=issuing.balance(ledger),
        reports=_reports(json.loads(rating.reports)),
        retro=snapshots.retro_since(store, ledger, earlier[-1] if earlier else None, loaded, run.period),
        notes=[str(note) for note in _listed(summary["notes"]) if "(R-RETRO)" not in str(note)],
        held=holding.held_reasons(ledger, run.period)
        .join(holding.held_invoices(ledger, run.period), on="customer_id")
        .select(HELD_COLUMNS),
        unwritten=sorted(number for number, of in without_documents(ledger).items() if of == period),
        loaded=loaded,
        settings=settings,
        digests=input_digests(ledger, run.period, run.snapshot, run.settings, rating=rating),
        program=run.program,
        made_at=run.issued_at,
        seconds=seconds,
    )


def draft_month(
    desk: Desk, period: Period, loaded: LoadedPlatform, rated: RatedPeriod, bill: Bill, place: Store
) -> Month:
    """A month as it would be, from what rating and billing gave; its calls are in files of `place`."""
    store, ledger = desk.store, desk.ledger
    sums = bill.invoices.select(pl.len().alias("invoices"), *(pl.col(name).sum() for name in AMOUNTS))
    this_month = sums.select(pl.lit(str(period)).alias("period"), pl.col("invoices").cast(pl.Int64), *AMOUNTS)
    waiting = ledger.number(
        "select sum(answered) from batches where rated_by is null and period_number > ?", [period.number]
    )
    before = issuing.balance(ledger)
    return Month(
        period=period,
        is_draft=True,
        invoice_date=desk.today,
        invoices=bill.invoices.with_columns(invoice_number=pl.lit(None, pl.String)).select(INVOICE_COLUMNS),
        lines=bill.lines.select(LINE_COLUMNS),
        lines_before=_lines_of(ledger, period.previous),
        months=pl.concat([months_until(ledger, period), this_month]),
        packs_used=texts(rated.packs_used).filter(pl.col("period_number") == period.number),
        user_counts=bill.users.counts,
        calls=summed_calls([_drafted_share(rated, place)], desk.settings.rating.timezone, period),
        unrated=rated.unrated,
        quarantine=_quarantine(store, ledger, period),
        files=exports.files(store, ledger, period),
        balance=replace(before, invoiced=before.invoiced + rated.calls, waiting=waiting, unrated=rated.unrated.height),
        reports=rated.reports,
        retro=snapshots.retro_since(store, ledger, ledger.last_run(), loaded, period),
        notes=bill.notes,
        held=_would_be_held(desk, period, rated, bill),
        unwritten=[],
        loaded=loaded,
        settings=desk.settings,
        digests=input_digests(ledger, period, snapshots.snapshot_id(loaded.files), desk.settings_text),
        program=desk.moment.program,
        made_at=desk.moment.text,
        seconds=desk.seconds(),
    )


def _shares_in_force(store: Store, ledger: Ledger, rating: Rating) -> list[RatedShare]:
    """The calls of a run, as `export rated` has them: each as it was corrected last.

    What a correction took off stays with its invoice, and is not among them where that one was superseded.
    """
    shares: list[RatedShare] = []
    corrected, superseded = pl.Series(dtype=pl.String), set[str]()
    for correction in reversed(corrections(ledger, "period = ?", [str(rating.period)])):
        if correction.customer_id not in superseded:
            share = _kept_share(store, ledger, correction.rating, corrected)
            ids = [read_parquet(path, columns=["call_id"])["call_id"].cast(pl.String) for path in share.paths]
            shares, corrected = [*shares, share], pl.concat([corrected, *ids])
        if correction.invoice_number is not None:
            superseded.add(correction.customer_id)
    return [_kept_share(store, ledger, rating, corrected, superseded), *shares]


def _kept_share(
    store: Store, ledger: Ledger, rating: Rating, without: pl.Series, not_of: Collection[str] = ()
) -> RatedShare:
    """The calls of a rating that is kept, but for those that others have."""
    shas, of_rating = ledger.stored_files(), [rating.rating_no]
    files = ledger.rows("select path from rated_files where rating_no = ? order by path", [*of_rating])
    prices, draws = (store.read_frame(path, shas[path]) for path in (rating.prices_path, rating.draws_path))
    pools = ledger.frame("select * from packs_used where rating_no = ?", [*of_rating])
    paths = [store.require(str(path), shas[str(path)]) for (path,) in files]
    return RatedShare(paths, prices, draws, pools, without, not_of)


def _drafted_share(rated: RatedPeriod, place: Store) -> RatedShare:
    """The calls of a draft, which are in files of `place`."""
    paths = [place.root / file.path for file in rated.files]
    return RatedShare(paths, rated.prices, rated.draws, rated.packs_used, pl.Series(dtype=pl.String))


def _would_be_held(desk: Desk, period: Period, rated: RatedPeriod, bill: Bill) -> pl.DataFrame:
    """What the bounds would hold of a draft (`HELD_COLUMNS`)."""
    bounds = desk.settings.bounds
    before = holding.look_back(desk.store, desk.ledger, period, bounds, rated.packs_used)
    alarms = judge_bounds(period, bill, rated.traffic, rated.alarms, before, bounds)
    nets = texts(bill.invoices.select("customer_id", "net_cents"))
    return texts(alarms.filter("holds")).join(nets, on="customer_id").select(HELD_COLUMNS).unique().sort(HELD_COLUMNS)


def texts(frame: pl.DataFrame) -> pl.DataFrame:
    """The same with identifiers as text, however they are stored."""
    return frame.with_columns(pl.col(pl.Categorical, pl.Enum).cast(pl.String))


def _lines_of(ledger: Ledger, period: Period) -> pl.DataFrame:
    found = ledger.frame(
        "select * from lines_in_force where invoice_number is not null and period = ? order by customer_id, line_no",
        [str(period)],
    )
    return texts(found).select(LINE_COLUMNS)


def months_until(ledger: Ledger, period: Period) -> pl.DataFrame:
    """What each of the last thirteen months came to that was run: `period`, `invoices` in force and `AMOUNTS`."""
    first = Period(period.year - 1, period.month)
    return texts(
        ledger.frame(
            "select r.period, count(invoice_number) invoices, cast(coalesce(sum(net_cents), 0) as bigint) net_cents, "
            "cast(coalesce(sum(vat_cents), 0) as bigint) vat_cents, "
            "cast(coalesce(sum(gross_cents), 0) as bigint) gross_cents "
            "from runs r left join (select * from invoices_in_force where invoice_number is not null) i using (period) "
            "where r.period between ? and ? group by r.period order by r.period",
            [str(first), str(period)],
        )
    )


def _quarantine(store: Store, ledger: Ledger, period: Period) -> pl.DataFrame:
    """The records set aside from a period's files, by reason."""
    shas = ledger.stored_files()
    paths = ledger.rows(
        "select path from quarantine_files where coalesce(period, ?) = ? order by path", [str(period)] * 2
    )
    reasons = [store.read_frame(str(path), shas[str(path)]).select("reason") for (path,) in paths]
    every = pl.concat([pl.DataFrame(schema={"reason": pl.String}), *map(texts, reasons)])
    return every.group_by("reason").agg(records=pl.len().cast(pl.Int64)).sort("reason")


def _reports(rows: Iterable[Iterable[object]]) -> pl.DataFrame:
    schema = {"rule": pl.String, "customer_id": pl.String, "calls": pl.Int64}
    return pl.DataFrame([list(row) for row in rows], schema=schema, orient="row")


def _listed(found: object) -> list[object]:
    return found if isinstance(found, list) else []

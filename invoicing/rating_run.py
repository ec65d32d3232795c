"""Rating a period against the store: which calls are to be rated, with which pools, and where they are kept."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from invoicing import snapshots, user_cap
from rating import packs
from rating.money import MICRO
from rating.periods import Period
from rating.pipeline import (
    CALL_COLUMNS,
    POOL_SCHEMA,
    RATED_SCHEMA,
    Rated,
    match_calls,
    rate_calls,
    with_local_days,
)
from rating.services import service_rows
from schemas.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from invoicing.ledger import Ledger, Rating
    from invoicing.progress import Progress
    from invoicing.store import Store
    from rating.frames import Schema
    from rating.sources.platform_tables import LoadedPlatform
    from schemas.platform import Platform
    from schemas.settings import Settings

POOL_KEY = ["customer_id", "user_id", "product_id", "period_number"]
CALL_SCHEMA: Schema = {
    "call_id": pl.String, "start": pl.Datetime("us", "UTC"), "direction": pl.String, "caller": pl.String,
    "callee": pl.String, "duration_s": pl.Int64, "user_id": pl.String, "source_file": pl.String,
    "source_line": pl.Int64,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class RatedPeriod:
    """A period's rated calls and what they were made of."""

    rated: Rated
    last_batch: int


def calls_to_rate(store: Store, ledger: Ledger, period: Period) -> tuple[pl.DataFrame, int]:
    """The answered calls that no issued run has settled, of this period and earlier ones (R-LATE).

    Returns:
        `CALL_SCHEMA`, and the number of the last batch that was looked at.
    """
    shas = ledger.stored_files()
    batches = ledger.rows(
        "select path from batches where rated_by is null and period_number <= ? order by batch_no",
        [period.number],
    )
    found = [pl.DataFrame(schema=CALL_SCHEMA)]
    found += [store.read_frame(str(path), shas[str(path)]).select(CALL_COLUMNS) for (path,) in batches]
    for rating in ledger.ratings(issued=True)[-1:]:
        found.append(store.read_frame(rating.unrated_path, shas[rating.unrated_path]).select(CALL_COLUMNS))
    last_batch = ledger.number("select max(batch_no) from batches")
    return pl.concat(found).filter(pl.col("duration_s") > 0), last_batch


def users_billed_before(
    ledger: Ledger, period: Period, first: Period, rows: pl.DataFrame, platform: Platform, settings: Settings
) -> user_cap.Before:
    """What the invoices of the period before billed for users; rebuilt where the store has none of a customer."""
    if period == first:
        known = user_cap.nothing_before()
    else:
        before = str(period.previous)
        known = user_cap.Before(
            ledger.frame(
                "select customer_id, configured, billed, reserved, reference from user_counts where period = ?",
                [before],
            ),
            ledger.frame("select customer_id, product_id, users from users_billed where period = ?", [before]),
        )
    # A customer of whom the store has no invoice is rebuilt even where its users, all of none, were counted.
    invoiced = ledger.frame("select distinct customer_id from invoices where period < ?", [str(period)]).cast(pl.String)
    known = user_cap.Before(
        known.counts.join(invoiced, on="customer_id", how="semi"),
        known.by_product.join(invoiced, on="customer_id", how="semi"),
    )
    unknown = platform.contracts.join(invoiced, on="customer_id", how="anti")["customer_id"]
    rebuilt = user_cap.rebuild_before(period, unknown, rows, platform, cap_rounding=settings.billing.cap_rounding)
    return user_cap.Before(pl.concat([known.counts, rebuilt.counts]), pl.concat([known.by_product, rebuilt.by_product]))


def pools_of(
    ledger: Ledger,
    matched: pl.DataFrame,
    period: Period,
    first: Period,
    platform: Platform,
    settings: Settings,
) -> pl.DataFrame:
    """The pools of the period and, for customers with late calls, of the periods of those (`POOL_SCHEMA`)."""
    rows = service_rows(platform)
    late = matched.filter(pl.col("reason").is_null() & (pl.col("period_number") < period.number))
    numbers = sorted({*late["period_number"].unique(), period.number})
    found = []
    for number in numbers:
        of = Period(number // 100, number % 100)
        billed = users_billed_before(ledger, of, first, rows, platform, settings).by_product
        missing = user_cap.missing_at_start(rows, platform, billed.select("customer_id"), of, price_fallback=True)
        pools = packs.open_pools(
            rows,
            packs.pack_contents(platform, of),
            billed.select("customer_id", "product_id", quantity_micro=pl.col("users") * MICRO),
            of,
            missing_users=missing.select(
                "customer_id", "product_id", "starts_on", quantity_micro=pl.col("users") * MICRO
            ),
        )
        if of != period:
            pools = pools.join(late.filter(pl.col("period_number") == number), on="customer_id", how="semi")
        found.append(pools.with_columns(period_number=pl.lit(number, pl.Int32)))
    used = ledger.frame(
        "select u.customer_id, u.user_id, u.product_id, u.period_number, cast(sum(u.used_s) as bigint) used_before_s "
        "from packs_used u join ratings r using (rating_no) where r.issued group by all"
    )
    pools = pl.concat(found).join(used, on=POOL_KEY, how="left", nulls_equal=True)
    pools = pools.sort(POOL_KEY).with_columns(pl.col("used_before_s").fill_null(0)).with_row_index("pool_no")
    return pools.select(pl.col(name).cast(dtype) for name, dtype in POOL_SCHEMA.items())


def rate_period(
    store: Store,
    ledger: Ledger,
    period: Period,
    first: Period,
    platform: Platform,
    settings: Settings,
    progress: Progress,
) -> RatedPeriod:
    """Rate what is to be rated, in memory; nothing is stored."""
    calls, last_batch = calls_to_rate(store, ledger, period)
    progress.start("rating calls", calls.height)
    matched = match_calls(with_local_days(calls, settings.rating.timezone), platform, settings.rating, first)
    pools = pools_of(ledger, matched, period, first, platform, settings)
    rated = rate_calls(matched, pools, platform)
    progress.advance(calls.height)
    if rated.calls.height + rated.unrated.height != calls.height:
        raise StoreUnavailable(
            f"{calls.height} calls were to be rated and {rated.calls.height} + {rated.unrated.height} came out: "
            "nothing was stored; please report this"
        )
    return RatedPeriod(rated, last_batch)


def keep_rating(
    store: Store,
    ledger: Ledger,
    period: Period,
    loaded: LoadedPlatform,
    rated_period: RatedPeriod,
    settings_text: str,
    program: str,
    moment: str,
) -> Rating:
    """Store a rating as the pending one, in place of the one before it; files first, then one transaction."""
    rated = rated_period.rated
    number = ledger.number("select max(rating_no) from ratings") + 1
    snapshot = snapshots.snapshot_id(loaded.files)
    files = snapshots.keep_snapshot(store, ledger, loaded)
    pending = ledger.ratings(issued=False)
    rated_files = []
    for key, calls in sorted(rated.calls.partition_by("period_number", as_dict=True).items()):
        of = Period(int(str(key[0])) // 100, int(str(key[0])) % 100)
        path = f"rated/period={of}/{number:06d}.parquet"
        files.append((path, *store.write_frame(path, calls)))
        rated_files.append((path, of.number, calls.height, int(calls["amount_cents"].sum())))
    unrated_path, draws_path = f"quarantine/unrated-{number:06d}.parquet", f"rated/draws-{number:06d}.parquet"
    files.append((unrated_path, *store.write_frame(unrated_path, rated.unrated)))
    files.append((draws_path, *store.write_frame(draws_path, rated.draws)))
    with ledger.transaction():
        for path, sha256, size in files:
            ledger.name_file(path, sha256, size)
        ledger.execute(
            "insert into ratings values (?, ?, false, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                number, str(period), snapshot, settings_text, program, moment, rated_period.last_batch,
                rated.calls.height, int(rated.calls["amount_cents"].sum()), rated.unrated.height,
                unrated_path, draws_path, json.dumps(rated.reports.rows()),
            ],
        )  # fmt: skip
        for path, period_no, count, amount in rated_files:
            ledger.execute("insert into rated_files values (?, ?, ?, ?, ?)", [path, number, period_no, count, amount])
        ledger.append("packs_used", rated.packs_used.with_columns(rating_no=pl.lit(number, pl.Int32)))
        # After the new one is there: the two may share a snapshot.
        for old in pending:
            forget_rating(ledger, old)
    store.sweep(set(ledger.stored_files()))
    return ledger.ratings(issued=False)[0]


def forget_rating(ledger: Ledger, rating: Rating) -> None:
    """Take a pending rating out of the ledger, within the caller's transaction."""
    paths = [
        str(path) for (path,) in ledger.rows("select path from rated_files where rating_no = ?", [rating.rating_no])
    ]
    for path in [*paths, rating.unrated_path, rating.draws_path]:
        ledger.forget_file(path)
    for table in ("rated_files", "packs_used", "ratings"):
        ledger.execute(f"delete from {table} where rating_no = ?", [rating.rating_no])  # noqa: S608
    in_use = ledger.number("select count(*) from ratings where snapshot = ?", [rating.snapshot])
    if not in_use:
        ledger.execute("delete from stored_files where starts_with(path, ?)", [f"snapshots/{rating.snapshot}/"])


def rated_calls_of(
    store: Store, ledger: Ledger, rating_no: int, wanted: Callable[[pl.DataFrame], pl.DataFrame] | None = None
) -> pl.DataFrame:
    """The rated calls of a rating, by customer, start and call_id; `wanted` cuts each file down as it is read."""
    shas = ledger.stored_files()
    paths = ledger.rows("select path from rated_files where rating_no = ? order by period_number", [rating_no])
    frames = [store.read_frame(str(path), shas[str(path)]) for (path,) in paths]
    if wanted is not None:
        frames = [wanted(frame) for frame in frames]
    empty = pl.DataFrame(schema=RATED_SCHEMA)
    return pl.concat([empty, *frames]) if wanted is None else pl.concat([wanted(empty), *frames])

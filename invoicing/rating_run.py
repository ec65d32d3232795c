"""Rating a period against the store: which calls are to be rated, with which pools, and where they are kept.

A month is worked in two passes. The first takes the stored calls file by file, finds the customer and the rate
of each, and divides them into buckets of customers; the second takes each bucket whole, since a pack is drawn
call by call, and writes its rated calls. Memory holds a few files or buckets, however many there are.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from invoicing import snapshots, user_cap
from invoicing.buckets import Buckets
from invoicing.events import RATED, record
from rating import packs
from rating.alarms import CALL_ALARM_SCHEMA, call_alarms, no_call_alarms, sorted_alarms
from rating.coding import Coded, coded
from rating.frames import compact
from rating.in_order import in_order
from rating.money import MICRO
from rating.periods import Period, active_on
from rating.pipeline import (
    CALL_SCHEMA,
    DRAW_SCHEMA,
    POOL_SCHEMA,
    TRAFFIC_SCHEMA,
    UNRATED_SCHEMA,
    USED_SCHEMA,
    Matched,
    Rated,
    match_calls,
    packs_used,
    rate_calls,
)
from rating.services import service_rows
from schemas.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from invoicing.desk import Moment
    from invoicing.ledger import Ledger, Rating
    from invoicing.progress import Progress
    from invoicing.store import Store
    from rating.sources.platform_tables import LoadedPlatform
    from schemas.platform import Platform
    from schemas.settings import Settings

POOL_KEY = ["customer_id", "user_id", "product_id", "period_number"]


class RatedFile(NamedTuple):
    """A file of rated calls of one period and one bucket of customers, and how the ledger names it."""

    path: str
    sha256: str
    size: int
    period_number: int
    calls: int
    amount_cents: int
    first_customer: str
    last_customer: str


@dataclass(slots=True)
class RatedPeriod:
    """What rating a period gave; the calls themselves are in files that nothing names yet.

    Attributes:
        rating_no: The number of the rating, which its files carry.
        last_batch: The number of the last batch that was looked at.
        prices: What each `rate_no` stands for (`rating.zones.price_list`).
        pools: The pools that calls could draw from (`POOL_SCHEMA`).
        files: The files of rated calls.
        unrated: The calls that could not be rated (`UNRATED_SCHEMA`), by `call_id`.
        reports: `rule`, `customer_id`, `calls`: what a person should know (R-SPOOF, R-SUSPENDED).
        traffic: What the calls sum up to (`TRAFFIC_SCHEMA`).
        draws: The draws of calls that drew from several packs (`DRAW_SCHEMA`).
        packs_used: Every pool and what was drawn from it (`rating.pipeline.packs_used`).
        alarms: The alarms of the calls (`CALL_ALARM_SCHEMA`).
    """

    rating_no: int
    last_batch: int
    prices: pl.DataFrame
    pools: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=POOL_SCHEMA))
    files: list[RatedFile] = field(default_factory=list)
    unrated: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=UNRATED_SCHEMA))
    reports: pl.DataFrame = field(default_factory=pl.DataFrame)
    traffic: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=TRAFFIC_SCHEMA))
    draws: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=DRAW_SCHEMA))
    packs_used: pl.DataFrame = field(default_factory=pl.DataFrame)
    alarms: pl.DataFrame = field(default_factory=no_call_alarms)

    @property
    def calls(self) -> int:
        """How many calls were rated."""
        return sum(file.calls for file in self.files)

    @property
    def amount_cents(self) -> int:
        """What they cost together."""
        return sum(file.amount_cents for file in self.files)


def paths_to_rate(ledger: Ledger, period: Period) -> list[str]:
    """The files with calls that no issued run has settled, of this period and earlier ones (R-LATE)."""
    batches = ledger.rows(
        "select path from batches where rated_by is null and period_number <= ? order by batch_no", [period.number]
    )
    return [*(str(path) for (path,) in batches), *(rating.unrated_path for rating in ledger.ratings(issued=True)[-1:])]


def answered_to_rate(ledger: Ledger, period: Period) -> int:
    """How many calls those files hold that are to be rated."""
    waiting = ledger.number(
        "select sum(answered) from batches where rated_by is null and period_number <= ?", [period.number]
    )
    return waiting + sum(rating.unrated for rating in ledger.ratings(issued=True)[-1:])


def users_billed_before(
    ledger: Ledger, period: Period, first: Period, rows: pl.DataFrame, platform: Platform, settings: Settings
) -> user_cap.Before:
    """What the invoices of the period before billed for users; rebuilt where the store has nothing to build on.

    That is a customer of whom it has no invoice, and one whose contract runs by the tables of today and was over by
    those of the run before: an end that was taken back leaves R-CAP the number that the quarter began with.
    """
    if period == first:
        known = user_cap.nothing_before()
    else:
        before = str(period.previous)
        known = user_cap.Before(
            ledger.frame(
                "select customer_id, configured, billed, reserved, reference from user_counts_in_force "
                "where period = ?",
                [before],
            ),
            ledger.frame("select customer_id, product_id, users from users_billed_in_force where period = ?", [before]),
        )
    # A customer of whom the store has no invoice is rebuilt even where its users, all of none, were counted.
    billed = "select distinct customer_id from invoices_in_force where period < ?"
    invoiced = ledger.frame(billed, [str(period)]).cast(pl.String)
    counts = known.counts.join(invoiced, on="customer_id", how="semi")
    known = user_cap.Before(counts, known.by_product.join(counts, on="customer_id", how="semi"))
    running = platform.contracts.filter(active_on(period.first_day, "starts_on", "ends_on"))
    unknown = running.join(counts, on="customer_id", how="anti")["customer_id"]
    rebuilt = user_cap.rebuild_before(period, unknown, rows, platform, cap_rounding=settings.billing.cap_rounding)
    return user_cap.Before(pl.concat([known.counts, rebuilt.counts]), pl.concat([known.by_product, rebuilt.by_product]))


def pools_of(
    ledger: Ledger,
    late: pl.DataFrame,
    period: Period,
    first: Period,
    before: user_cap.Before,
    platform: Platform,
    settings: Settings,
) -> pl.DataFrame:
    """The pools of the period and, for customers with late calls, of the periods of those (`POOL_SCHEMA`).

    Takes of each late call `customer_id` and `period_number`; `before` is what the period's own invoices build on.
    """
    rows = service_rows(platform)
    found = [_pools_of_period(rows, before, period, platform)]
    for number in sorted(set(late["period_number"])):
        of = Period.numbered(number)
        whose = late.filter(pl.col("period_number") == number)
        their_rows = rows.join(whose, on="customer_id", how="semi", maintain_order="left")
        contracts = platform.contracts.join(whose, on="customer_id", how="semi", maintain_order="left")
        theirs = replace(platform, contracts=contracts)
        users = users_billed_before(ledger, of, first, their_rows, theirs, settings)
        # What was billed is known of everybody.
        found.append(_pools_of_period(their_rows, users, of, theirs).join(whose, on="customer_id", how="semi"))
    used = ledger.frame(
        "select customer_id, user_id, product_id, period_number, cast(sum(used_s) as bigint) used_before_s "
        "from packs_in_force where issued group by all"
    )
    # A customer who is in the tables no more has no call either, whatever he was billed before.
    found_pools = pl.concat(found).join(platform.customers, on="customer_id", how="semi")
    pools = found_pools.join(used, on=POOL_KEY, how="left", nulls_equal=True)
    pools = pools.sort(POOL_KEY).with_columns(pl.col("used_before_s").fill_null(0)).with_row_index("pool_no")
    return pools.select(pl.col(name).cast(dtype) for name, dtype in POOL_SCHEMA.items())


def _pools_of_period(rows: pl.DataFrame, before: user_cap.Before, period: Period, platform: Platform) -> pl.DataFrame:
    """The pools of a period with its `period_number`, of those who have service rows or were billed before."""
    billed = before.by_product
    missing = user_cap.missing_at_start(rows, platform, billed.select("customer_id"), period, price_fallback=True)
    pools = packs.open_pools(
        rows,
        packs.pack_contents(platform, period),
        billed.select("customer_id", "product_id", quantity_micro=pl.col("users") * MICRO),
        period,
        missing_users=missing.select(
            "customer_id", "product_id", "starts_on", quantity_micro=pl.col("users") * MICRO
        ),
    )  # fmt: skip
    return pools.with_columns(period_number=pl.lit(period.number, pl.Int32))


def rate_period(
    store: Store,
    ledger: Ledger,
    period: Period,
    first: Period,
    before: user_cap.Before,
    platform: Platform,
    settings: Settings,
    progress: Progress,
    target: Store | None = None,
    chosen: pl.Expr | None = None,
) -> RatedPeriod:
    """Rate what is to be rated, into files of the store, or of a `target` that is thrown away.

    `before` is what the invoices of the period before billed for users, `first` the store's first period; calls
    that are not `chosen` (a condition on `call_id`) are left out. The ledger is not changed, and files that it never
    names are swept from the store.
    """
    target = target or store
    lookups = coded(platform)
    rated = RatedPeriod(
        rating_no=ledger.next_rating_no(),
        last_batch=ledger.number("select max(batch_no) from batches"),
        prices=lookups.tariffs.prices.with_columns(pl.col("deck_id").cast(pl.String)),
    )
    count = answered_to_rate(ledger, period)
    progress.start("rating calls", count)
    with Buckets(target, lookups, count) as buckets:
        left_out, late = _match(store, ledger, period, first, lookups, settings, buckets, rated, chosen)
        progress.advance(count // 2)
        rated.pools = pools_of(ledger, late, period, first, before, platform, settings)
        _settle(target, lookups, settings, buckets, rated)
    progress.advance(count - count // 2)
    if rated.calls + rated.unrated.height + left_out != count:
        raise StoreUnavailable(
            f"{count} calls were to be rated and {rated.calls} + {rated.unrated.height} + {left_out} came out: "
            "nothing was stored; please report this"
        )
    return rated


def _match(
    store: Store,
    ledger: Ledger,
    period: Period,
    first: Period,
    lookups: Coded,
    settings: Settings,
    buckets: Buckets,
    rated: RatedPeriod,
    chosen: pl.Expr | None,
) -> tuple[int, pl.DataFrame]:
    """The first pass; gives how many calls were left out, and `customer_id` and `period_number` of the late ones."""
    shas = ledger.stored_files()

    def match(path: str) -> tuple[int, Matched]:
        calls = store.read_frame(path, shas[path]).select(CALL_SCHEMA.keys()).filter(pl.col("duration_s") > 0)
        wanted = calls if chosen is None else calls.filter(chosen)
        matched = match_calls(wanted, lookups, settings.rating, first)
        buckets.put(path, matched.calls)
        late = matched.calls.filter(pl.col("period_number") < period.number)
        late = late.select(pl.col("customer_id").cast(pl.String), "period_number").unique()
        return calls.height - wanted.height, matched._replace(calls=late)

    worked = list(in_order(match, paths_to_rate(ledger, period)))
    found = [matched for _, matched in worked]
    rated.unrated = pl.concat([rated.unrated, *(matched.unrated for matched in found)]).sort("call_id")
    reports = pl.concat([_no_reports(), *(matched.reports for matched in found)])
    rated.reports = reports.group_by("rule", "customer_id").agg(pl.col("calls").sum()).sort("rule", "customer_id")
    return sum(left_out for left_out, _ in worked), pl.concat(
        [_no_late_calls(), *(matched.calls for matched in found)]
    ).unique()


def _no_reports() -> pl.DataFrame:
    return pl.DataFrame(schema={"rule": pl.String, "customer_id": pl.String, "calls": pl.Int64})


def _no_late_calls() -> pl.DataFrame:
    return pl.DataFrame(schema={"customer_id": pl.String, "period_number": pl.Int32})


def _settle(store: Store, lookups: Coded, settings: Settings, buckets: Buckets, rated: RatedPeriod) -> None:
    """The second pass: packs and prices of each bucket, its files of rated calls, and what is alarming of them."""

    def settle(bucket: int) -> tuple[Rated, list[RatedFile], pl.DataFrame]:
        settled = rate_calls(buckets.take(bucket), rated.pools, lookups.tariffs.prices)
        written = list(_write_rated(store, rated.rating_no, bucket, settled.calls))
        alarms = call_alarms(settled, lookups.tariffs.prices, settings.bounds, settings.rating.timezone)
        return settled._replace(calls=settled.calls.clear()), written, compact(alarms)

    found = list(in_order(settle, buckets.numbers))
    rated.files = [file for _, written, _ in found for file in written]
    rated.traffic = pl.concat([rated.traffic, *(settled.traffic for settled, _, _ in found)])
    rated.draws = pl.concat([rated.draws, *(settled.draws for settled, _, _ in found)])
    rated.packs_used = packs_used(
        rated.pools, pl.concat([pl.DataFrame(schema=USED_SCHEMA), *(settled.used for settled, _, _ in found)])
    )
    rated.alarms = sorted_alarms(pl.concat([rated.alarms, *(alarms for _, _, alarms in found)]))


def _write_rated(store: Store, rating_no: int, bucket: int, calls: pl.DataFrame) -> Iterator[RatedFile]:
    for key, here in sorted(calls.partition_by("period_number", as_dict=True, maintain_order=True).items()):
        number = int(str(key[0]))
        path = f"rated/period={Period.numbered(number)}/{rating_no:06d}-{bucket:04d}.parquet"
        yield RatedFile(
            path,
            *store.write_frame(path, here),
            period_number=number,
            calls=here.height,
            amount_cents=int(here["amount_cents"].sum()),
            first_customer=str(here["customer_id"].first()),
            last_customer=str(here["customer_id"].last()),
        )


def keep_rating(
    store: Store,
    ledger: Ledger,
    period: Period,
    loaded: LoadedPlatform,
    rated: RatedPeriod,
    settings_text: str,
    moment: Moment,
) -> Rating:
    """Store a rating as the pending one, in place of the one before it; files first, then one transaction."""
    number = rated.rating_no
    snapshot = snapshots.snapshot_id(loaded.files)
    files = snapshots.keep_snapshot(store, ledger, loaded)
    files += [(file.path, file.sha256, file.size) for file in rated.files]
    pending = ledger.ratings(issued=False)
    with ledger.transaction():
        ledger.execute(
            "insert into ratings values (?, ?, false, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                number, str(period), snapshot, settings_text, moment.program, moment.text, rated.last_batch,
                rated.calls, rated.amount_cents, rated.unrated.height, json.dumps(rated.reports.rows()),
            ],
        )  # fmt: skip
        record(ledger, moment, RATED, "rating_no = ?", [number])
        rating = next(rating for rating in ledger.ratings(issued=False) if rating.rating_no == number)
        frames = (rated.unrated, rated.prices, rated.traffic, rated.draws)
        files += [(path, *store.write_frame(path, frame)) for path, frame in zip(rating.own_paths, frames, strict=True)]
        for path, sha256, size in files:
            ledger.name_file(path, sha256, size)
        for file in rated.files:
            ledger.execute(
                "insert into rated_files values (?, ?, ?, ?, ?, ?, ?)",
                [
                    file.path, number, file.period_number, file.calls, file.amount_cents, file.first_customer,
                    file.last_customer,
                ],
            )  # fmt: skip
        of_rating = pl.lit(number, pl.Int32).alias("rating_no")
        ledger.append("packs_used", rated.packs_used.with_columns(of_rating))
        ledger.append("call_alarms", rated.alarms.with_columns(of_rating))
        # After the new one is there: the two may share a snapshot.
        for old in pending:
            forget_rating(ledger, old)
    store.sweep(set(ledger.stored_files()))
    return rating


@dataclass(frozen=True, slots=True)
class KeptRating:
    """What is told of a rating, as the store has it.

    Attributes:
        calls: How many calls it rated.
        amount_cents: What they cost together.
        unrated: The calls that could not be rated, as in the quarantine.
        reports: Calls to be reported: rule, customer_id, calls.
    """

    calls: int
    amount_cents: int
    unrated: pl.DataFrame
    reports: pl.DataFrame


def kept_rating(store: Store, ledger: Ledger, rating: Rating) -> KeptRating:
    """A pending rating, of which every file is there with the bytes that were stored.

    Raises:
        StoreUnavailable: where one is not.
    """
    shas = ledger.stored_files()
    files = [
        str(path) for (path,) in ledger.rows("select path from rated_files where rating_no = ?", [rating.rating_no])
    ]
    for path in [*files, *rating.own_paths]:
        store.require(path, shas[path])
    unrated = store.read_frame(rating.unrated_path, shas[rating.unrated_path])
    reports = pl.DataFrame(json.loads(rating.reports), schema=_no_reports().schema, orient="row")
    return KeptRating(rating.calls, rating.amount_cents, unrated, reports)


def forget_rating(ledger: Ledger, rating: Rating) -> None:
    """Take a pending rating out of the ledger, within the caller's transaction."""
    paths = [
        str(path) for (path,) in ledger.rows("select path from rated_files where rating_no = ?", [rating.rating_no])
    ]
    for path in [*paths, *rating.own_paths]:
        ledger.forget_file(path)
    for table in ("rated_files", "packs_used", "call_alarms", "ratings"):
        ledger.execute(f"delete from {table} where rating_no = ?", [rating.rating_no])  # noqa: S608
    used_by = "select snapshot from ratings union all select snapshot from corrections"
    in_use = ledger.number(f"select count(*) from ({used_by}) where snapshot = ?", [rating.snapshot])  # noqa: S608
    if not in_use:
        ledger.execute("delete from stored_files where starts_with(path, ?)", [f"snapshots/{rating.snapshot}/"])


def call_alarms_of(ledger: Ledger, rating: Rating) -> pl.DataFrame:
    """The alarms of a rating's calls (`CALL_ALARM_SCHEMA`)."""
    found = ledger.frame(
        f"select {', '.join(CALL_ALARM_SCHEMA)} from call_alarms where rating_no = ?",  # noqa: S608
        [rating.rating_no],
    )
    return sorted_alarms(found.select(pl.col(name).cast(dtype) for name, dtype in CALL_ALARM_SCHEMA.items()))

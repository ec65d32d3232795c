"""Watching: signs of fraud in fresh CDRs, before the month ends and before anything of them is invoiced.

The files are read and rated as a run would, with the same readers, tables and packs, in a place that is thrown away
afterwards. Where there is a store, its calls that wait are rated with them, so that the calls of a day count
together however many files they came in, and a record that was delivered before counts once.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

from invoicing import intake, rating_run
from invoicing.bounds import said_day_spend, said_long_call, said_night_spend
from invoicing.cdr_files import WAIT
from invoicing.issuing import first_period
from invoicing.parquet_files import scan_parquet
from invoicing.rated_calls import read_rated
from invoicing.rewinding import ledger_copied
from rating.alarms import CALL_ALARM_SCHEMA, DAY_SPEND, LONG_CALL, NIGHT_SPEND, sorted_alarms
from rating.number_keys import number_text
from rating.periods import Period
from rating.pipeline import with_local_days
from rating.services import service_rows
from rating.sources.files import find_files, sha256_of
from rating.sources.platform_tables import load_platform
from schemas.errors import InputRefused

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from invoicing.desk import Moment, Report
    from invoicing.ledger import Ledger
    from invoicing.progress import Progress
    from invoicing.rating_run import RatedPeriod
    from invoicing.store import Store
    from rating.sources.formats import Formats
    from schemas.platform import Platform
    from schemas.settings import Settings

UNKNOWN_CALLER = "unknown_caller"
SPENDER = ["customer_id", "user_id", "number"]


@dataclass(slots=True)
class Watched:
    """What was seen in CDRs.

    Attributes:
        signs: `CALL_ALARM_SCHEMA` with `reason`: what looks like fraud; of unknown callers `measured` is seconds.
        counts: Files, records and calls.
        messages: What a person should know.
        warnings: What could not be looked at.
    """

    signs: pl.DataFrame
    counts: dict[str, int] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


class Watch(NamedTuple):
    """What a watch works with: formats, settings, the moment to act as of, twice, and whom to tell of progress."""

    formats: Formats
    settings: Settings
    now: datetime
    moment: Moment
    progress: Progress


def watch(store: Store, given: Sequence[str], folder: Path, work: Watch) -> Watched:
    """Look for signs of fraud in CDRs (4.10); nothing of the store is changed.

    Signs are calls and days beyond `[bounds]` (`rating.alarms`), those that are held and those that are reported
    alike, and calls placed from a number or by a user that nobody has. Only what a call of these files belongs to
    is told. A file that is still being written is looked at as far as it goes.

    Args:
        store: The store whose calls count too; one that is not there is as good as empty.
        given: Files, folders and globs.
        folder: The platform tables.
        work: The settings and the moment.

    Raises:
        InputRefused: where the tables or none of the files can be read.
    """
    # What a file that is still being written ends in is no record yet.
    cautious = replace(work.settings.rating, unterminated_last_line=WAIT)
    work = work._replace(settings=replace(work.settings, rating=cautious))
    settings = work.settings
    platform = load_platform(folder, settings).platform
    watched = Watched(pl.DataFrame(schema={**CALL_ALARM_SCHEMA, "reason": pl.String}))
    with ledger_copied(store) as (ledger, place):
        _link_calls(store, place, ledger)
        fresh = _read(place, ledger, given, work, watched)
        periods = [int(str(number)) for (number,) in ledger.rows(
            "select distinct period_number from batches where rated_by is null order by 1"
        )]  # fmt: skip
        if not periods:
            watched.messages.append("no call of these files is still to be invoiced")
            return watched
        first, last = (Period.numbered(number) for number in (periods[0], periods[-1]))
        rated = _rate(place, ledger, first_period(ledger, first), last, platform, work)
        watched.counts["calls_rated"], watched.counts["calls_unrated"] = rated.calls, rated.unrated.height
        calls = _fresh_call_ids(place, ledger, fresh)
        signs = [_of_fresh_calls(place, rated, calls), _unknown_callers(rated.unrated, fresh, settings)]
        watched.signs = _in_words(sorted_alarms(pl.concat(signs)), settings)
    return watched


def _link_calls(store: Store, place: Store, ledger: Ledger) -> None:
    """Let the store's calls stand in the place where those of the files are put."""
    for path in ledger.stored_files():
        if path.startswith(("calls/", "quarantine/")):
            target = place.root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to((store.root / path).resolve())


def _read(place: Store, ledger: Ledger, given: Sequence[str], work: Watch, watched: Watched) -> list[int]:
    """Read the files; gives their numbers, of those too that the store has read. One that cannot be read is told."""
    found = [file.path for file in find_files(given, work.formats.naming).files]
    if not found:
        watched.warnings.append(f"no CDR file was found in {', '.join(given)}")
    read, looked_at = [], []
    for path in found:
        try:
            taken = intake.read_cdrs(
                place, ledger, [path], work.formats, work.settings, work.now, work.moment, work.progress
            )
            read.append(sha256_of(path))
            # What was read of it before, and what was written to it meanwhile, have another SHA-256.
            looked_at.append(path)
            watched.messages += taken.told
            watched.warnings += taken.warnings
            faulty = int(taken.files["quarantined"].sum())
            watched.warnings += [f"{path}: {faulty} records would go to quarantine"] if faulty else []
        except InputRefused as refused:
            watched.warnings.append(f"not looked at, it may still be being written: {refused}")
    if found and not read:
        raise InputRefused(f"none of these files can be read: {'; '.join(watched.warnings)}")
    rows = ledger.rows(
        "select file_no, records from files where sha256 in (select unnest(?)) or source_file in (select unnest(?))",
        [read, looked_at],
    )
    watched.counts |= {"files": len(read), "records": sum(int(str(records)) for _, records in rows)}
    return [int(str(number)) for number, _ in rows]


def _rate(place: Store, ledger: Ledger, first: Period, period: Period, platform: Platform, work: Watch) -> RatedPeriod:
    """Rate all that waits, as a run of the period would."""
    users = rating_run.users_billed_before(ledger, period, first, service_rows(platform), platform, work.settings)
    return rating_run.rate_period(place, ledger, period, first, users, platform, work.settings, work.progress)


def _fresh_call_ids(place: Store, ledger: Ledger, fresh: Sequence[int]) -> pl.Series:
    """The calls of some files, by their call_id."""
    paths = ledger.rows("select path from batches where rated_by is null order by batch_no")
    found = [pl.Series("call_id", [], dtype=pl.String)]
    for (path,) in paths:
        calls = scan_parquet(place.root / str(path)).filter(pl.col("file_no").is_in(fresh))
        found.append(calls.select("call_id").collect().to_series())
    return pl.concat(found)


def _of_fresh_calls(place: Store, rated: RatedPeriod, fresh: pl.Series) -> pl.DataFrame:
    """The alarms that fresh calls have a part in."""
    files = {file.path: file.sha256 for file in rated.files}
    customers = rated.alarms["customer_id"].unique()
    calls = read_rated(place, files, rated.prices, customers=customers)
    own = pl.when(pl.col("direction") == "outgoing").then("caller").otherwise("callee")
    theirs = calls.filter(pl.col("call_id").is_in(fresh.implode())).with_columns(
        number=pl.when(pl.col("user_id").is_null()).then(own)
    )
    parts = {LONG_CALL: ["call_id"], DAY_SPEND: [*SPENDER, "zone_id", "day"], NIGHT_SPEND: [*SPENDER, "day"]}
    return pl.concat(
        rated.alarms.filter(pl.col("bound") == bound).join(theirs, on=key, how="semi", nulls_equal=True)
        for bound, key in parts.items()
    )


def _unknown_callers(unrated: pl.DataFrame, fresh: Sequence[int], settings: Settings) -> pl.DataFrame:
    """Fresh calls that were placed from a number or by a user that nobody has, by caller and day."""
    placed = unrated.filter(
        (pl.col("reason") == UNKNOWN_CALLER) & (pl.col("direction") == "outgoing") & pl.col("file_no").is_in(fresh)
    )
    dated = with_local_days(placed, settings.rating.timezone).with_columns(number=number_text(pl.col("caller")))
    sums = dated.group_by("number", "user_id", "day").agg(calls=pl.len(), measured=pl.col("duration_s").sum())
    named = sums.with_columns(bound=pl.lit(UNKNOWN_CALLER))
    return named.select(
        (pl.col(name) if name in named.columns else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in CALL_ALARM_SCHEMA.items()
    )


def _in_words(signs: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    say = {LONG_CALL: said_long_call, DAY_SPEND: said_day_spend, NIGHT_SPEND: said_night_spend}
    words = [
        _said_unknown(row) if row["bound"] == UNKNOWN_CALLER else say[row["bound"]](row, settings.bounds)
        for row in signs.iter_rows(named=True)
    ]
    return signs.with_columns(reason=pl.Series(words, dtype=pl.String))


def _said_unknown(row: dict[str, Any]) -> str:
    user = f" as user {row['user_id']}" if row["user_id"] else ""
    return (
        f"{row['calls']} calls of {row['measured']} s in all were placed from {row['number']}{user} on {row['day']}, "
        "and nobody has that number or user"
    )


def tell_watched(watched: Watched, report: Report) -> None:
    """The signs, each for a person to look at."""
    report.counts = {"signs": watched.signs.height, **watched.counts}
    report.tables["Signs of fraud"] = watched.signs.rename({"bound": "sign"})
    report.messages += watched.messages
    report.warnings += watched.warnings
    report.attention += [
        f"{customer_id}: {reason}" if customer_id else reason
        for customer_id, reason in watched.signs.select("customer_id", "reason").iter_rows()
    ]
    if not watched.signs.height:
        report.messages.append("no sign of fraud")

"""Times and durations as platforms write them: local stamps, seconds since 1970, hours and minutes."""

from __future__ import annotations

from typing import Literal

import polars as pl

from rating.mediation import LONGEST_CALL_S, UTC_MICROSECONDS

STAMP = "%Y-%m-%d %H:%M:%S"
EXPECTED_STAMP = "a time as in 2026-10-01 08:00:00 that the clock of {} showed"
EXPECTED_EPOCH = "seconds since 1970"
_STAMP_FORM = r"^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-5][0-9]$"
_WITH_OFFSET = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-5][0-9](?:\.[0-9]+)?(?:Z|[+-][0-9]{2}(?::?[0-9]{2})?)$"
)
_CLOCK = r"^[0-9]{1,4}:[0-5][0-9]:[0-5][0-9]$"
MILLISECONDS_PER_S = 1000
# Of clocks that are read in whole seconds the later one may show the earlier second.
TOLERANCE = pl.duration(seconds=1)


def local_stamp(text: pl.Expr) -> pl.Expr:
    """A stamp as in 2026-10-01 08:00:00 without its zone; null where it is none."""
    return pl.when(text.str.contains(_STAMP_FORM)).then(
        text.str.to_datetime(STAMP, time_unit="us", strict=False, cache=False)
    )


def in_utc(rows: pl.DataFrame, local: pl.Expr, zone: str, *, not_before: pl.Expr | None = None) -> pl.Series:
    """Local stamps in UTC; null where there is none, or the clock of the zone never showed it.

    In the hour that is repeated when summer time ends, a stamp is the first of its two moments that is not before
    `not_before`; without that, the first.

    Args:
        rows: What the expressions are of.
        local: The stamps (Datetime without zone).
        zone: Their zone.
        not_before: A moment (Datetime('us', 'UTC')?) at which the stamp was not reached yet.
    """
    stamps = rows.select(local.alias("local"))
    instants = _instants(stamps, zone, "null")
    unsaid = instants.is_null() & stamps["local"].is_not_null()
    if not unsaid.any():
        return instants
    # Those of the repeated hour, and those that the clock never showed.
    at = unsaid.arg_true()
    first, second = (_instants(stamps[at], zone, which) for which in ("earliest", "latest"))
    if not_before is None:
        return instants.scatter(at, first)
    since = rows[at].select(not_before.alias("since"))["since"]
    chosen = pl.DataFrame({"first": first, "second": second, "since": since}).select(
        chosen=pl.when(pl.col("first") < pl.col("since") - TOLERANCE).then("second").otherwise("first")
    )
    return instants.scatter(at, chosen["chosen"])


def _instants(stamps: pl.DataFrame, zone: str, ambiguous: Literal["null", "earliest", "latest"]) -> pl.Series:
    """The stamps in UTC; null where the clock never showed them, or twice and neither moment is asked for."""
    shown = pl.col("local").dt.replace_time_zone(zone, ambiguous=ambiguous, non_existent="null")
    return stamps.select(shown.dt.convert_time_zone("UTC").cast(UTC_MICROSECONDS)).to_series()


def epoch_seconds(text: pl.Expr) -> pl.Expr:
    """Seconds since 1970 as an instant; null where they are none, or 0."""
    return _instant(text, 1_000_000)


def epoch_microseconds(text: pl.Expr) -> pl.Expr:
    """Microseconds since 1970 as an instant; null where they are none, or 0."""
    return _instant(text, 1)


def epoch_milliseconds(text: pl.Expr) -> pl.Expr:
    """Milliseconds since 1970 as an instant; null where they are none, or 0."""
    return _instant(text, 1_000)


def _instant(text: pl.Expr, microseconds: int) -> pl.Expr:
    digits = pl.when(text.str.contains("^[0-9]{1,16}$")).then(text.cast(pl.Int64, strict=False))
    latest = 253_402_300_799_000_000 // microseconds  # the last second of the year 9999
    return pl.when(digits.is_between(1, latest)).then(
        (digits * microseconds).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    )


def with_offset(text: pl.Expr) -> pl.Expr:
    """A stamp that tells its offset, as PostgreSQL and RFC 3339 write it, in UTC; null where it is none."""
    stamp = pl.when(text.str.contains(_WITH_OFFSET)).then(text)
    second = pl.concat_str(stamp.str.slice(0, 10), pl.lit(" "), stamp.str.slice(11, 8))
    micro = stamp.str.extract(r"\.([0-9]{1,6})").str.pad_end(6, "0").cast(pl.Int64).fill_null(0)
    offset = stamp.str.extract(r"([+-][0-9]{2}(?::?[0-9]{2})?)$").str.replace(":", "", literal=True)
    minutes = offset.str.slice(1, 2).cast(pl.Int64) * 60 + offset.str.slice(3, 2).cast(
        pl.Int64, strict=False
    ).fill_null(0)
    signed = pl.when(offset.str.starts_with("-")).then(-minutes).otherwise(minutes).fill_null(0)
    local = second.str.to_datetime(STAMP, time_unit="us", strict=False, cache=False)
    return (local + pl.duration(microseconds=micro) - pl.duration(minutes=signed)).dt.replace_time_zone("UTC")


def clock_seconds(text: pl.Expr) -> pl.Expr:
    """Hours, minutes and seconds, as in 00:05:36, as seconds; null where they are none."""
    parts = pl.when(text.str.contains(_CLOCK)).then(text).str.splitn(":", 3)
    hours, minutes, seconds = (parts.struct.field(f"field_{place}").cast(pl.Int64) for place in range(3))
    return hours * 3600 + minutes * 60 + seconds


def whole_seconds_of_milliseconds(text: pl.Expr) -> pl.Expr:
    """Milliseconds as seconds, rounded up to whole ones (R-INCREMENT); null where they are none."""
    digits = pl.when(text.str.contains("^[0-9]{1,12}$")).then(text.cast(pl.Int64, strict=False))
    return -((-digits) // MILLISECONDS_PER_S)


def seconds_between(start: pl.Expr, end: pl.Expr) -> pl.Expr:
    """Whole seconds from one instant to another, rounded up; null where the end is before the start, or not known.

    A call longer than any is `LONGEST_CALL_S` and one, which mediation refuses.
    """
    microseconds = (end - start).dt.total_microseconds()
    seconds = -((-microseconds) // 1_000_000)
    return pl.when(microseconds >= 0).then(seconds.clip(upper_bound=LONGEST_CALL_S + 1))

"""The month's call records, a file at a time: the rhythm of days, who calls whom, how long, and the dirt among them."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pyarrow as pa

from tests.bench.parties import MOVED_TO

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from tests.bench.parties import World

CALLS_PER_FILE = 1_000_000
FEWEST_FILES = 4
MONTH_STARTS = datetime(2026, 9, 30, 22, tzinfo=UTC)  # local midnight
MONTH_HOURS = 31 * 24 + 1  # summer time ends within it
HOUR_MS = 3_600_000
# What is wrong with two records in a hundred, and with what share of them all; `early` ones are of September.
DIRT = {
    "no callee": 0.001, "no number": 0.001, "too long": 0.001, "unanswered": 0.005, "nobody's": 0.003,
    "future": 0.0005, "early": 0.0025, "notation": 0.006,
}  # fmt: skip
EXACT_SHARE, CONFLICT_SHARE = 0.005, 0.0005
# How much is called in each local hour, from Monday to Friday.
RHYTHM = (2, 1, 1, 1, 1, 3, 10, 35, 80, 100, 100, 95, 60, 75, 95, 98, 90, 70, 40, 25, 18, 12, 7, 4)
WEEKEND = 0.2
COLUMNS = ("call_id", "start", "direction", "caller", "callee", "duration_s", "user_id")
HEX = np.array([f"{byte:02x}".encode() for byte in range(256)], dtype="S2")


def file_sizes(calls: int) -> list[int]:
    """How many records each file of the month holds: a million, and four files at least."""
    files = max(FEWEST_FILES, -(-calls // CALLS_PER_FILE))
    return [calls * (place + 1) // files - calls * place // files for place in range(files)]


def month_files(world: World) -> Iterator[pl.DataFrame]:
    """The records of each file in turn; some come again in the file after, the same or not quite.

    Columns: start Datetime('us', 'UTC'), duration_s Int64, the rest String, empty text as null. Rows are in
    the order in which the calls ended, as a switch writes them.
    """
    again = None
    sizes = file_sizes(world.size.calls)
    for place, count in enumerate(sizes):
        rng = np.random.default_rng([world.size.seed, 1, place])
        repeats = 0 if again is None else again.height
        part = (place / len(sizes), (place + 1) / len(sizes))
        fresh = draw_calls(world, rng, count - repeats, part, first=place * CALLS_PER_FILE)
        dirty = soil(fresh, rng)
        written = dirty if again is None else pl.concat([dirty, again])
        yield written.sort(pl.col("start") + pl.duration(seconds=pl.col("duration_s")), maintain_order=True)
        again = repeated(dirty, rng)


def late_calls(world: World, count: int, *, customers: int | None = None) -> pl.DataFrame:
    """Clean calls of the whole month that come after it was run, of the first customers alone if so wanted."""
    rng = np.random.default_rng([world.size.seed, 2])
    return draw_calls(world, rng, count, (0, 1), first=1 << 40, customers=customers)


def draw_calls(
    world: World,
    rng: np.random.Generator,
    count: int,
    part: tuple[float, float],
    *,
    first: int,
    customers: int | None = None,
) -> pl.DataFrame:
    """Clean calls of a part of the month, in the order of their start.

    Args:
        world: Who calls.
        rng: What they are drawn from.
        count: How many.
        part: From which share of the month's calls to which.
        first: The number of the first, of which call ids are made.
        customers: If given, only this many customers call.
    """
    start_ms = np.sort(_moments(rng, count, part))
    seats = world.seats
    chance = rng.random(count)
    if customers is not None:
        chance *= world.seat_weights[seats["customer_no"].search_sorted(customers) - 1]
    seat = np.searchsorted(world.seat_weights, chance)
    # A user who comes within the month makes no calls before: they are the next telephone's.
    seat = np.where(seats["come"].to_numpy()[seat], np.minimum(seat + 1, seats.height - 1), seat)
    caller = seats.select("number", "user_id", "successor_id", "customer_no")[pl.Series(seat)]
    moved_ms = int(datetime.fromisoformat(f"{MOVED_TO}T00:00:00+02:00").timestamp() * 1000)
    outside = world.outside.gather(pl.Series((len(world.outside) * rng.random(count) ** 2).astype(np.int64)))
    kind = rng.random(count)
    calls = caller.with_columns(
        outside=outside,
        start_ms=pl.Series(start_ms),
        incoming=pl.Series(kind < 0.3),
        withheld=pl.Series(rng.random(count) < 0.06),
        colleague=_colleagues(world, rng, seat, kind),
        main=world.mains.gather(caller["customer_no"]),
        through_main=pl.Series(rng.random(count) < 0.1),
        told=pl.Series(rng.random(count) < 0.7),
        duration_s=pl.Series(_durations(rng, count)),
    )
    incoming, user = (
        pl.col("incoming"),
        pl.coalesce(pl.when(pl.col("start_ms") >= moved_ms).then("successor_id"), "user_id"),
    )
    remote = pl.when(pl.col("outside").str.starts_with("+")).then("outside").otherwise("main")
    return calls.select(
        call_id=call_ids(world.size.seed, first, count),
        start=pl.from_epoch("start_ms", time_unit="ms").dt.cast_time_unit("us").dt.replace_time_zone("UTC"),
        direction=pl.when(incoming).then(pl.lit("incoming")).otherwise(pl.lit("outgoing")),
        caller=pl.when(incoming & pl.col("withheld")).then(pl.lit("anonymous"))
        .when(incoming).then(remote)
        .when("told", "through_main").then("main")
        .otherwise("number"),
        callee=pl.when(incoming).then("number").otherwise(pl.coalesce("colleague", "outside")),
        duration_s="duration_s",
        user_id=pl.when(~incoming & pl.col("told")).then(user),
    )  # fmt: skip


def _moments(rng: np.random.Generator, count: int, part: tuple[float, float]) -> NDArray[np.int64]:
    """Milliseconds since 1970 within a part of the month's calls."""
    weights = _hour_weights()
    chance = part[0] + (part[1] - part[0]) * rng.random(count)
    hour = np.minimum(np.searchsorted(weights, chance, side="right"), len(weights) - 1)
    before = np.concatenate([[0.0], weights])[hour]
    within = np.clip((chance - before) / (weights[hour] - before), 0, 0.999999)
    return int(MONTH_STARTS.timestamp() * 1000) + hour * HOUR_MS + (within * HOUR_MS).astype(np.int64)


@cache
def _hour_weights() -> NDArray[np.float64]:
    """The running share of the month's calls at the end of each of its hours."""
    hours = pl.select(
        pl.datetime_range(
            MONTH_STARTS, interval="1h", closed="left", end=MONTH_STARTS.replace(month=10, day=31, hour=23)
        )
        .dt.convert_time_zone("Europe/Brussels")
        .alias("hour")
    )
    local = hours.select(hour=pl.col("hour").dt.hour(), weekday=pl.col("hour").dt.weekday())
    weights = np.array(RHYTHM)[local["hour"].to_numpy()] * np.where(local["weekday"].to_numpy() > 5, WEEKEND, 1)
    running = np.cumsum(weights)
    return running / running[-1]


def _durations(rng: np.random.Generator, count: int) -> NDArray[np.int64]:
    """Seconds: voice mail and wrong numbers, talks, and conferences; each is log-normal."""
    kind = rng.choice(3, count, p=[0.3, 0.62, 0.08])
    median, spread = np.array([22, 105, 900])[kind], np.array([0.8, 1.0, 0.8])[kind]
    return np.clip(median * np.exp(spread * rng.standard_normal(count)), 1, 20_000).astype(np.int64)


def _colleagues(
    world: World, rng: np.random.Generator, seat: NDArray[np.int64], kind: NDArray[np.float64]
) -> pl.Series:
    """Whom of the platform a call goes to, null where outside it: the same customer's mostly, or anybody's."""
    number = world.seats["number"]
    near = np.clip(seat + rng.integers(-4, 5, len(seat)), 0, len(number) - 1)
    far = rng.integers(0, len(number), len(seat))
    place = pl.Series(np.where(kind < 0.38, near, far))
    return pl.select(pl.when(pl.Series(kind < 0.4)).then(pl.lit(number.gather(place)))).to_series()


def call_ids(seed: int, first: int, count: int) -> pl.Series:
    """An id for each call number: 32 hexadecimal digits, or the SIP Call-ID of another switch, by turns of files."""
    number = np.arange(first, first + count, dtype=np.uint64)
    low, high = _mixed(number, 2 * seed + 1), _mixed(number, 2 * seed + 2)
    octets = np.stack([low, high], axis=1).view(np.uint8)
    digits = HEX[octets].view("S32")
    text = pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(32), count, [None, pa.py_buffer(np.ascontiguousarray(digits))]
    )
    ids = pl.Series(text.cast(pa.large_binary()).cast(pa.large_string()))
    if first // CALLS_PER_FILE % 3 == 2:
        ids = pl.select(pl.lit(ids).str.slice(0, 24) + "@sbc2.ardoise.example").to_series()
    return ids.alias("call_id")


def _mixed(number: NDArray[np.uint64], seed: int) -> NDArray[np.uint64]:
    """Another 64 bits for each number, never the same twice (the finaliser of SplitMix64)."""
    z = number + np.uint64(seed * 0x9E3779B97F4A7C15 % 2**64)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def soil(calls: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """Two in a hundred are not as they should be."""
    draw = pl.lit(pl.Series("draw", rng.random(calls.height)))
    marked, low = {}, 0.0
    for dirt, share in DIRT.items():
        marked[dirt] = (draw >= low) & (draw < low + share)
        low += share
    start, caller, duration_s = pl.col("start"), pl.col("caller"), pl.col("duration_s")
    return calls.with_columns(
        start=pl.when(marked["future"]).then(start + pl.duration(days=400))
        .when(marked["early"]).then(start - pl.duration(days=31))
        .otherwise(start),
        caller=pl.when(marked["no number"]).then(pl.lit("+32x"))
        .when(marked["nobody's"]).then("+3265" + caller.str.slice(-6))
        .otherwise(caller),
        callee=pl.when(marked["notation"]).then(_written_otherwise(pl.col("callee")))
        .when(~marked["no callee"]).then("callee"),
        duration_s=pl.when(marked["too long"]).then(90_000 + duration_s)
        .when(marked["unanswered"]).then(0)
        .otherwise(duration_s),
        user_id=pl.when(~marked["nobody's"]).then("user_id"),
    )  # fmt: skip


def _written_otherwise(number: pl.Expr) -> pl.Expr:
    """The same number in one of the notations that switches use; short codes have one alone."""
    digits, style = number.str.slice(3), pl.int_range(pl.len()) % 5
    home, full = number.str.starts_with("+32"), number.str.starts_with("+")
    spaced = "0" + digits.str.slice(0, 3) + " " + digits.str.slice(3, 2) + " " + digits.str.slice(5)
    return (
        pl.when(home & (style == 0)).then("0" + digits)
        .when(home & (style == 1)).then(spaced)
        .when(home & (style == 2)).then("+32 (0)" + digits)
        .when(full & (style == 3)).then("sip:" + number + "@sbc2.ardoise.example")
        .when(full).then("00" + number.str.slice(1))
        .otherwise(number)
    )  # fmt: skip


def repeated(records: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """Records that a switch sends again with its next file, and a few that then say something else."""
    draw = pl.Series("draw", rng.random(records.height))
    exact = records.filter(draw < EXACT_SHARE)
    changed = records.filter((draw >= EXACT_SHARE) & (draw < EXACT_SHARE + CONFLICT_SHARE))
    return pl.concat([exact, changed.with_columns(pl.col("duration_s") + 1)])

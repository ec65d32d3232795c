"""Mediation: records become calls, once each; what is no call is set aside with its reason."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl

from rating.forms import read_text
from rating.numbers import ANONYMOUS, normalise_number
from rating.rules import rule
from schemas.days import DAY

CONTENT = ("start", "direction", "caller", "callee", "duration_s", "user_id")
DIRECTIONS = ("outgoing", "incoming")
UTC_MICROSECONDS = pl.Datetime("us", "UTC")
LONGEST_CALL_S = 86_400
EARLIEST = datetime(1, 1, 2, tzinfo=UTC)  # earlier ones have no local day that a date can name
FUTURE_AFTER = timedelta(hours=24)
SHOWN_CHARACTERS = 80
QUARANTINE_COLUMNS = ("call_id", "reason", "source_line", "detail", "record")

_HOUR_MINUTE = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]"
_USUAL_START = rf"^{DAY}T{_HOUR_MINUTE}:[0-5][0-9]Z$"
_START = rf"^{DAY}[Tt ]{_HOUR_MINUTE}:[0-5][0-9](?:\.[0-9]+)?(?:[Zz]|[+-]{_HOUR_MINUTE})$"
_TO_SECOND = "%Y-%m-%dT%H:%M:%S"

# In the order of the columns: the first that cannot be read is the one that is named.
EXPECTED = {
    "call_id": "a text that is unique to the call, without NUL",
    "start": "a time with Z or an offset, as in 2026-10-01T08:00:00Z",
    "direction": "outgoing, incoming, or nothing (outgoing)",
    "caller": "+ and 5 to 15 digits, 00 or 0 before a number, a short code, or nothing (anonymous)",
    "callee": "+ and 5 to 15 digits, 00 or 0 before a number, or a short code",
    "duration_s": "seconds from 0 to 86400, with or without a fraction",
    "user_id": "a text without NUL, or nothing",
}


@rule("R-RECORD", article="")
def normalise_records(records: pl.DataFrame, *, now: datetime, country_code: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """A record becomes a call once, or is set aside under the first reason that fits.

    The reasons, in this order: `malformed` (a field cannot be read), `future` (it starts more than 24 hours
    after the moment acted in), a duplicate (its call_id was accepted with the same content), `conflict` (it
    was accepted with other content, which stands). What is left is accepted; with a duration of 0 it is
    unanswered, which is counted and never rated. This function judges the first two, record by record;
    `settle_repeats` the others, which need the calls accepted before.

    Args:
        records: source_line Int64, record (as `record_text` takes it), fault String? and call_id, start,
            direction, caller, callee, duration_s, user_id: String?, or typed, which is quick: start
            Datetime('us', 'UTC'), duration_s a number.
        now: The moment to act as of, with its zone.
        country_code: The digits put before a national number.

    Returns:
        The calls that remain (call_id, the columns of `CONTENT`, source_line, row: its place in the frame of
        records, UInt32; start Datetime('us', 'UTC'), duration_s whole seconds) and the quarantine
        (`QUARANTINE_COLUMNS`), both in record order.
    """
    typed = records.schema
    read = records.select(
        "source_line",
        "fault",
        row=pl.int_range(pl.len(), dtype=pl.UInt32),
        call_id=_present(_trimmed("call_id")),
        start=_start(pl.col("start"), typed["start"]),
        direction=_direction(_trimmed("direction")),
        caller=normalise_number(pl.col("caller"), country_code=country_code),
        callee=normalise_number(pl.col("callee"), country_code=country_code),
        duration_s=_whole_seconds(pl.col("duration_s"), typed["duration_s"]),
        user_id=_trimmed("user_id"),
    )
    bad = {
        **{name: pl.col(name).is_null() for name in ("call_id", "direction", "caller")},
        "start": pl.col("start").is_null() | (pl.col("start") < EARLIEST),
        "callee": pl.col("callee").is_null() | (pl.col("callee") == ANONYMOUS),
        "duration_s": pl.col("duration_s").is_null() | (pl.col("duration_s") > LONGEST_CALL_S),
        "user_id": pl.col("user_id").str.contains("\0", literal=True),
    }
    judged = read.with_columns(
        malformed=pl.any_horizontal(pl.col("fault").is_not_null(), *bad.values()).fill_null(value=False),
        future=(pl.col("start") > now.astimezone(UTC) + FUTURE_AFTER).fill_null(value=False),
    )
    kept = judged.filter(~pl.col("malformed") & ~pl.col("future"))
    calls = kept.select(
        "call_id",
        *CONTENT[:-1],
        user_id=_nothing_is_null("user_id"),
        source_line="source_line",
        row="row",
    )
    aside = pl.col("malformed") | pl.col("future")
    first_bad = pl.coalesce(*(pl.when(bad[name]).then(pl.lit(name)) for name in EXPECTED))
    return calls, _quarantined(
        records.filter(judged.select(aside).to_series()), judged.filter(aside).with_columns(field=first_bad)
    )


def settle_repeats(calls: pl.DataFrame, known: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Keep of each call_id the call that came first, in the order of the frame (R-RECORD).

    Args:
        calls: As `with_records` gives them; further columns, such as source_file, are kept.
        known: The calls accepted before that have one of these call_ids: call_id and `CONTENT`.

    Returns:
        The accepted calls (without record), the duplicates (the same columns), and the conflicts as
        quarantine: `QUARANTINE_COLUMNS` and the further columns.
    """
    new = calls.select(
        (pl.col("call_id").is_first_distinct() & ~pl.col("call_id").is_in(known["call_id"].implode())).alias("new")
    ).to_series()
    accepted = calls.filter(new).drop("record")
    repeats = calls.filter(~new)
    content = ["call_id", *CONTENT]
    first = pl.concat([known.select(content), accepted.select(content).join(repeats, on="call_id", how="semi")])
    compared = repeats.join(first, on="call_id", how="left", suffix="_first", maintain_order="left")
    same = pl.all_horizontal(pl.col(name).eq_missing(pl.col(f"{name}_first")) for name in CONTENT)
    duplicates = compared.filter(same).select(accepted.columns)
    conflicts = compared.filter(~same).with_columns(reason=pl.lit("conflict"), detail=_difference())
    further = [name for name in accepted.columns if name not in (*content, "source_line")]
    return accepted, duplicates, conflicts.select(*QUARANTINE_COLUMNS, *further)


def with_records(calls: pl.DataFrame, records: pl.DataFrame) -> pl.DataFrame:
    """Calls that `normalise_records` made of these records, with the record's text (record: String) for its row."""
    return calls.drop("row").with_columns(record=record_text(records[calls["row"]]))


def record_text(records: pl.DataFrame) -> pl.Series:
    """The records as text: as they were read, or a JSON object of each row's columns (Parquet).

    Args:
        records: source_line, record (String, or a Struct of the row's columns), fault, and the fields in the order
            of the file: where record is null, those that are not, with commas between them, are the record.
    """
    record = records["record"]
    if isinstance(record.dtype, pl.Struct):
        return record.struct.json_encode()
    if not record.null_count():
        return record
    fields = pl.concat_str(pl.exclude("source_line", "record", "fault"), separator=",", ignore_nulls=True)
    return records.select(pl.coalesce("record", fields)).to_series()


def _trimmed(name: str) -> pl.Expr:
    return pl.col(name).str.strip_chars()


def _nothing_is_null(name: str) -> pl.Expr:
    """Empty text is no text."""
    return pl.when(pl.col(name) != "").then(pl.col(name))


def _present(text: pl.Expr) -> pl.Expr:
    """Null where a text is empty or holds a NUL."""
    return pl.when((text != "") & ~text.str.contains("\0", literal=True)).then(text)


def _direction(text: pl.Expr) -> pl.Expr:
    """One of `DIRECTIONS`, outgoing where nothing is said, null for anything else."""
    said = pl.when(text == "").then(pl.lit(DIRECTIONS[0])).otherwise(text).fill_null(DIRECTIONS[0])
    return pl.when(said.is_in(DIRECTIONS)).then(said)


def _start(field: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """An RFC 3339 time in UTC, cut to the microsecond; null where it is none (no zone, no such day)."""
    if dtype == UTC_MICROSECONDS:
        return field
    return read_text(field, _start_in_utc, _start_anywhere, UTC_MICROSECONDS)


def _start_in_utc(text: pl.Expr) -> pl.Expr:
    """A time as in 2026-10-01T08:00:00Z."""
    instant = text.str.to_datetime(f"{_TO_SECOND}Z", time_unit="us", time_zone="UTC", strict=False, cache=False)
    return pl.when(text.str.contains(_USUAL_START)).then(instant)


def _start_anywhere(field: pl.Expr) -> pl.Expr:
    text = field.str.strip_chars()
    second = pl.concat_str(text.str.slice(0, 10), pl.lit("T"), text.str.slice(11, 8))
    local = second.str.to_datetime(_TO_SECOND, time_unit="us", strict=False, cache=False)
    micro = text.str.extract(r"\.([0-9]{1,6})").str.pad_end(6, "0").cast(pl.Int64).fill_null(0)
    offset = text.str.extract(rf"([+-]{_HOUR_MINUTE})$")
    minutes = offset.str.slice(1, 2).cast(pl.Int64) * 60 + offset.str.slice(4, 2).cast(pl.Int64)
    signed_minutes = pl.when(offset.str.starts_with("-")).then(-minutes).otherwise(minutes).fill_null(0)
    in_utc = local + pl.duration(microseconds=micro) - pl.duration(minutes=signed_minutes)
    return pl.when(text.str.contains(_START)).then(in_utc.dt.replace_time_zone("UTC"))


def _whole_seconds(field: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """Seconds rounded up to whole ones, above 86400 where more were written; null where they are malformed.

    A text is judged digit by digit, so that no fraction, however small, is lost.
    """
    if dtype.is_numeric():
        return pl.when(field >= 0).then(field.ceil().cast(pl.Int64, strict=False))
    return read_text(field, _few_digits, _decimal_seconds, pl.Int64())


def _few_digits(text: pl.Expr) -> pl.Expr:
    """A text of one to five digits: an integer without a sign."""
    signed = text.str.starts_with("+") | text.str.starts_with("-")
    return pl.when((text.str.len_bytes() <= 5) & ~signed).then(text.cast(pl.Int64, strict=False))  # noqa: PLR2004


def _decimal_seconds(field: pl.Expr) -> pl.Expr:
    text = field.str.strip_chars()
    # More than five digits after the leading zeros are more than a day, whatever they are.
    well_formed = pl.when(text.str.contains(r"^0*[0-9]{1,5}(?:\.[0-9]+)?$")).then(text)
    whole = well_formed.str.replace(r"\.[0-9]+$", "").cast(pl.Int64, strict=False)
    return whole + text.str.contains(r"\.[0-9]*[1-9]").cast(pl.Int64)


def _quarantined(records: pl.DataFrame, judged: pl.DataFrame) -> pl.DataFrame:
    """The quarantine of records, each with its judgement in the same row: their fields as they were read."""
    fields = judged.select(
        "source_line",
        reason=pl.when("malformed").then(pl.lit("malformed")).otherwise(pl.lit("future")),
        fault="fault",
        field="field",
    )
    as_read = records.select(pl.col(name).cast(pl.String).str.strip_chars() for name in EXPECTED)
    malformed = pl.coalesce(
        pl.when(pl.col("field") == name).then(
            pl.concat_str(pl.lit(f"{name} "), shown(pl.col(name)), pl.lit(f" cannot be read; expected {expected}"))
        )
        for name, expected in EXPECTED.items()
    )
    future = pl.concat_str(
        pl.lit("start "), shown(pl.col("start")), pl.lit(" is more than 24 hours after the moment acted as of")
    )
    return (
        pl.concat([fields, as_read], how="horizontal")
        .with_columns(
            call_id=_nothing_is_null("call_id"),
            detail=pl.coalesce("fault", malformed, future),
            record=record_text(records),
        )
        .select(QUARANTINE_COLUMNS)
    )


def _difference() -> pl.Expr:
    """The first field in which a repeated call differs from the one accepted first, with both contents."""
    return pl.coalesce(
        pl.when(pl.col(name).ne_missing(pl.col(f"{name}_first"))).then(
            pl.concat_str(
                pl.lit(f"{name} "),
                shown(pl.col(name).cast(pl.String)),
                pl.lit(" where the call accepted first under this call_id has "),
                shown(pl.col(f"{name}_first").cast(pl.String)),
            )
        )
        for name in CONTENT
    )


def shown(text: pl.Expr) -> pl.Expr:
    """A content between quotes, cut where it is long; nothing is shown as such."""
    cut = pl.when(text.str.len_chars() > SHOWN_CHARACTERS).then(
        pl.concat_str(text.str.slice(0, SHOWN_CHARACTERS), pl.lit("..."))
    )
    quoted = pl.concat_str(pl.lit("'"), pl.coalesce(cut, text), pl.lit("'"))
    return pl.when(text.is_null() | (text == "")).then(pl.lit("(empty)")).otherwise(quoted)

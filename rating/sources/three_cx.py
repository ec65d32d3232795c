"""3CX: the records of its CDR service (`cdr.log`).

What is known of them is from "CDR - Call Data Records" of the 3CX documentation: the operator chooses which fields a
record has and in which order, separated by commas, without header. Without the setting `columns` the order is that
in which the service offers them: historyid, callid, duration, time-start, time-answered, time-end, reason-terminated,
from-no, to-no, from-dn, to-dn, dial-no, reason-changed, final-number, final-dn, bill-code, bill-rate, bill-cost,
bill-name, chain, and from there on as many as are chosen. Lines may begin with "Call ".

`duration` is billed (hours, minutes and seconds of the conversation) where time-answered is not empty. Times are in
UTC unless `--timezone` says otherwise, with slashes, points or dashes in the date.

An endpoint of the system is written with its kind (`Ext.101`, `VMail.101`), a number outside as it is. From an endpoint
to a number is outgoing and belongs to the endpoint; from a number to an endpoint is incoming, and outgoing where it
went on to a number outside (final-number), on account of the endpoint that sent it on. Left out: calls between
endpoints, calls that ended in a mailbox, and unanswered ones. The call_id is callid and the moment of the
answer: a call that is transferred has a record for each part.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

import polars as pl

from rating.sources.rows import Layout, Wanted
from rating.sources.source import Options, Source, Unreadable, is_empty, native_rows
from rating.sources.stamps import EXPECTED_STAMP, clock_seconds, in_utc, local_stamp
from schemas.errors import InputRefused

if TYPE_CHECKING:
    from rating.sources.source import Head

NAME = "3cx"
SETTINGS = ("columns",)
FILES = r"^[Cc][Dd][Rr].*\.log$"
COLUMNS = (
    "historyid", "callid", "duration", "time-start", "time-answered", "time-end", "reason-terminated", "from-no",
    "to-no", "from-dn", "to-dn", "dial-no", "reason-changed", "final-number", "final-dn", "bill-code", "bill-rate",
    "bill-cost", "bill-name", "chain",
)  # fmt: skip
FURTHER = (
    "from-type", "to-type", "final-type", "from-dispname", "to-dispname", "final-dispname", "missed-queue-calls",
)  # fmt: skip
NEEDED = ("callid", "duration", "time-answered", "from-no", "to-no")
WANTED = Wanted("cdrs", NEEDED, ("from-dn", "to-dn", "dial-no", "final-number"))
ENDPOINT = r"^(?:Ext|VMail|Ivr|IVR|Queue|Ring|Fax|Park|Conf)\."
MAILBOX = r"^VMail\."
_TIME = r"[0-9]{4}[/.-][0-9]{2}[/.-][0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}"


def recognises(head: Head) -> bool:
    """Whether a line has the first fields of a record at their places."""
    return any(
        len(line) >= len(COLUMNS)
        and re.fullmatch(r"(?:Call )?[0-9]+", line[0]) is not None
        and re.fullmatch(r"[0-9]+:[0-9]{2}:[0-9]{2}|", line[2]) is not None
        and re.fullmatch(_TIME, line[3]) is not None
        for line in head.lines
    )


def source(options: Options, _head: Head) -> Source:
    """The source as it reads a file.

    Raises:
        InputRefused: if the columns lack what a call is told by.
    """
    zone = options.timezone or "UTC"
    names = options.texts("columns")
    lacking = [name for name in NEEDED if names and name not in names]
    if lacking:
        raise InputRefused(
            f"the columns of {NAME} lack {', '.join(lacking)}: add them to the fields of the CDR service"
        )
    layout = (
        Layout(names=names, least=len(names), most=len(names))
        if names
        else Layout(names=(*COLUMNS, *FURTHER), least=len(COLUMNS), most=len(COLUMNS) + len(FURTHER))
    )
    return Source(NAME, WANTED, partial(to_native, zone=zone), layout, zone=zone)


def to_native(rows: pl.DataFrame, *, zone: str) -> pl.DataFrame:
    """Records in the native form."""
    dashed = pl.col("time-answered").str.replace_all(r"[/.]", "-")
    calls = rows.with_columns(duration_read=clock_seconds(pl.col("duration")))
    start = in_utc(rows, local_stamp(dashed), zone)
    from_inside, to_inside = (
        pl.col(name).str.contains(ENDPOINT).fill_null(value=False) for name in ("from-no", "to-no")
    )
    went_on = (
        to_inside & ~is_empty("final-number") & ~pl.col("final-number").str.contains(ENDPOINT).fill_null(value=False)
    )
    outgoing = (from_inside & ~to_inside) | went_on
    dialled = pl.when(~is_empty("to-no")).then("to-no").otherwise("dial-no")
    return native_rows(
        calls,
        skipped={
            "unanswered": is_empty("time-answered") & ~is_empty("callid"),
            "voicemail": pl.col("final-number").str.contains(MAILBOX) | pl.col("to-no").str.contains(MAILBOX),
            "internal call": from_inside & to_inside & ~went_on,
        },
        unreadable=(
            Unreadable("time-answered", start.is_null(), EXPECTED_STAMP.format(zone)),
            Unreadable("duration", pl.col("duration_read").is_null(), "hours, minutes and seconds, as in 00:05:36"),
        ),
        call_id=pl.concat_str("callid", "time-answered", separator=" "),
        start=start,
        direction=pl.when(outgoing).then(pl.lit("outgoing")).otherwise(pl.lit("incoming")),
        caller=_number("from-no"),
        callee=pl.when(went_on).then("final-number").when(to_inside).then(_number("to-no")).otherwise(dialled),
        duration_s=pl.col("duration_read"),
        user_id=pl.when(outgoing & from_inside).then("from-dn").when(outgoing).then("to-dn"),
    )


def _number(column: str) -> pl.Expr:
    """A number, or that of an endpoint without its kind."""
    return pl.col(column).str.replace(ENDPOINT, "")

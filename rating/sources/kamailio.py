"""Kamailio: rows of its table `acc`, and of the table `cdrs` that is made of it, exported as CSV or NDJSON with names.

What is known of them is from the documentation of the acc module and of kamcli (`acc cdrs-table-create`, `acc
cdrs-proc-create`), with the columns that the default kamailio.cfg adds (src_user, dst_user, ...).

`cdrs`: `duration` is billed, which the procedure reckons from the time of the INVITE's 200 to that of the BYE;
call_start_time is the former. Only answered calls have a row. The call_id is sip_call_id with both tags.

`acc`: each row is a transaction. A call is an INVITE that was answered (2xx) and its BYE, found by callid and tags in
whichever order, both in the same file; `time` of the one to `time` of the other is billed. An INVITE whose BYE is not
in the file is malformed: the next export, with both, gives the call. Left out: INVITEs that were not answered, the
BYEs themselves, later INVITEs of a call that stands, and other requests. `acc_cdrs` is not read: by default its
duration has the ringing in it (cdr_start_on_confirmed).

The number called is dst_username (dst_user): the user of the request URI, where the call went. The To header, which
dst_ousername tells, is whatever the caller wrote. Times are the database's local ones. In the hour that is repeated
when summer time ends the first is taken, and a BYE is at the first moment that is not before its INVITE.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import polars as pl

from rating.sources.rows import Wanted
from rating.sources.source import Options, Source, Unreadable, native_rows
from rating.sources.stamps import EXPECTED_STAMP, in_utc, local_stamp, seconds_between
from schemas.errors import InputRefused

if TYPE_CHECKING:
    from rating.sources.source import Head

NAME = "kamailio"
SETTINGS = ()
CDRS = Wanted(
    "cdrs",
    ("sip_call_id", "sip_from_tag", "sip_to_tag", "src_username", "dst_username", "call_start_time", "duration"),
)
ACC = Wanted("cdrs", ("method", "callid", "from_tag", "to_tag", "sip_code", "time", "src_user", "dst_user"))
ANSWERED = "^2[0-9]{2}$"
FAILED = "^[3-6][0-9]{2}$"


def recognises(head: Head) -> bool:
    """Whether the columns are named as in one of the tables."""
    return {"sip_call_id", "call_start_time"} <= head.names or {"method", "callid", "sip_code"} <= head.names


def source(options: Options, head: Head) -> Source:
    """The source as it reads a file.

    Raises:
        InputRefused: if it is of another table.
    """
    if {"method", "callid"} <= head.names:
        return Source(NAME, ACC, partial(acc_to_native, options=options), whole=True, zone=options.zone)
    if "sip_call_id" in head.names or head.empty:
        return Source(NAME, CDRS, partial(cdrs_to_native, options=options), zone=options.zone)
    raise InputRefused(
        f"{head.path}: its columns are not those of Kamailio's tables. Expected {', '.join(CDRS.required)} (cdrs) or "
        f"{', '.join(ACC.required)} (acc)."
    )


def cdrs_to_native(rows: pl.DataFrame, *, options: Options) -> pl.DataFrame:
    """Rows of `cdrs` in the native form."""
    start = in_utc(rows, local_stamp(pl.col("call_start_time")), options.zone)
    return native_rows(
        rows,
        skipped={},
        unreadable=(Unreadable("call_start_time", start.is_null(), EXPECTED_STAMP.format(options.zone)),),
        call_id=pl.concat_str("sip_call_id", "sip_from_tag", "sip_to_tag", separator=" "),
        start=start,
        caller=pl.col("src_username"),
        callee=pl.col("dst_username"),
        duration_s=pl.col("duration"),
    )


def acc_to_native(rows: pl.DataFrame, *, options: Options) -> pl.DataFrame:
    """All rows of an export of `acc` in the native form."""
    dialog = pl.concat_str(
        "callid", pl.min_horizontal("from_tag", "to_tag"), pl.max_horizontal("from_tag", "to_tag"), separator=" "
    )
    rows = rows.with_columns(dialog=dialog, local=local_stamp(pl.col("time")), place=pl.int_range(pl.len()))
    answer = (pl.col("method") == "INVITE") & pl.col("sip_code").str.contains(ANSWERED)
    rows = rows.with_columns(start=in_utc(rows, pl.col("local"), options.zone))
    ends = (
        rows.filter((pl.col("method") == "BYE") & pl.col("local").is_not_null())
        .sort("local", "place")
        .unique("dialog", keep="first", maintain_order=True)
        .select("dialog", end_local="local")
    )
    rows = rows.join(ends, on="dialog", how="left", maintain_order="left")
    end = in_utc(rows, pl.col("end_local"), options.zone, not_before=pl.col("start"))
    duration = rows.select(seconds_between(pl.col("start"), pl.lit(end)).alias("duration"))["duration"]
    first = pl.col("place") == pl.col("place").filter(answer).min().over("dialog")
    return native_rows(
        rows,
        skipped={
            "BYE, the end of a call": pl.col("method") == "BYE",
            "neither INVITE nor BYE": ~pl.col("method").is_in(["INVITE", "BYE"]),
            "unanswered": pl.col("sip_code").str.contains(FAILED),
            "later INVITE of a call": answer & ~first,
        },
        unreadable=(
            Unreadable("sip_code", ~answer, "a final code, as in 200"),
            Unreadable("time", pl.col("start").is_null(), EXPECTED_STAMP.format(options.zone)),
            Unreadable(
                "callid", pl.lit(end.is_null()), "a BYE of the same call in the file; deliver an export with both"
            ),
            Unreadable("time", duration.is_null(), "a time that is not after the BYE of the call"),
        ),
        call_id=pl.concat_str("callid", "from_tag", "to_tag", separator=" "),
        start=pl.col("start"),
        caller=pl.col("src_user"),
        callee=pl.col("dst_user"),
        duration_s=duration,
    )

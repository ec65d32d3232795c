"""FusionPBX: rows of its table v_xml_cdr, exported as CSV with a header or as newline-delimited JSON.

What is known of them is from `app/xml_cdr/app_config.php` and `resources/classes/xml_cdr.php` of FusionPBX, which write
the table from the documents of FreeSWITCH's mod_xml_cdr, and from its documentation ("Call Detail Records"). An export
is made with `copy (select ... from v_xml_cdr where ...) to 'calls.csv' csv header`.

`billsec` is billed, the seconds since the answer; where it is empty, `billmsec`, rounded up. The answer decides whether
a call was answered (answer_epoch, else answer_stamp), the hangup cause does not. answer_epoch is exact; answer_stamp is
read with its offset, or in the zone given where it has none.

Left out: rows of direction local (between extensions), B legs (`leg`), legs that another leg made, such as those of
a ring group (`originating_leg_uuid`), and calls that ended in a mailbox. An incoming call was made to
caller_destination where the table has it: destination_number is then where the dialplan sent it. The call_id is
xml_cdr_uuid, user_id the extension_uuid.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import polars as pl

from rating.sources.rows import Wanted
from rating.sources.source import Options, Source, Unreadable, is_empty, native_rows
from rating.sources.stamps import (
    EXPECTED_STAMP,
    epoch_seconds,
    in_utc,
    local_stamp,
    whole_seconds_of_milliseconds,
    with_offset,
)

if TYPE_CHECKING:
    from rating.sources.source import Head

NAME = "fusionpbx"
SETTINGS = ()
WANTED = Wanted(
    "cdrs",
    ("xml_cdr_uuid", "direction", "caller_id_number", "destination_number", "answer_stamp", "billsec"),
    ("answer_epoch", "billmsec", "caller_destination", "extension_uuid", "leg", "originating_leg_uuid", "last_app"),
)
DIRECTIONS = {"outbound": "outgoing", "inbound": "incoming"}


def recognises(head: Head) -> bool:
    """Whether the columns are named as in the table."""
    return "xml_cdr_uuid" in head.names


def source(options: Options, _head: Head) -> Source:
    """The source as it reads a file."""
    return Source(NAME, WANTED, partial(to_native, options=options), zone=options.zone)


def to_native(rows: pl.DataFrame, *, options: Options) -> pl.DataFrame:
    """Rows in the native form."""
    local = in_utc(rows, local_stamp(pl.col("answer_stamp")), options.zone)
    exact = pl.coalesce(epoch_seconds(pl.col("answer_epoch")), with_offset(pl.col("answer_stamp")))
    start = rows.select(exact.alias("start"))["start"].fill_null(local)
    incoming = pl.col("direction") == "inbound"
    other_leg = ~is_empty("originating_leg_uuid") & (pl.col("originating_leg_uuid") != pl.col("xml_cdr_uuid"))
    seconds = pl.when(~is_empty("billsec")).then("billsec")
    return native_rows(
        rows,
        skipped={
            "B leg": pl.col("leg") == "b",
            "leg made by another leg": other_leg,
            "internal call": pl.col("direction") == "local",
            "unanswered": is_empty("answer_stamp") & (is_empty("answer_epoch") | (pl.col("answer_epoch") == "0")),
            "voicemail": pl.col("last_app") == "voicemail",
        },
        unreadable=(
            Unreadable(
                "direction",
                ~pl.col("direction").is_in(list(DIRECTIONS)).fill_null(value=False),
                "outbound, inbound or local",
            ),
            Unreadable("answer_stamp", start.is_null(), EXPECTED_STAMP.format(options.zone)),
        ),
        call_id=pl.col("xml_cdr_uuid"),
        start=start,
        direction=pl.col("direction").replace_strict(DIRECTIONS, default=None, return_dtype=pl.String),
        caller=pl.col("caller_id_number"),
        callee=pl.when(incoming & ~is_empty("caller_destination"))
        .then("caller_destination")
        .otherwise("destination_number"),
        duration_s=pl.coalesce(seconds, whole_seconds_of_milliseconds(pl.col("billmsec")).cast(pl.String)),
        user_id=pl.col("extension_uuid"),
    )

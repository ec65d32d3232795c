"""Asterisk: the records of cdr_csv, `Master.csv`.

What is known of them is from the CDR Specification of the Asterisk documentation (Configuration, Reporting, Call Detail
Records) and from `cdr/cdr_csv.c` of Asterisk: 16 columns without header (accountcode, src, dst, dcontext, clid,
channel, dstchannel, lastapp, lastdata, start, answer, end, duration, billsec, disposition, amaflags), then uniqueid
(`loguniqueid`) and userfield (`loguserfield`), then peeraccount, linkedid and sequence (`newcdrcolumns`).

`billsec` is billed: the seconds from answer to end as Asterisk counted them. The stamps are cut to the second each by
itself, so their difference may be a second more or less. Only ANSWERED records are taken.

A call may have several records: each is one path between two channels, and those of one call share their linkedid.
Each answered path to a channel that leads outside (or from one that does) is charged by itself, so that a transferred
call costs the sum of its parts. The call_id is the linkedid (else the uniqueid, else the channel), the channel that was
called and the moment of the answer: a leg that Asterisk writes twice, as each party of a conference sees it, is one.

Stamps are local, in the zone that Asterisk runs in (`usegmtime = yes`: UTC). In the hour that is repeated when summer
time ends, the seconds since 1970 in uniqueid decide: the channel was made before it was answered.

Settings: `trunks`, the beginnings of the names of the channels that lead outside, such as "PJSIP/carrier"; with them
legs between two others are left out as internal, and a leg from outside that does not lead outside again is incoming.
Without them a leg to an extension's own channel is internal, a leg whose context begins as one of
`incoming_contexts` is incoming, and all others are outgoing. user_id is the accountcode.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import polars as pl

from rating.sources.rows import Layout, Wanted
from rating.sources.source import (
    Options,
    Source,
    Unreadable,
    is_empty,
    native_rows,
    patched,
    starts_with_any,
    where_needed,
)
from rating.sources.stamps import EXPECTED_STAMP, epoch_seconds, in_utc, local_stamp

if TYPE_CHECKING:
    from rating.sources.source import Head

NAME = "asterisk"
SETTINGS = ("trunks", "incoming_contexts")
ALWAYS = (
    "accountcode", "src", "dst", "dcontext", "clid", "channel", "dstchannel", "lastapp", "lastdata", "start", "answer",
    "end", "duration", "billsec", "disposition", "amaflags",
)  # fmt: skip
FURTHER = ("further_1", "further_2", "further_3", "further_4", "further_5")
LAYOUT = Layout(names=(*ALWAYS, *FURTHER), least=len(ALWAYS), most=len(ALWAYS) + len(FURTHER))
WANTED = Wanted(
    "cdrs",
    (
        "accountcode", "src", "dst", "dcontext", "clid", "channel", "dstchannel", "lastapp", "answer", "billsec",
        "disposition", *FURTHER,
    ),
)  # fmt: skip
UNANSWERED = ("NO ANSWER", "BUSY", "FAILED", "CONGESTION", "UNKNOWN")
VOICEMAIL = ("VoiceMail", "VoiceMailMain", "VMAuthenticate", "MiniVM")
INCOMING_CONTEXTS = ("from-trunk", "from-pstn", "from-did", "incoming", "inbound")
LONGEST_EXTENSION = 6
_UNIQUEID = r"^(?:.*-)?[0-9]{9,10}\.[0-9]+$"
_EPOCH = r"([0-9]{9,10})\.[0-9]+$"


def recognises(head: Head) -> bool:
    """Whether a line has the fields of a record at their places."""
    return any(
        len(ALWAYS) <= len(line) <= len(LAYOUT.names)
        and line[14] in ("ANSWERED", *UNANSWERED)
        and line[12].isdigit()
        and line[13].isdigit()
        for line in head.lines
    )


def source(options: Options, _head: Head) -> Source:
    """The source as it reads a file."""
    return Source(NAME, WANTED, partial(to_native, options=options), LAYOUT, zone=options.zone)


def to_native(rows: pl.DataFrame, *, options: Options) -> pl.DataFrame:
    """Records in the native form."""
    rows = rows.with_columns(**_further_fields())
    created = epoch_seconds(pl.col("uniqueid").str.extract(_EPOCH))
    start = in_utc(rows, local_stamp(pl.col("answer")), options.zone, not_before=created)
    call = pl.coalesce("linkedid", "uniqueid", "channel")
    direction, internal = _direction(rows, options)
    answered = pl.col("disposition") == "ANSWERED"
    return native_rows(
        rows,
        skipped={
            "unanswered": pl.col("disposition").is_in(UNANSWERED),
            "voicemail": answered & starts_with_any("lastapp", VOICEMAIL),
            "no second party": answered & is_empty("dstchannel"),
            "internal leg": answered & (pl.lit(internal) | pl.col("dstchannel").str.starts_with("Local/")),
        },
        unreadable=(
            Unreadable("disposition", ~answered, f"ANSWERED, {', '.join(UNANSWERED)}"),
            Unreadable("answer", start.is_null(), EXPECTED_STAMP.format(options.zone)),
        ),
        call_id=pl.concat_str(call, "dstchannel", "answer", separator=" "),
        start=start,
        direction=direction,
        # Without a number of its own a call may show one beside its name: "Jan" <+3225550101>.
        caller=patched(rows, "src", is_empty("src"), pl.col("clid").str.extract("<([^<>]*)>$")),
        callee=pl.col("dst"),
        duration_s=pl.col("billsec"),
        user_id=pl.col("accountcode"),
    )


def _further_fields() -> dict[str, pl.Expr]:
    """Uniqueid and linkedid, by how many fields follow those that are always there."""
    count = pl.sum_horizontal(pl.col(name).is_not_null() for name in FURTHER)
    first = pl.when(pl.col(FURTHER[0]).str.contains(_UNIQUEID)).then(FURTHER[0])
    # The last three of them are peeraccount, linkedid and sequence, where there are so many.
    linkedid = pl.coalesce(pl.when(count == place + 2).then(FURTHER[place]) for place in (1, 2, 3))
    return {
        "uniqueid": pl.when(count != len(FURTHER) - 2).then(first),
        "linkedid": pl.when(linkedid != "").then(linkedid),
    }


def _direction(rows: pl.DataFrame, options: Options) -> tuple[pl.Expr, pl.Series]:
    """The direction of a leg, and whether it is internal."""
    trunks = options.texts("trunks")
    if trunks:
        leads_out = starts_with_any("dstchannel", trunks)
        comes_in = starts_with_any("channel", trunks) & ~leads_out
        internal = where_needed(rows, ~leads_out, ~comes_in)
        return pl.when(comes_in).then(pl.lit("incoming")).otherwise(pl.lit("outgoing")), internal
    comes_in = starts_with_any("dcontext", options.texts("incoming_contexts", INCOMING_CONTEXTS))
    extension = pl.col("dst").str.len_bytes().is_between(1, LONGEST_EXTENSION)
    own_channel = pl.col("dstchannel").str.contains(pl.concat_str(pl.lit("/"), "dst", pl.lit("-")), literal=True)
    internal = where_needed(rows, extension & ~comes_in, own_channel)
    return pl.when(comes_in).then(pl.lit("incoming")).otherwise(pl.lit("outgoing")), internal

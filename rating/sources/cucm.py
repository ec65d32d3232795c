"""CUCM: the CDR files of Cisco Unified Communications Manager.

What is known of them is from the "Call Reporting and Billing Administration Guide for Cisco Unified Communications
Manager" (before: "Call Detail Records Administration Guide"): flat files of comma-delimited records whose first line
names the columns and whose second their types; times are seconds since 1970 in UTC.

`duration` is billed: the seconds from dateTimeConnect to dateTimeDisconnect as the system counted them. A call whose
dateTimeConnect is 0 was never connected. A call that is transferred, parked or forwarded has several records, each of
a part of its own that was connected, and each is taken. The call_id is `pkid`, which no other record has.

The number called is finalCalledPartyNumber, "the number to which the call finally is presented"; a plus that the
system writes with a backslash before it is one. The records do not tell what leads outside, the names of the devices
do: with the setting `trunks`, the beginnings of the names of gateways and trunks, a call to one is outgoing, a call
from one incoming, and any other internal; without it, what is not named as a phone (`phones`) counts as a trunk. Left
out: internal calls, calls to voice mail ports and the legs of conference bridges. user_id is the calling party's login
for outgoing calls.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import polars as pl

from rating.sources.rows import Layout, Wanted
from rating.sources.source import Options, Source, Unreadable, is_empty, native_rows, patched, starts_with_any
from rating.sources.stamps import EXPECTED_EPOCH, epoch_seconds

if TYPE_CHECKING:
    from rating.sources.source import Head

NAME = "cucm"
SETTINGS = ("trunks", "phones")
FILES = "^cdr_.+_[0-9]+_[0-9]{12}_[0-9]+$"
LAYOUT = Layout(headings='^"?(?:INTEGER|cdrRecordType)"?,')
WANTED = Wanted(
    "cdrs",
    (
        "cdrRecordType", "globalCallID_callId", "callingPartyNumber", "finalCalledPartyNumber", "dateTimeConnect",
        "duration", "pkid", "origDeviceName", "destDeviceName",
    ),
    ("callingPartyUnicodeLoginUserID",),
)  # fmt: skip
END_RECORD = "1"
# Phones by their MAC address, analogue ones, and the softphones of Jabber.
PHONES = "^(?:(?:SEP|ATA)[0-9A-F]{12}|AN[0-9A-F]{10,}|(?:CSF|TCT|BOT|TAB)[^-]*)$"
VOICEMAIL = r"-VI[0-9]+$"
BRIDGE = "^b[0-9]{8,}$"


def recognises(head: Head) -> bool:
    """Whether the columns are named as in these files."""
    return {"globalCallID_callId", "finalCalledPartyNumber"} <= head.names


def source(options: Options, _head: Head) -> Source:
    """The source as it reads a file."""
    return Source(NAME, WANTED, partial(to_native, options=options), LAYOUT)


def to_native(rows: pl.DataFrame, *, options: Options) -> pl.DataFrame:
    """Records in the native form."""
    start = rows.select(epoch_seconds(pl.col("dateTimeConnect")).alias("start"))["start"]
    leads_out, comes_in = _sides(options)
    incoming = comes_in & ~leads_out
    plus = {
        name: patched(rows, name, pl.col(name).str.starts_with("\\+"), pl.col(name).str.slice(1))
        for name in ("callingPartyNumber", "finalCalledPartyNumber")
    }
    return native_rows(
        rows,
        skipped={
            "not the record of a call's end": (pl.col("cdrRecordType") != END_RECORD) & ~is_empty("cdrRecordType"),
            "unanswered": pl.col("dateTimeConnect") == "0",
            "voicemail": pl.col("destDeviceName").str.contains(VOICEMAIL),
            "conference bridge": pl.col("finalCalledPartyNumber").str.contains(BRIDGE),
            "internal call": ~leads_out & ~comes_in,
        },
        unreadable=(
            Unreadable("cdrRecordType", is_empty("cdrRecordType"), "1, or the type of another record"),
            Unreadable("dateTimeConnect", start.is_null(), EXPECTED_EPOCH),
        ),
        call_id=pl.col("pkid"),
        start=start,
        direction=pl.when(incoming).then(pl.lit("incoming")).otherwise(pl.lit("outgoing")),
        caller=plus["callingPartyNumber"],
        callee=plus["finalCalledPartyNumber"],
        duration_s=pl.col("duration"),
        user_id=pl.when(~incoming).then("callingPartyUnicodeLoginUserID"),
    )


def _sides(options: Options) -> tuple[pl.Expr, pl.Expr]:
    """Whether a call leads to a trunk, and whether it comes from one."""
    sides = ("destDeviceName", "origDeviceName")
    trunks = options.texts("trunks")
    if trunks:
        leads_out, comes_in = (starts_with_any(side, trunks) for side in sides)
    else:
        phones = options.texts("phones")
        leads_out, comes_in = (~_is_phone(side, phones) & ~is_empty(side) for side in sides)
    return leads_out, comes_in


def _is_phone(column: str, phones: tuple[str, ...]) -> pl.Expr:
    """Whether a device is named as phones are: as the settings say, or as the system names them."""
    return starts_with_any(column, phones) if phones else pl.col(column).str.contains(PHONES).fill_null(value=False)

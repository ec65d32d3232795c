"""FreeSWITCH: the records of mod_cdr_csv and the documents of mod_json_cdr.

What is known of them is from "mod_cdr_csv", "mod_json_cdr" and "Channel Variables" of FreeSWITCH Explained and from the
default `cdr_csv.conf.xml`, whose template `example` writes caller_id_name, caller_id_number, destination_number,
context, start_stamp, answer_stamp, end_stamp, duration, billsec, hangup_cause, uuid, bleg_uuid, accountcode, read_codec
and write_codec. Another template is given in the settings, as it stands in that file.

The answer decides whether a call was answered (answer_stamp, or answer_epoch where it is not 0); the hangup cause does
not: a call that was answered and one that never was may both end with NORMAL_CLEARING. `billsec` is billed, the seconds
since the answer as FreeSWITCH counts them; where a template has none, or the setting `seconds` is "billmsec", it is
the milliseconds, rounded up. The call_id is the uuid of the leg.

mod_cdr_csv writes A legs, unless `legs` says otherwise; then the template must have ${direction}, which is outbound for
a leg that FreeSWITCH made itself: a B leg, such as those of a ring group, which is left out. A document of
mod_json_cdr always tells its direction. user_id is the accountcode.

Stamps are local, in the zone that FreeSWITCH runs in; a template with ${answer_epoch}, and every document, is exact. In
the hour that is repeated when summer time ends, start_epoch decides where the template has it, else the first hour is
taken. The values of a document are URL-encoded unless `encode-values` is off; both are read.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

import polars as pl

from rating.sources.rows import Layout, Wanted
from rating.sources.source import Options, Source, Unreadable, is_empty, native_rows
from rating.sources.stamps import (
    EXPECTED_STAMP,
    epoch_microseconds,
    epoch_seconds,
    in_utc,
    local_stamp,
    whole_seconds_of_milliseconds,
)
from schemas.errors import InputRefused

if TYPE_CHECKING:
    from rating.sources.source import Head

NAME = "freeswitch"
SETTINGS = ("template", "seconds")
EXAMPLE = ",".join(
    f'"${{{name}}}"'
    for name in (
        "caller_id_name", "caller_id_number", "destination_number", "context", "start_stamp", "answer_stamp",
        "end_stamp", "duration", "billsec", "hangup_cause", "uuid", "bleg_uuid", "accountcode", "read_codec",
        "write_codec",
    )
)  # fmt: skip
VARIABLES = (
    "uuid", "direction", "caller_id_number", "destination_number", "answer_stamp", "answer_epoch", "start_epoch",
    "billsec", "billmsec", "accountcode",
)  # fmt: skip
NEEDED = (
    ("uuid",), ("caller_id_number",), ("destination_number",), ("answer_stamp", "answer_epoch"),
    ("billsec", "billmsec"),
)  # fmt: skip
PATHS = {
    "uuid": "$.variables.uuid",
    "direction": "$.channel_data.direction",
    "caller_id_number": "$.callflow[0].caller_profile.caller_id_number",
    "destination_number": "$.callflow[0].caller_profile.destination_number",
    "answer_stamp": "$.variables.answer_stamp",
    "answer_uepoch": "$.variables.answer_uepoch",
    "answer_epoch": "$.variables.answer_epoch",
    "billsec": "$.variables.billsec",
    "billmsec": "$.variables.billmsec",
    "accountcode": "$.variables.accountcode",
}
B_LEG = "B leg"
_ENCODED = {f"%{code:02X}": chr(code) for code in range(0x20, 0x7F)}
_UUID = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
_STAMP = "^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}$"


def recognises(head: Head) -> bool:
    """Whether the first line is a document, or a line has the fields of the template `example` at their places."""
    return {"core-uuid", "variables"} <= head.members or any(
        len(line) == EXAMPLE.count(",") + 1
        and re.search(_STAMP, line[4])
        and re.search(_STAMP, line[6])
        and re.search(_UUID, line[10])
        for line in head.lines
    )


def source(options: Options, head: Head) -> Source:
    """The source as it reads a file.

    Raises:
        InputRefused: if the template lacks what a call is told by, or `seconds` is none of the two.
    """
    if options.own.get("seconds", "billsec") not in ("billsec", "billmsec"):
        raise InputRefused(f'the setting seconds of {NAME}: expected "billsec" or "billmsec"')
    if head.members:
        return Source(NAME, Wanted("cdrs", ()), partial(documents_to_native, options=options), documents=True)
    names = template_names(str(options.own.get("template", EXAMPLE)))
    layout = Layout(names=names, least=len(names), most=len(names))
    wanted = Wanted("cdrs", (), VARIABLES)
    return Source(NAME, wanted, partial(to_native, options=options), layout, zone=options.zone)


def template_names(template: str) -> tuple[str, ...]:
    """The variable of each field of a template; "" for a field that is none.

    Raises:
        InputRefused: if it lacks what a call is told by.
    """
    names = tuple(
        found[1] if (found := re.fullmatch(r'\s*"?\$\{([A-Za-z0-9_-]+)\}"?\s*', part)) else ""
        for part in template.strip().split(",")
    )
    lacking = [" or ".join(f"${{{name}}}" for name in any_of) for any_of in NEEDED if not set(any_of) & set(names)]
    if lacking:
        raise InputRefused(
            f"the template of {NAME} lacks {', '.join(lacking)}: add them to cdr_csv.conf.xml, "
            'and give the template as it stands there, as in template = \'"${uuid}","${caller_id_number}",...\''
        )
    return names


def to_native(rows: pl.DataFrame, *, options: Options) -> pl.DataFrame:
    """Records of mod_cdr_csv in the native form."""
    stamped = in_utc(
        rows, local_stamp(pl.col("answer_stamp")), options.zone, not_before=epoch_seconds(pl.col("start_epoch"))
    )
    exact = rows.select(epoch_seconds(pl.col("answer_epoch")).alias("exact"))["exact"]
    start = exact.fill_null(stamped) if exact.is_not_null().any() else stamped
    return _legs(rows, start, options, EXPECTED_STAMP.format(options.zone))


def documents_to_native(rows: pl.DataFrame, *, options: Options) -> pl.DataFrame:
    """Documents of mod_json_cdr in the native form."""
    read = rows.with_columns(pl.col("record").str.json_path_match(path).alias(name) for name, path in PATHS.items())
    encoded = [name for name in PATHS if read[name].str.contains("%", literal=True).any()]
    plain = [*_ENCODED, *(code.lower() for code in _ENCODED if code != code.lower())]
    letters = [*_ENCODED.values(), *(letter for code, letter in _ENCODED.items() if code != code.lower())]
    read = read.with_columns(pl.col(encoded).str.replace_many(plain, letters))
    start = read.select(
        start=pl.coalesce(epoch_microseconds(pl.col("answer_uepoch")), epoch_seconds(pl.col("answer_epoch")))
    )["start"]
    return _legs(read, start, options, "answer_uepoch or answer_epoch, which are exact")


def _legs(rows: pl.DataFrame, start: pl.Series, options: Options, expected: str) -> pl.DataFrame:
    """Legs in the native form, with the start of those that were answered."""
    by_milliseconds = whole_seconds_of_milliseconds(pl.col("billmsec")).cast(pl.String)
    asked = options.own.get("seconds") == "billmsec"
    duration = by_milliseconds if asked else pl.coalesce(pl.when(~is_empty("billsec")).then("billsec"), by_milliseconds)
    stamped = pl.lit(start.is_not_null()) | (~is_empty("answer_stamp"))
    return native_rows(
        rows,
        skipped={
            B_LEG: pl.col("direction") == "outbound",
            "unanswered": ~stamped & (is_empty("answer_epoch") | (pl.col("answer_epoch") == "0")) & ~is_empty("uuid"),
        },
        unreadable=(
            Unreadable("uuid", is_empty("uuid"), "the uuid of the leg, as mod_cdr_csv and mod_json_cdr write it"),
            Unreadable("answer_stamp", start.is_null(), expected),
        ),
        call_id=pl.col("uuid"),
        start=start,
        caller=pl.col("caller_id_number"),
        callee=pl.col("destination_number"),
        duration_s=duration,
        user_id=pl.col("accountcode"),
    )

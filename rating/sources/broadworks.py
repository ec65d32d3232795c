"""BroadWorks: the CSV records of its accounting.

What is known of them is from the "BroadWorks Accounting Call Detail Record Interface Specification" (05-BD5020), basic
module: recordId, serviceProvider, type, userNumber, groupNumber, direction, callingNumber,
callingPresentationIndicator, calledNumber, startTime, userTimeZone, answerIndicator, answerTime, releaseTime, and many
more by release, of which only typeOfNetwork (the 43rd) is looked at. A first line such as
`version=22.0 encoding=ISO-8859-1` is no record.

Billed are the seconds from answerTime to releaseTime, rounded up: the record has no duration. Both are UTC, to the
millisecond, as in 20081223201938.314. answerIndicator decides whether the call was answered: Yes, or
Yes-PostRedirection where it was after a redirection.

Each user's side of a call has a record of its own: Originating is outgoing, Terminating incoming. Left out are records
that are not of type Normal, which tell of a call that goes on, and calls within a group or an enterprise
(typeOfNetwork private). The call_id is recordId, which no other record has.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import polars as pl

from rating.sources.rows import Layout, Wanted
from rating.sources.source import Options, Source, Unreadable, is_empty, native_rows
from rating.sources.stamps import seconds_between

if TYPE_CHECKING:
    from rating.sources.source import Head

NAME = "broadworks"
SETTINGS = ()
NAMES = (
    "recordId", "serviceProvider", "type", "userNumber", "groupNumber", "direction", "callingNumber",
    "callingPresentationIndicator", "calledNumber", "startTime", "userTimeZone", "answerIndicator", "answerTime",
    "releaseTime",
)  # fmt: skip
TYPE_OF_NETWORK = 43
LAYOUT = Layout(
    names=(*NAMES, *[""] * (TYPE_OF_NETWORK - len(NAMES) - 1), "typeOfNetwork"),
    least=len(NAMES),
    headings="^(?:version=|recordId,)",
)
WANTED = Wanted(
    "cdrs",
    ("recordId", "type", "direction", "callingNumber", "calledNumber", "answerIndicator", "answerTime", "releaseTime"),
    ("typeOfNetwork",),
)
DIRECTIONS = {"Originating": "outgoing", "Terminating": "incoming"}
ANSWERED = {"Yes": True, "Yes-PostRedirection": True, "No": False, "No-PostRedirection": False}
EXPECTED_TIME = "a time in UTC as in 20081223201938.314"
_TIME = r"[0-9]{14}\.[0-9]{1,6}"


def recognises(head: Head) -> bool:
    """Whether a line has the fields of a record at their places."""
    return any(
        len(line) >= len(NAMES) and line[5] in DIRECTIONS and re.fullmatch(_TIME, line[9]) is not None
        for line in head.lines
    )


def source(_options: Options, _head: Head) -> Source:
    """The source as it reads a file."""
    return Source(NAME, WANTED, to_native, LAYOUT)


def to_native(rows: pl.DataFrame) -> pl.DataFrame:
    """Records in the native form."""
    times = rows.select(start=_instant("answerTime"), end=_instant("releaseTime"))
    duration = times.select(duration=seconds_between(pl.col("start"), pl.col("end")))["duration"]
    answered = pl.col("answerIndicator").replace_strict(ANSWERED, default=None, return_dtype=pl.Boolean)
    return native_rows(
        rows,
        skipped={
            "not a record of type Normal": (pl.col("type") != "Normal") & ~is_empty("type"),
            "internal call": pl.col("typeOfNetwork") == "private",
            "unanswered": ~answered,
        },
        unreadable=(
            Unreadable("type", is_empty("type"), "Normal, or the type of another record"),
            Unreadable(
                "direction",
                ~pl.col("direction").is_in(list(DIRECTIONS)).fill_null(value=False),
                " or ".join(DIRECTIONS),
            ),
            Unreadable("answerIndicator", answered.is_null(), ", ".join(ANSWERED)),
            Unreadable("answerTime", times["start"].is_null(), EXPECTED_TIME),
            Unreadable("releaseTime", times["end"].is_null(), EXPECTED_TIME),
            Unreadable("releaseTime", duration.is_null(), "a time that is not before answerTime"),
        ),
        call_id=pl.col("recordId"),
        start=times["start"],
        direction=pl.col("direction").replace_strict(DIRECTIONS, default=None, return_dtype=pl.String),
        caller=pl.col("callingNumber"),
        callee=pl.col("calledNumber"),
        duration_s=duration,
    )


def _instant(column: str) -> pl.Expr:
    """A time as in 20081223201938.314; null where it is none."""
    text = pl.when(pl.col(column).str.contains(f"^{_TIME}$")).then(column)
    return text.str.to_datetime("%Y%m%d%H%M%S%.f", time_unit="us", strict=False, cache=False).dt.replace_time_zone(
        "UTC"
    )

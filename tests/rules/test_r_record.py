"""R-RECORD: a record becomes a call once, or is set aside under the first reason that fits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from math import ceil
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rating.mediation import normalise_records, settle_repeats, with_records
from rating.numbers import normalise_number

NOW = datetime(2026, 11, 2, 6, 0, tzinfo=UTC)
CALL = {
    "call_id": "c1",
    "start": "2026-10-01T08:00:00Z",
    "direction": "outgoing",
    "caller": "+3225550101",
    "callee": "+33142685300",
    "duration_s": "61",
    "user_id": "u1",
}


def records(*rows: dict[str, Any]) -> pl.DataFrame:
    """Records as a source gives them; each row says only what it has of its own."""
    return pl.DataFrame(
        [
            {"source_line": line, "record": f"line {line}", "fault": None, **CALL, **row}
            for line, row in enumerate(rows, start=2)
        ],
        schema_overrides=dict.fromkeys(("fault", *CALL), pl.String),
    )


def normalise(*rows: dict[str, Any], now: datetime = NOW) -> tuple[pl.DataFrame, pl.DataFrame]:
    given = records(*rows)
    accepted, quarantine = normalise_records(given, now=now, country_code="32")
    return with_records(accepted, given), quarantine


def calls(*rows: dict[str, Any]) -> pl.DataFrame:
    accepted, quarantine = normalise(*rows)
    assert quarantine.is_empty()
    return accepted.with_columns(source_file=pl.lit("october.csv"))


NONE_KNOWN = calls({}).clear()


def read_field(name: str, text: str | None) -> object:
    """What becomes of one field; `malformed` where the record is set aside because of it."""
    accepted, quarantine = normalise({name: text})
    if quarantine.height:
        assert quarantine["reason"].to_list() == ["malformed"]
        assert quarantine["detail"].item().startswith(f"{name} ")
        return "malformed"
    return accepted[name].item()


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("2026-10-31T23:30:00Z", datetime(2026, 10, 31, 23, 30, tzinfo=UTC)),
        (" 2026-10-31 23:30:00z ", datetime(2026, 10, 31, 23, 30, tzinfo=UTC)),
        ("2026-10-25t02:30:00+02:00", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        ("2026-10-25T02:30:00+01:00", datetime(2026, 10, 25, 1, 30, tzinfo=UTC)),
        ("2026-09-30T23:45:00-00:30", datetime(2026, 10, 1, 0, 15, tzinfo=UTC)),
        ("2024-02-29T12:00:00Z", datetime(2024, 2, 29, 12, tzinfo=UTC)),
        ("2026-10-01T08:00:00.5Z", datetime(2026, 10, 1, 8, 0, 0, 500_000, tzinfo=UTC)),
        ("2026-10-01T08:00:00.1234569999Z", datetime(2026, 10, 1, 8, 0, 0, 123_456, tzinfo=UTC)),
        ("2026-10-01T08:00:00.000001+02:00", datetime(2026, 10, 1, 6, 0, 0, 1, tzinfo=UTC)),
        ("2026-10-01T08:00:00", "malformed"),  # no zone
        ("2026-10-01T08:00Z", "malformed"),
        ("2026-10-01", "malformed"),
        ("2026-02-29T12:00:00Z", "malformed"),  # no such day
        ("2026-13-01T12:00:00Z", "malformed"),
        ("2026-10-01T24:00:00Z", "malformed"),
        ("2026-10-01T23:59:60Z", "malformed"),
        ("2026-10-01T08:00:00+24:00", "malformed"),
        ("2026-10-01T08:00:00+01:60", "malformed"),
        ("2026-10-01T08:00:00+0100", "malformed"),
        ("2026-10-01T08:00:00.Z", "malformed"),
        ("2026-10-01T08:00:00 Z", "malformed"),
        ("٢٠٢٦-10-01T08:00:00Z", "malformed"),  # digits, but not ASCII ones
        ("0000-01-01T00:00:00Z", "malformed"),
        ("1790841600", "malformed"),
        ("", "malformed"),
        (None, "malformed"),
    ],
)
def test_r_record__start_is_rfc_3339_with_zone(text: str | None, start: object) -> None:
    assert read_field("start", text) == start


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("61", 61),
        (" 61 ", 61),
        ("61.0", 61),
        ("61.001", 62),
        ("0.2", 1),
        ("60." + "0" * 400 + "1", 61),  # lost by any float
        ("0" * 400 + "60", 60),
        ("86400", 86_400),
        ("86400.000", 86_400),
        ("86399.2", 86_400),
        ("86400.5", "malformed"),  # as written, more than a day
        ("86401", "malformed"),
        ("9" * 400, "malformed"),
        ("-1", "malformed"),
        ("+1", "malformed"),
        ("1.", "malformed"),
        (".5", "malformed"),
        ("1,5", "malformed"),
        ("1e3", "malformed"),
        ("0x10", "malformed"),
        ("1:01", "malformed"),
        ("٦١", "malformed"),
        ("", "malformed"),
        (None, "malformed"),
    ],
)
def test_r_record__duration_is_rounded_up_from_the_text(text: str | None, seconds: object) -> None:
    assert read_field("duration_s", text) == seconds


@given(st.decimals(min_value=0, max_value=90_000, places=9))
def test_r_record__duration_agrees_with_exact_fractions(written: Decimal) -> None:
    exact = Fraction(written)
    assert read_field("duration_s", f"{written:f}") == (ceil(exact) if exact <= 86_400 else "malformed")


@pytest.mark.parametrize(
    ("text", "direction"),
    [
        ("outgoing", "outgoing"),
        ("incoming", "incoming"),
        (" incoming ", "incoming"),
        ("", "outgoing"),
        (None, "outgoing"),
        ("Incoming", "malformed"),
        ("in", "malformed"),
    ],
)
def test_r_record__direction_is_one_of_two(text: str | None, direction: str) -> None:
    assert read_field("direction", text) == direction


@pytest.mark.parametrize(
    ("text", "call_id"),
    [
        (" c1 ", "c1"),
        ("20261001/7;x=ü", "20261001/7;x=ü"),
        ("", "malformed"),
        ("  ", "malformed"),
        (None, "malformed"),
        ("c\x001", "malformed"),
    ],
)
def test_r_record__call_id_is_any_text(text: str | None, call_id: str) -> None:
    assert read_field("call_id", text) == call_id


@pytest.mark.parametrize(
    ("text", "user_id"), [(" u1 ", "u1"), ("", None), (" ", None), (None, None), ("u\x001", "malformed")]
)
def test_r_record__user_id_may_be_empty(text: str | None, user_id: str | None) -> None:
    assert read_field("user_id", text) == user_id


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("+3225550101", "+3225550101"),
        ("tel:+32-2-555.01.01;phone-context=x", "+3225550101"),
        ("SIP:+3225550101@pbx.example", "+3225550101"),
        ("sips:025550101@pbx.example;transport=tls", "+3225550101"),
        ("+32 (0)2 555 01 01", "+3225550101"),
        ("(02) 555/01/01", "+3225550101"),
        ("0032 2 555 01 01", "+3225550101"),
        ("025550101", "+3225550101"),
        ("+12345", "+12345"),
        ("+1234", "malformed"),
        ("+123456789012345", "+123456789012345"),
        ("+1234567890123456", "malformed"),
        ("+0123456", "malformed"),
        ("0012345", "+12345"),
        ("00123456789012345", "+123456789012345"),
        ("000123456", "malformed"),
        ("0123456", "malformed"),  # national: at least seven digits after the 0
        ("01234567", "+321234567"),
        ("01234567890123", "+321234567890123"),
        ("012345678901234", "malformed"),
        ("112", "112"),
        ("1 1 2", "112"),
        ("10", "10"),
        ("123456", "123456"),
        ("1234567", "malformed"),
        ("1", "malformed"),
        ("+112", "malformed"),
        ("++3225550101", "malformed"),
        ("+32\uff125550101", "malformed"),
        ("+32x25550101", "malformed"),
        ("\x00+3225550101", "malformed"),
    ],
)
def test_r_record__numbers_come_to_one_form(text: str, number: str) -> None:
    assert read_field("caller", text) == number
    assert read_field("callee", text) == number


@pytest.mark.parametrize("text", ["", None, " ", "anonymous", "Anonymous", "UNKNOWN", "restricted", "unavailable",
                                  "sip:anonymous@anonymous.invalid", "tel:", ";x"])  # fmt: skip
def test_r_record__anonymous_is_a_caller_only(text: str | None) -> None:
    assert read_field("caller", text) == "anonymous"
    assert read_field("callee", text) == "malformed"


@pytest.mark.parametrize(
    ("country_code", "written", "number"),
    [
        ("1", "02345678901234", "+12345678901234"),
        ("352", "0234567890123", "+352234567890123"),
        ("352", "02345678901234", None),  # sixteen digits
    ],
)
def test_r_record__national_number_keeps_to_fifteen_digits(country_code: str, written: str, number: str | None) -> None:
    assert pl.select(normalise_number(pl.lit(written), country_code=country_code)).item() == number


def test_r_record__first_bad_field_is_named_with_what_was_expected() -> None:
    _, quarantine = normalise({"start": "yesterday", "callee": "x" * 500}, {"callee": "x" * 500})
    assert quarantine["call_id"].to_list() == ["c1", "c1"]
    assert quarantine["source_line"].to_list() == [2, 3]
    assert quarantine["record"].to_list() == ["line 2", "line 3"]
    start, callee = quarantine["detail"]
    assert start == "start 'yesterday' cannot be read; expected a time with Z or an offset, as in 2026-10-01T08:00:00Z"
    assert callee.startswith(f"callee '{'x' * 80}...' cannot be read; expected + and 5 to 15 digits")


def test_r_record__a_faulty_row_is_malformed_whatever_its_fields() -> None:
    accepted, quarantine = normalise({"fault": "3 fields where the header has 7"}, {})
    assert accepted["source_line"].to_list() == [3]
    assert quarantine["detail"].to_list() == ["3 fields where the header has 7"]


@pytest.mark.parametrize(
    ("start", "reason"),
    [
        ("2026-11-03T06:00:00Z", None),  # 24 hours later to the microsecond
        ("2026-11-03T06:00:00.000001Z", "future"),
        ("2026-11-03T07:00:00+01:00", None),
        ("9999-12-31T23:59:59-23:59", "future"),
    ],
)
def test_r_record__more_than_a_day_ahead_is_future(start: str, reason: str | None) -> None:
    _, quarantine = normalise({"start": start})
    assert quarantine["reason"].to_list() == ([reason] if reason else [])


def test_r_record__malformed_comes_before_future() -> None:
    _, quarantine = normalise({"start": "2030-01-01T00:00:00Z", "duration_s": "?"})
    assert quarantine["reason"].to_list() == ["malformed"]


def test_r_record__typed_columns_read_as_their_text() -> None:
    start = datetime(2026, 10, 1, 8, 0, 0, 123_456, tzinfo=UTC)
    for written, seconds in [(61, 61), (60.2, 61), (Decimal("60.2"), 61), (86_400, 86_400)]:
        typed = records({}).with_columns(start=pl.lit(start), duration_s=pl.lit(written))
        accepted, _ = normalise_records(typed, now=NOW, country_code="32")
        assert accepted.select("start", "duration_s").row(0) == (start, seconds)
    for bad in (-1, -0.5, 86_400.5, 86_401, float("nan"), float("inf"), Decimal("86400.1")):
        typed = records({}).with_columns(start=pl.lit(start), duration_s=pl.lit(bad))
        _, quarantine = normalise_records(typed, now=NOW, country_code="32")
        assert quarantine["detail"].item().startswith("duration_s ")


def test_r_record__accepted_calls_have_the_stored_types() -> None:
    accepted, _ = normalise({"duration_s": "0"})
    assert accepted.schema == {
        "call_id": pl.String, "start": pl.Datetime("us", "UTC"), "direction": pl.String, "caller": pl.String,
        "callee": pl.String, "duration_s": pl.Int64, "user_id": pl.String, "source_line": pl.Int64,
        "record": pl.String,
    }  # fmt: skip
    assert accepted["duration_s"].to_list() == [0]  # unanswered, and kept


@pytest.mark.parametrize(
    ("again", "verdict"),
    [
        ({}, "duplicate"),
        # The same content, written otherwise.
        (
            {"start": "2026-10-01T10:00:00.0000009+02:00", "caller": "02 555 01 01", "duration_s": "60.5"},
            "duplicate",
        ),
        ({"direction": ""}, "duplicate"),
        ({"call_id": "c2"}, "accepted"),
        ({"start": "2026-10-01T08:00:00.000001Z"}, "conflict"),
        ({"direction": "incoming"}, "conflict"),
        ({"caller": "anonymous"}, "conflict"),
        ({"callee": "+33142685301"}, "conflict"),
        ({"duration_s": "62"}, "conflict"),
        ({"user_id": ""}, "conflict"),
    ],
)
def test_r_record__a_call_id_is_accepted_once(again: dict[str, str], verdict: str) -> None:
    both = calls({}, again)
    for accepted, duplicates, conflicts in (
        settle_repeats(both, NONE_KNOWN),
        settle_repeats(both[1:], both[:1]),  # the first was accepted by an earlier run
    ):
        got = {"accepted": accepted, "duplicate": duplicates, "conflict": conflicts}
        assert [name for name, frame in got.items() if 3 in frame["source_line"]] == [verdict]
        assert sum(frame.height for frame in got.values()) == accepted.height + (verdict != "accepted")


def test_r_record__null_equals_null_in_repeats() -> None:
    _, duplicates, conflicts = settle_repeats(calls({"user_id": ""}, {"user_id": ""}), NONE_KNOWN)
    assert (duplicates.height, conflicts.height) == (1, 0)


def test_r_record__the_first_accepted_stands() -> None:
    rows = calls({"duration_s": "1"}, {"duration_s": "2"}, {"duration_s": "1"}, {"duration_s": "2"}, {"call_id": "c0"})
    accepted, duplicates, conflicts = settle_repeats(rows, NONE_KNOWN)
    assert accepted["source_line"].to_list() == [2, 6]
    assert duplicates["source_line"].to_list() == [4]
    assert conflicts["source_line"].to_list() == [3, 5]


def test_r_record__a_conflict_says_what_differs() -> None:
    _, _, conflicts = settle_repeats(calls({}, {"duration_s": "62", "user_id": ""}), NONE_KNOWN)
    assert conflicts.to_dicts() == [
        {
            "call_id": "c1",
            "reason": "conflict",
            "source_line": 3,
            "detail": "duration_s '62' where the call accepted first under this call_id has '61'",
            "record": "line 3",
            "source_file": "october.csv",
        }
    ]


def test_r_record__malformed_and_future_records_take_no_call_id() -> None:
    accepted, quarantine = normalise({"duration_s": "?"}, {"start": "2030-01-01T00:00:00Z"}, {"duration_s": "5"})
    settled, duplicates, conflicts = settle_repeats(accepted, NONE_KNOWN)
    assert settled["duration_s"].to_list() == [5]
    assert quarantine.height == 2
    assert duplicates.is_empty()
    assert conflicts.is_empty()


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "call_id": st.sampled_from(["a", "b", "", "c"]),
                "duration_s": st.sampled_from(["0", "1", "2", "x"]),
                "start": st.sampled_from(["2026-10-01T08:00:00Z", "2027-01-01T00:00:00Z"]),
            }
        ),
        max_size=12,
    ),
    st.integers(0, 12),
)
def test_r_record__every_record_ends_in_one_place(rows: list[dict[str, str]], cut: int) -> None:
    now = NOW + timedelta(days=1)
    if not rows:
        return
    whole, quarantine = normalise(*rows, now=now)
    accepted, duplicates, conflicts = settle_repeats(whole, NONE_KNOWN.drop("source_file"))
    places = [
        *accepted["source_line"],
        *duplicates["source_line"],
        *conflicts["source_line"],
        *quarantine["source_line"],
    ]
    assert sorted(places) == list(range(2, 2 + len(rows)))
    # Read in two parts, the same calls are accepted.
    first, _, _ = settle_repeats(whole[:cut], NONE_KNOWN.drop("source_file"))
    second, _, _ = settle_repeats(whole[cut:], first)
    assert pl.concat([first, second]).equals(accepted)

"""Fields in their usual form are read by a quick way, which judges as the full way does."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from rating.forms import read_text
from rating.mediation import normalise_records
from rating.numbers import normalise_number

NOW = datetime(9999, 12, 30, tzinfo=UTC)
CALL = {
    "call_id": "c",
    "start": "2026-10-01T08:00:00Z",
    "direction": "",
    "caller": "+3225550101",
    "callee": "112",
    "duration_s": "1",
    "user_id": "",
}


def read_fields(name: str, texts: list[str]) -> list[Any]:
    """What becomes of a field in each of many records; None where it is malformed."""
    records = pl.DataFrame({**CALL, name: texts}).with_columns(
        source_line=pl.int_range(pl.len(), dtype=pl.Int64), record=pl.lit(""), fault=pl.lit(None, pl.String)
    )
    calls, _ = normalise_records(records, now=NOW, country_code="32")
    found = dict(calls.select("source_line", name).iter_rows())
    return [found.get(line) for line in range(len(texts))]


@given(
    st.lists(
        st.one_of(
            st.from_regex(r"\A[+-]{0,2}0?[0-9]{1,20}\Z"),
            st.text(st.sampled_from("+-0123456789 ._eE\0\u0663"), min_size=1, max_size=18),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_usual_form__a_number_stays_as_it_is_only_if_it_is_e164(texts: list[str]) -> None:
    column = pl.DataFrame({"number": texts})
    numbers = column.select(normalise_number(pl.col("number"), country_code="32")).to_series()
    for text, number in zip(texts, numbers, strict=True):
        is_e164 = re.fullmatch(r"\+[1-9][0-9]{4,14}", text, re.ASCII) is not None
        assert (number == text and text.startswith("+")) is is_e164
    assert column["number"].to_list() == texts


@given(
    st.lists(
        st.tuples(st.integers(2, 9998), *(st.integers(0, most) for most in (13, 32, 25, 61, 61))),
        min_size=1,
        max_size=20,
    ),
    st.sampled_from(
        ["{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", "{:04}-{:02}-{:02} {:02}:{:02}:{:02}.0Z", "{}-{}-{}T{}:{}:{}Z"]
    ),
)
def test_usual_form__a_start_is_a_moment_of_the_calendar(times: list[tuple[int, ...]], form: str) -> None:
    for time, start in zip(times, read_fields("start", [form.format(*time) for time in times]), strict=True):
        expected = None
        with suppress(ValueError):
            expected = datetime(*time, tzinfo=UTC)  # type: ignore[misc, arg-type]
        two_digits = re.fullmatch(r"[0-9]{4}(-[0-9]{2}){2}[T ]([0-9]{2}:){2}[0-9]{2}(\.0)?Z", form.format(*time))
        assert start == (expected if two_digits else None)


@given(st.lists(st.from_regex(r"\A[+-]?[0-9]{0,7}\Z"), min_size=1, max_size=20))
def test_usual_form__a_duration_is_digits_without_a_sign(texts: list[str]) -> None:
    expected = [int(text) if text.isdecimal() and int(text) <= 86_400 else None for text in texts]
    assert read_fields("duration_s", texts) == expected


def test_usual_form__only_what_is_in_no_usual_form_is_read_the_full_way() -> None:
    seen: list[str] = []

    def full(text: pl.Expr) -> pl.Expr:
        return text.map_batches(lambda texts: seen.extend(texts) or texts.str.to_lowercase(), return_dtype=pl.String)

    def usual(text: pl.Expr) -> pl.Expr:
        return pl.when(text.str.starts_with("a")).then(text)

    for texts, others in ((["a", "B", "ab", "C"], ["B", "C"]), (["a", "ab"], []), (["B", "C"], ["B", "C"])):
        read = pl.DataFrame({"x": texts}).select(read_text(pl.col("x"), usual, full, pl.String()))
        assert read["x"].to_list() == [text.lower() for text in texts]
        assert seen == others
        seen.clear()

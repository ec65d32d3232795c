"""The TOML files of sources: the settings of those that are known, and the description of any other CSV."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rating.sources.formats import choose_formats
from schemas.errors import InputRefused
from tests.sources.native_rows import Row, native_rows_of, taken
from tests.sources.test_format_samples import EXPECTED, SAMPLES

if TYPE_CHECKING:
    from pathlib import Path

WHOLE = """\
[columns]
call_id = "id"
start = "at"
caller = "from"
callee = "to"
duration_s = "s"
"""
HEADER = "id,at,from,to,s,way\n"


def described(folder: Path, toml: str, content: str) -> list[Row]:
    (folder / "other.toml").write_text(toml, encoding="utf-8")
    path = folder / "calls.csv"
    path.write_text(content, encoding="utf-8")
    return native_rows_of(path, str(folder / "other.toml"))


def settled(name: str, toml: str, folder: Path) -> list[Row]:
    """A sample, read with settings of its format."""
    (folder / "own.toml").write_text(toml, encoding="utf-8")
    return native_rows_of(SAMPLES / name, str(folder / "own.toml"))


@pytest.mark.parametrize(
    ("formats", "at", "seconds", "start", "duration"),
    [
        ("", "2026-10-01T10:00:00+02:00", "61", "2026-10-01T10:00:00+02:00", "61"),
        ('start = "epoch_s"', "1790841600", "1", "2026-10-01T08:00:00Z", "1"),
        ('start = "epoch_ms"', "1790841600250", "1", "2026-10-01T08:00:00.25Z", "1"),
        ('start = "%Y%m%d %H%M%S"', "20261001 100000", "1", "2026-10-01T08:00:00Z", "1"),
        ('start = "%d.%m.%y %I:%M %p"', "01.10.26 10:00 PM", "1", "2026-10-01T20:00:00Z", "1"),
        ('start = "%Y-%m-%d %H:%M:%S %z"', "2026-10-01 10:00:00 +0500", "1", "2026-10-01T05:00:00Z", "1"),
        ('start = "%Y-%m-%d %H:%M"', "2026-10-25 02:30", "1", "2026-10-25T00:30:00Z", "1"),
        ('start = "epoch_s"\nduration_s = "milliseconds"', "1790841600", "60001", "2026-10-01T08:00:00Z", "61"),
        ('start = "epoch_s"\nduration_s = "hh:mm:ss"', "1790841600", "1:00:01", "2026-10-01T08:00:00Z", "3601"),
    ],
)  # fmt: skip
def test_described__times_and_durations(
    formats: str, at: str, seconds: str, start: str, duration: str, tmp_path: Path
) -> None:
    rows = described(tmp_path, f"{WHOLE}[formats]\n{formats}\n", f"{HEADER}c1,{at},+3225550101,112,{seconds},x\n")
    assert rows == [taken(2, call_id="c1", start=start, caller="+3225550101", callee="112", duration_s=duration)]


@pytest.mark.parametrize(
    ("formats", "at", "seconds"),
    [
        ('start = "epoch_s"', "yesterday", "1"),
        ('start = "epoch_s"', "0", "1"),
        ('start = "%Y-%m-%d %H:%M"', "2026-03-29 02:30", "1"),
        ('start = "%Y-%m-%d %H:%M"', "2026-02-30 02:30", "1"),
        ('start = "epoch_s"\nduration_s = "hh:mm:ss"', "1790841600", "61"),
        ('start = "epoch_s"\nduration_s = "milliseconds"', "1790841600", "-1"),
    ],
)
def test_described__what_cannot_be_read_is_malformed(formats: str, at: str, seconds: str, tmp_path: Path) -> None:
    rows = described(tmp_path, f"{WHOLE}[formats]\n{formats}\n", f"{HEADER}c1,{at},+3225550101,112,{seconds},x\n")
    assert rows == [Row(2, "malformed")]


def test_described__columns_by_their_number_and_rows_of_any_length(tmp_path: Path) -> None:
    toml = """\
header = false
separator = "\\t"
[columns]
call_id = 1
start = 2
callee = 5
duration_s = 4
[constants]
caller = "anonymous"
direction = "outgoing"
[[skip]]
column = 6
is_not = ["", "OK"]
reason = "failed"
"""
    content = "c1\t2026-10-01T08:00:00Z\tx\t60\t112\tOK\nc2\t2026-10-01T08:00:00Z\tx\t60\t112\tBAD\tmore\nc3\tcut\n"
    fields = {"call_id": "c1", "start": "2026-10-01T08:00:00Z", "duration_s": "60", "callee": "112"}
    assert described(tmp_path, toml, content) == [
        taken(1, **fields, caller="anonymous", direction="outgoing"),
        Row(2, "skipped", "failed"),
        Row(3, "malformed"),
    ]


def test_described__one_reason_may_have_several_conditions(tmp_path: Path) -> None:
    skips = "".join(f'[[skip]]\ncolumn = "{column}"\nis = "x"\nreason = "internal"\n' for column in ("from", "to"))
    content = f"{HEADER}c1,2026-10-01T08:00:00Z,x,112,60,\nc2,2026-10-01T08:00:00Z,+3225550101,x,60,\n"
    assert described(tmp_path, f"{WHOLE}{skips}", content) == [
        Row(2, "skipped", "internal"),
        Row(3, "skipped", "internal"),
    ]


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ("[columns]\ncall_id = 'id'\n", "columns.start: missing: which column of the file is it?"),
        (WHOLE.replace("callee", "calee"), "columns.calee: there is no such key; did you mean callee?"),
        (f"colums = 1\n{WHOLE}", "colums: there is no such key; did you mean columns?"),
        (f"separator = ';;'\n{WHOLE}", "separator ';;': expected one character"),
        (f"timezone = 'Mars'\n{WHOLE}", "timezone 'Mars': expected a time zone that exists"),
        (f"header = false\n{WHOLE}", "columns.call_id 'id': expected the number of a column, from 1"),
        (f"{WHOLE}[constants]\ncaller = 'x'\n", "constants.caller 'x': it is a column already; keep one"),
        (f"{WHOLE}[formats]\nstart = '%H:%M'\n", "formats.start '%H:%M': expected rfc3339, epoch_s"),
        (f"{WHOLE}[formats]\nduration_s = 'minutes'\n", "expected one of seconds, hh:mm:ss, milliseconds"),
        (f"{WHOLE}[words.direction]\nOUT = 'outgoing'\n", "words.direction: expected the name of a native column"),
        (f"{WHOLE}[[skip]]\ncolumn = 'way'\nis = 'x'\n", "skip[1].reason: missing"),
        (f"{WHOLE}[[skip]]\ncolumn = 'way'\nreason = 'x'\n", "skip[1]: expected one of is, is_not, matches"),
        (f"{WHOLE}[[skip]]\ncolumn = 'way'\nmatches = '('\nreason = 'x'\n", "expected a regular expression"),
        (WHOLE.replace('"from"', '"record"'), "a column of this name cannot be read"),
        ("format = 'asterix'\n", "format 'asterix': expected csv or one of asterisk"),
        ("format = 'asterisk'\ntrunk = 'x'\n", "trunk: there is no such key; did you mean trunks?"),
        ("format = 'asterisk'\ntrunks = 1\n", "trunks '1': expected a text in quotes, or a list of them"),
        ("format = 'broadworks'\ntrunks = 1\n", "trunks: there is no such key; did you mean"),
        ("format = ", "is no TOML"),
    ],
)  # fmt: skip
def test_source_file__what_is_wrong_is_named(toml: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(toml, encoding="utf-8")
    with pytest.raises(InputRefused) as refused:
        choose_formats(str(path), None, "Europe/Brussels")
    assert said in " ".join(problem.sentence().removeprefix(f"{path}: ") for problem in refused.value.problems)


def test_asterisk__trunks_tell_direction_and_internal_legs(tmp_path: Path) -> None:
    name = "asterisk/Master.csv"
    assert settled(name, 'format = "asterisk"\ntrunks = "PJSIP/carrier-"\n', tmp_path) == EXPECTED[name]
    # Seen from the extensions every call leads the other way.
    rows = settled(name, 'format = "asterisk"\ntrunks = ["PJSIP/101-"]\n', tmp_path)
    directions = {row.fields[5] for row in rows if row.verdict == "taken" and row.source_line < 19}
    assert directions == {"incoming"}
    nothing = settled(name, 'format = "asterisk"\ntrunks = "DAHDI/"\n', tmp_path)
    assert {row.reason for row in nothing if row.verdict == "skipped"} == {
        "internal leg", "no second party", "unanswered", "voicemail",
    }  # fmt: skip
    assert not [row for row in nothing if row.verdict == "taken"]


@pytest.mark.parametrize(
    ("template", "line", "expected"),
    [
        (
            '"${uuid}","${direction}","${caller_id_number}","${destination_number}","${answer_epoch}","${billmsec}"',
            '"u","inbound","+3225550101","112","1790841600","60001"',
            taken(1, call_id="u", start="2026-10-01T08:00:00Z", caller="+3225550101", callee="112", duration_s="61"),
        ),
        (
            "${uuid},${direction},${caller_id_number},${destination_number},${answer_stamp},${billsec}",
            "u,outbound,+3225550101,112,2026-10-01 10:00:00,60",
            Row(1, "skipped", "B leg"),
        ),
        (
            "${uuid},${start_epoch},${caller_id_number},${destination_number},${answer_stamp},${billsec}",
            "u,1792891800,+3225550101,112,2026-10-25 02:30:05,60",
            taken(1, call_id="u", start="2026-10-25T01:30:05Z", caller="+3225550101", callee="112", duration_s="60"),
        ),
    ],
)
def test_freeswitch__a_template_is_read_as_it_stands(template: str, line: str, expected: Row, tmp_path: Path) -> None:
    path, toml = tmp_path / "Master.csv", tmp_path / "own.toml"
    path.write_text(f"{line}\n", encoding="utf-8")
    toml.write_text(f"format = \"freeswitch\"\ntemplate = '{template}'\n", encoding="utf-8")
    assert native_rows_of(path, str(toml)) == [expected]


def test_freeswitch__the_milliseconds_are_billed_where_that_is_asked(tmp_path: Path) -> None:
    toml = 'format = "freeswitch"\nseconds = "billmsec"\n'
    assert settled("freeswitch/calls.cdr.json", toml, tmp_path) == EXPECTED["freeswitch/calls.cdr.json"]
    with pytest.raises(InputRefused, match='expected "billsec" or "billmsec"'):
        settled("freeswitch/calls.cdr.json", toml.replace("billmsec", "milliseconds"), tmp_path)


def test_freeswitch__a_template_without_what_a_call_is_told_by_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match=r"lacks \$\{destination_number\}, \$\{answer_stamp\} or \$\{answer_epoch\}"):
        settled(
            "freeswitch/Master.csv",
            "format = 'freeswitch'\ntemplate = '${uuid},${caller_id_number},${billsec}'\n",
            tmp_path,
        )


def test_3cx__the_columns_are_those_of_the_operator(tmp_path: Path) -> None:
    path, toml = tmp_path / "cdr.txt", tmp_path / "own.toml"
    path.write_text("c1,Ext.101,+33142685300,2026-10-01 10:00:00,00:01:00\n", encoding="utf-8")
    columns = 'columns = ["callid", "from-no", "to-no", "time-answered", "duration"]'
    toml.write_text(f'format = "3cx"\ntimezone = "Europe/Brussels"\n{columns}\n', encoding="utf-8")
    fields = {"call_id": "c1 2026-10-01 10:00:00", "start": "2026-10-01T08:00:00Z", "direction": "outgoing"}
    assert native_rows_of(path, str(toml)) == [taken(1, **fields, caller="101", callee="+33142685300", duration_s="60")]
    toml.write_text('format = "3cx"\ncolumns = ["callid"]\n', encoding="utf-8")
    with pytest.raises(InputRefused, match="the columns of 3cx lack duration, time-answered, from-no, to-no"):
        native_rows_of(path, str(toml))


@pytest.mark.parametrize(
    ("toml", "taken_rows"),
    [
        ('trunks = "SIP-"', 20),
        ('trunks = ["MGCP"]', 0),
        ('phones = ["SEP", "SIP-"]', 0),
    ],
)
def test_cucm__devices_tell_what_leads_outside(toml: str, taken_rows: int, tmp_path: Path) -> None:
    rows = settled("cucm/cdr_Cluster1_01_202610312359_1", f'format = "cucm"\n{toml}\n', tmp_path)
    assert sum(row.verdict == "taken" for row in rows) == taken_rows

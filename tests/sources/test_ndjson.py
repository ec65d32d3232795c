"""NDJSON: one object a line, figures as they are written, each bad line alone."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rating.sources import rows as reasons
from rating.sources.ndjson_rows import WORTH_A_LAYOUT
from schemas.errors import InputRefused
from tests.sources.written import WANTED, outcome, read, rows_of, write

GOOD = b'{"a":"x","b":"y","c":"z"}\n'
BAD = "bad"


@pytest.mark.parametrize(
    ("line", "fields"),
    [
        (b'{"a":"1","b":"2","c":"3"}', ("1", "2", "3")),
        (b' { "b" : "2" ,\t"a":"1" } \r', ("1", "2", None)),
        (b'{"a":1,"b":12.50,"c":true}', ("1", "12.50", "true")),
        (b'{"a":12345678901234567890123,"b":0.10000000000000000001,"c":-1e400}',
         ("12345678901234567890123", "0.10000000000000000001", "-1e400")),
        (b'{"a":null,"b":"null","c":false}', (None, "null", "false")),
        (b"{}", (None, None, None)),
        (b'{"a":"","b":" 2 "}', (None, " 2 ", None)),
        (b'{"x":"a","b":"2","y":1}', (None, "2", None)),
        (b'{"x":"\\"a\\":9","a":"1"}', ("1", None, None)),
        (b'{"a":"b","b":"a"}', ("b", "a", None)),
        (b'{"a":"1","a":"2"}', ("1", None, None)),  # the first of a name
        (b'{"a":"1","a":"\\u0032"}', ("1", None, None)),
        (b'{"a":"\\u002B32","b":"\\/","c":"\\u00e9\\n"}', ("+32", "/", "é\n")),
        (b'{"\\u0061":1.50,"b":2,"c":true}', ("1.50", "2", "true")),
        (b'{"a":"\\ud83d\\ude00"}', ("😀", None, None)),
        (b'{"a":"1","x":{"a":"2"},"y":[1,{"b":3}]}', ("1", None, None)),
        ('{"a":"é"}'.encode(), ("é", None, None)),
        ('\ufeff{"a":"1"}'.encode(), ("1", None, None)),
        (b'{"a":[1]}', BAD),
        (b'{"a":{"b":1}}', BAD),
        (b'{"a":"1",}', BAD),
        (b'{"a":"1"', BAD),
        (b'{"a":"1"}{"a":"2"}', BAD),
        (b'{"a":01}', BAD),
        (b'{"a":.5}', BAD),
        (b'{"a":+1}', BAD),
        (b'{"a":NaN}', BAD),
        (b'{"a":Infinity}', BAD),
        (b"{'a':1}", BAD),
        (b"{a:1}", BAD),
        (b'{"a":"\t"}', BAD),
        (b'{"a":"\\x"}', BAD),
        (b'{"a":"\\ud800"}', BAD),
        (b'{"a":"1\\u0000"}', BAD),
        (b'{"a":"1\x00"}', BAD),
        (b'{"a":"\xff"}', BAD),
        (b"[1]", BAD),
        (b'"a"', BAD),
        (b"null", BAD),
        (b"{", BAD),
        (b" ", BAD),
        (b"[" * 100_000, BAD),
    ],
)  # fmt: skip
def test_ndjson__each_line_is_judged_alone(tmp_path: Path, line: bytes, fields: object) -> None:
    file = write(tmp_path, "a.ndjson", GOOD + line + b"\n\n" + GOOD)
    whole = read(file)
    first, judged, last = outcome(whole)
    assert first == (1, "x", "y", "z")
    assert last == (4, "x", "y", "z")
    assert judged[0] == 2
    assert (BAD if len(judged) == 2 else judged[1:]) == fields
    for block_bytes in (10, 50):
        if len(line) < 1000:
            assert read(file, block_bytes=block_bytes).equals(whole)


def test_ndjson__a_fault_says_what_is_wrong(tmp_path: Path) -> None:
    lines = b'[1]\n{"a":[1]}\n{"a":NaN}\n{"a":"\\u0000"}\n{"a":"\xff"}\n{"a":"1"'
    rows = read(write(tmp_path, "a.ndjson", lines))
    what = f"{reasons.NO_OBJECT} of texts and figures"
    assert rows["fault"].to_list() == [
        f"{what}: no object",
        f"{what}: an object or a list in a field",
        f"{what}: NaN is no figure",
        f"{what}: {reasons.HAS_NUL}",
        reasons.NOT_UTF8,
        reasons.UNTERMINATED,
    ]
    assert rows["record"].to_list() == lines.decode(errors="replace").split("\n")


def test_ndjson__a_last_line_without_line_end(tmp_path: Path) -> None:
    file = write(tmp_path, "a.ndjson", GOOD + GOOD.rstrip())
    assert outcome(read(file)) == [(1, "x", "y", "z"), (2, reasons.UNTERMINATED)]
    assert outcome(read(file, unterminated="accept")) == [(1, "x", "y", "z"), (2, "x", "y", "z")]


def test_ndjson__a_control_character_is_seen_among_lines_of_another_layout(tmp_path: Path) -> None:
    others = [b'{"b":"2","a":"1"}\n'] * WORTH_A_LAYOUT
    others[7] = others[7].replace(b"2", b"2\t")
    rows = read(write(tmp_path, "a.ndjson", GOOD * WORTH_A_LAYOUT + b"".join(others)))
    assert rows.filter(pl.col("fault").is_not_null())["source_line"].to_list() == [WORTH_A_LAYOUT + 8]


def test_ndjson__unknown_columns_are_told_once(tmp_path: Path) -> None:
    lines = b'{"a":"1","x":1}\n{"y":"a","x":2,"b":"z"}\n{"w":"\\n"}\n{"v":{"u":1}}\n{"a":"x\xff","t":1}\n'
    rows = rows_of(write(tmp_path, "a.ndjson", lines), block_bytes=20)
    assert sum(frame.height for frame in rows.frames) == 5
    assert rows.unknown_columns == {"x", "y", "w", "v"}


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf"])
def test_ndjson__a_file_without_rows(tmp_path: Path, content: bytes) -> None:
    assert read(write(tmp_path, "a.ndjson", content)).is_empty()


def test_ndjson__utf16_refuses_the_file(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match=r"a\.ndjson: this is UTF-16"):
        read(write(tmp_path, "a.ndjson", '{"a":"1"}\n'.encode("utf-16")))


def test_ndjson__lines_of_several_layouts_are_read_as_each_is(tmp_path: Path) -> None:
    layouts = [
        '{{"a":"{0}","b":{0},"c":"z"}}',
        '{{"b": {0}, "a": "{0}", "x": null}}',
        ' {{"a":"é {0}" ,"b":null }} ',
        '{{"a":"1,{0}","b":"2"}}',  # not to be split at its commas
        '{{"a":"\\u0041{0}","b":"2"}}',
        '{{"a":"{0}","a":"no","b":"2"}}',
    ]
    wanted = [
        lambda n: (n, n, "z"),
        lambda n: (n, n, None),
        lambda n: (f"é {n}", None, None),
        lambda n: (f"1,{n}", "2", None),
        lambda n: (f"A{n}", "2", None),
        lambda n: (n, "2", None),
    ]
    kinds = [0] * 4 + [1] * 3 + [2] * 2 + [3, 4, 5]
    lines = [layouts[kinds[n % len(kinds)]].format(n) for n in range(20_000)]
    lines[6_000] = lines[6_000].replace("}", "")
    rows = rows_of(write(tmp_path, "a.ndjson", "\n".join([*lines, ""]).encode()), block_bytes=1 << 24)
    got = outcome(pl.concat(rows.frames))
    assert [row[0] for row in got] == list(range(1, 20_001))
    assert len(got.pop(6_000)) == 2
    expected = [wanted[kinds[n % len(kinds)]](str(n)) for n in range(20_000) if n != 6_000]
    assert [row[1:] for row in got] == expected
    assert rows.unknown_columns == {"x"}


@pytest.mark.parametrize(
    ("line", "fields"),
    [
        (b'{"a":"1","b":"2","c":3}', ("1", "2", "3")),
        (b'{"a":"1","b":"2","c":3} ', ("1", "2", "3")),
        (b'{"a":"1","b":"2","c": 3}', ("1", "2", "3")),
        (b'{"a":"1","b":2,"c":"3"}', ("1", "2", "3")),
        (b'{"a":"1","b":"2","c":null}', ("1", "2", None)),
        (b'{"a":"","b":"","c":3}', (None, None, "3")),
        (b'{"a":"1,2","b":"2","c":3}', ("1,2", "2", "3")),
        (b'{"a":"1","c":3,"b":"2"}', ("1", "2", "3")),
        (b'{"a":"1","b":"2","x":3}', ("1", "2", None)),
        (b'{"a":"1"2","b":"2","c":3}', BAD),
        (b'{"a":"1"2","b":","c":3}', BAD),
        (b'{"a":"1","b":"2","c":3]', BAD),
        (b'{"a":"1","b":""2","c":3}', BAD),
        (b'{"a":"1","b":","c":3}', BAD),
        (b'{"a":"1","b":","c":3,"d":4}', BAD),
        (b'{"a":"1","b":"2\\t","c":3}', ("1", "2\t", "3")),
        (b'{"a":"1","b":"2\x01","c":3}', BAD),
        (b'{"a":"1","b":"2","c":}', BAD),
        (b'{"a":"1","b":"2","c":03}', BAD),
        (b'{"a":"1","b":"2","c":3', BAD),
        (b'"a":"1","b":"2","c":3}', BAD),
        (b'{"a":"1","b":"2",3}', BAD),
        (b'{"a":"1","2","c":3}', BAD),
    ],
)
def test_ndjson__a_line_fits_the_layout_of_the_others_or_is_judged_alone(
    tmp_path: Path, line: bytes, fields: object
) -> None:
    good = b'{"a":"x","b":"y","c":1}\n'
    first, judged, last = outcome(read(write(tmp_path, "a.ndjson", good + line + b"\n" + good)))
    assert first == (1, "x", "y", "1")
    assert last == (3, "x", "y", "1")
    assert (BAD if len(judged) == 2 else judged[1:]) == fields


def test_ndjson__lines_of_other_members_alone_have_no_field_and_are_rows_all_the_same(tmp_path: Path) -> None:
    rows = outcome(read(write(tmp_path, "a.ndjson", b'{"x":"1","y":2}\n' * 3)))
    assert rows == [(line, None, None, None) for line in (1, 2, 3)]


MEMBER = st.one_of(
    st.text(st.sampled_from('ab":,{}[]\\ é\n0'), max_size=6),
    st.integers(-(10**20), 10**20),
    st.booleans(),
    st.none(),
)


@given(
    st.lists(st.dictionaries(st.sampled_from(["a", "b", "c", "x", 'a"', "a:"]), MEMBER), min_size=1, max_size=5),
    st.booleans(),
)
def test_ndjson__what_is_written_is_read(objects: list[dict[str, object]], ascii_only: bool) -> None:
    lines = "".join(json.dumps(one, ensure_ascii=ascii_only) + "\n" for one in objects)
    with tempfile.TemporaryDirectory() as folder:
        rows = read(write(Path(folder), "a.ndjson", lines.encode()))
    assert rows.select(pl.col("fault").is_null().all()).item()
    assert rows.select(WANTED.columns).rows() == [
        tuple(
            member if isinstance(member := one.get(name), str | None) else json.dumps(member) for name in WANTED.columns
        )
        for one in objects
    ]

"""CSV: each kind of dirt costs the row it is in, and no other."""

from __future__ import annotations

import contextlib
import csv
import io
import tempfile
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rating.mediation import record_text
from rating.sources import rows as reasons
from rating.sources.lines import Block
from rating.sources.rows import Wanted
from rating.sources.splitting import split_evenly
from rating.sources.table_rows import read_rows
from schemas.errors import InputRefused
from tests.sources.written import WANTED, outcome, read, rows_of, write

BLOCKS = (1, 7, 50, 1 << 20)


def ragged(fields: int) -> str:
    return f"{fields} fields where the header has 3"


@pytest.mark.parametrize(
    ("dirt", "between"),
    [
        (b"1,2,3\n", [(3, "1", "2", "3")]),
        (b"1,2,3\r\n", [(3, "1", "2", "3")]),
        (b"1,2,3\r\r\n", [(3, "1", "2", "3")]),
        (b"", []),
        (b"\n\r\n", []),  # empty lines are no records, and count as lines
        (b",,\n", [(3, None, None, None)]),
        (b'"1","2","3"\n', [(3, "1", "2", "3")]),
        (b'"1","2","3"\r\n', [(3, "1", "2", "3")]),
        (b'"1,1","say ""2""",\n', [(3, "1,1", 'say "2"', None)]),
        (b'1,"",""""\n', [(3, "1", None, '"')]),
        (b'1,"two\nlines",3\n', [(3, "1", "two\nlines", "3")]),
        (b'1,"two\r\nlines",3\r\n', [(3, "1", "two\nlines", "3")]),
        (b'1,"a\n\nb","c\nd"\n', [(3, "1", "a\n\nb", "c\nd")]),
        (b'1,"a\n""b"", c\n",3\n', [(3, "1", 'a\n"b", c\n', "3")]),
        ("1,é,ü\n".encode(), [(3, "1", "é", "ü")]),
        ("\ufeff1,2,3\n".encode(), [(3, "1", "2", "3")]),  # files put one after the other
        ("1,\ufffd,3\n".encode(), [(3, "1", "\ufffd", "3")]),
        (b"1,2\n", [(3, ragged(2))]),
        (b"1,2,3,4\n", [(3, ragged(4))]),
        (b"1,2\n1,2,3,\n", [(3, ragged(2)), (4, ragged(4))]),  # together as long as two that are right
        (b"1,2,3,\n1\n1,2,3,\n", [(3, ragged(4)), (4, ragged(1)), (5, ragged(4))]),
        (b'1,"2,3"\n', [(3, ragged(2))]),
        (b"1\n", [(3, ragged(1))]),
        (b" \n", [(3, ragged(1))]),
        (b"1,\xff,3\n", [(3, reasons.NOT_UTF8)]),
        (b"1,\xc3,3\n", [(3, reasons.NOT_UTF8)]),
        (b"\xed\xa0\x80,2,3\n", [(3, reasons.NOT_UTF8)]),
        (b"1,2\x00,3\n", [(3, reasons.HAS_NUL)]),
        (b'1,"a\n\xff",3\n', [(3, reasons.NOT_UTF8)]),
        (b'1,"a\n\x00",3\n', [(3, reasons.HAS_NUL)]),
        (b"\x00" * 3000 + b"\n", [(3, reasons.HAS_NUL)]),
        (b'1,"2,3\n', [(3, reasons.MISQUOTED)]),
        (b'1,2,"3\n', [(3, reasons.MISQUOTED)]),
        (b'1,2,3"\n', [(3, reasons.MISQUOTED)]),
        (b'1,2 "two",3\n', [(3, reasons.MISQUOTED)]),
        (b'1, "2",3\n', [(3, reasons.MISQUOTED)]),
        (b'1,"2"2,3\n', [(3, reasons.MISQUOTED)]),
        (b'"1","2","3\n"4","5","6"\n', [(3, reasons.MISQUOTED), (4, "4", "5", "6")]),
        (b'1,2,"3\n4,5,6"\n', [(3, "1", "2", "3\n4,5,6")]),  # may have been meant so
        (b'1,2,"3\n4,5,6\n7,8,9"\n', [(3, reasons.MISQUOTED), (4, "4", "5", "6"), (5, reasons.MISQUOTED)]),
        (b'1,2,"3\n4,5,""\n6"\n', [(3, reasons.MISQUOTED), (4, "4", "5", None), (5, reasons.MISQUOTED)]),
        (b'"' * 1001 + b"\n", [(3, reasons.MISQUOTED)]),
    ],
)
def test_csv__dirt_costs_its_own_row(tmp_path: Path, dirt: bytes, between: list[tuple[object, ...]]) -> None:
    file = write(tmp_path, "a.csv", b"a,b,c\nx,y,z\n" + dirt + b"p,q,r\n")
    whole = read(file)
    rows = outcome(whole)
    assert rows[0] == (2, "x", "y", "z")
    assert rows[1:-1] == between
    assert rows[-1][1:] == ("p", "q", "r")
    assert rows[-1][0] == 3 + dirt.count(b"\n")
    for block_bytes in BLOCKS:
        assert read(file, block_bytes=block_bytes).equals(whole)


@pytest.mark.parametrize(
    ("line", "fields"),
    [
        (b'"1","2","3"', ("1", "2", "3")),
        (b'"1",2,"3"', ("1", "2", "3")),
        (b"1,2,3", ("1", "2", "3")),
        (b'"","",""', (None, None, None)),
        (b'"1","2,2","3"', ("1", "2,2", "3")),
        (b'"1","2 ""2""","3"', ("1", '2 "2"', "3")),
        (b'"1","""2""","3"', ("1", '"2"', "3")),
        (b'"1","2"", ""2","3"', ("1", '2", "2', "3")),
        ('"é","2","3"'.encode(), ("é", "2", "3")),
        (b'"1","2","3"\r', ("1", "2", "3")),
        (b'"1","2"', ragged(2)),
        (b'"1","2","3","4"', ragged(4)),
        (b'"1,2","3"', ragged(2)),
        (b'"1",""2","3"', reasons.MISQUOTED),
        (b'"1","2""3"', ragged(2)),
        (b'"1",","3"', reasons.MISQUOTED),
        (b'"1",2","3"', reasons.MISQUOTED),
        (b'1","2,"3"', reasons.MISQUOTED),
        (b'"1"x"2,"3"', reasons.MISQUOTED),
        (b'"1",","3', reasons.MISQUOTED),
    ],
)
def test_csv__among_lines_in_quotes_each_is_judged_as_alone(tmp_path: Path, line: bytes, fields: object) -> None:
    file = write(tmp_path, "a.csv", b'"a","b","c"\n"x","y","z"\n' + line + b'\n"p","q","r"\n')
    first, judged, last = outcome(read(file))
    assert first == (2, "x", "y", "z")
    assert last == (4, "p", "q", "r")
    assert (judged[1] if len(judged) == 2 else judged[1:]) == fields


def test_csv__the_record_is_the_line_as_it_was(tmp_path: Path) -> None:
    file = write(tmp_path, "a.csv", b'a,b,c\r\n1,\xff,"3"\r\n"4","5\r\n6",\r\n')
    assert read(file)["record"].to_list() == ['1,\ufffd,"3"', '"4","5\n6",']


@pytest.mark.parametrize("header", [b"a,b,c", b"c,b,a", b"b,a"])
def test_csv__a_spared_record_is_its_fields_in_the_order_of_the_file(tmp_path: Path, header: bytes) -> None:
    lines = [b"1,2,3", b",5,", b" 6 ,,7#"] if header.count(b",") == 2 else [b"1,2", b",5"]
    file = write(tmp_path, "a.csv", b"\n".join([header, *lines, b""]))
    (spared,) = rows_of(file, spare_records=True).frames
    assert spared["record"].null_count() == len(lines)
    assert record_text(spared).to_list() == [line.decode() for line in lines]


@pytest.mark.parametrize("header", [b"a,b,d", b"a,b,", b"b,d,a,c"])
def test_csv__no_record_is_spared_where_the_file_has_other_columns(tmp_path: Path, header: bytes) -> None:
    line = b"1" + b",2" * header.count(b",")
    (rows,) = rows_of(write(tmp_path, "a.csv", header + b"\n" + line + b"\n"), spare_records=True).frames
    assert rows["record"].to_list() == [line.decode()]


def test_csv__a_quote_is_closed_within_a_hundred_lines_or_never(tmp_path: Path) -> None:
    for lines, closes in ((99, True), (100, False)):
        file = write(tmp_path, "a.csv", b'a,b,c\n1,2,"' + b"text\n" * lines + b'"\np,q,r\n')
        # A hundred lines in blocks of a byte take long; the other tests of this file read some.
        for block_bytes in BLOCKS[1:]:
            rows = outcome(read(file, block_bytes=block_bytes))
            assert len(rows) == (2 if closes else 2 + lines)
            assert (rows[0] == (2, "1", "2", "text\n" * lines)) is closes
            assert rows[-1] == (3 + lines, "p", "q", "r")


def test_csv__a_line_too_long_costs_itself(tmp_path: Path) -> None:
    long = b"1,2," + b"x" * reasons.MAX_LINE_BYTES + b"\n"
    file = write(tmp_path, "a.csv", b"a,b,c\nx,y,z\n" + long + b"p,q,r\n")
    whole = read(file)
    assert outcome(whole) == [(2, "x", "y", "z"), (3, reasons.TOO_LONG), (4, "p", "q", "r")]
    assert whole["record"].str.len_chars().to_list() == [5, reasons.CUT_CHARACTERS, 5]
    assert read(file, block_bytes=100_000).equals(whole)


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("last", [b"1,2,3", b'1,"2",3', b"1,2,3\r"])
def test_csv__a_last_line_without_line_end(tmp_path: Path, line_end: bytes, last: bytes) -> None:
    file = write(tmp_path, "a.csv", line_end.join([b"a,b,c", b"x,y,z", last]))
    for block_bytes in BLOCKS:
        rows = outcome(read(file, block_bytes=block_bytes))
        assert rows == [(2, "x", "y", "z"), (3, reasons.UNTERMINATED)]
        rows = outcome(read(file, unterminated="accept", block_bytes=block_bytes))
        assert rows == [(2, "x", "y", "z"), (3, "1", "2", "3")]


@pytest.mark.parametrize("lines", [[b"1", b"1,2,3,,"], [b"1,2,3,", b"1,2"], [b"1,2,3", b"1,2,3,,", b"1"]])
def test_csv__lines_that_have_as_many_fields_as_they_should_together(tmp_path: Path, lines: list[bytes]) -> None:
    rows = read(write(tmp_path, "a.csv", b"\n".join([b"a,b,c", *lines, b""])))
    assert rows["fault"].is_null().to_list() == [line == b"1,2,3" for line in lines]
    # Without the line end of the last there are as many commas as line ends ask for.
    rows = read(write(tmp_path, "a.csv", b"a,b,c\nx,y,z\n1"))
    assert outcome(rows) == [(2, "x", "y", "z"), (3, reasons.UNTERMINATED)]


def test_csv__lines_are_split_evenly_where_each_has_its_end() -> None:
    parts = split_evenly(Block.of(b"1,2\n3,4\n", last=True), 2)
    assert parts is not None
    assert parts.rows() == [("1", "2"), ("3", "4")]
    assert split_evenly(Block.of(b"1,2\n3", last=True), 2) is None


def test_csv__a_record_over_lines_may_be_the_last(tmp_path: Path) -> None:
    file = write(tmp_path, "a.csv", b'a,b,c\n1,"2\n2",3')
    for block_bytes in BLOCKS:
        assert outcome(read(file, block_bytes=block_bytes)) == [(2, reasons.UNTERMINATED)]
        assert outcome(read(file, unterminated="accept", block_bytes=block_bytes)) == [(2, "1", "2\n2", "3")]


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"\r\n\n", b"\xef\xbb\xbf", b"a,b,c", b"a,b,c\n", b"\xef\xbb\xbfa,b,c\r\n\r\n"]
)
def test_csv__a_file_without_rows(tmp_path: Path, content: bytes) -> None:
    for block_bytes in BLOCKS:
        assert read(write(tmp_path, "a.csv", content), block_bytes=block_bytes).is_empty()


def test_csv__a_file_of_one_column_has_no_row_where_a_line_is_empty(tmp_path: Path) -> None:
    file = write(tmp_path, "a.csv", b"a\n1\n\n2\n")
    found = read_rows(file, Wanted(table="ids", required=("a",)), unterminated_last_line="quarantine")
    assert [row for frame in found.frames for row in frame.select("source_line", "a").rows()] == [(2, "1"), (4, "2")]


def test_csv__columns_are_found_by_name(tmp_path: Path) -> None:
    file = write(tmp_path, "a.csv", b'\xef\xbb\xbf\n b ,"x,""y""",a,,\n2,9,1,,\n')
    rows = rows_of(file)
    (frame,) = rows.frames
    assert frame.select("source_line", *WANTED.columns).rows() == [(3, "1", "2", None)]
    assert rows.unknown_columns == {'x,"y"'}


@pytest.mark.parametrize(
    ("header", "because"),
    [
        (b"a,c\n", "b: missing"),
        (b"A,B\n", "a: missing"),
        (b"a;b\n", "a: missing; expected in the header, which has a;b"),
        (b"a,b,a\n", "a: expected once in the header"),
        (b"a,b,x, x\n", "x: expected once in the header"),
        (b"a,b,\xff\n", "the header cannot be read: not UTF-8 text"),
        (b'a,"b\n', "the header cannot be read: a quote"),
        ("a,b\n1,2\n".encode("utf-16"), "UTF-16"),
        ("a,b\n1,2\n".encode("utf-16-be"), "UTF-16"),
        ("\ufeffa,b\n1,2\n".encode("utf-16-be"), "UTF-16"),
    ],
)
def test_csv__a_header_that_does_not_fit_refuses_the_file(tmp_path: Path, header: bytes, because: str) -> None:
    with pytest.raises(InputRefused, match=r"a\.csv") as refused:
        read(write(tmp_path, "a.csv", header + b"1,2\n"))
    told = [str(refused.value), *(problem.sentence() for problem in refused.value.problems)]
    assert because in " ".join(told)


def test_csv__all_that_is_wrong_with_the_header_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputRefused) as refused:
        read(write(tmp_path, "a.csv", b"c,c\n"))
    assert [(problem.line, problem.column) for problem in refused.value.problems] == [(1, "a"), (1, "b"), (1, "c")]


FIELD = st.text(st.sampled_from('ab1 ,"\né#\t'), max_size=4)
TABLE = st.lists(st.lists(FIELD, min_size=3, max_size=3), max_size=8)


def holds_a_row(row: list[str]) -> bool:
    """Whether a record over several lines has one that is a whole row by itself: it is then set aside, not guessed."""
    written = io.StringIO()
    csv.writer(written, quoting=csv.QUOTE_ALL, lineterminator="\n").writerow(row)
    csv.writer(written, lineterminator="\n").writerow(row)
    for line in written.getvalue().split("\n") if any("\n" in field for field in row) else []:
        with contextlib.suppress(csv.Error):
            if [len(fields) for fields in csv.reader([line], strict=True)] == [3]:
                return True
    return False


@given(TABLE, st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]), st.sampled_from(["\n", "\r\n"]), st.integers(1, 60))
@example([["\n", ",,", "\n"], ["a\nb", "x", "y"]], csv.QUOTE_MINIMAL, "\n", 1)
def test_csv__what_is_written_is_read(
    table: list[list[str]], quoting: Literal[0, 1], line_end: str, block_bytes: int
) -> None:
    table = [row for row in table if not holds_a_row(row)]
    written = io.StringIO()
    csv.writer(written, quoting=quoting, lineterminator=line_end).writerows([["a", "b", "c"], *table])
    with tempfile.TemporaryDirectory() as folder:
        file = write(Path(folder), "a.csv", written.getvalue().encode())
        rows = read(file, block_bytes=block_bytes)
        assert rows.equals(read(file))
    assert [list(row[1:]) for row in outcome(rows)] == [[field or None for field in row] for row in table]


ROWS = [f"r{index:02d},{'quoted' if index % 3 else chr(34) + 'a, b' + chr(34)},end{index}" for index in range(12)]


@given(
    st.lists(
        st.tuples(
            st.integers(0, len(ROWS) - 1),
            st.integers(0, 30),
            st.sampled_from(["flip", "cut", "insert"]),
            st.one_of(st.sampled_from(b'\n\r",\x00\xff\xef'), st.integers(0, 255)),
        ),
        min_size=1,
        max_size=3,
    ),
    st.sampled_from([10, 50, 1 << 20]),
)
def test_csv__rows_that_were_not_touched_are_read_the_same(
    damages: list[tuple[int, int, str, int]], block_bytes: int
) -> None:
    rows = [f"{row}\n".encode() for row in ROWS]
    touched: set[int] = set()
    for index, position, damage, byte in damages:
        row = rows[index]
        at = min(position, len(row) - 1)
        rest = row[at:] if damage == "insert" else row[at + 1 :]
        rows[index] = row[:at] + (b"" if damage == "cut" else bytes([byte])) + rest
        touched |= {index, index + 1} if at == len(row) - 1 else {index}
    with tempfile.TemporaryDirectory() as folder:
        file = write(Path(folder), "a.csv", b"a,b,c\n" + b"".join(rows))
        read_back = read(file, block_bytes=block_bytes)
    good = {row[1:] for row in outcome(read_back) if len(row) > 2}
    for index in set(range(len(ROWS))) - touched:
        assert next(csv.reader([ROWS[index]])) in [list(row) for row in good]
    ends = sum(row.count(b"\n") for row in rows) + (not rows[-1].endswith(b"\n"))
    assert len(ROWS) - len(touched) <= read_back.height <= ends
    assert read_back["source_line"].is_unique().all()
    assert read_back["source_line"].is_sorted()

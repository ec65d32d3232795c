"""Platform tables: found by their stem, read exactly in every format, refused with file and line."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
from typing import TYPE_CHECKING

import polars as pl
import pyarrow as pa
import pytest
from small_platform import TABLES

from rating.platform_checks import notice_problems
from rating.sources.platform_tables import load_platform
from schemas.errors import InputRefused
from schemas.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from small_platform import Load, Refuse

    from schemas.platform import Platform

NUMBERS = {"quantity", "unit_price", "price_per_minute", "setup_fee", "amount"}
WHOLE = {"term_months", "payment_days", "included_minutes", "priority", "first_increment_s", "increment_s"}


def records(table: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(TABLES[table])))


def as_json(table: str) -> bytes:
    """Each record on a line; figures as JSON numbers, empty fields left out or null."""
    lines = []
    for record in records(table):
        fields = {name: text or None for name, text in record.items() if text or name != "iban"}
        line = json.dumps(fields, ensure_ascii=False)
        for name in (NUMBERS | WHOLE) & fields.keys():
            line = line.replace(f'"{name}": "{fields[name]}"', f'"{name}": {fields[name]}')
        lines.append(line)
    return "\n".join(lines).encode()


def as_parquet(table: str) -> bytes:
    """Typed columns: decimals, whole numbers and dates instead of text."""
    frame = pl.DataFrame(records(table), infer_schema_length=None)
    frame = frame.with_columns(pl.when(pl.col(pl.String) != "").then(pl.col(pl.String)).name.keep())
    for name in frame.columns:
        if name in NUMBERS:
            frame = frame.with_columns(pl.col(name).cast(pl.Decimal(38, 10)))
        elif name in WHOLE:
            frame = frame.with_columns(pl.col(name).cast(pl.UInt32))
        elif name == "date" or name.endswith(("_on", "_from", "_to")):
            frame = frame.with_columns(pl.col(name).str.to_date())
        elif name in {"kind", "country", "customer_id"}:
            frame = frame.with_columns(pl.col(name).cast(pl.Categorical))
    written = io.BytesIO()
    frame.write_parquet(written)
    return written.getvalue()


def as_csv(table: str) -> bytes:
    return TABLES[table].encode()


def zstd(content: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(content)
    written: bytes = sink.getvalue().to_pybytes()
    return written


def refused_in(folder: Path) -> list[tuple[str, str, int, str, str, str]]:
    with pytest.raises(InputRefused) as refused:
        load_platform(folder, Settings())
    return [
        (p.table, p.file.removeprefix(f"{folder}/"), p.line, p.column, p.value, p.expected)
        for p in refused.value.problems
    ]


@pytest.mark.parametrize(
    ("suffix", "write", "compress"),
    [
        ("csv.gz", as_csv, gzip.compress),
        ("csv.zst", as_csv, zstd),
        ("ndjson", as_json, bytes),
        ("jsonl", as_json, bytes),
        ("json", as_json, bytes),
        ("ndjson.gz", as_json, gzip.compress),
        ("jsonl.zst", as_json, zstd),
        ("parquet", as_parquet, bytes),
        ("parquet.gz", as_parquet, gzip.compress),
    ],
)
def test_platform_tables__every_format_gives_the_same_frames(
    folder: Path, suffix: str, write: Callable[[str], bytes], compress: Callable[[bytes], bytes]
) -> None:
    expected = load_platform(folder, Settings()).platform
    other = folder / "other"
    other.mkdir()
    for table in TABLES:
        (other / f"{table}.{suffix}").write_bytes(compress(write(table)))
    loaded = load_platform(other, Settings())
    assert loaded.warnings == ()
    assert_same(loaded.platform, expected)


def assert_same(found: Platform, expected: Platform) -> None:
    for table, frame in expected.frames().items():
        assert found.frames()[table].equals(frame), table
        assert found.frames()[table].schema == frame.schema, table


def test_platform_tables__quotes_blanks_and_line_ends_change_nothing(folder: Path) -> None:
    expected = load_platform(folder, Settings()).platform
    for table in TABLES:
        rows = list(csv.reader(io.StringIO(TABLES[table])))
        quoted = "".join(",".join(f'"{field}"' for field in row) + "\r\n\r\n" for row in rows)
        (folder / f"{table}.csv").write_text(quoted.rstrip(), encoding="utf-8-sig", newline="")
    assert_same(load_platform(folder, Settings()).platform, expected)
    for table in set(TABLES) - {"customers"}:
        padded = TABLES[table].replace(",", " , ").replace("\n", " \r\n \r\n").rstrip()
        (folder / f"{table}.csv").write_text(padded, encoding="utf-8-sig", newline="")
    assert_same(load_platform(folder, Settings()).platform, expected)


def test_platform_tables__columns_stand_in_any_order(load: Load) -> None:
    expected = load().platform
    written = "".join(",".join(reversed(line.split(","))) + "\n" for line in TABLES["rates"].splitlines())
    assert_same(load(changed={"rates": written}).platform, expected)


def test_platform_tables__optional_tables_may_be_absent(folder: Path) -> None:
    for table in ("contract_items", "subscriptions", "packs", "charges", "credits", "suspensions"):
        (folder / f"{table}.csv").unlink()
    platform = load_platform(folder, Settings()).platform
    assert platform.packs.height == platform.credits.height == 0
    assert platform.users.height == 3


def test_platform_tables__optional_columns_may_be_absent(load: Load) -> None:
    written = "deck_id,prefix,zone_id,price_per_minute,effective_from,notified_on\n"
    platform = load(changed={"rates": written + "standard,32,BE,0.05,2026-01-01,2026-01-01\n"}).platform
    assert platform.rates.row(0)[3:7] == (50_000, 0, 1, 1)


def test_platform_tables__an_empty_table_needs_only_its_header(load: Load) -> None:
    assert load(changed={"credits": TABLES["credits"].splitlines()[0]}).platform.credits.height == 0


def test_platform_tables__an_empty_ndjson_table_has_no_rows(folder: Path) -> None:
    (folder / "credits.csv").unlink()
    (folder / "credits.ndjson").write_bytes(b"\n")
    assert load_platform(folder, Settings()).platform.credits.height == 0


def test_platform_tables__the_files_are_known_by_their_bytes(folder: Path) -> None:
    files = load_platform(folder, Settings()).files
    assert [file.stem for file in files] == list(TABLES)
    for file in files:
        assert file.path == folder / f"{file.stem}.csv"
        assert file.sha256 == hashlib.sha256(file.path.read_bytes()).hexdigest()


def test_platform_tables__a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputRefused) as refused:
        load_platform(tmp_path / "none", Settings())
    assert refused.value.problems[0].expected == "expected a folder with the platform tables"


def test_platform_tables__all_missing_tables_are_named(folder: Path) -> None:
    for table in ("users", "zones", "credits"):
        (folder / f"{table}.csv").unlink()
    assert [(problem[0], problem[5]) for problem in refused_in(folder)] == [
        ("users", "expected the table users, as users.csv, users.parquet or users.ndjson"),
        ("zones", "expected the table zones, as zones.csv, zones.parquet or zones.ndjson"),
    ]


def test_platform_tables__two_files_of_one_table_are_refused(folder: Path) -> None:
    (folder / "credits.csv.gz").write_bytes(gzip.compress(as_csv("credits"), mtime=0))
    words = "expected one file for the table credits; credits.csv is another: remove one"
    assert refused_in(folder) == [("credits", "credits.csv.gz", 0, "", "", words)]


def test_platform_tables__what_is_not_read_is_told(folder: Path) -> None:
    header, _, rest = TABLES["users"].partition("\n")
    rows = "".join(f"{row},x\n" for row in rest.splitlines())
    (folder / "users.csv").write_text(f"{header},activ_to\n{rows}")
    (folder / "user.csv").write_text("")
    (folder / "prices.xlsx").write_bytes(b"")
    (folder / "README.md").write_text("notes")
    assert load_platform(folder, Settings()).warnings == (
        f"{folder}/prices.xlsx: not read; tables are csv, parquet, ndjson, jsonl, json, with .gz or .zst",
        f"{folder}/user.csv: there is no such table; not read; did you mean users?",
        f"{folder}/users.csv: column 'activ_to' is unknown and was not read; did you mean active_to?",
    )


@pytest.mark.parametrize(
    ("table", "written", "problem"),
    [
        ("credits", b"", (1, "", "", "expected a first line with the names of the columns")),
        ("credits", b"\n\n", (1, "", "", "expected a first line with the names of the columns")),
        (
            "credits",
            b"credit_id,customer_id,date,description\nr1,c1,2026-01-01,x\n",
            (1, "amount", "", "expected this column; it is missing"),
        ),
        (
            "credits",
            b"credit_id,customer_id,date,description,amout\nr1,c1,2026-01-01,x,1\n",
            (1, "amount", "", "expected this column; it is missing; is amout meant to be it?"),
        ),
        (
            "suspensions",
            b"customer_id,suspended_from,suspended_to,customer_id\n",
            (1, "customer_id", "", "expected each column once"),
        ),
        (
            "suspensions",
            b"customer_id,suspended_from,suspended_to\n\nc1,2026-01-01\n",
            (3, "", "", "expected 3 fields, as in the first line, and found 2"),
        ),
        (
            "suspensions",
            b"customer_id,suspended_from,suspended_to\nc1,2026-01-01,,\n",
            (2, "", "", "expected 3 fields, as in the first line, and found 4"),
        ),
        (
            "suspensions",
            b'customer_id,suspended_from,suspended_to\n"c1",2026-01-01\n',
            (2, "", "", "expected 3 fields, as in the first line, and found 2"),
        ),
        (
            "suspensions",
            b'customer_id,suspended_from,suspended_to\nc1,2026-01-01,\nc1,"2026-03-01,\nc1,2026-04-01,\n',
            (3, "", "", "expected a record with closed quotes (unexpected end of data)"),
        ),
        (
            "suspensions",
            b'customer_id,suspended_from,suspended_to\nc1,"2026-01-01"x,\n',
            (2, "", "", "expected a record with closed quotes (',' expected after '\"')"),
        ),
        (
            "suspensions",
            b"customer_id,suspended_from,suspended_to\nc1,2026-01-01,\n\xe9,2026-01-01,\n",
            (3, "", "", "expected UTF-8 text; the bytes e9 are none"),
        ),
        (
            "suspensions",
            b"customer_id,suspended_from,suspended_to\nc1,2026-01-01,\x00\n",
            (2, "", "", "expected text; there is a NUL byte in this line"),
        ),
    ],
)
def test_platform_tables__a_broken_csv_is_told_with_its_line(
    folder: Path, table: str, written: bytes, problem: tuple[int, str, str, str]
) -> None:
    (folder / f"{table}.csv").write_bytes(written)
    assert (table, f"{table}.csv", *problem) in refused_in(folder)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (
            b"customer_id;suspended_from;suspended_to\nc1;2026-01-01;\nc2;2026-01-01;\n",
            "expected commas between the fields, found semicolons; export the table again as CSV with commas",
        ),
        (
            b'\xef\xbb\xbf\n"customer_id"\t"suspended_from"\t"suspended_to"\r\nc1\t2026-01-01\t\r\n',
            "expected commas between the fields, found tabs; export the table again as CSV with commas",
        ),
        (
            "customer_id,suspended_from,suspended_to\nc1,2026-01-01,\n".encode("utf-16"),
            "expected UTF-8 text, this is UTF-16; export the table again in that encoding",
        ),
    ],
)
def test_platform_tables__what_a_spreadsheet_wrote_otherwise_is_told_once(
    folder: Path, written: bytes, expected: str
) -> None:
    (folder / "suspensions.csv").write_bytes(written)
    assert refused_in(folder) == [("suspensions", "suspensions.csv", 1, "", "", expected)]


def test_platform_tables__a_line_is_the_physical_line(refuse: Refuse) -> None:
    written = (
        "charge_id,customer_id,date,description,quantity,unit_price,product_id\r\n"
        'h1,c1,2026-01-01,"two\r\nlines",1,1,\r\n\r\n'
        "h2,c1,2026-01-01,text,1,x,\r\n"
    )
    ((table, line, column, value, _),) = refuse(changed={"charges": written})
    assert (table, line, column, value) == ("charges", 5, "unit_price", "x")


@pytest.mark.parametrize(
    ("line", "column", "value", "expected"),
    [
        (b"[1]", "", "[1]", "expected one JSON object on the line"),
        (b"{", "", "", "expected one JSON object on the line ("),
        (b'{"customer_id": "c1", "customer_id": "c2"}', "", "", "(a name comes twice)"),
        (b'{"customer_id": "c1", "suspended_from": NaN}', "", "", "(NaN is no number)"),
        (b'{"customer_id": "\\ud800"}', "", "", "expected one JSON object on the line ("),
        (b'{"customer_id": true}', "customer_id", "true", "expected text or a number"),
        (b'{"customer_id": ["c1"]}', "customer_id", '["c1"]', "expected text or a number"),
        (b'{"customer_id": "c1", "suspended_from": 20260101}', "suspended_from", "20260101", "a real date"),
        (b'{"customer_id": "c1"}', "suspended_from", "", "must not be empty"),
        (b'{"customer_id": "c1", "suspended_from": ""}', "suspended_from", "", "must not be empty"),
        (b"\xff", "", "", "expected UTF-8 text"),
        (b"[" * 100_000, "", "", "expected one JSON object on the line ("),
    ],
)
def test_platform_tables__a_broken_json_line_is_told(
    folder: Path, line: bytes, column: str, value: str, expected: str
) -> None:
    (folder / "suspensions.csv").unlink()
    good = b'{"customer_id": "c2", "suspended_from": "2026-06-01", "suspended_to": null}'
    (folder / "suspensions.ndjson").write_bytes(good + b"\n\n" + line)
    first = next(problem for problem in refused_in(folder) if problem[2] == 3)
    assert first[:5] == ("suspensions", "suspensions.ndjson", 3, column, value)
    assert expected in first[5]


def test_platform_tables__json_decimals_are_read_from_their_digits(folder: Path) -> None:
    (folder / "credits.csv").unlink()
    figures = ["0.29", "1.10", '"2.5"', "100000000.01", "3e-2", "1.5E+1"]
    row = '{{"credit_id": {}, "customer_id": "c1", "date": "2026-01-01", "description": 7, "amount": {}}}'
    (folder / "credits.ndjson").write_text("\n".join(row.format(n, figure) for n, figure in enumerate(figures)))
    credits_ = load_platform(folder, Settings()).platform.credits
    assert credits_["amount_cents"].to_list() == [29, 110, 250, 10_000_000_001, 3, 1500]
    assert credits_["credit_id"].to_list() == ["0", "1", "2", "3", "4", "5"]


@pytest.mark.parametrize(
    ("name", "dtype", "shown"),
    [
        ("amount", pl.Float64(), "Float64"),
        ("amount", pl.Float32(), "Float32"),
        ("date", pl.Datetime("us"), "Datetime(time_unit='us', time_zone=None)"),
        ("description", pl.Boolean(), "Boolean"),
        ("description", pl.Binary(), "Binary"),
        ("credit_id", pl.List(pl.String()), "List(String)"),
    ],
)
def test_platform_tables__a_parquet_column_that_is_not_exact_is_refused(
    folder: Path, name: str, dtype: pl.DataType, shown: str
) -> None:
    (folder / "credits.csv").unlink()
    frame = pl.read_parquet(as_parquet("credits")).with_columns(pl.lit(None, dtype).alias(name))
    frame.write_parquet(folder / "credits.parquet")
    words = "expected a column of text, decimals or whole numbers; days as date or text"
    assert refused_in(folder) == [("credits", "credits.parquet", 0, name, shown, words)]


def test_platform_tables__a_parquet_row_is_named_by_its_number(folder: Path) -> None:
    (folder / "credits.csv").unlink()
    rows = {
        "credit_id": ["r1", "r2", "r3"],
        "customer_id": ["c1", "c1", None],
        "date": ["2026-01-01", "2026-01-32", "2026-01-01"],
        "description": ["x", "x", "x"],
        "amount": [5, 0, 7],
    }
    pl.DataFrame(rows).write_parquet(folder / "credits.parquet")
    assert [problem[2:5] for problem in refused_in(folder)] == [
        (2, "amount", "0"),
        (2, "date", "2026-01-32"),
        (3, "customer_id", ""),
    ]


@pytest.mark.parametrize(
    ("name", "written", "expected"),
    [
        ("credits.parquet", b"PAR1 is no more", "cannot be read as Parquet"),
        ("credits.parquet", b"", "cannot be read as Parquet"),
        ("credits.csv.gz", gzip.compress(b"credit_id\n" * 9, mtime=0)[:-9], "cannot be read"),
        ("credits.csv.gz", b"credit_id", "cannot be read"),
        ("credits.csv.zst", zstd(b"credit_id\n" * 9)[:-9], "cannot be read"),
        ("credits.csv.zst", b"credit_id", "cannot be read"),
    ],
)
def test_platform_tables__a_damaged_file_is_refused(folder: Path, name: str, written: bytes, expected: str) -> None:
    (folder / "credits.csv").unlink()
    (folder / name).write_bytes(written)
    ((table, file, line, _, _, words),) = refused_in(folder)
    assert (table, file, line) == ("credits", name, 0)
    assert words.startswith(expected)


def test_platform_tables__all_problems_of_all_tables_are_told_at_once(refuse: Refuse) -> None:
    problems = refuse(
        added={
            "users": "u 9,c1,seat,2026-01-01,\nu9,c9,seat,2026-13-01,",
            "rates": "standard,x,BE,0.1,0,1,1,2026-01-01,2025-11-01",
            "credits": "r1,c1,2026-01-01,again,1",
            "zones": "ONNET,special,x,,,",
        }
    )
    assert [problem[:4] for problem in problems] == [
        ("credits", 3, "credit_id", "r1"),
        ("rates", 7, "prefix", "x"),
        ("users", 5, "user_id", "u 9"),
        ("users", 6, "active_from", "2026-13-01"),
        ("users", 6, "customer_id", "c9"),
        ("zones", 6, "zone_id", "ONNET"),
    ]


def test_platform_tables__one_mistake_is_told_once(refuse: Refuse) -> None:
    """A bad product is known all the same, and what an unreadable row may have held is not missed."""
    products = TABLES["products"].replace("seat,user,", "seat,usr,")
    assert [problem[:4] for problem in refuse(changed={"products": products})] == [("products", 2, "kind", "usr")]
    ragged = TABLES["products"].replace("seat,user,", "seat,user,,")
    assert [problem[:2] for problem in refuse(changed={"products": ragged})] == [("products", 2)]


def test_platform_tables__a_long_value_is_cut(refuse: Refuse) -> None:
    ((_, _, _, value, _),) = refuse(added={"suspensions": f"{'c' * 5000},2026-01-01,2026-01-02"})
    assert value == "c" * 120 + "..."


def test_platform_tables__an_accepted_platform_can_be_judged_for_notice(load: Load) -> None:
    loaded = load(added={"prices": "seat,,17,2026-09-01,2026-08-15"})
    (problem,) = notice_problems(loaded.tables, None)
    assert (problem.table, problem.line, problem.column, problem.value) == (
        "prices",
        6,
        "notified_on",
        "2026-08-15",
    )


def test_platform_tables__a_large_deck_is_read_in_columns(load: Load) -> None:
    header = TABLES["rates"].splitlines()[0]
    rows = "".join(
        f"standard,{prefix},BE,0.{prefix % 1000:03},0.1,1,1,2026-01-01,2025-11-01\n"
        for prefix in range(100_000, 150_000)
    )
    plain = load(changed={"rates": f"{header}\n{rows}"}).platform.rates
    quoted = load(changed={"rates": f'"deck_id"{header.removeprefix("deck_id")}\n{rows}'}).platform.rates
    assert plain.height == 50_000
    assert plain.equals(quoted)
    assert plain.row(50_000 - 1)[1:5] == ("149999", "BE", 999_000, 100_000)

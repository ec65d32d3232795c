"""The platform tables: a folder of CSV, Parquet or newline-delimited JSON files, one for each table.

Each file is read once, as text with the line every row stands on; the kinds of its columns then give the
typed values. What is wrong is collected from all tables, so that one reading names all of it.
"""

from __future__ import annotations

import csv
import difflib
import gzip
import hashlib
import io
import json
import re
import zlib
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, cast

import polars as pl
import pyarrow as pa

from rating.numbers import normalise_number
from rating.platform_checks import TableRows, platform_problems, platform_warnings, without_empty_intervals
from rating.sources.synced_tables import half_synced
from schemas.columns import FileColumn, PhoneNumber
from schemas.errors import InputRefused, Problem
from schemas.platform import OPTIONAL_TABLES, SCHEMAS, Platform

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping

    import dataframely as dy

    from schemas.settings import Settings

FORMATS = ("csv", "parquet", "ndjson", "jsonl", "json")
COMPRESSIONS = ("gz", "zst")
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
LONGEST_SHOWN = 120
EXACT_TYPES = (pl.String, pl.Categorical, pl.Enum, pl.Decimal, pl.Date, pl.Null)


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file a table was read from: the table's name, where it is, and what its bytes were."""

    stem: str
    path: Path
    sha256: str


@dataclass(frozen=True, slots=True)
class LoadedPlatform:
    """The platform as it was accepted.

    Attributes:
        platform: The typed frames.
        files: The files read, in the order of the tables.
        warnings: What a person should look at, a sentence each.
        tables: The rows of each table with their lines, for checks that name them (`notice_problems`).
    """

    platform: Platform
    files: tuple[SourceFile, ...]
    warnings: tuple[str, ...]
    tables: dict[str, TableRows]

    @contextmanager
    def naming_files(self) -> Iterator[None]:
        """Name the file of a table in what is refused about the table as a whole."""
        paths = {file.stem: str(file.path) for file in self.files}
        try:
            yield
        except InputRefused as refused:
            named = (replace(problem, file=paths.get(problem.file, problem.file)) for problem in refused.problems)
            raise InputRefused(str(refused), tuple(named)) from None


def load_platform(
    folder: Path, settings: Settings, *, judge: Callable[[Mapping[str, TableRows]], list[Problem]] | None = None
) -> LoadedPlatform:
    """Read and check all platform tables in a folder.

    Args:
        folder: Where the tables are.
        settings: Country code and the switches that bear on what a table may hold.
        judge: A further check of the rows that were read soundly, so that all problems are told at once.

    Raises:
        InputRefused: with every missing table, every row and field that is wrong and every contradiction
            between rows, each with its file and line.
    """
    reading = _Reading()
    tables = _read_folder(folder, SCHEMAS, OPTIONAL_TABLES, settings, reading)
    reading.problems += half_synced(folder, {file.stem: file.sha256 for file in reading.files})
    reading.problems += platform_problems(tables, allow_increments=settings.rating.allow_increments)
    if judge is not None:
        reading.problems += judge({name: read.sound_rows() for name, read in tables.items()})
    if reading.problems:
        count = len(reading.problems)
        words = f"{count} problem{'s' if count > 1 else ''} in the platform tables of {folder}"
        raise InputRefused(words, tuple(reading.problems))
    warnings = (*reading.warnings, *platform_warnings(tables, settings.documents.customers))
    platform = Platform(**without_empty_intervals(tables))
    return LoadedPlatform(platform, tuple(reading.files), warnings, tables)


@dataclass(frozen=True, slots=True)
class ReadTables:
    """Tables of a folder as they were read; nothing of them is refused yet.

    Attributes:
        tables: The rows by table; empty, and complete, where there is no file.
        files: The files read, in the order of the tables.
        problems: What is wrong with the files and their fields, each table by itself.
        warnings: What a person should look at, a sentence each.
    """

    tables: dict[str, TableRows]
    files: tuple[SourceFile, ...]
    problems: tuple[Problem, ...]
    warnings: tuple[str, ...]


def read_tables(
    folder: Path, settings: Settings, schemas: Mapping[str, type[dy.Schema]], *, optional: Container[str] = ()
) -> ReadTables:
    """Read the tables of a folder, each by itself.

    Args:
        folder: Where the tables are.
        settings: Country code.
        schemas: What each table holds, by its name.
        optional: The tables that may be missing.

    Raises:
        InputRefused: where there is no such folder.
    """
    reading = _Reading()
    tables = _read_folder(folder, schemas, optional, settings, reading)
    return ReadTables(tables, tuple(reading.files), tuple(reading.problems), tuple(reading.warnings))


def load_accepted(folder: Path, settings: Settings, tables: Collection[str]) -> Platform:
    """Read some of the tables of a folder that was accepted as it is; the others stay empty, and none is judged anew.

    Raises:
        InputRefused: with all that cannot be read.
    """
    wanted = {table: schema for table, schema in SCHEMAS.items() if table in tables}
    read = read_tables(folder, settings, wanted, optional=OPTIONAL_TABLES)
    if read.problems:
        raise InputRefused(f"{folder} cannot be read", read.problems)
    others = {
        table: _read_table(table, schema, None, settings, _Reading())
        for table, schema in SCHEMAS.items()
        if table not in tables
    }
    return Platform(**without_empty_intervals(others | read.tables))


def judge_rows(
    table: str, schema: type[dy.Schema], source: str, rows: pl.DataFrame, settings: Settings
) -> tuple[TableRows, list[Problem]]:
    """Rows of text that come from no file, as those of a file are read.

    Args:
        table: The table's name.
        schema: What it holds.
        source: Where the rows come from, as a problem names it.
        rows: The columns of the table, text; a row's number stands for its line.
        settings: Country code.
    """
    text = _TextTable(table, schema, Path(source))
    text.names = rows.columns
    text.rows = rows.with_columns(line=pl.int_range(1, pl.len() + 1, dtype=pl.Int64))
    typed = _typed(text, settings)
    return TableRows(source, typed, complete=True), text.problems


def load_other_rates(loaded: LoadedPlatform, path: Path, settings: Settings) -> pl.DataFrame:
    """Read a file of the table `rates`, to stand for that table of tables that were accepted.

    Raises:
        InputRefused: with all that is wrong with the file, by itself and beside the zones.
    """
    reading = _Reading()
    tables = loaded.tables | {"rates": _read_table("rates", SCHEMAS["rates"], path, settings, reading)}
    # What other tables miss in it is no fault of the file: it may hold a single deck.
    found = platform_problems(tables, allow_increments=settings.rating.allow_increments)
    problems = [*reading.problems, *(problem for problem in found if problem.table == "rates")]
    if problems:
        raise InputRefused(f"{path} cannot be used as the table rates", tuple(problems))
    return without_empty_intervals(tables)["rates"]


@dataclass(slots=True)
class _Reading:
    """What one reading of a folder finds on its way."""

    problems: list[Problem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    files: list[SourceFile] = field(default_factory=list)


@dataclass(slots=True)
class _TextTable:
    """The rows of one file as text.

    Attributes:
        table: The table's name.
        schema: What it holds.
        path: The file.
        names: The columns the file has.
        rows: Those of them that the table knows (String), and `line` (Int64).
        problems: What could not be read.
        columns_line: The line that names the columns, 0 where none does.
    """

    table: str
    schema: type[dy.Schema]
    path: Path
    names: list[str] = field(default_factory=list)
    rows: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema={"line": pl.Int64}))
    problems: list[Problem] = field(default_factory=list)
    columns_line: int = 0

    def refuse(self, line: int, expected: str, *, column: str = "", value: str = "") -> None:
        self.problems.append(Problem(self.table, str(self.path), line, column, _shown(value), expected))


def _shown(value: str) -> str:
    return value if len(value) <= LONGEST_SHOWN else value[:LONGEST_SHOWN] + "..."


def _read_folder(
    folder: Path,
    schemas: Mapping[str, type[dy.Schema]],
    optional: Container[str],
    settings: Settings,
    reading: _Reading,
) -> dict[str, TableRows]:
    """The rows of each table that a folder has or should have."""
    paths = _tables_in(folder, schemas, optional, reading)
    return {table: _read_table(table, schema, paths.get(table), settings, reading) for table, schema in schemas.items()}


def _tables_in(
    folder: Path, schemas: Mapping[str, type[dy.Schema]], optional: Container[str], reading: _Reading
) -> dict[str, Path]:
    """The file of each table; none where there are two, which is a problem as a missing table is."""
    if not folder.is_dir():
        problem = Problem("platform", str(folder), 0, "", "", "expected a folder with the platform tables")
        raise InputRefused(f"{folder} is no folder", (problem,))
    found: dict[str, list[Path]] = {table: [] for table in schemas}
    for path in sorted(folder.iterdir()):
        stem, kind = _stem_and_format(path)
        if stem in found and kind in FORMATS and path.is_file():
            found[stem].append(path)
        elif stem in found:
            reading.warnings.append(f"{path}: not read; tables are {', '.join(FORMATS)}, with .gz or .zst")
        elif kind in FORMATS:
            reading.warnings.append(f"{path}: there is no such table; not read{_near(stem, schemas)}")
    for table, paths in found.items():
        for path in paths[1:]:
            words = f"expected one file for the table {table}; {paths[0].name} is another: remove one"
            reading.problems.append(Problem(table, str(path), 0, "", "", words))
        if not paths and table not in optional:
            words = f"expected the table {table}, as {table}.csv, {table}.parquet or {table}.ndjson"
            reading.problems.append(Problem(table, str(folder), 0, "", "", words))
    return {table: paths[0] for table, paths in found.items() if len(paths) == 1}


def _stem_and_format(path: Path) -> tuple[str, str]:
    name = path.name
    for compression in COMPRESSIONS:
        name = name.removesuffix(f".{compression}")
    stem, _, kind = name.partition(".")
    return stem, kind


def _near(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]}?" if near else ""


def _read_table(
    table: str, schema: type[dy.Schema], path: Path | None, settings: Settings, reading: _Reading
) -> TableRows:
    """The rows of one table, empty where it has no file; what is wrong goes to the reading."""
    if path is None:
        rows = pl.DataFrame(schema.create_empty()).with_columns(line=pl.lit(0, pl.Int64), sound=pl.lit(value=True))
        missing_or_twice = any(problem.table == table for problem in reading.problems)
        return TableRows(table, rows, complete=not missing_or_twice)
    text = _TextTable(table, schema, path)
    try:
        written = path.read_bytes()
        reading.files.append(SourceFile(table, path, hashlib.sha256(written).hexdigest()))
        _read_rows(text, _decompressed(path, written))
    except (OSError, EOFError, zlib.error, pa.ArrowInvalid) as unreadable:
        text.refuse(0, f"cannot be read ({unreadable})")
    _judge_columns(text, reading)
    complete = not text.problems
    rows = _typed(text, settings)
    reading.problems += text.problems
    return TableRows(str(path), rows, complete=complete)


def _decompressed(path: Path, written: bytes) -> bytes:
    if path.suffix == ".gz":
        return gzip.decompress(written)
    if path.suffix == ".zst":
        return cast("bytes", pa.input_stream(io.BytesIO(written), compression="zstd").read())
    return written


def _read_rows(text: _TextTable, content: bytes) -> None:
    _, kind = _stem_and_format(text.path)
    if kind == "parquet":
        _read_parquet(text, content)
    elif kind == "csv":
        _read_csv(text, content.removeprefix(BYTE_ORDER_MARK))
    else:
        _read_json(text, content.removeprefix(BYTE_ORDER_MARK))


# --- CSV ---------------------------------------------------------------------------------------------------


def _read_csv(text: _TextTable, content: bytes) -> None:
    """Read a CSV file, by whole columns where it has no quotes and only ordinary line ends."""
    text.columns_line = 1
    if otherwise := _written_otherwise(content):
        text.refuse(1, otherwise)
        return
    written = _decoded(text, content)
    plain = b'"' not in content and content.count(b"\r") == content.count(b"\r\n")
    if plain and not text.problems:
        _read_plain_csv(text, content)
    else:
        _read_quoted_csv(text, written)


def _written_otherwise(content: bytes) -> str:
    """What a spreadsheet made of the whole file, told once and not at each of its lines; empty where nothing."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "expected UTF-8 text, this is UTF-16; export the table again in that encoding"
    first = content.lstrip().split(b"\n", 1)[0]
    for separator, words in ((b";", "semicolons"), (b"\t", "tabs")):
        if separator in first.strip() and b"," not in first:
            return f"expected commas between the fields, found {words}; export the table again as CSV with commas"
    return ""


def _decoded(text: _TextTable, content: bytes) -> str:
    """The file as text; lines with bytes that are no text are told and shown with U+FFFD."""
    try:
        written = content.decode()
    except UnicodeDecodeError:
        written = ""
    if (written or not content) and "\0" not in written:
        return written
    for line, raw in enumerate(content.split(b"\n"), start=1):
        try:
            raw.decode()
        except UnicodeDecodeError as undecodable:
            bad = raw[undecodable.start : undecodable.end].hex(" ")
            text.refuse(line, f"expected UTF-8 text; the bytes {bad} are none")
        if b"\0" in raw:
            text.refuse(line, "expected text; there is a NUL byte in this line")
    return content.decode(errors="replace").replace("\0", "\ufffd")


def _read_plain_csv(text: _TextTable, content: bytes) -> None:
    """Split the lines at their commas, all at once."""
    lines = pl.read_lines(content, name="row", row_index_name="line", row_index_offset=1)
    lines = lines.with_columns(pl.col("line").cast(pl.Int64)).filter(pl.col("row").str.strip_chars() != "")
    header = _header(text, lines["row"].first(), lines["line"].first())
    if header is None:
        return
    commas = pl.col("row").str.count_matches(",", literal=True)
    records = lines.slice(1)
    for line, found in records.filter(commas != len(header) - 1).select("line", commas).iter_rows():
        text.refuse(line, _ragged(len(header), found + 1))
    fields = (
        records.filter(commas == len(header) - 1)
        .select("line", pl.col("row").str.split_exact(",", len(header) - 1))
        .unnest("row")
    )
    fields.columns = ["line", *(f"column {number}" for number in range(len(header)))]
    text.rows = _named_columns(text, header, fields)


def _read_quoted_csv(text: _TextTable, written: str) -> None:
    """Read record by record, with quoted fields and the line on which each record begins."""
    reader = csv.reader(io.StringIO(written, newline=""), strict=True)
    header: list[str] | None = None
    lines: list[int] = []
    records: list[list[str]] = []
    while True:
        line = reader.line_num + 1
        try:
            record = next(reader, None)
        except csv.Error as broken:
            text.refuse(line, f"expected a record with closed quotes ({broken})")
            continue
        if record is None:
            break
        if not "".join(record).strip() and len(record) <= 1:
            continue
        if header is None:
            header = [name.strip() for name in record]
            text.columns_line = line
        elif len(record) == len(header):
            lines.append(line)
            records.append(record)
        else:
            text.refuse(line, _ragged(len(header), len(record)))
    if header is None:
        text.refuse(1, "expected a first line with the names of the columns")
        return
    schema = {f"column {number}": pl.String for number in range(len(header))}
    fields = pl.DataFrame(records, schema=schema, orient="row").with_columns(line=pl.Series(lines, dtype=pl.Int64))
    text.rows = _named_columns(text, header, fields)


def _header(text: _TextTable, row: object, line: object) -> list[str] | None:
    """The names in the first line of the file, None (and a problem) where the file is empty."""
    if not isinstance(row, str) or not isinstance(line, int):
        text.refuse(1, "expected a first line with the names of the columns")
        return None
    text.columns_line = line
    return [name.strip() for name in row.split(",")]


def _ragged(expected: int, found: int) -> str:
    return f"expected {expected} fields, as in the first line, and found {found}"


def _named_columns(text: _TextTable, header: list[str], fields: pl.DataFrame) -> pl.DataFrame:
    """The fields under the names of the header; a name that comes twice is a problem."""
    places: dict[str, str] = {}
    for number, name in enumerate(header):
        if name and name in places:
            text.refuse(text.columns_line, "expected each column once", column=name)
        places.setdefault(name, f"column {number}")
    text.names = list(places)
    return fields.select("line", **{name: pl.col(places[name]) for name in _known(text)})


# --- Newline-delimited JSON --------------------------------------------------------------------------------


def _read_json(text: _TextTable, content: bytes) -> None:
    """Read one object a line; numbers stay the digits they are written with."""
    lines: list[int] = []
    records: list[dict[str, str | None]] = []
    for line, raw in enumerate(_decoded(text, content).split("\n"), start=1):
        if raw.strip():
            record = _json_record(text, line, raw)
            if record is not None:
                lines.append(line)
                records.append(record)
    text.names = list(dict.fromkeys(name for record in records for name in record))
    if not records:
        text.names = list(_file_columns(text.schema))
    columns = {name: pl.Series([record.get(name) for record in records], dtype=pl.String) for name in _known(text)}
    text.rows = pl.DataFrame({"line": pl.Series(lines, dtype=pl.Int64), **columns})


def _json_record(text: _TextTable, line: int, raw: str) -> dict[str, str | None] | None:
    """The fields of one line, None (and a problem) where it is no object of texts and numbers."""
    try:
        record = json.loads(
            raw,
            parse_float=_plain_digits,
            parse_int=str,
            parse_constant=_no_number,
            object_pairs_hook=_no_twins,
        )
        if "\\u" in raw:
            json.dumps(record, ensure_ascii=False).encode()  # an escape may stand for half a character
    except (ValueError, RecursionError) as broken:
        text.refuse(line, f"expected one JSON object on the line ({broken})")
        return None
    if not isinstance(record, dict):
        text.refuse(line, "expected one JSON object on the line", value=raw.strip())
        return None
    for name, entry in record.items():
        if not isinstance(entry, str | None):
            text.refuse(line, "expected text or a number", column=name, value=json.dumps(entry))
            return None
    return record


def _plain_digits(number: str) -> str:
    """A JSON number without its exponent, where it has a small one: programs write 0.000001 as 1e-06."""
    exponent = re.fullmatch(r"-?[0-9.]+[eE]([+-]?[0-9]{1,2})", number)
    return number if exponent is None else f"{Decimal(number):f}"


def _no_number(name: str) -> object:
    raise ValueError(f"{name} is no number")


def _no_twins(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a name comes twice")
    return fields


# --- Parquet -----------------------------------------------------------------------------------------------


def _read_parquet(text: _TextTable, content: bytes) -> None:
    """Read the columns whose values are exact: text, whole numbers, decimals and days."""
    try:
        rows = pl.read_parquet(io.BytesIO(content))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as unreadable:
        text.refuse(0, f"cannot be read as Parquet ({str(unreadable).splitlines()[0]})")
        return
    text.names = rows.columns
    columns = []
    for name in _known(text):
        dtype = rows.schema[name]
        if isinstance(dtype, pl.Decimal) and dtype.scale:
            # The scale belongs to the column: zeros behind the last digit were not written by anyone.
            columns.append(pl.col(name).cast(pl.String).str.replace(r"\.?0*$", ""))
        elif dtype.is_integer() or isinstance(dtype, EXACT_TYPES):
            columns.append(pl.col(name).cast(pl.String))
        else:
            words = "expected a column of text, decimals or whole numbers; days as date or text"
            text.refuse(0, words, column=name, value=str(dtype))
    text.rows = rows.select(*columns, line=pl.int_range(1, pl.len() + 1, dtype=pl.Int64))


# --- From text to types ------------------------------------------------------------------------------------


def _file_columns(schema: type[dy.Schema]) -> dict[str, FileColumn]:
    """The columns of a table by the name they have in files."""
    columns = cast("dict[str, FileColumn]", schema.columns())
    return {column.file_name or name: column for name, column in columns.items()}


def _known(text: _TextTable) -> list[str]:
    """The columns of the file that the table knows, in the table's order."""
    return [name for name in _file_columns(text.schema) if name in text.names]


def _judge_columns(text: _TextTable, reading: _Reading) -> None:
    """Warn of columns nobody knows and refuse the lack of those that are required."""
    known = _file_columns(text.schema)
    for name in text.names:
        if name not in known:
            warning = f"{text.path}: column {name!r} is unknown and was not read{_near(name, known)}"
            reading.warnings.append(warning)
    if not text.names:
        return
    others = [name for name in text.names if name not in known]
    for name, column in known.items():
        if name not in text.names and not _may_be_empty(column):
            near = difflib.get_close_matches(name, others, n=1)
            meant = f"; is {near[0]} meant to be it?" if near else ""
            text.refuse(text.columns_line, f"expected this column; it is missing{meant}", column=name)


def _may_be_empty(column: FileColumn) -> bool:
    return column.nullable or column.default is not None


def _typed(text: _TextTable, settings: Settings) -> pl.DataFrame:
    """The typed columns with `line` and `sound`; each field that is wrong is a problem and becomes null."""
    columns = dict(zip(text.schema.column_names(), _file_columns(text.schema).items(), strict=True))
    trimmed = text.rows.select("line", *(_trimmed(text, name) for name, _ in columns.values()))
    read = trimmed.select(
        **{typed: column.read(_normalised(name, column, settings)) for typed, (name, column) in columns.items()}
    )
    written = trimmed.drop("line").rename(_as_written)
    good = (
        pl.concat([written, read], how="horizontal")
        .with_columns(**{typed: _good(text, typed, *columns[typed]) for typed in columns})
        .select(*columns)
    )
    for typed, (name, column) in columns.items():
        if not good[typed].all():
            read = read.with_columns(pl.when(good[typed]).then(pl.col(typed)))
            _refuse_fields(text, name, column, trimmed.filter(~good[typed]))
    defaults = [
        pl.col(typed).fill_null(column.default) for typed, (_, column) in columns.items() if column.default is not None
    ]
    all_there = all(name in text.rows.columns or _may_be_empty(column) for name, column in columns.values())
    sound = good.select(sound=pl.all_horizontal(pl.all()) & all_there)
    return pl.concat([trimmed.select("line"), read.with_columns(defaults), sound], how="horizontal")


def _as_written(name: str) -> str:
    return f"{name} as written"


def _trimmed(text: _TextTable, name: str) -> pl.Expr:
    """The column without blanks around its fields, null where nothing is left or the column is absent."""
    if name not in text.rows.columns:
        return pl.lit(None, pl.String).alias(name)
    fields = pl.col(name).str.strip_chars()
    return pl.when(fields != "").then(fields).alias(name)


def _normalised(name: str, column: FileColumn, settings: Settings) -> pl.Expr:
    if isinstance(column, PhoneNumber):
        return normalise_number(pl.col(name), country_code=settings.rating.country_code)
    return pl.col(name)


def _good(text: _TextTable, typed: str, name: str, column: FileColumn) -> pl.Expr:
    """Whether a field is empty and may be, or was read and keeps the bounds of its column."""
    if name not in text.rows.columns:
        return pl.lit(value=True)
    within = pl.all_horizontal(*column.validation_rules(pl.col(typed)).values())
    legible = pl.col(typed).is_not_null() & within.fill_null(value=False)
    return pl.when(pl.col(_as_written(name)).is_null()).then(_may_be_empty(column)).otherwise(legible)


def _refuse_fields(text: _TextTable, name: str, column: FileColumn, bad: pl.DataFrame) -> None:
    for line, value in bad.select("line", name).iter_rows():
        if value is None:
            text.refuse(line, f"must not be empty; expected {column.expected}", column=name)
        else:
            text.refuse(line, f"expected {column.expected}", column=name, value=value)

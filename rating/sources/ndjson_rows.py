"""Newline-delimited JSON: an object a line, each judged on its own.

What a program writes is mostly of one layout and read all at once; other lines are tried with their own layout,
and what is left is read by pattern or one by one.
"""

from __future__ import annotations

import json
import re
from contextlib import closing
from typing import TYPE_CHECKING, NoReturn

import polars as pl

from rating.in_order import in_order
from rating.sources.json_layout import BLANK, SCALAR, TEXT, Member, fields_of, layout_of
from rating.sources.lines import Lines, numbered, read_lines
from rating.sources.rows import HAS_NUL, NO_OBJECT, ROW, Wanted, row_schema, without_fields

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from rating.sources.lines import Block

# A layout is looked for in so many lines, and another one where at least so many are left after one that had
# its share of them.
TRIED_LINES = 10
WORTH_A_LAYOUT = 1000
SHARE_OF_A_LAYOUT = 8

_FLAT_OBJECT = (
    rf"^{BLANK}\{{(?:{BLANK}{TEXT}{BLANK}:{BLANK}{SCALAR}{BLANK}"
    rf"(?:,{BLANK}{TEXT}{BLANK}:{BLANK}{SCALAR}{BLANK})*|{BLANK})\}}{BLANK}$"
)


def ndjson_frames(
    blocks: Iterable[Block], _path: str, wanted: Wanted, unknown: set[str], *, accept: bool, lines_before: int = 0
) -> Generator[pl.DataFrame, None, None]:
    """Frames of `row_schema` from blocks of lines; names the other columns in `unknown` as it goes."""
    nothing = pl.DataFrame(schema=row_schema(wanted))

    def rows_of(block: tuple[Block, int]) -> pl.DataFrame:
        if not block[0].content:  # as the last one mostly is; Polars would take a while to find nothing in it
            return nothing
        return _rows(read_lines(block[0].content, block[1], accept=accept), wanted, unknown)

    with closing(in_order(rows_of, numbered(blocks, lines_before))) as frames:
        yield from (rows for rows in frames if rows.height)


def _rows(lines: Lines, wanted: Wanted, unknown: set[str]) -> pl.DataFrame:
    """The rows of lines that are not empty, by the first layout found and, where it does not fit, otherwise."""
    layout = _first_layout(lines)
    if not layout:
        return _rows_of_any_layout(lines.rows.filter(pl.col("record") != ""), wanted, unknown)
    fields, fits = fields_of(lines, layout, wanted)
    rows = lines.rows.hstack(fields)
    if fits.any():
        unknown.update({member.name for member in layout} - set(wanted.columns))
    is_other = ~fits & (rows["record"] != "")
    others = lines.rows.filter(is_other)
    if others.is_empty():
        return rows.filter(fits)
    if others.height >= WORTH_A_LAYOUT and fits.sum() * SHARE_OF_A_LAYOUT >= len(fits):
        content = others["record"].str.join("\n").item().encode()
        read = _rows(Lines(others, lines.odd.filter(is_other), content, lines.before), wanted, unknown)
    else:
        read = _rows_of_any_layout(others, wanted, unknown)
    where = is_other.arg_true()
    put = ("fault", *wanted.columns)
    return rows.with_columns(rows[name].scatter(where, read[name]) for name in put).filter(fits | is_other)


def _first_layout(lines: Lines) -> list[Member]:
    """The layout of the first lines that have one."""
    records = lines.rows.filter(~lines.odd & (pl.col("record") != "")).head(TRIED_LINES)["record"]
    return next(filter(None, map(layout_of, records)), [])


def _rows_of_any_layout(lines: pl.DataFrame, wanted: Wanted, unknown: set[str]) -> pl.DataFrame:
    """Flat objects without escapes are read by pattern, figures as they are written; others one by one."""
    judged = lines.with_columns(flat=pl.col("fault").is_null() & pl.col("record").str.contains(_FLAT_OBJECT))
    flat = judged.filter("flat")
    names = flat["record"].str.extract_all(rf"{TEXT}{BLANK}:").explode().unique()
    unknown.update(set(names.str.extract('^"(.*)"').drop_nulls()) - set(wanted.columns))
    faulty = pl.col("fault").is_not_null()
    parts = [
        flat.select(*ROW, *(_flat_member(name) for name in wanted.columns)),
        _odd_objects(judged.filter(~pl.col("flat") & ~faulty), wanted, unknown),
        without_fields(judged.filter(faulty), wanted),
    ]
    return pl.concat(parts).sort("source_line")


def _flat_member(name: str) -> pl.Expr:
    """The text of a member of flat objects: of the first, where there are several of that name."""
    written = pl.col("record").str.extract(f'"{re.escape(name)}"{BLANK}:{BLANK}({SCALAR})')
    return pl.when(written != "null").then(written.str.strip_chars('"')).alias(name)


def _odd_objects(lines: pl.DataFrame, wanted: Wanted, unknown: set[str]) -> pl.DataFrame:
    """Lines with escapes, nested members, or no object in them."""
    rows = []
    for source_line, record in lines.select("source_line", "record").iter_rows():
        fields, fault = _odd_fields(record, wanted, unknown)
        rows.append((source_line, record, fault, *fields))
    return pl.DataFrame(rows, schema=row_schema(wanted), orient="row")


def _odd_fields(record: str, wanted: Wanted, unknown: set[str]) -> tuple[list[str | None], str | None]:
    """The fields wanted of one object, and why it has none."""
    try:
        members = json.loads(
            record,
            parse_int=str,
            parse_float=str,
            parse_constant=_refuse_constant,
            object_pairs_hook=_first_of_each_name,
        )
        fields = _object_fields(members, wanted)
    except (ValueError, RecursionError) as error:
        return [None] * len(wanted.columns), f"{NO_OBJECT} of texts and figures: {error}"
    unknown.update(members.keys() - set(wanted.columns))
    return fields, None


def _object_fields(members: object, wanted: Wanted) -> list[str | None]:
    if not isinstance(members, dict):
        raise ValueError("no object")  # noqa: TRY004 - it is the input that is wrong
    "".join(members).encode()
    return [_member_text(members.get(name)) for name in wanted.columns]


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no figure")


def _first_of_each_name(pairs: list[tuple[str, object]]) -> dict[str, object]:
    return dict(reversed(pairs))


def _member_text(member: object) -> str | None:
    """A member as text; figures come as they are written.

    Raises:
        ValueError: if it is an object or a list, holds a NUL, or half a surrogate pair.
    """
    if isinstance(member, bool):
        return "true" if member else "false"
    if member is None:
        return None
    if not isinstance(member, str):
        raise ValueError("an object or a list in a field")  # noqa: TRY004 - it is the input that is wrong
    if "\0" in member:
        raise ValueError(HAS_NUL)
    member.encode()
    return member

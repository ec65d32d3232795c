"""Newline-delimited JSON: an object a line, each judged on its own."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, NoReturn

import polars as pl

from rating.sources.lines import read_lines
from rating.sources.rows import HAS_NUL, NO_OBJECT, ROW, Wanted, row_schema, without_fields

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from rating.sources.lines import Block

_BLANK = r"[ \t\r]*"
_JSON_TEXT = r'"[^"\\\x00-\x1f]*"'
_JSON_SCALAR = rf"(?:{_JSON_TEXT}|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null)"


def ndjson_frames(
    blocks: Iterator[Block], _path: str, wanted: Wanted, unknown: set[str], *, accept: bool
) -> Generator[pl.DataFrame, None, None]:
    """Frames of `row_schema` from blocks of lines; names the other columns in `unknown` as it goes."""
    lines_before = 0
    for block in blocks:
        rows = read_lines(block.content, lines_before, accept=accept).rows
        lines_before += rows.height
        lines = rows.filter(pl.col("record") != "")
        if lines.height:
            yield _ndjson_rows(lines, wanted, unknown)


def _flat_object(key: str) -> str:
    """The pattern of an object that holds no object, list or escape, and keys of one pattern only."""
    member = f"{_BLANK}{key}{_BLANK}:{_BLANK}{_JSON_SCALAR}{_BLANK}"
    return rf"^{_BLANK}\{{(?:{member}(?:,{member})*|{_BLANK})\}}{_BLANK}$"


def _ndjson_rows(lines: pl.DataFrame, wanted: Wanted, unknown: set[str]) -> pl.DataFrame:
    """Flat objects without escapes are read by pattern, figures as they are written; others one by one."""
    wanted_key = f'"(?:{"|".join(map(re.escape, wanted.columns))})"'
    judged = lines.with_columns(
        known=pl.col("fault").is_null() & pl.col("record").str.contains(_flat_object(wanted_key)),
    )
    known = judged.filter("known")
    if known.height == judged.height:
        return _flat_rows(known, wanted)
    others = judged.filter(~pl.col("known")).with_columns(
        flat=pl.col("fault").is_null() & pl.col("record").str.contains(_flat_object(_JSON_TEXT)),
    )
    flat = others.filter("flat")
    keys = flat["record"].str.extract_all(rf"{_JSON_TEXT}{_BLANK}:").explode().unique()
    unknown.update(set(keys.str.extract('^"(.*)"').drop_nulls()) - set(wanted.columns))
    odd = others.filter(~pl.col("flat") & pl.col("fault").is_null())
    faulty = others.filter(pl.col("fault").is_not_null())
    parts = [
        _flat_rows(known, wanted),
        _flat_rows(flat, wanted),
        _odd_objects(odd, wanted, unknown),
        without_fields(faulty, wanted),
    ]
    return pl.concat(parts).sort("source_line")


def _flat_rows(lines: pl.DataFrame, wanted: Wanted) -> pl.DataFrame:
    return lines.select(*ROW, *(_flat_member(name) for name in wanted.columns))


def _flat_member(name: str) -> pl.Expr:
    """The text of a member of flat objects: of the first, where there are several of that name."""
    written = pl.col("record").str.extract(f'"{re.escape(name)}"{_BLANK}:{_BLANK}({_JSON_SCALAR})')
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

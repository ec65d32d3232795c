"""Which CDR files a command takes in: files, folders, globs, once each, all or none."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

import polars as pl
import pytest

from tests.cli.program import Place, bytes_of, call, make_place, write_cdrs

if TYPE_CHECKING:
    from pathlib import Path

NOW = ["--now", "2026-11-02T10:00:00Z"]


@pytest.fixture
def bare(tmp_path: Path) -> Place:
    """A place whose CDR folder has three files of one call each and the threshold as it is by default."""
    made = make_place(tmp_path)
    (made.folder / "centime.toml").unlink()
    for path in (made.folder / "cdrs").iterdir():
        path.unlink()
    write_cdrs(made.folder / "cdrs" / "a.csv", call("a"))
    write_cdrs(made.folder / "cdrs" / "b.csv", call("b"))
    whole = write_cdrs(made.folder / "deep.csv", call("c"))
    (made.folder / "cdrs" / "deep").mkdir()
    (made.folder / "cdrs" / "deep" / "c.csv.gz").write_bytes(gzip.compress(whole.read_bytes()))
    whole.unlink()
    return made


@pytest.mark.parametrize(
    ("given", "accepted"),
    [
        (["cdrs/a.csv"], 1),
        (["cdrs/a.csv", "cdrs/b.csv"], 2),
        (["cdrs/*.csv"], 2),
        (["cdrs/**/*.gz"], 1),
        (["cdrs"], 3),
        (["cdrs", "cdrs/a.csv", "cdrs/*.csv"], 3),
        (["cdrs/deep/c.csv.gz"], 1),
    ],
    ids=lambda found: " ".join(found) if isinstance(found, list) else "",
)
def test_read__cdrs_may_be_files_folders_and_globs_and_repeated(given: list[str], accepted: int, bare: Place) -> None:
    told = bare.start("read", *given, *NOW, "--json")
    assert told.status == 0, told.stderr
    assert told.document["counts"]["accepted"] == accepted  # type: ignore[index]


def test_run__reads_what_read_does_and_rates_it(bare: Place) -> None:
    told = bare.run("2026-10", "--cdrs", "cdrs", "--cdrs", "cdrs/a.csv", "--cdrs", "cdrs/*.csv", "--json")
    assert told.status == 0, told.stderr
    counts = told.document["counts"]
    assert isinstance(counts, dict)
    assert (counts["accepted"], counts["rated"]) == (3, 3)


def test_run__without_cdrs_bills_what_was_read_day_by_day(bare: Place) -> None:
    for name in ("a.csv", "b.csv"):
        assert bare.start("read", f"cdrs/{name}", *NOW).status == 0
    told = bare.run("2026-10", "--json")
    assert told.status == 0, told.stderr
    assert told.document["counts"] == {"rated": 2, "unrated": 0, "invoices": 1, "lines": 3, "held": 0}
    assert "2 calls accepted = 2 invoiced + 0 waiting + 0 unrated" in told.stdout


def test_read__a_file_is_taken_in_once_however_it_is_named(bare: Place) -> None:
    assert bare.start("read", "cdrs/a.csv", *NOW).status == 0
    (bare.folder / "again.csv").write_bytes((bare.folder / "cdrs" / "a.csv").read_bytes())
    before = bytes_of(bare.store)
    told = bare.start("read", "cdrs/a.csv", "again.csv", *NOW, "--json")
    assert told.status == 0
    assert told.document["counts"] == {
        "files": 0, "files_skipped": 2, "records": 0, "accepted": 0, "unanswered": 0, "duplicate": 0, "quarantined": 0,
        "skipped": 0,
    }  # fmt: skip
    assert bytes_of(bare.store) == before
    assert "a.csv: read before, skipped" in bare.start("read", "cdrs/a.csv", *NOW).stdout


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("z.csv.gz", b"\x1f\x8b\x08\x00cut", "cut short or damaged"),
        ("z.parquet", b"PAR1 no more", "z.parquet"),
        ("z.csv", b"one,two\n1,2\n", "z.csv:1: call_id: missing"),
        ("z.csv", b"call_id,call_id,start,caller,callee,duration_s\n", "expected once in the header"),
    ],
)
def test_read__one_file_that_cannot_be_read_keeps_all_out(name: str, content: bytes, said: str, bare: Place) -> None:
    assert bare.start("read", "cdrs/a.csv", *NOW).status == 0
    before = bytes_of(bare.store)
    (bare.folder / "cdrs" / name).write_bytes(content)
    for told in (bare.start("read", "cdrs", *NOW), bare.run("2026-10", "--cdrs", "cdrs")):
        assert told.status == 2
        assert said in told.stderr
        assert "\\x0a" not in told.stderr
        assert bytes_of(bare.store) == before


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("nowhere", "nowhere: there is no such file or folder"),
        ("cdrs/*.zip", "cdrs/*.zip: nothing matches this pattern"),
        ("centime.txt", "centime.txt: the name does not say what the file holds"),
        ("", "expected a file, a folder or a pattern"),
    ],
)
def test_read__a_path_that_is_wrong_is_refused(given: str, said: str, bare: Place) -> None:
    (bare.folder / "centime.txt").write_text("x")
    for told in (bare.start("read", given, *NOW), bare.run("2026-10", "--cdrs", given)):
        assert told.status == 2
        assert said.lower() in told.stderr.lower()
        assert not bare.store.exists()


def test_read__files_of_every_format_and_shape_are_one_month(bare: Place) -> None:
    cdrs, moment = bare.folder / "cdrs", datetime(2026, 10, 5, 8, tzinfo=UTC)
    numbers = {"caller": ["+3225550101"], "callee": ["+33142685300"]}
    whole = pl.DataFrame({"call_id": ["typed"], "start": [moment], **numbers, "duration_s": [60.5], "user_id": ["u1"]})
    whole.write_parquet(cdrs / "d.parquet")
    whole.drop("user_id").with_columns(call_id=pl.lit("bare"), duration_s=pl.lit(60)).write_parquet(cdrs / "e.parquet")
    other = whole.with_columns(pl.lit(None).alias("user_id"), pl.lit("a").alias("call_id"), pl.lit("7").alias("more"))
    other.select(reversed(other.columns)).write_parquet(cdrs / "f.parquet")
    text = whole.with_columns(call_id=pl.lit("json"), start=pl.lit("2026-10-05T10:00:00+02:00"))
    text.write_ndjson(cdrs / "g.ndjson")
    told = bare.start("read", "cdrs", "--json", *NOW)
    assert told.document["counts"] == {
        "files": 7, "files_skipped": 0, "records": 7, "accepted": 6, "unanswered": 0, "duplicate": 0, "quarantined": 1,
        "skipped": 0,
    }  # fmt: skip
    steps = cast("list[dict[str, object]]", bare.start("explain", "a", "--json").document["steps"])
    aside = [step for step in steps if step["about"] == "quarantine"]
    assert ["f.parquet:1" in str(step["words"]) for step in aside] == [True]


def test_read__a_folder_without_any_cdr_file_is_told(bare: Place) -> None:
    (bare.folder / "empty").mkdir()
    told = bare.start("read", "empty", *NOW, "--strict")
    assert told.status == 1
    assert "empty" in told.stderr


def test_read__unknown_columns_and_other_files_are_told(bare: Place) -> None:
    path = bare.folder / "cdrs" / "a.csv"
    path.write_text("".join(f"{row},x\n" for row in path.read_text().splitlines()))
    (bare.folder / "cdrs" / "notes.txt").write_text("")
    told = bare.start("read", "cdrs", *NOW, "--strict")
    assert told.status == 1
    assert "a.csv: unknown columns, not used: x" in told.stderr
    assert "1 files are no CDR files and were left" in told.stderr
    assert "notes.txt" in told.stderr


@pytest.mark.parametrize(("bad", "status"), [(1, 0), (2, 1)])
def test_quarantine_threshold__one_in_a_hundred_is_allowed_more_is_told(bad: int, status: int, bare: Place) -> None:
    rows = [call(f"g{number}") for number in range(100 - bad)] + [call(f"b{n}", duration_s="1m") for n in range(bad)]
    write_cdrs(bare.folder / "hundred.csv", *rows)
    told = bare.start("read", "hundred.csv", *NOW, "--json")
    assert told.status == status
    assert told.document["exit_status"] == status
    issued = bare.run("2026-10")
    assert issued.status == status
    assert "1 invoices issued" in issued.stdout
    assert (f"{bad} of 100 records read for this period are in quarantine" in issued.stderr) == bool(status)


def test_quarantine_threshold__calls_that_nobody_owns_count_too(bare: Place) -> None:
    unowned = call("x").replace("+3225550101", "+3225550188").removesuffix("u1")
    write_cdrs(bare.folder / "cdrs" / "x.csv", unowned)
    assert bare.start("read", "cdrs", *NOW).status == 0
    told = bare.start("rate", "2026-10", "--platform", "platform", *NOW)
    assert told.status == 1
    assert "1 of 4 calls judged are in quarantine" in told.stderr

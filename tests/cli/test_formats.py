"""Platforms' own formats at the command line: what is taken, what is left out and told, and files that grow."""

from __future__ import annotations

import gzip
import io
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, cast

import polars as pl
import pyarrow as pa
import pytest

from invoicing.history import in_words
from invoicing.ledger import Ledger
from invoicing.progress import Silent
from invoicing.store import Store
from invoicing.verification import verify
from tests.cli.altered import said_of
from tests.cli.program import CDR_HEADER, Place, call, make_place
from tests.shared import made_once

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.program import Told

SAMPLES = Path(__file__).resolve().parents[2] / "sample_cdrs" / "formats"
NOW = ["--now", "2026-11-02T10:00:00Z"]
COUNTS = ("records", "accepted", "unanswered", "duplicate", "quarantined", "skipped")


@pytest.fixture
def bare(tmp_path: Path) -> Place:
    """A place whose threshold is never reached, and no CDRs."""
    made = make_place(tmp_path)
    shutil.rmtree(made.folder / "cdrs")
    (made.folder / "cdrs").mkdir()
    return made


def counts(told: Told) -> tuple[object, ...]:
    assert told.status == 0, told.stderr
    found = cast("dict[str, object]", told.document["counts"])
    return tuple(found[name] for name in COUNTS)


def messages(told: Told) -> list[str]:
    return [str(sentence) for sentence in cast("list[object]", told.document["messages"])]


def test_read__all_formats_of_a_folder_are_found_and_nothing_is_lost(bare: Place) -> None:
    for path in SAMPLES.rglob("*"):
        if path.is_file() and "other" not in path.parts and path.name != "expected.csv":
            name = path.name if path.name.startswith("cdr") else f"{path.parent.name}-{path.name}"
            shutil.copy(path, bare.folder / "cdrs" / name)
    told = bare.start("read", "cdrs", *NOW, "--json")
    records, *places = counts(told)
    assert records == sum(cast("list[int]", places))
    assert min(cast("list[int]", places)) > 0
    rows = {Path(str(row["source_file"])).name: row for row in told.table("Files read")}
    assert rows["asterisk-Master.csv"]["source_format"] == "asterisk"
    assert rows["cdr_Cluster1_01_202610312359_1"]["source_format"] == "cucm"
    assert any(
        "asterisk-Master.csv: read as asterisk by its first lines, its times those of Europe/Brussels" in said
        for said in messages(told)
    )
    assert any(
        "left out on purpose: internal leg: 2; no second party: 1; unanswered: 1; voicemail: 1" in said
        for said in messages(told)
    )
    assert bare.start("verify").status == 0
    exported = bare.folder / "files.csv"
    assert bare.start("export", "files", "2026-10", "-o", exported).status == 0
    assert "no second party: 1; unanswered: 1; voicemail: 1,asterisk" in exported.read_text(encoding="utf-8")
    ledger = Ledger(bare.store / "ledger.duckdb", read_only=True)
    words = in_words(ledger.frame("select * from events"))["what"]
    ledger.close()
    assert any("asterisk-Master.csv as asterisk: 30 records, 5 of them skipped, SHA-256" in said for said in words)


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("update file_sources set skipped = skipped + 1", "records are not accepted + unanswered"),
        ("update file_sources set skipped_by_reason = '{}'", "the reasons are those of others"),
        ("update file_sources set source_format = 'native'", "the ledger has another source_format now"),
        ("delete from file_sources", "records are not accepted + unanswered"),
    ],
)
def test_verify__what_was_skipped_cannot_be_altered(statement: str, said: str, skipped: Place) -> None:
    found = said_of(skipped, statement, lambda ledger: verify(Store(skipped.store), ledger, Silent()))
    assert said in "\n".join(found)


@pytest.fixture(scope="module")
def skipped(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A store that has read a file of Asterisk, of which records were skipped."""

    def make(folder: Path) -> None:
        place = make_place(folder)
        shutil.copy(SAMPLES / "asterisk" / "Master.csv", folder)
        counts(place.start("read", "Master.csv", *NOW, "--json"))
        assert place.start("verify").status == 0

    return Place(made_once(tmp_path_factory, "skipped", make))


def test_read__the_timezone_moves_local_stamps_and_delivered_again_they_are_duplicates(bare: Place) -> None:
    source = SAMPLES / "freeswitch" / "Master.csv"
    (bare.folder / "cdrs" / "a.csv").write_bytes(source.read_bytes())
    first = counts(bare.start("read", "cdrs", "--format", "freeswitch", *NOW, "--json"))
    (bare.folder / "cdrs" / "a.csv").write_bytes(source.read_bytes()[:-1] + b" \n")
    again = counts(bare.start("read", "cdrs", "--format", "freeswitch", *NOW, "--json"))
    assert (first[1:3], again[1:4]) == ((18, 1), (0, 0, 19))
    (bare.folder / "cdrs" / "b.csv").write_bytes(source.read_bytes() + b"\n")
    moved = bare.start("read", "cdrs/b.csv", "--format", "freeswitch", "--timezone", "UTC", *NOW, "--json")
    # Other times under the same ids: conflicts, but for the call of the last hour, which is of another month.
    assert counts(moved)[1:4] == (0, 0, 0)


@pytest.mark.parametrize(
    ("options", "content", "said"),
    [
        ([], "one,two\n1,2\n", "z.csv: its first lines are of no format that is known (the first: 'one,two')"),
        ([], "call_id,xml_cdr_uuid\n1,2\n", "its first lines could be native or fusionpbx; say which with --format"),
        (["--format", "asterisk"], "one,two\n", "its first lines are not of the format asterisk"),
        (["--format", "kamailio"], "one,two\n", "its first lines are not of the format kamailio"),
        (["--format", "astersik"], "one,two\n", "--format astersik: expected one of auto, native, asterisk"),
        (["--format", "gone.toml"], "one,two\n", "gone.toml: cannot be read"),
        (["--timezone", "Europe/Brusels"], "one,two\n", "--timezone Europe/Brusels: expected a time zone that exists"),
        (["--format", "native", "--timezone", "UTC"], "x\n", "the times of the native form tell their zone"),
    ],
)
def test_read__a_format_that_is_not_there_is_refused(options: list[str], content: str, said: str, bare: Place) -> None:
    (bare.folder / "cdrs" / "z.csv").write_text(content)
    for told in (bare.start("read", "cdrs", *options, *NOW), bare.run("2026-10", "--cdrs", "cdrs", *options)):
        assert told.status == 2
        assert said in " ".join(told.stderr.split())
        assert not bare.store.exists()


def test_read__a_dry_run_shows_before_and_after_and_stores_nothing(bare: Place) -> None:
    told = bare.start(
        "read",
        SAMPLES / "other" / "calls.csv",
        "--format",
        SAMPLES / "other" / "calls.toml",
        "--dry-run",
        *NOW,
        "--json",
    )
    assert told.status == 0, told.stderr
    assert not bare.store.exists()
    (before, after) = cast("dict[str, list[dict[str, object]]]", told.document["tables"]).values()
    assert before[0] == {
        "source_line": 2,
        "record": "sw1;1;01/10/2026;10:00:00;OUT;Jan Peeters;+3225550101;+33142685300;00:01:01;OK",
    }
    assert [after[0][name] for name in ("source_line", "verdict", "call_id", "duration_s")] == [
        2,
        "accepted",
        "sw1 1",
        61,
    ]
    verdicts = {row["source_line"]: (row["verdict"], row["detail"]) for row in after}
    assert verdicts[15] == ("skipped", "unanswered")
    assert len(after) == len(before) == 20
    shown = bare.start("read", SAMPLES / "asterisk", "--dry-run", *NOW)
    assert "read as asterisk" in shown.stdout
    assert not bare.store.exists()


def test_read__a_file_that_grew_is_read_on_by_complete_lines(bare: Place) -> None:
    (bare.folder / "centime.toml").write_text('[rating]\nunterminated_last_line = "wait"\n', encoding="utf-8")
    path = bare.folder / "cdrs" / "a.csv"
    whole = "\n".join([CDR_HEADER, *(call(f"c{number}") for number in range(6))]) + "\n"
    cuts = [whole.index("c2,") + 3, whole.index("c4,") + 10, whole.index("c4,") + 12, len(whole)]
    seen = []
    for cut in cuts:
        path.write_text(whole[:cut])
        told = bare.start("read", "cdrs", *NOW, "--json")
        seen.append((counts(told)[:2], [said.split("a.csv: ")[1] for said in messages(told)]))
    waits = "its last line has no line end yet, and is left to the next reading"
    assert seen == [
        ((2, 2), [waits]),
        ((2, 2), ["it has grown, read on from line 4", waits]),
        ((0, 0), ["it has grown, read on from line 6", waits]),
        ((2, 2), ["it has grown, read on from line 6"]),
    ]
    assert bare.start("verify").status == 0
    # Another file under the name is read from its beginning; what was read before is known by its call_id.
    path.write_text(whole.replace("c0,", "d0,"))
    assert counts(bare.start("read", "cdrs", *NOW, "--json"))[:4] == (6, 1, 0, 5)


@pytest.mark.parametrize("suffix", ["csv", "ndjson"])
def test_read__a_last_line_that_was_left_is_told_each_time_until_it_ends(suffix: str, bare: Place) -> None:
    (bare.folder / "centime.toml").write_text('[rating]\nunterminated_last_line = "wait"\n', encoding="utf-8")
    lines = [CDR_HEADER, call("c0"), call("c1")]
    if suffix == "ndjson":
        lines = [json.dumps(dict(zip(CDR_HEADER.split(","), line.split(","), strict=True))) for line in lines[1:]]
    path = bare.folder / "cdrs" / f"a.{suffix}"
    path.write_text("\n".join(lines))
    assert counts(bare.start("read", "cdrs", *NOW, "--json"))[:2] == (1, 1)
    for _ in range(2):
        again = bare.start("read", "cdrs", *NOW, "--json")
        (warning,) = cast("list[str]", again.document["warnings"])
        assert warning.endswith("was not read; where the file is complete, give it one")
    path.write_text("\n".join(lines) + "\n")
    ended = bare.start("read", "cdrs", *NOW, "--json")
    assert counts(ended)[:2] == (1, 1)
    assert ended.document["warnings"] == []


@pytest.mark.parametrize("packed", [gzip.compress, pa.Codec("zstd").compress], ids=["gz", "zst"])
def test_read__parquet_that_is_packed_once_more_is_found(packed: Callable[[bytes], bytes], bare: Place) -> None:
    suffix = "gz" if packed is gzip.compress else "zst"
    # What looks like a line of text at the beginning is another one each time.
    for compression in ("uncompressed", "snappy", "zstd", "lz4"):
        record = io.StringIO(f"{CDR_HEADER}\n{call(compression)}\n")
        written = io.BytesIO()
        pl.read_csv(record, infer_schema=False).write_parquet(written, compression=compression)  # type: ignore[arg-type]
        (bare.folder / "cdrs" / f"{compression}.parquet.{suffix}").write_bytes(bytes(packed(written.getvalue())))
    assert counts(bare.start("read", "cdrs", *NOW, "--json"))[:2] == (4, 4)


@pytest.mark.parametrize("name", ["asterisk/Master.csv", "freeswitch/calls.cdr.json", "kamailio/acc.csv"])
def test_read__grown_files_of_other_formats_end_as_if_read_at_once(name: str, bare: Place) -> None:
    (bare.folder / "centime.toml").write_text(
        '[rating]\nunterminated_last_line = "wait"\n[billing]\nquarantine_threshold = 1\n', encoding="utf-8"
    )
    content = (SAMPLES / name).read_bytes()
    path = bare.folder / "cdrs" / Path(name).name
    half = content.index(b"\n", len(content) // 2) + (1 if name.endswith("json") else 20)
    sums = [0] * len(COUNTS)
    for part in (content[:half], content):
        path.write_bytes(part)
        found = counts(bare.start("read", "cdrs", *NOW, "--json"))
        sums = [before + cast("int", now) for before, now in zip(sums, found, strict=True)]
    other = make_place(bare.folder / "other")
    once = counts(other.start("read", SAMPLES / name, *NOW, "--json"))
    if name == "kamailio/acc.csv":
        # Its halves belong together: the whole is read again, and the calls of the first half are duplicates.
        assert sums[1:3] == list(once[1:3])
    else:
        assert tuple(sums) == once
    assert bare.start("verify").status == 0

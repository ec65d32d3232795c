"""The samples of every format become what is written down beside them, by whichever way they are read."""

from __future__ import annotations

import csv
import gzip
import runpy
import shutil
from collections import defaultdict
from pathlib import Path

import pytest

from rating.sources.native import NATIVE
from tests.sources.native_rows import Row, native_rows_of, taken

SAMPLES = Path(__file__).resolve().parents[2] / "sample_cdrs" / "formats"
FORMAT_OF = {
    "asterisk/Master.csv": "asterisk",
    "freeswitch/Master.csv": "freeswitch",
    "freeswitch/calls.cdr.json": "freeswitch",
    "fusionpbx/v_xml_cdr.csv": "fusionpbx",
    "fusionpbx/v_xml_cdr.ndjson": "fusionpbx",
    "broadworks/BW-CDR-20261031.csv": "broadworks",
    "kamailio/cdrs.csv": "kamailio",
    "kamailio/acc.csv": "kamailio",
    "cucm/cdr_Cluster1_01_202610312359_1": "cucm",
    "3cx/cdr.log": "3cx",
    "other/calls.csv": str(SAMPLES / "other" / "calls.toml"),
}
AWKWARD = 15


def expected() -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    with (SAMPLES / "expected.csv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            line = int(row["source_line"])
            if row["verdict"] == "taken":
                found[row["file"]].append(taken(line, **{name: row[name] for name in NATIVE.columns}))
            else:
                found[row["file"]].append(Row(line, row["verdict"], row["reason"]))
    return found


EXPECTED = expected()


@pytest.mark.parametrize("name", FORMAT_OF)
def test_samples__every_record_becomes_what_is_written_down(name: str) -> None:
    assert len(EXPECTED[name]) > AWKWARD
    assert (
        native_rows_of(SAMPLES / name, FORMAT_OF[name], "Europe/Brussels" if "asterisk" in name else None)
        == (EXPECTED[name])
    )


@pytest.mark.parametrize("name", [name for name in FORMAT_OF if not name.startswith("other")])
def test_samples__auto_finds_the_format_and_small_blocks_give_the_same(name: str, tmp_path: Path) -> None:
    assert native_rows_of(SAMPLES / name, "auto", block_bytes=300) == EXPECTED[name]
    packed = tmp_path / f"{Path(name).name}.gz"
    packed.write_bytes(gzip.compress((SAMPLES / name).read_bytes()))
    assert native_rows_of(packed, FORMAT_OF[name]) == EXPECTED[name]


def test_samples__their_script_makes_them_again(tmp_path: Path) -> None:
    script = shutil.copy(SAMPLES.parent / "make_formats.py", tmp_path)
    runpy.run_path(str(script), run_name="__main__")
    made = {path.relative_to(tmp_path / "formats"): path.read_bytes() for path in tmp_path.rglob("formats/*/*")}
    made |= {Path("expected.csv"): (tmp_path / "formats" / "expected.csv").read_bytes()}
    assert {path: (SAMPLES / path).read_bytes() for path in made} == made
    assert len(made) == len(FORMAT_OF) + 2

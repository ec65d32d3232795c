"""Every format is read twice, by the program and in plain Python: the samples, and records that nobody thought of."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sources import second_reading
from tests.sources.native_rows import Row, native_rows_of
from tests.sources.test_format_samples import SAMPLES

if TYPE_CHECKING:
    from pathlib import Path

    from hypothesis.strategies import DrawFn, SearchStrategy

KINDS = {
    "asterisk/Master.csv": "asterisk",
    "freeswitch/Master.csv": "freeswitch",
    "freeswitch/calls.cdr.json": "documents",
    "fusionpbx/v_xml_cdr.csv": "fusionpbx",
    "fusionpbx/v_xml_cdr.ndjson": "fusionpbx",
    "broadworks/BW-CDR-20261031.csv": "broadworks",
    "kamailio/cdrs.csv": "cdrs",
    "kamailio/acc.csv": "acc",
    "cucm/cdr_Cluster1_01_202610312359_1": "cucm",
    "3cx/cdr.log": "3cx",
}
ZONES = {"3cx": "UTC"}
BRUSSELS = "Europe/Brussels"
FORMATS = {"cdrs": "kamailio", "acc": "kamailio", "documents": "freeswitch"}
# What stands in fields, beside anything else that can be written on a line.
WORDS = (
    "", " ", "0", "1", "61", "-1", "ANSWERED", "NO ANSWER", "BUSY", "Dial", "VoiceMail", "PJSIP/carrier-0000001b",
    "PJSIP/102-00000001", "Local/1@x-1;2", "102", "112", "+3225550101", "0033142685300", "0475123456", "anonymous",
    "sip:+33142685300@host;user=phone", '"Jan, Peeters" <+3225550101>', "2026-10-01 08:00:00", "2026-10-25 02:30:00",
    "2026-03-29 02:30:00", "2026-02-30 08:00:00", "2026/10/01 08:00:00", "1790000000.1", "sys-1792888200.7",
    "1792888200", "20261001080000.314", "20261001080100.0", "Normal", "Start", "Originating", "Terminating", "Yes",
    "No", "Yes-PostRedirection", "private", "inbound", "outbound", "local", "b", "voicemail", "INVITE", "BYE", "200",
    "486", "f", "t", "SEP00059A3C7A02", "CSFJAN", "ANTWERP", "X-VI1", "b00105401002", "\\+3225550101",
    "Ext.101", "VMail.101",
    "00:05:36", "from-trunk", "u1", "é,\"'",
)  # fmt: skip
FIELD = st.one_of(
    st.sampled_from(WORDS),
    st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=6),
)


def read_twice(path: Path, kind: str) -> None:
    zone = ZONES.get(kind, BRUSSELS)
    content = path.read_text(encoding="utf-8")
    expected = [Row(line, *read) for line, read in second_reading.read(content, kind, zone)]
    assert native_rows_of(path, FORMATS.get(kind, kind)) == expected


@pytest.mark.parametrize("name", KINDS)
def test_second_reading__the_samples(name: str) -> None:
    read_twice(SAMPLES / name, KINDS[name])


def sound_lines(kind: str) -> list[str]:
    """The lines of a sample that have all their fields: of these, fields are changed."""
    (name,) = [name for name, found in KINDS.items() if found == kind and not name.endswith("ndjson")]
    lines = (SAMPLES / name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if kind == "documents" or second_reading.fields_of(line)]


@st.composite
def files_of(draw: DrawFn, kind: str) -> str:
    """A file that begins as the sample does, and then has records with some fields as nobody writes them."""
    lines = sound_lines(kind)
    heads = 2 if kind in ("cucm", "broadworks") else 1
    drawn = draw(st.lists(st.tuples(st.sampled_from(lines[heads:]), changes()), min_size=1, max_size=6))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n", quoting=draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])))
    for line, changed in drawn:
        fields = second_reading.fields_of(line)
        for place, field in changed.items():
            fields[place % len(fields)] = field
        writer.writerow(fields)
    return "".join(f"{line}\n" for line in lines[:heads]) + text.getvalue()


def changes() -> SearchStrategy[dict[int, str]]:
    return st.dictionaries(st.integers(0, 20), FIELD, max_size=4)


@pytest.mark.parametrize("kind", ["asterisk", "freeswitch", "fusionpbx", "broadworks", "cdrs", "acc", "cucm", "3cx"])
def test_second_reading__records_that_nobody_thought_of(kind: str, tmp_path: Path) -> None:
    path = tmp_path / ("cdr.log" if kind == "3cx" else "calls.csv")

    @settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
    @given(files_of(kind))
    def agree(content: str) -> None:
        path.write_bytes(content.encode())
        read_twice(path, kind)

    agree()


def test_second_reading__documents_that_nobody_thought_of(tmp_path: Path) -> None:
    path = tmp_path / "calls.cdr.json"
    first = json.loads(sound_lines("documents")[0])

    @settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
    @given(
        st.sampled_from(("uuid", "accountcode", "billsec")), FIELD.filter(lambda text: "%" not in text and text.strip())
    )
    def agree(name: str, text: str) -> None:
        changed = first | {"variables": first["variables"] | {name: text}}
        lines = [json.dumps(document, ensure_ascii=False) for document in (first, changed)]
        path.write_bytes("".join(f"{line}\n" for line in lines).encode())
        read_twice(path, "documents")

    agree()

"""`centime history`: every event with its moment, operator, command, the SHA-256 of its inputs and the version."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pytest

from cli import login, program_version
from invoicing import history
from invoicing.event_checks import NOUNS
from invoicing.events import BEGUN, FACTS
from invoicing.ledger import Ledger
from invoicing.snapshots import snapshot_id
from invoicing.store import sha256_of_file
from rating.sources.platform_tables import SourceFile
from tests.cli.conftest import copy
from tests.cli.program import Place, bytes_of, call, make_place, write_cdrs
from tests.shared import made_once

if TYPE_CHECKING:
    from pathlib import Path

READ_1, RATED_1, ISSUED_1 = ("read", "october.csv"), ("rated", "2026-10"), ("issued", "2026-10")
READ_2, RATED_2, ISSUED_2 = ("read", "november.csv"), ("rated", "2026-11"), ("issued", "2026-11")
CREDITED, PUBLISHED = ("credited", "CN2026-000001"), ("published", "CN2026-000001")
OCTOBER = [READ_1, RATED_1, ISSUED_1]
NOVEMBER = [READ_2, RATED_2, ISSUED_2]
CREDIT = [CREDITED, PUBLISHED]


def test_history__has_words_for_every_kind_of_event() -> None:
    assert {*FACTS, BEGUN} == {*history.WORDS}
    assert {*FACTS} == {*NOUNS}


@pytest.fixture(scope="module")
def used(filled: Place, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """October and November run, a credit note about October, and a file read for December, not rated yet."""
    note = ["credit", "2026-000001", "--line", "3", "--reason", "x", "--by", "Anna", "--now", "2026-12-05T10:00:00Z"]

    def make(folder: Path) -> None:
        assert copy(filled, folder / "place").start(*note).status == 0

    return Place(made_once(tmp_path_factory, "history", make) / "place")


def shown(place: Place, *what: str) -> list[tuple[str, str]]:
    """Kind and subject of the events, files by their names; the store stays as it is."""
    before = bytes_of(place.store)
    told = place.start("history", *what, "--json")
    assert told.status == 0, told.stderr
    assert bytes_of(place.store) == before
    assert told.document["counts"] == {"events": len(told.table("History"))}
    return [(str(row["kind"]), str(row["subject"]).rpartition("/")[2]) for row in told.table("History")]


@pytest.mark.parametrize(
    ("what", "events"),
    [
        ([], [*OCTOBER, *NOVEMBER, *CREDIT]),
        (["2026-000001"], [*OCTOBER, *CREDIT]),
        (["2026-000002"], NOVEMBER),
        (["CN2026-000001"], CREDIT),
        (["c1"], [*OCTOBER, *NOVEMBER, *CREDIT]),
        (["2026-10"], OCTOBER),
        (["october.csv"], [READ_1]),
        (["pack1"], [*OCTOBER, *CREDIT]),
        (["late"], NOVEMBER),  # of October, came in November
        (["wait"], [READ_2]),  # December is not run
        (["mute"], [READ_1]),  # unanswered
        (["bad"], [READ_1]),  # its record could not be read
        (["nobody"], [READ_1]),  # could not be rated
    ],
)
def test_history__of_an_invoice_a_customer_a_call_a_file(
    what: list[str], events: list[tuple[str, str]], used: Place
) -> None:
    assert shown(used, *what) == events


def test_history__a_file_by_its_path_and_one_of_another_folder_is_not_it(used: Place) -> None:
    path = used.start("history", "october.csv", "--json").table("History")[0]["subject"]
    assert str(path).startswith("/")
    assert shown(used, str(path)) == [READ_1]
    assert used.start("history", "ctober.csv").status == 2


def published_sha256(place: Place) -> str:
    """Of the document of the credit note."""
    return sha256_of_file(place.store / "invoices/2026/CN2026-000001.pdf")


@pytest.mark.parametrize("what", ["2026-000009", "c9", "", "2027-01", "no-such-call", "%"])
def test_history__what_is_not_known_is_refused(what: str, used: Place) -> None:
    told = used.start("history", what)
    assert told.status == 2
    assert f"{what}: this store has no invoice, credit note, dispute, customer with an invoice" in told.stderr


def test_history__moment_operator_command_version_and_the_inputs(used: Place) -> None:
    rows = used.start("history", "2026-000001", "--json").table("History")
    assert [(row["acted_at"], row["operator"], row["command"], row["program"]) for row in rows] == [
        *[("2026-11-02T10:00:00.000000Z", login(), "run", program_version())] * 3,
        *[("2026-12-05T10:00:00.000000Z", "Anna", "credit", program_version())] * 2,
    ]
    read, rated, issued, credited, published = (json.loads(str(row["details"])) for row in rows)
    assert read["sha256"] == sha256_of_file(used.folder / "cdrs" / "october.csv")
    assert (read["records"], read["accepted"], read["unanswered"], read["duplicate"], read["quarantined"]) == (
        16, 12, 1, 1, 2,
    )  # fmt: skip
    tables = [SourceFile(path.stem, path, sha256_of_file(path)) for path in used.tables.iterdir()]
    assert rated["snapshot"] == issued["snapshot"] == snapshot_id(tables)
    ledger = Ledger(used.store / "ledger.duckdb", read_only=True)
    settings = hashlib.sha256(ledger.runs()[0].settings.encode()).hexdigest()
    ledger.close()
    assert {told["settings_sha256"] for told in (read, rated, issued, credited)} == {settings}
    assert (issued["invoices"], issued["first_number"], issued["net_cents"]) == (1, "2026-000001", 1553)
    assert (credited["invoice_number"], credited["net_cents"], credited["reason"]) == ("2026-000001", 32, "x")
    assert published["sha256"] == sha256_of_file(used.store / published["path"])


def test_history__people_read_it_in_words(used: Place) -> None:
    told = used.start("history", "2026-000001")
    rows = [line.split("│")[1:-1] for line in told.stdout.splitlines() if "│ 2026" in line]
    assert [cell.strip() for cell in rows[3]] == [
        "2026-12-05T10:00:00.000000Z", "Anna", "credit", "credited 2026-000001: CN2026-000001, x", program_version(),
    ]  # fmt: skip
    assert [row[3].split()[0] for row in rows] == ["read", "rated", "issued", "credited", "published"]
    # A row whose words are long goes on in the next lines.
    words = [line.split("│")[4] for line in told.stdout.splitlines() if line.startswith("│")]
    for sha256 in (sha256_of_file(used.folder / "cdrs" / "october.csv"), published_sha256(used)):
        assert f"SHA-256 {sha256[:12]}" in " ".join(" ".join(words).split())


def test_history__the_steps_one_by_one_tell_who_did_each(tmp_path: Path) -> None:
    place = make_place(tmp_path / "place")
    steps = (
        ("anna", ["read", "cdrs/october.csv"]),
        ("bert", ["rate", "2026-10", "--platform", "platform"]),
        ("carl", ["rate", "2026-10", "--platform", "platform"]),
        ("dora", ["issue", "2026-10", "--platform", "platform"]),
        ("emil", ["render", "2026-10"]),
        ("fien", ["render", "2026-10"]),  # the same bytes again: nothing came to be
        ("gust", ["read", "cdrs/october.csv"]),  # read before, skipped
        ("hans", ["run", "2026-10", "--platform", "platform"]),  # issued before
    )
    for name, arguments in steps:
        told = place.start(*arguments, "--by", name, "--now", "2026-11-02T10:00:00Z")
        assert told.status == 0, told.stderr
    rows = place.start("history", "--json").table("History")
    assert [(row["operator"], row["command"], row["kind"]) for row in rows] == [
        ("anna", "read", "read"),
        ("bert", "rate", "rated"),
        ("carl", "rate", "rated"),
        ("dora", "issue", "issued"),
        ("emil", "render", "published"),
    ]
    # The rating that gave way is an event, and none of the invoice's.
    assert [row["operator"] for row in place.start("history", "2026-000001", "--json").table("History")] == [
        "anna", "carl", "dora", "emil",
    ]  # fmt: skip
    assert place.start("verify").status == 0


def test_history__of_a_rated_call_that_is_not_issued_yet(rated: Place) -> None:
    assert shown(rated, "pack1") == [READ_1, RATED_1]
    # Its file is filed once its period is issued.
    assert shown(rated, "2026-10") == [RATED_1]


def test_history__files_of_the_calls_of_one_customer_only(place: Place) -> None:
    write_cdrs(place.folder / "more" / "a.csv", call("a1"))
    write_cdrs(place.folder / "more" / "b.csv", call("b1", "2026-11-10"))
    assert place.run("2026-10", "--cdrs", "more").status == 0
    # What came in the second file is of November: it was read, and is not on the invoice of October.
    assert shown(place, "2026-000001") == [("read", "a.csv"), RATED_1, ISSUED_1]
    assert shown(place, "b1") == [("read", "b.csv")]


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "\x1b[31m", "a" * 101])
def test_by__a_name_is_one_line_of_letters(name: str, place: Place) -> None:
    told = place.start("read", "cdrs", "--by", name)
    assert told.status == 2
    assert "--by: expected a name of 1 to 100 letters on one line" in told.stderr
    assert not place.store.exists()

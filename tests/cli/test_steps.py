"""The steps of a run one by one, and what never changes: drafts, issued months, other people's files."""

from __future__ import annotations

import pytest

from tests.cli.program import Place, bytes_of, call, write_cdrs

NOW = ["--now", "2026-11-02T10:00:00Z"]
TABLES = ["--platform", "platform"]


def test_issue__numbers_what_was_rated_and_a_second_time_changes_nothing(rated: Place) -> None:
    first = rated.start("issue", "2026-10", *TABLES, *NOW)
    assert first.status == 0
    assert "1 invoices issued, dated 2026-11-02, 2026-000001 to 2026-000001" in first.stdout
    before = bytes_of(rated.store)
    for command in ("issue", "run"):
        again = rated.start(
            command, "2026-10", *TABLES, "--now", "2026-11-20T10:00:00Z", *["--no-render"][command == "issue" :]
        )
        assert again.status == 0
        assert "2026-10 was issued at 2026-11-02" in again.stdout
        assert "what was issued is not changed" in again.stdout
        assert bytes_of(rated.store) == before


def test_issue__asks_for_a_rating_first(place: Place) -> None:
    told = place.start("issue", "2026-10", *TABLES, *NOW)
    assert told.status == 2
    assert "2026-10: nothing is rated yet; `centime rate 2026-10 --platform DIR` does that first" in told.stderr


@pytest.mark.parametrize("changed", ["the platform tables", "the settings", "the calls"])
def test_issue__what_changed_since_the_rating_is_refused(changed: str, rated: Place) -> None:
    if changed == "the platform tables":
        path = rated.tables / "rates.csv"
        path.write_text(path.read_text().replace("0.05", "0.06"))
    elif changed == "the settings":
        (rated.folder / "centime.toml").write_text("[billing]\npayment_days = 10\nquarantine_threshold = 1\n")
    else:
        write_cdrs(rated.folder / "more.csv", call("more"))
        assert rated.start("read", "more.csv", *NOW).status == 0
    before = bytes_of(rated.store)
    told = rated.start("issue", "2026-10", *TABLES, *NOW)
    assert told.status == 2
    assert f"{changed} changed since the period was rated" in told.stderr
    assert bytes_of(rated.store) == before


def test_issue__what_was_rated_again_is_issued(rated: Place) -> None:
    (rated.tables / "rates.csv").write_text((rated.tables / "rates.csv").read_text().replace("0.05", "0.06"))
    assert rated.start("rate", "2026-10", *TABLES, *NOW).status == 0
    assert rated.start("issue", "2026-10", *TABLES, *NOW).status == 0


@pytest.mark.parametrize("command", ["run", "issue"])
def test_date__the_one_asked_for_but_never_before_the_last_invoice(command: str, issued: Place) -> None:
    november = ["2026-11", *TABLES, "--now", "2026-12-02T10:00:00Z"]
    assert issued.start("rate", *november).status == 0
    before = bytes_of(issued.store)
    told = issued.start(command, *november, "--date", "2026-11-01")
    assert told.status == 2
    assert "invoice date 2026-11-01: the last invoice is dated 2026-11-02" in told.stderr
    for day in ("tomorrow", "20261202", "2026-W49-3", "2026-11-31", "02/12/2026"):
        wrong = issued.start(command, *november, "--date", day)
        assert wrong.status == 2
        assert f"--date {day}: expected a day written YYYY-MM-DD" in wrong.stderr
    assert bytes_of(issued.store) == before
    done = issued.start(command, *november, "--date", "2026-11-02")
    assert done.status == 0
    assert "dated 2026-11-02, 2026-000002" in done.stdout


def test_render__the_same_bytes_and_nothing_deleted(issued: Place) -> None:
    first = issued.start("render", "2026-10", "--json")
    assert first.status == 0
    assert first.document["files_written"] == ["store/invoices/2026/2026-000001.pdf"]
    other = issued.store / "invoices" / "2026" / "reminder.pdf"
    other.write_bytes(b"somebody's")
    before = bytes_of(issued.store)
    assert issued.start("render", "2026-10").status == 0
    assert bytes_of(issued.store) == before
    (issued.store / "invoices" / "2026" / "2026-000001.pdf").unlink()
    assert issued.start("render", "2026-10").status == 0
    assert bytes_of(issued.store) == before
    told = issued.start("render", "2026-11")
    assert told.status == 2
    assert "2026-11: not issued in this store; the last period issued is 2026-10" in told.stderr


def test_preview__without_a_store_makes_none(place: Place) -> None:
    told = place.start("preview", "2026-10", *TABLES, *NOW)
    assert told.status == 0
    assert "1 draft invoices; nothing was numbered or stored" in told.stdout
    assert not place.store.exists()


def test_preview__stores_nothing_and_shows_what_issue_will_bill(rated: Place) -> None:
    before = bytes_of(rated.store)
    told = rated.start("preview", "2026-10", *TABLES, *NOW, "--json", "--to", "drafts")
    assert told.status == 0
    assert bytes_of(rated.store) == before
    assert told.document["files_written"] == ["drafts/draft-2026-10-c1.pdf"]
    assert (rated.folder / "drafts" / "draft-2026-10-c1.pdf").read_bytes().startswith(b"%PDF")
    issued = rated.start("issue", "2026-10", *TABLES, *NOW, "--json")
    sums = [document["sums"] for document in (told.document, issued.document)]
    assert all(isinstance(found, dict) for found in sums)
    assert [found["gross_cents"] for found in sums if isinstance(found, dict)] == [1879, 1879]


def test_preview__tells_of_drafts_that_an_earlier_one_left(rated: Place) -> None:
    arguments = ["preview", "2026-10", *TABLES, *NOW, "--to", "drafts"]
    assert "of an earlier preview" not in rated.start(*arguments).stderr
    assert "of an earlier preview" not in rated.start(*arguments).stderr
    for name in ("draft-2026-10-c9.pdf", "draft-2026-10-c8.xml", "draft-2026-09-c7.pdf", "notes.txt"):
        (rated.folder / "drafts" / name).write_bytes(b"somebody's")
    told = rated.start(*arguments)
    assert "drafts: draft-2026-10-c8.xml, draft-2026-10-c9.pdf: of an earlier preview" in told.stderr
    assert (rated.folder / "drafts" / "draft-2026-10-c9.pdf").exists()


@pytest.mark.parametrize(
    ("folder", "because"),
    [
        ("store", "inside the store"),
        ("store/invoices", "inside the store"),
        ("store/../store/new/drafts", "inside the store"),
        ("file", "this is a file, expected a folder"),
        ("file/drafts", "this is a file, expected a folder"),
    ],
)
def test_preview__drafts_are_not_written_where_they_cannot_be(folder: str, because: str, rated: Place) -> None:
    (rated.folder / "file").write_text("somebody's", encoding="utf-8")
    before = bytes_of(rated.folder)
    told = rated.start("preview", "2026-10", *TABLES, *NOW, "--to", folder)
    assert told.status == 2
    assert because in told.stderr
    assert bytes_of(rated.folder) == before


def test_run__the_first_one_tells_of_calls_that_are_then_never_rated(place: Place) -> None:
    words = "calls are of months before this first one of the store and never rated"
    assert place.start("read", "cdrs/october.csv", *NOW).status == 0
    november = place.start("rate", "2026-11", *TABLES, "--now", "2026-12-02T10:00:00Z")
    assert f"warning: 12 {words}" in november.stderr
    assert words not in place.start("rate", "2026-10", *TABLES, *NOW).stderr


def test_run__settings_without_the_supplier_of_the_last_invoices_are_refused(place: Place) -> None:
    settings = place.folder / "centime.toml"
    without = settings.read_text(encoding="utf-8")
    settings.write_text(without + '[supplier]\nname = "Ardoise"\n', encoding="utf-8")
    assert place.run("2026-10", "--cdrs", "cdrs/october.csv").status == 0
    settings.write_text(without, encoding="utf-8")
    before = bytes_of(place.folder)
    for told in (
        place.run("2026-11", "--cdrs", "cdrs/november.csv"),
        place.start("credit", "2026-000001", "--all", "--reason", "Too much", *NOW),
    ):
        assert told.status == 2
        assert "the invoices of 2026-10 are from Ardoise: expected supplier.name" in told.stderr
        assert bytes_of(place.folder) == before


@pytest.mark.parametrize("arguments", [["verify"], ["status"], ["export", "lines", "2026-10", "-o", "lines.csv"]])
def test_store__one_that_lost_its_ledger_is_damaged_and_not_missing(arguments: list[str], issued: Place) -> None:
    (issued.store / "ledger.duckdb").unlink()
    told = issued.start(*arguments)
    assert told.status == 3
    assert "the ledger of this store is missing" in told.stderr


@pytest.mark.parametrize("arguments", [["verify"], ["explain", "pack1"], ["quarantine"]], ids=" ".join)
def test_store__looking_changes_nothing_and_makes_none(arguments: list[str], place: Place, rated: Place) -> None:
    missing = place.start(*arguments)
    assert missing.status == 2
    assert "store: there is no store" in missing.stderr
    assert not place.store.exists()
    before = bytes_of(rated.store)
    assert rated.start(*arguments).status == 0
    assert bytes_of(rated.store) == before


@pytest.mark.parametrize(
    "arguments", [["read", "calls"], ["preview", "2026-10", *TABLES], ["run", "2026-10", "--platform", "x"]]
)
def test_store__a_folder_of_other_files_taken_for_a_store_loses_none_of_them(
    arguments: list[str], place: Place
) -> None:
    # `--store .` in a folder whose CDRs happen to be in `calls/`.
    write_cdrs(place.folder / "calls" / "mine.csv", call("mine"))
    (place.folder / "quarantine").mkdir()
    (place.folder / "quarantine" / "notes.txt").write_text("mine")
    before = bytes_of(place.folder)
    place.start(*arguments, "--store", ".", *NOW)
    after = bytes_of(place.folder)
    assert {path: after.get(path) for path in before} == before


def test_store__one_that_lost_its_ledger_is_damaged_and_not_begun_anew(issued: Place) -> None:
    (issued.store / "ledger.duckdb").unlink()
    before = bytes_of(issued.store)
    for told in (issued.run("2026-10"), issued.start("read", "cdrs", *NOW)):
        assert told.status == 3
        assert "ledger.duckdb" in told.stderr
    assert bytes_of(issued.store) == before


def test_store__a_file_in_its_place_is_refused(place: Place) -> None:
    for command in (["verify"], ["read", "cdrs"]):
        told = place.start(*command, "--store", "centime.toml")
        assert told.status == 2
        assert "centime.toml: expected the folder of a store, found a file" in told.stderr


def test_verify__an_altered_file_leaves_with_3_also_in_json(issued: Place) -> None:
    assert issued.start("verify").status == 0
    path = next((issued.store / "calls").rglob("*.parquet"))
    path.write_bytes(path.read_bytes() + b"x")
    told = issued.start("verify", "--json")
    assert (told.status, told.document["exit_status"]) == (3, 3)
    assert path.name in str(told.document["attention"])


def test_render__web_pages_stand_beside_the_pdfs_and_are_named_in_the_ledger(issued: Place) -> None:
    told = issued.start("render", "2026-10", "--html", "--json")
    written = ["store/invoices/2026/2026-000001.html", "store/invoices/2026/2026-000001.pdf"]
    assert (told.status, told.document["files_written"]) == (0, written)
    before = bytes_of(issued.store)
    assert (
        b"<h1>Invoice <span>2026-000001</span></h1>" in (issued.store / "invoices/2026/2026-000001.html").read_bytes()
    )
    assert issued.start("render", "2026-10", "--html").status == 0
    # Without being asked for, a page is neither made again nor taken away.
    assert issued.start("render", "2026-10", "--json").document["files_written"] == written[1:]
    assert bytes_of(issued.store) == before
    assert issued.start("verify").status == 0
    (issued.store / "invoices/2026/2026-000001.html").write_bytes(b"altered")
    assert issued.start("verify").status == 3

"""What finance looks at: `report`, `status`, `doctor`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from invoicing import doctor
from tests.cli.conftest import copy, forget_documents
from tests.cli.program import Place, bytes_of, call, write_cdrs

if TYPE_CHECKING:
    from pathlib import Path

NOW = ("--now", "2026-12-29T10:00:00Z")


def test_report__writes_one_page_beside_the_documents_or_where_it_is_asked(issued: Place) -> None:
    before = bytes_of(issued.store)
    done = issued.start("report", "2026-10", "--lang", "nl", "-o", "october.html")
    assert done.status == 0, done.stderr
    assert '<html lang="nl">' in (issued.folder / "october.html").read_text(encoding="utf-8")
    assert bytes_of(issued.store) == before
    assert issued.start("report", "2026-10").status == 0
    assert (issued.store / "reports" / "2026-10.html").is_file()
    assert issued.start("verify").status == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("2026-11",), "2026-11: not issued in this store; the last period issued is 2026-10"),
        (("2026-10", "--lang", "it"), "--lang it: expected one of fr, nl, de, en"),
        (("2026-10", "-o", "page.pdf"), "expected a file name that ends in .html"),
        (("2026-10", "-o", "nowhere/page.html"), "there is no such folder"),
    ],
)
def test_report__what_cannot_be_is_refused(october_issued: Place, arguments: tuple[str, ...], words: str) -> None:
    done = october_issued.start("report", *arguments)
    assert done.status == 2
    assert words in done.stderr


def test_run__writes_the_page_beside_its_documents_and_leads_to_them(place: Place) -> None:
    settings = (place.folder / "centime.toml").read_text(encoding="utf-8").replace('"none"', '"fr"')
    (place.folder / "centime.toml").write_text(settings, encoding="utf-8")
    month = ("run", "2026-10", "--platform", "platform", "--now", "2026-11-02T10:00:00Z")
    done = place.start(*month, "--cdrs", "cdrs/october.csv")
    assert done.status == 0, done.stderr
    page = place.store / "reports" / "2026-10.html"
    text = page.read_text(encoding="utf-8")
    assert 'href="../invoices/2026/2026-000001.pdf"' in text
    assert (page.parent / "../invoices/2026/2026-000001.pdf").is_file()
    assert ">writing invoices</th>" in text  # a step of the run, with its seconds
    before = bytes_of(place.store)
    assert place.start(*month).status == 0
    assert bytes_of(place.store) == before
    page.unlink()
    assert place.start(*month).status == 0
    assert page.read_text(encoding="utf-8") == text


def test_preview__writes_the_page_beside_its_drafts(october_rated: Place, tmp_path: Path) -> None:
    settings = tmp_path / "centime.toml"
    settings.write_text('[documents]\nreport = "de"\n', encoding="utf-8")
    done = october_rated.start(
        "preview", "2026-10", "--platform", "platform", "--to", tmp_path / "drafts", "--config", settings,
        "--now", "2026-11-02T10:00:00Z",
    )  # fmt: skip
    assert done.status in (0, 1), done.stderr
    page = (tmp_path / "drafts" / "report-2026-10.html").read_text(encoding="utf-8")
    assert "Entwurf: noch ist nichts nummeriert" in page
    for draft in (tmp_path / "drafts").glob("*.pdf"):
        assert f'href="{draft.name}"' in page


def test_status__tells_periods_what_waits_and_the_next_command(filled: Place, october_rated: Place) -> None:
    done = filled.start("status", "--json", *NOW)
    assert done.status == 0, done.stderr
    assert [(row["period"], row["state"]) for row in done.table("Periods")] == [
        ("2026-10", "issued"), ("2026-11", "issued"),
    ]  # fmt: skip
    assert done.table("Calls that wait") == [{"period": "2026-12", "calls": 1}]
    assert done.document["next"] == "centime run 2026-12 --platform DIR --cdrs PATH"
    early = filled.start("status", "--json", "--now", "2026-12-02T10:00:00Z").document["next"]
    assert early == "centime read PATH...; from 2026-12-28 on centime run 2026-12 --platform DIR --cdrs PATH"
    assert october_rated.start("status", "--json", *NOW).document["next"] == "centime issue 2026-10 --platform DIR"


@pytest.mark.parametrize(
    ("days", "today", "said"),
    [
        (["2026-10-10"], "2026-10-11", "centime read PATH...; from 2026-10-28 on centime run 2026-10 {}"),
        (["2026-10-10"], "2026-10-28", "centime run 2026-10 {}"),
        (["2026-10-10", "2026-11-02"], "2026-11-03", "centime run 2026-10 {}"),
        (["2026-09-30", "2026-10-10", "2026-11-02"], "2026-11-03",
         "centime run 2026-10 {} (the calls of 2026-09 are then never rated)"),
        ([], "2026-11-03", "centime read PATH...; from 2026-11-28 on centime run 2026-11 {}"),
    ],
)  # fmt: skip
def test_status__a_new_store_begins_with_the_last_month_that_can_be_run(
    days: list[str], today: str, said: str, place: Place
) -> None:
    now = ("--now", f"{today}T10:00:00Z")
    write_cdrs(place.folder / "read.csv", *(call(day, day) for day in days))
    assert place.start("read", "read.csv", *now).status == 0
    assert place.start("status", "--json", *now).document["next"] == said.format("--platform DIR --cdrs PATH")


def test_status__files_read_after_a_run_wait_for_the_next(issued: Place) -> None:
    counts = issued.start("status", "--json", *NOW).document["counts"]
    assert [counts[name] for name in ("files_waiting", "quarantined")] == [0, 0]  # type: ignore[index]
    write_cdrs(issued.folder / "more.csv", call("more", "2026-11-10"), call("bad", "2026-11-10", duration_s=-1))
    assert issued.start("read", "more.csv", *NOW).status in (0, 1)
    told = issued.start("status", "--json", *NOW).document
    assert [told["counts"][name] for name in ("files_waiting", "quarantined")] == [1, 1]  # type: ignore[index]
    assert "1 files read and not run yet, 1 records of them in quarantine" in told["messages"]  # type: ignore[operator]


def test_status__counts_an_invoice_that_was_superseded_no_more(october_corrected: Place) -> None:
    told = october_corrected.start("status", "--json", *NOW)
    (row,) = told.table("Periods")
    assert (row["invoices"], row["net_cents"], row["gross_cents"]) == (1, 1540, 1863)
    assert told.document["counts"]["without_documents"] == 0  # type: ignore[index]


def test_status__names_what_a_command_that_died_left_without_documents(
    october_corrected: Place, tmp_path: Path
) -> None:
    place = copy(october_corrected, tmp_path / "place")
    forget_documents(place)
    said = "{} invoices or credit notes have no documents: {}"
    left = ["2026-000002", "CN2026-000001"]
    # The corrected invoice is one of October, its credit note is dated in November.
    for period in ("2026-10", "2026-11"):
        told = place.start("status", "--json", *NOW).document
        assert said.format(len(left), ", ".join(left)) in told["attention"]  # type: ignore[operator]
        assert told["next"] == f"centime render {period}"
        assert place.start("render", period, *NOW).status == 0
        left = left[1:]
    assert place.start("status", "--json", *NOW).document["counts"]["without_documents"] == 0  # type: ignore[index]


def test_doctor__says_what_is_missing_and_how_to_mend_it(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    assert place.start("doctor").status == 0
    monkeypatch.setattr(doctor, "LEAST_FREE_BYTES", 10**18)
    (place.folder / "centime.toml").write_text('[documents]\nrules_dir = "nowhere"\n', encoding="utf-8")
    done = place.start("doctor", "--json")
    assert done.status == 1
    mended = {str(row["what"]): str(row["how_to_mend"]) for row in done.table("What centime needs")}
    assert mended["disk"] == "free some space"
    assert "leave rules_dir empty" in mended["rule sets"]
    assert mended["Python"] == "fine"


def test_doctor__names_who_holds_the_store(issued: Place) -> None:
    import fcntl  # noqa: PLC0415

    with (issued.store / "lock").open("w", encoding="utf-8") as lock:
        lock.write("`centime run` of ann")
        lock.flush()
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = issued.start("doctor")
        # Who only reads holds it too, and hinders nobody who reads.
        fcntl.flock(lock, fcntl.LOCK_SH)
        reading = issued.start("doctor")
    assert done.status == 1
    assert "held by `centime run` of ann" in done.stderr
    assert reading.status == 0
    assert "nobody is changing the store" in reading.stdout

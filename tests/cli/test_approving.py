"""Approval: a run stops at the draft, and only what was shown is issued."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import copy
from tests.cli.program import SETTINGS, Place, call, write_cdrs

if TYPE_CHECKING:
    from pathlib import Path

NOW = ("--now", "2026-11-02T10:00:00Z")
APPROVING = SETTINGS.replace("[documents]", "approval = true\n[documents]")


@pytest.fixture(scope="module")
def october_shown(october_rated: Place, tmp_path_factory: pytest.TempPathFactory) -> tuple[Place, str]:
    """October shown to be approved, and the SHA-256 it was shown under."""
    made = copy(october_rated, tmp_path_factory.mktemp("shown") / "place")
    (made.folder / "centime.toml").write_text(APPROVING, encoding="utf-8")
    done = made.start("run", "2026-10", "--platform", "platform", "--json", *NOW)
    assert done.status == 1
    return made, str(done.document["approval"])


@pytest.fixture
def shown(october_shown: tuple[Place, str], tmp_path: Path) -> tuple[Place, str]:
    """The same, to be changed."""
    return copy(october_shown[0], tmp_path / "shown"), october_shown[1]


def test_run__with_approval_issues_nothing_and_says_what_to_approve(shown: tuple[Place, str]) -> None:
    place, sha256 = shown
    done = place.start("run", "2026-10", "--platform", "platform", *NOW)
    assert done.status == 1
    assert f"centime issue 2026-10 --approve {sha256}" in done.stderr
    assert place.start("export", "invoices", "2026-10", "-o", "i.csv").stderr.startswith(
        "warning: 2026-10 is not issued"
    )
    preview = place.start("preview", "2026-10", "--platform", "platform", *NOW)
    assert f"SHA-256 of calls, tables and settings: {sha256}" in preview.stdout


def test_status__names_where_the_sha256_to_approve_is_shown(shown: tuple[Place, str]) -> None:
    place, _ = shown
    said = "centime issue 2026-10 --approve SHA256 (of {})"
    told = place.start("status", "--json", *NOW).document["next"]
    assert told == said.format("`centime preview 2026-10 --platform DIR`")
    (place.folder / "centime.toml").write_text(APPROVING.replace('"none"', '"en"'), encoding="utf-8")
    told = place.start("status", "--json", *NOW).document["next"]
    assert told == said.format("store/reports/2026-10-draft.html")


@pytest.mark.parametrize(("digits", "status"), [(64, 0), (12, 0), (11, 2), (0, 2)])
def test_approve__what_was_shown_is_issued(shown: tuple[Place, str], digits: int, status: int) -> None:
    place, sha256 = shown
    done = place.start("issue", "2026-10", "--approve", sha256[:digits], *NOW)
    assert done.status == status, done.stderr
    assert ("invoices issued" in done.stdout) == (status == 0)


def test_issue__without_approval_is_refused(shown: tuple[Place, str]) -> None:
    place, _ = shown
    done = place.start("issue", "2026-10", "--platform", "platform", *NOW)
    assert done.status == 2
    assert "asks for an approval" in done.stderr


def new_call(place: Place) -> str:
    write_cdrs(place.folder / "more.csv", call("more", duration_s=600))
    assert place.start("read", "more.csv", *NOW).status == 0
    return "the calls"


def new_price(place: Place) -> str:
    prices = place.tables / "prices.csv"
    prices.write_text(prices.read_text(encoding="utf-8").replace("seat,,0", "seat,,1"), encoding="utf-8")
    return "the platform tables"


def new_setting(place: Place) -> str:
    settings = APPROVING.replace("approval", 'cap_rounding = "ceil"\napproval')
    (place.folder / "centime.toml").write_text(settings, encoding="utf-8")
    return "the settings"


@pytest.mark.parametrize("change", [new_call, new_price, new_setting])
def test_approve__what_changed_since_is_shown_and_not_issued(shown: tuple[Place, str], change: object) -> None:
    place, sha256 = shown
    assert callable(change)
    what = change(place)
    done = place.start("issue", "2026-10", "--approve", sha256, "--platform", "platform", "--json", *NOW)
    assert done.status == 2, done.stderr
    assert any(f"changed since: {what};" in str(sentence) for sentence in list(done.document["messages"]))  # type: ignore[call-overload]
    assert (len(done.table("Lines that differ")) > 0) == (what == "the calls") or what == "the platform tables"
    again = place.start("run", "2026-10", "--platform", "platform", "--json", *NOW).document["approval"]
    assert again != sha256
    assert place.start("issue", "2026-10", "--approve", str(again), *NOW).status == 0


@pytest.mark.usefixtures("no_documents")
def test_approve__an_earlier_invoice_corrected_since_is_shown_and_nothing_issued(
    october_issued: Place, tmp_path: Path
) -> None:
    place = copy(october_issued, tmp_path / "place")
    (place.folder / "centime.toml").write_text(APPROVING, encoding="utf-8")
    december = ("--now", "2026-12-02T10:00:00Z")
    november = ("run", "2026-11", "--platform", "platform", "--json", *december)
    sha256 = str(place.start(*november).document["approval"])
    (place.folder / "off.txt").write_text("pack2\n", encoding="utf-8")
    claim = ("dispute", "open", "2026-000001", "--reason", "x", "--calls", "off.txt", *december)
    settle = ("dispute", "settle", "D2026-000001", "--as", "corrected-invoice", "--reason", "x", *december)
    for command in (claim, settle):
        told = place.start(*command)
        assert told.status == 0, told.stderr
    # What was shown is another month now, be it shown anew or not, and whoever approves the first one gets neither.
    again = str(place.start(*november).document["approval"])
    assert again != sha256
    done = place.start("issue", "2026-11", "--approve", sha256, "--json", *december)
    assert done.status == 2
    assert any("changed since: what invoices were corrected;" in str(told) for told in list(done.document["messages"]))  # type: ignore[call-overload]
    assert place.start("issue", "2026-11", "--approve", again, *december).status == 0


def test_approve__what_was_shown_and_altered_is_named(shown: tuple[Place, str]) -> None:
    place, sha256 = shown
    new_price(place)
    (path,) = (place.store / "reports").glob(f"2026-10-{sha256}.parquet")
    path.write_bytes(path.read_bytes()[:-9] + b"123456789")
    done = place.start("issue", "2026-10", "--approve", sha256, "--platform", "platform", *NOW)
    assert (done.status, f"{sha256}.parquet: what was shown to be approved cannot be read" in done.stderr) == (3, True)


def test_approve__another_vat_than_was_shown_is_shown_and_not_issued(shown: tuple[Place, str]) -> None:
    place, _ = shown
    rates = '[[vat]]\ncategory = "S"\nrate = 21\neffective_from = 2020-01-01\n'
    later = rates.replace("21", "22").replace("2020-01-01", "2026-11-03")
    (place.folder / "centime.toml").write_text(APPROVING + rates + later, encoding="utf-8")
    sha256 = str(place.start("run", "2026-10", "--platform", "platform", "--json", *NOW).document["approval"])
    done = place.start("issue", "2026-10", "--approve", sha256, "--now", "2026-11-04T10:00:00Z")
    assert done.status == 2
    assert "the rates of VAT" in done.stdout
    assert place.start("issue", "2026-10", "--approve", sha256, *NOW).status == 0

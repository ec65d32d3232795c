"""Why a call costs what it costs, what was set aside, which rules there are; and what a terminal is never sent."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import pytest

from tests.cli.program import Place, call, write_cdrs

if TYPE_CHECKING:
    from pathlib import Path

ESCAPE = "\x1b"


def steps(place: Place, call_id: str) -> dict[str, tuple[str, str]]:
    """The explanation of a call: words and rule, by what they are about."""
    told = place.start("explain", call_id, "--json")
    assert told.status == 0, told.stderr
    rows = told.table(f"Call {call_id}")
    return {str(row["about"]): (str(row["explanation"]), str(row["rule"])) for row in rows}


def test_explain__a_call_partly_in_a_pack(filled: Place) -> None:
    found = steps(filled, "pack2")
    assert found["period"] == ("started 2026-10-02 10:00:00 (Europe/Brussels), so it belongs to 2026-10", "R-PERIOD")
    assert found["owner"] == ("customer c1, user u1, found through its user", "R-OWNER")
    assert found["zone"] == ("FR (international): prefix 33 of deck d, version of 2026-01-01", "R-ZONE")
    assert "0.05 EUR per minute" in found["price"][0]
    assert found["pack"] == ("minutes had 20 s left: 20 s in the pack, 0 s stay", "R-PACK")
    assert "161 - 20 = 141 s" in found["out of pack"][0]
    assert found["amount"][0] == "141 s x 0.05 / 60 = 0.1175 EUR, rounded up to the cent: 0.12 EUR"
    assert found["amount"][1] == "R-SECOND"
    assert found["invoice"] == ("on 2026-000001", "R-INVOICE")


@pytest.mark.parametrize(
    ("call_id", "about", "words", "rule"),
    [
        ("late", "invoice", "on 2026-000002; it came after 2026-10 was issued", "R-LATE"),
        ("sos", "price", "an emergency call is free whatever the deck says", "R-EMERGENCY"),
        ("sos", "invoice", "settled with 2026-000001, where it may not be shown", "R-EMERGENCY"),
        ("near", "zone", "ONNET", "R-ONNET"),
        ("in", "zone", "INCOMING: a received call is free", "R-INBOUND"),
        ("in", "owner", "customer c1, user u1, found through the number that was called", "R-OWNER"),
        ("nobody", "quarantine", "unknown_caller", "R-OWNER"),
        ("nobody", "quarantine", "october.csv:12", "R-OWNER"),
        ("nowhere", "quarantine", "no_rate", "R-ZONE"),
        ("wait", "waiting", "accepted; the run of its period, or the next one, will rate it", "R-LATE"),
        ("mute", "unanswered", "never rated", "R-RECORD"),
        ("bad", "quarantine", "malformed: duration_s '-1' cannot be read", "R-RECORD"),
    ],
)
def test_explain__says_why(call_id: str, about: str, words: str, rule: str, filled: Place) -> None:
    explanation, cited = steps(filled, call_id)[about]
    assert words in explanation
    assert cited == rule


def test_explain__a_call_whose_id_came_again_with_other_content(filled: Place) -> None:
    found = steps(filled, "pack1")
    assert "0 s x 0.05" in found["amount"][0]
    assert found["quarantine"][0].startswith("conflict: duration_s '101'")


def test_explain__a_call_of_a_month_that_is_rated_and_not_issued(october_rated: Place) -> None:
    assert steps(october_rated, "pack2")["invoice"] == ("rated for 2026-10, not issued yet", "R-INVOICE")


@pytest.mark.parametrize("call_id", ["never", "PACK1", "pack1 ", ""])
def test_explain__a_call_that_was_never_seen(call_id: str, filled: Place) -> None:
    told = filled.start("explain", call_id)
    assert told.status == 2
    assert "this store has no such call" in told.stderr
    assert told.stdout == ""


@pytest.mark.parametrize("call_id", ["[red]odd[/red]", "[/]", "=2+3"])
def test_terminal__markup_in_a_call_id_is_shown_as_it_is(call_id: str, filled: Place) -> None:
    told = filled.start("explain", call_id)
    assert told.status == 0
    assert f"Call {call_id}" in told.stdout
    assert f"Call {call_id}" in filled.start("explain", call_id, "--json").stdout
    unknown = filled.start("explain", f"{call_id}?")
    assert f"{call_id}?: this store has no such call" in unknown.stderr


def test_terminal__escape_sequences_are_shown_not_sent(filled: Place) -> None:
    for arguments in (["explain", f"{ESCAPE}[31mloud"], ["explain", f"{ESCAPE}[31mlouder"]):
        told = filled.start(*arguments)
        assert "\\x1b[31mloud" in told.stdout + told.stderr
        assert ESCAPE not in told.stdout + told.stderr
        assert ESCAPE not in filled.start(*arguments, "--json").stdout


def test_terminal__names_in_tables_and_refusals_are_neutral(place: Place, tmp_path: Path) -> None:
    told = place.start("preview", "2026-10", "--platform", "platform", "--now", "2026-11-02T10:00:00Z")
    assert "=1+1" in told.stdout
    (place.tables / "customers.csv").write_text(
        (place.tables / "customers.csv").read_text().replace("One", f"{ESCAPE}[2J[red]One")
    )
    refused = place.start("check", "platform")
    assert refused.status == 2
    assert "\\x1b[2J[red]One" in refused.stderr
    path = write_cdrs(tmp_path / f"x{ESCAPE}[31m[bold].csv", call("a", duration_s=f"{ESCAPE}[1m"))
    read = place.start("read", path, "--now", "2026-11-02T10:00:00Z")
    listed = place.start("quarantine")
    again = place.start("read", path)
    folded = "".join(read.stdout.replace("│", " ").split())
    assert "x\\x1b[31m[bold].csv" in folded
    assert "x\\x1b[31m[bold].csv: read before" in again.stdout
    for one in (told, refused, read, listed, again):
        assert ESCAPE not in one.stdout + one.stderr


def test_terminal__markup_in_a_label_is_shown_as_it_is(filled: Place) -> None:
    told = filled.start("preview", "2026-12", "--platform", "platform", "--now", "2026-12-28T10:00:00Z")
    assert told.status == 0
    assert "[red]France[/red]" in told.stdout


def test_quarantine__grouped_by_reason_with_what_to_do(filled: Place) -> None:
    told = filled.start("quarantine", "2026-10", "--json")
    assert told.document["counts"] == {"quarantined": 4}
    rows = {row["reason"]: row for row in told.table("Quarantine")}
    assert sorted(map(str, rows)) == ["conflict", "malformed", "no_rate", "unknown_caller"]
    assert [rows[reason]["records"] for reason in rows] == [1, 1, 1, 1]
    assert ":9: " in str(rows["malformed"]["first"])
    assert "deliver it in a new file" in str(rows["malformed"]["what_to_do"])
    assert "the next run judges it again" in str(rows["unknown_caller"]["what_to_do"])
    assert "credit and a charge" in str(rows["conflict"]["what_to_do"])
    assert "add the prefix to the deck" in str(rows["no_rate"]["what_to_do"])
    assert filled.start("quarantine", "--json").document["counts"] == {"quarantined": 4}
    empty = filled.start("quarantine", "2026-11")
    assert (empty.status, "the quarantine is empty" in empty.stdout) == (0, True)


def test_quarantine__a_call_leaves_it_once_the_tables_know_its_owner(issued: Place) -> None:
    with (issued.tables / "numbers.csv").open("a") as numbers:
        numbers.write("+3225550188,c1,BE,2026-10-01,,,,\n")
    assert issued.run("2026-11", "--cdrs", "cdrs/november.csv").status == 0
    assert "it came after 2026-10" in steps(issued, "nobody")["invoice"][0]
    reasons = {row["reason"] for row in issued.start("quarantine", "--json").table("Quarantine")}
    assert reasons == {"conflict", "malformed", "no_rate"}


def test_rules__lists_the_26_each_with_its_function_and_needs_no_store(tmp_path: Path) -> None:
    rows = Place(tmp_path).start("rules", "--json").table("Rules")
    assert len(rows) == 26
    for row in rows:
        module, _, function = str(row["function"]).rpartition(".")
        assert callable(getattr(importlib.import_module(module), function))
        assert row["sentence"]

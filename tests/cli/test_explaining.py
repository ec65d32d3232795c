"""Why a call costs what it costs, what was set aside, which rules there are; and what a terminal is never sent."""

from __future__ import annotations

import importlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from invoicing.desk import Desk, Moment
from invoicing.explaining import explain
from invoicing.explanations.reckoning import MINUS, TIMES
from invoicing.ledger import Ledger
from invoicing.progress import Silent
from invoicing.store import Store
from schemas.settings import Settings
from tests.cli.program import SMALL, Place, call, make_place, write_cdrs

if TYPE_CHECKING:
    from pathlib import Path

ESCAPE = "\x1b"


def document_of(place: Place, *arguments: str) -> dict[str, Any]:
    """An explanation as JSON."""
    told = place.start("explain", *arguments, "--json")
    assert told.status == 0, told.stderr
    return told.document


def steps(place: Place, *arguments: str) -> dict[str, tuple[str, str]]:
    """An explanation: words and rule, by what they are about."""
    return {step["about"]: (step["words"], step["rule"]) for step in document_of(place, *arguments)["steps"]}


def test_explain__a_call_partly_in_a_pack(filled: Place) -> None:
    found = steps(filled, "pack2")
    assert found["call"][0] == "Outgoing call from +3225550101 to +33142685300, 161 s."
    assert found["period"] == (
        "Started on 2 October 2026 at 10:00:00 (Europe/Brussels), so it belongs to October 2026.", "R-PERIOD"
    )  # fmt: skip
    assert found["owner"] == ("Paid by customer c1, user u1: found through the user that the record names.", "R-OWNER")
    assert found["zone"] == ("FR (international): prefix 33 of deck d, version of 1 January 2026.", "R-ZONE")
    assert found["price"] == ("0,05 EUR a minute, no setup fee.", "R-SECOND")
    assert found["pack"] == (
        "minutes had 20 s left before the call: 20 s are in the pack, 0 s are left after it.", "R-PACK"
    )  # fmt: skip
    assert found["out_of_pack"][0] == f"161 {MINUS} 20 = 141 s are charged."
    assert found["amount"] == (f"141 s {TIMES} 0,05 / 60 = 0,1175 EUR, rounded up to the cent: 0,12 EUR.", "R-SECOND")
    assert found["invoice"] == ("On invoice 2026-000001, line 3.", "R-INVOICE")


def test_explain__gives_programs_the_figures(filled: Place) -> None:
    document = document_of(filled, "pack2")
    assert (document["about"], document["call_id"], document["adds_up"]) == ("call", "pack2", True)
    figures = {step["about"]: step["figures"] for step in document["steps"]}
    assert figures["zone"] == {
        "zone_id": "FR", "zone_kind": "international", "prefix": "33", "deck_id": "d", "deck_version": "2026-01-01"
    }  # fmt: skip
    assert figures["pack"] == {"product_id": "minutes", "left_before_s": 20, "drawn_s": 20, "left_after_s": 0}
    assert figures["amount"] == {
        "charged_s": 141, "rate_micro_per_min": 50_000, "setup_micro": 0, "amount_cents": 12
    }  # fmt: skip
    assert {step["about"]: step["article"] for step in document["steps"]}["amount"] == "8.3"


@pytest.mark.parametrize(
    ("call_id", "about", "words", "rule"),
    [
        ("late", "invoice", "On invoice 2026-000002, line 3. It came, or could be rated, only after Octo", "R-LATE"),
        ("sos", "zone", "entry =112 of deck d", "R-ZONE"),
        ("sos", "price", "An emergency call is free whatever the deck says", "R-EMERGENCY"),
        ("sos", "invoice", "Settled with invoice 2026-000001, on which it may not be shown", "R-EMERGENCY"),
        ("near", "zone", "ONNET: the number called was the customer’s own that day", "R-ONNET"),  # noqa: RUF001
        ("near", "invoice", "Settled with invoice 2026-000001, which has no line of this zone", "R-INVOICE"),
        ("in", "zone", "INCOMING: a received call is free", "R-INBOUND"),
        ("in", "owner", "customer c1, user u1: found through the number that was called", "R-OWNER"),
        ("nobody", "quarantine", "unknown_caller: nobody had this user or number", "R-OWNER"),
        ("nobody", "quarantine", "october.csv:12", "R-OWNER"),
        ("nowhere", "quarantine", "no_rate", "R-ZONE"),
        ("wait", "waiting", "Accepted; the run of its period, or the next one, will rate it", "R-LATE"),
        ("mute", "unanswered", "never rated", "R-RECORD"),
        ("bad", "quarantine", "malformed: duration_s '-1' cannot be read", "R-RECORD"),
    ],
)
def test_explain__says_why(call_id: str, about: str, words: str, rule: str, filled: Place) -> None:
    explanation, cited = steps(filled, call_id)[about]
    assert words in explanation
    assert cited == rule


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("fr", "Appel sortant de +3225550101 vers +33142685300, 161 s."),
        ("nl", "Uitgaande oproep van +3225550101 naar +33142685300, 161 s."),
        ("de", "Ausgehender Anruf von +3225550101 an +33142685300, 161 s."),
        ("en", "Outgoing call from +3225550101 to +33142685300, 161 s."),
    ],
)
def test_explain__in_each_language(code: str, words: str, filled: Place) -> None:
    assert steps(filled, "pack2", "--lang", code)["call"][0] == words
    assert words in filled.start("explain", "pack2", "--lang", code).stdout


def test_explain__a_call_whose_id_came_again_with_other_content(filled: Place) -> None:
    found = steps(filled, "pack1")
    assert found["amount"][0] == f"0 s {TIMES} 0,05 / 60 = 0,00 EUR."
    assert found["quarantine"][0].startswith("conflict: duration_s '101'")


def test_explain__a_call_of_a_month_that_is_rated_and_not_issued(october_rated: Place) -> None:
    assert steps(october_rated, "pack2")["invoice"] == ("Rated for October 2026, not issued yet.", "R-INVOICE")


def test_explain__an_invoice_line_by_line(filled: Place) -> None:
    document = document_of(filled, "2026-000001")
    assert (document["about"], document["customer_id"], document["language"]) == ("invoice", "c1", "en")
    assert document["adds_up"] is True
    net = {step["about"]: step["words"] for step in document["steps"]}["net"]
    assert net == "recurring services 0,00 + calls 0,51 + one-off charges 15,02 = 15,53 EUR."
    lines = {line["line_no"]: line for line in document["lines"]}
    why, amount = (step["words"] for step in lines[max(lines)]["steps"])
    assert why.startswith("Charge h1 of 5 October 2026: dated on or before 31 October 2026 and not billed before")
    assert amount == f"1,5 {TIMES} 10,01 = 15,015 EUR, rounded to the nearest cent, a half upwards: 15,02 EUR."
    shown = filled.start("explain", "2026-000001")
    assert shown.status == 0
    for words in ("Invoice 2026-000001 of c1, One: October 2026", "art. 8.3", "[red]France[/red]", "=1+1", "15,02"):
        assert words in shown.stdout


def test_explain__a_line_with_the_services_behind_it(filled: Place) -> None:
    line = document_of(filled, "2026-000001", "1", "--lang", "fr")
    assert (line["about"], line["line_no"], line["kind"], line["language"]) == ("line", 1, "recurring", "fr")
    assert line["listings"]["services"] == [
        {"service_id": "s1", "quantity_micro": 1_000_000, "first_day": "2026-01-01", "last_day": None}
    ]
    assert [step["rule"] for step in line["steps"]] == ["R-ADVANCE", "R-NOTICE", "R-ADVANCE"]


def test_explain__a_customer_without_a_contract_pays_its_charge(tmp_path: Path) -> None:
    charge = "charge_id,customer_id,date,description,quantity,unit_price\nh1,c3,2026-10-05,Visit,1,80\n"
    contracts = SMALL["contracts"].replace("k3,c3,2026-01-01,,,\n", "")
    place = make_place(tmp_path / "none", charges=charge, contracts=contracts)
    assert place.run("2026-10").status == 0
    found = steps(place, "2026-000002")
    assert found["net"][0] == "one-off charges 80,00 = 80,00 EUR."
    assert found["due"][0] == "2 November 2026 + 30 days, as for every contract that sets none: 2 December 2026."


@pytest.fixture
def many_users(tmp_path: Path) -> Place:
    """A store in which a line of an invoice has 60 users."""
    users = "".join(f"v{number:02},c1,seat,2026-01-01,\n" for number in range(60))
    place = make_place(tmp_path / "many", users=f"user_id,customer_id,product_id,active_from,active_to\n{users}")
    assert place.run("2026-10").status == 0
    return place


def test_explain__shows_fifty_services_and_counts_the_rest(many_users: Place) -> None:
    shown = many_users.start("explain", "2026-000001", "2").stdout
    assert ("v49" in shown, "v50" in shown, "and 10 more; --json lists all" in shown) == (True, False, True)
    listed = document_of(many_users, "2026-000001", "2")["listings"]["services"]
    assert [row["service_id"] for row in listed] == [f"v{number:02}" for number in range(60)]


@pytest.mark.parametrize(
    ("arguments", "refusal"),
    [
        (["2026-000099"], "this store has no such invoice and no such call; the last invoice is 2026-000002"),
        (["2026-000001", "9"], "2026-000001, line 9: the invoice has lines 1 to 5"),
        (["2026-000001", "0"], "2026-000001, line 0: the invoice has lines 1 to 5"),
        (["2026-000001", "--call"], "2026-000001: this store has no such call"),
        (["pack2", "1"], "pack2 1: pack2 is a call; only an invoice has lines"),
        (["pack2", "--lang", "it"], "--lang it: expected one of fr, nl, de, en"),
    ],
)  # fmt: skip
def test_explain__what_is_not_there_is_refused(arguments: list[str], refusal: str, filled: Place) -> None:
    told = filled.start("explain", *arguments)
    assert (told.status, told.stdout) == (2, "")
    assert refusal in told.stderr


def test_explain__a_call_that_is_named_like_an_invoice(place: Place) -> None:
    write_cdrs(place.folder / "cdrs" / "odd.csv", call("2026-000001"), call("2026-000002"))
    assert place.run("2026-10", "--cdrs", "cdrs/odd.csv").status == 0
    invoice = place.start("explain", "2026-000001")
    assert invoice.status == 0
    assert "Invoice 2026-000001 of c1" in invoice.stdout
    assert "2026-000001 is a call too; `centime explain 2026-000001 --call` explains that one" in invoice.stdout
    assert document_of(place, "2026-000001", "--call")["title"] == "Call 2026-000001"
    # No invoice has the number of the other one.
    assert document_of(place, "2026-000002")["title"] == "Call 2026-000002"


@pytest.mark.parametrize(
    ("sql", "fault"),
    [
        (
            "update lines set net_cents = net_cents + 1 where line_no = 1",
            "line 1, does not add up: issued were quantity 1, 0,01 EUR; its rule now gives quantity 1, 0,00 EUR.",
        ),
        (
            "update lines set unit_price_micro = 7 where line_no = 1",
            "line 1, does not add up: issued were quantity 1, 0,00 EUR; its rule now gives no such line.",
        ),
        ("update lines set source_id = 'h2' where kind = 'one_off'", "line 5, does not add up: issued were"),
        ("update invoices set vat_cents = vat_cents + 1", "does not add up: its vat_cents is not what its parts"),
        ("update invoices set structured_communication = '+++0+++'", "does not add up: its structured_comm"),
    ],
)  # fmt: skip
def test_explain__what_does_not_add_up_is_said(sql: str, fault: str, october_issued: Place) -> None:
    ledger = Ledger(october_issued.store / "ledger.duckdb")
    ledger.execute("begin transaction")
    try:
        ledger.execute(sql)
        now = datetime(2026, 11, 2, tzinfo=UTC)
        desk = Desk(Store(october_issued.store), ledger, Settings(), now, now.date(), Moment("now", "0"), Silent())
        found = explain(desk, "2026-000001", None, "en").every_fault()
    finally:
        ledger.execute("rollback")
        ledger.close()
    assert fault in "\n".join(found)


def test_explain__what_does_not_add_up_leaves_with_1(issued: Place) -> None:
    ledger = Ledger(issued.store / "ledger.duckdb")
    ledger.execute("update lines set net_cents = net_cents + 1 where line_no = 1")
    ledger.close()
    told = issued.start("explain", "2026-000001")
    assert told.status == 1
    assert told.stderr.startswith("look at this: 2026-000001")
    assert "line 1, does not add up: issued were quantity 1, 0,01 EUR" in told.stderr
    document = issued.start("explain", "2026-000001", "--json").document
    assert document["adds_up"] is False
    assert document["attention"]


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
    # A long path is folded within its own column.
    folded = "".join(line.split("│")[1].strip() for line in read.stdout.splitlines() if "│" in line)
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
    assert "only after October 2026 was invoiced" in steps(issued, "nobody")["invoice"][0]
    reasons = {row["reason"] for row in issued.start("quarantine", "--json").table("Quarantine")}
    assert reasons == {"conflict", "malformed", "no_rate"}


def test_rules__lists_the_28_each_with_its_function_and_needs_no_store(tmp_path: Path) -> None:
    rows = Place(tmp_path).start("rules", "--json").table("Rules")
    assert len(rows) == 28
    for row in rows:
        module, _, function = str(row["function"]).rpartition(".")
        assert callable(getattr(importlib.import_module(module), function))
        assert row["sentence"]


def test_explain__a_credit_note_is_named_as_one(october_corrected: Place) -> None:
    told = october_corrected.start("explain", "CN2026-000001")
    assert told.status == 2
    assert "CN2026-000001 is a credit note on 2026-000001: `centime explain 2026-000001`" in told.stderr
    assert "export credit_note_lines 2026-11 -o FILE" in told.stderr

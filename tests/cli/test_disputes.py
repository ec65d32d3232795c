"""`centime dispute`: a claim about an invoice, and what becomes of it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest

from invoicing.dispute_checks import dispute_differences
from invoicing.event_checks import event_differences
from invoicing.ledger import Ledger
from tests.cli.altered import said_of
from tests.cli.conftest import copy
from tests.cli.disputing import ANOTHER_SEAT, DISPUTE, INVOICE, NOW, dispute, ids, opened, settle
from tests.cli.program import SMALL, bytes_of, make_place, write_tables

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.program import Place

GOLDEN = Path(__file__).parents[1] / "golden" / "dispute.txt"


def exported(place: Place, table: str, period: str = "2026-10") -> list[dict[str, str]]:
    assert place.start("export", table, period, "-o", "x.csv").status == 0
    return pl.read_csv(place.folder / "x.csv", infer_schema=False).to_dicts()


def one(place: Place, sql: str) -> tuple[object, ...]:
    """The one row of a query."""
    ledger = Ledger(place.store / "ledger.duckdb", read_only=True)
    (row,) = ledger.rows(sql)
    ledger.close()
    return tuple(row)


def count(place: Place, table: str) -> int:
    (found,) = one(place, f"select count(*) from {table}")  # noqa: S608 - a name of this file
    return int(str(found))


@pytest.mark.parametrize(
    ("claimed_on", "now", "late"),
    [
        ("2026-11-02", NOW, False),  # the day of the invoice
        ("2026-12-02", "2026-12-20T10:00:00Z", False),  # 30 days after it
        ("2026-12-03", "2026-12-20T10:00:00Z", True),
        (None, "2027-01-05T10:00:00Z", True),
    ],
)
def test_dispute__a_claim_is_late_after_30_days(claimed_on: str | None, now: str, late: bool, issued: Place) -> None:
    told = opened(issued, *(["--date", claimed_on] if claimed_on else []), now=now)
    assert told.status == 0, told.stderr
    (row,) = told.table("Dispute")
    assert (row["late"], row["claimed_on"], row["dispute_number"]) == (
        late, claimed_on or "2027-01-05", f"D{now[:4]}-000001"
    )  # fmt: skip
    assert ("more than 30 days after" in json.dumps(told.document["messages"])) is late
    assert issued.start("verify").status == 0


@pytest.mark.parametrize("suffix", ["csv", "ndjson", "parquet", "txt"])
def test_dispute__calls_are_named_in_files_of_every_kind(suffix: str, issued: Place) -> None:
    frame, path = pl.DataFrame({"call_id": [" pack2 ", "pack1"]}), issued.folder / f"ids.{suffix}"
    if suffix == "txt":
        path.write_text("pack2\n\npack1\n", encoding="utf-8")
    else:
        {"csv": frame.write_csv, "ndjson": frame.write_ndjson, "parquet": frame.write_parquet}[suffix](path)
    told = opened(issued, "--calls", path, "--line", "3")
    assert [row["call_id"] for row in told.table("Calls disputed")] == ["pack1", "pack2"]
    assert [row["line_no"] for row in told.table("Lines disputed")] == [3]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--calls", "foreign.txt"], f"invoice {INVOICE}: not calls of this invoice: mute, nobody, nowhere"),
        (["--calls", "empty.txt"], "--calls: the file names no call"),
        (["--calls", "missing.txt"], "missing.txt: expected a .txt"),
        (["--line", "6"], f"invoice {INVOICE}: there is no line 6; it has the lines 1 to 5"),
        (["--date", "2026-11-01"], "expected a day from that of the invoice, 2026-11-02, to today, 2026-11-05"),
        (["--date", "2026-11-06"], "expected a day from that of the invoice, 2026-11-02, to today, 2026-11-05"),
        (["--reason", " "], "--reason: expected 1 to 300 characters"),
        (["--calls", "open.txt"], f"{DISPUTE} is open about the same (call pack2); settle or reject that one"),
        (["--line", "4"], f"{DISPUTE} is open about the same (line 4); settle or reject that one"),
    ],
)
def test_dispute__what_cannot_be_claimed_is_refused(options: list[str], said: str, claimed: Place) -> None:
    ids(claimed, "pack2", "nobody", "nowhere", "mute", name="foreign.txt")
    ids(claimed, "", name="empty.txt")
    ids(claimed, "info", "pack2", name="open.txt")
    before = bytes_of(claimed.store)
    told = opened(claimed, *options)
    assert told.status == 2
    assert said in str(told.document["error"])
    assert bytes_of(claimed.store) == before


def test_dispute__of_an_invoice_that_is_not_there_is_refused(issued: Place) -> None:
    told = dispute(issued, "open", "2026-000099", "--reason", "x")
    assert told.status == 2
    assert "2026-000099: no invoice of this store has this number" in str(told.document["error"])


@pytest.fixture
def claimed(october_claimed: Place, tmp_path: Path) -> Place:
    return copy(october_claimed, tmp_path / "claimed")


def test_dispute__the_invoice_as_such_is_disputed_once(issued: Place) -> None:
    assert opened(issued).status == 0
    assert "the same (the invoice as a whole)" in str(opened(issued).document["error"])


def test_dispute__a_rejected_one_stays_rejected(claimed: Place) -> None:
    told = dispute(claimed, "reject", DISPUTE, "--reason", "The calls were made")
    assert told.status == 0, told.stderr
    (row,) = told.table("Dispute")
    assert (row["state"], row["outcome"]) == ("rejected", "The calls were made")
    before = bytes_of(claimed.store)
    for again in (dispute(claimed, "reject", DISPUTE, "--reason", "x"), settle(claimed, "credit-note")):
        assert again.status == 2
        assert f"{DISPUTE}: it is rejected already" in str(again.document["error"])
    assert "no such dispute" in str(dispute(claimed, "reject", "D2026-000009", "--reason", "x").document["error"])
    assert bytes_of(claimed.store) == before
    # What was decided may be claimed anew, as a dispute of its own.
    assert opened(claimed, "--calls", "ids.txt").table("Dispute")[0]["dispute_number"] == "D2026-000002"
    listed = dispute(claimed, "list", "--state", "open").table("Disputes")
    assert [row["dispute_number"] for row in listed] == ["D2026-000002"]
    for about, found in ((INVOICE, 2), ("c1", 2), ("c3", 0)):
        assert dispute(claimed, "list", about).document["counts"]["disputes"] == found  # type: ignore[index]
    assert dispute(claimed, "list", "--state", "closed").status == 2
    assert claimed.start("verify").status == 0


@pytest.mark.parametrize("form", ["credit-note", "corrected-invoice"])
def test_settle__a_dry_run_shows_it_and_changes_nothing(form: str, claimed: Place) -> None:
    before = bytes_of(claimed.store)
    told = settle(claimed, form, "--dry-run")
    assert told.status == 0, told.stderr
    assert bytes_of(claimed.store) == before
    (line,) = told.table("Lines that differ")
    assert (line["zone_id"], line["net_cents_invoiced"], line["net_cents_corrected"]) == ("FR", 32, 19)
    credited = 13 if form == "credit-note" else 1553
    assert told.document["sums"] == {
        "invoiced_net_cents": 1553, "left_net_cents": 1553, "corrected_net_cents": 1540,
        "credited_net_cents": credited, "credited_vat_cents": 3 if form == "credit-note" else 326,
    }  # fmt: skip
    assert "nothing was changed" in told.document["messages"]  # type: ignore[operator]


@pytest.mark.usefixtures("no_documents")
def test_settle__an_invoice_may_be_corrected_in_its_address_alone(claimed: Place) -> None:
    shutil.copytree(claimed.tables, claimed.folder / "moved")
    customers = claimed.folder / "moved" / "customers.csv"
    text = customers.read_text(encoding="utf-8")
    name = text.splitlines()[1].split(",")[1]
    customers.write_text(text.replace(f"c1,{name},", "c1,Another Name,"), encoding="utf-8")
    told = settle(claimed, "corrected-invoice", "--platform", "moved")
    assert told.status == 0, told.stderr
    (first, now) = (row for row in exported(claimed, "invoices") if row["customer_id"] == "c1")
    assert (first["net_cents"], first["vat_cents"]) == (now["net_cents"], now["vat_cents"])
    (stored,) = one(claimed, "select customer from invoices where supersedes is not null")
    assert "Another Name" in str(stored)
    assert claimed.start("verify").status == 0


DEARER = SMALL["rates"].replace("d,33,FR,0.05,", "d,33,FR,0.07,")


@pytest.mark.parametrize(
    ("form", "options", "said"),
    [
        ("both", [], "--as both: expected one of credit-note and corrected-invoice"),
        ("credit-note", ["--deck", "dearer.csv"], "the customer would pay 0.13 more, which no credit note can ask for"),
        ("credit-note", ["--platform", "seats"], "changes the users billed (1 before, 2 as corrected; R-CAP)"),
        ("credit-note", ["--platform", "platform"], "there is no difference to credit"),
        ("corrected-invoice", ["--platform", "platform"], "every line of it is the same, and so is its customer"),
        ("corrected-invoice", ["--without-calls", "nobody.txt"], "not calls of this invoice: nobody"),
        ("corrected-invoice", ["--platform", "nowhere"], "nowhere is no folder"),
        ("corrected-invoice", ["--deck", "nobody.txt"], "nobody.txt: expected a file of the table rates"),
        (
            "corrected-invoice",
            ["--date", "2026-11-01"],
            "invoice date 2026-11-01: the last invoice is dated 2026-11-02",
        ),
        ("credit-note", ["--date", "2026-11-01"], "credit note date 2026-11-01: invoice 2026-000001 is dated"),
        ("credit-note", ["--reason", ""], "--reason: expected 1 to 300 characters"),
    ],
)
def test_settle__what_cannot_be_is_refused(form: str, options: list[str], said: str, claimed: Place) -> None:
    ids(claimed, "nobody", name="nobody.txt")
    (claimed.folder / "dearer.csv").write_text(DEARER, encoding="utf-8")
    write_tables(claimed.folder / "seats", users=ANOTHER_SEAT)
    before = bytes_of(claimed.store)
    told = settle(claimed, form, *options)
    assert told.status == 2
    assert said in str(told.document["error"])
    assert bytes_of(claimed.store) == before


def test_settle__a_claim_about_nothing_in_particular_needs_to_be_told_what_was_wrong(issued: Place) -> None:
    assert opened(issued).status == 0
    told = settle(issued, "credit-note")
    assert told.status == 2
    assert "give --without-calls, --platform, --deck or --config" in str(told.document["error"])


def test_settle__a_corrected_invoice_supersedes_the_first_which_stays_as_it_was(
    october_corrected: Place, october_claimed: Place
) -> None:
    was = exported(october_claimed, "lines")
    now = exported(october_corrected, "lines")
    assert [row for row in now if row["invoice_number"] == INVOICE] == was
    found = exported(october_corrected, "invoices")
    assert [(row["status"], row["supersedes"], row["net_cents"], row["due_date"]) for row in found] == [
        ("superseded", None, "1553", "2026-12-02"), ("issued", INVOICE, "1540", "2026-12-05")
    ]  # fmt: skip
    (note,) = exported(october_corrected, "credit_notes", "2026-11")
    assert (note["invoice_number"], note["net_cents"], note["vat_cents"]) == (INVOICE, "1553", "326")
    rated = {row["call_id"]: (row["invoice_number"], row["pack_s"]) for row in exported(october_corrected, "rated")}
    # The call that was taken off stays where it was; what it took of the pack is there for those after it.
    assert rated["pack2"] == (INVOICE, "20")
    assert rated["[red]odd[/red]"] == ("2026-000002", "20")
    assert {number for call_id, (number, _) in rated.items() if call_id != "pack2"} == {"2026-000002"}


def test_settle__a_corrected_invoice_is_booked_in_the_month_of_its_date(october_corrected: Place) -> None:
    october, november = (exported(october_corrected, "journal", period) for period in ("2026-10", "2026-11"))
    assert {row["document_number"] for row in october} == {INVOICE}
    assert {row["document_number"]: row["invoice_number"] for row in november} == {
        "2026-000002": "2026-000002", "CN2026-000001": INVOICE
    }  # fmt: skip
    assert sum(int(row["debit_cents"]) - int(row["credit_cents"]) for row in november) == 0


@pytest.mark.parametrize("number", [INVOICE, "2026-000002"])
def test_settle__both_invoices_are_made_again_and_explained(number: str, october_corrected: Place) -> None:
    told = october_corrected.start("rerun", number, "--json")
    assert told.status == 0, told.stderr
    assert told.document["counts"]["differences"] == 0  # type: ignore[index]
    explained = october_corrected.start("explain", number, "--json")
    assert (explained.status, explained.document["attention"]) == (0, [])
    said = {INVOICE: "Another came in its place: 2026-000002", "2026-000002": f"In place of invoice {INVOICE}"}
    assert said[number] in json.dumps(explained.document)


def test_settle__the_store_holds_and_its_history_tells_it(october_corrected: Place) -> None:
    assert october_corrected.start("verify").status == 0
    said = {
        number: [row["kind"] for row in october_corrected.start("history", number, "--json").table("History")]
        for number in (INVOICE, "2026-000002", DISPUTE)
    }
    assert said[DISPUTE] == ["disputed", "credited", "corrected", "decided", "published", "published"]
    assert said["2026-000002"] == ["read", "rated", "issued", *said[DISPUTE]]
    assert set(said[INVOICE]) >= {"read", "rated", "issued", "disputed", "corrected", "decided", "credited"}
    told = october_corrected.start("explain", "pack2").stdout
    assert "Invoiced on 2026-000001 and taken off by dispute D2026-000001" in told
    differing = october_corrected.start("diff", INVOICE, "2026-000002", "--calls", "differing.csv", "--json")
    assert differing.document["sums"]["difference_cents"] == -13  # type: ignore[index]
    calls = pl.read_csv(october_corrected.folder / "differing.csv", infer_schema=False)["call_id"].to_list()
    assert sorted(calls) == ["[red]odd[/red]", "pack2"]


def test_settle__what_was_superseded_is_corrected_no_more(october_corrected: Place, tmp_path: Path) -> None:
    place = copy(october_corrected, tmp_path / "place")
    before = bytes_of(place.store)
    assert "2026-000002 supersedes it; open a dispute about that one" in str(opened(place).document["error"])
    assert "is settled already" in str(settle(place, "corrected-invoice").document["error"])
    credited = place.start("credit", INVOICE, "--all", "--reason", "x", "--now", NOW)
    assert (credited.status, "nothing is left to credit" in credited.stderr) == (2, True)
    assert bytes_of(place.store) == before


def test_settle__what_people_see(october_claimed: Place, tmp_path: Path) -> None:
    place = copy(october_claimed, tmp_path / "place")
    seen = [
        place.start("dispute", *arguments, "--now", NOW)
        for arguments in (
            ("settle", DISPUTE, "--as", "corrected-invoice", "--reason", "Two calls were not placed", "--dry-run"),
            ("show", DISPUTE),
            ("list",),
        )
    ]
    assert [told.status for told in seen] == [0, 0, 0]
    lines = (line.rstrip() for told in seen for line in told.stdout.splitlines())
    assert "\n".join(lines) + "\n" == GOLDEN.read_text(encoding="utf-8")


ALTERED = [
    ("update disputes set late = true", f"dispute {DISPUTE}: it is not marked late or in time"),
    ("update disputes set sequence = 2", f"dispute {DISPUTE}: the sequence of its year has a gap"),
    ("update disputes set customer_id = 'c9'", f"dispute {DISPUTE}: there is no such invoice of this customer"),
    ("update dispute_lines set line_no = 9", f"dispute {DISPUTE}: it is about a line that its invoice does not have"),
    ("update dispute_outcomes set state = 'rejected'", f"dispute {DISPUTE}: its outcome is neither"),
    ("update dispute_outcomes set credit_note_number = 'CN2026-000009'", "its credit note is not one of its invoice"),
    ("delete from dispute_outcomes", f"dispute {DISPUTE}: its correction is not of its invoice"),
    ("delete from disputes", f"dispute {DISPUTE}: it has an outcome, and there is no such dispute"),
    ("delete from corrections", "invoice 2026-000002: it supersedes another, and is not its correction"),
    ("update corrections set net_cents = 1", "invoice 2026-000002: it does not come to what its correction came to"),
    ("update corrections set replaces = 9", f"dispute {DISPUTE}: its correction was not made of the invoice as it was"),
    ("update invoices set supersedes = null", "invoice 2026-000002: a correction names it, and it supersedes nothing"),
    ("update credit_notes set net_cents = 5", f"invoice {INVOICE}: it is superseded, and its credit notes left"),
    ("update corrected_user_counts set billed = 7", "invoice 2026-000002: the users billed by product are not those"),
    ("update corrected_user_counts set period = '2026-09'", "invoice 2026-000002: the users restated with it are not"),
]
OF_EVENTS = [
    ("update dispute_calls set call_id = 'info'", f"event 4 (disputed {DISPUTE}): the ledger has another"),
    ("update corrections set calls_off = 2", f"event 6 (corrected {INVOICE}): the ledger has another calls_off"),
]


@pytest.mark.parametrize(
    ("sql", "said", "check"),
    [
        *((*altered, dispute_differences) for altered in ALTERED),
        *((*altered, event_differences) for altered in OF_EVENTS),
    ],
)
def test_verify__what_was_altered_of_a_dispute_is_named(
    sql: str, said: str, check: Callable[[Ledger], list[str]], october_corrected: Place
) -> None:
    assert said in "\n".join(said_of(october_corrected, sql, check))


# A row of each table that disputes are checked by, where there is no dispute; what is missing beside it is named.
ALONE = {
    "disputes": ("'D9', 1, 'x', 'c1', '2026-11-01', false, 'x', '2026-11-01', 'x', 'x'", "no such invoice"),
    "dispute_lines": ("'D9', 1", "it is about a line"),
    "dispute_calls": ("'D9', 'x'", "it has calls, and there is no such dispute"),
    "dispute_outcomes": (
        "'D9', 'rejected', 'x', '2026-11-01', 'x', 'x', null, null",
        "it has an outcome, and there is",
    ),
    "corrections": ("9, 1, 'D9', '2026-10', 'c1', 'x', null, 1, 'x', '[]', '{}', 'x', 'x', 1, 1, 0", "its correction"),
    "corrected_user_counts": ("'x', 'c1', '2026-10', 1, 0, 0, 1", "the users restated with it"),
    "corrected_users_billed": ("'x', 'c1', '2026-10', 'seat', 1", "the users restated with it"),
}


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        *((f"insert into {table} values ({row})", said) for table, (row, said) in ALONE.items()),  # noqa: S608
        ("update invoices set supersedes = 'x'", "it supersedes another, and is not its correction"),
    ],
    ids=[*ALONE, "invoices"],
)
def test_verify__names_what_is_there_without_its_dispute(sql: str, said: str, october_issued: Place) -> None:
    assert said_of(october_issued, "select 1", dispute_differences) == []
    assert said in "\n".join(said_of(october_issued, sql, dispute_differences))


def test_verify__has_the_checks_of_disputes(october_corrected: Place, tmp_path: Path) -> None:
    place = copy(october_corrected, tmp_path / "place")
    ledger = Ledger(place.store / "ledger.duckdb")
    ledger.execute("update disputes set late = true; update corrections set calls_off = 2")
    ledger.close()
    told = place.start("verify", "--json")
    assert told.status == 3
    attention = json.dumps(told.document["attention"])
    assert f"dispute {DISPUTE}: it is not marked late or in time" in attention
    assert f"event 6 (corrected {INVOICE}): the ledger has another calls_off" in attention
    # The calls of the files are held against it too, which the checks of the ledger alone cannot.
    assert f"dispute {DISPUTE}: the calls of its correction are not those counted" in attention


BUSINESS = SMALL["customers"].replace("language\n", "language,vat_number\n").replace("en\n", "fr,BE0428759497\n")
SUPPLIER = """
[supplier]
name = "Maison"
street = "Rue 1"
postal_code = "4020"
city = "Wandre"
country = "BE"
vat_number = "BE0404484654"
iban = "BE68539007547034"
bic = "GKCCBEBB"
"""


def test_settle__the_next_month_and_the_electronic_documents_follow_the_corrected_invoice(tmp_path: Path) -> None:
    place = make_place(tmp_path / "place", customers=BUSINESS)
    (place.folder / "centime.toml").write_text(f"[billing]\nquarantine_threshold = 1\n{SUPPLIER}", encoding="utf-8")
    assert place.run("2026-10", "--cdrs", "cdrs/october.csv").status == 0
    assert opened(place).status == 0
    (place.folder / "dearer.csv").write_text(DEARER, encoding="utf-8")
    told = settle(place, "corrected-invoice", "--deck", place.folder / "dearer.csv")
    assert told.status == 0, told.stderr
    (place.folder / "dearer.csv").unlink()
    written = place.store / "invoices/2026/2026-000002.xml"
    text = written.read_text(encoding="utf-8")
    assert "<cac:BillingReference><cac:InvoiceDocumentReference><cbc:ID>2026-000001</cbc:ID>" in text.replace(
        "\n", ""
    ).replace("  ", "")
    assert "<cbc:InvoiceTypeCode>380</cbc:InvoiceTypeCode>" in text
    assert json.loads((place.store / "outbox/2026/2026-000002.json").read_text())["document_number"] == "2026-000002"
    # What is made again is compared with what the rules let pass.
    assert json.loads((place.store / "outbox/2026/2026-000002.json").read_text())["rules"].startswith("EN 16931")
    lenient = f"[billing]\nquarantine_threshold = 1\n[documents]\nvalidate = false\n{SUPPLIER}"
    (place.folder / "centime.toml").write_text(lenient, encoding="utf-8")
    # The calls of October that come late are rated with what the corrected invoice left of the pack: nothing.
    assert place.run("2026-11", "--cdrs", "cdrs/november.csv").status == 0
    assert place.start("verify").status == 0
    for number in ("2026-000001", "2026-000002", "2026-000003"):
        again = place.start("rerun", number, "--json")
        assert (again.status, again.document["counts"]["differences"]) == (0, 0), number  # type: ignore[index]

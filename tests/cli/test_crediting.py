"""Credit notes on the command line: what is credited, what is refused, what is left and what is published."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import polars as pl
import pytest
from lxml import etree

from invoicing.credit_notes import left_of
from invoicing.crediting import CREDITED_BEFORE, ON_THE_WHOLE, described
from tests.cli.conftest import without_documents
from tests.cli.program import SETTINGS, bytes_of, make_place
from tests.stored.test_ledger import back_to_format_2

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.program import Place, Told

NOW = ["--now", "2026-11-05T10:00:00Z"]
INVOICE = "2026-000001"
COLUMNS = {
    "credit_notes": "credit_note_number invoice_number customer_id credit_note_date net_cents vat_cents gross_cents "
    "reason",
    "credit_note_lines": "credit_note_number line_no invoice_number invoice_line_no customer_id kind product_id "
    "zone_id traffic_period rule description service_from service_to quantity unit_price net_cents vat_category "
    "vat_rate",
}


def credit(place: Place, *arguments: str, reason: str = "Too much", now: str = NOW[1]) -> Told:
    """A credit note on the one invoice: 0 + 0 + 0.32 + 0.19 + 15.02 = 15.53, and 3.26 of VAT."""
    return place.start("credit", INVOICE, *arguments, "--reason", reason, "--now", now, "--json")


def counted(told: Told) -> tuple[int, int, int, int]:
    """Net and VAT credited, net and VAT left."""
    assert told.status == 0, told.stderr
    sums = told.document["sums"]
    assert isinstance(sums, dict)
    assert sums["gross_cents"] == sums["net_cents"] + sums["vat_cents"]
    net, vat, left_net, left_vat = (
        int(sums[name]) for name in ("net_cents", "vat_cents", "left_net_cents", "left_vat_cents")
    )
    return net, vat, left_net, left_vat


def exported(place: Place, table: str, period: str = "2026-11") -> list[dict[str, object]]:
    assert place.start("export", table, period, "-o", f"{table}.ndjson").status == 0
    return [json.loads(line) for line in (place.folder / f"{table}.ndjson").read_text().splitlines()]


def test_credit__a_line_is_numbered_told_stored_and_published(issued: Place) -> None:
    told = credit(issued, "--line", "3", reason="  Line never worked  ")
    assert counted(told) == (32, 7, 1521, 319)
    assert told.document["files_written"] == ["store/invoices/2026/CN2026-000001.pdf"]
    assert (issued.store / "invoices/2026/CN2026-000001.pdf").read_bytes().startswith(b"%PDF")
    assert told.table("Credit note") == [
        {
            "credit_note_number": "CN2026-000001", "invoice_number": INVOICE, "customer_id": "c1",
            "credit_note_date": "2026-11-05", "net_cents": 32, "vat_cents": 7, "gross_cents": 39,
        }
    ]  # fmt: skip
    assert [row["left_cents"] for row in told.table(f"Left of invoice {INVOICE}")] == [0, 0, 0, 19, 1502]
    messages = told.document["messages"]
    assert isinstance(messages, list)
    assert messages[:2] == [
        f"CN2026-000001: 0.32 EUR and 0.07 EUR of VAT credited on invoice {INVOICE}",
        f"{INVOICE}: 15.21 EUR and 3.19 EUR of VAT left",
    ]
    (note,) = exported(issued, "credit_notes")
    assert (note["reason"], note["credit_note_date"]) == ("Line never worked", "2026-11-05")
    (line,) = exported(issued, "credit_note_lines")
    assert {name: line[name] for name in ("invoice_line_no", "kind", "zone_id", "rule", "quantity", "unit_price")} == {
        "invoice_line_no": 3, "kind": "traffic", "zone_id": "FR", "rule": "R-SECOND", "quantity": "381",
        "unit_price": None,
    }  # fmt: skip
    assert issued.start("verify").status == 0


@pytest.mark.usefixtures("no_documents")
def test_credit__one_after_the_other_until_nothing_is_left(issued: Place) -> None:
    steps = [
        (["--amount", "2", "--line", "5"], (200, 42, 1353, 284)),
        (["--amount", "2", "--line", "5"], (200, 42, 1153, 242)),  # the same again is another one
        (["--amount", "1.5"], (150, 32, 1003, 210)),
        (["--line", "4", "--line", "3", "--line", "4"], (51, 11, 952, 199)),
        (["--all"], (952, 199, 0, 0)),  # 1.9992: half up would be 2.00, and 1.99 are left
    ]
    for arguments, amounts in steps:
        assert counted(credit(issued, *arguments)) == amounts
    lines = exported(issued, "credit_note_lines")
    assert [(row["line_no"], row["invoice_line_no"], row["description"], row["net_cents"]) for row in lines[-2:]] == [
        (1, 5, "=1+1", 1102),
        (2, None, f"Already credited on invoice {INVOICE}", -150),
    ]
    assert (lines[-2]["quantity"], lines[-2]["unit_price"], lines[-2]["service_from"]) == ("1", "11.02", "2026-10-05")
    assert [row["description"] for row in lines if row["net_cents"] == 150] == [f"Credit on invoice {INVOICE}"]
    before = bytes_of(issued.store)
    told = credit(issued, "--all")
    assert told.status == 2
    assert f"invoice {INVOICE}: nothing is left to credit: its credit notes took back all of it" in told.stderr
    assert bytes_of(issued.store) == before
    assert issued.start("verify").status == 0


@pytest.mark.usefixtures("no_documents")
def test_credit__changes_nothing_of_the_invoice(issued: Place) -> None:
    tables = ("invoices", "lines", "rated", "user_counts", "journal")
    before = {table: exported(issued, table, "2026-10") for table in tables}
    assert credit(issued, "--all").status == 0
    assert {table: exported(issued, table, "2026-10") for table in tables} == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--line", "9"], "there is no line 9; it has the lines 1 to 5"),
        (["--line", "0"], "there is no line 0"),
        (["--line", "1"], "nothing is left of line 1"),
        (["--amount", "15.54"], "15.53 EUR without VAT are left of it"),
        (["--amount", "0.33", "--line", "3"], "0.32 EUR without VAT are left of line 3, and 0.33 were asked for"),
        *((["--amount", amount], "expected an amount above 0 in euro without VAT") for amount in (
            "0", "0.00", "-1", "+1", "1.234", "1,5", "1e2", "", "nan", "1234567890123", "\u0661",
        )),
        ([], "expected one of --line N (may be repeated), --amount X"),
        (["--all", "--line", "3"], "expected one of --line N (may be repeated), --amount X"),
        (["--all", "--amount", "1"], "expected one of --line N (may be repeated), --amount X"),
        (["--amount", "1", "--line", "3", "--line", "4"], "give at most one --line with it"),
        (["--all", "--date", "2026-11-01"], f"invoice {INVOICE} is dated 2026-11-02"),
        (["--all", "--date", "2027-12-01"], "credit note date 2027-12-01: it is 2026-11-05, and a date more than 366"),
        (["--all", "--date", "today"], "--date today: expected a day written YYYY-MM-DD"),
    ],
    ids=lambda found: " ".join(found) if isinstance(found, list) else "",
)  # fmt: skip
def test_credit__what_cannot_be_is_refused_and_changes_nothing(
    arguments: list[str], said: str, october_issued: Place
) -> None:
    before = bytes_of(october_issued.store)
    told = credit(october_issued, *arguments)
    assert told.status == 2
    assert said in told.stderr
    assert "Traceback" not in told.stderr
    assert bytes_of(october_issued.store) == before


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("", "expected 1 to 300 characters that say why, found 0"),
        (" \t ", "expected 1 to 300 characters that say why, found 0"),
        ("x" * 301, "found 301"),
        *((f"a{bad}b", "expected one line of text") for bad in ("\n", "\x1b[31m", "\u2028", "\uffff")),
        ("a\udc80b", r"'a\udc80b' is not UTF-8; write or name it so"),
    ],
)
def test_credit__a_reason_is_one_line_of_text(reason: str, said: str, october_issued: Place) -> None:
    before = bytes_of(october_issued.store)
    told = credit(october_issued, "--all", reason=reason)
    assert told.status == 2
    assert said in told.stderr
    assert bytes_of(october_issued.store) == before


@pytest.mark.parametrize("number", ["2026-000002", "CN2026-000001", "2026-1", "' or 1=1 --"])
def test_credit__an_invoice_that_is_not_there_is_refused(number: str, october_issued: Place) -> None:
    before = bytes_of(october_issued.store)
    told = october_issued.start("credit", number, "--all", "--reason", "x", *NOW)
    assert told.status == 2
    assert f"{number}: no invoice of this store has this number" in told.stderr
    assert bytes_of(october_issued.store) == before


def test_credit__without_a_store_makes_none(place: Place) -> None:
    assert credit(place, "--all").status == 2
    assert not place.store.exists()


@pytest.mark.usefixtures("no_documents")
def test_credit__dates_never_go_back_and_each_year_has_its_series(issued: Place) -> None:
    def number(*arguments: str, now: str = NOW[1]) -> object:
        told = credit(issued, "--amount", "0.10", *arguments, now=now)
        return told.table("Credit note")[0]["credit_note_number"] if told.status == 0 else told.document["error"]

    assert number("--date", "2026-11-02") == "CN2026-000001"  # the day of the invoice
    assert number("--date", "2026-12-31") == "CN2026-000002"
    assert "the last credit note is dated 2026-12-31" in str(number())
    assert number(now="2027-01-01T00:00:00+01:00") == "CN2027-000001"  # the local day
    assert "the last credit note is dated 2027-01-01" in str(number("--date", "2026-12-31"))
    assert number("--date", "2027-01-01") == "CN2027-000002"
    assert [note["credit_note_number"] for note in exported(issued, "credit_notes", "2026-12")] == ["CN2026-000002"]
    assert issued.start("verify").status == 0


def test_export__credit_notes_have_their_columns_also_in_a_month_without_any(issued: Place) -> None:
    for table, columns in COLUMNS.items():
        for suffix in ("csv", "xlsx", "parquet", "ndjson"):
            told = issued.start("export", table, "2026-12", "-o", f"x.{suffix}", "--json")
            assert (told.status, told.document["warnings"], told.document["counts"]) == (0, [], {"rows": 0})
        assert (issued.folder / "x.csv").read_text().split("\n")[0].split(",") == columns.split()


def test_render__a_month_has_its_invoices_and_the_credit_notes_dated_in_it(issued: Place) -> None:
    assert credit(issued, "--line", "3").status == 0
    first = bytes_of(issued.store / "invoices")
    # With other settings, as time goes by: it is made with those it was made with.
    (issued.folder / "centime.toml").write_text('[supplier]\nname = "Another"\n', encoding="utf-8")
    for path in (issued.store / "invoices").rglob("*.pdf"):
        path.unlink()
    november = issued.start("render", "2026-11", "--json")
    assert november.document["files_written"] == ["store/invoices/2026/CN2026-000001.pdf"]
    assert bytes_of(issued.store / "invoices") == first
    october = issued.start("render", "2026-10", "--json")
    assert october.document["files_written"] == [f"store/invoices/2026/{INVOICE}.pdf"]
    december = issued.start("render", "2026-12")
    assert december.status == 2
    assert "2026-12: not issued in this store" in december.stderr


@pytest.mark.parametrize("language", ["fr", "nl", "de", "en"])
def test_credit__amounts_on_the_whole_are_named_in_the_customers_language(language: str) -> None:
    line = {
        "line_no": 1, "kind": "recurring", "rule": "R-ADVANCE", "description": "Seat", "quantity_micro": 2_000_000,
        "unit_price_micro": 5_000_000, "product_id": "seat", "zone_id": None, "traffic_period": None,
        "service_from": None, "service_to": None, "net_cents": 1000, "vat_category": "S", "vat_rate_micro": 21_000_000,
    }  # fmt: skip
    vat = {"vat_category": "S", "vat_rate_micro": 21_000_000}
    totals = pl.DataFrame([{**vat, "base_cents": 1000, "vat_cents": 210}])
    nothing = pl.DataFrame(schema={"invoice_line_no": pl.Int64, "net_cents": pl.Int64})
    left = left_of("2026-000007", pl.DataFrame([line]), totals, nothing, totals.clear())
    asked = [(1, 1000), (1, 300), (None, 200), (None, -200)]
    lines = pl.DataFrame([{"invoice_line_no": number, "net_cents": net, **vat} for number, net in asked])
    found = described(lines, left, {"customer": json.dumps({"language": language})})
    words = [ON_THE_WHOLE[language].format("2026-000007"), CREDITED_BEFORE[language].format("2026-000007")]
    assert found["description"].to_list() == ["Seat", "Seat", *words]
    assert found["quantity_micro"].to_list() == [2_000_000, 1_000_000, 1_000_000, 1_000_000]
    assert found["unit_price_micro"].to_list() == [5_000_000, 3_000_000, 2_000_000, -2_000_000]
    assert found["kind"].to_list() == ["recurring", "recurring", "credit", "credit"]
    for texts in (ON_THE_WHOLE, CREDITED_BEFORE):
        assert len(set(texts.values())) == 4
        assert [text for text in texts.values() if "2026-000007" not in text.format("2026-000007")] == []


BUSINESS = """\
customer_id,name,street,postal_code,city,country,language,vat_number
c1,One,Street 1,1000,Brussels,BE,nl,BE0428759497
c2,Two,Street 2,1000,Brussels,BE,en,
c3,Three,Street 3,1000,Brussels,BE,en,
"""
SUPPLIER = """\
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


def test_credit__of_a_business_is_a_valid_electronic_document_too(tmp_path: Path) -> None:
    place = make_place(tmp_path / "place", customers=BUSINESS)
    (place.folder / "centime.toml").write_text(SETTINGS + SUPPLIER, encoding="utf-8")
    assert place.run("2026-10", "--cdrs", "cdrs/october.csv").status == 0
    # Its document is made by the next one: the rules are loaded once for both.
    with without_documents():
        assert counted(credit(place, "--amount", "0.03"))[:2] == (3, 1)
    told = credit(place, "--all", reason="Té veel & <meer>")
    # 3.255 would be 3.26; what is left of 3.26 is 3.25, and the official rules let it pass.
    assert counted(told) == (1550, 325, 0, 0)
    assert told.document["files_written"] == [
        f"store/{path}"
        for number in ("CN2026-000001", "CN2026-000002")
        for path in (f"invoices/2026/{number}.pdf", f"invoices/2026/{number}.xml", f"outbox/2026/{number}.json")
    ]
    assert "EN 16931" in json.loads((place.store / "outbox/2026/CN2026-000002.json").read_text())["rules"]
    note = etree.parse(place.store / "invoices/2026/CN2026-000002.xml").getroot()
    assert etree.QName(note).localname == "CreditNote"

    def texts(path: str) -> list[str]:
        return [str(found.text) for found in note.iterfind("/".join(f"{{*}}{name}" for name in path.split("/")))]

    assert texts("BillingReference/InvoiceDocumentReference/ID") == [INVOICE]
    assert texts("TaxTotal/TaxAmount") == ["3.25"]
    assert texts("CreditNoteLine/LineExtensionAmount") == ["0.32", "0.19", "15.02", "-0.03"]
    assert texts("CreditNoteLine/Item/Name")[-1] == f"Reeds gecrediteerd op factuur {INVOICE}"
    assert place.start("export", "ubl", "2026-11", "-o", "ubl.zip", "--json").document["counts"] == {
        "documents": 2, "without": 0, "unwritten": 0,
    }  # fmt: skip
    assert place.start("verify").status == 0


def test_credit__a_supplier_that_cannot_be_is_refused_before_anything_is_numbered(issued: Place) -> None:
    before = bytes_of(issued.store)
    written = SETTINGS + SUPPLIER.replace("BE68539007547034", "BE00539007547034")
    (issued.folder / "centime.toml").write_text(written, encoding="utf-8")
    told = credit(issued, "--all")
    assert told.status == 2
    assert "supplier.iban" in told.stderr
    assert bytes_of(issued.store) == before


def test_ledger__a_store_of_format_2_is_brought_up_to_date_by_what_writes(issued: Place) -> None:
    ledger = issued.store / "ledger.duckdb"
    back_to_format_2(ledger)
    before = bytes_of(issued.store)
    told = issued.start("verify")
    assert told.status == 3
    assert "the ledger has format 2" in told.stderr
    assert "`centime read`, `run`, `render` or any other that writes brings it to format 4" in told.stderr
    assert bytes_of(issued.store) == before
    assert issued.start("render", "2026-10").status == 0
    assert issued.start("verify").status == 0
    assert counted(credit(issued, "--all"))[2:] == (0, 0)

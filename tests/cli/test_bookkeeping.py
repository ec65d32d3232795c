"""For the bookkeeper: the journal of a period, and its electronic documents in one archive."""

from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING

import duckdb
import polars as pl
import pytest

from invoicing.credit_note_rendering import issued_credit_notes
from invoicing.desk import Moment
from invoicing.documents.making import Files
from invoicing.documents.workers import Made
from invoicing.ledger import Ledger
from invoicing.progress import Silent
from invoicing.rendering import publish
from invoicing.store import Store
from tests.cli.conftest import copy, without_documents
from tests.cli.program import SETTINGS, SMALL, Place, bytes_of, make_place
from tests.shared import made_once

if TYPE_CHECKING:
    from pathlib import Path

NOW = ["--now", "2026-11-05T10:00:00Z"]
# A product of each kind with its price, what c1 has of each beside its calls, and c2 at another VAT category.
TABLES = {
    "customers": """\
customer_id,name,street,postal_code,city,country,language,vat_number,vat_category
c1,=One,Street 1,1000,Brussels,BE,en,BE0428759497,
c2,Two,Street 2,1000,Brussels,BE,en,,AE
c3,Three,Street 3,1000,Brussels,BE,en,,
""",
    "products": """\
product_id,kind,label_fr
seat,user,Seat
minutes,pack,Minutes
line,number,Line
fax,option,Fax
visit,one_off,Visit
""",
    "prices": """\
product_id,customer_id,unit_price,effective_from,notified_on
seat,,10,2026-01-01,2026-01-01
minutes,,20,2026-01-01,2026-01-01
line,,1,2026-01-01,2026-01-01
fax,,3.33,2026-01-01,2026-01-01
""",
    "numbers": SMALL["numbers"].replace("+3225550102,c1,BE,2026-01-01,,,,", "+3225550102,c1,BE,2026-01-01,,,line,"),
    "subscriptions": SMALL["subscriptions"] + "s2,c1,fax,1,2026-01-01,,\n",
    "contracts": SMALL["contracts"].replace("2026-11-01", ""),
    "charges": """\
charge_id,customer_id,date,description,quantity,unit_price,product_id
h1,c1,2026-10-05,Cable,1,7.77,
h2,c1,2026-10-05,Visit,1,50,visit
h3,c1,2026-10-06,One more seat,1,2,seat
""",
    "credits": """\
credit_id,customer_id,date,description,amount
r1,c1,2026-10-07,Outage,5.55
""",
}
# 89.06 in all, of which 0.51 are calls; 21 % of it is 18.7026.
C1 = [  # account, VAT rate, base, VAT, gross, debit, credit
    ("400000", None, None, None, 10_776, 10_776, 0),
    ("700100", "21", 1200, None, None, 0, 1200),  # a user, and the charge for a product of that kind
    ("700200", "21", 100, None, None, 0, 100),
    ("700300", "21", 2000, None, None, 0, 2000),
    ("700400", "21", 333, None, None, 0, 333),
    ("700500", "21", 5777, None, None, 0, 5777),  # the visit, and the charge without a product
    ("700600", "21", 51, None, None, 0, 51),
    ("708000", "21", -555, None, None, 555, 0),
    ("451000", "21", None, 1870, None, 0, 1870),
]


@pytest.fixture(scope="module")
def booked(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """October of two customers with every kind of line, and in November two credit notes."""

    def make(folder: Path) -> None:
        made = make_place(folder, **TABLES)
        done = made.run("2026-10", "--cdrs", "cdrs/october.csv")
        assert done.status == 0, done.stderr
        for number, *wish in (
            ("2026-000001", "--amount", "10"),
            ("2026-000001", "--all"),
            ("2026-000002", "--line", "1"),
        ):
            with without_documents():
                told = made.start("credit", number, *wish, "--reason", "x", *NOW)
            assert told.status == 0, told.stderr

    return Place(made_once(tmp_path_factory, "booked", make))


def entries(place: Place, period: str) -> pl.DataFrame:
    target = place.folder / f"journal-{period}.parquet"
    assert place.start("export", "journal", period, "-o", target).status == 0
    return pl.read_parquet(target)


def rows_of(journal: pl.DataFrame, number: str) -> list[tuple[object, ...]]:
    rate = pl.col("vat_rate").cast(pl.Int64).cast(pl.String)
    return (
        journal.filter(document_number=number)
        .select("account", rate, "base_cents", "vat_cents", "gross_cents", "debit_cents", "credit_cents")
        .rows()
    )


def test_journal__a_row_per_document_vat_rate_and_account(booked: Place) -> None:
    journal = entries(booked, "2026-10")
    assert rows_of(journal, "2026-000001") == C1
    # Without VAT there is no row of VAT.
    assert rows_of(journal, "2026-000002") == [
        ("400000", None, None, None, 1000, 1000, 0),
        ("700100", "0", 1000, None, None, 0, 1000),
    ]
    first = journal.row(0, named=True)
    assert {name: str(first[name]) for name in journal.columns[:12]} == {
        "document_number": "2026-000001", "row_no": "1", "document_type": "invoice", "document_date": "2026-11-02",
        "due_date": "2026-12-02", "invoice_number": "2026-000001", "customer_id": "c1", "name": "=One",
        "vat_number": "BE0428759497", "structured_communication": "+++202/6000/00192+++", "account": "400000",
        "label": "2026-000001 =One",
    }  # fmt: skip


def test_journal__a_credit_note_takes_back_what_its_invoice_booked(booked: Place) -> None:
    journal = entries(booked, "2026-11")
    assert rows_of(journal, "CN2026-000001") == [
        ("400000", None, None, None, -1210, 0, 1210),
        ("708000", "21", -1000, None, None, 1000, 0),
        ("451000", "21", None, -210, None, 210, 0),
    ]
    assert journal.filter(document_number="CN2026-000002").select("document_type", "invoice_number").row(0) == (
        "credit_note",
        "2026-000001",
    )
    # All credit notes of the invoice and itself: each account is as it was.
    both = pl.concat([entries(booked, "2026-10"), journal]).filter(invoice_number="2026-000001")
    left = both.group_by("account").agg(left=pl.col("debit_cents").sum() - pl.col("credit_cents").sum())
    assert set(left["left"]) == {0}
    assert left.height == len(C1)


@pytest.mark.parametrize("period", ["2026-10", "2026-11"])
def test_journal__sums_are_those_of_the_documents_to_the_cent(period: str, booked: Place) -> None:
    sums = (
        entries(booked, period)
        .group_by("document_number")
        .agg(pl.col("base_cents", "vat_cents", "gross_cents", "debit_cents", "credit_cents").sum())
    )
    assert sums["debit_cents"].to_list() == sums["credit_cents"].to_list()
    found = {number: amounts for number, *amounts in sums.drop("debit_cents", "credit_cents").iter_rows()}
    expected = {}
    for table, sign in (("invoices", 1), ("credit_notes", -1)):
        target = booked.folder / f"{table}.ndjson"
        assert booked.start("export", table, period, "-o", target).status == 0
        for row in map(json.loads, target.read_text().splitlines()):
            number = row.get("credit_note_number", row["invoice_number"])
            expected[number] = [sign * row[name] for name in ("net_cents", "vat_cents", "gross_cents")]
    assert found == expected
    assert len(found) >= 2


def test_journal__accounts_are_those_of_the_settings_now(booked: Place, tmp_path: Path) -> None:
    place = copy(booked, tmp_path / "place")
    own = {"user": "700", "traffic": "700", "reduction": "609.A", "vat": "4510", "receivable": "40"}
    section = "".join(f'{name} = "{account}"\n' for name, account in own.items())
    (place.folder / "centime.toml").write_text(f"{SETTINGS}[accounts]\n{section}", encoding="utf-8")
    rows = rows_of(entries(place, "2026-10"), "2026-000001")
    # What is booked on one account is one row.
    assert [(account, base) for account, _, base, *_ in rows] == [
        ("40", None), ("609.A", -555), ("700", 1251), ("700200", 100), ("700300", 2000), ("700400", 333),
        ("700500", 5777), ("4510", None),
    ]  # fmt: skip


def test_journal__a_csv_holds_no_formula_of_a_customers_name(booked: Place, tmp_path: Path) -> None:
    assert booked.start("export", "journal", "2026-10", "-o", tmp_path / "journal.csv").status == 0
    assert ",'=One," in (tmp_path / "journal.csv").read_text()


def test_journal__of_an_invoice_of_nothing_has_its_receivable_alone(place: Place) -> None:
    (place.tables / "charges.csv").unlink()
    assert place.run("2026-10").status == 0
    assert rows_of(entries(place, "2026-10"), "2026-000001") == [("400000", None, None, None, 0, 0, 0)]


@pytest.mark.parametrize(
    ("statement", "number"),
    [
        ("update invoices set net_cents = net_cents + 1 where invoice_number = '2026-000001'", "2026-000001"),
        ("update invoices set gross_cents = 999 where invoice_number = '2026-000002'", "2026-000002"),
        ("update vat_totals set vat_cents = vat_cents + 1 where invoice_number = '2026-000001'", "2026-000001"),
        ("update lines set net_cents = 1 where invoice_number = '2026-000001' and line_no = 1", "2026-000001"),
        ("delete from lines where invoice_number = '2026-000002'", "2026-000002"),
    ],
)
def test_journal__what_does_not_add_up_is_not_written(
    statement: str, number: str, booked: Place, tmp_path: Path
) -> None:
    place = copy(booked, tmp_path / "place")
    with duckdb.connect(str(place.store / "ledger.duckdb")) as connection:
        connection.execute(statement)
    told = place.start("export", "journal", "2026-10", "-o", "x.csv")
    assert told.status == 3
    assert f"{number}: its entries do not add up to its totals; run `centime verify`" in told.stderr
    assert not (place.folder / "x.csv").exists()


@pytest.fixture
def published(booked: Place, tmp_path: Path) -> Place:
    """Two of the three credit notes have an electronic document; the invoices are not written yet."""
    place = copy(booked, tmp_path / "published")
    store = Store(place.store)
    ledger = Ledger(store.ledger_path)
    documents = issued_credit_notes(ledger, ["CN2026-000001", "CN2026-000002", "CN2026-000003"])
    made = [
        Made(
            document, Files({"pdf" if document.number == "CN2026-000002" else "xml": f"<{document.number}/>".encode()})
        )
        for document in documents
    ]
    publish(store, ledger, made, None, Moment("2026-11-06T10:00:00Z", "0"), Silent())
    ledger.close()
    return place


def test_ubl__holds_the_published_documents_with_the_same_bytes_each_time(published: Place) -> None:
    told = published.start("export", "ubl", "2026-11", "-o", "one.zip", "--json")
    assert told.status == 0, told.stderr
    assert told.document["counts"] == {"documents": 2, "without": 1, "unwritten": 0}
    assert "1 documents have no electronic form: CN2026-000002" in str(told.document["messages"])
    with zipfile.ZipFile(published.folder / "one.zip") as archive:
        assert archive.namelist() == ["CN2026-000001.xml", "CN2026-000003.xml"]
        assert archive.read("CN2026-000003.xml") == b"<CN2026-000003/>"
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert published.start("export", "ubl", "2026-11", "-o", "two.ZIP").status == 0
    assert (published.folder / "one.zip").read_bytes() == (published.folder / "two.ZIP").read_bytes()


def test_ubl__what_is_not_written_yet_is_told(published: Place) -> None:
    told = published.start("export", "ubl", "2026-10", "-o", "october.zip", "--json")
    assert told.status == 0
    assert told.document["counts"] == {"documents": 0, "without": 0, "unwritten": 2}
    assert "2 documents are not written yet: 2026-000001, 2026-000002; `centime render 2026-10`" in str(
        told.document["warnings"]
    )


@pytest.mark.parametrize("target", ["x.csv", "x", "x.zip.parquet", "nowhere/x.zip", "store/x.zip"])
def test_ubl__is_a_zip_outside_the_store(target: str, published: Place) -> None:
    before = bytes_of(published.folder)
    assert published.start("export", "ubl", "2026-11", "-o", target).status == 2
    assert bytes_of(published.folder) == before


def test_ubl__an_altered_document_is_refused_and_no_archive_is_left(published: Place) -> None:
    path = published.store / "invoices/2026/CN2026-000003.xml"
    path.write_bytes(b"<forged/>")
    before = bytes_of(published.folder)
    told = published.start("export", "ubl", "2026-11", "-o", "x.zip")
    assert told.status == 3
    assert "CN2026-000003.xml: its SHA-256 is not the one in the ledger" in told.stderr
    assert bytes_of(published.folder) == before

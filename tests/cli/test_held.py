"""Holding and releasing: an invoice beyond a bound waits for a person, and nobody else's changes by it."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING

import duckdb
import pytest

from tests.cli.conftest import copy, forget_documents
from tests.cli.program import SETTINGS, SMALL, Place, bytes_of, make_place
from tests.shared import made_once

if TYPE_CHECKING:
    from pathlib import Path

# What c1 has beside its calls, and c2 whose contract goes on.
TABLES = {
    "prices": SMALL["prices"].replace("seat,,0,", "seat,,10,").replace("minutes,,0,", "minutes,,20,"),
    "contracts": SMALL["contracts"].replace("2026-11-01", ""),
    # The first is used up by October, held or not: November must not deduct it again.
    "credits": """\
credit_id,customer_id,date,description,amount
r1,c1,2026-10-07,Outage,40.00
r2,c1,2026-11-07,Outage,3.00
""",
}
# The VAT rate rises after both runs.
VAT = """
[[vat]]
category = "S"
rate = 21
effective_from = 1996-01-01
[[vat]]
category = "S"
rate = 22
effective_from = 2026-12-10
"""
HOLDING = f"{SETTINGS}{VAT}[bounds]\nday_spend_eur = 0.10\n"
LETTING_PASS = f'{SETTINGS}{VAT}[bounds]\nday_spend = "off"\n'
TABLES_OF_A_MONTH = ("invoices", "lines", "user_counts", "packs_used", "rated")
# What depends on when an invoice is issued, and on nothing else.
OF_ISSUING = {"invoice_number", "invoice_date", "due_date", "structured_communication"}
RELEASED_AT = "2026-12-05T10:00:00Z"
WHY = (
    "user u1 spent 0.20 EUR on FR on 2026-10-09, in 4 calls: more than 0.10 EUR (bounds.day_spend_eur); "
    "and 2 more of the kind"
)


def begin(folder: Path, settings: str) -> Place:
    """October with c1 beyond its bound."""
    made = make_place(folder, **TABLES)
    (made.folder / "centime.toml").write_text(settings, encoding="utf-8")
    return made


def run_both(folder: Path, settings: str, status: int) -> None:
    """October and November, which must end with this status."""
    place = begin(folder, settings)
    for period, name in (("2026-10", "october"), ("2026-11", "november")):
        told = place.run(period, "--cdrs", f"cdrs/{name}.csv")
        assert told.status == status, told.stderr


def release(place: Place, period: str, *options: str, customer: str = "c1", now: str = RELEASED_AT) -> object:
    return place.start("release", customer, period, "--reason", "asked", "--now", now, *options)


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """October and November run: c1 is held in both, c2 is issued."""
    return Place(made_once(tmp_path_factory, "held", lambda folder: run_both(folder, HOLDING, 1)))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """The same months with no bound on what is spent."""
    return Place(made_once(tmp_path_factory, "undisturbed", lambda folder: run_both(folder, LETTING_PASS, 0)))


@pytest.fixture(scope="module")
def released(held: Place, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Both invoices of c1 released, in their order."""

    def make(folder: Path) -> None:
        place = copy(held, folder / "place")
        for period in ("2026-10", "2026-11"):
            told = place.start("release", "c1", period, "--reason", "New trunk, confirmed", "--now", RELEASED_AT)
            assert told.status == 0, told.stderr

    return Place(made_once(tmp_path_factory, "released", make) / "place")


def rows_of(place: Place, table: str, period: str, *, numbered: bool = True) -> list[dict[str, str]]:
    target = place.folder / f"{table}-{period}.csv"
    assert place.start("export", table, period, "-o", target).status == 0
    with target.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    if numbered:
        return rows
    return sorted(
        ({name: cell for name, cell in row.items() if name not in OF_ISSUING} for row in rows),
        key=lambda row: json.dumps(row, sort_keys=True),
    )


def test_run__what_is_held_is_listed_with_its_reasons_and_the_others_are_issued(tmp_path: Path) -> None:
    place = begin(tmp_path / "place", HOLDING)
    told = place.run("2026-10", "--cdrs", "cdrs/october.csv", "--json")
    assert told.status == 1
    assert [(row["invoice_number"], row["customer_id"]) for row in told.table("Invoices")] == [("2026-000001", "c2")]
    (row,) = told.table("Held")
    assert (row["period"], row["customer_id"], row["name"], row["net_cents"], row["calls"]) == (
        "2026-10", "c1", "One", 553, 10,
    )  # fmt: skip
    assert told.table("Why they are held") == [
        {
            "period": "2026-10", "customer_id": "c1", "bound": "day_spend", "alarms": 3, "measured": 20, "allowed": 10,
            "unit": "cents", "reason": WHY,
        }
    ]  # fmt: skip
    assert told.document["attention"] == [
        (
            f"2026-10: the invoice of c1 (One), 5.53 EUR without VAT, is held: {WHY}; `centime release c1 2026-10 "
            "--reason TEXT` issues it"
        )
    ]
    assert "12 calls accepted = 0 invoiced + 10 held + 0 waiting + 2 unrated" in str(told.document["messages"])
    # The same again changes nothing and says it again.
    before = bytes_of(place.store)
    again = place.run("2026-10", "--json")
    assert (again.status, again.table("Held"), bytes_of(place.store)) == (1, told.table("Held"), before)


def test_held__lists_what_is_held_of_one_period_or_of_all(held: Place, released: Place) -> None:
    told = held.start("held", "--json")
    assert told.status == 1
    assert [row["period"] for row in told.table("Held")] == ["2026-10", "2026-11"]
    bounds = [(row["period"], row["bound"]) for row in told.table("Why they are held")]
    assert bounds == [("2026-10", "day_spend"), ("2026-11", "earlier_held")]
    assert [row["period"] for row in held.start("held", "2026-11", "--json").table("Held")] == ["2026-11"]
    nothing = released.start("held")
    assert (nothing.status, nothing.stdout) == (0, "nothing is held\n")


def test_status_and_report__name_what_is_held_until_it_is_released(
    held: Place, released: Place, tmp_path: Path
) -> None:
    page = tmp_path / "page.html"
    for place, counted, told in ((held, 2, True), (released, 0, False)):
        done = place.start("status", "--json", "--now", RELEASED_AT)
        counts = done.document["counts"]
        assert isinstance(counts, dict)
        assert (counts["held"], done.document["next"] == "centime release c1 2026-10 --reason TEXT") == (counted, told)
        assert place.start("report", "2026-10", "-o", page).status == 0
        # Both have one invoice that was issued at once; the page names the other until it is released.
        assert ("much spent in a day on one destination" in page.read_text("utf-8")) is told


def test_status__names_what_was_released_and_has_no_documents(released: Place, tmp_path: Path) -> None:
    place = copy(released, tmp_path / "place")
    forget_documents(place)
    told = place.start("status", "--json", "--now", RELEASED_AT).document
    # The other invoices of both months were run without documents.
    assert told["attention"] == ["2 invoices or credit notes have no documents: 2026-000003, 2026-000004"]
    assert told["next"] == "centime render 2026-10"


def test_release__has_the_next_number_the_figures_it_was_held_with_and_a_date_of_its_own(released: Place) -> None:
    october, november = (rows_of(released, "invoices", period) for period in ("2026-10", "2026-11"))
    names = ("invoice_number", "customer_id", "invoice_date", "due_date", "net_cents")
    assert [tuple(row[name] for name in names) for row in (*october, *november)] == [
        ("2026-000001", "c2", "2026-11-02", "2026-12-02", "1000"),
        ("2026-000003", "c1", "2026-12-05", "2027-01-04", "553"),
        ("2026-000002", "c2", "2026-12-02", "2027-01-01", "1000"),
        ("2026-000004", "c1", "2026-12-05", "2027-01-04", "2705"),
    ]
    assert released.start("verify").status == 0


@pytest.mark.parametrize("period", ["2026-10", "2026-11"])
@pytest.mark.parametrize("table", TABLES_OF_A_MONTH)
def test_release__everything_is_as_if_nothing_had_been_held(
    table: str, period: str, released: Place, undisturbed: Place
) -> None:
    """R-CAP, R-FIRST, R-PACK and R-CREDIT of November built on the October that was held."""
    found = rows_of(released, table, period, numbered=False)
    assert found == rows_of(undisturbed, table, period, numbered=False)
    assert found or (table, period) == ("rated", "2026-11")


def test_held__the_invoices_of_the_others_have_the_numbers_they_have_without_a_gap(held: Place) -> None:
    assert [row["invoice_number"] for row in rows_of(held, "invoices", "2026-11")] == ["2026-000002"]
    assert rows_of(held, "lines", "2026-10") == [
        row for row in rows_of(held, "lines", "2026-10") if row["customer_id"] == "c2"
    ]
    assert {row["invoice_number"] for row in rows_of(held, "rated", "2026-10")} == {""}
    assert held.start("verify").status == 0


@pytest.mark.usefixtures("no_documents")
def test_release__vat_is_that_of_its_date_and_rerun_makes_the_same_again(held: Place, tmp_path: Path) -> None:
    place = copy(held, tmp_path / "place")
    for period in ("2026-10", "2026-11"):
        told = release(place, period, now="2026-12-15T10:00:00Z")
        assert told.status == 0, told.stderr
    assert [row["vat_cents"] for row in rows_of(place, "invoices", "2026-11")] == ["210", "595"]  # 22 % of 27.05
    assert {row["vat_rate"] for row in rows_of(place, "lines", "2026-11") if row["customer_id"] == "c1"} == {"22"}
    for number in ("2026-000003", "2026-000004"):
        again = place.start("rerun", number)
        assert again.status == 0, again.stderr
        assert "every figure is the one that was issued" in again.stdout
        explained = place.start("explain", number)
        assert explained.status == 0, explained.stderr
        assert "2026-12-15" in explained.stdout or "15 December 2026" in explained.stdout
    assert place.start("verify").status == 0


@pytest.mark.usefixtures("no_documents")
def test_release__vat_rates_that_the_run_did_not_know_are_told(held: Place, tmp_path: Path) -> None:
    place = copy(held, tmp_path / "place")
    (place.folder / "centime.toml").write_text(HOLDING.replace("rate = 22", "rate = 23"), encoding="utf-8")
    told = release(place, "2026-10", now="2026-12-15T10:00:00Z")
    assert told.status == 1
    assert "c1 2026-10: its VAT is at the rates that the run's settings have for 2026-12-15" in told.stderr
    assert [row["vat_rate"] for row in rows_of(place, "lines", "2026-10") if row["customer_id"] == "c1"][:1] == ["22"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["c1", "2026-11"], "the invoice of 2026-10 is held still and comes before it"),
        (["c2", "2026-10"], "no such invoice is held; it was issued as 2026-000001"),
        (["c9", "2026-10"], "no such invoice is held; `centime held` lists what is"),
        (["c1", "2026-13"], "2026-13"),
        (["c1", "2026-10", "--date", "2026-11-30"], "the last invoice is dated 2026-12-02"),
        (["c1", "2026-10", "--date", "2029-11-30"], "taken for a slip"),
        (["c1", "2026-10", "--reason", ""], "--reason: expected 1 to 300 characters"),
        (["c1", "2026-10", "--by", ""], "--by: expected a name"),
    ],
)
def test_release__what_cannot_be_is_refused_and_changes_nothing(arguments: list[str], words: str, held: Place) -> None:
    before = bytes_of(held.store)
    told = held.start("release", "--reason", "x", *arguments, "--now", RELEASED_AT)
    assert (told.status, words in told.stderr) == (2, True), told.stderr
    assert bytes_of(held.store) == before


def test_release__twice_says_what_was_issued_and_changes_nothing(released: Place) -> None:
    before = bytes_of(released.store)
    told = released.start("release", "c1", "2026-10", "--reason", "again", "--now", RELEASED_AT, "--json")
    assert told.status == 0
    assert [(row["invoice_number"], row["reason"]) for row in told.table("Released")] == [
        ("2026-000003", "New trunk, confirmed")
    ]
    assert bytes_of(released.store) == before


def test_run__again_tells_what_was_released_since(released: Place) -> None:
    told = released.run("2026-10")
    assert told.status == 0
    assert "2026-10: 1 invoices issued, dated 2026-11-02, 2026-000001 to 2026-000001\n" in told.stdout
    assert "2026-10: held then and released since: 2026-000003\n" in told.stdout


def test_release__its_document_is_written_with_the_date_of_the_release(released: Place) -> None:
    documents = sorted(path.name for path in (released.store / "invoices").rglob("*.pdf"))
    assert documents == ["2026-000003.pdf", "2026-000004.pdf"]
    # Made again they are the same bytes, and those of the run, which were not asked for, come to them.
    told = released.start("render", "2026-10", "--now", RELEASED_AT)
    assert told.status == 0, told.stderr


def test_history__says_why_an_invoice_was_held_and_who_released_it(held: Place, released: Place) -> None:
    def kinds(place: Place, what: str) -> list[tuple[object, object]]:
        rows = place.start("history", what, "--json").table("History")
        return [(row["kind"], row["subject"]) for row in rows if row["kind"] in ("held", "released")]

    assert kinds(held, "c1") == [("held", "c1 2026-10"), ("held", "c1 2026-11")]
    assert kinds(released, "2026-000003") == [("held", "c1 2026-10"), ("released", "2026-000003")]
    assert kinds(released, "2026-000001") == []
    told = released.start("history", "2026-000003").stdout
    assert "released c1 2026-10: 2026-000003, New trunk, confirmed" in told
    assert "held c1 2026-10: 5.53 EUR without VAT" in told


def test_explain__a_call_on_a_held_invoice_says_that_it_waits_for_a_person(held: Place, released: Place) -> None:
    (step,) = [row for row in explained(held, "pack2") if row["about"] == "invoice"]
    assert (step["rule"], "held still" in str(step["words"])) == ("R-HELD", True)
    (step,) = [row for row in explained(released, "pack2") if row["about"] == "invoice"]
    assert "2026-000003" in str(step["words"])


def explained(place: Place, call_id: str) -> list[dict[str, object]]:
    found = place.start("explain", call_id, "--json").document["steps"]
    assert isinstance(found, list)
    return found


def test_preview__says_what_would_be_held_and_holds_nothing(tmp_path: Path) -> None:
    place = begin(tmp_path / "place", HOLDING)
    assert place.start("read", "cdrs/october.csv", "--now", "2026-11-02T10:00:00Z").status == 0
    before = bytes_of(place.store)
    told = place.start("preview", "2026-10", "--platform", "platform", "--now", "2026-11-02T10:00:00Z", "--json")
    assert told.status == 1
    assert told.document["attention"] == [f"c1: its invoice of 5.53 EUR without VAT would be held: {WHY}"]
    assert [row["bound"] for row in told.table("Alarms")] == ["day_spend"]
    assert bytes_of(place.store) == before


def test_what_if__a_held_month_is_what_it_would_be_compared_with(held: Place) -> None:
    told = held.start("what-if", "2026-10", "--platform", "platform", "--json")
    assert told.status == 0, told.stderr
    assert told.document["sums"] == {"net_cents_issued": 1553, "net_cents_supposed": 1553, "difference_cents": 0}


@pytest.mark.parametrize(
    ("statements", "words"),
    [
        (
            """
            update held_lines set net_cents = 1 where kind = 'recurring' and period = '2026-11';
            update held_invoices set net_cents = 1 where period = '2026-10'
            """,
            ["quantity and price give", "invoice c1 2026-10, held: its totals are not the sums of its lines"],
        ),
        (
            """
            update held_invoices set calls = 9 where period = '2026-10';
            update held_invoices set reasons = '[]' where period = '2026-11'
            """,
            ["it is held with 9 calls, and 10 were rated", "(held c1 2026-11): the ledger has another reasons now"],
        ),
        (
            """
            delete from held_invoices where period = '2026-11';
            delete from held_lines where period = '2026-10'
            """,
            [
                "(held c1 2026-11): the ledger has nothing of the kind",
                "invoice c1 2026-10, held: its totals are not the sums of its lines",
            ],
        ),
    ],
)
def test_verify__tells_what_was_altered_of_what_is_held(
    statements: str, words: list[str], held: Place, tmp_path: Path
) -> None:
    told = verified(held, statements, tmp_path)
    assert [sentence for sentence in words if sentence not in told] == []


def verified(place: Place, statements: str, folder: Path) -> str:
    """What `verify` says of a copy whose ledger was altered by hand."""
    altered = copy(place, folder / "place")
    with duckdb.connect(str(altered.store / "ledger.duckdb")) as connection:
        connection.execute(statements)
    told = altered.start("verify")
    assert told.status == 3
    return told.stderr


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("delete from releases", "2026-000003"),
        ("update releases set reason = 'x'", "the ledger has another reason now"),
        ("update held_invoices set net_cents = 1 where period = '2026-10'", "released and is not what was held"),
    ],
)
def test_verify__tells_what_was_altered_of_what_was_released(
    statement: str, words: str, released: Place, tmp_path: Path
) -> None:
    assert words in verified(released, statement, tmp_path)


def test_run__a_credit_on_a_held_invoice_keeps_its_content(tmp_path: Path) -> None:
    place = begin(tmp_path / "place", HOLDING)
    place.run("2026-10", "--cdrs", "cdrs/october.csv")
    credits_table = place.tables / "credits.csv"
    credits_table.write_text(credits_table.read_text().replace("40.00", "41.00"), encoding="utf-8")
    told = place.run("2026-11")
    assert told.status == 2
    assert "amount '41.00': expected 40.00, as r1 has it on an invoice that is held" in told.stderr

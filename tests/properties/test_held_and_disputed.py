"""R-HELD beside R-DISPUTE: an invoice is corrected while a later one is held, which is released and corrected too."""

from __future__ import annotations

import pickle
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from invoicing import exports, holding, rerunning
from invoicing.desk import Report
from invoicing.disputes import open_claim
from invoicing.explaining import spoken
from invoicing.explanations.basis import load_basis
from invoicing.explanations.calls import explain_call
from invoicing.explanations.invoices import explain_invoice
from invoicing.issuing import balance
from invoicing.progress import Silent
from invoicing.releasing import release
from invoicing.verification import verify
from rating.periods import Period
from schemas.errors import InputRefused
from schemas.settings import Bounds, Settings, VatRate
from tests.rules.disputes import desk_at, settled
from tests.rules.months import CDR_HEADER, TABLES
from tests.rules.tables import kept, start
from tests.shared import made_once

if TYPE_CHECKING:
    from pathlib import Path

RATES = ((21, date(1996, 1, 1)), (22, date(2027, 1, 5)), (23, date(2027, 1, 20)))
SETTINGS = Settings(
    vat=tuple(VatRate("S", percent * 1_000_000, day) for percent, day in RATES),
    bounds=Bounds(day_spend_eur=Decimal("0.50")),
)
RELEASED_AT, CORRECTED_AT = "2027-01-10T10:00:00Z", "2027-01-25T10:00:00Z"
TOTALS = "select invoice_number, period, invoice_date, net_cents, vat_cents, supersedes from invoices order by 1"


@dataclass
class Told:
    """A store, and what was told and held on its way.

    Attributes:
        store: Its folder.
        corrected: What the settlement of October's dispute told.
        places: Where the calls were while November was held.
        differences: In what the corrected October differs from itself made again, while November was held and later.
        faults: What `verify` found then.
    """

    store: Path
    corrected: Report = field(default_factory=lambda: Report("dispute settle"))
    places: str = ""
    explained: str = ""
    differences: list[object] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def written(folder: Path, users: int) -> Path:
    """The tables, where c1 has so many users at 10 EUR a month, and a price reduction of 15 EUR."""
    folder.mkdir(parents=True)
    rows = "".join(f"u{number},c1,seat,2026-01-01,\n" for number in range(1, users + 1))
    changed = {
        "users": f"user_id,customer_id,product_id,active_from,active_to\n{rows}",
        "prices": TABLES["prices"].replace("seat,,0,", "seat,,10,"),
        "credits": "credit_id,customer_id,date,description,amount\ng1,c1,2026-10-01,Gesture,15.00\n",
    }
    for table, text in (TABLES | changed).items():
        (folder / f"{table}.csv").write_text(text, encoding="utf-8")
    return folder


def calls(path: Path, *rows: tuple[str, str, int]) -> Path:
    lines = [f"{name},{day}T08:00:00Z,outgoing,+3225550101,+33142685300,{seconds},u1" for name, day, seconds in rows]
    path.write_text("\n".join([CDR_HEADER, *lines]) + "\n", encoding="utf-8")
    return path


def differences(store: Path, number: str) -> list[tuple[object, ...]]:
    with desk_at(store, SETTINGS, CORRECTED_AT) as desk, pytest.MonkeyPatch.context() as patch:
        # It is the figures that are compared here; the tests of rendering have the documents.
        patch.setattr(rerunning, "_compare_documents", lambda *_: None)
        return rerunning.rerun_invoice(desk, number, None).differences.rows()


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """October is issued and corrected while November is held; November is released, and corrected in its turn."""
    folder = made_once(tmp_path_factory, "held-disputed", make)
    found: Told = pickle.loads((folder / "told.pickle").read_bytes())  # noqa: S301 - written below
    return replace(found, store=folder / "store")


def make(folder: Path) -> None:
    """Play it, and keep what was told."""
    wrong, right, store = written(folder / "wrong", 1), written(folder / "right", 2), folder / "store"
    october = calls(folder / "october.csv", ("a", "2026-10-05", 240), ("a2", "2026-10-06", 60))
    november = calls(folder / "november.csv", ("b", "2026-11-05", 660), ("b2", "2026-11-06", 60))
    start(store, "2026-10", wrong, "2026-10-31T10:00:00Z", october, settings=SETTINGS)
    start(store, "2026-11", wrong, "2026-11-30T10:00:00Z", november, settings=SETTINGS)
    found = Told(store)
    found.corrected = settled(
        store, "2026-000001", "corrected-invoice", "2026-12-05T10:00:00Z", tables=right, without=("a2",)
    )
    start(store, "2026-12", right, "2026-12-31T10:00:00Z", settings=SETTINGS)
    with desk_at(store, SETTINGS, RELEASED_AT) as desk:
        found.places = balance(desk.ledger).sentence()
        explained = explain_call(desk.store, desk.ledger, "b", SETTINGS.rating.timezone, spoken("en"))
        assert explained is not None
        found.explained = " ".join(step.words for step in explained.steps)
        found.faults = verify(desk.store, desk.ledger, Silent())
    found.differences.append(differences(store, "2026-000002"))
    with desk_at(store, SETTINGS, RELEASED_AT) as desk:
        for month in ("2026-11", "2026-12"):
            release(desk, "c1", Period.parse(month), "asked", None, Report("release"))
    found.differences.append(differences(store, "2026-000002"))
    settled(store, "2027-000001", "corrected-invoice", CORRECTED_AT, without=("b",))
    (folder / "told.pickle").write_bytes(pickle.dumps(found))


def test_r_held__a_later_invoice_that_is_held_is_told_and_left_where_an_earlier_one_is_corrected(told: Told) -> None:
    (warning,) = [text for text in told.corrected.warnings if text.startswith("made since")]
    assert "that of 2026-11, which is held; they were made from what is restated" in warning
    assert "the users billed (1 before, 2 as corrected; R-CAP)" in " ".join(told.corrected.messages)


def test_r_held__invoices_are_as_they_were_held_and_what_corrects_them_as_of_the_day_of_release(told: Told) -> None:
    assert kept(told.store, TOTALS).rows() == [
        # A seat at 10.00 and two minutes at 0.05 beyond the pack, and a third call: all of it reduced.
        ("2026-000001", "2026-10", date(2026, 10, 31), 0, 0, None),
        # Two seats and 0.10; of the reduction 4.85 is on the held November, which keeps it.
        ("2026-000002", "2026-10", date(2026, 12, 5), 995, 209, "2026-000001"),
        # A seat, and 10 minutes at 0.10 and one more beyond the pack: 11.10, less 4.85; VAT of the day of release.
        ("2027-000001", "2026-11", date(2027, 1, 10), 625, 138, None),
        ("2027-000002", "2026-12", date(2027, 1, 10), 2000, 440, None),
        # Corrected, when the rate was 23 %, after the October in force: two users billed (R-CAP), the minute that is
        # left in the pack, less 4.85, at the rate of the release.
        ("2027-000003", "2026-11", date(2027, 1, 25), 1515, 333, "2027-000001"),
    ]


def test_r_held__made_again_a_corrected_invoice_is_the_same_whether_a_later_one_is_held_or_released(told: Told) -> None:
    assert told.differences == [[], []]
    others = ("2026-000001", "2026-000002", "2027-000001", "2027-000002", "2027-000003")
    assert [differences(told.store, number) for number in others] == [[]] * 5


def test_r_held__each_call_is_in_one_place_and_the_next_month_builds_on_what_is_in_force(told: Told) -> None:
    assert told.places == "4 calls accepted = 1 invoiced + 2 held + 0 waiting + 0 unrated + 1 credited"
    assert "held still" in told.explained
    assert told.faults == []
    counts = (
        "select period, configured, billed, reference from user_counts_in_force where customer_id = 'c1' order by 1"
    )
    # December was made when the held November had one.
    assert kept(told.store, counts).rows() == [("2026-10", 2, 2, 2), ("2026-11", 1, 2, 2), ("2026-12", 2, 2, 1)]
    assert kept(told.store, "select period, net_cents from invoices_in_force order by 1").rows() == [
        ("2026-10", 995), ("2026-11", 1515), ("2026-12", 2000),
    ]  # fmt: skip


def test_r_held__a_released_invoice_is_disputed_explained_and_verified_like_any_other(told: Told) -> None:
    with desk_at(told.store, SETTINGS, CORRECTED_AT) as desk:
        # In time: it was issued when it was released, not when its month was run.
        assert desk.ledger.rows("select late from disputes where invoice_number = '2027-000001'") == [(False,)]
        for number in ("2027-000001", "2027-000003"):
            explained = explain_invoice(load_basis(desk, number), spoken("en"))
            assert explained.faults == []
        assert verify(desk.store, desk.ledger, Silent()) == []
        rated = exports.rated(desk.store, desk.ledger, Period.parse("2026-11"))
        assert rated.select("call_id", "invoice_number").rows() == [("b", "2027-000001"), ("b2", "2027-000003")]
        assert holding.held_invoices(desk.ledger).is_empty()
        with pytest.raises(InputRefused, match="no invoice of this store has this number"):
            open_claim(desk, "c1 2026-12", "wrong", None, [], None, Report("dispute open"))

"""`centime what-if`: what an issued month would have cost, beside what was invoiced; nothing is changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest

from invoicing.what_if_picture import MOST_BARS, bars_of
from tests.cli.program import SMALL, bytes_of, write_tables

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.program import Place, Told

DECK = "deck_id,prefix,zone_id,price_per_minute,setup_fee,effective_from,notified_on\n"
TWICE = f"""{DECK}\
d,33,FR,0.10,0,2026-01-01,2026-01-01
d,3290,INFO,1,0,2026-01-01,2026-01-01
d,=112,SOS,0.3,0,2026-01-01,2026-01-01
"""


def supposed(place: Place, *options: str | Path) -> Told:
    """The month of October, supposed; the store stays as it is."""
    before = bytes_of(place.store)
    told = place.start("what-if", "2026-10", *options, "--json")
    assert bytes_of(place.store) == before
    return told


def amounts(told: Told) -> dict[str, tuple[int | None, int | None]]:
    """Issued and supposed net by customer."""
    assert told.status == 0, told.stderr
    return {
        str(row["customer_id"]): (row["net_cents_issued"], row["net_cents_supposed"])  # type: ignore[misc]
        for row in told.table("Customers")
    }


def test_what_if__nothing_supposed_is_what_was_issued(filled: Place) -> None:
    told = supposed(filled)
    assert amounts(told) == {}
    assert set(told.document["counts"].values()) == {0}  # type: ignore[attr-defined]
    assert told.document["sums"]["difference_cents"] == 0  # type: ignore[index]


def test_what_if__without_some_calls(filled: Place) -> None:
    ids = filled.folder / "ids.txt"
    ids.write_text("pack2\n\n info \nno-such-call\n", encoding="utf-8")
    told = supposed(filled, "--without-calls", ids, "--calls", "differing.csv")
    ((issued, now),) = amounts(told).values()
    lines = {row["zone_id"]: row["net_cents_supposed"] for row in told.table("Lines that differ")}
    assert lines.keys() == {"FR", "INFO"}
    assert lines["INFO"] is None
    assert issued is not None
    assert now is not None
    assert now < issued
    gone = pl.read_csv(filled.folder / "differing.csv", infer_schema=False)
    # What pack2 took from the pack is there for the calls after it.
    without = gone.filter(pl.col("amount_cents_supposed").is_null())
    assert without["call_id"].to_list() == ["pack2", "info"]
    differences = gone["difference_cents"].cast(pl.Int64)
    assert differences.sum() == now - issued


def test_what_if__another_deck_comes_in_place_of_the_version_of_its_day(filled: Place) -> None:
    deck = filled.folder / "deck.csv"
    deck.write_text(TWICE, encoding="utf-8")
    told = supposed(filled, "--deck", deck)
    zones = {row["zone_id"]: row for row in told.table("Zones") if row["difference_cents"]}
    assert zones.keys() == {"FR"}
    assert zones["FR"]["charged_s_issued"] == zones["FR"]["charged_s_supposed"]
    assert zones["FR"]["amount_cents_supposed"] > zones["FR"]["amount_cents_issued"]  # type: ignore[operator]
    ((issued, now),) = amounts(told).values()
    assert now - issued == zones["FR"]["difference_cents"]  # type: ignore[operator]


def test_what_if__other_tables_and_settings(filled: Place, tmp_path: Path) -> None:
    tables = write_tables(tmp_path / "other", prices=SMALL["prices"].replace("seat,,", "seat,,1"))
    dearer = amounts(supposed(filled, "--platform", tables))
    assert dearer
    assert all(now > issued for issued, now in dearer.values() if issued is not None and now is not None)
    settings = tmp_path / "other.toml"
    settings.write_text('[rating]\nonnet = "none"\n', encoding="utf-8")
    told = supposed(filled, "--config", settings)
    # Without its free zone the internal call has no rate: it is not rated, and that is a call that differs.
    assert told.document["counts"]["calls_differing"] == 1  # type: ignore[index]


def test_what_if__one_customer_alone(filled: Place) -> None:
    deck = filled.folder / "deck.csv"
    deck.write_text(TWICE, encoding="utf-8")
    assert amounts(supposed(filled, "--deck", deck, "--customer", "c3")) == {}
    assert amounts(supposed(filled, "--deck", deck, "--customer", "c1")).keys() == {"c1"}


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--customer", "nobody"], "nobody: no such customer"),
        (["--deck", "missing.csv"], "missing.csv: expected a file of the table rates"),
        (["--deck", "ids.txt"], "ids.txt: expected a file of the table rates"),
        (["--deck", "bad.csv"], "bad.csv cannot be used as the table rates"),
        (["--without-calls", "missing.txt"], "missing.txt: expected a .txt with a call_id on each line"),
        (["--without-calls", "bad.csv"], "bad.csv: expected a .txt with a call_id on each line"),
        (["--calls", "differing.pdf"], "differing.pdf: expected a file name that ends in"),
        (["--picture", "bars.jpg"], "bars.jpg: expected a file name that ends in .svg, .png"),
        (["--picture", "store/bars.svg"], "store/bars.svg: this is inside the store"),
        (["--picture", "nowhere/bars.png"], "nowhere: there is no such folder"),
        (["--platform", "nowhere"], "nowhere is no folder"),
    ],
)
def test_what_if__what_cannot_be_used_is_refused(filled: Place, options: list[str], told: str) -> None:
    (filled.folder / "ids.txt").write_text("pack2\n", encoding="utf-8")
    (filled.folder / "bad.csv").write_text(f"{DECK}d,33,NOWHERE,x,0,2026-01-01,2026-01-01\n", encoding="utf-8")
    found = supposed(filled, *options)
    assert found.status == 2
    assert told in str(found.document["error"])


def test_what_if__a_month_that_was_not_issued_is_refused(filled: Place) -> None:
    found = filled.start("what-if", "2027-01")
    assert found.status == 2
    assert "2027-01: not issued in this store" in found.stderr


@pytest.mark.parametrize(("name", "first_bytes"), [("bars.svg", b"<svg"), ("bars.png", b"\x89PNG")])
def test_what_if__the_picture_shows_who_pays_more(filled: Place, name: str, first_bytes: bytes) -> None:
    deck = filled.folder / "deck.csv"
    deck.write_text(TWICE, encoding="utf-8")
    told = supposed(filled, "--deck", deck, "--picture", name)
    assert told.document["files_written"] == [name]
    drawn = (filled.folder / name).read_bytes()
    assert drawn.startswith(first_bytes)
    assert name.endswith(".png") or b"c1" in drawn


def test_what_if__beyond_the_largest_differences_the_rest_is_one_bar() -> None:
    many = pl.DataFrame(
        {
            "customer_id": [f"c{number:03}" for number in range(60)],
            "difference_cents": [number - 25 for number in range(60)],
        }
    )
    bars = bars_of(many)
    assert bars.height == 2 * (MOST_BARS + 1)
    assert bars.row(0) == ("c059", 0.34)
    assert bars.row(MOST_BARS) == ("14 others", 1.05)
    assert bars.row(MOST_BARS + 1) == ("5 others", -0.15)
    assert bars.row(-1) == ("c000", -0.25)

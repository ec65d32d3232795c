"""Random worlds in which invoices are held and released: no amount of anybody is another one than without."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from invoicing import exports
from invoicing.ledger import Ledger
from invoicing.store import open_store
from rating.periods import Period
from tests.cli.program import centime
from tests.properties.worlds import draw_world

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

    from tests.properties.worlds import World

TIGHT = """
day_spend = "hold"
day_spend_eur = 0.5
invoice_jump = "hold"
invoice_jump_times = 1
invoice_jump_least_eur = 1
night_spend = "hold"
night_spend_eur = 0.5
no_calls = "hold"
unused_pack = "hold"
unused_pack_months = 2
"""
TABLES = ("invoices", "lines", "user_counts", "packs_used", "rated", "quarantine")
# What depends on the day on which an invoice is issued; VAT may have another rate by then.
OF_ISSUING = [
    "invoice_number", "invoice_date", "due_date", "structured_communication", "vat_rate", "vat_cents", "gross_cents",
]  # fmt: skip


def run_world(world: World, folder: Path, inputs: Path, *, holding: bool) -> int:
    """The months of a world, and everything that was held released in the end; gives how many invoices were."""
    store, config = folder / "store", folder / "config.toml"
    folder.mkdir()
    text = (inputs / "config.toml").read_text()
    off = text.partition("[bounds]")[0] + "[bounds]\n" + 'long_call = "off"\nnegative_line = "off"\n'
    rest = "".join(f"[[vat]]{part}" for part in text.split("[[vat]]")[1:])
    bounds = (
        TIGHT if holding else "".join(f'{line.split(" ")[0]} = "off"\n' for line in TIGHT.splitlines() if '"' in line)
    )
    config.write_text(off + bounds + rest)
    options = ["--store", store, "--config", config]
    for month in world.months:
        place = inputs / month.period
        told = centime(
            "run", month.period, "--platform", place / "platform", "--cdrs", place / "cdrs", "--no-render",
            "--now", month.now, "--json", *options,
        )  # fmt: skip
        assert told.status in (0, 1), told.stderr
        assert bool(told.document["counts"]["held"]) <= holding  # type: ignore[index]
    held = centime("held", "--json", *options)
    rows = held.table("Held") if held.status else []
    for row in rows:
        release = ["release", str(row["customer_id"]), str(row["period"]), "--reason", "x"]
        told = centime(*release, "--now", world.months[-1].now, *options)
        assert told.status == 0, told.stderr
    assert not holding or centime("verify", *options).status == 0
    return len(rows)


def tables_of(folder: Path, periods: list[str]) -> dict[tuple[str, str], pl.DataFrame]:
    """The exports of a world, but for what depends on the day of issue."""
    store = open_store(folder / "store", create=False)
    ledger = Ledger(store.ledger_path, read_only=True)
    found = {}
    for period in periods:
        for table in TABLES:
            frame = exports.TABLES[table](store, ledger, Period.parse(period)).drop(OF_ISSUING, strict=False)
            found[period, table] = frame.sort(frame.columns)
    ledger.close()
    return found


@pytest.mark.parametrize("seed", [5])
def test_held__holding_and_releasing_changes_no_amount_of_anybody(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Documents are made of what is compared here; the tests of rendering have them.
    monkeypatch.setattr("invoicing.publishing.publish_releases", lambda *_: None)
    world = draw_world(seed, calls=120)
    world.write(tmp_path / "world")
    held = run_world(world, tmp_path / "held", tmp_path / "world", holding=True)
    assert run_world(world, tmp_path / "undisturbed", tmp_path / "world", holding=False) == 0
    periods = [month.period for month in world.months]
    found, expected = (tables_of(tmp_path / name, periods) for name in ("held", "undisturbed"))
    assert [key for key in expected if not found[key].equals(expected[key])] == []
    assert 0 < held < sum(found[period, "invoices"].height for period in periods)

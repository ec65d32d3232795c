"""Disputes against the second reading: random worlds in which invoices are corrected between the monthly runs."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import polars as pl
import pytest

from invoicing import settling
from invoicing.crediting import left_of_invoice
from invoicing.desk import Report
from invoicing.disputes import open_claim, reject
from invoicing.exports import export as export_table
from invoicing.origins import last_origin_of
from invoicing.progress import Silent
from invoicing.rerunning import rerun_invoice
from invoicing.verification import verify
from invoicing.what_if import Supposed
from rating.periods import Period
from rating.sources.settings_file import load_settings
from schemas.errors import InputRefused
from tests.properties.test_second_reading import first_difference
from tests.properties.worlds import World, draw_world
from tests.rules.disputes import desk_at
from tests.rules.tables import start
from tests.second_reading.corrections import Settlement, settle
from tests.second_reading.months import before
from tests.second_reading.reading import Run, Store
from tests.second_reading.tables import TABLES

if TYPE_CHECKING:
    from pathlib import Path

    from invoicing.desk import Desk


def settle_one(desk: Desk, second: Store, world: World, folder: Path, now: str, rng: random.Random) -> bool:
    """Dispute one invoice at random, and settle it in a random way, in the program and in the reading."""
    found = desk.ledger.rows("select invoice_number from invoices_in_force order by 1")
    if not found:
        return False
    number = str(rng.choice(found)[0])
    origin = last_origin_of(desk.ledger, number)
    calls = origin.calls(desk.store, desk.ledger)["call_id"].sort().to_list()
    without = rng.sample(calls, rng.randint(0, min(3, len(calls)))) if rng.random() < 0.8 else calls
    known = [month for month in world.months if month.period in second.months]
    other = rng.choice([None, *known]) if without else rng.choice(known)
    report, ids = Report("dispute"), pl.Series("call_id", without, dtype=pl.String)
    open_claim(desk, number, "x", ids if without else None, [], None, report)
    (dispute,) = desk.ledger.rows("select max(dispute_number) from disputes")[0]
    (folder / "ids.txt").write_text("\n".join(without) + "\n")
    tables = None if other is None else folder / other.period / "platform"
    supposed = Supposed(tables, None, (folder / "ids.txt") if without else None, None)
    left = left_of_invoice(desk.ledger, number).net_cents
    for form in rng.sample(settling.FORMS, 2):
        try:
            settlement = settling.prepare(desk, str(dispute), form, supposed, "x", None)
        except InputRefused:
            continue
        settling.tell(desk, settlement, report)
        note, corrected = settling.commit(desk, settlement)
        asked = Settlement(number, now, frozenset(without), other.platform if other else None, corrected is not None)
        due = settle(second, asked, world.settings)
        given = desk.ledger.number("select net_cents from credit_notes where credit_note_number = ?", [note])
        # All that was left, or what is left and no longer owed.
        assert given == (left if corrected else left - due)
        return True
    reject(desk, str(dispute), "x", report)
    return False


def play(seed: int, folder: Path, *, each_month: int = 2) -> int:
    """A world with disputes after each run; every export is that of the reading. Gives how many were settled."""
    world, rng, second = draw_world(seed), random.Random(seed), Store()
    world.write(folder)
    settings, store = load_settings(folder / "config.toml"), folder / "store"
    settled = 0
    for month in world.months:
        inputs = folder / month.period
        start(store, month.period, inputs / "platform", month.now, inputs / "cdrs", settings=settings)
        Run(second, month, world.settings).go()
        with desk_at(store, settings, month.now) as desk:
            for _ in range(each_month):
                settled += settle_one(desk, second, world, folder, month.now, rng)
    periods = [before(world.months[0].period), *[month.period for month in world.months]]
    with desk_at(store, settings, world.months[-1].now) as desk:
        assert verify(desk.store, desk.ledger, Silent()) == []
        of_corrections = "supersedes is not null or invoice_number in (select supersedes from invoices)"
        for (number,) in desk.ledger.rows(f"select invoice_number from invoices where {of_corrections}"):  # noqa: S608
            assert rerun_invoice(desk, str(number), None).differences.rows() == [], number
        differences = []
        for period in periods:
            for table in TABLES:
                path = folder / f"{table}-{period}.csv"
                export_table(desk, table, Period.parse(period), path)
                differences.append(first_difference(second, table, period, path))
    assert not any(differences), f"world of seed {seed}\n" + "\n".join(filter(None, differences))
    return settled


@pytest.mark.parametrize("seed", [102])
def test_disputes__every_export_is_that_of_the_second_reading(seed: int, tmp_path: Path) -> None:
    assert play(seed, tmp_path, each_month=1) > 1


@pytest.mark.soak
@pytest.mark.parametrize("seed", [*range(102), *range(103, 300)])
def test_disputes__in_many_worlds(seed: int, tmp_path: Path) -> None:
    play(seed, tmp_path)

"""Disputes settled in a store, in this process and without documents."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import polars as pl

from invoicing import settling
from invoicing.desk import Desk, Moment, Report
from invoicing.disputes import disputes_of, open_claim, reject
from invoicing.ledger import Ledger
from invoicing.progress import Silent
from invoicing.store import open_store
from invoicing.what_if import Supposed
from schemas.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def desk_at(folder: Path, settings: Settings, now: str) -> Iterator[Desk]:
    """The store at a moment."""
    store, moment = open_store(folder, create=False), datetime.fromisoformat(now).astimezone(UTC)
    ledger = Ledger(store.ledger_path)
    today = moment.astimezone(ZoneInfo(settings.rating.timezone)).date()
    yield Desk(store, ledger, settings, moment, today, Moment(now, "0", "anna", "dispute settle"), Silent())
    ledger.close()


def settled(
    folder: Path, invoice: str, form: str, now: str, *, tables: Path | None = None, without: tuple[str, ...] = ()
) -> Report:
    """Open a dispute about an invoice, in place of one that is open, and settle it as it is said here.

    Raises:
        InputRefused: where the program would leave with status 2; the dispute stays open.
    """
    report = Report("dispute settle")
    with desk_at(folder, Settings(), now) as desk:
        for other in disputes_of(desk.ledger, invoice):
            reject(desk, other.number, "said otherwise", Report("dispute reject"))
        ids = pl.Series("call_id", without, dtype=pl.String) if without else None
        open_claim(desk, invoice, "wrong", ids, [], None, report)
        (number,) = desk.ledger.rows("select max(dispute_number) from disputes")[0]
        named = None
        if without:
            named = folder.parent / "ids.txt"
            named.write_text("\n".join(without), encoding="utf-8")
        settlement = settling.prepare(desk, str(number), form, Supposed(tables, None, named), "wrong", None)
        settling.tell(desk, settlement, report)
        settling.tell_settled(settlement, *settling.commit(desk, settlement), report)
    return report

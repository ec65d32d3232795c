"""The ledger as it was before a run: a copy in which that run and all that came after it are undone.

What is made anew on such a copy goes the very way it went then, through the same functions: nothing has to ask
which of the ledger's rows were there already.
"""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from invoicing.ledger import Ledger
from invoicing.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from invoicing.ledger import Run

OF_LATER_RATINGS = ("rated_files", "packs_used", "call_alarms", "ratings")
OF_LATER_INVOICES = ("lines", "vat_totals", "one_offs")
OF_LATER_PERIODS = (
    "user_counts", "users_billed", "invoices", "held_invoices", "held_lines", "held_vat_totals", "held_one_offs",
    "releases",
)  # fmt: skip


@contextmanager
def ledger_before(store: Store, ledger: Ledger, run: Run) -> Iterator[tuple[Ledger, Store]]:
    """The ledger as it was when a run's calls were about to be rated, and a place for what is made with it.

    The store's files are not copied: the ledger names them as before. Both are gone afterwards.
    """
    last_batch = ledger.number("select last_batch from ratings where rating_no = ?", [run.rating_no])
    with ledger_copied(store) as (before, scratch):
        _undo(before, run, last_batch)
        yield before, scratch


@contextmanager
def ledger_copied(store: Store) -> Iterator[tuple[Ledger, Store]]:
    """A copy of a store's ledger, an empty one where there is no store, and a place for what is made with it."""
    with TemporaryDirectory(prefix="centime-") as folder:
        scratch = Store(Path(folder))
        for path in store.root.glob(f"{store.ledger_path.name}*"):
            if path.name in (store.ledger_path.name, f"{store.ledger_path.name}.wal"):
                shutil.copyfile(path, scratch.root / path.name)
        copied = Ledger(scratch.ledger_path)
        try:
            yield copied, scratch
        finally:
            copied.close()


def _undo(ledger: Ledger, run: Run, last_batch: int) -> None:
    """Take a run out of the ledger, with all that was read, rated and issued after its rating began."""
    period = str(run.period)
    with ledger.transaction():
        for table in OF_LATER_RATINGS:
            ledger.execute(f"delete from {table} where rating_no >= ?", [run.rating_no])  # noqa: S608
        for table in OF_LATER_INVOICES:
            ledger.execute(
                f"delete from {table} where invoice_number in (select invoice_number from invoices where period >= ?)",  # noqa: S608
                [period],
            )
        for table in OF_LATER_PERIODS:
            ledger.execute(f"delete from {table} where period >= ?", [period])  # noqa: S608
        ledger.execute("delete from runs where run_no >= ?", [run.run_no])
        ledger.execute("delete from batches where batch_no > ?", [last_batch])
        ledger.execute("update batches set rated_by = null where rated_by >= ?", [period])

"""The ledger as it was before a run: a copy in which that run and all that came after it are undone.

What is made anew on such a copy goes the very way it went then, through the same functions: nothing has to ask
which of the ledger's rows were there already.
"""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

from invoicing.ledger import Ledger
from invoicing.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from invoicing.ledger import Run

OF_INVOICES = ("lines", "vat_totals", "corrected_user_counts", "corrected_users_billed", "invoices")
OF_PERIODS = ("user_counts", "users_billed")
OF_RATINGS = ("rated_files", "ratings")


class Restating(NamedTuple):
    """That a customer's invoice of a run is corrected, and by which rating: all that came before it stays known.

    The invoice itself, and those that superseded it, are undone. Of later months there stay the charges and price
    reductions that their invoices have, and what their calls drew from packs: they are not had twice.
    """

    rating_no: int
    customer_id: str


@contextmanager
def ledger_before(
    store: Store, ledger: Ledger, run: Run, restating: Restating | None = None
) -> Iterator[tuple[Ledger, Store]]:
    """The ledger as it was when a run's calls were about to be rated, and a place for what is made with it.

    Where an invoice of the run is corrected, earlier months are as they are in force at the correction.

    The store's files are not copied: the ledger names them as before. Both are gone afterwards.
    """
    with TemporaryDirectory(prefix="centime-") as folder:
        scratch = Store(Path(folder))
        for path in store.root.glob(f"{store.ledger_path.name}*"):
            if path.name in (store.ledger_path.name, f"{store.ledger_path.name}.wal"):
                shutil.copyfile(path, scratch.root / path.name)
        last_batch = ledger.number("select last_batch from ratings where rating_no = ?", [run.rating_no])
        before = Ledger(scratch.ledger_path)
        try:
            with before.transaction():
                if restating is None:
                    _undo_one_offs_and_packs(before, run, run.rating_no)
                else:
                    _undo_one_offs_and_packs(before, run, *restating)
                _undo(before, run, last_batch, run.rating_no if restating is None else restating.rating_no)
            yield before, scratch
        finally:
            before.close()


def _undo_one_offs_and_packs(ledger: Ledger, run: Run, as_of: int, customer_id: str | None = None) -> None:
    """Take out the charges, price reductions and draws from packs that do not count.

    Those are what came with the rating `as_of` or later, what was replaced before it, and what is on the invoices
    of the customer for the run's own period.
    """
    ledger.execute(
        "delete from one_offs where invoice_number not in (select invoice_number from invoice_ratings "
        "where rating_no < ? and (period <> ? or customer_id is distinct from ?)) or invoice_number in "
        "(select supersedes from invoice_ratings where rating_no < ? and supersedes is not null)",
        [as_of, str(run.period), customer_id, as_of],
    )
    ledger.execute(
        "delete from packs_used u where rating_no >= ? or exists (select 1 from corrections c where "
        "c.replaces = u.rating_no and c.customer_id = u.customer_id and c.rating_no < ?) or (u.customer_id = ? and "
        "(rating_no = ? or rating_no in (select c.rating_no from corrections c where c.period = ?))) "
        "or rating_no in (select r.rating_no from ratings r where not r.issued)",
        [as_of, as_of, customer_id, run.rating_no, str(run.period)],
    )


def _undo(ledger: Ledger, run: Run, last_batch: int, as_of: int) -> None:
    """Take a run out of the ledger, with all that was read, rated and issued after its rating began."""
    period = str(run.period)
    undone = "select invoice_number from invoice_ratings where rating_no >= ? or period >= ?"
    numbers = [number for (number,) in ledger.rows(undone, [as_of, period])]
    for table in OF_INVOICES:
        ledger.execute(f"delete from {table} where invoice_number in (select unnest(?))", [numbers])  # noqa: S608
    ledger.execute("delete from corrections where rating_no >= ? or period >= ?", [as_of, period])
    for table in OF_PERIODS:
        ledger.execute(f"delete from {table} where period >= ?", [period])  # noqa: S608
    for table in OF_RATINGS:
        ledger.execute(f"delete from {table} where rating_no >= ?", [run.rating_no])  # noqa: S608
    ledger.execute("delete from runs where run_no >= ?", [run.run_no])
    ledger.execute("delete from batches where batch_no > ?", [last_batch])
    ledger.execute("update batches set rated_by = null where rated_by >= ?", [period])

"""A desk at a store that is only looked at, and everything it can explain."""

from __future__ import annotations

import json
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from invoicing import snapshots
from invoicing.desk import Desk, Moment
from invoicing.explaining import explain, spoken
from invoicing.explanations import basis, users
from invoicing.explanations.basis import load_basis
from invoicing.explanations.invoices import explain_invoice
from invoicing.ledger import Ledger
from invoicing.pipeline import History
from invoicing.progress import Silent
from invoicing.store import open_store
from schemas.platform import Platform
from schemas.settings import parse_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from invoicing.explanations.steps import Explanation


@contextmanager
def desk_at(store: Path) -> Iterator[Desk]:
    """A desk with the settings that the store's last run had."""
    found = open_store(store, create=False)
    ledger = Ledger(found.ledger_path, read_only=True)
    run = ledger.last_run()
    assert run is not None
    settings = parse_settings(json.loads(run.settings))
    try:
        yield Desk(found, ledger, settings, datetime.now(UTC), date(2027, 1, 1), Moment("now", "0"), Silent())
    finally:
        ledger.close()


@contextmanager
def each_run_once() -> Iterator[None]:
    """What is the same for all invoices of a run is read and reckoned for the first of them, and remembered.

    These are its tables, what was billed before it, and what all customers owe: nine tenths of an explanation.
    """
    with pytest.MonkeyPatch.context() as patch:
        tables = remembering(snapshots.load_snapshot, lambda store, _, *of: (store.root, *map(repr, of)))
        patch.setattr(snapshots, "load_snapshot", tables)
        patch.setattr(users, "load_snapshot", tables)
        patch.setattr(basis, "history_of", remembering(basis.history_of, lambda _, *of: tuple(map(by_identity, of))))
        patch.setattr(basis, "service_dues", remembering(basis.service_dues, lambda *of: tuple(map(by_identity, of))))
        yield


def remembering(called: Callable[..., Any], key_of: Callable[..., object]) -> Callable[..., Any]:
    """The same function, which gives what it gave before for what has the same key."""
    given: dict[object, tuple[object, object]] = {}

    def found(*arguments: object) -> object:
        key = key_of(*arguments)
        if key not in given:
            # With its arguments: what is gone might leave its place in memory to another.
            given[key] = called(*arguments), arguments
        return given[key][0]

    return found


def by_identity(argument: object) -> object:
    """A period or the settings as they are, tables by which they are: they come from `load_snapshot` as above."""
    return id(argument) if isinstance(argument, (Platform, History, pl.DataFrame)) else repr(argument)


def every_invoice(desk: Desk, period: str, codes_of: Callable[[int], Iterable[str]]) -> Iterator[Explanation]:
    """The explanation of each invoice of a year or month, in the languages that its place among them is given."""
    query = "select invoice_number from invoices where period like ? order by invoice_number"
    numbers = desk.ledger.rows(query, [f"{period}%"])
    for place, (number,) in enumerate(numbers):
        found = load_basis(desk, str(number))
        for code in codes_of(place):
            yield explain_invoice(found, spoken(code))


def words_of(desk: Desk, subject: str, line_no: int | None = None, code: str = "en") -> dict[str, str]:
    """What is said about each thing of an invoice, a line or a call."""
    return words_in(explain(desk, subject, line_no, code))


def words_in(explained: Explanation) -> dict[str, str]:
    """What is said about each thing; the sentences of one thing behind one another, with ordinary blanks."""
    found: dict[str, str] = {}
    for step in explained.steps:
        before = f"{found[step.about]} " if step.about in found else ""
        found[step.about] = before + step.words.replace("\N{NO-BREAK SPACE}", " ").replace("\u202f", " ")
    return found

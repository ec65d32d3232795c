"""A ledger altered by hand, and what the checks of `verify` say of it; nothing of it is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoicing.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.program import Place


def said_of(place: Place, statements: str, *checks: Callable[[Ledger], list[str]]) -> list[str]:
    """What these checks find once the ledger was altered, in a transaction that is rolled back.

    A whole `verify` reads every file of the store: a test for each check tells that it is one of those of `verify`.
    """
    ledger = Ledger(place.store / "ledger.duckdb")
    try:
        ledger.execute("begin transaction")
        ledger.rows(statements)
        return [sentence for check in checks for sentence in check(ledger)]
    finally:
        ledger.execute("rollback")
        ledger.close()

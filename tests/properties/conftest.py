"""The stores of worlds begin with a ledger that is there."""

from tests.shared import empty_ledger, ledgers_begin_as_copies

__all__ = ["empty_ledger", "ledgers_begin_as_copies"]

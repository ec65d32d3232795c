"""Stores that are attacked begin with a ledger and tables that are there."""

from tests.shared import empty_ledger, ledgers_begin_as_copies, tables_are_read_once

__all__ = ["empty_ledger", "ledgers_begin_as_copies", "tables_are_read_once"]

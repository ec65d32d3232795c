"""The ledger of a new store; what makes one is tested here, so that none begins as a copy."""

from tests.shared import empty_ledger, tables_are_read_once

__all__ = ["empty_ledger", "tables_are_read_once"]

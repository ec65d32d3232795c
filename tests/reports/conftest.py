"""The small store of the command line, for the pages made of it."""

from tests.cli.conftest import filled, no_documents, october_claimed, october_corrected, october_issued
from tests.shared import empty_ledger, ledgers_begin_as_copies, tables_are_read_once

__all__ = [
    "empty_ledger",
    "filled",
    "ledgers_begin_as_copies",
    "no_documents",
    "october_claimed",
    "october_corrected",
    "october_issued",
    "tables_are_read_once",
]

"""One server for all tests of databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.databases.server import PASSWORDS, READER, Server, server
from tests.shared import empty_ledger, ledgers_begin_as_copies, tables_are_read_once

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["empty_ledger", "ledgers_begin_as_copies", "tables_are_read_once"]


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """A server that runs until the last test is done."""
    with server() as started:
        yield started


@pytest.fixture(autouse=True)
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reader's password, in the environment."""
    monkeypatch.setenv("CENTIME_DATABASE_PASSWORD", PASSWORDS[READER])
    monkeypatch.delenv("CENTIME_STORE", raising=False)

"""A full or failing disk is told as that, and not as a damaged ledger that wants a backup."""

from __future__ import annotations

import errno
import os

import duckdb
import pytest

from invoicing.store import in_words, is_of_rights, is_of_the_disk


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), True),
        (OSError(errno.EIO, os.strerror(errno.EIO)), True),
        (OSError(errno.EACCES, os.strerror(errno.EACCES)), False),
        (duckdb.IOException('IO Error: Could not write file "store/ledger.duckdb": No space left on device'), True),
        (duckdb.FatalException("FATAL Error: fsync failed!"), True),
        (duckdb.IOException("IO Error: The file exists, but it is not a valid DuckDB database file!"), False),
    ],
)
def test_store__a_disk_that_fails_is_no_damage(error: Exception, verdict: bool) -> None:
    assert is_of_the_disk(error) is verdict


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (PermissionError(errno.EACCES, os.strerror(errno.EACCES), "store/lock"), True),
        (OSError(errno.EROFS, os.strerror(errno.EROFS), "store/lock"), True),
        (duckdb.IOException('IO Error: Cannot open file "store/ledger.duckdb": Permission denied'), True),
        (OSError(errno.EIO, os.strerror(errno.EIO)), False),
        (duckdb.IOException("IO Error: The file exists, but it is not a valid DuckDB database file!"), False),
    ],
)
def test_store__who_has_no_rights_to_it_is_not_sent_for_a_backup(error: Exception, verdict: bool) -> None:
    assert is_of_rights(error) is verdict
    told = str(in_words(error))
    assert ("nothing in it is damaged: start the command as its owner" in told) is verdict
    assert "backup" not in told

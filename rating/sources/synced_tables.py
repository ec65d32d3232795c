"""What `centime sync` leaves beside the tables it makes: a folder for each sync, with what it read and wrote.

    platform/  users.csv  numbers.csv     as of the last sync
               syncs/000001/              sync.json, today-users.csv, today-numbers.csv, changes.csv,
                                          users.csv, numbers.csv, before-users.csv, before-numbers.csv

A sync counts from the moment its folder has its number for a name; then its tables are put in the place of those of
before, one after the other. Whoever reads the folder in between would have one of them from before and one from
after: `half_synced` refuses that.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from schemas.errors import Problem, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Any

SYNCED = ("users", "numbers")
SYNCS = "syncs"
RECORD = "sync.json"
_NUMBER = re.compile(r"[0-9]{6}")


def sync_folders(platform: Path) -> list[Path]:
    """The folders of the syncs of these tables, the first one first."""
    folder = platform / SYNCS
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if _NUMBER.fullmatch(path.name))


def read_record(folder: Path) -> dict[str, Any]:
    """What a sync kept of itself.

    Raises:
        StoreUnavailable: where it cannot be read.
    """
    try:
        found: dict[str, Any] = json.loads((folder / RECORD).read_bytes())
    except (OSError, ValueError) as broken:
        raise StoreUnavailable(
            f"{folder / RECORD}: what this sync kept cannot be read ({broken}); restore the folder from a backup"
        ) from broken
    return found


def half_synced(platform: Path, read: Mapping[str, str]) -> list[Problem]:
    """A problem where one table is of before the last sync and the other of after it.

    Args:
        platform: The folder of the tables.
        read: The SHA-256 of the files of tables that were read, by table.
    """
    folders = sync_folders(platform)
    if not folders:
        return []
    record = read_record(folders[-1])
    before, after = record["before"], record["after"]
    changed = [table for table in SYNCED if before[table] != after[table]]
    old = [table for table in changed if read.get(table) == before[table]]
    new = [table for table in changed if read.get(table) == after[table]]
    if not (old and new):
        return []
    words = (
        f"expected both tables as sync {record['sync_no']} left them; {old[0]} is from before it: it was interrupted, "
        "or is at work. Start `centime sync` again, or wait for it"
    )
    return [Problem(old[0], str(platform / f"{old[0]}.csv"), 0, "", "", words)]

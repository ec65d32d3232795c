"""The syncs of a platform folder: each is kept whole in a folder of its own, chained by hash to the one before it.

A sync's folder is written under another name, synced and renamed: from then on it counts. What is in it is told by
`rating.sources.synced_tables`. What it changes of `users` and `numbers` is then put in the place of what was there, and
by the next `centime sync` where that did not come about. Nothing of an earlier sync is ever written again.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from invoicing.events import canonical
from invoicing.store import (
    TEMPORARY,
    is_temporary,
    sha256_of_bytes,
    sha256_of_file,
    sync_folder,
    write_whole,
)
from rating.service_changes import CHANGE
from rating.sources.synced_tables import RECORD, SYNCED, SYNCS, read_record, sync_folders
from schemas.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from typing import Any

CHANGES = "changes.csv"
# What stands for the hash of the record before the first one.
NO_HASH = "0" * 64


class Sync(NamedTuple):
    """A sync that counts.

    Attributes:
        folder: Where it is kept.
        record: What it says of itself.
        sha256: The SHA-256 of the record's bytes.
    """

    folder: Path
    record: dict[str, Any]
    sha256: str

    def changes(self) -> pl.DataFrame:
        """What it changed or held (`CHANGE`).

        Raises:
            StoreUnavailable: where the file is not the one that was kept.
        """
        if CHANGES not in self.record["files"]:
            return pl.DataFrame(schema=CHANGE)
        path = self.folder / CHANGES
        if table_sha256(path) != self.record["files"][CHANGES]:
            raise StoreUnavailable(
                f"{path}: it was altered or removed since its sync; restore the folder from a backup"
            )
        return pl.read_csv(path, schema=CHANGE, glob=False)


def kept_syncs(platform: Path) -> list[Sync]:
    """The syncs of a platform folder, the first one first."""
    return [_kept_sync(folder) for folder in sync_folders(platform)]


def last_sync(platform: Path) -> Sync | None:
    """The last of them."""
    folders = sync_folders(platform)
    return _kept_sync(folders[-1]) if folders else None


def _kept_sync(folder: Path) -> Sync:
    return Sync(folder, read_record(folder), sha256_of_file(folder / RECORD))


@contextmanager
def held_alone(platform: Path, holder: str) -> Iterator[None]:
    """Hold a platform folder against another sync, rid of what one that died had begun.

    Raises:
        StoreUnavailable: at once, where another one is at work.
    """
    folder = platform / SYNCS
    folder.mkdir(exist_ok=True)
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            who = os.pread(descriptor, 1000, 0).decode("utf-8", "replace").strip()
            raise StoreUnavailable(f"{platform}: it is being synced by {who}; wait until it has finished") from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, holder.encode(), 0)
        for path in [*folder.iterdir(), *(path for table in SYNCED for path in platform.glob(f"{table}.csv.*"))]:
            if is_temporary(path):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        yield
    finally:
        os.close(descriptor)


def keep_sync(platform: Path, record: Mapping[str, object], contents: Mapping[str, bytes]) -> Sync:
    """Keep a sync under the next number: from here on it counts.

    Args:
        platform: The folder of the tables.
        record: What it says of itself; its number, its files and the hash of the record before are added.
        contents: The bytes of its files, by name.
    """
    last = last_sync(platform)
    number = 1 if last is None else last.record["sync_no"] + 1
    whole = {
        **record,
        "sync_no": number,
        "files": {name: sha256_of_bytes(content) for name, content in contents.items()},
        "previous_sha256": NO_HASH if last is None else last.sha256,
    }
    folder = platform / SYNCS / f"{number:06d}"
    writing = folder.with_name(f"{folder.name}.{os.getpid()}{TEMPORARY}")
    writing.mkdir()
    for name, content in {**contents, RECORD: canonical(whole).encode()}.items():
        with (writing / name).open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
    sync_folder(writing)
    writing.rename(folder)
    sync_folder(folder.parent)
    return _kept_sync(folder)


def publish_tables(platform: Path, sync: Sync) -> list[Path]:
    """Put the tables that a sync changed in the place of those of before it; gives the files written.

    What is no longer as the sync found it was changed since, and is left.
    """
    written = []
    for table in SYNCED:
        path, before, after = platform / f"{table}.csv", sync.record["before"][table], sync.record["after"][table]
        if before != after and table_sha256(path) == before:
            write_whole(path, partial(_copy_in_place, sync.folder / path.name, path))
            written.append(path)
    return written


def _copy_in_place(source: Path, place: Path, target: Path) -> None:
    """Copy a file to a target that is then put in a place, with the rights of what is there."""
    shutil.copyfile(source, target)
    if place.exists():
        shutil.copymode(place, target)


def table_sha256(path: Path) -> str | None:
    """The SHA-256 of a table's file, None where there is none."""
    return sha256_of_file(path) if path.exists() else None


def altered_files(syncs: list[Sync]) -> list[str]:
    """What of kept syncs is not as they were kept, a sentence each."""
    found, previous = [], NO_HASH
    for number, sync in enumerate(syncs, start=1):
        record = sync.folder / RECORD
        if sync.record["sync_no"] != number or sync.record["previous_sha256"] != previous:
            found.append(f"{record}: it does not follow the sync before it: one was altered, removed or put in")
        previous = sync.sha256
        for name, sha256 in sync.record["files"].items():
            path = sync.folder / name
            if table_sha256(path) != sha256:
                found.append(f"{path}: its SHA-256 is not the one its sync kept: it was altered or removed")
    return found

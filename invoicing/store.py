"""The store: a folder of immutable files beside the ledger, and the lock that lets one process write.

    store/  calls/period=2026-10/*.parquet   quarantine/*.parquet   rated/period=2026-10/*.parquet
            snapshots/<sha256>/              invoices/2026/*.{pdf,xml}    outbox/2026/*.json
            ledger.duckdb    lock

A file is written under a temporary name, synced and renamed; it counts only once the ledger names it. What a
run that died left behind is therefore either named, and whole, or not named, and removed by `sweep`.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import re
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from invoicing.parquet_files import read_parquet, scan_parquet
from schemas.errors import InputRefused, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import polars as pl

# Only what a store names itself may ever be removed from it: the folder may hold somebody else's files.
OWN_FILE = re.compile(
    r"calls/period=\d{4}-\d{2}/\d{6}\.(parquet|[0-9a-f]{8}\.ids)|quarantine/(read|unrated)-\d{6}\.parquet"
    r"|rated/period=\d{4}-\d{2}/\d{6}-\d{4}\.parquet|rated/(prices|traffic|draws)-\d{6}\.parquet"
    r"|snapshots/[0-9a-f]{64}/[^/]+"
)
WORKING_FILE = re.compile(r"\d{4}-.+\.parquet")
FOLDERS = ("calls", "quarantine", "rated", "snapshots")
OWNER_ONLY, ALL_BUT_OWNER = 0o700, 0o077
TEMPORARY = ".writing"
CHUNK_BYTES = 1 << 20
DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EIO)
RIGHTS_ERRORS = (errno.EACCES, errno.EPERM, errno.EROFS)


def sha256_of_bytes(content: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


class Store:
    """The paths of one store; every path in the ledger is relative to `root`."""

    def __init__(self, root: Path) -> None:
        """Name the store's folder; nothing is created yet."""
        self.root = root

    @property
    def ledger_path(self) -> Path:
        """The embedded database."""
        return self.root / "ledger.duckdb"

    @property
    def working_folder(self) -> Path:
        """What a rating puts down for a while; nothing in it counts."""
        return self.root / "working"

    @property
    def exists(self) -> bool:
        """Whether a ledger is there."""
        return self.ledger_path.exists()

    def create(self) -> None:
        """Make the folder, readable by its owner only."""
        self.root.mkdir(mode=OWNER_ONLY, parents=True, exist_ok=True)

    def remove_unused(self) -> None:
        """Take away the ledger and lock of a store that was made and never used, and its folder if empty."""
        for path in self.root.glob("ledger.duckdb*"):
            path.unlink()
        (self.root / "lock").unlink(missing_ok=True)
        if not any(self.root.iterdir()):
            self.root.rmdir()

    @contextmanager
    def locked(self, holder: str, *, shared: bool = False) -> Iterator[None]:
        """Hold the store: alone to change it, together with other readers to read it.

        Args:
            holder: Who holds it, as the other process will be told.
            shared: For commands that only read.

        Raises:
            StoreUnavailable: at once, where another process holds it.
        """
        try:
            descriptor = os.open(self.root / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            if not shared or not (self.root / "lock").exists():
                raise
            # Who may only look, at a backup say, can hold it open all the same.
            descriptor = os.open(self.root / "lock", os.O_RDONLY | os.O_CLOEXEC)
        try:
            try:
                fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
            except BlockingIOError:
                who = os.pread(descriptor, 1000, 0).decode("utf-8", "replace").strip()
                raise StoreUnavailable(
                    f"{self.root}: the store is in use by {who or 'a process that reads it'}; "
                    "wait until it has finished and start again"
                ) from None
            if shared:
                yield
            else:
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, holder.encode(), 0)
                with _owner_only():
                    yield
                # Whoever comes next is not told of one who has left.
                os.ftruncate(descriptor, 0)
        finally:
            os.close(descriptor)

    def write(self, relative: str, writer: Callable[[Path], object]) -> tuple[str, int]:
        """Write one file so that it is there whole or not at all; gives its SHA-256 and size."""
        path = self.root / relative
        _make_folders(path.parent, self.root)
        return write_whole(path, writer)

    def write_frame(self, relative: str, frame: pl.DataFrame) -> tuple[str, int]:
        """Write one Parquet file (zstd, at the level that costs least)."""
        return self.write(relative, lambda path: frame.write_parquet(path, compression="zstd", compression_level=1))

    def read_frame(self, relative: str, sha256: str, *where: pl.Expr) -> pl.DataFrame:
        """Read one Parquet file that the ledger names, or its rows for which some conditions hold.

        Raises:
            StoreUnavailable: where it is missing or its bytes are not those that were stored.
        """
        stored = self.require(relative, sha256)
        if not where:
            return read_parquet(stored)
        # Of rows that are left out, Polars reads no more than the conditions need.
        return scan_parquet(stored).filter(*where).collect()

    def require(self, relative: str, sha256: str) -> Path:
        """The path of a stored file, whose bytes are those that were stored.

        Raises:
            StoreUnavailable: where they are not.
        """
        path = self.root / relative
        if not path.is_file():
            raise StoreUnavailable(f"{path}: the ledger names this file and it is missing; restore it from a backup")
        if sha256_of_file(path) != sha256:
            raise StoreUnavailable(
                f"{path}: its SHA-256 is not the one in the ledger: it was altered; restore it from a backup"
            )
        return path

    def clear_working_folder(self) -> None:
        """Remove what a rating has put down, and the folder if nothing else is in it."""
        for path in self.working_folder.glob("*.parquet"):
            if WORKING_FILE.fullmatch(path.name):
                path.unlink()
        with suppress(OSError):
            self.working_folder.rmdir()

    def sweep(self, named: set[str]) -> None:
        """Remove what a process that died had begun: files of the store's own names that no ledger row names."""
        for path in self.root.glob(f"{self.ledger_path.name}.*"):
            if is_temporary(path):
                path.unlink()
        self.clear_working_folder()
        for folder in (*FOLDERS, "invoices", "outbox", "reports"):
            for path in sorted((self.root / folder).rglob("*")):
                relative = path.relative_to(self.root).as_posix()
                own = OWN_FILE.fullmatch(relative) is not None and relative not in named
                if path.is_file() and (own or is_temporary(path)):
                    path.unlink()


@contextmanager
def _owner_only() -> Iterator[None]:
    """Whatever this process makes meanwhile, the log of DuckDB too, only its owner may read, in whatever folder."""
    before = os.umask(ALL_BUT_OWNER)
    try:
        yield
    finally:
        os.umask(before)


def is_temporary(path: Path) -> bool:
    """Whether a file was being written when its process died."""
    return re.fullmatch(rf".+\.\d+{re.escape(TEMPORARY)}(\.wal)?", path.name) is not None


def sha256_of_file(path: Path) -> str:
    """SHA-256 of the bytes on disk, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_whole(path: Path, writer: Callable[[Path], object]) -> tuple[str, int]:
    """Write a file under a temporary name, sync it, rename it, sync its folder; gives SHA-256 and size."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}{TEMPORARY}")
    try:
        writer(temporary)
        with temporary.open("rb+") as stream:
            os.fsync(stream.fileno())
        digest, size = sha256_of_file(temporary), temporary.stat().st_size
        temporary.replace(path)
        sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)
    return digest, size


def sync_folder(folder: Path) -> None:
    """Make a rename in this folder last."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _make_folders(folder: Path, root: Path) -> None:
    if not folder.is_dir():
        _make_folders(folder.parent, root)
        folder.mkdir(mode=OWNER_ONLY, exist_ok=True)
        sync_folder(folder.parent)


def is_of_the_disk(error: Exception) -> bool:
    """Whether the disk is full or fails; what stands on it is not damaged by that."""
    # DuckDB does not say why the disk did not take what it was given.
    return "fsync failed" in str(error) or _is_one_of(error, DISK_ERRORS)


def is_of_rights(error: Exception) -> bool:
    """Whether somebody has no rights to what the store needs; that says nothing of what is in it."""
    return _is_one_of(error, RIGHTS_ERRORS)


def _is_one_of(error: Exception, numbers: tuple[int, ...]) -> bool:
    found, text = getattr(error, "errno", None), str(error)
    return any(found == number or os.strerror(number) in text for number in numbers)


def in_words(error: Exception) -> StoreUnavailable:
    """What a failure of the disk means for the person who reads it."""
    text = str(error)
    if getattr(error, "errno", None) == errno.ENOSPC or "No space left" in text or "os error 28" in text:
        return StoreUnavailable(
            "no space is left on the disk; what was committed stays. Free some space and start the same command again"
        )
    words = f"the store cannot be read or written: {text.splitlines()[0] if text else error!r}"
    if is_of_rights(error):
        words += "; nothing in it is damaged: start the command as its owner, or let that user read and write it"
    return StoreUnavailable(words)


def _refuse_lost_ledger(store: Store) -> None:
    """A folder that holds a store's files and no ledger is a damaged store, not a place for a new one."""
    if store.exists:
        return
    for folder in ("calls", "rated", "snapshots"):
        for path in (store.root / folder).rglob("*"):
            if OWN_FILE.fullmatch(path.relative_to(store.root).as_posix()):
                raise StoreUnavailable(
                    f"{store.ledger_path}: the ledger of this store is missing, and {path} is there; restore the "
                    "ledger from a backup, or give another --store"
                )


def open_store(root: Path, *, create: bool) -> Store:
    """The store in a folder.

    Raises:
        InputRefused: where there is none and it may not be created.
        StoreUnavailable: where its ledger is lost, or the disk has no space for it, or fails.
    """
    store = Store(root)
    if root.exists() and not root.is_dir():
        raise InputRefused(f"{root}: expected the folder of a store, found a file; give another --store")
    _refuse_lost_ledger(store)
    if create:
        try:
            store.create()
        except OSError as error:
            if is_of_the_disk(error):
                raise in_words(error) from None
            raise InputRefused(f"{root}: the store cannot be created there: {error.strerror}") from None
    elif not store.exists:
        raise InputRefused(f"{root}: there is no store; `centime read` or `centime run` makes one, or give --store")
    return store

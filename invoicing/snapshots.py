"""Snapshots: the platform tables a run used, kept byte for byte under the SHA-256 of them all."""

from __future__ import annotations

import json
import shutil
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from invoicing.retro import RETRO_SCHEMA, changed_contracts, retroactive_changes
from invoicing.store import Store, sha256_of_bytes
from rating.rules import rule
from rating.services import SERVICE_TABLES, service_rows
from schemas.errors import InputRefused
from schemas.platform import SCHEMAS
from schemas.settings import parse_settings

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from invoicing.ledger import Ledger, Run
    from rating.periods import Period
    from rating.sources.platform_tables import LoadedPlatform, SourceFile
    from schemas.platform import Platform
    from schemas.settings import Settings


@rule("R-RERUN", article="14.2")
def snapshot_id(files: Sequence[SourceFile]) -> str:
    """An issued invoice can be reproduced, byte for byte, from what the store kept.

    That is: the snapshot of the tables, the settings, the calls and the program's version. The snapshot is
    named by the SHA-256 over the names and SHA-256 of its files, so equal tables are kept once; the ledger's
    row of the run names the snapshot, settings and version, its rating names the calls.
    """
    listed = sorted(f"{file.path.name} {file.sha256}\n" for file in files)
    return sha256_of_bytes("".join(listed).encode())


def keep_snapshot(store: Store, ledger: Ledger, loaded: LoadedPlatform) -> list[tuple[str, str, int]]:
    """Copy the tables into the store unless it has them; gives path, SHA-256 and size of the files to be named.

    Raises:
        InputRefused: where a file changed since it was read.
    """
    folder = f"snapshots/{snapshot_id(loaded.files)}"
    named = ledger.stored_files()
    written = []
    for file in loaded.files:
        relative = f"{folder}/{file.path.name}"
        if relative in named:
            continue
        sha256, size = store.write(relative, partial(_copy, Path(file.path)))
        if sha256 != file.sha256:
            raise InputRefused(f"{file.path}: it changed while it was being read; start again once it is complete")
        written.append((relative, sha256, size))
    return written


def _copy(source: Path, target: Path) -> None:
    shutil.copyfile(source, target)


def load_snapshot(store: Store, ledger: Ledger, snapshot: str, settings: Settings) -> LoadedPlatform:
    """The tables of a snapshot, each file checked before it is read.

    Raises:
        StoreUnavailable: where one is missing or altered.
    """
    from rating.sources.platform_tables import load_platform  # noqa: PLC0415 - only who reads tables waits for it

    return load_platform(_checked_folder(store, ledger, snapshot, SCHEMAS), settings)


def load_snapshot_tables(
    store: Store, ledger: Ledger, snapshot: str, settings: Settings, tables: Collection[str]
) -> Platform:
    """Some tables of a snapshot, each file checked before it is read; the others are empty.

    Raises:
        StoreUnavailable: where one is missing or altered.
    """
    from rating.sources.platform_tables import load_accepted  # noqa: PLC0415 - only who reads tables waits for it

    return load_accepted(_checked_folder(store, ledger, snapshot, tables), settings, tables)


def retro_since(
    store: Store, ledger: Ledger, previous: Run | None, loaded: LoadedPlatform, period: Period
) -> pl.DataFrame:
    """R-RETRO: services and contracts changed with a past date since the run before (`RETRO_SCHEMA`).

    Raises:
        StoreUnavailable: where a table of that run is missing or altered.
    """
    if previous is None or previous.snapshot == snapshot_id(loaded.files):
        return pl.DataFrame(schema=RETRO_SCHEMA)
    settings = parse_settings(json.loads(previous.settings))
    before = load_snapshot_tables(store, ledger, previous.snapshot, settings, SERVICE_TABLES)
    services = retroactive_changes(service_rows(before), service_rows(loaded.platform), period)
    contracts = changed_contracts(before.contracts, loaded.platform.contracts, period)
    return pl.concat([services.cast(pl.Schema(RETRO_SCHEMA)), contracts])


def _checked_folder(store: Store, ledger: Ledger, snapshot: str, tables: Collection[str]) -> Path:
    """The folder of a snapshot, once the files of these tables were found to be as they were stored."""
    folder = f"snapshots/{snapshot}"
    for path, sha256 in ledger.stored_files().items():
        if path.startswith(f"{folder}/") and path.removeprefix(f"{folder}/").partition(".")[0] in tables:
            store.require(path, sha256)
    return store.root / folder

"""Users and numbers as a platform has them now: what `centime sync` compares with what it knows.

A folder gives them as two tables in the usual forms (`users.csv`, `numbers.parquet`, ...), the columns of the platform
tables of these names without the dates: `user_id`, `customer_id`, `product_id`, and `number`, `customer_id`, `country`,
`user_id?`, `product_id?`, `inbound_deck?`. A database gives them through a module of its platform and a file that says
whose they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rating.platform_checks import repeated_keys
from rating.service_changes import KEYS
from rating.sources import today_asterisk, today_fusionpbx
from rating.sources.database import open_session
from rating.sources.platform_tables import judge_rows, read_tables
from rating.sources.sync_map import load_sync_map
from schemas.errors import InputRefused
from schemas.today import TODAY

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import polars as pl

    from rating.platform_checks import TableRows
    from rating.sources.database import Address, Session
    from rating.sources.sync_map import SyncMap
    from schemas.errors import Problem
    from schemas.settings import Settings


PLATFORMS: dict[str, Callable[[Session, SyncMap, str], dict[str, pl.DataFrame]]] = {
    today_fusionpbx.NAME: today_fusionpbx.read_today,
    today_asterisk.NAME: today_asterisk.read_today,
}


@dataclass(frozen=True, slots=True)
class Today:
    """What a platform has.

    Attributes:
        source: Where it was read, as it is told.
        tables: The rows of `users` and `numbers` (`schemas.today`), sound all of them, each service once.
        warnings: What a person should look at, a sentence each.
    """

    source: str
    tables: dict[str, TableRows]
    warnings: tuple[str, ...] = ()

    def frame(self, table: str) -> pl.DataFrame:
        """The rows of a table, sorted by service."""
        return self.tables[table].rows.drop("line", "sound").sort(KEYS[table])


def read_today_folder(folder: Path, settings: Settings) -> Today:
    """Read today's users and numbers from a folder.

    Raises:
        InputRefused: with all that is wrong with the two tables.
    """
    read = read_tables(folder, settings, TODAY)
    refuse_unsound(f"the users and numbers of {folder}", read.tables, list(read.problems))
    return Today(str(folder), read.tables, read.warnings)


def read_today_database(name: str, address: Address, map_path: Path, settings: Settings) -> Today:
    """Read today's users and numbers from the database of a platform.

    Args:
        name: One of `PLATFORMS`.
        address: Where it is.
        map_path: The file that says whose its users and numbers are (`rating.sources.sync_map`).
        settings: Country code.

    Raises:
        InputRefused: where the database cannot be read, or what it has is not said in the file, or is wrong.
    """
    known = load_sync_map(map_path)
    with open_session(address) as session:
        found = PLATFORMS[name](session, known, settings.rating.country_code)
    judged = {table: judge_rows(table, TODAY[table], name, rows, settings) for table, rows in found.items()}
    problems = [problem for _, wrong in judged.values() for problem in wrong]
    tables = {table: rows for table, (rows, _) in judged.items()}
    refuse_unsound(f"the users and numbers of {name} at {address.shown}", tables, problems)
    return Today(f"{name} at {address.shown}", tables)


def refuse_unsound(what: str, tables: dict[str, TableRows], problems: list[Problem]) -> None:
    """Refuse rows that are wrong, and users and numbers that come twice.

    Raises:
        InputRefused: with all of them.
    """
    problems += [problem for table, read in tables.items() for problem in repeated_keys(table, read, (KEYS[table],))]
    if problems:
        count = len(problems)
        raise InputRefused(f"{count} problem{'s' if count > 1 else ''} in {what}", tuple(problems))

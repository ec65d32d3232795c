"""A platform folder and a folder with what the platform has today, and the command that brings them together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.cli.program import Told, centime, write_tables

if TYPE_CHECKING:
    from pathlib import Path

USERS = "user_id,customer_id,product_id\n"
NUMBERS = "number,customer_id,country,user_id,product_id,inbound_deck\n"


@dataclass(frozen=True, slots=True)
class Folders:
    """Where the tables are, and what is read.

    Attributes:
        folder: Holds `platform/` and `today/`; the program is started there.
    """

    folder: Path

    @property
    def platform(self) -> Path:
        """The platform tables."""
        return self.folder / "platform"

    def has(self, users: str, numbers: str = "") -> None:
        """What the platform has today: rows parted by blanks, cells by commas."""
        today = self.folder / "today"
        today.mkdir(exist_ok=True)
        for name, header, rows in (("users", USERS, users), ("numbers", NUMBERS, numbers)):
            (today / f"{name}.csv").write_text(header + "".join(f"{row}\n" for row in rows.split()), encoding="utf-8")

    def sync(self, now: str, *options: str) -> Told:
        """Sync on a day, at noon."""
        return centime(
            "sync", "--platform", "platform", "--from", "today", "--now", f"{now}T11:00:00Z", *options,
            folder=self.folder,
        )  # fmt: skip

    def show(self, *options: str) -> Told:
        """What syncs changed, as JSON."""
        return centime("sync", "--platform", "platform", "--show", "--json", *options, folder=self.folder)

    def rows(self, table: str) -> list[str]:
        """The rows of a table as they are written."""
        return (self.platform / f"{table}.csv").read_text(encoding="utf-8").splitlines()[1:]

    def what(self, *options: str) -> list[str]:
        """Every change told, in words; those held marked."""
        return [
            f"{row['day']} {row['what']}{' (held)' * bool(row['held'])}" for row in self.show(*options).table("Changes")
        ]


def make_folders(folder: Path, users: int, **changed: str) -> Folders:
    """A small platform: c1 has so many users, u1, u2, ..., since January, and there are two numbers; today the same."""
    names = [f"u{number}" for number in range(1, users + 1)]
    rows = "".join(f"{name},c1,seat,2026-01-01,\n" for name in names)
    tables = {
        "users": f"user_id,customer_id,product_id,active_from,active_to\n{rows}",
        "numbers": "number,customer_id,country,active_from,active_to,user_id,product_id,inbound_deck\n"
        "+3225550101,c1,BE,2026-01-01,,u1,,\n+3225550301,c3,BE,2026-01-01,,,,\n",
    }
    write_tables(folder / "platform", **(tables | changed))
    made = Folders(folder)
    made.has(" ".join(f"{name},c1,seat" for name in names), "+3225550101,c1,BE,u1,, +3225550301,c3,BE,,,")
    return made

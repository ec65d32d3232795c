"""Claims about the invoice of the small store's October, and what answers them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.cli.program import SMALL

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.program import Place, Told

INVOICE = "2026-000001"
DISPUTE = "D2026-000001"
NOW = "2026-11-05T10:00:00Z"
ANOTHER_SEAT = SMALL["users"] + "u9,c1,seat,2026-10-20,\n"


def dispute(place: Place, *arguments: str | Path, now: str = NOW) -> Told:
    """One of the commands, in this process."""
    return place.start("dispute", *arguments, "--now", now, "--json")


def opened(place: Place, *options: str | Path, now: str = NOW) -> Told:
    return dispute(place, "open", INVOICE, "--reason", "Not ours", "--by", "anna", *options, now=now)


def ids(place: Place, *call_ids: str, name: str = "ids.txt") -> Path:
    """A file that names calls."""
    path = place.folder / name
    path.write_text("\n".join(call_ids) + "\n", encoding="utf-8")
    return path


def settle(place: Place, form: str, *options: str | Path, number: str = DISPUTE, now: str = NOW) -> Told:
    return dispute(place, "settle", number, "--as", form, "--reason", "Wrong calls", *options, now=now)

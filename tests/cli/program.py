"""Starts the program in this process and says what it gave; and a small store, filled by it, for every command."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cli import main
from tests.rules.months import CDR_HEADER, TABLES

if TYPE_CHECKING:
    from pathlib import Path

CDRS = {
    "october": """\
pack1,2026-10-01T08:00:00Z,outgoing,+3225550101,+33142685300,100,u1
pack2,2026-10-02T08:00:00Z,outgoing,+3225550101,+33142685300,161,u1
sos,2026-10-03T08:00:00Z,outgoing,+3225550101,112,60,u1
near,2026-10-03T09:00:00Z,outgoing,+3225550101,+3225550102,60,u1
info,2026-10-03T10:00:00Z,outgoing,+3225550101,+3290012345,10.2,u1
in,2026-10-04T08:00:00Z,incoming,+33142685300,+3225550101,60,
mute,2026-10-05T08:00:00Z,outgoing,+3225550101,+33142685300,0,u1
bad,2026-10-06T08:00:00Z,outgoing,+3225550101,+33142685300,-1,u1
pack1,2026-10-01T08:00:00Z,outgoing,+3225550101,+33142685300,100,u1
pack1,2026-10-01T08:00:00Z,outgoing,+3225550101,+33142685300,101,u1
nobody,2026-10-07T08:00:00Z,outgoing,+3225550188,+33142685300,60,
nowhere,2026-10-08T08:00:00Z,outgoing,+3225550101,+4915112345,60,u1
[red]odd[/red],2026-10-09T08:00:00Z,outgoing,+3225550101,+33142685300,60,u1
[/],2026-10-09T09:00:00Z,outgoing,+3225550101,+33142685300,60,u1
\x1b[31mloud,2026-10-09T10:00:00Z,outgoing,+3225550101,+33142685300,60,u1
=2+3,2026-10-09T11:00:00Z,outgoing,+3225550101,+33142685300,60,u1
""",
    "november": """\
late,2026-10-20T08:00:00Z,outgoing,+3225550101,+33142685300,60,u1
wait,2026-12-01T08:00:00Z,outgoing,+3225550101,+33142685300,161,u1
""",
}
SMALL = TABLES | {
    "numbers": """\
number,customer_id,country,active_from,active_to,user_id,product_id,inbound_deck
+3225550101,c1,BE,2026-01-01,,u1,,
+3225550102,c1,BE,2026-01-01,,,,
+3225550301,c3,BE,2026-01-01,,,,
""",
    "zones": f"{TABLES['zones']}SOS,emergency,Secours\n".replace("France", "[red]France[/red]"),
    "rates": f"{TABLES['rates']}d,=112,SOS,0.3,0,2026-01-01,2026-01-01\nd,=112,SOS,0.3,0,2026-11-01,2026-09-01\n",
    "charges": """\
charge_id,customer_id,date,description,quantity,unit_price
h1,c1,2026-10-05,=1+1,1.5,10.01
""",
}
SETTINGS = '[billing]\nquarantine_threshold = 1\n[documents]\nreport = "none"\n'
RUN_AT = {"2026-10": "2026-11-02T10:00:00Z", "2026-11": "2026-12-02T10:00:00Z"}


@dataclass(frozen=True, slots=True)
class Told:
    """What a command gave."""

    status: int
    stdout: str
    stderr: str

    @property
    def document(self) -> dict[str, object]:
        """The one JSON object on stdout."""
        (line,) = self.stdout.splitlines()
        found: dict[str, object] = json.loads(line)
        return found

    def table(self, title: str) -> list[dict[str, object]]:
        """A table of the JSON object."""
        tables = self.document["tables"]
        assert isinstance(tables, dict)
        rows: list[dict[str, object]] = tables[title]
        return rows


def centime(*arguments: str | Path, folder: Path | None = None) -> Told:
    """One command of the program, as if it were started in a folder."""
    before, sys.argv = sys.argv, ["centime", *map(str, arguments)]
    stdout, stderr = io.StringIO(), io.StringIO()
    place = contextlib.chdir(folder) if folder else contextlib.nullcontext()
    status: object = 0
    try:
        with place, contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):
            main()
    except SystemExit as leaving:
        status = leaving.code or 0
    finally:
        sys.argv = before
    assert isinstance(status, int)
    return Told(status, stdout.getvalue(), stderr.getvalue())


def write_tables(folder: Path, **changed: str) -> Path:
    """The small platform as CSV files, with some tables as given."""
    folder.mkdir(parents=True, exist_ok=True)
    for table, text in (SMALL | changed).items():
        (folder / f"{table}.csv").write_text(text, encoding="utf-8")
    return folder


def write_cdrs(path: Path, *rows: str) -> Path:
    """A CDR file: these rows under their header."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([CDR_HEADER, *rows]) + "\n", encoding="utf-8")
    return path


def call(call_id: str, day: str = "2026-10-10", *, duration_s: object = 60, callee: str = "+33142685300") -> str:
    """One CDR of the customer c1."""
    return f"{call_id},{day}T08:00:00Z,outgoing,+3225550101,{callee},{duration_s},u1"


def bytes_of(folder: Path) -> dict[str, str]:
    """Every file of a folder but the lock, which names its last holder, with its SHA-256."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "lock"
    }


@dataclass(frozen=True, slots=True)
class Place:
    """A folder with tables, CDRs, settings and a store.

    Attributes:
        folder: Where everything is; the program is started there, so that it finds `centime.toml`.
    """

    folder: Path

    @property
    def store(self) -> Path:
        """The store's folder."""
        return self.folder / "store"

    @property
    def tables(self) -> Path:
        """The platform tables."""
        return self.folder / "platform"

    def start(self, *arguments: str | Path) -> Told:
        """A command in this folder, with its default store."""
        return centime(*arguments, folder=self.folder)

    def run(self, period: str, *options: str | Path) -> Told:
        """The monthly job, without documents, right after the month."""
        return self.start(
            "run", period, "--platform", self.tables, "--no-render", "--now", RUN_AT[period], *options
        )  # fmt: skip


def make_place(folder: Path, **changed: str) -> Place:
    """Tables, settings and CDR files, nothing of them taken in yet."""
    folder.mkdir(parents=True, exist_ok=True)
    write_tables(folder / "platform", **changed)
    (folder / "centime.toml").write_text(SETTINGS, encoding="utf-8")
    for name, rows in CDRS.items():
        (folder / "cdrs").mkdir(exist_ok=True)
        (folder / "cdrs" / f"{name}.csv").write_text(f"{CDR_HEADER}\n{rows}", encoding="utf-8")
    return Place(folder)

"""Months of one store, run by the program itself: small CSV tables and CDRs in, its reports and exports out."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
SESSION = Path("tests") / "properties" / "session.py"
CDR_HEADER = "call_id,start,direction,caller,callee,duration_s,user_id"

Cells = dict[str, str]


@dataclass
class Months:
    """Commands for one store, collected and then run in the order given, in one process.

    Attributes:
        folder: Where the tables, the CDRs, the store and its exports are written.
        commands: The commands so far.
    """

    folder: Path
    commands: list[list[str]] = field(default_factory=list)

    def run(self, period: str, now: str, tables: dict[str, str], cdrs: dict[str, str]) -> None:
        """`centime run` with these tables and CDR files (rows without their header, by name)."""
        place = self.folder / f"{len(self.commands)}"
        written = {f"platform/{table}.csv": rows for table, rows in tables.items()}
        written |= {f"cdrs/{name}.csv": f"{CDR_HEADER}\n{rows}" for name, rows in cdrs.items()}
        for path, rows in written.items():
            (place / path).parent.mkdir(parents=True, exist_ok=True)
            (place / path).write_text(rows, encoding="utf-8")
        options = ["--platform", str(place / "platform"), "--cdrs", str(place / "cdrs"), "--no-render"]
        self._add("run", period, *options, "--now", now)

    def export(self, table: str, period: str, name: str) -> None:
        """`centime export` as it is at this point."""
        self._add("export", table, period, "-o", str(self.folder / f"{name}.csv"))

    def verify(self) -> None:
        """`centime verify` at this point."""
        self._add("verify")

    def _add(self, *arguments: str) -> None:
        self.commands.append([*arguments, "--json", "--store", str(self.folder / "store")])

    def done(self) -> list[dict[str, object]]:
        """Run the commands; gives what each told."""
        command = [sys.executable, str(SESSION)]
        given = json.dumps(self.commands)
        done = subprocess.run(command, cwd=REPOSITORY, input=given, capture_output=True, text=True, check=False)
        assert done.returncode in (0, 1), f"{done.stdout}\n{done.stderr}"
        return [json.loads(line) for line in done.stdout.splitlines()]

    def exported(self, name: str) -> list[Cells]:
        """The rows of an export."""
        with (self.folder / f"{name}.csv").open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))


def cells(rows: list[Cells], *columns: str) -> list[tuple[str, ...]]:
    """These columns of the rows."""
    return [tuple(row[column] for column in columns) for row in rows]

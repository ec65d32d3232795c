"""Months of one store, run by the program itself: small CSV tables and CDRs in, its reports and exports out."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

CDR_HEADER = "call_id,start,direction,caller,callee,duration_s,user_id"

Cells = dict[str, str]

# c1 has a user and a pack of 2 minutes, 1 from November on, when calls cost twice as much; the contract of c2 ends
# with October; c3 has a number and nothing to pay. The number that nobody had is entered later.
NOBODYS_YET = "+3225550199"
TABLES = {
    "customers": """\
customer_id,name,street,postal_code,city,country,language
c1,One,Street 1,1000,Brussels,BE,en
c2,Two,Street 2,1000,Brussels,BE,en
c3,Three,Street 3,1000,Brussels,BE,en
""",
    "contracts": """\
contract_id,customer_id,starts_on,term_months,ends_on,payment_days
k1,c1,2026-01-01,,,
k2,c2,2026-01-01,,2026-11-01,
k3,c3,2026-01-01,,,
""",
    "customer_decks": """\
customer_id,deck_id,effective_from,notified_on
c1,d,2026-01-01,2026-01-01
c2,d,2026-01-01,2026-01-01
""",
    "users": """\
user_id,customer_id,product_id,active_from,active_to
u1,c1,seat,2026-01-01,
u2,c2,seat,2026-01-01,
""",
    "numbers": """\
number,customer_id,country,active_from,active_to,user_id,product_id,inbound_deck
+3225550301,c3,BE,2026-01-01,,,,
""",
    "subscriptions": """\
subscription_id,customer_id,product_id,quantity,active_from,active_to,user_id
s1,c1,minutes,1,2026-01-01,,
""",
    "products": """\
product_id,kind,label_fr
seat,user,Seat
minutes,pack,Minutes
""",
    "prices": """\
product_id,customer_id,unit_price,effective_from,notified_on
seat,,0,2026-01-01,2026-01-01
minutes,,0,2026-01-01,2026-01-01
""",
    "packs": """\
product_id,scope,zones,included_minutes,priority,effective_from,notified_on
minutes,customer,*,2,1,2026-01-01,2026-01-01
minutes,customer,*,1,1,2026-11-01,2026-09-01
""",
    "zones": """\
zone_id,kind,label_fr
FR,international,France
INFO,premium,Info
""",
    "rates": """\
deck_id,prefix,zone_id,price_per_minute,setup_fee,effective_from,notified_on
d,33,FR,0.05,0,2026-01-01,2026-01-01
d,3290,INFO,1,0,2026-01-01,2026-01-01
d,33,FR,0.1,0,2026-11-01,2026-09-01
d,3290,INFO,2,0,2026-11-01,2026-09-01
""",
}
LATER_TABLES = TABLES | {"numbers": f"{TABLES['numbers']}{NOBODYS_YET},c1,BE,2026-10-01,,,,\n"}


@dataclass
class Months:
    """Commands for one store, collected and then run in the order given.

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
        """Run the commands; gives what each told. Each must end with 0, or with 1: done, with something to look at."""
        from tests.cli.program import centime  # noqa: PLC0415 - it imports the tables from here

        reports = []
        for command in self.commands:
            done = centime(*command)
            assert done.status in (0, 1), done.stderr
            reports.append(done.document)
        return reports

    def exported(self, name: str) -> list[Cells]:
        """The rows of an export."""
        with (self.folder / f"{name}.csv").open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))


def cells(rows: list[Cells], *columns: str) -> list[tuple[str, ...]]:
    """These columns of the rows."""
    return [tuple(row[column] for column in columns) for row in rows]

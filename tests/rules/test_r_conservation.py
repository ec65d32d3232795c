"""R-CONSERVATION: every record and every call is in exactly one place, and every run says so."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import duckdb
import polars as pl
import pytest

from invoicing.conservation import Balance, unbalanced_files
from tests.cli.program import centime
from tests.rules.months import LATER_TABLES, TABLES, Months, cells
from tests.shared import made_once

if TYPE_CHECKING:
    from pathlib import Path

COUNTS = ("records", "accepted", "unanswered", "duplicate", "quarantined", "skipped")
# Rated; of nobody yet; of November, so waiting; unanswered; the first again, and with other content; no time; 2027.
OCTOBER = """\
a,2026-10-10T08:00:00Z,outgoing,+3225550101,+33142685300,100,u1
x,2026-10-15T08:00:00Z,outgoing,+3225550199,+3290012345,60,
n,2026-10-31T23:30:00Z,outgoing,+3225550101,+33142685300,60,u1
u,2026-10-10T08:00:00Z,outgoing,+3225550101,+33142685300,0,u1
a,2026-10-10T10:00:00+02:00,outgoing,+3225550101,+33142685300,99.5,u1
a,2026-10-10T08:00:00Z,outgoing,+3225550101,+33142685300,101,u1
m,yesterday,outgoing,+3225550101,+33142685300,100,u1
z,2027-01-01T08:00:00Z,outgoing,+3225550101,+33142685300,100,u1
"""
# Of the first period's past; known from the file before; new.
NOVEMBER = """\
old,2026-09-30T21:59:59Z,outgoing,+3225550101,+33142685300,60,u1
a,2026-10-10T08:00:00Z,outgoing,+3225550101,+33142685300,100,u1
b,2026-11-03T08:00:00Z,outgoing,+3225550101,+33142685300,60,u1
"""


Told = tuple[Months, list[dict[str, object]]]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """October and November of one store; the second run is given the first file once more."""
    folder = made_once(tmp_path_factory, "conserved", make)
    return Months(folder), json.loads((folder / "told.json").read_text(encoding="utf-8"))


def make(folder: Path) -> None:
    made = Months(folder)
    made.run("2026-10", "2026-10-31T22:00:00Z", TABLES, {"october": OCTOBER})
    made.run("2026-11", "2026-11-30T22:00:00Z", LATER_TABLES, {"november": NOVEMBER, "october": OCTOBER})
    made.verify()
    for month in ("10", "11"):
        made.export("files", f"2026-{month}", f"files-{month}")
    (folder / "told.json").write_text(json.dumps(made.done()), encoding="utf-8")


def test_r_conservation__every_file_is_counted(told: Told) -> None:
    months, reports = told
    assert cells(months.exported("files-10"), *COUNTS) == [("8", "3", "1", "1", "3", "0")]
    assert cells(months.exported("files-11"), *COUNTS) == [("3", "2", "0", "1", "0", "0")]
    counts = [{name: report["counts"][name] for name in COUNTS} for report in reports[:2]]  # type: ignore[index]
    assert [tuple(count.values()) for count in counts] == [(8, 3, 1, 1, 3, 0), (3, 2, 0, 1, 0, 0)]


def test_r_conservation__every_run_shows_the_balance_of_its_calls(
    told: Told,
) -> None:
    balances = [report["messages"][-1] for report in told[1][:2]]  # type: ignore[index]
    assert balances == [
        "3 calls accepted = 1 invoiced + 1 waiting + 1 unrated",
        "5 calls accepted = 4 invoiced + 0 waiting + 1 unrated",  # x has an owner now; old is of before the start
    ]
    assert told[1][2]["exit_status"] == 0


def test_r_conservation__nothing_is_issued_where_a_call_is_missing(told: Told, tmp_path: Path) -> None:
    """A ledger that counts one call more than there is anywhere: the next run refuses, and issues nothing."""
    shutil.copytree(told[0].folder / "store", tmp_path / "store")
    ledger = tmp_path / "store" / "ledger.duckdb"
    with duckdb.connect(ledger) as connection:
        connection.execute("update files set accepted = accepted + 1, unanswered = unanswered - 1 where unanswered > 0")
    december = Months(tmp_path)
    december.run("2026-12", "2026-12-31T22:00:00Z", LATER_TABLES, {"october": OCTOBER})
    done = centime(*december.commands[0])
    assert done.status == 3
    assert "6 calls accepted is NOT 4 invoiced + 0 waiting + 1 unrated" in str(done.document["error"])
    with duckdb.connect(ledger, read_only=True) as connection:
        issued = "select max(period) from runs union all select max(period) from invoices"
        assert connection.execute(issued).fetchall() == [("2026-11",), ("2026-11",)]


@pytest.mark.parametrize(
    ("accepted", "invoiced", "waiting", "unrated", "holds"),
    [
        (0, 0, 0, 0, True),
        (6, 1, 2, 3, True),
        (6, 6, 0, 0, True),
        (7, 1, 2, 3, False),  # one is nowhere
        (5, 1, 2, 3, False),  # one is in two places
    ],
)
def test_r_conservation__calls(accepted: int, invoiced: int, waiting: int, unrated: int, *, holds: bool) -> None:
    balance = Balance(accepted=accepted, invoiced=invoiced, waiting=waiting, unrated=unrated)
    assert balance.holds is holds
    assert (" = " in balance.sentence(), "is NOT" in balance.sentence()) == (holds, not holds)


@pytest.mark.parametrize(
    ("records", "accepted", "unanswered", "duplicate", "quarantined", "skipped", "balanced"),
    [
        (0, 0, 0, 0, 0, 0, True),
        (10, 1, 2, 3, 4, 0, True),
        (15, 1, 2, 3, 4, 5, True),
        (11, 1, 2, 3, 4, 0, False),
        (9, 1, 2, 3, 4, 0, False),
        (10, 1, 2, 3, 4, 1, False),
        (10, 10, 0, 0, 1, 0, False),
    ],
)
def test_r_conservation__records(
    records: int, accepted: int, unanswered: int, duplicate: int, quarantined: int, skipped: int, *, balanced: bool
) -> None:
    counts = dict(zip(COUNTS, (records, accepted, unanswered, duplicate, quarantined, skipped), strict=True))
    sound = {"source_file": "sound.csv", **dict.fromkeys(COUNTS, 0), "records": 1, "accepted": 1}
    files = pl.DataFrame([{"source_file": "judged.csv", **counts}, sound])
    assert unbalanced_files(files)["source_file"].to_list() == ([] if balanced else ["judged.csv"])

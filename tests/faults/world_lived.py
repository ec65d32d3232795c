"""A world lived through by the program, month after month: undisturbed, or with everything that goes wrong."""

from __future__ import annotations

import contextlib
import io
import json
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import typer

import cli
from invoicing.desk import Report
from invoicing.exports import TABLES as EXPORTS
from invoicing.ledger import Ledger
from invoicing.publishing import finish_earlier_runs
from invoicing.store import Store
from invoicing.table_files import as_text
from rating.periods import Period
from rating.sources.settings_file import load_settings
from schemas.errors import CentimeError
from tests.explanations.desks import desk_at
from tests.faults.world_killed import KILLED
from tests.properties.test_disputed_worlds import settle_one
from tests.rules.disputes import desk_at as desk_to_settle
from tests.second_reading.reading import Run
from tests.second_reading.reading import Store as Second
from tests.second_reading.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.faults.world_killed import Killer
    from tests.properties.worlds import World

DONE = (0, 1)
REFUSED, IN_USE = 2, 3
# After about so many steps a command has come to its end.
LAST_STEPS = {"read": 50, "run": 160}
CREDITED, DISPUTED = 0.08, 0.12
# What a store holds of a world, whatever befell it; numbers of ratings and batches count what was begun in vain too.
KEPT = {
    "files": "* exclude (file_no)",
    "runs": "period, run_no, invoice_date, issued_at, settings, snapshot, program, summary",
    "invoices": "*",
    "lines": "*",
    "vat_totals": "*",
    "user_counts": "*",
    "users_billed": "*",
    "one_offs": "*",
    "credit_notes": "*",
    "credit_note_lines": "*",
    "credit_note_vat_totals": "*",
    "disputes": "*",
}
Options = dict[str, object]


def start(command: str, **options: object) -> int:
    """A command of the program in this process, past the reading of its words; gives its exit status."""
    silent = io.StringIO()
    with contextlib.redirect_stdout(silent), contextlib.redirect_stderr(silent):
        try:
            getattr(cli, command)(**options)
        except typer.Exit as leaving:
            return leaving.exit_code
        except CentimeError as refused:
            return refused.exit_status
    return 0


@dataclass
class Life:
    """A store, and what is done to it.

    Attributes:
        world: What happens in any case.
        folder: Where `World.write` wrote it.
        store: The store.
        second: The second reading of the months lived, and of what was settled in them.
        done: How often each thing happened.
    """

    world: World
    folder: Path
    store: Path
    second: Second = field(default_factory=Second)
    done: Counter[str] = field(default_factory=Counter)

    def live(self, disturb: Callable[[Life, int], None] | None = None) -> None:
        """Every month: what befalls its run, the run, and what finance does after it."""
        for place in range(len(self.world.months)):
            if disturb is not None:
                disturb(self, place)
            month = self.world.months[place]
            assert start("run", **self.run_options(place)) in DONE, month.period
            Run(self.second, month, self.world.settings).go()
            self.credit(place)
            self.dispute(place)

    def common(self, place: int) -> Options:
        """The options of every command in a month."""
        now = self.world.months[place].now
        return {"store": self.store, "config": self.folder / "config.toml", "now": now, "by": "anna"}

    def run_options(self, place: int) -> Options:
        """Those of its run."""
        period = self.world.months[place].period
        inputs = self.folder / period
        given = {"platform": inputs / "platform", "cdrs": [str(inputs / "cdrs")], "no_render": True}
        return {"period": period, **given, **self.common(place)}

    def paths(self, place: int) -> list[str]:
        """The files that are delivered for it."""
        return sorted(str(path) for path in (self.folder / self.world.months[place].period / "cdrs").iterdir())

    def numbers(self) -> list[str]:
        """The invoices so far."""
        ledger = Ledger(self.store / "ledger.duckdb", read_only=True)
        found = [str(number) for (number,) in ledger.rows("select invoice_number from invoices order by 1")]
        ledger.close()
        return found

    def credit(self, place: int) -> None:
        """Now and then an invoice is credited, in part or whole: the same one in every life of the world."""
        rng = random.Random(f"credit {self.world.seed} {place}")
        numbers = self.numbers() if rng.random() < CREDITED else []
        if numbers:
            extent: Options = rng.choice([{"everything": True}, {"lines": [1]}, {"amount": "0.01"}])
            common = self.common(place)
            status = start("credit", invoice=rng.choice(numbers), reason="Erreur", **extent, **common)
            assert status in (0, REFUSED)  # less may be left of it
            self.done["credited" if status == 0 else "nothing left to credit"] += 1

    def dispute(self, place: int) -> None:
        """Now and then an invoice is disputed, and corrected or not: the same one in every life of the world."""
        rng = random.Random(f"dispute {self.world.seed} {place}")
        if rng.random() < DISPUTED:
            now = self.world.months[place].now
            with desk_to_settle(self.store, load_settings(self.folder / "config.toml"), now) as desk:
                settled = settle_one(desk, self.second, self.world, self.folder, now, rng)
                finish_earlier_runs(desk, Report("dispute settle"))
            self.done["dispute settled" if settled else "dispute rejected"] += 1


@dataclass(frozen=True)
class Faults:
    """Disturbs a month before its run; what goes wrong is drawn from the world's seed."""

    killer: Killer

    def __call__(self, life: Life, place: int) -> None:
        """A part of all that can go wrong."""
        rng = random.Random(f"faults {life.world.seed} {place}")
        fault = Fault(life, place, rng, self.killer)
        begun = fault.begun.items() if place else ()
        for way, share in (*fault.always.items(), *begun):
            if rng.random() < share:
                way()


@dataclass(frozen=True)
class Fault:
    """What can go wrong with a month, each with its share of the months."""

    life: Life
    place: int
    rng: random.Random
    killer: Killer

    @property
    def always(self) -> dict[Callable[[], None], float]:
        """In any month."""
        return {self.read_daily: 0.15, self.read_killed: 0.08, self.run_killed: 0.12, self.killed_again: 0.05}

    @property
    def begun(self) -> dict[Callable[[], None], float]:
        """Once there is a month before it."""
        return {
            self.rated_with_old_tables: 0.06, self.run_killed: 0.05, self.two_at_once: 0.08, self.run_early: 0.04,
            self.month_before_again: 0.06, self.made_again: 0.04,
        }  # fmt: skip

    def read_daily(self) -> None:
        """Some files are read by themselves before the run, in their order."""
        paths = self.life.paths(self.place)
        for path in paths[: self.rng.randint(1, len(paths))]:
            assert start("read", paths=[path], **self.life.common(self.place)) in DONE
            self.life.done["read before the run"] += 1

    def read_killed(self) -> None:
        """A reading dies."""
        self.kill("read", self.life.paths(self.place)[0])

    def run_killed(self) -> None:
        """The run dies."""
        inputs = self.life.folder / self.life.world.months[self.place].period
        given = ["--platform", str(inputs / "platform"), "--cdrs", str(inputs / "cdrs"), "--no-render"]
        self.kill("run", inputs.name, *given)

    def killed_again(self) -> None:
        """The run dies, and so does the one after it."""
        self.run_killed()
        self.run_killed()

    def kill(self, command: str, *words: str) -> None:
        """Start a command that dies at some step, or comes to its end before."""
        options = [f"--{name}={option}" for name, option in self.life.common(self.place).items()]
        status = self.killer.start([command, *words, *options], self.rng.randint(1, LAST_STEPS[command]))
        assert status in (*DONE, KILLED), words
        self.life.done[f"{command} killed" if status == KILLED else f"{command} not killed in time"] += 1

    def rated_with_old_tables(self) -> None:
        """Somebody rates the month with the tables of the one before."""
        months = self.life.world.months
        period, tables = months[self.place].period, self.life.folder / months[self.place - 1].period / "platform"
        if start("rate", period=period, platform=tables, **self.life.common(self.place)) in DONE:
            self.life.done["rated with old tables"] += 1

    def two_at_once(self) -> None:
        """Another holds the store: nobody else gets in, and nothing is changed."""
        before = state(self.life.store)
        with Store(self.life.store).locked("another"):
            assert start("run", **self.life.run_options(self.place)) == IN_USE
        assert state(self.life.store) == before
        self.life.done["second start"] += 1

    def run_early(self) -> None:
        """A month is asked for before the one that comes before it."""
        later = self.place + 2
        if later < len(self.life.world.months):
            assert start("run", **self.life.run_options(later)) == REFUSED
            self.life.done["run out of turn"] += 1

    def month_before_again(self) -> None:
        """A month that was issued is run once more, and changes nothing."""
        before = kept(self.life.store)
        assert start("run", **self.life.run_options(self.place - 1)) in DONE
        assert kept(self.life.store) == before
        self.life.done["issued month run again"] += 1

    def made_again(self) -> None:
        """An old invoice is made again, and is the same."""
        numbers = self.life.numbers()
        if numbers:
            common = self.life.common(self.place)
            del common["by"]
            assert start("rerun", invoice=self.rng.choice(numbers), **common) == 0
            self.life.done["invoice made again"] += 1


def state(store: Path) -> dict[str, int]:
    """The files of a store, each with when it was last written; but the lock, which names its holders."""
    return {
        str(path.relative_to(store)): path.stat().st_mtime_ns
        for path in sorted(store.rglob("*"))
        if path.is_file() and path.name != "lock"
    }


def kept(store: Path) -> dict[str, list[tuple[object, ...]]]:
    """What the ledger holds of a world (`KEPT`)."""
    ledger = Ledger(store / "ledger.duckdb", read_only=True)
    found = {
        table: ledger.rows(f"select {columns} from {table} order by all")  # noqa: S608 - of this module
        for table, columns in KEPT.items()
    }
    ledger.close()
    return found


def exports(store: Path, periods: list[str]) -> dict[tuple[str, str], list[dict[str, str]]]:
    """Every table of every period, as the cells of its CSV."""
    found = {}
    with desk_at(store) as desk:
        for period in periods:
            for table in TABLES:
                frame = as_text(EXPORTS[table](desk.store, desk.ledger, Period.parse(period)))
                rows = json.loads(frame.write_json())
                found[table, period] = [
                    {name: "" if cell is None else str(cell) for name, cell in row.items()} for row in rows
                ]
    return found

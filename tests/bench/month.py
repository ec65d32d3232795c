"""A month of the bench on disk, and the program's commands on it."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path

from tests.bench.generate import write_late, write_world
from tests.bench.measure import MIB, PROGRAM, Cost, folder_bytes, measured
from tests.bench.parties import Size, build_world
from tests.bench.price_book import PERIOD

HERE = Path(__file__).parent
NOW, NEXT_NOW = "2026-11-02T10:00:00Z", "2026-12-02T10:00:00Z"
NEXT_PERIOD = "2026-11"
SOURCES = ("price_book.py", "parties.py", "calls.py", "generate.py")
LATE_CALLS = 100_000
FEW_CUSTOMERS = 20


@dataclass(frozen=True, slots=True)
class Month:
    """A generated month and the folder in which the program works on it.

    Attributes:
        size: How big it is.
        world: The folder of `platform` and `cdrs`; `late-all` and `late-few` hold calls that come after.
        place: The folder of the store and of what is temporary; it is watched.
    """

    size: Size
    world: Path
    place: Path

    @property
    def files(self) -> list[Path]:
        """The files of call records, in order."""
        return sorted((self.world / "cdrs").iterdir())

    @property
    def late(self) -> int:
        """How many calls come late."""
        return min(LATE_CALLS, self.size.calls // 10)

    @property
    def platform(self) -> Path:
        """The folder of the platform's tables."""
        return self.world / "platform"

    @property
    def store(self) -> Path:
        """The program's store."""
        return self.place / "store"

    def centime(self, *arguments: str, now: str = NOW, on_terminal: bool = False) -> Cost:
        """One command of the program in this store, with its progress on a terminal if so wanted."""
        temporary = self.place / "tmp"
        temporary.mkdir(parents=True, exist_ok=True)
        return measured(
            [*PROGRAM, *arguments, "--store", str(self.store), "--now", now],
            watched=self.place,
            environment={"TMPDIR": str(temporary)},
            folder=self.place,
            on_terminal=on_terminal,
        )

    def run(self, *, on_terminal: bool = False) -> Cost:
        """The monthly job, from files to a committed run, without PDFs."""
        return self.centime(
            "run", PERIOD, "--platform", str(self.platform), "--cdrs", str(self.world / "cdrs"), "--no-render",
            on_terminal=on_terminal,
        )  # fmt: skip

    def run_next(self) -> Cost:
        """The month after, in which nobody called; what came late is settled by it."""
        return self.centime("run", NEXT_PERIOD, "--platform", str(self.platform), "--no-render", now=NEXT_NOW)

    def input_mib(self) -> float:
        """The size of the call records' files."""
        return folder_bytes(self.world / "cdrs") / MIB

    def store_mib(self) -> float:
        """The size of the store."""
        return folder_bytes(self.store) / MIB

    def forget(self) -> None:
        """Remove the store."""
        shutil.rmtree(self.place, ignore_errors=True)

    def forget_store(self) -> None:
        """Remove the store alone."""
        shutil.rmtree(self.store, ignore_errors=True)

    def branch(self, name: str) -> Month:
        """The same month with a copy of the store, to go on from it twice."""
        place = self.place.with_name(f"{self.place.name}-{name}")
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(self.place, place)
        return Month(self.size, self.world, place)


def generated(work: Path, size: Size) -> Month:
    """The month of a size, made anew unless it is there already from the same generator."""
    name = f"{size.calls}-{size.customers}-{size.users}-{size.prefixes}-{size.seed}"
    folder = work / "worlds" / name
    month = Month(size, folder, work / "places" / name)
    made_by = hashlib.sha256(b"".join((HERE / source).read_bytes() for source in SOURCES)).hexdigest()
    mark = folder / "made-by"
    if not mark.exists() or mark.read_text() != made_by:
        shutil.rmtree(folder, ignore_errors=True)
        world = build_world(size)
        write_world(folder, world)
        write_late(folder / "late-all", world, month.late)
        write_late(folder / "late-few", world, month.late, customers=FEW_CUSTOMERS)
        mark.write_text(made_by)
    return month

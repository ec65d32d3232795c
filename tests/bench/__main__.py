"""Runs the bench: `python -m tests.bench` (minutes), `--full` (an hour or two); prints a table, writes it with a plot.

A part alone, at another size: `python -m tests.bench --calls 2_000_000 --only rating`; that writes nothing.
"""

from __future__ import annotations

import argparse
import compileall
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from tests.bench import copies, documents, machine, report, side_by_side, texts, waits
from tests.bench.figures import Figure, not_run
from tests.bench.measure import REPOSITORY, folder_bytes
from tests.bench.month import generated
from tests.bench.parties import Size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bench.measure import Cost
    from tests.bench.month import Month

PARTS = ("rating", "late", "side-by-side", "text", "waits", "documents")
MILLION = 1_000_000
QUICK = (Size(MILLION),)
# The same shape from a million to a hundred, and ten million with many customers and prefixes.
FULL = (
    Size(MILLION),
    Size(10 * MILLION),
    Size(10 * MILLION, customers=20_000, prefixes=200_000),
    Size(100 * MILLION),
)
PACKAGES = ("invoicing", "rating", "schemas")
SIDE_BY_SIDE_AT_MOST = 10 * MILLION
# Input, its copy and the store with what is temporary.
BYTES_PER_CALL = 200
GIB = 1024**3


def in_words(size: Size) -> str:
    """A size as the rows name it."""
    calls = f"{size.calls // MILLION}M" if size.calls % MILLION == 0 else f"{size.calls:,}"
    usual = Size(size.calls)
    if (size.customers, size.prefixes) == (usual.customers, usual.prefixes):
        return calls
    return f"{calls}, {size.customers:,} customers, {size.prefixes:,} prefixes"


def month_figures(size: Size, work: Path, parts: set[str], *, smallest: bool, thorough: bool) -> Iterator[Figure]:
    """Everything that is measured of a month of one size; its store is removed at the end."""
    name, usual = in_words(size), size == Size(size.calls)
    free = shutil.disk_usage(work).free
    if free < size.calls * BYTES_PER_CALL:
        yield not_run("rating", f"{name}: run", f"{free / GIB:.0f} GiB of disk are free, too few")
        return
    month = generated(work, size)
    try:
        figures, first = copies.first_run(month, name, thorough=thorough)
        yield from figures
        yield copies.second_run(month, name, first)
        if usual and size.calls <= SIDE_BY_SIDE_AT_MOST:
            yield from usual_figures(month, name, first, parts, thorough=thorough)
        if "waits" in parts:
            yield waits.explain_wait(month, name)
        if smallest:
            yield from smallest_figures(month, name, parts, thorough=thorough)
    finally:
        month.forget()


def usual_figures(month: Month, name: str, first: Cost, parts: set[str], *, thorough: bool) -> Iterator[Figure]:
    """What is measured where the customers and prefixes are the usual ones."""
    if "late" in parts:
        yield from copies.late_calls(month, name, first, thorough=thorough)
    if "side-by-side" in parts:
        yield from side_by_side.side_by_side(month, name, first, thorough=thorough)


def smallest_figures(month: Month, name: str, parts: set[str], *, thorough: bool) -> Iterator[Figure]:
    """What is measured once, in the smallest month."""
    if "waits" in parts:
        yield waits.help_wait()
        if thorough:
            yield waits.progress_cost(month, name)
    if "text" in parts:
        yield from texts.text_figures(month, name, thorough=thorough)


def figures_of_parts(
    work: Path, parts: set[str], sizes: tuple[Size, ...], *, thorough: bool, full: bool
) -> Iterator[Iterator[Figure]]:
    """What is measured, month by month, and then of the documents.

    Args:
        work: Where the months are made.
        parts: Which parts.
        sizes: Of the months.
        thorough: Whether what is short is measured several times, and what takes minutes at all.
        full: Whether ten thousand documents are made.
    """
    if parts != {"documents"}:
        for size in sizes:
            yield month_figures(size, work, parts, smallest=size == sizes[0], thorough=thorough)
    if "documents" in parts:
        yield documents.document_figures(full=full)


def asked() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--full", action="store_true", help="up to 100 million calls")
    parser.add_argument("--calls", type=int, action="append", help="another size; may be repeated")
    parser.add_argument("--customers", type=int, default=Size(0).customers)
    parser.add_argument("--prefixes", type=int, default=Size(0).prefixes)
    parser.add_argument("--only", choices=PARTS, action="append", help="a part alone; may be repeated")
    parser.add_argument("--work", type=Path, default=REPOSITORY / "build" / "bench", help="where the months are made")
    parser.add_argument("--results", type=Path, help="where the table goes [a whole bench: tests/bench/results]")
    return parser.parse_args()


def main() -> int:
    """The command; its status is 0 however slow the program is: a bench tells, tests judge."""
    options = asked()
    # As it is installed: compiled, whatever this environment says of writing compiled files.
    compileall.compile_file(REPOSITORY / "cli.py", quiet=1)
    for package in PACKAGES:
        compileall.compile_dir(REPOSITORY / package, quiet=1)
    options.work.mkdir(parents=True, exist_ok=True)
    work, parts = options.work.resolve(), set(options.only or PARTS)
    sizes = FULL if options.full else QUICK
    if options.calls:
        sizes = tuple(Size(calls, customers=options.customers, prefixes=options.prefixes) for calls in options.calls)
    here, console, figures = machine.machine(work), Console(stderr=True), []
    whole = not options.calls and not options.only
    results = options.results or (REPOSITORY / "tests" / "bench" / "results" if whole else None)
    thorough = options.full or options.only is not None
    for found in figures_of_parts(work, parts, sizes, thorough=thorough, full=options.full):
        for figure in found:
            figures.append(figure)
            console.print(" ".join(filter(None, report.cells(figure))), highlight=False)
        if results is not None:  # after each part: one that is interrupted leaves those before it
            written = report.write(figures, here, results, "bench-full" if options.full else "bench")
            console.print(f"written: {', '.join(map(str, written))}")
    report.show(figures)
    console.print(f"{folder_bytes(work) / GIB:.1f} GiB of generated months stay in {work}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

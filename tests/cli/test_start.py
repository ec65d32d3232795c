"""How a command starts: in a process of its own, loading no more than it needs to answer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cli import EXPORTED
from invoicing.exports import TABLES
from tests.cli.program import RUN_AT

if TYPE_CHECKING:
    from tests.cli.program import Place

REPOSITORY = Path(__file__).resolve().parents[2]
SLOW_TO_LOAD = {
    "attr", "babel", "dataframely", "duckdb", "invoicing", "jinja2", "lxml", "markdown_it", "numpy", "polars",
    "pyarrow", "pydantic", "pygments", "rating", "saxonche", "schwifty", "stdnum", "weasyprint", "xlsxwriter",
}  # fmt: skip

DOCUMENTS_ALONE = {"lxml", "saxonche", "schwifty", "stdnum", "weasyprint"}
# What the page of a month is made with too.
PAGES = {"babel", "jinja2"}
# Typer would turn each value by Pydantic.
READING_MANY = {"dataframely", "numpy", "pyarrow", "pydantic", "xlsxwriter"}


def alone(*arguments: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """The program in a fresh process, which names every module it imports on stderr."""
    started = "import sys; sys.argv[0] = 'centime'; from cli import main; main()"
    return subprocess.run(
        [sys.executable, "-X", "importtime", "-c", started, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def loaded(done: subprocess.CompletedProcess[str]) -> set[str]:
    """The packages that a process imported, of `import time: self | cumulative | name` on its stderr."""
    modules = (line.rsplit("|", 1)[1].strip() for line in done.stderr.splitlines() if line.startswith("import time:"))
    return {module.split(".")[0] for module in modules}


@pytest.mark.parametrize(
    ("arguments", "environment", "status", "said"),
    [
        (["--help"], {}, 0, "quarantine"),
        (["run", "--help"], {}, 0, "--platform"),
        (["run"], {}, 2, ""),
        ([], {"_CENTIME_COMPLETE": "complete_bash", "COMP_WORDS": "centime ver", "COMP_CWORD": "1"}, 0, "verify"),
    ],
    ids=["help", "help of a command", "bad usage", "completion"],
)
def test_start__what_needs_no_store_loads_nothing_slow(
    arguments: list[str], environment: dict[str, str], status: int, said: str, tmp_path: Path
) -> None:
    done = alone(*arguments, folder=tmp_path, **environment)
    assert done.returncode == status, done.stderr
    assert said in done.stdout
    assert "typer" in loaded(done)
    assert loaded(done) & SLOW_TO_LOAD == set()


# Each command in a process forked from one that has imported no more than the program does when it starts.
HELPING = """
import json, os, sys, tempfile
from cli import main
for arguments in json.loads(sys.argv[1]):
    if (child := os.fork()) == 0:
        sys.argv[:] = ["centime", *arguments]
        try:
            main()
        except SystemExit as leaving:
            print(arguments, "leaves with", leaving.code or 0, flush=True)
            sys.stderr.flush()
            os._exit(0)
        os._exit(1)
    assert os.waitpid(child, 0)[1] == 0, arguments
"""
HELPED = [["--help"], ["run", "--help"], ["dispute"], ["run"], ["explian"]]


def test_start__help_is_what_it_is_with_everything_loaded(tmp_path: Path) -> None:
    """What Typer would draw Markdown and tracebacks with is left out of help, and nothing of help with it."""
    shown = [
        subprocess.run(
            [sys.executable, "-c", f"{more}{HELPING}", json.dumps(HELPED)],
            cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(REPOSITORY), "FORCE_COLOR": "1"},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True,
        ).stdout
        for more in ("", "import rich.markdown, rich.traceback\n")
    ]  # fmt: skip
    assert "\x1b[" in shown[0]
    assert [line for line in shown[0].splitlines() if "leaves with" in line] == [
        f"{arguments} leaves with {status}" for arguments, status in zip(HELPED, (0, 0, 2, 2, 2), strict=True)
    ]
    assert shown[0] == shown[1]


@pytest.mark.parametrize(
    ("arguments", "unneeded"),
    [
        (["verify"], DOCUMENTS_ALONE | PAGES),
        (["quarantine"], DOCUMENTS_ALONE | PAGES),
        (["history", "pack2"], DOCUMENTS_ALONE),
        # Amounts and days in four languages; and nothing that reads many calls.
        (["explain", "pack2"], (DOCUMENTS_ALONE | PAGES | READING_MANY) - {"babel"}),
        *((["explain", call_id], READING_MANY) for call_id in ("late", "in", "nobody", "bad")),
    ],
    ids=lambda found: " ".join(found) if isinstance(found, list) else "",
)
def test_start__a_process_knows_all_loads_nothing_unneeded_and_ends_without_a_word_of_its_libraries(
    arguments: list[str], unneeded: set[str], filled: Place
) -> None:
    done = alone(*arguments, "--json", folder=filled.folder)
    assert done.returncode == 0, done.stderr
    assert "polars" in loaded(done)
    assert loaded(done) & unneeded == set()
    # An explanation knows the article of every rule, whatever was imported for it.
    assert json.loads(done.stdout) == filled.start(*arguments, "--json").document
    said = [line for line in done.stderr.splitlines() if not line.startswith("import time:")]
    assert [line for line in said if "checking files" not in line] == []


MAKING = """
import atexit, sys
atexit.register(lambda: print("loaded", *sys.modules, file=sys.stderr))
sys.argv[0] = "centime"
from cli import main
main()
"""


def test_start__a_run_leaves_documents_and_their_rules_to_other_processes(place: Place) -> None:
    arguments = ["--platform", "platform", "--cdrs", "cdrs/october.csv", "--now", RUN_AT["2026-10"]]
    done = subprocess.run(
        [sys.executable, "-c", MAKING, "run", "2026-10", *arguments],
        cwd=place.folder, env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert list(place.store.rglob("*.pdf")) != []
    modules = {module.split(".")[0] for module in done.stderr.splitlines()[-1].split()}
    assert "polars" in modules
    assert modules & DOCUMENTS_ALONE == set()


def test_start__rules_are_all_known_in_a_process_of_their_own(tmp_path: Path) -> None:
    done = alone("rules", "--json", folder=tmp_path)
    known = {REPOSITORY / rule["tests"] for rule in json.loads(done.stdout)["tables"]["Rules"]}
    assert known == set((REPOSITORY / "tests" / "rules").glob("test_r_*.py"))


def test_start__help_names_the_tables_that_can_be_exported() -> None:
    assert (*TABLES, "journal", "ubl") == EXPORTED

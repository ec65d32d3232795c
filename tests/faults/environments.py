"""The month in several environments, each in a fork of its own: variables and options as JSON in, with a hash out."""

from __future__ import annotations

import importlib
import json
import locale
import os
import sys
import time
from pathlib import Path

from tests.cli.program import Place
from tests.faults.ready import import_everything, prepare_workers


def month_in(environment: dict[str, str], options: list[str], place: Place, target: Path) -> None:
    """Run the month in this process and write the hash of what it leaves; never comes back."""
    from tests.faults.stores import RUN, begin_anew, contents  # noqa: PLC0415 - imported before, and forked with
    from tests.faults.test_environments import hash_of  # noqa: PLC0415

    os.environ.update(environment)
    time.tzset()
    begin_anew(place)
    done = place.start(*RUN, *options)
    target.write_text(hash_of(contents(place.store)) if done.status == 0 else done.stderr, encoding="utf-8")
    os._exit(0)


def main() -> None:
    """Each environment after the other."""
    place, target = Place(Path(sys.argv[1])), Path(sys.argv[2])
    # A locale that the machine does not have is the C locale, as for every program.
    try:
        locale.setlocale(locale.LC_ALL, "")
    except locale.Error:
        locale.setlocale(locale.LC_ALL, "C")
    import_everything()
    importlib.import_module("tests.faults.test_environments")
    prepare_workers()
    told = []
    for environment, options in json.load(sys.stdin):
        target.unlink(missing_ok=True)
        child = os.fork()
        if child == 0:
            month_in(environment, options, place, target)
        os.waitpid(child, 0)
        told.append((environment, options, target.read_text(encoding="utf-8") if target.exists() else "it died"))
    json.dump(told, sys.stdout)


if __name__ == "__main__":
    main()

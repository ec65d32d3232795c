"""A run takes up the rating that is there, where nothing changed since; so one that died leaves no trace."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.program import Place


def kinds(place: Place) -> list[str]:
    """What happened in a store."""
    return [str(row["kind"]) for row in place.start("history", "--json").table("History")]


def test_run__what_was_rated_and_has_not_changed_is_not_rated_again(rated: Place, issued: Place) -> None:
    done = rated.run("2026-10", "--json")
    assert done.status == 0, done.stderr
    assert sorted(kinds(rated)) == ["issued", "rated", "read"]
    assert rated.start("verify").status == 0
    # It says what a run says that rates.
    whole = issued.start("export", "lines", "2026-10", "-o", "lines.csv")
    assert whole.status == rated.start("export", "lines", "2026-10", "-o", "lines.csv").status == 0
    assert (rated.folder / "lines.csv").read_text() == (issued.folder / "lines.csv").read_text()
    assert {"rated": 10, "unrated": 2}.items() <= counts(done.document).items()


def counts(document: dict[str, object]) -> dict[str, int]:
    """The counts of a report."""
    found = document["counts"]
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("changed", ["tables", "calls", "settings"])
def test_run__what_changed_since_it_was_rated_is_rated_again(changed: str, rated: Place) -> None:
    if changed == "tables":
        charges = rated.tables / "charges.csv"
        charges.write_text(charges.read_text(encoding="utf-8").replace("10.01", "10.02"), encoding="utf-8")
    if changed == "settings":
        settings = rated.folder / "centime.toml"
        text = settings.read_text(encoding="utf-8")
        settings.write_text(text.replace("[billing]\n", "[billing]\npayment_days = 31\n"), encoding="utf-8")
    done = rated.run("2026-10", *(["--cdrs", "cdrs/november.csv"] if changed == "calls" else []))
    assert done.status == 0, done.stderr
    assert kinds(rated).count("rated") == 2
    assert rated.start("verify").status == 0


def test_run__a_rating_that_was_altered_is_refused_by_name(rated: Place) -> None:
    path = next(rated.store.glob("rated/period=*/*.parquet"))
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    done = rated.run("2026-10")
    assert done.status == 3
    assert str(path.relative_to(rated.folder)) in done.stderr

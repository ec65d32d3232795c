"""A dispute whose settling dies: all of it is there or nothing, and the next command writes its documents."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from invoicing import publishing
from tests.cli.conftest import copy
from tests.cli.program import bytes_of, make_place

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.program import Place
    from tests.faults.injected import Injector

AT = ["--now", "2026-11-05T10:00:00Z", "--by", "anna"]
OPEN = ["dispute", "open", "2026-000001", "--reason", "x", "--calls", "ids.txt", *AT]
SETTLE = ["dispute", "settle", "D2026-000001", "--as", "corrected-invoice", "--reason", "x", *AT]
# The credit note, the correction and the decision are in, the event of each too, and none of it is committed.
BEFORE_ITS_COMMIT = (3, "before")


@pytest.fixture(scope="module")
def claimed(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """One invoice, and a claim about it."""
    made = make_place(tmp_path_factory.mktemp("claimed") / "place")
    assert made.run("2026-10", "--cdrs", "cdrs/october.csv").status == 0
    (made.folder / "ids.txt").write_text("pack2\n", encoding="utf-8")
    assert made.start(*OPEN).status == 0
    return made


@pytest.fixture(scope="module")
def expected(claimed: Place, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What a command that nothing disturbs leaves."""
    place = copy(claimed, tmp_path_factory.mktemp("expected") / "place")
    assert place.start(*SETTLE).status == 0
    return contents(place)


def contents(place: Place) -> dict[str, bytes]:
    """Every document and file of calls of a store, and what the exports say."""
    found = {
        str(path.relative_to(place.store)): path.read_bytes()
        for folder in ("invoices", "rated", "quarantine")
        for path in sorted((place.store / folder).rglob("*"))
        if path.is_file()
    }
    for table, period in (("invoices", "2026-10"), ("rated", "2026-10"), ("credit_notes", "2026-11")):
        target = place.folder / f"{table}.csv"
        assert place.start("export", table, period, "-o", target).status == 0
        found[table] = target.read_bytes()
    return found


def test_settle__one_killed_before_its_commit_leaves_nothing_and_is_done_again(
    claimed: Place, dying: Injector, expected: dict[str, bytes], tmp_path: Path
) -> None:
    place = copy(claimed, tmp_path / "place")
    (ended,) = dying.start(place.folder, SETTLE, dies=BEFORE_ITS_COMMIT)
    assert ended.status == -signal.SIGKILL, ended.stderr
    assert place.start("dispute", "list", "--state", "open", "--json").document["counts"]["open"] == 1  # type: ignore[index]
    assert place.start("verify").status == 0
    assert place.start(*SETTLE).status == 0
    assert contents(place) == expected
    assert place.start("verify").status == 0


def test_settle__one_that_died_after_its_commit_is_published_by_the_next_command(
    claimed: Place, expected: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = copy(claimed, tmp_path / "place")
    with monkeypatch.context() as patched:
        patched.setattr(publishing, "publish_corrections", lambda *_: None)
        assert place.start(*SETTLE).status == 0
    assert not list((place.store / "invoices").rglob("*.pdf"))
    assert place.start("verify").status == 0
    before = bytes_of(place.store / "rated")
    # The same again is refused, for it is settled: what died was committed.
    told = place.start(*SETTLE)
    assert (told.status, "it is settled already" in " ".join(told.stderr.split())) == (2, True)
    assert contents(place) == expected
    assert bytes_of(place.store / "rated") == before
    assert place.start("verify").status == 0

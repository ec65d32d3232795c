"""The stores that the tests of the command line share: each is made once, and copied for who changes it."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from invoicing import publishing
from invoicing.ledger import Ledger
from tests.cli.disputing import ids, opened, settle
from tests.cli.program import Place, make_place
from tests.shared import empty_ledger, ledgers_begin_as_copies, made_once, tables_are_read_once

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["empty_ledger", "ledgers_begin_as_copies", "tables_are_read_once"]


@pytest.fixture(autouse=True)
def no_store_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the environment a test is started in reaches the program."""
    monkeypatch.delenv("CENTIME_STORE", raising=False)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Tables and CDRs, and no store yet."""
    return make_place(tmp_path / "place")


@pytest.fixture(scope="session")
def october_rated(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """October read and rated, and not issued."""

    def make(folder: Path) -> None:
        made = make_place(folder)
        for arguments in (["read", "cdrs/october.csv"], ["rate", "2026-10", "--platform", "platform"]):
            done = made.start(*arguments, "--now", "2026-11-02T10:00:00Z")
            assert done.status == 0, done.stderr

    return Place(made_once(tmp_path_factory, "october-rated", make))


@pytest.fixture(scope="session")
def october_issued(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """October run, without documents."""

    def make(folder: Path) -> None:
        done = make_place(folder).run("2026-10", "--cdrs", "cdrs/october.csv")
        assert done.status == 0, done.stderr

    return Place(made_once(tmp_path_factory, "october-issued", make))


@pytest.fixture(scope="session")
def filled(october_issued: Place, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A store in which October and November were run; for commands that only look at it."""

    def make(folder: Path) -> None:
        done = copy(october_issued, folder / "place").run("2026-11", "--cdrs", "cdrs/november.csv")
        assert done.status == 0, done.stderr

    return Place(made_once(tmp_path_factory, "filled", make) / "place")


@pytest.fixture(scope="session")
def october_claimed(october_issued: Place, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """October issued, and a claim about a call and a line."""

    def make(folder: Path) -> None:
        made = copy(october_issued, folder / "place")
        assert opened(made, "--calls", ids(made, "pack2"), "--line", "4").status == 0

    return Place(made_once(tmp_path_factory, "october-claimed", make) / "place")


@pytest.fixture(scope="session")
def october_corrected(october_claimed: Place, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """The claim settled with a corrected invoice, whose documents are published."""

    def make(folder: Path) -> None:
        told = settle(copy(october_claimed, folder / "place"), "corrected-invoice")
        assert told.status == 0, told.stderr
        assert told.document["superseding_invoice"] == "2026-000002"
        assert sorted(told.document["files_written"]) == [  # type: ignore[call-overload]
            "store/invoices/2026/2026-000002.pdf", "store/invoices/2026/CN2026-000001.pdf"
        ]  # fmt: skip

    return Place(made_once(tmp_path_factory, "october-corrected", make) / "place")


@pytest.fixture
def rated(october_rated: Place, tmp_path: Path) -> Place:
    """October rated, to be changed."""
    return copy(october_rated, tmp_path / "rated")


@pytest.fixture
def issued(october_issued: Place, tmp_path: Path) -> Place:
    """October issued, to be changed."""
    return copy(october_issued, tmp_path / "issued")


@contextmanager
def without_documents() -> Iterator[None]:
    """What is credited, corrected or released waits for its documents, as where the command died before them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(publishing, "render_corrections", lambda *_, **__: None)
        patch.setattr(publishing, "publish_releases", lambda *_: None)
        yield


@pytest.fixture
def no_documents() -> Iterator[None]:
    """The same, for as long as a test that looks at none of them."""
    with without_documents():
        yield


def copy(place: Place, folder: Path) -> Place:
    """The same tables, CDRs and store elsewhere."""
    return Place(shutil.copytree(place.folder, folder))


def forget_documents(place: Place) -> None:
    """Let no document count, as where the command that was to write them died before."""
    ledger = Ledger(place.store / "ledger.duckdb")
    ledger.execute("delete from stored_files where path in (select path from documents)")
    ledger.execute("delete from documents")
    ledger.close()

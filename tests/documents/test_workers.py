"""Workers: the same bytes however many there are, and one document that takes too much stops none of the others."""

from __future__ import annotations

import signal
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from sample_documents import document, full_document, line, many_calls

from invoicing.documents import workers
from invoicing.documents.making import make_files
from invoicing.documents.processes import begin_process
from invoicing.documents.workers import Made, made_by_workers
from schemas.settings import DocumentSettings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection

    from invoicing.documents.files import Files
    from invoicing.documents.model import InvoiceDocument

ENOUGH = DocumentSettings()
# Judging is started once for each call, which takes longer than a few documents; what it does is `test_judging.py`'s.
UNJUDGED = DocumentSettings(validate=False)


def numbered(count: int) -> list[InvoiceDocument]:
    return [
        document([line("recurring", "Abonnement", 1000 + each)], number=f"2026-{each:06d}", calls=many_calls(3 * each))
        for each in range(count)
    ]


@cache
def files_of(count: int) -> dict[str | None, Files]:
    """What a process without limits makes of so many documents."""
    return {each.number: make_files(each, ENOUGH) for each in numbered(count)}


def by_number(made: Iterator[Made]) -> dict[str | None, Made]:
    return {each.document.number: each for each in made}


def test_workers__make_the_same_bytes_however_many_there_are() -> None:
    long = full_document(80, number="2026-000099")
    documents = [*numbered(4), long]
    expected = {**files_of(4), long.number: make_files(long, ENOUGH)}
    for count, limits in ((1, UNJUDGED), (3, ENOUGH)):
        made = by_number(made_by_workers(documents, limits, workers=count))
        assert {number: each.files for number, each in made.items()} == expected, count


def test_workers__after_some_documents_another_takes_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    begun = []

    def begin(*arguments: Any) -> Any:  # noqa: ANN401 - as it is called
        begun.append(arguments)
        return begin_process(*arguments)

    monkeypatch.setattr(workers, "DOCUMENTS_EACH", 2)
    monkeypatch.setattr(workers, "begin_process", begin)
    made = by_number(made_by_workers(numbered(4), UNJUDGED, workers=1))
    assert {number: each.files for number, each in made.items()} == files_of(4)
    assert len(begun) == 2


def test_workers__take_a_document_only_when_one_is_free() -> None:
    taken = 0

    def documents() -> Iterator[InvoiceDocument]:
        nonlocal taken
        for each in numbered(12):
            taken += 1
            yield each

    for done, _ in enumerate(made_by_workers(documents(), ENOUGH, workers=2)):
        # Two being made, three that wait to be judged, two to be given back, one to come.
        assert taken <= done + 8


def test_workers__none_is_begun_for_nothing() -> None:
    assert list(made_by_workers(iter(()), ENOUGH)) == []


@pytest.mark.parametrize(
    ("limits", "why"),
    [
        (replace(UNJUDGED, cpu_limit_s=3), "more than 3 s of processor (cpu_limit_s)"),
        (replace(UNJUDGED, wall_limit_s=3), "more than 3 s (wall_limit_s)"),
        (replace(UNJUDGED, memory_limit_mb=100), "more memory than there is, or than 100 MB (memory_limit_mb)"),
    ],
)
def test_limits__what_takes_more_is_held_and_the_others_go_out(limits: DocumentSettings, why: str) -> None:
    small = numbered(3)
    heavy = [line("recurring", f"Abonnement {each}", 1000) for each in range(6000)]
    huge = document(heavy, number="2026-000077")
    made = by_number(made_by_workers([*small[:2], huge, *small[2:]], limits, workers=2))
    assert len(made) == 4
    held = made.pop("2026-000077")
    assert (held.files, held.held) == (None, why)
    assert {number: each.files for number, each in made.items()} == files_of(3)


def test_limits__an_error_is_raised_where_the_document_came_from() -> None:
    wrong = replace(full_document(6), net_cents=1)
    with pytest.raises(ValueError, match=r"invoice 2026-000001: lines make \d+ cents, not 1"):
        list(made_by_workers([*numbered(3), wrong], UNJUDGED, workers=2))


def tell_blocked(connection: Connection, _limits: DocumentSettings) -> None:
    """Which signals a process does not hear, as it has it from the one it was forked from."""
    connection.send(signal.pthread_sigmask(signal.SIG_BLOCK, []))


def test_workers__ctrl_c_reaches_none_of_their_processes_even_while_they_import() -> None:
    process, connection = begin_process(tell_blocked, ENOUGH)
    assert signal.SIGINT in connection.recv()
    process.join()
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])

"""Judging: one process says of each electronic document what is wrong with it, within its limits."""

from __future__ import annotations

from functools import cache

import pytest
from electronic_documents import electronic, xml_of
from sample_documents import full_document, line

from invoicing.documents.files import Files
from invoicing.documents.judging import Judge, with_verdict
from invoicing.documents.rule_sets import CEN, PEPPOL
from invoicing.documents.validation import Violation, parse, validator
from invoicing.documents.workers import Made
from schemas.settings import DocumentSettings

GOOD = xml_of(full_document())
BAD = GOOD.replace(b">279.00<", b">299.00<", 1)


def made(xml: bytes | None, **fields: object) -> Made:
    return Made(full_document(), Files({"pdf": b"%PDF"} | ({} if xml is None else {"xml": xml}), **fields))


def test_judge__what_is_no_electronic_document_passes_unseen() -> None:
    judge = Judge(DocumentSettings(), validates=True, most_waiting=2)
    asleep = Judge(DocumentSettings(), validates=False, most_waiting=2)
    for document, by in (
        (made(None), judge),
        (Made(full_document(), None, "more than 1 s"), judge),
        (made(BAD), asleep),
    ):
        (passed,) = by.offer(document)
        assert passed is document
    assert judge.awaited == asleep.awaited == []


def test_judge__gives_each_document_its_verdict_in_their_order() -> None:
    judge = Judge(DocumentSettings(), validates=True, most_waiting=2)
    try:
        assert [judge.offer(made(xml, told=("a",))) for xml in (GOOD, BAD)] == [[], []]
        assert not judge.keeps_up
        good, bad = judge.take(), judge.take()
    finally:
        judge.end()
    assert judge.keeps_up
    assert good.files == made(GOOD, told=("a",)).files
    assert bad.files is not None
    assert bad.files.told == ("a",)
    assert "BR-CO-10 (EN 16931): Sum of Invoice line net amount" in bad.files.broken[0]
    assert bad.files.broken[0].endswith("at /Invoice[1]/LegalMonetaryTotal[1]")


@cache
def huge() -> Made:
    return made(xml_of(electronic([line("one_off", f"Service {each}", 1000) for each in range(5000)])))


def memory(mb: int) -> str:
    return f"more memory than there is, or than {mb} MB (memory_limit_mb)"


# What follows is judged by a new process, which compiles the rules once more, however the one before it ended. By the
# clock a small document may take more than a second too, where the machine has other work: there none follows.
@pytest.mark.parametrize(
    ("limits", "why", "followed"),
    [
        (DocumentSettings(wall_limit_s=1), "more than 1 s (wall_limit_s)", False),
        (DocumentSettings(cpu_limit_s=1), "more than 1 s of processor (cpu_limit_s)", True),
        # As the parser, Python and Saxon find it.
        (DocumentSettings(memory_limit_mb=1), memory(1), False),
        (DocumentSettings(memory_limit_mb=40), memory(40), False),
        (DocumentSettings(memory_limit_mb=80), memory(80), True),
    ],
    ids=["wall", "cpu", "memory of the parser", "memory of Python", "memory of Saxon"],
)
def test_judge__a_document_that_takes_more_is_held_and_the_next_one_is_judged(
    limits: DocumentSettings, why: str, followed: bool
) -> None:
    judge = Judge(limits, validates=True, most_waiting=2)
    try:
        for document in [huge(), made(BAD)] if followed else [huge()]:
            assert judge.offer(document) == []
        held = judge.take()
        following = judge.take() if followed else None
    finally:
        judge.end()
    assert (held.files, held.held) == (None, why)
    if following is not None and limits.memory_limit_mb > 1000:
        assert following.files is not None
        assert following.files.broken


def test_verdict__each_rule_is_named_once_and_no_more_than_ten() -> None:
    many = [Violation(CEN, f"BR-{rule:02}", f"/x[{place}]", "Text.") for rule in range(12) for place in (1, 2)]
    warning = Violation(PEPPOL, "P-1", "/", "Text.", fatal=False)
    files = with_verdict(made(GOOD), [*many, warning]).files
    assert files is not None
    assert files.broken[0] == "BR-00 (EN 16931): Text. at /x[1]"
    assert files.broken[9:] == (
        "BR-09 (EN 16931): Text. at /x[1]",
        "and 2 more rules; `centime validate` shows all",
    )
    assert files.told == ("P-1 (Peppol): Text. at /",)


@pytest.mark.parametrize(
    "content",
    [
        b"<a/>",
        b'<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"/>',
        b'<CreditNote xmlns="urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2"/>',
        b"<a>" * 200 + b"</a>" * 200,
        GOOD.replace(b">18<", b">many<", 1),
        GOOD.replace(b">15.5<", b">1e400<", 1),
        GOOD.replace(b"2026-11-30", b"2026-02-30"),
    ],
    ids=["element", "invoice", "credit note", "deep", "no number", "no decimal", "no day"],
)
def test_validator__whatever_it_is_given_there_is_a_verdict(content: bytes) -> None:
    assert any(each.fatal for each in validator().violations(parse(content)))

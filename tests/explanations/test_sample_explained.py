"""The sample explained: every line in every language, and what is said of each kind of line."""

from __future__ import annotations

import io
import tomllib
from datetime import date
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console

from invoicing.documents.words import LANGUAGES
from invoicing.explaining import INVOICE_NUMBER, explain, spoken
from invoicing.explanations.basis import load_basis
from invoicing.explanations.invoices import explain_invoice
from invoicing.explanations.lines import explain_line, line_of
from invoicing.explanations.showing import show_explanation
from tests.explanations.desks import every_invoice, words_in, words_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from invoicing.desk import Desk
    from invoicing.explanations.steps import Explanation

    Explained = Callable[[str, int | None, str], Explanation]

SENTENCES: list[dict[str, Any]] = tomllib.loads((Path(__file__).parent / "sentences.toml").read_text("utf-8"))["said"]


def test_sample__every_line_of_the_month_with_every_kind_adds_up(sample: Desk) -> None:
    assert explained_lines(sample, "2026-10", lambda place: [LANGUAGES[place % len(LANGUAGES)]])


@pytest.mark.soak
@pytest.mark.parametrize("code", LANGUAGES)
def test_sample__every_line_of_every_invoice_adds_up_in_every_language(code: str, sample: Desk) -> None:
    assert explained_lines(sample, "2026", lambda _: [code])


def explained_lines(sample: Desk, period: str, spoken_in: Callable[[int], list[str]]) -> bool:
    """Explain and show every invoice of a period, in the languages of its place, and say whether no line is left."""
    console = Console(file=io.StringIO(), width=100)
    lines, headings = set(), {"about", "words", "rule", "line_no", "net_cents"}
    for explained in every_invoice(sample, period, spoken_in):
        assert explained.every_fault() == []
        show_explanation(console, explained)
        for line in explained.parts:
            show_explanation(console, line)
            lines.add((line.subject["invoice_number"], line.subject["line_no"]))
            headings.update(name for listing in line.listings for name in listing.rows.columns)
            assert all(step.article for step in line.steps), line.title
    assert {f"heading.{name}" for name in headings} == {key for key in spoken("fr").words if key.startswith("heading.")}
    numbered = "select invoice_number, line_no from lines join invoices using (invoice_number) where period like ?"
    return lines == set(sample.ledger.rows(numbered, [f"{period}%"])) != set()


@pytest.fixture(scope="module")
def explained(sample: Desk) -> Explained:
    """Explains an invoice, a line or a call of the sample; what invoices are explained from is loaded once for all."""
    basis_of = cache(partial(load_basis, sample))

    def found(subject: str, line_no: int | None, code: str) -> Explanation:
        if INVOICE_NUMBER.fullmatch(subject) is None:
            return explain(sample, subject, line_no, code)
        basis, say = basis_of(subject), spoken(code)
        return explain_invoice(basis, say) if line_no is None else explain_line(basis, line_of(basis, line_no), say)

    return found


@pytest.mark.parametrize(
    "said", SENTENCES, ids=[f"{said['subject']} {said.get('line', '')} {said['about']}" for said in SENTENCES]
)
def test_sample__says_in_words_and_figures(said: dict[str, Any], explained: Explained) -> None:
    for code in ("en", "fr"):
        if code in said:
            assert words_in(explained(said["subject"], said.get("line"), code))[said["about"]] == said[code]


def test_invoice__names_the_run_it_came_from(sample: Desk) -> None:
    explained = explain(sample, "2026-000014", None, "en")
    words = words_of(sample, "2026-000014")["run"]
    assert words.startswith("Run of October 2026, issued on 1 November 2026 at 00:00 (Europe/Brussels) by version ")
    assert words.endswith('cap_rounding = "floor", payment_days = 30.')
    figures = explained.steps[-1].figures
    (run,) = [run for run in sample.ledger.runs() if run.period.number == 202610]
    assert (figures["snapshot"], figures["program"]) == (run.snapshot, run.program)


def listing(explained: Explanation, about: str) -> list[tuple[object, ...]]:
    (rows,) = [found.rows for found in explained.listings if found.about == about]
    return rows.rows()


def test_cap__is_told_month_by_month_from_before_the_first_run(sample: Desk) -> None:
    explained = explain(sample, "2026-000002", 5, None)
    assert listing(explained, "months") == [
        ("2026-06", 40, 4, 36, 40, 40, 0, True),
        ("2026-07", 40, 4, 36, 40, 40, 0, True),
        ("2026-08", 40, 4, 36, 34, 36, 2, True),
        ("2026-09", 40, 4, 36, 34, 36, 2, False),
    ]


def test_cap__reserves_the_products_that_shrank_cheapest_first(sample: Desk) -> None:
    explained = explain(sample, "2026-000011", 4, None)
    assert listing(explained, "shrunk") == [
        ("user-team", 7_000_000, 40, 33, 7, 5),
        ("user-standard", 9_900_000, 60, 52, 8, 0),
    ]
    promised = explain(sample, "2026-000015", 7, None)
    assert listing(promised, "contracted") == [
        ("user-basic", 6_000_000, 4, 3, 1, 1),
        ("user-standard", 9_900_000, 8, 8, 0, 0),
    ]


def test_number__that_comes_back_is_one_service_of_several_rows(sample: Desk) -> None:
    # Away from 10 September to 12 October: its 12 months go on meanwhile.
    explained = explain(sample, "2026-000003", 4, None)
    ((number, first, last, _, _, _),) = listing(explained, "terms")
    assert (number, last) == ("+33199000105", date(2026, 9, 9))
    assert listing(explained, "intervals") == [(number, "number-fr", first, date(2026, 9, 9))]


def test_traffic__names_the_deck_versions_and_the_dearest_calls(sample: Desk) -> None:
    (line_no,) = sample.ledger.rows(
        "select line_no from lines where invoice_number = '2026-000011' and zone_id = 'BE-MOB' "
        "and traffic_period = '2026-10'"
    )[0]
    explained = explain(sample, "2026-000011", line_no, None)
    rates = listing(explained, "rates")
    assert [(deck, str(version), rate) for deck, version, rate, *_ in rates] == [
        ("standard", "2026-01-01", 150_000), ("standard", "2026-10-15", 160_000)
    ]  # fmt: skip
    dearest = listing(explained, "dearest")
    amounts = [int(str(amount)) for *_, amount in dearest]
    assert len(dearest) == 5
    assert amounts == sorted(amounts, reverse=True)
    costs = sample.ledger.rows("select net_cents from lines where invoice_number = '2026-000011' and line_no = ?",
                               [line_no])  # fmt: skip
    assert sum(int(str(amount)) for *_, amount in rates) == costs[0][0]


def test_language__is_that_of_the_customer_unless_another_is_asked_for(sample: Desk) -> None:
    assert explain(sample, "2026-000013", None, None).language.code == "de"
    assert explain(sample, "2026-000013", 1, "nl").language.code == "nl"
    assert explain(sample, "pack-06", None, None).language.code == "en"
    assert explain(sample, "pack-06", None, "fr").language.code == "fr"

"""From a document to its view: which sections there are, what stands in them, what changed since the month before."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from invoicing.documents.charts import months_chart
from invoicing.documents.figures import check_figures
from invoicing.documents.notes import vat_reason
from invoicing.documents.payment_code import payment_code
from invoicing.documents.sections import (
    PREMIUM,
    SECTION_KINDS,
    SECTIONS,
    credited_lines,
    packs_of,
    sections_of,
    traffic_of,
)
from invoicing.documents.view import Fact, Row, View
from invoicing.documents.words import NONE
from rating.periods import Period

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from invoicing.documents.model import InvoiceDocument, MonthTotal
    from invoicing.documents.words import Language


def view_of(document: InvoiceDocument, speech: Language) -> View:
    """The document as its customer sees it.

    Raises:
        ValueError: if the figures do not add up, or a line is of an unknown kind.
    """
    _check_kinds(document)
    check_figures(document)
    credited = document.corrects is not None
    payable = document.number is not None and not credited and document.gross_cents > 0
    before = None if credited else _month_before(document)
    title = "credited" if credited else "changed" if before else "total"
    first, later = ((), ()) if credited else (("recurring", "first_period"), ("one_off", "credit"))
    return View(
        heading=speech.say(f"head.{_heading(document)}"),
        name=document.period if document.number is None else document.number,
        facts=tuple(_facts(document, speech)),
        amount=_amount(document, speech) if credited or payable else None,
        due=Fact(speech.say("head.due_date"), speech.long_day(document.due_date)) if payable else None,
        statement=_statement(document, speech, payable=payable),
        payment=tuple(_payment(document, speech)) if payable else (),
        code=payment_code(document, speech.say("payment.code")),
        totals_title=speech.say(f"section.{title}"),
        head=_head(document, before, speech),
        totals=tuple(_totals(document, before, speech)),
        months=months_chart(document, speech),
        remarks=tuple(_remarks(document, speech, payable=payable)),
        sections=credited_lines(document, speech) if credited else sections_of(document, speech, first),
        traffic=tuple(traffic_of(document, speech)),
        later_sections=sections_of(document, speech, later),
        packs=tuple(packs_of(document, speech)),
    )


def _check_kinds(document: InvoiceDocument) -> None:
    """A document with a line that no section shows is not shown to anybody."""
    unknown = {line.kind for line in document.lines} - SECTION_KINDS
    if unknown:
        raise ValueError(f"invoice {document.number}: no section for lines of kind {', '.join(sorted(unknown))}")


def _heading(document: InvoiceDocument) -> str:
    if document.number is None:
        return "draft"
    return "invoice" if document.corrects is None else "credit_note"


def _facts(document: InvoiceDocument, speech: Language) -> Iterator[Fact]:
    corrects = document.corrects
    if corrects is None:
        yield Fact(speech.say("head.invoice_date"), speech.long_day(document.invoice_date))
        yield Fact(speech.say("head.period"), speech.month(document.period))
        if document.supersedes is not None:
            yield _invoice_of(
                "supersedes", document.supersedes.invoice_number, document.supersedes.invoice_date, speech
            )
    else:
        yield Fact(speech.say("head.credit_date"), speech.long_day(document.invoice_date))
        yield _invoice_of("corrects", corrects.invoice_number, corrects.invoice_date, speech)
    yield Fact(speech.say("head.customer_id"), document.customer.customer_id)
    ends_on = document.contract_ends_on
    if corrects is None and ends_on is not None and ends_on > document.invoice_date:
        yield Fact(speech.say("head.contract_end"), speech.long_day(ends_on - timedelta(days=1)))


def _invoice_of(name: str, number: str, day: date, speech: Language) -> Fact:
    """Another invoice that this document is about."""
    return Fact(speech.say(f"head.{name}"), speech.say("head.invoice_of", number=number, day=speech.long_day(day)))


def _amount(document: InvoiceDocument, speech: Language) -> Fact:
    name = "head.amount_due" if document.corrects is None else "head.amount_credited"
    return Fact(speech.say(name), speech.money(document.gross_cents))


def _statement(document: InvoiceDocument, speech: Language, *, payable: bool) -> str:
    """What is said in place of how to pay."""
    if document.corrects is not None:
        return speech.say("credit.reason", reason=document.corrects.reason)
    if document.number is None:
        return speech.say("payment.draft")
    return "" if payable else speech.say("payment.nothing")


def _payment(document: InvoiceDocument, speech: Language) -> Iterator[Fact]:
    supplier = document.supplier
    facts = {
        "iban": _in_fours(supplier.iban),
        "bic": supplier.bic,
        "structured_communication": document.structured_communication,
    }
    return (Fact(speech.say(f"head.{name}"), text) for name, text in facts.items() if text)


def _in_fours(account: str) -> str:
    """An IBAN as it is written on paper."""
    compact = "".join(account.split())
    return " ".join(compact[start : start + 4] for start in range(0, len(compact), 4))


def _month_before(document: InvoiceDocument) -> MonthTotal | None:
    """The invoice of the period just before, if there is one."""
    previous = str(Period.parse(document.period).previous)
    return next((month for month in document.months if month.period == previous), None)


def _head(document: InvoiceDocument, before: MonthTotal | None, speech: Language) -> tuple[str, ...]:
    if before is None:
        return (speech.say("column.amount"),)
    return (speech.month_name(document.period), speech.month_name(before.period), speech.say("column.difference"))


def _totals(document: InvoiceDocument, before: MonthTotal | None, speech: Language) -> Iterator[Row]:
    """What each kind of line comes to, beside the month before; then VAT, and all of it."""

    def figures(now_cents: int, before_cents: int) -> tuple[str, ...]:
        now = speech.amount(now_cents)
        if before is None:
            return (now,)
        return (now, speech.amount(before_cents), speech.difference(now_cents - before_cents))

    then = before.kind_cents if before else {}
    for section, kinds in SECTIONS.items():
        now_cents = sum(line.net_cents for line in document.lines if line.kind in kinds)
        then_cents = sum(then.get(kind, 0) for kind in kinds)
        if document.corrects is None and (now_cents or then_cents):
            notes = _premium_note(document, speech) if section == "traffic" else ()
            shown = tuple(NONE if each == speech.amount(0) else each for each in figures(now_cents, then_cents))
            yield Row(speech.say(f"kind.{section}"), shown, notes)
    none = ("",) * (0 if before is None else 2)
    net = figures(document.net_cents, before.net_cents if before else 0)
    yield Row(speech.say("total.net"), net, weight="net")
    for total in document.vat:
        base = speech.money(total.base_cents)
        label = speech.say("total.vat", rate=speech.percent(total.rate_micro_percent), base=base)
        figures_of = (speech.amount(total.vat_cents), *none)
        yield Row(label, figures_of, tuple(filter(None, [vat_reason(total, speech)])))
    yield Row(speech.say("total.gross"), (speech.amount(document.gross_cents), *none), weight="gross")


def _premium_note(document: InvoiceDocument, speech: Language) -> tuple[str, ...]:
    premium_cents = sum(zone.amount_cents for zone in document.traffic if zone.zone_kind == PREMIUM)
    return (speech.say("traffic.premium_part", amount=speech.money(premium_cents)),) if premium_cents else ()


def _remarks(document: InvoiceDocument, speech: Language, *, payable: bool) -> Iterator[str]:
    if document.corrects is not None:
        if any(total.vat_cents for total in document.vat):
            yield speech.say("credit.vat")
    elif payable:
        if document.structured_communication is not None:
            yield speech.say("payment.communication")
        yield speech.say("payment.late")
        yield speech.say("payment.articles")
    contact = ", ".join(filter(None, [document.supplier.email, document.supplier.phone]))
    if contact:
        yield f"{speech.say('payment.question')} {contact}"

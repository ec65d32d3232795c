"""The `explain` command: whether an invoice, a line or a call is meant, and in which language it is told."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from invoicing.call_search import find_call
from invoicing.documents.words import LANGUAGES, language
from invoicing.explanations.calls import explain_call
from schemas.errors import InputRefused

if TYPE_CHECKING:
    from invoicing.desk import Desk
    from invoicing.documents.words import Language
    from invoicing.explanations.steps import Explanation

INVOICE_NUMBER = re.compile(r"[0-9]{4}-[0-9]{6}")
CATALOGUES = "invoicing.explanations"
# A call belongs to whoever asks: it is told in the language of the program unless another is asked for.
CALLS_LANGUAGE = "en"


def explain(desk: Desk, subject: str, line_no: int | None, code: str | None, *, call: bool = False) -> Explanation:
    """Explain an invoice or one line of it, or a call.

    Args:
        desk: The store; nothing in it is changed.
        subject: An invoice number or a call_id; what is both is the invoice.
        line_no: A line of the invoice.
        code: The language; None is that of the invoice's customer, for a call English.
        call: Whether a call is meant whatever the subject looks like.

    Raises:
        InputRefused: where the store knows no such invoice, line or call, or there is no such language.
    """
    if code is not None and code not in LANGUAGES:
        raise InputRefused(f"--lang {code}: expected one of {', '.join(LANGUAGES)}")
    if not call and INVOICE_NUMBER.fullmatch(subject) and _is_issued(desk, subject):
        return _explain_invoice(desk, subject, line_no, code)
    say = spoken(code or CALLS_LANGUAGE)
    explained = explain_call(desk.store, desk.ledger, subject, desk.settings.rating.timezone, say)
    if explained is None:
        raise InputRefused(_unknown(desk, subject, call=call))
    if line_no is not None:
        raise InputRefused(f"{subject} {line_no}: {subject} is a call; only an invoice has lines")
    return explained


def spoken(code: str) -> Language:
    """A language with the words of explanations."""
    return language(code, CATALOGUES)


def _explain_invoice(desk: Desk, number: str, line_no: int | None, code: str | None) -> Explanation:
    # A call needs none of it, and what it would take to load is most of what a call takes.
    from invoicing.explanations.basis import load_basis  # noqa: PLC0415
    from invoicing.explanations.invoices import explain_invoice  # noqa: PLC0415
    from invoicing.explanations.lines import explain_line, line_of  # noqa: PLC0415

    basis = load_basis(desk, number)
    say = spoken(code or basis.language_code)
    explained = explain_invoice(basis, say) if line_no is None else explain_line(basis, line_of(basis, line_no), say)
    if not find_call(desk.store, desk.ledger, number).is_empty():
        explained.hints.append(say.say("hint.call", number=number))
    return explained


def _is_issued(desk: Desk, number: str) -> bool:
    return bool(desk.ledger.number("select count(*) from invoices where invoice_number = ?", [number]))


def _unknown(desk: Desk, subject: str, *, call: bool) -> str:
    """That nothing has this number or id, and what may help."""
    if not call and INVOICE_NUMBER.fullmatch(subject):
        last = desk.ledger.rows("select max(invoice_number) from invoices")[0][0]
        known = f"the last invoice is {last}" if last else "no invoice was issued yet"
        return f"{subject}: this store has no such invoice and no such call; {known}"
    credit_notes = desk.ledger.rows(
        "select invoice_number, strftime(credit_note_date, '%Y-%m') from credit_notes where credit_note_number = ?",
        [subject],
    )
    for invoice, month in credit_notes:
        return (
            f"{subject} is a credit note on {invoice}: `centime explain {invoice}` explains what it credits, "
            f"`centime export credit_note_lines {month} -o FILE` has its lines"
        )
    return f"{subject}: this store has no such call; check the call_id, or `centime read` its file"

"""Explaining a line of an invoice: each kind by its family of rules, and the reckoning held against what is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoicing.explanations.basis import nothing_behind
from invoicing.explanations.numbers import explain_number_minimum
from invoicing.explanations.one_offs import explain_credit, explain_one_off
from invoicing.explanations.services import explain_first_period, explain_recurring
from invoicing.explanations.steps import Explanation
from invoicing.explanations.traffic import explain_traffic
from invoicing.explanations.users import explain_user_cap
from schemas.errors import InputRefused

if TYPE_CHECKING:
    from collections.abc import Callable

    from invoicing.documents.words import Language
    from invoicing.explanations.basis import Basis, IssuedLine, Reasons

FAMILIES: dict[str, Callable[[Basis, IssuedLine, Language], Reasons]] = {
    "recurring": explain_recurring,
    "first_period": explain_first_period,
    "user_cap": explain_user_cap,
    "number_minimum": explain_number_minimum,
    "traffic": explain_traffic,
    "one_off": explain_one_off,
    "credit": explain_credit,
}

OF_SERVICES = ("recurring", "first_period", "user_cap", "number_minimum")


def explain_line(basis: Basis, line: IssuedLine, say: Language) -> Explanation:
    """Why a line is what it is; a reckoning that does not come to what is stored is a fault."""
    of_services = line.kind in OF_SERVICES
    reasons = (
        nothing_behind() if of_services and basis.dues_of(line).is_empty() else FAMILIES[line.kind](basis, line, say)
    )
    faults = []
    stored = (line.quantity_micro, line.net_cents)
    if reasons.reckoned != stored:
        again = say.say("fault.nothing")
        if reasons.reckoned is not None:
            again = say.say(
                "fault.figures",
                quantity=say.quantity(reasons.reckoned.quantity_micro),
                amount=say.amount(reasons.reckoned.net_cents),
            )
        issued = say.say("fault.figures", quantity=say.quantity(stored[0]), amount=say.amount(stored[1]))
        faults.append(say.say("fault.line", number=basis.number, line=str(line.line_no), issued=issued, again=again))
    title = say.say(
        "title.line", number=basis.number, line=str(line.line_no), description=line.description,
        amount=say.amount(line.net_cents),
    )  # fmt: skip
    subject = {
        "invoice_number": basis.number, "line_no": line.line_no, "kind": line.kind, "description": line.description,
        "rule": line.rule, "quantity_micro": line.quantity_micro, "unit_price_micro": line.unit_price_micro,
        "net_cents": line.net_cents,
    }  # fmt: skip
    return Explanation("line", title, say, subject, reasons.steps, reasons.listings, faults=faults)


def line_of(basis: Basis, line_no: int) -> IssuedLine:
    """The line of a number.

    Raises:
        InputRefused: where the invoice has none of it.
    """
    for line in basis.lines:
        if line.line_no == line_no:
            return line
    raise InputRefused(f"{basis.number}, line {line_no}: the invoice has lines 1 to {len(basis.lines)}")

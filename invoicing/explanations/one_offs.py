"""Explaining the lines of amounts that come once: charges (R-ONEOFF) and credits (R-CREDIT)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from invoicing.credits import credit_lines
from invoicing.explanations.basis import Reasons, Reckoned, nothing_behind
from invoicing.explanations.reckoning import as_sentence, line_reckoning
from invoicing.explanations.steps import Listing, Step
from invoicing.one_off import one_off_lines
from invoicing.pipeline import credits_left

if TYPE_CHECKING:
    from invoicing.documents.words import Language
    from invoicing.explanations.basis import Basis, IssuedLine


def explain_one_off(basis: Basis, line: IssuedLine, say: Language) -> Reasons:
    """A charge: the row it comes from, and why it is on this invoice."""
    rows = basis.theirs(basis.platform.charges).filter(pl.col("charge_id") == line.source_id)
    billed = basis.history.charges.select(charge_id="id")
    again = one_off_lines(rows, billed, basis.period, basis.first_period)
    price = int(str(line.unit_price_micro))
    why = say.say(
        "once.charge",
        charge=str(line.source_id),
        day=say.long_day(line.service_from),
        last=say.long_day(basis.period.last_day),
    )
    reckoning = line_reckoning(say, line.quantity_micro, price, 1, 1, line.net_cents)
    figures = {"quantity_micro": line.quantity_micro, "unit_price_micro": price, "net_cents": line.net_cents}
    return Reasons(
        _reckoned(again),
        [
            Step("why", why, "R-ONEOFF", {"charge_id": line.source_id, "date": line.service_from}),
            Step("amount", as_sentence(reckoning), "R-ONEOFF", figures),
        ],
        [Listing("charge", rows.select("charge_id", "date", "description", "quantity_micro", "unit_price_micro"))],
    )


def explain_credit(basis: Basis, line: IssuedLine, say: Language) -> Reasons:
    """A credit: what was left of it, what this invoice takes, and what is carried to the next."""
    left = basis.theirs(credits_left(basis.platform.credits, basis.history.credits))
    before_cents = sum(one.net_cents for one in basis.lines if one.kind != "credit")
    totals = pl.DataFrame({"customer_id": [basis.customer_id], "net_cents": [before_cents]})
    again = credit_lines(left, totals, basis.period, basis.first_period)
    used = left.filter(pl.col("credit_id") == line.source_id)
    if used.is_empty():
        return nothing_behind()
    row = used.row(0, named=True)
    amount_cents, left_cents = int(row["amount_cents"]), int(row["left_cents"])
    why = say.say(
        "once.credit",
        credit=str(line.source_id),
        day=say.long_day(line.service_from),
        amount=say.amount(amount_cents),
        used=say.amount(amount_cents - left_cents),
        left=say.amount(left_cents),
    )
    figures = {"credit_id": line.source_id, "date": line.service_from, "amount_cents": amount_cents,
               "left_before_cents": left_cents}  # fmt: skip
    return Reasons(
        _reckoned(again.filter(pl.col("source_id") == line.source_id)),
        [
            Step("why", why, "R-CREDIT", figures),
            _deducted(basis, line, before_cents, left_cents, say),
            _carried(basis, line, left_cents, say),
        ],
        [],
    )


def _deducted(basis: Basis, line: IssuedLine, before_cents: int, left_cents: int, say: Language) -> Step:
    """How much of a credit the invoice has room for."""
    earlier_cents = -sum(one.net_cents for one in basis.lines if one.kind == "credit" and one.line_no < line.line_no)
    words = say.say(
        "once.room",
        net=say.amount(before_cents),
        earlier=say.amount(earlier_cents),
        room=say.amount(before_cents - earlier_cents),
        left=say.amount(left_cents),
        taken=say.amount(-line.net_cents),
    )
    figures = {"net_before_cents": before_cents, "credited_before_cents": earlier_cents,
               "deducted_cents": -line.net_cents}  # fmt: skip
    return Step("amount", words, "R-CREDIT", figures)


def _carried(basis: Basis, line: IssuedLine, left_cents: int, say: Language) -> Step:
    """What is left of a credit afterwards."""
    carried_cents = left_cents + line.net_cents
    key = ("once.carried_over" if basis.is_over else "once.carried") if carried_cents else "once.used_up"
    words = say.say(
        key, left=say.amount(left_cents), taken=say.amount(-line.net_cents), carried=say.amount(carried_cents)
    )
    return Step("carried", words, "R-CREDIT", {"carried_cents": carried_cents})


def _reckoned(lines: pl.DataFrame) -> Reckoned | None:
    return Reckoned(*lines.select(Reckoned._fields).row(0)) if lines.height == 1 else None

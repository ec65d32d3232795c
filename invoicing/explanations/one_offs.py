"""Explaining the lines of amounts that come once: charges (R-ONEOFF) and credits (R-CREDIT)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from invoicing.credits import credit_lines
from invoicing.explanations.basis import Reasons, Reckoned
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
    row = left.filter(pl.col("credit_id") == line.source_id).row(0, named=True)
    taken_cents = -line.net_cents
    carried_cents = row["left_cents"] - taken_cents
    earlier_cents = -sum(one.net_cents for one in basis.lines if one.kind == "credit" and one.line_no < line.line_no)
    why = say.say(
        "once.credit",
        credit=str(line.source_id),
        day=say.long_day(line.service_from),
        amount=say.amount(row["amount_cents"]),
        used=say.amount(row["amount_cents"] - row["left_cents"]),
        left=say.amount(row["left_cents"]),
    )
    room = say.say(
        "once.room",
        net=say.amount(before_cents),
        earlier=say.amount(earlier_cents),
        room=say.amount(before_cents - earlier_cents),
        left=say.amount(row["left_cents"]),
        taken=say.amount(taken_cents),
    )
    carried = say.say(
        "once.carried" if carried_cents else "once.used_up",
        left=say.amount(row["left_cents"]),
        taken=say.amount(taken_cents),
        carried=say.amount(carried_cents),
    )
    figures = {
        "amount_cents": row["amount_cents"], "left_before_cents": row["left_cents"], "net_before_cents": before_cents,
        "credited_before_cents": earlier_cents, "deducted_cents": taken_cents, "carried_cents": carried_cents,
    }  # fmt: skip
    return Reasons(
        _reckoned(again.filter(pl.col("source_id") == line.source_id)),
        [
            Step("why", why, "R-CREDIT", {"credit_id": line.source_id, "date": line.service_from}),
            Step("amount", room, "R-CREDIT", figures),
            Step("carried", carried, "R-CREDIT", {"carried_cents": carried_cents}),
        ],
        [],
    )


def _reckoned(lines: pl.DataFrame) -> Reckoned | None:
    return Reckoned(*lines.select(Reckoned._fields).row(0)) if lines.height == 1 else None

"""Disputes: claims about issued invoices, what they are about, and what became of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import polars as pl

from invoicing.beside import with_figures
from invoicing.crediting import issued_invoice
from invoicing.events import DECIDED, DISPUTED, record
from invoicing.numbering import dispute_number
from invoicing.origins import corrections, last_origin_of, rating_numbered
from invoicing.rated_calls import rated_calls_of
from rating.pipeline import RATED_SCHEMA
from schemas.errors import InputRefused

if TYPE_CHECKING:
    from invoicing.desk import Desk, Report
    from invoicing.ledger import Ledger

OPEN, REJECTED, SETTLED = "open", "rejected", "settled"
CLAIM_DAYS = 30
IDS_NAMED = 10
CALL_SHOWN = ["call_id", "start", "caller", "callee", "zone_id", "duration_s", "amount_cents"]
DISPUTES = """
select d.dispute_number, d.invoice_number, d.customer_id, d.claimed_on, d.late, coalesce(o.state, 'open') state,
  d.reason, d.opened_on, d.opened_by, o.decided_on, o.decided_by, o.reason outcome, o.credit_note_number,
  o.invoice_number superseding_invoice
from disputes d left join dispute_outcomes o using (dispute_number)
"""


@dataclass(frozen=True, slots=True)
class Dispute:
    """A claim about an invoice.

    Attributes:
        number: Its number.
        invoice_number: The invoice.
        state: `open`, `rejected` or `settled`.
        call_ids: The calls it is about; none where it is not about particular calls.
        lines: The numbers of the lines it is about; likewise.
    """

    number: str
    invoice_number: str
    state: str
    call_ids: pl.Series
    lines: tuple[int, ...]


def is_late(claimed_on: date, issued_on: date) -> bool:
    """Whether a claim was made more than 30 days after the invoice was issued (14.2); for information only."""
    return claimed_on > issued_on + timedelta(days=CLAIM_DAYS)


def dispute_numbered(ledger: Ledger, number: str) -> Dispute:
    """A dispute by its number.

    Raises:
        InputRefused: where there is none.
    """
    found = ledger.rows(f"select invoice_number, state from ({DISPUTES}) where dispute_number = ?", [number])  # noqa: S608
    if not found:
        raise InputRefused(f"{number}: this store has no such dispute; `centime dispute list` shows them")
    calls = ledger.frame("select call_id from dispute_calls where dispute_number = ? order by 1", [number])["call_id"]
    lines = ledger.rows("select line_no from dispute_lines where dispute_number = ? order by 1", [number])
    return Dispute(number, str(found[0][0]), str(found[0][1]), calls, tuple(int(str(line)) for (line,) in lines))


def open_dispute(ledger: Ledger, number: str) -> Dispute:
    """A dispute that is still to be decided.

    Raises:
        InputRefused: where there is none, or it was decided.
    """
    dispute = dispute_numbered(ledger, number)
    if dispute.state != OPEN:
        raise InputRefused(
            f"{number}: it is {dispute.state} already, and what was decided stays; `centime dispute show {number}` "
            "tells it. A further claim is a dispute of its own"
        )
    return dispute


def disputes_of(ledger: Ledger, invoice_number: str) -> list[Dispute]:
    """The open disputes of an invoice."""
    rows = ledger.rows(
        f"select dispute_number from ({DISPUTES}) where invoice_number = ? and state = 'open' order by 1",  # noqa: S608
        [invoice_number],
    )
    return [dispute_numbered(ledger, str(number)) for (number,) in rows]


def refuse_superseded(ledger: Ledger, invoice_number: str) -> None:
    """An invoice in whose place another came is corrected no more.

    Raises:
        InputRefused: naming the one that came.
    """
    for (number,) in ledger.rows("select invoice_number from invoices where supersedes = ?", [invoice_number]):
        raise InputRefused(f"invoice {invoice_number}: {number} supersedes it; open a dispute about that one")


def refuse_foreign_calls(desk: Desk, invoice_number: str, call_ids: pl.Series) -> None:
    """The calls of a claim are calls of its invoice.

    Raises:
        InputRefused: naming those that are not on it.
    """
    calls = last_origin_of(desk.ledger, invoice_number).calls(desk.store, desk.ledger)["call_id"]
    foreign = call_ids.filter(~call_ids.is_in(calls.implode())).sort()
    if foreign.len():
        named = ", ".join(foreign.head(IDS_NAMED))
        more = f" and {foreign.len() - IDS_NAMED} more" if foreign.len() > IDS_NAMED else ""
        raise InputRefused(f"invoice {invoice_number}: not calls of this invoice: {named}{more}")


def open_claim(
    desk: Desk,
    invoice_number: str,
    reason: str,
    call_ids: pl.Series | None,
    lines: list[int],
    claimed_on: date | None,
    report: Report,
) -> None:
    """Take a claim about an invoice into the ledger, and tell it.

    Args:
        desk: The store.
        invoice_number: The invoice.
        reason: Why it is disputed.
        call_ids: The calls it is about; None where it is not about particular calls.
        lines: The numbers of the lines it is about.
        claimed_on: The day on which it was made; None for today.
        report: What is told.

    Raises:
        InputRefused: with nothing changed, where there is no such invoice, line or call on it, the day cannot be, or
            the same is disputed already.
    """
    ledger = desk.ledger
    invoice = issued_invoice(ledger, invoice_number)
    refuse_superseded(ledger, invoice_number)
    day = claimed_on or desk.today
    if not invoice["invoice_date"] <= day <= desk.today:
        raise InputRefused(
            f"--date {day}: expected a day from that of the invoice, {invoice['invoice_date']}, to today, {desk.today}"
        )
    ids = pl.Series("call_id", [], dtype=pl.String) if call_ids is None else call_ids.alias("call_id")
    if call_ids is not None and ids.is_empty():
        raise InputRefused("--calls: the file names no call")
    refuse_foreign_calls(desk, invoice_number, ids)
    numbers = tuple(sorted(set(lines)))
    _refuse_unknown_lines(ledger, invoice_number, numbers)
    _refuse_disputed(ledger, invoice_number, ids, numbers)
    last = ledger.number(
        "select max(sequence) from disputes where dispute_number like ?", [f"D{desk.today.year:04d}-%"]
    )
    sequence, number = dispute_number(desk.today, last)
    with ledger.transaction():
        ledger.execute(
            "insert into disputes values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                number, sequence, invoice_number, invoice["customer_id"], day, is_late(day, invoice["invoice_date"]),
                reason, desk.today, desk.moment.text, desk.moment.operator,
            ],
        )  # fmt: skip
        label = pl.lit(number).alias("dispute_number")
        ledger.append("dispute_calls", ids.to_frame().with_columns(label))
        ledger.append("dispute_lines", pl.DataFrame({"line_no": numbers}, {"line_no": pl.Int64}).with_columns(label))
        record(ledger, desk.moment, DISPUTED, "subject = ?", [number])
    show_dispute(desk, number, report)
    report.messages.append(f"{number}: opened about invoice {invoice_number}")


def _refuse_unknown_lines(ledger: Ledger, invoice_number: str, lines: tuple[int, ...]) -> None:
    last = ledger.number("select max(line_no) from lines where invoice_number = ?", [invoice_number])
    for line in lines:
        if not 1 <= line <= last:
            raise InputRefused(f"invoice {invoice_number}: there is no line {line}; it has the lines 1 to {last}")


def _refuse_disputed(ledger: Ledger, invoice_number: str, call_ids: pl.Series, lines: tuple[int, ...]) -> None:
    """What is disputed and not decided yet is not disputed twice: the same calls or lines, or the invoice as such."""
    for other in disputes_of(ledger, invoice_number):
        calls = call_ids.filter(call_ids.is_in(other.call_ids.implode()))
        shared = [f"call {call_id}" for call_id in calls.sort().head(IDS_NAMED)]
        shared += [f"line {line}" for line in lines if line in other.lines]
        as_such = not (len(call_ids) or lines or len(other.call_ids) or other.lines)
        if shared or as_such:
            what = ", ".join(shared) or "the invoice as a whole"
            raise InputRefused(
                f"invoice {invoice_number}: {other.number} is open about the same ({what}); settle or reject that one"
            )


def reject(desk: Desk, number: str, reason: str, report: Report) -> None:
    """Decide that a claim changes nothing.

    Raises:
        InputRefused: where there is no such dispute, or it was decided.
    """
    dispute = open_dispute(desk.ledger, number)
    with desk.ledger.transaction():
        decide(desk, number, REJECTED, reason)
    show_dispute(desk, number, report)
    report.messages.append(f"{number}: rejected; invoice {dispute.invoice_number} stays as it is")


def decide(
    desk: Desk, number: str, state: str, reason: str, credit_note: str | None = None, invoice: str | None = None
) -> None:
    """Store the outcome of a dispute within the caller's transaction."""
    desk.ledger.execute(
        "insert into dispute_outcomes values (?, ?, ?, ?, ?, ?, ?, ?)",
        [number, state, reason, desk.today, desk.moment.text, desk.moment.operator, credit_note, invoice],
    )
    record(desk.ledger, desk.moment, DECIDED, "subject = ?", [number])


def list_disputes(desk: Desk, about: str | None, state: str | None, report: Report) -> None:
    """Tell the disputes: all, or those of an invoice or customer, or in a state.

    Raises:
        InputRefused: where there is no such state.
    """
    if state not in (None, OPEN, REJECTED, SETTLED):
        raise InputRefused(f"--state {state}: expected one of {OPEN}, {REJECTED}, {SETTLED}")
    found = desk.ledger.frame(f"select * from ({DISPUTES}) order by dispute_number")  # noqa: S608
    if about is not None:
        found = found.filter((pl.col("invoice_number") == about) | (pl.col("customer_id") == about))
    if state is not None:
        found = found.filter(pl.col("state") == state)
    report.counts = {"disputes": found.height, "open": found.filter(pl.col("state") == OPEN).height}
    report.tables["Disputes"] = found.select(
        "dispute_number", "invoice_number", "customer_id", "claimed_on", "late", "state", "reason", "outcome",
        "credit_note_number", "superseding_invoice",
    )  # fmt: skip
    if found.is_empty():
        report.messages.append("there is no such dispute")


def show_dispute(desk: Desk, number: str, report: Report) -> None:
    """Tell all that is known of a dispute: the claim, its calls and lines, and its outcome.

    Raises:
        InputRefused: where there is none.
    """
    dispute = dispute_numbered(desk.ledger, number)
    row = desk.ledger.frame(f"select * from ({DISPUTES}) where dispute_number = ?", [number])  # noqa: S608
    late = row["late"].item()
    report.tables["Dispute"] = with_figures(row)
    report.tables["Lines disputed"] = desk.ledger.frame(
        "select line_no, kind, description, net_cents from lines where invoice_number = ? and line_no in "
        "(select line_no from dispute_lines where dispute_number = ?) order by line_no",
        [dispute.invoice_number, number],
    )
    report.tables["Calls disputed"] = _calls(desk, dispute)
    report.counts |= {"calls": len(dispute.call_ids), "lines": len(dispute.lines), "late": int(late)}
    if late:
        report.messages.append(
            f"{number}: claimed on {row['claimed_on'].item()}, more than {CLAIM_DAYS} days after the invoice was "
            "issued (14.2); for information"
        )


def _calls(desk: Desk, dispute: Dispute) -> pl.DataFrame:
    """The calls of a dispute as they were on its invoice, before it was settled."""
    if dispute.call_ids.is_empty():
        return pl.DataFrame(schema={name: RATED_SCHEMA[name] for name in CALL_SHOWN})
    ledger, origin = desk.ledger, last_origin_of(desk.ledger, dispute.invoice_number)
    made = corrections(ledger, "dispute_number = ?", [dispute.number])
    rating = rating_numbered(ledger, made[0].replaces) if made else origin.rating
    calls = rated_calls_of(desk.store, ledger, rating, customers=pl.Series([origin.customer_id]))
    named = calls.filter(pl.col("call_id").is_in(dispute.call_ids.implode())).sort("start", "call_id")
    return named.select(CALL_SHOWN)

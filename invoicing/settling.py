"""Settling: a dispute is answered by a credit note, or by a corrected invoice too, in one transaction."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from invoicing.beside import LINE_FIGURES, LINE_KEY, beside, by_line, differing, with_figures
from invoicing.correcting import correct
from invoicing.credit_notes import Extent, credit_invoice
from invoicing.crediting import append_credit_note, choose_credit_note_date, issued_invoice, left_of_invoice
from invoicing.desk import settings_text
from invoicing.disputes import SETTLED, decide, open_dispute, refuse_foreign_calls, refuse_superseded
from invoicing.events import CORRECTED, record
from invoicing.issuer import require_issuer
from invoicing.issuing import billed_once, choose_invoice_date, last_sequence
from invoicing.numbering import number_invoices
from invoicing.origins import last_origin_of
from invoicing.overcharges import credit_overcharge
from invoicing.restating import refuse_restated, tell_restated
from invoicing.settling_files import keep_calls, keep_inputs
from invoicing.what_if import call_ids_in
from rating.money import euro_text
from schemas.errors import InputRefused, StoreUnavailable

if TYPE_CHECKING:
    from datetime import date
    from typing import Any

    from invoicing.correcting import Corrected
    from invoicing.credit_notes import Left
    from invoicing.desk import Desk, Report
    from invoicing.disputes import Dispute
    from invoicing.ledger import Ledger
    from invoicing.what_if import Supposed

CREDIT_NOTE, CORRECTED_INVOICE = "credit-note", "corrected-invoice"
FORMS = (CREDIT_NOTE, CORRECTED_INVOICE)
NAMES = ("invoiced", "corrected")


@dataclass(frozen=True, slots=True)
class Settlement:
    """What answers a dispute, before anything is stored.

    Attributes:
        dispute: The dispute.
        invoice: The ledger's row of its invoice.
        left: What earlier credit notes left of that.
        corrected: The invoice made once more.
        credited: Lines and VAT totals of the credit note; None where nothing is left to credit.
        supersedes: Whether the invoice as corrected comes in place of the disputed one.
        day: The date of what is issued.
        reason: What the customer is told.
    """

    dispute: Dispute
    invoice: dict[str, Any]
    left: Left
    corrected: Corrected
    credited: tuple[pl.DataFrame, pl.DataFrame] | None
    supersedes: bool
    day: date
    reason: str


def require_form(form: str) -> str:
    """How a dispute is settled.

    Raises:
        InputRefused: where that is no known way.
    """
    if form not in FORMS:
        raise InputRefused(f"--as {form}: expected one of {' and '.join(FORMS)}")
    return form


def prepare(
    desk: Desk, dispute_number: str, form: str, supposed: Supposed, reason: str, asked: date | None
) -> Settlement:
    """Work out what answers a dispute; nothing is changed.

    Unless other tables or rates are given, or calls named, those that the dispute is about are taken off.

    Raises:
        InputRefused: where the dispute was decided, its invoice superseded, or the correction or its date cannot be.
        StoreUnavailable: where something the invoice was made from is missing or altered.
    """
    ledger = desk.ledger
    dispute = open_dispute(ledger, dispute_number)
    refuse_superseded(ledger, dispute.invoice_number)
    require_issuer(desk)
    invoice, left = issued_invoice(ledger, dispute.invoice_number), left_of_invoice(ledger, dispute.invoice_number)
    without = _calls_to_take_off(dispute, supposed)
    refuse_foreign_calls(desk, dispute.invoice_number, without)
    day = asked or desk.today
    corrected = correct(desk, last_origin_of(ledger, dispute.invoice_number), supposed, without)
    credited = None
    if form == CREDIT_NOTE:
        refuse_restated(ledger, dispute.invoice_number, corrected)
        credited = credit_overcharge(left, corrected.lines)
    else:
        day = choose_invoice_date(ledger, desk.today, asked)
        _refuse_nothing(invoice, left, corrected)
        credited = credit_invoice(left, Extent()) if left.net_cents else None
    if credited is not None:
        day = choose_credit_note_date(ledger, desk.today, asked, invoice)
    return Settlement(dispute, invoice, left, corrected, credited, form == CORRECTED_INVOICE, day, reason)


def _calls_to_take_off(dispute: Dispute, supposed: Supposed) -> pl.Series:
    if supposed.without_calls is not None:
        return call_ids_in(supposed.without_calls)
    if supposed.tables is not None or supposed.deck is not None:
        return dispute.call_ids.clear()
    if dispute.call_ids.is_empty() and supposed.settings is None:
        raise InputRefused(
            f"{dispute.number} is about no calls in particular, so what the correction is must be said: give "
            "--without-calls, --platform, --deck or --config"
        )
    return dispute.call_ids


def _refuse_nothing(invoice: dict[str, Any], left: Left, corrected: Corrected) -> None:
    """A corrected invoice has lines, and is another one."""
    number = invoice["invoice_number"]
    if corrected.lines.is_empty():
        raise InputRefused(
            f"invoice {number}: as corrected nothing would be on it, and there is no invoice without a line; give --as "
            "credit-note"
        )
    same = ["line_no", *LINE_KEY, *LINE_FIGURES, "vat_category", "vat_rate_micro"]
    first, now = (
        lines.select(pl.col(name).cast(pl.String) for name in same) for lines in (left.lines, corrected.lines)
    )
    untouched = left.lines["left_cents"].equals(left.lines["net_cents"].alias("left_cents"))
    to_whom = corrected.dated(invoice["invoice_date"])["customer"].item()
    whole = untouched and left.net_cents == invoice["net_cents"] and to_whom == invoice["customer"]
    if whole and first.sort("line_no").equals(now.sort("line_no")):
        raise InputRefused(
            f"invoice {number}: as corrected every line of it is the same, and so is its customer; "
            "`centime dispute reject` says that it stays"
        )


def commit(desk: Desk, settlement: Settlement) -> tuple[str | None, str | None]:
    """Store all that answers a dispute: this commit is what *settled* means.

    Gives the numbers of the credit note and of the superseding invoice, as far as there are such.
    """
    ledger, corrected = desk.ledger, settlement.corrected
    decks, named = keep_inputs(desk, corrected)
    named += keep_calls(desk, corrected)
    with ledger.transaction():
        note = invoice = None
        if settlement.credited is not None:
            note = append_credit_note(
                desk, settlement.invoice, settlement.left, settlement.credited, settlement.day, settlement.reason
            )
        if settlement.supersedes:
            invoice = _append_invoice(ledger, settlement)
        for path, sha256, size in named:
            ledger.execute("insert or ignore into stored_files values (?, ?, ?)", [path, sha256, size])
        _append_correction(desk, settlement, invoice, decks)
        record(ledger, desk.moment, CORRECTED, "rating_no = ?", [corrected.restating.rating_no])
        decide(desk, settlement.dispute.number, SETTLED, settlement.reason, note, invoice)
    return note, invoice


def _append_invoice(ledger: Ledger, settlement: Settlement) -> str:
    """Number the corrected invoice and store its whole content, within the caller's transaction."""
    corrected, day, superseded = settlement.corrected, settlement.day, settlement.invoice
    last = last_sequence(ledger, day)
    numbered = corrected.dated(day).join(number_invoices(corrected.invoices, day, last), on="customer_id")
    number, period = str(numbered["invoice_number"].item()), str(superseded["period"])
    of_invoice, of_period = pl.lit(number).alias("invoice_number"), pl.lit(period).alias("period")
    supersedes = pl.lit(superseded["invoice_number"]).alias("supersedes")
    ledger.append("invoices", numbered.with_columns(of_period, supersedes, status=pl.lit("issued")))
    ledger.append("lines", corrected.lines.with_columns(of_invoice))
    ledger.append("vat_totals", corrected.vat_totals.drop("customer_id").with_columns(of_invoice))
    once = billed_once(corrected.lines, corrected.inputs.platform)
    ledger.append("one_offs", once.with_columns(of_invoice))
    ledger.append("corrected_user_counts", corrected.counts.with_columns(of_period, of_invoice))
    ledger.append("corrected_users_billed", corrected.by_product.with_columns(of_period, of_invoice))
    stored = ledger.frame("select net_cents from invoices where invoice_number = ?", [number])["net_cents"].item()
    lines = ledger.number("select sum(net_cents) from lines where invoice_number = ?", [number])
    if not stored == lines == corrected.net_cents:
        raise StoreUnavailable(f"{number} does not read back as it was made; nothing was stored; `centime verify`")
    return number


def _append_correction(desk: Desk, settlement: Settlement, invoice: str | None, decks: list[str]) -> None:
    """Store what the invoice was corrected from, and its calls and packs, within the caller's transaction."""
    ledger, corrected = desk.ledger, settlement.corrected
    rating_no, customer_id = corrected.restating
    calls, origin = corrected.calls, corrected.origin
    tables = corrected.inputs.snapshot
    ledger.execute(
        "insert into corrections values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            rating_no, origin.rating.rating_no, settlement.dispute.number, str(origin.run.period), customer_id,
            settlement.invoice["invoice_number"], invoice, corrected.net_cents, tables, json.dumps(decks),
            settings_text(corrected.inputs.settings), desk.moment.program, desk.moment.text, calls.rated.height,
            int(calls.rated["amount_cents"].sum()), corrected.calls_off,
        ],
    )  # fmt: skip
    label = pl.lit(rating_no, pl.Int32).alias("rating_no")
    ledger.append("correction_calls", corrected.inputs.without.to_frame("call_id").with_columns(label))
    ledger.append("packs_used", calls.packs_used.with_columns(label))
    files = pl.DataFrame(
        [(path, number, frame.height, int(frame["amount_cents"].sum())) for path, number, frame in corrected.paths()],
        schema={"path": pl.String, "period_number": pl.Int64, "calls": pl.Int64, "amount_cents": pl.Int64},
        orient="row",
    )  # fmt: skip
    of_customer = (pl.lit(customer_id).alias(name) for name in ("first_customer", "last_customer"))
    ledger.append("rated_files", files.with_columns(label, *of_customer))


def tell(desk: Desk, settlement: Settlement, report: Report) -> None:
    """What is or would be issued, figure by figure, and what hangs on it."""
    invoice, corrected = settlement.invoice, settlement.corrected
    issued = desk.ledger.frame("select * from lines where invoice_number = ?", [invoice["invoice_number"]])
    first, now = (
        by_line(lines.with_columns(pl.col("customer_id").cast(pl.String)), LINE_KEY)
        for lines in (issued, corrected.lines)
    )
    lines = differing(beside(first, now, LINE_KEY, LINE_FIGURES, NAMES), LINE_FIGURES, NAMES)
    report.tables["Lines that differ"] = with_figures(lines)
    if settlement.credited is not None:
        credited, totals = settlement.credited
        report.tables["Credit note"] = credited
        report.sums |= {
            "credited_net_cents": int(totals["base_cents"].sum()), "credited_vat_cents": int(totals["vat_cents"].sum())
        }  # fmt: skip
    if settlement.supersedes:
        report.tables["Corrected invoice"] = corrected.lines.select(
            "line_no", "kind", "description", "service_from", "service_to", "quantity_micro", "unit_price_micro",
            "net_cents",
        )  # fmt: skip
    report.counts |= {"lines_differing": lines.height, "calls_taken_off": corrected.calls_off}
    report.sums |= {
        "invoiced_net_cents": invoice["net_cents"], "left_net_cents": settlement.left.net_cents,
        "corrected_net_cents": corrected.net_cents,
    }  # fmt: skip
    report.messages.append(
        f"invoice {invoice['invoice_number']}: {euro_text(invoice['net_cents'])} EUR without VAT were invoiced, "
        f"{euro_text(settlement.left.net_cents)} are left of it, and as corrected it comes to "
        f"{euro_text(corrected.net_cents)}"
    )
    if corrected.calls_off:
        report.messages.append(
            f"calls taken off it: {corrected.calls_off}; they are credited, and no later run bills them"
        )
    tell_restated(desk, settlement.invoice, corrected, report)


def tell_settled(settlement: Settlement, note: str | None, invoice: str | None, report: Report) -> None:
    """What was issued."""
    number, first = settlement.dispute.number, settlement.invoice["invoice_number"]
    if note is not None:
        net, vat = (report.sums[f"credited_{name}_cents"] for name in ("net", "vat"))
        report.messages.append(
            f"{note}: {euro_text(net)} EUR and {euro_text(vat)} EUR of VAT credited on invoice {first}"
        )
    if invoice is not None:
        report.messages.append(f"{invoice}: supersedes {first}, {euro_text(settlement.corrected.net_cents)} EUR")
    report.counts |= {"credit_notes": int(note is not None), "invoices": int(invoice is not None)}
    report.details |= {
        "dispute_number": number, "credit_note_number": note, "superseding_invoice": invoice, "superseded": first
    }  # fmt: skip
    report.messages.append(f"{number}: settled")

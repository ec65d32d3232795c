"""Releasing: an invoice that was held is numbered and issued, with the figures that it was held with."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import polars as pl

from invoicing.documents.rule_sets import require_rules
from invoicing.events import RELEASED, record
from invoicing.issuing import choose_invoice_date, last_sequence
from invoicing.numbering import number_invoices
from invoicing.totals import invoice_totals, vat_rates_on, vat_totals, with_vat
from rating.money import euro_text
from schemas.errors import InputRefused, StoreUnavailable
from schemas.settings import parse_settings

if TYPE_CHECKING:
    from datetime import date

    from invoicing.desk import Desk, Report
    from invoicing.ledger import Ledger, Run
    from rating.periods import Period
    from schemas.settings import VatRate

OF_INVOICE = "period = ? and customer_id = ?"
# What has its rows of a held invoice until it is released.
HELD_PARTS = ("held_lines", "held_vat_totals", "held_one_offs")


def release(desk: Desk, customer_id: str, period: Period, reason: str, asked_date: date | None, report: Report) -> None:
    """Number and issue an invoice that is held, and tell it; one that was released before is told only.

    It takes the next number; whoever's invoice was issued meanwhile keeps his. Its net total is the one it was held
    with: what was computed since builds on it. VAT is at the rates of its date, and it is due so many days after.

    Args:
        desk: The store.
        customer_id: Whose invoice.
        period: Of which month.
        reason: Why it may go out.
        asked_date: The invoice date, where it is not the local day acted on.
        report: Told of the invoice.

    Raises:
        InputRefused: with nothing changed, where it is not held, an earlier one of the customer is, or the date
            cannot be.
    """
    require_rules(desk.settings.documents.rules_dir)
    number = released_number(desk.ledger, customer_id, period)
    if number is None:
        _refuse_not_held(desk.ledger, customer_id, period)
        _refuse_out_of_order(desk.ledger, customer_id, period)
        day = choose_invoice_date(desk.ledger, desk.today, asked_date)
        _tell_other_rates(desk, customer_id, period, day, report)
        number = commit_release(desk, customer_id, period, reason, day)
        report.messages.append(f"a journal of {period} that was exported before lacks this invoice: export it again")
    else:
        report.messages.append(f"{customer_id} {period} was released before; what was issued is not changed")
    _tell_release(desk.ledger, number, report)


def released_number(ledger: Ledger, customer_id: str, period: Period) -> str | None:
    """The number that an invoice was released under."""
    found = ledger.rows(f"select invoice_number from releases where {OF_INVOICE}", [str(period), customer_id])  # noqa: S608
    return str(found[0][0]) if found else None


def released_since(ledger: Ledger, period: Period) -> list[str]:
    """The numbers of a period's invoices that its run held."""
    rows = ledger.rows("select invoice_number from releases where period = ? order by invoice_number", [str(period)])
    return [str(number) for (number,) in rows]


def unpublished_releases(ledger: Ledger) -> dict[str, list[str]]:
    """The numbers of the invoices that were released and have no document yet, by their period."""
    rows = ledger.rows(
        "select invoice_number, period from releases where invoice_number not in "
        "(select invoice_number from documents) order by invoice_number"
    )
    found: dict[str, list[str]] = {}
    for number, period in rows:
        found.setdefault(str(period), []).append(str(number))
    return found


def _refuse_not_held(ledger: Ledger, customer_id: str, period: Period) -> None:
    of_invoice: list[object] = [str(period), customer_id]
    if ledger.number(f"select count(*) from still_held where {OF_INVOICE}", of_invoice):  # noqa: S608
        return
    issued = ledger.rows(f"select invoice_number from invoices where {OF_INVOICE}", of_invoice)  # noqa: S608
    known = f"it was issued as {issued[0][0]}" if issued else "`centime held` lists what is"
    raise InputRefused(f"{customer_id} {period}: no such invoice is held; {known}")


def _tell_other_rates(desk: Desk, customer_id: str, period: Period, day: date, report: Report) -> None:
    """Ask for a person where the settings have other VAT rates for the date than those the run knew."""
    of_run = _vat_settings(_run_of(desk.ledger, period))
    if not vat_rates_on(day, of_run).equals(vat_rates_on(day, desk.settings.vat)):
        report.attention.append(
            f"{customer_id} {period}: its VAT is at the rates that the run's settings have for {day}, and centime.toml "
            "has others now; where those are right, credit this invoice"
        )


def _refuse_out_of_order(ledger: Ledger, customer_id: str, period: Period) -> None:
    """R-HELD: a customer's invoices go out in the order of their months."""
    first = ledger.rows("select min(period) from still_held where customer_id = ?", [customer_id])[0][0]
    if first != str(period):
        raise InputRefused(
            f"{customer_id} {period}: the invoice of {first} is held still and comes before it; "
            f"`centime release {customer_id} {first} --reason TEXT` first (R-HELD)"
        )


def _run_of(ledger: Ledger, period: Period) -> Run:
    """The run that held an invoice."""
    return next(run for run in ledger.runs() if run.period == period)


def _vat_settings(run: Run) -> tuple[VatRate, ...]:
    """The VAT rates that a run knew."""
    return parse_settings(json.loads(run.settings)).vat


def commit_release(desk: Desk, customer_id: str, period: Period, reason: str, day: date) -> str:
    """Number a held invoice and store it among the issued ones: this commit is what *issued* means."""
    ledger, of_invoice = desk.ledger, [str(period), customer_id]
    run = _run_of(ledger, period)
    vat = _vat_settings(run)
    held, lines, one_offs = (
        ledger.frame(f"select * from {table} where {OF_INVOICE}", [*of_invoice])  # noqa: S608
        for table in ("held_invoices", "held_lines", "held_one_offs")
    )
    lines = with_vat(
        lines.drop("vat_category", "vat_rate_micro"), lines.select("customer_id", "vat_category").unique(), day, vat
    )
    totals = vat_totals(lines).join(
        vat_rates_on(day, vat).select("vat_category", reason="vat_reason"), on="vat_category", how="left"
    )
    numbers = number_invoices(held, day, last_sequence(ledger, day))
    invoice = invoice_totals(lines).join(numbers, on="customer_id")
    number = str(invoice["invoice_number"].item())
    label = pl.lit(number).alias("invoice_number")
    with ledger.transaction():
        ledger.append(
            "invoices",
            invoice.with_columns(
                period=pl.lit(str(period)),
                invoice_date=pl.lit(day),
                due_date=pl.lit(day + (held["due_date"].item() - run.invoice_date)),
                status=pl.lit("issued"),
                customer=pl.lit(held["customer"].item()),
            ),
        )
        ledger.append("lines", lines.drop("period").with_columns(label))
        ledger.append("vat_totals", totals.drop("customer_id").with_columns(label))
        ledger.append("one_offs", one_offs.drop("period").with_columns(label))
        for table in HELD_PARTS:
            ledger.execute(f"delete from {table} where {OF_INVOICE}", [*of_invoice])  # noqa: S608
        ledger.execute("insert into releases values (?, ?, ?, ?, ?)", [number, *of_invoice, reason, desk.moment.text])
        record(ledger, desk.moment, RELEASED, "subject = ?", [number])
        if invoice["net_cents"].item() != held["net_cents"].item():
            raise StoreUnavailable(f"{customer_id} {period} is not what was held; nothing was stored; `centime verify`")
    return number


def _tell_release(ledger: Ledger, number: str, report: Report) -> None:
    """The invoice that was released, and when and why."""
    found = ledger.frame(
        "select invoice_number, i.customer_id, i.period, invoice_date, due_date, net_cents, vat_cents, gross_cents, "
        "r.reason from invoices i join releases r using (invoice_number) where invoice_number = ?",
        [number],
    )
    report.tables["Released"] = found
    report.counts["released"] = 1
    report.sums |= {name: int(found[name].item()) for name in ("net_cents", "vat_cents", "gross_cents")}
    row = found.row(0, named=True)
    report.messages.append(
        f"{number}: the invoice of {row['customer_id']} for {row['period']}, {euro_text(row['net_cents'])} EUR without "
        f"VAT, dated {row['invoice_date']}: {row['reason']}"
    )

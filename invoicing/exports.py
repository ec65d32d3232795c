"""Exports: the tables that other programs and finance read, to the letter of their columns."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import polars as pl

from invoicing.journal import journal
from invoicing.origins import corrections
from invoicing.quarantine import quarantine
from invoicing.rated_calls import rated_calls_of
from invoicing.table_files import decimal, require_target, write_table
from rating.periods import Period, period_text
from rating.pipeline import RATED_SCHEMA
from schemas.errors import InputRefused

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from invoicing.desk import Desk
    from invoicing.ledger import Ledger
    from invoicing.store import Store


def rated(store: Store, ledger: Ledger, period: Period) -> pl.DataFrame:
    """The rated calls of a period so far, invoiced or not; each as it was corrected last.

    A call that a correction took off stays as it was on the invoice it was taken from.
    """
    ratings = [*ledger.ratings(issued=True), *ledger.ratings(issued=False)]
    if not ratings:
        raise InputRefused(
            f"{period}: no period was rated in this store yet; `centime rate` or `centime run` does that"
        )
    found = pl.DataFrame(schema={**RATED_SCHEMA, "invoice_number": pl.String})
    for correction in reversed(corrections(ledger)):
        calls = rated_calls_of(store, ledger, correction.rating, period=period)
        calls = calls.join(found.select("call_id"), on="call_id", how="anti")
        found = pl.concat([found, calls.with_columns(invoice_number=pl.lit(correction.about))])
    corrected = found.select("call_id")
    every = [found]
    for rating in ratings:
        calls = rated_calls_of(store, ledger, rating, period=period)
        if calls.is_empty():
            continue
        numbers = ledger.frame(
            "select customer_id, invoice_number from invoice_ratings where rating_no = ?", [rating.rating_no]
        )
        every.append(calls.join(corrected, on="call_id", how="anti").join(numbers, on="customer_id", how="left"))
    return pl.concat(every).sort("call_id").with_columns(period=period_text(pl.col("period_number"))).select(
        "call_id", "customer_id", "user_id", "start", "period", "direction", "caller", "callee", "zone_id",
        "duration_s", "billable_s", "pack_s", "charged_s", "rate_micro_per_min", "setup_micro", "amount_cents",
        "deck_id", "deck_version", "invoice_number",
    )  # fmt: skip


def lines(_store: Store, ledger: Ledger, period: Period) -> pl.DataFrame:
    """The lines of a period's invoices."""
    found = ledger.frame(
        "select l.* from lines l join invoices i using (invoice_number) where i.period = ? "
        "order by invoice_number, line_no",
        [str(period)],
    )
    return with_decimals(found).select(
        "invoice_number", "line_no", "customer_id", "kind", "product_id", "zone_id", "traffic_period", "rule",
        "description", "service_from", "service_to", "quantity", "unit_price", "net_cents", "vat_category", "vat_rate",
    )  # fmt: skip


def invoices(_store: Store, ledger: Ledger, period: Period) -> pl.DataFrame:
    """A period's invoices; the status of one in whose place another came is `superseded`."""
    return ledger.frame(
        "select invoice_number, customer_id, period, invoice_date, due_date, net_cents, vat_cents, gross_cents, "
        "case when invoice_number in (select supersedes from invoices) then 'superseded' else status end status, "
        "supersedes, structured_communication from invoices where period = ? order by invoice_number",
        [str(period)],
    )


def credit_notes(_store: Store, ledger: Ledger, period: Period) -> pl.DataFrame:
    """The credit notes dated in a period; amounts are positive, in favour of the customer."""
    return ledger.frame(
        "select credit_note_number, invoice_number, customer_id, credit_note_date, net_cents, vat_cents, gross_cents, "
        "reason from credit_notes where credit_note_date between ? and ? order by credit_note_number",
        [period.first_day, period.last_day],
    )


def credit_note_lines(_store: Store, ledger: Ledger, period: Period) -> pl.DataFrame:
    """The lines of the credit notes dated in a period; one without `invoice_line_no` is on the invoice as a whole."""
    found = ledger.frame(
        "select l.*, n.invoice_number, n.customer_id from credit_note_lines l join credit_notes n "
        "using (credit_note_number) where credit_note_date between ? and ? order by credit_note_number, line_no",
        [period.first_day, period.last_day],
    )
    return with_decimals(found).select(
        "credit_note_number", "line_no", "invoice_number", "invoice_line_no", "customer_id", "kind", "product_id",
        "zone_id", "traffic_period", "rule", "description", "service_from", "service_to", "quantity", "unit_price",
        "net_cents", "vat_category", "vat_rate",
    )  # fmt: skip


def with_decimals(lines: pl.DataFrame) -> pl.DataFrame:
    """Add the quantities, prices and VAT rates of lines as decimals."""
    return lines.with_columns(
        quantity=decimal("quantity_micro"), unit_price=decimal("unit_price_micro"), vat_rate=decimal("vat_rate_micro")
    )


def user_counts(_store: Store, ledger: Ledger, period: Period) -> pl.DataFrame:
    """The users configured and billed on a period's invoices (R-CAP)."""
    return ledger.frame(
        "select customer_id, period, configured, billed, reserved, reference from user_counts_in_force "
        "where period = ? "
        "order by customer_id",
        [str(period)],
    )


def packs_used(_store: Store, ledger: Ledger, period: Period) -> pl.DataFrame:
    """The pools of a period and what its calls drew, invoiced or not; the allowance as last computed."""
    found = ledger.frame(
        "select u.customer_id, u.user_id, u.product_id, u.rating_no, u.allowance_s, u.used_s, u.calls "
        "from packs_in_force u where u.period_number = ? order by u.rating_no",
        [period.number],
    )
    summed = found.group_by("customer_id", "user_id", "product_id", maintain_order=True).agg(
        pl.col("allowance_s").last(), pl.col("used_s", "calls").sum()
    )
    return summed.sort("customer_id", "user_id", "product_id").select(
        "customer_id",
        "user_id",
        "product_id",
        pl.lit(str(period)).alias("period"),
        "allowance_s",
        "used_s",
        "calls",
    )


def files(_store: Store, ledger: Ledger, period: Period) -> pl.DataFrame:
    """The files taken in for a period: read by its run, or before it while it was the next to run."""
    found = ledger.frame(
        "select source_file, sha256, records, accepted, unanswered, duplicate, quarantined, "
        "coalesce(skipped, 0) skipped, coalesce(skipped_by_reason, '{}') skipped_by_reason, "
        "coalesce(source_format, 'native') source_format from files left join file_sources using (file_no) "
        "where coalesce(period, ?) = ? order by source_file, sha256",
        [str(period), str(period)],
    )
    words = [reasons_in_words(json.loads(reasons)) or None for reasons in found["skipped_by_reason"]]
    return found.with_columns(pl.Series("skipped_by_reason", words, pl.String))


def reasons_in_words(skipped: dict[str, int]) -> str:
    """Why records were skipped, with how many: `internal leg: 3; unanswered: 12`."""
    return "; ".join(f"{reason}: {count}" for reason, count in sorted(skipped.items()))


TABLES: dict[str, Callable[[Store, Ledger, Period], pl.DataFrame]] = {
    "rated": rated,
    "lines": lines,
    "invoices": invoices,
    "credit_notes": credit_notes,
    "credit_note_lines": credit_note_lines,
    "user_counts": user_counts,
    "packs_used": packs_used,
    "files": files,
    "quarantine": quarantine,
}


JOURNAL = "journal"


def export(desk: Desk, table: str, period: Period, target: Path) -> int:
    """Write one table to a file, whole or not at all; the format follows from its name. Gives the rows.

    Raises:
        InputRefused: for an unknown table or format, a folder that is not there, or more rows than a sheet holds.
    """
    if table not in (*TABLES, JOURNAL):
        raise InputRefused(f"{table}: no such table; expected one of {', '.join((*TABLES, JOURNAL))}, or ubl")
    require_target(desk.store, target)
    if table == JOURNAL:
        frame = journal(desk.store, desk.ledger, period, desk.settings.accounts)
    else:
        frame = TABLES[table](desk.store, desk.ledger, period)
    write_table(frame, table, target)
    return frame.height

"""Verification of what is held: each invoice whole and in one place only, with the calls that were counted for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from invoicing.ledger import Ledger

# How an invoice without a number is named.
NAME = "customer_id || ' ' || period || ', held'"


def held_figures(ledger: Ledger) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """The lines, VAT totals and totals of the held invoices, each named as the one of its customer and period."""
    return (
        ledger.frame(f"select *, {NAME} invoice_number from held_lines order by invoice_number, line_no"),  # noqa: S608
        ledger.frame(
            f"select {NAME} invoice_number, vat_category, vat_rate_micro, base_cents, vat_cents from held_vat_totals"  # noqa: S608
        ),
        ledger.frame(f"select {NAME} invoice_number, net_cents, vat_cents, gross_cents from still_held"),  # noqa: S608
    )


def held_differences(ledger: Ledger) -> list[str]:
    """What does not hold of invoices that were held, one sentence each."""
    twice = ledger.rows(
        "select h.customer_id, h.period, invoice_number from still_held h join invoices using (customer_id, period) "
        "order by all"
    )
    unlike = ledger.rows(
        "select r.invoice_number from releases r left join invoices i using (invoice_number) "
        "left join held_invoices h on h.period = r.period and h.customer_id = r.customer_id "
        "where i.net_cents is distinct from h.net_cents or i.period is distinct from r.period "
        "or i.customer_id is distinct from r.customer_id or h.net_cents is null order by all"
    )
    without_run = ledger.rows(
        "select customer_id, period from held_invoices where period not in (select period from runs) order by all"
    )
    lost = ledger.rows(
        "select distinct customer_id, period from held_one_offs o where not exists "
        "(from still_held h where h.period = o.period and h.customer_id = o.customer_id) order by all"
    )
    return [
        *(f"{customer} {period}: it is held, and issued as {number}" for customer, period, number in twice),
        *(f"invoice {number}: it was released and is not what was held" for (number,) in unlike),
        *(f"{customer} {period}: it is held, and the period was not run" for customer, period in without_run),
        *(f"{customer} {period}: charges or credits are kept for it, and it is not held" for customer, period in lost),
    ]


def held_calls_differences(ledger: Ledger, rating_no: int, traffic: pl.DataFrame) -> list[str]:
    """Where an invoice is held with another number of calls than a rating has for it (R-CONSERVATION).

    Takes what the calls of the rating sum up to (`TRAFFIC_SCHEMA`).
    """
    held = ledger.frame(
        "select customer_id, period, calls from held_invoices join runs using (period) where rating_no = ?", [rating_no]
    )
    rated = traffic.group_by(pl.col("customer_id").cast(pl.String)).agg(rated=pl.col("calls").sum())
    both = held.join(rated, on="customer_id", how="left").with_columns(pl.col("rated").fill_null(0))
    return [
        f"{customer_id} {period}: it is held with {calls} calls, and {counted} were rated for it"
        for customer_id, period, calls, counted in both.filter(pl.col("calls") != pl.col("rated"))
        .select("customer_id", "period", "calls", "rated")
        .sort("customer_id")
        .iter_rows()
    ]

"""Assembly: the stored figures of a run become the documents of its customers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from invoicing.documents.model import Customer, InvoiceDocument, Line, PackUse, VatTotal, ZoneTraffic
from invoicing.pipeline import label_in_language
from rating.periods import Period, period_text
from rating.pricing import hidden_from_invoice
from rating.rules import article_of
from rating.zones import INCOMING, ONNET

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from schemas.platform import Platform
    from schemas.settings import Settings

RESERVED_LABELS = pl.DataFrame(
    {
        "zone_id": [ONNET, INCOMING],
        "label_fr": ["Appels internes", "Appels entrants"],
        "label_nl": ["Interne oproepen", "Inkomende oproepen"],
        "label_de": ["Interne Anrufe", "Eingehende Anrufe"],
        "label_en": ["Internal calls", "Incoming calls"],
    }
)
LABELS = ["label_fr", "label_nl", "label_de", "label_en"]


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of the invoices of one period, issued or draft.

    Attributes:
        period: The period invoiced.
        invoice_date: Of all of them.
        invoices: `customer_id`, `customer` (JSON), `due_date`, `net_cents`, `vat_cents`, `gross_cents`, and on
            issued ones `invoice_number`, `structured_communication`.
        lines: With `customer_id` and `line_no`.
        vat_totals: With `customer_id`.
        packs_used: With `period_number`, of the rating.
        calls: Rated calls of the customers wanted.
    """

    period: Period
    invoice_date: date
    invoices: pl.DataFrame
    lines: pl.DataFrame
    vat_totals: pl.DataFrame
    packs_used: pl.DataFrame
    calls: pl.DataFrame


def documents_of(figures: Figures, platform: Platform, settings: Settings) -> Iterator[InvoiceDocument]:
    """One document per invoice, in the order of customer_id; calls to emergency and free numbers are left out."""
    zones = pl.concat([platform.zones.select("zone_id", *LABELS), RESERVED_LABELS])
    calls = figures.calls.filter(~hidden_from_invoice(pl.col("zone_kind")))
    parts = {
        "lines": figures.lines.sort("customer_id", "line_no"),
        "vat_totals": figures.vat_totals.sort("customer_id", "vat_category"),
        "packs_used": figures.packs_used,
        "calls": calls,
    }
    by_customer = {name: frame.partition_by("customer_id", as_dict=True) for name, frame in parts.items()}
    for invoice in figures.invoices.sort("customer_id").iter_rows(named=True):
        key = (invoice["customer_id"],)
        own = {name: by_customer[name].get(key, frame.clear()) for name, frame in parts.items()}
        customer = json.loads(invoice["customer"])
        language = str(customer["language"])
        labelled = with_zone_labels(own["calls"], zones, language)
        yield InvoiceDocument(
            number=invoice.get("invoice_number"),
            period=str(figures.period),
            next_period=str(figures.period.next),
            invoice_date=figures.invoice_date,
            due_date=invoice["due_date"],
            structured_communication=invoice.get("structured_communication"),
            supplier=settings.supplier,
            customer=Customer(**{name: customer[name] for name in Customer.__dataclass_fields__}),
            lines=tuple(_line(row) for row in own["lines"].iter_rows(named=True)),
            traffic=_traffic(labelled),
            packs=_packs(own["packs_used"], platform, language),
            vat=tuple(
                VatTotal(
                    row["vat_category"],
                    row["vat_rate_micro"],
                    row["base_cents"],
                    row["vat_cents"],
                    row["reason"],
                )
                for row in own["vat_totals"].iter_rows(named=True)
            ),
            net_cents=invoice["net_cents"],
            vat_cents=invoice["vat_cents"],
            gross_cents=invoice["gross_cents"],
            calls=call_detail(labelled, settings.rating.timezone),
        )


def with_zone_labels(calls: pl.DataFrame, zones: pl.DataFrame, language: str) -> pl.DataFrame:
    """Add `zone`, the zone's label in the customer's language."""
    named = zones.select("zone_id", zone=label_in_language(pl.lit(language)))
    return calls.join(named, on="zone_id", how="left", maintain_order="left")


def call_detail(labelled: pl.DataFrame, timezone: str) -> pl.DataFrame:
    """The call detail a customer gets: what he placed, and incoming calls that cost him something."""
    shown = labelled.filter((pl.col("direction") == "outgoing") | (pl.col("zone_id") != INCOMING))
    return shown.sort("start", "call_id").select(
        "user_id", "direction", "caller", "callee", "zone", "duration_s", "pack_s", "charged_s", "amount_cents",
        start=pl.col("start").dt.convert_time_zone(timezone).dt.replace_time_zone(None),
    )  # fmt: skip


def _line(row: dict[str, object]) -> Line:
    fields: dict[str, Any] = {name: row[name] for name in Line.__dataclass_fields__ if name != "article"}
    return Line(**fields, article=article_of(str(row["rule"])))


def _traffic(labelled: pl.DataFrame) -> tuple[ZoneTraffic, ...]:
    """The calls of each zone and period; calls that were only received, at no price, are no traffic."""
    sums = (
        labelled.filter(pl.col("zone_id") != INCOMING)
        .group_by("period_number", "zone_id", "zone")
        .agg(pl.len().alias("calls"), pl.col("duration_s", "charged_s", "amount_cents").sum())
        .with_columns(traffic_period=period_text(pl.col("period_number")))
        .sort("period_number", "zone_id")
    )
    return tuple(
        ZoneTraffic(
            row["traffic_period"], row["zone_id"], row["zone"], row["calls"], row["duration_s"], row["charged_s"],
            row["amount_cents"],
        )
        for row in sums.iter_rows(named=True)
    )  # fmt: skip


def _packs(packs_used: pl.DataFrame, platform: Platform, language: str) -> tuple[PackUse, ...]:
    named = platform.products.select("product_id", label=label_in_language(pl.lit(language)))
    rows = packs_used.join(named, on="product_id", how="left", maintain_order="left").with_columns(
        period=period_text(pl.col("period_number"))
    )
    return tuple(
        PackUse(
            row["period"], row["product_id"], row["label"], row["user_id"], row["allowance_s"], row["used_s"],
            row["calls"],
        )
        for row in rows.sort("period_number", "product_id", "user_id").iter_rows(named=True)
    )  # fmt: skip

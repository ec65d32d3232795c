"""Assembly: the stored figures of a run become the documents of its customers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import polars as pl

from invoicing.documents.model import (
    Customer,
    InvoiceDocument,
    Line,
    MonthTotal,
    PackUse,
    Superseded,
    VatTotal,
    ZoneTraffic,
)
from invoicing.pipeline import label_in_language
from rating.periods import Period, period_text
from rating.pricing import hidden_from_invoice
from rating.rules import article_of
from rating.zones import INCOMING, ONNET

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import date

    from schemas.platform import Platform
    from schemas.settings import DocumentSettings, Settings

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
            issued ones `invoice_number`, `structured_communication`, and on those that supersede another its number
            (`supersedes`) and date (`superseded_date`).
        lines: With `customer_id` and `line_no`.
        vat_totals: With `customer_id`.
        packs_used: With `period_number`, of the rating.
        calls: Rated calls of these customers.
        months: `customer_id`, `period`, `kind`, `net_cents`: what the invoices of the twelve periods before came to.
    """

    period: Period
    invoice_date: date
    invoices: pl.DataFrame
    lines: pl.DataFrame
    vat_totals: pl.DataFrame
    packs_used: pl.DataFrame
    calls: pl.DataFrame
    months: pl.DataFrame


def documents_of(figures: Figures, platform: Platform, settings: Settings) -> Iterator[InvoiceDocument]:
    """One document per invoice, those with the most calls first; calls to emergency and free numbers are left out.

    Everything that is done to calls is done to those of all invoices at once; an invoice takes its slice.
    """
    invoices = figures.invoices.with_columns(
        customer_id=pl.col("customer_id").cast(pl.String),
        language=pl.col("customer").str.json_path_match("$.language"),
    )
    languages = invoices.select("customer_id", "language")
    visible = figures.calls.filter(~hidden_from_invoice(pl.col("zone_kind"))).join(languages, on="customer_id")
    calls = masked(with_zone_labels(visible, platform), settings.documents)
    detail = call_detail(calls, settings.rating.timezone)
    places = detail.group_by("customer_id", maintain_order=True).len()
    slices = dict(zip(places["customer_id"], zip(_starts(places["len"]), places["len"], strict=True), strict=True))
    detail = detail.drop("customer_id")
    parts = _Parts(
        lines=_by_customer(figures.lines.sort("customer_id", "line_no"), line_of),
        vat=_by_customer(figures.vat_totals.sort("customer_id", "vat_category"), vat_total_of),
        packs=_by_customer(_with_pack_labels(figures.packs_used, platform, languages), _pack_use),
        traffic=_by_customer(_traffic(calls), _zone_traffic),
        months=_by_customer(_months(figures.months), _month_total),
        contract_ends=dict(contract_ends(platform).iter_rows()),
    )
    ordered = invoices.join(places, on="customer_id", how="left").sort(
        pl.col("len").fill_null(0), "customer_id", descending=[True, False]
    )
    for invoice in ordered.iter_rows(named=True):
        customer_id = invoice["customer_id"]
        start, count = slices.get(customer_id, (0, 0))
        yield InvoiceDocument(
            number=invoice.get("invoice_number"),
            period=str(figures.period),
            next_period=str(figures.period.next),
            invoice_date=figures.invoice_date,
            due_date=invoice["due_date"],
            structured_communication=invoice.get("structured_communication"),
            supplier=settings.supplier,
            customer=customer_of(invoice["customer"]),
            lines=tuple(parts.lines.get(customer_id, ())),
            traffic=tuple(parts.traffic.get(customer_id, ())),
            packs=tuple(parts.packs.get(customer_id, ())),
            vat=tuple(parts.vat.get(customer_id, ())),
            net_cents=invoice["net_cents"],
            vat_cents=invoice["vat_cents"],
            gross_cents=invoice["gross_cents"],
            calls=detail.slice(start, count),
            contract_ends_on=parts.contract_ends.get(customer_id),
            months=tuple(parts.months.get(customer_id, ())),
            supersedes=_superseded(invoice),
            embeds_pdf=settings.documents.embed_pdf,
            attaches_calls=settings.documents.of_customer(customer_id).attach_calls,
        )


@dataclass(frozen=True, slots=True)
class _Parts:
    """The parts of all documents but their calls, by customer_id."""

    lines: dict[str, list[Line]]
    vat: dict[str, list[VatTotal]]
    packs: dict[str, list[PackUse]]
    traffic: dict[str, list[ZoneTraffic]]
    months: dict[str, list[MonthTotal]]
    contract_ends: dict[str, date]


Part = TypeVar("Part")


def _by_customer(rows: pl.DataFrame, part: Callable[[dict[str, Any]], Part]) -> dict[str, list[Part]]:
    """What each row says, by customer, in the order of the rows."""
    found: dict[str, list[Part]] = {}
    for row in rows.iter_rows(named=True):
        found.setdefault(str(row["customer_id"]), []).append(part(row))
    return found


def _starts(lengths: pl.Series) -> pl.Series:
    return lengths.cum_sum() - lengths


def with_zone_labels(calls: pl.DataFrame, platform: Platform) -> pl.DataFrame:
    """Add `zone`, the zone's label in the `language` of the call's customer."""
    zones = pl.concat([platform.zones.select("zone_id", *LABELS), RESERVED_LABELS])
    labels = zones.join(calls.select(pl.col("language").unique()), how="cross").select(
        "zone_id", "language", zone=label_in_language(pl.col("language"))
    )
    return calls.join(labels, on=["zone_id", "language"], how="left", maintain_order="left")


def masked(calls: pl.DataFrame, settings: DocumentSettings) -> pl.DataFrame:
    """The calls with the last digits of the other party's number hidden, for the customers who want that.

    Only numbers of the public network are hidden: a short code names a service, nobody's telephone.
    """
    own = {customer_id: settings.of_customer(customer_id).mask_digits for customer_id in calls["customer_id"].unique()}
    if not any(own.values()):
        return calls
    digits = pl.col("customer_id").replace_strict(own, return_dtype=pl.Int64)
    outgoing = pl.col("direction") == "outgoing"
    return calls.with_columns(
        pl.when((outgoing == is_called) & pl.col(name).str.starts_with("+") & (digits > 0))
        .then(pl.col(name).str.head(-digits) + pl.lit("x").repeat_by(digits).list.join(""))
        .otherwise(name)
        .alias(name)
        for name, is_called in (("callee", True), ("caller", False))
    )


def contract_ends(platform: Platform) -> pl.DataFrame:
    """The day after the last day of each customer's contract, by its end or its term: `customer_id`, `ends_on`."""
    term_ends = pl.col("starts_on").dt.offset_by(pl.format("{}mo", "term_months"))
    ends = platform.contracts.select("customer_id", ends_on=pl.coalesce("ends_on", term_ends))
    return ends.drop_nulls("ends_on")


def call_detail(labelled: pl.DataFrame, timezone: str) -> pl.DataFrame:
    """The call detail the customers get, by customer_id: what each placed, and incoming calls that cost something."""
    shown = labelled.filter((pl.col("direction") == "outgoing") | (pl.col("zone_id") != INCOMING))
    return shown.sort("customer_id", "start", "call_id").select(
        "customer_id", "user_id", "direction", "caller", "callee", "zone", "duration_s", "pack_s", "charged_s",
        "amount_cents", start=pl.col("start").dt.convert_time_zone(timezone).dt.replace_time_zone(None),
    )  # fmt: skip


def customer_of(stored: str) -> Customer:
    """The customer as the ledger keeps it with a document, a JSON object."""
    customer = json.loads(stored)
    return Customer(**{name: customer[name] for name in Customer.__dataclass_fields__})


def _superseded(invoice: dict[str, Any]) -> Superseded | None:
    number = invoice.get("supersedes")
    return None if number is None else Superseded(number, invoice["superseded_date"])


def line_of(row: dict[str, Any]) -> Line:
    """The line of a row of the ledger."""
    fields = {name: row[name] for name in Line.__dataclass_fields__ if name != "article"}
    return Line(**fields, article=article_of(str(row["rule"])))


def vat_total_of(row: dict[str, Any]) -> VatTotal:
    """The VAT total of a row of the ledger."""
    return VatTotal(row["vat_category"], row["vat_rate_micro"], row["base_cents"], row["vat_cents"], row["reason"])


def _traffic(labelled: pl.DataFrame) -> pl.DataFrame:
    """The calls of each customer, zone and period; calls that were only received, at no price, are no traffic."""
    return (
        labelled.filter(pl.col("zone_id") != INCOMING)
        .group_by("customer_id", "period_number", "zone_id", "zone_kind", "zone")
        .agg(pl.len().alias("calls"), pl.col("duration_s", "charged_s", "amount_cents").sum())
        .with_columns(traffic_period=period_text(pl.col("period_number")))
        .sort("customer_id", "period_number", "zone_id")
    )


def _zone_traffic(row: dict[str, Any]) -> ZoneTraffic:
    return ZoneTraffic(
        row["traffic_period"], row["zone_id"], row["zone_kind"], row["zone"], row["calls"], row["duration_s"],
        row["charged_s"], row["amount_cents"],
    )  # fmt: skip


def _months(months: pl.DataFrame) -> pl.DataFrame:
    """A row for each customer and period: what the invoice came to, in all and by kind."""
    return (
        months.sort("customer_id", "period", "kind")
        .group_by("customer_id", "period", maintain_order=True)
        .agg("kind", cents="net_cents", net_cents=pl.col("net_cents").sum())
    )


def _month_total(row: dict[str, Any]) -> MonthTotal:
    return MonthTotal(row["period"], row["net_cents"], dict(zip(row["kind"], row["cents"], strict=True)))


def _with_pack_labels(packs_used: pl.DataFrame, platform: Platform, languages: pl.DataFrame) -> pl.DataFrame:
    """The packs used by these customers, with the label of each in the customer's language and its period as text."""
    return (
        packs_used.join(languages, on="customer_id")
        .join(platform.products.select("product_id", *LABELS), on="product_id", how="left")
        .with_columns(label=label_in_language(pl.col("language")), period=period_text(pl.col("period_number")))
        .sort("customer_id", "period_number", "product_id", "user_id")
    )


def _pack_use(row: dict[str, Any]) -> PackUse:
    return PackUse(
        row["period"], row["product_id"], row["label"], row["user_id"], row["allowance_s"], row["used_s"], row["calls"]
    )

"""What a document shows: the stored figures of one invoice, and nothing that is computed anew."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

    import polars as pl

    from schemas.settings import Supplier


@dataclass(frozen=True, slots=True)
class Customer:
    """The customer as the tables of the run had it."""

    customer_id: str
    name: str
    street: str
    postal_code: str
    city: str
    country: str
    language: str
    vat_number: str | None
    email: str | None = None
    peppol_id: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One invoice line; quantities and prices in millionths, amounts in cents.

    `unit_price_micro` is None on a traffic line (a sum of calls), `service_from` and `service_to` (last day
    included) are None where no service period applies. `quantity_micro` of a traffic line is its charged
    seconds in millionths. `article` is the article of the conditions behind the line's rule.
    """

    line_no: int
    kind: str
    product_id: str | None
    zone_id: str | None
    traffic_period: str | None
    rule: str
    article: str
    description: str
    service_from: date | None
    service_to: date | None
    quantity_micro: int
    unit_price_micro: int | None
    net_cents: int
    vat_category: str
    vat_rate_micro: int


@dataclass(frozen=True, slots=True)
class ZoneTraffic:
    """The calls of one zone and traffic period on this invoice; no emergency and no free calls.

    `zone_kind` is the kind of the zone (`premium`: services of third parties); None for ONNET and INCOMING.
    """

    traffic_period: str
    zone_id: str
    zone_kind: str | None
    label: str
    calls: int
    duration_s: int
    charged_s: int
    amount_cents: int


@dataclass(frozen=True, slots=True)
class PackUse:
    """How much of a pack was used in a period; `allowance_s` None is unlimited."""

    period: str
    product_id: str
    label: str
    user_id: str | None
    allowance_s: int | None
    used_s: int
    calls: int


@dataclass(frozen=True, slots=True)
class VatTotal:
    """VAT of one category and rate, once on the sum of its lines."""

    category: str
    rate_micro_percent: int
    base_cents: int
    vat_cents: int
    reason: str | None


@dataclass(frozen=True, slots=True)
class MonthTotal:
    """What the invoice of a period before came to, without VAT: in all and by kind of line."""

    period: str
    net_cents: int
    kind_cents: dict[str, int]


@dataclass(frozen=True, slots=True)
class Corrected:
    """The invoice that a credit note is about, and why there is a credit note."""

    invoice_number: str
    invoice_date: date
    reason: str


@dataclass(frozen=True, slots=True)
class Superseded:
    """The invoice in whose place a corrected one comes."""

    invoice_number: str
    invoice_date: date


@dataclass(frozen=True, slots=True)
class InvoiceDocument:
    """One invoice or credit note; `number` and `structured_communication` are None on a draft.

    On a credit note `corrects` is set, all its amounts are positive where they are in favour of the customer, and
    it has lines, VAT and totals only. `supersedes` is set on an invoice that comes in another's place.
    `contract_ends_on` is the day after the last day of the contract, as far as one is fixed. `months` holds the
    customer's invoices of the twelve periods before, oldest first, as far as the store has any. `embeds_pdf` and
    `attaches_calls` say what the electronic invoice carries.

    `calls` holds the call detail in the order to print: start (Datetime, zone-less local time), user_id
    (String, may be null), direction, caller, callee, zone (String, the zone's label), duration_s, pack_s,
    charged_s, amount_cents (Int64).
    """

    number: str | None
    period: str
    next_period: str
    invoice_date: date
    due_date: date
    structured_communication: str | None
    supplier: Supplier
    customer: Customer
    lines: tuple[Line, ...]
    traffic: tuple[ZoneTraffic, ...]
    packs: tuple[PackUse, ...]
    vat: tuple[VatTotal, ...]
    net_cents: int
    vat_cents: int
    gross_cents: int
    calls: pl.DataFrame
    contract_ends_on: date | None = None
    months: tuple[MonthTotal, ...] = ()
    corrects: Corrected | None = None
    supersedes: Superseded | None = None
    embeds_pdf: bool = False
    attaches_calls: bool = False

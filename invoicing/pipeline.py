"""The steps of invoicing, in order. Pure: the tables, the rated calls and what was billed before, in; lines out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from invoicing import credits as price_reductions
from invoicing import number_term, one_off, recurring, traffic, user_cap
from invoicing.lines import LINE_SCHEMA, lines_of_dues, numbered_lines
from invoicing.totals import invoice_totals, vat_rates_on, vat_totals, with_vat
from rating.money import decimal_text, euro_text
from rating.services import USER_GROUP, counted_at_end_of, minimum_ends, service_rows

if TYPE_CHECKING:
    from datetime import date

    from rating.periods import Period
    from schemas.platform import Platform
    from schemas.settings import Settings

BILLED_SCHEMA = {"customer_id": pl.String, "group": pl.String, "units_micro": pl.Int64}
USED_SCHEMA = {"id": pl.String, "used_cents": pl.Int64}


@dataclass(frozen=True, slots=True)
class History:
    """What earlier runs of the store billed, as far as a run depends on it.

    Attributes:
        first_period: The first period of the store: this one, on its first run.
        users: What the invoices of the period before billed for users; customers that the store has no
            invoice of are rebuilt.
        billed: `BILLED_SCHEMA`: the units those invoices billed for this period; None on the first run, where
            the units counted at the end of the period before stand for them.
        charges: `USED_SCHEMA`: the charges billed.
        credits: `USED_SCHEMA`: what was deducted of each credit.
    """

    first_period: Period
    users: user_cap.Before
    billed: pl.DataFrame | None
    charges: pl.DataFrame
    credits: pl.DataFrame


class Bill(NamedTuple):
    """The invoices of a period, not numbered yet.

    Attributes:
        invoices: `customer_id`, `due_date`, `net_cents`, `vat_cents`, `gross_cents`, by customer_id.
        lines: `LINE_SCHEMA` with `line_no`, `vat_category`, `vat_rate_micro`.
        vat_totals: `customer_id`, `vat_category`, `vat_rate_micro`, `base_cents`, `vat_cents`, `reason`.
        users: The users billed: counts, and by product.
        notes: Sentences for the person who looks at the run.
    """

    invoices: pl.DataFrame
    lines: pl.DataFrame
    vat_totals: pl.DataFrame
    users: user_cap.UserBilling
    notes: list[str]


class Services(NamedTuple):
    """What a period's services cost: `LINE_SCHEMA`, and the users billed."""

    lines: pl.DataFrame
    users: user_cap.UserBilling


def bill_services(period: Period, platform: Platform, history: History, settings: Settings) -> Services:
    """Price a period's services; it needs no call, so it is known before one is read.

    Raises:
        InputRefused: where a price is missing on a day it is needed, or a sum passes what a line can hold.
    """
    dues, users = service_dues(period, platform, service_rows(platform), history, settings)
    return Services(lines_of_dues(dues, platform.prices), users)


def bill_period(
    period: Period,
    platform: Platform,
    rated_calls: pl.DataFrame,
    services: Services,
    history: History,
    settings: Settings,
    invoice_date: date,
) -> Bill:
    """Turn a period's services, amounts and rated calls into invoices.

    Raises:
        InputRefused: where a VAT rate is missing, or a sum passes what an invoice can hold.
    """
    rows = service_rows(platform)
    before_credits = pl.concat(
        [
            services.lines,
            traffic.traffic_lines(rated_calls, period),
            one_off.one_off_lines(
                platform.charges, history.charges.select(charge_id="id"), period, history.first_period
            ),
        ]
    )
    net = before_credits.group_by("customer_id").agg(pl.col("net_cents").sum())
    left = credits_left(platform.credits, history.credits)
    deducted = price_reductions.credit_lines(left, net, period, history.first_period)
    lines = with_descriptions(pl.concat([before_credits, deducted]), platform)
    lines = with_vat(numbered_lines(lines), platform.customers, invoice_date, settings.vat)
    totals = invoice_totals(lines)
    reasons = vat_rates_on(invoice_date, settings.vat).select("vat_category", reason="vat_reason")
    return Bill(
        invoices=with_due_dates(totals, platform, invoice_date, settings.billing.payment_days),
        lines=lines,
        vat_totals=vat_totals(lines).join(reasons, on="vat_category", how="left", maintain_order="left"),
        users=services.users,
        notes=_notes(period, platform, rows, left, deducted, history),
    )


def service_dues(
    period: Period, platform: Platform, rows: pl.DataFrame, history: History, settings: Settings
) -> tuple[pl.DataFrame, user_cap.UserBilling]:
    """What is due for services (`DUE_SCHEMA`), and the users billed."""
    terms = minimum_ends(rows, platform.numbers)
    users = user_cap.bill_users(period, rows, platform, history.users, cap_rounding=settings.billing.cap_rounding)
    begun = begun_dues(period, platform, rows, history, settings)
    missing = missing_users(period, platform, rows, history)
    dues = [
        recurring.advance_dues(rows, terms, period),
        recurring.limit_to_excess(begun, platform.prices),
        user_cap.contracted_first_dues(missing, period),
        user_cap.reserved_dues(users, platform.contracts, period),
        number_term.number_minimum_dues(rows, terms, period),
    ]
    return pl.concat(dues), users


def begun_dues(
    period: Period, platform: Platform, rows: pl.DataFrame, history: History, settings: Settings
) -> pl.DataFrame:
    """What begins within the period (`recurring.first_period_dues`), before an increase is limited to its excess."""
    promised = user_cap.contracted_users(platform).filter(
        pl.col("starts_on").is_between(period.first_day, period.last_day)
    )
    promised = promised.group_by("customer_id", "starts_on").agg(pl.col("users").sum())
    terms, billed = minimum_ends(rows, platform.numbers), _billed_before(period, rows, history)
    return recurring.first_period_dues(rows, terms, promised, billed, period, settings.billing.increase)


def missing_users(period: Period, platform: Platform, rows: pl.DataFrame, history: History) -> pl.DataFrame:
    """The contracted users that are missing on the day a contract starts (`user_cap.missing_at_start`)."""
    billed = _billed_before(period, rows, history).filter(pl.col("group") == USER_GROUP)
    return user_cap.missing_at_start(rows, platform, billed.select("customer_id"), period)


def _billed_before(period: Period, rows: pl.DataFrame, history: History) -> pl.DataFrame:
    """The units billed for a period on the invoice before (`BILLED_SCHEMA`); on the first run, those counted."""
    if history.billed is not None:
        return history.billed
    return counted_groups(counted_at_end_of(period.previous, rows))


def counted_groups(counted: pl.DataFrame) -> pl.DataFrame:
    """The units of service rows by what begins together (`BILLED_SCHEMA`)."""
    grouped = counted.with_columns(group=recurring.group_of(pl.col("table"), pl.col("product_id")))
    return grouped.group_by("customer_id", "group").agg(units_micro=pl.col("quantity_micro").sum())


def credits_left(credits_table: pl.DataFrame, used: pl.DataFrame) -> pl.DataFrame:
    """The credits with `left_cents`, what earlier invoices have not deducted."""
    spent = used.group_by("id").agg(pl.col("used_cents").sum())
    return credits_table.join(
        spent.rename({"id": "credit_id"}), on="credit_id", how="left", maintain_order="left"
    ).with_columns(left_cents=pl.col("amount_cents") - pl.col("used_cents").fill_null(0))


def label_in_language(language: pl.Expr) -> pl.Expr:
    """A product's or zone's label in a customer's language, French where there is none."""
    return pl.coalesce(
        pl.when(language == "nl").then("label_nl"),
        pl.when(language == "de").then("label_de"),
        pl.when(language == "en").then("label_en"),
        "label_fr",
    )


def with_descriptions(lines: pl.DataFrame, platform: Platform) -> pl.DataFrame:
    """Describe each line: the product or zone in the customer's language, or the words of the one-off."""
    labels = ["label_fr", "label_nl", "label_de", "label_en"]
    languages = platform.customers.select("customer_id", "language")
    described = lines.join(languages, on="customer_id", how="left", maintain_order="left")
    for key, table in (("product_id", platform.products), ("zone_id", platform.zones)):
        named = described.select(key, "language").join(
            table.select(key, *labels), on=key, how="left", maintain_order="left"
        )
        named = named.select(pl.when(pl.col(key).is_not_null()).then(label_in_language(pl.col("language"))))
        described = described.with_columns(description=pl.coalesce("description", named.to_series()))
    own_words = pl.concat(
        [
            platform.charges.select(kind=pl.lit("one_off"), source_id="charge_id", words="description"),
            platform.credits.select(kind=pl.lit("credit"), source_id="credit_id", words="description"),
        ]
    )
    described = described.join(own_words, on=["kind", "source_id"], how="left", maintain_order="left")
    return described.with_columns(description=pl.coalesce("words", "description")).select(LINE_SCHEMA.keys())


def with_due_dates(totals: pl.DataFrame, platform: Platform, invoice_date: date, payment_days: int) -> pl.DataFrame:
    """Add `due_date`: the contract's payment days after the invoice date, or those of the settings."""
    terms = platform.contracts.select("customer_id", "payment_days")
    days = pl.duration(days=pl.col("payment_days").fill_null(payment_days))
    return (
        totals.join(terms, on="customer_id", how="left", maintain_order="left")
        .with_columns(due_date=(pl.lit(invoice_date) + days).cast(pl.Date))
        .drop("payment_days")
    )


def _notes(
    period: Period,
    platform: Platform,
    rows: pl.DataFrame,
    left: pl.DataFrame,
    deducted: pl.DataFrame,
    history: History,
) -> list[str]:
    """What a person should know though nothing is wrong with the invoices."""
    return [
        *_old_amounts("charge", "charge_id", platform.charges, history),
        *_old_amounts("credit", "credit_id", platform.credits, history),
        *_credits_without_invoice(period, platform, left, deducted),
        *_contract_differences(period, platform, rows),
    ]


def _old_amounts(word: str, key: str, table: pl.DataFrame, history: History) -> list[str]:
    """R-ONEOFF, R-CREDIT: what is dated before the store's first period is told and left alone."""
    old = one_off.too_old(table, history.first_period)
    return [
        f"{word} {row_id} of {customer_id} is dated {day}, before the first period {history.first_period} "
        "of this store: not on any invoice (R-ONEOFF, R-CREDIT)"
        for row_id, customer_id, day in old.sort(key).select(key, "customer_id", "date").iter_rows()
    ]


def _credits_without_invoice(
    period: Period, platform: Platform, left: pl.DataFrame, deducted: pl.DataFrame
) -> list[str]:
    """R-CREDIT: what is left when the contract is over is reported, never paid."""
    ended = platform.contracts.select("customer_id", "ends_on")
    used_now = deducted.select(credit_id="source_id", now=-pl.col("net_cents"))
    rest = left.join(used_now, on="credit_id", how="left").join(ended, on="customer_id", how="left")
    rest = rest.with_columns(rest=pl.col("left_cents") - pl.col("now").fill_null(0))
    has_contract = pl.col("customer_id").is_in(platform.contracts["customer_id"].implode())
    over = ~has_contract | (pl.col("ends_on") <= period.next.first_day).fill_null(value=False)
    rest = rest.filter((pl.col("rest") > 0) & (pl.col("date") <= period.last_day) & over).sort("credit_id")
    return [
        f"credit {credit_id} of {customer_id}: {euro_text(cents)} EUR are left and "
        f"{f'the contract ended on {ended_on}' if ended_on else 'there is no contract'}; reported, not paid "
        "(R-CREDIT, 11.1)"
        for credit_id, customer_id, cents, ended_on in rest.select(
            "credit_id", "customer_id", "rest", "ends_on"
        ).iter_rows()
    ]


def _contract_differences(period: Period, platform: Platform, rows: pl.DataFrame) -> list[str]:
    """R-BASIS: on a contract's first invoice, where contract and platform differ in products other than users."""
    starting = platform.contracts.filter(pl.col("starts_on").is_between(period.first_day, period.last_day)).select(
        "contract_id", "customer_id"
    )
    other = platform.products.filter(pl.col("kind") != "user").select("product_id")
    promised = platform.contract_items.join(other, on="product_id", how="semi").join(starting, on="contract_id")
    counted = (
        counted_at_end_of(period, rows)
        .group_by("customer_id", "product_id")
        .agg(counted=pl.col("quantity_micro").sum())
    )
    differing = promised.join(counted, on=["customer_id", "product_id"], how="left").with_columns(
        pl.col("counted").fill_null(0)
    )
    differing = differing.filter(pl.col("counted") != pl.col("quantity_micro")).sort("customer_id", "product_id")
    return [
        f"{customer_id}: the contract has {decimal_text(promised_micro)} of {product_id}, the platform "
        f"{decimal_text(counted_micro)}; the platform is billed (R-BASIS)"
        for customer_id, product_id, promised_micro, counted_micro in differing.select(
            "customer_id", "product_id", "quantity_micro", "counted"
        ).iter_rows()
    ]

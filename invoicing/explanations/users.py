"""Explaining the users that are billed though nobody has them: R-CAP month by month, and R-BASIS."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import polars as pl

from invoicing.explanations.basis import Reasons, said_product
from invoicing.explanations.line_steps import amount_step, price_step, units_in_words
from invoicing.explanations.reckoning import counted
from invoicing.explanations.steps import Listing, Step
from invoicing.prices import with_unit_prices
from invoicing.snapshots import load_snapshot
from invoicing.user_cap import capped_users, contracted_users, rebuild_before, reference_month
from rating.periods import Period, active_on
from rating.services import months, service_rows
from schemas.settings import parse_settings

if TYPE_CHECKING:
    from invoicing.documents.words import Language
    from invoicing.explanations.basis import Basis, IssuedLine
    from invoicing.ledger import Run

MONTH_SCHEMA = {
    "period": pl.String, "reference": pl.Int64, "reduction": pl.Int64, "least": pl.Int64, "configured": pl.Int64,
    "billed": pl.Int64, "reserved": pl.Int64, "is_rebuilt": pl.Boolean,
}  # fmt: skip


def explain_user_cap(basis: Basis, line: IssuedLine, say: Language) -> Reasons:
    """A line of users billed though they are not configured: how many by R-CAP or R-BASIS, and which products."""
    by_month = months_of_cap(basis)
    if line.rule == "R-BASIS":
        why, chosen = _basis_step(basis, say), "users.chosen_basis"
        listings = [Listing("contracted", _short_products(basis, contracted_by_product(basis), "contracted"))]
    else:
        why, chosen = _cap_step(by_month, say), "users.chosen_cap"
        shrunk = _short_products(basis, billed_before(basis), "before")
        listings = [Listing("months", by_month), Listing("shrunk", shrunk)]
    choice = say.say(chosen, users=units_in_words(basis, say, line), product=said_product(basis, say, line.product_id))
    return Reasons(
        basis.reckon(basis.dues_of(line)) if _as_stored(basis, by_month) else None,
        [
            why,
            Step("choice", choice, line.rule, {"quantity_micro": line.quantity_micro}),
            price_step(basis, line, say),
            amount_step(line, say, line.rule),
        ],
        listings,
    )


def _cap_step(by_month: pl.DataFrame, say: Language) -> Step:
    """The number billed, by the formula with its figures filled in."""
    now = by_month.row(-1, named=True)
    words = say.say(
        "users.cap",
        reserved=counted(say, "user", now["reserved"]),
        configured=say.count(now["configured"]),
        period=say.month(now["period"]),
        reference=say.count(now["reference"]),
        origin=say.month(str(by_month["period"].min())),
        reduction=say.count(now["reduction"]),
        least=say.count(now["least"]),
        billed=say.count(now["billed"]),
        extra=say.count(now["reserved"]),
    )
    return Step("why", words, "R-CAP", now)


def _basis_step(basis: Basis, say: Language) -> Step:
    """That a contract's first invoice bills the users it promised, where fewer are there."""
    counts = basis.theirs(basis.users.counts).row(0, named=True)
    contracted = int(contracted_by_product(basis)["users"].sum())
    words = say.say(
        "users.basis",
        contracted=counted(say, "user", contracted),
        configured=say.count(counts["configured"]),
        period=say.month(str(basis.period)),
        billed=say.count(counts["billed"]),
        reserved=say.count(counts["reserved"]),
    )
    figures = {name: counts[name] for name in ("configured", "billed", "reserved")}
    return Step("why", words, "R-BASIS", {"contracted": contracted, **figures})


def contracted_at_start(basis: Basis, users: int, say: Language) -> Reasons:
    """Contracted users that are missing on the day their contract starts, so many of them on a line (R-BASIS)."""
    starts_on = basis.missing["starts_on"].item(0)
    there = basis.theirs(basis.rows).filter((pl.col("table") == "user") & active_on(starts_on))
    counts = there.group_by("product_id").agg(configured=pl.len().cast(pl.Int64))
    missing = basis.missing.select("product_id", reserved="users")
    products = _beside(contracted_by_product(basis).rename({"users": "contracted"}), counts, missing)
    words = say.say(
        "users.missing_at_start",
        contracted=counted(say, "user", int(products["contracted"].sum())),
        day=say.long_day(starts_on),
        configured=say.count(there.height),
        missing=counted(say, "user", users),
    )
    step = Step("why", words, "R-BASIS", {"starts_on": starts_on, "configured": there.height, "missing": users})
    return Reasons(None, [step], [Listing("contracted", products)])


def contracted_by_product(basis: Basis) -> pl.DataFrame:
    """The users that the contract promises: `product_id`, `users`."""
    return basis.theirs(contracted_users(basis.platform)).select("product_id", "users")


def billed_before(basis: Basis) -> pl.DataFrame:
    """The users that the invoice before billed, reserved ones included: `product_id`, `users`."""
    return basis.theirs(basis.history.users.by_product).select("product_id", "users")


def _short_products(basis: Basis, wanted: pl.DataFrame, name: str) -> pl.DataFrame:
    """Products with fewer users than wanted (a column of this name), cheapest first, and what each takes."""
    configured = basis.theirs(basis.users.configured).select("product_id", configured="users")
    reserved = basis.theirs(basis.users.reserved).select("product_id", reserved="users")
    products = _beside(wanted.rename({"users": name}), configured, reserved)
    asked = products.with_columns(customer_id=pl.lit(basis.customer_id), price_day=pl.lit(basis.period.next.first_day))
    priced = with_unit_prices(asked, basis.platform.prices)
    short = priced.with_columns(short=(pl.col(name) - pl.col("configured")).clip(lower_bound=0))
    return short.sort("unit_price_micro", "product_id").select(
        "product_id", "unit_price_micro", name, "configured", "short", "reserved"
    )


def _beside(products: pl.DataFrame, *counts: pl.DataFrame) -> pl.DataFrame:
    """Counts by product beside one another, 0 where there is none, by product_id."""
    for frame in counts:
        products = products.join(frame, on="product_id", how="full", coalesce=True)
    return products.with_columns(pl.col(pl.Int64).fill_null(0)).sort("product_id")


def months_of_cap(basis: Basis) -> pl.DataFrame:
    """How the number billed came about, month by month since the reference (`MONTH_SCHEMA`).

    The reference is what the last invoice of the quarter before billed; in a contract's first quarter, its first
    invoice. Months before the store's first invoice of the customer are rebuilt as the run of that invoice did.
    """
    begun = Period.of(basis.theirs(basis.platform.contracts)["starts_on"].item())
    first = max(reference_month(basis.period), begun)
    known = basis.desk.ledger.rows("select min(period) from invoices where customer_id = ?", [basis.customer_id])
    invoiced_from = Period.parse(str(known[0][0]))
    run_of = {run.period: run for run in basis.desk.ledger.runs()}
    found = []
    for month in months(first, basis.period):
        if month < invoiced_from:
            counts, cap_rounding = _rebuilt(basis, run_of[invoiced_from], month)
        else:
            counts = basis.counts.filter(pl.col("period") == str(month)).select(
                "configured", "billed", "reserved", "reference"
            )
            settings = basis.settings if month == basis.period else parse_settings(json.loads(run_of[month].settings))
            cap_rounding = settings.billing.cap_rounding
        least = capped_users(pl.lit(0, pl.Int64), pl.col("reference"), cap_rounding)
        found.append(
            counts.with_columns(
                period=pl.lit(str(month)),
                least=pl.when(pl.lit(month != begun)).then(least),
                is_rebuilt=pl.lit(month < invoiced_from),
            )
        )
    table = pl.concat(found, how="diagonal_relaxed").with_columns(reduction=pl.col("reference") - pl.col("least"))
    return table.select(pl.col(name).cast(dtype) for name, dtype in MONTH_SCHEMA.items())


def _rebuilt(basis: Basis, run: Run, month: Period) -> tuple[pl.DataFrame, str]:
    """What a month before the store's first invoice would have billed, by the tables of the run of that invoice."""
    if run.period == basis.period:
        platform, settings = basis.platform, basis.settings
    else:
        settings = parse_settings(json.loads(run.settings))
        platform = load_snapshot(basis.desk.store, basis.desk.ledger, run.snapshot, settings).platform
    customers, cap_rounding = pl.Series([basis.customer_id]), settings.billing.cap_rounding
    before = rebuild_before(month.next, customers, service_rows(platform), platform, cap_rounding=cap_rounding)
    return before.counts.select("configured", "billed", "reserved", "reference"), cap_rounding


def _as_stored(basis: Basis, by_month: pl.DataFrame) -> bool:
    """Whether the users that the rules bill for the period are those in the ledger."""
    names = ["configured", "billed", "reserved", "reference"]
    return basis.theirs(basis.users.counts).select(names).equals(by_month.tail(1).select(names))

"""Totals: what an invoice sums to, and its VAT."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from rating.money import narrow_cents, vat_cents
from schemas.errors import InputRefused

if TYPE_CHECKING:
    from datetime import date

    from schemas.settings import VatRate


def vat_rates_on(day: date, rates: tuple[VatRate, ...]) -> pl.DataFrame:
    """The rate of each VAT category in force on a day: `vat_category`, `vat_rate_micro`, `vat_reason`."""
    table = pl.DataFrame(
        [(rate.category, rate.rate_micro_percent, rate.reason, rate.effective_from) for rate in rates],
        schema={
            "vat_category": pl.String, "vat_rate_micro": pl.Int64, "vat_reason": pl.String, "from": pl.Date,
        },
        orient="row",
    )  # fmt: skip
    latest = table.filter(pl.col("from") <= day).sort("from").unique("vat_category", keep="last")
    return latest.drop("from").sort("vat_category")


def vat_totals(lines: pl.DataFrame) -> pl.DataFrame:
    """VAT once per invoice, category and rate, on the total of its lines, half up.

    Takes lines with `customer_id`, `vat_category`, `vat_rate_micro`, `net_cents`; gives those keys with
    `base_cents` and `vat_cents`.

    Raises:
        InputRefused: where a sum passes what an invoice can hold.
    """
    sums = lines.group_by("customer_id", "vat_category", "vat_rate_micro").agg(
        base_cents=pl.col("net_cents").cast(pl.Int128).sum()
    )
    sums = sums.with_columns(vat_cents=vat_cents(pl.col("base_cents"), pl.col("vat_rate_micro")))
    return narrow_cents(sums, "base_cents", "vat_cents").sort("customer_id", "vat_category", "vat_rate_micro")


def with_vat(lines: pl.DataFrame, customers: pl.DataFrame, on: date, rates: tuple[VatRate, ...]) -> pl.DataFrame:
    """Give each line its customer's VAT category and the rate in force on the invoice date.

    Raises:
        InputRefused: where no rate of a category is in force on that day.
    """
    categories = customers.select("customer_id", "vat_category")
    priced = lines.join(categories, on="customer_id", how="left", maintain_order="left").join(
        vat_rates_on(on, rates).drop("vat_reason"), on="vat_category", how="left", maintain_order="left"
    )
    lacking = priced.filter(pl.col("vat_rate_micro").is_null())["vat_category"].unique().sort().to_list()
    if lacking:
        raise InputRefused(
            f"centime.toml: no VAT rate of category {', '.join(lacking)} is in force on {on}; "
            "add a [[vat]] entry with an earlier effective_from"
        )
    return priced


def invoice_totals(lines: pl.DataFrame) -> pl.DataFrame:
    """`customer_id`, `net_cents`, `vat_cents`, `gross_cents`, one row per customer with a line, by customer_id."""
    totals = (
        vat_totals(lines)
        .group_by("customer_id")
        .agg(
            net_cents=pl.col("base_cents").cast(pl.Int128).sum(),
            vat_cents=pl.col("vat_cents").cast(pl.Int128).sum(),
        )
    )
    totals = totals.with_columns(gross_cents=pl.col("net_cents") + pl.col("vat_cents"))
    return narrow_cents(totals, "net_cents", "vat_cents", "gross_cents").sort("customer_id")

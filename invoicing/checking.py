"""Checking the platform tables without a store: everything a run would refuse, told before it runs."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import polars as pl

from invoicing import user_cap
from invoicing.documents.rule_sets import require_rules
from invoicing.electronic_parties import customer_warnings, refuse_wrong_supplier
from invoicing.pipeline import USED_SCHEMA, History, bill_services
from invoicing.prices import missing_prices
from invoicing.totals import with_vat
from rating.periods import Period
from rating.platform_checks import notice_problems
from rating.services import service_rows
from rating.sources.platform_tables import load_platform
from schemas.errors import InputRefused, Problem

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from invoicing.desk import Report
    from schemas.platform import Platform
    from schemas.settings import Settings


def check_tables(folder: Path, settings: Settings, today: date, report: Report) -> None:
    """Validate the tables as a store's first run would, for the period of `today`; every version is judged.

    Raises:
        InputRefused: with every problem found.
    """
    refuse_wrong_supplier(settings.supplier)
    require_rules(settings.documents.rules_dir)
    loaded = load_platform(folder, settings, judge=partial(notice_problems, from_day=None))
    platform = loaded.platform
    problems = [
        *_services_without_price(platform, Period.of(today)),
        *_gaps_when_billed(platform, settings, Period.of(today)),
    ]
    if problems:
        with loaded.naming_files():
            raise InputRefused(f"{folder}: the platform tables cannot be used", tuple(set(problems)))
    with_vat(platform.customers.select("customer_id"), platform.customers, today, settings.vat)
    report.warnings += [*loaded.warnings, *customer_warnings(platform.customers)]
    report.counts = {name: frame.height for name, frame in platform.frames().items()}
    report.tables["Platform tables"] = pl.DataFrame(
        list(report.counts.items()), schema={"table": pl.String, "rows": pl.Int64}, orient="row"
    )
    report.messages.append(f"{folder}: no problem found")


def _services_without_price(platform: Platform, period: Period) -> list[Problem]:
    """Products that a service has from this period on, and that have no price on any day."""
    rows = service_rows(platform).filter(pl.col("active_to") > period.first_day)
    priceless = rows.join(platform.prices, on="product_id", how="anti").select(
        "customer_id", "product_id", price_day=pl.max_horizontal("active_from", pl.lit(period.first_day)),
        unit_price_micro=pl.lit(None, pl.Int64),
    )  # fmt: skip
    return missing_prices(priceless.sort("price_day").unique("product_id", keep="first", maintain_order=True))


def _gaps_when_billed(platform: Platform, settings: Settings, period: Period) -> list[Problem]:
    """The prices that the invoices of this period would lack."""
    rounding = settings.billing.cap_rounding
    before = user_cap.rebuild_before(
        period, platform.contracts["customer_id"], service_rows(platform), platform, cap_rounding=rounding
    )
    none_used = pl.DataFrame(schema=USED_SCHEMA)
    try:
        bill_services(period, platform, History(period, before, None, none_used, none_used), settings)
    except InputRefused as refused:
        return list(refused.problems)
    return []

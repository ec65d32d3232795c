"""Explaining the lines of services: the month ahead (R-ADVANCE), and the month in which a product begins (R-FIRST)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl

from invoicing.explanations.basis import Reasons, said_product
from invoicing.explanations.line_steps import (
    amount_step,
    days_of_month,
    days_steps,
    last_day,
    price_step,
    units_in_words,
)
from invoicing.explanations.numbers import run_on_reasons
from invoicing.explanations.reckoning import counted
from invoicing.explanations.steps import Listing, Step
from invoicing.explanations.users import contracted_at_start
from rating.money import MICRO
from rating.periods import active_on
from rating.services import USER_GROUP

if TYPE_CHECKING:
    from invoicing.documents.words import Language
    from invoicing.explanations.basis import Basis, IssuedLine


def explain_recurring(basis: Basis, line: IssuedLine, say: Language) -> Reasons:
    """A line of the month ahead: what was counted, at which price, for which days."""
    dues = basis.dues_of(line)
    why = say.say(
        "services.counted",
        services=units_in_words(basis, say, line),
        period=say.month(str(basis.period)),
        ahead=say.month(str(basis.period.next)),
    )
    run_on = run_on_reasons(basis, line, dues, say)
    return Reasons(
        basis.reckon(dues),
        [
            Step("why", why, "R-ADVANCE", {"quantity_micro": line.quantity_micro, "service_from": line.service_from}),
            *run_on.steps,
            *days_steps(line, say, "numbers.days" if line.rule == "R-TWELVE" else "services.contract_ends"),
            price_step(basis, line, say),
            amount_step(line, say, line.rule),
        ],
        [services_behind(basis, dues), *run_on.listings],
    )


def explain_first_period(basis: Basis, line: IssuedLine, say: Language) -> Reasons:
    """A line of the period in which a product began: why that is a beginning, and from which day it pays."""
    dues = basis.dues_of(line)
    begun = basis.begun.join(dues.select("service_no").drop_nulls().unique(), on="service_no", how="semi")
    steps = [] if begun.is_empty() else [_beginning(basis, line, begun, say)]
    listings = [] if begun.is_empty() else [services_behind(basis, dues)]
    missing = dues.filter(pl.col("rule") == "R-BASIS")
    if not missing.is_empty():
        users = int(str(missing["quantity_micro"].sum())) // MICRO
        contracted = contracted_at_start(basis, users, say)
        steps += contracted.steps
        listings += contracted.listings
    run_on = run_on_reasons(basis, line, dues, say)
    steps += [*_paid_days(line, say), *run_on.steps, price_step(basis, line, say), amount_step(line, say, "R-FIRST")]
    return Reasons(basis.reckon(dues), steps, [*listings, *run_on.listings])


def _beginning(basis: Basis, line: IssuedLine, begun: pl.DataFrame, say: Language) -> Step:
    """Why services that start on a day pay for its month."""
    first = begun.row(0, named=True)
    group = say.say("services.all_users") if first["group"] == USER_GROUP else said_product(basis, say, first["group"])
    before = "begins_first_run" if basis.history.billed is None else "begins"
    words = say.say(
        f"services.{before}" if first["begins"] else "services.increase",
        product=group,
        day=say.long_day(line.service_from),
        eve=say.long_day(line.service_from - timedelta(days=1)),
        period=say.month(str(basis.period)),
        previous=say.month(str(basis.period.previous)),
        excess=say.quantity(first["excess_micro"]),
        count=counted(say, "service", begun.height),
    )
    figures = {"begins": first["begins"], "service_from": line.service_from, "services": begun.height}
    if not first["begins"]:
        figures |= {"excess_micro": first["excess_micro"]}
    return Step("why", words, "R-FIRST", figures)


def _paid_days(line: IssuedLine, say: Language) -> list[Step]:
    """From which day to which the first period is paid."""
    words = say.say(
        "services.days",
        first=say.long_day(line.service_from),
        last=say.long_day(line.service_to),
        days=counted(say, "day", line.days),
        of_month=say.count(days_of_month(line)),
    )
    return [Step("days", words, "R-FIRST", {"days": line.days, "days_of_month": days_of_month(line)})]


def services_behind(basis: Basis, dues: pl.DataFrame) -> Listing:
    """The services of a line, each with its days (the last one empty while it has no end) and its quantity."""
    owing = dues.select("service_no", "price_day").drop_nulls()
    rows = basis.rows.join(owing, on="service_no").filter(
        active_on(pl.max_horizontal("price_day", "service_start")) | (pl.col("active_from") == pl.col("price_day"))
    )
    found = rows.sort("service_id", "active_from").unique("service_no", keep="first", maintain_order=True)
    return Listing(
        "services",
        found.select(
            "service_id",
            "user_id",
            "quantity_micro",
            first_day="service_start",
            last_day=last_day(pl.col("service_end")),
        ).select(column for column in ("service_id", *_told(found), "first_day", "last_day")),
    )


def _told(found: pl.DataFrame) -> list[str]:
    """Who uses numbers and subscriptions, and how many units the latter have; a user is itself, once."""
    subscribed = found.filter(pl.col("table") == "subscription").height
    users = found.filter((pl.col("table") != "user") & pl.col("user_id").is_not_null()).height
    return [*(["user_id"] if users else []), *(["quantity_micro"] if subscribed else [])]

"""Steps that lines of services have in common: how many units, at which price, and the reckoning."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from invoicing.explanations.basis import said_product
from invoicing.explanations.reckoning import as_sentence, counted, line_reckoning
from invoicing.explanations.steps import Step
from invoicing.prices import versions_in_force
from rating.money import MICRO
from rating.periods import FOREVER, Period

if TYPE_CHECKING:
    from invoicing.documents.words import Language
    from invoicing.explanations.basis import Basis, IssuedLine


def price_step(basis: Basis, line: IssuedLine, say: Language) -> Step:
    """The row of the price book that was in force, and when customers were told of it."""
    day = basis.dues_of(line)["price_day"].min()
    asked = pl.DataFrame(
        {"customer_id": [basis.customer_id], "product_id": [line.product_id], "price_day": [day]},
        schema_overrides={"price_day": pl.Date},
    )
    version = versions_in_force(asked, basis.platform.prices).row(0, named=True)
    words = say.say(
        "price.own" if version["is_own"] else "price.general",
        product=said_product(basis, say, line.product_id),
        day=say.long_day(version["price_day"]),
        price=say.unit_price(version["unit_price_micro"]),
        first=say.long_day(version["effective_from"]),
        notified=say.long_day(version["notified_on"]),
    )
    names = ("price_day", "unit_price_micro", "effective_from", "notified_on", "is_own")
    return Step("price", words, "R-NOTICE", {name: version[name] for name in names})


def amount_step(line: IssuedLine, say: Language, rule: str) -> Step:
    """Quantity times price, times the days that are paid, rounded once on the line."""
    price = int(str(line.unit_price_micro))
    reckoning = line_reckoning(say, line.quantity_micro, price, line.days, days_of_month(line), line.net_cents)
    figures = {
        "quantity_micro": line.quantity_micro, "unit_price_micro": price, "days": line.days,
        "days_of_month": days_of_month(line), "net_cents": line.net_cents,
    }  # fmt: skip
    return Step("amount", as_sentence(reckoning), rule, figures)


def days_steps(line: IssuedLine, say: Language, key: str) -> list[Step]:
    """That a month is paid by days, in the words of a key; nothing where it is paid in full."""
    if line.days == days_of_month(line):
        return []
    days, of_month = counted(say, "day", line.days), say.count(days_of_month(line))
    words = say.say(key, last=say.long_day(line.service_to), days=days, of_month=of_month)
    figures = {"last_day": line.service_to, "days": line.days, "days_of_month": days_of_month(line)}
    return [Step("days", words, line.rule, figures)]


def days_of_month(line: IssuedLine) -> int:
    """How many days the month has that a line is for."""
    return Period.of(line.service_from).days


def units_in_words(basis: Basis, say: Language, line: IssuedLine) -> str:
    """How many users, numbers or units a line is for."""
    kinds = basis.platform.products.filter(pl.col("product_id") == line.product_id)["kind"]
    noun = {"user": "user", "number": "number"}.get(kinds.item(), "unit")
    whole, rest = divmod(line.quantity_micro, MICRO)
    return say.say("noun.unit_other", count=say.quantity(line.quantity_micro)) if rest else counted(say, noun, whole)


def last_day(end: pl.Expr) -> pl.Expr:
    """The last day of what ends on a day (exclusive); null while it has no end."""
    return pl.when(end < pl.lit(FOREVER, pl.Date)).then(end.dt.offset_by("-1d"))

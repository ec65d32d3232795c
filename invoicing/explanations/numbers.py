"""Explaining the 12 months of international numbers (R-TWELVE): when they began, and why they end when they do."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import polars as pl

from invoicing.explanations.basis import Reasons, nothing_behind
from invoicing.explanations.line_steps import amount_step, days_steps, last_day, price_step
from invoicing.explanations.steps import Listing, Step
from rating.periods import a_year_later

if TYPE_CHECKING:
    from collections.abc import Iterator

    from invoicing.documents.words import Language
    from invoicing.explanations.basis import Basis, IssuedLine

# So many numbers are told one by one; the rows of all are listed.
TOLD_ONE_BY_ONE = 3


def explain_number_minimum(basis: Basis, line: IssuedLine, say: Language) -> Reasons:
    """A line of what is left of the 12 months of numbers that are no longer there."""
    dues = basis.dues_of(line)
    terms = number_terms(basis, dues)
    ends_on = basis.rows.join(dues, on="service_no", how="semi")["ends_on"].first()
    why = say.say(
        "numbers.all_left" if basis.is_over else "numbers.month_ahead",
        month=say.month(f"{line.service_from:%Y-%m}"),
        period=say.month(str(basis.period)),
        last=say.long_day(ends_on - timedelta(days=1)) if isinstance(ends_on, date) else "",
    )
    return Reasons(
        basis.reckon(dues),
        [
            Step("why", why, "R-TWELVE", {"numbers": terms.height, "contract_ends_on": ends_on}),
            *_term_steps(terms, say),
            *days_steps(line, say, "numbers.days"),
            price_step(basis, line, say),
            amount_step(line, say, "R-TWELVE"),
        ],
        [Listing("terms", terms.drop("service_no")), Listing("intervals", _intervals(basis, terms))],
    )


def run_on_reasons(basis: Basis, line: IssuedLine, dues: pl.DataFrame, say: Language) -> Reasons:
    """Why a line of numbers runs on after their own end or the contract's; nothing where none does."""
    terms = number_terms(basis, dues)
    ended = basis.rows.join(terms, on="service_no", how="semi").group_by("service_no").agg(pl.col("service_end").max())
    ended = ended.filter(pl.col("service_end") <= pl.lit(line.service_to))
    running_on = terms.join(ended, on="service_no", how="semi")
    if running_on.is_empty():
        return nothing_behind()
    words = say.say("numbers.runs_on", last=say.long_day(line.service_to))
    return Reasons(
        None,
        [Step("minimum", words, "R-TWELVE", {"service_to": line.service_to}), *_term_steps(running_on, say)],
        [Listing("terms", running_on.drop("service_no")), Listing("intervals", _intervals(basis, running_on))],
    )


def number_terms(basis: Basis, dues: pl.DataFrame) -> pl.DataFrame:
    """The 12 months of the numbers behind dues: `service_no`, `number` and the days that matter, last ones included.

    `first_day` of the service, `last_day` of it, `year_ends` (the last day of the 12 months), `minimum_ends` (the
    last day owed, which is earlier where another customer has the number) and `other_from` (that customer's day).
    """
    services = basis.rows.filter((pl.col("table") == "number") & pl.col("service_no").is_in(_services(dues)))
    services = services.unique("service_no", keep="last", maintain_order=True).join(basis.terms, on="service_no")
    year = a_year_later(pl.col("service_start"))
    eve = "-1d"
    return services.select(
        "service_no",
        number="service_id",
        first_day="service_start",
        last_day=last_day(pl.col("service_end")),
        year_ends=year.dt.offset_by(eve),
        minimum_ends=pl.col("duty_end").dt.offset_by(eve),
        other_from=pl.when(pl.col("duty_end") < year).then("duty_end"),
    ).sort("number")


def _services(dues: pl.DataFrame) -> pl.Expr:
    return pl.lit(dues["service_no"].drop_nulls().unique()).implode()


def _term_steps(terms: pl.DataFrame, say: Language) -> Iterator[Step]:
    """How the 12 months of each number got to their end."""
    for term in terms.head(TOLD_ONE_BY_ONE).iter_rows(named=True):
        gone = term["last_day"] is not None
        words = [
            say.say(
                "numbers.term",
                number=term["number"],
                first=say.long_day(term["first_day"]),
                last=say.long_day(term["year_ends"]),
            )
        ]
        if gone:
            words.append(say.say("numbers.gone", last=say.long_day(term["last_day"])))
        if term["other_from"] is not None:
            words.append(
                say.say("numbers.taken", day=say.long_day(term["other_from"]), last=say.long_day(term["minimum_ends"]))
            )
        figures = {name: figure for name, figure in term.items() if name != "service_no"}
        yield Step("minimum", " ".join(words), "R-TWELVE", figures)


def _intervals(basis: Basis, terms: pl.DataFrame) -> pl.DataFrame:
    """The rows that make each number one service."""
    rows = basis.rows.join(terms.select("service_no", "number"), on="service_no").sort("number", "active_from")
    return rows.select("number", "product_id", first_day="active_from", last_day=last_day(pl.col("active_to")))

"""What an invoice was issued from: its stored figures, and the tables, settings and history its run had.

Everything but the stored figures is fetched when a line first needs it: a line of calls needs no table.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

from invoicing.issuing import first_period, history_of
from invoicing.lines import lines_of_dues
from invoicing.origins import origin_of
from invoicing.pipeline import begun_dues, label_in_language, missing_users, service_dues
from invoicing.prices import with_unit_prices
from invoicing.rewinding import ledger_before
from rating.services import minimum_ends, service_rows

if TYPE_CHECKING:
    from datetime import date

    from invoicing.desk import Desk
    from invoicing.documents.words import Language
    from invoicing.explanations.steps import Listing, Step
    from invoicing.ledger import Rating
    from invoicing.origins import Origin
    from invoicing.pipeline import History
    from invoicing.user_cap import UserBilling
    from rating.periods import Period
    from schemas.platform import Platform
    from schemas.settings import Settings


class IssuedLine(NamedTuple):
    """A line as the ledger has it."""

    line_no: int
    kind: str
    product_id: str | None
    zone_id: str | None
    traffic_period: str | None
    rule: str
    description: str
    service_from: date
    service_to: date
    quantity_micro: int
    unit_price_micro: int | None
    net_cents: int
    vat_category: str
    vat_rate_micro: int
    source_id: str | None

    @property
    def days(self) -> int:
        """How many days of its month it is for."""
        return (self.service_to - self.service_from).days + 1


class Reckoned(NamedTuple):
    """What a line comes to when its rule is applied again."""

    quantity_micro: int
    net_cents: int


class Reasons(NamedTuple):
    """Why a line is what it is.

    Attributes:
        reckoned: What it comes to when reckoned again; None where its rule gives no such line.
        steps: The steps of the reckoning.
        listings: The rows behind them.
    """

    reckoned: Reckoned | None
    steps: list[Step]
    listings: list[Listing]


def nothing_behind() -> Reasons:
    """The reasons of a line that nothing of what it was issued from brings about."""
    return Reasons(None, [], [])


@dataclass(frozen=True)
class Basis:
    """An issued invoice and what it was issued from.

    Attributes:
        desk: The store.
        origin: What it was issued from.
        invoice: Its row in the ledger.
        lines: Its lines, by number.
        vat_totals: Its VAT, by category and rate.
    """

    desk: Desk
    origin: Origin
    invoice: dict[str, Any]
    lines: tuple[IssuedLine, ...]
    vat_totals: pl.DataFrame

    @property
    def customer_id(self) -> str:
        """Its customer."""
        return self.origin.customer_id

    @property
    def number(self) -> str:
        """The invoice's number."""
        return str(self.invoice["invoice_number"])

    @property
    def period(self) -> Period:
        """The period it invoices."""
        return self.origin.run.period

    @property
    def language_code(self) -> str:
        """The language of its customer."""
        return str(json.loads(self.invoice["customer"])["language"])

    @cached_property
    def settings(self) -> Settings:
        """The settings it was issued with."""
        return self.origin.settings

    @cached_property
    def platform(self) -> Platform:
        """The tables it was issued from."""
        return self.origin.platform(self.desk.store, self.desk.ledger)

    @cached_property
    def rows(self) -> pl.DataFrame:
        """The service rows of those tables (`rating.services.service_rows`)."""
        return service_rows(self.platform)

    @cached_property
    def first_period(self) -> Period:
        """The first period of the store."""
        return first_period(self.desk.ledger, self.period)

    @cached_property
    def _before(self) -> tuple[History, pl.DataFrame]:
        """What was in force when it was issued: what was billed, and the users counted of its customer by month."""
        desk, origin = self.desk, self.origin
        with ledger_before(desk.store, desk.ledger, origin.run, origin.restating) as (before, _):
            history = history_of(before, self.period, self.first_period, self.platform, self.settings)
            counts = before.frame("select * from user_counts_in_force where customer_id = ?", [self.customer_id])
            return history, counts

    @property
    def history(self) -> History:
        """What the runs before had billed."""
        return self._before[0]

    @cached_property
    def counts(self) -> pl.DataFrame:
        """The users billed, by month, up to those of the invoice itself (rows of `user_counts`)."""
        of_invoice: tuple[str, list[object]] = (
            "select * from user_counts where period = ? and customer_id = ?", [str(self.period), self.customer_id]
        )  # fmt: skip
        if self.origin.correction is not None:
            of_invoice = ("select * exclude (invoice_number) from corrected_user_counts where invoice_number = ?",
                          [self.number])  # fmt: skip
        return pl.concat([self._before[1], self.desk.ledger.frame(*of_invoice)])

    @property
    def rating(self) -> Rating:
        """The rating of its calls."""
        return self.origin.rating

    @cached_property
    def calls(self) -> pl.DataFrame:
        """The customer's calls of that rating (`RATED_SCHEMA`)."""
        return self.origin.calls(self.desk.store, self.desk.ledger)

    @cached_property
    def _due(self) -> tuple[pl.DataFrame, UserBilling]:
        return service_dues(self.period, self.platform, self.rows, self.history, self.settings)

    @property
    def users(self) -> UserBilling:
        """The users that the run billed, of all customers."""
        return self._due[1]

    @cached_property
    def dues(self) -> pl.DataFrame:
        """What the customer's services owe, one by one (`DUE_SCHEMA`), with `unit_price_micro`."""
        return with_unit_prices(self.theirs(self._due[0]), self.platform.prices)

    @cached_property
    def begun(self) -> pl.DataFrame:
        """What began for the customer within the period (`recurring.first_period_dues`)."""
        return self.theirs(begun_dues(self.period, self.platform, self.rows, self.history, self.settings))

    @cached_property
    def missing(self) -> pl.DataFrame:
        """The contracted users that were missing on the customer's first day (`user_cap.missing_at_start`)."""
        return self.theirs(missing_users(self.period, self.platform, self.rows, self.history))

    @cached_property
    def terms(self) -> pl.DataFrame:
        """When the 12 months of each international number end (`rating.services.minimum_ends`)."""
        return minimum_ends(self.rows, self.platform.numbers)

    @cached_property
    def contract(self) -> dict[str, Any] | None:
        """The customer's contract, if it has one: a charge may be all there is."""
        contracts = self.theirs(self.platform.contracts)
        return None if contracts.is_empty() else contracts.row(0, named=True)

    @property
    def is_over(self) -> bool:
        """Whether the contract ends with the period at the latest, or there is none."""
        if self.contract is None:
            return True
        ends_on = self.contract["ends_on"]
        return ends_on is not None and ends_on <= self.period.next.first_day

    def theirs(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The rows of the customer."""
        return frame.filter(pl.col("customer_id").cast(pl.String) == self.customer_id)

    def dues_of(self, line: IssuedLine) -> pl.DataFrame:
        """What is brought together on a line."""
        key = ("kind", "product_id", "unit_price_micro", "service_from", "service_to")
        return self.dues.filter(*(pl.col(name).eq_missing(pl.lit(getattr(line, name))) for name in key))

    def reckon(self, dues: pl.DataFrame) -> Reckoned | None:
        """What dues of one line come to; None where there is none."""
        lines = lines_of_dues(dues.drop("unit_price_micro"), self.platform.prices)
        if lines.height != 1:
            return None
        return Reckoned(*lines.select(Reckoned._fields).row(0))


def load_basis(desk: Desk, invoice_number: str) -> Basis:
    """An issued invoice and what it was issued from.

    Raises:
        InputRefused: where there is no such invoice.
    """
    origin = origin_of(desk.ledger, invoice_number)
    invoice = desk.ledger.frame("select * from invoices where invoice_number = ?", [invoice_number])
    lines = desk.ledger.frame(
        f"select {', '.join(IssuedLine._fields)} from lines where invoice_number = ? order by line_no",  # noqa: S608
        [invoice_number],
    )
    vat_totals = desk.ledger.frame(
        "select * from vat_totals where invoice_number = ? order by vat_category, vat_rate_micro", [invoice_number]
    )
    return Basis(
        desk,
        origin,
        invoice.row(0, named=True),
        tuple(IssuedLine(*row) for row in lines.iter_rows()),
        vat_totals,
    )


def said_product(basis: Basis, say: Language, product_id: str | None) -> str:
    """A product's name in the language of the explanation, French where it has none."""
    products = basis.platform.products.filter(pl.col("product_id") == product_id)
    return str(products.select(label_in_language(pl.lit(say.code))).item())

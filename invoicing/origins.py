"""Origins: what an invoice was issued from, or last corrected from: its run, tables, settings and calls."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import polars as pl

from invoicing.ledger import Rating
from invoicing.rated_calls import rated_calls_of
from invoicing.rewinding import Restating
from rating.periods import Period
from schemas.errors import InputRefused, StoreUnavailable
from schemas.settings import parse_settings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from invoicing.ledger import Ledger, Run
    from invoicing.store import Store
    from rating.sources.platform_tables import LoadedPlatform
    from schemas.platform import Platform
    from schemas.settings import Settings

DECK_VERSION = ["deck_id", "effective_from"]


@dataclass(frozen=True, slots=True)
class Correction:
    """An invoice made once more in answer to a dispute; its calls are a rating of their own.

    Attributes:
        rating_no: The number of that rating.
        replaces: The rating that it replaces for the calls of this invoice.
        dispute_number: The dispute.
        period: The period of the invoice.
        customer_id: Its customer.
        corrects: The invoice.
        invoice_number: The invoice that supersedes it; None where a credit note gave the difference back.
        net_cents: What the invoice comes to as corrected, without VAT.
        snapshot: The platform tables it was made from.
        decks: Stored files of the table `rates` that came beside or in place of those of the snapshot, in order.
        settings: The settings it was made with.
        program: The program's version.
        corrected_at: When.
        calls: How many calls there are on it.
        amount_cents: What they cost together.
        calls_off: How many there were before and are not now.
    """

    rating_no: int
    replaces: int
    dispute_number: str
    period: Period
    customer_id: str
    corrects: str
    invoice_number: str | None
    net_cents: int
    snapshot: str
    decks: tuple[str, ...]
    settings: str
    program: str
    corrected_at: str
    calls: int
    amount_cents: int
    calls_off: int

    @property
    def about(self) -> str:
        """The number of the invoice that its calls are on."""
        return self.invoice_number or self.corrects

    @property
    def rating(self) -> Rating:
        """The rating of its calls; it looked at no batch but those of the rating it replaces."""
        return Rating(
            self.rating_no, self.period, issued=True, snapshot=self.snapshot, settings=self.settings,
            program=self.program, last_batch=0, calls=self.calls, amount_cents=self.amount_cents, unrated=0,
            reports="[]",
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Origin:
    """What an invoice was issued from, or last corrected from.

    Attributes:
        invoice_number: The invoice.
        customer_id: Its customer.
        run: The run of its period, as of the day on which that period was invoiced to the customer first.
        rating: The rating of its calls.
        correction: The correction that it comes from; None where the run issued it.
    """

    invoice_number: str
    customer_id: str
    run: Run
    rating: Rating
    correction: Correction | None

    @property
    def snapshot(self) -> str:
        """The platform tables."""
        return self.rating.snapshot

    @property
    def decks(self) -> tuple[str, ...]:
        """The stored files of other rates beside them."""
        return () if self.correction is None else self.correction.decks

    @property
    def settings_text(self) -> str:
        """The settings as they are stored."""
        return self.run.settings if self.correction is None else self.correction.settings

    @property
    def settings(self) -> Settings:
        """The settings."""
        return parse_settings(json.loads(self.settings_text))

    @property
    def program(self) -> str:
        """The program's version."""
        return self.run.program if self.correction is None else self.correction.program

    @property
    def issued_at(self) -> str:
        """The moment."""
        return self.run.issued_at if self.correction is None else self.correction.corrected_at

    @property
    def restating(self) -> Restating | None:
        """Of a correction: which rating, and whose invoice."""
        return None if self.correction is None else Restating(self.correction.rating_no, self.customer_id)

    def platform(self, store: Store, ledger: Ledger) -> Platform:
        """The tables it was made from, with the rates that came beside them.

        Raises:
            StoreUnavailable: where a file of them is missing or altered.
        """
        # Only who reads tables waits for what reads them.
        from invoicing.snapshots import load_snapshot  # noqa: PLC0415

        loaded, shas = load_snapshot(store, ledger, self.snapshot, self.settings), ledger.stored_files()
        for deck in self.decks:
            loaded = with_deck(loaded, store.require(deck, shas[deck]), self.settings)
        return loaded.platform

    def calls(self, store: Store, ledger: Ledger) -> pl.DataFrame:
        """Its calls, those that cost nothing too (`RATED_SCHEMA`)."""
        return rated_calls_of(store, ledger, self.rating, customers=pl.Series([self.customer_id]))


def with_deck(loaded: LoadedPlatform, deck: Path, settings: Settings) -> LoadedPlatform:
    """Tables with the versions of decks that a file of the table `rates` holds, beside or in place of theirs.

    Raises:
        InputRefused: where it is no such file, with all that is wrong with it.
    """
    # As above.
    from rating.sources.files import format_of  # noqa: PLC0415
    from rating.sources.platform_tables import load_other_rates  # noqa: PLC0415

    if not deck.is_file() or format_of(deck.name) is None:
        raise InputRefused(f"{deck}: expected a file of the table rates, as .csv, .parquet or .ndjson")
    rates = load_other_rates(loaded, deck, settings)
    others = loaded.platform.rates.join(rates, on=DECK_VERSION, how="anti", maintain_order="left")
    return replace(loaded, platform=replace(loaded.platform, rates=pl.concat([others, rates])))


def corrections(ledger: Ledger, condition: str = "true", parameters: Sequence[object] = ()) -> list[Correction]:
    """The corrections of a ledger for which a condition holds, in the order in which they were made."""
    names = [field.name for field in fields(Correction)]
    rows = ledger.rows(
        f"select {', '.join(names)} from corrections where {condition} order by rating_no",  # noqa: S608
        list(parameters),
    )
    return [_correction(dict(zip(names, row, strict=True))) for row in rows]


def _correction(row: dict[str, Any]) -> Correction:
    return Correction(**row | {"period": Period.parse(row["period"]), "decks": tuple(json.loads(row["decks"]))})


def origin_of(ledger: Ledger, invoice_number: str) -> Origin:
    """What an invoice was issued from.

    Raises:
        InputRefused: where there is no such invoice.
    """
    found = ledger.rows("select period, customer_id from invoices where invoice_number = ?", [invoice_number])
    if not found:
        last = ledger.rows("select max(invoice_number) from invoices")[0][0]
        known = f"the last one is {last}" if last else "none was issued yet"
        raise InputRefused(f"{invoice_number}: this store has no such invoice; {known}")
    made = corrections(ledger, "invoice_number = ?", [invoice_number])
    period, customer_id = found[0]
    return _origin(ledger, invoice_number, str(period), str(customer_id), made)


def last_origin_of(ledger: Ledger, invoice_number: str) -> Origin:
    """What an invoice was issued from, or last corrected from by a credit note.

    Raises:
        InputRefused: where there is no such invoice.
    """
    origin = origin_of(ledger, invoice_number)
    later = corrections(ledger, "corrects = ? and invoice_number is null", [invoice_number])
    return _origin(ledger, invoice_number, str(origin.run.period), origin.customer_id, later) if later else origin


def _origin(ledger: Ledger, number: str, period: str, customer_id: str, made: list[Correction]) -> Origin:
    run = _run_of(ledger, period, customer_id)
    correction = made[-1] if made else None
    if correction is not None:
        return Origin(number, customer_id, run, correction.rating, correction)
    rating = ledger.rating_of(run)
    return Origin(number, customer_id, run, rating, None)


def _run_of(ledger: Ledger, period: str, customer_id: str) -> Run:
    """The run that made the first invoice of a customer and period, with the day and moment of that one's issue.

    Those of an invoice that was held are those of its release: its VAT and due date hang on them, and those of what
    corrects it.
    """
    run = next(run for run in ledger.runs() if str(run.period) == period)
    first = ledger.frame(
        "select invoice_date, released_at from invoices i left join releases using (invoice_number) "
        "where i.period = ? and i.customer_id = ? and supersedes is null",
        [period, customer_id],
    ).row(0, named=True)
    return replace(run, invoice_date=first["invoice_date"], issued_at=first["released_at"] or run.issued_at)


def rating_numbered(ledger: Ledger, rating_no: int) -> Rating:
    """The rating of a run, or of a correction, by its number.

    Raises:
        StoreUnavailable: where there is none: a correction names it, and the ledger was altered.
    """
    known = [*ledger.ratings(issued=True), *(correction.rating for correction in corrections(ledger))]
    for rating in known:
        if rating.rating_no == rating_no:
            return rating
    raise StoreUnavailable(f"rating {rating_no}: the ledger has no such rating; run `centime verify`")


def invoice_with(ledger: Ledger, rating: Rating, customer_id: str) -> str | None:
    """The invoice that the calls of a customer in a rating are on; None where they are on none."""
    corrected = corrections(ledger, "rating_no = ?", [rating.rating_no])
    if corrected:
        return corrected[0].about
    found = ledger.rows(
        "select invoice_number from invoice_ratings where rating_no = ? and customer_id = ?",
        [rating.rating_no, customer_id],
    )
    return str(found[0][0]) if found else None


def calls_in_force(store: Store, ledger: Ledger, rating: Rating, customers: pl.Series) -> pl.DataFrame:
    """The rated calls of some customers in the rating of a run, those of corrected invoices as last corrected."""
    of_period = corrections(ledger, "period = ?", [str(rating.period)])
    last = {correction.customer_id: correction.rating for correction in of_period}
    corrected = customers.filter(customers.is_in(list(last)))
    others = rated_calls_of(store, ledger, rating, customers=customers.filter(~customers.is_in(list(last))))
    own = (rated_calls_of(store, ledger, last[one], customers=pl.Series([one])) for one in corrected)
    return pl.concat([others, *own])

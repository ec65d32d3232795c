"""Crediting: a credit note is numbered and stored in the one transaction that makes it issued."""

from __future__ import annotations

import json
import re
import unicodedata
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import polars as pl

from invoicing.credit_notes import VAT_KEY, Extent, Left, credit_invoice, left_of
from invoicing.events import CREDITED, record
from invoicing.issuer import require_issuer
from invoicing.issuing import refuse_far_date
from invoicing.numbering import credit_note_number
from rating.money import MICRO, MICRO_PER_CENT, euro_text
from schemas.errors import InputRefused, StoreUnavailable

if TYPE_CHECKING:
    from typing import Any

    from invoicing.desk import Desk, Report
    from invoicing.ledger import Ledger

LONGEST_REASON = 300
# Letters that are none: controls, halves of characters, and what ends a line.
UNWANTED_LETTERS = ("Cc", "Cs", "Zl", "Zp")
NO_CHARACTERS = "\ufffe\uffff"
# An amount on the invoice as a whole, and what --all takes off for such amounts credited before.
ON_THE_WHOLE = {
    "fr": "Crédit sur la facture {}",
    "nl": "Krediet op factuur {}",
    "de": "Gutschrift auf die Rechnung {}",
    "en": "Credit on invoice {}",
}
CREDITED_BEFORE = {
    "fr": "Déjà crédité sur la facture {}",
    "nl": "Reeds gecrediteerd op factuur {}",
    "de": "Bereits gutgeschrieben auf die Rechnung {}",
    "en": "Already credited on invoice {}",
}
RULE = "R-CREDIT-NOTE"
COPIED = ["product_id", "zone_id", "traffic_period", "service_from", "service_to"]


def extent_of(lines: list[int], amount: str | None, *, everything: bool) -> Extent:
    """How much is to be credited, from what was written on the command line.

    Raises:
        InputRefused: where that is not one of lines, an amount, an amount of one line, or everything.
    """
    if everything == bool(lines or amount is not None):
        raise InputRefused(
            "expected one of --line N (may be repeated), --amount X (with one --line: of that line) and --all"
        )
    numbers = tuple(sorted(set(lines)))
    if amount is None:
        return Extent(numbers)
    if len(numbers) > 1:
        raise InputRefused("--amount is of the invoice as a whole or of one line; give at most one --line with it")
    return Extent(numbers, _cents_of(amount))


def _cents_of(amount: str) -> int:
    """An amount in euro as cents, by the digits it is written with."""
    if not re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,2})?", amount, flags=re.ASCII) or Decimal(amount) == 0:
        raise InputRefused(
            f"--amount {amount}: expected an amount above 0 in euro without VAT, at most 2 decimals, such as 12.50"
        )
    return int(Decimal(amount).scaleb(2))


def reason_of(text: str) -> str:
    """Why an invoice is credited, as the credit note says it.

    Raises:
        InputRefused: where it is empty, too long, or more than a line of text.
    """
    reason = text.strip()
    if not 0 < len(reason) <= LONGEST_REASON:
        raise InputRefused(f"--reason: expected 1 to {LONGEST_REASON} characters that say why, found {len(reason)}")
    if any(unicodedata.category(letter) in UNWANTED_LETTERS or letter in NO_CHARACTERS for letter in reason):
        raise InputRefused("--reason: expected one line of text without control characters")
    return reason


def credit(
    desk: Desk, invoice_number: str, extent: Extent, reason: str, asked_date: date | None, report: Report
) -> None:
    """Make a credit note about an issued invoice, and tell it and what is left of the invoice.

    The supplier and the rules for electronic documents are judged first: its document is made of them.

    Raises:
        InputRefused: with nothing changed, where the invoice is not there, too little of it is left, or the date or
            the settings cannot be.
    """
    require_issuer(desk)
    ledger = desk.ledger
    invoice = issued_invoice(ledger, invoice_number)
    day = choose_credit_note_date(ledger, desk.today, asked_date, invoice)
    left = left_of_invoice(ledger, invoice_number)
    lines, totals = credit_invoice(left, extent)
    number = commit_credit_note(desk, invoice, left, (lines, totals), day, reason)
    tell_credit_note(ledger, number, left_of_invoice(ledger, invoice_number), report)


def issued_invoice(ledger: Ledger, invoice_number: str) -> dict[str, Any]:
    """The ledger's row of an invoice.

    Raises:
        InputRefused: where there is none.
    """
    found = ledger.frame("select * from invoices where invoice_number = ?", [invoice_number])
    if found.is_empty():
        raise InputRefused(
            f"{invoice_number}: no invoice of this store has this number; `centime export invoices PERIOD` lists them"
        )
    return found.row(0, named=True)


def left_of_invoice(ledger: Ledger, invoice_number: str) -> Left:
    """What its credit notes left of an invoice."""
    of_its_notes = "join credit_notes using (credit_note_number) where invoice_number = ?"
    queries = (
        "select * from lines where invoice_number = ? order by line_no",
        "select * exclude (invoice_number) from vat_totals where invoice_number = ?",
        f"select invoice_line_no, l.net_cents from credit_note_lines l {of_its_notes}",  # noqa: S608
        f"select t.* exclude (reason) from credit_note_vat_totals t {of_its_notes}",  # noqa: S608
    )
    return left_of(invoice_number, *(ledger.frame(query, [invoice_number]) for query in queries))


def choose_credit_note_date(ledger: Ledger, today: date, asked: date | None, invoice: dict[str, Any]) -> date:
    """The local day acted on unless another is asked for; never before the invoice, nor the last credit note.

    Raises:
        InputRefused: for a day before one of them, or far away.
    """
    chosen = asked or today
    refuse_far_date(chosen, today, "credit note")
    if chosen < invoice["invoice_date"]:
        raise InputRefused(
            f"credit note date {chosen}: invoice {invoice['invoice_number']} is dated {invoice['invoice_date']}, and "
            "its credit note cannot be older; give --date with that day or a later one"
        )
    last = ledger.rows("select max(credit_note_date) from credit_notes")[0][0]
    if isinstance(last, date) and chosen < last:
        raise InputRefused(
            f"credit note date {chosen}: the last credit note is dated {last}, and no later number may carry an "
            "earlier date; give --date with that day or a later one"
        )
    return chosen


def commit_credit_note(
    desk: Desk,
    invoice: dict[str, Any],
    left: Left,
    credited: tuple[pl.DataFrame, pl.DataFrame],
    day: date,
    reason: str,
) -> str:
    """Number a credit note and store its whole content: this commit is what *issued* means. Gives its number."""
    with desk.ledger.transaction():
        return append_credit_note(desk, invoice, left, credited, day, reason)


def append_credit_note(
    desk: Desk,
    invoice: dict[str, Any],
    left: Left,
    credited: tuple[pl.DataFrame, pl.DataFrame],
    day: date,
    reason: str,
) -> str:
    """Number and store a credit note within the caller's transaction; gives its number."""
    ledger, (lines, totals) = desk.ledger, credited
    totals = totals.join(left.vat.select(*VAT_KEY, "reason"), on=VAT_KEY, how="left", maintain_order="left")
    net, vat = (int(totals[name].sum()) for name in ("base_cents", "vat_cents"))
    last = ledger.number(
        "select max(sequence) from credit_notes where credit_note_number like ?", [f"CN{day.year:04d}-%"]
    )
    sequence, number = credit_note_number(day, last)
    label = pl.lit(number).alias("credit_note_number")
    note = pl.DataFrame(
        {
            "credit_note_number": number, "sequence": sequence, "invoice_number": invoice["invoice_number"],
            "customer_id": invoice["customer_id"], "credit_note_date": day, "net_cents": net, "vat_cents": vat,
            "gross_cents": net + vat, "reason": reason, "customer": invoice["customer"],
            "issued_at": desk.moment.text, "settings": desk.settings_text, "program": desk.moment.program,
        }
    )  # fmt: skip
    ledger.append("credit_notes", note)
    ledger.append("credit_note_lines", described(lines, left, invoice).with_columns(label))
    ledger.append("credit_note_vat_totals", totals.with_columns(label))
    record(ledger, desk.moment, CREDITED, "subject = ?", [number])
    after = left_of_invoice(ledger, invoice["invoice_number"])
    if (after.net_cents, after.vat_cents) != (left.net_cents - net, left.vat_cents - vat) or after.net_cents < 0:
        raise StoreUnavailable(f"{number} does not read back as it was made; nothing was stored; `centime verify`")
    return number


def described(lines: pl.DataFrame, left: Left, invoice: dict[str, Any]) -> pl.DataFrame:
    """The lines of a credit note with all they are stored with, numbered from 1.

    What is taken of an invoice line keeps the line's kind, rule, words and days; its quantity and price too where
    the line is credited as it is, else it is one time the amount.
    """
    language = str(json.loads(invoice["customer"])["language"])
    of_line = left.lines.select(
        "kind", "rule", "description", "quantity_micro", "unit_price_micro", *COPIED, invoice_line_no="line_no",
        line_cents="net_cents",
    )  # fmt: skip
    joined = lines.join(of_line, on="invoice_line_no", how="left", maintain_order="left")
    on_the_whole, credited_before = (
        pl.lit(words[language].format(left.invoice_number)) for words in (ON_THE_WHOLE, CREDITED_BEFORE)
    )
    as_it_is = (pl.col("net_cents") == pl.col("line_cents")).fill_null(value=False)
    return joined.select(
        "invoice_line_no",
        *COPIED,
        *VAT_KEY,
        "net_cents",
        pl.coalesce("kind", pl.lit("credit")).alias("kind"),
        pl.coalesce("rule", pl.lit(RULE)).alias("rule"),
        pl.coalesce(
            "description", pl.when(pl.col("net_cents") > 0).then(on_the_whole).otherwise(credited_before)
        ).alias("description"),
        line_no=pl.int_range(1, pl.len() + 1),
        quantity_micro=pl.when(as_it_is).then("quantity_micro").otherwise(MICRO),
        unit_price_micro=pl.when(as_it_is).then("unit_price_micro").otherwise(pl.col("net_cents") * MICRO_PER_CENT),
    )


def tell_credit_note(ledger: Ledger, number: str, left: Left, report: Report) -> None:
    """What was credited, and what is left of the invoice."""
    note = ledger.frame(
        "select credit_note_number, invoice_number, customer_id, credit_note_date, net_cents, vat_cents, gross_cents "
        "from credit_notes where credit_note_number = ?",
        [number],
    )
    amounts = {name: int(note[name].item()) for name in ("net_cents", "vat_cents", "gross_cents")}
    report.sums |= {**amounts, "left_net_cents": left.net_cents, "left_vat_cents": left.vat_cents}
    report.counts["credit_notes"] = 1
    report.tables["Credit note"] = note
    report.tables[f"Left of invoice {left.invoice_number}"] = left.lines.select(
        "line_no", "kind", "description", "net_cents", "left_cents"
    )
    report.messages += [
        f"{number}: {_told(amounts['net_cents'], amounts['vat_cents'])} credited on invoice {left.invoice_number}",
        f"{left.invoice_number}: {_told(left.net_cents, left.vat_cents)} left",
    ]


def _told(net_cents: int, vat_cents: int) -> str:
    return f"{euro_text(net_cents)} EUR and {euro_text(vat_cents)} EUR of VAT"

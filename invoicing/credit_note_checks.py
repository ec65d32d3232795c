"""Verification of credit notes: their numbers, their sums, and that no invoice gave back more than it charged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from invoicing.credit_notes import VAT_KEY, credited_vat_cents, is_part_of
from rating.money import MICRO, MICRO_PER_CENT

if TYPE_CHECKING:
    from invoicing.ledger import Ledger

NUMBER = "credit_note_number"
# What a line of a credit note has of its invoice line.
OF_THE_LINE = [
    "kind", "product_id", "zone_id", "traffic_period", "rule", "description", "service_from", "service_to",
    "vat_category", "vat_rate_micro",
]  # fmt: skip


def credit_note_differences(ledger: Ledger) -> list[str]:
    """What does not hold of the credit notes, one sentence each."""
    notes = ledger.frame(
        "select n.*, i.invoice_date, i.net_cents invoice_cents, i.customer_id is not distinct from n.customer_id and "
        "i.customer is not distinct from n.customer same_customer "
        "from credit_notes n left join invoices i using (invoice_number) order by credit_note_number"
    )
    of_note = "left join (select credit_note_number, invoice_number from credit_notes) using (credit_note_number)"
    lines, totals = (
        ledger.frame(f"select t.*, invoice_number from {table} t {of_note} order by credit_note_number")  # noqa: S608
        for table in ("credit_note_lines", "credit_note_vat_totals")
    )
    invoice_lines = ledger.frame(
        "select * from lines where invoice_number in (select invoice_number from credit_notes)"
    )
    invoice_totals = ledger.frame("select * from vat_totals")
    known = pl.col("invoice_number").is_not_null()
    return [
        *_wrong_numbers(notes),
        *_wrong_sums(notes, lines, totals),
        *_wrong_lines(lines.filter(known), invoice_lines),
        *_beyond_the_invoice(notes),
        *_wrong_vat(totals.filter(known), invoice_totals),
    ]


def _told(wrong: pl.DataFrame, what: str) -> list[str]:
    return [f"credit note {number}: {what}" for number in wrong[NUMBER].unique().sort()]


def _is_not(holds: pl.Expr) -> pl.Expr:
    """Whether something does not hold; what cannot be compared does not."""
    return ~holds.fill_null(value=False)


def _wrong_numbers(notes: pl.DataFrame) -> list[str]:
    """Numbers have no gap within a year, dates do not go back, and no credit note is older than its invoice."""
    numbered = notes.with_columns(year=pl.col(NUMBER).str.slice(2, 4)).with_columns(
        place=pl.int_range(1, pl.len() + 1).over("year"), before=pl.col("credit_note_date").shift(1)
    )
    expected = pl.format("CN{}-{}", "year", pl.col("place").cast(pl.String).str.zfill(6))
    in_place = (
        (pl.col("sequence") == pl.col("place"))
        & (pl.col(NUMBER) == expected)
        & (pl.col("credit_note_date").dt.to_string("%Y") == pl.col("year"))
    )
    lost = notes.filter(pl.col("invoice_date").is_null())
    known = notes.filter(pl.col("invoice_date").is_not_null())
    return [
        *_told(numbered.filter(~in_place), "the sequence of its year has a gap before it"),
        *_told(numbered.filter(pl.col("credit_note_date") < pl.col("before")), "dated before the number before it"),
        *_told(known.filter(pl.col("credit_note_date") < pl.col("invoice_date")), "dated before its invoice"),
        *_told(lost, "there is no such invoice as it names"),
        *_told(known.filter(~pl.col("same_customer")), "its customer is not that of its invoice"),
    ]


def _wrong_sums(notes: pl.DataFrame, lines: pl.DataFrame, totals: pl.DataFrame) -> list[str]:
    """A credit note is the sum of its lines and of their VAT, and above 0."""
    bases = lines.group_by(NUMBER, *VAT_KEY).agg(line_cents=pl.col("net_cents").sum())
    by_rate = totals.join(bases, on=[NUMBER, *VAT_KEY], how="full", coalesce=True)
    sums = totals.group_by(NUMBER).agg(pl.col("base_cents").sum(), total_vat=pl.col("vat_cents").sum())
    joined = notes.join(sums, on=NUMBER, how="left")
    adds_up = (
        (pl.col("net_cents") == pl.col("base_cents"))
        & (pl.col("vat_cents") == pl.col("total_vat"))
        & (pl.col("gross_cents") == pl.col("net_cents") + pl.col("vat_cents"))
        & (pl.col("net_cents") > 0)
    )
    orphans = pl.concat([frame.filter(pl.col("invoice_number").is_null()).select(NUMBER) for frame in (lines, totals)])
    return [
        *_told(by_rate.filter(_is_not(pl.col("base_cents") == pl.col("line_cents"))), "its VAT is not of its lines"),
        *_told(joined.filter(_is_not(adds_up)), "its totals are not the sums of its lines"),
        *_told(orphans.join(notes, on=NUMBER, how="anti"), "it has lines, and there is no such credit note"),
    ]


def _wrong_lines(lines: pl.DataFrame, invoice_lines: pl.DataFrame) -> list[str]:
    """A line says what its invoice line says, as a whole or with an amount of it, and no more than there was left."""
    key = ["invoice_number", "line_no"]
    of_line = invoice_lines.select(*key, *OF_THE_LINE, "quantity_micro", "unit_price_micro", "net_cents")
    joined = lines.sort(NUMBER, "line_no").join(
        of_line, left_on=["invoice_number", "invoice_line_no"], right_on=key, how="left", suffix="_charged",
        maintain_order="left",
    )  # fmt: skip
    taken = pl.col("net_cents").cum_sum().over("invoice_number", "invoice_line_no") - pl.col("net_cents")
    same_words = pl.all_horizontal(pl.col(name).eq_missing(pl.col(f"{name}_charged")) for name in OF_THE_LINE)
    as_it_is = pl.all_horizontal(
        pl.col(name).eq_missing(pl.col(f"{name}_charged"))
        for name in ("quantity_micro", "unit_price_micro", "net_cents")
    )
    an_amount = (pl.col("quantity_micro") == MICRO) & (
        pl.col("unit_price_micro") == pl.col("net_cents") * MICRO_PER_CENT
    )
    on_the_whole = pl.col("invoice_line_no").is_null() & (pl.col("kind") == "credit")
    of_its_line = same_words & is_part_of(pl.col("net_cents"), pl.col("net_cents_charged") - taken)
    wrong = joined.filter(_is_not((as_it_is | an_amount) & (on_the_whole | of_its_line)))
    return [
        f"credit note {number} line {line_no}: it is not of its invoice line, or of more than was left of it"
        for number, line_no in wrong.select(NUMBER, "line_no").iter_rows()
    ]


def _beyond_the_invoice(notes: pl.DataFrame) -> list[str]:
    """The credit notes of an invoice together give back no more than its net total."""
    credited = pl.col("net_cents").cum_sum().over("invoice_number")
    beyond = notes.filter(_is_not(credited <= pl.col("invoice_cents")) & pl.col("invoice_cents").is_not_null())
    return _told(beyond, "it gives back more than what was left of its invoice")


def _wrong_vat(totals: pl.DataFrame, invoice_totals: pl.DataFrame) -> list[str]:
    """VAT is that of R-CREDIT-NOTE, of each category and rate what the credit notes before left."""
    key = ["invoice_number", *VAT_KEY]
    joined = totals.sort(NUMBER).join(invoice_totals, on=key, how="left", suffix="_charged", maintain_order="left")
    left = joined.with_columns(
        (pl.col(f"{name}_charged") - pl.col(name).cum_sum().over(key) + pl.col(name)).alias(f"{name}_left")
        for name in ("base_cents", "vat_cents")
    )
    vat = credited_vat_cents(
        pl.col("base_cents"), pl.col("vat_rate_micro"), pl.col("base_cents_left"), pl.col("vat_cents_left")
    )
    holds = (
        (pl.col("vat_cents") == vat)
        & is_part_of(pl.col("base_cents"), pl.col("base_cents_left"))
        & pl.col("reason").eq_missing(pl.col("reason_charged"))
    )
    return _told(left.filter(_is_not(holds)), "its VAT is not what its invoice and the credit notes before it leave")

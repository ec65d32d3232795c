"""Overcharges: what a disputed invoice charged too much, as the lines of a credit note."""

from __future__ import annotations

import polars as pl

from invoicing.beside import LINE_KEY
from invoicing.credit_notes import CREDITED_SCHEMA, VAT_KEY, Left, credited_totals, is_part_of
from rating.money import euro_text
from rating.rules import rule
from schemas.errors import InputRefused

# What is on a line, whoever's: two prices of one thing on the same days are two lines, in the order of the prices.
THING = [name for name in LINE_KEY if name != "customer_id"]


@rule("R-DISPUTE", article="5.1, 14.2")
def credit_overcharge(left: Left, corrected: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """A disputed invoice is made again with what was found, and the customer gets back what it charged too much.

    Either a credit note gives back the difference: what earlier credit notes left of the invoice, less what it comes
    to as corrected. It takes it line by line where each line gives no more than what is left of it; else it is one
    amount of the invoice as a whole for each VAT category and rate. Or a credit note takes all that is left of the
    invoice, and a corrected one supersedes it, under the next number of its year, for the same period, at the VAT
    rates of the day on which the services were first invoiced. The disputed invoice never changes. What makes the
    customer pay more, or changes what later invoices build on (users billed, services, charges, price reductions),
    needs the corrected invoice.

    A claim made more than 30 days after the invoice was issued is marked late, for information (14.2).

    Args:
        left: What earlier credit notes left of the invoice, whose lines have the columns of `lines` in the ledger.
        corrected: The lines of the invoice as corrected, with `vat_category` and `vat_rate_micro`; may be none.

    Returns:
        The lines (`CREDITED_SCHEMA`) and VAT totals of the credit note, as `credit_invoice` gives them.

    Raises:
        InputRefused: where there is nothing to give back, or a credit note of the difference cannot be.
    """
    bases = _overcharged_bases(left, corrected)
    lines = _by_line(left, corrected)
    whole = bases.filter(pl.col("net_cents") != 0).with_columns(invoice_line_no=pl.lit(None, pl.Int64))
    chosen = whole if lines is None else lines
    shaped = chosen.select(pl.col(name).cast(dtype) for name, dtype in CREDITED_SCHEMA.items())
    return shaped, credited_totals(left, shaped)


def _overcharged_bases(left: Left, corrected: pl.DataFrame) -> pl.DataFrame:
    """By VAT category and rate, what is left and no longer owed: `base_left_cents`, `due_cents`, `net_cents`."""
    due = corrected.group_by(VAT_KEY).agg(due_cents=pl.col("net_cents").sum())
    bases = left.vat.select(*VAT_KEY, "base_left_cents").join(due, on=VAT_KEY, how="full", coalesce=True)
    bases = bases.with_columns(pl.col("base_left_cents", "due_cents").fill_null(0))
    bases = bases.with_columns(net_cents=pl.col("base_left_cents") - pl.col("due_cents")).sort(VAT_KEY)
    over_cents, due_cents = int(bases["net_cents"].sum()), int(bases["due_cents"].sum())
    said = (
        f"invoice {left.invoice_number}: as corrected it comes to {euro_text(due_cents)} EUR without VAT, and "
        f"{euro_text(left.net_cents)} are left of it"
    )
    if over_cents == 0:
        raise InputRefused(f"{said}: there is no difference to credit")
    if over_cents < 0:
        raise InputRefused(
            f"{said}: the customer would pay {euro_text(-over_cents)} more, which no credit note can ask for; give "
            "--as corrected-invoice"
        )
    if not bases.select(is_part_of(pl.col("net_cents"), pl.col("base_left_cents")).all()).item():
        raise InputRefused(
            f"{said}: it is of another VAT category or rate, which no credit note of the difference can change; give "
            "--as corrected-invoice"
        )
    return bases


def _by_line(left: Left, corrected: pl.DataFrame) -> pl.DataFrame | None:
    """What is given back of each line; None where the lines cannot hold it."""
    key = [*THING, *VAT_KEY]
    first, now = (_told_apart(lines, key) for lines in (left.lines, corrected))
    both = first.join(
        now.select(*key, "occurrence", due_cents="net_cents"), on=[*key, "occurrence"], how="full", nulls_equal=True,
        coalesce=True,
    ).with_columns(pl.col("due_cents").fill_null(0))  # fmt: skip
    both = both.with_columns(net_cents=pl.col("left_cents") - pl.col("due_cents"))
    of_lines = left.lines.group_by(VAT_KEY).agg(pl.col("left_cents").sum())
    on_the_whole = left.vat.join(of_lines, on=VAT_KEY).filter(pl.col("base_left_cents") != pl.col("left_cents"))
    holds = both.select(is_part_of(pl.col("net_cents"), pl.col("left_cents")).fill_null(value=False).all()).item()
    if not holds or on_the_whole.height:
        return None
    return both.filter(pl.col("net_cents") != 0).sort("line_no").rename({"line_no": "invoice_line_no"})


def _told_apart(lines: pl.DataFrame, key: list[str]) -> pl.DataFrame:
    return lines.sort("line_no").with_columns(occurrence=pl.int_range(pl.len()).over(key))

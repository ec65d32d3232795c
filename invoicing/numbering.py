"""Invoice numbers: gap-free within the year of the invoice date, and the communication made of them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import polars as pl

from rating.rules import rule
from schemas.errors import InputRefused

if TYPE_CHECKING:
    from rating.periods import Period

LARGEST_SEQUENCE = 999_999
CHECK_MODULUS = 97


@rule("R-INVOICE", article="5.1, 5.2, 8.1")
def number_invoices(customers: pl.DataFrame, invoice_date: date, last_sequence: int) -> pl.DataFrame:
    """One invoice per customer with at least one line, numbered without gap in the year of the invoice date.

    In the order of customer_id within a run; a net of 0 is issued. The number is `YYYY-NNNNNN`.

    Args:
        customers: `customer_id` of those with a line.
        invoice_date: Of all invoices of the run.
        last_sequence: The last sequence taken in that year, 0 if none.

    Returns:
        `customer_id`, `sequence`, `invoice_number`, `structured_communication`.

    Raises:
        InputRefused: where the year's numbers run out.
    """
    if last_sequence + customers.height > LARGEST_SEQUENCE:
        raise InputRefused(
            f"{invoice_date.year} has {LARGEST_SEQUENCE} invoice numbers and {last_sequence} are taken: "
            f"{customers.height} more do not fit"
        )
    numbered = (
        customers.select("customer_id")
        .sort("customer_id")
        .with_columns(sequence=pl.int_range(last_sequence + 1, last_sequence + 1 + pl.len(), dtype=pl.Int64))
    )
    digits = pl.lit(f"{invoice_date.year:04d}") + pl.col("sequence").cast(pl.String).str.zfill(6)
    return numbered.with_columns(
        invoice_number=digits.str.slice(0, 4) + "-" + digits.str.slice(4),
        structured_communication=structured_communication(digits),
    )


def credit_note_number(day: date, last_sequence: int) -> tuple[int, str]:
    """The next sequence and number of the credit notes, a series of their own: `CNYYYY-NNNNNN`, without gap.

    Args:
        day: The date of the credit note.
        last_sequence: The last sequence taken in its year, 0 if none.

    Raises:
        InputRefused: where the year's numbers run out.
    """
    if last_sequence >= LARGEST_SEQUENCE:
        raise InputRefused(f"all {LARGEST_SEQUENCE} credit note numbers of {day.year} are taken")
    return last_sequence + 1, f"CN{day.year:04d}-{last_sequence + 1:06d}"


def dispute_number(day: date, last_sequence: int) -> tuple[int, str]:
    """The next sequence and number of the disputes, a series of their own: `DYYYY-NNNNNN`, without gap.

    Args:
        day: The day on which it is opened.
        last_sequence: The last sequence taken in its year, 0 if none.

    Raises:
        InputRefused: where the year's numbers run out.
    """
    if last_sequence >= LARGEST_SEQUENCE:
        raise InputRefused(f"all {LARGEST_SEQUENCE} dispute numbers of {day.year} are taken")
    return last_sequence + 1, f"D{day.year:04d}-{last_sequence + 1:06d}"


def structured_communication(ten_digits: pl.Expr) -> pl.Expr:
    """The Belgian structured communication `+++ddd/dddd/ddddd+++`: ten digits and their remainder modulo 97.

    A remainder of 0 is written 97, as Febelfin's standard for the OGM/VCS has it.
    """
    remainder = ten_digits.cast(pl.Int64) % CHECK_MODULUS
    check = pl.when(remainder == 0).then(CHECK_MODULUS).otherwise(remainder)
    twelve = ten_digits + check.cast(pl.String).str.zfill(2)
    return pl.lit("+++") + twelve.str.slice(0, 3) + "/" + twelve.str.slice(3, 4) + "/" + twelve.str.slice(7) + "+++"


def first_run_day(period: Period, invoice_day: int) -> date:
    """The local day from which a period can be run."""
    return period.first_day + timedelta(days=invoice_day - 1)

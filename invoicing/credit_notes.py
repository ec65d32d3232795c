"""Credit notes: what is given back of an issued invoice, and the VAT that goes back with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from rating.money import euro_text, narrow_cents, vat_cents, wide
from rating.rules import rule
from schemas.errors import InputRefused

if TYPE_CHECKING:
    from rating.frames import Schema

VAT_KEY = ["vat_category", "vat_rate_micro"]
CREDITED_SCHEMA: Schema = {
    "invoice_line_no": pl.Int64, "vat_category": pl.String, "vat_rate_micro": pl.Int64, "net_cents": pl.Int64,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is to be credited: all that is left, all that is left of some lines, or an amount.

    Attributes:
        lines: The numbers of the invoice's lines it is about, at most one where there is an amount; empty: the
            invoice as a whole.
        amount_cents: An amount without VAT, above 0; None: all that is left.
    """

    lines: tuple[int, ...] = ()
    amount_cents: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Left:
    """What is left of an invoice after its earlier credit notes; it equals itself alone.

    Attributes:
        invoice_number: The invoice.
        lines: Its lines, `line_no` (Int64), `vat_category`, `vat_rate_micro`, `net_cents` and what else they
            have, with `left_cents`: what no earlier credit note has taken from the line.
        vat: Its VAT totals, `vat_category`, `vat_rate_micro` and what else they have, with `base_left_cents` and
            `vat_left_cents`; what was credited on the invoice as a whole is taken from these too.
    """

    invoice_number: str
    lines: pl.DataFrame
    vat: pl.DataFrame

    @property
    def net_cents(self) -> int:
        """What is left of the net total."""
        return int(self.vat["base_left_cents"].sum())

    @property
    def vat_cents(self) -> int:
        """What is left of the VAT."""
        return int(self.vat["vat_left_cents"].sum())


def left_of(
    invoice_number: str,
    lines: pl.DataFrame,
    vat_totals: pl.DataFrame,
    credited_lines: pl.DataFrame,
    credited_vat: pl.DataFrame,
) -> Left:
    """What earlier credit notes left of an invoice.

    Args:
        invoice_number: The invoice.
        lines: Its lines.
        vat_totals: Its `vat_category`, `vat_rate_micro`, `base_cents`, `vat_cents`.
        credited_lines: Those of all its credit notes: `invoice_line_no`, `net_cents`.
        credited_vat: The VAT totals of all its credit notes.
    """
    taken = credited_lines.group_by(line_no=pl.col("invoice_line_no").cast(pl.Int64)).agg(
        taken_cents=pl.col("net_cents").sum()
    )
    reversed_vat = credited_vat.group_by(VAT_KEY).agg(pl.col("base_cents", "vat_cents").sum().name.prefix("taken_"))
    return Left(
        invoice_number,
        lines.with_columns(pl.col("line_no").cast(pl.Int64))
        .join(taken, on="line_no", how="left", maintain_order="left")
        .with_columns(left_cents=pl.col("net_cents") - pl.col("taken_cents").fill_null(0))
        .drop("taken_cents"),
        vat_totals.join(reversed_vat, on=VAT_KEY, how="left", maintain_order="left")
        .with_columns(
            base_left_cents=pl.col("base_cents") - pl.col("taken_base_cents").fill_null(0),
            vat_left_cents=pl.col("vat_cents") - pl.col("taken_vat_cents").fill_null(0),
        )
        .drop("base_cents", "vat_cents", "taken_base_cents", "taken_vat_cents"),
    )


@rule("R-CREDIT-NOTE", article="5.1, 8.1")
def credit_invoice(left: Left, extent: Extent) -> tuple[pl.DataFrame, pl.DataFrame]:
    """An issued invoice is corrected by credit notes, which together never give back more than it charged.

    A credit note takes all that is left of some lines, an amount of one line or of the invoice as a whole
    (without VAT, 5.1), or all that is left. All of it is line by line, price reductions with their sign, less
    what was credited on the invoice as a whole before. What a credit note gives back is above 0 and no
    more than what is left of the invoice, of the base of each VAT category and rate, and of each line.

    VAT is that of the invoice, category and rate: half up on the credit note's base, once per category and
    rate, and never more than what is left of the invoice's VAT. The credit note that leaves nothing of the base
    takes all that is left of its VAT, so that the credit notes of an invoice together reverse exactly its VAT.

    Args:
        left: What earlier credit notes left of the invoice.
        extent: How much is to be credited.

    Returns:
        The lines (`CREDITED_SCHEMA`, in the order of the invoice; `invoice_line_no` is null on an amount of the
        invoice as a whole) and the VAT totals (`vat_category`, `vat_rate_micro`, `base_cents`, `vat_cents`), all
        positive where they are in favour of the customer.

    Raises:
        InputRefused: where nothing is left, or less than is asked for, or a line is not there.
    """
    if left.net_cents == 0:
        charged = left.lines["net_cents"].sum() != 0
        why = "its credit notes took back all of it" if charged else "its net total is 0"
        raise InputRefused(f"invoice {left.invoice_number}: nothing is left to credit: {why}")
    lines = _credited_lines(left, extent)
    return lines, credited_totals(left, lines)


def credited_totals(left: Left, lines: pl.DataFrame) -> pl.DataFrame:
    """The VAT totals of a credit note of these lines (`CREDITED_SCHEMA`): its VAT is that of the invoice.

    Raises:
        InputRefused: where they give back nothing, or more than what is left.
    """
    bases = lines.group_by(VAT_KEY).agg(base_cents=wide(pl.col("net_cents")).sum())
    totals = bases.join(left.vat, on=VAT_KEY, how="left")
    _refuse_beyond_what_is_left(left, totals)
    vat = credited_vat_cents(
        pl.col("base_cents"), pl.col("vat_rate_micro"), pl.col("base_left_cents"), pl.col("vat_left_cents")
    )
    totals = narrow_cents(totals.with_columns(vat_cents=vat), "base_cents", "vat_cents")
    return totals.select(*VAT_KEY, "base_cents", "vat_cents").sort(VAT_KEY)


def credited_vat_cents(
    base_cents: pl.Expr, rate_micro_percent: pl.Expr, base_left_cents: pl.Expr, vat_left_cents: pl.Expr
) -> pl.Expr:
    """The VAT that a credit note takes back of one category and rate (cents, in 128 bits)."""
    least, most = _bounds(wide(vat_left_cents))
    rounded = pl.max_horizontal(least, pl.min_horizontal(most, vat_cents(base_cents, rate_micro_percent)))
    return pl.when(base_cents == base_left_cents).then(wide(vat_left_cents)).otherwise(rounded)


def is_part_of(part_cents: pl.Expr, left_cents: pl.Expr) -> pl.Expr:
    """Whether an amount takes no more than what is left, and takes nothing away in the other direction."""
    return part_cents.is_between(*_bounds(left_cents))


def _bounds(left_cents: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """Between which amounts a part of what is left lies: it is negative in a price reduction."""
    return left_cents.clip(upper_bound=0), left_cents.clip(lower_bound=0)


def _credited_lines(left: Left, extent: Extent) -> pl.DataFrame:
    """What is asked for, line by line (`CREDITED_SCHEMA`), as far as the lines have it."""
    known = set(left.lines["line_no"])
    for line_no in extent.lines:
        if line_no not in known:
            raise InputRefused(
                f"invoice {left.invoice_number}: there is no line {line_no}; it has the lines 1 to {max(known)}"
            )
    wanted = left.lines.filter(pl.col("line_no").is_in(extent.lines))
    if extent.amount_cents is None:
        lines = _rest_of_lines(left, wanted) if extent.lines else _rest_of_all(left)
    elif extent.lines:
        lines = _amount_of_line(left, wanted, extent.amount_cents)
    else:
        lines = _amount_of_whole(left, extent.amount_cents)
    return lines.select(pl.col(name).cast(dtype) for name, dtype in CREDITED_SCHEMA.items())


def _rest_of_lines(left: Left, wanted: pl.DataFrame) -> pl.DataFrame:
    for line_no in wanted.filter(left_cents=0)["line_no"]:
        raise InputRefused(f"invoice {left.invoice_number}: nothing is left of line {line_no}")
    return wanted.select(*VAT_KEY, invoice_line_no="line_no", net_cents="left_cents")


def _rest_of_all(left: Left) -> pl.DataFrame:
    """All that is left of each line, less what earlier credit notes took from the invoice as a whole."""
    lines = left.lines.filter(pl.col("left_cents") != 0)
    sums = lines.group_by(VAT_KEY).agg(pl.col("left_cents").sum())
    whole = left.vat.join(sums, on=VAT_KEY, how="left").with_columns(
        net_cents=pl.col("base_left_cents") - pl.col("left_cents").fill_null(0)
    )
    return pl.concat(
        [
            lines.select(*VAT_KEY, invoice_line_no="line_no", net_cents="left_cents"),
            whole.filter(pl.col("net_cents") != 0)
            .sort(VAT_KEY)
            .select(*VAT_KEY, invoice_line_no=pl.lit(None, pl.Int64), net_cents="net_cents"),
        ]
    )


def _amount_of_line(left: Left, wanted: pl.DataFrame, amount_cents: int) -> pl.DataFrame:
    line_no, line_left = wanted.select("line_no", "left_cents").row(0)
    if line_left < 0:
        raise InputRefused(
            f"invoice {left.invoice_number}: line {line_no} is a price reduction, of which no amount is credited; "
            "--all takes it back together with the lines it reduces"
        )
    if amount_cents > line_left:
        raise InputRefused(
            f"invoice {left.invoice_number}: {euro_text(line_left)} EUR without VAT are left of line {line_no}, and "
            f"{euro_text(amount_cents)} were asked for"
        )
    return wanted.select(*VAT_KEY, invoice_line_no="line_no", net_cents=pl.lit(amount_cents))


def _amount_of_whole(left: Left, amount_cents: int) -> pl.DataFrame:
    due = left.vat.filter(pl.col("base_left_cents") != 0)
    if due.height > 1:
        raise InputRefused(
            f"invoice {left.invoice_number}: it has more than one VAT rate, and an amount of the invoice as a whole "
            "has none; name the line with --line"
        )
    return due.select(*VAT_KEY, invoice_line_no=pl.lit(None, pl.Int64), net_cents=pl.lit(amount_cents))


def _refuse_beyond_what_is_left(left: Left, totals: pl.DataFrame) -> None:
    """Refuse a credit note that is not in favour of the customer, or takes more than what is left."""
    asked = int(totals["base_cents"].sum())
    if asked <= 0:
        raise InputRefused(
            f"invoice {left.invoice_number}: price reductions alone would have the customer pay again; name the lines "
            "they reduce too, or give --all"
        )
    beyond = totals.filter(~is_part_of(pl.col("base_cents"), pl.col("base_left_cents"))).sort(VAT_KEY)
    rest = left.net_cents
    if asked <= rest and beyond.height:
        asked, rest = beyond.select("base_cents", "base_left_cents").row(0)
    if asked > rest or beyond.height:
        raise InputRefused(
            f"invoice {left.invoice_number}: {euro_text(rest)} EUR without VAT are left of it, after its price "
            f"reductions and earlier credit notes, and {euro_text(asked)} were asked for; give a smaller --amount, or "
            "--all"
        )

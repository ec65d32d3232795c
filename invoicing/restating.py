"""Restating: what hangs on an invoice, as it was and as it is once the invoice is corrected."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from invoicing.origins import invoice_with, rating_numbered
from rating.periods import period_text
from schemas.errors import InputRefused

if TYPE_CHECKING:
    from typing import Any

    from invoicing.correcting import Corrected
    from invoicing.desk import Desk, Report
    from invoicing.ledger import Ledger

POOL = ["period_number", "product_id", "user_id"]
COUNTS = ["configured", "billed", "reserved", "reference"]
IN_ADVANCE = ["recurring", "user_cap"]


def _of_lines(lines: pl.DataFrame, kinds: list[str], key: str, figure: pl.Expr) -> pl.DataFrame:
    """What lines of some kinds sum up to, by what they are about."""
    chosen = lines.filter(pl.col("kind").is_in(kinds))
    return chosen.group_by(pl.col(key).cast(pl.String)).agg(figure.sum().cast(pl.Int64).alias("figure")).sort(key)


def restated(ledger: Ledger, invoice_number: str, corrected: Corrected) -> list[str]:
    """What later invoices build on and the correction changes, in words; pack balances are told apart."""
    period, customer_id = str(corrected.origin.run.period), corrected.origin.customer_id
    of_customer: list[object] = [period, customer_id]
    before = ledger.frame("select * from user_counts_in_force where period = ? and customer_id = ?", of_customer)
    products = ledger.frame(
        "select product_id, users from users_billed_in_force where period = ? and customer_id = ? order by 1",
        of_customer,
    )
    lines = ledger.frame("select * from lines where invoice_number = ?", [invoice_number])
    units, amounts = pl.col("quantity_micro"), pl.col("net_cents")
    found = []
    if before.select(COUNTS).rows() != corrected.counts.select(COUNTS).rows():
        told = [int(frame["billed"].sum()) for frame in (before, corrected.counts)]
        found.append(f"the users billed ({told[0]} before, {told[1]} as corrected; R-CAP)")
    elif products.rows() != corrected.by_product.select("product_id", "users").sort("product_id").rows():
        found.append("the products of the users billed (R-CAP)")
    for kinds, key, figure, words in (
        (IN_ADVANCE, "product_id", units, "the services billed in advance (R-FIRST)"),
        (["one_off"], "source_id", amounts, "the charges on it (R-ONEOFF)"),
        (["credit"], "source_id", amounts, "the price reductions used (R-CREDIT)"),
    ):
        one, two = (_of_lines(each, kinds, key, figure) for each in (lines, corrected.lines))
        if one.rows() != two.rows():
            found.append(words)
    return found


def refuse_restated(ledger: Ledger, invoice_number: str, corrected: Corrected) -> None:
    """A credit note gives money back; what later invoices build on changes with a corrected invoice only.

    Raises:
        InputRefused: naming what the correction would change.
    """
    found = restated(ledger, invoice_number, corrected)
    if found:
        raise InputRefused(
            f"invoice {invoice_number}: the correction changes {' and '.join(found)}, which later invoices build on "
            "and a credit note leaves as they are; give --as corrected-invoice"
        )


def tell_restated(desk: Desk, invoice: dict[str, Any], corrected: Corrected, report: Report) -> None:
    """Tell what hangs on the invoice and is restated, and what other invoices keep.

    A later invoice that is held counts as billed, as an issued one does (R-HELD): it is released with the figures that
    it is held with, whatever became of those before it meanwhile. So it is told, and nothing has to be released first.
    """
    _tell_packs(desk, corrected, report)
    found = restated(desk.ledger, invoice["invoice_number"], corrected)
    if not found:
        return
    report.messages.append(f"restated for what is invoiced from now on: {', '.join(found)}")
    later = desk.ledger.rows(
        "select invoice_number, period from invoices_in_force where customer_id = ? and period > ? order by period",
        [corrected.origin.customer_id, invoice["period"]],
    )
    if later:
        named = ", ".join(_named(number, period) for number, period in later)
        report.warnings.append(
            f"made since and left as they are, with what they used of charges and price reductions: {named}; they "
            "were made from what is restated, so look whether they are to be corrected too"
        )


def _named(number: object, period: object) -> str:
    """An invoice by its number; one that is held has none yet, and is corrected once it is released."""
    return f"that of {period}, which is held" if number is None else str(number)


def _tell_packs(desk: Desk, corrected: Corrected, report: Report) -> None:
    """The packs whose use the correction changes, and the invoices whose calls are not dealt to again."""
    ledger, customer_id = desk.ledger, corrected.origin.customer_id
    drawn = "select period_number, product_id, user_id, used_s from packs_used where rating_no = ? and customer_id = ?"
    before = ledger.frame(drawn, [corrected.origin.rating.rating_no, customer_id])
    now = corrected.calls.packs_used.select(*POOL, "allowance_s", "used_s")
    both = before.join(
        now.with_columns(pl.col("product_id", "user_id").cast(pl.String)), on=POOL, how="full", nulls_equal=True,
        coalesce=True, suffix="_corrected",
    )  # fmt: skip
    both = both.with_columns(pl.col("used_s", "used_s_corrected").fill_null(0))
    changed = both.filter(pl.col("used_s") != pl.col("used_s_corrected")).sort(POOL)
    report.tables["Packs whose use changes"] = changed.select(
        "product_id", "user_id", "allowance_s", "used_s", "used_s_corrected",
        period=period_text(pl.col("period_number")),
    )  # fmt: skip
    report.counts["packs_changed"] = changed.height
    others = _other_invoices(ledger, corrected, changed["period_number"].unique().to_list())
    if changed.height:
        kept = f"; the calls on {', '.join(others)} are not dealt to again" if others else ""
        report.messages.append(
            f"{changed.height} packs are used otherwise: what is free or taken by it counts for calls invoiced from "
            f"now on{kept}"
        )


def _other_invoices(ledger: Ledger, corrected: Corrected, period_numbers: list[int]) -> list[str]:
    """The other invoices of the customer with calls of some periods."""
    customer_id = corrected.origin.customer_id
    rows = ledger.rows(
        "select distinct rating_no from packs_in_force where customer_id = ? and period_number in (select unnest(?)) "
        "and rating_no <> ? and issued order by 1",
        [customer_id, period_numbers, corrected.origin.rating.rating_no],
    )
    ratings = [rating_numbered(ledger, int(str(one))) for (one,) in rows]
    numbers = ((invoice_with(ledger, rating, customer_id), str(rating.period)) for rating in ratings)
    held = {
        str(period) for (period,) in ledger.rows("select period from still_held where customer_id = ?", [customer_id])
    }
    return [_named(number, period) for number, period in numbers if number is not None or period in held]

"""The journal of a period: what a bookkeeper enters of its invoices and credit notes, account by account."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import polars as pl

from invoicing.origins import corrections
from invoicing.snapshots import load_snapshot_tables
from invoicing.table_files import decimal
from schemas.errors import StoreUnavailable
from schemas.settings import parse_settings

if TYPE_CHECKING:
    from invoicing.ledger import Ledger
    from invoicing.store import Store
    from rating.periods import Period
    from schemas.settings import Accounts

# The account of a line that has no product, by its kind; any other has that of its product's kind.
WITHOUT_PRODUCT = {"traffic": "traffic", "one_off": "one_off", "credit": "reduction"}
COLUMNS = [
    "document_number", "row_no", "document_type", "document_date", "due_date", "invoice_number", "customer_id", "name",
    "vat_number", "structured_communication", "account", "label", "vat_category", "vat_rate", "base_cents",
    "vat_cents", "gross_cents", "debit_cents", "credit_cents",
]  # fmt: skip
AMOUNTS = ["base_cents", "vat_cents", "gross_cents"]
# A corrected invoice is booked with the credit note of the one it supersedes, in the month of its date.
DATED_IN = "(supersedes is null and period = $1 or supersedes is not null and invoice_date between $2 and $3)"
DOCUMENTS = f"""
select invoice_number document_number, 'invoice' document_type, invoice_date document_date, due_date, invoice_number,
  period, customer_id, customer, structured_communication, 1 sign, net_cents, vat_cents, gross_cents
from invoices where {DATED_IN}
union all by name
select credit_note_number document_number, 'credit_note' document_type, credit_note_date document_date,
  credit_note_date due_date, n.invoice_number, period, n.customer_id, n.customer, null structured_communication,
  -1 sign, n.net_cents, n.vat_cents, n.gross_cents
from credit_notes n join invoices using (invoice_number) where credit_note_date between $2 and $3
"""  # noqa: S608
LINES = f"""
select invoice_number document_number, kind, product_id, vat_category, vat_rate_micro, l.net_cents
from lines l join invoices using (invoice_number) where {DATED_IN}
union all by name
select credit_note_number document_number, kind, product_id, vat_category, vat_rate_micro, l.net_cents
from credit_note_lines l join credit_notes using (credit_note_number) where credit_note_date between $2 and $3
"""  # noqa: S608
VAT_TOTALS = f"""
select invoice_number document_number, vat_category, vat_rate_micro, t.vat_cents
from vat_totals t join invoices using (invoice_number) where {DATED_IN}
union all by name
select credit_note_number document_number, vat_category, vat_rate_micro, t.vat_cents
from credit_note_vat_totals t join credit_notes using (credit_note_number) where credit_note_date between $2 and $3
"""  # noqa: S608


def journal(store: Store, ledger: Ledger, period: Period, accounts: Accounts) -> pl.DataFrame:
    """The invoices of a period, and the credit notes and corrected invoices dated in it.

    They have one row per document, VAT rate and account.

    Each document has a row of what is receivable (`gross_cents`), rows of turnover by VAT category, rate and
    account (`base_cents`) and of VAT by category and rate (`vat_cents`), those of 0 left out. The three amounts
    are above 0 where the customer owes more and add up to the document's totals; `debit_cents` and
    `credit_cents` say the same as entries, and a document's debits are its credits.

    Args:
        store: Where the snapshots of the platform tables are, which know each product's kind.
        ledger: The ledger.
        period: The period of the invoices, and the month of the dates of credit notes and corrected invoices.
        accounts: The accounts to book on.

    Raises:
        StoreUnavailable: where the rows would not add up to the stored totals.
    """
    documents, lines, vat = (
        ledger.frame(query, [str(period), period.first_day, period.last_day])
        for query in (DOCUMENTS, LINES, VAT_TOTALS)
    )
    own = documents.select("document_number", "invoice_number", "period", "sign")
    lines, vat = lines.join(own, on="document_number"), vat.join(own.drop("invoice_number"), on="document_number")
    receivable = documents.select(
        "document_number", account=pl.lit(accounts.receivable), gross_cents=pl.col("sign") * pl.col("gross_cents")
    )
    turnover = (
        lines.join(_product_kinds(store, ledger, lines), on=["invoice_number", "product_id"], how="left")
        .with_columns(account=_account(accounts), base_cents=pl.col("sign") * pl.col("net_cents"))
        .group_by("document_number", "account", "vat_category", "vat_rate_micro")
        .agg(pl.col("base_cents").sum())
    )
    vat = vat.with_columns(account=pl.lit(accounts.vat), vat_cents=pl.col("sign") * pl.col("vat_cents"))
    entries = _entries(
        [receivable, turnover.filter(pl.col("base_cents") != 0), vat.filter(pl.col("vat_cents") != 0)], documents
    )
    _require_sums(entries, documents)
    return entries.select(COLUMNS)


def _product_kinds(store: Store, ledger: Ledger, lines: pl.DataFrame) -> pl.DataFrame:
    """The kind of each product as the tables of its invoice knew it: `invoice_number`, `product_id`, `product_kind`."""
    found = [pl.DataFrame(schema={"invoice_number": pl.String, "product_id": pl.String, "product_kind": pl.String})]
    numbers = (
        lines.filter(pl.col("product_id").is_not_null()).select("invoice_number", "period").unique().sort(pl.all())
    )
    corrected = {each.invoice_number: each for each in corrections(ledger, "invoice_number is not null")}
    run_of = {str(run.period): run for run in ledger.runs()}
    made: dict[tuple[str, str], list[str]] = {}
    for number, period in numbers.iter_rows():
        source = corrected.get(number) or run_of[period]
        made.setdefault((source.snapshot, source.settings), []).append(number)
    for (snapshot, settings), of_invoices in made.items():
        tables = load_snapshot_tables(store, ledger, snapshot, parse_settings(json.loads(settings)), ["products"])
        kinds = tables.products.select("product_id", product_kind="kind")
        found.append(pl.DataFrame({"invoice_number": of_invoices}).join(kinds, how="cross"))
    return pl.concat(found)


def _account(accounts: Accounts) -> pl.Expr:
    """The account of a line: by the kind of its product, without one by its own kind."""
    own = pl.col("kind").replace_strict(WITHOUT_PRODUCT, default=None, return_dtype=pl.String)
    return pl.coalesce("product_kind", own).replace_strict(asdict(accounts), return_dtype=pl.String)


def _entries(rows: list[pl.DataFrame], documents: pl.DataFrame) -> pl.DataFrame:
    """The rows of all documents in their order, with what each document's rows share."""
    ordered = pl.concat([part.with_columns(part=pl.lit(place)) for place, part in enumerate(rows)], how="diagonal")
    ordered = ordered.sort("document_number", "part", "account", "vat_category", "vat_rate_micro")
    shared = documents.select(
        "document_number",
        "document_type",
        "document_date",
        "due_date",
        "invoice_number",
        "customer_id",
        "structured_communication",
        name=pl.col("customer").str.json_path_match("$.name"),
        vat_number=pl.col("customer").str.json_path_match("$.vat_number"),
    )
    owed = pl.coalesce("gross_cents", -pl.col("base_cents"), -pl.col("vat_cents"))
    return ordered.join(shared, on="document_number", how="left", maintain_order="left").with_columns(
        row_no=pl.int_range(1, pl.len() + 1).over("document_number"),
        label=pl.col("document_number") + " " + pl.col("name"),
        vat_rate=decimal("vat_rate_micro"),
        debit_cents=owed.clip(lower_bound=0),
        credit_cents=(-owed).clip(lower_bound=0),
    )


def _require_sums(entries: pl.DataFrame, documents: pl.DataFrame) -> None:
    """Each document's rows add up to its stored totals, and its debits are its credits."""
    sums = entries.group_by("document_number").agg(
        pl.col(*AMOUNTS).sum().name.prefix("sum_"), balance=pl.col("debit_cents").sum() - pl.col("credit_cents").sum()
    )
    joined = documents.join(sums, on="document_number", how="left")
    totals = zip(("net_cents", "vat_cents", "gross_cents"), AMOUNTS, strict=True)
    same = pl.all_horizontal(
        pl.col("balance") == 0, *(pl.col("sign") * pl.col(total) == pl.col(f"sum_{amount}") for total, amount in totals)
    )
    for number in joined.filter(~same.fill_null(value=False))["document_number"].sort():
        raise StoreUnavailable(f"{number}: its entries do not add up to its totals; run `centime verify`")

"""Rerunning an invoice: it is made again from the tables, calls and settings it was issued from, and compared."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import polars as pl

from invoicing import issuing, rating_run
from invoicing.documents.assembly import Figures, documents_of
from invoicing.documents.workers import made_by_workers
from invoicing.month_again import month_again
from invoicing.rendering import document_path, months_before
from invoicing.snapshots import load_snapshot
from invoicing.store import sha256_of_bytes
from rating.pipeline import RATED_SCHEMA
from schemas.errors import InputRefused
from schemas.settings import parse_settings

if TYPE_CHECKING:
    from pathlib import Path

    from invoicing.desk import Desk, Report
    from invoicing.ledger import Ledger, Run
    from schemas.platform import Platform
    from schemas.settings import Settings

DIFFERENCE_SCHEMA = {
    "about": pl.String, "which": pl.String, "figure": pl.String, "issued": pl.String, "rerun": pl.String,
}  # fmt: skip
# The tables of an invoice, each with what tells its rows apart.
KEYS = {
    "invoice": ["customer_id"],
    "line": ["line_no"],
    "VAT": ["vat_category", "vat_rate_micro"],
    "users": ["customer_id"],
    "pack": ["period_number", "product_id", "user_id"],
    "call": ["call_id"],
}
COLUMNS = {
    "invoice": ["customer_id", "due_date", "net_cents", "vat_cents", "gross_cents", "customer"],
    "line": [
        "line_no", "kind", "product_id", "zone_id", "traffic_period", "rule", "description", "service_from",
        "service_to", "quantity_micro", "unit_price_micro", "net_cents", "vat_category", "vat_rate_micro", "source_id",
    ],
    "VAT": ["vat_category", "vat_rate_micro", "base_cents", "vat_cents", "reason"],
    "users": ["customer_id", "configured", "billed", "reserved", "reference"],
    "pack": ["period_number", "product_id", "user_id", "allowance_s", "used_s", "calls"],
    "call": [name for name in RATED_SCHEMA if name != "pool_no"],
}  # fmt: skip

Tables = dict[str, pl.DataFrame]


@dataclass(slots=True)
class Rerun:
    """What became of an invoice that was made again.

    Attributes:
        invoice_number: Its number.
        program: The version of the program that issued it.
        differences: `DIFFERENCE_SCHEMA`: every figure that is another one now.
        same: The documents that are the same, byte for byte.
        other: Those that are not.
        held: Why documents could not be made.
        written: The files written.
    """

    invoice_number: str
    program: str
    differences: pl.DataFrame
    same: list[str] = field(default_factory=list)
    other: list[str] = field(default_factory=list)
    held: list[str] = field(default_factory=list)
    written: list[str] = field(default_factory=list)


def rerun_invoice(desk: Desk, invoice_number: str, folder: Path | None) -> Rerun:
    """Make an issued invoice again from what the store kept, and compare every figure and every byte (R-RERUN).

    Args:
        desk: The store; nothing in it is changed.
        invoice_number: The invoice.
        folder: Where its documents are written too, if anywhere.

    Raises:
        InputRefused: where there is no such invoice.
        StoreUnavailable: where something it was made from is missing or altered.
    """
    run, customer_id = issued_invoice(desk.ledger, invoice_number)
    settings = parse_settings(json.loads(run.settings))
    platform = load_snapshot(desk.store, desk.ledger, run.snapshot, settings).platform
    issued = _issued_tables(desk, run, invoice_number, customer_id)
    figures, counts = _figures_again(desk, run, platform, settings, customer_id)
    done = Rerun(invoice_number, run.program, differences_of(issued, _tables_of(figures, counts)))
    _compare_documents(desk, done, figures, platform, settings, folder)
    return done


def issued_invoice(ledger: Ledger, invoice_number: str) -> tuple[Run, str]:
    """The run that made an invoice, dated as the invoice is (it may have been released later), and its customer.

    Raises:
        InputRefused: where there is no such invoice.
    """
    found = ledger.frame(
        "select period, customer_id, invoice_date from invoices where invoice_number = ?", [invoice_number]
    ).rows()
    if not found:
        last = ledger.rows("select max(invoice_number) from invoices")[0][0]
        known = f"the last one is {last}" if last else "none was issued yet"
        raise InputRefused(f"{invoice_number}: this store has no such invoice; {known}")
    period, customer_id, day = found[0]
    run = next(run for run in ledger.runs() if str(run.period) == period)
    return replace(run, invoice_date=day), customer_id


def _issued_tables(desk: Desk, run: Run, invoice_number: str, customer_id: str) -> Tables:
    """The invoice as the ledger and the files of rated calls have it."""
    ledger = desk.ledger
    rating = next(rating for rating in ledger.ratings(issued=True) if rating.rating_no == run.rating_no)
    of_customer: list[object] = [str(run.period), customer_id]
    found = {
        "invoice": ledger.frame("select * from invoices where invoice_number = ?", [invoice_number]),
        "line": ledger.frame("select * from lines where invoice_number = ?", [invoice_number]),
        "VAT": ledger.frame("select * from vat_totals where invoice_number = ?", [invoice_number]),
        "users": ledger.frame("select * from user_counts where period = ? and customer_id = ?", of_customer),
        "pack": ledger.frame(
            "select * from packs_used where rating_no = ? and customer_id = ?", [run.rating_no, customer_id]
        ),
        "call": rating_run.rated_calls_of(desk.store, ledger, rating, customers=pl.Series([customer_id])),
    }
    return {about: frame.select(COLUMNS[about]) for about, frame in found.items()}


def _figures_again(
    desk: Desk, run: Run, platform: Platform, settings: Settings, customer_id: str
) -> tuple[Figures, pl.DataFrame]:
    """The figures of a customer's invoice as this program makes them now, and the users it bills."""
    period = run.period
    with month_again(desk, run, platform, settings) as again:
        bill, packs_used = again.bill, again.rated.packs_used
        calls = again.calls(customers=pl.Series([customer_id]))
    numbers = desk.ledger.frame(
        "select customer_id, invoice_number, structured_communication from invoices where period = ?", [str(period)]
    )
    their = pl.col("customer_id").cast(pl.String) == customer_id
    figures = Figures(
        period,
        run.invoice_date,
        issuing.with_parties(bill.invoices.filter(their), platform).join(numbers, on="customer_id", how="left"),
        bill.lines.filter(their),
        bill.vat_totals.filter(their),
        packs_used.filter(their),
        calls,
        months_before(desk.ledger, period).filter(their),
    )
    return figures, bill.users.counts.filter(their)


def _tables_of(figures: Figures, counts: pl.DataFrame) -> Tables:
    """What was made again, in the columns of what was issued."""
    found = {
        "invoice": figures.invoices, "line": figures.lines, "VAT": figures.vat_totals, "users": counts,
        "pack": figures.packs_used, "call": figures.calls,
    }  # fmt: skip
    return {about: frame.select(COLUMNS[about]) for about, frame in found.items()}


def differences_of(issued: Tables, again: Tables) -> pl.DataFrame:
    """Every figure in which two versions of an invoice differ (`DIFFERENCE_SCHEMA`), table by table, row by row."""
    found = [pl.DataFrame(schema=DIFFERENCE_SCHEMA)]
    for about, key in KEYS.items():
        both = [_cells(tables[about], key) for tables in (issued, again)]
        cells = both[0].join(both[1], on=["which", "figure"], how="full", coalesce=True, suffix="_again")
        differing = cells.filter(pl.col("cell").ne_missing(pl.col("cell_again"))).sort("which", "figure")
        told = differing.select(about=pl.lit(about), which="which", figure="figure", issued="cell", rerun="cell_again")
        found.append(told)
    return pl.concat(found)


def _cells(table: pl.DataFrame, key: list[str]) -> pl.DataFrame:
    """A table as one row for each cell that is not of its key: `which`, `figure`, `cell`, as text."""
    texts = table.select(pl.all().cast(pl.String))
    which = texts.select(which=pl.concat_str([pl.col(name).fill_null("-") for name in key], separator=" "))
    figures = pl.concat([which, texts.drop(key)], how="horizontal")
    return figures.unpivot(index="which", variable_name="figure", value_name="cell").drop_nulls("cell")


def _compare_documents(
    desk: Desk, done: Rerun, figures: Figures, platform: Platform, settings: Settings, folder: Path | None
) -> None:
    """Make the documents of what was made again, and hold their bytes against those that were published, if any."""
    named = desk.ledger.rows("select path from documents where invoice_number = ?", [done.invoice_number])
    if not named and folder is None:
        return
    published = desk.ledger.stored_files()
    for made in made_by_workers(documents_of(figures, platform, settings), desk.settings.documents):
        if made.files is None:
            done.held.append(f"making the documents took {made.held} ([documents] in centime.toml)")
            continue
        done.held += made.files.broken
        for suffix, content in made.files.contents.items():
            path = document_path(done.invoice_number, suffix)
            if path in published:
                (done.same if published[path] == sha256_of_bytes(content) else done.other).append(path)
            if folder is not None:
                done.written.append(_write(folder, path, content))


def _write(folder: Path, path: str, content: bytes) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / path.rpartition("/")[2]
    target.write_bytes(content)
    return str(target)


def tell_rerun(desk: Desk, done: Rerun, report: Report) -> None:
    """What a rerun gave: what is the same, and every difference for a person to look at."""
    number, now = done.invoice_number, desk.moment.program
    report.counts = {
        "differences": done.differences.height, "documents_same": len(done.same), "documents_differing": len(done.other)
    }  # fmt: skip
    report.tables["Differences"] = done.differences
    report.written += done.written
    report.attention += done.held
    if done.program != now:
        report.warnings.append(
            f"{number} was issued by version {done.program} of the program, and this is version {now}: its figures "
            "are compared, and its documents may look otherwise"
        )
    if done.differences.is_empty():
        report.messages.append(f"{number}: every figure is the one that was issued")
    else:
        report.attention.append(f"{number}: {done.differences.height} figures are not those that were issued")
    if done.same:
        report.messages.append(f"{number}: the same byte for byte: {', '.join(done.same)}")
    if not (done.same or done.other):
        report.messages.append(f"{number}: no document of it was published yet, so there are no bytes to compare")
    if done.other:
        told = report.attention if done.program == now else report.warnings
        told.append(f"{number}: not the bytes that were published: {', '.join(done.other)}")

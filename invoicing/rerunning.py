"""Rerunning an invoice: it is made again from the tables, calls and settings it was issued from, and compared."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from invoicing import issuing
from invoicing.correcting import calls_to_correct
from invoicing.documents.assembly import Figures, documents_of
from invoicing.documents.workers import made_by_workers
from invoicing.month_again import invoice_again, month_again
from invoicing.origins import origin_of
from invoicing.pipeline import with_due_dates
from invoicing.rendering import WITH_SUPERSEDED, document_path, months_before
from invoicing.rewinding import Restating
from invoicing.store import sha256_of_bytes
from rating.pipeline import RATED_SCHEMA
from schemas.errors import StoreUnavailable

if TYPE_CHECKING:
    from pathlib import Path

    from invoicing.desk import Desk, Report
    from invoicing.origins import Origin
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

# What an invoice made again takes over from the issued one.
AS_ISSUED = (
    "i.customer_id", "i.invoice_number", "i.invoice_date", "i.structured_communication", "i.supersedes",
    "f.superseded_date",
)  # fmt: skip

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
    origin = origin_of(desk.ledger, invoice_number)
    settings, platform = origin.settings, origin.platform(desk.store, desk.ledger)
    issued = _issued_tables(desk, origin)
    figures, counts = _figures_again(desk, origin, platform, settings)
    done = Rerun(invoice_number, origin.program, differences_of(issued, _tables_of(figures, counts)))
    _compare_documents(desk, done, figures, platform, settings, folder)
    return done


def _issued_tables(desk: Desk, origin: Origin) -> Tables:
    """The invoice as the ledger and the files of rated calls have it."""
    ledger, number, customer_id = desk.ledger, origin.invoice_number, origin.customer_id
    of_pack: list[object] = [origin.rating.rating_no, customer_id]
    users = ("select * from user_counts where period = ? and customer_id = ?", [str(origin.run.period), customer_id])
    if origin.correction is not None:
        users = ("select * from corrected_user_counts where invoice_number = ?", [number])
    found = {
        "invoice": ledger.frame("select * from invoices where invoice_number = ?", [number]),
        "line": ledger.frame("select * from lines where invoice_number = ?", [number]),
        "VAT": ledger.frame("select * from vat_totals where invoice_number = ?", [number]),
        "users": ledger.frame(users[0], list(users[1])),
        "pack": ledger.frame("select * from packs_used where rating_no = ? and customer_id = ?", of_pack),
        "call": origin.calls(desk.store, ledger),
    }
    return {about: frame.select(COLUMNS[about]) for about, frame in found.items()}


def _figures_again(desk: Desk, origin: Origin, platform: Platform, settings: Settings) -> tuple[Figures, pl.DataFrame]:
    """The figures of an invoice as this program makes them now, and the users it bills."""
    run, customer_id, correction = origin.run, origin.customer_id, origin.correction
    if correction is None:
        working = month_again(desk, run, platform, settings)
    else:
        restating = Restating(correction.rating_no, customer_id)
        working = invoice_again(desk, run, restating, platform, settings, calls_to_correct(desk, correction))
    with working as again:
        bill, packs_used = again.bill, again.rated.packs_used
        calls = again.calls(customers=pl.Series([customer_id]))
    their = pl.col("customer_id").cast(pl.String) == customer_id
    issued = desk.ledger.frame(
        f"select {', '.join(AS_ISSUED)} from {WITH_SUPERSEDED} where i.invoice_number = ?",  # noqa: S608
        [origin.invoice_number],
    )
    day = issued["invoice_date"].item()
    invoices = with_due_dates(
        bill.invoices.filter(their).drop("due_date"), platform, day, settings.billing.payment_days
    )
    figures = Figures(
        run.period,
        day,
        issuing.with_parties(invoices, platform).join(issued, on="customer_id", how="left"),
        bill.lines.filter(their),
        bill.vat_totals.filter(their),
        packs_used.filter(their),
        calls,
        months_before(desk.ledger, run.period, origin.rating.rating_no).filter(their),
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
                done.held += _altered(desk, path, published[path])
                (done.same if published[path] == sha256_of_bytes(content) else done.other).append(path)
            if folder is not None:
                done.written.append(_write(folder, path, content))


def _altered(desk: Desk, path: str, sha256: str) -> list[str]:
    """What is wrong with a published file as it stands in the store now; it is not what is compared."""
    try:
        desk.store.require(path, sha256)
    except StoreUnavailable as error:
        return [str(error)]
    return []


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

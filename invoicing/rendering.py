"""Rendering: documents are written from what the ledger holds, at any time, with the same bytes."""

from __future__ import annotations

import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

import polars as pl

from invoicing.documents.assembly import Figures, documents_of
from invoicing.rating_run import rated_calls_of
from invoicing.snapshots import load_snapshot
from invoicing.store import Store, sha256_of_bytes
from schemas.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from invoicing.documents.model import InvoiceDocument
    from invoicing.ledger import Ledger, Run
    from invoicing.progress import Progress
    from schemas.platform import Platform
    from schemas.settings import Settings

# Fewer documents than this are made here: starting workers takes longer.
WORTH_WORKERS = 8


def pdf_path(invoice_number: str) -> str:
    """Where an invoice's PDF stands in the store."""
    return f"invoices/{invoice_number[:4]}/{invoice_number}.pdf"


def pdfs_of(documents: Iterable[InvoiceDocument]) -> Iterator[bytes]:
    """The PDF of each document, in their order; worker processes share the work where there is much."""
    from invoicing.documents.pdf import render_pdf  # noqa: PLC0415 - WeasyPrint takes a second to import

    listed = list(documents)
    workers = min(os.cpu_count() or 1, len(listed) // WORTH_WORKERS)
    if workers < 2:  # noqa: PLR2004
        yield from map(render_pdf, listed)
        return
    # Fork would copy the threads of Polars and of GLib in whatever state they are.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        yield from pool.map(render_pdf, listed, chunksize=4)


def issued_figures(store: Store, ledger: Ledger, run: Run, wanted: list[str] | None = None) -> Figures:
    """The stored figures of a run, of all its invoices or of those wanted (invoice numbers)."""
    period = str(run.period)
    invoices = ledger.frame("select * from invoices where period = ?", [period])
    if wanted is not None:
        invoices = invoices.filter(pl.col("invoice_number").is_in(wanted))
    keys = invoices.select("customer_id", "invoice_number")
    lines = ledger.frame("select * from lines").join(keys, on=["customer_id", "invoice_number"], how="semi")
    vat = ledger.frame("select * from vat_totals").join(keys, on="invoice_number")
    packs = ledger.frame("select * from packs_used where rating_no = ?", [run.rating_no])
    customers = keys["customer_id"].implode()
    calls = rated_calls_of(
        store, ledger, run.rating_no, lambda frame: frame.filter(pl.col("customer_id").is_in(customers))
    )
    return Figures(run.period, run.invoice_date, invoices, lines, vat, packs, calls)


def unpublished_numbers(ledger: Ledger, run: Run) -> list[str]:
    """The numbers of a run's invoices of which no document was published yet."""
    rows = ledger.rows(
        "select invoice_number from invoices where period = ? and invoice_number not in "
        "(select invoice_number from documents) order by invoice_number",
        [str(run.period)],
    )
    return [str(number) for (number,) in rows]


def render_run(
    store: Store, ledger: Ledger, run: Run, settings: Settings, progress: Progress, *, again: bool
) -> list[str]:
    """Write the documents of a run's invoices; all of them `again`, or those not published yet.

    Returns:
        The paths written, relative to the store.

    Raises:
        StoreUnavailable: where a document made again is not the one that was published, byte for byte.
    """
    wanted = None if again else unpublished_numbers(ledger, run)
    if wanted == []:
        return []
    figures = issued_figures(store, ledger, run, wanted)
    platform = load_snapshot(store, ledger, run.snapshot, settings).platform
    return publish(store, ledger, figures, platform, settings, progress)


def publish(
    store: Store, ledger: Ledger, figures: Figures, platform: Platform, settings: Settings, progress: Progress
) -> list[str]:
    """Write and name the documents of these figures, one after the other."""
    documents = list(documents_of(figures, platform, settings))
    published = ledger.stored_files()
    written = []
    progress.start("writing invoices", len(documents))
    for document, pdf in zip(documents, pdfs_of(documents), strict=True):
        number = str(document.number)
        path = pdf_path(number)
        if published.get(path, sha256_of_bytes(pdf)) != sha256_of_bytes(pdf):
            raise StoreUnavailable(
                f"{store.root / path}: made again it would differ from the one that was published (other fonts, or "
                "another version of the program); the published one was left as it is"
            )
        sha256, size = store.write(path, partial(_write, pdf))
        if path not in published:
            with ledger.transaction():
                ledger.name_file(path, sha256, size)
                ledger.execute("insert into documents values (?, ?)", [path, number])
        written.append(path)
        progress.advance()
    return written


def _write(content: bytes, target: Path) -> None:
    target.write_bytes(content)


def write_drafts(
    folder: Path, figures: Figures, platform: Platform, settings: Settings, progress: Progress
) -> list[str]:
    """Write draft documents, named by customer, outside the store; nothing is numbered."""
    documents = list(documents_of(figures, platform, settings))
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    progress.start("writing drafts", len(documents))
    for document, pdf in zip(documents, pdfs_of(documents), strict=True):
        path = folder / f"draft-{figures.period}-{document.customer.customer_id}.pdf"
        path.write_bytes(pdf)
        written.append(str(path))
        progress.advance()
    return written

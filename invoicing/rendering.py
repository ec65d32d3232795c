"""Rendering: documents are written from what the ledger holds, at any time, with the same bytes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

import polars as pl

from invoicing.documents.assembly import Figures, documents_of
from invoicing.documents.rule_sets import rules_in_use
from invoicing.documents.workers import made_by_workers
from invoicing.events import PUBLISHED, append_events
from invoicing.outbox import outbox_entry
from invoicing.rated_calls import in_shares, rated_calls_of
from invoicing.snapshots import load_snapshot
from invoicing.store import Store, sha256_of_bytes
from rating.periods import Period
from rating.pipeline import RATED_SCHEMA
from schemas.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from invoicing.desk import Moment
    from invoicing.documents.model import InvoiceDocument
    from invoicing.documents.workers import Made
    from invoicing.events import Details
    from invoicing.ledger import Ledger, Run
    from invoicing.progress import Progress
    from schemas.platform import Platform
    from schemas.settings import DocumentSettings, Settings

# So many written documents are named in the ledger at once: a commit takes as long as writing several files.
NAMED_AT_ONCE = 64
# Invoices with the date of the one that each supersedes.
WITH_SUPERSEDED = (
    "invoices i left join (select invoice_number supersedes, invoice_date superseded_date from invoices) f "
    "using (supersedes)"
)
# The kinds of file that a document may have.
SUFFIXES = ("pdf", "xml", "html")


@dataclass(slots=True)
class Written:
    """What rendering did.

    Attributes:
        paths: The files written.
        held: Sentences about the documents that were not written.
        told: Sentences about those that were.
    """

    paths: list[str] = field(default_factory=list)
    held: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    def contents(self, made: Made) -> dict[str, bytes]:
        """What is to be published of a document: its files by suffix; none where it is held, which is told."""
        document = made.document
        name = f"the draft of {document.customer.customer_id}" if document.number is None else document.number
        if made.files is None:
            self.held.append(
                f"{name} ({document.customer.name}, {document.calls.height} calls) was not written: making it took "
                f"{made.held}; the others are not affected. With other limits under [documents] in centime.toml it is "
                "made by the same command"
            )
            return {}
        if made.files.broken:
            self.held.append(
                f"{name} ({document.customer.name}) was not written: {'; '.join(made.files.broken)}; the others are "
                "not affected"
            )
            return {}
        self.told += [f"{name} ({document.customer.name}): {sentence}" for sentence in made.files.told]
        return made.files.contents

    def and_more(self, other: Written) -> Written:
        """Both together."""
        return Written(self.paths + other.paths, self.held + other.held, self.told + other.told)

    def in_order(self) -> Written:
        """The same whatever the order in which the documents came."""
        return Written(sorted(self.paths), sorted(self.held), sorted(self.told))


def document_path(number: str, suffix: str) -> str:
    """Where a file of an invoice or credit note stands in the store: in the folder of its number's year."""
    return f"invoices/{number.removeprefix('CN')[:4]}/{number}.{suffix}"


def outbox_path(number: str) -> str:
    """Where the entry of a document's electronic form stands in the outbox."""
    return document_path(number, "json").replace("invoices/", "outbox/", 1)


def issued_documents(
    store: Store, ledger: Ledger, run: Run, platform: Platform, settings: Settings, wanted: list[str]
) -> Iterator[InvoiceDocument]:
    """The documents of a run's invoices, of those wanted (invoice numbers), from its stored figures.

    The calls are read for some customers after the others; of those, the one with the most calls comes first.
    """
    period = str(run.period)
    rating = ledger.rating_of(run)
    of_period = "invoice_number in (select invoice_number from invoices where period = ? and supersedes is null)"
    invoices = ledger.frame(
        "select * from invoices where period = ? and supersedes is null order by customer_id", [period]
    )
    invoices = invoices.filter(pl.col("invoice_number").is_in(wanted))
    figures = Figures(
        run.period,
        run.invoice_date,
        invoices,
        ledger.frame(f"select * from lines where {of_period}", [period]),  # noqa: S608
        ledger.frame(
            f"select v.*, customer_id from vat_totals v join invoices using (invoice_number) where {of_period}",  # noqa: S608
            [period],
        ),
        ledger.frame("select * from packs_used where rating_no = ?", [run.rating_no]),
        pl.DataFrame(schema=RATED_SCHEMA),
        months_before(ledger, run.period, run.rating_no),
    )
    traffic = store.read_frame(rating.traffic_path, ledger.stored_files()[rating.traffic_path])
    for customers in in_shares(invoices["customer_id"], traffic):
        calls = rated_calls_of(store, ledger, rating, customers=customers)
        yield from documents_of(_of_customers(figures, customers, calls), platform, settings)


def _of_customers(figures: Figures, customers: pl.Series, calls: pl.DataFrame) -> Figures:
    wanted = pl.col("customer_id").cast(pl.String).is_in(customers.implode())
    return replace(
        figures,
        invoices=figures.invoices.filter(wanted),
        lines=figures.lines.filter(wanted),
        vat_totals=figures.vat_totals.filter(wanted),
        packs_used=figures.packs_used.filter(wanted),
        months=figures.months.filter(wanted),
        calls=calls,
    )


def months_before(ledger: Ledger, period: Period, rating_no: int) -> pl.DataFrame:
    """What the invoices of the twelve periods before came to: `customer_id`, `period`, `kind`, `net_cents`.

    Of a month that was corrected it is the invoice in force when the rating came, which has this number.
    """
    return ledger.frame(
        "with known as (select * from invoice_ratings where rating_no < ? and period >= ? and period < ?) "
        "select i.customer_id, i.period, l.kind, cast(sum(l.net_cents) as bigint) net_cents "
        "from known i join lines l using (invoice_number) "
        "where invoice_number not in (select supersedes from known where supersedes is not null) "
        "group by i.customer_id, i.period, l.kind",
        [rating_no, str(Period(period.year - 1, period.month)), str(period)],
    )


def run_numbers(ledger: Ledger, run: Run) -> list[str]:
    """The numbers of a run's invoices."""
    rows = ledger.rows(
        "select invoice_number from invoices where period = ? and supersedes is null order by invoice_number",
        [str(run.period)],
    )
    return [str(number) for (number,) in rows]


def unpublished_numbers(ledger: Ledger, run: Run) -> list[str]:
    """The numbers of a run's invoices of which no document was published yet."""
    published = {str(number) for (number,) in ledger.rows("select invoice_number from documents")}
    return [number for number in run_numbers(ledger, run) if number not in published]


def render_run(
    store: Store,
    ledger: Ledger,
    run: Run,
    settings: Settings,
    limits: DocumentSettings,
    moment: Moment,
    progress: Progress,
    *,
    again: bool,
    only: list[str] | None = None,
) -> Written:
    """Write the documents of a run's invoices; all of them `again`, or those not published yet.

    Args:
        store: Where they go.
        ledger: What they are made from, and what names them.
        run: The run.
        settings: Those that the run was issued under.
        limits: What each document may take now.
        moment: When and by whom, for the history.
        progress: Told of each.
        again: Whether those are made again that were published.
        only: The numbers of the invoices that are looked at, where it is not all of them.

    Raises:
        StoreUnavailable: where a document made again is not the one that was published, byte for byte.
    """
    wanted = run_numbers(ledger, run) if again else unpublished_numbers(ledger, run)
    wanted = wanted if only is None else [number for number in wanted if number in only]
    if not wanted:
        return Written()
    platform = load_snapshot(store, ledger, run.snapshot, settings).platform
    progress.start("writing invoices", len(wanted))
    documents = issued_documents(store, ledger, run, platform, settings, wanted)
    return publish(store, ledger, made_by_workers(documents, limits), rules_in_use(limits), moment, progress)


def publish(
    store: Store, ledger: Ledger, documents: Iterable[Made], rules: str | None, moment: Moment, progress: Progress
) -> Written:
    """Write the documents as they come, and name them in the ledger, some at a time, once they are there to stay.

    Args:
        store: Where they go.
        ledger: What names them.
        documents: What was made.
        rules: The rule sets that the electronic ones were judged by; None where they were not.
        moment: When and by whom, for the history.
        progress: Told of each.

    Raises:
        StoreUnavailable: where a document made again is not the one that was published, byte for byte.
    """
    published = ledger.stored_files()
    written, unnamed = Written(), _Unnamed(ledger, moment)
    for made in documents:
        progress.advance()
        number = str(made.document.number)
        contents = {document_path(number, suffix): content for suffix, content in written.contents(made).items()}
        for path, content in contents.items():
            if published.get(path, sha256_of_bytes(content)) != sha256_of_bytes(content):
                raise StoreUnavailable(
                    f"{store.root / path}: made again it would differ from the one that was published (another "
                    "version of the program); the published one was left as it is"
                )
        # What is to be sent lies there before its entry in the outbox does.
        for path, content in (contents | _outbox(made, contents, rules, published)).items():
            sha256, size = store.write(path, partial(_write, content))
            if path not in published:
                unnamed.add(path, sha256, size, number)
            written.paths.append(path)
        unnamed.name_many()
    unnamed.name()
    return written.in_order()


def _outbox(made: Made, contents: dict[str, bytes], rules: str | None, published: dict[str, str]) -> dict[str, bytes]:
    """The entry of an electronic document by its path; none where there is one already that says something else.

    The rules may be others by now than those the document was published under: the entry tells of those.
    """
    number = str(made.document.number)
    path, entry_path = document_path(number, "xml"), outbox_path(number)
    if path not in contents or made.files is None or made.files.parties is None:
        return {}
    is_credit_note = made.document.corrects is not None
    sha256 = sha256_of_bytes(contents[path])
    entry = outbox_entry(number, path, sha256, made.files.parties, rules, is_credit_note=is_credit_note)
    return {entry_path: entry} if published.get(entry_path, sha256_of_bytes(entry)) == sha256_of_bytes(entry) else {}


class _Unnamed:
    """Documents that are written and not named yet."""

    def __init__(self, ledger: Ledger, moment: Moment) -> None:
        self._ledger, self._moment = ledger, moment
        self._rows: list[tuple[str, str, int, str]] = []

    def add(self, path: str, sha256: str, size: int, invoice_number: str) -> None:
        self._rows.append((path, sha256, size, invoice_number))

    def name_many(self) -> None:
        """Let them count where they are many; a document's files begin to count together."""
        if len(self._rows) >= NAMED_AT_ONCE:
            self.name()

    def name(self) -> None:
        """Let them count, all at once."""
        if not self._rows:
            return
        rows = pl.DataFrame(self._rows, schema=["path", "sha256", "bytes", "invoice_number"], orient="row")
        with self._ledger.transaction():
            self._ledger.append("stored_files", rows.select("path", "sha256", "bytes"))
            self._ledger.append("documents", rows.select("path", "invoice_number"))
            told: list[tuple[str, Details]] = [
                (number, {"path": path, "sha256": sha256}) for path, sha256, _, number in self._rows
            ]
            append_events(self._ledger, self._moment, PUBLISHED, told)
        self._rows.clear()


def _write(content: bytes, target: Path) -> None:
    target.write_bytes(content)


def write_drafts(folder: Path, figures: Figures, platform: Platform, settings: Settings, progress: Progress) -> Written:
    """Write draft documents, named by customer, outside the store; nothing is numbered."""
    folder.mkdir(parents=True, exist_ok=True)
    progress.start("writing drafts", figures.invoices.height)
    written = Written()
    for made in made_by_workers(documents_of(figures, platform, settings), settings.documents):
        progress.advance()
        for suffix, content in written.contents(made).items():
            path = folder / f"draft-{figures.period}-{made.document.customer.customer_id}.{suffix}"
            path.write_bytes(content)
            written.paths.append(str(path))
    return written.in_order()

"""History: the events of an invoice, a credit note, a customer, a call, a file or a period, from the chain of them all.

An invoice's history is that of what it hangs on: the files that its calls came in, its rating, its run, its
documents, and its credit notes with theirs.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import polars as pl

from invoicing.call_search import find_call, quarantined_records, rated_call
from invoicing.event_checks import last_hash
from invoicing.events import (
    BEGUN,
    CORRECTED,
    CREDITED,
    DECIDED,
    DISPUTED,
    HASHED,
    HELD,
    ISSUED,
    PUBLISHED,
    RATED,
    READ,
    RELEASED,
    hash_of,
)
from invoicing.origins import corrections, invoice_with, origin_of, rating_numbered
from invoicing.parquet_files import read_parquet
from invoicing.rated_calls import rated_calls_of
from rating.money import euro_text
from rating.sources.source import NATIVE_FORMAT
from schemas.errors import InputRefused, StoreUnavailable

if TYPE_CHECKING:
    from typing import Any

    from invoicing.desk import Desk, Report
    from invoicing.ledger import Ledger

COLUMNS = [*HASHED, "hash"]
STILL_HELD = "select period, rating_no from still_held join runs using (period) where customer_id = ? order by period"
# So much of a hash tells it from any other in a table for people.
SHORT = 12


class _Wanted:
    """Which events are asked for: by kind, what tells a fact of the kind."""

    def __init__(self) -> None:
        self.files: set[int] = set()
        self.ratings: set[int] = set()
        self.periods: set[str] = set()
        self.documents: set[str] = set()
        self.disputes: set[str] = set()
        self.held: set[str] = set()

    def holds(self, kind: str, subject: str, details: dict[str, Any]) -> bool:
        """Whether an event is one of them; the one that began the chain of an older ledger always is."""
        found = {
            BEGUN: True,
            READ: details.get("file_no") in self.files,
            RATED: details.get("rating_no") in self.ratings,
            ISSUED: subject in self.periods,
            PUBLISHED: subject in self.documents,
            CREDITED: subject in self.documents,
            DISPUTED: subject in self.disputes,
            CORRECTED: details.get("rating_no") in self.ratings,
            DECIDED: subject in self.disputes,
            HELD: subject in self.held,
            RELEASED: subject in self.documents,
        }
        return found.get(kind, False)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was found."""
        return not (self.files or self.ratings or self.periods or self.documents or self.disputes or self.held)


def history(desk: Desk, what: str | None) -> pl.DataFrame:
    """The events (`COLUMNS`) of what is named, or all of them, in the order in which they were recorded.

    Args:
        desk: The store; nothing in it is changed.
        what: The number of an invoice, a customer_id, the number of a credit note or dispute, a period, a CDR file
            (its path, or its name), or a call_id; looked for in this order.

    Raises:
        InputRefused: where the store knows nothing of the name.
        StoreUnavailable: where an event, or a file that has to be looked into, is missing or altered.
    """
    if what is None:
        return _events(desk.ledger, "true", [])
    wanted = _Wanted()
    _find(desk, what, wanted)
    if wanted.is_empty:
        raise InputRefused(
            f"{what}: this store has no invoice, credit note, dispute, customer with an invoice, period, CDR file or "
            "call of this name; `centime history` lists all events"
        )
    # Most events are of documents, and few of those are wanted.
    likely = "kind <> ? or subject in (select unnest(?))"
    events = _events(desk.ledger, likely, [PUBLISHED, sorted(wanted.documents)])
    chosen = [
        wanted.holds(kind, subject, json.loads(details))
        for kind, subject, details in events.select("kind", "subject", "details").iter_rows()
    ]
    return events.filter(pl.Series(chosen, dtype=pl.Boolean))


def _events(ledger: Ledger, condition: str, parameters: list[object]) -> pl.DataFrame:
    """Events as they were recorded: what is told of them is what their hashes were made of."""
    events = ledger.frame(
        f"select {', '.join(COLUMNS)} from events where {condition} order by event_no",  # noqa: S608
        parameters,
    )
    for event in events.iter_rows(named=True):
        if event["hash"] != hash_of(event):
            raise StoreUnavailable(
                f"event {event['event_no']}: it is not what its hash was made of: it was altered; run `centime verify`"
            )
    return events


def _find(desk: Desk, what: str, wanted: _Wanted) -> None:
    """Note what belongs to a name; nothing where it is not known."""
    ledger = desk.ledger
    for column in ("invoice_number", "customer_id"):
        found = ledger.rows(f"select invoice_number from invoices where {column} = ? order by 1", [what])  # noqa: S608
        for (number,) in found:
            _want_invoice(desk, str(number), wanted)
        if column == "customer_id":
            for period, rating_no in ledger.rows(STILL_HELD, [what]):
                _want_held(desk, what, (str(period), int(str(rating_no))), wanted)
        if not wanted.is_empty:
            return
    if ledger.rows("select 1 from credit_notes where credit_note_number = ?", [what]):
        wanted.documents.add(what)
        return
    if ledger.rows("select 1 from disputes where dispute_number = ?", [what]):
        _want_dispute(ledger, what, wanted)
        return
    wanted.periods |= {str(period) for (period,) in ledger.rows("select period from runs where period = ?", [what])}
    wanted.ratings |= _numbers(ledger, "select rating_no from ratings where period = ?", [what])
    wanted.files |= _numbers(
        ledger,
        "select file_no from files where source_file = ? or ends_with(source_file, ?) or period = ?",
        [what, f"/{what}", what],
    )
    if wanted.is_empty:
        _want_call(desk, what, wanted)


def _numbers(ledger: Ledger, query: str, parameters: list[object]) -> set[int]:
    return {int(str(number)) for (number,) in ledger.rows(query, parameters)}


def _want_invoice(desk: Desk, number: str, wanted: _Wanted, *, files: bool = True) -> None:
    """An invoice: its run and rating, documents, credit notes and disputes, and the files of its calls.

    Of one that supersedes another, all that belongs to that one too.
    """
    ledger = desk.ledger
    origin = origin_of(ledger, number)
    wanted.periods.add(str(origin.run.period))
    wanted.held.add(f"{origin.customer_id} {origin.run.period}")
    wanted.ratings |= {origin.rating.rating_no, origin.run.rating_no}
    notes = ledger.rows("select credit_note_number from credit_notes where invoice_number = ?", [number])
    wanted.documents |= {number, *(str(note) for (note,) in notes)}
    for (dispute,) in ledger.rows("select dispute_number from disputes where invoice_number = ?", [number]):
        _want_dispute(ledger, str(dispute), wanted)
    if origin.correction is not None:
        _want_invoice(desk, origin.correction.corrects, wanted, files=files)
    elif files:
        wanted.files |= _files_of(desk, origin.calls(desk.store, ledger)["call_id"])


def _want_held(desk: Desk, customer_id: str, run: tuple[str, int], wanted: _Wanted) -> None:
    """An invoice that is held still: its run, given with its period and rating, and the files of its calls."""
    period, rating_no = run
    wanted.held.add(f"{customer_id} {period}")
    wanted.periods.add(period)
    wanted.ratings.add(rating_no)
    rating = rating_numbered(desk.ledger, rating_no)
    calls = rated_calls_of(desk.store, desk.ledger, rating, customers=pl.Series([customer_id]))
    wanted.files |= _files_of(desk, calls["call_id"])


def _want_dispute(ledger: Ledger, number: str, wanted: _Wanted) -> None:
    """A dispute, and what it made of its invoice."""
    wanted.disputes.add(number)
    outcomes = "select credit_note_number, invoice_number from dispute_outcomes where dispute_number = ?"
    wanted.documents |= {str(one) for row in ledger.rows(outcomes, [number]) for one in row if one is not None}
    wanted.ratings |= {correction.rating_no for correction in corrections(ledger, "dispute_number = ?", [number])}


def _files_of(desk: Desk, call_ids: pl.Series) -> set[int]:
    """The numbers of the files that accepted calls came in, found by the index of calls."""
    if call_ids.is_empty():
        return set()
    # One call is found without what reads whole indexes.
    from invoicing.call_index import hashes_of, rows_with, stored_indexes  # noqa: PLC0415

    shas, found = desk.ledger.stored_files(), set()
    for path, places in rows_with(stored_indexes(desk.store, desk.ledger), hashes_of(call_ids)):
        stored = desk.store.require(path, shas[path])
        calls = read_parquet(stored, columns=["call_id", "file_no"])[places]
        found |= set(calls.filter(pl.col("call_id").is_in(call_ids.implode()))["file_no"])
    return found


def _want_call(desk: Desk, call_id: str, wanted: _Wanted) -> None:
    """A call: the files its records came in, accepted or not, and the invoice it is on or the rating it is in."""
    store, ledger = desk.store, desk.ledger
    aside = quarantined_records(store, ledger, call_id)
    for path in aside["source_file"].unique().sort():
        wanted.files |= _numbers(ledger, "select file_no from files where source_file = ?", [path])
    accepted = find_call(store, ledger, call_id)
    if accepted.is_empty():
        return
    wanted.files |= set(accepted["file_no"])
    found = rated_call(store, ledger, accepted, desk.settings.rating.timezone)
    if found is None:
        return
    rating, calls = found
    wanted.ratings.add(rating.rating_no)
    invoice = invoice_with(ledger, rating, calls["customer_id"].item())
    if rating.issued and invoice:
        _want_invoice(desk, invoice, wanted, files=False)
    elif rating.issued:
        wanted.periods.add(str(rating.period))
        wanted.held.add(f"{calls['customer_id'].item()} {rating.period}")


def tell_history(desk: Desk, found: pl.DataFrame, report: Report, *, whole: bool) -> None:
    """The events as a table: in words for people, or `whole`, with every detail, for programs."""
    report.counts = {"events": found.height}
    report.tables["History"] = found if whole else in_words(found)
    if not found.height:
        report.messages.append("nothing was recorded yet")
    report.messages.append(f"the last hash of the chain is {last_hash(desk.ledger)}")


def in_words(events: pl.DataFrame) -> pl.DataFrame:
    """Events as people read them: `moment`, `by`, `command`, `what`, `program`."""
    what = [
        WORDS.get(kind, _unknown)(subject, json.loads(details))
        for kind, subject, details in events.select("kind", "subject", "details").iter_rows()
    ]
    return events.select(
        pl.col("acted_at").alias("moment"),
        pl.col("operator").alias("by"),
        "command",
        pl.Series("what", what, dtype=pl.String),
        "program",
    )


def _read(subject: str, told: dict[str, Any]) -> str:
    skipped = f", {told['skipped']} of them skipped" if told.get("skipped") else ""
    source = told.get("source_format", NATIVE_FORMAT)
    taken = "" if source == NATIVE_FORMAT else f" as {source}"
    return f"read {subject}{taken}: {told['records']} records{skipped}, SHA-256 {told['sha256'][:SHORT]}"


def _rated(subject: str, told: dict[str, Any]) -> str:
    return f"rated {subject}: {told['calls']} calls, {told['unrated']} not; {_inputs(told)}"


def _issued(subject: str, told: dict[str, Any]) -> str:
    numbers = f", {told['first_number']} to {told['last_number']}" if told["invoices"] else ""
    return f"issued {subject}: {told['invoices']} invoices{numbers}; {_inputs(told)}"


def _published(_: str, told: dict[str, Any]) -> str:
    return f"published {told['path']}, SHA-256 {told['sha256'][:SHORT]}"


def _credited(subject: str, told: dict[str, Any]) -> str:
    return f"credited {told['invoice_number']}: {subject}, {told['reason']}"


def _disputed(subject: str, told: dict[str, Any]) -> str:
    late = ", late" if told["late"] else ""
    calls = f", {told['calls']} calls" if told["calls"] else ""
    lines = f", lines {told['lines']}" if told["lines"] else ""
    claimed = f"claimed on {told['claimed_on']}{late}"
    return f"disputed {told['invoice_number']}: {subject}, {claimed}{calls}{lines}, {told['reason']}"


def _corrected(subject: str, told: dict[str, Any]) -> str:
    by = told["invoice_number"] or "a credit note of the difference"
    return f"corrected {subject} by {by}: {told['calls']} calls, {told['calls_off']} taken off; {_inputs(told)}"


def _decided(subject: str, told: dict[str, Any]) -> str:
    made = ", ".join(filter(None, [told["credit_note_number"], told["invoice_number"]]))
    return f"{told['state']} {subject}{f' with {made}' if made else ''}: {told['reason']}"


def _held(subject: str, told: dict[str, Any]) -> str:
    why = "; ".join(reason["reason"] for reason in json.loads(told["reasons"]))
    return f"held {subject}: {euro_text(told['net_cents'])} EUR without VAT: {why}"


def _released(subject: str, told: dict[str, Any]) -> str:
    return f"released {told['customer_id']} {told['period']}: {subject}, {told['reason']}"


def _begun(_: str, told: dict[str, Any]) -> str:
    facts = ", ".join(f"{count} {kind}" for kind, count in told["facts"].items())
    return (
        f"began to record events, in a store of format {told['earlier_format']}; what there was before ({facts}) is "
        f"known by its SHA-256 {told['facts_sha256'][:SHORT]}"
    )


def _unknown(subject: str, _: dict[str, Any]) -> str:
    return f"{subject}: of a kind that this version does not know"


def _inputs(told: dict[str, Any]) -> str:
    return f"tables {told['snapshot'][:SHORT]}, settings {told['settings_sha256'][:SHORT]}"


WORDS = {
    READ: _read, RATED: _rated, ISSUED: _issued, PUBLISHED: _published, CREDITED: _credited, DISPUTED: _disputed,
    CORRECTED: _corrected, DECIDED: _decided, HELD: _held, RELEASED: _released, BEGUN: _begun,
}  # fmt: skip

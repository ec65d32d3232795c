"""Events: who did what and when, from which inputs; each is chained by hash to the one before it.

An event is appended in the very transaction of what it tells of, so a crash neither loses nor invents one. What it
tells is a *fact*, a row that the ledger has now: a file read, a rating kept, a period issued, a file of a document
published, a credit note issued, a dispute opened and decided, an invoice held or released. `FACTS` says each kind once,
for who records it and for who checks it.

The chain (a hash chain, as in RFC 6962 and in git's history): the hash of an event is the SHA-256 of the canonical JSON
of all its other columns, the hash of the event before it among them, in UTF-8. The JSON is that of RFC 8785 for text
and whole numbers: keys sorted, no white space. `details` is such a JSON itself and goes in as the text that is stored.
Whoever alters, removes or puts in an event has to write all that follow again, and the last hash becomes another one:
`verify` and `history` tell it, so that it can be noted down where nobody of the store reaches it.

What is made again with the same bytes, skipped, refused or only looked at is no event. A document is told file by
file: a run that died and was finished by another has the same events as one that nothing disturbed, but for the order
of publication, the operator and command, and the `rated` of ratings that were replaced before they were issued.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from invoicing.store import sha256_of_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from invoicing.desk import Moment
    from invoicing.ledger import Ledger

READ, RATED, ISSUED, PUBLISHED, CREDITED, BEGUN = "read", "rated", "issued", "published", "credited", "begun"
DISPUTED, CORRECTED, DECIDED = "disputed", "corrected", "decided"
HELD, RELEASED = "held", "released"
# What stands for the hash of the event before the first one.
NO_HASH = "0" * 64
HASHED = ("event_no", "acted_at", "operator", "command", "kind", "subject", "details", "program", "previous_hash")
Details = dict[str, object]


class Facts(NamedTuple):
    """One kind of fact.

    Attributes:
        key: The column of the details, or `subject`, that tells facts of the kind apart.
        query: What the ledger has of them: `subject`, then the details, as text and whole numbers.
        later: Details that facts of earlier versions do not have; left out where there is none.
    """

    key: str
    query: str
    later: tuple[str, ...] = ()


DISPUTE_FACTS = {
    DISPUTED: Facts(
        "subject",
        "select dispute_number subject, d.invoice_number, d.customer_id, cast(claimed_on as varchar) claimed_on, "
        "cast(late as integer) late, d.reason, (select count(*) from dispute_calls c where c.dispute_number = "
        "d.dispute_number) calls, (select sha256(coalesce(string_agg(call_id, chr(10) order by call_id), '')) from "
        "dispute_calls c where c.dispute_number = d.dispute_number) calls_sha256, (select coalesce(string_agg("
        "cast(line_no as varchar), ' ' order by line_no), '') from dispute_lines l where l.dispute_number = "
        "d.dispute_number) lines from disputes d",
    ),
    # What a settled dispute made of an invoice; the one that supersedes it is told here.
    CORRECTED: Facts(
        "rating_no",
        "select c.corrects subject, c.rating_no, c.dispute_number, c.customer_id, c.invoice_number, "
        "cast(i.invoice_date as varchar) invoice_date, c.net_cents, i.vat_cents, c.snapshot, c.decks, "
        "sha256(c.settings) settings_sha256, c.replaces, c.calls, c.amount_cents, c.calls_off, "
        "(select sha256(coalesce(string_agg(call_id, chr(10) order by call_id), '')) from correction_calls o where "
        "o.rating_no = c.rating_no) without_sha256 from corrections c left join invoices i using (invoice_number)",
    ),
    DECIDED: Facts(
        "subject",
        "select dispute_number subject, state, reason, cast(decided_on as varchar) decided_on, credit_note_number, "
        "invoice_number from dispute_outcomes",
    ),
}
FACTS = {
    READ: Facts(
        "file_no",
        "select source_file subject, file_no, sha256, records, accepted, unanswered, duplicate, quarantined, "
        "source_format, bytes, skipped, skipped_by_reason from files left join file_sources using (file_no)",
        ("source_format", "bytes", "skipped", "skipped_by_reason"),
    ),
    RATED: Facts(
        "rating_no",
        "select period subject, rating_no, snapshot, sha256(settings) settings_sha256, last_batch, calls, "
        "amount_cents, unrated from ratings",
    ),
    # An invoice that supersedes another, or was held and released, has an event of its own.
    ISSUED: Facts(
        "run_no",
        "select r.period subject, r.run_no, r.rating_no, cast(r.invoice_date as varchar) invoice_date, r.snapshot, "
        "sha256(r.settings) settings_sha256, count(invoice_number) invoices, min(invoice_number) first_number, "
        "max(invoice_number) last_number, cast(coalesce(sum(net_cents), 0) as bigint) net_cents, "
        "cast(coalesce(sum(vat_cents), 0) as bigint) vat_cents from runs r left join invoices i "
        "on i.period = r.period and i.supersedes is null "
        "and i.invoice_number not in (select invoice_number from releases) "
        "group by r.period, r.run_no, r.rating_no, r.invoice_date, r.snapshot, r.settings",
    ),
    PUBLISHED: Facts(
        "path", "select invoice_number subject, path, sha256 from documents join stored_files using (path)"
    ),
    CREDITED: Facts(
        "subject",
        "select credit_note_number subject, invoice_number, customer_id, "
        "cast(credit_note_date as varchar) credit_note_date, net_cents, vat_cents, reason, "
        "sha256(settings) settings_sha256 from credit_notes",
    ),
    **DISPUTE_FACTS,
    HELD: Facts(
        "subject",
        "select customer_id || ' ' || period subject, customer_id, period, net_cents, vat_cents, calls, reasons "
        "from held_invoices",
    ),
    RELEASED: Facts(
        "subject",
        "select invoice_number subject, r.customer_id, r.period, cast(invoice_date as varchar) invoice_date, "
        "net_cents, vat_cents, r.reason from releases r join invoices using (invoice_number)",
    ),
}

LAST_EVENT = "select event_no, hash from events where event_no = (select max(event_no) from events)"
# What the first event of a ledger that was brought up to date holds a digest of.
DIGESTED = (READ, ISSUED, PUBLISHED, CREDITED)


def canonical(content: object) -> str:
    """JSON in the one way in which it can be written (RFC 8785); of text, whole numbers and what is made of them."""
    return json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def hash_of(event: dict[str, object]) -> str:
    """The hash of an event, in hexadecimal, from all its other columns."""
    return sha256_of_bytes(canonical({name: event[name] for name in HASHED}).encode())


def facts_of(
    ledger: Ledger, kind: str, condition: str = "true", parameters: Sequence[object] = ()
) -> list[tuple[str, Details]]:
    """The facts of a kind as the ledger has them, in the order of their key: subject and details."""
    facts = FACTS[kind]
    rows = ledger.frame(
        f"select * from ({facts.query}) where {condition} order by {facts.key}",  # noqa: S608
        list(parameters),
    )
    return [
        (
            str(row["subject"]),
            {
                name: cell
                for name, cell in row.items()
                if name != "subject" and (cell is not None or name not in facts.later)
            },
        )
        for row in rows.iter_rows(named=True)
    ]


def record(
    ledger: Ledger, moment: Moment, kind: str, condition: str, parameters: Sequence[object], **more: object
) -> None:
    """Tell facts that the caller's transaction has just made, and what else belongs to the details of each."""
    found = facts_of(ledger, kind, condition, parameters)
    append_events(ledger, moment, kind, [(subject, details | more) for subject, details in found])


def append_events(ledger: Ledger, moment: Moment, kind: str, told: Iterable[tuple[str, Details]]) -> None:
    """Append events of a kind to the chain, given with subject and details, within the caller's transaction."""
    last = ledger.rows(LAST_EVENT)
    event_no, previous = (int(str(last[0][0])), str(last[0][1])) if last else (0, NO_HASH)
    events = []
    for subject, details in told:
        event_no += 1
        event: dict[str, object] = {
            "event_no": event_no, "acted_at": moment.text, "operator": moment.operator, "command": moment.command,
            "kind": kind, "subject": subject, "details": canonical(details), "program": moment.program,
            "previous_hash": previous,
        }  # fmt: skip
        previous = hash_of(event)
        events.append(event | {"hash": previous})
    if events:
        ledger.append("events", pl.DataFrame(events))


def digest_of(facts: Iterable[tuple[str, str, Details]]) -> str:
    """One SHA-256 over facts, given with their kind, in whatever order."""
    lines = sorted(canonical([kind, subject, details]) for kind, subject, details in facts)
    return sha256_of_bytes("\n".join(lines).encode())


def begin_chain(ledger: Ledger, moment: Moment, earlier_format: str) -> None:
    """Begin the chain of a ledger that has facts and no events yet: with one event that holds a digest of them all.

    Ratings are counted only: a pending one may give way to the next, and the runs say what they were issued from.
    """
    found = [(kind, subject, details) for kind in DIGESTED for subject, details in facts_of(ledger, kind)]
    counts: Details = {kind: sum(name == kind for name, _, _ in found) for kind in DIGESTED}
    details: Details = {
        "earlier_format": earlier_format, "facts": counts, "facts_sha256": digest_of(found),
        "last_rating_no": ledger.number("select max(rating_no) from ratings"),
    }  # fmt: skip
    append_events(ledger, moment, BEGUN, [("ledger", details)])

"""Verification of events: the chain holds, each fact of the ledger has its event, and each event its fact."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from invoicing.events import BEGUN, DIGESTED, FACTS, LAST_EVENT, NO_HASH, RATED, digest_of, facts_of, hash_of

if TYPE_CHECKING:
    from typing import Any

    from invoicing.events import Details
    from invoicing.ledger import Ledger

Event = dict[str, "Any"]
# Of facts without an event; where a chain is gone there are as many as documents.
MOST_NAMED = 10
NOUNS = {
    "read": "the file {}", "rated": "the rating of {}", "issued": "the run of {}",
    "published": "the document of {}", "credited": "the credit note {}",
    "disputed": "the dispute {}", "corrected": "the correction of {}", "decided": "the outcome of {}",
}  # fmt: skip


def event_differences(ledger: Ledger) -> list[str]:
    """What does not hold of the events, one sentence each; of a chain that is broken only where it breaks first."""
    events = ledger.frame("select * from events order by event_no").to_dicts()
    broken = first_broken(events)
    return [broken] if broken else _unlike_the_facts(ledger, events)


def first_broken(events: list[Event]) -> str | None:
    """The first event of a chain, given in the order of their numbers, that does not hold; None where all do."""
    previous = NO_HASH
    for place, event in enumerate(events, start=1):
        if event["event_no"] != place:
            return f"event {place}: it is missing from the chain: it was removed"
        if event["hash"] != hash_of(event):
            return f"event {place} ({event['kind']} {event['subject']}): it is not what its hash was made of"
        if event["previous_hash"] != previous:
            return (
                f"event {place} ({event['kind']} {event['subject']}): it does not follow from the event before it: one "
                "was altered, removed or put in"
            )
        previous = event["hash"]
    return None


def last_hash(ledger: Ledger) -> str:
    """The hash of the last event."""
    found = ledger.rows(LAST_EVENT)
    return str(found[0][1]) if found else NO_HASH


def _unlike_the_facts(ledger: Ledger, events: list[Event]) -> list[str]:
    """Facts without an event, events without a fact, and where the two say different things.

    A ledger that was brought up to date has facts from before its first event; that one holds a digest of them.
    """
    begun = json.loads(events[0]["details"]) if events and events[0]["kind"] == BEGUN else None
    found = [
        f"event {event['event_no']} ({event['kind']} {event['subject']}): there are no events of this kind here"
        for place, event in enumerate(events)
        if event["kind"] not in FACTS and (event["kind"] != BEGUN or place)
    ]
    untold: list[tuple[str, str, Details]] = []
    for kind in FACTS:
        differing, without = _compare(ledger, kind, [event for event in events if event["kind"] == kind])
        found += differing
        untold += [(kind, subject, details) for subject, details in without]
    if begun is not None:
        earlier = [fact for fact in untold if fact[0] in DIGESTED]
        if digest_of(earlier) != begun["facts_sha256"]:
            found.append(_other_than_begun(earlier, begun["facts"]))
        rated_then = begun["last_rating_no"]
        untold = [
            fact for fact in untold
            if fact[0] not in DIGESTED and not (fact[0] == RATED and fact[2]["rating_no"] <= rated_then)
        ]  # fmt: skip
    found += [f"{NOUNS[kind].format(subject)}: no event tells of it" for kind, subject, _ in untold[:MOST_NAMED]]
    return found + ([f"and {len(untold) - MOST_NAMED} more without an event"] if len(untold) > MOST_NAMED else [])


def _other_than_begun(earlier: list[tuple[str, str, Details]], begun: dict[str, int]) -> str:
    now = {kind: sum(name == kind for name, _, _ in earlier) for kind in DIGESTED}
    counted = [", ".join(f"{counts[kind]} {kind}" for kind in DIGESTED) for counts in (now, begun)]
    return (
        "event 1: what no event tells of is not what there was when it began the chain: "
        f"{counted[0]} now, {counted[1]} then"
    )


def _compare(ledger: Ledger, kind: str, events: list[Event]) -> tuple[list[str], list[tuple[str, Details]]]:
    """How the events of a kind differ from its facts; and the facts without one."""
    key = FACTS[kind].key
    facts = {_key(key, *fact): fact for fact in facts_of(ledger, kind)}
    told: set[object] = set()
    found = []
    for event in events:
        details = json.loads(event["details"])
        about, place = f"event {event['event_no']} ({kind} {event['subject']})", _key(key, event["subject"], details)
        if place in told:
            found.append(f"{about}: an event before it tells of the same")
        elif place in facts:
            subject, fact = facts[place]
            differing = [name for name, cell in fact.items() if details.get(name) != cell]
            differing += [] if subject == event["subject"] else ["subject"]
            found += [f"{about}: the ledger has another {' and '.join(differing)} now"] if differing else []
        elif kind != RATED or event is events[-1]:
            # Only a rating that was not issued goes, when the next one takes its place.
            found.append(f"{about}: the ledger has nothing of the kind")
        told.add(place)
    return found, [fact for place, fact in facts.items() if place not in told]


def _key(name: str, subject: str, details: Details) -> object:
    return subject if name == "subject" else details.get(name)

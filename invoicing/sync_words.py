"""What syncs changed, in words and tables."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import polars as pl

from invoicing.sync_history import altered_files, kept_syncs
from schemas.errors import InputRefused

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path
    from typing import Any

    from invoicing.desk import Report
    from invoicing.sync_history import Sync

# So much of a hash tells it from any other in a table for people.
SHORT = 12
ONE = {"users": "user", "numbers": "number"}
NAMES = {"country": "country", "user_id": "user", "product_id": "product", "inbound_deck": "inbound deck"}


def tell_sync(sync: Sync, report: Report) -> None:
    """Tell what a sync changed, and ask to look at what it held."""
    record = sync.record
    report.counts = {name: record[name] for name in ("sync_no", "users", "numbers", "changed", "held")}
    report.details["sha256"] = record["sha256"]
    report.tables["Changes"] = changes_in_words([sync])
    report.messages.append(
        f"sync {record['sync_no']}: {record['users']} users and {record['numbers']} numbers of {record['source']}, "
        f"SHA-256 {record['sha256'][:SHORT]}; {record['changed']} changes"
    )
    for many in record["many"]:
        words = (
            f"{many['customer_id']}: {many['changed']} of {many['known']} {many['table']} changed, more than a fifth"
        )
        if many["held"]:
            report.attention.append(f"{words}; its changes are held: look at them, then `centime sync ... --accept`")
        else:
            report.messages.append(f"{words}; accepted")


def show_syncs(platform: Path, customers: Collection[str], report: Report) -> None:
    """Tell every sync that a folder keeps, and every change; of some customers only, where they are named.

    Raises:
        InputRefused: where there is none.
        StoreUnavailable: where the history cannot be read.
    """
    syncs = kept_syncs(platform)
    if not syncs:
        raise InputRefused(f"{platform}: nothing was synced there yet; `centime sync --platform DIR --from ...` does")
    columns = ("sync_no", "synced_at", "operator", "source", "users", "numbers", "changed", "held", "sha256")
    table = pl.DataFrame([{name: sync.record[name] for name in columns} for sync in syncs])
    changes = changes_in_words(syncs)
    if customers:
        concerned = changes["customers"].str.split(" ").list.set_intersection(list(customers)).list.len() > 0
        changes = changes.filter(concerned)
    report.counts = {"syncs": len(syncs), "changes": changes.height}
    report.tables["Syncs"] = table.rename({"synced_at": "moment", "operator": "by"})
    report.tables["Changes"] = changes
    report.attention = altered_files(syncs)


def changes_in_words(syncs: list[Sync]) -> pl.DataFrame:
    """What syncs changed: `sync_no`, `day`, `customers` (one, or two with a blank between), `what`, `held`."""
    schema = {
        "sync_no": pl.Int64, "day": pl.String, "customers": pl.String, "what": pl.String, "held": pl.Boolean,
    }  # fmt: skip
    return pl.DataFrame([row for sync in syncs for row in _rows(sync)], schema=schema, orient="row")


def _rows(sync: Sync) -> Iterator[tuple[int, str, str, str, bool]]:
    for change in sync.changes().iter_rows(named=True):
        before, after = (json.loads(change[side] or "{}") for side in ("before", "after"))
        customers = dict.fromkeys(state["customer_id"] for state in (before, after) if state)
        subject = f"{ONE[change['table']]} {change['service_id']}"
        words = f"{subject} {_what_changed(before, after)}"
        yield sync.record["sync_no"], str(change["day"]), " ".join(customers), words, change["held"]


def _what_changed(before: dict[str, Any], after: dict[str, Any]) -> str:
    """What became of a user or number, from its states; empty where it was or is not there."""
    if not before:
        return f"came to {after['customer_id']}{_with_rest(after)}"
    if not after:
        return f"left {before['customer_id']}{_with_rest(before)}"
    words = []
    if before["customer_id"] != after["customer_id"]:
        words.append(f"moved from {before['customer_id']} to {after['customer_id']}")
    for name, word in NAMES.items():
        if before.get(name) != after.get(name):
            words.append(f"{word} {before[name] or 'none'} became {after[name] or 'none'}")
    return ", ".join(words)


def _with_rest(state: dict[str, Any]) -> str:
    rest = [f"{word} {state[name]}" for name, word in NAMES.items() if state.get(name) and name != "country"]
    return f" with {', '.join(rest)}" if rest else ""

"""A plain Python loop: a call after the other, dictionaries for owners and prefixes, pools that shrink."""

from __future__ import annotations

import csv
import math
import re
from bisect import bisect_right
from collections import defaultdict
from datetime import date
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

import pyarrow.parquet as pq

from tests.bench.competitors.common import (
    FUTURE_AFTER,
    MONTH_ENDS,
    MONTH_STARTS,
    TOTALS,
    WINTER_STARTS,
    Task,
    pools,
    task_given,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

NUMBER = re.compile(r"\+[1-9][0-9]{4,14}")
INTERNATIONAL = re.compile(r"00[1-9][0-9]{4,14}")
NATIONAL = re.compile(r"0[1-9][0-9]{6,12}")
SHORT = re.compile(r"[1-9][0-9]{1,5}")
WITHHELD = {"", "anonymous", "unknown", "restricted", "unavailable"}
BATCH_ROWS = 100_000
LONGEST = 8
HOUR_US, DAY_US = 3_600_000_000, 86_400_000_000
FOREVER = date.max
EPOCH = date(1970, 1, 1).toordinal()
FIRST_US, END_US, WINTER_US, FUTURE_US = (
    int(moment.timestamp()) * 1_000_000 for moment in (MONTH_STARTS, MONTH_ENDS, WINTER_STARTS, FUTURE_AFTER)
)


class Rate(NamedTuple):
    """A row of a deck."""

    zone_id: str
    micro_per_min: int
    setup_micro: int


ONNET, INCOMING = Rate("ONNET", 0, 0), Rate("INCOMING", 0, 0)


class Pool:
    """What is left of a pack, and for whom, where to and from when on."""

    def __init__(self, row: dict) -> None:
        self.user_id = row["user_id"]
        self.zones = None if row["zones"] == ["*"] else set(row["zones"])
        self.open_from = row["open_from"].toordinal()
        self.left_s = math.inf if row["allowance_s"] is None else row["allowance_s"]


def normalised(text: str | None) -> str | None:
    """A number in one form, None where it is malformed."""
    text = (text or "").strip()
    if NUMBER.fullmatch(text):
        return text
    bare = re.sub(r"(?s)[;@].*$", "", re.sub(r"^(?:tel:|sips?:)", "", text, flags=re.IGNORECASE)).strip()
    if bare.lower() in WITHHELD:
        return "anonymous"
    dialled = re.sub(r"[\s./()-]", "", bare.replace("(0)", ""))
    if NUMBER.fullmatch(dialled) or SHORT.fullmatch(dialled):
        return dialled
    if INTERNATIONAL.fullmatch(dialled):
        return "+" + dialled[2:]
    if NATIONAL.fullmatch(dialled):
        return "+32" + dialled[1:]
    return None


def accepted_calls(task: Task) -> list[tuple]:
    """The month's calls, each once, in the order of start and call_id."""
    seen, calls = set(), []
    for path in task.cdrs:
        for batch in pq.ParquetFile(path).iter_batches(BATCH_ROWS):
            typed = batch.set_column(1, "start", batch.column("start").cast("int64"))
            for call_id, start_us, direction, from_text, to_text, duration_s, user_id in zip(
                *(column.to_pylist() for column in typed.columns), strict=True
            ):
                caller, callee = normalised(from_text), normalised(to_text)
                if caller is None or callee is None or callee == "anonymous" or not 0 <= duration_s <= 86_400:
                    continue
                if start_us > FUTURE_US or call_id in seen:
                    continue
                seen.add(call_id)
                if duration_s and FIRST_US <= start_us < END_US:
                    calls.append((start_us, call_id, direction, caller, callee, duration_s, user_id))
    calls.sort(key=itemgetter(0, 1))
    return calls


def rows(task: Task, table: str) -> list[dict[str, str]]:
    """A platform table."""
    with task.table(table).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def ordinal(text: str, empty: date = FOREVER) -> int:
    """A day as a number."""
    return date.fromisoformat(text).toordinal() if text else empty.toordinal()


def intervals(table: list[dict[str, str]], key: str) -> dict[str, list[tuple]]:
    """By key, each interval: first day, day after the last, and its row."""
    found = defaultdict(list)
    for row in table:
        found[row[key]].append((ordinal(row["active_from"]), ordinal(row["active_to"]), row))
    return found


def held(found: dict[str, list[tuple]], key: str | None, day: int) -> dict[str, str] | None:
    """The row of the interval that holds a day."""
    for first, end, row in found.get(key, ()):
        if first <= day < end:
            return row
    return None


def versions(table: list[dict[str, str]], key: str) -> dict[str, list[tuple]]:
    """By key, each version's first day and row, in order."""
    found = defaultdict(dict)
    for row in table:
        found[row[key]].setdefault(ordinal(row["effective_from"]), row)
    return {name: sorted(of.items()) for name, of in found.items()}


def decks_of(task: Task) -> dict[str, dict[int, dict[str, Rate]]]:
    """By deck and first day of a version, its rates by prefix."""
    found = defaultdict(lambda: defaultdict(dict))
    for row in rows(task, "rates"):
        micro = [round(float(row[column]) * 1_000_000) for column in ("price_per_minute", "setup_fee")]
        found[row["deck_id"]][ordinal(row["effective_from"])][row["prefix"]] = Rate(row["zone_id"], *micro)
    return found


class Book:
    """The platform in dictionaries."""

    def __init__(self, task: Task) -> None:
        self.numbers, self.users = intervals(rows(task, "numbers"), "number"), intervals(rows(task, "users"), "user_id")
        self.contracts = {
            row["customer_id"]: (ordinal(row["starts_on"]), ordinal(row["ends_on"])) for row in rows(task, "contracts")
        }
        self.kinds = {row["zone_id"]: row["kind"] for row in rows(task, "zones")}
        self.customer_decks = versions(rows(task, "customer_decks"), "customer_id")
        self.decks = {deck_id: sorted(of.items()) for deck_id, of in decks_of(task).items()}
        self.pools = defaultdict(list)
        for row in pools(task).iter_rows(named=True):
            self.pools[row["customer_id"]].append(Pool(row))

    def owner(self, outgoing: bool, user_id: str | None, number: str, day: int) -> dict[str, str] | None:
        """The row of the user or number that pays, None where nobody does."""
        found = (held(self.users, user_id, day) if outgoing and user_id else None) or held(self.numbers, number, day)
        if found is None:
            return None
        first, end = self.contracts[found["customer_id"]]
        return found if first <= day < end else None

    def rate(self, outgoing: bool, owner: dict[str, str], caller: str, callee: str, day: int) -> Rate | None:
        """The rate of a call, None where no deck knows it."""
        if outgoing:
            colleague = held(self.numbers, callee, day)
            if colleague and colleague["customer_id"] == owner["customer_id"]:
                return ONNET
            deck_id, destination = in_force(self.customer_decks[owner["customer_id"]], day)["deck_id"], callee
        elif owner["inbound_deck"]:
            deck_id, destination = owner["inbound_deck"], caller
        else:
            return INCOMING
        deck = in_force(self.decks[deck_id], day)
        if destination[0] != "+":
            return deck.get("=" + destination)
        for length in range(min(len(destination), LONGEST + 1), 1, -1):
            rate = deck.get(destination[1:length])
            if rate:
                return rate
        return None

    def drawn_s(self, owner: dict[str, str], zone_id: str, duration_s: int, day: int) -> int:
        """The seconds that a call draws from its customer's pools, in their order."""
        need_s, kind = duration_s, self.kinds[zone_id]
        for pool in self.pools.get(owner["customer_id"], ()):
            if not pool.left_s or pool.open_from > day or (pool.user_id and pool.user_id != owner["user_id"]):
                continue
            if (kind == "premium") if pool.zones is None else (zone_id not in pool.zones):
                continue
            drawn_s = min(need_s, pool.left_s)
            pool.left_s -= drawn_s
            need_s -= drawn_s
            if not need_s:
                break
        return duration_s - need_s


def in_force(of_key: list[tuple], day: int):  # noqa: ANN201 - a row or a deck
    """The version in force on a day."""
    return of_key[bisect_right(of_key, day, key=itemgetter(0)) - 1][1]


def rated_calls(calls: list[tuple], book: Book) -> Iterator[tuple]:
    """Each rated call: call_id, customer_id, user_id, zone_id, duration_s, pack_s, amount_cents."""
    for start_us, call_id, direction, caller, callee, duration_s, user_id in calls:
        day = EPOCH + (start_us + (HOUR_US if start_us >= WINTER_US else 2 * HOUR_US)) // DAY_US
        outgoing = direction != "incoming"
        owner = book.owner(outgoing, user_id, caller if outgoing else callee, day)
        rate = owner and book.rate(outgoing, owner, caller, callee, day)
        if rate is None:
            continue
        zone_id, micro_per_min, setup_micro = rate
        pack_s = amount_cents = 0
        if (micro_per_min or setup_micro) and book.kinds[zone_id] != "emergency":
            pack_s = book.drawn_s(owner, zone_id, duration_s, day)
            charged_s = duration_s - pack_s
            if charged_s:
                amount_cents = -(-(charged_s * micro_per_min + 60 * setup_micro) // 600_000)
        yield call_id, owner["customer_id"], owner["user_id"], zone_id, duration_s, pack_s, amount_cents


def rate_calls(task: Task) -> None:
    """Rate the month."""
    totals = defaultdict(lambda: [0, 0, 0])
    with (task.out / "rated.csv").open("w", newline="", encoding="utf-8") as file:
        write = csv.writer(file).writerow
        write(["call_id", "customer_id", "user_id", "zone_id", "duration_s", "pack_s", "amount_cents"])
        for call in rated_calls(accepted_calls(task), Book(task)):
            write(call)
            total = totals[call[1], call[3]]
            total[0] += 1
            total[1] += call[5]
            total[2] += call[6]
    with (task.out / "totals.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(TOTALS)
        writer.writerows([*key, *total] for key, total in sorted(totals.items()))


if __name__ == "__main__":
    rate_calls(task_given())

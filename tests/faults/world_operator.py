"""A tiny operator over two years, drawn from one seed: its tables change each month, its calls come late and dirty."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from tests.properties.world_cdrs import Calls, Cdr, broken, file_bytes, written
from tests.properties.world_tables import (
    ALWAYS,
    AMOUNTS,
    COLUMNS,
    PACK_SCOPES,
    PREFIXES,
    PRODUCTS,
    ZONES,
    Row,
    Seen,
    Tables,
    plus_months,
)
from tests.properties.worlds import World, draw_nows, draw_settings
from tests.second_reading.reading import Month

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

MONTHS = 24
FIRSTS = [date(2024, 1, 1), date(2025, 7, 1), date(2026, 2, 1), date(2026, 10, 1)]
NAMES = ["ACME", "b.2", "B-1", "a1"]
CALLS_PER_MONTH = 10
LATEST_DAYS = 400
USER_PRODUCTS = [product_id for product_id, kind in PRODUCTS.items() if kind == "user"]
NUMBER_PRODUCTS = ["N1", "N2", ""]
TAKEN = ["PK1", "PK1", "PK3", "OP1"]
FORMS = {"BE": "+3242270{:03d}", "FR": "+3317000{:04d}", "GB": "+4420790{:05d}"}


def draw_operator(seed: int, months: int = MONTHS) -> World:
    """The same two years for the same seed, on any machine."""
    rng = random.Random(f"operator {seed}")
    first = rng.choice(FIRSTS)
    starts = [plus_months(first, number) for number in range(months)]
    periods = [start.isoformat()[:7] for start in starts]
    operator = Operator(rng)
    operator.begin(first)
    platforms = []
    for start in starts:
        operator.live(start)
        platforms.append({table: [dict(row) for row in rows] for table, rows in operator.rows.items()})
    nows = draw_nows(rng, periods)
    delivered = deliver(rng, draw_calls(rng, operator, starts), nows)
    given = [
        Month(period, now.isoformat().replace("+00:00", "Z"), platform, files)
        for period, now, platform, files in zip(periods, nows, platforms, delivered, strict=True)
    ]
    return World(seed, draw_settings(rng, periods), given)


@dataclass
class Operator:
    """What the platform knows, and how a month changes it; what was once told is changed by its end alone."""

    rng: Random
    rows: dict[str, list[Row]] = field(default_factory=lambda: {name: [] for name in COLUMNS})
    named: int = 0

    def begin(self, first: date) -> None:
        """A price book, and who was a customer before the first month that is run."""
        self.rows["products"] = [
            {"product_id": product_id, "kind": kind, "label_fr": product_id} for product_id, kind in PRODUCTS.items()
        ]
        self.rows["zones"] = [{"zone_id": zone, "kind": kind, "label_fr": zone} for zone, kind in ZONES.items()]
        for product_id in PRODUCTS:
            self.add("prices", product_id=product_id, unit_price=self.rng.choice(AMOUNTS), **at(ALWAYS))
        for deck_id in ("D1", "IN1"):
            self.add_deck(deck_id, at(ALWAYS))
        for product_id, scope in PACK_SCOPES.items():
            if product_id != "PK2":  # its pools are users', whose subscriptions name them
                self.add_pack(product_id, scope, at(ALWAYS))
        for _ in range(2):
            self.customer_comes(plus_months(first, -self.rng.choice([0, 1, 5])))
        for _ in range(4):
            self.users_come(plus_months(first, -2))
            self.number_comes(plus_months(first, -self.rng.choice([1, 11])))

    def live(self, start: date) -> None:
        """A month of changes."""
        changes: list[Callable[[date], None]] = [
            self.users_come, self.users_come, self.user_goes, self.user_goes, self.users_go, self.user_moves,
            self.number_comes, self.number_goes, self.number_moves, self.subscription_comes, self.subscription_goes,
            self.price_changes, self.own_price_changes, self.deck_changes, self.pack_changes, self.charge, self.charge,
            self.credit, self.suspension, self.customer_comes, self.contract_ends,
        ]  # fmt: skip
        for change in self.rng.sample(changes, self.rng.randint(1, 5)):
            change(start)

    def add(self, table: str, **cells: str) -> Row:
        row = dict.fromkeys(COLUMNS[table].split(), "") | cells
        self.rows[table].append(row)
        return row

    def day(self, start: date) -> date:
        """A day of this month mostly, of one before or after at times."""
        month = plus_months(start, self.rng.choice([0, 0, 0, 0, -1, -3, 1]))
        last = plus_months(month, 1) - timedelta(days=1)
        return month.replace(day=self.rng.choice([1, 1, 2, 15, last.day, self.rng.randint(1, last.day)]))

    def some_customer(self) -> str:
        return self.rng.choice([row["customer_id"] for row in self.rows["customers"]])

    def open_rows(self, table: str, day: date, key: str = "active") -> list[Row]:
        """Those that began before a day and have no end yet."""
        return [row for row in self.rows[table] if not row[f"{key}_to"] and row[f"{key}_from"] < str(day)]

    def customer_comes(self, start: date) -> None:
        known = len(self.rows["customers"])
        if known == len(NAMES):
            return
        customer_id, rng = NAMES[known], self.rng
        begins = str(self.day(start))
        self.add(
            "customers", customer_id=customer_id, name=f"{customer_id} SA", street="Rue du Pont 1", postal_code="4000",
            city="Liège", country="BE", language=rng.choice(["fr", "nl", "de", "en"]),
            vat_category=rng.choice(["", "S", "AE"]),
        )  # fmt: skip
        payment_days = rng.choice(["", "14"])
        self.add(
            "contracts", contract_id=f"K-{customer_id}", customer_id=customer_id, starts_on=begins,
            payment_days=payment_days,
        )  # fmt: skip
        self.add("customer_decks", customer_id=customer_id, deck_id="D1", **at(ALWAYS))
        if rng.random() < 0.5:
            self.add("contract_items", contract_id=f"K-{customer_id}", product_id="U1", quantity="3")
        self.add_user(customer_id, "U1", begins)
        self.add_number(customer_id, "BE", begins)

    def contract_ends(self, start: date) -> None:
        lasting = [row for row in self.rows["contracts"] if not row["ends_on"]]
        ends_on = self.day(start)
        if len(lasting) > 1 and self.rng.random() < 0.3:
            contract = self.rng.choice(lasting)
            if contract["starts_on"] < str(ends_on):
                contract["ends_on"] = str(ends_on)

    def add_user(self, customer_id: str, product_id: str, active_from: str) -> None:
        self.named += 1
        self.add(
            "users", user_id=f"u{self.named}", customer_id=customer_id, product_id=product_id, active_from=active_from
        )

    def users_come(self, start: date) -> None:
        customer_id, day = self.some_customer(), str(self.day(start))
        for _ in range(self.rng.choice([1, 1, 2, 6])):
            self.add_user(customer_id, self.rng.choice(USER_PRODUCTS), day)

    def user_goes(self, start: date) -> None:
        self.end_some("users", self.day(start), 1)

    def users_go(self, start: date) -> None:
        self.end_some("users", self.day(start), 5)

    def user_moves(self, start: date) -> None:
        day = self.day(start)
        for row in self.end_some("users", day, 1):
            customer_id = row["customer_id"] if self.rng.random() < 0.8 else self.some_customer()
            back = day + timedelta(days=self.rng.choice([0, 0, 3, 40]))
            product_id = self.rng.choice(USER_PRODUCTS)
            self.add(
                "users", user_id=row["user_id"], customer_id=customer_id, product_id=product_id, active_from=str(back)
            )

    def end_some(self, table: str, day: date, count: int) -> list[Row]:
        """End up to so many rows on a day; gives those."""
        found = self.open_rows(table, day)
        ended = self.rng.sample(found, min(count, len(found)))
        for row in ended:
            row["active_to"] = str(day)
        return ended

    def add_number(self, customer_id: str, country: str, active_from: str) -> None:
        self.named += 1
        users = [row["user_id"] for row in self.rows["users"] if row["customer_id"] == customer_id]
        self.add(
            "numbers", number=FORMS[country].format(self.named), customer_id=customer_id, country=country,
            active_from=active_from, user_id=self.rng.choice(["", *users]),
            product_id=self.rng.choice(NUMBER_PRODUCTS), inbound_deck=self.rng.choice(["", "", "IN1"]),
        )  # fmt: skip

    def number_comes(self, start: date) -> None:
        self.add_number(self.some_customer(), self.rng.choice(["BE", "FR", "GB"]), str(self.day(start)))

    def number_goes(self, start: date) -> None:
        self.end_some("numbers", self.day(start), 1)

    def number_moves(self, start: date) -> None:
        day = self.day(start)
        for row in self.end_some("numbers", day, 1):
            again = day + timedelta(days=self.rng.choice([0, 0, 20, 200]))
            moved = {"customer_id": self.some_customer(), "active_from": str(again), "active_to": "", "user_id": ""}
            self.add("numbers", **(row | moved))

    def subscription_comes(self, start: date) -> None:
        self.named += 1
        self.add(
            "subscriptions", subscription_id=f"S{self.named}", customer_id=self.some_customer(),
            product_id=self.rng.choice(TAKEN), quantity=self.rng.choice(["1", "2", "0.5"]),
            active_from=str(self.day(start)),
        )  # fmt: skip

    def subscription_goes(self, start: date) -> None:
        self.end_some("subscriptions", self.day(start), 1)

    def version(self, table: str, start: date, **key: str) -> Row | None:
        """The dates of a later version, told in time; None where there is one as late already."""
        effective = plus_months(start, self.rng.choice([2, 3])) + timedelta(days=self.rng.choice([0, 0, 11]))
        known = [row for row in self.rows[table] if all(row[name] == text for name, text in key.items())]
        if any(row["effective_from"] >= str(effective) for row in known):
            return None
        notified = effective - timedelta(days=self.rng.choice([30, 31]))
        return {"effective_from": str(effective), "notified_on": str(notified)}

    def price_changes(self, start: date) -> None:
        key = {"product_id": self.rng.choice(list(PRODUCTS)), "customer_id": ""}
        if dates := self.version("prices", start, **key):
            self.add("prices", unit_price=self.rng.choice(AMOUNTS), **key, **dates)

    def own_price_changes(self, start: date) -> None:
        key = {"product_id": self.rng.choice(list(PRODUCTS)), "customer_id": self.some_customer()}
        if dates := self.version("prices", start, **key):
            self.add("prices", unit_price=self.rng.choice(AMOUNTS), **key, **dates)

    def deck_changes(self, start: date) -> None:
        deck_id = self.rng.choice(["D1", "IN1"])
        if dates := self.version("rates", start, deck_id=deck_id):
            self.add_deck(deck_id, dates)

    def add_deck(self, deck_id: str, dates: Row) -> None:
        for prefix, zone_id in PREFIXES.items():
            priced = ZONES[zone_id] != "free"
            price = self.rng.choice(AMOUNTS[:6]) if priced else "0"
            setup = self.rng.choice(["", "0.1"]) if priced else ""
            if self.rng.random() < 0.95:
                self.add(
                    "rates", deck_id=deck_id, prefix=prefix, zone_id=zone_id, price_per_minute=price, setup_fee=setup,
                    **dates,
                )  # fmt: skip

    def pack_changes(self, start: date) -> None:
        product_id = self.rng.choice([product_id for product_id in PACK_SCOPES if product_id != "PK2"])
        if dates := self.version("packs", start, product_id=product_id):
            self.add_pack(product_id, PACK_SCOPES[product_id], dates)

    def add_pack(self, product_id: str, scope: str, dates: Row) -> None:
        self.add(
            "packs", product_id=product_id, scope=scope, zones=self.rng.choice(["*", "BEF;BEM", "BEM;FRM;INT"]),
            included_minutes=self.rng.choice(["", "1", "5", "60"]), priority=self.rng.choice(["1", "2"]), **dates,
        )  # fmt: skip

    def charge(self, start: date) -> None:
        self.named += 1
        self.add(
            "charges", charge_id=f"ch{self.named}", customer_id=self.some_customer(), date=str(self.day(start)),
            description="Téléphone", quantity=self.rng.choice(["1", "0.5"]), unit_price=self.rng.choice(AMOUNTS),
        )  # fmt: skip

    def credit(self, start: date) -> None:
        self.named += 1
        self.add(
            "credits", credit_id=f"cr{self.named}", customer_id=self.some_customer(), date=str(self.day(start)),
            description="Geste", amount=self.rng.choice(["0.01", "5", "999.99"]),
        )  # fmt: skip

    def suspension(self, start: date) -> None:
        customer_id, day = self.some_customer(), str(self.day(start))
        if customer_id not in [row["customer_id"] for row in self.rows["suspensions"]]:
            self.add("suspensions", customer_id=customer_id, suspended_from=day)


def at(day: str) -> Row:
    """The dates of a first version."""
    return {"effective_from": day, "notified_on": day}


def draw_calls(rng: Random, operator: Operator, starts: list[date]) -> list[Cdr]:
    """Calls around each month, by those who had numbers then."""
    rows = {table: [Seen(row) for row in found] for table, found in operator.rows.items()}
    source = Calls(rng, Tables(rng, [start.isoformat()[:7] for start in starts], rows))
    calls = []
    for place, start in enumerate(starts):
        source.first = plus_months(start, -1)
        calls += [source.cdr(f"{rng.randint(0, 999)}-{place}-{number}") for number in range(CALLS_PER_MONTH)]
    return calls


def deliver(rng: Random, calls: list[Cdr], nows: list[datetime]) -> list[list[tuple[str, bytes]]]:
    """The files of each run: a call on time or up to 400 days late, once or twice, whole or broken."""
    given: list[list[Cdr]] = [[] for _ in nows]
    for call in calls:
        late = timedelta(days=rng.randint(1, LATEST_DAYS)) if rng.random() < 0.25 else timedelta()
        early = timedelta(days=40) if rng.random() < 0.02 else timedelta()
        runs = [run for run, now in enumerate(nows) if datetime.fromisoformat(call["at"]) + late - early <= now]
        if not runs:
            continue
        fate = rng.random()
        given[runs[0]].append(broken(rng, written(rng, call)) if fate < 0.05 else written(rng, call))
        if fate > 0.9:
            again = call | {"duration_s": "777"} if fate > 0.95 else call
            given[rng.choice(runs)].append(written(rng, again))
    return pack_files(rng, given)


def pack_files(rng: Random, given: list[list[Cdr]]) -> list[list[tuple[str, bytes]]]:
    """Two or three files a run, in the order in which they are named; at times a part of an old one, or all of it."""
    files: list[list[tuple[str, bytes]]] = []
    for cdrs in given:
        rng.shuffle(cdrs)
        parts = rng.choice([1, 2])
        found = [(f"{part}.csv", file_bytes(rng, cdrs[part::parts])) for part in range(parts)]
        earlier = [content for before in files for _, content in before]
        if earlier and rng.random() < 0.4:
            lines = rng.choice(earlier).splitlines(keepends=True)
            found.append(("again.csv", b"".join([lines[0], *lines[1 : rng.randint(1, len(lines))]])))
        files.append(found)
    return files

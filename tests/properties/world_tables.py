"""Random platform tables that are valid and change from month to month, as hostile as the format allows."""

from __future__ import annotations

import calendar
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random

Row = dict[str, str]
ALWAYS = "2015-01-01"
COLUMNS = {
    "customers": "customer_id name street postal_code city country language vat_category",
    "contracts": "contract_id customer_id starts_on ends_on payment_days",
    "contract_items": "contract_id product_id quantity",
    "customer_decks": "customer_id deck_id effective_from notified_on",
    "users": "user_id customer_id product_id active_from active_to",
    "numbers": "number customer_id country active_from active_to user_id product_id inbound_deck",
    "subscriptions": "subscription_id customer_id product_id quantity active_from active_to user_id",
    "products": "product_id kind label_fr",
    "prices": "product_id customer_id unit_price effective_from notified_on",
    "packs": "product_id scope zones included_minutes priority effective_from notified_on",
    "zones": "zone_id kind label_fr",
    "rates": "deck_id prefix zone_id price_per_minute setup_fee first_increment_s increment_s "
    "effective_from notified_on",
    "charges": "charge_id customer_id date description quantity unit_price product_id",
    "credits": "credit_id customer_id date description amount",
    "suspensions": "customer_id suspended_from suspended_to",
}
PRODUCTS = {
    "U1": "user",
    "U2": "user",
    "U3": "user",
    "N1": "number",
    "N2": "number",
    "PK1": "pack",
    "PK2": "pack",
    "PK3": "option",
    "OP1": "option",
    "HW": "one_off",
}
PACK_SCOPES = {"PK1": "customer", "PK2": "user", "PK3": "customer", "U2": "user", "U3": "customer"}
ZONES = {
    "BEF": "national_fixed",
    "BEM": "national_mobile",
    "FRF": "international",
    "FRM": "international",
    "INT": "international",
    "SPC": "special",
    "PRM": "premium",
    "FRE": "free",
    "SOS": "emergency",
}
PREFIXES = {
    "32": "BEF",
    "324": "BEM",
    "3242": "BEF",
    "3247": "BEM",
    "32471": "FRM",
    "32800": "FRE",
    "3290": "PRM",
    "32907": "PRM",
    "33": "FRF",
    "336": "FRM",
    "3367": "BEM",
    "1": "INT",
    "44": "INT",
    "4479": "SPC",
    "=112": "SOS",
    "=101": "SOS",
    "=1207": "SPC",
    "=2580": "PRM",
    "=anonymous": "SPC",
}
AMOUNTS = ["0", "0.000001", "0.05", "0.0833", "1", "1.5", "9.99", "12.345678", "31", "100"]


@dataclass
class Seen:
    """A row of a table, and in which of the three runs it, and its end, can be seen."""

    row: Row
    since: int = 0
    end_since: int = 0
    until: int = 9

    def at(self, run: int) -> Row | None:
        if not self.since <= run <= self.until:
            return None
        row = dict(self.row)
        for end in ("active_to", "ends_on"):
            if end in row and run < self.end_since:
                row[end] = ""
        return row


@dataclass
class Tables:
    rng: Random
    periods: list[str]
    rows: dict[str, list[Seen]] = field(default_factory=lambda: {name: [] for name in COLUMNS})
    customer_since: dict[str, int] = field(default_factory=dict)

    def add(self, table: str, row: Row, **seen: int) -> None:
        self.rows[table].append(Seen(row, **seen))

    def month_starts(self) -> list[date]:
        return [date.fromisoformat(period + "-01") for period in self.periods]

    def day(self, first: int, last: int) -> date:
        """A day in one of the months from `first` to `last` (0 is the first run's), often a boundary."""
        start = plus_months(self.month_starts()[0], self.rng.randint(first, last))
        length = calendar.monthrange(start.year, start.month)[1]
        number = self.rng.choice([1, 1, 2, 15, length, length, self.rng.randint(1, length)])
        return start.replace(day=number)

    def late(self) -> int:
        """The run in which something first shows: mostly the first."""
        return self.rng.choice([0, 0, 0, 0, 0, 1, 2])

    def at(self, run: int) -> dict[str, list[Row]]:
        tables = {name: [row for seen in rows if (row := seen.at(run)) is not None] for name, rows in self.rows.items()}
        users = {(row["user_id"], row["customer_id"]) for row in tables["users"]}
        for row in tables["numbers"]:
            if (row["user_id"], row["customer_id"]) not in users:
                row["user_id"] = ""
        tables["subscriptions"] = [
            row
            for row in tables["subscriptions"]
            if not row["user_id"] or (row["user_id"], row["customer_id"]) in users
        ]
        return tables


def plus_months(day: date, months: int) -> date:
    count = day.year * 12 + day.month - 1 + months
    year, month = divmod(count, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def notice(tables: Tables, effective_from: date) -> str:
    """A day of notice early enough, now and then to the day."""
    return str(effective_from - timedelta(days=tables.rng.choice([30, 30, 31, 90])))


def draw_tables(rng: Random, periods: list[str], *, increments: bool) -> Tables:
    tables = Tables(rng, periods)
    for product_id, kind in PRODUCTS.items():
        tables.add("products", {"product_id": product_id, "kind": kind, "label_fr": f"Produit, {product_id}"})
    for zone_id, kind in ZONES.items():
        tables.add("zones", {"zone_id": zone_id, "kind": kind, "label_fr": f"« {zone_id} »"})
    customers = ["ACME", "b.2", "B-1", "a1", "Z9", "acme"][: rng.randint(2, 6)]
    for customer_id in customers:
        add_customer(tables, customer_id)
    add_prices(tables, customers)
    add_packs(tables)
    for deck_id in ("D1", "D2", "IN1"):
        add_deck(tables, deck_id, increments=increments)
    add_users(tables, customers)
    add_numbers(tables, customers)
    add_numbers_that_outlive_contracts(tables)
    add_subscriptions(tables, customers)
    add_amounts(tables, customers)
    return tables


def add_customer(tables: Tables, customer_id: str) -> None:
    rng = tables.rng
    starts_on = tables.day(*rng.choice([(-70, -20), (-40, -15), (-16, -1), (-4, -1), (-1, 0), (0, 2), (0, 2)]))
    runs = tables.month_starts()
    since = rng.choice([0, 0, 0, 0, 0, 0, 1, 2])
    ends_on: date | None = None
    end_since = since
    if rng.random() < 0.35:
        ends_on = rng.choice([tables.day(0, 3), tables.day(-1, 3), starts_on + timedelta(days=rng.randint(1, 30))])
        if ends_on <= starts_on or (since and ends_on <= runs[since]):
            ends_on = None
    if ends_on:
        may_be_new = [run for run in range(since, 3) if runs[run] < ends_on] or [since]
        end_since = rng.choice(may_be_new)
    tables.customer_since[customer_id] = since
    tables.add(
        "customers",
        {
            "customer_id": customer_id,
            "name": f'Société "{customer_id}", SA',
            "street": "Rue du Pont 1",
            "postal_code": "4000",
            "city": "Liège",
            "country": "BE",
            "language": rng.choice(["fr", "nl", "de", "en"]),
            "vat_category": rng.choice(["", "", "S", "AE", "K", "G", "E"]),
        },
        since=since,
    )
    tables.add(
        "contracts",
        {
            "contract_id": f"K-{customer_id}",
            "customer_id": customer_id,
            "starts_on": str(starts_on),
            "ends_on": str(ends_on or ""),
            "payment_days": rng.choice(["", "", "14", "60"]),
        },
        since=since,
        end_since=end_since,
    )
    for product_id in PRODUCTS:
        if rng.random() < 0.3:
            quantity = str(rng.choice([1, 2, 3, 5, 12]))
            row = {"contract_id": f"K-{customer_id}", "product_id": product_id, "quantity": quantity}
            tables.add("contract_items", row, since=since)
    add_customer_decks(tables, customer_id, since)


def add_customer_decks(tables: Tables, customer_id: str, since: int) -> None:
    """A first deck, now and then one that is entered late; perhaps another from some day on."""
    rng = tables.rng
    first = date.fromisoformat(ALWAYS) if rng.random() < 0.85 else tables.day(-1, 1)
    shown = max(since, tables.late())
    row = {"customer_id": customer_id, "deck_id": rng.choice(["D1", "D1", "D2"])}
    row |= {"effective_from": str(first), "notified_on": str(first)}
    tables.add("customer_decks", row, since=shown)
    if rng.random() < 0.4:
        second = tables.day(0, 2)
        if second > first:
            row = {"customer_id": customer_id, "deck_id": rng.choice(["D1", "D2"])}
            row |= {"effective_from": str(second), "notified_on": notice(tables, second)}
            tables.add("customer_decks", row, since=max(shown, tables.late()))


def add_prices(tables: Tables, customers: list[str]) -> None:
    rng = tables.rng
    for product_id in PRODUCTS:
        add_price_versions(tables, product_id, "", date.fromisoformat(ALWAYS), 0)
        for customer_id in customers:
            if rng.random() < 0.15:
                first = rng.choice([date.fromisoformat("2016-05-03"), tables.day(-3, 2)])
                add_price_versions(tables, product_id, customer_id, first, tables.customer_since[customer_id])


def add_price_versions(tables: Tables, product_id: str, customer_id: str, first: date, since: int) -> None:
    rng = tables.rng
    row = {"product_id": product_id, "customer_id": customer_id, "unit_price": rng.choice(AMOUNTS)}
    row |= {"effective_from": str(first), "notified_on": str(first)}
    tables.add("prices", row, since=since)
    for second in sorted({tables.day(-3, 3) for _ in range(rng.choice([0, 0, 1, 2]))}):
        if second > first:
            row = row | {"unit_price": rng.choice(AMOUNTS)}
            row |= {"effective_from": str(second), "notified_on": notice(tables, second)}
            tables.add("prices", row, since=max(since, tables.late()))


def add_packs(tables: Tables) -> None:
    rng = tables.rng
    for product_id, scope in PACK_SCOPES.items():
        if rng.random() < 0.2:
            continue
        days = {rng.choice([date.fromisoformat(ALWAYS), tables.day(-1, 1)])}
        days |= {tables.day(-1, 3) for _ in range(rng.choice([0, 1, 2]))}
        for number, day in enumerate(sorted(days)):
            zones = rng.choice(["*", "*", "BEF;BEM", "BEM;FRM;INT", "PRM;BEF;SPC", "FRF"])
            row = {
                "product_id": product_id,
                "scope": scope,
                "zones": zones,
                "included_minutes": rng.choice(["", "0", "1", "5", "17", "60", "1000"]),
                "priority": str(rng.choice([1, 1, 2, 3])),
                "effective_from": str(day),
                "notified_on": notice(tables, day),
            }
            tables.add("packs", row, since=tables.late() if number else 0)


def add_deck(tables: Tables, deck_id: str, *, increments: bool) -> None:
    rng = tables.rng
    days = {date.fromisoformat(ALWAYS)} | {tables.day(-1, 2) for _ in range(rng.choice([0, 1, 2, 3]))}
    for number, day in enumerate(sorted(days)):
        shown = tables.late() if number else 0
        for prefix, zone_id in PREFIXES.items():
            if rng.random() < 0.12:
                continue
            free = ZONES[zone_id] == "free"
            steps = rng.choice([("60", "1"), ("60", "60"), ("30", "6"), ("", "")]) if increments else ("", "1")
            row = {
                "deck_id": deck_id,
                "prefix": prefix,
                "zone_id": zone_id,
                "price_per_minute": "0" if free else rng.choice(["0.05", *AMOUNTS[:6], "100000"]),
                "setup_fee": "" if free else rng.choice(["", "", "0", "0.1", "0.000001", "2.5"]),
                "first_increment_s": steps[0],
                "increment_s": steps[1],
                "effective_from": str(day),
                "notified_on": notice(tables, day),
            }
            tables.add("rates", row, since=shown)


def chain(tables: Tables, customers: list[str], gaps: list[int], change_customer: float) -> list[Seen]:
    """Consecutive intervals of one user or number, each seen no earlier than the end of the one before."""
    rng = tables.rng
    start = tables.day(*rng.choice([(-16, -10), (-13, -11), (-6, 0), (0, 2), (-3, 3)]))
    if tables.periods[0] == "2025-01" and rng.random() < 0.2:
        start = date(2024, 2, 29)
    customer_id = rng.choice(customers)
    shown = 0
    links: list[Seen] = []
    for _ in range(rng.choice([1, 1, 2, 3, 4])):
        shown = max(shown, tables.customer_since[customer_id], tables.late())
        link = Seen({"customer_id": customer_id, "active_from": str(start), "active_to": ""}, shown, shown)
        links.append(link)
        if rng.random() < 0.4:
            break
        end = rng.choice([tables.day(-2, 3), start + timedelta(days=rng.choice([1, 5, 20, 31, 90, 300]))])
        if end <= start:
            break
        shown = max(shown, tables.late())
        link.row["active_to"], link.end_since = str(end), shown
        start = end + timedelta(days=rng.choice(gaps))
        if rng.random() < change_customer:
            customer_id = rng.choice(customers)
    if rng.random() < 0.06:
        links[-1].until = rng.choice([0, 1])
    return links


def add_users(tables: Tables, customers: list[str]) -> None:
    rng = tables.rng
    for number in range(rng.choice([0, 3, 10, 20, 40])):
        favourite = rng.choice(["U1", "U2", "U3"])
        for link in chain(tables, customers, [0, 0, 0, 3, 20, 45], 0.15):
            product_id = favourite if rng.random() < 0.6 else rng.choice(["U1", "U2", "U3"])
            link.row = {"user_id": f"user{number}", "product_id": product_id} | link.row
            tables.rows["users"].append(link)
    for customer_id in customers:
        add_leavers(tables, customer_id)


def add_leavers(tables: Tables, customer_id: str) -> None:
    """A group that comes together and leaves together, so that a tenth is soon passed."""
    rng = tables.rng
    since = tables.customer_since[customer_id]
    for group in range(rng.choice([0, 1, 2, 3])):
        start = rng.choice([date.fromisoformat("2019-03-01"), tables.day(-6, 1)])
        end = rng.choice([None, tables.day(-5, 3), tables.day(0, 2)])
        if end and end <= start:
            end = None
        product_id = rng.choice(["U1", "U2", "U3"])
        shown = max(since, tables.late())
        for number in range(rng.choice([1, 4, 9, 10, 11, 25])):
            row = {"user_id": f"{customer_id}-g{group}-{number}", "customer_id": customer_id}
            row |= {"product_id": product_id, "active_from": str(start), "active_to": str(end or "")}
            tables.add("users", row, since=since, end_since=shown)


def add_numbers(tables: Tables, customers: list[str]) -> None:
    rng = tables.rng
    ours: dict[str, list[str]] = {seen.row["customer_id"]: [] for seen in tables.rows["customers"]}
    for seen in tables.rows["users"]:
        ours[seen.row["customer_id"]].append(seen.row["user_id"])
    abroad = {"FR": "+3317000{:04d}", "GB": "+4420790{:05d}", "US": "+1212555{:04d}"}
    for place in range(rng.randint(3, 22)):
        country = rng.choice(["BE", "BE", *abroad])
        if country == "BE":
            number = rng.choice(["+3242270{:03d}", "+32471000{:03d}", "+32800100{:02d}"]).format(place)
        else:
            number = abroad[country].format(place)
        favourite = rng.choice(["N1", "N2", ""])
        for link in chain(tables, customers, [0, 0, 3, 40, 200, 380], 0.3):
            users = ours[link.row["customer_id"]]
            link.row = {
                "number": number,
                "country": country,
                "user_id": rng.choice(users) if users and rng.random() < 0.6 else "",
                "product_id": favourite if rng.random() < 0.7 else rng.choice(["N1", "N2", ""]),
                "inbound_deck": "IN1" if rng.random() < 0.25 else "",
            } | link.row
            tables.rows["numbers"].append(link)


def add_numbers_that_outlive_contracts(tables: Tables) -> None:
    """Numbers from abroad whose twelve months end around the end of a contract."""
    rng = tables.rng
    for place, seen in enumerate(tables.rows["contracts"]):
        if not seen.row["ends_on"] or rng.random() < 0.4:
            continue
        ends_on = date.fromisoformat(seen.row["ends_on"])
        start = plus_months(ends_on, -12) + timedelta(days=rng.choice([-3, 0, 1, 3, 5, 12, 40]))
        row = {
            "number": f"+4930900{place:04d}",
            "customer_id": seen.row["customer_id"],
            "country": "DE",
            "active_from": str(start),
            "active_to": "",
            "user_id": "",
            "product_id": rng.choice(["N1", "N2"]),
            "inbound_deck": "",
        }
        tables.add("numbers", row, since=seen.since)


def add_subscriptions(tables: Tables, customers: list[str]) -> None:
    rng = tables.rng
    for number in range(rng.randint(0, 14)):
        product_id = rng.choice(["PK1", "PK1", "PK2", "PK3", "OP1"])
        customer_id = rng.choice(customers)
        users = [s.row["user_id"] for s in tables.rows["users"] if s.row["customer_id"] == customer_id]
        if product_id == "PK2" and not users:
            continue
        start = tables.day(-6, 3)
        end = rng.choice([None, tables.day(0, 3)])
        if end and end <= start:
            end = None
        since = max(tables.customer_since[customer_id], tables.late())
        row = {
            "subscription_id": f"S{number}",
            "customer_id": customer_id,
            "product_id": product_id,
            "quantity": rng.choice(["1", "2", "0.5", "2.75", "0.333333", "10"]),
            "active_from": str(start),
            "active_to": str(end or ""),
            "user_id": rng.choice(users) if product_id == "PK2" else "",
        }
        tables.add("subscriptions", row, since=since, end_since=max(since, tables.late()))


def add_amounts(tables: Tables, customers: list[str]) -> None:
    rng = tables.rng
    for customer_id in customers:
        since = tables.customer_since[customer_id]
        for number in range(rng.choice([0, 0, 1, 3])):
            row = {
                "charge_id": f"ch-{customer_id}-{number}",
                "customer_id": customer_id,
                "date": str(tables.day(-1, 3)),
                "description": "=Téléphone, noir",
                "quantity": rng.choice(["1", "3", "0.5", "1.333333"]),
                "unit_price": rng.choice([*AMOUNTS, "0.335", "2500"]),
                "product_id": rng.choice(["", "HW"]),
            }
            tables.add("charges", row, since=max(since, tables.late()))
        for number in range(rng.choice([0, 0, 1, 3])):
            row = {"credit_id": f"cr-{customer_id}-{number}", "customer_id": customer_id}
            row |= {"date": str(tables.day(-1, 3)), "description": "Geste commercial"}
            row |= {"amount": rng.choice(["0.01", "5.00", "33.3", "250", "99999.99"])}
            tables.add("credits", row, since=max(since, tables.late()))
        if rng.random() < 0.3:
            row = {"customer_id": customer_id, "suspended_from": str(tables.day(-1, 2)), "suspended_to": ""}
            tables.add("suspensions", row, since=max(since, tables.late()))

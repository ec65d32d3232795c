"""The sample's customers and what they have: contracts, users, numbers, packs, amounts of once.

The tables change from month to month: a row has the month whose tables show it first and, where it ends,
the month whose tables show the end. A month is 0, 1 or 2 for September to November 2026. Every company,
person and street is invented.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sample_book import Rows

# A row of text whose last field is the month that knows it first.
Row = tuple[str, str, str, *tuple[str, ...], int]

OPEN = ""
SEPTEMBER, OCTOBER, NOVEMBER = range(3)

# Enterprise numbers 1999.xxx.xxx are far from being handed out; their check digits are right.
_CUSTOMERS = [
    "C001|Ateliers Grivegnard SA|Rue des Forgeurs-Réunis 118|4020|Liège|BE|fr|BE1999000249|S|0",
    "C002|Clinique Notre-Dame des Tiennes ASBL|Chemin des Tiennes 7|5000|Namur|BE|fr|BE1999000348|S|0",
    "C003|Hohvenn Holzbau GmbH|Am Torfstich 14|4700|Eupen|BE|de|BE1999000447|S|0",
    "C004|Scheldewiek Logistics NV|Blauwe Kraankaai 31|2030|Antwerpen|BE|nl|BE1999000546|S|0",
    "C005|Leiebocht Architecten BV|Vlasrotersstraat 22|9000|Gent|BE|nl|BE1999000645|S|1",
    "C006|Transports Meuse-Samson SRL|Route des Fours à Chaux 5|5300|Andenne|BE|fr|BE1999000744||0",
    "C007|Claire Hanquinet|Ruelle des Tanneurs-d'Eau 3|5000|Namur|BE|fr||S|0",
    "C008|Moselfracht Luxembourg S.à r.l.|12, Montée des Vignerons|L-1299|Luxembourg|LU|fr|LU19990107|AE|0",
    "C009|European Canal Heritage Association AISBL|Rue du Batelier 44|1000|Bruxelles|BE|en|BE1999000843|S|0",
    "C010|Boulangerie Tarte & Levain SRL|Rue des Raines-Neuves 9|4800|Verviers|BE|fr|BE1999000942|S|0",
    "C011|Librairie La Page Cornée SRL|Rue des Raines-Neuves 11|4800|Verviers|BE|fr|BE1999001041|S|0",
    "C012|Brasserie de la Hoëgne SRL|Place du Perron-Vert 2|4910|Theux|BE|fr|BE1999001140|S|2",
]
# contract, customer, first day, term, day after the last, payment days, first month shown
_CONTRACTS: list[Row] = [
    ("K-2024-014", "C001", "2024-03-01", "60", OPEN, "", SEPTEMBER),
    ("K-2023-002", "C002", "2023-01-01", "60", OPEN, "45", SEPTEMBER),
    ("K-2025-007", "C003", "2025-02-01", "36", OPEN, "", SEPTEMBER),
    ("K-2023-021", "C004", "2023-05-01", "60", OPEN, "", SEPTEMBER),
    ("K-2026-030", "C005", "2026-10-10", "60", OPEN, "", OCTOBER),
    ("K-2022-044", "C006", "2022-11-16", "48", "2026-11-16", "", SEPTEMBER),
    ("K-2025-019", "C007", "2025-06-01", "", "2026-11-01", "", SEPTEMBER),
    ("K-2026-027", "C008", "2026-09-15", "60", OPEN, "", SEPTEMBER),
    ("K-2024-001", "C009", "2024-01-01", "60", OPEN, "", SEPTEMBER),
    ("K-2025-001", "C010", "2025-01-01", "60", OPEN, "", SEPTEMBER),
    ("K-2023-050", "C011", "2023-10-31", "36", "2026-10-31", "", SEPTEMBER),
    ("K-2026-041", "C012", "2026-12-01", "60", OPEN, "", NOVEMBER),
]
_CONTRACT_ITEMS: list[Row] = [
    ("K-2024-014", "user-standard", "66", SEPTEMBER),
    ("K-2024-014", "user-team", "44", SEPTEMBER),
    ("K-2026-030", "user-standard", "8", OCTOBER),
    ("K-2026-030", "user-basic", "4", OCTOBER),
    # The platform has one Belgian number of this customer: the run says so and bills the platform.
    ("K-2026-030", "number-be", "2", OCTOBER),
    ("K-2026-027", "user-premium", "6", SEPTEMBER),
]


@dataclass(frozen=True)
class Span:
    """An interval of a user, number or subscription, and since which month the tables tell of it."""

    key: str
    customer_id: str
    product_id: str
    active_from: str
    active_to: str = OPEN
    seen: int = SEPTEMBER
    end_seen: int = SEPTEMBER
    user_id: str = ""
    country: str = "BE"
    inbound_deck: str = ""
    quantity: str = ""

    def end(self, month: int) -> str:
        """The end as that month's tables have it."""
        return self.active_to if self.end_seen <= month else OPEN

    def holds(self, day: str) -> bool:
        """Whether the interval holds the day, all being known."""
        return self.active_from <= day and (self.active_to == OPEN or day < self.active_to)


def _users(
    letters: str,
    customer: str,
    numbers: range,
    product: str,
    *days: str,
    seen: int = SEPTEMBER,
    end_seen: int = SEPTEMBER,
) -> list[Span]:
    """The users of a range of numbers, alike; `days` are their first day and, if they end, the day after."""
    since, until = (*days, OPEN)[:2]
    return [Span(f"{letters}-{number:03}", customer, product, since, until, seen, end_seen) for number in numbers]


USERS = [
    # C001: 110 users until August, 100 in September, 85 at the end of October, 88 at the end of November.
    *_users("ate", "C001", range(1, 52), "user-standard", "2024-03-01"),
    *_users("ate", "C001", range(52, 57), "user-standard", "2024-03-01", "2026-10-09", end_seen=OCTOBER),
    *_users("ate", "C001", range(57, 61), "user-standard", "2024-03-01", "2026-10-24", end_seen=OCTOBER),
    *_users("ate", "C001", range(61, 67), "user-standard", "2024-03-01", "2026-08-16"),
    *_users("ate", "C001", range(67, 99), "user-team", "2024-03-01"),
    *_users("ate", "C001", range(99, 100), "user-team", "2024-03-01", "2026-11-05", end_seen=NOVEMBER),
    *_users("ate", "C001", range(100, 106), "user-team", "2024-03-01", "2026-10-17", end_seen=OCTOBER),
    # Gone on 1 November, so not counted at the end of October; ate-111, who starts that day, is.
    *_users("ate", "C001", range(106, 107), "user-team", "2024-03-01", "2026-11-01", end_seen=OCTOBER),
    *_users("ate", "C001", range(107, 111), "user-team", "2024-03-01", "2026-08-16"),
    *_users("ate", "C001", range(111, 112), "user-standard", "2026-11-01", seen=OCTOBER),
    *_users("ate", "C001", range(112, 115), "user-standard", "2026-11-09", seen=NOVEMBER),
    *_users("ate", "C001", range(115, 116), "user-team", "2026-11-12", seen=NOVEMBER),
    # C002: 40 users until August, 34 in September, 33 in October, 35 in November.
    *_users("cli", "C002", range(1, 26), "user-standard", "2023-01-01"),
    *_users("cli", "C002", range(26, 27), "user-standard", "2023-01-01", "2026-10-20", end_seen=OCTOBER),
    *_users("cli", "C002", range(27, 31), "user-standard", "2023-01-01", "2026-08-10"),
    *_users("cli", "C002", range(31, 39), "user-basic", "2023-01-01"),
    *_users("cli", "C002", range(39, 41), "user-basic", "2023-01-01", "2026-08-10"),
    *_users("cli", "C002", range(41, 43), "user-standard", "2026-11-03", seen=NOVEMBER),
    # C003: 8 users, of whom two leave and one changes its product in October.
    *_users("eup", "C003", range(1, 2), "user-standard", "2025-02-01"),
    *_users("eup", "C003", range(2, 3), "user-standard", "2025-02-01", "2026-10-12", end_seen=OCTOBER),
    *_users("eup", "C003", range(2, 3), "user-premium", "2026-10-12", seen=OCTOBER),
    *_users("eup", "C003", range(3, 5), "user-standard", "2025-02-01"),
    *_users("eup", "C003", range(5, 6), "user-standard", "2025-02-01", "2026-10-20", end_seen=OCTOBER),
    *_users("eup", "C003", range(6, 8), "user-basic", "2025-02-01"),
    *_users("eup", "C003", range(8, 9), "user-basic", "2025-02-01", "2026-10-20", end_seen=OCTOBER),
    # C004: in October the tables tell that one user had left and another had come in September.
    *_users("sch", "C004", range(1, 15), "user-standard", "2023-05-01"),
    *_users("sch", "C004", range(15, 16), "user-standard", "2023-05-01", "2026-09-20", end_seen=OCTOBER),
    *_users("sch", "C004", range(16, 17), "user-standard", "2026-09-10", seen=OCTOBER),
    # C005: 12 users ordered, 10 there on the first day, 11 at the end of October.
    *_users("lei", "C005", range(1, 8), "user-standard", "2026-10-10", seen=OCTOBER),
    *_users("lei", "C005", range(8, 9), "user-standard", "2026-10-20", seen=OCTOBER),
    *_users("lei", "C005", range(9, 12), "user-basic", "2026-10-10", seen=OCTOBER),
    *_users("meu", "C006", range(1, 6), "user-standard", "2022-11-16"),
    *_users("han", "C007", range(1, 2), "user-standard", "2025-06-01"),
    # C008: on the platform some days before the contract starts.
    *_users("lux", "C008", range(1, 7), "user-premium", "2026-09-10"),
    *_users("eua", "C009", range(1, 7), "user-premium", "2024-01-01"),
    *_users("eua", "C009", range(7, 11), "user-standard", "2024-01-01"),
    *_users("bak", "C010", range(1, 4), "user-basic", "2025-01-01"),
    # C011: never ended on the platform; the contract's end ends them.
    *_users("lib", "C011", range(1, 4), "user-standard", "2023-10-31"),
    *_users("bra", "C012", range(1, 3), "user-basic", "2026-12-01", seen=NOVEMBER),
]

MOVED_NUMBER = "+3287070001"
FREEPHONE_NUMBER = "+3280000101"
BACKDATED_NUMBER = "+3281010090"
MAIN_NUMBERS = {
    "C001": "+3242010000",
    "C002": "+3281010000",
    "C003": "+3287020000",
    "C004": "+3231030000",
    "C005": "+3292030000",
    "C006": "+3285040000",
    "C007": "+3281020000",
    "C008": "+35227008000",
    "C009": "+3221050000",
    "C010": "+3287060000",
    "C011": "+3287070000",
}
# Where the numbers of a customer's users begin; C008's users have none and show the main number.
_DIRECT = {"ate": "+3242010", "cli": "+3281010", "eup": "+3287020", "sch": "+3231030", "lei": "+3292030"}
_DIRECT |= {"meu": "+3285040", "han": "+3281020", "eua": "+3221050", "bak": "+3287060", "lib": "+3287070"}


def _direct_numbers() -> list[Span]:
    """A Belgian number without a product for each user, for as long as he is there."""
    spans: dict[str, Span] = {}
    for user in USERS:
        letters, digits = user.key.split("-")
        if letters in _DIRECT:
            number = f"{_DIRECT[letters]}{100 + int(digits)}"
            first = spans.get(number, user)
            spans[number] = Span(
                number,
                user.customer_id,
                "",
                first.active_from,
                user.active_to,
                first.seen,
                user.end_seen,
                user_id=user.key,
            )
    return list(spans.values())


def _main_numbers() -> list[Span]:
    """A Belgian number of its own for each customer but C008, for as long as its contract."""
    return [
        Span(MAIN_NUMBERS[row[1]], row[1], "number-be", row[2], seen=row[-1])
        for row in _CONTRACTS
        if row[1] in MAIN_NUMBERS and row[1] != "C008"
    ]


NUMBERS = [
    *_main_numbers(),
    *_direct_numbers(),
    Span(MAIN_NUMBERS["C008"], "C008", "number-lu", "2026-09-15", country="LU"),
    Span(FREEPHONE_NUMBER, "C002", "number-0800", "2025-01-01", inbound_deck="inbound-0800"),
    # Removed before its twelve months: November is its last, and ends on the 19th.
    Span("+33199000101", "C001", "number-fr", "2025-11-20", "2026-06-01", country="FR"),
    # Away for a month, and back within the twelve months.
    Span("+33199000105", "C003", "number-fr", "2026-04-01", "2026-09-10", country="FR"),
    Span("+33199000105", "C003", "number-fr", "2026-10-12", country="FR", seen=OCTOBER),
    # Goes to another customer within the twelve months.
    Span("+33199000109", "C004", "number-fr", "2026-05-01", "2026-10-05", end_seen=OCTOBER, country="FR"),
    Span("+33199000109", "C005", "number-fr", "2026-11-10", seen=OCTOBER, country="FR"),
    Span("+33199000127", "C006", "number-fr", "2026-01-15", "2026-03-10", country="FR"),
    Span("+441632960123", "C006", "number-gb", "2026-02-10", country="GB"),
    # The bookshop closes, the baker next door takes its second number over.
    Span(MOVED_NUMBER, "C011", "number-be", "2023-10-31", "2026-10-12", end_seen=OCTOBER),
    Span(MOVED_NUMBER, "C010", "number-be", "2026-10-12", seen=OCTOBER),
    # Entered in October, active since September.
    Span(BACKDATED_NUMBER, "C002", "", "2026-09-01", seen=OCTOBER),
]
SUBSCRIPTIONS = [
    Span("s-eup-1", "C003", "pack-neighbours-100", "2026-10-10", seen=OCTOBER, quantity="1"),
    Span("s-han-1", "C007", "pack-solo-60", "2025-06-01", user_id="han-001", quantity="1"),
    Span("s-eua-1", "C009", "pack-pool-300", "2024-01-01", quantity="1"),
    Span("s-eua-2", "C009", "pack-pool-300", "2026-10-20", seen=OCTOBER, quantity="1"),
    Span("s-eua-3", "C009", "flat-mobile", "2024-01-01", user_id="eua-007", quantity="1"),
    Span("s-eua-4", "C009", "flat-mobile", "2024-01-01", user_id="eua-008", quantity="1"),
    Span("s-eua-5", "C009", "option-recording", "2026-10-05", "2026-10-19", OCTOBER, OCTOBER, quantity="3"),
    Span("s-bak-1", "C010", "flat-be", "2025-01-01", quantity="1"),
]
# charge, customer, day, description, quantity, unit price, product, first month shown
_CHARGES: list[Row] = [
    ("CH-0801", "C001", "2026-08-20", "Intervention du 20 août", "1", "75.00", "intervention", SEPTEMBER),
    ("CH-0901", "C001", "2026-09-07", "Téléphones IP de bureau", "3", "89.00", "phone-desk", SEPTEMBER),
    (
        "CH-0902",
        "C002",
        "2026-09-22",
        "Intervention du 22 septembre",
        "1.5",
        "75.00",
        "intervention",
        OCTOBER,
    ),
    ("CH-1001", "C005", "2026-10-10", "Activering gebruikers", "12", "25.00", "activation", OCTOBER),
    ("CH-1002", "C005", "2026-10-10", "Netwerkkabel, per meter", "2.5", "0.99", "", OCTOBER),
    # Known in October, delivered in November.
    ("CH-1101", "C009", "2026-11-05", "Headsets", "2", "45.00", "", OCTOBER),
    ("CH-1102", "C004", "2026-11-03", "Gebruiker sch-016, oktober 2026", "1", "8.50", "", NOVEMBER),
]
_CREDITS: list[Row] = [
    ("CR-0901", "C010", "2026-09-18", "Geste commercial, panne du 16 septembre", "75.00", SEPTEMBER),
    ("CR-1001", "C010", "2026-10-20", "Geste commercial", "4.00", OCTOBER),
    ("CR-1002", "C007", "2026-10-28", "Geste commercial en fin de contrat", "10.00", OCTOBER),
    ("CR-1101", "C004", "2026-11-03", "Gebruiker sch-015, oktober 2026", "8.50", NOVEMBER),
]


def _known(columns: str, rows: Sequence[Row], month: int) -> Rows:
    """The rows that the tables of a month have, by column."""
    return [dict(zip(columns.split(","), row[:-1], strict=True)) for row in rows if row[-1] <= month]


def customers(month: int) -> Rows:
    """The rows of `customers` as that month's tables have them."""
    identity, address = "customer_id,name", "street,postal_code,city,country"
    columns = f"{identity},{address},language,vat_number,vat_category".split(",")
    rows = []
    for line in _CUSTOMERS:
        *fields, seen = line.split("|")
        if int(seen) <= month:
            row = dict(zip(columns, fields, strict=True))
            row["email"] = f"factures@{row['customer_id'].lower()}.example"
            row["peppol_id"] = _peppol_id(row["vat_number"])
            rows.append(row)
    return rows


def _peppol_id(vat_number: str) -> str:
    if vat_number.startswith("BE"):
        return f"0208:{vat_number[2:]}"
    return f"9938:{vat_number}" if vat_number else ""


def contracts(month: int) -> Rows:
    """The rows of `contracts` as that month's tables have them."""
    return _known("contract_id,customer_id,starts_on,term_months,ends_on,payment_days", _CONTRACTS, month)


def contract_items(month: int) -> Rows:
    """The rows of `contract_items` as that month's tables have them."""
    return _known("contract_id,product_id,quantity", _CONTRACT_ITEMS, month)


def customer_decks(month: int) -> Rows:
    """The rows of `customer_decks`; C004 changes to the business deck on 10 October."""
    names = ("customer_id", "deck_id", "effective_from", "notified_on")
    rows = [(row[1], "standard", row[2], row[2]) for row in _CONTRACTS if row[-1] <= month]
    rows.append(("C004", "business", "2026-10-10", "2026-09-05"))
    return [dict(zip(names, row, strict=True)) for row in rows]


def users(month: int) -> Rows:
    """The rows of `users` as that month's tables have them."""
    return [
        {
            "user_id": span.key,
            "customer_id": span.customer_id,
            "product_id": span.product_id,
            "active_from": span.active_from,
            "active_to": span.end(month),
        }
        for span in USERS
        if span.seen <= month
    ]


def numbers(month: int) -> Rows:
    """The rows of `numbers` as that month's tables have them."""
    return [
        {
            "number": span.key,
            "customer_id": span.customer_id,
            "country": span.country,
            "active_from": span.active_from,
            "active_to": span.end(month),
            "user_id": span.user_id,
            "product_id": span.product_id,
            "inbound_deck": span.inbound_deck,
        }
        for span in NUMBERS
        if span.seen <= month
    ]


def subscriptions(month: int) -> Rows:
    """The rows of `subscriptions` as that month's tables have them."""
    return [
        {
            "subscription_id": span.key,
            "customer_id": span.customer_id,
            "product_id": span.product_id,
            "quantity": span.quantity,
            "active_from": span.active_from,
            "active_to": span.end(month),
            "user_id": span.user_id,
        }
        for span in SUBSCRIPTIONS
        if span.seen <= month
    ]


def charges(month: int) -> Rows:
    """The rows of `charges` as that month's tables have them."""
    return _known("charge_id,customer_id,date,description,quantity,unit_price,product_id", _CHARGES, month)


def credits_granted(month: int) -> Rows:
    """The rows of `credits` as that month's tables have them."""
    return _known("credit_id,customer_id,date,description,amount", _CREDITS, month)


def suspensions(month: int) -> Rows:
    """The rows of `suspensions`: C006 from 20 October on."""
    if month < OCTOBER:
        return []
    return [{"customer_id": "C006", "suspended_from": "2026-10-20", "suspended_to": ""}]

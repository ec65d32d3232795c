"""A month in which every text is made to attack: its tables, settings, calls and reasons, and all that came of them."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import socket
import tempfile
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.attacks.hostile_texts import OF_ONE_LINE, PRINTED, Texts
from tests.cli.program import Told, centime

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PERIOD, NOW = "2026-10", "2026-11-02T10:00:00Z"
LANGUAGES = {"h1": "fr", "h2": "nl", "h3": "de", "h4": "en"}
# Its VAT number, Peppol address and account are hostile too, so it gets no electronic invoice.
ODD_CUSTOMER = "h5"
NUMBERS = {customer_id: f"+32255501{place:02d}" for place, customer_id in enumerate(LANGUAGES)}
ZONES, PRODUCTS, CHARGES, CREDITS, SET_ASIDE, FILES, EXPLAINED = 30, 30, 60, 8, 40, 30, 8
CALL_COLUMNS = ("call_id", "start", "direction", "caller", "callee", "duration_s", "user_id")
# A text in one of them makes a record malformed.
JUDGED = ("start", "direction", "caller", "callee", "duration_s")
SUPPLIER_TEXTS = ("name", "street", "postal_code", "city", "register", "email", "phone", "website")
EXPORTED = ("rated", "lines", "invoices", "files", "quarantine", "journal", "credit_notes", "credit_note_lines")
FORMATS = ("csv", "ndjson", "parquet", "xlsx")
SECRET = "nobody-may-read-this"  # noqa: S105 - what must not be found in any output
CONTROLS = {"Cc", "Zl", "Zp"}
Row = dict[str, str]


@dataclass(slots=True)
class Hostile:
    """The month.

    Attributes:
        folder: Everything is in it; the store, the working folder, home and temporary files each in their own.
        texts: Where the texts come from.
        tables: The platform tables, by name.
        supplier: The texts of the settings.
        calls: The accepted calls, by call_id, with the path they came from.
        set_aside: The malformed records, by call_id: their line.
        reasons: Why there are credit notes, by number.
        told: What each command told, by its words.
    """

    folder: Path
    texts: Texts
    tables: dict[str, list[Row]] = field(default_factory=dict)
    supplier: Row = field(default_factory=dict)
    vat_reason: str = ""
    calls: dict[str, str] = field(default_factory=dict)
    set_aside: dict[str, str] = field(default_factory=dict)
    reasons: list[str] = field(default_factory=list)
    told: dict[tuple[str, ...], Told] = field(default_factory=dict)

    @property
    def store(self) -> Path:
        """The store's folder."""
        return self.folder / "store"

    def start(self, *arguments: str | Path) -> Told:
        """A command in the working folder; what it told is kept."""
        words = tuple(map(str, arguments))
        options = ("--store", self.store, "--config", self.folder / "centime.toml")
        told = centime(words[0], *options, *words[1:], folder=self.folder / "here")
        self.told[words] = told
        return told

    def exported(self, table: str, suffix: str) -> Path:
        """Where an export is."""
        return self.folder / "exports" / f"{table}.{suffix}"

    def outside(self) -> set[str]:
        """Every file that is neither the store's nor an export, nor the socket by which documents are asked for."""
        return {
            str(path.relative_to(self.folder))
            for path in self.folder.rglob("*")
            if not {self.store, self.folder / "exports"} & {path, *path.parents} and "pymp-" not in str(path)
        }


def draw(folder: Path, seed: int, web: str) -> Hostile:
    """The tables, settings and files of calls, written and not yet read."""
    folder.mkdir()
    for name in ("here", "home", "temporary", "place", "exports", "platform", "cdrs"):
        (folder / name).mkdir()
    (folder / "secret").write_text(SECRET)
    made = Hostile(folder, Texts(seed, web, folder / "secret", folder / "place"))
    draw_tables(made)
    draw_settings(made)
    draw_calls(made)
    for table, rows in made.tables.items():
        with (folder / "platform" / f"{table}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]), quoting=csv.QUOTE_ALL)
            writer.writeheader()
            writer.writerows(rows)
    return made


def draw_tables(made: Hostile) -> None:
    """Every text column of every table."""
    texts = made.texts
    labels = ("label_fr", "label_nl", "label_de", "label_en")
    always = {"effective_from": "2026-01-01", "notified_on": "2026-01-01"}
    customers = [*LANGUAGES, ODD_CUSTOMER]
    made.tables["customers"] = [
        {"customer_id": customer_id, "country": "BE", "language": LANGUAGES.get(customer_id, "en")}
        | {name: texts.draw() for name in ("name", "street", "postal_code", "city", "email")}
        | {name: texts.draw() if customer_id == ODD_CUSTOMER else "" for name in ("peppol_id", "iban")}
        | {"vat_number": texts.draw() if customer_id == ODD_CUSTOMER else "BE0428759497"}
        | {"vat_category": "E" if customer_id == "h4" else "S"}
        for customer_id in customers
    ]
    made.tables["contracts"] = [
        {"contract_id": f"k-{customer_id}", "customer_id": customer_id, "starts_on": "2026-01-01"}
        for customer_id in customers
    ]
    made.tables["customer_decks"] = [{"customer_id": customer_id, "deck_id": "d"} | always for customer_id in customers]
    made.tables["users"] = [
        {"user_id": "u", "customer_id": "h1", "product_id": "seat", "active_from": "2026-01-01", "active_to": ""}
    ]
    made.tables["numbers"] = [
        {"number": number, "customer_id": customer_id, "country": "BE", "active_from": "2026-01-01"}
        for customer_id, number in NUMBERS.items()
    ]
    kinds = {"seat": "user", "pack": "pack"} | {f"p{place:02d}": "option" for place in range(PRODUCTS)}
    made.tables["products"] = [
        {"product_id": product_id, "kind": kind} | {name: texts.draw() for name in labels}
        for product_id, kind in kinds.items()
    ]
    made.tables["prices"] = [
        {"product_id": product_id, "customer_id": "", "unit_price": "10"} | always for product_id in kinds
    ]
    made.tables["packs"] = [
        {"product_id": "pack", "scope": "customer", "zones": "*", "included_minutes": "1", "priority": "1"} | always
    ]
    made.tables["subscriptions"] = [
        {"subscription_id": f"s-{customer_id}-{product_id}", "customer_id": customer_id, "product_id": product_id,
         "quantity": "1", "active_from": "2026-01-01"}
        for customer_id in LANGUAGES
        for product_id in list(kinds)[1:]
    ]  # fmt: skip
    made.tables["zones"] = [
        {"zone_id": f"z{place:02d}", "kind": "international"} | {name: texts.draw() for name in labels}
        for place in range(ZONES)
    ]
    made.tables["rates"] = [
        {"deck_id": "d", "prefix": f"33{place:02d}", "zone_id": f"z{place:02d}", "price_per_minute": "0.05"} | always
        for place in range(ZONES)
    ]
    made.tables["charges"] = [
        {"charge_id": f"ch{place}", "customer_id": customers[place % len(customers)], "date": "2026-10-05",
         "description": text, "quantity": "1", "unit_price": "1"}
        for place, text in enumerate(texts.many(CHARGES * len(customers)))
    ]  # fmt: skip
    made.tables["credits"] = [
        {"credit_id": f"cr{place}", "customer_id": customers[place % len(customers)], "date": "2026-10-05",
         "description": text, "amount": "0.01"}
        for place, text in enumerate(texts.many(CREDITS * len(customers)))
    ]  # fmt: skip


def draw_settings(made: Hostile) -> None:
    """The supplier's texts, a colour that is a style sheet, the reason of a VAT rate."""
    made.supplier = {name: made.texts.draw() for name in SUPPLIER_TEXTS}
    made.vat_reason = made.texts.draw()
    fixed = {"country": "BE", "vat_number": "BE0404484654", "iban": "BE68539007547034", "bic": "GKCCBEBB"}
    fixed["colour"] = f"#000;}} body {{ background: url({made.texts.web}/colour)"
    # A text of JSON is one of TOML, but for U+007F, which TOML wants escaped.
    lines = [f"{name} = {json.dumps(text)}" for name, text in {**made.supplier, **fixed}.items()]
    vat = ["[[vat]]", 'category = "E"', "rate = 0", "effective_from = 1996-01-01"]
    vat += [f"reason = {json.dumps(made.vat_reason)}"]
    billing = ["[billing]", "quarantine_threshold = 1", "[documents]", "web_page = true"]
    written = "\n".join(["[supplier]", *lines, *vat, *billing, ""]).replace("\x7f", "\\u007f")
    (made.folder / "centime.toml").write_text(written, encoding="utf-8")


def draw_calls(made: Hostile) -> None:
    """A call of each customer to each zone, malformed records, and files with names to run."""
    texts, folder = made.texts, made.folder / "cdrs"
    accepted = [
        {"call_id": texts.draw(OF_ONE_LINE), "start": f"2026-10-{1 + place % 28:02d}T08:00:00Z",
         "direction": "outgoing", "caller": number, "callee": f"+33{place:02d}123456", "duration_s": "90"}
        for place in range(ZONES)
        for number in NUMBERS.values()
    ]  # fmt: skip
    malformed = [
        accepted[0] | {"call_id": texts.draw(OF_ONE_LINE), "user_id": texts.draw(OF_ONE_LINE)}
        | {column: texts.draw(OF_ONE_LINE)}
        for column in JUDGED
        for _ in range(SET_ASIDE)
    ]  # fmt: skip
    write_calls(folder / "month.csv", accepted)
    made.calls = {row["call_id"]: str(folder / "month.csv") for row in accepted}
    made.set_aside = dict(
        zip((row["call_id"] for row in malformed), write_calls(folder / "dirty.csv", malformed), strict=True)
    )
    # One that begins with a point is hidden, and not read.
    named = [text.replace("/", "_").lstrip(".")[:200] for text in texts.many(FILES, OF_ONE_LINE)]
    for name in named:
        call = accepted[0] | {"call_id": texts.draw(OF_ONE_LINE)}
        path = folder / f"{name}.csv"
        write_calls(path, [call])
        made.calls[call["call_id"]] = str(path)


def write_calls(path: Path, rows: list[Row]) -> list[str]:
    """A file of calls; gives its lines."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, CALL_COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return path.read_text(encoding="utf-8").removesuffix("\n").split("\n")[1:]


@contextlib.contextmanager
def listening() -> Iterator[socket.socket]:
    """Somebody to whom a fetched address would lead."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server


@contextlib.contextmanager
def at_home_in(folder: Path) -> Iterator[None]:
    """A home and a place for temporary files of its own."""
    before = {name: os.environ.get(name) for name in ("HOME", "TMPDIR")}
    os.environ.update({"HOME": str(folder / "home"), "TMPDIR": str(folder / "temporary")})
    was, tempfile.tempdir = tempfile.tempdir, None
    try:
        yield
    finally:
        tempfile.tempdir = was
        for name, found in before.items():
            os.environ.pop(name) if found is None else os.environ.update({name: found})


def run_everything(made: Hostile) -> None:
    """The month with its documents, credit notes with hostile reasons, every export, every command that tells."""
    acting = ["--now", NOW]
    made.start("preview", PERIOD, "--platform", made.folder / "platform", *acting)
    run = ["run", PERIOD, "--platform", made.folder / "platform", "--cdrs", made.folder / "cdrs", *acting]
    made.start(*run)
    made.start(*run, "--json")
    plain = [text for text in made.texts.many(len(PRINTED)) if not CONTROLS & set(map(unicodedata.category, text))]
    made.reasons = [plain[0], plain[-1]]
    for number, reason in enumerate(made.reasons, start=1):
        made.start("credit", f"2026-{number:06d}", "--line", "1", "--line", "70", f"--reason={reason}", *acting)
    for table in EXPORTED:
        period = "2026-11" if table.startswith("credit_note") else PERIOD
        for suffix in FORMATS:
            made.start("export", table, period, "-o", made.exported(table, suffix))
    for command in (["quarantine"], ["history"], ["explain", "2026-000001"], ["diff", "2026-000001", "2026-000002"]):
        made.start(*command)
        made.start(*command, "--json")
    for call_id in list(made.calls)[-EXPLAINED:]:
        made.start("explain", "--call", "--", call_id)
    made.start("verify")

"""Platforms written in words, and the invoices that one month or several months of them make.

A table is one text: rows parted by `;`, words by blanks, `_` for an empty cell, `u1..u90` for ninety rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import polars as pl

from invoicing import monthly_job, runs, user_cap
from invoicing.desk import Desk, Moment, Report
from invoicing.issuing import Tables, first_period, history_of
from invoicing.ledger import Ledger
from invoicing.pipeline import USED_SCHEMA, Bill, History, bill_period, bill_services
from invoicing.progress import Silent
from invoicing.store import open_store
from rating.money import decimal_text
from rating.periods import Period
from rating.services import service_rows
from rating.sources.formats import AUTO, choose_formats
from rating.sources.platform_tables import LoadedPlatform
from schemas.settings import DEFAULT_VAT, BillingSettings, Settings, VatRate
from tests.cli import program
from tests.rules.frames import Row, platform
from tests.schemas.small_platform import TABLES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from schemas.platform import Platform

CALLS_SCHEMA = {
    "customer_id": pl.String, "period_number": pl.Int32, "zone_id": pl.String, "zone_kind": pl.String,
    "charged_s": pl.Int64, "amount_cents": pl.Int64,
}  # fmt: skip
COLUMNS = {
    "customers": "customer_id vat_category",
    "contracts": "customer_id starts_on ends_on payment_days",
    "contract_items": "product_id quantity_micro customer_id",
    "users": "user_id product_id active_from active_to customer_id",
    "numbers": "number product_id country active_from active_to customer_id",
    "subscriptions": "subscription_id product_id quantity_micro active_from active_to customer_id",
    "products": "product_id kind",
    "prices": "product_id unit_price_micro effective_from customer_id",
    "zones": "zone_id kind",
    "charges": "charge_id date quantity_micro unit_price_micro customer_id",
    "credits": "credit_id date amount_cents customer_id",
}
# One customer whose contract runs, and a price for everything; a test says what it has beside.
BASE = {
    "customers": "c1; c2",
    "contracts": "c1 2026-07-01",
    "products": "seat user; desk user; bench user; did number; fr number; frplus number; fax option; tv option",
    "prices": "seat 31 2020-01-01; desk 10 2020-01-01; bench 10 2020-01-01; did 1 2020-01-01; fr 2 2020-01-01; "
    "frplus 3 2020-01-01; fax 31 2020-01-01; tv 5 2020-01-01",
    "zones": "BE national_fixed; FR international; SOS emergency; FREE free",
}


def tables(**written: str) -> Platform:
    """The base with these tables; prices are added, in place of the base's own of the same product."""
    if "prices" in written:
        priced = {row.split()[0] for row in _rows(written["prices"])}
        kept = [row for row in _rows(BASE["prices"]) if row.split()[0] not in priced]
        written["prices"] = "; ".join([*kept, written["prices"]])
    return platform(
        **{table: [_row(table, words) for words in _rows(text)] for table, text in (BASE | written).items()}
    )


def _rows(text: str) -> list[str]:
    """The rows of a text, each `u1..u90` once for every number of it."""
    found = []
    for row in (part.strip() for part in text.split(";")):
        name, _, rest = row.partition(" ")
        first, several, last = name.partition("..")
        if several:
            stem = first.rstrip("0123456789")
            numbers = range(int(first[len(stem) :]), int(last[len(stem) :]) + 1)
            found += [f"{stem}{number} {rest}" for number in numbers]
        elif row:
            found.append(row)
    return found


def _row(table: str, words: str) -> Row:
    named = dict(zip(COLUMNS[table].split(), words.split(), strict=False))
    row: Row = {name: _typed(name, word) for name, word in named.items() if word != "_"}
    if table == "contracts":
        row["contract_id"] = f"k-{row['customer_id']}"
    if table == "contract_items":
        row["contract_id"] = f"k-{row.pop('customer_id', 'c1')}"
    return row


def _typed(name: str, word: str) -> object:
    if name.endswith("_micro"):
        return int(Decimal(word).scaleb(6))
    if name.endswith("_cents"):
        return int(Decimal(word).scaleb(2))
    return int(word) if name == "payment_days" else word


def staff(counts: Mapping[str, int], product: str = "seat", customer: str = "c1") -> str:
    """Users of a product such that so many are there at the end of each month; who came last leaves first."""
    there: list[str] = []
    stays = []
    for month, wanted in counts.items():
        there += [f"{month}-12"] * (wanted - len(there))
        stays += [f"{since} {month}-10" for since in there[wanted:]]
        del there[wanted:]
    stays += [f"{since} _" for since in there]
    return "; ".join(f"{customer}-{product}-{no} {product} {stay} {customer}" for no, stay in enumerate(stays))


def words(lines: pl.DataFrame, *kinds: str) -> list[str]:
    """Lines as `kind product first-day..last-day quantity euro rule`, in the order they are printed."""
    wanted = lines.filter(pl.col("kind").is_in(kinds)) if kinds else lines
    return [
        f"{row['kind']} {row['product_id'] or row['zone_id'] or row['source_id']} "
        f"{row['service_from']}..{row['service_to']} {decimal_text(row['quantity_micro'])} "
        f"{Decimal(row['net_cents']).scaleb(-2)} {row['rule']}"
        for row in wanted.sort("customer_id", "line_no").iter_rows(named=True)
    ]


def priced(lines: pl.DataFrame, *kinds: str) -> list[str]:
    """Lines as `product euro` only."""
    return [" ".join(line.split()[i] for i in (1, 4)) for line in words(lines, *kinds)]


def bill(
    platform_tables: Platform,
    period: str = "2026-10",
    *,
    rated_calls: pl.DataFrame | None = None,
    vat: tuple[VatRate, ...] = DEFAULT_VAT,
    on: date | None = None,
    **billing: object,
) -> Bill:
    """The invoices of a store's first run, computed in memory."""
    month = Period.parse(period)
    settings = Settings(billing=BillingSettings(**billing), vat=vat)  # type: ignore[arg-type]
    # Where nobody has a user, there is no history to go through.
    counted = bool(platform_tables.users.height or platform_tables.contract_items.height)
    users = user_cap.rebuild_before(
        month,
        platform_tables.contracts["customer_id"].head(platform_tables.contracts.height * counted),
        service_rows(platform_tables),
        platform_tables,
        cap_rounding=settings.billing.cap_rounding,
    )
    none_used = pl.DataFrame(schema=USED_SCHEMA)
    history = History(month, users, None, none_used, none_used)
    calls = pl.DataFrame(schema=CALLS_SCHEMA) if rated_calls is None else rated_calls
    services = bill_services(month, platform_tables, history, settings)
    return bill_period(month, platform_tables, calls, services, history, settings, on or month.last_day)


def lines_of(platform_tables: Platform, period: str = "2026-10", *kinds: str, **billing: object) -> list[str]:
    """The lines of a store's first run, in words."""
    return words(bill(platform_tables, period, **billing).lines, *kinds)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Issued:
    """What runs of one store issued: its ledger's tables, and what each run told, by period."""

    lines: pl.DataFrame
    invoices: pl.DataFrame
    user_counts: pl.DataFrame
    reports: dict[str, Report]

    def words(self, period: str, *kinds: str) -> list[str]:
        """The lines of a period's invoices, in words."""
        return words(self.lines.filter(pl.col("period") == period), *kinds)

    def counts(self, column: str, customer: str = "c1") -> list[int]:
        """One column of a customer's user counts, month by month."""
        return self.user_counts.filter(pl.col("customer_id") == customer).sort("period")[column].to_list()


def run_months(
    folder: Path,
    months: Mapping[str, Platform],
    *,
    dates: Mapping[str, date] | None = None,
    vat: tuple[VatRate, ...] = DEFAULT_VAT,
    **billing: object,
) -> Issued:
    """Run months one after the other in a real store, each with its tables, on its last day unless told."""
    settings = Settings(billing=BillingSettings(**billing), vat=vat)  # type: ignore[arg-type]
    store = open_store(folder, create=True)
    ledger = Ledger(store.ledger_path)
    reports = {}
    for text, platform_tables in months.items():
        period = Period.parse(text)
        day = (dates or {}).get(text, period.last_day)
        now = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
        desk = Desk(store, ledger, settings, now, day, Moment(now.isoformat(), "0"), Silent())
        history = history_of(ledger, period, first_period(ledger, period), platform_tables, settings)
        services = bill_services(period, platform_tables, history, settings)
        loaded = Tables(LoadedPlatform(platform_tables, (), (), {}), history, services)
        reports[text] = Report("run", text)
        rating = runs.rate(desk, period, loaded, reports[text])
        runs.issue(desk, rating, loaded, day, reports[text], documents=False)
    issued = Issued(
        ledger.frame("select l.*, i.period from lines l join invoices i using (invoice_number)"),
        ledger.frame("select * from invoices order by invoice_number"),
        ledger.frame("select * from user_counts"),
        reports,
    )
    ledger.close()
    return issued


def every_month(first: str, count: int, platform_tables: Platform) -> dict[str, Platform]:
    """The same tables for so many months."""
    period = Period.parse(first)
    months = {}
    for _ in range(count):
        months[str(period)] = platform_tables
        period = period.next
    return months


SMALL = TABLES | {"prices": TABLES["prices"] + "minutes,,1,2026-01-01,2025-11-01\nmobile,,2,2026-01-01,2025-11-01\n"}


def write_tables(folder: Path, changed: Mapping[str, tuple[str, str]] | None = None) -> Path:
    """The small platform as CSV files; `changed` has, by table, what is written there and what instead."""
    folder.mkdir(exist_ok=True)
    for table, written in SMALL.items():
        old, new = (changed or {}).get(table, ("", ""))
        (folder / f"{table}.csv").write_text(written.replace(old, new, 1) if old else written + new, encoding="utf-8")
    return folder


@dataclass(frozen=True, slots=True)
class Done:
    """What a command gave: its exit status, its JSON object and what it said."""

    status: int
    told: dict[str, object]
    stderr: str


def centime(store: Path, *arguments: str | Path) -> Done:
    """A command of the program on a store."""
    done = program.centime(*arguments, "--store", store, "--json")
    return Done(done.status, done.document if done.stdout else {}, done.stderr)


def start(
    folder: Path,
    period: str,
    tables_folder: Path,
    now: str,
    *cdrs: Path,
    on: date | None = None,
    settings: Settings | None = None,
) -> Report:
    """`centime run` without documents, in this process.

    Raises:
        InputRefused: where the program would leave with status 2.
    """
    settings = settings or Settings()
    moment = datetime.fromisoformat(now).astimezone(UTC)
    today = moment.astimezone(ZoneInfo(settings.rating.timezone)).date()
    report, store = Report("run", period), open_store(folder, create=True)
    ledger = Ledger(store.ledger_path)
    try:
        desk = Desk(store, ledger, settings, moment, today, Moment(now, "0"), Silent())
        formats, given = choose_formats(AUTO, None, settings.rating.timezone), [str(path) for path in cdrs]
        monthly_job.run(desk, Period.parse(period), tables_folder, given, formats, on, report, documents=False)
    finally:
        ledger.close()
    return report


def kept(folder: Path, query: str, parameters: list[object] | None = None) -> pl.DataFrame:
    """What a store's ledger holds."""
    ledger = Ledger(open_store(folder, create=False).ledger_path, read_only=True)
    found = ledger.frame(query, parameters)
    ledger.close()
    return found


def kept_lines(folder: Path, period: str) -> pl.DataFrame:
    """The lines of a period's invoices, as a store's ledger holds them."""
    query = (
        "select l.* from lines l join invoices i using (invoice_number) "
        "where i.period = ? order by invoice_number, line_no"
    )
    return kept(folder, query, [period])

"""Issuing: a rated period is billed and numbered in the one transaction that makes it issued."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import polars as pl

from invoicing import holding
from invoicing.bounds import judge_bounds
from invoicing.conservation import Balance
from invoicing.events import HELD, ISSUED, record
from invoicing.numbering import number_invoices
from invoicing.pipeline import BILLED_SCHEMA, USED_SCHEMA, Bill, History, Services, bill_period
from invoicing.rating_run import call_alarms_of, users_billed_before
from rating.money import decimal_text, euro_text
from rating.services import USER_GROUP, service_rows
from schemas.errors import InputRefused, Problem, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from invoicing.desk import Moment
    from invoicing.holding import Divided
    from invoicing.ledger import Ledger, Rating, Run
    from invoicing.store import Store
    from rating.periods import Period
    from rating.sources.platform_tables import LoadedPlatform
    from schemas.platform import Platform
    from schemas.settings import Bounds, Settings

FARTHEST_DATE_DAYS = 366
CUSTOMER_COLUMNS = [
    "customer_id", "name", "street", "postal_code", "city", "country", "language", "vat_number", "email",
    "peppol_id", "vat_category", "iban",
]  # fmt: skip


def first_period(ledger: Ledger, period: Period) -> Period:
    """The first period of the store; the one asked for, where none was run yet."""
    runs = ledger.runs()
    return runs[0].period if runs else period


def history_of(ledger: Ledger, period: Period, first: Period, platform: Platform, settings: Settings) -> History:
    """What the earlier runs of the store billed, as far as this period depends on it."""
    users = users_billed_before(ledger, period, first, service_rows(platform), platform, settings)
    used = {
        kind: ledger.frame("select id, amount_cents as used_cents from one_offs_in_force where kind = ?", [kind])
        for kind in ("one_off", "credit")
    }
    charges, credits_used = (
        frame if frame.height else pl.DataFrame(schema=USED_SCHEMA) for frame in (used["one_off"], used["credit"])
    )
    billed = None if period == first else _billed_groups(ledger, period)
    return History(first, users, billed, charges, credits_used)


def _billed_groups(ledger: Ledger, period: Period) -> pl.DataFrame:
    """The units that the invoices of the period before billed for this one, by what begins together."""
    before = str(period.previous)
    lines = ledger.frame(
        "select customer_id, product_id, quantity_micro from lines_in_force "
        "where period = ? and kind in ('recurring', 'user_cap')",
        [before],
    )
    users = ledger.frame(
        "select customer_id, product_id, true is_user from users_billed_in_force where period = ?", [before]
    )
    grouped = lines.join(users, on=["customer_id", "product_id"], how="left").with_columns(
        group=pl.when("is_user").then(pl.lit(USER_GROUP)).otherwise("product_id")
    )
    sums = grouped.group_by("customer_id", "group").agg(units_micro=pl.col("quantity_micro").sum())
    return sums.select(pl.col(name).cast(dtype) for name, dtype in BILLED_SCHEMA.items())


def one_off_contents(platform: Platform) -> pl.DataFrame:
    """Charges and credits with their content as text: `id`, `kind`, `customer_id`, `content`."""
    tables = (("one_off", "charge_id", platform.charges), ("credit", "credit_id", platform.credits))
    return pl.concat(
        [
            table.select(
                pl.col(key).alias("id"),
                pl.lit(kind).alias("kind"),
                "customer_id",
                content=pl.struct(pl.all()).struct.json_encode(),
            )
            for kind, key, table in tables
        ]
    )


def refuse_changed_one_offs(ledger: Ledger, loaded: LoadedPlatform) -> None:
    """A charge or credit that is on an invoice, issued or held, keeps its content.

    Raises:
        InputRefused: naming each that came back with another.
    """
    known = ledger.frame(
        "select distinct id, kind, content as invoiced, "
        "coalesce('invoice ' || invoice_number, 'an invoice that is held') invoice from one_offs_in_force"
    )
    if known.is_empty():
        return
    now = one_off_contents(loaded.platform).join(known, on=["id", "kind"])
    changed = now.filter(pl.col("content") != pl.col("invoiced")).sort("kind", "id")
    problems = tuple(
        problem
        for row_id, kind, invoice, content, invoiced in changed.select(
            "id", "kind", "invoice", "content", "invoiced"
        ).iter_rows()
        for problem in _changed_fields(loaded, kind, row_id, invoice, json.loads(content), json.loads(invoiced))
    )
    if problems:
        raise InputRefused("a charge or credit was used before with other content", problems)


def _changed_fields(
    loaded: LoadedPlatform, kind: str, row_id: str, invoice: str, now: dict[str, object], invoiced: dict[str, object]
) -> Iterator[Problem]:
    """The fields of a charge or credit that are others than on its invoice, as its file has them."""
    table, key = ("charges", "charge_id") if kind == "one_off" else ("credits", "credit_id")
    line = loaded.tables[table].rows.filter(pl.col(key) == row_id)["line"].item()
    for name in [name for name in {**now, **invoiced} if now.get(name) != invoiced.get(name)]:
        written, before = (_as_in_file(name, content.get(name)) for content in (now, invoiced))
        words = f"as {row_id} has it on {invoice}; give a correction an id of its own"
        column = name.removesuffix("_micro").removesuffix("_cents")
        yield Problem(table, table, line, column, written, f"expected {before or 'nothing'}, {words}")


def _as_in_file(name: str, kept: object) -> str:
    if kept is None:
        return ""
    if name.endswith("_micro"):
        return decimal_text(kept)
    return euro_text(int(str(kept))) if name.endswith("_cents") else str(kept)


def choose_invoice_date(ledger: Ledger, today: date, asked: date | None) -> date:
    """The invoice date: the local day acted on unless another is asked for, never before the last invoice's.

    Raises:
        InputRefused: for a day before it.
    """
    chosen = asked or today
    refuse_far_date(chosen, today, "invoice")
    last = ledger.rows("select max(invoice_date) from invoices")[0][0]
    if isinstance(last, date) and chosen < last:
        raise InputRefused(
            f"invoice date {chosen}: the last invoice is dated {last}, and no later number may carry an earlier "
            "date; give --date with that day or a later one"
        )
    return chosen


def refuse_far_date(chosen: date, today: date, document: str) -> None:
    """A document is dated about the day on which it is made.

    Raises:
        InputRefused: for a day so far away that it must be a slip.
    """
    if abs((chosen - today).days) > FARTHEST_DATE_DAYS:
        raise InputRefused(
            f"{document} date {chosen}: it is {today}, and a date more than {FARTHEST_DATE_DAYS} days away is taken "
            f"for a slip, for no later {document} could be dated before it"
        )


def balance(ledger: Ledger, pending: Rating | None = None) -> Balance:
    """Where every accepted call is (R-CONSERVATION); a pending rating counts as if it were issued."""
    if pending is None:
        waiting = ledger.number("select sum(answered) from batches where rated_by is null")
    else:
        waiting = ledger.number(
            "select sum(answered) from batches where rated_by is null and (period_number > ? or batch_no > ?)",
            [pending.period.number, pending.last_batch],
        )
    issued = ledger.ratings(issued=True)
    held = ledger.number("select sum(calls) from still_held")
    unrated = pending.unrated if pending else (issued[-1].unrated if issued else 0)
    credited = ledger.number("select sum(calls_off) from corrections")
    return Balance(
        accepted=ledger.number("select sum(accepted) from files"),
        invoiced=sum(rating.calls for rating in issued) + (pending.calls if pending else 0) - held - credited,
        waiting=waiting,
        unrated=unrated,
        held=held,
        credited=credited,
    )


@dataclass(frozen=True, slots=True)
class Tables:
    """The platform tables of a run, checked, with what depends on nothing else.

    Attributes:
        loaded: The tables and their files.
        history: What earlier runs billed.
        services: What the period's services cost.
    """

    loaded: LoadedPlatform
    history: History
    services: Services

    @property
    def platform(self) -> Platform:
        """The typed frames."""
        return self.loaded.platform


def traffic_of(store: Store, ledger: Ledger, rating: Rating) -> pl.DataFrame:
    """What the calls of a rating sum up to (`TRAFFIC_SCHEMA`)."""
    return store.read_frame(rating.traffic_path, ledger.stored_files()[rating.traffic_path])


def bill_rating(rating: Rating, traffic: pl.DataFrame, tables: Tables, settings: Settings, day: date) -> Bill:
    """The invoices of a rating, in memory."""
    return bill_period(rating.period, tables.platform, traffic, tables.services, tables.history, settings, day)


def judge_rating(
    store: Store, ledger: Ledger, rating: Rating, bill: Bill, traffic: pl.DataFrame, bounds: Bounds
) -> pl.DataFrame:
    """What is beyond its bounds in the invoices of a rating (`ALARM_SCHEMA`)."""
    packs = ledger.frame("select * from packs_used where rating_no = ?", [rating.rating_no])
    before = holding.look_back(store, ledger, rating.period, bounds, packs)
    return judge_bounds(rating.period, bill, traffic, call_alarms_of(ledger, rating), before, bounds)


def with_parties(invoices: pl.DataFrame, platform: Platform) -> pl.DataFrame:
    """Add `customer`: the customer as the tables have it, as a JSON object."""
    return invoices.join(parties_of(platform), on="customer_id", how="left", maintain_order="left")


def parties_of(platform: Platform) -> pl.DataFrame:
    """`customer_id` and `customer`: the customers as the tables have them, each as a JSON object."""
    return platform.customers.select("customer_id", customer=pl.struct(CUSTOMER_COLUMNS).struct.json_encode())


def billed_once(lines: pl.DataFrame, platform: Platform) -> pl.DataFrame:
    """What lines bill or deduct once, with the content it has in the tables."""
    billed = lines.filter(pl.col("kind").is_in(["one_off", "credit"])).select(
        "customer_id", "kind", id="source_id", amount_cents=pl.col("net_cents").abs()
    )
    contents = one_off_contents(platform).drop("customer_id")
    return billed.join(contents, on=["id", "kind"], how="left", maintain_order="left")


def last_sequence(ledger: Ledger, day: date) -> int:
    """The last number of the invoices of a day's year, 0 where there is none."""
    return ledger.number("select max(sequence) from invoices where invoice_number like ?", [f"{day.year:04d}-%"])


def commit_issue(
    ledger: Ledger,
    rating: Rating,
    divided: Divided,
    traffic: pl.DataFrame,
    platform: Platform,
    settings_text: str,
    invoice_date: date,
    moment: Moment,
    summary: dict[str, object],
) -> Run:
    """Number the invoices and store their whole content: this commit is what *issued* means.

    Those that are held are stored beside them.
    """
    places = balance(ledger, rating)
    if not places.holds:
        raise StoreUnavailable(f"{places.sentence()}: nothing was issued; run `centime verify`")
    bill, held = divided.issued, divided.held
    period = str(rating.period)
    numbers = number_invoices(bill.invoices, invoice_date, last_sequence(ledger, invoice_date))
    invoices = bill.invoices.join(numbers, on="customer_id", maintain_order="left")
    by_customer = numbers.select("customer_id", "invoice_number")
    lines = bill.lines.join(by_customer, on="customer_id", maintain_order="left")
    one_offs = billed_once(bill.lines, platform).join(by_customer, on="customer_id", maintain_order="left")
    label = pl.lit(period).alias("period")
    with ledger.transaction():
        ledger.append(
            "invoices",
            with_parties(invoices, platform).with_columns(
                label, invoice_date=pl.lit(invoice_date), status=pl.lit("issued")
            ),
        )
        ledger.append("lines", lines)
        ledger.append(
            "vat_totals",
            bill.vat_totals.join(by_customer, on="customer_id", maintain_order="left").drop("customer_id"),
        )
        ledger.append("one_offs", one_offs)
        holding.keep_held(
            ledger, rating.period, held, divided.reasons, parties_of(platform), traffic,
            billed_once(held.lines, platform),
        )  # fmt: skip
        ledger.append("user_counts", bill.users.counts.with_columns(label))
        ledger.append("users_billed", bill.users.by_product().with_columns(label))
        ledger.execute("update ratings set issued = true where rating_no = ?", [rating.rating_no])
        ledger.execute(
            "update batches set rated_by = ? where rated_by is null and period_number <= ? and batch_no <= ?",
            [period, rating.period.number, rating.last_batch],
        )
        ledger.execute("update files set period = ? where period is null", [period])
        ledger.execute("update quarantine_files set period = ? where period is null", [period])
        run_no = ledger.number("select max(run_no) from runs") + 1
        ledger.execute(
            "insert into runs values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                period, run_no, rating.rating_no, invoice_date, moment.text, rating.snapshot, settings_text,
                moment.program, json.dumps(summary, sort_keys=True),
            ],
        )  # fmt: skip
        record(ledger, moment, ISSUED, "run_no = ?", [run_no])
        record(ledger, moment, HELD, "period = ?", [period])
    run = ledger.last_run()
    if run is None or run.period != rating.period:
        raise StoreUnavailable("the run that was committed cannot be read back; run `centime verify`")
    return run

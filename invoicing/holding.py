"""Holding: the invoices of a run that are beyond their bounds are kept beside the issued ones, without a number.

They are kept in the transaction that issues the others. From then on their figures stand as they will be issued: the
ledger's views of what is in force have them among the issued ones.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

from invoicing.bounds import ALARM_SCHEMA, CALLED_SCHEMA, NETS_SCHEMA, POOLS_SCHEMA, USUAL_MONTHS, Before
from rating.money import euro_text
from schemas.settings import OFF

if TYPE_CHECKING:
    from invoicing.desk import Report
    from invoicing.ledger import Ledger
    from invoicing.pipeline import Bill
    from invoicing.store import Store
    from rating.frames import Schema
    from rating.periods import Period
    from schemas.settings import Bounds

REASON_COLUMNS = ["bound", "alarms", "measured", "allowed", "unit", "reason"]
HELD_SCHEMA: Schema = {
    "period": pl.String, "customer_id": pl.String, "name": pl.String, "net_cents": pl.Int64, "vat_cents": pl.Int64,
    "gross_cents": pl.Int64, "calls": pl.Int64, "reasons": pl.String,
}  # fmt: skip
HELD_REASON_SCHEMA: Schema = {
    "period": pl.String, "customer_id": pl.String, "bound": pl.String, "alarms": pl.Int64, "measured": pl.Int64,
    "allowed": pl.Int64, "unit": pl.String, "reason": pl.String,
}  # fmt: skip


class Divided(NamedTuple):
    """The invoices of a run, divided.

    Attributes:
        issued: Those that are numbered now.
        held: Those that are not.
        reasons: Why: `customer_id` and `reasons`, a JSON list of objects of `REASON_COLUMNS`.
    """

    issued: Bill
    held: Bill
    reasons: pl.DataFrame


def divide(bill: Bill, alarms: pl.DataFrame) -> Divided:
    """Divide the invoices of a run into those that go out and those that its alarms (`ALARM_SCHEMA`) hold."""
    holding = alarms.filter("holds").select("customer_id", *REASON_COLUMNS)
    reasons = [
        (customer_id, json.dumps(rows.select(REASON_COLUMNS).to_dicts(), ensure_ascii=False, sort_keys=True))
        for (customer_id,), rows in holding.partition_by("customer_id", as_dict=True, maintain_order=True).items()
    ]
    is_held = pl.col("customer_id").cast(pl.String).is_in(holding["customer_id"].implode())

    def part(condition: pl.Expr) -> Bill:
        return bill._replace(
            invoices=bill.invoices.filter(condition),
            lines=bill.lines.filter(condition),
            vat_totals=bill.vat_totals.filter(condition),
        )

    schema = {"customer_id": pl.String, "reasons": pl.String}
    return Divided(part(~is_held), part(is_held), pl.DataFrame(reasons, schema=schema, orient="row"))


def told_alarms(alarms: pl.DataFrame) -> list[str]:
    """The alarms that hold nothing, as sentences."""
    reported = alarms.filter(~pl.col("holds"))
    return [f"{customer_id}: {reason}" for customer_id, reason in reported.select("customer_id", "reason").iter_rows()]


def look_back(
    store: Store,
    ledger: Ledger,
    period: Period,
    bounds: Bounds,
    packs_now: pl.DataFrame,
) -> Before:
    """What the bounds of a period look back on; `packs_now` are the packs that its own rating drew from."""
    pools = ledger.frame(
        "select customer_id, user_id, product_id, period_number, allowance_s, used_s from packs_in_force "
        "where issued and period_number >= ?",
        [_back(period, bounds.unused_pack_months - 1).number],
    )
    nets = ledger.frame(
        "select customer_id, period, net_cents from invoices_in_force where period >= ? and period < ?",
        [str(_back(period, USUAL_MONTHS)), str(period)],
    )
    return Before(
        _shaped(nets, NETS_SCHEMA),
        pl.DataFrame(schema=CALLED_SCHEMA) if bounds.no_calls == OFF else _called(store, ledger),
        pl.concat([_shaped(pools, POOLS_SCHEMA), _shaped(packs_now, POOLS_SCHEMA)]),
        _shaped(
            ledger.frame("select customer_id, period from still_held"), {"customer_id": pl.String, "period": pl.String}
        ),
    )


def _called(store: Store, ledger: Ledger) -> pl.DataFrame:
    """The months in which customers had calls, of all that the store invoiced (`CALLED_SCHEMA`)."""
    shas = ledger.stored_files()
    found = [pl.DataFrame(schema=CALLED_SCHEMA)]
    for rating in ledger.ratings(issued=True):
        traffic = store.read_frame(rating.traffic_path, shas[rating.traffic_path])
        found.append(_shaped(traffic.select("customer_id", "period_number").unique(), CALLED_SCHEMA))
    return pl.concat(found).unique()


def _back(period: Period, months: int) -> Period:
    for _ in range(months):
        period = period.previous
    return period


def _shaped(frame: pl.DataFrame, schema: Schema) -> pl.DataFrame:
    return frame.select(pl.col(name).cast(dtype) for name, dtype in schema.items())


def keep_held(
    ledger: Ledger, period: Period, held: Bill, reasons: pl.DataFrame, parties: pl.DataFrame, traffic: pl.DataFrame,
    one_offs: pl.DataFrame,
) -> None:  # fmt: skip
    """Keep the invoices that are held, within the caller's transaction.

    Args:
        ledger: Where.
        period: Of the run.
        held: The invoices.
        reasons: Why, of `divide`.
        parties: `customer_id` and `customer`, the customer as a JSON object.
        traffic: What the run's calls sum up to (`TRAFFIC_SCHEMA`).
        one_offs: What these invoices bill or deduct once: the columns of the ledger's `held_one_offs`.
    """
    label = pl.lit(str(period)).alias("period")
    calls = traffic.group_by(pl.col("customer_id").cast(pl.String)).agg(pl.col("calls").sum())
    invoices = held.invoices.with_columns(pl.col("customer_id").cast(pl.String))
    for more in (reasons, parties, calls):
        invoices = invoices.join(more, on="customer_id", how="left", maintain_order="left")
    ledger.append("held_invoices", invoices.with_columns(label, pl.col("calls").fill_null(0)))
    ledger.append("held_lines", held.lines.with_columns(label))
    ledger.append("held_vat_totals", held.vat_totals.with_columns(label))
    ledger.append("held_one_offs", one_offs.with_columns(label))


def held_invoices(ledger: Ledger, period: Period | None = None) -> pl.DataFrame:
    """The invoices that are held (`HELD_SCHEMA`), of one period or of all, by period and customer."""
    found = ledger.frame(
        "select *, json_extract_string(customer, '$.name') as name from still_held "
        "where period = coalesce(?, period) order by period, customer_id",
        [None if period is None else str(period)],
    )
    said = [_in_words(json.loads(reasons)) for reasons in found["reasons"]]
    return _shaped(found.with_columns(reasons=pl.Series(said, dtype=pl.String)), HELD_SCHEMA)


def held_reasons(ledger: Ledger, period: Period | None = None) -> pl.DataFrame:
    """Why they are held (`HELD_REASON_SCHEMA`), a row for each bound, with its figures."""
    rows = ledger.rows(
        "select period, customer_id, reasons from still_held where period = coalesce(?, period) "
        "order by period, customer_id",
        [None if period is None else str(period)],
    )
    found: list[dict[str, Any]] = [
        {"period": of, "customer_id": customer_id, **reason}
        for of, customer_id, reasons in rows
        for reason in json.loads(str(reasons))
    ]
    return pl.DataFrame(found, schema=HELD_REASON_SCHEMA)


def _in_words(reasons: list[dict[str, Any]]) -> str:
    return "; ".join(str(reason["reason"]) for reason in reasons)


def tell_held(ledger: Ledger, report: Report, period: Period | None = None) -> None:
    """What is held, as tables, and each for a person to look at."""
    held = held_invoices(ledger, period)
    report.counts["held"] = held.height
    if held.is_empty():
        return
    report.sums["held_net_cents"] = int(held["net_cents"].sum())
    report.tables["Held"] = held.drop("reasons")
    report.tables["Why they are held"] = held_reasons(ledger, period)
    report.attention += [
        f"{row['period']}: the invoice of {row['customer_id']} ({row['name']}), {euro_text(row['net_cents'])} EUR "
        f"without VAT, is held: {row['reasons']}; `centime release {row['customer_id']} {row['period']} "
        "--reason TEXT` issues it"
        for row in held.iter_rows(named=True)
    ]


def tell_would_hold(bill: Bill, alarms: pl.DataFrame, report: Report) -> None:
    """What a run would hold and report, for a preview."""
    divided = divide(bill, alarms)
    nets = dict(divided.held.invoices.select(pl.col("customer_id").cast(pl.String), "net_cents").iter_rows())
    report.counts["held"] = len(nets)
    report.tables["Alarms"] = alarms.select(ALARM_SCHEMA.keys())
    report.warnings += told_alarms(alarms)
    report.attention += [
        f"{customer_id}: its invoice of {euro_text(nets[customer_id])} EUR without VAT would be held: "
        f"{_in_words(json.loads(reasons))}"
        for customer_id, reasons in divided.reasons.iter_rows()
    ]

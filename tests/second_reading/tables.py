"""The exports, as the text of their CSV cells."""

from __future__ import annotations

from datetime import date, datetime
from fractions import Fraction
from typing import TYPE_CHECKING

from tests.second_reading.amounts import decimal_text, micro
from tests.second_reading.invoice import Invoice, RatedCall, structured_communication
from tests.second_reading.months import local_day, period_of

if TYPE_CHECKING:
    from tests.second_reading.reading import Store

Cells = dict[str, str]
TABLES = ("rated", "lines", "invoices", "user_counts", "packs_used", "files", "quarantine")


def cell(content: object) -> str:
    """Dates as ISO, times in UTC cut to the millisecond, decimals plain, nothing for null."""
    if content is None:
        return ""
    if isinstance(content, datetime):
        return content.strftime("%Y-%m-%dT%H:%M:%S.") + f"{content.microsecond // 1000:03d}Z"
    if isinstance(content, Fraction):
        return decimal_text(content)
    if isinstance(content, date):
        return content.isoformat()
    return str(content)


def table(rows: list[dict[str, object]]) -> list[Cells]:
    printed = [{name: cell(content) for name, content in row.items()} for row in rows]
    return sorted(printed, key=lambda row: tuple(row.values()))


def export(store: Store, name: str, period: str) -> list[Cells]:
    """One export table of a period, in the order of its first columns."""
    return {
        "rated": rated,
        "lines": lines,
        "invoices": invoices,
        "user_counts": user_counts,
        "packs_used": packs_used,
        "files": files,
        "quarantine": quarantine,
    }[name](store, period)


def rated(store: Store, period: str) -> list[Cells]:
    return table([_rated_row(call) for call in store.settled.values() if call.period == period])


def _rated_row(one: RatedCall) -> dict[str, object]:
    rate = one.tariff.rate
    return {
        "call_id": one.call.call_id,
        "customer_id": one.owner.customer_id,
        "user_id": one.owner.user_id,
        "start": one.call.start,
        "period": one.period,
        "direction": one.call.direction,
        "caller": one.call.caller,
        "callee": one.call.callee,
        "zone_id": one.tariff.zone_id,
        "duration_s": one.call.duration_s,
        "billable_s": one.billable_s,
        "pack_s": one.pack_s,
        "charged_s": one.charged_s,
        "rate_micro_per_min": micro(rate.per_minute),
        "setup_micro": micro(rate.setup),
        "amount_cents": one.amount_cents,
        "deck_id": one.tariff.deck_id,
        "deck_version": one.tariff.deck_version,
        "invoice_number": one.invoice_number,
    }


def lines(store: Store, period: str) -> list[Cells]:
    found = []
    for invoice in sorted(_issued(store, period), key=lambda invoice: invoice.number):
        for line_no, line in enumerate(invoice.lines, start=1):
            row: dict[str, object] = {
                "invoice_number": invoice.number,
                "line_no": line_no,
                "customer_id": invoice.customer_id,
                "kind": line.kind,
                "product_id": line.product_id,
                "zone_id": line.zone_id,
                "traffic_period": line.traffic_period,
                "rule": line.rule,
                "service_from": line.service_from,
                "service_to": line.service_to,
                "quantity": line.quantity,
                "unit_price": line.unit_price,
                "net_cents": line.net_cents,
                "vat_category": invoice.vat_category,
                "vat_rate": invoice.vat_rate,
            }
            found.append({name: cell(content) for name, content in row.items()})
    return found


def _issued(store: Store, period: str) -> list[Invoice]:
    return [invoice for invoice in store.invoices if invoice.period == period]


def invoices(store: Store, period: str) -> list[Cells]:
    replaced = {invoice.supersedes for invoice in store.invoices}
    return table(
        [
            {
                "invoice_number": invoice.number,
                "customer_id": invoice.customer_id,
                "period": invoice.period,
                "invoice_date": invoice.invoice_date,
                "due_date": invoice.due_date,
                "net_cents": invoice.net_cents,
                "vat_cents": invoice.vat_cents,
                "gross_cents": invoice.net_cents + invoice.vat_cents,
                "status": "superseded" if invoice.number in replaced else "issued",
                "supersedes": invoice.supersedes,
                "structured_communication": structured_communication(invoice.number),
            }
            for invoice in _issued(store, period)
        ]
    )


def user_counts(store: Store, period: str) -> list[Cells]:
    """A row for each contract that runs on past the period, with zeros where it has no users."""
    return table(
        [
            {
                "customer_id": customer_id,
                "period": month,
                "configured": sum(count.configured.values(), Fraction()),
                "billed": count.total,
                "reserved": sum(count.reserved.values(), Fraction()),
                "reference": count.reference,
            }
            for (customer_id, month), count in store.counts.items()
            if month == period
        ]
    )


def packs_used(store: Store, period: str) -> list[Cells]:
    return table(
        [
            {
                "customer_id": pool.customer_id,
                "user_id": pool.user_id,
                "product_id": pool.product_id,
                "period": pool.period,
                "allowance_s": pool.allowance_s,
                "used_s": store.used_s.get(pool.key, 0),
                "calls": store.drawn_by.get(pool.key, 0),
            }
            for pool in store.pools().values()
            if pool.period == period
        ]
    )


def files(store: Store, period: str) -> list[Cells]:
    return table(
        [
            {
                "source_file": counts.source_file,
                "sha256": counts.sha256,
                "records": counts.records,
                "accepted": counts.accepted,
                "unanswered": counts.unanswered,
                "duplicate": counts.duplicate,
                "quarantined": counts.quarantined,
                "skipped": 0,
                "skipped_by_reason": None,
                "source_format": "native",
            }
            for month, counts in store.files
            if month == period
        ]
    )


def quarantine(store: Store, period: str) -> list[Cells]:
    """Records refused by a run under that run's period; calls that cannot be rated under their own."""
    rows: list[dict[str, object]] = [
        {
            "call_id": record.call_id,
            "reason": record.reason,
            "source_file": record.source_file,
            "source_line": record.source_line,
        }
        for month, record in store.refused
        if month == period
    ]
    for call_id, reason in store.unrated.items():
        call = store.intake.calls[call_id]
        if period_of(local_day(call.start)) == period:
            rows.append(
                {
                    "call_id": call_id,
                    "reason": reason,
                    "source_file": call.source_file,
                    "source_line": call.source_line,
                }
            )
    return table(rows)

"""Explaining a call: why it costs what it costs, or why it is on no invoice, with the rule and the arithmetic.

Nothing of the platform tables is read for it: the rated call carries what was decided.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import polars as pl

from invoicing import bounds, numbering, overcharges, traffic  # noqa: F401 - their rules are cited
from invoicing.call_search import find_call, quarantined_records, rated_call
from invoicing.explanations.call_price import price_steps
from invoicing.explanations.steps import Explanation, Step
from invoicing.origins import corrections, invoice_with
from rating.periods import Period
from rating.pipeline import draws_of
from schemas.settings import parse_settings

if TYPE_CHECKING:
    from invoicing.documents.words import Language
    from invoicing.ledger import Ledger, Rating
    from invoicing.store import Store

# What may be wrong with a call that is rated anew by every run; every other reason is one of a record.
UNRATED_REASONS = ("before_start", "unknown_caller", "outside_contract", "no_rate")
RULE_OF_REASON = {"no_rate": "R-ZONE", "malformed": "R-RECORD", "future": "R-RECORD", "conflict": "R-RECORD"}


def explain_call(store: Store, ledger: Ledger, call_id: str, timezone: str, say: Language) -> Explanation | None:
    """Everything the store knows about a call; None where it never saw it."""
    accepted = find_call(store, ledger, call_id)
    aside = quarantined_records(store, ledger, call_id)
    if accepted.is_empty() and aside.is_empty():
        return None
    told = Explanation("call", say.say("title.call", call_id=call_id), say, {"call_id": call_id})
    put_aside = [_quarantine_step(row, say) for row in aside.iter_rows(named=True)]
    if accepted.is_empty():
        told.steps = put_aside
        return told
    found = rated_call(store, ledger, accepted, timezone)
    if found is None:
        call = accepted.row(0, named=True)
        told.steps = [*_record(call, timezone, say), *put_aside, *_not_rated(call, aside, say)]
    else:
        told.steps = [*_rated_steps(store, ledger, *found, timezone, say), *put_aside]
    return told


def _rated_steps(
    store: Store, ledger: Ledger, rating: Rating, calls: pl.DataFrame, timezone: str, say: Language
) -> list[Step]:
    call, path = calls.row(0, named=True), rating.draws_path
    several = store.read_frame(path, ledger.stored_files()[path], pl.col("call_id") == call["call_id"])
    drawn_from = sorted({*calls["pool_no"].drop_nulls(), *several["pool_no"]})
    # Rows do without PyArrow, which takes longer to load than they to read.
    rows = ledger.rows(
        "select pool_no, product_id from packs_used where rating_no = ? and pool_no in (select unnest(?))",
        [rating.rating_no, drawn_from],
    )
    pools = pl.DataFrame(rows, schema={"pool_no": pl.UInt32, "product_id": pl.String}, orient="row")
    draws = draws_of(calls, several, pools)
    onnet = parse_settings(json.loads(rating.settings)).rating.onnet
    return [
        *_record(call, timezone, say),
        _owner(call, say),
        *price_steps(call, draws, onnet, say),
        _where(ledger, rating, call, say),
    ]


def _record(call: dict[str, Any], timezone: str, say: Language) -> list[Step]:
    """What the record said, and the period it belongs to."""
    local = pl.Series([call["start"]]).dt.convert_time_zone(timezone).item()
    period = f"{local:%Y-%m}"
    seconds = say.count(call["duration_s"])
    words = say.say(f"call.{call['direction']}", caller=call["caller"], callee=call["callee"], seconds=seconds)
    started = say.say(
        "call.started",
        day=say.long_day(local.date()),
        time=f"{local:%H:%M:%S}",
        timezone=timezone,
        period=say.month(period),
    )
    names = ("direction", "caller", "callee", "duration_s")
    return [
        Step("call", words, "", {name: call[name] for name in names}),
        Step("period", started, "R-PERIOD", {"local_start": f"{local:%Y-%m-%dT%H:%M:%S}", "period": period}),
    ]


def _owner(call: dict[str, Any], say: Language) -> Step:
    if call["direction"] == "incoming":
        through = "called_number"
    else:
        through = "user" if call["through_user"] else "caller_number"
    who = "call.customer_and_user" if call["user_id"] else "call.customer"
    owner = say.say(who, customer=str(call["customer_id"]), user=str(call["user_id"]))
    figures = {"customer_id": call["customer_id"], "user_id": call["user_id"], "through": through}
    return Step("owner", say.say(f"call.through_{through}", owner=owner), "R-OWNER", figures)


def _where(ledger: Ledger, rating: Rating, call: dict[str, Any], say: Language) -> Step:
    """The invoice that the call is on, or why it is on none."""
    period = Period.numbered(call["period_number"])
    late = period < rating.period
    came_late = f" {say.say('call.came_late', period=say.month(str(period)))}" if late else ""
    rule_id = "R-LATE" if late else "R-INVOICE"
    run = {"run": say.month(str(rating.period))}
    if not rating.issued:
        return Step("invoice", say.say("call.pending", **run) + came_late, rule_id, {"period": str(rating.period)})
    number = invoice_with(ledger, rating, str(call["customer_id"]))
    of_invoice: list[object] = [str(rating.period), call["customer_id"]]
    if number is None and ledger.rows("select 1 from still_held where period = ? and customer_id = ?", of_invoice):
        return Step("invoice", say.say("call.held", **run) + came_late, "R-HELD", {"period": str(rating.period)})
    if number is None:
        return Step("invoice", say.say("call.settled", **run), "R-LATE", {"period": str(rating.period)})
    replaced = corrections(ledger, "replaces = ? and customer_id = ?", [rating.rating_no, str(call["customer_id"])])
    if replaced:
        dispute = replaced[0].dispute_number
        words = say.say("call.taken_off", number=number, dispute=dispute)
        return Step("invoice", words, "R-DISPUTE", {"invoice_number": number, "dispute_number": dispute})
    if call["zone_kind"] in ("emergency", "free"):
        return Step("invoice", say.say("call.hidden", number=number), "R-EMERGENCY", {"invoice_number": number})
    line_no = ledger.number(
        "select line_no from lines where invoice_number = ? and kind = 'traffic' and zone_id = ? "
        "and traffic_period = ?",
        [number, call["zone_id"], str(period)],
    )
    words = say.say("call.on_line" if line_no else "call.on_invoice", number=number, line=str(line_no))
    return Step("invoice", words + came_late, rule_id, {"invoice_number": number, "line_no": line_no or None})


def _quarantine_step(row: dict[str, Any], say: Language) -> Step:
    """A record or call of this id that was set aside, with its reason; what was read is told as it was kept."""
    reason = str(row["reason"])
    where = f"{row['source_file']}:{row['source_line']}"
    detail = say.say(f"reason.{reason}") if reason in UNRATED_REASONS else str(row["detail"])
    words = say.say("call.aside", reason=reason, detail=detail, where=where)
    figures = {name: row[name] for name in ("reason", "detail", "source_file", "source_line", "record")}
    return Step("quarantine", words, RULE_OF_REASON.get(reason, "R-OWNER"), figures)


def _not_rated(call: dict[str, Any], aside: pl.DataFrame, say: Language) -> list[Step]:
    """Why an accepted call is on no invoice: unanswered, or waiting; in quarantine otherwise."""
    if call["duration_s"] == 0:
        return [Step("unanswered", say.say("call.unanswered"), "R-RECORD")]
    if aside["reason"].is_in(UNRATED_REASONS).any():
        return []
    return [Step("waiting", say.say("call.waiting"), "R-LATE")]

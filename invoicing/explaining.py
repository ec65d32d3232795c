"""Explaining a call: why it costs what it costs, or why it is on no invoice, with the rule and the arithmetic."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from invoicing import exports, numbering, traffic  # noqa: F401 - the rules of two of them are cited
from invoicing.call_index import contents_of, hashes_of, rows_with, stored_indexes
from invoicing.rating_run import rated_calls_of
from rating.money import MICRO_PER_CENT, decimal_text
from rating.periods import Period
from rating.pipeline import draws_of, with_local_days
from rating.pricing import SECONDS_PER_MINUTE
from rating.rules import article_of
from rating.zones import INCOMING, ONNET
from schemas.errors import InputRefused

if TYPE_CHECKING:
    from invoicing.ledger import Ledger, Rating
    from invoicing.store import Store


class Step(NamedTuple):
    """One step of an explanation: what it is about, the words, and the rule with its article, if one applies."""

    about: str
    words: str
    rule: str = ""

    @property
    def article(self) -> str:
        """The article of the rule."""
        return article_of(self.rule) if self.rule else ""


def explain_call(store: Store, ledger: Ledger, call_id: str, timezone: str) -> list[Step]:
    """Everything the store knows about a call.

    Raises:
        InputRefused: where it never saw it.
    """
    accepted = find_call(store, ledger, call_id)
    aside = _quarantine_steps(quarantined_records(store, ledger, call_id))
    if accepted.is_empty():
        if not aside:
            raise InputRefused(f"{call_id}: this store has no such call; check the call_id, or `centime read` its file")
        return aside
    found = rated_call(store, ledger, accepted, timezone)
    if found is None:
        return _unrated_steps(accepted.row(0, named=True), aside, timezone)
    rating, calls = found
    return _rated_steps(store, ledger, rating, calls, timezone) + aside


def find_call(store: Store, ledger: Ledger, call_id: str) -> pl.DataFrame:
    """The call accepted under this id, found by the index of calls; empty where there is none."""
    wanted = pl.Series([call_id])
    found = contents_of(store, ledger, rows_with(stored_indexes(store, ledger), hashes_of(wanted)))
    return found.filter(pl.col("call_id") == call_id)


def rated_call(
    store: Store, ledger: Ledger, accepted: pl.DataFrame, timezone: str
) -> tuple[Rating, pl.DataFrame] | None:
    """The rating of an accepted call, and the call as it was rated (`RATED_SCHEMA`)."""
    call_id, start = accepted.row(0, named=True)["call_id"], accepted["start"].item()
    number = with_local_days(accepted, timezone)["period_number"].item()
    period = Period(number // 100, number % 100)
    for rating in [*ledger.ratings(issued=True), *ledger.ratings(issued=False)]:
        if rating.period >= period:
            calls = rated_calls_of(store, ledger, rating, period=period, start=start)
            calls = calls.filter(pl.col("call_id") == call_id)
            if calls.height:
                return rating, calls
    return None


def _rated_steps(store: Store, ledger: Ledger, rating: Rating, calls: pl.DataFrame, timezone: str) -> list[Step]:
    several = store.read_frame(rating.draws_path, ledger.stored_files()[rating.draws_path])
    pools = ledger.frame("select pool_no, product_id from packs_used where rating_no = ?", [rating.rating_no])
    draws = draws_of(calls, several, pools.with_columns(pl.col("pool_no").cast(pl.UInt32)))
    call = calls.row(0, named=True)
    return [
        *_whose(call, timezone),
        *_tariff(call),
        *_increments(call),
        *_packs(call, draws),
        *_amount(call),
        _where(ledger, rating, call),
    ]


def _told(call: dict[str, object], timezone: str) -> list[Step]:
    """What the record said, and the period it belongs to."""
    local = pl.Series([call["start"]]).dt.convert_time_zone(timezone).dt.to_string("%Y-%m-%d %H:%M:%S").item()
    return [
        Step("call", f"{call['direction']}, from {call['caller']} to {call['callee']}, {call['duration_s']} s"),
        Step("period", f"started {local} ({timezone}), so it belongs to {local[:7]}", "R-PERIOD"),
    ]


def _whose(call: dict[str, object], timezone: str) -> list[Step]:
    through = "its user" if call["through_user"] else "the number of its caller"
    if call["direction"] == "incoming":
        through = "the number that was called"
    user = f", user {call['user_id']}" if call["user_id"] else ""
    owner = Step("owner", f"customer {call['customer_id']}{user}, found through {through}", "R-OWNER")
    return [*_told(call, timezone), owner]


def _tariff(call: dict[str, object]) -> list[Step]:
    if call["zone_id"] == ONNET:
        return [
            Step(
                "zone",
                "ONNET: the called number was active for the same operator's customer; free",
                "R-ONNET",
            )
        ]
    if call["zone_id"] == INCOMING:
        return [Step("zone", "INCOMING: a received call is free", "R-INBOUND")]
    rule_id = "R-INBOUND" if call["direction"] == "incoming" else "R-ZONE"
    steps = [
        Step(
            "zone",
            f"{call['zone_id']} ({call['zone_kind']}): prefix {call['prefix']} of deck {call['deck_id']}, version of "
            f"{call['deck_version']}",
            rule_id,
        )
    ]
    if call["zone_kind"] == "emergency":
        return [*steps, Step("price", "an emergency call is free whatever the deck says", "R-EMERGENCY")]
    rate, setup = decimal_text(call["rate_micro_per_min"]), decimal_text(call["setup_micro"])
    return [*steps, Step("price", f"{rate} EUR per minute, setup fee {setup} EUR")]


def _increments(call: dict[str, object]) -> list[Step]:
    first, following = call["first_increment_s"], call["increment_s"]
    if first == 1 and following == 1:
        return []
    return [Step("increments", f"{first}/{following}: {call['billable_s']} s are billable", "R-INCREMENT")]


def _packs(call: dict[str, object], draws: pl.DataFrame) -> list[Step]:
    steps = []
    for row in draws.iter_rows(named=True):
        if row["left_before_s"] is None:
            words = f"{row['product_id']} is unlimited: {row['drawn_s']} s in the pack"
        else:
            left = row["left_before_s"] - row["drawn_s"]
            words = (
                f"{row['product_id']} had {row['left_before_s']} s left: {row['drawn_s']} s in the pack, {left} s stay"
            )
        steps.append(Step("pack", words, "R-PACK"))
    if steps:
        steps.append(
            Step("out of pack", f"{call['billable_s']} - {call['pack_s']} = {call['charged_s']} s are charged")
        )
    return steps


def _amount(call: dict[str, object]) -> list[Step]:
    charged_s, rate = int(str(call["charged_s"])), int(str(call["rate_micro_per_min"]))
    setup = int(str(call["setup_micro"])) if charged_s else 0
    micro, rest = divmod(SECONDS_PER_MINUTE * setup + charged_s * rate, SECONDS_PER_MINUTE)
    setup_words = f"{decimal_text(setup)} + " if setup else ""
    amount = decimal_text(int(str(call["amount_cents"])) * MICRO_PER_CENT)
    words = (
        f"{setup_words}{charged_s} s x {decimal_text(rate)} / 60 = {decimal_text(micro)}{'...' if rest else ''} EUR, "
        f"rounded up to the cent: {amount} EUR"
    )
    return [Step("amount", words, "R-SECOND")]


def _where(ledger: Ledger, rating: Rating, call: dict[str, object]) -> Step:
    period = Period(*divmod(int(str(call["period_number"])), 100))
    late = period < rating.period
    rule_id = "R-LATE" if late else "R-INVOICE"
    came_late = f"; it came after {period} was issued" if late else ""
    if not rating.issued:
        return Step("invoice", f"rated for {rating.period}, not issued yet{came_late}", rule_id)
    found = ledger.rows(
        "select invoice_number from invoices where period = ? and customer_id = ?",
        [str(rating.period), call["customer_id"]],
    )
    if not found:
        return Step(
            "invoice",
            f"settled by the run of {rating.period}: the customer had no line, so no invoice",
            "R-LATE",
        )
    hidden = call["zone_kind"] in ("emergency", "free")
    if hidden:
        return Step("invoice", f"settled with {found[0][0]}, where it may not be shown", "R-EMERGENCY")
    return Step("invoice", f"on {found[0][0]}{came_late}", rule_id)


def quarantined_records(store: Store, ledger: Ledger, call_id: str) -> pl.DataFrame:
    """The records and calls of an id that are in quarantine."""
    return exports.quarantine(store, ledger, None).filter(pl.col("call_id") == call_id)


def _quarantine_steps(aside: pl.DataFrame) -> list[Step]:
    """The records and calls of this id that were set aside, each with its reason."""
    rule_of = {"no_rate": "R-ZONE", "malformed": "R-RECORD", "future": "R-RECORD", "conflict": "R-RECORD"}
    return [
        Step(
            "quarantine",
            f"{row['reason']}: {row['detail']} ({row['source_file']}:{row['source_line']})",
            rule_of.get(row["reason"], "R-OWNER"),
        )
        for row in aside.iter_rows(named=True)
    ]


def _unrated_steps(call: dict[str, object], aside: list[Step], timezone: str) -> list[Step]:
    """Why an accepted call is on no invoice: in quarantine, waiting, or unanswered."""
    steps = [*_told(call, timezone), *aside]
    if call["duration_s"] == 0:
        return [*steps, Step("unanswered", "accepted with a duration of 0: kept, counted, never rated", "R-RECORD")]
    if not any(step.words.split(":")[0] in exports.REASONS for step in aside):
        steps.append(Step("waiting", "accepted; the run of its period, or the next one, will rate it", "R-LATE"))
    return steps

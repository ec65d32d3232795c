"""Bounds: what of a run's invoices is not usual, so that it is held, or reported, before it hurts.

Pure: the invoices of a run, what its calls were found to be alarming in, and what there was in the months before, in;
alarms out, each with its figures and in words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

from rating.alarms import DAY_SPEND, LONG_CALL, NIGHT_SPEND
from rating.money import MICRO, euro_text, wide
from rating.periods import Period
from rating.rules import rule
from schemas.settings import HOLD, OFF, decimal_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from invoicing.pipeline import Bill
    from rating.frames import Schema
    from schemas.settings import Bounds

INVOICE_JUMP, NO_CALLS, UNUSED_PACK, NEGATIVE_LINE = "invoice_jump", "no_calls", "unused_pack", "negative_line"
# No setting: what comes after an invoice that is held waits for it.
EARLIER_HELD = "earlier_held"
UNITS = {
    INVOICE_JUMP: "cents", LONG_CALL: "s", DAY_SPEND: "cents", NIGHT_SPEND: "cents", NO_CALLS: "calls",
    UNUSED_PACK: "months", NEGATIVE_LINE: "cents", EARLIER_HELD: "invoices",
}  # fmt: skip
# Of several alarms `measured` is that of the worst.
ALARM_SCHEMA: Schema = {
    "customer_id": pl.String, "bound": pl.String, "holds": pl.Boolean, "alarms": pl.Int64, "measured": pl.Int64,
    "allowed": pl.Int64, "unit": pl.String, "reason": pl.String,
}  # fmt: skip
NETS_SCHEMA: Schema = {"customer_id": pl.String, "period": pl.String, "net_cents": pl.Int64}
CALLED_SCHEMA: Schema = {"customer_id": pl.String, "period_number": pl.Int32}
POOLS_SCHEMA: Schema = {
    "customer_id": pl.String, "user_id": pl.String, "product_id": pl.String, "period_number": pl.Int32,
    "allowance_s": pl.Int64, "used_s": pl.Int64,
}  # fmt: skip
# So many months before tell what is usual of a customer; whoever has fewer is new, and no alarm.
USUAL_MONTHS = 3
SECONDS_PER_MINUTE = 60


class Before(NamedTuple):
    """What there was in the months before a run, as far as its bounds depend on it.

    Attributes:
        nets: `NETS_SCHEMA`: what the invoices of the three months before came to, those that are held among them.
        called: `CALLED_SCHEMA`: the months in which customers had calls.
        pools: `POOLS_SCHEMA`: the packs of this month and of as many before as the bound asks for.
        held: `customer_id` and `period` of the invoices that are held still.
    """

    nets: pl.DataFrame
    called: pl.DataFrame
    pools: pl.DataFrame
    held: pl.DataFrame


@rule("R-HELD", article="4.10")
def judge_bounds(
    period: Period, bill: Bill, traffic: pl.DataFrame, call_alarms: pl.DataFrame, before: Before, bounds: Bounds
) -> pl.DataFrame:
    """An invoice beyond a bound is held before it is numbered, and the others of its run are issued.

    Beyond a bound (`[bounds]` in the settings) is: an invoice above so many times the median of the three months
    before, of which each must have one; a call that lasts too long; a user who spends too much in a day on one zone
    (toll fraud), or at night and at weekends; a customer with services who for the first time has no calls, after
    three months with some at least; a pack that nobody used for some months; a line below 0 that is no price
    reduction. What is done about each is a
    setting: `hold`, `report` or `off`.

    What is held counts as billed: it is known to the cent, and R-CAP, R-FIRST, R-PACK, R-ONEOFF and R-CREDIT of the
    next run build on it as on any other invoice. Until it is released nothing that comes after it goes to its
    customer: his invoice of the next month is held too, so that invoices are numbered and sent in the order of the
    months. When it is released it takes the next number and the date of that day; its VAT rates and its due date are
    those of that date, and no other figure changes. One that is wrong is corrected as every other invoice is: it is
    released and credited or disputed, for what it bills counts as billed and nothing may vanish without a trace. So it
    is, too, where an earlier invoice is corrected while it is held: it keeps the figures that it is held with, and the
    settlement tells it among those to look at.

    Args:
        period: The period of the run.
        bill: Its invoices, not numbered yet.
        traffic: What its calls sum up to (`TRAFFIC_SCHEMA`).
        call_alarms: The alarms of its calls (`CALL_ALARM_SCHEMA`).
        before: What there was before.
        bounds: The settings.

    Returns:
        `ALARM_SCHEMA`, by customer and bound, one row for each; nothing is held of a customer without an invoice.
    """
    found = [
        _one_for_each(call_alarms, bounds),
        _alarms(INVOICE_JUMP, invoice_jumps(bill.invoices, before.nets, bounds), bounds, _said_jump),
        _alarms(NO_CALLS, silent_customers(period, bill.lines, traffic, before), bounds, _said_silence),
        _alarms(UNUSED_PACK, unused_packs(period, before.pools, bounds.unused_pack_months), bounds, _said_unused),
        _alarms(NEGATIVE_LINE, negative_lines(bill.lines), bounds, _said_negative),
        _alarms(EARLIER_HELD, held_before(bill.invoices, before.held), bounds, _said_earlier),
    ]
    alarms = pl.concat(found)
    invoiced = pl.col("customer_id").is_in(bill.invoices["customer_id"].cast(pl.String).implode())
    return alarms.with_columns(pl.col("holds") & invoiced).sort("customer_id", "bound")


def invoice_jumps(invoices: pl.DataFrame, nets: pl.DataFrame, bounds: Bounds) -> pl.DataFrame:
    """Invoices above so many times their three months' median; a customer with fewer of them has no usual yet."""
    usual = nets.group_by("customer_id").agg(pl.len(), median_cents=pl.col("net_cents").sort().get(1, null_on_oob=True))
    usual = usual.filter(pl.col("len") == USUAL_MONTHS)
    times_micro, least_cents = int(bounds.invoice_jump_times * MICRO), bounds.invoice_jump_least_eur.scaleb(2)
    compared = invoices.with_columns(pl.col("customer_id").cast(pl.String)).join(usual, on="customer_id")
    most = wide(pl.col("median_cents")) * times_micro
    return compared.filter(
        (wide(pl.col("net_cents")) * MICRO > most) & (pl.col("net_cents") >= pl.lit(int(least_cents)))
    ).select(
        "customer_id",
        alarms=pl.lit(1),
        measured="net_cents",
        allowed=(most // MICRO).clip(upper_bound=pl.lit(2**62)),
        median_cents="median_cents",
    )


def silent_customers(period: Period, lines: pl.DataFrame, traffic: pl.DataFrame, before: Before) -> pl.DataFrame:
    """Customers whose services go on and who have no calls, though in every month since their first they had some.

    That are three months at least: it is too early to say of a newer customer that he always calls.
    """
    calling = traffic.filter(pl.col("period_number") == period.number).select(pl.col("customer_id").cast(pl.String))
    served = lines.filter(pl.col("kind") == "recurring").select(pl.col("customer_id").cast(pl.String)).unique()
    spans = (
        before.called.filter(pl.col("period_number") < period.number)
        .group_by("customer_id")
        .agg(pl.col("period_number").n_unique().alias("months"), first=pl.col("period_number").min())
    )
    year, month = pl.col("first") // 100, pl.col("first") % 100
    since = (period.year - year) * 12 + period.month - month
    always = spans.filter((pl.col("months") == since) & (since >= USUAL_MONTHS))
    silent = served.join(always, on="customer_id").join(calling, on="customer_id", how="anti")
    return silent.select("customer_id", alarms=pl.lit(1), measured=pl.lit(0), allowed=pl.lit(1), months="months")


def unused_packs(period: Period, pools: pl.DataFrame, months: int) -> pl.DataFrame:
    """Packs with something in them of which nothing was drawn in so many months one after the other, this the last."""
    wanted = [period.number]
    for _ in range(months - 1):
        wanted.append(Period.numbered(wanted[-1]).previous.number)
    key = ["customer_id", "user_id", "product_id"]
    of_month = pools.filter(pl.col("period_number").is_in(wanted)).group_by(*key, "period_number").agg(
        pl.col("used_s").sum(), filled=(pl.col("allowance_s").is_null() | (pl.col("allowance_s") > 0)).any()
    )  # fmt: skip
    unused = of_month.filter((pl.col("used_s") == 0) & pl.col("filled")).group_by(key).len()
    per_product = unused.filter(pl.col("len") == months).group_by("customer_id", "product_id").agg(packs=pl.len())
    return per_product.sort("customer_id", "product_id").group_by("customer_id", maintain_order=True).agg(
        alarms=pl.col("packs").sum(), measured=pl.lit(months), allowed=pl.lit(months - 1), product_id="product_id",
        packs="packs", since=pl.lit(str(Period.numbered(wanted[-1]))),
    )  # fmt: skip


def negative_lines(lines: pl.DataFrame) -> pl.DataFrame:
    """Lines below 0 that are no price reductions: no rule gives one, so that it can only be a fault."""
    below = lines.filter((pl.col("net_cents") < 0) & (pl.col("kind") != "credit"))
    named = below.with_columns(pl.col("customer_id").cast(pl.String)).sort("customer_id", "net_cents", "line_no")
    return named.group_by("customer_id", maintain_order=True).agg(
        pl.col("line_no", "kind", "description").first(),
        alarms=pl.len(), measured=pl.col("net_cents").first(), allowed=pl.lit(0),
    )  # fmt: skip


def held_before(invoices: pl.DataFrame, held: pl.DataFrame) -> pl.DataFrame:
    """Invoices of customers of whom an earlier one is held still."""
    earlier = held.group_by("customer_id").agg(pl.col("period").min(), pl.len().alias("held"))
    here = invoices.select(pl.col("customer_id").cast(pl.String)).join(earlier, on="customer_id")
    return here.select("customer_id", "period", alarms="held", measured="held", allowed=pl.lit(0))


def _alarms(
    bound: str, found: pl.DataFrame, bounds: Bounds, say: Callable[[dict[str, Any], Bounds], str]
) -> pl.DataFrame:
    """What was found, in words (`ALARM_SCHEMA`); nothing where the bound is off."""
    action = HOLD if bound == EARLIER_HELD else getattr(bounds, bound)
    told = found.clear() if action == OFF else found
    reasons = [say(row, bounds) for row in told.iter_rows(named=True)]
    named = told.with_columns(
        bound=pl.lit(bound),
        holds=pl.lit(action == HOLD),
        unit=pl.lit(UNITS[bound]),
        reason=pl.Series(reasons, dtype=pl.String),
    )
    return named.select(pl.col(name).cast(dtype) for name, dtype in ALARM_SCHEMA.items())


def _one_for_each(call_alarms: pl.DataFrame, bounds: Bounds) -> pl.DataFrame:
    """The alarms of calls as one for each customer and bound: the worst of them in words, and how many there are."""
    worst = (
        call_alarms.sort("measured", "day", "call_id", "user_id", "number", "zone_id", descending=True, nulls_last=True)
        .group_by("customer_id", "bound", maintain_order=True)
        .agg(pl.all().first(), alarms=pl.len())
    )
    found = [pl.DataFrame(schema=ALARM_SCHEMA)]
    for bound, (allowed, say) in {
        LONG_CALL: (bounds.longest_call_s, said_long_call),
        DAY_SPEND: (bounds.day_spend_cents, said_day_spend),
        NIGHT_SPEND: (bounds.night_spend_cents, said_night_spend),
    }.items():
        of_bound = worst.filter(pl.col("bound") == bound).with_columns(allowed=pl.lit(allowed))
        found.append(_alarms(bound, of_bound, bounds, _with_the_others(say)))
    return pl.concat(found)


def _with_the_others(say: Callable[[dict[str, Any], Bounds], str]) -> Callable[[dict[str, Any], Bounds], str]:
    def said(row: dict[str, Any], bounds: Bounds) -> str:
        others = row["alarms"] - 1
        return say(row, bounds) + (f"; and {others} more of the kind" if others else "")

    return said


def said_long_call(row: dict[str, Any], bounds: Bounds) -> str:
    """A long call, as a row of `CALL_ALARM_SCHEMA`, in words."""
    return (
        f"call {row['call_id']} of {_spender(row)} to {row['zone_id']} on {row['day']} lasted "
        f"{_hours_text(row['measured'])}, more than {decimal_text(bounds.long_call_h)} h (bounds.long_call_h)"
    )


def said_day_spend(row: dict[str, Any], bounds: Bounds) -> str:
    """What a user spent in a day, as a row of `CALL_ALARM_SCHEMA`, in words."""
    return (
        f"{_spender(row)} spent {euro_text(row['measured'])} EUR on {row['zone_id']} on {row['day']}, in "
        f"{_calls_text(row)}: more than {euro_text(bounds.day_spend_cents)} EUR (bounds.day_spend_eur)"
    )


def said_night_spend(row: dict[str, Any], bounds: Bounds) -> str:
    """What a user spent in a night or at a weekend, as a row of `CALL_ALARM_SCHEMA`, in words."""
    return (
        f"{_spender(row)} spent {euro_text(row['measured'])} EUR on premium and international calls in the night or at "
        f"the weekend of {row['day']}, in {_calls_text(row)}: more than {euro_text(bounds.night_spend_cents)} EUR "
        "(bounds.night_spend_eur)"
    )


def _spender(row: dict[str, Any]) -> str:
    return f"number {row['number']}" if row["user_id"] is None else f"user {row['user_id']}"


def _calls_text(row: dict[str, Any]) -> str:
    return "1 call" if row["calls"] == 1 else f"{row['calls']} calls"


def _hours_text(seconds: int) -> str:
    minutes = seconds // SECONDS_PER_MINUTE
    return f"{minutes // 60} h {minutes % 60:02d} min {seconds % SECONDS_PER_MINUTE:02d} s"


def _said_jump(row: dict[str, Any], bounds: Bounds) -> str:
    return (
        f"{euro_text(row['measured'])} EUR without VAT are more than {decimal_text(bounds.invoice_jump_times)} times "
        f"{euro_text(row['median_cents'])} EUR, the median of the three months before (bounds.invoice_jump_times)"
    )


def _said_silence(row: dict[str, Any], _: Bounds) -> str:
    return (
        f"there are services and, for the first time, no calls: there were some in each of the {row['months']} months "
        "before; are CDRs missing? (bounds.no_calls)"
    )


def _said_unused(row: dict[str, Any], bounds: Bounds) -> str:
    packs = ", ".join(f"{count} of {name}" for name, count in zip(row["product_id"], row["packs"], strict=True))
    return (
        f"packs that nobody used since {row['since']}: {packs} "
        f"(bounds.unused_pack_months = {bounds.unused_pack_months})"
    )


def _said_negative(row: dict[str, Any], _: Bounds) -> str:
    more = f"; and {row['alarms'] - 1} more of the kind" if row["alarms"] > 1 else ""
    return (
        f"line {row['line_no']} ({row['kind']}, {row['description']}) is {euro_text(row['measured'])} EUR, below 0, "
        f"and no price reduction (bounds.negative_line){more}"
    )


def _said_earlier(row: dict[str, Any], _: Bounds) -> str:
    return f"the invoice of {row['period']} is held still; it is released first"

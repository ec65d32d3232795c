"""Differing: two invoices, two periods or two stores beside each other: totals, lines, and calls when asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from invoicing.beside import LINE_FIGURES, beside, by_line, differing, differing_calls, with_figures
from invoicing.origins import calls_in_force, origin_of
from invoicing.rated_calls import in_shares, rated_calls_of
from invoicing.store import Store
from invoicing.table_files import require_target, write_table
from rating.frames import compact
from rating.money import MICRO_PER_CENT, decimal_text
from rating.periods import Period
from rating.pipeline import RATED_SCHEMA, TRAFFIC_SCHEMA
from schemas.errors import InputRefused

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from invoicing.desk import Desk, Report
    from invoicing.ledger import Rating

NAMES = ("a", "b")
OWNER = ["period", "customer_id"]
TOTALS = ["net_cents", "vat_cents", "gross_cents"]
# Where the invoices and lines of a side are: of one number, superseded or not, or what is in force.
OF_NUMBER, IN_FORCE = ("invoices", "rated_lines"), ("invoices_in_force", "lines_in_force")
# Where both sides are of one period their days tell lines apart; else how far they are from the period of each.
LINE_KEY = [*OWNER, "kind", "product_id", "zone_id", "traffic_period", "service", "source_id"]
MONTHS_OF_A_YEAR = 12


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two that are compared.

    Attributes:
        desk: Its store.
        name: What was asked for.
        period: Its period; None for a whole store.
        is_invoice: Whether it is one invoice.
        invoices: Its invoices, as the ledger has them; of a period or store those in force, held ones too.
        lines: Their lines, with `period`.
    """

    desk: Desk
    name: str
    period: Period | None
    is_invoice: bool
    invoices: pl.DataFrame
    lines: pl.DataFrame

    @property
    def title(self) -> str:
        """What it is, and of which store."""
        return self.name if self.period is None else f"{self.name} in {self.desk.store.root}"


@dataclass(frozen=True, slots=True)
class Difference:
    """Two sides beside each other; each figure twice, `_a` and `_b`, null where there was none, and the difference.

    Attributes:
        sides: What was compared.
        totals: By `OWNER`: `TOTALS`; only those that differ.
        lines: By `LINE_KEY`: `LINE_FIGURES`; only the lines that differ.
        same_lines: How many lines do not.
        calls: How many calls differ; None where it was not asked.
    """

    sides: tuple[Side, Side]
    totals: pl.DataFrame
    lines: pl.DataFrame
    same_lines: int
    calls: int | None


def is_store(folder: Path) -> bool:
    """Whether a folder is that of a store."""
    return Store(folder).exists


def sides_of(first: Desk, second: Desk, names: tuple[str, str]) -> tuple[Side, Side]:
    """Two invoices, or two periods, by their numbers, of one store or of two.

    Raises:
        InputRefused: where one is not there, or one is an invoice and the other a period.
    """
    one, two = (_named(desk, name) for desk, name in zip((first, second), names, strict=True))
    if one.is_invoice != two.is_invoice:
        raise InputRefused(f"{names[0]} and {names[1]}: expected two invoices or two periods, not one of each")
    return one, two


def stores_of(first: Desk, second: Desk) -> tuple[Side, Side]:
    """All that two stores have issued."""
    one, two = (_side(desk, str(desk.store.root), None, IN_FORCE, "true", []) for desk in (first, second))
    return one, two


def _named(desk: Desk, name: str) -> Side:
    ledger = desk.ledger
    found = ledger.rows("select period from invoices where invoice_number = ?", [name])
    if found:
        return _side(desk, name, Period.parse(str(found[0][0])), OF_NUMBER, "invoice_number = ?", [name])
    runs = [run for run in ledger.runs() if str(run.period) == name]
    if not runs:
        raise InputRefused(
            f"{name}: {desk.store.root} has no such invoice and issued no such period; expected a number such as "
            "2026-000042 or a month such as 2026-10, or the folders of two stores"
        )
    return _side(desk, name, runs[0].period, IN_FORCE, "period = ?", [name])


def _side(
    desk: Desk, name: str, period: Period | None, tables: tuple[str, str], condition: str, parameters: list[object]
) -> Side:
    invoices, lines = (
        desk.ledger.frame(f"select * from {table} where {condition}", parameters)  # noqa: S608
        for table in tables
    )
    is_invoice = period is not None and name != str(period)
    return Side(desk, name, period, is_invoice, invoices, lines)


def difference(one: Side, two: Side, calls_file: Path | None) -> Difference:
    """Set two sides beside each other; nothing is changed.

    Args:
        one: The first.
        two: The second.
        calls_file: Where the calls that differ are written, if anywhere.

    Raises:
        InputRefused: where that file cannot be written.
        StoreUnavailable: where calls are missing or altered.
    """
    calls = None
    if calls_file is not None:
        for side in (one, two):
            require_target(side.desk.store, calls_file)
        found = pl.concat(_differing_calls(one, two)).sort("customer_id", "start", "call_id")
        write_table(found, "calls", calls_file)
        calls = found.height
    shared = _shared(one, two)
    totals = beside(one.invoices.with_columns(shared), two.invoices.with_columns(shared), OWNER, TOTALS, NAMES)
    relative = one.period != two.period
    before, now = (by_line(_placed(side, relative=relative).with_columns(shared), LINE_KEY) for side in (one, two))
    lines = beside(before, now, LINE_KEY, LINE_FIGURES, NAMES)
    differing_lines = differing(lines, LINE_FIGURES, NAMES)
    return Difference(
        (one, two), differing(totals, TOTALS, NAMES), differing_lines, lines.height - differing_lines.height, calls
    )


def _shared(one: Side, two: Side) -> list[pl.Expr]:
    """What both sides are told to be of, where two periods or two customers are compared."""
    found = [pl.col("customer_id").cast(pl.String)]
    if one.period != two.period:
        found.append(pl.lit(f"{one.period} / {two.period}").alias("period"))
    if one.is_invoice:
        customers = [str(side.invoices["customer_id"].item()) for side in (one, two)]
        found[0] = pl.lit(" / ".join(dict.fromkeys(customers))).alias("customer_id")
    return found


def _placed(side: Side, *, relative: bool) -> pl.DataFrame:
    """The lines of a side with the days of their service and their traffic period as text.

    Relative ones are told from the period: `P+1` is the month after it, `P day 10 to last` the days from its 10th on.
    """
    begins, ends = pl.col("service_from"), pl.col("service_to")
    if not relative or side.period is None:
        return side.lines.with_columns(service=pl.format("{} to {}", begins, ends))
    base = side.period.year * MONTHS_OF_A_YEAR + side.period.month
    traffic = pl.col("traffic_period")
    months = traffic.str.slice(0, 4).cast(pl.Int64) * MONTHS_OF_A_YEAR + traffic.str.slice(5, 2).cast(pl.Int64)
    first, last = _month_from(begins, base), _month_from(ends, base)
    is_whole = (begins.dt.day() == 1) & (ends == ends.dt.month_end()) & (first == last)
    last_day = pl.when(ends == ends.dt.month_end()).then(pl.lit("last")).otherwise(ends.dt.day().cast(pl.String))
    days = pl.format("{} day {} to {} day {}", first, begins.dt.day(), last, last_day)
    return side.lines.with_columns(
        service=pl.when(is_whole).then(first).otherwise(days), traffic_period=_from(months, base)
    )


def _month_from(day: pl.Expr, base: int) -> pl.Expr:
    return _from(day.dt.year().cast(pl.Int64) * MONTHS_OF_A_YEAR + day.dt.month().cast(pl.Int64), base)


def _from(months: pl.Expr, base: int) -> pl.Expr:
    """`P`, `P+1`, `P-2`: how many months after the period's."""
    after = months - base
    sign = pl.when(after > 0).then(pl.lit("+")).otherwise(pl.lit(""))
    return pl.when(after == 0).then(pl.lit("P")).otherwise(pl.format("P{}{}", sign, after))


def _differing_calls(one: Side, two: Side) -> Iterator[pl.DataFrame]:
    """The calls in which two sides differ, period by period and some customers at a time."""
    nothing = pl.DataFrame(schema=RATED_SCHEMA)
    yield differing_calls(nothing, nothing, NAMES)
    for ratings in _ratings_beside(one, two):
        sides = [(side, rating) for side, rating in zip((one, two), ratings, strict=True) if rating is not None]
        traffic = pl.concat([pl.DataFrame(schema=TRAFFIC_SCHEMA), *(_traffic(*side) for side in sides)])
        customers = traffic["customer_id"].unique().sort()
        for share in in_shares(customers, traffic):
            calls = [_calls(side, rating, share) for side, rating in zip((one, two), ratings, strict=True)]
            yield compact(differing_calls(calls[0], calls[1], NAMES))


def _ratings_beside(one: Side, two: Side) -> list[tuple[Rating | None, Rating | None]]:
    """The ratings that are compared: those of the two periods, or of each period of two stores."""
    of_periods = [{rating.period: rating for rating in side.desk.ledger.ratings(issued=True)} for side in (one, two)]
    if one.is_invoice:
        numbers = [str(side.invoices["invoice_number"].item()) for side in (one, two)]
        first, second = (
            origin_of(side.desk.ledger, each).rating for side, each in zip((one, two), numbers, strict=True)
        )
        return [(first, second)]
    if one.period is not None and two.period is not None:
        return [(of_periods[0][one.period], of_periods[1][two.period])]
    periods = sorted({*of_periods[0], *of_periods[1]})
    return [(of_periods[0].get(period), of_periods[1].get(period)) for period in periods]


def _traffic(side: Side, rating: Rating) -> pl.DataFrame:
    """What the calls of a side's rating sum up to."""
    kept = side.desk.store.read_frame(rating.traffic_path, side.desk.ledger.stored_files()[rating.traffic_path])
    kept = kept.with_columns(pl.col("customer_id", "zone_id", "zone_kind").cast(pl.String))
    return kept.filter(pl.col("customer_id").is_in(side.invoices["customer_id"].implode())) if side.is_invoice else kept


def _calls(side: Side, rating: Rating | None, customers: pl.Series) -> pl.DataFrame:
    if rating is None:
        return pl.DataFrame(schema=RATED_SCHEMA)
    if side.is_invoice:
        customers = customers.filter(customers.is_in(side.invoices["customer_id"].implode()))
        return rated_calls_of(side.desk.store, side.desk.ledger, rating, customers=customers)
    return calls_in_force(side.desk.store, side.desk.ledger, rating, customers)


def tell_difference(found: Difference, report: Report, *, whole: bool) -> None:
    """What differs, and by how much; columns without any figure only where the `whole` tables are asked for."""
    one, two = found.sides
    for title, frame in (("Totals that differ", found.totals), ("Lines that differ", found.lines)):
        report.tables[title] = frame if whole else with_figures(frame)
    report.counts = {
        "totals_differing": found.totals.height,
        "only_in_a": found.totals["gross_cents_b"].null_count(),
        "only_in_b": found.totals["gross_cents_a"].null_count(),
        "lines_same": found.same_lines,
        "lines_differing": found.lines.height,
    }
    if found.calls is not None:
        report.counts["calls_differing"] = found.calls
    net = [int(side.invoices["net_cents"].sum()) for side in found.sides]
    report.sums = {"net_cents_a": net[0], "net_cents_b": net[1], "difference_cents": net[1] - net[0]}
    euro = [decimal_text(cents * MICRO_PER_CENT) for cents in (*net, net[1] - net[0])]
    report.messages.append(
        f"a is {one.title}: {euro[0]} EUR without VAT; b is {two.title}: {euro[1]} EUR; a difference of {euro[2]} EUR"
    )
    if found.totals.is_empty() and found.lines.is_empty():
        report.messages.append(f"all {found.same_lines} lines are the same")

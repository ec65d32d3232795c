"""What if: what an issued month would have cost with other tables, another deck, other settings or fewer calls."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import polars as pl

from invoicing.beside import LINE_FIGURES, LINE_KEY, beside, by_line, differing, differing_calls
from invoicing.month_again import month_again
from invoicing.origins import with_deck
from invoicing.rated_calls import in_shares, rated_calls_of
from invoicing.snapshots import load_snapshot
from invoicing.table_files import require_target, write_table
from rating.frames import compact
from rating.money import euro_text
from rating.periods import period_text
from rating.pipeline import RATED_SCHEMA
from rating.sources.platform_tables import load_platform
from schemas.errors import InputRefused
from schemas.settings import parse_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from invoicing.desk import Desk, Report
    from invoicing.ledger import Run
    from invoicing.month_again import MonthAgain
    from schemas.platform import Platform
    from schemas.settings import Settings

ZONE_FIGURES = ["calls", "charged_s", "amount_cents"]
NAMES = ("issued", "supposed")
# What the run made, held or issued and whether it was corrected since or not: its own tables are what is supposed to be
# otherwise.
BY_RUN = "from rated_lines where rating_no = ?"


@dataclass(frozen=True, slots=True)
class Supposed:
    """What is taken to have been otherwise; what is None is taken as it was.

    Attributes:
        tables: A folder of platform tables.
        deck: A file of the table `rates`, whose versions of decks come beside or in place of those there were.
        without_calls: A file that names calls by `call_id`, which are taken not to have been there.
        settings: Other settings.
    """

    tables: Path | None = None
    deck: Path | None = None
    without_calls: Path | None = None
    settings: Settings | None = None


@dataclass(frozen=True, slots=True)
class WhatIf:
    """A month as it was issued, or held, beside what it would have been; amounts without VAT.

    Each frame has what tells its rows apart, then each figure twice, `_issued` and `_supposed`, null where there was
    none, and the difference.

    Attributes:
        customers: By `customer_id`: `net_cents`.
        zones: By `traffic_period` and `zone_id`: `ZONE_FIGURES`.
        lines: By customer and `LINE_KEY`: `LINE_FIGURES`; only the lines that differ.
        calls: How many calls differ.
    """

    customers: pl.DataFrame
    zones: pl.DataFrame
    lines: pl.DataFrame
    calls: int


def what_if(desk: Desk, run: Run, supposed: Supposed, customers: list[str], calls_file: Path | None) -> WhatIf:
    """Work an issued month again with what is supposed, and set it beside what was issued; nothing is changed.

    Args:
        desk: The store.
        run: The run of the month.
        supposed: What is taken to have been otherwise.
        customers: Only these are looked at; all of them where there are none.
        calls_file: Where the calls that differ are written, if anywhere.

    Raises:
        InputRefused: where a file cannot be used, or a customer is not known.
        StoreUnavailable: where something the month was made from is missing or altered.
    """
    if calls_file is not None:
        require_target(desk.store, calls_file)
    settings = supposed.settings or parse_settings(json.loads(run.settings))
    platform = _platform(desk, run, supposed, settings)
    _refuse_unknown(customers, platform, desk, run)
    without = None if supposed.without_calls is None else call_ids_in(supposed.without_calls)
    with month_again(desk, run, platform, settings, without=without) as again:
        calls = pl.concat(_differing_calls(desk, run, again, customers)).sort("customer_id", "start", "call_id")
        if calls_file is not None:
            write_table(calls, "calls", calls_file)
        return WhatIf(
            _customers(desk, run, again, customers),
            _zones(desk, run, again, customers),
            _lines(desk, run, again, customers),
            calls.height,
        )


def _platform(desk: Desk, run: Run, supposed: Supposed, settings: Settings) -> Platform:
    """The tables to work with: those of the run, others, or those of the run with other rates."""
    if supposed.tables is not None:
        return load_platform(supposed.tables, settings).platform
    loaded = load_snapshot(desk.store, desk.ledger, run.snapshot, settings)
    if supposed.deck is None:
        return loaded.platform
    return with_deck(loaded, supposed.deck, settings).platform


def call_ids_in(path: Path) -> pl.Series:
    """The call_ids that a file names: its column `call_id`, or each of its lines where it is a .txt.

    Raises:
        InputRefused: where it cannot be read, or has no such column.
    """
    readers: dict[str, Callable[[io.BytesIO], pl.DataFrame]] = {
        ".txt": lambda source: pl.read_lines(source).rename({"line": "call_id"}),
        ".csv": partial(pl.read_csv, infer_schema=False),
        ".parquet": partial(pl.read_parquet, columns=["call_id"]),
        ".ndjson": pl.read_ndjson,
    }
    expected = "expected a .txt with a call_id on each line, or a .csv, .parquet or .ndjson with a column call_id"
    if not path.is_file() or path.suffix not in readers:
        raise InputRefused(f"{path}: {expected}")
    try:
        # Opened here: Polars would take brackets in a path for a pattern.
        ids = readers[path.suffix](io.BytesIO(path.read_bytes()))["call_id"].cast(pl.String).str.strip_chars()
    except pl.exceptions.PolarsError as error:
        raise InputRefused(f"{path}: {expected} ({str(error).splitlines()[0]})") from None
    return ids.filter(ids.is_not_null() & (ids != "")).unique().sort()


def _refuse_unknown(customers: list[str], platform: Platform, desk: Desk, run: Run) -> None:
    known = {*platform.customers["customer_id"], *_issued_customers(desk, run)}
    unknown = [customer for customer in customers if customer not in known]
    if unknown:
        raise InputRefused(f"{', '.join(unknown)}: no such customer in the tables or on the invoices of {run.period}")


def _issued_customers(desk: Desk, run: Run) -> list[str]:
    rows = desk.ledger.rows(f"select distinct customer_id {BY_RUN} order by 1", [run.rating_no])
    return [str(customer) for (customer,) in rows]


def _chosen(frame: pl.DataFrame, customers: list[str]) -> pl.DataFrame:
    frame = frame.with_columns(pl.col("customer_id").cast(pl.String))
    return frame.filter(pl.col("customer_id").is_in(customers)) if customers else frame


def _customers(desk: Desk, run: Run, again: MonthAgain, customers: list[str]) -> pl.DataFrame:
    issued = desk.ledger.frame(
        f"select customer_id, cast(sum(net_cents) as bigint) net_cents {BY_RUN} group by 1", [run.rating_no]
    )
    supposed = _chosen(again.bill.invoices, customers)
    return beside(_chosen(issued, customers), supposed, ["customer_id"], ["net_cents"], NAMES)


def _zones(desk: Desk, run: Run, again: MonthAgain, customers: list[str]) -> pl.DataFrame:
    rating = desk.ledger.rating_of(run)
    kept = desk.store.read_frame(rating.traffic_path, desk.ledger.stored_files()[rating.traffic_path])
    issued, supposed = (_by_zone(_chosen(traffic, customers)) for traffic in (kept, again.rated.traffic))
    return beside(issued, supposed, ["traffic_period", "zone_id"], ZONE_FIGURES, NAMES)


def _by_zone(traffic: pl.DataFrame) -> pl.DataFrame:
    sums = traffic.group_by("period_number", pl.col("zone_id").cast(pl.String)).agg(pl.col(ZONE_FIGURES).sum())
    return sums.with_columns(traffic_period=period_text(pl.col("period_number")))


def _lines(desk: Desk, run: Run, again: MonthAgain, customers: list[str]) -> pl.DataFrame:
    """The lines that differ."""
    issued = desk.ledger.frame(f"select * {BY_RUN}", [run.rating_no])
    before, now = (by_line(_chosen(lines, customers), LINE_KEY) for lines in (issued, again.bill.lines))
    return differing(beside(before, now, LINE_KEY, LINE_FIGURES, NAMES), LINE_FIGURES, NAMES)


def _differing_calls(desk: Desk, run: Run, again: MonthAgain, customers: list[str]) -> Iterator[pl.DataFrame]:
    """The calls whose owner or figures differ, file by file of the issued rating, then those that are new."""
    rating = desk.ledger.rating_of(run)
    kept = desk.store.read_frame(rating.traffic_path, desk.ledger.stored_files()[rating.traffic_path])
    traffic = _chosen(pl.concat([kept, again.rated.traffic]), customers)
    nothing = pl.DataFrame(schema=RATED_SCHEMA)
    yield differing_calls(nothing, nothing, NAMES)
    for share in in_shares(traffic["customer_id"].unique().sort(), traffic):
        issued = rated_calls_of(desk.store, desk.ledger, rating, customers=share)
        yield compact(differing_calls(issued, again.calls(customers=share), NAMES))


def tell_what_if(period: str, found: WhatIf, report: Report) -> None:
    """Who would pay more and who less, by customer, zone and line."""
    report.tables["Customers"] = found.customers.filter(pl.col("difference_cents") != 0).sort(
        "difference_cents", "customer_id", descending=[True, False]
    )
    report.tables["Zones"] = found.zones
    report.tables["Lines that differ"] = found.lines
    issued, supposed = (int(found.customers[f"net_cents_{name}"].sum()) for name in ("issued", "supposed"))
    report.counts = {
        "customers_paying_more": found.customers.filter(pl.col("difference_cents") > 0).height,
        "customers_paying_less": found.customers.filter(pl.col("difference_cents") < 0).height,
        "lines_differing": found.lines.height,
        "calls_differing": found.calls,
    }
    report.sums = {"net_cents_issued": issued, "net_cents_supposed": supposed, "difference_cents": supposed - issued}
    euro = [euro_text(cents) for cents in (issued, supposed, supposed - issued)]
    report.messages.append(
        f"{period}: {euro[0]} EUR without VAT were invoiced; it would have been {euro[1]} EUR, a difference of "
        f"{euro[2]} EUR; nothing was changed"
    )

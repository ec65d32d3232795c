"""The sections about use: packs, calls by day and hour, what is billed without being used, files, the run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from invoicing.reports import minimums, pack_use
from invoicing.reports.charts import shades
from invoicing.reports.parts import AMOUNT, COUNT, DURATION, Cell, Column, Section, Table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from invoicing.documents.words import Language
    from invoicing.reports.month import Month
    from invoicing.reports.parts import Chart, Content
    from invoicing.reports.words import Names

HOURS = 24


def packs_section(month: Month, say: Language, names: Names) -> Section:
    """How the packs of each product were used, and whom another would have cost less."""
    packs = pack_use.packs_by_product(month.packs_used)
    if packs.is_empty():
        return Section("packs", say.say("section.packs"), [say.say("packs.none")])
    counts = ("packs", "unused", "used", "exceeded", "unlimited")
    rows: list[list[Content]] = [
        [
            names.of(names.products, row["product_id"]), *(row[name] for name in counts),
            row["allowance_s"], row["used_s"],
        ]
        for row in packs.iter_rows(named=True)
    ]  # fmt: skip
    columns = [Column(say.say("column.product")), *(Column(say.say(f"column.{name}"), COUNT) for name in counts)]
    columns += [Column(say.say(f"column.{name}"), DURATION) for name in ("allowance", "minutes_used")]
    foot: list[Content] = [say.say("column.total"), *(int(packs[name].sum()) for name in counts)]
    foot += [int(packs["allowance_s"].sum()), int(packs["used_s"].sum())]
    tables = [Table("packs", say.say("table.packs"), columns, rows, foot)]
    cheaper = _cheaper_table(month, say, names)
    sentences = [] if cheaper.rows else [say.say("packs.none_cheaper")]
    if cheaper.rows:
        tables.append(cheaper)
    use = pack_use.use_distribution(month.packs_used)
    charts = [_use_chart(use, say, names)] if use.height else []
    return Section("packs", say.say("section.packs"), sentences, charts, tables)


def _use_chart(use: pl.DataFrame, say: Language, names: Names) -> Chart:
    labels = [f"{share * 10}\u2013{share * 10 + 10} %" for share in range(pack_use.SHARES)] + [say.say("packs.all")]
    products = use["product_id"].unique().sort().to_list()
    counted = {(product, share): packs for product, share, packs in use.iter_rows()}
    cells = [
        (labels[share], share, names.of(names.products, product), place, counted.get((product, share), 0))
        for place, product in enumerate(products)
        for share in range(len(labels))
    ]
    told = "; ".join(
        f"{names.of(names.products, product)}, {labels[share]}: {packs}" for product, share, packs in use.iter_rows()
    )
    return shades(_grid(cells), f"{say.say('packs.words')}: {told}", square=False)


def _grid(cells: list[tuple[str, int, str, int, int]]) -> pl.DataFrame:
    schema = {"column": pl.String, "across": pl.Int64, "row": pl.String, "down": pl.Int64, "number": pl.Int64}
    return pl.DataFrame(cells, schema=schema, orient="row")


def _cheaper_table(month: Month, say: Language, names: Names) -> Table:
    found = pack_use.cheaper_packs(month.packs_used, month.calls.owners, month.platform, month.period)
    rows: list[list[Content]] = [
        [
            names.customer(row["customer_id"]), row["user_id"],
            names.of(names.products, row["product_id"]), names.of(names.products, row["other_id"]),
            row["needed_s"], row["cost_cents"], row["other_cents"], row["saved_cents"],
        ]
        for row in found.iter_rows(named=True)
    ]  # fmt: skip
    columns = [Column(say.say(f"column.{name}")) for name in ("customer", "user", "pack", "other_pack")]
    columns.append(Column(say.say("column.needed"), DURATION))
    columns += [Column(say.say(f"column.{name}"), AMOUNT) for name in ("cost", "other_cost", "saved")]
    return Table("cheaper", say.say("table.cheaper"), columns, rows)


def traffic_section(month: Month, say: Language) -> Section:
    """When the calls of the month were placed."""
    hours = month.calls.hours
    late = [int(month.calls.late[name].item()) for name in ("calls", "duration_s", "amount_cents")]
    by_day = hours.group_by("day").agg(pl.col("calls", "duration_s", "amount_cents").sum()).sort("day")
    by_hour = hours.group_by("hour").agg(pl.col("calls", "duration_s", "amount_cents").sum()).sort("hour")
    tables = [
        _traffic_table("days", by_day, [Cell(say.day(day), day.isoformat()) for day in by_day["day"]], say, late),
        _traffic_table("hours", by_hour, [_hour(hour) for hour in by_hour["hour"]], say, late),
    ]
    charts = [shades(_calendar(month, say), say.say("traffic.words"), square=True)] if hours.height else []
    return Section("traffic", say.say("section.traffic"), charts=charts, tables=tables)


def _hour(hour: int) -> str:
    return f"{hour:02d}:00\u2013{hour:02d}:59"


def _calendar(month: Month, say: Language) -> pl.DataFrame:
    """Every day of the month against every hour, with its calls."""
    calls = {(day, hour): count for day, hour, count in month.calls.hours.select("day", "hour", "calls").iter_rows()}
    days: list[date] = pl.date_range(month.period.first_day, month.period.last_day, eager=True).to_list()
    return _grid(
        [
            (f"{hour:02d}", hour, say.day(day)[:5], place, calls.get((day, hour), 0))
            for place, day in enumerate(days)
            for hour in range(HOURS)
        ]
    )


def _traffic_table(name: str, sums: pl.DataFrame, labels: Sequence[Content], say: Language, late: list[int]) -> Table:
    rows: list[list[Content]] = [
        [label, calls, seconds, cents]
        for label, (calls, seconds, cents) in zip(
            labels, sums.select("calls", "duration_s", "amount_cents").iter_rows(), strict=True
        )
    ]
    if late[0]:
        rows.append([Cell(say.say("traffic.late"), "~"), late[0], late[1], late[2]])
    total = [
        int(sums[column].sum()) + late[place] for place, column in enumerate(("calls", "duration_s", "amount_cents"))
    ]
    columns = [
        Column(say.say(f"column.{name[:-1]}")), Column(say.say("column.calls"), COUNT),
        Column(say.say("column.duration"), DURATION), Column(say.say("column.amount"), AMOUNT),
    ]  # fmt: skip
    foot: list[Content] = [say.say("column.total"), total[0], total[1], total[2]]
    return Table(name, say.say(f"table.{name}"), columns, rows, foot, is_folded=True)


def reserved_section(month: Month, say: Language, names: Names) -> Section:
    """The users billed that nobody configured, and when each falls away."""
    reserved = minimums.reserved_users(month.user_counts, month.lines)
    if reserved.is_empty():
        return Section("reserved", say.say("section.reserved"), [say.say("reserved.none")])
    falling = minimums.falling_away(reserved, month.period, month.settings.billing.cap_rounding)
    told = falling.partition_by("customer_id", as_dict=True)
    rows: list[list[Content]] = [
        [
            names.customer(row["customer_id"]),
            *(row[name] for name in ("configured", "billed", "reserved", "net_cents")),
            _falling(told.get((row["customer_id"],)), say),
        ]
        for row in reserved.iter_rows(named=True)
    ]
    counts = ("configured", "billed", "reserved")
    columns = [
        Column(say.say("column.customer")), *(Column(say.say(f"column.{name}"), COUNT) for name in counts),
        Column(say.say("column.amount"), AMOUNT), Column(say.say("column.falls_away")),
    ]  # fmt: skip
    foot: list[Content] = [
        say.say("column.total"),
        *(int(reserved[name].sum()) for name in (*counts, "net_cents")),
        None,
    ]
    table = Table("reserved", say.say("table.reserved"), columns, rows, foot)
    return Section("reserved", say.say("section.reserved"), [say.say("reserved.words")], tables=[table])


def _falling(falling: pl.DataFrame | None, say: Language) -> str:
    if falling is None:
        return ""
    return "; ".join(
        say.say("reserved.stays", users=say.count(users))
        if period is None
        else say.say("reserved.falls", users=say.count(users), month=say.month(period))
        for period, users in falling.select("period", "users").iter_rows()
    )


def numbers_section(month: Month, say: Language, names: Names) -> Section:
    """The numbers outside Belgium whose 12 months run."""
    numbers = minimums.numbers_under_minimum(month.platform, month.period)
    if numbers.is_empty():
        return Section("numbers", say.say("section.numbers"), [say.say("numbers.none")])
    rows: list[list[Content]] = [
        [
            row["number"], names.customer(row["customer_id"]),
            names.of(names.products, row["product_id"]),
            Cell(say.day(row["started_on"]), row["started_on"].isoformat()),
            Cell(say.day(row["ends_on"]), row["ends_on"].isoformat()),
            say.say("numbers.gone" if row["is_gone"] else "numbers.there"),
        ]
        for row in numbers.iter_rows(named=True)
    ]  # fmt: skip
    columns = [
        Column(say.say(f"column.{name}"))
        for name in ("phone", "customer", "product", "started_on", "year_ends", "state")
    ]
    table = Table("numbers", say.say("table.numbers"), columns, rows)
    return Section("numbers", say.say("section.numbers"), [say.say("numbers.words")], tables=[table])


def files_section(month: Month, say: Language) -> Section:
    """The files read, and that every record and every call is in one place."""
    counts = ("records", "accepted", "unanswered", "duplicate", "quarantined", "skipped")
    rows: list[list[Content]] = [
        [row["source_file"], *(row[name] for name in counts), row["sha256"]]
        for row in month.files.iter_rows(named=True)
    ]
    sums = [int(month.files[name].sum()) for name in counts]
    columns = [Column(say.say("column.file")), *(Column(say.say(f"column.{name}"), COUNT) for name in counts)]
    columns.append(Column("SHA-256"))
    balance = month.balance
    numbers = {name: say.count(number) for name, number in zip(counts, sums, strict=True)}
    holds = sums[0] == sum(sums[1:])
    places = ("accepted", "invoiced", "held", "waiting", "unrated", "credited")
    calls = {name: say.count(getattr(balance, name)) for name in places}
    sentences = [
        say.say("files.records" if holds else "files.records_broken", **numbers),
        say.say("files.calls" if balance.holds else "files.calls_broken", **calls),
    ]
    foot: list[Content] = [say.say("column.total"), *sums, None]
    table = Table("files", say.say("table.files"), columns, rows, foot)
    return Section("files", say.say("section.files"), sentences, tables=[table] if rows else [])


def run_section(month: Month, say: Language) -> Section:
    """What it was made from, by which program, and how long each step took."""
    digests = month.digests
    facts = [
        (say.say("run.program"), f"centime {month.program}"),
        (say.say("run.made_at"), month.made_at),
        (say.say("run.invoice_date"), say.day(month.invoice_date)),
        (say.say("run.approval"), digests.all),
        (say.say("run.calls"), digests.calls),
        (say.say("run.tables"), digests.tables),
        (say.say("run.settings"), digests.settings),
        *_settings(month),
    ]
    inputs: list[list[Content]] = [
        [file.path.name, count, file.sha256]
        for file, count in ((file, month.platform.frames()[file.stem].height) for file in month.loaded.files)
    ]
    columns = [Column(say.say("column.table")), Column(say.say("column.rows"), COUNT), Column("SHA-256")]
    tables = [Table("inputs", say.say("table.inputs"), columns, inputs, is_folded=True)]
    if month.seconds:
        steps: list[list[Content]] = [
            [step, Cell(f"{seconds:.1f}", f"{seconds:012.3f}")] for step, seconds in month.seconds.items()
        ]
        columns = [Column(say.say("column.step")), Column(say.say("column.seconds"))]
        tables.append(Table("steps", say.say("table.steps"), columns, steps))
    return Section("run", say.say("section.run"), tables=tables, facts=facts)


def _settings(month: Month) -> list[tuple[str, str]]:
    """The settings that bear on amounts, by their names in `centime.toml`."""
    rating, billing = month.settings.rating, month.settings.billing
    return [
        *((f"rating.{name}", str(getattr(rating, name))) for name in ("timezone", "onnet", "allow_increments")),
        *(
            (f"billing.{name}", str(getattr(billing, name)))
            for name in ("invoice_day", "payment_days", "increase", "cap_rounding", "quarantine_threshold")
        ),
    ]

"""The sections about money: how much, what is missing from it, where it comes from, what changed, whose it is."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import polars as pl

from invoicing.lines import KINDS
from invoicing.reports import attention, changes
from invoicing.reports.charts import bars_by_month, bars_by_source
from invoicing.reports.income import income
from invoicing.reports.month import MONTHS
from invoicing.reports.parts import AMOUNT, CHANGE, COUNT, Cell, Column, Section, Table
from rating.money import MICRO

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from invoicing.documents.words import Language
    from invoicing.reports.month import Month
    from invoicing.reports.parts import Content, Link
    from invoicing.reports.words import Names

CENTS = 100
MOST_CHANGED = 15
MOST_REASONS = 5
ZONES_DRAWN = 10


def invoiced_section(month: Month, say: Language) -> Section:
    """How much, how many, and the twelve months before."""
    months = month.months.tail(MONTHS)
    before = _net_before(month)
    facts = [
        (say.say("total.net"), say.money(month.net_cents)),
        (say.say("total.vat"), say.money(int(month.invoices["vat_cents"].sum()))),
        (say.say("total.gross"), say.money(int(month.invoices["gross_cents"].sum()))),
        (say.say("total.invoices"), say.count(month.invoices.height)),
    ]
    if before is not None:
        facts.append((say.say("total.change"), f"{say.difference(month.net_cents - before)}\u00a0€"))
    rows: list[list[Content]] = [
        [Cell(say.month(period), period), count, net, vat, gross]
        for period, count, net, vat, gross in months.iter_rows()
    ]
    columns = [
        Column(say.say("column.month")),
        Column(say.say("column.invoices"), COUNT),
        *(Column(say.say(f"column.{name}"), AMOUNT) for name in ("net", "vat", "gross")),
    ]
    drawn = (
        _every_month(month)
        .join(months, on="period", how="left", maintain_order="left")
        .select(
            "place",
            "label",
            euro=pl.col("net_cents").fill_null(0) / CENTS,
            is_this=pl.col("period") == str(month.period),
        )
    )
    words = "; ".join(
        f"{say.month(period)} {say.money(net)}" for period, net in months["period", "net_cents"].iter_rows()
    )
    table = Table("months", say.say("table.months"), columns, rows, is_folded=True)
    charts = [bars_by_month(drawn, words)] if months.height else []
    return Section("invoiced", say.say("section.invoiced"), charts=charts, tables=[table], facts=facts)


def _net_before(month: Month) -> int | None:
    """What the month before came to; None where it was not run."""
    before = month.months.filter(pl.col("period") == str(month.period.previous))
    return int(before["net_cents"].item()) if before.height else None


def _every_month(month: Month) -> pl.DataFrame:
    """The thirteen months, run or not: `period`, `place` and the `label` that fits under a bar."""
    periods = [month.period]
    while len(periods) < MONTHS:
        periods.insert(0, periods[0].previous)
    named = pl.DataFrame({"period": [str(period) for period in periods]}).with_row_index("place")
    label = pl.col("period").str.slice(5) + "/" + pl.col("period").str.slice(2, 2)
    return named.with_columns(label=label)


def attention_section(month: Month, say: Language, names: Names) -> Section:
    """What a person must look at, with what to do; the lists behind it are folded."""
    unbilled = attention.unbilled_services(month.platform, month.lines, month.period)
    notices = attention.short_notices(month.loaded.tables)
    invoiced = month.platform.customers.join(month.invoices, on="customer_id", how="semi")
    unaddressed = attention.without_address(invoiced)
    retro = month.retro.select("table", "service_id", "customer_id").unique()
    rows: list[list[Content]] = []
    held = month.held.group_by("customer_id", "net_cents").agg("bound").sort("customer_id")
    if held.height:
        rows.append(_concern(say, "held", held.height, int(held["net_cents"].sum())))
    if month.unwritten:
        rows.append(_concern(say, "unwritten", len(month.unwritten), None))
    for reason, is_call, records, estimate in _set_aside(month).iter_rows():
        group = "unrated" if is_call else "set_aside"
        rows.append(
            [
                say.say(f"attention.{group}", reason=say.say(f"reason.{reason}")),
                records,
                estimate,
                say.say(f"todo.{reason}"),
            ]
        )
    for name, count in (
        ("unbilled", unbilled.height), ("notice", notices.height), ("retro", retro.height),
        ("address", len(unaddressed)), *_reported(month), ("notes", len(month.notes)),
    ):  # fmt: skip
        if count:
            rows.append(_concern(say, name, count, None))
    columns = [
        Column(say.say("column.what")), Column(say.say("column.number"), COUNT),
        Column(say.say("column.estimate"), AMOUNT), Column(say.say("column.todo")),
    ]  # fmt: skip
    if not rows:
        return Section("attention", say.say("section.attention"), [say.say("attention.nothing")])
    lists = [
        _held_table(held, say, names),
        _unbilled_table(unbilled, say, names),
        _notice_table(notices, say),
        _retro_table(month.retro, say, names),
        _list(
            "addresses",
            say.say("table.addresses"),
            say.say("column.customer"),
            map(names.customer, unaddressed),
        ),
        _list("unwritten", say.say("table.unwritten"), say.say("column.document"), iter(month.unwritten)),
        _list("notes", say.say("table.notes"), say.say("column.note"), iter(month.notes)),
    ]
    return Section(
        "attention",
        say.say("section.attention"),
        [say.say("attention.estimate")],
        tables=[Table("concerns", say.say("table.concerns"), columns, rows), *(one for one in lists if one.rows)],
    )


def _concern(say: Language, name: str, count: int, cents: int | None) -> list[Content]:
    return [say.say(f"attention.{name}"), count, cents, say.say(f"todo.{name}")]


def _set_aside(month: Month) -> pl.DataFrame:
    sums = [
        int(month.calls.hours[name].sum()) + int(month.calls.late[name].sum())
        for name in ("calls", "duration_s", "amount_cents")
    ]
    return attention.set_aside(month.quarantine, month.unrated, *sums)


def _reported(month: Month) -> list[tuple[str, int]]:
    sums = dict(month.reports.group_by("rule").agg(pl.col("calls").sum()).iter_rows())
    return [("spoof", sums.get("R-SPOOF", 0)), ("suspended", sums.get("R-SUSPENDED", 0))]


def _list(name: str, caption: str, heading: str, texts: Iterator[str]) -> Table:
    return Table(name, caption, [Column(heading)], [[text] for text in texts], is_folded=True)


def _held_table(held: pl.DataFrame, say: Language, names: Names) -> Table:
    columns = [
        Column(say.say("column.customer")), Column(say.say("column.net"), AMOUNT), Column(say.say("column.why"))
    ]  # fmt: skip
    rows: list[list[Content]] = [
        [names.customer(customer), cents, "; ".join(say.say(f"bound.{bound}") for bound in sorted(bounds))]
        for customer, cents, bounds in held.select("customer_id", "net_cents", "bound").iter_rows()
    ]
    return Table("held", say.say("table.held"), columns, rows, is_folded=True)


def _unbilled_table(unbilled: pl.DataFrame, say: Language, names: Names) -> Table:
    columns = [
        Column(say.say(f"column.{name}")) for name in ("customer", "service", "product", "first_day", "end_day", "why")
    ]
    rows: list[list[Content]] = [
        [
            names.customer(row["customer_id"]), row["service_id"], names.of(names.products, row["product_id"]),
            _day(say, row["active_from"]), _day(say, row["active_to"]), say.say(f"unbilled.{row['why']}"),
        ]
        for row in unbilled.iter_rows(named=True)
    ]  # fmt: skip
    return Table("unbilled", say.say("table.unbilled"), columns, rows, is_folded=True)


def _notice_table(notices: pl.DataFrame, say: Language) -> Table:
    columns = [Column(say.say(f"column.{name}")) for name in ("table", "key", "effective_from", "notified_on")]
    rows: list[list[Content]] = [
        [table, key, _day(say, effective), _day(say, notified)]
        for table, key, effective, notified in notices.iter_rows()
    ]
    return Table("notices", say.say("table.notices"), columns, rows, is_folded=True)


def _retro_table(retro: pl.DataFrame, say: Language, names: Names) -> Table:
    columns = [
        Column(say.say(f"column.{name}"))
        for name in ("customer", "service", "product", "change", "first_day", "end_day")
    ]
    rows: list[list[Content]] = [
        [
            names.customer(row["customer_id"]), row["service_id"], names.of(names.products, row["product_id"]),
            say.say(f"retro.{row['change']}"), _day(say, row["active_from"]), _day(say, row["past_end"]),
        ]
        for row in retro.iter_rows(named=True)
    ]  # fmt: skip
    return Table("retro", say.say("table.retro"), columns, rows, is_folded=True)


def _day(say: Language, day: object) -> Cell | None:
    """A day as it is written, sorted by the calendar."""
    return Cell(say.day(day), day.isoformat()) if isinstance(day, date) else None


def income_section(month: Month, say: Language, names: Names) -> Section:
    """Where the money comes from, by kind of line, calls by zone."""
    sources = income(month.lines, month.lines_before)
    rows: list[list[Content]] = []
    drawn: list[tuple[str, int]] = []
    for kind in KINDS:
        of_kind = sources.filter(pl.col("kind") == kind)
        if of_kind.is_empty():
            continue
        sums = [int(of_kind[name].sum()) for name in ("lines", "net_cents", "before_cents")]
        label = say.say(f"kind.{kind}")
        if kind != "traffic":
            rows.append([label, *sums, sums[1] - sums[2]])
        drawn.append((label, sums[1]))
        if kind == "traffic":
            for zone, lines, net, before in of_kind.select("zone_id", "lines", "net_cents", "before_cents").iter_rows():
                told = say.say("kind.traffic_to", zone=names.of(names.zones, zone))
                rows.append([told, lines, net, before, net - before])
    total = [int(sources[name].sum()) for name in ("lines", "net_cents", "before_cents")]
    columns = [
        Column(say.say("column.source")), Column(say.say("column.lines"), COUNT), Column(say.say("column.net"), AMOUNT),
        Column(say.say("column.before"), AMOUNT), Column(say.say("column.change"), CHANGE),
    ]  # fmt: skip
    chart = bars_by_source(
        pl.DataFrame(
            [(label, place, cents / CENTS) for place, (label, cents) in enumerate(drawn)],
            schema={"label": pl.String, "place": pl.Int64, "euro": pl.Float64}, orient="row",
        ),
        "; ".join(f"{label} {say.money(cents)}" for label, cents in drawn),
    )  # fmt: skip
    foot: list[Content] = [say.say("column.total"), *total, total[1] - total[2]]
    table = Table("sources", say.say("table.sources"), columns, rows, foot)
    return Section("income", say.say("section.income"), charts=[chart] if drawn else [], tables=[table])


def changes_section(month: Month, say: Language, names: Names) -> Section:
    """Who changed most, with the reasons in words; they add up to the difference."""
    if month.lines_before.is_empty():
        return Section("changes", say.say("section.changes"), [say.say("changes.no_month_before")])
    totals = changes.customer_totals(month.invoices, month.lines_before)
    most = totals.filter(pl.col("difference_cents") != 0)
    most = most.sort(-pl.col("difference_cents").abs(), "customer_id").head(MOST_CHANGED)
    lines, before = (frame.join(most, on="customer_id", how="semi") for frame in (month.lines, month.lines_before))
    told = changes.reasons(lines, before, month.platform.products).partition_by("customer_id", as_dict=True)
    spent = changes.exhausted(month.packs_used, month.calls.drawn)
    rows: list[list[Content]] = []
    for customer, net, was, difference in most.iter_rows():
        words = "; ".join(
            [
                *([say.say("changes.new")] if was is None else []),
                *([say.say("changes.gone")] if net is None else []),
                *_in_words(told[(customer,)], say, names),
                *_spent_in_words(spent.filter(pl.col("customer_id") == customer), say, names),
            ]
        )
        rows.append([names.customer(customer), was, net, difference, words])
    columns = [
        Column(say.say("column.customer")),
        *(Column(say.say(f"column.{name}"), AMOUNT) for name in ("before", "net")),
        Column(say.say("column.change"), CHANGE),
        Column(say.say("column.reasons")),
    ]
    table = Table("changes", say.say("table.changes"), columns, rows)
    return Section("changes", say.say("section.changes"), tables=[table])


def _in_words(reasons: pl.DataFrame, say: Language, names: Names) -> Iterator[str]:
    """The largest reasons of a customer, and the rest of them as one."""
    for row in reasons.head(MOST_REASONS).iter_rows(named=True):
        yield _reason(row, say, names)
    rest = reasons.slice(MOST_REASONS)
    if rest.height:
        yield say.say("changes.rest", amount=f"{say.difference(int(rest['difference_cents'].sum()))}\u00a0€")


def _reason(row: Mapping[str, object], say: Language, names: Names) -> str:
    reason, subject = str(row["reason"]), row["subject"]
    amount = f"{say.difference(int(str(row['difference_cents'])))}\u00a0€"
    if row["quantity_micro"] is not None:
        units = int(str(row["quantity_micro"]))
        told = f"{'+' if units > 0 else '-'}{say.quantity(abs(units))}"
        if subject is None:
            return say.say("changes.user" if abs(units) == MICRO else "changes.users", units=told, amount=amount)
        return say.say("changes.units", units=told, product=names.of(names.products, str(subject)), amount=amount)
    if reason == "traffic":
        return say.say("changes.traffic", zone=names.of(names.zones, str(subject)), amount=amount)
    if reason == "price":
        product = say.say("changes.any_user") if subject is None else names.of(names.products, str(subject))
        return say.say("changes.price", product=product, amount=amount)
    return say.say("changes.kind", kind=say.say(f"kind.{reason}"), amount=amount)


def _spent_in_words(spent: pl.DataFrame, say: Language, names: Names) -> Iterator[str]:
    """The packs of which nothing is left: for users, how many, and since when the first."""
    by_product = spent.group_by("product_id", maintain_order=True).agg(pl.len(), pl.col("day").min())
    for product_id, count, first_day in by_product.iter_rows():
        name, day = names.of(names.products, str(product_id)), say.day(first_day)
        if count == 1:
            yield say.say("changes.spent", product=name, day=day)
        else:
            yield say.say("changes.spent_many", product=name, day=day, count=say.count(count))


def customers_section(month: Month, say: Language, names: Names, links: Mapping[str, tuple[Link, ...]]) -> Section:
    """Every customer with an invoice, now or the month before, and the way to his documents."""
    totals = changes.customer_totals(month.invoices, month.lines_before)
    amounts = month.invoices.select("customer_id", "invoice_number", "vat_cents", "gross_cents")
    every = totals.join(amounts, on="customer_id", how="left").sort("customer_id")
    rows: list[list[Content]] = [
        [
            Cell(names.of(names.customers, row["customer_id"]), links=links.get(row["customer_id"], ())[:1]),
            row["customer_id"],
            Cell(row["invoice_number"] or say.say("column.invoice"), links=links.get(row["customer_id"], ()))
            if row["net_cents"] is not None else None,
            row["net_cents"], row["vat_cents"], row["gross_cents"], row["difference_cents"],
        ]
        for row in every.iter_rows(named=True)
    ]  # fmt: skip
    columns = [
        Column(say.say("column.name")), Column(say.say("column.customer")), Column(say.say("column.invoice")),
        Column(say.say("column.net"), AMOUNT), Column(say.say("column.vat"), AMOUNT),
        Column(say.say("column.gross"), AMOUNT), Column(say.say("column.change"), CHANGE),
    ]  # fmt: skip
    sums = [int(every[name].sum()) for name in ("net_cents", "vat_cents", "gross_cents", "difference_cents")]
    foot: list[Content] = [say.say("column.total"), None, None, *sums]
    table = Table("customers", say.say("table.customers"), columns, rows, foot)
    return Section("customers", say.say("section.customers"), tables=[table])

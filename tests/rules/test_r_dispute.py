"""R-DISPUTE: a disputed invoice is credited by the difference, or superseded by a corrected one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest

from invoicing import runs
from invoicing.credit_notes import left_of
from invoicing.desk import Report
from invoicing.overcharges import credit_overcharge
from rating.periods import Period
from schemas.errors import InputRefused
from schemas.settings import Settings
from tests.rules.disputes import desk_at, settled
from tests.rules.months import CDR_HEADER, TABLES
from tests.rules.tables import kept, start

if TYPE_CHECKING:
    from pathlib import Path

Line = tuple[str, int]  # what it is for, and its cents; `AE:` before it is another VAT category
NOW = "2026-12-05T10:00:00Z"


def frame(lines: list[Line]) -> pl.DataFrame:
    """Lines as the ledger has them, of 21 % VAT or of none."""
    rows = []
    for line_no, (thing, cents) in enumerate(lines, 1):
        category, _, zone = thing.rpartition(":")
        rows.append(
            {
                "line_no": line_no, "kind": "traffic", "product_id": None, "zone_id": zone, "traffic_period": "2026-10",
                "service_from": None, "service_to": None, "source_id": None, "net_cents": cents,
                "vat_category": category or "S", "vat_rate_micro": 0 if category else 21_000_000,
            }
        )  # fmt: skip
    texts = ("kind", "product_id", "zone_id", "traffic_period", "source_id", "vat_category")
    schema = dict.fromkeys(texts, pl.String) | {"service_from": pl.Date, "service_to": pl.Date}
    numbers = dict.fromkeys(("line_no", "net_cents", "vat_rate_micro"), pl.Int64)
    return pl.DataFrame(rows, schema={**schema, **numbers})


def totals(lines: pl.DataFrame) -> pl.DataFrame:
    sums = lines.group_by("vat_category", "vat_rate_micro").agg(base_cents=pl.col("net_cents").sum())
    return sums.with_columns(vat_cents=(pl.col("base_cents") * pl.col("vat_rate_micro") + 50_000_000) // 100_000_000)


@pytest.mark.parametrize(
    ("invoiced", "before", "corrected", "credited"),
    [
        ([("FR", 100), ("BE", 50)], [], [("FR", 60), ("BE", 50)], [(1, 40)]),
        ([("FR", 100), ("BE", 50)], [], [("FR", 60)], [(1, 40), (2, 50)]),  # a line is gone
        ([("FR", 100), ("BE", 50)], [], [], [(1, 100), (2, 50)]),  # all of it
        ([("FR", 100), ("FR", 70)], [], [("FR", 90), ("FR", 70)], [(1, 10)]),  # two lines of one thing
        # A line that grows, or is new, makes it an amount of the whole.
        ([("FR", 100), ("BE", 50)], [], [("FR", 30), ("BE", 60)], [(None, 60)]),
        ([("FR", 100)], [], [("BE", 80)], [(None, 20)]),
        # What was credited of a line before is left out; on the whole before: on the whole again.
        ([("FR", 100), ("BE", 50)], [(1, 30)], [("FR", 60), ("BE", 50)], [(1, 10)]),
        ([("FR", 100), ("BE", 50)], [(None, 30)], [("FR", 60), ("BE", 50)], [(None, 10)]),
        ([("FR", 100), ("BE", 50)], [(2, 30)], [("FR", 60), ("BE", 50)], [(None, 10)]),
        # A price reduction that the smaller total has no room for goes back with the lines it reduced.
        ([("FR", 100), ("less", -80)], [], [("FR", 90), ("less", -80)], [(1, 10)]),
        ([("FR", 100), ("less", -30)], [], [("FR", 20), ("less", -20)], [(1, 80), (2, -10)]),
        # Each VAT category by itself.
        ([("FR", 100), ("AE:FR", 50)], [], [("FR", 60), ("AE:FR", 40)], [(1, 40), (2, 10)]),
    ],
)
def test_r_dispute__the_difference_goes_back_line_by_line_or_as_a_whole(
    invoiced: list[Line],
    before: list[tuple[int | None, int]],
    corrected: list[Line],
    credited: list[tuple[int | None, int]],
) -> None:
    lines = frame(invoiced)
    taken = pl.DataFrame(before, schema={"invoice_line_no": pl.Int64, "net_cents": pl.Int64}, orient="row")
    taken_vat = totals(lines.head(1)).with_columns(base_cents=taken["net_cents"].sum(), vat_cents=pl.lit(0, pl.Int64))
    left = left_of("2026-000001", lines, totals(lines), taken, taken_vat if before else totals(lines).clear())
    given, vat = credit_overcharge(left, frame(corrected))
    assert given.select("invoice_line_no", "net_cents").rows() == credited
    assert vat["base_cents"].sum() == left.net_cents - sum(cents for _, cents in corrected)


@pytest.mark.parametrize(
    ("corrected", "said"),
    [
        (
            [("FR", 100), ("BE", 50)],
            "as corrected it comes to 1.50 EUR without VAT, and 1.50 are left of it: there is no",
        ),
        ([("FR", 101), ("BE", 50)], "the customer would pay 0.01 more, which no credit note can ask for; give --as"),
        ([("AE:FR", 90), ("AE:BE", 50)], "it is of another VAT category or rate"),
    ],
)
def test_r_dispute__what_no_credit_note_can_give_back_is_refused(corrected: list[Line], said: str) -> None:
    lines = frame([("FR", 100), ("BE", 50)])
    nothing = pl.DataFrame(schema={"invoice_line_no": pl.Int64, "net_cents": pl.Int64})
    left = left_of("2026-000001", lines, totals(lines), nothing, totals(lines).clear())
    with pytest.raises(InputRefused, match=said):
        credit_overcharge(left, frame(corrected))


def written(folder: Path, **changed: str) -> Path:
    """The tables of three small customers, with some of them as given."""
    folder.mkdir(parents=True)
    for table, rows in (TABLES | changed).items():
        (folder / f"{table}.csv").write_text(rows, encoding="utf-8")
    return folder


def seats(count: int) -> str:
    rows = "".join(f"u{number},c1,seat,2026-01-01,\n" for number in range(1, count + 1))
    return f"user_id,customer_id,product_id,active_from,active_to\n{rows}"


def calls(path: Path, *rows: str) -> Path:
    path.write_text("\n".join([CDR_HEADER, *rows]) + "\n", encoding="utf-8")
    return path


def call(call_id: str, day: str, seconds: int) -> str:
    return f"{call_id},{day}T08:00:00Z,outgoing,+3225550101,+33142685300,{seconds},u1"


def test_r_dispute__the_users_of_the_next_quarter_are_counted_from_the_corrected_invoice(tmp_path: Path) -> None:
    # 20 users on September's invoice by a mistake of the tables, 10 in truth.
    store, wrong, right = tmp_path / "store", written(tmp_path / "wrong", users=seats(20)), written(
        tmp_path / "right", users=seats(10)
    )  # fmt: skip
    start(store, "2026-09", wrong, "2026-09-30T10:00:00Z")
    with pytest.raises(InputRefused, match=r"changes the users billed \(20 before, 10 as corrected; R-CAP\)"):
        settled(store, "2026-000001", "credit-note", "2026-10-02T10:00:00Z", tables=right)
    report = settled(store, "2026-000001", "corrected-invoice", "2026-10-02T10:00:00Z", tables=right)
    assert "the users billed (20 before, 10 as corrected; R-CAP)" in " ".join(report.messages)
    start(store, "2026-10", right, "2026-10-31T10:00:00Z")
    counts = kept(
        store, "select period, configured, billed, reference from user_counts_in_force where customer_id = 'c1'"
    )
    # Without the correction at least 18 would have been billed in October.
    assert counts.sort("period").rows() == [("2026-09", 10, 10, 10), ("2026-10", 10, 10, 10)]
    first = kept(store, "select billed from user_counts where customer_id = 'c1' order by period")
    assert first["billed"].to_list() == [20, 10]
    # No first period begins for the ten that September's corrected invoice billed (R-FIRST).
    assert kept(store, "select count(*) from lines where kind in ('first_period', 'user_cap')").item() == 0


CREDITS = "credit_id,customer_id,date,description,amount\ng1,c1,2026-10-01,Gesture,0.30\n"


def test_r_dispute__a_price_reduction_is_used_once_whatever_is_corrected(tmp_path: Path) -> None:
    tables, store = written(tmp_path / "tables", credits=CREDITS), tmp_path / "store"
    october = calls(tmp_path / "october.csv", call("a", "2026-10-01", 360), call("b", "2026-10-02", 120))
    start(store, "2026-10", tables, "2026-10-31T10:00:00Z", october)
    november = calls(tmp_path / "november.csv", call("c", "2026-11-01", 60), call("d", "2026-11-02", 60))
    # 2 minutes are in the pack: (360 - 120) s and 120 s at 0.05, all of it deducted.
    used = "select invoice_number, amount_cents from one_offs_in_force order by 1"
    assert kept(store, used).rows() == [("2026-000001", 30)]
    with pytest.raises(InputRefused, match=r"the price reductions used \(R-CREDIT\)"):
        settled(store, "2026-000001", "credit-note", NOW, without=("b",))
    report = settled(store, "2026-000001", "corrected-invoice", NOW, without=("a",))
    assert report.sums["corrected_net_cents"] == 0
    # The pack is free for the other call, so that nothing is left to deduct from; the next invoice takes its 0.10.
    assert kept(store, used).rows() == []
    start(store, "2026-11", tables, "2026-12-06T10:00:00Z", november)
    assert kept(store, used).rows() == [("2026-000003", 10)]
    # October again, when November has used some of it: what is there without that.
    settled(store, "2026-000002", "corrected-invoice", "2026-12-07T10:00:00Z", tables=written(
        tmp_path / "dear", credits=CREDITS, packs=TABLES["packs"].replace("*,2,", "*,0,"),
        rates=TABLES["rates"].replace("d,33,FR,0.05", "d,33,FR,0.5"),
    ))  # fmt: skip
    assert kept(store, used).rows() == [("2026-000003", 10), ("2026-000004", 20)]


def test_r_dispute__late_calls_on_other_invoices_are_not_dealt_to_again(tmp_path: Path) -> None:
    tables, store = written(tmp_path / "tables"), tmp_path / "store"
    october = calls(tmp_path / "october.csv", call("a", "2026-10-05", 90), call("b", "2026-10-06", 90))
    start(store, "2026-10", tables, "2026-10-31T10:00:00Z", october)
    late = calls(tmp_path / "late.csv", call("late", "2026-10-01", 60))
    start(store, "2026-11", tables, "2026-11-30T10:00:00Z", late)
    report = settled(store, "2026-000001", "credit-note", NOW, without=("a",))
    (pack,) = report.tables["Packs whose use changes"].to_dicts()
    assert (pack["period"], pack["used_s"], pack["used_s_corrected"]) == ("2026-10", 120, 90)
    assert "the calls on 2026-000002 are not dealt to again" in " ".join(report.messages)
    # The 30 seconds that are free now count for what is invoiced next, not for what is invoiced.
    later = calls(tmp_path / "later.csv", call("later", "2026-10-02", 60))
    start(store, "2026-12", tables, "2026-12-31T10:00:00Z", later)
    drawn = kept(store, "select rating_no, used_s from packs_in_force where period_number = 202610 order by 1")
    assert drawn.rows() == [(2, 0), (3, 90), (4, 30)]
    held = kept(store, "select sum(calls_off) from corrections").item()
    assert held == 1


def test_r_dispute__a_pending_rating_is_no_longer_that_of_its_inputs(tmp_path: Path) -> None:
    tables, store = written(tmp_path / "tables"), tmp_path / "store"
    october = calls(tmp_path / "october.csv", call("a", "2026-10-05", 190), call("b", "2026-10-06", 90))
    start(store, "2026-10", tables, "2026-10-31T10:00:00Z", october)
    november, report = Period.parse("2026-11"), Report("rate")
    with desk_at(store, Settings(), NOW) as desk:
        runs.rate(desk, november, runs.load_tables(desk, tables, november), report)
    settled(store, "2026-000001", "corrected-invoice", NOW, without=("a",))
    said = "what invoices were corrected changed since the period was rated"
    with desk_at(store, Settings(), NOW) as desk, pytest.raises(InputRefused, match=said):
        runs.pending_rating(desk, november, runs.load_tables(desk, tables, november))


def test_r_dispute__tables_that_lack_other_customers_correct_an_invoice_all_the_same(tmp_path: Path) -> None:
    # Of the other customer a user with a pack was billed, of whom the tables now know nothing.
    shared = TABLES | {"packs": TABLES["packs"].replace("minutes,customer", "seat,customer")}
    both = shared | {"users": f"{seats(1)}v1,c3,seat,2026-01-01,\n"}
    tables, store = written(tmp_path / "tables", **both), tmp_path / "store"
    start(store, "2026-09", tables, "2026-09-30T10:00:00Z")
    october = calls(tmp_path / "october.csv", call("a", "2026-10-05", 190), call("b", "2026-10-06", 90))
    start(store, "2026-10", tables, "2026-10-31T10:00:00Z", october)
    number = kept(store, "select invoice_number from invoices where period = '2026-10' and customer_id = 'c1'").item()
    alone = shared | {"users": seats(1), "numbers": TABLES["numbers"].partition("\n")[0] + "\n"}
    fewer = {table: "".join(row for row in alone[table].splitlines(keepends=True) if not row.startswith(gone))
             for table, gone in (("customers", "c3"), ("contracts", "k3"))}  # fmt: skip
    other = written(tmp_path / "other", **alone | fewer)
    report = settled(store, str(number), "credit-note", NOW, tables=other, without=("a",))
    assert report.counts["calls_taken_off"] == 1

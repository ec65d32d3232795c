"""Verification: everything that the store holds adds up, and nothing was altered."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import polars as pl

from invoicing import issuing
from invoicing.conservation import unbalanced_files
from invoicing.correction_rendering import unpublished_corrected_invoices
from invoicing.credit_note_checks import credit_note_differences
from invoicing.credit_note_rendering import unpublished_credit_notes
from invoicing.dispute_checks import corrected_call_differences, dispute_differences
from invoicing.event_checks import event_differences
from invoicing.held_checks import held_calls_differences, held_differences, held_figures
from invoicing.numbering import structured_communication
from invoicing.origins import corrections
from invoicing.parquet_files import read_parquet
from invoicing.rendering import SUFFIXES, document_path, outbox_path, unpublished_numbers
from invoicing.store import Store, is_temporary, sha256_of_file
from invoicing.totals import vat_totals
from rating.money import line_amount_cents
from rating.pipeline import TRAFFIC_SCHEMA
from rating.pricing import billable_seconds, call_amount_cents, hidden_from_invoice

if TYPE_CHECKING:
    from invoicing.ledger import Ledger, Rating
    from invoicing.progress import Progress

TRAFFIC_KEY = ["customer_id", "period_number", "zone_id", "zone_kind"]
TRAFFIC_SUMS = ("charged_s", "amount_cents")


def verify(store: Store, ledger: Ledger, progress: Progress) -> list[str]:
    """What does not hold, one sentence each; empty where everything does.

    Raises:
        StoreUnavailable: where the ledger itself is damaged, so that nothing can be held against it.
    """
    ledger.read_through()
    found = _altered_files(store, ledger, progress)
    altered = bool(found)
    found += _numbers(ledger)
    found += _sums(*_issued_figures(ledger))
    found += _sums(*held_figures(ledger))
    found += held_differences(ledger)
    found += credit_note_differences(ledger)
    found += dispute_differences(ledger)
    found += _conservation(ledger)
    found += event_differences(ledger)
    if not altered:
        # Calls are added up again only from files that are what they were.
        found += _calls(store, ledger)
    return found


def _altered_files(store: Store, ledger: Ledger, progress: Progress) -> list[str]:
    """Every stored file is there with the bytes that were stored, and no other document stands beside them."""
    named = ledger.stored_files()
    progress.start("checking files", len(named))
    found = []
    for path, sha256 in named.items():
        file = store.root / path
        if not file.is_file():
            found.append(f"{file}: the ledger names this file and it is missing")
        elif sha256_of_file(file) != sha256:
            found.append(f"{file}: its SHA-256 is not the one in the ledger: it was altered")
        progress.advance()
    # What a command that died left in the other folders is not the store's; the next one removes it.
    numbers = [number for run in ledger.runs() for number in unpublished_numbers(ledger, run)]
    numbers += [*unpublished_credit_notes(ledger), *unpublished_corrected_invoices(ledger)]
    unpublished = {
        path
        for number in numbers
        for path in (*(document_path(number, suffix) for suffix in SUFFIXES), outbox_path(number))
    }
    published = [*(store.root / "invoices").rglob("*"), *(store.root / "outbox").rglob("*")]
    for document in sorted(published):
        relative = document.relative_to(store.root).as_posix()
        if document.is_file() and relative not in {*named, *unpublished} and not is_temporary(document):
            found.append(f"{document}: the ledger does not name this file")
    return found


def _numbers(ledger: Ledger) -> list[str]:
    """Invoice numbers have no gap within a year, dates do not go back, communications are those of the numbers."""
    invoices = ledger.frame(
        "select invoice_number, sequence, invoice_date, structured_communication from invoices order by invoice_number"
    ).with_columns(year=pl.col("invoice_number").str.slice(0, 4))
    expected = invoices.with_columns(
        place=pl.int_range(1, pl.len() + 1).over("year"),
        before=pl.col("invoice_date").shift(1).over("year"),
        digits=pl.col("invoice_number").str.replace("-", "", literal=True),
    )
    gaps = expected.filter(
        (pl.col("sequence") != pl.col("place"))
        | (pl.col("invoice_number").str.slice(5) != pl.col("place").cast(pl.String).str.zfill(6))
        | (pl.col("year") != pl.col("invoice_date").dt.to_string("%Y"))
    )
    backward = expected.filter(pl.col("invoice_date") < pl.col("before"))
    wrong = expected.filter(structured_communication(pl.col("digits")) != pl.col("structured_communication"))
    return [
        *(f"invoice {number}: the sequence of its year has a gap before it" for number in gaps["invoice_number"]),
        *(f"invoice {number}: dated before the number before it" for number in backward["invoice_number"]),
        *(f"invoice {number}: its structured communication is another's" for number in wrong["invoice_number"]),
    ]


def _issued_figures(ledger: Ledger) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """The lines, VAT totals and totals of the issued invoices."""
    return (
        ledger.frame("select * from lines order by invoice_number, line_no"),
        ledger.frame("select invoice_number, vat_category, vat_rate_micro, base_cents, vat_cents from vat_totals"),
        ledger.frame("select invoice_number, net_cents, vat_cents, gross_cents from invoices"),
    )


def _sums(lines: pl.DataFrame, kept: pl.DataFrame, invoices: pl.DataFrame) -> list[str]:
    """Lines are quantity times price, invoices the sum of their lines and of their VAT, and nothing is below 0."""
    days = (pl.col("service_to") - pl.col("service_from")).dt.total_days() + 1
    month_days = pl.col("service_from").dt.month_end().dt.day().cast(pl.Int64)
    one = pl.lit(1, pl.Int64)
    services = pl.col("kind").is_in(["recurring", "first_period", "user_cap", "number_minimum"])
    computed = lines.filter(pl.col("unit_price_micro").is_not_null()).with_columns(
        computed=pl.when(services)
        .then(line_amount_cents(pl.col("quantity_micro"), pl.col("unit_price_micro"), days, month_days))
        .otherwise(line_amount_cents(pl.col("quantity_micro"), pl.col("unit_price_micro"), one, one))
    )
    wrong_lines = computed.filter(pl.col("computed") != pl.col("net_cents"))
    keyed = lines.with_columns(customer_id="invoice_number")
    vat = vat_totals(keyed).rename({"customer_id": "invoice_number"})
    differing = pl.concat([vat.join(kept, on=vat.columns, how="anti"), kept.join(vat, on=vat.columns, how="anti")])
    sums = vat.group_by("invoice_number").agg(net=pl.col("base_cents").sum(), vat=pl.col("vat_cents").sum())
    joined = invoices.join(sums, on="invoice_number", how="left")
    wrong = joined.filter(
        (pl.col("net_cents") != pl.col("net").fill_null(0))
        | (pl.col("vat_cents") != pl.col("vat").fill_null(0))
        | (pl.col("gross_cents") != pl.col("net_cents") + pl.col("vat_cents"))
        | (pl.col("net_cents") < 0)
    )
    orphans = lines.join(invoices, on="invoice_number", how="anti")["invoice_number"].unique().sort()
    return [
        *(
            f"invoice {number} line {line_no}: {net} cents are stored, quantity and price give {cents}"
            for number, line_no, net, cents in wrong_lines.select(
                "invoice_number", "line_no", "net_cents", "computed"
            ).iter_rows()
        ),
        *(
            f"invoice {number}: its VAT is not that of its lines"
            for number in differing["invoice_number"].unique().sort()
        ),
        *(f"invoice {number}: its totals are not the sums of its lines" for number in wrong["invoice_number"].sort()),
        *(f"lines of {number}: there is no such invoice" for number in orphans),
    ]


def _conservation(ledger: Ledger) -> list[str]:
    """R-CONSERVATION per file and per run, for what is issued and for what is pending."""
    files = ledger.frame(
        "select source_file, records, accepted, unanswered, duplicate, quarantined, coalesce(skipped, 0) skipped, "
        "skipped_by_reason from files left join file_sources using (file_no)"
    )
    found = [
        f"{row[0]}: {row[1]} records are not accepted + unanswered + duplicate + quarantined + skipped"
        for row in unbalanced_files(files).iter_rows()
    ]
    found += [
        f"{path}: {skipped} records were skipped and the reasons are those of others"
        for path, skipped, reasons in files.select("source_file", "skipped", "skipped_by_reason").iter_rows()
        if sum(json.loads(reasons or "{}").values()) != skipped
    ]
    held = issuing.balance(ledger)
    found += [] if held.holds else [held.sentence()]
    stored = ledger.number("select sum(answered) from batches")
    if stored != held.accepted:
        found.append(f"{held.accepted} calls were accepted and {stored} are stored")
    quarantined = ledger.number("select sum(quarantined) from files")
    kept = ledger.number("select sum(records) from quarantine_files")
    if quarantined != kept:
        found.append(f"{quarantined} records were put in quarantine and {kept} are stored")
    return found


def _calls(store: Store, ledger: Ledger) -> list[str]:
    """The stored calls are those counted, each costs what its figures give, and the traffic lines are their sums."""
    shas = ledger.stored_files()
    found = []
    for path, answered, unanswered in ledger.rows("select path, answered, unanswered from batches order by batch_no"):
        durations = read_parquet(store.root / str(path), columns=["duration_s"])
        counted = (
            durations.filter(pl.col("duration_s") > 0).height,
            durations.filter(pl.col("duration_s") == 0).height,
        )
        if counted != (answered, unanswered):
            found.append(f"{path}: {counted} calls answered and unanswered, the ledger has {(answered, unanswered)}")
    corrected = [correction.rating for correction in corrections(ledger)]
    for rating in [*ledger.ratings(issued=True), *ledger.ratings(issued=False), *corrected]:
        found += _rated_files(store, ledger, rating, shas)
    return found or corrected_call_differences(store, ledger)


def _rated_files(store: Store, ledger: Ledger, rating: Rating, shas: dict[str, str]) -> list[str]:
    """One rating's calls, file by file: each as it was counted and priced, and all together as they were summed."""
    prices = store.read_frame(rating.prices_path, shas[rating.prices_path])
    found, sums = [], []
    rows = ledger.rows(
        "select path, calls, amount_cents from rated_files where rating_no = ? order by path", [rating.rating_no]
    )
    for path, calls, amount in rows:
        frame = _with_figures(store.read_frame(str(path), shas[str(path)]), prices)
        if (frame.height, int(frame["amount_cents"].sum())) != (calls, amount):
            found.append(f"{path}: its calls are not those that were rated")
        found += [f"{path}: {sentence}" for sentence in _wrong_calls(frame)]
        sums.append(_sums_of_calls(frame))
    kept = store.read_frame(rating.traffic_path, shas[rating.traffic_path])
    if not kept.sort(TRAFFIC_KEY).equals(pl.concat([kept.clear(), *sums]).sort(TRAFFIC_KEY)):
        found.append(f"{rating.traffic_path}: it is not the sum of the rated calls")
    return found + _traffic_differences(ledger, rating.rating_no, kept)


def _with_figures(calls: pl.DataFrame, prices: pl.DataFrame) -> pl.DataFrame:
    """The rated calls of a file with the figures that their `rate_no` stands for."""
    names = ["rate_micro_per_min", "setup_micro", "first_increment_s", "increment_s", "zone_id", "zone_kind"]
    return calls.with_columns(
        *(prices[name].gather(calls["rate_no"]) for name in names), charged_s=pl.col("billable_s") - pl.col("pack_s")
    )


def _sums_of_calls(frame: pl.DataFrame) -> pl.DataFrame:
    """The sums of a file's calls by customer, period and zone (`TRAFFIC_SCHEMA`); no two files share any."""
    sums = frame.group_by(TRAFFIC_KEY).agg(calls=pl.len(), **{name: pl.col(name).sum() for name in TRAFFIC_SUMS})
    return sums.select(pl.col(name).cast(dtype) for name, dtype in TRAFFIC_SCHEMA.items())


def _wrong_calls(frame: pl.DataFrame) -> list[str]:
    billable = billable_seconds(pl.col("duration_s"), pl.col("first_increment_s"), pl.col("increment_s"))
    amount = call_amount_cents(pl.col("charged_s"), pl.col("rate_micro_per_min"), pl.col("setup_micro"))
    wrong = frame.filter(
        (pl.col("billable_s") != billable)
        | ~pl.col("pack_s").is_between(0, pl.col("billable_s"))
        | (pl.col("amount_cents") != amount)
    )
    return [f"call {call_id} does not cost what its figures give" for call_id in wrong["call_id"].head(10)]


def _traffic_differences(ledger: Ledger, rating_no: int, traffic: pl.DataFrame) -> list[str]:
    """The traffic lines of the invoices that a rating made, held ones among them, are the sums of its calls."""
    made = "select rating_no from runs union all select rating_no from invoice_ratings"
    if not ledger.rows(f"select 1 from ({made}) where rating_no = ?", [rating_no]):  # noqa: S608
        return []
    sums = (
        traffic.filter(~hidden_from_invoice(pl.col("zone_kind")))
        .group_by("customer_id", "zone_id", "period_number")
        .agg(net_cents=pl.col("amount_cents").sum())
        .filter(pl.col("net_cents") > 0)
    )
    lines = ledger.frame(
        "select customer_id, zone_id, net_cents, cast(replace(traffic_period, '-', '') as integer) period_number "
        "from rated_lines where rating_no = ? and kind = 'traffic'",
        [rating_no],
    )
    key = ["customer_id", "zone_id", "period_number", "net_cents"]
    differing = pl.concat(
        [
            sums.select(key).join(lines, on=key, how="anti"),
            lines.select(key).join(sums, on=key, how="anti"),
        ]
    )
    return [
        f"{customer}: the traffic line of zone {zone} is not the sum of its calls"
        for customer, zone in differing.select("customer_id", "zone_id")
        .unique()
        .sort("customer_id", "zone_id")
        .iter_rows()
    ] + held_calls_differences(ledger, rating_no, traffic)

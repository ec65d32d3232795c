"""R-RERUN: an issued invoice can be reproduced, byte for byte, from what the store kept."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest

from cli import program_version
from invoicing import publishing
from invoicing.desk import Desk, Moment, Report
from invoicing.ledger import Ledger
from invoicing.progress import Silent
from invoicing.snapshots import snapshot_id
from invoicing.store import open_store, sha256_of_file
from rating.number_keys import with_number_texts
from rating.sources.platform_tables import SourceFile
from schemas.errors import StoreUnavailable
from schemas.settings import BillingSettings, DocumentSettings, Settings, Supplier, parse_settings, settings_document
from tests.rules.tables import centime, kept, start, write_tables
from tests.shared import made_once

if TYPE_CHECKING:
    from collections.abc import Callable

CDRS = """\
call_id,start,direction,caller,callee,duration_s,user_id
m1,2026-03-10T08:00:00Z,outgoing,+3221234567,+3227654321,61,u1
m2,2026-03-10T09:00:00.250Z,outgoing,+3221234567,+32470000000,3600.2,
m3,2026-03-11T08:00:00Z,incoming,+3227654321,+3221234567,30,
m4,2026-03-31T21:59:59Z,outgoing,anonymous,112,10,u1
m5,2026-03-12T08:00:00Z,outgoing,+3221234567,+3227654321,0,u1
m6,2026-04-02T08:00:00Z,outgoing,+3221234567,+3227654321,100000,u1
m7,2026-04-01T08:00:00Z,outgoing,+3221234567,+3227654321,8000,u1
m8,2026-03-13T08:00:00Z,outgoing,+3221234567,+3227654321,6000,u1
"""
LATER_CDRS = """\
call_id,start,direction,caller,callee,duration_s,user_id
a1,2026-04-20T08:00:00Z,outgoing,+3221234567,+32470000000,77,u2
a2,2026-03-20T08:00:00Z,outgoing,+3221234567,+3227654321,6000,u1
"""
SETTINGS = Settings(
    supplier=Supplier(name="Opérateur", iban="BE68539007547034"),
    billing=BillingSettings(payment_days=21, quarantine_threshold=Decimal("0.5")),
    documents=DocumentSettings(cpu_limit_s=600),
)
LATER = Settings(supplier=SETTINGS.supplier)


# Only the pool of 150 minutes is left to draw from, so that there is something to pay.
NO_UNLIMITED_PACK = {"subscriptions": ("s2,c1,mobile,1,2026-01-01,,u1\n", "")}


@pytest.fixture(scope="module")
def march_and_april(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with March and April, whose tables, calls and settings differ; and April's tables."""

    def make(folder: Path) -> None:
        store, tables = folder / "store", write_tables(folder / "tables", NO_UNLIMITED_PACK)
        (folder / "march.csv").write_text(CDRS, encoding="utf-8")
        (folder / "april.csv").write_text(LATER_CDRS, encoding="utf-8")
        start(store, "2026-03", tables, "2026-03-31T20:00:00Z", folder / "march.csv", settings=SETTINGS)
        changed = {"users": ("", "u3,c1,seat,2026-04-10,\n"), "customers": ("Boulangerie", "Pâtisserie")}
        write_tables(tables, NO_UNLIMITED_PACK | changed)
        start(
            store, "2026-04", tables, "2026-04-30T20:00:00Z", folder / "april.csv", on=date(2026, 5, 2), settings=LATER
        )

    return made_once(tmp_path_factory, "march-and-april", make)


@pytest.fixture
def two_months(march_and_april: Path, tmp_path: Path) -> tuple[Path, Path]:
    """A copy of that store, and of April's tables."""
    folder = shutil.copytree(march_and_april, tmp_path / "two-months")
    return folder / "store", folder / "tables"


def file(path: str, sha256: str) -> SourceFile:
    return SourceFile(Path(path).stem, Path(path), sha256)


def test_r_rerun__a_snapshot_is_named_by_its_bytes() -> None:
    users, numbers = file("in/users.csv", "aa"), file("in/numbers.csv", "bb")
    named = snapshot_id([users, numbers])
    assert len(named) == 64
    assert snapshot_id([numbers, users]) == named  # in whatever order
    assert snapshot_id([file("elsewhere/users.csv", "aa"), numbers]) == named  # wherever it was
    others = [
        [users],
        [users, file("in/numbers.csv", "bc")],
        [users, file("in/numbers.parquet", "bb")],
        [file("users.csv", "bb"), file("numbers.csv", "aa")],
    ]
    assert len({named, *map(snapshot_id, others)}) == 5


def test_r_rerun__the_tables_are_kept_as_they_were(two_months: tuple[Path, Path]) -> None:
    store, tables = two_months
    march, april = kept(store, "select snapshot from runs order by run_no")["snapshot"]
    assert march != april
    given = {path.name: path.read_bytes() for path in tables.iterdir()}
    assert {path.name: path.read_bytes() for path in (store / "snapshots" / april).iterdir()} == given
    was = {path.name: path.read_bytes() for path in write_tables(tables, NO_UNLIMITED_PACK).iterdir()}
    assert {path.name: path.read_bytes() for path in (store / "snapshots" / march).iterdir()} == was
    # The same tables again are the same snapshot.
    start(store, "2026-05", tables, "2026-05-31T20:00:00Z", settings=LATER)
    assert kept(store, "select snapshot from runs order by run_no")["snapshot"].to_list() == [march, april, march]
    assert len(list((store / "snapshots").iterdir())) == 2


def calls_in(path: Path) -> pl.DataFrame:
    """The calls of a stored file, with their numbers as text."""
    return with_number_texts(pl.read_parquet(path, hive_partitioning=False))


def test_r_rerun__settings_program_and_calls_are_kept(two_months: tuple[Path, Path]) -> None:
    store, _ = two_months
    found = kept(store, "select * from runs order by run_no")
    assert [parse_settings(json.loads(text)) for text in found["settings"]] == [SETTINGS, LATER]
    assert found["program"].to_list() == ["0", "0"]
    assert found["issued_at"].to_list() == ["2026-03-31T20:00:00Z", "2026-04-30T20:00:00Z"]
    calls = pl.concat(calls_in(path) for path in (store / "calls").rglob("*.parquet"))
    assert calls.sort("call_id").select("call_id", "start", "callee", "duration_s", "user_id").rows() == [
        ("a1", datetime(2026, 4, 20, 8, tzinfo=UTC), "+32470000000", 77, "u2"),
        ("a2", datetime(2026, 3, 20, 8, tzinfo=UTC), "+3227654321", 6000, "u1"),
        ("m1", datetime(2026, 3, 10, 8, tzinfo=UTC), "+3227654321", 61, "u1"),
        ("m2", datetime(2026, 3, 10, 9, 0, 0, 250_000, tzinfo=UTC), "+32470000000", 3601, None),
        ("m3", datetime(2026, 3, 11, 8, tzinfo=UTC), "+3221234567", 30, None),
        ("m4", datetime(2026, 3, 31, 21, 59, 59, tzinfo=UTC), "112", 10, "u1"),
        ("m5", datetime(2026, 3, 12, 8, tzinfo=UTC), "+3227654321", 0, "u1"),
        ("m7", datetime(2026, 4, 1, 8, tzinfo=UTC), "+3227654321", 8000, "u1"),
        ("m8", datetime(2026, 3, 13, 8, tzinfo=UTC), "+3227654321", 6000, "u1"),
    ]
    for path, sha256 in kept(store, "select path, sha256 from stored_files").iter_rows():
        assert sha256_of_file(store / path) == sha256


def with_desk(folder: Path, settings: Settings, step: Callable[[Desk], object]) -> None:
    """Work on a store in this process, on a later day."""
    store = open_store(folder, create=False)
    ledger = Ledger(store.ledger_path)
    now = datetime(2027, 1, 5, 12, tzinfo=UTC)
    step(Desk(store, ledger, settings, now, now.date(), Moment(now.isoformat(), "0"), Silent()))
    ledger.close()


def documents(folder: Path, settings: Settings) -> dict[str, bytes]:
    """The PDFs of March, made in this store."""
    with_desk(
        folder, settings, lambda desk: publishing.render(desk, desk.ledger.runs()[0], Report("render"), again=True)
    )
    return {path.name: path.read_bytes() for path in (folder / "invoices").rglob("*.pdf")}


LEDGER = {
    "lines": "select * from lines order by invoice_number, line_no",
    "invoices": "select * from invoices order by invoice_number",
    "vat_totals": "select * from vat_totals order by all",
    "user_counts": "select * from user_counts order by all",
    "packs_used": "select * from packs_used order by all",
}


def test_r_rerun__a_new_store_makes_the_same_invoices_of_what_was_kept(
    two_months: tuple[Path, Path], tmp_path: Path
) -> None:
    store, tables = two_months
    shutil.rmtree(tables)
    again = tmp_path / "again"
    # What each run took in: the files of calls up to the last batch that its rating looked at.
    batches = kept(store, "select path, batch_no from batches order by batch_no").rows()
    ran = kept(store, "select r.*, g.last_batch from runs r join ratings g using (rating_no) order by run_no")
    taken = 0
    for one in ran.iter_rows(named=True):
        new = [(path, batch) for path, batch in batches if taken < batch <= one["last_batch"]]
        files = []
        for path, batch in new:
            calls = calls_in(store / path)
            calls = calls.with_columns(
                pl.col("start").dt.to_string("%Y-%m-%dT%H:%M:%S%.6fZ"), pl.all().exclude("start").cast(pl.String)
            )
            files.append(tmp_path / f"{batch:03}.csv")
            calls.select(CDRS.partition("\n")[0].split(",")).write_csv(files[-1])
        taken = one["last_batch"]
        settings = parse_settings(json.loads(one["settings"]))
        snapshot = store / "snapshots" / one["snapshot"]
        start(again, one["period"], snapshot, one["issued_at"], *files, on=one["invoice_date"], settings=settings)
    for name, query in LEDGER.items():
        assert kept(again, query).equals(kept(store, query)), name
    traffic = kept(store, "select customer_id, traffic_period, quantity_micro from lines where kind = 'traffic'")
    assert traffic.rows() == [
        ("c1", "2026-03", 662_000_000),
        ("c1", "2026-03", 6_000_000_000),  # late: on April's invoice
        ("c2", "2026-04", 77_000_000),
    ]
    made = documents(store, SETTINGS)
    assert sorted(made) == ["2026-000001.pdf", "2026-000002.pdf"]
    # Whatever the settings are by now: those of its run are in force.
    assert documents(again, Settings(supplier=Supplier(name="Somebody else"))) == made


def test_r_rerun__nothing_is_made_of_what_was_altered(two_months: tuple[Path, Path]) -> None:
    store, _ = two_months
    (snapshot,) = kept(store, "select snapshot from runs where run_no = 1")["snapshot"]
    kept_users = store / "snapshots" / snapshot / "users.csv"
    kept_users.write_bytes(kept_users.read_bytes().replace(b"2026-02-01", b"2026-02-02"))
    with pytest.raises(StoreUnavailable, match="it was altered"):
        documents(store, SETTINGS)
    assert not list((store / "invoices").rglob("*.pdf"))


def test_r_rerun__the_program_keeps_its_version_and_the_settings_of_its_file(tmp_path: Path) -> None:
    store, tables = tmp_path / "store", write_tables(tmp_path / "tables")
    config = tmp_path / "other.toml"
    config.write_text('[billing]\npayment_days = 7\n[rating]\nonnet = "none"\n', encoding="utf-8")
    options = ("--platform", tables, "--no-render", "--config", config, "--now", "2026-03-31T22:00:00+02:00")
    assert centime(store, "run", "2026-03", *options).status == 0
    (one,) = kept(store, "select * from runs").iter_rows(named=True)
    assert one["program"] == program_version()
    assert one["issued_at"] == "2026-03-31T20:00:00.000000Z"
    found = parse_settings(json.loads(one["settings"]))
    assert (found.billing.payment_days, found.rating.onnet) == (7, "none")
    assert json.loads(one["settings"]) == settings_document(found)  # every default is written out

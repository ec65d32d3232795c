"""Who may read a store: its owner; what the ledger may reach: its own file; where a name may lead: nowhere else."""

from __future__ import annotations

import os
import shutil
import stat
from typing import TYPE_CHECKING

import duckdb
import pytest

from invoicing.ledger import Ledger
from tests.cli.program import make_place

if TYPE_CHECKING:
    from pathlib import Path

RUN = ["run", "2026-10", "--platform", "platform", "--cdrs", "cdrs/october.csv", "--now", "2026-11-02T10:00:00Z"]


def test_store__every_file_and_folder_is_its_owners_only_whatever_the_umask(tmp_path: Path) -> None:
    place = make_place(tmp_path / "place")
    # A folder that an administrator made may be open to others.
    place.store.mkdir(mode=0o755)
    before = os.umask(0)
    try:
        done = place.start(*RUN)
        assert done.status == 0, done.stderr
        credited = place.start("credit", "2026-000001", "--all", "--reason", "x", "--now", "2026-11-03T10:00:00Z")
        assert credited.status == 0, credited.stderr
    finally:
        os.umask(before)
    open_to_others = [
        f"{path.relative_to(place.folder)} {stat.filemode(path.stat().st_mode)}"
        for path in sorted(place.store.rglob("*"))
        if path.stat().st_mode & 0o077
    ]
    assert open_to_others == []
    assert os.umask(before) == before
    assert len(list(place.store.rglob("*.pdf"))) == 2


@pytest.mark.parametrize("read_only", [False, True])
@pytest.mark.parametrize(
    "sql",
    [
        "select * from read_csv('/etc/passwd')",
        "select * from read_text('/etc/passwd')",
        "select * from '/etc/passwd'",
        "copy meta to '{folder}/out.csv'",
        "export database '{folder}/out'",
        "attach '{folder}/other.duckdb'",
        "install httpfs",
        "load '{folder}/x.duckdb_extension'",
        "set enable_external_access = true",
        "set lock_configuration = false",
    ],
)
def test_ledger__its_connection_reaches_no_other_file(
    sql: str, read_only: bool, empty_ledger: Path, tmp_path: Path
) -> None:
    path = shutil.copyfile(empty_ledger, tmp_path / "ledger.duckdb")
    ledger = Ledger(path, read_only=read_only)
    with pytest.raises(duckdb.Error, match=r"disabled|locked|not allowed|Cannot|name /etc/passwd does not exist"):
        ledger.execute(sql.format(folder=tmp_path))
    ledger.close()
    assert sorted(one.name for one in tmp_path.iterdir()) == ["ledger.duckdb"]


@pytest.mark.parametrize("customer_id", ["../../escaped", "/escaped", "c1/../../x", "..", "c1\\x", ".c1", "c1\u202e"])
def test_run__a_customer_id_that_could_lead_elsewhere_is_refused(customer_id: str, tmp_path: Path) -> None:
    tables = make_place(tmp_path / "plain").tables
    changed = {
        name: (tables / f"{name}.csv").read_text(encoding="utf-8").replace("c1,", f"{customer_id},")
        for name in ("customers", "contracts", "customer_decks", "users", "numbers", "subscriptions", "charges")
    }
    place = make_place(tmp_path / "place", **changed)
    told = place.start(*RUN)
    assert told.status == 2
    assert "customer_id" in told.stderr
    assert not place.store.exists()
    assert {path.name for path in tmp_path.iterdir()} == {"plain", "place"}

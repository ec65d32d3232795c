"""`centime sync` from a folder: intervals, what is kept, what is held, what is refused."""

from __future__ import annotations

import fcntl
import json
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.cli.program import RUN_AT, bytes_of, centime
from tests.sync.folders import NUMBERS, USERS, Folders, make_folders

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TEN = " ".join(f"u{number},c1,seat" for number in range(1, 11))
SAME_NUMBERS = "+3225550101,c1,BE,u1,, +3225550301,c3,BE,,,"


@pytest.fixture
def ten(tmp_path: Path) -> Folders:
    """A customer with ten users."""
    return make_folders(tmp_path, 10)


def test_sync__a_user_leaves_another_comes_and_a_number_moves(ten: Folders) -> None:
    ten.has(TEN.replace("u10,", "u11,"), SAME_NUMBERS.replace("u1,", "u2,"))
    told = ten.sync("2026-11-20", "--accept", "--json")
    assert told.status == 0, told.stderr
    assert {name: told.document["counts"][name] for name in ("users", "numbers", "changed", "held")} == {
        "users": 10, "numbers": 2, "changed": 3, "held": 0,
    }  # fmt: skip
    assert ten.rows("users")[-2:] == ["u10,c1,seat,2026-01-01,2026-11-20", "u11,c1,seat,2026-11-20,"]
    assert ten.rows("numbers") == [
        "+3225550101,c1,BE,2026-01-01,2026-11-20,u1,,",
        "+3225550301,c3,BE,2026-01-01,,,,",
        "+3225550101,c1,BE,2026-11-20,,u2,,",
    ]
    assert ten.what() == [
        "2026-11-20 user u10 left c1 with product seat",
        "2026-11-20 user u11 came to c1 with product seat",
        "2026-11-20 number +3225550101 user u1 became u2",
    ]
    assert ten.what("--customer", "c3") == []
    # The same again changes nothing, and is kept with its moment.
    before = bytes_of(ten.platform)
    assert ten.sync("2026-11-21").status == 0
    assert bytes_of(ten.platform).items() >= before.items()
    assert [row["moment"] for row in ten.show().table("Syncs")] == [
        "2026-11-20T11:00:00.000000Z", "2026-11-21T11:00:00.000000Z",
    ]  # fmt: skip


def test_sync__the_first_without_tables_makes_them(tmp_path: Path) -> None:
    folders = make_folders(tmp_path, 2)
    for path in folders.platform.iterdir():
        path.unlink()
    told = folders.sync("2026-11-20", "--as-of", "2026-11-01")
    assert told.status == 0, told.stderr
    assert folders.rows("users") == ["u1,c1,seat,2026-11-01,", "u2,c1,seat,2026-11-01,"]
    assert folders.rows("numbers") == ["+3225550101,c1,BE,2026-11-01,,u1,,", "+3225550301,c3,BE,2026-11-01,,,,"]


def test_sync__local_days_decide(ten: Folders) -> None:
    ten.has(TEN + " late,c1,seat", SAME_NUMBERS)
    told = centime(
        "sync", "--platform", "platform", "--from", "today", "--now", "2026-10-31T23:30:00Z", folder=ten.folder
    )
    assert told.status == 0, told.stderr
    assert ten.rows("users")[-1] == "late,c1,seat,2026-11-01,"


def test_hold__until_it_is_accepted_and_then_from_the_day_it_was_seen(ten: Folders) -> None:
    ten.has(" ".join(TEN.split()[:7]), SAME_NUMBERS)
    tables = bytes_of(ten.platform)
    told = ten.sync("2026-11-20")
    assert told.status == 1
    assert "look at this: c1: 3 of 10 users changed, more than a fifth; its changes are held" in told.stderr
    assert bytes_of(ten.platform).items() >= tables.items()
    assert ten.what()[0] == "2026-11-20 user u10 left c1 with product seat (held)"
    # Two days later it is still so, and one more has left.
    ten.has(" ".join(TEN.split()[:6]), SAME_NUMBERS)
    assert ten.sync("2026-11-22").status == 1
    assert ten.sync("2026-11-22", "--accept", "--customer", "c3").status == 1
    told = ten.sync("2026-11-23", "--accept")
    assert told.status == 0
    assert "c1: 4 of 10 users changed, more than a fifth; accepted" in told.stdout
    assert ten.rows("users")[6:] == [
        "u7,c1,seat,2026-01-01,2026-11-22",
        "u8,c1,seat,2026-01-01,2026-11-20",
        "u9,c1,seat,2026-01-01,2026-11-20",
        "u10,c1,seat,2026-01-01,2026-11-20",
    ]


def test_history__what_was_edited_by_hand_is_kept_as_it_was(ten: Folders) -> None:
    first = (ten.platform / "users.csv").read_bytes()
    first = first.replace(b"active_to\n", b"active_to,remark\n").replace(b",\n", b",,hello\n")
    (ten.platform / "users.csv").write_bytes(first)
    ten.has(TEN + " u11,c1,seat", SAME_NUMBERS)
    told = ten.sync("2026-11-20", "--json")
    assert told.document["warnings"] == ["platform/users.csv: column 'remark' is unknown and was not read"]
    assert (ten.platform / "syncs/000001/before-users.csv").read_bytes() == first
    edited = (
        (ten.platform / "users.csv")
        .read_text(encoding="utf-8")
        .replace("u11,c1,seat,2026-11-20", "u11,c1,seat,2026-11-05")
    )
    (ten.platform / "users.csv").write_text(edited, encoding="utf-8")
    ten.has(TEN + " u11,c1,seat u12,c1,seat", SAME_NUMBERS)
    assert ten.sync("2026-11-21").status == 0
    assert (ten.platform / "syncs/000002/before-users.csv").read_text(encoding="utf-8") == edited
    assert ten.rows("users")[-2:] == ["u11,c1,seat,2026-11-05,", "u12,c1,seat,2026-11-21,"]


def test_history__what_was_altered_is_told(ten: Folders) -> None:
    for day, more in (("2026-11-20", " u11,c1,seat"), ("2026-11-21", " u11,c1,seat u12,c1,seat")):
        ten.has(TEN + more, SAME_NUMBERS)
        assert ten.sync(day).status == 0
    assert ten.show().status == 0
    first, second = (ten.platform / "syncs" / name for name in ("000001", "000002"))
    (first / "users.csv").write_text("nobody\n", encoding="utf-8")
    (second / "today-users.csv").unlink()
    record = first / "sync.json"
    record.write_text(record.read_text(encoding="utf-8").replace('"operator":"', '"operator":"not '), encoding="utf-8")
    shown = ten.show()
    assert shown.status == 3
    assert json.loads(shown.stdout)["attention"] == [
        "platform/syncs/000001/users.csv: its SHA-256 is not the one its sync kept: it was altered or removed",
        "platform/syncs/000002/sync.json: it does not follow the sync before it: one was altered, removed or put in",
        "platform/syncs/000002/today-users.csv: its SHA-256 is not the one its sync kept: it was altered or removed",
    ]
    # One whose changes cannot be told any more, as a spreadsheet may leave them.
    changes = second / "changes.csv"
    kept = changes.read_text(encoding="utf-8")
    changes.write_text(kept.replace("2026-11-21", "21/11/2026"), encoding="utf-8")
    for told in (ten.show(), ten.sync("2026-11-22")):
        assert (told.status, "changes.csv: it was altered or removed since its sync" in told.stderr) == (3, True)
    changes.write_text(kept, encoding="utf-8")
    # A sync that was taken out.
    shutil.rmtree(first)
    assert any("it does not follow" in sentence for sentence in json.loads(ten.show().stdout)["attention"])


def refused(folders: Folders, *options: str, status: int = 2) -> str:
    """What is said of a sync that is refused, and changes nothing."""
    before = {path: sha for path, sha in bytes_of(folders.platform).items() if not path.startswith("syncs/lock")}
    told = folders.sync("2026-11-20", *options)
    assert told.status == status, told.stdout
    assert bytes_of(folders.platform) == before
    return told.stderr


@pytest.mark.parametrize(
    ("users", "numbers", "told"),
    [
        ("u1,c9,seat", SAME_NUMBERS, "users.csv:2: customer_id 'c9': expected a customer_id that customers has"),
        ("u1,c1,sofa", SAME_NUMBERS, "users.csv:2: product_id 'sofa': expected a product_id that products has"),
        ("u1,c1,minutes", SAME_NUMBERS, "expected a product of kind user; products says pack"),
        ("u1,c1,seat u1,c1,seat", SAME_NUMBERS, "users.csv:3: user_id 'u1': expected one row for each user_id"),
        ("u1,c1", SAME_NUMBERS, "expected 3 fields"),
        (TEN, "12,c1,BE,,,", "numbers.csv:2: number '12': expected a full telephone number"),
        (TEN, "+3225550101,c1,BE,,,x", "inbound_deck 'x': expected a deck_id that rates has"),
        (TEN, "+3225550101,c1,BE,,, 025550101,c3,BE,,,", "numbers.csv:3: number '+3225550101': expected one row for"),
    ],
)
def test_refused__what_the_platform_has_and_the_tables_do_not_know(
    ten: Folders, users: str, numbers: str, told: str
) -> None:
    ten.has(users, numbers)
    said = " ".join(refused(ten).split())
    assert told in said


@pytest.mark.parametrize(
    ("break_it", "options", "told"),
    [
        (lambda f: (f.folder / "today/numbers.csv").unlink(), (), "expected the table numbers"),
        (lambda f: (f.platform / "users.csv").rename(f.platform / "users.ndjson"), (), "expected one JSON object"),
        (lambda f: (f.platform / "numbers.csv").write_text(f"{NUMBERS}"), (), "active_from"),
        (lambda f: (f.platform / "users.csv").write_text(USERS), (), "active_from"),
        (lambda _: None, ("--as-of", "2026-11-21"), "--as-of 2026-11-21: expected a day that is not after 2026-11-20"),
        (lambda _: None, ("--as-of", "yesterday"), "--as-of yesterday: expected a day written YYYY-MM-DD"),
        (lambda _: None, ("--customer", "c1"), "--customer: expected with --accept"),
        (lambda _: None, ("--show",), "expected either --from"),
        (lambda _: None, ("--from", "nowhere"), "nowhere"),
        (lambda _: None, ("--platform", "nowhere"), "nowhere is no folder"),
    ],
)
def test_refused__tables_and_options(
    ten: Folders, break_it: Callable[[Folders], object], options: tuple[str, ...], told: str
) -> None:
    break_it(ten)
    assert told in " ".join(refused(ten, *options).split())


def test_refused__while_another_sync_is_at_work(ten: Folders) -> None:
    assert ten.sync("2026-11-20").status == 0
    with (ten.platform / "syncs/lock").open("r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert "it is being synced by `centime sync` of" in refused(ten, status=3)
    assert ten.sync("2026-11-20").status == 0


def test_half_done__is_refused_by_whoever_reads_the_tables_and_finished_by_the_next_sync(ten: Folders) -> None:
    before = {table: (ten.platform / f"{table}.csv").read_bytes() for table in ("users", "numbers")}
    ten.has(TEN + " u11,c1,seat", SAME_NUMBERS.replace("u1,", "u2,"))
    assert ten.sync("2026-11-20", "--accept").status == 0
    after = {table: (ten.platform / f"{table}.csv").read_bytes() for table in ("users", "numbers")}
    (ten.platform / "numbers.csv").write_bytes(before["numbers"])
    told = centime("check", "platform", folder=ten.folder)
    assert told.status == 2
    assert "expected both tables as sync 1 left them; numbers is from before it" in " ".join(told.stderr.split())
    # Both of before: the whole old state, as if the sync had not been.
    (ten.platform / "users.csv").write_bytes(before["users"])
    assert centime("check", "platform", folder=ten.folder).status == 0
    # The next sync begins with it, also where it can then read nothing.
    (ten.folder / "today/users.csv").unlink()
    assert ten.sync("2026-11-21").status == 2
    assert {table: (ten.platform / f"{table}.csv").read_bytes() for table in after} == after


def test_month_ends__are_counted_from_the_history_of_syncs(tmp_path: Path) -> None:
    """R-CAP and R-RETRO as a run of the month has them, from nothing but what syncs wrote."""
    folders = make_folders(tmp_path, 10)
    (folders.folder / "cdrs").mkdir()

    def run(period: str) -> list[str]:
        told = centime(
            "run", period, "--platform", "platform", "--cdrs", "cdrs", "--no-render", "--now", RUN_AT[period], "--json",
            folder=folders.folder,
        )  # fmt: skip
        assert told.status == 0, told.stderr
        warnings = told.document["warnings"]
        assert isinstance(warnings, list)
        return [sentence.partition(": this is about")[0] for sentence in warnings if "R-RETRO" in sentence]

    def counts(period: str) -> str:
        out = folders.folder / "counts.csv"
        assert centime("export", "user_counts", period, "-o", out, folder=folders.folder).status == 0
        return out.read_text(encoding="utf-8").splitlines()[1]

    # Two leave in October, of ten: one of them stays billed until the quarter ends.
    for day, users in (("2026-10-05", 10), ("2026-10-20", 8)):
        folders.has(" ".join(TEN.split()[:users]), SAME_NUMBERS)
        assert folders.sync(day).status == 0
    assert run("2026-10") == []
    assert counts("2026-10") == "c1,2026-10,8,9,1,10"
    # In November it is found that a third had left in October already.
    folders.has(" ".join(TEN.split()[:7]), SAME_NUMBERS)
    assert folders.sync("2026-11-24", "--as-of", "2026-10-15").status == 0
    assert run("2026-11") == [
        "c1: user u8 was seat from 2026-01-01 until 2026-11-01 and is now seat from 2026-01-01 until 2026-10-15"
    ]
    assert counts("2026-11") == "c1,2026-11,7,9,2,10"

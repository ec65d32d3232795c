"""What every command shares: its help, its JSON object, its exit status, its store, settings and moment."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import copy
from tests.cli.program import Place, bytes_of, centime, write_tables

REPOSITORY = Path(__file__).resolve().parents[2]
COMMANDS = (
    "run", "read", "rate", "preview", "issue", "render", "credit", "export", "explain", "history", "rerun",
    "diff", "what-if", "quarantine", "check", "sync", "verify", "rules",
)  # fmt: skip
OF_DISPUTES = tuple(f"dispute {command}" for command in ("open", "list", "show", "reject", "settle"))
KEYS = {"command", "period", "counts", "sums", "files_written", "warnings", "exit_status"}


def test_help__names_every_command() -> None:
    told = centime("--help")
    assert told.status == 0
    assert [command for command in (*COMMANDS, "dispute") if f"│ {command} " not in told.stdout] == []


@pytest.mark.parametrize("command", [*COMMANDS, *OF_DISPUTES])
def test_help__of_a_command_has_an_example_and_the_common_options(command: str) -> None:
    told = centime(*command.split(), "--help")
    assert told.status == 0
    assert f"Example: centime {command}" in told.stdout
    assert [word for word in ("--store", "--config", "--now", "--json") if word not in told.stdout] == []
    assert told.stderr == ""


def test_help__says_what_a_left_out_option_means() -> None:
    shown = " ".join(centime("run", "--help").stdout.replace("│", " ").split())
    for default in ("the clock", "./centime.toml if there", "the local day acted on", "./store"):
        assert f"default: {default}" in shown.replace("(./store)", "./store")


@pytest.mark.parametrize(
    "arguments",
    [
        ["read", "cdrs"],
        ["rate", "2026-12", "--platform", "platform"],
        ["preview", "2026-12", "--platform", "platform"],
        ["issue", "2026-11", "--platform", "platform"],
        ["run", "2026-11", "--platform", "platform", "--no-render"],
        ["render", "2026-11"],
        ["export", "lines", "2026-11", "-o", "lines.csv"],
        ["explain", "pack2"],
        ["history", "pack2"],
        ["history"],
        ["quarantine", "2026-10"],
        ["quarantine"],
        ["check", "platform"],
        ["verify"],
        ["rules"],
    ],
    ids=" ".join,
)
def test_json__is_one_object_on_stdout_and_all_else_is_on_stderr(arguments: list[str], used: Place) -> None:
    told = used.start(*arguments, "--json")
    assert told.status == 0, told.stderr
    document = told.document
    assert document.keys() >= KEYS
    assert document["command"] == arguments[0]
    assert document["period"] == next((word for word in arguments if word.startswith("2026-")), None)
    assert document["exit_status"] == 0
    assert "│" not in told.stderr


@pytest.fixture(scope="module")
def used(filled: Place, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """The filled store, to be changed by every command."""
    return copy(filled, tmp_path_factory.mktemp("used") / "place")


def test_json__counts_sums_and_files_of_a_run(place: Place) -> None:
    told = place.start(
        "run", "2026-10", "--platform", "platform", "--cdrs", "cdrs/october.csv", "--now", "2026-11-02T10:00:00Z",
        "--json",
    )  # fmt: skip
    document = told.document
    assert document["counts"] == {
        "files": 1, "files_skipped": 0, "records": 16, "accepted": 12, "unanswered": 1, "duplicate": 1,
        "quarantined": 2, "skipped": 0, "rated": 10, "unrated": 2, "held": 0, "invoices": 1, "lines": 5,
    }  # fmt: skip
    # 12 + 19 + 4 * 5 cents of calls, 15.01 * 1.5 rounded half up of the charge; 21 % of 15.53 is 3.2613.
    assert document["sums"] == {"rated_cents": 51, "net_cents": 1553, "vat_cents": 326, "gross_cents": 1879}
    assert document["files_written"] == ["store/invoices/2026/2026-000001.pdf"]
    assert (place.folder / "store/invoices/2026/2026-000001.pdf").read_bytes().startswith(b"%PDF")
    assert "reading files: 1" in told.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "2026-13", "--platform", "platform"], "2026-13"),
        (["export", "nope", "2026-10", "-o", "x.csv"], "no such table"),
        (["explain", "never-seen"], "no such call"),
        (["check", "nowhere"], "nowhere"),
        (["verify", "--now", "yesterday"], "--now yesterday"),
        (["verify", "--store", "nowhere"], "there is no store"),
        (["verify", "--config", "nowhere.toml"], "nowhere.toml"),
    ],
    ids=lambda found: " ".join(found) if isinstance(found, list) else "",
)
def test_json__of_a_refusal_is_one_object_too(arguments: list[str], said: str, filled: Place) -> None:
    told = filled.start(*arguments, "--json")
    assert told.status == 2
    assert told.document.keys() == {"command", "error", "problems", "exit_status"}
    assert told.document["command"] == arguments[0]
    assert said in str(told.document)
    assert said in told.stderr


@pytest.mark.parametrize(
    "arguments",
    [["run"], ["run", "2026-10"], ["export", "lines", "2026-10"], ["verify", "--nope"], ["nope"]],
    ids=" ".join,
)
def test_json__of_bad_usage_is_one_object_too(arguments: list[str], filled: Place) -> None:
    told = filled.start(*arguments, "--json")
    assert told.status == 2
    assert told.document["exit_status"] == 2
    assert told.document["error"]


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["rules"], 0),
        (["check", "platform", "--strict"], 1),
        (["verify", "--store", "platform"], 2),
        (["verify", "--store", "broken"], 3),
    ],
    ids=lambda found: " ".join(found) if isinstance(found, list) else "",
)
def test_exit_status__as_a_shell_sees_it(arguments: list[str], status: int, tmp_path: Path) -> None:
    write_tables(tmp_path / "platform", zones="zone_id,kind,label_fr,extra\nFR,international,France,1\nINFO,free,I,\n")
    rates = (
        (tmp_path / "platform" / "rates.csv").read_text().replace("INFO,1,", "INFO,0,").replace("INFO,2,", "INFO,0,")
    )
    (tmp_path / "platform" / "rates.csv").write_text(
        "".join(row for row in rates.splitlines(keepends=True) if "SOS" not in row)
    )
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "ledger.duckdb").write_bytes(b"\0" * 5000)
    done = subprocess.run(
        [sys.executable, "-m", "cli", *arguments],
        cwd=tmp_path,
        env={"PYTHONPATH": str(REPOSITORY), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr


def test_strict__warnings_leave_with_1(place: Place) -> None:
    zones = place.tables / "zones.csv"
    zones.write_text("".join(f"{row},x\n" for row in zones.read_text().splitlines()))
    relaxed, strict = (place.start("check", "platform", *options) for options in ([], ["--strict"]))
    assert (relaxed.status, strict.status) == (0, 1)
    assert "warning: platform/zones.csv: column 'x' is unknown and was not read" in relaxed.stderr
    told = place.start(
        "run", "2026-10", "--platform", "platform", "--no-render", "--strict", "--now", "2026-11-02T10:00Z"
    )
    assert told.status == 1
    assert place.store.exists()


@pytest.mark.parametrize(
    "now",
    [
        "yesterday", "2026-11-02", "2026-11-02T10:00:00", "1793606400", "", "20261102T100000Z", "2026-W44-6T10:00:00Z",
        "2026-11-31T10:00:00Z",
    ],
)  # fmt: skip
def test_now__without_a_zone_or_no_time_is_refused(now: str, place: Place) -> None:
    told = place.start("read", "cdrs", "--now", now)
    assert told.status == 2
    assert f"--now {now}: expected a time with its zone, such as 2026-10-31T22:00:00Z" in told.stderr
    assert not place.store.exists()


@pytest.mark.parametrize("now", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00"])
def test_now__at_the_ends_of_the_calendar_is_refused_in_words(now: str, place: Place) -> None:
    told = place.start("check", "platform", "--now", now)
    assert told.status == 2
    assert now in told.stderr


def test_now__is_the_local_day_acted_on(place: Place) -> None:
    early = place.start("preview", "2026-10", "--platform", "platform", "--now", "2026-10-27T21:59:59Z")
    late = place.start("preview", "2026-10", "--platform", "platform", "--now", "2026-10-27T23:00:00Z")
    assert "2026-11-26" in early.stdout  # due 30 days after 2026-10-27
    assert "2026-11-27" in late.stdout  # 2026-10-28 in Brussels


def test_store__option_before_environment_before_default(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("cdrs/october.csv", "cdrs/november.csv"):
        assert place.start("read", name, "--now", "2026-12-02T10:00:00Z", "--store", name[5:8]).status == 0
    monkeypatch.setenv("CENTIME_STORE", str(place.folder / "oct"))
    assert "october.csv: read before, skipped" in place.start("read", "cdrs/october.csv").stdout
    assert "november.csv: read before" in place.start("read", "cdrs/november.csv", "--store", "nov").stdout
    assert not place.store.exists()


def test_config__the_file_in_the_folder_is_taken_unless_another_is_named(place: Place) -> None:
    (place.folder / "centime.toml").write_text("[billing]\npayment_days = 7\n")
    (place.folder / "other.toml").write_text("[billing]\npayment_days = 8\n")
    preview = ["preview", "2026-10", "--platform", "platform", "--now", "2026-10-28T10:00:00Z"]
    assert "2026-11-04" in place.start(*preview).stdout
    assert "2026-11-05" in place.start(*preview, "--config", "other.toml").stdout
    (place.folder / "centime.toml").unlink()
    assert "2026-11-27" in place.start(*preview).stdout


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[billing]\ninvoice_dya = 3\n", "centime.toml: billing.invoice_dya: there is no such key"),
        ("[biling]\n", "centime.toml: biling: there is no such section"),
        ("[billing]\ninvoice_day = 31\n", "billing.invoice_day '31': expected a whole number from 1 to 28"),
        ("[rating]\ntimezone = 'Mars'\n", "rating.timezone 'Mars': expected a time zone"),
        ("nonsense\n", "centime.toml:1: is no TOML"),
    ],
)
def test_config__what_it_does_not_know_is_refused(text: str, said: str, place: Place) -> None:
    (place.folder / "centime.toml").write_text(text)
    told = place.start("read", "cdrs")
    assert told.status == 2
    assert said in told.stderr
    assert not place.store.exists()


def test_config__time_zone_and_country_stay_what_the_store_was_begun_with(place: Place) -> None:
    assert place.start("read", "cdrs/october.csv", "--now", "2026-11-02T10:00:00Z").status == 0
    (place.folder / "other.toml").write_text("[rating]\ntimezone = 'Asia/Tokyo'\n[billing]\nquarantine_threshold = 1\n")
    before = bytes_of(place.store)
    for arguments in (["read", "cdrs"], ["preview", "2026-10", "--platform", "platform"]):
        told = place.start(*arguments, "--config", "other.toml", "--now", "2026-12-02T10:00:00Z")
        assert (told.status, "begun with 'Europe/Brussels'" in told.stderr) == (2, True), arguments
    assert place.run("2026-10", "--config", "other.toml").status == 2
    assert bytes_of(place.store) == before

"""The command line: options in, a report out. No rule and no SQL; the only place that reads clock and environment.

Help, completion and mistakes in usage are answered from this module alone. What a command works with is
imported by the command itself, when it starts: Polars, DuckDB and the rest take longer than most answers.
Annotations are no texts here: Typer would have to compile each of them at each start.
"""

import gc
import io
import json
import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime
from functools import cache, partial
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Annotated, Any, TextIO, get_args
from zoneinfo import ZoneInfo

import typer
from typer import core
from typer._coercion import RuntimeParam, build_runtime_param, resolve_type_descriptor

from schemas.days import DAY, read_day
from schemas.errors import CentimeError, InputRefused, Problem

if TYPE_CHECKING:
    from rich.console import Console
    from typer._click import Context
    from typer.core import _TyperParameter
    from typing_extensions import Buffer

    from invoicing.desk import Desk, Moment, Report
    from rating.sources.database import Address
    from schemas.settings import Settings

HELP = ("-h", "--help")
STDOUT, STDERR = 1, 2
MOMENT = re.compile(rf"{DAY}[T ][0-9]{{2}}:[0-9]{{2}}(:[0-9]{{2}}([.,][0-9]+)?)?(Z|[+-][0-9]{{2}}:?[0-9]{{2}})")

app = typer.Typer(
    name="centime",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": list(HELP)},
    help="Rates a telecom operator's call records and turns them, with its recurring services, into invoices.",
    epilog="Exit status: 0 done; 1 done, with something a person must look at; 2 bad usage or bad input, nothing "
    "changed; 3 the store is in use or damaged.",
)
dispute_app = typer.Typer(no_args_is_help=True, help="Claims about issued invoices: open, list, show, reject, settle.")
app.add_typer(dispute_app, name="dispute")

StoreOption = Annotated[
    Path, typer.Option("--store", envvar="CENTIME_STORE", help="The store's folder.", show_default="./store")
]
ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", help="The settings \\[default: ./centime.toml if there, else the defaults]."),
]
NowOption = Annotated[
    str | None,
    typer.Option("--now", help="The moment to act as of, such as 2026-10-31T22:00:00Z \\[default: the clock]."),
]
ByOption = Annotated[
    str | None, typer.Option("--by", metavar="NAME", help="Who does it, for `history` \\[default: the login].")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
StrictOption = Annotated[bool, typer.Option("--strict", help="Exit 1 where there are warnings.")]
PlatformOption = Annotated[Path, typer.Option("--platform", help="The folder of the platform tables.")]
PeriodArgument = Annotated[str, typer.Argument(metavar="PERIOD", help="The month, such as 2026-10.")]
FormatOption = Annotated[
    str,
    typer.Option(
        "--format",
        help="The format of the CDRs: auto (by the first lines), native, asterisk, freeswitch, fusionpbx, broadworks, "
        "kamailio, cucm, 3cx, or a file FILE.toml that describes it.",
    ),
]
TimezoneOption = Annotated[
    str | None,
    typer.Option(
        "--timezone",
        metavar="ZONE",
        help="The zone of local stamps in CDRs \\[default: rating.timezone; UTC for 3cx].",
    ),
]
AUTO = "auto"
DateOption = Annotated[str | None, typer.Option("--date", help="The invoice date \\[default: the local day acted on].")]
DisputeArgument = Annotated[str, typer.Argument(metavar="DISPUTE", help="Its number, such as D2026-000001.")]
DatabaseOption = Annotated[
    str | None,
    typer.Option(
        "--database",
        metavar="URL",
        help="The platform's database, such as postgresql://centime@db/asterisk, without a password.",
    ),
]
PasswordFileOption = Annotated[
    Path | None,
    typer.Option(
        "--password-file",
        help="A file that only its owner may read \\[default: the password is in CENTIME_DATABASE_PASSWORD].",
    ),
]
STORE = Path("store")
UBL = "ubl"
# Of these, the credit notes are those dated in a period, whether it was run or not.
DATED = ("credit_notes", "credit_note_lines")
EXPORTED = (
    "rated", "lines", "invoices", *DATED, "user_counts", "packs_used", "files", "quarantine", "journal", UBL,
)  # fmt: skip
LOG_WIDTH = 160
LONGEST_NAME = 100
# What Typer imports to draw help with and never uses here: texts are no Markdown, a fault shows its plain traceback.
UNUSED = {"rich.markdown": "Markdown", "rich.traceback": "Traceback"}
BAD_USAGE = 2
FAULT = 70  # as sysexits.h has it


@dataclass(frozen=True, slots=True)
class Common:
    """The options every command takes."""

    command: str
    store: Path
    config: Path | None
    now: str | None
    as_json: bool
    strict: bool = False
    by: str | None = None

    def operator(self) -> str:
        """Who does it."""
        if self.by is None:
            return login().encode(errors="replace").decode()
        name = self.by.strip()
        if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
            raise InputRefused(f"--by: expected a name of 1 to {LONGEST_NAME} letters on one line")
        return name

    def moment(self) -> datetime:
        """The moment to act as of."""
        from rating.periods import EARLIEST_YEAR, LATEST_YEAR

        if self.now is None:
            return datetime.now(UTC)
        try:
            found = datetime.fromisoformat(self.now) if MOMENT.fullmatch(self.now) else None
        except ValueError:
            found = None
        if found is None or found.tzinfo is None or not EARLIEST_YEAR <= found.year <= LATEST_YEAR:
            raise InputRefused(f"--now {self.now}: expected a time with its zone, such as 2026-10-31T22:00:00Z")
        return found.astimezone(UTC)

    def stamp(self, now: datetime) -> "Moment":
        """The moment as it is kept, with who acts and by which program."""
        from invoicing.desk import Moment

        return Moment(f"{now:%Y-%m-%dT%H:%M:%S.%f}Z", program_version(), self.operator(), self.command)

    def holder(self) -> str:
        """Who is at work, as another process will be told."""
        import socket

        return (
            f"`centime {self.command}` of {login()}, process {os.getpid()} on {socket.gethostname()}, "
            f"since {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"
        )

    def settings(self) -> "Settings":
        """The settings in force; with them the work begins, and garbage is collected: none of what was imported."""
        from rating.sources.settings_file import load_settings

        collect_garbage_of_work()
        here = Path("centime.toml")
        return load_settings(self.config or (here if here.exists() else None))


def collect_garbage_of_work() -> None:
    """Look for garbage from here on, but not among what is there already: that was imported, and stays."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()


def program_version() -> str:
    """The program's version, as runs keep it."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("centime")
    except PackageNotFoundError:
        return "0.1.0"


def day_of(text: str | None, option: str = "--date") -> date | None:
    """An option that is a day."""
    if text is None:
        return None
    if (day := read_day(text)) is None:
        raise InputRefused(f"{option} {text}: expected a day written YYYY-MM-DD, such as 2026-10-31")
    return day


def database_address(url: str | None, password_file: Path | None) -> "Address":
    """The database that is read, with its password."""
    from rating.sources.database import address_of

    if url is None:
        raise InputRefused("expected --database URL, such as postgresql://centime@db/asterisk")
    return address_of(url, os.environ.get("CENTIME_DATABASE_PASSWORD"), password_file)


class Interrupted(CentimeError):  # noqa: N818
    """Ctrl-C: what a shell calls 130."""

    exit_status = 130

    def __init__(self) -> None:
        """Say what it means for the store."""
        super().__init__("interrupted; what was committed stays, start the same command again to go on")


def login() -> str:
    """Who runs this, as far as the system knows."""
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user {os.getuid()}"


@contextmanager
def at_desk(common: Common, *, writes: bool = True) -> "Iterator[Desk]":
    """Open and hold the store; `writes` makes it where there is none."""
    from invoicing.desk import Desk, pin_settings
    from invoicing.ledger import Ledger
    from invoicing.progress import Bars, Plain, Timed
    from invoicing.store import open_store

    settings, now = common.settings(), common.moment()
    moment = common.stamp(now)
    store = open_store(common.store, create=writes)
    stderr = console_of_stderr()
    progress = Bars(stderr) if stderr.is_terminal and not common.as_json else Plain(stderr)
    timed = Timed(progress, time.monotonic)
    begun_here = not store.exists
    with store.locked(common.holder(), shared=not writes):
        ledger = Ledger(store.ledger_path, read_only=not writes, moment=moment)
        try:
            if writes:
                store.sweep(set(ledger.stored_files()))
            pin_settings(ledger, settings, write=False)
            today = now.astimezone(ZoneInfo(settings.rating.timezone)).date()
            yield Desk(store, ledger, settings, now, today, moment, timed, timed.seconds)
        except KeyboardInterrupt:
            raise Interrupted from None
        finally:
            progress.close()
            unused = begun_here and ledger.is_empty()
            ledger.close()
            if unused:
                # A command that was refused leaves no store behind where there was none.
                store.remove_unused()


def json_line(document: object) -> str:
    """A document as JSON on one line; what a terminal would obey, or turn the text by, is escaped."""
    text = json.dumps(document, ensure_ascii=False, sort_keys=True)
    return "".join(letter if letter.isprintable() else json.dumps(letter)[1:-1] for letter in text)


def console_of_stderr() -> "Console":
    """Where messages are shown, letter by letter: `charges.csv:100:` names a line, not a little picture."""
    from rich.console import Console

    return Console(stderr=True, emoji=False)


def console_of_stdout() -> "Console":
    """Where tables are shown: a pipe is as wide as the terminal it was started on."""
    from rich.console import Console

    stderr = console_of_stderr()
    # A log has no width, and 80 would break its tables.
    piped = stderr.width if stderr.is_terminal else LOG_WIDTH
    return Console(width=None if sys.stdout.isatty() else piped, emoji=False)


def finish(common: Common, report: "Report", *, troubled: int = 1) -> None:
    """Print the report and leave with its status, `troubled` where a person must look at something."""
    from invoicing.showing import show_table, visible

    status = troubled if report.attention or (common.strict and report.warnings) else 0
    if common.as_json:
        from invoicing.table_files import as_text

        document = asdict(report) | {
            "tables": {title: json.loads(as_text(frame).write_json()) for title, frame in report.tables.items()},
            "files_written": report.written,
            "exit_status": status,
        }
        del document["written"]
        document |= document.pop("details")
        typer.echo(json_line(document))
    else:
        stderr, stdout = console_of_stderr(), console_of_stdout()
        for title, frame in report.tables.items():
            if frame.height:
                show_table(stdout, title, frame)
        for sentence in report.messages:
            stdout.print(visible(sentence), markup=False, highlight=False, soft_wrap=True)
        for word, sentences in (("warning", report.warnings), ("look at this", report.attention)):
            for sentence in sentences:
                stderr.print(f"{word}: {visible(sentence)}", markup=False, highlight=False, soft_wrap=True)
    if status:
        raise typer.Exit(status)


@app.command(epilog="Example: centime run 2026-10 --platform platform/ --cdrs 'cdrs/2026-10/*.csv.gz'")
def run(
    period: PeriodArgument,
    platform: PlatformOption,
    cdrs: Annotated[
        list[str] | None,
        typer.Option("--cdrs", help="A file, a folder or a glob of CDRs; may be repeated, or left out after `read`."),
    ] = None,
    cdr_format: FormatOption = AUTO,
    timezone: TimezoneOption = None,
    invoice_date: DateOption = None,
    no_render: Annotated[bool, typer.Option("--no-render", help="Issue without writing PDFs.")] = False,
    store: StoreOption = STORE,
    config: ConfigOption = None,
    now: NowOption = None,
    by: ByOption = None,
    as_json: JsonOption = False,
    strict: StrictOption = False,
) -> None:
    """The monthly job: read the calls, rate, bill, number and write the invoices of a period."""
    from invoicing import monthly_job, publishing
    from invoicing.desk import Report
    from rating.periods import Period
    from rating.sources.formats import choose_formats

    common = Common("run", store, config, now, as_json, strict, by)
    month, report = Period.parse(period), Report("run", period)
    asked = day_of(invoice_date)
    with at_desk(common) as desk:
        formats = choose_formats(cdr_format, timezone, desk.settings.rating.timezone)
        publishing.finish_earlier_runs(desk, report)
        monthly_job.run(desk, month, platform, cdrs or [], formats, asked, report, documents=not no_render)
    finish(common, report)


@app.command(epilog="Example: centime read cdrs/2026-10-14.csv.gz  (run it daily; a file is taken in once)")
def read(
    paths: Annotated[
        list[str] | None, typer.Argument(metavar="[PATH]...", help="Files, folders or globs of CDRs.")
    ] = None,
    cdr_format: FormatOption = AUTO,
    timezone: TimezoneOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the first records before and after; store nothing.")
    ] = False,
    database: DatabaseOption = None,
    password_file: PasswordFileOption = None,
    since: Annotated[
        str | None,
        typer.Option(
            "--since",
            metavar="DATE",
            help="Read the database again from this day on \\[default: where the last reading came to].",
        ),
    ] = None,
    store: StoreOption = STORE,
    config: ConfigOption = None,
    now: NowOption = None,
    by: ByOption = None,
    as_json: JsonOption = False,
    strict: StrictOption = False,
) -> None:
    """Take CDRs into the store, of files or of a database; what cannot be read of them goes to quarantine."""
    from invoicing import runs
    from invoicing.desk import Report
    from invoicing.trying import try_reading
    from rating.sources.formats import choose_formats

    common = Common("read", store, config, now, as_json, strict, by)
    report = Report("read")
    if (database is None) == (not paths) or (database is None and (password_file or since)):
        raise InputRefused("read: expected either files, or --database URL with what goes with it")
    if dry_run and database is not None:
        raise InputRefused("--dry-run: it shows the records of files; leave it out")
    if dry_run:
        settings = common.settings()
        formats = choose_formats(cdr_format, timezone, settings.rating.timezone)
        try_reading(paths or [], formats, settings, common.moment(), report)
        finish(common, report)
        return
    day = day_of(since, "--since")
    address = None if database is None else database_address(database, password_file)
    with at_desk(common) as desk:
        formats = choose_formats(cdr_format, timezone, desk.settings.rating.timezone)
        if address is None:
            runs.read(desk, paths or [], formats, report)
        else:
            from invoicing.database_reading import read_database

            runs.tell_intake(read_database(desk, formats.name, address, formats.options, day), report)
        runs.judge_quarantine(desk, report, report.counts["quarantined"], report.counts["records"], "records read")
    finish(common, report)


@app.command(epilog="Example: centime rate 2026-10 --platform platform/")
def rate(
    period: PeriodArgument,
    platform: PlatformOption,
    store: StoreOption = STORE,
    config: ConfigOption = None,
    now: NowOption = None,
    by: ByOption = None,
    as_json: JsonOption = False,
    strict: StrictOption = False,
) -> None:
    """Find owner, zone, pack and price of the calls read; may be repeated until the period is issued."""
    from invoicing import runs
    from invoicing.desk import Report
    from rating.periods import Period

    common = Common("rate", store, config, now, as_json, strict, by)
    month, report = Period.parse(period), Report("rate", period)
    with at_desk(common) as desk:
        runs.require_next(desk.ledger, month)
        rating = runs.rate(desk, month, runs.load_tables(desk, platform, month), report)
        report.messages.append(
            f"{period}: {rating.calls} calls rated, {rating.unrated} not; `centime issue {period}` bills them"
        )
    finish(common, report)


@app.command(epilog="Example: centime preview 2026-10 --platform platform/ --to drafts/")
def preview(
    period: PeriodArgument,
    platform: PlatformOption,
    to: Annotated[Path | None, typer.Option("--to", help="Write the drafts as PDF into this folder.")] = None,
    store: StoreOption = STORE,
    config: ConfigOption = None,
    now: NowOption = None,
    as_json: JsonOption = False,
    strict: StrictOption = False,
) -> None:
    """Show the invoices as they would be; nothing is numbered or stored, and the day does not matter."""
    from invoicing import drafting
    from invoicing.desk import Report
    from rating.periods import Period

    common = Common("preview", store, config, now, as_json, strict)
    month, report = Period.parse(period), Report("preview", period)
    with at_desk(common) as desk:
        drafting.preview(desk, month, platform, to, report)
    finish(common, report)


@app.command(epilog="Example: centime issue 2026-10 --approve 44d409a58815")
def issue(
    period: PeriodArgument,
    platform: Annotated[
        Path | None, typer.Option("--platform", help="The folder of the platform tables; not needed with --approve.")
    ] = None,
    approve: Annotated[
        str | None, typer.Option("--approve", metavar="SHA256", help="Issue just what was shown under this SHA-256.")
    ] = None,
    invoice_date: DateOption = None,
    store: StoreOption = STORE,
    config: ConfigOption = None,
    now: NowOption = None,
    by: ByOption = None,
    as_json: JsonOption = False,
    strict: StrictOption = False,
) -> None:
    """Bill and number what `rate` rated, with the same tables and settings; `render` then writes the PDFs."""
    from invoicing import drafting, runs
    from invoicing.desk import Report
    from invoicing.issuing import choose_invoice_date
    from rating.periods import Period

    common = Common("issue", store, config, now, as_json, strict, by)
    month, report = Period.parse(period), Report("issue", period)
    asked, refused = day_of(invoice_date), False
    with at_desk(common) as desk:
        if approve is None:
            runs.require_no_approval(desk, month)
        if not runs.tell_issued(desk, month, report):
            runs.require_next(desk.ledger, month)
            runs.require_invoice_day(desk, month)
            day = choose_invoice_date(desk.ledger, desk.today, asked)
            if approve is not None:
                refused = not drafting.issue_approved(desk, month, platform, approve, day, report)
            else:
                if platform is None:
                    raise InputRefused("issue: give --platform, the folder of the platform tables")
                tables = runs.load_tables(desk, platform, month, day)
                rating = runs.pending_rating(desk, month, tables)
                runs.issue(desk, rating, tables, day, report, documents=False)
    finish(common, report, troubled=BAD_USAGE if refused else 1)


@app.command(epilog="Example: centime render 2026-10 --html")
def render(
    period: PeriodArgument,
    html: Annotated[bool, typer.Option("--html", help="Write each invoice as a web page too.")] = False,
    store: StoreOption = STORE,
    config: ConfigOption = None,
    now: NowOption = None,
    by: ByOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the documents of a period: its invoices and the credit notes dated in it; the same bytes each time."""
    from invoicing import publishing
    from invoicing.desk import Report
    from rating.periods import Period

    common = Common("render", store, config, now, as_json, by=by)
    month, report = Period.parse(period), Report("render", period)
    with at_desk(common) as desk:
        publishing.render_period(desk, month, report, web_page=html)
    finish(common, report)


@app.command(epilog="Example: centime credit 2026-000042 --line 3 --reason 'Number 12 was never connected'")
def credit(
    invoice: Annotated[str, typer.Argument(metavar="INVOICE", help="The invoice's number, such as 2026-000042.")],
    reason: Annotated[str, typer.Option("--reason", help="Why, as the credit note will say it.")],
    lines: Annotated[
        list[int] | None, typer.Option("--line", help="All that is left of this line; may be repeated.")
    ] = None,
    amount: Annotated[
        str | None, typer.Option("--amount", help="So many euro without VAT, of the invoice or of the one --line.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that is left of the invoice.")] = False,
    note_date: Annotated[
        str | None, typer.Option("--date", help="The credit note's date \\[default: the local day acted on].")
    ] = None,
    store: StoreOption = STORE,
    config: ConfigOption = None,
    now: NowOption = None,
    by: ByOption = None,
    as_json: JsonOption = False,
) -> None:
    """Credit an issued invoice: a numbered credit note, never of more than what is left of the invoice."""
    from invoicing import crediting, publishing
    from invoicing.desk import Report

    common = Common("credit", store, config, now, as_json, by=by)
    report = Report("credit")
    extent, why = crediting.extent_of(lines or [], amount, everything=everything), crediting.reason_of(reason)
    asked = day_of(note_date)
    with at_desk(common) as desk:
        publishing.finish_earlier_runs(desk, report)
        crediting.credit(desk, invoice, extent, why, asked, report)
        publishing.publish_corrections(desk, report)
    finish(common, report)


@dispute_app.command(
    "open", epilog="Example: centime dispute open 2026-000042 --reason 'Not our calls' --calls ids.csv"
)
def dispute_open(
    invoice: Annotated[str, typer.Argument(metavar="INVOICE", help="The invoice's number, such as 2026-000042.")],
    reason: Annotated[str, typer.Option("--reason", help="What the customer says is wrong.")],
    calls: Annotated[
        Path | None, typer.Option("--calls", help="A file with the call_ids of the calls it is about.")
    ] = None,
    lines: Annotated[list[int] | None, typer.Option("--line", help="A line it is about; may be repeated.")] = None,
    claim_date: Annotated[
        str | None, typer.Option("--date", help="The day of the claim \\[default: the local day acted on].")
    ] = None,
    store: StoreOption = STORE,
    config: ConfigOption = None,
    now: NowOption = None,
    by: ByOption = None,
    as_json: JsonOption = False,
) -> None:
    """Note a claim about an issued invoice: marked late after 30 days (14.2), for information only."""
    from invoicing import crediting, disputes
    from invoicing.desk import Report
    from invoicing.what_if import call_ids_in

    common = Common("dispute open", store, config, now, as_json, by=by)
    report, why, asked = Report("dispute open"), crediting.reason_of(reason), day_of(claim_date)
    ids = None if calls is None else call_ids_in(calls)
    with at_desk(common) as desk:
        disputes.open_claim(desk, invoice, why, ids, lines or [], asked, report)
    finish(common, report)


@dispute_app.command("list", epilog="Example: centime dispute list --state open")
def dispute_list(
    about: Annotated[
        str | None, typer.Argument(metavar="[INVOICE|CUSTOMER]", help="Only those of an invoice or a customer.")
    ] = None,
    state: Annotated[str | None, typer.Option("--state", help="Only those open, rejected or settled.")] = None,
    store: StoreOption = STORE,
    config: ConfigOption = None,
    now: NowOption = None,
    as_json: JsonOption = False,
) -> None:
    """The disputes with their dates, states and outcomes."""
    from invoicing import disputes
    from invoicing.desk import Report

    common, report = Common("dispute list", store, config, now, as_json), Report("dispute list")
    with at_desk(common, writes=False) as desk:
        disputes.list_disputes(desk, about, state, report)
    finish(common, report)


@dispute_app.command("show", epilog="Example: centime dispute show D2026-000001")
def dispute_show(
    number: DisputeArgument,
    store: StoreOption = STORE,
    config: ConfigOption = None,
    now: NowOption = None,
    as_json: JsonOption = False,
) -> None:
    """One dispute: the claim, the calls and lines it is about, and what became of it."""
    from invoicing import disputes
    from invoicing.desk import Report

    common, report = Common("dispute show", store, config, now, as_json), Report("dispute show")
    with at_desk(common, writes=False) as desk:
        disputes.show_dispute(desk, number, report)
    finish(common, report)


@dispute_app.command("reject", epilog="Example: centime dispute reject D2026-000001 --reason 'The calls were made'")
def dispute_reject(
    number: DisputeArgument,
    reason: Annotated[str, typer.Option("--reason", help="Why the invoice stays as it is.")],
    store: StoreOption = STORE,
    config: ConfigOption = None,
    now: NowOption = None,
    by: ByOption = None,
    as_json: JsonOption = False,
) -> None:
    """Decide that a claim changes nothing."""
    from invoicing import crediting, disputes
    from invoicing.desk import Report

    common = Common("dispute reject", store, config, now, as_json, by=by)
    report, why = Report("dispute reject"), crediting.reason_of(reason)
    with at_desk(common) as desk:
        disputes.reject(desk, number, why, report)
    finish(common, report)


@dispute_app.command(
    "settle",
    epilog="Example: centime dispute settle D2026-000001 --as corrected-invoice --platform platform/ "
    "--reason 'Wrong number of users' --dry-run",
)
def dispute_settle(
    number: DisputeArgument,
    form: Annotated[
        str,
        typer.Option(
            "--as",
            metavar="FORM",
            help="credit-note: of the difference; corrected-invoice: a credit note of all that is left, and a new "
            "invoice that supersedes the first.",
        ),
    ],
    reason: Annotated[str, typer.Option("--reason", help="Why, as the credit note will say it.")],
    without_calls: Annotated[
        Path | None,
        typer.Option(
            "--without-calls",
            help="A file with the call_ids of calls to take off \\[default: those of the dispute, unless --platform or "
            "--deck is given].",
        ),
    ] = None,
    platform: Annotated[Path | None, typer.Option("--platform", help="Other platform tables.")] = None,
    deck: Annotated[
        Path | None, typer.Option("--deck", help="A file of the table rates: versions of decks beside the others.")
    ] = None,
    asked_date: Annotated[
        str | None, typer.Option("--date", help="The date of what is issued \\[default: the local day acted on].")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be issued, line by line, and change nothing.")
    ] = False,
    store: StoreOption = STORE,
    config: Annotated[
        Path | None, typer.Option("--config", help="Other settings \\[default: those the invoice was issued with].")
    ] = None,
    now: NowOption = None,
    by: ByOption = None,
    as_json: JsonOption = False,
) -> None:
    """Answer a claim: make its invoice again with what was found, and credit the difference or supersede it."""
    from invoicing import crediting, publishing, settling
    from invoicing.desk import Report
    from invoicing.what_if import Supposed

    common = Common("dispute settle", store, config, now, as_json, by=by)
    report, why, asked = Report("dispute settle"), crediting.reason_of(reason), day_of(asked_date)
    settling.require_form(form)
    supposed = Supposed(platform, deck, without_calls, None if config is None else common.settings())
    with at_desk(common, writes=not dry_run) as desk:
        if not dry_run:
            publishing.finish_earlier_runs(desk, report)
        settlement = settling.prepare(desk, number, form, supposed, why, asked)
        settling.tell(desk, settlement, report)
        if dry_run:
            report.messages.append("nothing was changed")
        else:
            settling.tell_settled(settlement, *settling.commit(desk, settlement), report)
            publishing.publish_corrections(desk, report)
    finish(common, report)


@app.command(epilog="Example: centime held 2026-10")
def held(
    period: Annotated[
        str | None, typer.Argument(metavar="[PERIOD]", help="One month; all of them if left out.")
    ] = None,
    store: StoreOption = STORE,
    config: ConfigOption = None,
    now: NowOption = None,
    as_json: JsonOption = False,
) -> None:
    """The invoices that are held because they are beyond a bound, and why; exit 1 where there are any."""
    from invoicing.desk import Report
    from invoicing.holding import tell_held
    from rating.periods import Period

    common = Common("held", store, config, now, as_json)
    month, report = Period.parse(period) if period else None, Report("held", period)
    with at_desk(common, writes=False) as desk:
        tell_held(desk.ledger, report, month)
    if not report.attention:
        report.messages.append("nothing is held")
    finish(common, report)


@app.command(epilog="Example: centime release C001 2026-10 --reason 'New switchboard, 40 more users: confirmed'")
def release(
    customer: Annotated[str, typer.Argument(metavar="CUSTOMER", help="Whose invoice, by customer_id.")],
    period: PeriodArgument,
    reason: Annotated[str, typer.Option("--reason", help="Why it may go out, for `history`.")],
    invoice_date: DateOption = None,
    store: StoreOption = STORE,
    config: ConfigOption = None,
    now: NowOption = None,
    by: ByOption = None,
    as_json: JsonOption = False,
) -> None:
    """Issue an invoice that is held: the next number, the figures it was held with, and its documents."""
    from invoicing import publishing, releasing
    from invoicing.crediting import reason_of
    from invoicing.desk import Report
    from rating.periods import Period

    common = Common("release", store, config, now, as_json, by=by)
    month, report = Period.parse(period), Report("release", period)
    why, asked = reason_of(reason), day_of(invoice_date)
    with at_desk(common) as desk:
        publishing.finish_earlier_runs(desk, report)
        releasing.release(desk, customer, month, why, asked, report)
        publishing.publish_releases(desk, report)
    finish(common, report)


@app.command(epilog="Example: centime watch cdrs/2026-10-14.csv --platform platform/  (run it daily)")
def watch(
    paths: Annotated[list[str], typer.Argument(metavar="PATH...", help="Files, folders or globs of fresh CDRs.")],
    platform: PlatformOption,
    cdr_format: FormatOption = AUTO,
    timezone: TimezoneOption = None,
    store: StoreOption = STORE,
    config: ConfigOption = None,
    now: NowOption = None,
    as_json: JsonOption = False,
    strict: StrictOption = False,
) -> None:
    """Look for signs of fraud in fresh CDRs; exit 1 where there are any. Changes nothing, needs no store."""
    from invoicing import watching
    from invoicing.desk import Report
    from invoicing.progress import Silent
    from invoicing.store import Store
    from rating.sources.formats import choose_formats

    common = Common("watch", store, config, now, as_json, strict)
    settings, report = common.settings(), Report("watch")
    formats = choose_formats(cdr_format, timezone, settings.rating.timezone)
    if Store(store).exists:
        with at_desk(common, writes=False) as desk:
            work = watching.Watch(formats, desk.settings, desk.now, desk.moment, desk.progress)
            found = watching.watch(desk.store, paths, platform, work)
    else:
        moment = common.moment()
        work = watching.Watch(formats, settings, moment, common.stamp(moment), Silent())
        found = watching.watch(Store(store), paths, platform, work)
        report.messages.append(f"{store}: there is no store, so only the calls of these files count")
    watching.tell_watched(found, report)
    finish(common, report)


@app.command(epilog="Example: centime export lines 2026-10 -o lines.csv")
def export(
    table: Annotated[str, typer.Argument(metavar="TABLE", help=f"One of {', '.join(EXPORTED)}.")],
    period: PeriodArgument,
    output: Annotated[
        Path, typer.Option("-o", "--output", help="A .parquet, .csv, .ndjson or .xlsx file; for ubl a .zip.")
    ],
    store: StoreOption = STORE,
    config: ConfigOption = None,
    now: NowOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write one table of a period to a file, or its electronic documents."""
    from invoicing import exports, ubl_archive
    from invoicing.desk import Report
    from rating.periods import Period

    common = Common("export", store, config, now, as_json)
    month, report = Period.parse(period), Report("export", period)
    with at_desk(common, writes=False) as desk:
        if table == UBL:
            ubl_archive.export_ubl(desk, month, output, report)
        else:
            report.counts["rows"] = exports.export(desk, table, month, output)
            report.messages.append(f"{report.counts['rows']} rows of {table} {period} in {output}")
        if table not in DATED and not any(run.period == month for run in desk.ledger.runs()):
            report.warnings.append(f"{period} is not issued in this store")
    report.written.append(str(output))
    finish(common, report)


@app.command(epilog="Example: centime report 2026-10 --open")
def report(
    period: PeriodArgument,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="An .html file \\[default: beside the documents].")
    ] = None,
    show: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
    lang: Annotated[str | None, typer.Option("--lang", help="fr, nl, de or en \\[default: documents.report].")] = None,
    store: StoreOption = STORE,
    config: ConfigOption = None,
    now: NowOption = None,
    as_json: JsonOption = False,
) -> None:
    """An issued month on one page, for finance: how much, what needs a person, who changed, whose invoice is where."""
    from invoicing import runs
    from invoicing.desk import Report
    from invoicing.reports.writing import NONE, write_issued
    from rating.periods import Period

    common = Common("report", store, config, now, as_json)
    month, told = Period.parse(period), Report("report", period)
    with at_desk(common, writes=False) as desk:
        chosen = lang or desk.settings.documents.report.replace(NONE, "en")
        page = write_issued(desk, runs.issued_run(desk.ledger, month), chosen, output)
    told.written.append(str(page))
    told.messages.append(f"{period} on one page: {page}")
    if show:
        import webbrowser

        webbrowser.open(page.resolve().as_uri())
    finish(common, told)


@app.command(epilog="Example: centime explain 2026-000042 3 --lang nl; centime explain c-2026-10-000123")
def explain(
    subject: Annotated[str, typer.Argument(metavar="INVOICE|CALL_ID", help="An invoice's number, or a call.")],
    line: Annotated[int | None, typer.Argument(metavar="[LINE]", help="One line of the invoice.")] = None,
    lang: Annotated[
        str | None, typer.Option("--lang", help="fr, nl, de or en \\[default: the invoice's; en for a call].")
    ] = None,
    call: Annotated[bool, typer.Option("--call", help="It is a call_id, though it looks like an invoice.")] = False,
    store: StoreOption = STORE,
    config: ConfigOption = None,
    now: NowOption = None,
    as_json: JsonOption = False,
) -> None:
    """Why an invoice, a line or a call costs what it costs: rule, article, tariff, packs, arithmetic."""
    from invoicing.desk import Report
    from invoicing.explaining import explain as explain_subject
    from invoicing.explanations.showing import show_explanation

    common = Common("explain", store, config, now, as_json)
    with at_desk(common, writes=False) as desk:
        explained = explain_subject(desk, subject, line, lang, call=call)
    if not as_json:
        show_explanation(console_of_stdout(), explained)
    faults = explained.every_fault()
    finish(common, Report("explain", messages=explained.hints, attention=faults, details=explained.document()))


@app.command(epilog="Example: centime history 2026-000042")
def history(
    what: Annotated[
        str | None,
        typer.Argument(
            metavar="[WHAT]",
            help="The number of an invoice or credit note, a customer, call_id, CDR file or month; all if left out.",
        ),
    ] = None,
    store: StoreOption = STORE,
    config: ConfigOption = None,
    now: NowOption = None,
    as_json: JsonOption = False,
) -> None:
    """What was done, when, by whom, with which command and version, and the SHA-256 of what it was made from."""
    from invoicing import history as recorded
    from invoicing.desk import Report

    common = Common("history", store, config, now, as_json)
    report = Report("history")
    with at_desk(common, writes=False) as desk:
        recorded.tell_history(desk, recorded.history(desk, what), report, whole=as_json)
    finish(common, report)


@app.command(epilog="Example: centime rerun 2026-000042 --to again/")
def rerun(
    invoice: Annotated[str, typer.Argument(metavar="INVOICE", help="The invoice's number.")],
    to: Annotated[Path | None, typer.Option("--to", help="Write its documents into this folder too.")] = None,
    store: StoreOption = STORE,
    config: ConfigOption = None,
    now: NowOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make an issued invoice again from what it was issued from, and say whether every figure and byte is the same."""
    from invoicing.desk import Report
    from invoicing.rerunning import rerun_invoice, tell_rerun

    common = Common("rerun", store, config, now, as_json)
    report = Report("rerun")
    with at_desk(common, writes=False) as desk:
        tell_rerun(desk, rerun_invoice(desk, invoice, to), report)
    finish(common, report)


@app.command(epilog="Example: centime diff 2026-10 2026-10 --other-store backup/")
def diff(
    a: Annotated[str, typer.Argument(metavar="A", help="An invoice, a period, or the folder of a store.")],
    b: Annotated[str, typer.Argument(metavar="B", help="What it is compared with, of the same sort.")],
    other_store: Annotated[
        Path | None, typer.Option("--other-store", help="The store that B is in \\[default: that of A].")
    ] = None,
    calls: Annotated[
        Path | None, typer.Option("--calls", help="Write the calls that differ to this .csv, .parquet, .ndjson, .xlsx.")
    ] = None,
    store: StoreOption = STORE,
    config: ConfigOption = None,
    now: NowOption = None,
    as_json: JsonOption = False,
) -> None:
    """Two invoices, two periods or two stores, line by line: what differs, and by how much."""
    from invoicing import differing
    from invoicing.desk import Report

    common = Common("diff", store, config, now, as_json)
    whole = other_store is None and all(differing.is_store(Path(name)) for name in (a, b))
    places = (Path(a), Path(b)) if whole else (store, other_store or store)
    report = Report("diff")
    with ExitStack() as desks:
        first = desks.enter_context(at_desk(replace(common, store=places[0]), writes=False))
        # A ledger is opened once, also where it is compared with itself.
        again = places[0].resolve() == places[1].resolve()
        second = first if again else desks.enter_context(at_desk(replace(common, store=places[1]), writes=False))
        sides = differing.stores_of(first, second) if whole else differing.sides_of(first, second, (a, b))
        differing.tell_difference(differing.difference(*sides, calls), report, whole=as_json)
    if calls is not None:
        report.written.append(str(calls))
    finish(common, report)


@app.command("what-if", epilog="Example: centime what-if 2026-10 --deck rates-2027.csv --calls differing.xlsx")
def what_if(
    period: PeriodArgument,
    platform: Annotated[Path | None, typer.Option("--platform", help="Other platform tables.")] = None,
    deck: Annotated[
        Path | None, typer.Option("--deck", help="A file of the table rates: versions of decks beside the others.")
    ] = None,
    without_calls: Annotated[
        Path | None, typer.Option("--without-calls", help="A file with the call_ids of calls to leave out.")
    ] = None,
    customer: Annotated[
        list[str] | None, typer.Option("--customer", help="Only this customer; may be repeated.")
    ] = None,
    calls: Annotated[
        Path | None, typer.Option("--calls", help="Write the calls that differ to this .csv, .parquet, .ndjson, .xlsx.")
    ] = None,
    picture: Annotated[
        Path | None, typer.Option("--picture", help="Draw who gains and who pays more, as .svg or .png.")
    ] = None,
    store: StoreOption = STORE,
    config: Annotated[
        Path | None, typer.Option("--config", help="Other settings \\[default: those the month was issued under].")
    ] = None,
    now: NowOption = None,
    as_json: JsonOption = False,
) -> None:
    """What an issued month would have cost with other tables, decks, settings or fewer calls; changes nothing."""
    from invoicing import runs
    from invoicing import what_if as supposing
    from invoicing.desk import Report
    from invoicing.table_files import require_target
    from rating.periods import Period

    common = Common("what-if", store, config, now, as_json)
    month, report = Period.parse(period), Report("what-if", period)
    settings = None if config is None else common.settings()
    supposed = supposing.Supposed(platform, deck, without_calls, settings)
    with at_desk(common, writes=False) as desk:
        if picture is not None:
            from invoicing.what_if_picture import FORMATS, draw

            require_target(desk.store, picture, FORMATS)
        run = runs.issued_run(desk.ledger, month)
        found = supposing.what_if(desk, run, supposed, customer or [], calls)
    supposing.tell_what_if(period, found, report)
    if calls is not None:
        report.written.append(str(calls))
    if picture is not None:
        draw(period, found, picture)
        report.written.append(str(picture))
    finish(common, report)


@app.command(epilog="Example: centime quarantine 2026-10")
def quarantine(
    period: Annotated[
        str | None, typer.Argument(metavar="[PERIOD]", help="One month; all of them if left out.")
    ] = None,
    store: StoreOption = STORE,
    config: ConfigOption = None,
    now: NowOption = None,
    as_json: JsonOption = False,
) -> None:
    """What could not be read or rated, why, and what to do; unrated calls are judged anew by every run."""
    from invoicing.desk import Report
    from invoicing.quarantine import grouped_quarantine
    from invoicing.quarantine import quarantine as set_aside
    from rating.periods import Period

    common = Common("quarantine", store, config, now, as_json)
    month, report = Period.parse(period) if period else None, Report("quarantine", period)
    with at_desk(common, writes=False) as desk:
        found = set_aside(desk.store, desk.ledger, month)
    report.counts = {"quarantined": found.height}
    report.tables["Quarantine"] = grouped_quarantine(found)
    if not found.height:
        report.messages.append("the quarantine is empty")
    finish(common, report)


@app.command(epilog="Example: centime check platform/")
def check(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of the platform tables.")],
    store: StoreOption = STORE,
    config: ConfigOption = None,
    now: NowOption = None,
    as_json: JsonOption = False,
    strict: StrictOption = False,
) -> None:
    """Validate the platform tables without a store: every problem at once, with file, line and column."""
    from invoicing.checking import check_tables
    from invoicing.desk import Report
    from invoicing.documents import system_libraries

    common = Common("check", store, config, now, as_json, strict)
    report = Report("check")
    settings = common.settings()
    today = common.moment().astimezone(ZoneInfo(settings.rating.timezone)).date()
    check_tables(folder, settings, today, report)
    report.warnings += system_libraries.warnings()
    finish(common, report)


@app.command(epilog="Example: centime status")
def status(
    store: StoreOption = STORE,
    config: ConfigOption = None,
    now: NowOption = None,
    as_json: JsonOption = False,
) -> None:
    """The store on one screen: the last periods, what waits, what is held, the disk, the next command to type."""
    from invoicing.desk import Report
    from invoicing.status import tell_status

    common = Common("status", store, config, now, as_json)
    told = Report("status")
    with at_desk(common, writes=False) as desk:
        tell_status(desk, told)
    finish(common, told)


@app.command(epilog="Example: centime doctor")
def doctor(
    store: StoreOption = STORE,
    config: ConfigOption = None,
    now: NowOption = None,
    as_json: JsonOption = False,
) -> None:
    """What centime needs of this machine: Python, libraries, fonts, disk, lock, rule sets; how to mend what is not."""
    from invoicing.desk import Report
    from invoicing.doctor import examine

    common = Common("doctor", store, config, now, as_json)
    told = Report("doctor")
    examine(store, common.settings(), told)
    finish(common, told)


@app.command(epilog="Example: centime sync --platform platform/ --from today/")
def sync(
    platform: PlatformOption,
    source: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="fusionpbx|asterisk-realtime|DIR",
            help="The platform whose database is read, or a folder with today's users and numbers.",
        ),
    ] = None,
    database: DatabaseOption = None,
    password_file: PasswordFileOption = None,
    map_file: Annotated[
        Path | None,
        typer.Option("--map", help="Whose the database's domains are \\[default: sync.toml in the tables' folder]."),
    ] = None,
    as_of: Annotated[
        str | None, typer.Option("--as-of", help="The day from which what changed was so \\[default: today].")
    ] = None,
    accept: Annotated[bool, typer.Option("--accept", help="Take the changes that are held for being many.")] = False,
    customer: Annotated[
        list[str] | None, typer.Option("--customer", help="With --accept or --show: only his; may be repeated.")
    ] = None,
    show: Annotated[bool, typer.Option("--show", help="Tell what each sync changed; change nothing.")] = False,
    store: StoreOption = STORE,
    config: ConfigOption = None,
    now: NowOption = None,
    by: ByOption = None,
    as_json: JsonOption = False,
    strict: StrictOption = False,
) -> None:
    """Write the users and numbers that the platform has today as dated intervals into the platform tables."""
    from invoicing.desk import Report

    common = Common("sync", store, config, now, as_json, strict, by)
    report = Report("sync")
    if (source is None) != show:
        raise InputRefused("sync: expected either --from, to sync, or --show, to tell what syncs changed")
    if customer and not (accept or show):
        raise InputRefused("--customer: expected with --accept, for whose changes are taken, or with --show")
    if show:
        from invoicing.sync_words import show_syncs

        show_syncs(platform, customer or [], report)
        finish(common, report, troubled=3)
        return
    from invoicing.syncing import Occasion, sync_platform
    from rating.sources.today import PLATFORMS, read_today_database, read_today_folder

    settings, now_utc = common.settings(), common.moment()
    occasion = Occasion(
        moment=common.stamp(now_utc),
        today=now_utc.astimezone(ZoneInfo(settings.rating.timezone)).date(),
        as_of=day_of(as_of, "--as-of"),
        accepted=tuple(customer or []) if accept else None,
        holder=common.holder(),
    )
    if source in PLATFORMS:
        address = database_address(database, password_file)
        ask = partial(read_today_database, source, address, map_file or platform / "sync.toml", settings)
    elif database or password_file or map_file:
        raise InputRefused(f"sync: --from {source} is read as a folder; --database is for {' and '.join(PLATFORMS)}")
    else:
        ask = partial(read_today_folder, Path(source or ""), settings)
    sync_platform(platform, ask, settings, occasion, report)
    finish(common, report)


@app.command(epilog="Example: centime validate store/invoices/2026/*.xml")
def validate(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Electronic invoices, UBL in XML.")],
    store: StoreOption = STORE,
    config: ConfigOption = None,
    now: NowOption = None,
    as_json: JsonOption = False,
    strict: StrictOption = False,
) -> None:
    """Judge electronic invoices by the rules of UBL 2.1, EN 16931 and Peppol; exit 1 where one is not valid."""
    from invoicing.desk import Report
    from invoicing.validating import validate_files

    common = Common("validate", store, config, now, as_json, strict)
    report = Report("validate")
    validate_files(files, common.settings().documents.rules_dir, report)
    finish(common, report)


@app.command(epilog="Example: centime verify")
def verify(
    store: StoreOption = STORE,
    config: ConfigOption = None,
    now: NowOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check that everything the store holds adds up and that nothing was altered; exit 3 if not."""
    from invoicing.desk import Report
    from invoicing.event_checks import last_hash
    from invoicing.verification import verify as verify_store

    common = Common("verify", store, config, now, as_json)
    report = Report("verify")
    with at_desk(common, writes=False) as desk:
        found = verify_store(desk.store, desk.ledger, desk.progress)
        report.counts = {"files": len(desk.ledger.stored_files()), "runs": len(desk.ledger.runs())}
        report.counts["events"] = desk.ledger.number("select count(*) from events")
        head = last_hash(desk.ledger)
    report.counts["differences"] = len(found)
    report.attention = found
    if not found:
        report.messages.append(f"{report.counts['files']} files and {report.counts['runs']} runs: all of it holds")
        report.messages.append(f"{report.counts['events']} events; the last hash of their chain is {head}")
    finish(common, report, troubled=3)


@app.command(epilog="Example: centime rules --json")
def rules(
    store: StoreOption = STORE,
    config: ConfigOption = None,
    now: NowOption = None,
    as_json: JsonOption = False,
) -> None:
    """Every rule: its id, article, sentence, function and tests."""
    import polars as pl

    import invoicing.monthly_job  # noqa: F401 - with every module that has a rule
    from invoicing.desk import Report
    from rating.rules import registered_rules

    common = Common("rules", store, config, now, as_json)
    report = Report("rules")
    table = pl.DataFrame([asdict(found) for found in registered_rules()])
    report.counts = {"rules": table.height}
    report.tables["Rules"] = table.rename({"rule_id": "rule"})
    finish(common, report)


def refuse(arguments: list[str], error: CentimeError) -> int:
    """Tell an error, as text or as JSON, and give the exit status."""
    from invoicing.showing import show_problems

    problems: tuple[Problem, ...] = getattr(error, "problems", ())
    tell_json(arguments, str(error), problems, error.exit_status)
    show_problems(console_of_stderr(), f"centime: {error}", problems)
    return error.exit_status


def tell_json(arguments: list[str], error: str, problems: Sequence[Problem], status: int) -> None:
    """An error as one JSON object, where JSON was asked for and there is somewhere to write it."""
    if "--json" not in arguments:
        return
    document = {
        "command": next((word for word in arguments if not word.startswith("-")), ""),
        "error": error,
        "problems": [asdict(problem) for problem in problems],
        "exit_status": status,
    }
    with suppress(OSError):
        typer.echo(json_line(document))


def settle(arguments: list[str], error: Exception) -> int:
    """Refuse in words what the machine could not do; anything else is a fault and shows where it happened."""
    from duckdb import FatalException, OperationalError
    from polars.exceptions import ComputeError

    from invoicing.store import in_words

    # Polars tells a full disk by words.
    full_disk = isinstance(error, ComputeError) and "os error" in str(error)
    if full_disk or isinstance(error, OSError | OperationalError | FatalException):
        return refuse(arguments, in_words(error))
    return fault(arguments)


def fault(arguments: list[str]) -> int:
    """Tell a fault of the program itself, with the place where it happened."""
    import traceback

    from invoicing.showing import show_problems

    traceback.print_exc()
    message = "a fault of the program, not of its input; what was committed stays. Please report the lines above"
    tell_json(arguments, message, (), FAULT)
    show_problems(console_of_stderr(), f"centime: {message}", ())
    return FAULT


class AsWritten(RuntimeParam):
    """An argument or option whose texts and paths are taken as they are written; all else is left to Typer.

    Typer asks Pydantic for each value: to load that takes a fifth of a short command, and few values need it.
    """

    def _coerce_value(self, value: object, param: "_TyperParameter", ctx: "Context") -> object:
        kind = (get_args(self.annotation) or (self.annotation,))[0]  # of one, or of each of a list
        if kind not in (str, Path):
            typed = build_runtime_param(resolve_type_descriptor(self.annotation, self.parameter_info))
            return typed.coerce(value, param, ctx)
        several = value if isinstance(value, list | tuple) else None
        written = [kind(each) for each in ((value,) if several is None else several)]
        for each in written if kind is str else ():
            if (readable := each.encode(errors="backslashreplace").decode()) != each:
                raise typer.BadParameter(f"'{readable}' is not UTF-8; write or name it so", ctx=ctx, param=param)
        return written[0] if several is None else written


@cache
def commands() -> Callable[..., Any]:
    """All commands, made once for a process that runs several: that takes as long as a small command itself."""
    vars(core)["build_runtime_param"] = lambda of: AsWritten(of.parameter_info, of.annotation)
    return typer.main.get_command(app)


def drawing_of_help() -> ModuleType:
    """Typer's drawing of help and of mistakes, loaded without what is `UNUSED`: that takes longer than the help."""
    stand_ins = {name: ModuleType(name) for name in UNUSED if name not in sys.modules}
    for name, module in stand_ins.items():
        setattr(module, UNUSED[name], type(UNUSED[name], (), {}))
    sys.modules.update(stand_ins)
    try:
        from typer import rich_utils
    finally:
        for name in stand_ins:
            del sys.modules[name]
    return rich_utils


def status_of(arguments: list[str]) -> int:
    """Run a command and give its exit status; no mistake of a user, and no full disk, ends in a traceback."""
    if not arguments or set(HELP) & set(arguments):
        drawing_of_help()
    try:
        status = commands()(arguments, standalone_mode=False) or 0
    except CentimeError as error:
        status = refuse(arguments, error)
    except typer.Abort:
        status = refuse(arguments, Interrupted())
    except typer.TyperException as error:
        status = BAD_USAGE
        tell_json(arguments, str(error), (), status)
        drawing_of_help().rich_format_error(error)
    except Exception as error:  # noqa: BLE001 - whoever started it from cron must not take a fault for "done"
        status = settle(arguments, error)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException:  # noqa: BLE001 - a fault of Polars comes past `Exception`, and would end with 1: done
        status = fault(arguments)
    return int(status)


class Lasting(io.FileIO):
    """A file descriptor that leads nowhere once nobody reads its pipe any more."""

    def write(self, content: "Buffer", /) -> int:
        """Write so many of the bytes; all of them where nobody reads them."""
        try:
            return super().write(content)
        except BrokenPipeError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)
            return super().write(content)


def lasting(stream: TextIO | None, descriptor: int) -> TextIO:
    """Standard output or error for as long as the command works, whoever stops reading it or never opened it.

    A month must not stay half issued because its messages went into `head`, and the exit status is that of the work.
    """
    if stream is None:  # closed before the program began, as `>&-` does
        return open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123 - it lasts as long as the process
    stream.flush()
    return io.TextIOWrapper(
        io.BufferedWriter(Lasting(descriptor, "wb", closefd=False)),
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=descriptor == STDERR or stream.isatty(),
    )


def main() -> None:
    """The `centime` command."""
    if sys.stdout is sys.__stdout__:
        sys.stdout = lasting(sys.stdout, STDOUT)
    if sys.stderr is sys.__stderr__:
        sys.stderr = lasting(sys.stderr, STDERR)
    # What a command imports, it keeps: looking through that for garbage takes a tenth of a short command's time.
    gc.disable()
    try:
        sys.exit(status_of(sys.argv[1:]))
    finally:
        # DuckDB complains on stderr of what is left of it when the process ends.
        gc.unfreeze()
        gc.enable()


if __name__ == "__main__":
    main()

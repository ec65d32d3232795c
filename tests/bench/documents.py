"""What documents cost: the call detail of one invoice beside other means, and many invoices through the workers.

Each case runs in a process of its own (`python -m tests.bench.documents CASE COUNT`), which makes the invoice
without calls first, so that what is done once is done, and tells as JSON what the one with calls took.
"""

from __future__ import annotations

import gc
import html
import importlib.util
import io
import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

from invoicing.documents.model import Customer, InvoiceDocument, Line, PackUse, VatTotal, ZoneTraffic
from schemas.settings import DocumentSettings, Supplier
from tests.bench.figures import Figure, not_run
from tests.bench.measure import REPOSITORY, CommandFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BENCH = "documents"
MICRO = 1_000_000
DETAIL_TARGETS = {200: "", 10_000: "0.5 s of processor", 20_000: "1 s of processor"}
COMPARED = 10_000
CALLS_EACH = 200
LOOKED_AT = 100  # after so many documents, again and again
EACH_TARGET = "0.13 s of processor each, 90 % of the cores, 150 MiB a worker"
SUPPLIER = Supplier(name="Ardoise Télécom SA", street="Avenue des Schistes 16", postal_code="4900", city="Spa")
ELECTRONIC = replace(
    SUPPLIER, country="BE", vat_number="BE1999000150", iban="BE49999000000171", bic="ARDOBEB9",
    email="facturation@ardoise.example", phone="+3287080100", peppol_id="0208:1999000150",
)  # fmt: skip
# A page of WeasyPrint, whose time on this machine the others may be held against: so many calls, made so often.
PAGE_CALLS, PAGES = 20, 20
YARDSTICK = "plain pages"
TIMES = 3
KIB = 1024
ZONES = (
    ("Fixe Belgique", "+3242", 0), ("Mobile Belgique", "+32470", 0), ("Mobile France", "+33612", 31),
    ("Fixe France", "+33142", 2), ("Fixe Allemagne", "+4930", 2), ("Mobile Luxembourg", "+352621", 24),
    ("Fixe Pays-Bas", "+3120", 2), ("Mobile Royaume-Uni", "+44770", 43), ("Maroc", "+21252", 90),
    ("Numéros spéciaux", "+3278", 150),
)  # fmt: skip
COLUMNS = ("Date", "Heure", "Numéro appelé", "Destination", "Durée", "En pack", "Hors pack", "Montant (€)")
RIGHT_FROM = 4  # the columns of figures
Told = dict[str, float]


class Effort(NamedTuple):
    """How much is made.

    Attributes:
        table_calls: Of the table; one of ten thousand takes a minute and a gigabyte.
        many: Invoices by all workers.
        few: Invoices by one worker alone, and electronic ones.
    """

    table_calls: int
    many: int
    few: int


QUICK, FULL = Effort(200, 100, 40), Effort(1000, 10_000, 100)


def document_figures(*, full: bool) -> Iterator[Figure]:
    """The rows of the documents: one invoice with many calls, beside other means; then many invoices.

    Args:
        full: Whether there is time for ten thousand invoices.
    """
    effort = FULL if full else QUICK
    page = _told("pages", PAGES)
    yield _pages(page, "alone")
    busy = _told("pages-at-once", PAGES)
    yield _pages(busy, "on each core at once")
    own = {calls: _told("detail", calls) for calls in DETAIL_TARGETS}
    for calls, target in DETAIL_TARGETS.items():
        yield _figure(f"one invoice, {calls:,} calls", own[calls], target=target)
    table = _told("table", effort.table_calls)
    yield _figure(f"{effort.table_calls:,} calls as an HTML table", table, own[COMPARED])
    if importlib.util.find_spec("reportlab") is None:
        yield not_run(BENCH, f"{COMPARED:,} calls by ReportLab", "it is not installed")
    else:
        yield _figure(f"{COMPARED:,} calls by ReportLab", _told("reportlab", COMPARED), own[COMPARED])
    yield _many(effort.few, "worker", "by one worker", page, "0.13 s of processor each")
    yield _many(effort.many, "workers", "by all workers", busy, EACH_TARGET)
    yield _many(effort.few, "electronic", "with payment code and electronic invoice, validated", busy)


def _figure(case: str, told: Told, beside: Told | None = None, target: str = "") -> Figure:
    """What one invoice took; beside another, the ratio is that of what a call more takes."""
    return Figure(
        BENCH,
        case,
        wall_s=told["wall_s"],
        cpu_s=told["cpu_s"],
        peak_mib=told["peak_mib"],
        cpu_ratio=None if beside is None else told["per_call_ms"] / beside["per_call_ms"],
        against="" if beside is None else "our detail, per call",
        target=target,
        note=f"{told['per_call_ms']:.4f} ms of processor a call, {told['empty_s']:.2f} s without calls",
    )


def _pages(told: Told, where: str) -> Figure:
    """What plain pages took; they are the yardstick of documents."""
    return Figure(
        BENCH,
        f"a page with {PAGE_CALLS} calls as an HTML table, {PAGES} times {where}",
        wall_s=told["wall_s"],
        cpu_s=told["cpu_s"],
        cpu_ratio=1.0,
        against=YARDSTICK,
        note=f"{told['each_s']:.3f} s of processor each",
    )


def _many(invoices: int, case: str, made: str, page: Told, target: str = "") -> Figure:
    """What many invoices took, and how many plain pages each took, made where as many cores were busy."""
    told = _told(case, invoices)
    return Figure(
        BENCH,
        f"{invoices:,} invoices, {CALLS_EACH} calls each, {made}",
        wall_s=told["wall_s"],
        cpu_s=told["cpu_s"],
        peak_mib=told["peak_mib"],
        cpu_ratio=told["cpu_s"] / invoices / page["each_s"],
        against=YARDSTICK,
        target=target,
        note=f"{told['cpu_s'] / invoices:.3f} s of processor each, {told['cores_used']:.0%} of the cores; "
        "the peak is that of the largest process",
    )


def _command(case: str, count: int) -> list[str]:
    return [sys.executable, "-m", "tests.bench.documents", case, str(count)]


def _told(case: str, count: int) -> Told:
    """What a case tells, run in a process of its own."""
    command = _command(case, count)
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CommandFailed(f"{case} {count}: {done.stderr[-2000:]}")
    told: Told = json.loads(done.stdout)
    return told


def invoice(calls: int, number: int = 1) -> InvoiceDocument:
    """An invoice as many are: five services, a pack, up to ten destinations, and so many calls of five users."""
    place = pl.int_range(calls, eager=True)
    zone = place % len(ZONES)
    cents = pl.Series([cents for _, _, cents in ZONES]).gather(zone)
    seconds = 13 + place * 97 % 1200
    detail = pl.DataFrame({
        "start": pl.Series([datetime(2026, 10, 1, 8)]).gather(place * 0) + place * timedelta(seconds=86_400 * 30 // max(calls, 1)),  # noqa: DTZ001, E501
        "user_id": (place * 5 // max(calls, 1)).cast(pl.String).str.replace("^", "u-00"),
    }).with_columns(
        direction=pl.lit("outgoing"), caller=pl.lit("+3242223344"),
        callee=pl.Series([start for _, start, _ in ZONES]).gather(zone) + (place * 7919 % 1_000_000).cast(pl.String).str.zfill(6),  # noqa: E501
        zone=pl.Series([label for label, _, _ in ZONES]).gather(zone),
        duration_s=seconds, pack_s=seconds * (cents == 0), charged_s=seconds * (cents > 0),
        amount_cents=(cents * seconds + 59) // 60,
    )  # fmt: skip
    traffic = tuple(
        ZoneTraffic("2026-10", f"z{each}", "international", str(label), count, int(duration), int(charged), int(amount))
        for each, (label, count, duration, charged, amount) in enumerate(
            detail.group_by("zone", maintain_order=True)
            .agg(pl.len(), pl.col("duration_s", "charged_s", "amount_cents").sum())
            .iter_rows()
        )
    )
    services = [_line(each, "recurring", f"Service {each}", 1550 + each) for each in range(5)]
    charged = [_line(each, "traffic", zone.label, zone.amount_cents) for each, zone in enumerate(traffic, 5)]
    lines = (*services, *charged)
    net_cents = sum(line.net_cents for line in lines)
    vat_cents = (net_cents * 21 + 50) // 100
    return InvoiceDocument(
        number=f"2026-{number:06d}", period="2026-10", next_period="2026-11", invoice_date=date(2026, 10, 31),
        due_date=date(2026, 11, 30), structured_communication="+++202/6000/00192+++",
        supplier=SUPPLIER,
        customer=Customer("C-1", f"Société {number} SRL", "Rue Neuve 1", "4000", "Liège", "BE", "fr", "BE0428759497"),
        lines=lines, traffic=traffic,
        packs=(PackUse("2026-10", "pack", "Pack national", None, 72_000, 30_000, calls),),
        vat=(VatTotal("S", 21 * MICRO, net_cents, vat_cents, None),),
        net_cents=net_cents, vat_cents=vat_cents, gross_cents=net_cents + vat_cents, calls=detail,
    )  # fmt: skip


def _line(number: int, kind: str, description: str, net_cents: int) -> Line:
    service = (date(2026, 11, 1), date(2026, 11, 30)) if kind == "recurring" else (None, None)
    return Line(
        number, kind, None, None, None, "R-ADVANCE", "8.1", description, *service, MICRO,
        net_cents * 10_000 if kind == "recurring" else None, net_cents, "S", 21 * MICRO,
    )  # fmt: skip


def by_us(document: InvoiceDocument) -> bytes:
    """The invoice as the program makes it."""
    from invoicing.documents.pdf import render_pdf  # noqa: PLC0415 - each case loads what it needs

    return render_pdf(document)


def by_table(document: InvoiceDocument) -> bytes:
    """The call detail as the table that one writes first: a row a call, a cell a figure, a head on each page."""
    from invoicing.documents.fonts import FIGURE_FAMILY, document_fonts  # noqa: PLC0415 - before WeasyPrint
    from weasyprint import HTML  # noqa: PLC0415 # isort: skip

    head = "".join(f"<th>{name}" for name in COLUMNS)
    rows = "".join(f"<tr><td>{'<td>'.join(html.escape(text) for text in row)}" for row in texts(document.calls))
    style = (
        "@page { size: A4; margin: 24mm 18mm; @bottom-right { content: counter(page) ' / ' counter(pages) } }"
        f"html {{ font: 7pt/1.5 {FIGURE_FAMILY} }}"
        "table { width: 100%; border-collapse: collapse; "
        "table-layout: fixed } td, th { text-align: left } td:nth-child(n + 5) { text-align: right } "
        "tr:nth-child(even) { background: #f6f6f6 }"
    )
    made: bytes = HTML(
        string=f"<style>{style}</style><h1>Facture</h1><table><thead><tr>{head}</thead><tbody>{rows}</tbody></table>"
    ).write_pdf(font_config=document_fonts())
    return made


def by_reportlab(document: InvoiceDocument) -> bytes:
    """The call detail drawn cell by cell on a canvas, which is the fastest that ReportLab has."""
    from reportlab.lib.pagesizes import A4  # noqa: PLC0415
    from reportlab.pdfbase import pdfmetrics  # noqa: PLC0415
    from reportlab.pdfbase.ttfonts import TTFont  # noqa: PLC0415
    from reportlab.pdfgen.canvas import Canvas  # noqa: PLC0415

    from invoicing.documents.fonts import FACES  # noqa: PLC0415

    if "Rows" not in pdfmetrics.getRegisteredFontNames():
        pdfmetrics.registerFont(TTFont("Rows", FACES[-1]))
    rows = texts(document.calls)
    places = (51, 99, 142, 218, 400, 440, 491, 544)
    lines, height, top = 60, 10.5, 745
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=A4, pageCompression=1)
    pages = range(0, max(len(rows), 1), lines)
    for page, start in enumerate(pages, 1):
        canvas.setFont("Rows", 7)
        for number, row in enumerate([COLUMNS, *rows[start : start + lines]]):
            base = top - number * height
            if number % 2:
                canvas.setFillGray(0.965)
                canvas.rect(51, base - 3, 493, height, stroke=0, fill=1)
                canvas.setFillGray(0.1)
            for text, place in zip(row[:RIGHT_FROM], places, strict=False):
                canvas.drawString(place, base, text)
            for text, place in zip(row[RIGHT_FROM:], places[RIGHT_FROM:], strict=True):
                canvas.drawRightString(place, base, text)
        canvas.drawRightString(544, 40, f"Page {page} / {len(pages)}")
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def texts(calls: pl.DataFrame) -> list[tuple[str, ...]]:
    """The cells of each call, for those who lay them out one by one."""

    def clock(name: str) -> pl.Expr:
        return pl.format(
            "{}:{}:{}",
            pl.col(name) // 3600,
            (pl.col(name) // 60 % 60).cast(pl.String).str.zfill(2),
            (pl.col(name) % 60).cast(pl.String).str.zfill(2),
        )

    amount = pl.format(
        "{},{}", pl.col("amount_cents") // 100, (pl.col("amount_cents") % 100).cast(pl.String).str.zfill(2)
    )
    return calls.select(
        pl.col("start").dt.to_string("%d/%m/%Y").alias("date"), pl.col("start").dt.to_string("%H:%M:%S").alias("time"),
        "callee", "zone", clock("duration_s").alias("d"), clock("pack_s").alias("p"), clock("charged_s").alias("c"),
        amount.alias("a"),
    ).rows()  # fmt: skip


def one(make: Callable[[InvoiceDocument], bytes], calls: int) -> Told:
    """What one invoice takes, and what of that is for its calls."""
    empty, whole = invoice(0), invoice(calls)
    make(invoice(10))
    empty_s = min(_timed(make, empty)[0] for _ in range(TIMES))
    cpu_s, wall_s = min(_timed(make, whole) for _ in range(1 if make is by_table else TIMES))
    _, peak_mib = _used(os.getpid())
    return {
        "cpu_s": cpu_s,
        "wall_s": wall_s,
        "empty_s": empty_s,
        "peak_mib": peak_mib,
        "per_call_ms": (cpu_s - empty_s) / calls * 1000,
    }


def pages(count: int) -> Told:
    """What plain pages take, one after the other."""
    page = invoice(PAGE_CALLS)
    by_table(page)
    cpu_s, wall_s = _timed(lambda document: [by_table(document) for _ in range(count)], page)
    return {"cpu_s": cpu_s, "wall_s": wall_s, "each_s": cpu_s / count}


def pages_at_once(count: int) -> Told:
    """What plain pages take where each core makes so many: two threads of one core take longer for each."""
    making = [
        subprocess.Popen(_command("pages", count), cwd=REPOSITORY, stdout=subprocess.PIPE)
        for _ in range(os.cpu_count() or 1)
    ]
    told: list[Told] = [json.loads(process.communicate()[0]) for process in making]
    cpu_s = sum(each["cpu_s"] for each in told)
    return {
        "cpu_s": cpu_s,
        "wall_s": max(each["wall_s"] for each in told),
        "each_s": cpu_s / len(told) / count,
    }


def _timed(make: Callable[[InvoiceDocument], object], document: InvoiceDocument) -> tuple[float, float]:
    gc.collect()
    begun, before = time.perf_counter(), time.process_time()
    make(document)
    return time.process_time() - before, time.perf_counter() - begun


def through_workers(invoices: int, workers: int | None = None, supplier: Supplier = SUPPLIER) -> Told:
    """What many invoices take, of all processes, with the start of the workers."""
    from invoicing.documents.workers import made_by_workers  # noqa: PLC0415

    documents = (replace(invoice(CALLS_EACH, number), supplier=supplier) for number in range(invoices))
    cores = os.cpu_count() or 1
    begun, peaks_mib = time.perf_counter(), [0.0]
    for made, each in enumerate(made_by_workers(documents, DocumentSettings(), workers=workers), 1):
        assert each.files is not None
        assert ("xml" in each.files.contents) == (supplier is ELECTRONIC)
        if made % LOOKED_AT == 0 or made == invoices:
            # Workers that ended are no more to be looked at; the last ones still are when all is done.
            wall_s = time.perf_counter() - begun
            used = [_used(process) for process in _tree(os.getpid())]
            peaks_mib += [peak for _, peak in used[1:]]
    cpu_s = sum(cpu for cpu, _ in used)
    return {
        "wall_s": wall_s,
        "cpu_s": cpu_s,
        "cores_used": cpu_s / wall_s / cores,
        "peak_mib": max(peaks_mib),
    }


def _tree(process: int) -> Iterator[int]:
    """A process and all below it."""
    yield process
    for task in Path(f"/proc/{process}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield from _tree(int(child))


def _used(process: int) -> tuple[float, float]:
    """The processor seconds of a process and those it waited for; its largest size (MiB, what is shared too)."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    status = Path(f"/proc/{process}/status").read_text()
    peak_kib = int(status.partition("VmHWM:")[2].split()[0])
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK"), peak_kib / KIB


def main() -> None:
    """One case, told as JSON."""
    case, count = sys.argv[1], int(sys.argv[2])
    cases: dict[str, Callable[[], Any]] = {
        "detail": lambda: one(by_us, count),
        "table": lambda: one(by_table, count),
        "pages": lambda: pages(count),
        "pages-at-once": lambda: pages_at_once(count),
        "reportlab": lambda: one(by_reportlab, count),
        "worker": lambda: through_workers(count, workers=1),
        "workers": lambda: through_workers(count),
        "electronic": lambda: through_workers(count, supplier=ELECTRONIC),
    }
    print(json.dumps(cases[case]()))  # noqa: T201 - the answer


if __name__ == "__main__":
    main()

"""Make the sample: three months of platform tables and call records of an invented operator.

`python sample_cdrs/make_sample.py` rewrites the three month folders beside it to the same bytes, whenever
and wherever it runs: everything is written down or drawn from one seed, and neither clock nor environment is
read.
"""

from __future__ import annotations

import csv
import io
import json
import shutil
import struct
import zlib
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path

import sample_book as book
import sample_parties as parties
from sample_book import Rows
from sample_traffic import COLUMNS, MONTHS, Cdr, Everyday, local_day
from sample_walkthrough import BROKEN_JSON, BROKEN_LINES, CUT_LINE, SECOND_SWITCH, WALKTHROUGH

HERE = Path(__file__).resolve().parent
WEEK_STARTS = (29, 22, 15, 8, 1)
# A week's file by its first day: the second is compressed, the third newline-delimited JSON.
ENDINGS = {1: "csv", 8: "csv.gz", 15: "ndjson", 22: "csv", 29: "csv"}
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
LONGEST_BLOCK = 0xFFFF


def csv_bytes(rows: Rows, line_end: str = "\n") -> bytes:
    """The rows as CSV with a header; there must be at least one."""
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0], lineterminator=line_end)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def ndjson_bytes(rows: Rows) -> bytes:
    """The rows as newline-delimited JSON: an empty field is left out, a duration is a number."""
    lines = []
    for row in rows:
        fields: dict[str, object] = {name: field for name, field in row.items() if field}
        if "duration_s" in row:
            fields["duration_s"] = json.loads(row["duration_s"])
        lines.append(json.dumps(fields, ensure_ascii=False))
    return "".join(f"{line}\n" for line in lines).encode()


def gzip_bytes(content: bytes) -> bytes:
    """The content as a gzip file of stored blocks, because each zlib deflates to bytes of its own."""
    blocks = [content[at : at + LONGEST_BLOCK] for at in range(0, len(content), LONGEST_BLOCK)]
    body = b"".join(
        struct.pack("<?HH", number == len(blocks), len(block), len(block) ^ LONGEST_BLOCK) + block
        for number, block in enumerate(blocks, start=1)
    )
    return GZIP_HEADER + body + struct.pack("<LL", zlib.crc32(content), len(content))


def write(path: Path, content: bytes) -> None:
    """Write a file, as gzip where its name ends in .gz."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip_bytes(content) if path.suffix == ".gz" else content)


def write_platform(folder: Path, month: int) -> None:
    """Write the platform tables as they stood at the end of a month; a table without rows is left out."""
    tables = {
        "customers": parties.customers(month),
        "contracts": parties.contracts(month),
        "contract_items": parties.contract_items(month),
        "customer_decks": parties.customer_decks(month),
        "users": parties.users(month),
        "numbers": parties.numbers(month),
        "subscriptions": parties.subscriptions(month),
        "products": book.PRODUCTS,
        "prices": book.prices(month),
        "packs": book.PACKS,
        "charges": parties.charges(month),
        "credits": parties.credits_granted(month),
        "suspensions": parties.suspensions(month),
    }
    for table, rows in tables.items():
        if rows:
            write(folder / f"{table}.csv", csv_bytes(rows))
    write(folder / "zones.ndjson", ndjson_bytes(book.zones(month)))
    write(folder / "rates.csv.gz", csv_bytes(book.rates(month)))


def month_of(cdr: Cdr) -> int:
    """The month of the folder a record arrives in: that of its local day unless it says otherwise."""
    if cdr.arrives >= 0:
        return cdr.arrives
    return local_day(cdr.instant()).month - MONTHS[0][1]


def moment(cdr: Cdr) -> datetime:
    """The start to sort by; for a start that cannot be read, the day it is written with."""
    try:
        start = datetime.fromisoformat(cdr.start)
    except ValueError:
        start = datetime.fromisoformat(cdr.start[:10])
    return start.astimezone(UTC) if start.tzinfo else start.replace(tzinfo=UTC)


def file_of(cdr: Cdr, month: int) -> str:
    """The file a record stands in: the late ones of the month before in one, the others in a file a week."""
    year, number = MONTHS[month]
    day = local_day(moment(cdr))
    if (day.year, day.month) == (year, number - 1) and month > 0:
        return f"late-{day:%Y-%m}.csv"
    # A start outside the month, such as one just after it, stands in the file of the last or first week.
    if day.month == number:
        first = next(start for start in WEEK_STARTS if day.day >= start)
    else:
        first = 1 if (day.year, day.month) < (year, number) else 29
    return f"cdrs-{year}-{number:02}-{first:02}.{ENDINGS[first]}"


def cdr_files(month: int, cdrs: list[Cdr]) -> dict[str, bytes]:
    """The files of call records of a month, by name."""
    by_file: dict[str, list[Cdr]] = defaultdict(list)
    for cdr in cdrs:
        if month_of(cdr) == month:
            by_file[file_of(cdr, month)].append(cdr)
    return {name: cdr_bytes(name, found) for name, found in sorted(by_file.items())}


def cdr_bytes(name: str, cdrs: list[Cdr]) -> bytes:
    """One file of call records in order of start; September's first is as Windows programs write them."""
    rows = [cdr.fields() for cdr in sorted(cdrs, key=lambda cdr: (moment(cdr), cdr.call_id))]
    if name.endswith(".ndjson"):
        return ndjson_bytes(rows)
    if name == "cdrs-2026-09-01.csv":
        return BYTE_ORDER_MARK + csv_bytes(rows, "\r\n")
    return csv_bytes(rows)


def broken_october(files: dict[str, bytes]) -> None:
    """Add to October's files what no switch should write, and a file of a second switch."""
    header = ",".join(COLUMNS)
    files["cdrs-2026-10-01.csv"] += b"".join(line + b"\n" for line in BROKEN_LINES)
    files["cdrs-2026-10-15.ndjson"] += f"{BROKEN_JSON}\n".encode()
    files["switch2-2026-10-19.csv"] = "\n".join([header, *SECOND_SWITCH, CUT_LINE]).encode()


def main() -> None:
    """Rewrite the three months."""
    cdrs = [*Everyday().calls(), *WALKTHROUGH]
    months = [cdr_files(month, cdrs) for month in range(len(MONTHS))]
    broken_october(months[1])
    # Delivered twice: the same bytes are read once.
    months[1]["cdrs-2026-09-29.csv"] = months[0]["cdrs-2026-09-29.csv"]
    for month, (year, number) in enumerate(MONTHS):
        folder = HERE / f"{year}-{number:02}"
        shutil.rmtree(folder, ignore_errors=True)
        write_platform(folder / "platform", month)
        for name, content in months[month].items():
            write(folder / "cdrs" / name, content)


if __name__ == "__main__":
    main()

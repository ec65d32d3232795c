"""The electronic documents of a period in one archive, for the bookkeeper's program."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from invoicing.table_files import require_target, write_target

if TYPE_CHECKING:
    from invoicing.desk import Desk, Report
    from invoicing.store import Store
    from rating.periods import Period

# An archive carries moments; it is always this one, the earliest there is, so that equal documents are equal bytes.
ENTRY_CREATED = (1980, 1, 1, 0, 0, 0)
OWNER_MAY_WRITE = 0o644 << 16
NUMBERS_TOLD = 10
DOCUMENTS = """
with numbers as (
  select invoice_number number from invoices
  where supersedes is null and period = $1 or supersedes is not null and invoice_date between $2 and $3
  union all
  select credit_note_number from credit_notes where credit_note_date between $2 and $3
)
select number, path, sha256 from numbers
left join documents on documents.invoice_number = number left join stored_files using (path) order by number, path
"""


def export_ubl(desk: Desk, period: Period, target: Path, report: Report) -> None:
    """Write the published UBL documents of a period into a .zip: those that its journal has.

    The documents stand in it as they were published, each checked, in the order of their numbers.

    Raises:
        InputRefused: for another kind of file, or where it cannot be written.
        StoreUnavailable: where a document is missing or was altered.
    """
    require_target(desk.store, target, (".zip",))
    rows = desk.ledger.rows(DOCUMENTS, [str(period), period.first_day, period.last_day])
    ubl = {str(path): str(sha256) for _, path, sha256 in rows if str(path).endswith(".xml")}
    write_target(target, lambda path: _archive(desk.store, ubl, path))
    numbers = {str(number) for number, *_ in rows}
    unwritten = {str(number) for number, path, _ in rows if path is None}
    without = numbers - unwritten - {Path(path).stem for path in ubl}
    report.counts |= {"documents": len(ubl), "without": len(without), "unwritten": len(unwritten)}
    report.messages.append(f"{len(ubl)} electronic documents of {period} in {target}")
    if without:
        report.messages.append(f"{len(without)} documents have no electronic form: {_listed(without)}")
    if unwritten:
        report.warnings.append(
            f"{len(unwritten)} documents are not written yet: {_listed(unwritten)}; `centime render {period}` does that"
        )


def _archive(store: Store, documents: dict[str, str], target: Path) -> None:
    """The documents under their file names, not compressed: each zlib deflates in its own way."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for path, sha256 in documents.items():
            entry = zipfile.ZipInfo(Path(path).name, ENTRY_CREATED)
            entry.external_attr = OWNER_MAY_WRITE
            archive.writestr(entry, store.require(path, sha256).read_bytes())


def _listed(numbers: set[str]) -> str:
    shown = sorted(numbers)[:NUMBERS_TOLD]
    return ", ".join(shown) + (" ..." if len(numbers) > len(shown) else "")

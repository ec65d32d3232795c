"""The code that a bank's app reads to pay an invoice (EPC069-12, version 2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import segno

from invoicing.documents.drawing import Drawing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from invoicing.documents.drawing import Rectangle
    from invoicing.documents.model import InvoiceDocument

MOST_CENTS = 99_999_999_999
NAME_LENGTH = 70
QUIET = 4  # modules without ink around a code (ISO/IEC 18004)
LATEST_VERSION = 13


def payment_code(document: InvoiceDocument, alt: str) -> Drawing | None:
    """The code of an invoice that is to be paid to an account; None where there is nothing to read in it.

    Args:
        document: The invoice.
        alt: What it is, in words.
    """
    supplier = document.supplier
    payable = document.number is not None and document.corrects is None and 0 < document.gross_cents <= MOST_CENTS
    if not (payable and supplier.iban and supplier.name):
        return None
    code = segno.make_qr(payment_text(document), error="m", boost_error=False)
    if int(code.version) > LATEST_VERSION:
        return None
    matrix = [bytes(row) for row in code.matrix]
    side = len(matrix) + 2 * QUIET
    return Drawing(side, side, {"ink": tuple(_runs(matrix))}, alt=alt)


def payment_text(document: InvoiceDocument) -> bytes:
    """What the code says, a line each: who is to get how much, and with which communication.

    A Belgian structured communication is a creditor reference of twelve digits, as in a transfer that is typed in;
    without one the number of the invoice is the free text.
    """
    supplier = document.supplier
    digits = "".join(filter(str.isdigit, document.structured_communication or ""))
    euros, cents = divmod(document.gross_cents, 100)
    lines = [
        "BCD", "002", "1", "SCT", _compact(supplier.bic), supplier.name[:NAME_LENGTH], _compact(supplier.iban),
        f"EUR{euros}.{cents:02d}", "", digits, "" if digits else str(document.number),
    ]  # fmt: skip
    return "\n".join(" ".join(line.split()) for line in lines).rstrip("\n").encode()


def _compact(account: str) -> str:
    return "".join(account.split())


def _runs(matrix: list[bytes]) -> Iterator[Rectangle]:
    """A rectangle for each run of dark modules in a row."""
    for row, modules in enumerate(matrix):
        column = 0
        for dark in modules.split(b"\x00"):
            if dark:
                yield (QUIET + column, QUIET + row, len(dark), 1)
            column += len(dark) + 1

"""The outbox: what an access point of the Peppol network picks up, an entry for each electronic document.

Beside `invoices/2026/2026-000001.xml` there is `outbox/2026/2026-000001.json`, written after it: who sends, who
receives, which kind of document by which process, where it lies and its SHA-256. Delivery is the access point's; it
leaves the entries where they are and remembers itself what it has sent. An entry stays as it was first written.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from invoicing.documents.peppol_ids import PROCESS_ID, document_type_id, participant_id

if TYPE_CHECKING:
    from invoicing.documents.electronic_address import Parties


def outbox_entry(
    number: str, path: str, sha256: str, parties: Parties, rules: str | None, *, is_credit_note: bool
) -> bytes:
    """The entry of a document as JSON.

    Args:
        number: Of the document.
        path: Where it lies in the store.
        sha256: Of its bytes.
        parties: Who sends it to whom.
        rules: The rule sets that it was judged by; None where it was not.
        is_credit_note: Whether it is a credit note.
    """
    entry = {
        "document_number": number,
        "document": path,
        "sha256": sha256,
        "sender": participant_id(parties.sender),
        "receiver": participant_id(parties.receiver),
        "document_type_id": document_type_id("CreditNote" if is_credit_note else "Invoice"),
        "process_id": PROCESS_ID,
        "rules": rules,
    }
    return f"{json.dumps(entry, indent=2, ensure_ascii=False)}\n".encode()

"""How the Peppol network names what is sent over it: kinds of documents, processes, participants."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from invoicing.documents.electronic_address import ElectronicAddress

CUSTOMIZATION = "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0"
PROFILE = "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0"
PROCESS_ID = f"cenbii-procid-ubl::{PROFILE}"
UBL = "urn:oasis:names:specification:ubl:schema:xsd"


def document_type_id(root: str) -> str:
    """The kind of document whose root element is `Invoice` or `CreditNote`, of Peppol BIS Billing 3.0."""
    return f"busdox-docid-qns::{UBL}:{root}-2::{root}##{CUSTOMIZATION}::2.1"


def participant_id(address: ElectronicAddress) -> str:
    """A sender or receiver; letters of either case are the same there, small ones the usual form."""
    return f"iso6523-actorid-upis::{address}".lower()

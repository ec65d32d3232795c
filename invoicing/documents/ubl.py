"""The electronic invoice: Peppol BIS Billing 3.0 in UBL 2.1, the same bytes for the same document.

Since 2026 an invoice between businesses registered for VAT in Belgium is such a document; the PDF is its
readable copy. A credit note is a `CreditNote` that refers to its invoice; its amounts are positive. An invoice that
supersedes another refers to that one.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from invoicing.documents.figures import check_figures
from invoicing.documents.notes import vat_reason
from invoicing.documents.peppol_ids import CUSTOMIZATION, PROFILE
from invoicing.documents.ubl_elements import amount, cac, cbc, document_element, required, written
from invoicing.documents.ubl_lines import line_element, period_element, period_of, tax_category
from invoicing.documents.words import language

if TYPE_CHECKING:
    from datetime import date

    from invoicing.documents.electronic_address import ElectronicAddress, Parties
    from invoicing.documents.model import Corrected, InvoiceDocument, VatTotal
    from invoicing.documents.ubl_elements import Element
    from invoicing.documents.words import Language

INVOICE_CODE, CREDIT_NOTE_CODE = "380", "381"
CREDIT_TRANSFER = "30"
# Of the VATEX code list; an exempt supply (E) is explained by its text alone, for there are many reasons.
EXEMPTION_CODES = {"AE": "VATEX-EU-AE", "K": "VATEX-EU-IC", "G": "VATEX-EU-G"}
INTRA_COMMUNITY = "K"
ENTERPRISE_NUMBER = "0208"


def write_ubl(
    document: InvoiceDocument, parties: Parties, *, pdf: bytes | None = None, calls_csv: bytes | None = None
) -> bytes:
    """A numbered document as UBL, in the language of its customer.

    Args:
        document: The stored figures.
        parties: The addresses and VAT numbers of both sides, checked.
        pdf: The readable copy to embed.
        calls_csv: The call detail to embed.

    Raises:
        ValueError: if the document is a draft, its figures do not add up, or there is no catalogue.
    """
    if document.number is None:
        raise ValueError("a draft is no electronic invoice")
    check_figures(document)
    speech = language(document.customer.language)
    attachments = [
        _attachment(f"{document.number}.pdf", "application/pdf", speech.say("head.invoice"), pdf),
        _attachment(f"{document.number}.csv", "text/csv", speech.say("section.calls"), calls_csv),
    ]
    is_credit = document.corrects is not None
    parts = [*(_credit_note_head(document, speech) if is_credit else _invoice_head(document)), *attachments]
    parts += [_supplier(document, parties), _customer(document, parties), _delivery(document)]
    parts += [*([] if is_credit else [_payment_means(document)]), _payment_terms(document, speech)]
    parts += [_tax_total(document, speech), _totals(document)]
    name, quantity = ("CreditNote", "CreditedQuantity") if is_credit else ("Invoice", "InvoicedQuantity")
    parts += [line_element(line, f"{name}Line", quantity, speech) for line in document.lines]
    return written(document_element(name, parts))


def _invoice_head(document: InvoiceDocument) -> list[Element | None]:
    """The head of an invoice; a corrected one is an invoice (380) too: Peppol has code 384 for Germany only."""
    superseded = document.supersedes
    return [
        *_identification(document),
        cbc("DueDate", document.due_date.isoformat()),
        cbc("InvoiceTypeCode", INVOICE_CODE),
        *_references(document),
        *([_billing_reference(superseded.invoice_number, superseded.invoice_date)] if superseded else []),
    ]


def _billing_reference(number: str, day: date) -> Element | None:
    """The invoice before, which this document corrects (BG-3)."""
    reference = cac("InvoiceDocumentReference", cbc("ID", number), cbc("IssueDate", day.isoformat()))
    return cac("BillingReference", reference)


def _credit_note_head(document: InvoiceDocument, speech: Language) -> list[Element | None]:
    corrected = document.corrects
    assert corrected is not None  # noqa: S101 - only a credit note has this head
    return [
        *_identification(document),
        cbc("CreditNoteTypeCode", CREDIT_NOTE_CODE),
        cbc("Note", _credit_note_note(document, corrected, speech)),
        *_references(document),
        _billing_reference(corrected.invoice_number, corrected.invoice_date),
    ]


def _credit_note_note(document: InvoiceDocument, corrected: Corrected, speech: Language) -> str:
    """Why there is a credit note, and what Belgium asks to be said where it gives VAT back (royal decree no. 4)."""
    reason = speech.say("credit.reason", reason=corrected.reason)
    return f"{reason}\n{speech.say('credit.vat')}" if document.vat_cents else reason


def _identification(document: InvoiceDocument) -> list[Element | None]:
    return [
        cbc("CustomizationID", CUSTOMIZATION),
        cbc("ProfileID", PROFILE),
        cbc("ID", document.number),
        cbc("IssueDate", document.invoice_date.isoformat()),
    ]


def _references(document: InvoiceDocument) -> list[Element | None]:
    return [
        cbc("DocumentCurrencyCode", "EUR"),
        required("BuyerReference", document.customer.customer_id),
        period_element(_whole_period(document)),
    ]


def _whole_period(document: InvoiceDocument) -> tuple[date, date] | None:
    """From the first to the last day that any line is about: a line's days must lie within (R110, R111)."""
    periods = [period for line in document.lines if (period := period_of(line)) is not None]
    if not periods:
        return None
    return min(first for first, _ in periods), max(last for _, last in periods)


def _attachment(file_name: str, media_type: str, description: str, content: bytes | None) -> Element | None:
    if content is None:
        return None
    encoded = base64.b64encode(content).decode("ascii")
    return cac(
        "AdditionalDocumentReference",
        cbc("ID", file_name),
        cbc("DocumentDescription", description),
        cac(
            "Attachment",
            cbc("EmbeddedDocumentBinaryObject", encoded, mimeCode=media_type, filename=file_name),
        ),
    )


def _supplier(document: InvoiceDocument, parties: Parties) -> Element | None:
    supplier = document.supplier
    return cac(
        "AccountingSupplierParty",
        cac(
            "Party",
            _endpoint(parties.sender),
            cac("PartyName", required("Name", supplier.name)),
            _address(supplier.street, supplier.city, supplier.postal_code, supplier.country),
            _tax_scheme(parties.supplier_vat),
            cac(
                "PartyLegalEntity",
                required("RegistrationName", supplier.name),
                _legal_number(parties.supplier_vat),
                cbc("CompanyLegalForm", supplier.register),
            ),
            cac(
                "Contact",
                required("Name", supplier.name),
                cbc("Telephone", supplier.phone),
                cbc("ElectronicMail", supplier.email),
            ),
        ),
    )


def _customer(document: InvoiceDocument, parties: Parties) -> Element | None:
    customer = document.customer
    return cac(
        "AccountingCustomerParty",
        cac(
            "Party",
            _endpoint(parties.receiver),
            cac("PartyName", required("Name", customer.name)),
            _address(customer.street, customer.city, customer.postal_code, customer.country),
            _tax_scheme(parties.customer_vat),
            cac(
                "PartyLegalEntity",
                required("RegistrationName", customer.name),
                _legal_number(parties.customer_vat),
            ),
            cac("Contact", cbc("ElectronicMail", customer.email)),
        ),
    )


def _endpoint(address: ElectronicAddress) -> Element | None:
    return cbc("EndpointID", address.identifier, schemeID=address.scheme)


def _address(street: str, city: str, postal_code: str, country: str) -> Element | None:
    return cac(
        "PostalAddress",
        cbc("StreetName", street),
        cbc("CityName", city),
        cbc("PostalZone", postal_code),
        cac("Country", cbc("IdentificationCode", country)),
    )


def _tax_scheme(vat_number: str | None) -> Element | None:
    if vat_number is None:
        return None
    return cac("PartyTaxScheme", cbc("CompanyID", vat_number), cac("TaxScheme", cbc("ID", "VAT")))


def _legal_number(vat_number: str | None) -> Element | None:
    """The enterprise number, which in Belgium is the VAT number without its country."""
    if vat_number is None or not vat_number.startswith("BE"):
        return None
    return cbc("CompanyID", vat_number.removeprefix("BE"), schemeID=ENTERPRISE_NUMBER)


def _delivery(document: InvoiceDocument) -> Element | None:
    """When and to which country goods went: asked for where they crossed a border untaxed (BR-IC-11, BR-IC-12)."""
    if INTRA_COMMUNITY not in {total.category for total in document.vat}:
        return None
    country = cac("Country", cbc("IdentificationCode", document.customer.country))
    return cac(
        "Delivery",
        cbc("ActualDeliveryDate", document.invoice_date.isoformat()),
        cac("DeliveryLocation", cac("Address", country)),
    )


def _payment_means(document: InvoiceDocument) -> Element | None:
    supplier = document.supplier
    return cac(
        "PaymentMeans",
        cbc("PaymentMeansCode", CREDIT_TRANSFER),
        cbc("PaymentID", document.structured_communication),
        cac(
            "PayeeFinancialAccount",
            cbc("ID", "".join(supplier.iban.split()).upper()),
            cbc("Name", supplier.name),
            cac("FinancialInstitutionBranch", cbc("ID", "".join(supplier.bic.split()).upper())),
        ),
    )


def _payment_terms(document: InvoiceDocument, speech: Language) -> Element | None:
    if document.corrects is not None:
        terms = speech.say("electronic.credit_note")
    elif document.gross_cents <= 0:
        terms = speech.say("payment.nothing")
    else:
        amount_due, due_date = speech.money(document.gross_cents), speech.long_day(document.due_date)
        due = speech.say("payment.due", amount=amount_due, due_date=due_date)
        terms = f"{due} {speech.say('payment.late')}"
    return cac("PaymentTerms", cbc("Note", terms))


def _tax_total(document: InvoiceDocument, speech: Language) -> Element | None:
    subtotals = [_tax_subtotal(total, speech) for total in document.vat]
    return cac("TaxTotal", amount("TaxAmount", document.vat_cents), *subtotals)


def _tax_subtotal(total: VatTotal, speech: Language) -> Element | None:
    reasons = [
        cbc("TaxExemptionReasonCode", EXEMPTION_CODES.get(total.category)),
        None if total.category == "S" else cbc("TaxExemptionReason", vat_reason(total, speech)),
    ]
    return cac(
        "TaxSubtotal",
        amount("TaxableAmount", total.base_cents),
        amount("TaxAmount", total.vat_cents),
        tax_category("TaxCategory", total.category, total.rate_micro_percent, *reasons),
    )


def _totals(document: InvoiceDocument) -> Element | None:
    return cac(
        "LegalMonetaryTotal",
        amount("LineExtensionAmount", document.net_cents),
        amount("TaxExclusiveAmount", document.net_cents),
        amount("TaxInclusiveAmount", document.gross_cents),
        amount("PayableAmount", document.gross_cents),
    )

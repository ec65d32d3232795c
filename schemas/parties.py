"""Who buys, on which terms: customers, their contracts, their rate decks, their suspensions."""

from __future__ import annotations

import dataframely as dy

from schemas.columns import Choice, Country, Day, Identifier, Quantity, Text, Whole
from schemas.settings import VAT_CATEGORIES

LANGUAGES = ("fr", "nl", "de", "en")


class Customers(dy.Schema):
    """A row per customer: the name, address and identities an invoice shows."""

    customer_id = Identifier("The customer; one row each.")
    name = Text("The name on the invoice.", article="5.1")
    street = Text("Street and number.")
    postal_code = Text("Postal code.")
    city = Text("City.")
    country = Country("Country of the address.")
    language = Choice("Language of the documents.", LANGUAGES)
    vat_number = Text("VAT number, where the customer has one.", optional=True)
    email = Text("Address to which invoices are sent.", optional=True)
    peppol_id = Text("Address on the Peppol network.", optional=True)
    vat_category = Choice("VAT category of all lines of the customer.", VAT_CATEGORIES, default="S")
    iban = Text("Account of the customer.", optional=True)


class Contracts(dy.Schema):
    """A row per contract, one contract per customer; services exist only inside it."""

    contract_id = Identifier("The contract; one row each.")
    customer_id = Identifier("Its customer; one row each.")
    starts_on = Day("First day of the contract.", article="8.5")
    term_months = Whole(
        "Term agreed on; empty: none.", unit="months", least=1, most=1200, optional=True, article="11.1"
    )
    ends_on = Day("The day after its last day; empty: it runs on.", optional=True, article="11.1")
    payment_days = Whole(
        "Days to pay, instead of the general setting.",
        unit="days",
        least=0,
        most=365,
        optional=True,
        article="5.2",
    )


class ContractItems(dy.Schema):
    """What a contract orders: products and how many of each."""

    contract_id = Identifier("The contract.")
    product_id = Identifier("The product ordered.")
    quantity_micro = Quantity("Units ordered; users are whole.", article="8.4")


class CustomerDecks(dy.Schema):
    """Which rate deck a customer's calls are priced by; versions per customer."""

    customer_id = Identifier("The customer.")
    deck_id = Identifier("The deck in force from that day on.", article="8.2")
    effective_from = Day("First day of this version.", article="8.2")
    notified_on = Day("Day on which the customer was told.", article="5.6")


class Suspensions(dy.Schema):
    """When a customer's service was suspended; a row per interval."""

    customer_id = Identifier("The customer.")
    suspended_from = Day("First day of the suspension.", article="5.5")
    suspended_to = Day("The day after its last day; empty: it still lasts.", optional=True, article="5.5")

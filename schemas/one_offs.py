"""Amounts that are billed or deducted once: charges and credits."""

from __future__ import annotations

import dataframely as dy

from schemas.columns import Amount, Day, Identifier, Price, Quantity, Text


class Charges(dy.Schema):
    """Hardware, activations, installations, interventions: each billed once."""

    charge_id = Identifier("The charge; one row each.")
    customer_id = Identifier("Who pays it.")
    date = Day("Day it was delivered; billed with the period that holds it.", article="8.1")
    description = Text("What the invoice line says.")
    quantity_micro = Quantity("Units.", article="8.1")
    unit_price_micro = Price("Price of one unit, without VAT.", file_name="unit_price", article="6.3")
    product_id = Identifier("The product, where it is one of the price book.", optional=True)


class Credits(dy.Schema):
    """Price reductions, deducted from what is invoiced until they are used up."""

    credit_id = Identifier("The credit; one row each.")
    customer_id = Identifier("Who receives it.")
    date = Day("Day from which it may be deducted.", article="10.4")
    description = Text("What the invoice line says.")
    amount_cents = Amount("What is deducted at most, without VAT.", article="10.4")

"""What is active when, and whose: users, numbers, subscriptions.

An interval holds its first day and not `active_to`, the day after its last.
"""

from __future__ import annotations

import dataframely as dy

from schemas.columns import Country, Day, Identifier, PhoneNumber, Quantity


class Users(dy.Schema):
    """The users of the platform: a row per interval in which a user has a product."""

    user_id = Identifier("The user, as the platform names it.")
    customer_id = Identifier("Whose user it is.")
    product_id = Identifier("Its product, of kind user.", article="8.1")
    active_from = Day("First day.", article="8.5")
    active_to = Day("The day after the last; empty: still active.", optional=True, article="8.5")


class Numbers(dy.Schema):
    """Telephone numbers: a row per interval in which a customer has a number."""

    number = PhoneNumber("The number in E.164.")
    customer_id = Identifier("Whose number it is.")
    country = Country("Country of the number; outside BE it lasts 12 months at least.", article="8.6")
    active_from = Day("First day.", article="8.6")
    active_to = Day("The day after the last; empty: still active.", optional=True, article="8.6")
    user_id = Identifier("The user who calls from it.", optional=True)
    product_id = Identifier("Its product, of kind number; empty: nothing to pay.", optional=True, article="8.1")
    inbound_deck = Identifier("The deck by which its owner pays the calls to it.", optional=True)


class Subscriptions(dy.Schema):
    """Packs and options taken: one row each; another quantity is another subscription."""

    subscription_id = Identifier("The subscription; one row each.")
    customer_id = Identifier("Who took it.")
    product_id = Identifier("Its product, of kind pack or option.", article="8.1")
    quantity_micro = Quantity("Units.", article="8.1")
    active_from = Day("First day.", article="8.5")
    active_to = Day("The day after the last; empty: still active.", optional=True, article="8.5")
    user_id = Identifier("The user whose pack it is, where the pack's scope is user.", optional=True)

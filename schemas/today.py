"""Users and numbers as a telephony platform has them at the moment it is asked: without dates.

`centime sync` compares them with what it knows and writes the intervals of `users` and `numbers`.
"""

from __future__ import annotations

import dataframely as dy

from schemas.columns import Country, Identifier, PhoneNumber


class UsersToday(dy.Schema):
    """The users there are: a row each."""

    user_id = Identifier("The user, as the platform names it.")
    customer_id = Identifier("Whose user it is.")
    product_id = Identifier("Its product, of kind user.", article="8.1")


class NumbersToday(dy.Schema):
    """The telephone numbers there are: a row each."""

    number = PhoneNumber("The number in E.164.")
    customer_id = Identifier("Whose number it is.")
    country = Country("Country of the number; outside BE it lasts 12 months at least.", article="8.6")
    user_id = Identifier("The user who calls from it.", optional=True)
    product_id = Identifier("Its product, of kind number; empty: nothing to pay.", optional=True, article="8.1")
    inbound_deck = Identifier("The deck by which its owner pays the calls to it.", optional=True)


TODAY: dict[str, type[dy.Schema]] = {"users": UsersToday, "numbers": NumbersToday}

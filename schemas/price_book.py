"""What things cost: products and their prices, packs and their content, zones and rates."""

from __future__ import annotations

import dataframely as dy

from schemas.columns import Choice, Day, Identifier, Prefix, Price, Text, Whole, ZoneList

PRODUCT_KINDS = ("user", "number", "pack", "option", "one_off")
PACK_SCOPES = ("user", "customer")
ZONE_KINDS = (
    "national_fixed", "national_mobile", "international", "special", "premium", "free", "emergency",
)  # fmt: skip
LONGEST_INCREMENT_S = 86_400


class Products(dy.Schema):
    """Everything that is sold, with the name it has on the invoice in each language."""

    product_id = Identifier("The product; one row each.")
    kind = Choice("What it is sold for.", PRODUCT_KINDS, article="8.1")
    label_fr = Text("Name in French; also where another language has none.")
    label_nl = Text("Name in Dutch.", optional=True)
    label_de = Text("Name in German.", optional=True)
    label_en = Text("Name in English.", optional=True)


class Prices(dy.Schema):
    """The monthly price of a product; versions per product and, for a contract's own price, customer."""

    product_id = Identifier("The product.")
    customer_id = Identifier("Whose own price it is; empty: the general one.", optional=True, article="8.2")
    unit_price_micro = Price("Price of one unit, without VAT.", file_name="unit_price", article="5.1")
    effective_from = Day("First day of this version.", article="8.2")
    notified_on = Day("Day on which customers were told.", article="5.6")


class Packs(dy.Schema):
    """The content of a pack: which zones, how many minutes, in which order; versions per product."""

    product_id = Identifier("The product, of kind pack, option or user.")
    scope = Choice("Whether each user draws from an own pool or all from the customer's.", PACK_SCOPES)
    zones = ZoneList("The zones it covers; * is all but premium zones.", article="8.1")
    included_minutes = Whole(
        "Minutes a unit brings; empty: unlimited.",
        unit="minutes",
        least=0,
        most=10_000_000,
        optional=True,
        article="8.1",
    )
    priority = Whole("Which pool a call draws from first: the lowest.", unit="order", least=0, most=1_000_000)
    effective_from = Day("First day of this version.", article="8.2")
    notified_on = Day("Day on which customers were told.", article="5.6")


class Zones(dy.Schema):
    """Destinations as the price book names them."""

    zone_id = Identifier("The zone; one row each.")
    kind = Choice("What kind of destination it is.", ZONE_KINDS, article="8.7")
    label_fr = Text("Name in French; also where another language has none.")
    label_nl = Text("Name in Dutch.", optional=True)
    label_de = Text("Name in German.", optional=True)
    label_en = Text("Name in English.", optional=True)


class Rates(dy.Schema):
    """The rates of a deck by prefix; the rows of one deck and first day are one complete version."""

    deck_id = Identifier("The deck.")
    prefix = Prefix("The first digits of the destination, without +; or one exact destination behind =.")
    zone_id = Identifier("The zone of these destinations.")
    rate_micro_per_min = Price("Price of a minute, without VAT.", file_name="price_per_minute", article="8.3")
    setup_micro = Price("Price of setting up a call, without VAT.", file_name="setup_fee", default=0, article="8.3")
    first_increment_s = Whole(
        "Seconds charged at least.",
        unit="seconds",
        least=1,
        most=LONGEST_INCREMENT_S,
        default=1,
        article="8.3",
    )
    increment_s = Whole(
        "Step of the seconds after those.",
        unit="seconds",
        least=1,
        most=LONGEST_INCREMENT_S,
        default=1,
        article="8.3",
    )
    effective_from = Day("First day of this version of the deck.", article="8.2")
    notified_on = Day("Day on which customers were told.", article="5.6")

"""The price book of the bench's operator: zones, nested rate decks with a change inside the month, products, packs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    import numpy as np

PERIOD = "2026-10"
BOOK_STARTS = "2025-01-01"
BOOK_NOTIFIED = "2024-11-01"
CHANGE_DAY, CHANGE_NOTIFIED = "2026-10-16", "2026-09-01"
CUSTOMER_CHANGE_DAY, CUSTOMER_CHANGE_NOTIFIED = "2026-10-10", "2026-08-15"
LONGEST_PREFIX = 8
# Shares of the prefixes: what each deck holds of them, and what a minute costs beside the standard one.
DECKS = {"standard": (0.5, 1.0), "business": (0.3, 0.8), "basic": (0.2, 1.3)}
INBOUND_DECK = "freephone"
# No deck knows satellite networks: such calls cannot be rated.
UNKNOWN_ROOT = "883"
# Country, its code, the digits after which a number is mobile, and the price of a minute to its fixed lines.
COUNTRIES = """
FR 33 6,7 .05|NL 31 6 .05|DE 49 15,16,17 .05|LU 352 6 .06|GB 44 7 .05|IE 353 8 .06|ES 34 6,7 .05|PT 351 9 .06
IT 39 3 .06|CH 41 7 .07|AT 43 6 .06|DK 45 2,3 .06|SE 46 7 .06|NO 47 4,9 .06|FI 358 4,5 .07|IS 354 6,7,8 .09
PL 48 5,6,7 .06|CZ 420 6,7 .06|SK 421 9 .07|HU 36 2,3,7 .06|RO 40 7 .07|BG 359 8,9 .09|GR 30 6 .06|HR 385 9 .09
SI 386 3,4,5 .09|EE 372 5 .09|LV 371 2 .11|LT 370 6 .10|CY 357 9 .09|MT 356 7,9 .11|MA 212 6,7 .32|TN 216 2,5,9 .45
DZ 213 5,6,7 .38|TR 90 5 .16|AU 61 4 .09|CN 86 1 .07|IN 91 7,8,9 .09|JP 81 7,8,9 .11|ZA 27 6,7,8 .21|CD 243 8,9 .58
XK 383 4 .35|US 1 900 .04|RU 7 9 .23|KZ 77 70 .28|EG 20 1 .29|LY 218 9 .47|SN 221 7 .42|CI 225 0,5,7 .49
CM 237 6 .46|NG 234 7,8,9 .24|GH 233 2,5 .41|KE 254 7 .33|ET 251 9 .39|UG 256 7 .44|RW 250 7 .51|BI 257 7 .62
MG 261 3 .71|MU 230 5 .22|RE 262 69 .14|BR 55 9 .12|AR 54 9 .14|CL 56 9 .13|CO 57 3 .15|PE 51 9 .14
VE 58 4 .19|MX 52 1 .09|CU 53 5 .92|HT 509 3,4 .48|GP 590 69 .15|IL 972 5 .08|LB 961 3,7 .31|SY 963 9 .44
IQ 964 7 .41|SA 966 5 .26|AE 971 5 .29|QA 974 3,5,6 .34|IR 98 9 .27|PK 92 3 .23|BD 880 1 .11|LK 94 7 .28
TH 66 6,8,9 .10|VN 84 3,9 .17|MY 60 1 .09|SG 65 8,9 .07|ID 62 8 .16|PH 63 9 .24|KR 82 1 .08|HK 852 5,6,9 .07
TW 886 9 .09|NZ 64 2 .10|UA 380 5,6,9 .26|BY 375 2,3 .36|MD 373 6,7 .33|GE 995 5 .27|AM 374 4,9 .31|AZ 994 5 .35
RS 381 6 .21|BA 387 6 .24|AL 355 6 .31|MK 389 7 .29|ME 382 6 .26
"""
# The home country, where fixed and mobile prefixes nest in one another, and what is short or special.
HOME = {
    "32": ("BE-FIX", 0.04), "322": ("BE-FIX", 0.04), "323": ("BE-FIX", 0.04), "324": ("BE-FIX", 0.04),
    "3246": ("BE-MOB", 0.09), "3247": ("BE-MOB", 0.09), "3248": ("BE-MOB", 0.09), "3249": ("BE-MOB", 0.09),
    "32456": ("BE-MOB", 0.12), "3278": ("BE-SPECIAL", 0.11), "32800": ("BE-FREE", 0.0), "3290": ("BE-PREMIUM", 0.6),
    "32905": ("BE-PREMIUM", 2.0), "32909": ("BE-PREMIUM", 0.31),
}  # fmt: skip
SHORT = {"=100": "BE-EMERGENCY", "=101": "BE-EMERGENCY", "=112": "BE-EMERGENCY", "=1207": "BE-INFO", "=1733": "BE-FREE"}
HOME_ZONES = {
    "BE-FIX": ("national_fixed", "Belgique, fixe"), "BE-MOB": ("national_mobile", "Belgique, GSM"),
    "BE-SPECIAL": ("special", "Numéros 078"), "BE-FREE": ("free", "Numéros gratuits"),
    "BE-PREMIUM": ("premium", "Numéros surtaxés"), "BE-INFO": ("special", "Renseignements"),
    "BE-EMERGENCY": ("emergency", "Secours"),
}  # fmt: skip
NEIGHBOURS = ("FR", "NL", "DE", "LU", "GB")
EUROPE = (*NEIGHBOURS, "IE", "ES", "PT", "IT", "CH", "AT", "DK", "SE", "NO", "PL", "GR")


def countries() -> pl.DataFrame:
    """Country, root (digits), mobile (list of digits that follow it), euro_per_min."""
    rows = [entry.split() for entry in COUNTRIES.replace("\n", "|").split("|") if entry]
    return pl.DataFrame(
        [(name, root, mobile.split(","), float(price)) for name, root, mobile, price in rows],
        schema=["country", "root", "mobile", "euro_per_min"],
        orient="row",
    )


def zones_table() -> pl.DataFrame:
    """The zones: the home country's, and fixed and mobile lines of each other country."""
    home = [(zone, kind, label) for zone, (kind, label) in HOME_ZONES.items()]
    abroad = [
        (f"{name}-{line}", "international", f"{name}, {words}")
        for name in countries()["country"]
        for line, words in (("FIX", "fixe"), ("MOB", "GSM"))
    ]
    return pl.DataFrame(home + abroad, schema=["zone_id", "kind", "label_fr"], orient="row")


def prefix_tree(rng: np.random.Generator, wanted: int) -> pl.DataFrame:
    """Distinct nested prefixes: the roots of all countries, their mobile networks, and digits below them.

    Returns:
        `prefix`, `zone_id`, `micro_per_min` (Int64, of the standard deck) and `root` (whether every deck has
        it), about `wanted` rows and never fewer than the roots need.
    """
    land = countries()
    fixed = land.select(prefix="root", zone_id=pl.col("country") + "-FIX", euro_per_min="euro_per_min")
    mobile = land.explode("mobile", empty_as_null=True).select(
        prefix=pl.col("root") + pl.col("mobile"),
        zone_id=pl.col("country") + "-MOB",
        euro_per_min=pl.col("euro_per_min") * 2.2,
    )
    home = pl.DataFrame(
        [(prefix, zone, price) for prefix, (zone, price) in HOME.items()],
        schema=["prefix", "zone_id", "euro_per_min"],
        orient="row",
    )
    roots = pl.concat([fixed, mobile, home]).unique("prefix", keep="first", maintain_order=True)
    below = pl.concat([fixed, mobile, home.filter(pl.col("zone_id").is_in(["BE-FIX", "BE-MOB"]))])
    found = roots.with_columns(root=pl.lit(value=True))
    while found.height < wanted:
        parents = below[rng.integers(0, below.height, 2 * wanted)]
        digits = rng.choice([1, 2, 3, 4, 5], len(parents), p=[0.08, 0.22, 0.3, 0.25, 0.15])
        deeper = parents.select(
            prefix=pl.col("prefix")
            + pl.Series(rng.integers(0, 10**9, len(parents))).cast(pl.String).str.zfill(9).str.slice(0, digits),
            zone_id="zone_id",
            # Within a zone some networks cost more than the zone's own rate.
            euro_per_min=pl.col("euro_per_min") * pl.Series(rng.choice([1, 1, 1, 1.15, 1.4, 2.1], len(parents))),
            root=pl.lit(value=False),
        ).filter((pl.col("prefix").str.len_bytes() <= LONGEST_PREFIX) & ~pl.col("prefix").str.starts_with(UNKNOWN_ROOT))
        found = pl.concat([found, deeper]).unique("prefix", keep="first", maintain_order=True)
    return found.head(max(wanted, roots.height)).select(
        "prefix", "zone_id", "root", micro_per_min=(pl.col("euro_per_min") * 10_000).round().cast(pl.Int64) * 100
    )


def decimal_text(micro: pl.Expr) -> pl.Expr:
    """Millionths as the text of a decimal."""
    return (micro // 1_000_000).cast(pl.String) + "." + (micro % 1_000_000).cast(pl.String).str.zfill(6)


def rates_table(rng: np.random.Generator, tree: pl.DataFrame) -> pl.DataFrame:
    """The rates: each deck a part of the tree, the standard one a second time with its October version."""
    widest = max(share for share, _ in DECKS.values())
    versions = []
    for deck, (share, factor) in DECKS.items():
        chance = share / widest
        entries = _with_exact_entries(tree.filter(pl.col("root") | pl.Series(rng.random(tree.height) < chance)))
        versions.append(_version(entries, deck, factor, BOOK_STARTS, BOOK_NOTIFIED))
        if deck == "standard":
            kept = entries.filter(pl.col("root") | pl.Series(rng.random(entries.height) > 0.02))
            versions.append(_version(kept, deck, factor * 1.05, CHANGE_DAY, CHANGE_NOTIFIED))
    inbound = pl.DataFrame(
        [(root, "BE-SPECIAL", True, 45_000) for root in "123456789"] + [("=anonymous", "BE-SPECIAL", True, 60_000)],
        schema=tree.schema,
        orient="row",
    )
    versions.append(_version(inbound, INBOUND_DECK, 1.0, BOOK_STARTS, BOOK_NOTIFIED))
    return pl.concat(versions)


def _with_exact_entries(tree: pl.DataFrame) -> pl.DataFrame:
    """A deck's prefixes with its short codes."""
    short = [(code, zone, True, 0 if zone != "BE-INFO" else 1_250_000) for code, zone in SHORT.items()]
    return pl.concat([pl.DataFrame(short, schema=tree.schema, orient="row"), tree])


def _version(entries: pl.DataFrame, deck: str, factor: float, starts: str, notified: str) -> pl.DataFrame:
    """One version of a deck as the tables have it; some zones cost a fee when the call is set up."""
    setup = (
        pl.when(pl.col("zone_id") == "BE-PREMIUM").then(pl.lit("0.25"))
        .when((pl.lit(deck) == "basic") & pl.col("zone_id").str.ends_with("-MOB")).then(pl.lit("0.05"))
        .otherwise(pl.lit("0"))
    )  # fmt: skip
    micro = (pl.col("micro_per_min") * factor / 100).round().cast(pl.Int64) * 100
    return entries.select(
        pl.lit(deck).alias("deck_id"),
        "prefix",
        "zone_id",
        price_per_minute=decimal_text(micro),
        setup_fee=setup,
        effective_from=pl.lit(starts),
        notified_on=pl.lit(notified),
    )


def sales_tables(minutes_per_user: int) -> dict[str, pl.DataFrame]:
    """Products, prices and packs; the packs hold a part of what `minutes_per_user` users talk."""
    products = {
        "user-basic": ("user", "Utilisateur Base", "6.00"),
        "user-standard": ("user", "Utilisateur Standard", "9.50"),
        "user-premium": ("user", "Utilisateur Premium", "19.90"),
        "number-be": ("number", "Numéro belge", "1.00"),
        "number-fr": ("number", "Numéro français", "2.00"),
        "pack-belgium": ("pack", "Pack Belgique", "15.50"),
        "pack-europe": ("pack", "Pack Europe", "29.00"),
        "pack-solo": ("pack", "Pack Solo", "7.25"),
        "pack-flat": ("pack", "Illimité fixe", "99.00"),
        "option-world": ("option", "Option Monde", "49.00"),
    }
    belgium, europe = "BE-FIX;BE-MOB", ";".join(f"{name}-{line}" for name in EUROPE for line in ("FIX", "MOB"))
    packs = [
        ("user-premium", "user", belgium, max(1, minutes_per_user * 4 // 10), 5),
        ("pack-flat", "customer", "BE-FIX", None, 8),
        ("pack-solo", "user", f"BE-MOB;{europe}", max(1, minutes_per_user // 5), 10),
        # Bought for every fourth user.
        ("pack-belgium", "customer", belgium, max(1, minutes_per_user * 12 // 10), 20),
        ("pack-europe", "customer", europe, max(1, minutes_per_user // 2), 20),
        ("option-world", "customer", "*", max(1, minutes_per_user), 30),
    ]
    since = {"effective_from": pl.lit("2020-01-01"), "notified_on": pl.lit("2019-11-15")}
    return {
        "products": pl.DataFrame(
            [(name, kind, label) for name, (kind, label, _) in products.items()],
            schema=["product_id", "kind", "label_fr"],
            orient="row",
        ),
        "prices": pl.DataFrame(
            [(name, price) for name, (_, _, price) in products.items()],
            schema=["product_id", "unit_price"],
            orient="row",
        ).with_columns(**since),
        "packs": pl.DataFrame(
            packs, schema=["product_id", "scope", "zones", "included_minutes", "priority"], orient="row"
        ).with_columns(**since),
    }

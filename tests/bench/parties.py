"""Who buys and who calls: customers of very different sizes, their users, numbers, decks and packs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from tests.bench.price_book import (
    BOOK_NOTIFIED,
    CUSTOMER_CHANGE_DAY,
    CUSTOMER_CHANGE_NOTIFIED,
    INBOUND_DECK,
    prefix_tree,
    rates_table,
    sales_tables,
    zones_table,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

# One seat in a hundred each: its user leaves and another customer gets the number two days later; its user
# leaves for good; its user comes within the month; its number is French; its number is a freephone number.
MOVES, LEAVES, COMES, FRENCH, FREEPHONE = 7, 33, 57, 71, 83
MOVED_FROM, MOVED_TO, LEFT_ON, COME_ON = "2026-10-12", "2026-10-14", "2026-10-20", "2026-10-06"
OPEN_SINCE = "2025-01-01"
TALK_MINUTES_PER_CALL = 1.9  # of all calls, those that come in included


@dataclass(frozen=True, slots=True)
class Size:
    """How big a world is.

    Attributes:
        calls: Records in the month, dirt and repeats included.
        customers: How many customers.
        users: How many users they have together, at least one each.
        prefixes: Rows of the rate decks in force on one day.
        seed: What everything is drawn from.
    """

    calls: int
    customers: int = 2_000
    users: int = 40_000
    prefixes: int = 30_000
    seed: int = 1


@dataclass(frozen=True, slots=True)
class World:
    """What calls are drawn from.

    Attributes:
        size: How big it is.
        tables: The platform tables as text, by name.
        seats: A row per telephone: `number`, `user_id`, `successor_id` (null, or who has the number from
            `MOVED_TO` on), `come` (whether the user comes within the month), `customer_no`.
        seat_weights: The running sum of how much each telephone calls, ending at 1.
        mains: The number of each customer that no user has, in the order of `customer_no`.
        outside: Numbers outside the platform, written as E.164, short code or what no deck knows.
    """

    size: Size
    tables: dict[str, pl.DataFrame]
    seats: pl.DataFrame
    seat_weights: NDArray[np.float64]
    mains: pl.Series
    outside: pl.Series


def build_world(size: Size) -> World:
    """Draw the platform and whoever calls."""
    rng = np.random.default_rng([size.seed, 0])
    tree = prefix_tree(rng, size.prefixes // 2)
    seats = _seats(rng, size)
    mains = ("+3281" + pl.int_range(size.customers, eager=True).cast(pl.String).str.zfill(6)).alias("number")
    minutes_per_user = max(1, int(size.calls / size.users * TALK_MINUTES_PER_CALL))
    tables = {
        **_customer_tables(rng, size, seats),
        **_service_tables(rng, size, seats, mains),
        **sales_tables(minutes_per_user),
        "zones": zones_table(),
        "rates": rates_table(rng, tree),
    }
    weights = np.cumsum(rng.lognormal(0, 1, seats.height))
    return World(size, tables, seats, weights / weights[-1], mains, _outside(rng, size, tree))


def customer_id(number: pl.Expr) -> pl.Expr:
    """The customer's id from its number."""
    return "C" + number.cast(pl.String).str.zfill(5)


def _seats(rng: np.random.Generator, size: Size) -> pl.DataFrame:
    """A telephone per user: the few big customers have most of them."""
    weights = rng.lognormal(0, 1.3, size.customers)
    counts = 1 + rng.multinomial(size.users - size.customers, weights / weights.sum())
    seat = pl.int_range(pl.len(), dtype=pl.Int64)
    kind = seat % 100
    number = (
        pl.when(kind == FRENCH).then("+3318" + seat.cast(pl.String).str.zfill(7))
        .when(kind == FREEPHONE).then("+32800" + seat.cast(pl.String).str.zfill(6))
        .when(kind % 3 == 0).then("+3246" + (seat * 97 % 10_000_000).cast(pl.String).str.zfill(7))
        .otherwise("+322" + (seat * 97 % 10_000_000).cast(pl.String).str.zfill(7))
    )  # fmt: skip
    return pl.DataFrame({"customer_no": np.repeat(np.arange(size.customers), counts)}).select(
        "customer_no",
        kind=kind,
        number=number,
        user_id="u" + seat.cast(pl.String).str.zfill(6),
        product_id=pl.Series(
            rng.choice(["user-basic", "user-standard", "user-premium"], size.users, p=[0.3, 0.5, 0.2])
        ),
        successor_id=pl.when(kind == MOVES).then("v" + seat.cast(pl.String).str.zfill(6)),
        successor_no=pl.when(kind == MOVES).then((pl.col("customer_no") + 1) % size.customers),
        come=kind == COMES,
    )


def _customer_tables(rng: np.random.Generator, size: Size, seats: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Customers, their contracts and decks; some change their deck within the month, few come or go."""
    number = pl.int_range(size.customers, dtype=pl.Int64)
    enterprise = 19_900_000 + number
    languages = pl.Series(rng.choice(["fr", "nl", "de", "en"], size.customers, p=[0.6, 0.28, 0.05, 0.07]))
    streets = pl.Series(
        rng.choice(["Rue des Ardoises", "Chaussée de Huy", "Dorpsstraat", "Quai Saint-Paul"], size.customers)
    )
    cities = pl.DataFrame(
        {"postal_code": ["4000", "5000", "1000", "9000"], "city": ["Liège", "Namur", "Bruxelles", "Gent"]}
    )
    customers = pl.select(
        customer_id=customer_id(number),
        name="Société " + number.cast(pl.String).str.zfill(5) + " SRL",
        street=streets + " " + (1 + number % 199).cast(pl.String),
        postal_code=number % cities.height,
        city=number % cities.height,
        country=pl.lit("BE"),
        language=languages,
        vat_number="BE" + enterprise.cast(pl.String) + (97 - enterprise % 97).cast(pl.String).str.zfill(2),
    ).with_columns(
        cities[column].gather(pl.Series(np.arange(size.customers) % cities.height)) for column in cities.columns
    )
    contracts = pl.select(
        contract_id="K" + number.cast(pl.String).str.zfill(5),
        customer_id=customer_id(number),
        starts_on=pl.when(number % 500 == 11).then(pl.lit("2026-10-08")).otherwise(pl.lit("2025-01-01")),
        ends_on=pl.when(number % 500 == 211).then(pl.lit("2026-10-25")),
    )
    users = seats.group_by("customer_no", maintain_order=True).len()
    items = users.select(
        contract_id="K" + pl.col("customer_no").cast(pl.String).str.zfill(5),
        product_id=pl.lit("user-standard"),
        quantity=pl.col("len").cast(pl.String),
    )
    first = pl.Series(rng.choice(["standard", "business", "basic"], size.customers, p=[0.5, 0.3, 0.2]))
    decks = pl.select(
        customer_id=customer_id(number), deck_id=first,
        effective_from=pl.lit(OPEN_SINCE), notified_on=pl.lit(BOOK_NOTIFIED),
    )  # fmt: skip
    changes = decks.filter(pl.Series(np.arange(size.customers) % 33 == 5)).with_columns(
        deck_id=pl.when(pl.col("deck_id") == "business").then(pl.lit("standard")).otherwise(pl.lit("business")),
        effective_from=pl.lit(CUSTOMER_CHANGE_DAY),
        notified_on=pl.lit(CUSTOMER_CHANGE_NOTIFIED),
    )
    suspended = pl.select(customer_id=customer_id(number), suspended_from=pl.lit("2026-10-21")).filter(
        pl.Series(np.arange(size.customers) % 200 == 17)
    )
    return {
        "customers": customers,
        "contracts": contracts,
        "contract_items": items,
        "customer_decks": pl.concat([decks, changes]),
        "suspensions": suspended,
        "charges": _charges(size),
    }


def _charges(size: Size) -> pl.DataFrame:
    """A visit of the technician at every twentieth customer."""
    number = pl.int_range(0, size.customers, 20, dtype=pl.Int64)
    return pl.select(
        charge_id="H" + number.cast(pl.String).str.zfill(5), customer_id=customer_id(number),
        date=pl.lit("2026-10-13"), description=pl.lit("Intervention du 13 octobre"),
        quantity=pl.lit("1"), unit_price=pl.lit("75.00"),
    )  # fmt: skip


def _service_tables(
    rng: np.random.Generator, size: Size, seats: pl.DataFrame, mains: pl.Series
) -> dict[str, pl.DataFrame]:
    """Users, numbers and subscriptions, with the numbers that move from one customer to the next."""
    kind = pl.col("kind")
    starts = pl.when(kind == COMES).then(pl.lit(COME_ON)).otherwise(pl.lit(OPEN_SINCE))
    ends = pl.when(kind == MOVES).then(pl.lit(MOVED_FROM)).when(kind == LEAVES).then(pl.lit(LEFT_ON))
    no_end = pl.lit(None, pl.String)
    moved = seats.filter(kind == MOVES)
    users = pl.concat([
        seats.select("user_id", customer_id(pl.col("customer_no")).alias("customer_id"), "product_id",
                     active_from=starts, active_to=ends),
        moved.select(user_id="successor_id", customer_id=customer_id(pl.col("successor_no")), product_id="product_id",
                     active_from=pl.lit(MOVED_TO), active_to=no_end),
    ])  # fmt: skip
    country = pl.when(kind == FRENCH).then(pl.lit("FR")).otherwise(pl.lit("BE"))
    product = pl.when(kind == FRENCH).then(pl.lit("number-fr")).otherwise(pl.lit("number-be"))
    inbound = pl.when(kind == FREEPHONE).then(pl.lit(INBOUND_DECK))
    numbers = pl.concat([
        seats.select("number", customer_id(pl.col("customer_no")).alias("customer_id"), country.alias("country"),
                     active_from=starts, active_to=ends, user_id="user_id", product_id=product, inbound_deck=inbound),
        moved.select("number", customer_id(pl.col("successor_no")).alias("customer_id"), pl.lit("BE").alias("country"),
                     active_from=pl.lit(MOVED_TO), active_to=no_end, user_id="successor_id",
                     product_id=pl.lit("number-be"), inbound_deck=no_end),
        pl.select(number=mains, customer_id=customer_id(pl.int_range(size.customers)), country=pl.lit("BE"),
                  active_from=pl.lit(OPEN_SINCE), active_to=no_end, user_id=no_end,
                  product_id=pl.lit("number-be"), inbound_deck=no_end),
    ])  # fmt: skip
    return {"users": users, "numbers": numbers, "subscriptions": _subscriptions(rng, size, seats)}


def _subscriptions(rng: np.random.Generator, size: Size, seats: pl.DataFrame) -> pl.DataFrame:
    """Packs of customers and of users; some customers take more within the month."""
    users = seats.group_by("customer_no", maintain_order=True).len()["len"]
    number = pl.int_range(size.customers, dtype=pl.Int64)

    def shared(product: str, share: float, quantity: pl.Expr, since: str = OPEN_SINCE) -> pl.DataFrame:
        taken = pl.Series(rng.random(size.customers) < share)
        return pl.select(
            subscription_id=pl.lit(f"{product}-{since}-") + number.cast(pl.String),
            customer_id=customer_id(number), product_id=pl.lit(product), quantity=quantity.cast(pl.String),
            active_from=pl.lit(since), active_to=pl.lit(None, pl.String), user_id=pl.lit(None, pl.String),
        ).filter(taken)  # fmt: skip

    solo = seats.filter(~pl.col("come") & (pl.col("kind") % 10 == 4)).select(
        subscription_id="solo-" + pl.col("user_id"), customer_id=customer_id(pl.col("customer_no")),
        product_id=pl.lit("pack-solo"), quantity=pl.lit("1"), active_from=pl.lit(OPEN_SINCE),
        active_to=pl.lit(None, pl.String), user_id="user_id",
    )  # fmt: skip
    quarter = pl.lit((users + 3) // 4)
    return pl.concat([
        shared("pack-belgium", 0.6, quarter),
        shared("pack-belgium", 0.03, 1 + 0 * number, since="2026-10-12"),
        shared("pack-europe", 0.25, quarter),
        shared("pack-flat", 0.05, 1 + 0 * number),
        shared("option-world", 0.15, 1 + quarter // 8),
        solo,
    ])  # fmt: skip


def _outside(rng: np.random.Generator, size: Size, tree: pl.DataFrame) -> pl.Series:
    """Numbers that are called and that call: the home country's, and any prefix that the decks know."""
    count = min(max(size.calls // 5, 1_000), 3_000_000)
    kinds = rng.choice(8, count, p=[0.46, 0.26, 0.24, 0.012, 0.012, 0.008, 0.004, 0.004])
    digits = pl.Series(rng.integers(0, 10**9, count)).cast(pl.String).str.zfill(9)
    abroad = tree.filter(~pl.col("prefix").str.starts_with("32"))["prefix"]
    # Whoever is near is called most.
    near = np.minimum((len(abroad) * rng.random(count) ** 1.5).astype(np.int64), len(abroad) - 1)
    mobile = pl.Series(rng.choice(["+3246", "+3247", "+3248", "+3249"], count)) + digits.str.slice(0, 7)
    fixed = pl.Series(rng.choice(["+322", "+323", "+324", "+3281"], count)) + digits.str.slice(0, 7)
    foreign = "+" + (abroad.gather(pl.Series(near)) + digits).str.slice(0, 11)
    special = pl.Series(rng.choice(["+3278", "+32800"], count)) + digits.str.slice(0, 6)
    premium = pl.Series(rng.choice(["+3290", "+32905", "+32909"], count)) + digits.str.slice(0, 6)
    short = pl.Series(rng.choice(["112", "100", "1207", "1733"], count, p=[0.3, 0.2, 0.3, 0.2]))
    nowhere = pl.Series(rng.choice(["+8835100", "1919"], count))
    choices = [mobile, fixed, foreign, special, premium, short, nowhere, mobile]
    column = pl.lit(kinds)
    chosen = pl.coalesce(*(pl.when(column == kind).then(pl.lit(choice)) for kind, choice in enumerate(choices)))
    return pl.select(number=chosen).to_series()

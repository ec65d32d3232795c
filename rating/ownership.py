"""Ownership: which customer and user pay for a call."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from rating.number_keys import ANONYMOUS_KEY
from rating.periods import active_on
from rating.rules import rule

if TYPE_CHECKING:
    from rating.coding import Coded
    from rating.periods import Intervals


@rule("R-OWNER", article="8.4")
def find_owners(calls: pl.DataFrame, coded: Coded, *, first_period_number: int) -> pl.DataFrame:
    """An outgoing call belongs to its active user, else to its caller number; an incoming one to the called number.

    Args:
        calls: Accepted calls with `outgoing`, `caller` and `callee` (keys), `user_id`, `day` (local Date) and
            `period_number`.
        coded: The tables; an owner is whoever has the row that day, and the contract is judged after.
        first_period_number: The first period that the store ran; calls before it are not its business.

    Returns:
        The calls in their order with `customer_id`, `owner_user_id`, `caller_customer_id` (who has the caller
        number), `inbound_deck` (of an incoming call's number), `through_user` and `reason`: null, or the first of
        `before_start`, `unknown_caller`, `outside_contract` that holds.
    """
    own_number = calls["caller"].zip_with(calls["outgoing"], calls["callee"])
    number_row = coded.numbers.row_on(own_number, calls["day"])
    # Only an outgoing call is its user's: what an incoming one says of a user does not matter.
    told = calls.select(pl.when("outgoing").then(pl.col("user_id").cast(coded.user, strict=False))).to_series()
    user_row = coded.users.row_on(told, calls["day"])
    number_customer, number_user, inbound_deck = coded.numbers.at(number_row, "customer_id", "user_id", "inbound_deck")
    (user_customer,) = coded.users.at(user_row, "customer_id")
    outgoing = pl.col("outgoing")
    owned = calls.with_columns(
        through_user=user_row.is_not_null(),
        customer_id=user_customer.zip_with(user_row.is_not_null(), number_customer),
        owner_user_id=told.zip_with(user_row.is_not_null(), number_user),
        caller_customer_id=pl.when(outgoing).then(number_customer),
        inbound_deck=pl.when(~outgoing).then(inbound_deck),
    )
    contracts = owned.select("customer_id").join(coded.contracts, on="customer_id", how="left", maintain_order="left")
    in_contract = contracts.select(active_on(owned["day"], "starts_on", "ends_on").fill_null(value=False)).to_series()
    reason = (
        pl.when(pl.col("period_number") < first_period_number).then(pl.lit("before_start"))
        .when(pl.col("customer_id").is_null()).then(pl.lit("unknown_caller"))
        .when(~in_contract).then(pl.lit("outside_contract"))
    )  # fmt: skip
    return owned.with_columns(reason=reason)


@rule("R-SPOOF", article="17.1")
def spoofed(calls: pl.DataFrame) -> pl.DataFrame:
    """A call owned through its user, whose caller number is not that customer's that day, is rated and reported.

    Takes owned calls; gives the suspicious ones. A caller that withheld its number (`anonymous`) shows no
    number that could belong to somebody else, and is not reported.
    """
    return calls.filter(
        pl.col("through_user")
        & pl.col("reason").is_null()
        & (pl.col("caller") != ANONYMOUS_KEY)
        & ~pl.col("caller_customer_id").eq_missing(pl.col("customer_id"))
    )


@rule("R-SUSPENDED", article="5.5, 8.7")
def while_suspended(calls: pl.DataFrame, suspensions: Intervals) -> pl.DataFrame:
    """Suspension reduces nothing; a suspended customer's calls, emergency calls apart, are rated and reported.

    Takes calls with `customer_id`, `day`, `outgoing` and `zone_kind`; gives those placed while suspended. Only
    outgoing calls are meant: the minimum service of 8.7 bars calls that the customer places.
    """
    placed = calls.filter(pl.col("outgoing") & ~pl.col("zone_kind").eq_missing("emergency"))
    return placed.filter(suspensions.row_on(placed["customer_id"], placed["day"]).is_not_null())

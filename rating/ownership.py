"""Ownership: which customer and user pay for a call."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from rating.periods import active_on, interval_on
from rating.rules import rule

if TYPE_CHECKING:
    from schemas.platform import Platform


@rule("R-OWNER", article="8.4")
def find_owners(calls: pl.DataFrame, platform: Platform, *, first_period_number: int) -> pl.DataFrame:
    """An outgoing call belongs to its active user, else to its caller number; an incoming one to the called number.

    Args:
        calls: Accepted calls with `day` (local Date) and `period_number`.
        platform: The tables; an owner is whoever has the row that day, and the contract is judged after.
        first_period_number: The first period that the store ran; calls before it are not its business.

    Returns:
        The calls in their order with `told_user_id` (what the record said), `customer_id`, `owner_user_id`,
        `caller_customer_id` (who has the caller number), `inbound_deck` (of an incoming call's number),
        `through_user` and `reason`: null, or the first of `before_start`, `unknown_caller`, `outside_contract` that
        holds.
    """
    numbers = platform.numbers.select("number", "active_from", "active_to", "customer_id", "user_id", "inbound_deck")
    users = platform.users.select("user_id", "active_from", "active_to", user_customer_id="customer_id")
    outgoing = pl.col("direction") == "outgoing"
    owned = calls.with_columns(own_number=pl.when(outgoing).then("caller").otherwise("callee"))
    owned = interval_on(
        owned.rename({"user_id": "told_user_id"}), numbers.rename({"number": "own_number"}), by="own_number"
    ).drop("active_from", "active_to")
    owned = owned.rename({"customer_id": "number_customer_id", "user_id": "number_user_id"})
    owned = interval_on(owned, users.rename({"user_id": "told_user_id"}), by="told_user_id")
    through_user = outgoing & pl.col("user_customer_id").is_not_null()
    owned = owned.with_columns(
        through_user=through_user,
        customer_id=pl.when(through_user).then("user_customer_id").otherwise("number_customer_id"),
        owner_user_id=pl.when(through_user).then("told_user_id").otherwise("number_user_id"),
        caller_customer_id=pl.when(outgoing).then("number_customer_id"),
        inbound_deck=pl.when(~outgoing).then("inbound_deck"),
    )
    contracts = platform.contracts.select("customer_id", "starts_on", "ends_on")
    owned = owned.join(contracts, on="customer_id", how="left", maintain_order="left")
    in_contract = active_on(pl.col("day"), "starts_on", "ends_on").fill_null(value=False)
    reason = (
        pl.when(pl.col("period_number") < first_period_number).then(pl.lit("before_start"))
        .when(pl.col("customer_id").is_null()).then(pl.lit("unknown_caller"))
        .when(~in_contract).then(pl.lit("outside_contract"))
    )  # fmt: skip
    return owned.with_columns(reason=reason).drop(
        "own_number", "number_customer_id", "number_user_id", "user_customer_id",
        "active_from", "active_to", "starts_on", "ends_on",
    )  # fmt: skip


@rule("R-SPOOF", article="17.1")
def spoofed(calls: pl.DataFrame) -> pl.DataFrame:
    """A call owned through its user, whose caller number is not that customer's that day, is rated and reported.

    Takes owned calls; gives the suspicious ones. A caller that withheld its number (`anonymous`) shows no
    number that could belong to somebody else, and is not reported.
    """
    return calls.filter(
        pl.col("through_user")
        & pl.col("reason").is_null()
        & (pl.col("caller") != "anonymous")
        & ~pl.col("caller_customer_id").eq_missing(pl.col("customer_id"))
    )


@rule("R-SUSPENDED", article="5.5, 8.7")
def while_suspended(calls: pl.DataFrame, suspensions: pl.DataFrame) -> pl.DataFrame:
    """Suspension reduces nothing; a suspended customer's calls, emergency calls apart, are rated and reported.

    Takes calls with `customer_id`, `day` and `zone_kind`; gives those placed while suspended. Only outgoing
    calls are meant: the minimum service of 8.7 bars calls that the customer places.
    """
    rows = suspensions.rename({"suspended_from": "active_from", "suspended_to": "active_to"})
    placed = calls.filter((pl.col("direction") == "outgoing") & ~pl.col("zone_kind").eq_missing("emergency"))
    return interval_on(placed, rows, by="customer_id").filter(pl.col("active_from").is_not_null())

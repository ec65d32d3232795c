"""Asterisk Realtime: users are the endpoints of PJSIP, numbers the extensions of the dialplan that carriers lead to.

What is known of the tables is from `contrib/ast-db-manage/config` of Asterisk (`ps_endpoints`, `extensions`). A user is
an endpoint and its user_id the endpoint's id; a customer is what a column of it says, the context unless `sync.toml`
names another (accountcode, tenantid). Trunks are endpoints too: they stand under `[ignored]`.

A number is an extension of one of the contexts for incoming calls that reads as a full number; patterns (`_...`) and
the extensions `s`, `i`, `t` are none. Its user is the endpoint that one of its steps dials (`Dial(PJSIP/acme-101,30)`);
its customer is that endpoint's, else the context that it goes to (`Goto(acme,101,1)`), else that of the number itself
under `[customers]`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from rating.numbers import normalise_number
from rating.sources.asterisk import INCOMING_CONTEXTS
from rating.sources.sync_map import mapped

if TYPE_CHECKING:
    from rating.sources.database import Session
    from rating.sources.sync_map import SyncMap

NAME = "asterisk-realtime"
_DIALLED = r"(?:PJSIP|SIP)/([A-Za-z0-9][A-Za-z0-9_.-]*)"


def read_today(session: Session, known: SyncMap, country_code: str) -> dict[str, pl.DataFrame]:
    """The users and numbers of today, as the tables have them.

    Raises:
        InputRefused: where a table cannot be read, or the file does not say whose something is.
    """
    customer = str(known.asterisk.get("customer", "context"))
    columns = dict.fromkeys(["id", customer, *filter(None, [known.class_column])])
    endpoints = session.texts("ps_endpoints", list(columns))
    users = endpoints.select(
        user_id="id", domain=customer, **{"class": known.class_column or pl.lit(None, pl.String)}
    ).sort("user_id")
    steps = session.texts("extensions", ("context", "exten", "priority", "app", "appdata"))
    contexts = known.asterisk.get("number_contexts", list(INCOMING_CONTEXTS))
    steps = steps.filter(pl.col("context").is_in(contexts))
    return mapped(known, NAME, users, _numbers(steps, users, known, country_code))


def _numbers(steps: pl.DataFrame, users: pl.DataFrame, known: SyncMap, country_code: str) -> pl.DataFrame:
    """The numbers of the dialplan, with the users that they ring."""
    goes_to = pl.when(pl.col("app").str.to_lowercase() == "goto").then(pl.col("appdata").str.extract(r"^([^,]+),"))
    numbers = (
        steps.with_columns(number=normalise_number(pl.col("exten"), country_code=country_code))
        .filter(pl.col("number").str.starts_with("+"))
        .sort("number", pl.col("priority").cast(pl.Int64, strict=False), "context", "appdata")
        .group_by("number", maintain_order=True)
        .agg(
            user_id=pl.col("appdata").str.extract(_DIALLED).drop_nulls().first(),
            context=goes_to.drop_nulls().first(),
        )
    )
    rung = users.select("user_id", rung="domain")
    own = pl.when(pl.col("number").is_in(list(known.customers))).then("number")
    return numbers.join(rung, on="user_id", how="left", maintain_order="left").select(
        "number",
        domain=pl.coalesce(own, "rung", "context", "number"),
        user_id=pl.when(pl.col("rung").is_not_null()).then("user_id"),
    )

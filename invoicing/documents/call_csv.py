"""The call detail as CSV, for the customer's own programs: attached to the electronic invoice where he asks for it."""

from __future__ import annotations

import polars as pl

from invoicing.formulas import neutralised

FREE_TEXT = ("user", "zone")
CENTS = 100


def calls_as_csv(calls: pl.DataFrame) -> bytes:
    """The calls of a document as CSV (UTF-8, comma, header), in their order.

    Columns: start (local time), user, direction, number (of the other party), zone, seconds, in_pack_s,
    out_of_pack_s, amount (euro, two decimals).
    """
    cents = pl.col("amount_cents").abs()
    euro = pl.format("{}.{}", cents // CENTS, (cents % CENTS).cast(pl.String).str.zfill(2))
    table = calls.select(
        pl.col("start").dt.to_string("%Y-%m-%dT%H:%M:%S").alias("start"),
        pl.col("user_id").alias("user"),
        "direction",
        pl.when(pl.col("direction") == "incoming").then("caller").otherwise("callee").alias("number"),
        "zone",
        pl.col("duration_s").alias("seconds"),
        pl.col("pack_s").alias("in_pack_s"),
        pl.col("charged_s").alias("out_of_pack_s"),
        pl.when(pl.col("amount_cents") < 0).then(pl.format("-{}", euro)).otherwise(euro).alias("amount"),
    )
    return neutralised(table, FREE_TEXT).write_csv().encode()

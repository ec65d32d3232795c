"""The quarantine: records and calls that were set aside, each with its reason and what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from rating.number_keys import with_number_texts

if TYPE_CHECKING:
    from invoicing.ledger import Ledger
    from invoicing.store import Store
    from rating.periods import Period

QUARANTINE_COLUMNS = ["call_id", "reason", "source_file", "source_line", "detail", "record"]
REASONS = {
    "before_start": "the call is of a period before the first that this store ran",
    "unknown_caller": "nobody had this user or number on the day of the call",
    "outside_contract": "the customer's contract did not run on the day of the call",
    "no_rate": "the customer's deck has no entry for this destination on the day of the call",
}


def quarantine(store: Store, ledger: Ledger, period: Period | None, *where: pl.Expr) -> pl.DataFrame:
    """Records set aside from a period's files, and its calls that could not be rated; of all periods for None.

    Only those for which the conditions `where` hold, if there are any: they may be on `call_id` alone.
    """
    shas = ledger.stored_files()
    condition, wanted = ("true", []) if period is None else ("coalesce(period, ?) = ?", [str(period)] * 2)
    paths = ledger.rows(f"select path from quarantine_files where {condition} order by path", list(wanted))  # noqa: S608
    found = [store.read_frame(str(path), shas[str(path)], *where).select(QUARANTINE_COLUMNS) for (path,) in paths]
    last = [*ledger.ratings(issued=True)[-1:], *ledger.ratings(issued=False)][-1:]
    for rating in last:
        unrated = store.read_frame(rating.unrated_path, shas[rating.unrated_path], *where)
        if period is not None:
            unrated = unrated.filter(pl.col("period_number") == period.number)
        found.append(unrated_as_quarantine(unrated, ledger))
    empty = pl.DataFrame(schema={name: pl.Int64 if name == "source_line" else pl.String for name in QUARANTINE_COLUMNS})
    return pl.concat([empty, *found]).sort("call_id", "reason", "source_file", "source_line", nulls_last=True)


def unrated_as_quarantine(unrated: pl.DataFrame, ledger: Ledger) -> pl.DataFrame:
    """Calls that could not be rated, as rows of the quarantine; the record is the call as it was accepted."""
    files = pl.DataFrame(
        ledger.rows("select file_no, source_file from files"),
        schema={"file_no": pl.Int32, "source_file": pl.String},
        orient="row",
    )
    told = with_number_texts(unrated.join(files, on="file_no", how="left", maintain_order="left"))
    detail = pl.format(
        "{}: {} from {} to {}",
        pl.col("reason").replace_strict(REASONS, return_dtype=pl.String),
        "direction",
        "caller",
        "callee",
    )
    as_text = pl.struct(
        "call_id", pl.col("start").dt.to_string("%Y-%m-%dT%H:%M:%S%.6fZ"), "direction", "caller", "callee",
        "duration_s", "user_id",
    ).struct.json_encode()  # fmt: skip
    return told.with_columns(detail=detail, record=as_text).select(QUARANTINE_COLUMNS)


WHAT_TO_DO = {
    "malformed": "mend the record at its source and deliver it in a new file",
    "future": "check the clock of the platform; deliver the record again in a new file once its time has come",
    "conflict": "the call accepted first stands; if the other is right, correct by a credit and a charge",
    "before_start": "bill it where the months before were billed; it is never rated here",
    "unknown_caller": "enter the user or number with its dates in the platform tables; the next run judges it again",
    "outside_contract": "check starts_on and ends_on of the contract; the next run judges it again",
    "no_rate": "add the prefix to the deck, or a deck to the customer; the next run judges it again",
}


def grouped_quarantine(found: pl.DataFrame) -> pl.DataFrame:
    """The quarantine by reason: how many records of how many files, the first of them, and what to do."""
    name = pl.col("source_file").str.split("/").list.last()
    example = pl.format("{}:{}: {}", name, "source_line", "detail")
    grouped = (
        found.sort("source_file", "source_line")
        .group_by("reason", maintain_order=True)
        .agg(records=pl.len(), files=pl.col("source_file").n_unique(), first=example.first())
    )
    to_do = pl.col("reason").replace_strict(WHAT_TO_DO, return_dtype=pl.String)
    return grouped.with_columns(what_to_do=to_do).sort("reason")

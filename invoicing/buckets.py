"""Buckets of customers: a month's calls divided among as many as memory asks for, no customer among two.

Buckets are runs of customers in the order of their ids, cut so that each has about as many users and numbers
as the others. With one bucket the calls stay in memory; with more, each block leaves its share of a bucket in
a file of the store's working folder, which is emptied bucket by bucket and never counts as part of the store.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from invoicing.parquet_files import read_parquet

if TYPE_CHECKING:
    from typing import Self

    from invoicing.store import Store
    from rating.coding import Coded

CALLS_PER_BUCKET = 1_500_000


class Buckets:
    """The matched calls of a rating on their way from the blocks they came in to the customers they belong to."""

    def __init__(self, store: Store, lookups: Coded, calls: int) -> None:
        """Choose the buckets for so many calls."""
        self._count = max(1, -(-calls // CALLS_PER_BUCKET))
        self._types = (lookups.customer, lookups.user)
        self._of_customer = _bucket_of_customer(lookups, self._count)
        self._store, self._folder = store, store.working_folder
        self._pieces: dict[int, list[tuple[str, pl.DataFrame | None]]] = {number: [] for number in range(self._count)}

    @property
    def numbers(self) -> list[int]:
        """The buckets that have calls."""
        return [number for number, pieces in self._pieces.items() if pieces]

    def __enter__(self) -> Self:
        """Make the working folder, where it is needed."""
        if self._count > 1:
            self._folder.mkdir(mode=0o700, exist_ok=True)
        return self

    def __exit__(self, *_: object) -> None:
        """Leave nothing behind."""
        self._store.clear_working_folder()

    def put(self, block: str, calls: pl.DataFrame) -> None:
        """Divide the matched calls of a block; `block` is the path it came from."""
        if self._count == 1:
            self._pieces[0].append((block, calls))
            return
        narrow = calls.with_columns(
            pl.col("customer_id", "owner_user_id").to_physical().cast(pl.UInt32),
            bucket=self._of_customer.gather(calls["customer_id"].to_physical()),
        )
        for (number,), piece in narrow.partition_by("bucket", as_dict=True, include_key=False).items():
            name = f"{int(str(number)):04d}-{block.replace('/', '-')}"
            piece.write_parquet(self._folder / name, compression="zstd", compression_level=1, statistics=False)
            self._pieces[int(str(number))].append((name, None))

    def take(self, number: int) -> pl.DataFrame:
        """The calls of a bucket, in no particular order; what they took on disk is free again.

        Each column is in one piece: to put rows in an order takes nine times as long out of many.
        """
        pieces = self._pieces.pop(number)
        in_memory = [calls for _, calls in pieces if calls is not None]
        if in_memory:
            return pl.concat(in_memory).rechunk()
        paths = [self._folder / name for name, _ in pieces]
        calls = read_parquet(paths).rechunk()
        for path in paths:
            path.unlink()
        customer, user = self._types
        # All at once: an Enum looks at each of its categories however few the calls.
        return calls.with_columns(_decoded("customer_id", customer), _decoded("owner_user_id", user))


def _decoded(column: str, of: pl.Enum) -> pl.Expr:
    physical = pl.Series([], dtype=of).to_physical().dtype
    return pl.col(column).cast(physical).cat.to(of)


def _bucket_of_customer(lookups: Coded, count: int) -> pl.Series:
    """The bucket of each customer, by its code: shares of about equal size in the order of ids."""
    ids = lookups.customer.categories
    seats = pl.concat([lookups.users.rows["customer_id"], lookups.numbers.rows["customer_id"]]).to_physical()
    sizes = pl.DataFrame({"code": pl.int_range(len(ids), eager=True)}).join(
        seats.cast(pl.Int64).value_counts().rename({"customer_id": "code"}), on="code", how="left",
        maintain_order="left",
    )  # fmt: skip
    size = pl.col("count").fill_null(0) + 1
    before = size.cum_sum() - size
    return sizes.select((before * count // size.sum()).cast(pl.UInt16)).to_series()

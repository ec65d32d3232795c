"""Intake: what a reading leaves when it does not come to its end."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import polars as pl
import pytest

from invoicing import cdr_files, intake
from invoicing.call_index import hashes_of
from invoicing.desk import Moment
from invoicing.ledger import Ledger
from invoicing.progress import Silent
from invoicing.store import open_store
from rating.pipeline import CALL_SCHEMA
from rating.sources.files import Prefix, prefixes_of
from rating.sources.formats import choose_formats
from schemas.errors import InputRefused
from schemas.settings import RatingSettings, Settings
from tests.rules.months import CDR_HEADER
from tests.test_frames import buffer_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

NATIVE = choose_formats("native", None, "Europe/Brussels")
NOW = datetime(2026, 10, 20, 8, tzinfo=UTC)
ROW = "{},2026-10-14T08:00:00Z,,+3225550101,+33142685300,60,\n"


def growing(grows: Path) -> Callable[..., list[Prefix]]:
    """Looks at files; one of them grows right after that."""

    def then_grow(path: str, sizes: Sequence[int] = ()) -> list[Prefix]:
        found = prefixes_of(path, sizes)
        if path == str(grows) and grows.stat().st_size == max(sizes):
            with grows.open("a") as stream:
                stream.write(ROW.format("more"))
        return found

    return then_grow


def test_intake__a_file_that_grows_after_it_was_looked_at_is_refused_and_nothing_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, grows = tmp_path / "a.csv", tmp_path / "b.csv"
    for path in (first, grows):
        path.write_text(f"{CDR_HEADER}\n{ROW.format(path.name)}")

    monkeypatch.setattr(cdr_files, "prefixes_of", growing(grows))
    # Each call makes a file, so that one is written before the refusal.
    monkeypatch.setattr(intake, "CALLS_PER_FILE", 1)
    store = open_store(tmp_path / "store", create=True)
    ledger = Ledger(store.ledger_path)
    with pytest.raises(InputRefused, match="changed while it was being read"):
        intake.read_cdrs(
            store, ledger, [str(tmp_path)], NATIVE, Settings(), NOW, Moment(NOW.isoformat(), "0"), Silent()
        )
    assert ledger.is_empty()
    ledger.close()
    assert [path for path in store.root.rglob("*") if path.is_file()] == [store.ledger_path]


def test_intake__the_few_calls_of_another_month_do_not_keep_the_texts_of_their_blocks(tmp_path: Path) -> None:
    rows, of_september = 100_000, 10
    start = pl.when(pl.int_range(rows) < of_september).then(pl.lit(NOW.replace(month=9))).otherwise(pl.lit(NOW))
    block = pl.select(
        call_id=pl.format("a-call-with-a-long-name-{}", pl.int_range(rows)),
        start=start.cast(CALL_SCHEMA["start"]),
        duration_s=pl.lit(60),
    )
    store = open_store(tmp_path / "store", create=True)
    ledger = Ledger(store.ledger_path)
    with intake._Batches(store, ledger) as batches:  # noqa: SLF001 - what waits in it is what memory is made of
        batches.add(block, hashes_of(block["call_id"]), "Europe/Brussels")
        (few, _), *_ = batches._waiting[202609]  # noqa: SLF001
        (many, _), *_ = batches._waiting[202610]  # noqa: SLF001
    ledger.close()
    assert (few.height, many.height) == (of_september, rows - of_september)
    assert pl.concat([few, many]).equals(block)
    assert buffer_bytes(few) < 10_000


def test_intake__a_file_that_grows_while_it_is_read_is_taken_up_to_where_it_was_if_it_may_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    grows = tmp_path / "cdrs" / "a.csv"
    grows.parent.mkdir()
    grows.write_text(f"{CDR_HEADER}\n{ROW.format('first')}")
    monkeypatch.setattr(cdr_files, "prefixes_of", growing(grows))
    waits = Settings(rating=RatingSettings(unterminated_last_line="wait"))
    store = open_store(tmp_path / "store", create=True)
    ledger = Ledger(store.ledger_path)
    read = [
        intake.read_cdrs(store, ledger, [str(grows)], NATIVE, waits, NOW, Moment(NOW.isoformat(), "0"), Silent())
        for _ in range(2)
    ]
    assert [taken.files.select("records", "accepted").rows() for taken in read] == [[(1, 1)], [(1, 1)]]
    assert read[1].told == [f"{grows}: it has grown, read on from line 3"]
    # What was read must still be there: a file that was written anew meanwhile is refused.
    monkeypatch.setattr(intake, "only_grew", lambda _: False)
    with pytest.raises(InputRefused, match="changed while it was being read"):
        intake.read_cdrs(store, ledger, [str(grows)], NATIVE, waits, NOW, Moment(NOW.isoformat(), "0"), Silent())
    ledger.close()

"""A dry run of `read`: the first records of each file as they stand, and what they would become; nothing is stored."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import polars as pl

from invoicing.intake import without_skipped
from rating.mediation import normalise_records, record_text
from rating.sources.files import find_files
from rating.sources.native import NATIVE
from rating.sources.source_rows import read_source
from schemas.errors import InputRefused

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from invoicing.desk import Report
    from rating.sources.formats import Formats
    from schemas.settings import Settings

FIRST_ROWS = 20


def try_reading(given: Sequence[str], formats: Formats, settings: Settings, now: datetime, report: Report) -> None:
    """Show the first records of each file, before and after.

    Raises:
        InputRefused: as reading does, and where there is no file.
    """
    found = find_files(given, formats.naming)
    if not found.files:
        raise InputRefused(f"no CDR file was found in {', '.join(given)}")
    for file in found.files:
        source = formats.source_for(file)
        rows = read_source(file, source, unterminated_last_line=settings.rating.unterminated_last_line)
        with closing(rows.frames) as frames:
            records = next((frame for frame in frames if frame.height), None)
        zone = f", its times those of {source.zone}" if source.zone else ""
        report.messages.append(f"{file.path}: read as {source.name}{zone}; nothing was stored")
        if records is not None:
            first = records.head(FIRST_ROWS)
            report.tables[f"{file.path}: as it stands"] = first.select("source_line", record_text(first))
            report.tables[f"{file.path}: what it becomes"] = _verdicts(first, settings, now)


def _verdicts(records: pl.DataFrame, settings: Settings, now: datetime) -> pl.DataFrame:
    """What becomes of each record: the call, why it is skipped, or why it would be put in quarantine."""
    calls, aside = normalise_records(without_skipped(records)[0], now=now, country_code=settings.rating.country_code)
    answered = pl.when(pl.col("duration_s") > 0).then(pl.lit("accepted")).otherwise(pl.lit("unanswered"))
    taken = calls.select(
        "source_line", answered.alias("verdict"), *NATIVE.columns, pl.lit(None, pl.String).alias("detail")
    )
    others = [aside.select("source_line", verdict="reason", call_id="call_id", detail="detail")]
    if "skipped" in records.columns:
        skipped = records.filter(pl.col("skipped").is_not_null())
        others.append(skipped.select("source_line", pl.lit("skipped").alias("verdict"), "call_id", detail="skipped"))
    return pl.concat([taken, *others], how="diagonal").sort("source_line")

"""The desk: what a command works with at a store, and what it reports."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from schemas.errors import InputRefused
from schemas.settings import Settings, settings_document

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date, datetime

    import polars as pl

    from invoicing.ledger import Ledger
    from invoicing.progress import Progress
    from invoicing.store import Store


@dataclass(frozen=True, slots=True)
class Moment:
    """When, by whom and by which program something is done.

    Attributes:
        text: The moment to act as of, RFC 3339 in UTC.
        program: The program's version.
        operator: Who does it.
        command: The command that does it.
    """

    text: str
    program: str
    operator: str = ""
    command: str = ""


@dataclass(slots=True)
class Report:
    """What a command tells: as tables for people, as one JSON object for programs.

    Attributes:
        command: Its name.
        period: The period it was about, if any.
        counts: Whole numbers by name.
        sums: Cents by name.
        written: Files written.
        warnings: Sentences; exit status 1 under `--strict`.
        attention: Sentences about what a person must look at: exit status 1.
        messages: Sentences about what was done.
        tables: Frames to show, by title.
        details: What only programs read; it stands in the JSON object by its names.
    """

    command: str
    period: str | None = None
    counts: dict[str, int] = field(default_factory=dict)
    sums: dict[str, int] = field(default_factory=dict)
    written: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    attention: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    tables: dict[str, pl.DataFrame] = field(default_factory=dict)
    details: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Desk:
    """What every step works with.

    Attributes:
        store: The store, held by this process.
        ledger: Its open ledger.
        settings: The settings in force.
        now: The moment to act as of.
        today: Its local day.
        moment: The same for the ledger, with the program's version.
        progress: Told of each step.
        seconds: How long each step has taken so far.
    """

    store: Store
    ledger: Ledger
    settings: Settings
    now: datetime
    today: date
    moment: Moment
    progress: Progress
    seconds: Callable[[], dict[str, float]] = dict

    @property
    def settings_text(self) -> str:
        """The settings as they are stored with a run."""
        return settings_text(self.settings)


def settings_text(settings: Settings) -> str:
    """Settings as they are stored."""
    return json.dumps(settings_document(settings), sort_keys=True, ensure_ascii=False)


def pin_settings(ledger: Ledger, settings: Settings, *, write: bool) -> None:
    """Time zone and country code belong to a store: what was read with one cannot go on with another.

    Raises:
        InputRefused: where the settings differ from those the store was begun with.
    """
    for name, content in (
        ("timezone", settings.rating.timezone), ("country_code", settings.rating.country_code),
    ):  # fmt: skip
        known = ledger.meta(name)
        if known is None and write:
            ledger.execute("insert into meta values (?, ?)", [name, content])
        elif known not in (None, content):
            raise InputRefused(
                f"centime.toml: rating.{name} is {content!r} and this store was begun with {known!r}; "
                "set it back, or begin another store"
            )

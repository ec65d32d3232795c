"""A world: three months of platform tables, CDR files and settings, all drawn from one seed."""

from __future__ import annotations

import csv
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from tests.properties.world_cdrs import draw_files
from tests.properties.world_tables import COLUMNS, draw_tables, plus_months
from tests.second_reading.reading import Month, Settings

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random

BASES = ["2026-09", "2026-10", "2026-11", "2026-12", "2027-02", "2027-03", "2028-01", "2025-01", "2027-05"]
OPTIONAL = {"contract_items", "subscriptions", "packs", "charges", "credits", "suspensions"}


@dataclass(frozen=True)
class World:
    seed: int
    settings: Settings
    months: list[Month]

    def write(self, folder: Path) -> None:
        """`config.toml`, and for each run `PERIOD/platform/*.csv` and `PERIOD/cdrs/**.csv`."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config.toml").write_text(toml(self.settings))
        for month in self.months:
            platform = folder / month.period / "platform"
            platform.mkdir(parents=True)
            for name, rows in month.platform.items():
                if rows or name not in OPTIONAL:
                    with (platform / f"{name}.csv").open("w", newline="") as file:
                        writer = csv.DictWriter(file, COLUMNS[name].split(), lineterminator="\n")
                        writer.writeheader()
                        writer.writerows(rows)
            for path, content in month.files:
                target = folder / month.period / "cdrs" / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)


def draw_world(seed: int, calls: int = 300) -> World:
    """The same world for the same seed, on any machine."""
    rng = random.Random(seed)
    base = datetime.fromisoformat(rng.choice(BASES) + "-01").date()
    periods = [plus_months(base, number).isoformat()[:7] for number in range(3)]
    settings = draw_settings(rng, periods)
    tables = draw_tables(rng, periods, increments=settings["allow_increments"] is True)
    nows = draw_nows(rng, periods)
    files = draw_files(rng, tables, nows, calls)
    months = [
        Month(period, now.isoformat().replace("+00:00", "Z"), tables.at(run), files[run])
        for run, (period, now) in enumerate(zip(periods, nows, strict=True))
    ]
    return World(seed, settings, months)


def draw_nows(rng: Random, periods: list[str]) -> list[datetime]:
    """When each run happens: from the 28th on, some weeks late at times, never before the run before it."""
    nows: list[datetime] = []
    for period in periods:
        earliest = datetime.fromisoformat(period + "-28T00:00").replace(tzinfo=ZoneInfo("Europe/Brussels"))
        now = earliest.astimezone(UTC) + rng.choice(
            [
                timedelta(),
                timedelta(hours=20),
                timedelta(days=3, hours=23),
                timedelta(days=9),
                timedelta(days=25),
            ]
        )
        nows.append(max([now, *nows]))
    return nows


def draw_settings(rng: Random, periods: list[str]) -> Settings:
    vat: list[dict[str, str]] = []
    if rng.random() < 0.4:
        vat = [{"category": "S", "rate": "21", "effective_from": "1996-01-01"}]
        vat += [{"category": "S", "rate": "22.5", "effective_from": periods[2] + "-05"}]
        vat += [{"category": c, "rate": "0", "effective_from": "1996-01-01"} for c in ("AE", "K", "G", "E")]
    return {
        "onnet": rng.choice(["customer", "customer", "platform", "none"]),
        "allow_increments": rng.random() < 0.4,
        "unterminated_last_line": rng.choice(["quarantine", "accept"]),
        "increase": rng.choice(["month_end", "month_end", "prorate"]),
        "cap_rounding": rng.choice(["floor", "floor", "ceil"]),
        "invoice_day": rng.choice([28, 28, 15]),
        "payment_days": rng.choice([30, 30, 0, 45]),
        "vat": vat,
    }


def toml(settings: Settings) -> str:
    """The settings as `centime.toml` has them; a world full of faults and leaps is no reason to stop or hold a run."""
    flag = "true" if settings["allow_increments"] else "false"
    lines = [
        "[rating]",
        f'onnet = "{settings["onnet"]}"',
        f"allow_increments = {flag}",
        f'unterminated_last_line = "{settings["unterminated_last_line"]}"',
        "[billing]",
        f'increase = "{settings["increase"]}"',
        f'cap_rounding = "{settings["cap_rounding"]}"',
        f"invoice_day = {settings['invoice_day']}",
        f"payment_days = {settings['payment_days']}",
        "quarantine_threshold = 1.0",
        "[bounds]",
        *(f'{bound} = "report"' for bound in ("invoice_jump", "long_call", "day_spend", "negative_line")),
    ]
    rates = settings["vat"]
    assert isinstance(rates, list)
    for rate in rates:
        reason = "" if rate["category"] == "S" else '\nreason = "Autoliquidation"'
        lines += [
            "[[vat]]",
            f'category = "{rate["category"]}"',
            f"rate = {rate['rate']}",
            f"effective_from = {rate['effective_from']}{reason}",
        ]
    return "\n".join([*lines, ""])

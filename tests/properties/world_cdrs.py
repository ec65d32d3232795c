"""Random CDR files for a world: every way of writing a call, and everything that can be wrong with one."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

from tests.properties.world_tables import PREFIXES, Tables, plus_months

if TYPE_CHECKING:
    from random import Random

Cdr = dict[str, str]
BRUSSELS = ZoneInfo("Europe/Brussels")
COLUMNS = ["call_id", "start", "direction", "caller", "callee", "duration_s", "user_id"]
FAULTS = {
    "call_id": ["", " "],
    "start": ["", "2026-10-01", "2026-10-01T08:00:00", "2026-13-01T08:00:00Z", "2026-02-30T08:00:00Z", "now"],
    "direction": ["in", "OUTGOING", "3"],
    "caller": ["+0123456", "abc", "1", "0123456", "+1234", "1234567"],
    "callee": ["", "anonymous", "Restricted", "sip:anonymous@anonymous.invalid", "+32x", "7", "00"],
    "duration_s": ["", "-1", "86400.1", "90000", "1e3", "1,5", "NaN", "0x10", "."],
}


class Calls:
    """Draws calls between the numbers and users of the tables, at the times where rules change."""

    def __init__(self, rng: Random, tables: Tables) -> None:
        self.rng = rng
        rows = tables.rows
        self.numbers = sorted({seen.row["number"] for seen in rows["numbers"]})
        self.users = sorted({seen.row["user_id"] for seen in rows["users"]}) or ["nobody"]
        self.intervals = {
            kind: [(seen.row["active_from"], seen.row["active_to"] or "9999", seen.row[key]) for seen in rows[kind]]
            for kind, key in (("numbers", "number"), ("users", "user_id"))
        }
        self.first = tables.month_starts()[0]
        self.turning_days = sorted(
            {
                date.fromisoformat(seen.row[column])
                for seen_rows in rows.values()
                for seen in seen_rows
                for column in ("active_from", "active_to", "effective_from", "starts_on", "ends_on")
                if seen.row.get(column)
            }
        )

    def local_start(self) -> datetime:
        """A local time: near a change of the tables, at midnight, at a clock change, tied with others."""
        rng = self.rng
        last = plus_months(self.first, 3)
        near = [day for day in self.turning_days if self.first <= day < last]
        if near and rng.random() < 0.4:
            day = rng.choice(near) - timedelta(days=rng.choice([0, 0, 1]))
        else:
            day = self.first + timedelta(days=rng.randint(-6, (last - self.first).days + 3))
        clock = rng.choice(
            [
                time(0, 0),
                time(23, 59, 59, 999999),
                time(2, 30),
                time(1, 59, 59),
                time(3, 0),
                time(9, 0),
                time(9, 0),
                time(rng.randint(0, 23), rng.randint(0, 59), rng.randint(0, 59)),
            ]
        )
        if rng.random() < 0.05:
            day = day.replace(day=31) if day.month in (3, 10) else day
            day -= timedelta(days=(day.weekday() + 1) % 7)  # the Sunday on which clocks may change
        return datetime.combine(day, clock, BRUSSELS).replace(fold=rng.choice([0, 1]))

    def active(self, kind: str, day: date) -> str:
        """A number or user of that day, mostly."""
        there = [name for start, end, name in self.intervals[kind] if start <= str(day) < end]
        if there and self.rng.random() < 0.85:
            return self.rng.choice(there)
        everyone = self.numbers if kind == "numbers" else self.users
        return self.rng.choice(everyone or ["+3242279999"])

    def destination(self) -> str:
        rng = self.rng
        if self.numbers and rng.random() < 0.2:
            return rng.choice(self.numbers)
        prefix = rng.choice([*PREFIXES, "999", "32", "324", "3247", "=113"])
        if prefix == "=anonymous":
            prefix = "49"
        if prefix.startswith("="):
            return prefix[1:]
        return f"+{prefix}{rng.randint(0, 10**7 - 1):07d}"

    def cdr(self, call_id: str) -> Cdr:
        rng = self.rng
        local = self.local_start()
        start = local.astimezone(UTC)
        ours = self.active("numbers", local.date())
        user = self.active("users", local.date())
        caller = rng.choice([ours, ours, ours, ours, "anonymous", "+3225550000", "112"])
        callee = self.destination()
        direction = "outgoing"
        if rng.random() < 0.2:
            direction = "incoming"
            callee = rng.choice([ours, ours, ours, "+3225550000"])
            caller = rng.choice([self.destination(), "anonymous"])
        duration = rng.choice(
            [
                str(rng.randint(1, 400)),
                str(rng.randint(1, 4000)),
                f"{rng.randint(0, 600)}.{rng.randint(0, 999):03d}",
                "60",
                "61",
                "1",
                rng.choice(["0", "0.0", "0.0001", "86400", "86399.5"]),
            ]
        )
        user_id = rng.choice([user, user, "", "stranger", "a b*"])
        return {
            "call_id": call_id,
            "start": write_time(rng, start),
            "direction": direction,
            "caller": caller,
            "callee": callee,
            "duration_s": duration,
            "user_id": user_id,
            "at": start.isoformat(),
        }


def write_time(rng: Random, start: datetime) -> str:
    """The instant in UTC, local time with its offset, or somewhere far, with more or fewer places."""
    zone = rng.choice([UTC, UTC, BRUSSELS, ZoneInfo("America/New_York"), ZoneInfo("Asia/Kolkata")])
    written = start.astimezone(zone).isoformat(timespec="microseconds")
    day_and_clock, offset = written[:19], written[26:]
    fraction = written[20:26]
    if fraction == "000000":
        fraction = rng.choice(["", "", ".0", ".000000", ".0000009"])
    else:
        fraction = "." + fraction + rng.choice(["", "0", "999"])
    return day_and_clock + fraction + (rng.choice(["Z", offset]) if zone is UTC else offset)


def write_number(rng: Random, number: str) -> str:
    """One of the ways in which platforms write a number."""
    if number == "anonymous":
        return rng.choice(["", "anonymous", "Anonymous", "UNKNOWN", "sip:anonymous@anonymous.invalid", "unavailable"])
    if not number.startswith("+"):
        return rng.choice([number, f"tel:{number}", f"sip:{number}@pbx.example;user=phone"])
    digits = number[1:]
    ways = [
        number,
        number,
        "00" + digits,
        f"tel:{number}",
        f"TEL:{number};phone-context=be",
        f"sip:{number}@pbx.example",
        f"SIPS:{number}@10.0.0.1:5061;transport=tls",
        f"+{digits[:2]} {digits[2:5]}.{digits[5:7]}-{digits[7:]}",
    ]
    if digits.startswith("32"):
        ways += [f"+32 (0){digits[2:]}", f"0{digits[2:4]}/{digits[4:]}", f"0{digits[2:]}"]
    return rng.choice(ways)


def written(rng: Random, cdr: Cdr) -> Cdr:
    """The same call in other words."""
    cells = dict(cdr)
    for column in ("caller", "callee"):
        cells[column] = write_number(rng, cdr[column])
    if cdr["direction"] == "outgoing":
        cells["direction"] = rng.choice(["", "outgoing"])
    return cells


def broken(rng: Random, cdr: Cdr) -> Cdr:
    column = rng.choice(list(FAULTS))
    return cdr | {column: rng.choice(FAULTS[column])}


def draw_files(rng: Random, tables: Tables, nows: list[datetime], calls: int) -> list[list[tuple[str, bytes]]]:
    """The files of each of the three runs: calls on time and late, repeated, contradicted and broken."""
    source = Calls(rng, tables)
    delivered: list[list[Cdr]] = [[], [], []]
    past: list[Cdr] = []
    for number in range(calls):
        cdr = source.cdr(f"{rng.randint(0, 10**6)}{rng.choice(['-', '@sip.example-', ' é'])}{number}")
        start = datetime.fromisoformat(cdr["at"])
        run = next((n for n, now in enumerate(nows) if start <= now), 2)
        run = min(2, run + rng.choice([0] * 9 + [1, 2]))
        if rng.random() < 0.02:
            run = 0
        fate = rng.random()
        delivered[run].append(broken(rng, written(rng, cdr)) if fate < 0.05 else written(rng, cdr))
        past.append(cdr | {"run": str(run)})
        if fate > 0.93:
            again = rng.choice(past)
            run = rng.randint(int(again["run"]), 2)
            if fate > 0.965:
                again = again | {"duration_s": "777"}
            delivered[run].append(written(rng, again))
    files: list[list[tuple[str, bytes]]] = []
    for run, cdrs in enumerate(delivered):
        rng.shuffle(cdrs)
        files.append(cut_into_files(rng, run, cdrs, [file for earlier in files for file in earlier]))
    return files


def cut_into_files(rng: Random, run: int, cdrs: list[Cdr], earlier: list[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    """Several files, in folders whose order is not that of their names' last parts; now and then an old
    one again.
    """
    parts = rng.randint(1, 4)
    files = [
        (
            f"{rng.choice(['a', 'b/c', 'Z'])}/{rng.choice(['x', 'Y'])}-{run}-{part}.csv",
            file_bytes(rng, cdrs[part::parts]),
        )
        for part in range(parts)
    ]
    if earlier and rng.random() < 0.4:
        files.append((f"again-{run}.csv", rng.choice(earlier)[1]))
    return files


def file_bytes(rng: Random, cdrs: list[Cdr]) -> bytes:
    columns = list(COLUMNS)
    if rng.random() < 0.1:
        columns.remove("user_id")
    rng.shuffle(columns)
    text = io.StringIO()
    quoting: Literal[0, 1] = rng.choice([csv.QUOTE_MINIMAL, csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
    line_end = rng.choice(["\n", "\n", "\r\n"])
    writer = csv.DictWriter(text, columns, extrasaction="ignore", quoting=quoting, lineterminator=line_end)
    writer.writeheader()
    for cdr in cdrs:
        padded = {name: f" {cell} " if rng.random() < 0.02 else cell for name, cell in cdr.items()}
        writer.writerow(padded)
    lines = text.getvalue().encode().splitlines(keepends=True)
    for fault in (b"only,two\n", b"a,b,c,d,e,f,g,h,i\n", b"nul,\x00,,,,,\n", b"bad\xff,utf,,,,,\n"):
        if rng.random() < 0.08:
            lines.insert(rng.randint(1, len(lines)), fault)
    content = b"".join(lines)
    return content.rstrip(b"\r\n") if rng.random() < 0.1 and len(lines) > 1 else content

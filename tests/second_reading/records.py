"""From the bytes of CDR files to calls accepted once (R-RECORD)."""

from __future__ import annotations

import csv
import hashlib
import math
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction

TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d+))?([Zz]|[+-]\d\d:\d\d)\Z",
    re.ASCII,
)
DURATION = re.compile(r"\d+(\.\d+)?\Z", re.ASCII)
NO_NUMBER = {"", "anonymous", "unknown", "restricted", "unavailable"}
LONGEST_S = 86_400


class Malformed(Exception):  # noqa: N818 - the verdict of the rule, not a fault of the program
    """A field that cannot be read."""


@dataclass(frozen=True)
class Call:
    call_id: str
    start: datetime
    direction: str
    caller: str
    callee: str
    duration_s: int
    user_id: str | None
    source_file: str
    source_line: int

    @property
    def content(self) -> tuple[object, ...]:
        """What makes two records of one call_id the same (R-RECORD)."""
        return (self.start, self.direction, self.caller, self.callee, self.duration_s, self.user_id)


@dataclass(frozen=True)
class Quarantined:
    call_id: str | None
    reason: str
    source_file: str
    source_line: int


@dataclass
class FileCounts:
    source_file: str
    sha256: str
    records: int = 0
    accepted: int = 0
    unanswered: int = 0
    duplicate: int = 0
    quarantined: int = 0


@dataclass
class Intake:
    """Everything read so far: accepted calls (unanswered ones too) by id, and the files by their hash."""

    calls: dict[str, Call] = field(default_factory=dict)
    hashes: set[str] = field(default_factory=set)


def read_time(text: str) -> datetime:
    """An RFC 3339 time in UTC, cut to the microsecond; without zone or offset it cannot be read."""
    match = TIME.match(text)
    if match is None:
        raise Malformed(text)
    day, clock, fraction, zone = match.groups()
    offset = "+00:00" if zone in "Zz" else zone
    microseconds = ((fraction or "") + "000000")[:6]
    try:
        return datetime.fromisoformat(f"{day}T{clock}.{microseconds}{offset}").astimezone(UTC)
    except (ValueError, OverflowError) as fault:
        raise Malformed(text) from fault


def read_duration(text: str) -> int:
    """Seconds, 0 to 86400 as written, a fraction of a second rounded up to the whole one (R-INCREMENT)."""
    if not DURATION.match(text):
        raise Malformed(text)
    seconds = Fraction(text)
    if seconds > LONGEST_S:
        raise Malformed(text)
    return math.ceil(seconds)


def read_number(text: str, *, is_caller: bool, country_code: str = "32") -> str:
    """One form for every way of writing a number: `+` and digits, a short code, or `anonymous`.

    The scheme goes, then all from the first `;` or `@`; hidden identities are allowed for a caller only.
    """
    text = text.strip()
    for scheme in ("tel:", "sips:", "sip:"):
        if text.lower().startswith(scheme):
            text = text[len(scheme) :]
            break
    text = re.split(r"[;@]", text)[0].strip()
    if text.lower() in NO_NUMBER:
        if is_caller:
            return "anonymous"
        raise Malformed(text)
    digits = re.sub(r"[\s./()-]", "", text.replace("(0)", ""))
    if match := re.match(r"(?:\+|00)([1-9][0-9]{4,14})\Z", digits):
        return "+" + match[1]
    if match := re.match(r"0([1-9][0-9]{6,12})\Z", digits):
        return "+" + country_code + match[1]
    if re.match(r"[1-9][0-9]{1,5}\Z", digits):
        return digits
    raise Malformed(text)


def read_call(row: dict[str, str], source_file: str, source_line: int, country_code: str) -> Call:
    """One record as a call, or Malformed at the first field that cannot be read.

    Choice: the ids of a record are text, as the switch wrote them; only a call_id that is empty is none.
    """
    cells = {name: text.strip() for name, text in row.items()}
    call_id, user_id = cells.get("call_id", ""), cells.get("user_id", "")
    if not call_id:
        raise Malformed(call_id)
    direction = cells.get("direction", "") or "outgoing"
    if direction not in ("outgoing", "incoming"):
        raise Malformed(direction)
    return Call(
        call_id=call_id,
        start=read_time(cells.get("start", "")),
        direction=direction,
        caller=read_number(cells.get("caller", ""), is_caller=True, country_code=country_code),
        callee=read_number(cells.get("callee", ""), is_caller=False, country_code=country_code),
        duration_s=read_duration(cells.get("duration_s", "")),
        user_id=user_id or None,
        source_file=source_file,
        source_line=source_line,
    )


def split_lines(content: bytes) -> tuple[list[bytes], bool]:
    """The lines of a text file, and whether the last one has its line end."""
    lines = content.split(b"\n")
    terminated = lines[-1] == b""
    if terminated:
        lines.pop()
    return [line.removesuffix(b"\r") for line in lines], terminated


def read_rows(content: bytes, last_line: str) -> list[tuple[int, dict[str, str] | None]]:
    """Line number and fields of each record; no fields where the line is no record at all."""
    lines, terminated = split_lines(content)
    header = next(csv.reader([lines[0].decode()]))
    rows: list[tuple[int, dict[str, str] | None]] = []
    for number, line in enumerate(lines[1:], start=2):
        cut = number == len(lines) and not terminated and last_line == "quarantine"
        rows.append((number, None if cut else read_fields(line, header)))
    return rows


def read_fields(line: bytes, header: list[str]) -> dict[str, str] | None:
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        return None
    if "\0" in text:
        return None
    fields = next(csv.reader([text]), [])
    return dict(zip(header, fields, strict=True)) if len(fields) == len(header) else None


def take_in(
    intake: Intake,
    files: list[tuple[str, bytes]],
    now: datetime,
    settings: dict[str, object],
) -> tuple[list[FileCounts], list[Quarantined]]:
    """R-RECORD: files in the order of their paths, byte by byte; a file with known bytes is passed over.

    Each record gets the first verdict of: malformed, future, duplicate, conflict, accepted. An accepted one
    of no duration is unanswered; it is remembered, so that the same record again is a duplicate.
    Choice: the quarantine shows the call_id of a malformed record where its line has one.
    """
    counted: list[FileCounts] = []
    quarantine: list[Quarantined] = []
    country_code = str(settings.get("country_code", "32"))
    last_line = str(settings.get("unterminated_last_line", "quarantine"))
    for path, content in sorted(files, key=lambda file: file[0].encode()):
        sha256 = hashlib.sha256(content).hexdigest()
        if sha256 in intake.hashes:
            continue
        intake.hashes.add(sha256)
        counts = FileCounts(path, sha256)
        counted.append(counts)
        for line, row in read_rows(content, last_line):
            counts.records += 1
            call_id, verdict = judge_record(intake, row, path, line, now=now, country_code=country_code)
            if verdict == "accepted":
                counts.accepted += 1
            elif verdict == "unanswered":
                counts.unanswered += 1
            elif verdict == "duplicate":
                counts.duplicate += 1
            else:
                counts.quarantined += 1
                quarantine.append(Quarantined(call_id, verdict, path, line))
    return counted, quarantine


def judge_record(
    intake: Intake,
    row: dict[str, str] | None,
    path: str,
    line: int,
    *,
    now: datetime,
    country_code: str,
) -> tuple[str | None, str]:
    """R-RECORD, for one record: its call_id and its verdict."""
    if row is None:
        return None, "malformed"
    try:
        call = read_call(row, path, line, country_code)
    except Malformed:
        return row.get("call_id", "").strip() or None, "malformed"
    if call.start > now + timedelta(hours=24):
        return call.call_id, "future"
    known = intake.calls.get(call.call_id)
    if known is not None:
        return call.call_id, "duplicate" if known.content == call.content else "conflict"
    intake.calls[call.call_id] = call
    return call.call_id, "unanswered" if call.duration_s == 0 else "accepted"

# ruff: noqa: PLR0911 - each return is a reason
"""A second reading of every format, record by record in plain Python, written from the platforms' documentation.

It shares no line with the program. A record is read as `(verdict, reason, fields)`, the fields as text in the order
call_id, start, caller, callee, duration_s, direction, user_id.
"""

from __future__ import annotations

import csv
import json
import re
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Read = tuple[str, str, tuple[str, ...]]
NOTHING = ("",) * 7
MALFORMED: Read = ("malformed", "", NOTHING)
STAMP = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:[0-5]\d", re.ASCII)


def skipped(reason: str) -> Read:
    return "skipped", reason, NOTHING


def taken(call_id: str, start: datetime, caller: str, callee: str, duration: object, direction: str, user: str) -> Read:
    moment = start.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f").rstrip("0").rstrip(".") + "Z"
    return "taken", "", (call_id, moment, caller, callee, str(duration), direction, user)


def moment_of(stamp: str, zone: str, since: datetime | None = None) -> datetime | None:
    """A local stamp: of its two moments the first that is not before another; none that the clock never showed."""
    if not STAMP.fullmatch(stamp):
        return None
    try:
        naive = datetime.strptime(stamp, "%Y-%m-%d %H:%M:%S").replace(tzinfo=ZoneInfo(zone))
    except ValueError:
        return None
    moments = [naive.replace(fold=fold).astimezone(UTC) for fold in (0, 1)]
    if moments[0].astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M:%S") != stamp:
        return None
    if since is not None and moments[0] < since - timedelta(seconds=1):
        return moments[1]
    return moments[0]


def epoch(text: str, per_second: int = 1) -> datetime | None:
    if not re.fullmatch(r"[0-9]{1,16}", text) or int(text) == 0:
        return None
    return datetime.fromtimestamp(int(text) // per_second, UTC) + timedelta(
        microseconds=int(text) % per_second * 1_000_000 // per_second
    )


def asterisk(fields: list[str], zone: str) -> Read:
    if not 16 <= len(fields) <= 21:
        return MALFORMED
    account, src, dst, context, clid, channel, target, app, _, _, answer, _, _, seconds, verdict, _ = fields[:16]
    further = fields[16:]
    unique = (
        further[0] if len(further) not in (0, 3) and re.search(r"^(.*-)?\d{9,10}\.\d+$", further[0], re.ASCII) else ""
    )
    linked = further[-2] if len(further) >= 3 else ""
    if verdict in ("NO ANSWER", "BUSY", "FAILED", "CONGESTION", "UNKNOWN"):
        return skipped("unanswered")
    if verdict != "ANSWERED":
        return MALFORMED
    if app.startswith(("VoiceMail", "VMAuthenticate", "MiniVM")):
        return skipped("voicemail")
    if not target.strip():
        return skipped("no second party")
    incoming = context.startswith(("from-trunk", "from-pstn", "from-did", "incoming", "inbound"))
    to_extension = 1 <= len(dst.encode()) <= 6 and f"/{dst}-" in target and not incoming
    if target.startswith("Local/") or to_extension:
        return skipped("internal leg")
    seconds_made = re.findall(r"(\d+)\.\d+$", unique)
    since = datetime.fromtimestamp(int(seconds_made[0]), UTC) if seconds_made else None
    start = moment_of(answer, zone, since)
    if start is None:
        return MALFORMED
    shown = re.search(r"<([^<>]*)>$", clid)
    caller = src if src.strip() else (shown[1] if shown else "")
    direction = "incoming" if incoming else "outgoing"
    return taken(f"{linked or unique or channel} {target} {answer}", start, caller, dst, seconds, direction, account)


def freeswitch(fields: list[str], zone: str) -> Read:
    if len(fields) != 15:
        return MALFORMED
    _, caller, callee, _, _, answer, _, _, seconds, _, uuid, _, account, _, _ = fields
    if not uuid.strip():
        return MALFORMED
    if not answer.strip():
        return skipped("unanswered")
    start = moment_of(answer, zone)
    return taken(uuid, start, caller, callee, seconds, "", account) if start else MALFORMED


def freeswitch_document(line: str) -> Read:
    try:
        document: Any = json.loads(line)
        variables = {name: unquote(text) for name, text in document["variables"].items()}
        profile = document["callflow"][0]["caller_profile"]
    except (ValueError, KeyError):
        return MALFORMED
    if document["channel_data"]["direction"] == "outbound":
        return skipped("B leg")
    start = epoch(variables["answer_uepoch"], 1_000_000)
    if start is None:
        return skipped("unanswered")
    numbers = (unquote(profile[name]) for name in ("caller_id_number", "destination_number"))
    return taken(variables["uuid"], start, *numbers, variables["billsec"], "", variables["accountcode"])


def fusionpbx(row: dict[str, str], zone: str) -> Read:
    if row["leg"] == "b":
        return skipped("B leg")
    if row["originating_leg_uuid"].strip() and row["originating_leg_uuid"] != row["xml_cdr_uuid"]:
        return skipped("leg made by another leg")
    if row["direction"] == "local":
        return skipped("internal call")
    if not row["answer_stamp"].strip() and row["answer_epoch"].strip() in ("", "0"):
        return skipped("unanswered")
    if row["last_app"] == "voicemail":
        return skipped("voicemail")
    direction = {"outbound": "outgoing", "inbound": "incoming"}.get(row["direction"])
    start = epoch(row["answer_epoch"])
    if start is None and re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+-]\d\d", row["answer_stamp"], re.ASCII):
        start = datetime.fromisoformat(row["answer_stamp"])
    start = start or moment_of(row["answer_stamp"], zone)
    if direction is None or start is None:
        return MALFORMED
    callee = row["destination_number"]
    if direction == "incoming" and row["caller_destination"].strip():
        callee = row["caller_destination"]
    seconds = row["billsec"] if row["billsec"].strip() else -(-int(row["billmsec"]) // 1000)
    return taken(row["xml_cdr_uuid"], start, row["caller_id_number"], callee, seconds, direction, row["extension_uuid"])


def broadworks(fields: list[str], _zone: str) -> Read:
    if len(fields) < 14:
        return MALFORMED
    record, _, kind, _, _, side, caller, _, callee, _, _, answered, answer, release = fields[:14]
    if not kind.strip():
        return MALFORMED
    if kind != "Normal":
        return skipped("not a record of type Normal")
    if len(fields) > 42 and fields[42] == "private":
        return skipped("internal call")
    if answered in ("No", "No-PostRedirection"):
        return skipped("unanswered")
    direction = {"Originating": "outgoing", "Terminating": "incoming"}.get(side)
    try:
        start, end = (datetime.strptime(text, "%Y%m%d%H%M%S.%f").replace(tzinfo=UTC) for text in (answer, release))
    except ValueError:
        return MALFORMED
    if direction is None or answered not in ("Yes", "Yes-PostRedirection") or end < start:
        return MALFORMED
    seconds = -(-(end - start) // timedelta(seconds=1))
    return taken(record, start, caller, callee, min(seconds, 86_401), direction, "")


def kamailio_cdrs(row: dict[str, str], zone: str) -> Read:
    start = moment_of(row["call_start_time"], zone)
    if start is None:
        return MALFORMED
    call_id = " ".join(row[name] for name in ("sip_call_id", "sip_from_tag", "sip_to_tag"))
    return taken(call_id, start, row["src_username"], row["dst_username"], row["duration"], "", "")


def kamailio_acc(rows: list[dict[str, str] | None], zone: str) -> list[Read]:
    """All rows of an export together."""
    byes: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for row in rows:
        if row and row["method"] == "BYE":
            byes[_dialog(row)].append(row["time"])
    stands: set[tuple[str, ...]] = set()
    found = []
    for row in rows:
        read = _acc_row(row, byes, stands, zone) if row else MALFORMED
        found.append(read)
    return found


def _dialog(row: dict[str, str]) -> tuple[str, ...]:
    return (row["callid"], *sorted((row["from_tag"], row["to_tag"])))


def _acc_row(
    row: dict[str, str], byes: dict[tuple[str, ...], list[str]], stands: set[tuple[str, ...]], zone: str
) -> Read:
    if row["method"] == "BYE":
        return skipped("BYE, the end of a call")
    if row["method"] != "INVITE":
        return skipped("neither INVITE nor BYE")
    if re.fullmatch("[3-6][0-9][0-9]", row["sip_code"]):
        return skipped("unanswered")
    dialog = _dialog(row)
    if dialog in stands:
        return skipped("later INVITE of a call")
    stands.add(dialog)
    start = moment_of(row["time"], zone)
    if start is None or not byes[dialog]:
        return MALFORMED
    end = moment_of(min(byes[dialog]), zone, start)
    if end is None or end < start:
        return MALFORMED
    call_id = " ".join((row["callid"], row["from_tag"], row["to_tag"]))
    return taken(call_id, start, row["src_user"], row["dst_user"], int((end - start).total_seconds()), "", "")


def cucm(row: dict[str, str], _zone: str) -> Read:
    phone = re.compile(r"(SEP|ATA)[0-9A-F]{12}|AN[0-9A-F]{10,}|(CSF|TCT|BOT|TAB)[^-]*")
    if row["cdrRecordType"] != "1":
        return skipped("not the record of a call's end")
    if row["dateTimeConnect"] == "0":
        return skipped("unanswered")
    if re.search(r"-VI[0-9]+$", row["destDeviceName"]):
        return skipped("voicemail")
    if re.search("^b[0-9]{8,}$", row["finalCalledPartyNumber"]):
        return skipped("conference bridge")
    sides = (row["destDeviceName"], row["origDeviceName"])
    out, into = (bool(side.strip()) and not phone.fullmatch(side) for side in sides)
    if not out and not into:
        return skipped("internal call")
    start = epoch(row["dateTimeConnect"])
    if start is None:
        return MALFORMED
    caller, callee = (
        row[name].removeprefix("\\") if row[name].startswith("\\+") else row[name]
        for name in ("callingPartyNumber", "finalCalledPartyNumber")
    )
    direction = "outgoing" if out else "incoming"
    user = row["callingPartyUnicodeLoginUserID"] if out else ""
    return taken(row["pkid"], start, caller, callee, row["duration"], direction, user)


def three_cx(fields: list[str], zone: str) -> Read:
    if not 20 <= len(fields) <= 27:
        return MALFORMED
    call, duration, answer, source, target = (fields[place] for place in (1, 2, 4, 7, 8))
    from_dn, to_dn, dialled, final = (fields[place] for place in (9, 10, 11, 13))
    endpoint = re.compile(r"^(Ext|VMail|Ivr|IVR|Queue|Ring|Fax|Park|Conf)\.")
    if not answer.strip():
        return skipped("unanswered")
    if final.startswith("VMail.") or target.startswith("VMail."):
        return skipped("voicemail")
    inside, to_inside = (bool(endpoint.match(number)) for number in (source, target))
    went_on = to_inside and bool(final.strip()) and not endpoint.match(final)
    if inside and to_inside and not went_on:
        return skipped("internal call")
    start = moment_of(re.sub("[/.]", "-", answer), zone)
    clock = re.fullmatch(r"([0-9]{1,4}):([0-5][0-9]):([0-5][0-9])", duration)
    if start is None or not clock:
        return MALFORMED
    seconds = int(clock[1]) * 3600 + int(clock[2]) * 60 + int(clock[3])
    outgoing = (inside and not to_inside) or went_on
    callee = final if went_on else endpoint.sub("", target) if to_inside else target if target.strip() else dialled
    user = (from_dn if inside else to_dn) if outgoing else ""
    return taken(
        f"{call} {answer}",
        start,
        endpoint.sub("", source),
        callee,
        seconds,
        "outgoing" if outgoing else "incoming",
        user,
    )


POSITIONAL: dict[str, Callable[[list[str], str], Read]] = {
    "asterisk": asterisk, "freeswitch": freeswitch, "broadworks": broadworks, "3cx": three_cx,
}  # fmt: skip
NAMED: dict[str, Callable[[dict[str, str], str], Read]] = {
    "fusionpbx": fusionpbx, "cdrs": kamailio_cdrs, "cucm": cucm,
}  # fmt: skip


def read(text: str, kind: str, zone: str) -> list[tuple[int, Read]]:
    """The records of a file, each with its line."""
    lines = list(enumerate(text.removesuffix("\n").split("\n"), 1))
    if kind == "documents":
        return [(number, freeswitch_document(line)) for number, line in lines]
    if kind in POSITIONAL:
        rows = [(number, fields_of(line)) for number, line in lines if not line.startswith("version=")]
        return [(number, POSITIONAL[kind](fields, zone) if fields else MALFORMED) for number, fields in rows]
    named = list(_named(lines))
    if kind == "acc":
        reads = kamailio_acc([row for _, row in named], zone)
        return [(number, found) for (number, _), found in zip(named, reads, strict=True)]
    return [(number, NAMED[kind](row, zone) if row else MALFORMED) for number, row in named]


def fields_of(line: str) -> list[str]:
    """The fields of a line; none where its quotes are wrong."""
    try:
        return next(csv.reader([line], strict=True))
    except csv.Error:
        return []


def _named(lines: list[tuple[int, str]]) -> Iterator[tuple[int, dict[str, str] | None]]:
    """The rows under a header, or the objects of lines; none for a line with another number of fields."""
    if lines[0][1].startswith("{"):
        for number, line in lines:
            yield number, {name: text or "" for name, text in json.loads(line).items()}
        return
    names = fields_of(lines[0][1])
    for number, line in lines[1:]:
        if not line.startswith("INTEGER,"):
            fields = fields_of(line)
            yield number, dict(zip(names, fields, strict=True)) if len(fields) == len(names) else None

"""Make the samples of the formats that platforms write, with what each record is to become.

`python sample_cdrs/make_formats.py` rewrites `formats/` beside it to the same bytes, whenever and wherever it runs.
The same calls happened on every platform; each has its own way to write them down, and its own records that are none.
"""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote
from zoneinfo import ZoneInfo

HERE = Path(__file__).resolve().parent / "formats"
BRUSSELS = ZoneInfo("Europe/Brussels")
OUTCOME = (
    "file", "source_line", "verdict", "reason", "call_id", "start", "direction", "caller", "callee", "duration_s",
    "user_id",
)  # fmt: skip
RINGING = timedelta(seconds=5)
Line = tuple[str, "Outcome | None"]


@dataclass(frozen=True)
class Call:
    """What happened: when it was answered (UTC; None: never), for how long, and between whom, as they were written."""

    number: int
    answer: datetime | None
    seconds: int
    caller: str = "+3225550101"
    callee: str = "+33142685300"
    name: str = "Jan Peeters"
    incoming: bool = False

    @property
    def asked(self) -> datetime:
        """When it began to ring."""
        return (self.answer or datetime(2026, 10, 7, 9, tzinfo=UTC)) - RINGING

    @property
    def end(self) -> datetime:
        """When it ended."""
        return (self.answer or self.asked + RINGING) + timedelta(seconds=self.seconds)

    @property
    def uuid(self) -> str:
        """An id as FreeSWITCH makes them."""
        return f"{self.number:08x}-e752-11e3-8bfb-65b6c3cdac7d"


@dataclass(frozen=True)
class Outcome:
    """What a record is to become: `taken` with its native fields, `skipped` with a reason, or `malformed`."""

    verdict: str
    reason: str = ""
    call_id: str = ""
    start: datetime | None = None
    direction: str = ""
    caller: str = ""
    callee: str = ""
    duration_s: str = ""
    user_id: str = ""


def at(day: int, hour: int = 8, minute: int = 0, second: int = 0) -> datetime:
    """A moment of October 2026, in UTC."""
    return datetime(2026, 10, day, hour, minute, second, tzinfo=UTC)


# On 25 October the clocks of Brussels show the hour from two to three twice.
CALLS = (
    Call(1, at(1), 61),
    Call(2, at(1, 9), 60, name="Peeters, Jan"),
    Call(3, at(1, 10), 1, name='Jan "Jef" Peeters'),
    Call(4, at(2), 45, caller="", name=""),
    Call(5, at(2, 9), 30, caller="anonymous", name="Anonymous"),
    Call(6, at(2, 10), 3600, callee="0033142685300"),
    Call(7, at(3), 75, callee="0475123456"),
    Call(8, at(3, 9), 20, callee="112"),
    Call(9, at(3, 10), 33, callee="sip:+33142685300@carrier.example"),
    Call(10, at(4), 34, callee="sip:+33142685300;user=phone"),
    Call(11, at(25, 0, 30), 90),
    Call(12, at(25, 1, 30), 90),
    Call(13, at(5), 0),
    Call(14, None, 0),
    Call(15, at(5, 9), 100, name="Zoë Åström"),
    Call(16, at(5, 10), 86_400, callee="+3290012345"),
    Call(17, at(31, 22, 59, 59), 10),
    Call(18, at(31, 23), 10),
    Call(19, at(6), 120, caller="+33142685300", callee="+3225550101", name="Paris", incoming=True),
    Call(20, at(6, 9), 15, callee="+32 (0)2 555 01 02"),
)


def native(call: Call, call_id: str, user_id: str = "", *, exact: bool = True, directed: bool = True) -> Outcome:
    """What the record of a call becomes where its platform tells the direction, and (`exact`) the second hour."""
    if call.answer is None:
        return Outcome("skipped", "unanswered")
    start = call.answer if exact or call.number != 12 else call.answer - timedelta(hours=1)  # noqa: PLR2004
    direction = ("incoming" if call.incoming else "outgoing") if directed else ""
    return Outcome(
        "taken", "", call_id, start, direction, call.caller, call.callee, str(call.seconds), user_id
    )  # fmt: skip


def local(moment: datetime) -> str:
    """A stamp of Brussels."""
    return f"{moment.astimezone(BRUSSELS):%Y-%m-%d %H:%M:%S}"


def quoted(fields: list[object]) -> str:
    """Every text in quotes, numbers as they are."""
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_NONNUMERIC, lineterminator="").writerow(fields)
    return text.getvalue()


def plain(fields: list[object]) -> str:
    """Quotes where they are needed."""
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(fields)
    return text.getvalue()


MALFORMED = Outcome("malformed")


def asterisk() -> dict[str, list[Line]]:
    """Master.csv: with uniqueid, and from the last ones on with all the new columns."""
    lines: list[Line] = []
    for call in CALLS:
        fields, call_id = _asterisk_fields(call)
        user = "" if call.incoming else "acc1"
        lines.append((quoted([*fields, _uniqueid(call), ""]), native(call, call_id, user)))
    first, second = CALLS[0], CALLS[1]
    voicemail, _ = _asterisk_fields(first, lastapp="VoiceMail", dstchannel="")
    alone, _ = _asterisk_fields(first, lastapp="Playback", dstchannel="")
    extension, _ = _asterisk_fields(replace(first, callee="102"), dstchannel="PJSIP/102-00000001")
    half, _ = _asterisk_fields(first, dstchannel="Local/102@ext-0001;1")
    short, short_id = _asterisk_fields(replace(second, number=30))
    newest, _ = _asterisk_fields(replace(second, number=31))
    again, _ = _asterisk_fields(replace(second, number=31), channel="PJSIP/102-00000031")
    unknown, _ = _asterisk_fields(first)
    unknown[14] = "MAYBE"
    gap, _ = _asterisk_fields(first)
    gap[10] = "2026-03-29 02:30:00"
    without = native(replace(second, number=30), f"{short[5]} {short_id.split(' ', 1)[1]}", "acc1")
    linked = f"1790000000.1 {newest[6]} {newest[10]}"
    lines += [
        (quoted([*voicemail, "1790000000.9", ""]), Outcome("skipped", "voicemail")),
        (quoted([*alone, "1790000000.9"]), Outcome("skipped", "no second party")),
        (quoted([*extension, "1790000000.9", ""]), Outcome("skipped", "internal leg")),
        (quoted([*half, "1790000000.9", ""]), Outcome("skipped", "internal leg")),
        (quoted(short), without),
        (
            quoted([*newest, "1790000000.31", "", "", "1790000000.1", 7]),
            native(replace(second, number=31), linked, "acc1"),
        ),
        (
            quoted([*again, "1790000000.32", "", "", "1790000000.1", 8]),
            native(replace(second, number=31), linked, "acc1"),
        ),
        (quoted([*unknown, "1790000000.9", ""]), MALFORMED),
        (quoted([*gap, "1790000000.9", ""]), MALFORMED),
        ('"acc1","101","cut', MALFORMED),
    ]
    return {"asterisk/Master.csv": lines}


def _uniqueid(call: Call) -> str:
    return f"{int(call.asked.timestamp())}.{call.number}"


def _asterisk_fields(
    call: Call, *, lastapp: str = "Dial", channel: str = "", dstchannel: str | None = None
) -> tuple[list[object], str]:
    """The 16 columns that are always there, and the call_id where there is a uniqueid."""
    own, other = f"PJSIP/101-{call.number:08x}", f"PJSIP/carrier-{call.number + 1:08x}"
    source, target = (other, own) if call.incoming else (channel or own, other)
    target = target if dstchannel is None else dstchannel
    caller_id = f'"{call.name}" <{call.caller}>' if call.name else call.caller
    answer = local(call.answer) if call.answer else ""
    disposition = "ANSWERED" if call.answer else "NO ANSWER"
    fields: list[object] = [
        "" if call.incoming else "acc1", call.caller, call.callee, "from-trunk" if call.incoming else "internal",
        caller_id, source, target, lastapp, f"PJSIP/{call.callee}@carrier,60,tTr", local(call.asked), answer,
        local(call.end), call.seconds + 5, call.seconds, disposition, "DOCUMENTATION",
    ]  # fmt: skip
    return fields, f"{_uniqueid(call)} {target} {answer}"


def freeswitch() -> dict[str, list[Line]]:
    """Master.csv by the template `example`, and the same calls as documents of mod_json_cdr."""
    records: list[Line] = [
        (quoted(_freeswitch_fields(call)), native(call, call.uuid, "acc1", exact=False, directed=False))
        for call in CALLS
    ]
    normal = _freeswitch_fields(CALLS[13])
    normal[9] = "NORMAL_CLEARING"
    broken = _freeswitch_fields(CALLS[0])
    broken[5] = "2026-10-01"
    records += [
        (quoted(normal), Outcome("skipped", "unanswered")),
        (quoted(broken), MALFORMED),
        (quoted(broken[:9]), MALFORMED),
        (quoted(_freeswitch_fields(CALLS[0])).replace("Jan Peeters", 'Jan "Jef" Peeters'), MALFORMED),
    ]
    documents: list[Line] = [(_document(call), native(call, call.uuid, "acc1", directed=False)) for call in CALLS]
    documents += [
        (_document(CALLS[0], encoded=False), native(CALLS[0], CALLS[0].uuid, "acc1", directed=False)),
        (_document(CALLS[0], direction="outbound"), Outcome("skipped", "B leg")),
        ('{"core-uuid":"1","variables":{"uuid":"cut', MALFORMED),
        ('{"core-uuid":"1","variables":{}}', MALFORMED),
    ]
    return {"freeswitch/Master.csv": records, "freeswitch/calls.cdr.json": documents}


def _freeswitch_fields(call: Call) -> list[object]:
    return [
        call.name, call.caller, call.callee, "default", local(call.asked), local(call.answer) if call.answer else "",
        local(call.end), str(call.seconds + 5), str(call.seconds),
        "NORMAL_CLEARING" if call.answer else "NO_ANSWER", call.uuid, "", "acc1", "PCMA", "PCMA",
    ]  # fmt: skip


def _document(call: Call, *, direction: str = "inbound", encoded: bool = True) -> str:
    """A document of mod_json_cdr with what matters of it; the values are URL-encoded by default."""
    answer = call.answer

    def value(text: str) -> str:
        return quote(text, safe="") if encoded else text

    variables = {
        "uuid": call.uuid, "accountcode": "acc1", "billsec": str(call.seconds), "billmsec": str(call.seconds * 1000),
        "answer_stamp": local(answer) if answer else "",
        "answer_epoch": str(int(answer.timestamp())) if answer else "0",
        "answer_uepoch": f"{int(answer.timestamp())}000000" if answer else "0", "hangup_cause": "NORMAL_CLEARING",
        "caller_id": f'"{call.name}" <{call.caller}>',
    }  # fmt: skip
    profile = {"caller_id_number": value(call.caller), "destination_number": value(call.callee)}
    document = {
        "core-uuid": "a5c9f6c0-e752-11e3-8bfb-65b6c3cdac7d",
        "channel_data": {"state": "CS_REPORTING", "direction": direction},
        "variables": {name: value(text) for name, text in variables.items()},
        "callflow": [{"caller_profile": profile}],
    }
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False)


FUSIONPBX = (
    "xml_cdr_uuid", "extension_uuid", "direction", "leg", "originating_leg_uuid", "caller_id_name", "caller_id_number",
    "caller_destination", "destination_number", "start_stamp", "answer_stamp", "answer_epoch", "end_stamp", "duration",
    "billsec", "billmsec", "last_app", "hangup_cause",
)  # fmt: skip


def fusionpbx() -> dict[str, list[Line]]:
    """v_xml_cdr as CSV with a header, and as newline-delimited JSON."""
    rows = [(_fusionpbx_row(call), native(call, call.uuid, "ext-101")) for call in CALLS]
    first = _fusionpbx_row(CALLS[0])
    sent_on = CALLS[18]
    no_epoch = first | {"answer_epoch": "", "answer_stamp": "2026-10-01 10:00:00+02"}
    rows += [
        (first | {"direction": "local"}, Outcome("skipped", "internal call")),
        (first | {"leg": "b"}, Outcome("skipped", "B leg")),
        (first | {"originating_leg_uuid": CALLS[1].uuid}, Outcome("skipped", "leg made by another leg")),
        (first | {"last_app": "voicemail"}, Outcome("skipped", "voicemail")),
        (_fusionpbx_row(sent_on) | {"destination_number": "101", "caller_destination": sent_on.callee},
         native(sent_on, sent_on.uuid, "ext-101")),
        (no_epoch, native(CALLS[0], CALLS[0].uuid, "ext-101")),
        (first | {"billsec": "", "billmsec": "60001"}, native(CALLS[0], CALLS[0].uuid, "ext-101")),
        (first | {"direction": "sideways"}, MALFORMED),
        (first | {"answer_epoch": "", "answer_stamp": "yesterday"}, MALFORMED),
    ]  # fmt: skip
    as_csv: list[Line] = [(plain(list(FUSIONPBX)), None)]
    as_csv += [(plain([row[name] for name in FUSIONPBX]), outcome) for row, outcome in rows]
    as_csv.append(("1,2,3", MALFORMED))
    as_json: list[Line] = [
        (json.dumps({name: text or None for name, text in row.items()}, ensure_ascii=False), outcome)
        for row, outcome in rows
    ]
    return {"fusionpbx/v_xml_cdr.csv": as_csv, "fusionpbx/v_xml_cdr.ndjson": as_json}


def _fusionpbx_row(call: Call) -> dict[str, str]:
    answer = call.answer
    return dict(
        zip(
            FUSIONPBX,
            (
                call.uuid, "ext-101", "inbound" if call.incoming else "outbound", "a", "", call.name, call.caller, "",
                call.callee, f"{call.asked:%Y-%m-%d %H:%M:%S}+00", f"{answer:%Y-%m-%d %H:%M:%S}+00" if answer else "",
                str(int(answer.timestamp())) if answer else "", f"{call.end:%Y-%m-%d %H:%M:%S}+00",
                str(call.seconds + 5), str(call.seconds), str(call.seconds * 1000), "bridge", "NORMAL_CLEARING",
            ),
            strict=True,
        )
    )  # fmt: skip


def broadworks() -> dict[str, list[Line]]:
    """A file of the accounting: a version line, records of two lengths."""
    lines: list[Line] = [("version=22.0 encoding=UTF-8", None)]
    lines += [(plain(_broadworks_fields(call)), native(call, _record_id(call))) for call in CALLS]
    first = _broadworks_fields(CALLS[0])
    longer = [*first, *[""] * 28, "public", "1:2"]
    fraction = native(CALLS[0], _record_id(CALLS[0]))
    lines += [
        (plain(longer), fraction),
        (plain([*first, *[""] * 28, "private"]), Outcome("skipped", "internal call")),
        (plain([*first[:2], "Start", *first[3:]]), Outcome("skipped", "not a record of type Normal")),
        (plain([*first[:11], "Yes-PostRedirection", *first[12:]]), fraction),
        (plain([*first[:13], "20261001080100.001"]), fraction),
        (plain([*first[:11], "Perhaps", *first[12:]]), MALFORMED),
        (plain([*first[:13], "20261001075959.000"]), MALFORMED),
        (plain([*first[:12], "", first[13]]), MALFORMED),
        (plain(first[:9]), MALFORMED),
    ]
    return {"broadworks/BW-CDR-20261031.csv": lines}


def _record_id(call: Call) -> str:
    return f"{call.number:010d}0050569B0BB220261031.1+000000"


def _broadworks_fields(call: Call) -> list[object]:
    answer = call.answer
    return [
        _record_id(call), "Easy, SA", "Normal", "+3225550101", "+3225550100",
        "Terminating" if call.incoming else "Originating", call.caller, "Public", call.callee,
        f"{call.asked:%Y%m%d%H%M%S}.314", "1+020000", "Yes" if answer else "No",
        f"{answer:%Y%m%d%H%M%S}.000" if answer else "", f"{call.end:%Y%m%d%H%M%S}.000",
    ]  # fmt: skip


CDRS = (
    "cdr_id", "src_username", "src_domain", "dst_username", "dst_domain", "dst_ousername", "call_start_time",
    "duration", "sip_call_id", "sip_from_tag", "sip_to_tag", "src_ip",
)  # fmt: skip
ACC = ("id", "method", "from_tag", "to_tag", "callid", "sip_code", "sip_reason", "time", "src_user", "dst_user")


def kamailio() -> dict[str, list[Line]]:
    """The tables cdrs and acc as CSV with a header."""
    answered = [call for call in CALLS if call.answer]
    cdrs: list[Line] = [(plain(list(CDRS)), None)]
    cdrs += [
        (
            plain([
                call.number, call.caller, "easy.example", call.callee, "carrier.example", "+spoofed",
                local(call.answer), call.seconds, f"{call.number}@easy", "f", "t", "192.0.2.1",
            ]),
            native(call, f"{call.number}@easy f t", exact=False, directed=False),
        )
        for call in answered if call.answer
    ]  # fmt: skip
    cdrs += [
        (plain([1, "a", "", "b", "", "", "0000-00-00 00:00:00", 1, "x", "f", "t", ""]), MALFORMED),
        (plain([1, "a", "", "b"]), MALFORMED),
    ]
    acc: list[Line] = [(plain(list(ACC)), None)]
    for call in CALLS:
        if call.answer is None:
            acc.append((_acc(call, "INVITE", 486, call.asked), Outcome("skipped", "unanswered")))
            continue
        outcome = native(call, f"{call.number}@easy f t", exact=False, directed=False)
        acc.append((_acc(call, "INVITE", 200, call.answer), _acc_outcome(call, outcome)))
    # The one that is called hangs up: the tags of the BYE stand the other way round.
    acc += [
        (_acc(call, "BYE", 200, call.end, ("f", "t") if call.number % 2 else ("t", "f")), _BYE) for call in answered
    ]
    first = replace(CALLS[0], number=40)
    acc += [
        (_acc(CALLS[0], "INVITE", 200, at(1, 8, 0, 30)), Outcome("skipped", "later INVITE of a call")),
        (_acc(CALLS[0], "BYE", 200, at(1, 8, 2)), _BYE),
        (_acc(first, "INVITE", 200, at(1)), MALFORMED),
        (_acc(first, "MESSAGE", 200, at(1)), Outcome("skipped", "neither INVITE nor BYE")),
        (_acc(replace(first, number=41), "BYE", 200, at(1)), _BYE),
        (plain([1, "INVITE", "f", "t"]), MALFORMED),
    ]
    return {"kamailio/cdrs.csv": cdrs, "kamailio/acc.csv": acc}


_BYE = Outcome("skipped", "BYE, the end of a call")


def _acc(call: Call, method: str, code: int, moment: datetime, tags: tuple[str, str] = ("f", "t")) -> str:
    return plain([
        call.number, method, *tags, f"{call.number}@easy", code, "OK", local(moment), call.caller, call.callee,
    ])  # fmt: skip


def _acc_outcome(call: Call, outcome: Outcome) -> Outcome:
    """The call of a day ends by the clock of the day after; the second of the repeated hours cannot be told."""
    return replace(outcome, duration_s=str(call.seconds))


CUCM = (
    "cdrRecordType", "globalCallID_callManagerId", "globalCallID_callId", "dateTimeOrigination", "callingPartyNumber",
    "callingPartyUnicodeLoginUserID", "originalCalledPartyNumber", "finalCalledPartyNumber", "dateTimeConnect",
    "dateTimeDisconnect", "pkid", "duration", "origDeviceName", "destDeviceName",
)  # fmt: skip
CUCM_TYPES = (
    "INTEGER", "INTEGER", "INTEGER", "INTEGER", "VARCHAR(50)", "VARCHAR(128)", "VARCHAR(50)", "VARCHAR(50)", "INTEGER",
    "INTEGER", "UNIQUEIDENTIFIER", "INTEGER", "VARCHAR(129)", "VARCHAR(129)",
)  # fmt: skip


def cucm() -> dict[str, list[Line]]:
    """A CDR file: its second line names the types."""
    lines: list[Line] = [(quoted(list(CUCM)), None), (",".join(CUCM_TYPES), None)]
    lines += [(quoted(_cucm_fields(call)), _of_cucm(call)) for call in CALLS]
    first = _cucm_fields(CALLS[0])
    plus = [*first[:4], "\\+3225550101", *first[5:7], "\\+33142685300", *first[8:]]
    lines += [
        (quoted(plus), _of_cucm(CALLS[0])),
        (quoted([*first[:13], "SEP00059A3C7A02"]), Outcome("skipped", "internal call")),
        (quoted([*first[:13], "CiscoUM1-VI1"]), Outcome("skipped", "voicemail")),
        (quoted([*first[:7], "b00105401002", *first[8:]]), Outcome("skipped", "conference bridge")),
        (quoted([2, *first[1:]]), Outcome("skipped", "not the record of a call's end")),
        (quoted([*first[:8], "soon", *first[9:]]), MALFORMED),
        (quoted(first[:5]), MALFORMED),
    ]
    return {"cucm/cdr_Cluster1_01_202610312359_1": lines}


def _of_cucm(call: Call) -> Outcome:
    return native(call, f"pkid-{call.number}", "" if call.incoming else "jan, peeters")


def _cucm_fields(call: Call) -> list[object]:
    phone, trunk = "SEP00059A3C7A01", "SIP-Carrier"
    return [
        1, 1, call.number, int(call.asked.timestamp()), call.caller, "jan, peeters", call.callee, call.callee,
        int(call.answer.timestamp()) if call.answer else 0, int(call.end.timestamp()), f"pkid-{call.number}",
        call.seconds, trunk if call.incoming else phone, phone if call.incoming else trunk,
    ]  # fmt: skip


def three_cx() -> dict[str, list[Line]]:
    """cdr.log with the fields in the order in which they are offered, and from some line on all of them."""
    lines: list[Line] = [(plain(_three_cx_fields(call)), _of_three_cx(call)) for call in CALLS]
    first = _three_cx_fields(CALLS[0])
    sent_on = _three_cx_fields(CALLS[18])
    sent_on[8], sent_on[13] = "Ext.101", "+33142685300"
    forwarded = replace(_of_three_cx(CALLS[18]), direction="outgoing", callee="+33142685300", user_id="101")
    lines += [
        (plain([*first, "Extension", "External", "External", "Peeters, Jan"]), _of_three_cx(CALLS[0])),
        (plain([*first[:4], "2026.10.01 08:00:00", *first[5:]]),
         replace(_of_three_cx(CALLS[0]), call_id="00000C21DE5C2470_1 2026.10.01 08:00:00")),
        (plain([*first[:8], "Ext.102", *first[9:13], "Ext.102", *first[14:]]), Outcome("skipped", "internal call")),
        (plain([*first[:13], "VMail.102", *first[14:]]), Outcome("skipped", "voicemail")),
        (plain(sent_on), forwarded),
        (plain([*first[:2], "a minute", *first[3:]]), MALFORMED),
        (plain([*first[:4], "2026/13/01 08:00:00", *first[5:]]), MALFORMED),
        (plain(first[:12]), MALFORMED),
    ]  # fmt: skip
    return {"3cx/cdr.log": lines}


def _of_three_cx(call: Call) -> Outcome:
    answer = f"{call.answer:%Y/%m/%d %H:%M:%S}" if call.answer else ""
    outcome = native(call, f"00000C21DE5C2470_{call.number} {answer}", "" if call.incoming else "101")
    caller = call.caller if call.incoming else "101"
    callee = "101" if call.incoming else call.callee
    return outcome if outcome.verdict == "skipped" else replace(outcome, caller=caller, callee=callee)


def _three_cx_fields(call: Call) -> list[object]:
    hours, rest = divmod(call.seconds, 3600)
    duration = f"{hours:02}:{rest // 60:02}:{rest % 60:02}" if call.answer else ""
    inside = "Ext.101"
    source, target = (call.caller, inside) if call.incoming else (inside, call.callee)
    dns = ("10000", "101") if call.incoming else ("101", "10000")
    return [
        f"Call {call.number}", f"00000C21DE5C2470_{call.number}", duration, f"{call.asked:%Y/%m/%d %H:%M:%S}",
        f"{call.answer:%Y/%m/%d %H:%M:%S}" if call.answer else "", f"{call.end:%Y/%m/%d %H:%M:%S}", "TerminatedBySrc",
        source, target, *dns, target, "", target, dns[1], "", "", "", "", f"Chain: {source};{target};",
    ]  # fmt: skip


DESCRIBED = """\
# Calls of a switch that writes semicolons, its own times and words.
separator = ";"
timezone = "Europe/Brussels"

[columns]
call_id = ["Switch", "Ref"]
start = ["Day", "Time"]
direction = "Way"
caller = "From"
callee = "To"
duration_s = "Talk time"

[constants]
user_id = "u1"

[formats]
start = "%d/%m/%Y %H:%M:%S"
duration_s = "hh:mm:ss"

[words.direction]
OUT = "outgoing"
IN = "incoming"

[[skip]]
column = "Status"
is = ["BUSY", "NOANSWER"]
reason = "unanswered"

[[skip]]
column = "To"
matches = "^\\\\*"
reason = "service code"
"""


def other() -> dict[str, list[Line]]:
    """A CSV of no platform, with its description."""
    lines: list[Line] = [("Switch;Ref;Day;Time;Way;Name;From;To;Talk time;Status", None)]
    lines += [(_other(call), native(call, f"sw1 {call.number}", "u1", exact=False)) for call in CALLS]
    first = CALLS[0]
    lines += [
        (_other(replace(first, callee="*97")), Outcome("skipped", "service code")),
        (_other(first, way="BOTH"), MALFORMED),
        (_other(first, talk="61"), MALFORMED),
        (_other(first, day="2026-10-01"), MALFORMED),
        ("sw1;1;01/10/2026", MALFORMED),
    ]
    return {"other/calls.csv": lines}


def _other(call: Call, *, way: str = "", talk: str = "", day: str = "") -> str:
    answer = (call.answer or call.asked).astimezone(BRUSSELS)
    hours, rest = divmod(call.seconds, 3600)
    text = io.StringIO()
    csv.writer(text, delimiter=";", lineterminator="").writerow([
        "sw1", call.number, day or f"{answer:%d/%m/%Y}", f"{answer:%H:%M:%S}",
        way or ("IN" if call.incoming else "OUT"), call.name, call.caller, call.callee,
        talk or f"{hours:02}:{rest // 60:02}:{rest % 60:02}", "OK" if call.answer else "BUSY",
    ])  # fmt: skip
    return text.getvalue()


PLATFORMS = (asterisk, freeswitch, fusionpbx, broadworks, kamailio, cucm, three_cx, other)


def main() -> None:
    """Write the samples, and what each record is to become."""
    rows = []
    for platform in PLATFORMS:
        for name, lines in platform().items():
            path = HERE / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes("".join(f"{line}\n" for line, _ in lines).encode())
            rows += [_outcome_row(name, number, found) for number, (_, found) in enumerate(lines, 1) if found]
    (HERE / "other" / "calls.toml").write_text(DESCRIBED, encoding="utf-8")
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(OUTCOME)
    writer.writerows(rows)
    (HERE / "expected.csv").write_bytes(text.getvalue().encode())


def _outcome_row(name: str, number: int, outcome: Outcome) -> list[object]:
    start = f"{outcome.start:%Y-%m-%dT%H:%M:%SZ}" if outcome.start else ""
    return [
        name, number, outcome.verdict, outcome.reason, outcome.call_id, start, outcome.direction, outcome.caller,
        outcome.callee, outcome.duration_s, outcome.user_id,
    ]  # fmt: skip


if __name__ == "__main__":
    main()

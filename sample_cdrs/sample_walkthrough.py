"""The sample's calls that show one rule each; the README of this folder says what each of them costs.

A call is `rule-number`, with the user and the number it is made from; `R-PERIOD` is `period-01` and so on.
"""

from __future__ import annotations

from sample_parties import BACKDATED_NUMBER, FREEPHONE_NUMBER, MAIN_NUMBERS, MOVED_NUMBER
from sample_traffic import Cdr

FIXED = "+3281090011"
FIXED_2 = "+3221900022"
MOBILE = "+32481000001"
GERMAN = "+493023125077"
KOSOVO = "+38338011223"
NOBODY = "+3243099999"


def _out(
    call_id: str,
    start: str,
    user: str,
    callee: str,
    duration: str | int,
    *,
    arrives: int = -1,
    caller: str = "",
) -> Cdr:
    """An outgoing call of a user from the user's own number."""
    return Cdr(
        call_id,
        start,
        "outgoing",
        caller or _number_of(user),
        callee,
        str(duration),
        user,
        arrives=arrives,
    )


def _number_of(user: str) -> str:
    letters, number = user.split("-")
    heads = {"ate": "+3242010", "cli": "+3281010", "eup": "+3287020", "sch": "+3231030", "meu": "+3285040"}
    heads |= {"han": "+3281020", "eua": "+3221050", "lib": "+3287070"}
    return f"{heads[letters]}{100 + int(number)}"


def _in(call_id: str, start: str, caller: str, callee: str, duration: int, *, user: str = "") -> Cdr:
    return Cdr(call_id, start, "incoming", caller, callee, str(duration), user)


PACKS = [
    # C007: 60 minutes; 3500 s drawn, then 161 s of which 100 are left.
    *(_out(f"pack-{day:02}", f"2026-09-{day:02}T09:00:00Z", "han-001", FIXED, 700) for day in range(1, 6)),
    _out("pack-06", "2026-09-07T09:00:00Z", "han-001", FIXED, 161),
    _out("pack-07", "2026-10-05T09:00:00Z", "han-001", FIXED, 1000),
    _out("pack-08", "2026-10-06T09:00:00Z", "han-001", MOBILE, 600),
    # C003: a pack taken on 10 October, 4258 s.
    _out("pack-11", "2026-10-08T08:15:00Z", "eup-001", GERMAN, 300),
    _out("pack-12", "2026-10-12T08:15:00Z", "eup-001", GERMAN, 3000),
    _out("pack-13", "2026-10-16T08:15:00Z", "eup-003", GERMAN, 1200),
    _out("pack-14", "2026-10-22T08:15:00Z", "eup-003", GERMAN, 118),
    _out("pack-15", "2026-10-23T08:15:00Z", "eup-001", GERMAN, 100),
    # C009: the minutes of the user first, then those of the customer.
    _out("pack-21", "2026-09-01T06:10:00Z", "eua-001", FIXED_2, 3500),
    _out("pack-22", "2026-09-01T07:20:00Z", "eua-001", FIXED_2, 3500),
    _out("pack-23", "2026-09-01T08:30:00Z", "eua-001", MOBILE, 500),
    _out("pack-24", "2026-09-02T08:30:00Z", "eua-007", MOBILE, 5000),
    _out("pack-25", "2026-09-02T10:30:00Z", "eua-001", "+32902" + "0100", 60),
]
PRICES = [
    _out("second-01", "2026-09-08T09:00:00Z", "han-001", FIXED, 60),
    _out("second-02", "2026-09-08T09:05:00Z", "han-001", FIXED, 61),
    _out("second-03", "2026-09-08T09:10:00Z", "han-001", FIXED, 1),
    _out("second-04", "2026-09-08T09:15:00Z", "han-001", FIXED, "60.2"),
    _out("second-05", "2026-09-08T09:20:00Z", "han-001", "+329050100", 10),
    _out("increment-01", "2026-09-08T09:00:00Z", "ate-013", MOBILE, 13),
    _out("increment-02", "2026-09-08T09:05:00Z", "ate-013", MOBILE, 75),
    _out("emergency-01", "2026-09-09T09:00:00Z", "han-001", "112", 60),
    _out("emergency-02", "2026-09-09T09:05:00Z", "han-001", "107", 600),
    _out("emergency-03", "2026-09-09T09:20:00Z", "han-001", "+3280000901", 120),
]
ZONES = [
    _out("zone-01", "2026-09-10T09:00:00Z", "ate-012", KOSOVO, 120),
    _out("zone-02", "2026-09-10T09:05:00Z", "ate-012", "1234", 30),
    _out("zone-03", "2026-09-10T09:10:00Z", "ate-012", "+441632960001", 60),
    _out("zone-04", "2026-09-10T09:15:00Z", "ate-012", "+447700900001", 60),
    _out("zone-05", "2026-09-10T09:20:00Z", "ate-012", "1307", 60),
    _out("onnet-01", "2026-09-11T09:00:00Z", "ate-001", _number_of("ate-002"), 300),
    _out("onnet-02", "2026-09-11T09:10:00Z", "ate-003", MAIN_NUMBERS["C009"], 60),
    _out("onnet-03", "2026-09-11T09:20:00Z", "cli-001", "+3242010161", 60),
    _in("inbound-01", "2026-09-14T09:00:00Z", FIXED_2, FREEPHONE_NUMBER, 120),
    _in("inbound-02", "2026-09-14T09:05:00Z", MOBILE, FREEPHONE_NUMBER, 90),
    _in("inbound-03", "2026-09-14T09:10:00Z", "anonymous", FREEPHONE_NUMBER, 60),
    _in("inbound-04", "2026-09-14T09:15:00Z", "+33199000188", FREEPHONE_NUMBER, 30),
    _in("inbound-05", "2026-09-14T09:20:00Z", "+12025550143", FREEPHONE_NUMBER, 60),
    _in("inbound-06", "2026-09-14T09:25:00Z", MOBILE, _number_of("cli-001"), 600),
    _out("inbound-07", "2026-09-14T09:30:00Z", "ate-030", FREEPHONE_NUMBER, 45),
    _in("inbound-08", "2026-09-14T09:30:00Z", _number_of("ate-030"), FREEPHONE_NUMBER, 45),
]
OWNERS = [
    _out("owner-01", "2026-09-15T09:00:00Z", "ate-020", MOBILE, 60, caller=_number_of("ate-021")),
    _out("owner-02", "2026-09-15T09:05:00Z", "ate-999", MOBILE, 60, caller=_number_of("ate-022")),
    _out("owner-03", "2026-09-15T09:10:00Z", "ate-061", MOBILE, 60, caller=_number_of("ate-023")),
    Cdr("owner-04", "2026-09-15T09:15:00Z", "", MAIN_NUMBERS["C001"], MOBILE, "60"),
    _in("owner-05", "2026-09-15T09:20:00Z", MOBILE, _number_of("ate-024"), 60, user="bak-001"),
    Cdr("owner-06", "2026-09-15T09:25:00Z", "outgoing", NOBODY, MOBILE, "60"),
    Cdr("owner-07", "2026-09-15T09:30:00Z", "outgoing", BACKDATED_NUMBER, MOBILE, "60"),
    _out("owner-08", "2026-09-12T09:00:00Z", "lux-001", MOBILE, 60, caller=MAIN_NUMBERS["C008"]),
    _out("owner-09", "2026-08-31T21:30:00Z", "ate-025", MOBILE, 60, arrives=0),
    Cdr("owner-10", "2026-10-11T21:59:59Z", "outgoing", MOVED_NUMBER, MOBILE, "60"),
    Cdr("owner-11", "2026-10-11T22:00:00Z", "outgoing", MOVED_NUMBER, MOBILE, "60"),
    _out("owner-12", "2026-10-31T10:00:00Z", "lib-001", MOBILE, 60),
    _out("owner-13", "2026-11-16T08:00:00Z", "meu-001", MOBILE, 60),
    _out("spoof-01", "2026-09-16T09:00:00Z", "ate-005", MOBILE, 60, caller=MAIN_NUMBERS["C009"]),
    _out("spoof-02", "2026-09-16T09:05:00Z", "ate-006", MOBILE, 60, caller=NOBODY),
]
PERIODS = [
    _out("period-01", "2026-09-30T21:59:59Z", "ate-010", MOBILE, 60),
    _out("period-02", "2026-09-30T22:30:00Z", "ate-010", MOBILE, 60, arrives=0),
    _out("period-03", "2026-10-14T21:59:59Z", "ate-010", MOBILE, 60),
    _out("period-04", "2026-10-14T22:00:00Z", "ate-010", MOBILE, 60),
    _out("period-05", "2026-10-25T02:30:00+02:00", "ate-010", MOBILE, 60),
    _out("period-06", "2026-10-25T02:30:00+01:00", "ate-010", MOBILE, 60),
    _out("period-07", "2026-10-25T00:59:59Z", "ate-010", MOBILE, 60),
    _out("period-08", "2026-10-25T01:00:00Z", "ate-010", MOBILE, 60),
    _out("period-09", "2026-10-31T22:59:59Z", "ate-010", MOBILE, 60),
    _out("period-10", "2026-10-31T23:30:00Z", "ate-010", MOBILE, 60, arrives=1),
]
LATE = [
    _out("late-01", "2026-09-29T09:00:00Z", "han-001", FIXED, 30, arrives=1),
    _out("late-02", "2026-10-13T09:00:00Z", "han-001", FIXED, 3000, arrives=2),
    _out("late-03", "2026-10-29T09:00:00Z", "lib-002", "112", 30, arrives=2),
    _out("retro-01", "2026-09-11T09:00:00Z", "sch-016", MOBILE, 60),
    _out("retro-02", "2026-09-14T09:00:00Z", "sch-016", FIXED, 60),
]
VERSIONS = [
    # C004: the standard deck, then the business deck, then that deck's second version.
    _out("notice-01", "2026-10-09T21:59:59Z", "sch-001", MOBILE, 60),
    _out("notice-02", "2026-10-09T22:00:00Z", "sch-001", MOBILE, 60),
    _out("notice-03", "2026-10-14T22:00:00Z", "sch-001", MOBILE, 60),
]
SUSPENDED = [
    _out("suspended-01", "2026-10-21T09:00:00Z", "meu-001", MOBILE, 60),
    _out("suspended-02", "2026-10-21T09:05:00Z", "meu-001", "112", 60),
]
RECORDS = [
    _out("record-01", "2026-09-08T10:00:00Z", "ate-014", MOBILE, "12.2"),
    # The same call in another notation: a duplicate.
    Cdr("record-01", "2026-09-08T12:00:00+02:00", "", "042010114", "0481 00 00 01", "13", "ate-014", arrives=1),
    _out("record-02", "2026-09-08T10:05:00Z", "ate-014", MOBILE, 30),
    # Another length: a conflict, the first stands.
    _out("record-02", "2026-09-08T10:05:00Z", "ate-014", MOBILE, 300, arrives=1),
    _out("record-03", "2026-09-08T10:10:00Z", "ate-014", MOBILE, "0.0"),
    _out("record-04", "2026-09-08T10:11:00Z", "ate-014", MOBILE, "0.4"),
    # The switch's clock is a year ahead.
    _out("record-05", "2027-09-08T10:00:00Z", "ate-014", MOBILE, 60, arrives=0),
    _out("record-11", "2026-09-08T10:20:00", "ate-014", MOBILE, 60, arrives=0),
    _out("record-12", "2026-09-09T10:20:00Z", "ate-014", MOBILE, 86401, arrives=0),
    _out("record-13", "2026-09-10T10:20:00Z", "ate-014", "anonymous", 60, arrives=0),
    _out("record-14", "2026-10-06T10:20:00Z", "ate-014", MOBILE, "-5", arrives=1),
    _out("record-15", "2026-10-07T10:20:00Z", "ate-014", "reception", 60, arrives=1),
    Cdr("record-16", "2026-10-08T10:20:00Z", "both", MOBILE, "+3242010114", "60", arrives=1),
    _out("", "2026-10-09T10:20:00Z", "ate-014", MOBILE, 60, arrives=1),
    _out("record-18", "2026-10-09T10:25:61Z", "ate-014", MOBILE, 60, arrives=1),
    _out("record-19", "2026-11-10T10:20:00Z", "ate-014", MOBILE, "60s", arrives=2),
]
WALKTHROUGH = [*PACKS, *PRICES, *ZONES, *OWNERS, *PERIODS, *LATE, *VERSIONS, *SUSPENDED, *RECORDS]

# A second switch writes a decimal comma, so that its rows have a field too many; its last line was cut.
SECOND_SWITCH = [
    f"ast2-10-{nth:05},2026-10-19T09:{nth:02}:00Z,outgoing,+3242010{101 + nth},{MOBILE},{20 + nth},5,"
    for nth in range(28)
]
CUT_LINE = "ast2-10-00099,2026-10-19T10:00:00Z,outgoing,+3242010101,+32481000001,60"
# A null byte, a byte that is no UTF-8, too few fields.
BROKEN_LINES = [
    b"record-21,2026-10-05T09:00:00Z,outgoing,+3242010101,+32481\x00000001,60,",
    b"record-22,2026-10-05T09:01:00Z,outgoing,+3242010101,+32481000001,60,r\xe9ception",
    b"record-23,2026-10-05T09:02:00Z,outgoing,+3242010101",
]
BROKEN_JSON = '{"call_id": "record-24", "start": "2026-10-15T09:00:00Z", "direction": "outg'

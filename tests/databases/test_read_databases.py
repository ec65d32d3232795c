"""`centime read --database`: records as PostgreSQL has them, from the watermark on, each in exactly one place."""

from __future__ import annotations

import json
import threading
import time
from typing import TYPE_CHECKING

import pytest

from tests.cli.program import Place, Told, bytes_of, make_place
from tests.databases.server import OWNER, PASSWORDS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.databases.server import Server

COUNTS = ("records", "accepted", "unanswered", "duplicate", "quarantined", "skipped")
NIGHT = "2026-11-02T02:00:00Z"
MANY = 100_000
# A call a second from 1 October on, of which every fifth was not answered and every fiftieth is between extensions.
ASTERISK = """
insert into cdr (accountcode, src, dst, dcontext, clid, channel, dstchannel, lastapp, start, answer, "end", duration,
  billsec, disposition, amaflags, uniqueid, linkedid, sequence)
select 'u1', '025550101', '0033142685300', 'one', '', 'PJSIP/one-101-' || i,
  case when i % 50 = 0 then 'PJSIP/102-' || i else 'PJSIP/carrier-' || i end, 'Dial', at,
  case when i % 5 <> 1 then at + interval '3 seconds' end, at + interval '64 seconds', 64,
  case when i % 5 <> 1 then 61 else 0 end, case when i % 5 <> 1 then 'ANSWERED' else 'BUSY' end, 'DOCUMENTATION',
  extract(epoch from at)::bigint || '.' || i, extract(epoch from at)::bigint || '.' || i, i
from (select i, timestamp '2026-10-01 00:00:00' + i * interval '1 second' as at
  from generate_series({first}, {last}) as i) as calls;
update cdr set dst = '102' where dstchannel like 'PJSIP/102-%';
"""

# A record whose stamps lie ahead of the clock.
AHEAD = """
insert into cdr (start, answer, "end", disposition, billsec, src, dst, dstchannel, uniqueid, linkedid)
values ('2031-01-01', '2031-01-01', '2031-01-01', 'ANSWERED', 1, '025550101', '0033142685300', 'PJSIP/carrier-1', '1.1',
  '1.1');
"""
# The server rests at a record, when most of the others are on their way.
SLOW = """
alter table cdr rename to records;
create function slow(i integer) returns varchar language plpgsql as $$
begin if i = 90000 then perform pg_sleep(20); end if; return ''; end $$;
create view cdr as select accountcode, src, dst, dcontext, clid, channel, dstchannel, lastapp, lastdata, start, answer,
  "end", duration, billsec, disposition || slow(sequence) as disposition, amaflags, userfield, uniqueid, linkedid,
  peeraccount, sequence from records;
grant select on cdr to reader;
"""
CUT = """
select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'centime' and wait_event = 'PgSleep';
"""
FREEPBX = """
create table cdr (calldate timestamp, clid varchar(80), src varchar(80), dst varchar(80), dcontext varchar(80),
  channel varchar(80), dstchannel varchar(80), lastapp varchar(80), lastdata varchar(80), duration integer,
  billsec integer, disposition varchar(45), amaflags integer, accountcode varchar(20), uniqueid varchar(32),
  userfield varchar(255), linkedid varchar(32), peeraccount varchar(80), sequence integer);
grant select on cdr to reader;
insert into cdr values ('2026-10-25 02:30:00', '"One" <+3225550101>', '', '+33142685300', 'one', 'PJSIP/one-101-1',
  'PJSIP/carrier-1', 'Dial', '', 72, 60, 'ANSWERED', 3, 'u1', '1792891800.7', '', '1792891800.7', '', 1);
"""
FUSIONPBX = """
insert into v_xml_cdr (xml_cdr_uuid, direction, caller_id_number, destination_number, start_stamp, answer_stamp,
  answer_epoch, end_stamp, billsec, billmsec, leg)
select gen_random_uuid(), direction, '+3225550101', '+33142685300', at, case when answered then at end,
  case when answered then extract(epoch from at) end, at + interval '61 seconds', 61, 60400, leg
from (values ('outbound', timestamptz '2026-10-31 23:30:00+01', true, 'a'),
  ('outbound', '2026-10-31 22:30:00+00', false, 'a'), ('local', '2026-10-31 22:30:00+00', true, 'a'),
  ('outbound', '2026-10-31 22:30:00+00', true, 'b')) as found (direction, at, answered, leg);
insert into v_xml_cdr (xml_cdr_uuid) values (gen_random_uuid());
"""
ACC = """
insert into acc (method, from_tag, to_tag, callid, sip_code, time, src_user, dst_user)
values ('{}', 'f', 't', '{}', '{}', '{}', '+3225550101', '+33142685300');
"""

# As kamcli makes it, with a call that acc has too, and another.
CDRS = """
create table cdrs (cdr_id serial primary key, src_username varchar(64) default '' not null,
  src_domain varchar(128) default '' not null, dst_username varchar(64) default '' not null,
  dst_domain varchar(128) default '' not null, dst_ousername varchar(64) default '' not null,
  call_start_time timestamp not null, duration real default 0 not null, sip_call_id varchar(128) default '' not null,
  sip_from_tag varchar(128) default '' not null, sip_to_tag varchar(128) default '' not null,
  src_ip varchar(64) default '' not null, cost integer default 0 not null, rated integer default 0 not null,
  created timestamp not null);
insert into cdrs (src_username, dst_username, call_start_time, duration, sip_call_id, sip_from_tag, sip_to_tag, created)
values ('+3225550101', '+33142685300', '2026-11-01 10:00:00', 61, 'done', 'f', 't', '2026-11-01 10:02:00'),
  ('+3225550101', '+33142685300', '2026-11-01 12:00:00', 60.2, 'new', 'f', 't', '2026-11-01 12:02:00');
grant select on cdrs to reader;
"""


def read(place: Place, platform: str, url: str, *options: str, now: str = NIGHT) -> Told:
    return place.start("read", "--format", platform, "--database", url, "--now", now, "--json", *options)


def counts(told: Told) -> dict[str, int]:
    assert told.status == 0, told.stderr
    found = told.document["counts"]
    assert isinstance(found, dict)
    return {name: found[name] for name in COUNTS if found.get(name)}


def messages(told: Told) -> list[str]:
    found = told.document["messages"]
    assert isinstance(found, list)
    return found


@pytest.fixture(scope="module")
def many(postgresql: Server) -> str:
    """100,000 records of Asterisk."""
    postgresql.make("calls", "asterisk")
    postgresql.execute("calls", ASTERISK.format(first=1, last=MANY))
    return postgresql.url("calls")


def test_asterisk__a_hundred_thousand_records_and_then_what_is_new(
    postgresql: Server, many: str, tmp_path: Path
) -> None:
    place = make_place(tmp_path)
    told = read(place, "asterisk", many)
    assert counts(told) == {"records": MANY, "accepted": MANY * 39 // 50, "skipped": MANY * 11 // 50}
    (file,) = told.table("Files read")
    shown = many.split("@")[1]
    assert file["source_file"] == f"asterisk:cdr of {shown} until 2026-10-02 03:47:44"
    left_out = f"internal leg: {MANY // 50}; unanswered: {MANY // 5}"
    assert messages(told) == [f"{file['source_file']}: left out on purpose: {left_out}"]
    # Nothing new: nothing is kept, and nothing is asked for but what ended in the last hours.
    before = bytes_of(place.store)
    again = read(place, "asterisk", many)
    overlap = counts(again).get("records", 0)
    assert 0 < overlap < MANY // 8
    assert counts(again) == {
        "records": overlap,
        "duplicate": counts(again)["duplicate"],
        "skipped": counts(again)["skipped"],
    }
    third = read(place, "asterisk", many)
    assert counts(third) == {}
    assert "nothing new was recorded" in messages(third)[0]
    assert bytes_of(place.store).keys() >= before.keys()
    # The next night there are some more; one was written late, and one lies ahead of the clock.
    postgresql.execute("calls", ASTERISK.format(first=MANY + 1, last=MANY + 10))
    postgresql.execute(
        "calls", ASTERISK.format(first=MANY - 3001, last=MANY - 3001).replace("|| i, i", "|| i || '1', i")
    )
    postgresql.execute("calls", AHEAD)
    later = read(place, "asterisk", many, "--strict")
    found = counts(later)
    assert found["accepted"] == 8 + 1
    assert found["quarantined"] == 1
    assert later.table("Files read")[0]["source_file"] == f"asterisk:cdr of {shown} until 2026-10-02 03:47:54"
    whole = read(place, "asterisk", many, "--since", "2026-10-01")
    assert counts(whole)["records"] == MANY + 12
    assert "accepted" not in counts(whole)
    verified = place.start("verify", "--json")
    assert verified.status == 0, verified.stdout
    # The rows of `files` are what the events tell, and add up.
    history = place.start("history", "--json")
    assert history.table("History")[0]["subject"] == file["source_file"]


def test_connection__cut_in_the_middle_changes_nothing(postgresql: Server, many: str, tmp_path: Path) -> None:
    place = make_place(tmp_path)
    # A record that the server sleeps at, when most of the others are on their way.
    postgresql.execute("calls", SLOW)
    killed = []

    def cut() -> None:
        while not killed and time.monotonic() < until:
            if postgresql.execute("calls", CUT) == "t":
                killed.append(1)

    until = time.monotonic() + 30
    cutter = threading.Thread(target=cut)
    cutter.start()
    told = read(place, "asterisk", many)
    cutter.join()
    postgresql.execute("calls", "drop view cdr; drop function slow; alter table records rename to cdr")
    assert killed
    assert told.status == 2
    assert "the database cannot be read" in json.loads(told.stdout)["error"]
    assert not place.store.exists()
    # The same command again reads all of it.
    assert counts(read(place, "asterisk", many))["records"] == int(
        postgresql.execute("calls", "select count(*) from cdr")
    )


def test_freepbx__calldate_and_ring_time_give_the_answer(
    postgresql: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    postgresql.make("freepbx")
    postgresql.execute("freepbx", FREEPBX)
    # In the hour that is repeated, the second time: the seconds in uniqueid tell it.
    place = make_place(tmp_path)
    assert counts(read(place, "asterisk", postgresql.url("freepbx"))) == {"records": 1, "accepted": 1}
    exported = place.folder / "rated.csv"
    assert place.start("rate", "2026-10", "--platform", "platform", "--now", NIGHT).status == 0
    assert place.start("export", "rated", "2026-10", "-o", exported).status == 0
    (row,) = exported.read_text(encoding="utf-8").splitlines()[1:]
    assert "c1,u1,2026-10-25T01:30:12.000Z" in row
    # Who may change the table is told to let somebody else read it.
    monkeypatch.setenv("CENTIME_DATABASE_PASSWORD", PASSWORDS[OWNER])
    told = read(place, "asterisk", postgresql.url("freepbx", OWNER), "--strict")
    assert told.status == 1
    assert "this user may change the table cdr; give centime one that may only read it" in told.stdout
    assert PASSWORDS[OWNER] not in told.stdout + told.stderr


def test_fusionpbx__answered_calls_once_whatever_the_time_zone(postgresql: Server, tmp_path: Path) -> None:
    postgresql.make("fusioncalls", "fusionpbx")
    postgresql.execute("fusioncalls", FUSIONPBX)
    place = make_place(tmp_path)
    told = read(place, "fusionpbx", postgresql.url("fusioncalls"))
    assert counts(told) == {"records": 4, "accepted": 1, "skipped": 3}
    assert any("1 records of v_xml_cdr have no end of a call" in sentence for sentence in told.document["warnings"])
    assert told.table("Files read")[0]["source_file"].endswith("until 2026-10-31 22:31:01")
    # A day begins at its own midnight, which is 23:00 of the day before by the clock of UTC.
    postgresql.execute("fusioncalls", "update v_xml_cdr set end_stamp = end_stamp + interval '45 minutes'")
    for day, records in (("2026-11-01", 4), ("2026-11-02", 0)):
        told = read(make_place(tmp_path / day), "fusionpbx", postgresql.url("fusioncalls"), "--since", day)
        assert counts(told).get("records", 0) == records


def test_kamailio__a_call_is_read_when_it_has_ended(postgresql: Server, tmp_path: Path) -> None:
    postgresql.make("kamailio", "kamailio")
    url = postgresql.url("kamailio")

    def acc(*rows: str) -> None:
        for row in rows:
            call, method, code, at = row.split(" ", 3)
            postgresql.execute("kamailio", ACC.format(method, call, code, at))

    acc(
        "done INVITE 200 2026-11-01 10:00:00", "done BYE 200 2026-11-01 10:01:01",
        "busy INVITE 486 2026-11-01 10:00:00", "stands INVITE 200 2026-11-01 10:02:00",
    )  # fmt: skip
    place = make_place(tmp_path)
    first = read(place, "kamailio", url, now="2026-11-01T11:00:00Z")
    assert counts(first) == {"records": 3, "accepted": 1, "skipped": 2}
    acc("stands BYE 200 2026-11-01 23:00:00", "lost INVITE 200 2026-11-01 23:00:00")
    second = read(place, "kamailio", url, now=NIGHT)
    assert counts(second) == {"records": 5, "accepted": 1, "duplicate": 1, "skipped": 3}
    acc("other INVITE 200 2026-11-03 10:00:00", "other BYE 200 2026-11-03 10:00:05")
    third = read(place, "kamailio", url, now="2026-11-04T02:00:00Z")
    assert third.status in (0, 1)
    assert third.document["counts"]["quarantined"] == 1
    assert third.document["counts"]["accepted"] == 1
    # Where there is a table of whole calls, it is read; a call that came from the other one is the same call.
    postgresql.execute("kamailio", CDRS)
    whole = read(place, "kamailio", url, now="2026-11-04T02:00:00Z")
    assert counts(whole) == {"records": 2, "accepted": 1, "duplicate": 1}
    assert whole.table("Files read")[0]["source_file"].endswith("until 2026-11-01 12:01:00")


def test_refused__databases_and_options(many: str, tmp_path: Path) -> None:
    place = make_place(tmp_path)
    for arguments, words in (
        (["--format", "asterisk", "--database", many, "cdrs"], "expected either files, or --database"),
        (["--format", "asterisk"], "expected either files, or --database"),
        (["cdrs", "--since", "2026-10-01"], "expected either files, or --database"),
        (["--format", "broadworks", "--database", many], "a database is read as asterisk, fusionpbx, kamailio"),
        (["--database", many], "a database is read as asterisk, fusionpbx, kamailio"),
        (["--format", "kamailio", "--database", many], "there is no table of kamailio that this user may read"),
        (["--format", "asterisk", "--database", many, "--since", "x"], "--since x: expected a day"),
        (["--format", "asterisk", "--database", many, "--dry-run"], "--dry-run: it shows the records of files"),
    ):
        told = place.start("read", *arguments)
        assert told.status == 2, arguments
        assert words in " ".join(told.stderr.split()), told.stderr
    assert not place.store.exists()

"""Asterisk's records, endpoints and dialplan in MariaDB, read by a user who may only read."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from tests.cli.program import make_place
from tests.databases.test_read_databases import counts, read
from tests.databases.test_sync_databases import ASTERISK, begin, sync, written
from tests.platforms.mariadb import MariaDb, mariadb

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.platforms
MANY = 20_000
# The table of FreePBX, which cdr_adaptive_odbc fills: calldate is the start.
CALLS = """
create database calls; use calls;
create table cdr (calldate datetime not null, clid varchar(80), src varchar(80), dst varchar(80), dcontext varchar(80),
  channel varchar(80), dstchannel varchar(80), lastapp varchar(80), lastdata varchar(80), duration int, billsec int,
  disposition varchar(45), amaflags int, accountcode varchar(20), uniqueid varchar(32), userfield varchar(255),
  linkedid varchar(32), peeraccount varchar(80), sequence int, key (calldate));
insert into cdr select '2026-10-01 00:00:00' + interval seq second, '"José, de" <025550101>', '', '0033142685300',
  'one', concat('PJSIP/one-101-', seq), concat('PJSIP/carrier-', seq), 'Dial', '', 64, if(seq % 5 = 1, 0, 61),
  if(seq % 5 = 1, 'BUSY', 'ANSWERED'), 3, 'u1', concat(unix_timestamp('2026-10-01') + seq, '.', seq), '',
  concat(unix_timestamp('2026-10-01') + seq, '.', seq), '', seq from seq_1_to_20000;
grant select on calls.* to reader;
"""
SLOW = "rename table cdr to records; create view cdr as select * from records where sequence <> 15000 or sleep(20) = 0;"
CUT = """
select concat('kill ', id, ';') from information_schema.processlist where user = 'reader' and info like '%ended%';
"""


@pytest.fixture(scope="module")
def server() -> Iterator[MariaDb]:
    """A server that runs until the last test is done."""
    with mariadb() as started:
        yield started


def test_read__records_from_the_watermark_on_and_nothing_of_a_connection_that_was_cut(
    server: MariaDb, tmp_path: Path
) -> None:
    server.execute(CALLS)
    url = server.url("calls")
    place = make_place(tmp_path)
    server.execute(f"use calls; {SLOW}")

    def cut() -> None:
        until = time.monotonic() + 30
        while time.monotonic() < until:
            if kill := server.execute(CUT):
                time.sleep(0.3)
                server.execute(kill)
                return

    cutter = threading.Thread(target=cut)
    cutter.start()
    told = read(place, "asterisk", url)
    cutter.join()
    server.execute("use calls; drop view cdr; rename table records to cdr")
    assert told.status == 2
    assert "the database cannot be read" in told.stdout
    assert not place.store.exists()
    told = read(place, "asterisk", url)
    assert counts(told) == {"records": MANY, "accepted": MANY * 4 // 5, "skipped": MANY // 5}
    assert told.table("Files read")[0]["source_file"].endswith("/calls until 2026-10-01 05:34:24")
    server.execute(
        "use calls; insert into cdr select calldate + interval 1 day, clid, src, dst, dcontext, channel, dstchannel, "
        "lastapp, lastdata, duration, billsec, disposition, amaflags, accountcode, concat(uniqueid, '9'), userfield, "
        "concat(linkedid, '9'), peeraccount, sequence from cdr where sequence = 100"
    )
    later = counts(read(place, "asterisk", url))
    assert later["accepted"] == 1
    assert later["records"] == later["accepted"] + later["duplicate"] + later["skipped"] < MANY
    assert place.start("verify").status == 0
    # Who may change the table is told to let somebody else read it.
    server.execute("grant insert on calls.* to reader")
    assert "this user may change the table cdr" in read(place, "asterisk", url, "--strict").stdout


def test_sync__endpoints_and_extensions(server: MariaDb, tmp_path: Path) -> None:
    server.execute(
        "create database realtime; use realtime; create table ps_endpoints (id varchar(255) not null unique, "
        "context varchar(40), accountcode varchar(80)); create table extensions (id bigint primary key auto_increment, "
        "context varchar(40), exten varchar(40), priority int, app varchar(40), appdata varchar(256)); "
        f"{ASTERISK} grant select on realtime.* to reader"
    )
    told = sync(begin(tmp_path), "asterisk-realtime", server.url("realtime"))
    assert told.status == 0, told.stderr
    assert [row.split(",")[0] for row in written(tmp_path, "users")] == ["one-101", "one-102", "three-301"]
    assert written(tmp_path, "numbers")[2] == "+33142685300,c1,FR,2026-11-20,,one-102,did-fr,"

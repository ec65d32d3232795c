"""Two hundred calls that SIPp places through Kamailio, accounted in PostgreSQL, read, rated and invoiced."""

from __future__ import annotations

import csv
import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.cli.program import SMALL, Place, make_place
from tests.databases.server import OWNER, PASSWORDS
from tests.platforms.switchboard import ANSWERING, BUSY, RINGING, switchboard

if TYPE_CHECKING:
    from pathlib import Path

    from tests.databases.server import Server

CALLER = "+3225550101"
ANSWERED, REFUSED, GIVEN_UP = 150, 30, 20
# The seconds of each call by the database itself, and its Call-ID.
ACCOUNTED = """
select split_part(a.callid, ' ', 1) || ' ' || extract(epoch from b.time - a.time)::integer
from acc a join acc b on a.callid = b.callid and b.method = 'BYE' where a.method = 'INVITE' and a.sip_code = '200'
"""
TABLES = {
    "subscriptions": "subscription_id,customer_id,product_id,quantity,active_from\n",
    "packs": "product_id,scope,zones,included_minutes,priority,effective_from,notified_on\n",
    "rates": "deck_id,prefix,zone_id,price_per_minute,setup_fee,effective_from,notified_on\n"
    "d,33,FR,0.37,0,2020-01-01,2020-01-01\n",
    "charges": "charge_id,customer_id,date,description,quantity,unit_price\n",
}


def tables() -> dict[str, str]:
    """The small platform, as it has been for long."""
    return {
        name: text.replace("2026-01-01", "2020-01-01").replace("2026-11-01", "") for name, text in SMALL.items()
    } | TABLES


@pytest.mark.platforms
def test_kamailio__calls_that_were_placed_are_invoiced_to_the_second(postgresql: Server, tmp_path: Path) -> None:
    postgresql.make("kamailio", "kamailio")
    rng = random.Random(20261126)
    spoken_ms = [rng.choice((1_000, 2_000, 3_000, 5_000, 12_000)) + rng.randrange(900) for _ in range(ANSWERED)]
    login = f"postgres://{OWNER}:{PASSWORDS[OWNER]}@127.0.0.1:{postgresql.port}/kamailio"
    with switchboard(login, tmp_path) as board:
        calls = board.place("calls", [f"{CALLER};{ANSWERING}0;{ms}" for ms in spoken_ms], 40)
        board.place("calls_busy", [f"{CALLER};{BUSY}0;0"] * REFUSED, 20)
        board.place("calls_cancelled", [f"{CALLER};{RINGING}0;0"] * GIVEN_UP, 20)
    assert len(calls) == ANSWERED
    now = datetime.now(UTC)
    place = make_place(tmp_path / "place", **tables())
    told = place.start(
        "read", "--format", "kamailio", "--timezone", "UTC", "--database", postgresql.url("kamailio"), "--json",
        "--now", (now + timedelta(minutes=5)).isoformat(),
    )  # fmt: skip
    assert told.status == 0, told.stderr
    counts = told.document["counts"]
    assert isinstance(counts, dict)
    assert (counts["records"], counts["accepted"], counts["skipped"]) == (
        2 * ANSWERED + REFUSED + GIVEN_UP, ANSWERED, ANSWERED + REFUSED + GIVEN_UP,
    ), told.stdout  # fmt: skip
    rated = rated_calls(place, now)
    accounted = dict(line.split() for line in postgresql.execute("kamailio", ACCOUNTED).splitlines())
    assert {call["call_id"].split()[0]: call["duration_s"] for call in rated} == accounted
    # Kamailio's clock is read in whole seconds, at both ends of a call.
    spoken = {call.call_id: call.spoken_s for call in calls}
    apart = [float(accounted[call_id]) - seconds for call_id, seconds in spoken.items()]
    assert max(map(abs, apart)) < 1.5
    assert abs(sum(apart)) / ANSWERED < 0.3
    invoiced = -sum(-int(seconds) * 37 // 60 for seconds in accounted.values())
    assert sum(int(call["amount_cents"]) for call in rated) == invoiced
    # What came from a database holds as what comes from files: it adds up, and the invoice is made again the same.
    for arguments in (["verify"], ["rerun", rated[0]["invoice_number"]]):
        again = place.start(*arguments)
        assert again.status == 0, again.stdout + again.stderr


def rated_calls(place: Place, now: datetime) -> list[dict[str, str]]:
    """The calls of an invoice of this month, or of two where the month ended meanwhile."""
    month = f"{now:%Y-%m}"
    later = (now.replace(day=1) + timedelta(days=33)).replace(day=2)
    done = place.start("run", month, "--platform", "platform", "--now", later.isoformat(), "--no-render")
    assert done.status == 0, done.stderr
    exported = place.folder / "rated.csv"
    assert place.start("export", "rated", month, "-o", exported).status == 0
    with exported.open(encoding="utf-8", newline="") as stream:
        rated = list(csv.DictReader(stream))
    assert {row["invoice_number"] for row in rated} == {f"{later:%Y}-000001"}
    return rated

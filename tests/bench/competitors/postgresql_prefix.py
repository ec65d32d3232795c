"""PostgreSQL 15 with the `prefix` extension: a GiST index on prefixes, packs by windows, a cluster of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import psycopg

from tests.bench.competitors.common import END_DAY, FIRST_DAY, FUTURE_AFTER, Task, pools, task_given

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAMS = Path("/usr/lib/postgresql/15/bin")
EXTENSION = Path("/usr/share/postgresql/15/extension/prefix.control")
OWNER = "postgres"
# What a machine with this much memory to spare is given; what is lost by a crash is read again.
SETTINGS = {
    "listen_addresses": "", "shared_buffers": "2GB", "work_mem": "512MB", "maintenance_work_mem": "512MB",
    "max_wal_size": "8GB", "synchronous_commit": "off", "fsync": "off", "full_page_writes": "off",
    "max_parallel_workers_per_gather": "2", "jit": "off", "random_page_cost": "1.1", "autovacuum": "off",
    "TimeZone": "UTC",
}  # fmt: skip

TABLES = """
create extension prefix;
create extension btree_gist;
create unlogged table users (user_id text, customer_id text, product_id text, active_from date, active_to date);
create unlogged table numbers (number text, customer_id text, country text, active_from date, active_to date,
    user_id text, product_id text, inbound_deck text);
create unlogged table contracts (contract_id text, customer_id text, starts_on date, ends_on date);
create unlogged table customer_decks (customer_id text, deck_id text, effective_from date, notified_on date);
create unlogged table zones (zone_id text, kind text, label_fr text);
create unlogged table rates (deck_id text, prefix text, zone_id text, price_per_minute numeric, setup_fee numeric,
    effective_from date, notified_on date);
create unlogged table pools (customer_id text, user_id text, product_id text, priority int, zones text,
    open_from date, allowance_s bigint);
create unlogged table records (place bigint, call_id text, start timestamptz, direction text, caller text, callee text,
    duration_s int, user_id text);
"""

NUMBERS = r"""
create function dialled(bare text) returns text language sql immutable parallel safe
    return regexp_replace(replace(bare, '(0)', ''), '[\s./()-]', '', 'g');
create function bared(written text) returns text language sql immutable parallel safe
    return btrim(regexp_replace(
        regexp_replace(btrim(coalesce(written, '')), '^(tel:|sips?:)', '', 'i'), '[;@].*$', ''));
create function in_one_form(dialled text, bare text) returns text language sql immutable parallel safe return case
    when dialled ~ '^(\+[1-9][0-9]{4,14}|[1-9][0-9]{1,5})$' then dialled
    when dialled ~ '^00[1-9][0-9]{4,14}$' then '+' || substr(dialled, 3)
    when dialled ~ '^0[1-9][0-9]{6,12}$' then '+32' || substr(dialled, 2)
    when lower(bare) in ('', 'anonymous', 'unknown', 'restricted', 'unavailable') then 'anonymous' end;
create function normalised(written text) returns text language sql immutable parallel safe return case
    when written ~ '^\+[1-9][0-9]{4,14}$' then written
    else in_one_form(dialled(bared(written)), bared(written)) end;
"""

ACCEPTED = """
create unlogged table calls as
with formed as materialized (
    select place, call_id, start, direction, normalised(caller) as caller, normalised(callee) as callee, duration_s,
           user_id
    from records where duration_s between 0 and 86400 and start <= %(future_after)s
),
once as (
    select distinct on (call_id) * from formed
    where caller is not null and callee is not null and callee <> 'anonymous'
    order by call_id, place
)
select call_id, start, (start at time zone 'Europe/Brussels')::date as day, direction = 'incoming' as incoming,
       caller, callee, duration_s, user_id
from once where duration_s > 0
  and (start at time zone 'Europe/Brussels')::date >= %(first_day)s
  and (start at time zone 'Europe/Brussels')::date < %(end_day)s;
analyze;
create unlogged table owned as
select c.call_id, c.start, c.day, c.incoming, c.duration_s, k.customer_id,
       case when u.user_id is null then n.user_id else u.user_id end as owner_user_id,
       o.number is not null as onnet, n.inbound_deck,
       case when c.incoming then c.caller else c.callee end as destination
from calls c
left join users u on not c.incoming and u.user_id = c.user_id
    and c.day >= u.active_from and c.day < coalesce(u.active_to, 'infinity')
left join numbers n on n.number = case when c.incoming then c.callee else c.caller end
    and c.day >= n.active_from and c.day < coalesce(n.active_to, 'infinity')
join contracts k on k.customer_id = coalesce(u.customer_id, n.customer_id)
    and c.day >= k.starts_on and c.day < coalesce(k.ends_on, 'infinity')
left join numbers o on not c.incoming and o.number = c.callee and o.customer_id = k.customer_id
    and c.day >= o.active_from and c.day < coalesce(o.active_to, 'infinity');
"""

# Each destination is looked up once in a version of a deck, however often it is called.
MATCHED = """
create unlogged table versions as
select deck_id, effective_from, row_number() over (order by deck_id, effective_from)::int as version,
       coalesce(lead(effective_from) over (partition by deck_id order by effective_from), 'infinity') as effective_to
from (select distinct deck_id, effective_from from rates) v;
create unlogged table entries as
select version, case when prefix like '=%%' then prefix end as exact,
       case when prefix not like '=%%' then prefix::prefix_range end as prefix, zone_id, kind,
       case when kind = 'emergency' then 0 else (price_per_minute * 1000000)::bigint end as micro_per_min,
       case when kind = 'emergency' then 0 else (setup_fee * 1000000)::bigint end as setup_micro
from rates join versions using (deck_id, effective_from) join zones using (zone_id);
create index on entries using gist (version, prefix);
create index on entries (version, exact);
create unlogged table customer_versions as
select customer_id, deck_id, effective_from,
       coalesce(lead(effective_from) over (partition by customer_id order by effective_from), 'infinity')
           as effective_to
from customer_decks;
analyze;
create unlogged table keyed as
select o.call_id, o.start, o.day, o.customer_id, o.owner_user_id, o.duration_s, o.destination, v.version
from owned o
left join customer_versions d on d.customer_id = o.customer_id and o.day >= d.effective_from and o.day < d.effective_to
join versions v on v.deck_id = case when o.incoming then o.inbound_deck else d.deck_id end
    and o.day >= v.effective_from and o.day < v.effective_to
where not o.onnet;
create unlogged table found as
select asked.version, asked.destination, e.zone_id, e.kind, e.micro_per_min, e.setup_micro
from (select distinct version, destination from keyed) asked
cross join lateral (
    (select * from entries e where asked.destination like '+%%' and e.version = asked.version
        and e.prefix @> substr(asked.destination, 2) order by length(e.prefix) desc limit 1)
    union all
    select * from entries e where asked.destination not like '+%%' and e.version = asked.version
        and e.exact = '=' || asked.destination
) e;
analyze keyed, found;
create unlogged table priced as
select k.call_id, k.day, k.customer_id, k.owner_user_id, k.duration_s, f.zone_id, f.kind, f.micro_per_min,
       f.setup_micro, row_number() over (order by k.start, k.call_id collate "C") as place
from keyed k join found f using (version, destination);
create unlogged table drawing as
select place, customer_id, owner_user_id, day, zone_id, kind, duration_s::bigint as need_s
from priced where (micro_per_min > 0 or setup_micro > 0) and customer_id in (select customer_id from pools);
create unlogged table drawn (place bigint, drawn_s bigint);
analyze priced, drawing, pools;
"""

DRAW = """
create temp table step as
with found as (
    select d.place, d.need_s, p.allowance_s,
           sum(d.need_s) over (partition by p.customer_id, p.user_id order by d.place
                               rows unbounded preceding) as needed_s
    from drawing d join pools p on p.customer_id = d.customer_id and p.product_id = %(product_id)s
        and (p.user_id is null or p.user_id = d.owner_user_id) and d.day >= p.open_from
        and (d.zone_id = any (string_to_array(p.zones, ';')) or (p.zones = '*' and d.kind <> 'premium'))
)
select place, case when allowance_s is null then need_s
                   else least(needed_s, allowance_s) - least(needed_s - need_s, allowance_s) end as drawn_s
from found;
insert into drawn select place, drawn_s from step where drawn_s > 0;
create unlogged table left_over as
select d.place, d.customer_id, d.owner_user_id, d.day, d.zone_id, d.kind, d.need_s - coalesce(s.drawn_s, 0) as need_s
from drawing d left join step s using (place) where d.need_s > coalesce(s.drawn_s, 0);
drop table drawing, step;
alter table left_over rename to drawing;
analyze drawing;
"""

RATED = """
create unlogged table rated as
with packed as (select place, sum(drawn_s)::bigint as pack_s from drawn group by place),
paid as (
    select p.*, coalesce(k.pack_s, 0) as pack_s, p.duration_s - coalesce(k.pack_s, 0) as charged_s
    from priced p left join packed k using (place)
)
select call_id, customer_id, owner_user_id as user_id, zone_id, duration_s, pack_s,
       (charged_s * micro_per_min + case when charged_s > 0 then 60 * setup_micro else 0 end + 599999) / 600000
           as amount_cents
from paid
union all
select call_id, customer_id, owner_user_id, case when incoming then 'INCOMING' else 'ONNET' end, duration_s, 0, 0
from owned where onnet or (incoming and inbound_deck is null);
"""
TOTALS = """
copy (
    select customer_id, zone_id, count(*) as calls, sum(pack_s) as pack_s, sum(amount_cents) as amount_cents
    from rated group by 1, 2 order by 1, 2
) to stdout (format csv, header)
"""


def absence() -> str | None:
    """Why it cannot be started here, None where it can."""
    if not (PROGRAMS / "postgres").exists():
        return "postgresql-15 is not installed"
    return None if EXTENSION.exists() else "postgresql-15-prefix is not installed"


@contextmanager
def cluster() -> Iterator[str]:
    """Make a cluster in a temporary folder, start it, and remove it after; gives what to connect with.

    The server refuses to run as root, who starts it as the user that the package made; that user must reach the
    folder, and its path must be short, as the name of a socket is.
    """
    whose = {"user": OWNER, "group": OWNER} if os.getuid() == 0 else {}
    folder = Path(tempfile.mkdtemp(prefix="centime-bench-", dir="/var/tmp"))
    if whose:
        shutil.chown(folder, OWNER, OWNER)
    home, options = folder / "cluster", [f"-c{name}={setting}" for name, setting in SETTINGS.items()]
    silent = {"stdout": subprocess.DEVNULL, "cwd": folder, **whose}
    initdb = [PROGRAMS / "initdb", "-D", home, "-A", "trust", "-U", OWNER, "-E", "UTF8", "--locale=C", "--no-sync"]
    try:
        subprocess.run(initdb, check=True, **silent)
        server = subprocess.Popen(
            [PROGRAMS / "postgres", "-D", home, "-k", folder, *options], stderr=(folder / "log").open("w"), **silent
        )
        try:
            address = f"host={folder} user={OWNER} dbname=postgres"
            _wait_for(address, server, folder / "log")
            yield address
        finally:
            server.terminate()
            server.wait()
    finally:
        shutil.rmtree(folder)


def _wait_for(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until the server lets somebody in."""
    for _ in range(600):
        try:
            psycopg.connect(address).close()
        except psycopg.OperationalError:
            if server.poll() is not None:
                raise RuntimeError(log.read_text()) from None
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("PostgreSQL did not start within 30 seconds")


def load(connection: psycopg.Connection, task: Task) -> None:
    """Copy the tables and the records in."""
    for table in ("users", "numbers", "contracts", "customer_decks", "zones", "rates"):
        with connection.cursor().copy(f"copy {table} from stdin (format csv, header)") as copy:
            copy.write(task.table(table).read_bytes())
    joined = pools(task).with_columns(pl.col("zones").list.join(";"))
    with connection.cursor().copy("copy pools from stdin (format csv)") as copy:
        copy.write(joined.write_csv(include_header=False))
    place = 0
    for path in task.cdrs:
        records = pl.read_parquet(path).with_row_index("place", offset=place)
        place += records.height
        with connection.cursor().copy("copy records from stdin (format csv)") as copy:
            copy.write(records.write_csv(include_header=False))


def rate_calls(task: Task) -> None:
    """Rate the month; tells on stdout how long the cluster took to be made, which is nobody's work of a month."""
    begun = time.perf_counter()
    with cluster() as address, psycopg.connect(address, autocommit=True) as connection:
        print(f"{time.perf_counter() - begun:.3f}", flush=True)  # noqa: T201
        connection.execute(TABLES)
        load(connection, task)
        connection.execute(NUMBERS)
        days = {"future_after": FUTURE_AFTER, "first_day": FIRST_DAY, "end_day": END_DAY}
        for statement in [*ACCEPTED.split(";\n"), *MATCHED.split(";\n")]:
            if statement.strip():
                connection.execute(statement, days)
        packs = connection.execute("select distinct priority, product_id from pools order by 1, 2").fetchall()
        for _, product_id in packs:
            for statement in DRAW.split(";\n")[:-1]:
                connection.execute(statement, {"product_id": product_id})
        connection.execute(RATED)
        for query, name in (("copy rated to stdout (format csv, header)", "rated.csv"), (TOTALS, "totals.csv")):
            with connection.cursor().copy(query) as copy, (task.out / name).open("wb") as file:
                for block in copy:
                    file.write(block)


if __name__ == "__main__":
    rate_calls(task_given())

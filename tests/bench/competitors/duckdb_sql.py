"""DuckDB: SQL in steps, prefixes by an ASOF join on disjoint intervals, packs by window functions."""

from __future__ import annotations

import duckdb

from tests.bench.competitors.common import END_DAY, FIRST_DAY, FUTURE_AFTER, pools, task_given

TABLES = ("users", "numbers", "contracts", "customer_decks", "zones", "rates")

NUMBERS = r"""
create macro dialled(bare) as regexp_replace(replace(bare, '(0)', ''), '[\s./()-]', '', 'g');
create macro bared(written) as
    trim(regexp_replace(regexp_replace(trim(coalesce(written, '')), '^(tel:|sips?:)', '', 'i'), '(?s)[;@].*$', ''));
create macro in_one_form(dialled, bare) as case
    when regexp_full_match(dialled, '\+[1-9][0-9]{4,14}') or regexp_full_match(dialled, '[1-9][0-9]{1,5}') then dialled
    when regexp_full_match(dialled, '00[1-9][0-9]{4,14}') then '+' || substr(dialled, 3)
    when regexp_full_match(dialled, '0[1-9][0-9]{6,12}') then '+32' || substr(dialled, 2)
    when lower(bare) in ('', 'anonymous', 'unknown', 'restricted', 'unavailable') then 'anonymous'
end;
create macro normalised(written) as case
    when regexp_full_match(written, '\+[1-9][0-9]{4,14}') then written
    else in_one_form(dialled(bared(written)), bared(written))
end;
"""

# Of several records of a call the first stands, in the order of files and rows.
ACCEPTED = """
create table calls as
-- Materialized: otherwise each number is brought into its form twice, for the filter and for the result.
with records as materialized (
    select * replace (normalised(caller) as caller, normalised(callee) as callee)
    from read_parquet($files, filename = true, file_row_number = true)
)
select call_id, start, (start at time zone 'Europe/Brussels')::date as day, direction = 'incoming' as incoming,
       caller, callee, duration_s, user_id
from records
where caller is not null and callee is not null and callee <> 'anonymous' and duration_s between 0 and 86400
  and start <= $future_after
qualify row_number() over (partition by call_id order by filename, file_row_number) = 1;
"""

# A column of days without a single one is read as text.
OWNED = """
create table owned as
select c.*, coalesce(u.customer_id, n.customer_id) as customer_id,
       case when u.user_id is null then n.user_id else u.user_id end as owner_user_id,
       o.number is not null as onnet, n.inbound_deck
from calls c
left join users u on not c.incoming and u.user_id = c.user_id
    and c.day >= u.active_from and c.day < coalesce(u.active_to::date, 'infinity')
left join numbers n on n.number = case when c.incoming then c.callee else c.caller end
    and c.day >= n.active_from and c.day < coalesce(n.active_to::date, 'infinity')
join contracts k on k.customer_id = coalesce(u.customer_id, n.customer_id)
    and c.day >= k.starts_on and c.day < coalesce(k.ends_on::date, 'infinity')
left join numbers o on not c.incoming and o.number = c.callee and o.customer_id = k.customer_id
    and c.day >= o.active_from and c.day < coalesce(o.active_to::date, 'infinity')
where c.duration_s > 0 and c.day >= $first_day and c.day < $end_day;
"""

# A version of a deck as disjoint intervals of numbers, each with the longest prefix that covers it.
INTERVALS = """
create table versions as
select deck_id, effective_from, row_number() over (order by deck_id, effective_from) as version,
       lead(effective_from, 1, 'infinity') over (partition by deck_id order by effective_from) as effective_to
from (select distinct deck_id, effective_from from rates);
create table entries as
select version, prefix, zone_id, kind,
       if(kind = 'emergency', 0, (price_per_minute * 1000000)::bigint) as micro_per_min,
       if(kind = 'emergency', 0, (setup_fee * 1000000)::bigint) as setup_micro
from rates join versions using (deck_id, effective_from) join zones using (zone_id);
create table intervals as
with points as (
    select version, rpad(prefix, 15, '0')::bigint as point from entries where prefix not like '=%'
    union
    select version, rpad(prefix, 15, '0')::bigint + (10 ** (15 - length(prefix)))::bigint from entries
    where prefix not like '=%'
)
select p.version, p.point, arg_max(e.prefix, length(e.prefix)) as prefix
from points p cross join range(1, 16) l(digits)
left join entries e on e.version = p.version and e.prefix = substr(lpad(p.point::varchar, 15, '0'), 1, digits)
group by all;
"""

MATCHED = """
create table priced as
with decked as (
    select o.* exclude (inbound_deck), if(o.incoming, o.inbound_deck, d.deck_id) as deck_id,
           if(o.incoming, o.caller, o.callee) as destination
    from owned o asof left join customer_decks d on d.customer_id = o.customer_id and o.day >= d.effective_from
),
keyed as (
    select d.*, v.version,
           case when destination like '+%' then rpad(substr(destination, 2), 15, '0')::bigint else -1 end as digits
    from decked d
    left join versions v on v.deck_id = d.deck_id and d.day >= v.effective_from and d.day < v.effective_to
    where not d.onnet and d.deck_id is not null
),
-- A prefix longer than the number itself would need a second look; no number here is that short.
found as (
    select k.*, if(k.digits < 0, '=' || k.destination, i.prefix) as prefix
    from keyed k asof left join intervals i on i.version = k.version and k.digits >= i.point
)
select f.call_id, f.start, f.day, f.customer_id, f.owner_user_id, f.duration_s, e.zone_id, e.kind, e.micro_per_min,
       e.setup_micro, row_number() over (order by f.start, f.call_id) as place
from found f join entries e on e.version = f.version and e.prefix = f.prefix;
"""

DRAWING = """
create table drawing as
select place, customer_id, owner_user_id, day, zone_id, kind, duration_s as need_s
from priced where (micro_per_min > 0 or setup_micro > 0) and customer_id in (select customer_id from pools);
create table drawn (place bigint, drawn_s bigint);
"""
DRAW = """
create or replace table step as
with found as (
    select d.place, d.need_s, p.allowance_s,
           sum(d.need_s) over (partition by p.customer_id, p.user_id order by d.place
                               rows unbounded preceding) as needed_s
    from drawing d join pools p on p.product_id = $product_id and p.customer_id = d.customer_id
        and (p.user_id is null or p.user_id = d.owner_user_id) and d.day >= p.open_from
        and (list_contains(p.zones, d.zone_id) or (p.zones = ['*'] and d.kind <> 'premium'))
)
select place, if(allowance_s is null, need_s,
                 least(needed_s, allowance_s) - least(needed_s - need_s, allowance_s))::bigint as drawn_s
from found;
insert into drawn select place, drawn_s from step where drawn_s > 0;
create or replace table drawing as
select d.* replace (d.need_s - coalesce(s.drawn_s, 0) as need_s) from drawing d left join step s using (place)
where d.need_s > coalesce(s.drawn_s, 0);
"""

RATED = """
create table rated as
with packed as (select place, sum(drawn_s)::bigint as pack_s from drawn group by place),
paid as (
    select p.*, coalesce(k.pack_s, 0) as pack_s, p.duration_s - coalesce(k.pack_s, 0) as charged_s
    from priced p left join packed k using (place)
)
select call_id, customer_id, owner_user_id as user_id, zone_id, duration_s, pack_s,
       (charged_s * micro_per_min + if(charged_s > 0, 60 * setup_micro, 0) + 599999) // 600000 as amount_cents
from paid
union all
select call_id, customer_id, owner_user_id, if(incoming, 'INCOMING', 'ONNET'), duration_s, 0, 0
from owned where onnet or (incoming and inbound_deck is null);
"""
TOTALS = """
select customer_id, zone_id, count(*) as calls, sum(pack_s)::bigint as pack_s, sum(amount_cents)::bigint as amount_cents
from rated group by all order by all
"""


def rate_calls() -> None:
    """Rate the month."""
    task = task_given()
    found = pools(task)
    # In memory, and beside it what does not fit: half as long as in a database file.
    database = duckdb.connect(config={"temp_directory": str(task.out / "spilled")})
    for table in TABLES:
        database.read_csv(str(task.table(table))).create(table)
    database.execute("create table pools as select * from found")
    database.execute(NUMBERS)
    database.execute(ACCEPTED, {"files": [str(path) for path in task.cdrs], "future_after": FUTURE_AFTER})
    database.execute(OWNED, {"first_day": FIRST_DAY, "end_day": END_DAY})
    database.execute(INTERVALS)
    database.execute(MATCHED)
    database.execute(DRAWING)
    order = found.select("priority", "product_id").unique().sort("priority", "product_id")
    for product_id in order["product_id"]:
        for statement in DRAW.split(";\n")[:-1]:
            database.execute(statement, {"product_id": product_id} if "$product_id" in statement else None)
    database.execute(RATED)
    database.table("rated").write_parquet(str(task.out / "rated.parquet"))
    database.sql(TOTALS).write_csv(str(task.out / "totals.csv"))


if __name__ == "__main__":
    rate_calls()

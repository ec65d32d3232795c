"""The ledger's tables of disputes and corrections, and its views of what is in force after them.

An issued invoice keeps its rows for good. What a later month builds on is read through the views: of an invoice that
was superseded, what the one that supersedes it says; of packs, what the calls as last corrected drew.
"""

from __future__ import annotations

# A correction is a rating of its own: of the calls of one invoice, in place of the rating it `replaces` for them.
DISPUTE_TABLES = """
create table disputes (dispute_number varchar primary key, sequence integer not null, invoice_number varchar not null,
  customer_id varchar not null, claimed_on date not null, late boolean not null, reason varchar not null,
  opened_on date not null, opened_at varchar not null, opened_by varchar not null);
create table dispute_calls (dispute_number varchar not null, call_id varchar not null,
  primary key (dispute_number, call_id));
create table dispute_lines (dispute_number varchar not null, line_no integer not null,
  primary key (dispute_number, line_no));
create table dispute_outcomes (dispute_number varchar primary key, state varchar not null, reason varchar not null,
  decided_on date not null, decided_at varchar not null, decided_by varchar not null, credit_note_number varchar,
  invoice_number varchar);
create table corrections (rating_no integer primary key, replaces integer not null,
  dispute_number varchar not null unique, period varchar not null, customer_id varchar not null,
  corrects varchar not null, invoice_number varchar unique, net_cents bigint not null, snapshot varchar not null,
  decks varchar not null, settings varchar not null, program varchar not null, corrected_at varchar not null,
  calls bigint not null, amount_cents bigint not null, calls_off bigint not null, unique (replaces, customer_id));
create table correction_calls (rating_no integer not null, call_id varchar not null, primary key (rating_no, call_id));
create table corrected_user_counts (invoice_number varchar primary key, customer_id varchar not null,
  period varchar not null, configured bigint not null, billed bigint not null, reserved bigint not null,
  reference bigint not null);
create table corrected_users_billed (invoice_number varchar not null, customer_id varchar not null,
  period varchar not null, product_id varchar not null, users bigint not null,
  primary key (invoice_number, product_id));
"""
SUPERSEDED = "(select supersedes from invoices where supersedes is not null)"
RESTATED = "exists (select 1 from invoices i where i.customer_id = u.customer_id and i.period = u.period and i.supersedes is not null)"  # noqa: E501
IN_FORCE_VIEWS = f"""
create view invoice_ratings as select i.invoice_number, i.customer_id, i.period, i.supersedes,
  coalesce(c.rating_no, r.rating_no) rating_no from invoices i
  left join corrections c on c.invoice_number = i.invoice_number
  left join runs r on r.period = i.period and i.supersedes is null;
create view invoices_in_force as select * from invoices where invoice_number not in {SUPERSEDED};
create view one_offs_in_force as select * from one_offs where invoice_number not in {SUPERSEDED};
create view packs_in_force as select u.* from packs_used u where not exists
  (select 1 from corrections c where c.replaces = u.rating_no and c.customer_id = u.customer_id);
create view user_counts_in_force as
  select customer_id, period, configured, billed, reserved, reference from user_counts u where not {RESTATED}
  union all select customer_id, period, configured, billed, reserved, reference from corrected_user_counts
  where invoice_number not in {SUPERSEDED};
create view users_billed_in_force as
  select customer_id, period, product_id, users from users_billed u where not {RESTATED}
  union all select customer_id, period, product_id, users from corrected_users_billed
  where invoice_number not in {SUPERSEDED};
"""  # noqa: S608
# Up to format 3 a customer had one invoice of a period.
SUPERSEDING_INVOICES = """
create table invoices_before as select * from invoices;
drop table invoices;
{invoices}
insert into invoices select * from invoices_before;
drop table invoices_before;
"""

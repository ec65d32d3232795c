"""The ledger's tables of invoices that a run held (R-HELD), and of what is alarming in the calls of a rating.

An invoice that is held has its lines, VAT totals, charges and price reductions here until it is released; its own row
stays, and says what it was held with and why.
"""

from __future__ import annotations

HELD_TABLES = """
create table call_alarms (rating_no integer not null, bound varchar not null, customer_id varchar not null,
  user_id varchar, number varchar, zone_id varchar, day date not null, call_id varchar, calls bigint not null,
  measured bigint not null);
create table held_invoices (period varchar not null, customer_id varchar not null, due_date date not null,
  net_cents bigint not null, vat_cents bigint not null, gross_cents bigint not null, customer varchar not null,
  calls bigint not null, reasons varchar not null, primary key (period, customer_id));
create table held_lines (period varchar not null, line_no integer not null, customer_id varchar not null,
  kind varchar not null, product_id varchar, zone_id varchar, traffic_period varchar, rule varchar not null,
  description varchar not null, service_from date, service_to date, quantity_micro bigint not null,
  unit_price_micro bigint, net_cents bigint not null, vat_category varchar not null, vat_rate_micro bigint not null,
  source_id varchar, primary key (period, customer_id, line_no));
create table held_vat_totals (period varchar not null, customer_id varchar not null, vat_category varchar not null,
  vat_rate_micro bigint not null, base_cents bigint not null, vat_cents bigint not null, reason varchar,
  primary key (period, customer_id, vat_category, vat_rate_micro));
create table held_one_offs (id varchar not null, kind varchar not null, customer_id varchar not null,
  content varchar not null, amount_cents bigint not null, period varchar not null, primary key (id, kind, period));
create table releases (invoice_number varchar primary key, period varchar not null, customer_id varchar not null,
  reason varchar not null, released_at varchar not null, unique (period, customer_id));
create view still_held as select * from held_invoices h where not exists
  (from releases r where r.period = h.period and r.customer_id = h.customer_id);
"""

"""The ledger's views of what is in force: what each month billed, as a later month builds on it.

An issued invoice keeps its rows for good, and one that is held has its own beside them. In force is of an invoice that
was superseded what the one that supersedes it says, of one that is held what it is held with (it has no number yet),
and of packs what the calls as last corrected drew. There is one invoice in force of a customer and period at most.
"""

from __future__ import annotations

SUPERSEDED = "(select supersedes from invoices where supersedes is not null)"
RESTATED = "exists (select 1 from invoices i where i.customer_id = u.customer_id and i.period = u.period and i.supersedes is not null)"  # noqa: E501
# `rated_lines` are the lines by the rating that their invoice came from, superseded or not: what each run made is there
# once, whether it went out at once, was held, or was released. Of packs, `issued` are not those of a pending rating.
IN_FORCE_VIEWS = f"""
create view invoice_ratings as select i.invoice_number, i.customer_id, i.period, i.supersedes,
  coalesce(c.rating_no, r.rating_no) rating_no from invoices i
  left join corrections c on c.invoice_number = i.invoice_number
  left join runs r on r.period = i.period and i.supersedes is null;
create view rated_lines as
  select i.rating_no, i.period, l.* from lines l join invoice_ratings i using (invoice_number)
  union all by name select r.rating_no, h.* from held_lines h join runs r using (period);
create view invoices_in_force as
  select * from invoices where invoice_number not in {SUPERSEDED}
  union all by name select period, customer_id, net_cents, vat_cents, gross_cents from still_held;
create view lines_in_force as select * exclude (rating_no) from rated_lines
  where invoice_number is null or invoice_number not in {SUPERSEDED};
create view one_offs_in_force as
  select * from one_offs where invoice_number not in {SUPERSEDED}
  union all by name select * exclude (period) from held_one_offs;
create view packs_in_force as
  select u.*, u.rating_no not in (select rating_no from ratings r where not r.issued) issued from packs_used u
  where not exists (select 1 from corrections c where c.replaces = u.rating_no and c.customer_id = u.customer_id);
create view user_counts_in_force as
  select customer_id, period, configured, billed, reserved, reference from user_counts u where not {RESTATED}
  union all select customer_id, period, configured, billed, reserved, reference from corrected_user_counts
  where invoice_number not in {SUPERSEDED};
create view users_billed_in_force as
  select customer_id, period, product_id, users from users_billed u where not {RESTATED}
  union all select customer_id, period, product_id, users from corrected_users_billed
  where invoice_number not in {SUPERSEDED};
"""  # noqa: S608

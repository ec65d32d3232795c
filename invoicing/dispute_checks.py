"""Verification of disputes: their numbers and outcomes, and that each correction is what the documents say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from invoicing.disputes import IDS_NAMED
from invoicing.origins import corrections, rating_numbered
from invoicing.rated_calls import rated_calls_of

if TYPE_CHECKING:
    from invoicing.ledger import Ledger
    from invoicing.origins import Correction
    from invoicing.store import Store

# What the checks look at: where none of it is there, none finds anything.
CHECKED = (
    "disputes", "dispute_lines", "dispute_calls", "dispute_outcomes", "corrections", "corrected_user_counts",
    "corrected_users_billed", "invoices where supersedes is not null",
)  # fmt: skip
# Each tells, as `subject` (and `found`, where it is a figure), what does not hold.
CHECKS = {
    "dispute {}: there is no such invoice of this customer as it names": """
select dispute_number subject from disputes d left join invoices i using (invoice_number)
where i.customer_id is distinct from d.customer_id""",
    "dispute {}: the sequence of its year has a gap before it": """
select dispute_number subject from (select *, row_number() over (partition by substr(dispute_number, 2, 4)
  order by sequence) place from disputes)
where sequence <> place or dispute_number <> format('D{:04d}-{:06d}', year(opened_on), sequence)""",
    "dispute {}: it is not marked late or in time as its dates have it": """
select dispute_number subject from disputes d join invoices i using (invoice_number)
where late <> (claimed_on > invoice_date + 30) or claimed_on not between invoice_date and opened_on""",
    "dispute {}: it is about a line that its invoice does not have": """
select distinct dispute_number subject from dispute_lines l left join disputes d using (dispute_number)
where not exists (select 1 from lines s where s.invoice_number = d.invoice_number and s.line_no = l.line_no)""",
    "dispute {}: it has calls, and there is no such dispute": """
select distinct dispute_number subject from dispute_calls where dispute_number not in
  (select dispute_number from disputes)""",
    "dispute {}: it has an outcome, and there is no such dispute": """
select dispute_number subject from dispute_outcomes where dispute_number not in
  (select dispute_number from disputes)""",
    "dispute {}: its outcome is neither rejected nor settled as its documents have it": """
select dispute_number subject from dispute_outcomes o left join corrections c using (dispute_number)
where not (state = 'rejected' and c.rating_no is null and credit_note_number is null and o.invoice_number is null
  or state = 'settled' and c.rating_no is not null and o.invoice_number is not distinct from c.invoice_number
    and (credit_note_number is not null or o.invoice_number is not null))""",
    "dispute {}: its credit note is not one of its invoice": """
select dispute_number subject from dispute_outcomes o join disputes d using (dispute_number)
left join credit_notes n using (credit_note_number)
where credit_note_number is not null and n.invoice_number is distinct from d.invoice_number""",
    "dispute {}: its correction is not of its invoice": """
select c.dispute_number subject from corrections c left join disputes d using (dispute_number)
left join dispute_outcomes o using (dispute_number)
where d.invoice_number is distinct from c.corrects or d.customer_id is distinct from c.customer_id
  or o.state is distinct from 'settled'""",
    "invoice {}: it supersedes another, and is not its correction, of the same customer and period and no older": """
select i.invoice_number subject from invoices i left join corrections c using (invoice_number)
left join invoices f on f.invoice_number = i.supersedes
where i.supersedes is not null and (c.corrects is distinct from i.supersedes or f.customer_id is distinct from
  i.customer_id or f.period is distinct from i.period or f.invoice_date > i.invoice_date)""",
    "invoice {}: a correction names it, and it supersedes nothing": """
select c.invoice_number subject from corrections c left join invoices i using (invoice_number)
where c.invoice_number is not null and i.supersedes is null""",
    "invoice {}: more than one supersedes it": """
select supersedes subject from invoices where supersedes is not null group by 1 having count(*) > 1""",
    "invoice {}: it is superseded, and its credit notes left something of it": """
select i.invoice_number subject from invoices i where invoice_number in (select supersedes from invoices) and net_cents
  <> (select coalesce(sum(net_cents), 0) from credit_notes n where n.invoice_number = i.invoice_number)""",
    "invoice {}: it does not come to what its correction came to": """
select i.invoice_number subject from invoices i join corrections c using (invoice_number)
where i.net_cents <> c.net_cents""",
    "credit note {}: it is not the difference to what its correction came to": """
select o.credit_note_number subject from dispute_outcomes o join corrections c using (dispute_number)
join credit_notes n using (credit_note_number) join invoices i on i.invoice_number = c.corrects
where c.invoice_number is null and n.net_cents <> i.net_cents - c.net_cents - (select coalesce(sum(b.net_cents), 0)
  from credit_notes b where b.invoice_number = n.invoice_number and b.credit_note_number < n.credit_note_number)""",
    "invoice {}: the users restated with it are not those of its customer and period": """
select u.invoice_number subject from (select invoice_number, customer_id, period from corrected_user_counts union
  select invoice_number, customer_id, period from corrected_users_billed) u
left join invoices i using (invoice_number) where i.supersedes is null or i.customer_id <> u.customer_id
  or i.period <> u.period""",
    "invoice {}: the users billed by product are not those restated with it": """
select invoice_number subject from corrected_user_counts c where billed <> (select coalesce(sum(users), 0) from
  corrected_users_billed b where b.invoice_number = c.invoice_number)""",
}  # fmt: skip


def dispute_differences(ledger: Ledger) -> list[str]:
    """What does not hold of the disputes, one sentence each."""
    if not ledger.number(f"select ({' or '.join(f'exists (from {rows})' for rows in CHECKED)})::integer"):
        return []
    found = [
        sentence.format(subject)
        for sentence, query in CHECKS.items()
        for (subject,) in ledger.rows(f"{query} order by 1")
    ]
    return found + [sentence for correction in corrections(ledger) for sentence in _broken_chain(ledger, correction)]


def _broken_chain(ledger: Ledger, correction: Correction) -> list[str]:
    """A correction replaces the rating that its invoice was last made from, and each is replaced once."""
    made = ledger.rows(
        "select max(rating_no) from (select rating_no from invoice_ratings where invoice_number = ? union all "
        "select rating_no from corrections where corrects = ? and rating_no < ? and invoice_number is null)",
        [correction.corrects, correction.corrects, correction.rating_no],
    )
    if made[0][0] == correction.replaces:
        return []
    return [f"dispute {correction.dispute_number}: its correction was not made of the invoice as it was last"]


def corrected_call_differences(store: Store, ledger: Ledger) -> list[str]:
    """A correction has no call that was not there before, and counts those that are gone; one sentence each."""
    found = []
    made = [correction for correction in corrections(ledger) if not _broken_chain(ledger, correction)]
    for correction in made:
        customers = pl.Series([correction.customer_id])
        before, now = (
            rated_calls_of(store, ledger, rating, customers=customers)["call_id"]
            for rating in (rating_numbered(ledger, correction.replaces), correction.rating)
        )
        about = f"dispute {correction.dispute_number}"
        new = now.filter(~now.is_in(before.implode())).sort()
        if new.len():
            found.append(f"{about}: calls came with its correction: {', '.join(new.head(IDS_NAMED))}")
        if (now.len(), before.len() - now.len()) != (correction.calls, correction.calls_off):
            found.append(f"{about}: the calls of its correction are not those counted")
    return found

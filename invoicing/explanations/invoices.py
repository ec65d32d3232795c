"""Explaining an invoice: what is to pay and why, line by line in short, its VAT, its due day, its number, its run."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import polars as pl

from invoicing import overcharges  # noqa: F401 - its rule is cited
from invoicing.explanations.lines import explain_line
from invoicing.explanations.reckoning import MINUS, counted, vat_reckoning
from invoicing.explanations.steps import Explanation, Step
from invoicing.numbering import CHECK_MODULUS, structured_communication
from rating.money import vat_cents
from schemas.settings import settings_document

if TYPE_CHECKING:
    from collections.abc import Iterator

    from invoicing.documents.words import Language
    from invoicing.explanations.basis import Basis

# The settings that change what is charged.
CHARGING = {
    "rating": ("onnet", "allow_increments"),
    "billing": ("increase", "cap_rounding", "payment_days"),
}


def explain_invoice(basis: Basis, say: Language) -> Explanation:
    """Why an invoice is what it is; a sum that does not come to what is stored is a fault."""
    invoice = basis.invoice
    title = say.say(
        "title.invoice", number=basis.number, customer=basis.customer_id,
        name=str(json.loads(invoice["customer"])["name"]), period=say.month(str(basis.period)),
    )  # fmt: skip
    subject = {
        "invoice_number": basis.number, "customer_id": basis.customer_id, "period": str(basis.period),
        "net_cents": invoice["net_cents"], "vat_cents": invoice["vat_cents"], "gross_cents": invoice["gross_cents"],
    }  # fmt: skip
    explained = Explanation("invoice", title, say, subject)
    explained.parts = [explain_line(basis, line, say) for line in basis.lines]
    explained.steps = [_to_pay(basis, say), *_superseding(basis, say), _net(basis, say), *_vat(basis, say),
                       _due(basis, say), _number(basis, say), _run(basis, say)]  # fmt: skip
    explained.faults = [say.say("fault.sum", number=basis.number, what=about) for about in _not_adding_up(basis)]
    return explained


def _to_pay(basis: Basis, say: Language) -> Step:
    net, vat, gross = (int(basis.invoice[name]) for name in ("net_cents", "vat_cents", "gross_cents"))
    words = say.say("invoice.to_pay", net=say.amount(net), vat=say.amount(vat), gross=say.amount(gross))
    return Step("to_pay", words, "R-INVOICE", {"net_cents": net, "vat_cents": vat, "gross_cents": gross})


def _superseding(basis: Basis, say: Language) -> Iterator[Step]:
    """In whose place the invoice came by which dispute, and what came in its place."""
    correction = basis.origin.correction
    if correction is not None:
        dispute, calls = correction.dispute_number, counted(say, "call", correction.calls_off)
        words = say.say("invoice.supersedes", number=correction.corrects, dispute=dispute, calls=calls)
        figures = {"supersedes": correction.corrects, "dispute_number": dispute, "calls_off": correction.calls_off}
        yield Step("supersedes", words, "R-DISPUTE", figures)
    for (number,) in basis.desk.ledger.rows("select invoice_number from invoices where supersedes = ?", [basis.number]):
        words = say.say("invoice.superseded", number=str(number))
        yield Step("supersedes", words, "R-DISPUTE", {"superseded_by": number})


def _net(basis: Basis, say: Language) -> Step:
    """The net total, kind by kind."""
    sums: dict[str, int] = {}
    for line in basis.lines:
        sums[line.kind] = sums.get(line.kind, 0) + line.net_cents
    told = ""
    for kind, cents in sums.items():
        sign = f" {MINUS if cents < 0 else '+'} " if told else ""
        told += f"{sign}{say.say(f'kind.{kind}')} {say.amount(abs(cents) if told else cents)}"
    words = say.say("invoice.net", sums=told, net=say.amount(int(basis.invoice["net_cents"])))
    return Step("net", words, "R-INVOICE", {f"{kind}_cents": cents for kind, cents in sums.items()})


def _vat(basis: Basis, say: Language) -> Iterator[Step]:
    """VAT, once for each category and rate on the sum of its lines."""
    for row in basis.vat_totals.iter_rows(named=True):
        words = say.say(
            "invoice.vat",
            category=row["vat_category"],
            reckoning=vat_reckoning(say, row["base_cents"], row["vat_rate_micro"], row["vat_cents"]),
        )
        if row["reason"]:
            words = f"{words} {row['reason']}."
        names = ("vat_category", "vat_rate_micro", "base_cents", "vat_cents", "reason")
        yield Step("vat", words, "R-INVOICE", {name: row[name] for name in names})


def _due(basis: Basis, say: Language) -> Step:
    """The due day, and whose payment days they are."""
    issued, due = basis.invoice["invoice_date"], basis.invoice["due_date"]
    own = basis.contract is not None and basis.contract["payment_days"] is not None
    days = (due - issued).days
    words = say.say(
        "invoice.due_contract" if own else "invoice.due_settings",
        issued=say.long_day(issued),
        days=counted(say, "day", days),
        due=say.long_day(due),
    )
    return Step("due", words, "R-INVOICE", {"invoice_date": issued, "payment_days": days, "due_date": due})


def _number(basis: Basis, say: Language) -> Step:
    """The number, and the structured communication that is made of it."""
    digits = basis.number.replace("-", "")
    remainder = int(digits) % CHECK_MODULUS
    words = say.say(
        "invoice.number" if remainder else "invoice.number_zero",
        number=basis.number,
        year=basis.number[:4],
        sequence=say.count(int(basis.invoice["sequence"])),
        digits=digits,
        modulus=str(CHECK_MODULUS),
        remainder=f"{remainder:02d}",
        communication=str(basis.invoice["structured_communication"]),
    )
    figures = {
        "invoice_number": basis.number, "remainder": remainder,
        "structured_communication": basis.invoice["structured_communication"],
    }  # fmt: skip
    return Step("number", words, "R-INVOICE", figures)


def _run(basis: Basis, say: Language) -> Step:
    """The run that issued it, and all that would be needed to issue it again."""
    settings = settings_document(basis.settings)
    told = []
    for section, names in CHARGING.items():
        entries = settings[section]
        told += [f"{name} = {json.dumps(entries[name])}" for name in names if isinstance(entries, dict)]
    moment = datetime.fromisoformat(basis.origin.issued_at).astimezone(ZoneInfo(basis.settings.rating.timezone))
    words = say.say(
        "invoice.run",
        period=say.month(str(basis.period)),
        day=say.long_day(moment.date()),
        time=f"{moment:%H:%M}",
        timezone=basis.settings.rating.timezone,
        program=basis.origin.program,
        snapshot=basis.origin.snapshot[:12],
        settings=", ".join(told),
    )
    figures = {
        "period": str(basis.period), "run_no": basis.origin.run.run_no, "rating_no": basis.rating.rating_no,
        "issued_at": basis.origin.issued_at, "program": basis.origin.program, "snapshot": basis.origin.snapshot,
        "settings": settings,
    }  # fmt: skip
    return Step("run", words, "R-RERUN", figures)


def _not_adding_up(basis: Basis) -> Iterator[str]:
    """The stored sums that their parts do not come to, by name."""
    invoice, vat = basis.invoice, basis.vat_totals
    amounts = vat.select(
        again=vat_cents(pl.col("base_cents"), pl.col("vat_rate_micro")).cast(pl.Int64), stored="vat_cents"
    )
    digits = pl.lit(basis.number.replace("-", ""))
    communication = pl.select(structured_communication(digits)).item()
    sums = {
        "net_cents": (sum(line.net_cents for line in basis.lines), vat["base_cents"].sum(), invoice["net_cents"]),
        "vat_cents": (amounts["again"].sum(), amounts["stored"].sum(), invoice["vat_cents"]),
        "gross_cents": (invoice["net_cents"] + invoice["vat_cents"], invoice["gross_cents"]),
        "structured_communication": (communication, invoice["structured_communication"]),
    }
    for name, figures in sums.items():
        if len(set(figures)) > 1:
            yield name

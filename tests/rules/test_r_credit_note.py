"""R-CREDIT-NOTE: credit notes together never give back more than their invoice charged, and reverse exactly its VAT."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

import polars as pl
import pytest

from invoicing.credit_notes import Extent, Left, credit_invoice, left_of
from invoicing.numbering import credit_note_number
from invoicing.totals import vat_totals
from schemas.errors import InputRefused

LARGEST = 2**63 - 1
BEYOND = "EUR without VAT are left of it, after its price reductions and earlier credit notes, and"


def cents(euros: str) -> int:
    return int(Decimal(euros).scaleb(2))


@dataclass
class Invoice:
    """An invoice of lines such as `100`, or `100@E:0` for another VAT category and rate than S, 21 %."""

    lines: pl.DataFrame
    given: list[pl.DataFrame] = field(default_factory=list)
    vat: list[pl.DataFrame] = field(default_factory=list)

    @classmethod
    def of(cls, text: str) -> Invoice:
        rows = []
        for number, word in enumerate(text.split(), 1):
            euros, _, rate = word.partition("@")
            category, _, percent = (rate or "S:21").partition(":")
            rows.append((number, category, int(Decimal(percent) * 1_000_000), cents(euros)))
        return cls(pl.DataFrame(rows, ["line_no", "vat_category", "vat_rate_micro", "net_cents"], orient="row"))

    @property
    def left(self) -> Left:
        totals = vat_totals(self.lines.with_columns(customer_id=pl.lit("c1"))).drop("customer_id")
        nothing = pl.DataFrame(schema={"invoice_line_no": pl.Int64, **self.lines.drop("line_no").schema})
        return left_of(
            "2026-000001", self.lines, totals, pl.concat([nothing, *self.given]), pl.concat([totals.clear(), *self.vat])
        )

    def ask(self, wish: str) -> str:
        """One credit note: `all`, `1 2` (lines), `amount 5` or `amount 5 of 1`; its lines and its VAT, or a refusal."""
        try:
            lines, vat = credit_invoice(self.left, extent(wish))
        except InputRefused as refused:
            return str(refused).removeprefix("invoice 2026-000001: ")
        self.given.append(lines)
        self.vat.append(vat)
        parts = [f"{line or 'whole'} {Decimal(net).scaleb(-2)}" for line, *_, net in lines.iter_rows()]
        return f"{', '.join(parts)}; VAT {' + '.join(str(Decimal(each).scaleb(-2)) for each in vat['vat_cents'])}"


def extent(wish: str) -> Extent:
    first, *rest = wish.split()
    if first == "all":
        return Extent()
    if first == "amount":
        return Extent(tuple(map(int, rest[2:])), cents(rest[0]))
    return Extent(tuple(map(int, wish.split())))


@pytest.mark.parametrize(
    ("lines", "wish", "found"),
    [
        ("100 50", "all", "1 100.00, 2 50.00; VAT 31.50"),
        ("100 50", "2", "2 50.00; VAT 10.50"),
        ("100 50", "1 2", "1 100.00, 2 50.00; VAT 31.50"),
        ("100 50", "amount 12.34", "whole 12.34; VAT 2.59"),  # 2.5914
        ("100 50", "amount 12.34 of 2", "2 12.34; VAT 2.59"),
        ("100 0", "all", "1 100.00; VAT 21.00"),  # a line at price 0 has nothing to give back
        ("100 -30", "all", "1 100.00, 2 -30.00; VAT 14.70"),  # a price reduction goes back too
        ("100 50 -30", "2", "2 50.00; VAT 10.50"),
        ("100 50 -30", "1 3", "1 100.00, 3 -30.00; VAT 14.70"),
        ("100@AE:0", "all", "1 100.00; VAT 0.00"),
        ("0.05@S:10", "amount 0.04", "whole 0.04; VAT 0.00"),  # 0.4 cents
        ("0.06@S:10", "amount 0.05", "whole 0.05; VAT 0.01"),  # half a cent: up
        ("100@S:21 50@S:6 -10@S:6", "all", "1 100.00, 2 50.00, 3 -10.00; VAT 2.40 + 21.00"),
        ("100@S:21 50@S:6", "amount 7 of 2", "2 7.00; VAT 0.42"),
        ("100@S:21 50@S:6 -50@S:6", "all", "1 100.00, 2 50.00, 3 -50.00; VAT 0.00 + 21.00"),  # every line goes back
    ],
)
def test_r_credit_note__gives_back_what_was_asked_for(lines: str, wish: str, found: str) -> None:
    assert Invoice.of(lines).ask(wish) == found


@pytest.mark.parametrize(
    ("lines", "wishes", "found"),
    [
        ("100 50", ["1", "all"], "2 50.00; VAT 10.50"),
        ("100 50", ["amount 30 of 1", "1"], "1 70.00; VAT 14.70"),
        # What was credited on the whole is taken off again, once.
        ("100 50", ["amount 40", "all"], "1 100.00, 2 50.00, whole -40.00; VAT 23.10"),
        ("100 50 -30", ["amount 40", "2", "all"], "1 100.00, 3 -30.00, whole -40.00; VAT 6.30"),
        ("100 50", ["amount 149.99", "amount 0.01"], "whole 0.01; VAT 0.00"),
        # Half up twice would be 0.02 of 0.01: never more than there is.
        ("0.06@S:10", ["amount 0.05", "all"], "1 0.06, whole -0.05; VAT 0.00"),
        # Three times nothing of 0.63: the last takes all of it.
        ("0.06@S:10", ["amount 0.02", "amount 0.02", "amount 0.02"], "whole 0.02; VAT 0.01"),
        ("0.12@S:50", ["amount 0.01"] * 12, "whole 0.01; VAT 0.00"),  # half up spent the VAT on the first six
        ("100@S:21 50@S:6", ["1", "amount 20"], "whole 20.00; VAT 1.20"),  # of the one rate that is left
        ("100@S:21 50@S:6", ["1", "amount 20", "all"], "2 50.00, whole -20.00; VAT 1.80"),
    ],
)
def test_r_credit_note__counts_what_was_credited_before(lines: str, wishes: list[str], found: str) -> None:
    invoice = Invoice.of(lines)
    assert [invoice.ask(wish) for wish in wishes][-1] == found


@pytest.mark.parametrize(
    ("lines", "wishes", "said"),
    [
        ("0 0", ["all"], "nothing is left to credit: its net total is 0"),
        ("30 -30", ["1"], "nothing is left to credit: its net total is 0"),
        ("100", ["all", "all"], "nothing is left to credit: its credit notes took back all of it"),
        ("100 50", ["amount 150", "1"], "nothing is left to credit: its credit notes took back all of it"),
        ("100 50", ["3"], "there is no line 3; it has the lines 1 to 2"),
        ("100 50", ["1", "1"], "nothing is left of line 1"),
        ("100 0", ["1 2"], "nothing is left of line 2"),
        ("100 50", ["amount 50.01 of 2"], "50.00 EUR without VAT are left of line 2, and 50.01 were asked for"),
        ("100 50", ["amount 150.01"], "150.00 EUR without VAT are left of it, after"),
        ("100 50 -30", ["1 2"], f"120.00 {BEYOND} 150.00 were asked for"),
        ("100 50", ["amount 60", "1"], "90.00 EUR without VAT are left of it"),
        ("100 -30", ["2"], "price reductions alone would have the customer pay again"),
        ("100 -30", ["amount 5 of 2"], "line 2 is a price reduction, of which no amount is credited"),
        ("100@S:21 50@S:6", ["amount 5"], "it has more than one VAT rate"),
        ("100@S:21 50@S:6 -20@S:6", ["2"], "30.00 EUR without VAT are left of it"),  # of its base at 6 %
        ("100@S:21 50@S:6 -20@S:6", ["1 3"], f"30.00 {BEYOND} -20.00 were asked for"),
        ("100@S:21 -20@S:6", ["1"], "80.00 EUR without VAT are left of it"),
        ("100@S:21 -20@S:6", ["amount 5 of 2"], "line 2 is a price reduction"),
    ],
)
def test_r_credit_note__more_than_what_is_left_is_refused(lines: str, wishes: list[str], said: str) -> None:
    invoice = Invoice.of(lines)
    *before, last = wishes
    for wish in before:
        assert "; VAT" in invoice.ask(wish)
    left = invoice.left
    assert invoice.ask(last).startswith(said)
    assert (invoice.left.net_cents, invoice.left.vat_cents) == (left.net_cents, left.vat_cents)


@pytest.mark.parametrize("steps", [1, 3, 7, 40])
@pytest.mark.parametrize("rate", ["21", "6", "12.5", "100"])
def test_r_credit_note__all_together_reverse_exactly_the_vat(steps: int, rate: str) -> None:
    invoice = Invoice.of(f"3.33@S:{rate} 0.34@S:{rate} -0.07@S:{rate}")
    charged = invoice.left
    for _ in range(steps):
        assert "; VAT" in invoice.ask("amount 0.07")
    assert "; VAT" in invoice.ask("all")
    assert (invoice.left.net_cents, invoice.left.vat_cents) == (0, 0)
    assert invoice.left.lines["left_cents"].to_list() == [0, 0, 0]
    assert pl.concat(invoice.vat)["vat_cents"].sum() == charged.vat_cents


def test_r_credit_note__amounts_that_only_128_bits_hold_are_compared_exactly() -> None:
    half = Decimal(LARGEST // 2).scaleb(-2)
    invoice = Invoice.of(f"{half}@E:0 {half}@E:0")
    assert invoice.ask("1 2").endswith("; VAT 0.00")
    assert invoice.left.net_cents == 0
    # Three lines pass what 64 bits hold, and are more than what a reduction leaves of them.
    assert Invoice.of(f"{half}@E:0 {half}@E:0 -1@E:0 {half}@E:0 -{half}@E:0").ask("1 2 4").startswith("92233720368")


@pytest.mark.parametrize(
    ("day", "last", "number"),
    [
        (date(2026, 11, 2), 0, (1, "CN2026-000001")),
        (date(2026, 12, 31), 41, (42, "CN2026-000042")),
        (date(2027, 1, 1), 0, (1, "CN2027-000001")),
        (date(2027, 1, 1), 999_998, (999_999, "CN2027-999999")),
    ],
)
def test_r_credit_note__numbers_are_a_series_of_their_own(day: date, last: int, number: tuple[int, str]) -> None:
    assert credit_note_number(day, last) == number


def test_r_credit_note__numbers_run_out() -> None:
    with pytest.raises(InputRefused, match="all 999999 credit note numbers of 2026 are taken"):
        credit_note_number(date(2026, 1, 1), 999_999)

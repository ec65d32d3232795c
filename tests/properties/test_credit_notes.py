"""R-CREDIT-NOTE against its second reading: any sequence of credit notes on any invoice."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, NamedTuple

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from invoicing.credit_notes import VAT_KEY, Extent, Left, credit_invoice, left_of
from invoicing.totals import vat_totals
from schemas.errors import InputRefused
from tests.second_reading.credit_notes import Invoice, Line, Note, Rate

RATES = [Rate("E", Fraction(0)), Rate("S", Fraction(21)), Rate("S", Fraction(6))]


class Wish(NamedTuple):
    """What is asked for; `lines` and `cents` as far as they apply."""

    how: Literal["all", "lines", "amount"]
    lines: tuple[int, ...] = ()
    cents: int = 0


@dataclass
class Program:
    """The rule of the program on one invoice, with the credit notes it has given."""

    lines: pl.DataFrame
    given: pl.DataFrame
    vat: pl.DataFrame

    @classmethod
    def of(cls, lines: list[Line]) -> Program:
        frame = pl.DataFrame(
            {
                "line_no": range(1, len(lines) + 1),
                "vat_category": [line.rate.category for line in lines],
                "vat_rate_micro": [int(line.rate.percent * 1_000_000) for line in lines],
                "net_cents": [line.cents for line in lines],
            }
        )
        nothing = pl.DataFrame(schema={"invoice_line_no": pl.Int64, **frame.drop("line_no").schema})
        return cls(frame, nothing, cls.vat_of(frame).clear())

    @staticmethod
    def vat_of(lines: pl.DataFrame) -> pl.DataFrame:
        return vat_totals(lines.with_columns(customer_id=pl.lit("c1"))).drop("customer_id")

    def left(self) -> Left:
        return left_of("2026-000001", self.lines, self.vat_of(self.lines), self.given, self.vat)

    def ask(self, wish: Wish) -> tuple[list[tuple[int, str, int, int]], list[tuple[str, int, int]]] | None:
        """What was given by line, and the VAT by rate; None where it was refused."""
        try:
            lines, vat = credit_invoice(self.left(), Extent(wish.lines, wish.cents or None))
        except InputRefused:
            return None
        self.given, self.vat = pl.concat([self.given, lines]), pl.concat([self.vat, vat])
        by_line = lines.with_columns(pl.col("invoice_line_no").fill_null(0)).rows()
        return sorted(by_line), sorted(vat.select(*VAT_KEY, "vat_cents").rows())


def read(invoice: Invoice, wish: Wish) -> Note | None:
    """What the second reading gives."""
    if wish.how == "all":
        return invoice.credit_all()
    if wish.how == "lines":
        return invoice.credit_lines(list(wish.lines))
    return invoice.credit_amount(wish.cents, *wish.lines)


def told(note: Note | None) -> object:
    """A note of the second reading in the words of the program."""
    if note is None:
        return None
    given = [(number, rate.category, int(rate.percent * 1_000_000), cents) for number, rate, cents in note.given]
    vat = [(rate.category, int(rate.percent * 1_000_000), cents) for rate, cents in note.vat.items()]
    return sorted(given), sorted(vat)


@st.composite
def invoices(draw: st.DrawFn) -> list[Line]:
    """One to six lines, some of them reductions, mostly of one rate, with a total that is not below 0."""
    rates = draw(st.sampled_from([[RATES[1]], [RATES[1]], [RATES[0]], RATES[1:], RATES]))
    cents = st.one_of(st.integers(-50, 300), st.integers(0, 1_000_000))
    lines = draw(st.lists(st.builds(Line, cents, st.sampled_from(rates)), min_size=1, max_size=6))
    short = -sum(line.cents for line in lines)
    return [*lines, Line(short + draw(st.integers(0, 500)), rates[0])] if short > 0 else lines


@st.composite
def wishes(draw: st.DrawFn, lines: int) -> list[Wish]:
    numbers = st.integers(1, lines)
    cents = st.one_of(st.integers(1, 40), st.integers(1, 1_000_000))
    some = st.lists(numbers, min_size=1, max_size=3, unique=True)
    wish = st.one_of(
        st.just(Wish("all")),
        some.map(lambda found: Wish("lines", tuple(sorted(found)))),
        cents.map(lambda found: Wish("amount", (), found)),
        st.tuples(numbers, cents).map(lambda found: Wish("amount", (found[0],), found[1])),
    )
    return draw(st.lists(wish, min_size=1, max_size=8))


@given(st.data())
def test_r_credit_note__any_sequence_is_that_of_the_second_reading(data: st.DataObject) -> None:
    lines = data.draw(invoices())
    program, invoice = Program.of(lines), Invoice(lines)
    charged = program.left()
    asked = [*data.draw(wishes(len(lines))), Wish("all")]
    for wish in asked:
        assert program.ask(wish) == told(read(invoice, wish)), wish
        left = program.left()
        assert 0 <= left.net_cents <= charged.net_cents
        assert left.net_cents + program.vat["base_cents"].sum() == charged.net_cents
        assert left.vat_cents + program.vat["vat_cents"].sum() == charged.vat_cents
    # The last one took all that was left: nothing of the net, nothing of the VAT.
    if charged.net_cents:
        assert (left.net_cents, left.vat_cents) == (0, 0)
        assert left.vat.filter((pl.col("base_left_cents") != 0) | (pl.col("vat_left_cents") != 0)).is_empty()

"""R-CREDIT-NOTE read a second time: an invoice, what was asked for one time after the other, what was given."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from tests.second_reading.amounts import half_up

if TYPE_CHECKING:
    from fractions import Fraction


class Rate(NamedTuple):
    """A VAT category and its rate in percent."""

    category: str
    percent: Fraction


class Line(NamedTuple):
    """An invoice line; a price reduction is below 0."""

    cents: int
    rate: Rate


@dataclass(frozen=True)
class Note:
    """What one credit note gave: by line (0 stands for the invoice as a whole), and the VAT by rate."""

    given: list[tuple[int, Rate, int]]
    vat: dict[Rate, int]

    def of_line(self, number: int) -> int:
        return sum(cents for line, _, cents in self.given if line == number)

    def of_whole(self, rate: Rate) -> int:
        return sum(cents for line, of_rate, cents in self.given if line == 0 and of_rate == rate)

    def base(self, rate: Rate) -> int:
        return sum(cents for _, of_rate, cents in self.given if of_rate == rate)


@dataclass
class Invoice:
    """Lines are counted from 1."""

    lines: list[Line]
    notes: list[Note] = field(default_factory=list)

    @property
    def rates(self) -> list[Rate]:
        return sorted({line.rate for line in self.lines})

    def line_left(self, number: int) -> int:
        return self.lines[number - 1].cents - sum(note.of_line(number) for note in self.notes)

    def base_left(self, rate: Rate) -> int:
        charged = sum(line.cents for line in self.lines if line.rate == rate)
        return charged - sum(note.base(rate) for note in self.notes)

    def vat_left(self, rate: Rate) -> int:
        charged = sum(line.cents for line in self.lines if line.rate == rate)
        return half_up(charged * rate.percent / 100) - sum(note.vat.get(rate, 0) for note in self.notes)

    def net_left(self) -> int:
        return sum(self.base_left(rate) for rate in self.rates)

    def credit_all(self) -> Note | None:
        """Every line with what is left of it, and the amounts credited on the whole before taken off again."""
        given = []
        for rate in self.rates:
            of_rate = [number for number, line in enumerate(self.lines, 1) if line.rate == rate]
            given += [(number, rate, self.line_left(number)) for number in of_rate]
            given.append((0, rate, -sum(note.of_whole(rate) for note in self.notes)))
        return self.give(given)

    def credit_lines(self, numbers: list[int]) -> Note | None:
        if any(self.line_left(number) == 0 for number in numbers):
            return None
        return self.give([(number, self.lines[number - 1].rate, self.line_left(number)) for number in numbers])

    def credit_amount(self, cents: int, number: int = 0) -> Note | None:
        if number:
            return (
                self.give([(number, self.lines[number - 1].rate, cents)]) if cents <= self.line_left(number) else None
            )
        owing = [rate for rate in self.rates if self.base_left(rate) != 0]
        return self.give([(0, owing[0], cents)]) if len(owing) == 1 else None

    def give(self, given: list[tuple[int, Rate, int]]) -> Note | None:
        """The credit note, unless it is for nothing or goes past what is left of a rate's base."""
        note = Note([part for part in given if part[2] != 0], {})
        bases = {rate: note.base(rate) for rate in self.rates if any(part[1] == rate for part in note.given)}
        lefts = {rate: self.base_left(rate) for rate in bases}
        if not 0 < sum(bases.values()) <= self.net_left():
            return None
        if not all(between(base, lefts[rate]) for rate, base in bases.items()):
            return None
        for rate, base in bases.items():
            rest = self.vat_left(rate)
            note.vat[rate] = rest if base == lefts[rate] else vat_of(base, rate, rest)
        self.notes.append(note)
        return note


def vat_of(base: int, rate: Rate, rest: int) -> int:
    """Half up, as far as the invoice's VAT goes."""
    vat = half_up(base * rate.percent / 100)
    if between(vat, rest):
        return vat
    return rest if vat * rest > 0 else 0


def between(part: int, whole: int) -> bool:
    """Whether a part lies between nothing and the whole, on whichever side of nothing the whole is."""
    return 0 <= part <= whole or whole <= part <= 0

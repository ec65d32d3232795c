"""The sections of a document: its lines by kind, its traffic by zone, the use of its packs."""

from __future__ import annotations

from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING

from invoicing.documents.charts import pack_bar, traffic_bar
from invoicing.documents.notes import line_notes
from invoicing.documents.view import Packs, Section, ShownLine, ShownPack, ShownZone, Traffic
from invoicing.documents.words import NONE
from schemas.units import MICRO

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from invoicing.documents.model import InvoiceDocument, Line, PackUse, ZoneTraffic
    from invoicing.documents.words import Language

# The sections of lines, each with the kinds of line in it; traffic is shown by zone.
SECTIONS = {
    "recurring": ("recurring", "user_cap", "number_minimum"),
    "first_period": ("first_period",),
    "traffic": ("traffic",),
    "one_off": ("one_off",),
    "credit": ("credit",),
}
SECTION_KINDS = frozenset(kind for kinds in SECTIONS.values() for kind in kinds)
PREMIUM = "premium"


def sections_of(document: InvoiceDocument, speech: Language, names: Sequence[str]) -> tuple[Section, ...]:
    """The sections of these names that have lines."""
    periods = {"recurring": document.next_period, "first_period": document.period}
    found = []
    for name in names:
        lines = [line for line in document.lines if line.kind in SECTIONS[name]]
        period = speech.month(periods.get(name, document.period))
        found.append(_section(speech.say(f"section.{name}", period=period), lines, document, speech))
    return tuple(section for section in found if section.lines)


def credited_lines(document: InvoiceDocument, speech: Language) -> tuple[Section, ...]:
    """The lines of a credit note, of whatever kind, as those of the invoice were."""
    section = _section(speech.say("section.credited_lines"), document.lines, document, speech)
    return (section,) if section.lines else ()


def _section(title: str, lines: Sequence[Line], document: InvoiceDocument, speech: Language) -> Section:
    shown = tuple(
        ShownLine(
            line.description,
            tuple(line_notes(line, document.next_period, speech)),
            (_quantity(line, speech), _unit_price(line, speech), speech.amount(line.net_cents)),
        )
        for line in lines
    )
    return Section(title, shown, _subtotal([line.net_cents for line in lines], speech))


def _quantity(line: Line, speech: Language) -> str:
    """How much of it; of traffic, how long."""
    if line.unit_price_micro is None:
        return speech.minutes(line.quantity_micro // MICRO)
    return speech.quantity(line.quantity_micro)


def _unit_price(line: Line, speech: Language) -> str:
    return "" if line.unit_price_micro is None else speech.unit_price(line.unit_price_micro)


def _subtotal(amounts_cents: Sequence[int], speech: Language) -> str:
    return speech.amount(sum(amounts_cents)) if len(amounts_cents) > 1 else ""


def traffic_of(document: InvoiceDocument, speech: Language) -> Iterator[Traffic]:
    """The calls of this period, then those of earlier ones; in each, services of third parties come last.

    Of the zones, those that cost or took most come first.
    """
    longest_s = max((zone.duration_s for zone in document.traffic), default=0)

    def group(zone: ZoneTraffic) -> tuple[str, bool]:
        return zone.traffic_period, zone.zone_kind != PREMIUM

    ordered = sorted(document.traffic, key=group, reverse=True)
    for (period, ordinary), found in groupby(ordered, key=group):
        zones = sorted(found, key=lambda zone: (-zone.amount_cents, -zone.duration_s, zone.zone_id))
        late = "_late" if period != document.period else ""
        remarks = [
            "" if ordinary else speech.say("traffic.third_parties"),
            speech.say("traffic.late") if late else "",
            speech.say("traffic.rounding"),
            speech.say("traffic.bars") if ordinary else "",
        ]
        yield Traffic(
            speech.say(f"section.{'traffic' if ordinary else 'premium'}{late}", period=speech.month(period)),
            tuple(_shown_zone(zone, longest_s, speech) for zone in zones),
            _subtotal([zone.amount_cents for zone in zones], speech),
            " ".join(filter(None, remarks)),
        )


def _shown_zone(zone: ZoneTraffic, longest_s: int, speech: Language) -> ShownZone:
    out_of_pack = speech.minutes(zone.charged_s) if zone.charged_s else NONE
    figures = (
        speech.count(zone.calls), speech.minutes(zone.duration_s), out_of_pack, speech.amount(zone.amount_cents),
    )  # fmt: skip
    return ShownZone(zone.label, figures, traffic_bar(zone, longest_s))


def packs_of(document: InvoiceDocument, speech: Language) -> Iterator[Packs]:
    """The use of packs in this period, then in earlier ones."""
    ordered = sorted(document.packs, key=attrgetter("period"), reverse=True)
    for period, found in groupby(ordered, key=attrgetter("period")):
        title = speech.say("section.packs", period=speech.month(period))
        yield Packs(title, tuple(_shown_pack(pack, speech) for pack in found))


def _shown_pack(pack: PackUse, speech: Language) -> ShownPack:
    used = speech.minutes(pack.used_s)
    return ShownPack(
        pack.label,
        "" if pack.user_id is None else speech.say("packs.user", user=pack.user_id),
        speech.say("packs.unlimited", used=used)
        if pack.allowance_s is None
        else speech.say("packs.of_allowance", used=used, allowance=speech.minutes(pack.allowance_s)),
        speech.count(pack.calls),
        pack_bar(pack),
    )

"""The charts of a document: the months, the traffic of each zone, the use of each pack."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoicing.documents.drawing import Drawing, Label
from rating.periods import Period

if TYPE_CHECKING:
    from invoicing.documents.drawing import Rectangle
    from invoicing.documents.model import InvoiceDocument, PackUse, ZoneTraffic
    from invoicing.documents.words import Language

MONTHS = 13
# Of the chart of the months, in points: its labels have the size they have on paper.
WIDTH, HEIGHT, LETTERS = 160.0, 88.0, 7.0
TOP, FOOT = 10.0, 76.0
SLOT, BAR = WIDTH / MONTHS, 8.2
APART = 3  # so many bars are between two amounts, at least
DASHES = 12


def months_chart(document: InvoiceDocument, speech: Language) -> Drawing | None:
    """What the last thirteen months came to, this one last; None where there is none before."""
    if not document.months or document.corrects is not None:
        return None
    periods = [Period.parse(document.period)]
    while len(periods) < MONTHS:
        periods.insert(0, periods[0].previous)
    cents = {month.period: month.net_cents for month in document.months} | {document.period: document.net_cents}
    known = [(place, str(period)) for place, period in enumerate(periods) if str(period) in cents]
    most = max(cents[period] for _, period in known)
    bars = {place: _bar(place, cents[period], most) for place, period in known}
    last = MONTHS - 1
    labels = [
        Label(speech.month_letter(str(period)), (place + 0.5) * SLOT, HEIGHT - 2)
        for place, period in enumerate(periods)
    ]
    # The amount is wider than its bar, and stands above those beside it too.
    beside = min(bar[1] for place, bar in bars.items() if last - place < APART)
    labels.append(Label(speech.amount(cents[document.period]), WIDTH, beside - 2, "end"))
    highest = next(place for place, period in known if cents[period] == most)
    if last - highest >= APART:
        label = Label(speech.amount(most), (highest + 0.5) * SLOT, TOP - 2, "middle" if highest > 0 else "start")
        labels.append(label)
    return Drawing(
        WIDTH,
        HEIGHT,
        {
            "light": tuple(bar for place, bar in bars.items() if place != last),
            "accent": (bars[last],),
            "rest": ((0, FOOT, WIDTH, 0.5),),
        },
        tuple(labels),
        LETTERS,
        "; ".join(f"{speech.month(period)} {speech.money(cents[period])}" for _, period in known),
    )


def _bar(place: int, net_cents: int, most: int) -> Rectangle:
    """The bar of a month: nothing to see where it came to nothing, or to less."""
    height = (FOOT - TOP) * max(0, net_cents) / max(1, most)
    return (place * SLOT + (SLOT - BAR) / 2, FOOT - height, BAR, height)


def traffic_bar(zone: ZoneTraffic, longest_s: int) -> Drawing:
    """How long the calls of a zone were beside those of the longest; what was out of packs is darker."""
    share, charged = (duration / max(1, longest_s) for duration in (zone.duration_s, zone.charged_s))
    charged = min(charged, share)
    return Drawing(1, 1, {"accent": ((0, 0, charged, 1),), "light": ((charged, 0, share - charged, 1),)})


def pack_bar(pack: PackUse) -> Drawing:
    """How much of a pack was used, of its whole length; a pack without end is a dashed line."""
    if pack.allowance_s is None:
        return Drawing(DASHES, 1, {"light": tuple((dash, 0, 0.6, 1) for dash in range(DASHES))})
    used = min(1.0, pack.used_s / pack.allowance_s) if pack.allowance_s else 1.0
    return Drawing(1, 1, {"rest": ((used, 0, 1 - used, 1),), "accent": ((0, 0, used, 1),)})

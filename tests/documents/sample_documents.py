"""Invoices to print in tests: figures that add up, made from a few lines."""

# ruff: noqa: RUF001 - the labels have the apostrophes of their language

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import date, datetime, timedelta

import polars as pl

from invoicing.documents.model import (
    Corrected,
    Customer,
    InvoiceDocument,
    Line,
    MonthTotal,
    PackUse,
    VatTotal,
    ZoneTraffic,
)
from schemas.settings import Supplier

MICRO = 1_000_000
FAR_AWAY = "Mobile France, Monaco et départements d’outre-mer"
CALL_SCHEMA = {
    "start": pl.Datetime("us"),
    "user_id": pl.String,
    "direction": pl.String,
    "caller": pl.String,
    "callee": pl.String,
    "zone": pl.String,
    "duration_s": pl.Int64,
    "pack_s": pl.Int64,
    "charged_s": pl.Int64,
    "amount_cents": pl.Int64,
}
SUPPLIER = Supplier(
    name="Maison Téléphonie SA",
    street="Rue du Charbonnage 12",
    postal_code="4020",
    city="Wandre",
    country="BE",
    vat_number="BE0404484654",
    register="RPM Liège",
    iban="BE68539007547034",
    bic="GKCCBEBB",
    email="facturation@maison.example",
    phone="+32 4 345 67 89",
    website="www.maison.example",
)
CUSTOMER = Customer(
    customer_id="C-0042",
    name="Boulangerie Dupont & Fils",
    street="Place Saint-Lambert 7",
    postal_code="4000",
    city="Liège",
    country="BE",
    language="fr",
    vat_number="BE0428759497",
)

# The invoices of the months before; there was none in April, and July was the dearest.
MONTHS = tuple(
    MonthTotal(period, net_cents, {"recurring": 27_900, "traffic": net_cents - 27_900})
    for period, net_cents in [
        ("2025-11", 31_200), ("2025-12", 29_900), ("2026-01", 33_000), ("2026-02", 42_000), ("2026-03", 38_000),
        ("2026-05", 35_000), ("2026-06", 45_000), ("2026-07", 71_000), ("2026-08", 52_000), ("2026-09", 55_321),
    ]
)  # fmt: skip
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20"><rect width="40" height="20"/></svg>'
SVG_LOGO = f"data:image/svg+xml;base64,{base64.b64encode(SVG).decode()}"


def line(kind: str, description: str, net_cents: int, **fields: object) -> Line:
    """A line of its kind, quantity 1 and its price the net, unless said otherwise."""
    plain: dict[str, object] = {
        "line_no": 1,
        "product_id": None,
        "zone_id": None,
        "traffic_period": None,
        "rule": "R-ADVANCE",
        "article": "8.1, 8.5",
        "service_from": None,
        "service_to": None,
        "quantity_micro": MICRO,
        "unit_price_micro": net_cents * 10_000,
        "vat_category": "S",
        "vat_rate_micro": 21 * MICRO,
    }
    return Line(kind=kind, description=description, net_cents=net_cents, **{**plain, **fields})


def traffic(zone: ZoneTraffic) -> Line:
    """The line of a zone's traffic."""
    return line(
        "traffic",
        zone.label,
        zone.amount_cents,
        rule="R-SECOND",
        article="8.3",
        zone_id=zone.zone_id,
        traffic_period=zone.traffic_period,
        quantity_micro=zone.charged_s * MICRO,
        unit_price_micro=None,
    )


def call(start: datetime, **fields: object) -> dict[str, object]:
    """A call of one minute to a Belgian mobile, in the pack, unless said otherwise."""
    plain = {
        "start": start,
        "user_id": "U-1",
        "direction": "outgoing",
        "caller": "+3243456789",
        "callee": "+32470123456",
        "zone": "Mobile Belgique",
        "duration_s": 60,
        "pack_s": 60,
        "charged_s": 0,
        "amount_cents": 0,
    }
    return {**plain, **fields}


def calls_of(rows: list[dict[str, object]]) -> pl.DataFrame:
    """The call detail of a document."""
    return pl.DataFrame(rows, schema=CALL_SCHEMA)


def document(lines: list[Line], zones: tuple[ZoneTraffic, ...] = (), **fields: object) -> InvoiceDocument:
    """An invoice of October 2026 with these lines and those of its traffic, 21 % VAT, half up."""
    all_lines = [*lines, *(traffic(zone) for zone in zones if zone.amount_cents)]
    numbered = tuple(replace(each, line_no=number) for number, each in enumerate(all_lines, 1))
    net_cents = sum(each.net_cents for each in numbered)
    vat_cents = (net_cents * 21 + 50) // 100
    plain = InvoiceDocument(
        number="2026-000001",
        period="2026-10",
        next_period="2026-11",
        invoice_date=date(2026, 10, 28),
        due_date=date(2026, 11, 27),
        structured_communication="+++202/6000/00192+++",
        supplier=SUPPLIER,
        customer=CUSTOMER,
        lines=numbered,
        traffic=zones,
        packs=(),
        vat=(VatTotal("S", 21 * MICRO, net_cents, vat_cents, None),),
        net_cents=net_cents,
        vat_cents=vat_cents,
        gross_cents=net_cents + vat_cents,
        calls=calls_of([]),
    )
    return replace(plain, **fields)


def credit_note(lines: list[Line] | None = None, **fields: object) -> InvoiceDocument:
    """A credit note on the invoice of October, for some users and a part of the traffic."""
    credited = lines or [
        line("recurring", "Easy2Phone Standard", 4650, quantity_micro=3 * MICRO, unit_price_micro=15_500_000),
        traffic(ZoneTraffic("2026-10", "fr", "international", FAR_AWAY, 3, 600, 600, 180)),
    ]
    corrects = Corrected("2026-000001", date(2026, 10, 28), "Numéro facturé par erreur")
    plain = {"number": "CN2026-000001", "structured_communication": None, "corrects": corrects}
    return document(credited, **{**plain, **fields})


def full_document(call_count: int = 40, **fields: object) -> InvoiceDocument:
    """An invoice with every section: all kinds of lines, two traffic periods, packs and calls."""
    november = {"service_from": date(2026, 11, 1), "service_to": date(2026, 11, 30)}
    lines = [
        line(
            "recurring",
            "Easy2Phone Standard",
            27900,
            quantity_micro=18 * MICRO,
            unit_price_micro=15_500_000,
            **november,
        ),
        line(
            "recurring",
            "Numéro géographique belge",
            1250,
            quantity_micro=10 * MICRO,
            unit_price_micro=1_250_000,
            **november,
        ),
        line(
            "user_cap",
            "Easy2Phone Standard",
            3100,
            quantity_micro=2 * MICRO,
            unit_price_micro=15_500_000,
            rule="R-CAP",
            article="8.5",
            **november,
        ),
        line(
            "number_minimum",
            "Numéro français",
            93,
            unit_price_micro=2_000_000,
            rule="R-TWELVE",
            article="8.6",
            service_from=date(2026, 11, 1),
            service_to=date(2026, 11, 14),
        ),
        line(
            "first_period",
            "Pack national 100 minutes",
            2200,
            unit_price_micro=31_000_000,
            rule="R-FIRST",
            article="8.1, 8.5",
            service_from=date(2026, 10, 10),
            service_to=date(2026, 10, 31),
        ),
        line(
            "one_off",
            "Téléphone IP, 6 touches",
            17820,
            quantity_micro=2 * MICRO,
            service_from=date(2026, 10, 12),
            service_to=date(2026, 10, 12),
            unit_price_micro=89_100_000,
            rule="R-ONEOFF",
            article="8.1",
        ),
        line(
            "one_off",
            "Intervention, 1 h 15",
            9375,
            quantity_micro=1_250_000,
            unit_price_micro=75_000_000,
            rule="R-ONEOFF",
            article="8.1",
        ),
        line(
            "credit",
            "Interruption du 3 octobre",
            -1500,
            unit_price_micro=-15_000_000,
            rule="R-CREDIT",
            article="10.4",
        ),
    ]
    zones = (
        ZoneTraffic("2026-09", "be-mobile", "national_mobile", "Mobile Belgique", 3, 361, 61, 6),
        ZoneTraffic("2026-10", "be-fixed", "national_fixed", "Fixe Belgique", 112, 30_241, 0, 0),
        ZoneTraffic("2026-10", "be-mobile", "national_mobile", "Mobile Belgique", 1_204, 74_741, 4_261, 356),
        ZoneTraffic("2026-10", "fr-mobile", "international", FAR_AWAY, 9, 1_830, 1_830, 549),
    )
    packs = (
        PackUse("2026-10", "pack-100", "Pack national 100 minutes", None, 4_258, 3_001, 77),
        PackUse("2026-10", "pack-mobile", "Pack mobile", "U-1", 72_000, 72_000, 1_127),
        PackUse("2026-10", "pack-fixed", "Fixe Belgique", None, None, 30_241, 112),
    )
    plain = document(lines, zones, packs=packs, calls=many_calls(call_count))
    return replace(plain, **fields)


def many_calls(count: int) -> pl.DataFrame:
    """Calls of two users and of none, every 37 minutes, to a few zones."""
    destinations = [
        ("+32470123456", "Mobile Belgique", 0),
        ("+33612345678", FAR_AWAY, 31),
        ("+3242223344", "Fixe Belgique", 0),
        ("1307", "Numéros spéciaux", 150),
    ]
    rows = []
    for index in range(count):
        callee, zone, amount_cents = destinations[index % 4]
        duration_s = 13 + index * 97 % 4000
        rows.append(
            call(
                datetime(2026, 10, 1, 8, 0, 7) + timedelta(minutes=37 * index),  # noqa: DTZ001 - local time
                user_id=["U-1", "U-2", None][index * 3 // count],
                callee=callee,
                zone=zone,
                duration_s=duration_s,
                pack_s=0 if amount_cents else duration_s,
                charged_s=duration_s if amount_cents else 0,
                amount_cents=amount_cents * (1 + index % 7),
            )
        )
    return calls_of(rows)

"""Assembly: which calls an invoice shows, in which words, and in which order the documents come."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import polars as pl
import pytest

from invoicing.documents.assembly import Figures, contract_ends, documents_of
from rating.periods import Period
from rating.pipeline import RATED_SCHEMA
from schemas.settings import CustomerDocuments, DocumentSettings, Settings
from tests.rules.frames import platform

if TYPE_CHECKING:
    from invoicing.documents.model import InvoiceDocument

PARTY = {
    "name": "n", "street": "s", "postal_code": "1", "city": "c", "country": "BE", "vat_number": None, "email": None,
    "peppol_id": None,
}  # fmt: skip
MONTHS = pl.DataFrame(schema={"customer_id": pl.String, "period": pl.String, "kind": pl.String, "net_cents": pl.Int64})
PLATFORM = platform(
    zones=[
        {"zone_id": "SOS", "kind": "emergency"},
        {"zone_id": "FREE", "kind": "free"},
        {"zone_id": "BE", "kind": "national_fixed", "label_fr": "Belgique", "label_nl": "België"},
    ]
)


def call(customer: str, call_id: str, zone_id: str, kind: str | None, **fields: object) -> dict[str, object]:
    plain = {
        "call_id": call_id, "customer_id": customer, "user_id": "u1",
        "start": datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
        "period_number": 202610, "direction": "outgoing", "caller": "+3221234567", "callee": "+3227654321",
        "zone_id": zone_id, "zone_kind": kind, "duration_s": 60, "pack_s": 0, "charged_s": 60, "amount_cents": 5,
    }  # fmt: skip
    return {**plain, **fields}


def documents(
    calls: list[dict[str, object]],
    languages: dict[str, str],
    months: pl.DataFrame = MONTHS,
    settings: Settings | None = None,
) -> list[InvoiceDocument]:
    invoices = pl.DataFrame(
        {
            "customer_id": list(languages),
            "customer": [
                json.dumps({**PARTY, "customer_id": customer, "language": language})
                for customer, language in languages.items()
            ],
            "due_date": [date(2026, 11, 30)] * len(languages),
            **dict.fromkeys(("net_cents", "vat_cents", "gross_cents"), [0] * len(languages)),
        }
    )
    nothing = {"customer_id": pl.String}
    figures = Figures(
        Period.parse("2026-10"),
        date(2026, 10, 31),
        invoices,
        pl.DataFrame(schema={**nothing, "line_no": pl.Int64}),
        pl.DataFrame(schema={**nothing, "vat_category": pl.String}),
        pl.DataFrame(schema={**nothing, "product_id": pl.String, "user_id": pl.String, "period_number": pl.Int32}),
        pl.DataFrame(calls, schema=RATED_SCHEMA),
        months,
    )
    return list(documents_of(figures, PLATFORM, settings or Settings()))


@pytest.mark.parametrize(
    ("zone_id", "kind", "fields", "shown", "counted"),
    [
        ("BE", "national_fixed", {}, 1, 1),
        ("ONNET", None, {}, 1, 1),
        ("SOS", "emergency", {"amount_cents": 5}, 0, 0),
        ("FREE", "free", {"amount_cents": 5}, 0, 0),
        ("INCOMING", None, {"direction": "incoming"}, 0, 0),  # received, at no price
        ("BE", "national_fixed", {"direction": "incoming"}, 1, 1),  # received on a number that pays for it
    ],
)
def test_r_emergency__never_in_the_call_detail(
    zone_id: str, kind: str | None, fields: dict[str, object], shown: int, counted: int
) -> None:
    (found,) = documents([call("c1", "a", zone_id, kind, **fields)], {"c1": "fr"})
    assert (found.calls.height, len(found.traffic)) == (shown, counted)


def test_documents__each_customer_has_its_own_calls_in_its_language_and_local_time() -> None:
    late = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    found = documents(
        [
            call("c2", "b", "BE", "national_fixed", start=late),
            call("c2", "a", "BE", "national_fixed", callee="+3220000000", start=late),
            call("c2", "c", "BE", "national_fixed"),
            call("c3", "d", "BE", "national_fixed"),
            call("c4", "e", "BE", "national_fixed"),
        ],
        {"c1": "fr", "c2": "nl", "c3": "de", "c4": "fr"},
    )
    # The one with the most calls first; then by customer.
    assert [each.customer.customer_id for each in found] == ["c2", "c3", "c4", "c1"]
    assert [each.calls["zone"].to_list() for each in found] == [["België"] * 3, ["Belgique"], ["Belgique"], []]
    assert found[0].calls["callee"].to_list() == ["+3227654321", "+3220000000", "+3227654321"]
    # 0:30 and 1:30 UTC are both half past two in Brussels that night.
    assert found[0].calls["start"].to_list() == [datetime(2026, 10, 25, 2, 30)] * 3  # noqa: DTZ001
    (traffic,) = found[0].traffic
    assert (traffic.label, traffic.calls, traffic.duration_s, traffic.amount_cents) == ("België", 3, 180, 15)


def test_documents__the_months_before_come_oldest_first_with_their_kinds() -> None:
    rows = [("c1", "2026-09", "traffic", 5), ("c1", "2026-08", "recurring", 100), ("c1", "2026-09", "recurring", 90)]
    (found,) = documents([], {"c1": "fr"}, pl.DataFrame(rows, schema=MONTHS.schema, orient="row"))
    assert [(month.period, month.net_cents, month.kind_cents) for month in found.months] == [
        ("2026-08", 100, {"recurring": 100}),
        ("2026-09", 95, {"recurring": 90, "traffic": 5}),
    ]


@pytest.mark.parametrize(
    ("fields", "caller", "callee"),
    [
        ({}, "+3221234567", "+3227654xxx"),
        ({"callee": "1307"}, "+3221234567", "1307"),  # a service, nobody's number
        ({"direction": "incoming"}, "+3221234xxx", "+3227654321"),  # the other party is the caller
        ({"callee": "+12"}, "+3221234567", "xxx"),  # as many as there are asked for
    ],
)
def test_documents__the_other_partys_last_digits_are_hidden_for_who_wants_that(
    fields: dict[str, object], caller: str, callee: str
) -> None:
    settings = Settings(documents=DocumentSettings(customers={"c1": CustomerDocuments(mask_digits=3)}))
    calls = [call("c1", "a", "BE", "national_fixed", **fields), call("c2", "b", "BE", "national_fixed", **fields)]
    own, other = documents(calls, {"c1": "fr", "c2": "fr"}, settings=settings)
    assert own.calls.select("caller", "callee").row(0) == (caller, callee)
    assert other.calls.select("caller", "callee").row(0) == (calls[1]["caller"], calls[1]["callee"])


def test_documents__a_contract_ends_at_its_end_or_after_its_term() -> None:
    tables = platform(
        contracts=[
            {"customer_id": "c1", "contract_id": "k1", "starts_on": date(2026, 1, 31), "term_months": 1},
            {"customer_id": "c2", "contract_id": "k2", "term_months": 60, "ends_on": date(2027, 5, 1)},
            {"customer_id": "c3", "contract_id": "k3"},
        ]
    )
    assert contract_ends(tables).rows() == [("c1", date(2026, 2, 28)), ("c2", date(2027, 5, 1))]

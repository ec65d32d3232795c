"""Settings: defaults, what is refused and how it is told, the document a run keeps."""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from rating.sources.settings_file import load_settings
from schemas.errors import InputRefused
from schemas.settings import (
    DEFAULT_VAT,
    Accounts,
    BillingSettings,
    CustomerDocuments,
    DocumentSettings,
    RatingSettings,
    Settings,
    Supplier,
    VatRate,
    parse_settings,
    settings_document,
)

if TYPE_CHECKING:
    from pathlib import Path


def read(written: str) -> Settings:
    return parse_settings(tomllib.loads(written, parse_float=Decimal))


def refusals(written: str) -> list[tuple[str, str, str]]:
    with pytest.raises(InputRefused) as refused:
        read(written)
    assert {(p.table, p.file, p.line) for p in refused.value.problems} == {("centime.toml", "centime.toml", 0)}
    return [(p.column, p.value, p.expected) for p in refused.value.problems]


def test_settings__an_empty_document_gives_the_defaults() -> None:
    settings = read("")
    assert settings == Settings()
    assert settings.rating == RatingSettings("Europe/Brussels", "32", "customer", False, "quarantine")
    assert settings.billing == BillingSettings(28, 30, "month_end", "floor", Decimal("0.01"))
    assert settings.supplier.name == ""
    assert settings.vat == (
        VatRate("S", 21_000_000, date(1970, 1, 1), None),
        *(VatRate(category, 0, date(1970, 1, 1), None) for category in ("AE", "K", "G", "E")),
    )


def test_settings__every_setting_can_be_given() -> None:
    settings = read("""
        [supplier]
        name = " Opérateur SA "
        colour = "#336699"
        [rating]
        timezone = "Europe/Paris"
        country_code = "352"
        onnet = "platform"
        allow_increments = true
        unterminated_last_line = "accept"
        [billing]
        invoice_day = 1
        payment_days = 0
        increase = "prorate"
        cap_rounding = "ceil"
        quarantine_threshold = 0.000001
        [documents]
        cpu_limit_s = 1
        wall_limit_s = 86400
        memory_limit_mb = 300
        validate = false
        rules_dir = "rules/2027-05"
        embed_pdf = true
        mask_digits = 2
        report = "nl"
        web_page = true
        [documents.customers.C-2]
        attach_calls = true
        [documents.customers.C-1]
        mask_digits = 0
        [accounts]
        traffic = "700.6"
        vat = "4510A"
        [bounds]
        traffic_factor = 2.50
    """)
    assert settings.supplier == Supplier(name="Opérateur SA", colour="#336699")
    assert settings.rating == RatingSettings("Europe/Paris", "352", "platform", True, "accept")
    assert settings.billing == BillingSettings(1, 0, "prorate", "ceil", Decimal("0.000001"))
    own = {"C-1": CustomerDocuments(0, False), "C-2": CustomerDocuments(2, True)}
    assert settings.documents == DocumentSettings(
        1, 86_400, 300, False, "rules/2027-05", True, 2, False, True, "nl", own
    )
    assert settings.documents.of_customer("C-3") == CustomerDocuments(2, False)
    assert settings.accounts == Accounts(traffic="700.6", vat="4510A")
    assert settings.bounds == {"traffic_factor": "2.50"}


@pytest.mark.parametrize(
    ("section", "line", "value", "expected"),
    [
        ("rating", 'timezone = "Europe/Bruxelles"', "Europe/Bruxelles", "a time zone that exists"),
        ("rating", 'timezone = "Europe"', "Europe", "a time zone that exists"),
        ("rating", 'timezone = "../etc/passwd"', "../etc/passwd", "a time zone that exists"),
        ("rating", 'timezone = ""', "", "a time zone that exists"),
        ("rating", "timezone = 1", "1", "text in quotes"),
        ("rating", 'country_code = "032"', "032", "the first not 0"),
        ("rating", 'country_code = "3222"', "3222", "1 to 3 digits"),
        ("rating", 'country_code = "+32"', "+32", "1 to 3 digits"),
        ("rating", "country_code = 32", "32", "in quotes"),
        ("rating", 'onnet = "all"', "all", "one of customer, platform, none"),
        ("rating", "allow_increments = 1", "1", "true or false"),
        ("rating", 'unterminated_last_line = "keep"', "keep", "one of quarantine, accept, wait"),
        ("billing", "invoice_day = 0", "0", "a whole number from 1 to 28"),
        ("billing", "invoice_day = 29", "29", "a whole number from 1 to 28"),
        ("billing", "invoice_day = true", "true", "a whole number from 1 to 28"),
        ("billing", "invoice_day = 1.0", "1.0", "a whole number from 1 to 28"),
        ("billing", "payment_days = -1", "-1", "a whole number from 0 to 365"),
        ("billing", "payment_days = 366", "366", "a whole number from 0 to 365"),
        ("billing", 'increase = "daily"', "daily", "one of month_end, prorate"),
        ("billing", 'cap_rounding = "round"', "round", "one of floor, ceil"),
        ("billing", "quarantine_threshold = 1.01", "1.01", "a number from 0 to 1"),
        ("billing", "quarantine_threshold = -0.1", "-0.1", "a number from 0 to 1"),
        ("billing", "quarantine_threshold = nan", "NaN", "a number from 0 to 1"),
        ("billing", "quarantine_threshold = true", "true", "a number from 0 to 1"),
        ("accounts", "user = 700000", "700000", "an account in quotes"),
        ("accounts", 'user = ""', "", "up to 20 digits, letters and points"),
        ("accounts", 'vat = "451 000"', "451 000", "up to 20 digits, letters and points"),
        ("accounts", 'vat = "=451000"', "=451000", "up to 20 digits, letters and points"),
        ("accounts", f'vat = "{"4" * 21}"', "4" * 21, "up to 20 digits, letters and points"),
        ("documents", "cpu_limit_s = 0", "0", "a whole number from 1 to 86400"),
        ("documents", "wall_limit_s = 86401", "86401", "a whole number from 1 to 86400"),
        ("documents", "memory_limit_mb = 0.5", "0.5", "a whole number from 1 to 1000000"),
        ("documents", "mask_digits = 16", "16", "a whole number from 0 to 15"),
        ("documents", "embed_pdf = 1", "1", "true or false"),
        ("documents", "customers = 3", "3", "a section for each name"),
        ("documents.customers.C-1", "mask_digits = -1", "-1", "a whole number from 0 to 15"),
        ("supplier", "name = 12", "12", "text in quotes"),
    ],
)
def test_settings__a_bad_value_is_refused(section: str, line: str, value: str, expected: str) -> None:
    ((column, found, words),) = refusals(f"[{section}]\n{line}")
    assert (column, found) == (f"{section}.{line.split(' ', maxsplit=1)[0]}", value)
    assert expected in words


@pytest.mark.parametrize(
    ("written", "column", "expected"),
    [
        ("[biling]\n", "biling", "there is no such section; did you mean billing?"),
        ("invoice_day = 3", "invoice_day", "there is no such section"),
        ("[billing]\ninvoice_days = 3", "billing.invoice_days", "no such key; did you mean invoice_day?"),
        ("[rating]\ntime_zone = 3", "rating.time_zone", "no such key; did you mean timezone?"),
        ("[documents]\ncpu_limit = 3", "documents.cpu_limit", "no such key; did you mean cpu_limit_s?"),
        ("[supplier]\nvat = 3", "supplier.vat", "no such key; did you mean vat_number?"),
        ("rating = 3", "rating", "expected a section [rating]"),
        ("documents = 3", "documents", "expected a section [documents]"),
        ("[documents.customers]\nC-1 = 3", "documents.customers.C-1", "expected a section [customer]"),
        ("[documents.customers.C-1]\nmask = 3", "documents.customers.C-1.mask", "did you mean mask_digits?"),
        ("vat = 21", "vat", "expected a section [[vat]]"),
        ("vat = [21]", "vat[1]", "expected a section [vat]"),
    ],
)
def test_settings__an_unknown_name_is_refused(written: str, column: str, expected: str) -> None:
    ((found, _, words),) = refusals(written)
    assert found == column
    assert expected in words


def test_settings__all_that_is_wrong_is_told_at_once() -> None:
    written = '[rating]\nonnet = "x"\nzone = 1\n[billing]\ninvoice_day = 40\n[[vat]]\nrate = 101'
    assert [column for column, _, _ in refusals(written)] == [
        "billing.invoice_day",
        "rating.onnet",
        "rating.zone",
        "vat[1].category",
        "vat[1].effective_from",
        "vat[1].rate",
    ]


@pytest.mark.parametrize(
    ("rate", "micro_percent"),
    [
        ("21", 21_000_000),
        ("6.0", 6_000_000),
        ("0.1", 100_000),
        ('"8.100001"', 8_100_001),
        ("100", 100_000_000),
        ("0", 0),
    ],
)
def test_settings__a_vat_rate_is_exact_as_written(rate: str, micro_percent: int) -> None:
    settings = read(f'[[vat]]\ncategory = "S"\nrate = {rate}\neffective_from = 2027-01-01')
    assert settings.vat[0] == VatRate("S", micro_percent, date(2027, 1, 1), None)


@pytest.mark.parametrize("rate", ["21.0000001", "100.000001", "-1", "true", '"21 %"', '""', '"1e1"', "inf", "1e400"])
def test_settings__a_vat_rate_out_of_bounds_is_refused(rate: str) -> None:
    ((column, _, words),) = refusals(f'[[vat]]\ncategory = "S"\nrate = {rate}\neffective_from = 2027-01-01')
    assert column == "vat[1].rate"
    assert words == "expected a number from 0 to 100 with at most 6 decimals"


@pytest.mark.parametrize("day", ['"2026-02-29"', '"2026-1-1"', "2026-01-01T00:00:00", "20260101", '"1 mai"'])
def test_settings__a_vat_rate_needs_a_real_day(day: str) -> None:
    ((column, _, words),) = refusals(f'[[vat]]\ncategory = "S"\nrate = 21\neffective_from = {day}')
    assert column == "vat[1].effective_from"
    assert words == "expected a real date, written YYYY-MM-DD"


def test_settings__two_vat_rates_of_one_day_are_refused() -> None:
    rate = '[[vat]]\ncategory = "S"\nrate = 21\neffective_from = 2026-01-01\n'
    assert refusals(rate + rate.replace("21", "20")) == [
        ("vat[2].effective_from", "2026-01-01", "this category has a rate from this day on already; keep one")
    ]


def test_settings__a_category_without_a_rate_keeps_its_default() -> None:
    settings = read("""
        [[vat]]
        category = "S"
        rate = 22
        effective_from = 2027-01-01
        [[vat]]
        category = "S"
        rate = 21
        effective_from = "1996-01-01"
        [[vat]]
        category = "AE"
        rate = 0
        effective_from = 1970-01-01
        reason = "Autoliquidation"
    """)
    assert settings.vat == (
        VatRate("S", 21_000_000, date(1996, 1, 1), None),
        VatRate("S", 22_000_000, date(2027, 1, 1), None),
        VatRate("AE", 0, date(1970, 1, 1), "Autoliquidation"),
        *DEFAULT_VAT[2:],
    )


def test_settings__the_document_gives_the_same_settings_back() -> None:
    settings = read("""
        [supplier]
        name = "Opérateur"
        [rating]
        allow_increments = true
        [billing]
        quarantine_threshold = 0.0500
        [[vat]]
        category = "S"
        rate = 6.5
        effective_from = 2027-01-01
        reason = "réduit"
        [documents]
        wall_limit_s = 30
        [documents.customers.C-1]
        mask_digits = 4
        [bounds]
        since = 2026-01-01
        at = 2026-01-01T08:00:00Z
        factor = 1.10
        parts = [1, 2.5, {deep = 0.1}]
    """)
    document = settings_document(settings)
    kept = json.loads(json.dumps(document, sort_keys=True))
    assert parse_settings(kept) == settings
    assert settings_document(parse_settings(kept)) == document
    assert kept["billing"]["quarantine_threshold"] == "0.05"
    assert kept["vat"][0] == {
        "category": "S",
        "rate": "6.5",
        "effective_from": "2027-01-01",
        "reason": "réduit",
    }
    assert kept["documents"] == {
        "cpu_limit_s": 120, "wall_limit_s": 30, "memory_limit_mb": 2000, "validate": True, "rules_dir": "",
        "embed_pdf": False, "mask_digits": 0, "attach_calls": False, "web_page": False, "report": "en",
        "customers": {"C-1": {"mask_digits": 4, "attach_calls": False}},
    }  # fmt: skip
    assert kept["bounds"] == {
        "since": "2026-01-01",
        "at": "2026-01-01T08:00:00+00:00",
        "factor": "1.10",
        "parts": [1, "2.5", {"deep": "0.1"}],
    }


def test_settings__equal_settings_give_equal_documents() -> None:
    one = replace(Settings(), billing=BillingSettings(quarantine_threshold=Decimal("0.10")))
    other = replace(Settings(), billing=BillingSettings(quarantine_threshold=Decimal("0.1")))
    assert json.dumps(settings_document(one)) == json.dumps(settings_document(other))


def test_settings_file__no_file_gives_the_defaults() -> None:
    assert load_settings(None) == Settings()


def test_settings_file__decimals_are_read_from_their_digits(tmp_path: Path) -> None:
    path = tmp_path / "centime.toml"
    path.write_bytes(b"\xef\xbb\xbf[billing]\r\nquarantine_threshold = 0.1\r\n")
    assert load_settings(path).billing.quarantine_threshold == Decimal("0.1")


@pytest.mark.parametrize(
    ("written", "line", "expected"),
    [
        (b"[billing]\ninvoice_day = = 3\n", 2, "is no TOML"),
        (b"[billing]\n\n# \xff\n", 3, "expected UTF-8 text"),
        (b"[billing]\ninvoice_day = 99\n", 0, "a whole number from 1 to 28"),
    ],
)
def test_settings_file__a_bad_file_is_told_with_its_place(
    tmp_path: Path, written: bytes, line: int, expected: str
) -> None:
    path = tmp_path / "centime.toml"
    path.write_bytes(written)
    with pytest.raises(InputRefused) as refused:
        load_settings(path)
    (problem,) = refused.value.problems
    assert (problem.table, problem.file, problem.line) == ("centime.toml", str(path), line)
    assert expected in problem.expected


def test_settings_file__a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputRefused) as refused:
        load_settings(tmp_path / "none.toml")
    assert refused.value.problems[0].expected == "cannot be read (No such file or directory)"

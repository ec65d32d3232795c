"""The settings of a run: who supplies, how calls are rated, when and how invoices are made.

`parse_settings` judges a whole document at once, and `settings_document` writes the settings down again in
the form in which a run keeps them, so that an invoice can be made anew from the settings of its own run.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from schemas.days import read_day
from schemas.errors import InputRefused, Problem
from schemas.units import MICRO, MICRO_PLACES

FILE_NAME = "centime.toml"
VAT_CATEGORIES = ("S", "AE", "K", "G", "E")
SECONDS_PER_HOUR = 3600
# What is done about what is above a bound.
HOLD, REPORT, OFF = "hold", "report", "off"


@dataclass(frozen=True, slots=True)
class Supplier:
    """The operator as its invoices show it; every field is text, empty where it is not set.

    `logo` is the image itself, as a data URI: the settings of a run are kept with it.
    """

    name: str = ""
    street: str = ""
    postal_code: str = ""
    city: str = ""
    country: str = ""
    vat_number: str = ""
    register: str = ""
    iban: str = ""
    bic: str = ""
    email: str = ""
    phone: str = ""
    website: str = ""
    logo: str = ""
    colour: str = ""
    peppol_id: str = ""


@dataclass(frozen=True, slots=True)
class RatingSettings:
    """How calls are read and rated.

    Attributes:
        timezone: The zone whose local days decide periods and tariff versions.
        country_code: The digits that stand for the leading 0 of a national number.
        onnet: Which calls are free as calls to an own number: of the same `customer`, of any customer on the
            `platform`, or `none`.
        allow_increments: Whether a contract derogates from billing per second.
        unterminated_last_line: Whether a last line without a line end is put in `quarantine`, `accept`ed, or left
            to the next reading (`wait`), where files are read that a switch still writes to.
    """

    timezone: str = "Europe/Brussels"
    country_code: str = "32"
    onnet: str = "customer"
    allow_increments: bool = False
    unterminated_last_line: str = "quarantine"


@dataclass(frozen=True, slots=True)
class BillingSettings:
    """When and how a period is billed.

    Attributes:
        invoice_day: The day of the month from which its period can be run, 1 to 28.
        payment_days: Days from the invoice date to the due date, where a contract sets none.
        increase: More units of a product: counted at `month_end`, or `prorate`d from their day.
        cap_rounding: Whether a tenth of the users is rounded down (`floor`) or up (`ceil`).
        quarantine_threshold: The share of records in quarantine, 0 to 1, above which a person must look.
        approval: Whether a month is issued only once somebody has approved what it would be.
    """

    invoice_day: int = 28
    payment_days: int = 30
    increase: str = "month_end"
    cap_rounding: str = "floor"
    quarantine_threshold: Decimal = Decimal("0.01")
    approval: bool = False


@dataclass(frozen=True, slots=True)
class CustomerDocuments:
    """What the documents of one customer hold.

    Attributes:
        mask_digits: How many last digits of each number called are not shown.
        attach_calls: Whether the electronic invoice carries the call detail as text/csv.
    """

    mask_digits: int = 0
    attach_calls: bool = False


@dataclass(frozen=True, slots=True)
class DocumentSettings:
    """How documents are made, and what one may take meanwhile; one that takes more is held, the others go out.

    Attributes:
        cpu_limit_s: Seconds of processor.
        wall_limit_s: Seconds from start to end.
        memory_limit_mb: Megabytes on top of what the process that makes it has when it does nothing.
        validate: Whether electronic invoices are judged by the official rules before they are published.
        rules_dir: A folder with other rules than those that are installed; empty: those.
        embed_pdf: Whether the electronic invoice carries the PDF.
        mask_digits: As for one customer, for all that have no own setting.
        attach_calls: The same.
        web_page: Whether each document is written as a web page too.
        report: The language of the page of each month, written beside its documents; `none`: no page.
        customers: The own settings of customers, by customer_id.
    """

    cpu_limit_s: int = 120
    wall_limit_s: int = 600
    memory_limit_mb: int = 2000
    validate: bool = True
    rules_dir: str = ""
    embed_pdf: bool = False
    mask_digits: int = 0
    attach_calls: bool = False
    web_page: bool = False
    report: str = "en"
    customers: dict[str, CustomerDocuments] = field(default_factory=dict)

    def of_customer(self, customer_id: str) -> CustomerDocuments:
        """What the documents of a customer hold."""
        return self.customers.get(customer_id, CustomerDocuments(self.mask_digits, self.attach_calls))


@dataclass(frozen=True, slots=True)
class Accounts:
    """The accounts that `export journal` books on, by default those of the Belgian chart of accounts (PCMN, MAR).

    Attributes:
        user: Turnover of products of this kind; `number`, `pack`, `option` and `one_off` likewise.
        number: As `user`.
        pack: As `user`.
        option: As `user`.
        one_off: As `user`; charges without a product too.
        traffic: Turnover of calls.
        reduction: Price reductions, and credit notes on an invoice as a whole.
        vat: VAT to be paid.
        receivable: What customers owe.
    """

    user: str = "700100"
    number: str = "700200"
    pack: str = "700300"
    option: str = "700400"
    one_off: str = "700500"
    traffic: str = "700600"
    reduction: str = "708000"
    vat: str = "451000"
    receivable: str = "400000"


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is no longer usual, and what is done about it before it hurts: `hold`, `report` or `off` (R-HELD).

    Attributes:
        invoice_jump: What is done about an invoice above so many times what is usual for its customer.
        invoice_jump_times: So many times the median of the three months before.
        invoice_jump_least_eur: No smaller invoice is one.
        long_call: What is done about a call that lasts longer.
        long_call_h: Hours.
        day_spend: What is done about a user who spends more in a day on the calls to one zone.
        day_spend_eur: So much, without VAT.
        night_spend: What is done about a user who spends more on premium and international calls in the night or at
            a weekend.
        night_spend_eur: So much in a day, without VAT.
        no_calls: What is done about a customer with services and, for the first time, no calls.
        unused_pack: What is done about a pack that nobody used.
        unused_pack_months: So many months one after the other.
        negative_line: What is done about a line below 0 that is no price reduction.
    """

    invoice_jump: str = "hold"
    invoice_jump_times: Decimal = Decimal(5)
    invoice_jump_least_eur: Decimal = Decimal(100)
    long_call: str = "hold"
    long_call_h: Decimal = Decimal(4)
    day_spend: str = "hold"
    day_spend_eur: Decimal = Decimal(100)
    night_spend: str = "report"
    night_spend_eur: Decimal = Decimal(50)
    no_calls: str = "report"
    unused_pack: str = "report"
    unused_pack_months: int = 3
    negative_line: str = "hold"

    @property
    def longest_call_s(self) -> int:
        """The longest call that is usual; no call lasts a broken second."""
        return int(self.long_call_h * SECONDS_PER_HOUR)

    @property
    def day_spend_cents(self) -> int:
        """The most that is usual of one user, zone and day."""
        return int(self.day_spend_eur.scaleb(2))

    @property
    def night_spend_cents(self) -> int:
        """The most that is usual of one user in the night or at a weekend."""
        return int(self.night_spend_eur.scaleb(2))


@dataclass(frozen=True, slots=True)
class VatRate:
    """The rate of a VAT category from a day on; 21 % is 21_000_000 millionths of a percent."""

    category: str
    rate_micro_percent: int
    effective_from: date
    reason: str | None = None


DEFAULT_VAT = tuple(
    VatRate(category, 21 * MICRO if category == "S" else 0, date(1970, 1, 1)) for category in VAT_CATEGORIES
)


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of a run; `vat` is in the order of categories and days, with a rate of each category."""

    supplier: Supplier = field(default_factory=Supplier)
    rating: RatingSettings = field(default_factory=RatingSettings)
    billing: BillingSettings = field(default_factory=BillingSettings)
    vat: tuple[VatRate, ...] = DEFAULT_VAT
    documents: DocumentSettings = field(default_factory=DocumentSettings)
    accounts: Accounts = field(default_factory=Accounts)
    bounds: Bounds = field(default_factory=Bounds)


class _Refused(ValueError):  # noqa: N818 - it reads as the sentence it is
    """A setting that cannot be; its message says what was expected."""


def _text(found: object) -> str:
    if not isinstance(found, str):
        raise _Refused("expected text in quotes")
    return found.strip()


def _image(found: object) -> str:
    text = _text(found)
    if text and not re.fullmatch(r"data:image/(png|jpeg|svg\+xml);base64,[A-Za-z0-9+/]+=*", text):
        raise _Refused("expected the path of a PNG, JPEG or SVG file")
    return text


def _yes_or_no(found: object) -> bool:
    if not isinstance(found, bool):
        raise _Refused("expected true or false")
    return found


def _one_of(*choices: str) -> Callable[[object], str]:
    def judge(found: object) -> str:
        if not isinstance(found, str) or found not in choices:
            raise _Refused(f"expected one of {', '.join(choices)}")
        return found

    return judge


def _whole(least: int, most: int) -> Callable[[object], int]:
    def judge(found: object) -> int:
        if isinstance(found, bool) or not isinstance(found, int) or not least <= found <= most:
            raise _Refused(f"expected a whole number from {least} to {most}")
        return found

    return judge


def _decimal(most: int) -> Callable[[object], Decimal]:
    """Judge a number of at most 6 decimals by the digits it is written with."""

    def judge(found: object) -> Decimal:
        written = "" if isinstance(found, bool) else str(found).strip()
        if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,6})?", written) or Decimal(written) > most:
            raise _Refused(f"expected a number from 0 to {most} with at most 6 decimals")
        return Decimal(written)

    return judge


def _timezone(found: object) -> str:
    name = _text(found)
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError) as unknown:
        raise _Refused("expected a time zone that exists, such as Europe/Brussels") from unknown
    return name


def _country_code(found: object) -> str:
    if not isinstance(found, str) or not re.fullmatch("[1-9][0-9]{0,2}", found):
        raise _Refused('expected 1 to 3 digits in quotes, the first not 0, such as "32"')
    return found


def _account(found: object) -> str:
    if not isinstance(found, str) or not re.fullmatch("[0-9A-Za-z][0-9A-Za-z.]{0,19}", found):
        raise _Refused('expected an account in quotes, up to 20 digits, letters and points, such as "700000"')
    return found


def _day(found: object) -> date:
    if isinstance(found, date) and not isinstance(found, datetime):
        return found
    if isinstance(found, str) and (day := read_day(found)):
        return day
    raise _Refused("expected a real date, written YYYY-MM-DD")


def _by_name(found: object) -> Mapping[str, object]:
    if not isinstance(found, Mapping):
        raise _Refused("expected a section for each name")
    return found


_JUDGES: dict[str, dict[str, Callable[[object], object]]] = {
    "supplier": {name.name: _image if name.name == "logo" else _text for name in fields(Supplier)},
    "rating": {
        "timezone": _timezone,
        "country_code": _country_code,
        "onnet": _one_of("customer", "platform", "none"),
        "allow_increments": _yes_or_no,
        "unterminated_last_line": _one_of("quarantine", "accept", "wait"),
    },
    "billing": {
        "invoice_day": _whole(1, 28),
        "payment_days": _whole(0, 365),
        "increase": _one_of("month_end", "prorate"),
        "cap_rounding": _one_of("floor", "ceil"),
        "quarantine_threshold": _decimal(1),
        "approval": _yes_or_no,
    },
    "documents": {
        "cpu_limit_s": _whole(1, 86_400),
        "wall_limit_s": _whole(1, 86_400),
        "memory_limit_mb": _whole(1, 1_000_000),
        "validate": _yes_or_no,
        "rules_dir": _text,
        "embed_pdf": _yes_or_no,
        "mask_digits": _whole(0, 15),
        "attach_calls": _yes_or_no,
        "web_page": _yes_or_no,
        "report": _one_of("fr", "nl", "de", "en", "none"),
        "customers": _by_name,
    },
    "accounts": {name.name: _account for name in fields(Accounts)},
    "bounds": {
        "invoice_jump": _one_of(HOLD, REPORT, OFF),
        "invoice_jump_times": _decimal(1000),
        "invoice_jump_least_eur": _decimal(1_000_000),
        "long_call": _one_of(HOLD, REPORT, OFF),
        "long_call_h": _decimal(24),
        "day_spend": _one_of(HOLD, REPORT, OFF),
        "day_spend_eur": _decimal(1_000_000),
        "night_spend": _one_of(HOLD, REPORT, OFF),
        "night_spend_eur": _decimal(1_000_000),
        "no_calls": _one_of(HOLD, REPORT, OFF),
        "unused_pack": _one_of(HOLD, REPORT, OFF),
        "unused_pack_months": _whole(1, 120),
        "negative_line": _one_of(HOLD, REPORT, OFF),
    },
    "customer": {"mask_digits": _whole(0, 15), "attach_calls": _yes_or_no},
    "vat": {
        "category": _one_of(*VAT_CATEGORIES),
        "rate": _decimal(100),
        "effective_from": _day,
        "reason": _text,
    },
}
_SECTIONS = ("supplier", "rating", "billing", "documents", "accounts", "vat", "bounds")
_VAT_REQUIRED = ("category", "rate", "effective_from")


def parse_settings(document: Mapping[str, object], *, file: str = FILE_NAME) -> Settings:
    """Judge a whole document of settings, as `tomllib` reads it or as `settings_document` wrote it.

    Args:
        document: Sections by name; numbers with decimals as Decimal or text, so that they are exact.
        file: The file's name, for the problems.

    Returns:
        The settings, with a default for each one that is not in the document.

    Raises:
        InputRefused: with every value that cannot be, every unknown section and every unknown key.
    """
    judging = _Judging(file)
    judging.unknown(document, _SECTIONS, "")
    settings = Settings(
        supplier=Supplier(**judging.section(document, "supplier")),
        rating=RatingSettings(**judging.section(document, "rating")),
        billing=BillingSettings(**judging.section(document, "billing")),
        vat=judging.vat(document.get("vat", [])),
        documents=judging.documents(document),
        accounts=Accounts(**judging.section(document, "accounts")),
        bounds=Bounds(**judging.section(document, "bounds")),
    )
    if judging.problems:
        raise InputRefused(f"{file} cannot be used", tuple(judging.problems))
    return settings


class _Judging:
    """One reading of a document: what it gives, and all that is wrong with it."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []

    def refuse(self, column: str, found: object, expected: str) -> None:
        shown = str(found).lower() if isinstance(found, bool) else str(found)
        self.problems.append(Problem(FILE_NAME, self.file, 0, column, shown, expected))

    def unknown(self, keys: Iterable[str], known: Iterable[str], section: str) -> None:
        """Refuse the keys that are not known, each with the known one it resembles most."""
        names = list(known)
        for key in keys:
            if key not in names:
                near = difflib.get_close_matches(key, names, n=1, cutoff=0.0)
                what = "key" if section else "section"
                self.refuse(f"{section}{key}", "", f"there is no such {what}; did you mean {near[0]}?")

    def section(self, document: Mapping[str, object], name: str) -> dict[str, Any]:
        """The judged settings of a section; those that are wrong are left out."""
        return self.judged(document.get(name, {}), name, name)

    def judged(self, found: object, name: str, place: str) -> dict[str, Any]:
        if not isinstance(found, Mapping):
            self.refuse(place, found, f"expected a section [{name}]")
            return {}
        judges = _JUDGES[name]
        self.unknown(found, judges, f"{place}.")
        settings = {}
        for key, judge in judges.items():
            if key in found:
                try:
                    settings[key] = judge(found[key])
                except _Refused as refused:
                    self.refuse(f"{place}.{key}", found[key], str(refused))
        return settings

    def documents(self, document: Mapping[str, object]) -> DocumentSettings:
        """How documents are made; a customer's own settings stand beside the general ones."""
        judged = self.section(document, "documents")
        customers = {}
        for customer_id, found in judged.pop("customers", {}).items():
            own = self.judged(found, "customer", f"documents.customers.{customer_id}")
            general = {name: judged[name] for name in _JUDGES["customer"] if name in judged}
            customers[customer_id] = CustomerDocuments(**general | own)
        return DocumentSettings(**judged, customers=dict(sorted(customers.items())))

    def vat(self, rows: object) -> tuple[VatRate, ...]:
        """The rates given, and the default of each category that has none, by category and day."""
        if not isinstance(rows, Sequence) or isinstance(rows, str):
            self.refuse("vat", rows, "expected a section [[vat]] for each rate")
            return DEFAULT_VAT
        rates: dict[tuple[str, date], VatRate] = {}
        for number, row in enumerate(rows, start=1):
            rate = self.vat_rate(row, f"vat[{number}]")
            if rate is None:
                continue
            key = (rate.category, rate.effective_from)
            if key in rates:
                words = "this category has a rate from this day on already; keep one"
                self.refuse(f"vat[{number}].effective_from", rate.effective_from, words)
            rates[key] = rate
        given = {category for category, _ in rates}
        rates |= {(r.category, r.effective_from): r for r in DEFAULT_VAT if r.category not in given}
        return tuple(sorted(rates.values(), key=lambda r: (VAT_CATEGORIES.index(r.category), r.effective_from)))

    def vat_rate(self, row: object, place: str) -> VatRate | None:
        judged = self.judged(row, "vat", place)
        if isinstance(row, Mapping):
            for key in _VAT_REQUIRED:
                if key not in row:
                    self.refuse(f"{place}.{key}", "", "a rate needs category, rate and effective_from")
        if not all(key in judged for key in _VAT_REQUIRED):
            return None
        micro_percent = int(judged["rate"].scaleb(MICRO_PLACES))
        return VatRate(judged["category"], micro_percent, judged["effective_from"], judged.get("reason") or None)


def settings_document(settings: Settings) -> dict[str, object]:
    """The settings as a document that JSON can hold, with every default written out.

    Decimals and dates are text. `parse_settings` makes the same settings of it, and equal settings give
    equal documents.
    """
    billing = asdict(settings.billing)
    billing["quarantine_threshold"] = decimal_text(settings.billing.quarantine_threshold)
    return {
        "supplier": asdict(settings.supplier),
        "rating": asdict(settings.rating),
        "billing": billing,
        "vat": [_vat_document(rate) for rate in settings.vat],
        "documents": asdict(settings.documents),
        "accounts": asdict(settings.accounts),
        "bounds": {
            name: decimal_text(found) if isinstance(found, Decimal) else found
            for name, found in asdict(settings.bounds).items()
        },
    }


def _vat_document(rate: VatRate) -> dict[str, str]:
    document = {
        "category": rate.category,
        "rate": decimal_text(Decimal(rate.rate_micro_percent).scaleb(-MICRO_PLACES)),
        "effective_from": rate.effective_from.isoformat(),
    }
    return document if rate.reason is None else {**document, "reason": rate.reason}


def decimal_text(number: Decimal) -> str:
    """The decimal without exponent and without trailing zeros."""
    digits = f"{number:f}"
    return digits.rstrip("0").rstrip(".") if "." in digits else digits

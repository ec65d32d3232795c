"""The catalogues: every language says everything, and nothing is left in French."""

from __future__ import annotations

import re
import string
import tomllib
from importlib.resources import files

import pytest

from invoicing.documents.call_detail import COLUMNS
from invoicing.documents.pdf import PRICES_MM, TRAFFIC_MM
from invoicing.documents.sections import SECTIONS
from invoicing.documents.words import LANGUAGES, language

# Texts that are the same in French and in another language, each looked at: names of things, and words that the
# languages share.
SAME = {
    "nl": {"head.iban", "head.bic", "line.article", "figure.minutes"},
    "de": {"head.iban", "head.bic"},
    "en": {
        "head.iban", "head.bic", "head.page", "line.article", "figure.minutes",
        "column.date", "column.description", "column.pack", "column.zone",
    },
}  # fmt: skip
FAMILIES = {
    "column": {*COLUMNS, *PRICES_MM, *TRAFFIC_MM, "difference", "description", "pack", "used"},
    "kind": set(SECTIONS),
    "article": {"8.4", "8.5", "8.6"},
    "vat": {"AE", "K", "G", "E"},
    "section": {*SECTIONS, "traffic_late", "premium", "premium_late", "credited", "changed", "total"},
    "head": {"iban", "bic", "structured_communication", "draft", "invoice", "credit_note"},
}


def words_of(code: str) -> dict[str, dict[str, str]]:
    catalogue = files("invoicing.documents").joinpath("catalogues", f"{code}.toml")
    return tomllib.loads(catalogue.read_text(encoding="utf-8"))


def fields_of(text: str) -> set[str]:
    return {field for _, field, _, _ in string.Formatter().parse(text) if field}


@pytest.mark.parametrize("code", [code for code in LANGUAGES if code != "fr"])
def test_words__every_catalogue_has_the_keys_and_fields_of_the_french_one(code: str) -> None:
    french = language("fr").words
    words = language(code).words
    assert list(words) == list(french)
    for key, text in words.items():
        assert text.strip() == text != ""
        assert fields_of(text) == fields_of(french[key]), key


@pytest.mark.parametrize("code", SAME)
def test_words__no_text_is_left_in_french(code: str) -> None:
    french, words = language("fr").words, language(code).words
    assert {key for key, text in words.items() if text == french[key]} == SAME[code]


def test_words__every_key_is_used_and_every_key_that_is_used_exists() -> None:
    package = files("invoicing.documents")
    sources = [path for path in package.iterdir() if path.name.endswith(".py")]
    sources += [path for path in (package / "templates").iterdir() if path.name.endswith(".html")]
    source = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    used = set(re.findall(rf"[\"']((?:{'|'.join(words_of('fr'))})\.[a-z_]+)[\"']", source))
    used |= {f"{table}.{key}" for table, keys in FAMILIES.items() for key in keys}
    assert used == set(language("fr").words)


def test_words__a_missing_key_or_field_is_an_error() -> None:
    with pytest.raises(KeyError):
        language("fr").say("head.nothing")
    with pytest.raises(KeyError):
        language("fr").say("calls.user")

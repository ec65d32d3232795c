"""The words of explanations: every key in every language, each used, and no language left as another one has it."""

from __future__ import annotations

import re
import string
from importlib.resources import files
from itertools import combinations

import pytest

from invoicing.documents.words import LANGUAGES, language
from invoicing.explaining import CATALOGUES, spoken
from invoicing.explanations.calls import UNRATED_REASONS
from invoicing.explanations.lines import FAMILIES
from schemas.price_book import ZONE_KINDS

# Shorter texts may well be the same word in two languages.
WORDS_OF_A_SENTENCE = 4
NOUNS = ("user", "number", "unit", "service", "day", "second", "call")
LISTINGS = ("lines", "services", "terms", "intervals", "months", "shrunk", "contracted", "rates", "dearest", "charge")


def fields_of(text: str) -> set[str]:
    return {field for _, field, _, _ in string.Formatter().parse(text) if field}


@pytest.mark.parametrize("code", [code for code in LANGUAGES if code != "fr"])
def test_words__every_language_has_the_keys_and_fields_of_the_french_one(code: str) -> None:
    french = spoken("fr").words
    words = spoken(code).words
    assert sorted(words) == sorted(french)
    for key, text in words.items():
        assert text.strip() == text != ""
        assert fields_of(text) == fields_of(french[key]), key


@pytest.mark.parametrize(("one", "other"), list(combinations(LANGUAGES, 2)))
def test_words__no_sentence_is_left_in_another_language(one: str, other: str) -> None:
    words = spoken(other).words
    same = [key for key, text in spoken(one).words.items() if text == words[key]]
    assert [key for key in same if len(re.findall(r"[^\W\d_]{2,}", fieldless(words[key]))) >= WORDS_OF_A_SENTENCE] == []
    assert len(same) < len(words) / 5


def fieldless(text: str) -> str:
    return re.sub(r"\{[a-z_]+\}", "", text)


def test_words__every_key_is_used_and_every_key_that_is_used_exists() -> None:
    sources = [path for path in files(CATALOGUES).iterdir() if path.name.endswith(".py")]
    source = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    source += files("invoicing").joinpath("explaining.py").read_text(encoding="utf-8")
    words = spoken("fr").words
    tables = {key.partition(".")[0] for key in words} - {"about", "heading", "listing"}
    used = set(re.findall(rf"[\"']((?:{'|'.join(tables)})\.[a-z_]+)[\"']", source))
    used |= {f"about.{about}" for about in re.findall(r'Step\(\s*"([a-z_]+)"', source)}
    used |= {key for key in words if key.startswith(("heading.", "listing."))}
    used |= {f"listing.{about}" for about in (*LISTINGS, "more")}
    used |= {f"noun.{noun}_{form}" for noun in NOUNS for form in ("one", "other")}
    used |= {f"kind.{kind}" for kind in FAMILIES} | {f"zone_kind.{kind}" for kind in ZONE_KINDS}
    used |= {f"reason.{reason}" for reason in UNRATED_REASONS}
    used |= {"call.outgoing", "call.incoming", "rate.onnet_customer", "rate.onnet_platform"}
    used |= {f"call.through_{through}" for through in ("user", "caller_number", "called_number")}
    used |= {"services.begins", "services.begins_first_run"}
    assert used == set(words)


def test_words__those_of_documents_are_others_and_stay_what_they_are() -> None:
    assert spoken("nl").locale == language("nl").locale
    assert "head.invoice" in language("nl").words
    assert "head.invoice" not in spoken("nl").words

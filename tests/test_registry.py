"""The registry: every rule has an id, its article, a sentence, one function that applies it, and a test file."""

from __future__ import annotations

import inspect
from importlib import import_module
from pathlib import Path

import pytest

from rating.rules import Rule, article_of, registered_rules, rule

REPOSITORY = Path(__file__).resolve().parents[1]
# The article that each rule comes from; empty where the conditions name none.
ARTICLES = {
    "R-RECORD": "",
    "R-CONSERVATION": "",
    "R-OWNER": "",
    "R-SPOOF": "17.1",
    "R-PERIOD": "",
    "R-LATE": "",
    "R-ZONE": "",
    "R-ONNET": "",
    "R-INBOUND": "",
    "R-SECOND": "8.3",
    "R-INCREMENT": "8.3",
    "R-EMERGENCY": "8.7",
    "R-PACK": "8.1, 8.2",
    "R-ADVANCE": "8.1, 8.5",
    "R-FIRST": "8.1, 8.5",
    "R-BASIS": "8.4",
    "R-CAP": "8.5",
    "R-TWELVE": "8.6",
    "R-SUSPENDED": "5.5, 8.7",
    "R-NOTICE": "5.6, 8.2",
    "R-RETRO": "",
    "R-ONEOFF": "8.1, 6.3",
    "R-CREDIT": "10.4",
    "R-CREDIT-NOTE": "5.1, 8.1",
    "R-DISPUTE": "5.1, 14.2",
    "R-INVOICE": "5.1, 5.2, 8.1",
    "R-RERUN": "14.2",
    "R-HELD": "4.10",
}


@pytest.fixture(scope="module")
def rules() -> dict[str, Rule]:
    """Every rule the program knows once what its commands work with is loaded."""
    import_module("invoicing.monthly_job")
    return {known.rule_id: known for known in registered_rules()}


def test_registry__every_rule_and_no_other(rules: dict[str, Rule]) -> None:
    assert sorted(rules) == sorted(ARTICLES)


@pytest.mark.parametrize("rule_id", ARTICLES)
def test_registry__names_its_article(rules: dict[str, Rule], rule_id: str) -> None:
    if ARTICLES[rule_id]:
        assert rules[rule_id].article == ARTICLES[rule_id]
    assert article_of(rule_id) == rules[rule_id].article


@pytest.mark.parametrize("rule_id", ARTICLES)
def test_registry__its_sentence_is_that_of_its_function(rules: dict[str, Rule], rule_id: str) -> None:
    module, _, name = rules[rule_id].function.rpartition(".")
    words = inspect.getdoc(getattr(import_module(module), name))
    assert words is not None
    assert rules[rule_id].sentence == " ".join(words.split("\n\n")[0].split())
    assert rules[rule_id].sentence.endswith(".")


@pytest.mark.parametrize("rule_id", ARTICLES)
def test_registry__has_a_test_file_of_its_own(rules: dict[str, Rule], rule_id: str) -> None:
    stem = "test_" + rule_id.lower().replace("-", "_")
    assert rules[rule_id].tests == f"tests/rules/{stem}.py"
    assert f"def {stem}__" in (REPOSITORY / rules[rule_id].tests).read_text(encoding="utf-8")


def test_registry__one_function_applies_a_rule(rules: dict[str, Rule]) -> None:
    def another() -> None:
        """Claims what is claimed already."""

    with pytest.raises(ValueError, match=r"R-SECOND is applied by rating\.pricing\.call_amount_cents and by"):
        rule("R-SECOND", article="8.3")(another)
    assert rules["R-SECOND"] in registered_rules()


def test_registry__a_rule_is_said_in_words() -> None:
    with pytest.raises(ValueError, match="applies R-UNSAID and has no docstring"):
        rule("R-UNSAID", article="")(lambda: None)
    assert "R-UNSAID" not in [known.rule_id for known in registered_rules()]

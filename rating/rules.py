"""The registry of rules: every rule has an id, an article and one function that applies it."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule as `centime rules` lists it.

    Attributes:
        rule_id: Such as `R-SECOND`; invoice lines and explanations cite it.
        article: The article of the conditions or the law it comes from; empty where it is the engine's own.
        sentence: The first paragraph of its function's docstring.
        function: Module and name of the function that applies it.
        tests: The test file, which carries the rule's name.
    """

    rule_id: str
    article: str
    sentence: str
    function: str
    tests: str


_REGISTRY: dict[str, Rule] = {}


def rule(rule_id: str, *, article: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Mark the function that applies a rule; its docstring is the rule in words.

    Raises:
        ValueError: if two functions claim one rule, or the docstring is missing.
    """

    def register(function: Callable[P, T]) -> Callable[P, T]:
        name = f"{function.__module__}.{function.__qualname__}"
        known = _REGISTRY.get(rule_id)
        if known is not None and known.function != name:
            raise ValueError(f"{rule_id} is applied by {known.function} and by {name}")
        words = inspect.getdoc(function)
        if not words:
            raise ValueError(f"{name} applies {rule_id} and has no docstring")
        sentence = " ".join(words.split("\n\n")[0].split())
        tests = f"tests/rules/test_{rule_id.lower().replace('-', '_')}.py"
        _REGISTRY[rule_id] = Rule(rule_id, article, sentence, name, tests)
        return function

    return register


def registered_rules() -> list[Rule]:
    """Every rule registered by the modules imported so far, in the order of the ids."""
    return [_REGISTRY[rule_id] for rule_id in sorted(_REGISTRY)]


def article_of(rule_id: str) -> str:
    """The article a rule comes from."""
    return _REGISTRY[rule_id].article

"""The templates of the documents: every text that they print is escaped, and is one that the fonts can write."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from invoicing.documents.fonts import writable
from invoicing.documents.words import printable
from invoicing.templates import environment_of

if TYPE_CHECKING:
    from jinja2 import Environment


@cache
def environment() -> Environment:
    """The environment of this process."""
    return environment_of("invoicing.documents", _finalize)


def stylesheet(name: str) -> str:
    """The text of a style sheet of this package."""
    return files(__package__).joinpath("templates", name).read_text(encoding="utf-8")


def _finalize(expression: object) -> object:
    """Every text that a template prints, but not what was made by the template itself."""
    if isinstance(expression, str) and not hasattr(expression, "__html__"):
        return writable(printable(expression))
    return expression

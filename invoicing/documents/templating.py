"""The templates of the documents: every text that they print is escaped, and is one that the fonts can write."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined

from invoicing.documents.fonts import writable
from invoicing.documents.words import printable


@cache
def environment() -> Environment:
    """The environment of this process."""
    return Environment(
        loader=PackageLoader("invoicing.documents", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def stylesheet(name: str) -> str:
    """The text of a style sheet of this package."""
    return files(__package__).joinpath("templates", name).read_text(encoding="utf-8")


def _finalize(expression: object) -> object:
    """Every text that a template prints, but not what was made by the template itself."""
    if isinstance(expression, str) and not hasattr(expression, "__html__"):
        return writable(printable(expression))
    return expression

"""How templates of this program are read: what they print is escaped, and what they do not know is an error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined

if TYPE_CHECKING:
    from collections.abc import Callable


def environment_of(package: str, finalize: Callable[[object], object]) -> Environment:
    """The environment of the folder `templates` of a package; `finalize` sees each text that one prints."""
    return Environment(
        loader=PackageLoader(package, "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=finalize,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )

"""The colour of the supplier's house, as documents and pages have it."""

from __future__ import annotations

import re

DEFAULT_COLOUR = "#24476b"


def accent_of(colour: str) -> str:
    """The colour of a house; one that is not `#rrggbb` gives way to the default."""
    return colour if re.fullmatch(r"#[0-9a-fA-F]{6}", colour) else DEFAULT_COLOUR

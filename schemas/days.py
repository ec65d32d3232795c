"""Days as they are written: YYYY-MM-DD, and in no other way."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import date

DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"


def read_day(text: str) -> date | None:
    """The day, or None where the text is not of that form or no such day exists.

    Python reads `20261031` and `2026-W44-6` too, which are easily something else than was meant.
    """
    with suppress(ValueError):
        if re.fullmatch(DAY, text):
            return date.fromisoformat(text)
    return None

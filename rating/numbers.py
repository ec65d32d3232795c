"""Numbers as calls carry them, in one form: E.164, short code, or `anonymous`."""

from __future__ import annotations

from functools import partial

import polars as pl

from rating.forms import read_text

ANONYMOUS = "anonymous"
MIN_DIGITS = 5
MAX_DIGITS = 15
WITHHELD = "^(?i-u:anonymous|unknown|restricted|unavailable)?$"


def normalise_number(text: pl.Expr, *, country_code: str) -> pl.Expr:
    """Bring a number as written to the form everything else compares.

    Args:
        text: The field as read; null counts as empty.
        country_code: The digits put before a national number, such as `32`.

    Returns:
        `+` and 5 to 15 digits (E.164), 2 to 6 digits (a short code), `anonymous` for a number that is empty
        or withheld, or null where it is malformed. Only ASCII digits count.
    """
    return read_text(text, _e164, partial(_any_form, country_code=country_code), pl.String())


def _e164(text: pl.Expr) -> pl.Expr:
    """A text that is `+` and 5 to 15 digits; that it is an integer is quicker to see than that it fits a pattern."""
    fits = (
        text.str.len_bytes().is_between(1 + MIN_DIGITS, 1 + MAX_DIGITS)
        & text.str.starts_with("+")
        & ~text.str.starts_with("+0")
        & text.cast(pl.Int64, strict=False).is_not_null()
    )
    return pl.when(fits).then(text)


def _any_form(text: pl.Expr, country_code: str) -> pl.Expr:
    """A number in any of its forms brought to its one form, null where it has none."""
    bare = text.fill_null("").str.strip_chars().str.replace(r"^(?i-u:tel:|sips?:)", "").str.replace(r"(?s)[;@].*$", "")
    bare = bare.str.strip_chars()
    dialled = bare.str.replace_all("(0)", "", literal=True).str.replace_all(r"[\s./()-]", "")
    # After the 0 and the digit that follows it; a long country code leaves room for fewer.
    most = min(12, MAX_DIGITS - len(country_code) - 1)
    international, national, short = (
        f"(?:\\+|00)[1-9][0-9]{{{MIN_DIGITS - 1},{MAX_DIGITS - 1}}}",
        f"0[1-9][0-9]{{6,{most}}}",
        "[1-9][0-9]{1,5}",
    )
    number = (
        dialled.str.extract(f"^({international}|{national}|{short})$")
        .str.replace("^00", "+")
        .str.replace("^0", f"+{country_code}")
    )
    return pl.coalesce(number, pl.when(bare.str.contains(WITHHELD)).then(pl.lit(ANONYMOUS)))

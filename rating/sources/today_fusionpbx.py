"""FusionPBX: users are its extensions, numbers its inbound destinations, a customer is a domain.

What is known of the tables is from `app/extensions/app_config.php`, `app/destinations/app_config.php` and
`core/domains/app_config.php` of FusionPBX. What is not enabled is not there. user_id is the extension_uuid, which the
rows of v_xml_cdr carry: an extension that gets another number stays the user it is.

A destination's number is its country code (destination_prefix), its area code and its number, where they are given;
ten digits or more that do not begin with 0 are a full number without its `+`. Its user is the extension that its first
action transfers to (`transfer 101 XML acme.example`); a ring group or menu is none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from rating.numbers import normalise_number
from rating.sources.sync_map import mapped

if TYPE_CHECKING:
    from rating.sources.database import Session
    from rating.sources.sync_map import SyncMap

NAME = "fusionpbx"
_TRANSFER = r"(?:^|\")(?:transfer:)?([0-9A-Za-z_.*#+-]+) XML ([^\s\"]+)"

_FULL = "^[1-9][0-9]{9,14}$"


def read_today(session: Session, known: SyncMap, country_code: str) -> dict[str, pl.DataFrame]:
    """The users and numbers of today, as the tables have them.

    Raises:
        InputRefused: where a table cannot be read, or the file does not say whose something is.
    """
    domains = session.texts("v_domains", ("domain_uuid", "domain_name"), ("domain_enabled",))
    domains = domains.filter(_enabled("domain_enabled")).select("domain_uuid", domain="domain_name")
    more = [known.class_column] if known.class_column else []
    columns = dict.fromkeys(["extension_uuid", "domain_uuid", "extension", "enabled", *more])
    extensions = session.texts("v_extensions", list(columns))
    extensions = extensions.filter(_enabled("enabled")).join(domains, on="domain_uuid")
    users = extensions.select(
        "domain", "extension", user_id="extension_uuid",
        **{"class": known.class_column or pl.lit(None, pl.String)},
    ).sort("user_id")  # fmt: skip
    destinations = session.texts(
        "v_destinations",
        ("domain_uuid", "destination_type", "destination_number", "destination_enabled"),
        ("destination_prefix", "destination_area_code", "destination_data", "destination_actions"),
    )
    numbers = _numbers(destinations.join(domains, on="domain_uuid"), users, country_code)
    return mapped(known, NAME, users.drop("extension"), numbers)


def _enabled(column: str) -> pl.Expr:
    """Whether a row is enabled: the column is text in earlier versions and boolean in later ones."""
    return pl.col(column).is_null() | pl.col(column).is_in(["true", "t", "1"])


def _numbers(destinations: pl.DataFrame, users: pl.DataFrame, country_code: str) -> pl.DataFrame:
    """The numbers of inbound destinations, with the users they lead to."""
    inbound = destinations.filter(pl.col("destination_type") == "inbound", _enabled("destination_enabled"))
    prefix = pl.col("destination_prefix").fill_null("").str.strip_chars("+ ")
    whole = pl.concat_str(
        pl.lit("+"), prefix, pl.col("destination_area_code").fill_null(""), pl.col("destination_number")
    )
    complete = pl.col("destination_number").str.starts_with("+") | (prefix == "")
    full = (prefix == "") & pl.col("destination_number").str.contains(_FULL)
    written = pl.when(complete & ~full).then("destination_number").otherwise(whole)
    action = pl.coalesce(pl.col("destination_actions"), pl.col("destination_data"))
    groups = action.str.extract_groups(_TRANSFER)
    numbers = inbound.select(
        "domain",
        number=pl.coalesce(normalise_number(written, country_code=country_code), written),
        extension=groups.struct.field("1"),
        context=groups.struct.field("2"),
    )
    led_to = users.select("extension", "user_id", context="domain")
    return (
        numbers.join(led_to, on=["extension", "context"], how="left")
        .select("number", "domain", "user_id")
        .sort("number")
    )

"""The issuer: who the settings say makes out invoices and credit notes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from invoicing.documents.rule_sets import require_rules
from invoicing.electronic_parties import refuse_wrong_supplier
from schemas.errors import InputRefused
from schemas.settings import parse_settings

if TYPE_CHECKING:
    from invoicing.desk import Desk


def require_issuer(desk: Desk) -> None:
    """Refuse settings that no document can be made of, before one is numbered: that cannot be taken back.

    Raises:
        InputRefused: where the supplier is wrong, or is none and the last invoices had one; or where the rules for
            electronic documents cannot be used.
    """
    refuse_wrong_supplier(desk.settings.supplier)
    _refuse_lost_supplier(desk)
    require_rules(desk.settings.documents.rules_dir)


def _refuse_lost_supplier(desk: Desk) -> None:
    """Refuse settings without a seller where the last invoices had one: centime.toml was not found."""
    last = desk.ledger.last_run()
    if last is None or desk.settings.supplier.name:
        return
    name = parse_settings(json.loads(last.settings)).supplier.name
    if name:
        raise InputRefused(
            f"the settings name no supplier, and the invoices of {last.period} are from {name}: "
            "expected supplier.name, as centime.toml has it; give that file with --config"
        )

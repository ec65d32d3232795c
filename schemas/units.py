"""The units in which tables, settings and money are whole numbers."""

from __future__ import annotations

MICRO = 1_000_000
MICRO_PLACES = 6
CENT_PLACES = 2

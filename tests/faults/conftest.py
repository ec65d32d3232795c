"""The month that the faults of this folder happen to."""

from tests.faults.stores import expected, october

__all__ = ["expected", "october"]

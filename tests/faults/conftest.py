"""The month that the faults of this folder happen to."""

from tests.faults.stores import october, steps

__all__ = ["october", "steps"]

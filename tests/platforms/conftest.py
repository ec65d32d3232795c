"""The server that platforms account their calls in."""

from tests.databases.conftest import password, postgresql

__all__ = ["password", "postgresql"]

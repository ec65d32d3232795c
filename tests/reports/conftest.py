"""The small store of the command line, for the pages made of it."""

from tests.cli.conftest import filled, october_claimed, october_corrected, october_issued  # noqa: F401 - fixtures

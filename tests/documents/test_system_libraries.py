"""What `check` says about the libraries that draw."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoicing.documents import system_libraries

if TYPE_CHECKING:
    import pytest


def test_system_libraries__here_nothing_is_missing() -> None:
    assert system_libraries.warnings() == []


def test_system_libraries__a_missing_one_is_named_with_what_it_means(monkeypatch: pytest.MonkeyPatch) -> None:
    library = ("harfbuzz-subset-of-nobody", "libharfbuzz-subset0", "harfbuzz")
    monkeypatch.setattr(system_libraries, "LIBRARIES", (*system_libraries.LIBRARIES[:2], library))
    assert system_libraries.warnings() == [
        (
            "libharfbuzz-subset0 is not installed: each page of a PDF takes about six times as long; "
            "`make system` installs it"
        )
    ]

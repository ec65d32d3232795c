"""How hypothesis draws in every test: the same examples each time, and no verdict by the clock."""

from __future__ import annotations

from hypothesis import settings

# `make test` must say the same twice and on a busy machine; `make soak` draws anew in the tests that ask for it.
settings.register_profile("quick", deadline=None, derandomize=True)
settings.load_profile("quick")
